package httpapi

import (
	"slices"
	"strings"

	"github.com/elumenta/elumenta"
)

// tags are the entity tags of an If-Match or If-None-Match header (RFC 9110, 13.1).
type tags struct {
	any  bool // *
	list []string
}

// parseTags reads all values of a header. Without any it returns nil.
func parseTags(header string, values []string) (*tags, error) {
	if len(values) == 0 {
		return nil, nil
	}
	t := new(tags)
	rest := strings.TrimSpace(strings.Join(values, ","))
	if rest == "*" {
		t.any = true
		return t, nil
	}
	for rest != "" {
		tag, after, ok := cutTag(rest)
		if !ok {
			return nil, elumenta.Errorf(elumenta.CodeBadRequest, `%s must be * or a list of quoted entity tags, such as "3"`, header)
		}
		t.list = append(t.list, tag)
		rest = strings.TrimLeft(after, ", \t")
		if rest != "" && rest == after {
			return nil, elumenta.Errorf(elumenta.CodeBadRequest, "%s must have commas between its entity tags", header)
		}
	}
	return t, nil
}

func cutTag(s string) (tag, after string, ok bool) {
	start := 0
	if strings.HasPrefix(s, "W/") {
		start = len("W/")
	}
	if len(s) <= start || s[start] != '"' {
		return "", "", false
	}
	end := strings.IndexByte(s[start+1:], '"')
	if end < 0 {
		return "", "", false
	}
	end += start + 2
	return s[:end], s[end:], true
}

// matchStrong is for If-Match: a weak tag never matches.
func (t *tags) matchStrong(tag string) bool {
	return t.any || !strings.HasPrefix(tag, "W/") && slices.Contains(t.list, tag)
}

// matchWeak is for If-None-Match: weakness does not count.
func (t *tags) matchWeak(tag string) bool {
	bare := strings.TrimPrefix(tag, "W/")
	return t.any || slices.ContainsFunc(t.list, func(s string) bool { return strings.TrimPrefix(s, "W/") == bare })
}
