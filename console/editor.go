package console

import (
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/elumenta/elumenta"
)

// estimateTokens guesses how many tokens of a model a text has: four characters of ASCII are one, a character of a script without
// blanks is one, and two of any other. static/js/editor.js counts alike.
func estimateTokens(text string) int64 {
	quarters := int64(0)
	for _, r := range text {
		switch {
		case r <= unicode.MaxASCII:
			quarters++
		case r >= 0x0E00 && r < 0x1100, r >= 0x1780 && r < 0x1800, r >= 0x2E80 && r < 0xFB00, r >= 0xFF00:
			quarters += 4
		default:
			quarters += 2
		}
	}
	return (quarters + 3) / 4
}

var variablePattern = regexp.MustCompile(`\{\{([a-z][a-z0-9_]{0,31})\}\}`)

// placeholders goes through where variables may stand in a text.
func placeholders(text string) iter.Seq2[int, int] {
	return func(yield func(start, end int) bool) {
		for from := 0; ; {
			at := variablePattern.FindStringIndex(text[from:])
			if at == nil {
				return
			}
			if !yield(from+at[0], from+at[1]) {
				return
			}
			from += at[1]
		}
	}
}

// declared holds, by placeholder, what stands for each variable of a call that gives none: nil for what it must give.
func (e *editor) declared() map[string]*string {
	values := make(map[string]*string, len(e.Variables))
	for _, v := range e.Variables {
		value := deref(v.Default)
		if values["{{"+v.Name+"}}"] = &value; v.Required {
			values["{{"+v.Name+"}}"] = nil
		}
	}
	return values
}

// constant is the part of the instructions that is the same in every call: up to the first declared variable.
func (e *editor) constant() (text string, variable bool) {
	declared := e.declared()
	for start, end := range placeholders(e.Instructions) {
		if _, ok := declared[e.Instructions[start:end]]; ok {
			return e.Instructions[:start], true
		}
	}
	return e.Instructions, false
}

// composed is the instructions as a call without variables sends them; what a call must give stands as it is. Of what is too long to be
// sent it says that: a default of 8,000 characters may stand in a text 50,000 times.
func (e *editor) composed(p *page) string {
	var b strings.Builder
	declared, from, size := e.declared(), 0, 0
	add := func(text string) {
		if size += utf8.RuneCountInString(text); size <= elumenta.MaxExpandedInstruction {
			b.WriteString(text)
		}
	}
	for start, end := range placeholders(e.Instructions) {
		if value := declared[e.Instructions[start:end]]; value != nil && size <= elumenta.MaxExpandedInstruction {
			add(e.Instructions[from:start])
			add(*value)
			from = end
		}
	}
	if add(e.Instructions[from:]); size > elumenta.MaxExpandedInstruction {
		return composedTooLong(p)
	}
	return b.String()
}

func composedTooLong(p *page) string {
	return p.T("own.composed_long", "most", p.Number(elumenta.MaxExpandedInstruction))
}

// cacheText says what the model's prompt cache makes of the instructions.
func cacheText(p *page, e *editor) string {
	m := e.model()
	if m == nil || m.CacheMinimum == nil {
		return p.T("own.cache_none")
	}
	constant, variable := e.constant()
	tokens := estimateTokens(constant)
	key := "own.cache_reached"
	if tokens < *m.CacheMinimum {
		key = "own.cache_below"
	}
	text := p.T(key, "tokens", p.Number(tokens), "minimum", p.Number(*m.CacheMinimum))
	if variable {
		text += " " + p.T("own.cache_variable", "rest", p.Number(max(0, estimateTokens(e.Instructions)-tokens)))
	}
	return text
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func number(n *float64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatFloat(*n, 'f', -1, 64)
}

func whole(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// minimum is the smallest prompt that a model's provider caches, empty for none.
func minimum(m *Model) string {
	if m.CacheMinimum == nil {
		return ""
	}
	return strconv.FormatInt(*m.CacheMinimum, 10)
}

func unavailable(p *page, m *Model) string {
	if m.Available {
		return ""
	}
	return " · " + p.T("own.model_unavailable")
}

var partPattern = regexp.MustCompile(`^(?:\[(\d+)\])?\.?(.*)$`)

// partErrors are what is wrong with a field or its parts: where, and what.
func partErrors(p *page, errs map[string]string, field string) (reasons [][2]string) {
	for _, name := range slices.Sorted(maps.Keys(errs)) {
		part, ok := strings.CutPrefix(name, field)
		if !ok || part != "" && part[0] != '.' && part[0] != '[' {
			continue
		}
		at := partPattern.FindStringSubmatch(part)
		reason := strings.TrimSpace(at[2] + " " + errs[name])
		if at[1] == "" {
			reasons = append(reasons, [2]string{"", reason})
			continue
		}
		i, _ := strconv.Atoi(at[1]) // digits; too many of them are 0
		reasons = append(reasons, [2]string{p.T("form.entry", "n", i+1), reason})
	}
	return reasons
}

// callCode is a call of an assistant, for a shell.
func callCode(p *page, id string) string {
	scheme := "http"
	if p.c.API.Secure(p.r) {
		scheme = "https"
	}
	return fmt.Sprintf(`curl -s %s://%s/api/v2/generate \
  -H "Authorization: Bearer $ELUMENTA_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{"assistant_id": "%s", "prompt": "Hello"}'`, scheme, p.r.Host, id)
}
