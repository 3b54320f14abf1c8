package assistantfile

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/elumenta/elumenta"
)

// maxName is the length of a file's name in bytes, so that every file system takes it with an extension.
const maxName = 120

// reservedNames are devices on Windows, whatever extension follows
// (https://learn.microsoft.com/windows/win32/fileio/naming-a-file), and what ReadTree passes over.
var reservedNames = regexp.MustCompile(`^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin|conout|clock|readme)$`)

// Names gives every assistant's file a name of its own. Two names are the same where a file system takes them for the same:
// without regard to case and to how an accent is written.
type Names struct{ taken map[string]bool }

// Take marks the name of a file, without its extension, as taken, and reports whether it was free.
func (n *Names) Take(name string) bool {
	if n.taken == nil {
		n.taken = map[string]bool{}
	}
	key := cases.Fold().String(norm.NFKC.String(name))
	if n.taken[key] {
		return false
	}
	n.taken[key] = true
	return true
}

// For makes a name, without an extension, of an assistant's: letters and digits of any script, with the end of the id
// behind it if the name is taken.
func (n *Names) For(name string, id elumenta.AssistantID) string {
	slug := slugOf(name)
	if !reservedNames.MatchString(slug) && n.Take(slug) {
		return slug
	}
	for size := 8; ; size += 6 {
		tail := string(id[max(len(id)-size, 0):])
		if with := slug + "-" + tail; n.Take(with) || len(tail) == len(id) {
			return with
		}
	}
}

// slugOf keeps letters, marks and digits in lower case and puts a dash between them.
func slugOf(name string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(norm.NFKC.String(name)) {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && (!unicode.IsMark(r) || b.Len() == 0) {
			dash = b.Len() > 0
			continue
		}
		if b.Len()+utf8.RuneLen(r)+1 > maxName {
			break
		}
		if dash {
			b.WriteByte('-')
			dash = false
		}
		b.WriteRune(r)
	}
	if b.Len() == 0 {
		return "assistant"
	}
	return norm.NFC.String(b.String())
}
