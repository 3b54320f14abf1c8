package wire

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
)

// errJSON says that a value is not JSON, or of another type than the format has there. It quotes nothing.
var errJSON = errors.New("not the JSON that the format has")

// JSON reads a JSON text member by member, so that what is not needed is passed over without being decoded. Its first
// error stays and ends all loops; Err returns it. The zero value is ready for Reset. Invalid UTF-8 is replaced, and of
// several members of one name each is given out.
type JSON struct {
	src     []byte
	at      int // what of it was read
	depth   int // of open objects and arrays
	err     error
	scratch []byte
}

// maxDepth is how deep a text may nest.
const maxDepth = 10_000

// Reset begins a new text. It is not copied, and must not change until the text is read.
func (j *JSON) Reset(text []byte) { j.src, j.at, j.depth, j.err = text, 0, 0, nil }

// Err is the first error.
func (j *JSON) Err() error { return j.err }

// Fail ends reading.
func (j *JSON) Fail() {
	if j.err == nil {
		j.err = errJSON
	}
}

// Kind is the first byte of the value that comes next: n, f, t, ", 0, { or [; zero where none can begin, or behind an error.
func (j *JSON) Kind() byte {
	switch c := j.next(); c {
	case 'n', 'f', 't', '"', '{', '[':
		return c
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return '0'
	}
	return 0
}

// next is the byte that comes next, after blanks; zero at the text's end or behind an error.
func (j *JSON) next() byte {
	if j.err != nil {
		return 0
	}
	if j.at = blanks(j.src, j.at); j.at < len(j.src) {
		return j.src[j.at]
	}
	return 0
}

// Object calls member for each member of an object, which reads the value or calls Skip. The key is valid until then.
// Null is an empty object.
func (j *JSON) Object(member func(key []byte)) {
	if !j.open('{') {
		return
	}
	for first := true; j.more(first, '}'); first = false {
		from := j.at
		to, ok := str(j.src, from)
		if !ok {
			j.Fail()
			return
		}
		if j.at = to; j.next() != ':' {
			j.Fail()
			return
		}
		j.at++
		member(j.src[from+1 : to-1])
	}
}

// Array calls element for each element of an array, which reads the value or calls Skip. Null is an empty array.
func (j *JSON) Array(element func()) {
	if !j.open('[') {
		return
	}
	for first := true; j.more(first, ']'); first = false {
		element()
	}
}

func (j *JSON) open(kind byte) bool {
	switch j.next() {
	case 'n':
		j.Skip()
		return false
	case kind:
		j.at++
		if j.depth++; j.depth <= maxDepth {
			return true
		}
	}
	j.Fail()
	return false
}

// more passes over what stands before another member or element, or over the end of their list.
func (j *JSON) more(first bool, end byte) bool {
	c := j.next()
	if c == end {
		j.at++
		j.depth--
		return false
	}
	if !first {
		if c != ',' {
			j.Fail()
			return false
		}
		j.at++
		c = j.next()
	}
	if c == 0 || c == end {
		j.Fail()
		return false
	}
	return true
}

// Skip passes a value over.
func (j *JSON) Skip() { _ = j.Raw() }

// Offset is how much of the text was read: behind Kind, where the next value begins.
func (j *JSON) Offset() int { return j.at }

// Raw reads a value as it is written.
func (j *JSON) Raw() []byte {
	if j.err != nil {
		return nil
	}
	from := blanks(j.src, j.at)
	to, ok := value(j.src, from, maxDepth-j.depth)
	if !ok {
		j.Fail()
		return nil
	}
	j.at = to
	return j.src[from:to]
}

// String reads a string. Null is empty.
func (j *JSON) String() string { return string(j.text()) }

// Repeated reads what Scalar reads, where it mostly is the same text as before: it is returned then, and nothing is allocated.
func (j *JSON) Repeated(before string) string {
	if j.Kind() != '"' {
		return j.Scalar()
	}
	if text := j.text(); string(text) != before {
		return string(text)
	}
	return before
}

// text is valid until the next call.
func (j *JSON) text() []byte {
	raw := j.Raw()
	switch {
	case j.err != nil || string(raw) == "null":
		return nil
	case raw[0] != '"':
		j.Fail()
		return nil
	}
	if inner := raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return inner
	}
	// The error is about invalid UTF-8, which has been replaced.
	j.scratch, _ = jsontext.AppendUnquote(j.scratch[:0], raw)
	return j.scratch
}

// Int reads a number, cut to a whole one from 0 to MaxCount. Null is zero.
func (j *JSON) Int() int64 {
	raw := j.Raw()
	if j.err != nil {
		return 0
	}
	n, ok := count(raw)
	if !ok {
		j.Fail()
	}
	return n
}

// MaxCount is the largest number that a provider's count is taken for: sums of such stay far from overflowing.
const MaxCount = math.MaxInt32

// count reads a number as a count; null is none.
func count(raw []byte) (n int64, ok bool) {
	if string(raw) == "null" {
		return 0, true
	}
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return min(max(n, 0), MaxCount), true
	}
	if len(raw) == 0 || raw[0] == '"' {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	return int64(min(max(f, 0), MaxCount)), true
}

// Tokens is a count in a provider's usage, read as JSON.Int reads it.
type Tokens int64

// UnmarshalJSON reads a number.
func (t *Tokens) UnmarshalJSON(raw []byte) error {
	n, ok := count(raw)
	if !ok {
		return errJSON
	}
	*t = Tokens(n)
	return nil
}

// Scalar reads a string, number or literal as text: some hosts write a code as a number. Null, objects and arrays are
// empty.
func (j *JSON) Scalar() string {
	switch j.Kind() {
	case '"':
		return j.String()
	case '0', 't', 'f':
		return string(j.Raw())
	}
	j.Skip()
	return ""
}

// End reports whether the text was JSON that was read without error and to its end.
func (j *JSON) End() bool {
	if j.err != nil {
		return false
	}
	if j.at = blanks(j.src, j.at); j.at < len(j.src) {
		j.Fail()
	}
	return j.err == nil
}

const hex = "0123456789abcdef"

// CallInput is the JSON object that an API takes for the arguments of a tool call in the history, which a client sends as a string: an
// empty one for none, and for what is no object, such as arguments that max_tokens cut off, one that holds it as Anthropic has it done
// (https://platform.claude.com/docs/en/agents-and-tools/tool-use/fine-grained-tool-streaming#handling-invalid-json-in-tool-responses).
func CallInput(arguments elumenta.Text) []byte {
	v := jsontext.Value(strings.TrimSpace(string(arguments)))
	switch {
	case len(v) == 0:
		return []byte("{}")
	case v.Kind() == '{' && v.IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)):
		return v
	}
	return append(AppendString([]byte(`{"INVALID_JSON":`), arguments), '}')
}

// AppendString appends a JSON string. Invalid UTF-8 is replaced; what need not be escaped is not.
func AppendString[T ~string](b []byte, value T) []byte {
	text := string(value)
	b = append(b, '"')
	from := 0
	for i := 0; i < len(text); {
		for len(text)-i >= 8 && plain(word(text[i:])) {
			i += 8
		}
		if i == len(text) {
			break
		}
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		b = append(b, text[from:i]...)
		b = appendEscape(b, c)
		i++
		from = i
	}
	return append(append(b, text[from:]...), '"')
}

// word is the first eight bytes.
func word[T string | []byte](s T) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// plain reports whether eight bytes are ASCII that is not escaped, looking at all of them at once: where it says no, it may be wrong.
func plain(x uint64) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	return (x|(x-' '*ones)|((x^'"'*ones)-ones)|((x^'\\'*ones)-ones))&high == 0
}

func appendEscape(b []byte, c byte) []byte {
	switch {
	case c == '"' || c == '\\':
		return append(b, '\\', c)
	case c == '\n':
		return append(b, `\n`...)
	case c == '\r':
		return append(b, `\r`...)
	case c == '\t':
		return append(b, `\t`...)
	case c < ' ':
		return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
	return append(b, `\ufffd`...) // a byte that is no UTF-8
}
