package httpapi

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
)

const (
	maxDepth       = 64      // of nested arrays and objects in a body
	maxValues      = 200_000 // of a body in another API's shape, as measure counts them
	maxFieldErrors = 500     // gathered; fewer are listed
	maxShownName   = 64      // bytes of a client's own name that an error repeats
)

// reader reads one JSON object in a single pass and gathers what is wrong with its fields. JSON that is broken ends it:
// every method then does nothing and reports failure.
type reader struct {
	buf    bytes.Buffer
	dec    *jsontext.Decoder
	errs   elumenta.FieldErrors
	broken *elumenta.Error
	// unquoted is the last string that had escapes.
	unquoted []byte
}

// fieldPath names a field by where it stands; it is written out only for an error.
type fieldPath struct {
	parent *fieldPath
	name   string // "" for an array's item
	index  int
}

func (p *fieldPath) child(name string) fieldPath { return fieldPath{parent: p, name: name} }
func (p *fieldPath) item(i int) fieldPath        { return fieldPath{parent: p, index: i} }

// String copies the names, so that a path on the stack need not escape.
func (p *fieldPath) String() string { return string(p.append(nil)) }

func (p *fieldPath) append(b []byte) []byte {
	if p == nil {
		return b
	}
	b = p.parent.append(b)
	if p.name == "" {
		return append(strconv.AppendInt(append(b, '['), int64(p.index), 10), ']')
	}
	if len(b) > 0 {
		b = append(b, '.')
	}
	return append(b, p.name...)
}

// read decodes a body: member is called for each of the object's members and consumes its value.
func (r *reader) read(body []byte, member func(name []byte)) {
	r.buf = *bytes.NewBuffer(body)
	if r.dec == nil {
		r.dec = new(jsontext.Decoder)
	}
	r.dec.Reset(&r.buf)
	switch kind := r.dec.PeekKind(); kind {
	case '{':
		r.members(member)
	case 0:
		_, err := r.dec.ReadToken()
		if errors.Is(err, io.EOF) {
			r.broken = elumenta.Errorf(elumenta.CodeBadRequest, "the body is empty: send a JSON object")
			return
		}
		r.fail(err)
	default:
		r.broken = elumenta.Errorf(elumenta.CodeBadRequest, "the body must be a JSON object")
	}
	if r.broken != nil {
		return
	}
	if _, err := r.dec.ReadToken(); !errors.Is(err, io.EOF) {
		r.broken = elumenta.Errorf(elumenta.CodeBadRequest, "the body must be one JSON object: something follows it at byte %d", r.dec.InputOffset())
	}
}

// err is everything that is wrong, or nil.
func (r *reader) err() error {
	if r.broken != nil {
		return r.broken
	}
	return firstOfEach(r.errs).Err()
}

// fail ends the reading. What it says never quotes the body.
func (r *reader) fail(err error) {
	if r.broken != nil || err == nil {
		return
	}
	offset, what := r.dec.InputOffset(), "it is malformed"
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		offset = max(offset, s.ByteOffset)
		if s.Err != nil {
			err = s.Err
		}
	}
	switch text := err.Error(); {
	case errors.Is(err, jsontext.ErrDuplicateName):
		what = "an object has two members of the same name"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		what = "it ends too early"
	case errors.Is(err, errTooDeep), strings.Contains(text, "max depth"):
		what = "it nests deeper than " + strconv.Itoa(maxDepth) + " levels"
	case strings.Contains(text, "UTF-8"):
		what = "it is not valid UTF-8"
	case strings.Contains(text, "surrogate"):
		what = "a string escapes half of a surrogate pair"
	}
	r.broken = elumenta.Errorf(elumenta.CodeBadRequest, "the body is not valid JSON: %s, at byte %d", what, offset)
}

var errTooDeep = errors.New("too deep")

// bad adds a field error.
func (r *reader) bad(p *fieldPath, format string, args ...any) {
	if len(r.errs) < maxFieldErrors {
		r.errs.Add(p.String(), format, args...)
	}
}

// unknown refuses a member that is not part of the contract.
func (r *reader) unknown(p *fieldPath, name []byte) {
	at := p.child(shown(name))
	r.bad(&at, "is not known here")
	r.skip()
}

// shown is a client's own name for an error message: short, one line, without control characters.
func shown(name []byte) string {
	s := strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return '�'
		}
		return c
	}, string(name[:min(len(name), maxShownName)]))
	if s == "" {
		return `""`
	}
	return strings.ToValidUTF8(s, "")
}

// null consumes a null.
func (r *reader) null() bool {
	if r.broken != nil || r.dec.PeekKind() != 'n' {
		return false
	}
	_, err := r.dec.ReadToken()
	r.fail(err)
	return true
}

// is reports whether the next value is of a kind; if not, it is skipped and the field is bad.
func (r *reader) is(p *fieldPath, kind jsontext.Kind, want string) bool {
	if r.broken != nil {
		return false
	}
	switch r.dec.PeekKind() {
	case kind:
		return true
	case 0: // reading says what is wrong
	default:
		r.bad(p, "must be %s", want)
	}
	r.skip()
	return false
}

// object reads an object and reports whether there was one.
func (r *reader) object(p *fieldPath, member func(name []byte)) bool {
	if !r.is(p, '{', "an object") {
		return false
	}
	r.members(member)
	return r.broken == nil
}

func (r *reader) members(member func(name []byte)) {
	if _, err := r.dec.ReadToken(); err != nil {
		r.fail(err)
		return
	}
	for r.broken == nil && r.dec.PeekKind() == '"' {
		name, ok := r.quoted()
		if !ok {
			return
		}
		member(name)
	}
	r.end()
}

// quoted reads a string, which is valid until the next value is read.
func (r *reader) quoted() ([]byte, bool) {
	raw, err := r.dec.ReadValue()
	if err != nil {
		r.fail(err)
		return nil, false
	}
	s := raw[1 : len(raw)-1]
	if bytes.IndexByte(s, '\\') >= 0 {
		r.unquoted, _ = jsontext.AppendUnquote(r.unquoted[:0], raw) // valid: the decoder has checked it
		s = r.unquoted
	}
	return s, true
}

// array reads an array of at most a number of items and reports whether there was one. Further items are skipped.
func (r *reader) array(p *fieldPath, most int, item func(i int)) bool {
	if !r.is(p, '[', "a list") {
		return false
	}
	if _, err := r.dec.ReadToken(); err != nil {
		r.fail(err)
		return false
	}
	i := 0
	for ; r.broken == nil && r.dec.PeekKind() != ']' && r.dec.PeekKind() != 0; i++ {
		if i < most {
			item(i)
		} else {
			r.skip()
		}
	}
	if i > most {
		r.bad(p, "must have at most %d items, has %d", most, i)
	}
	r.end()
	return r.broken == nil
}

// end reads the end of an object or array.
func (r *reader) end() {
	if r.broken == nil {
		_, err := r.dec.ReadToken()
		r.fail(err)
	}
}

// word reads a string that is one of a few, valid until the next value is read.
func (r *reader) word(p *fieldPath) ([]byte, bool) {
	if !r.is(p, '"', "a string") {
		return nil, false
	}
	return r.quoted()
}

// text reads a string.
func (r *reader) text(p *fieldPath) (string, bool) {
	if !r.is(p, '"', "a string") {
		return "", false
	}
	s, ok := r.quoted()
	return string(s), ok
}

// boolean reads true or false.
func (r *reader) boolean(p *fieldPath) bool {
	if r.broken != nil {
		return false
	}
	if k := r.dec.PeekKind(); k == 't' || k == 'f' {
		t, err := r.dec.ReadToken()
		if err != nil {
			r.fail(err)
			return false
		}
		return t.Bool()
	}
	r.is(p, 't', "true or false")
	return false
}

// fields reads a body whose fields have readers by their names; null leaves a field out.
func (r *reader) fields(body []byte, known map[string]func(p *fieldPath)) {
	r.read(body, func(name []byte) {
		read, ok := known[string(name)]
		switch {
		case !ok:
			r.unknown(nil, name)
		case !r.null():
			at := fieldPath{name: string(name)}
			read(&at)
		}
	})
}

// into reads a string into a variable.
func (r *reader) into(to *string) func(*fieldPath) {
	return func(p *fieldPath) { *to, _ = r.text(p) }
}

// also returns everything that is wrong with a body, errs included.
func (r *reader) also(errs elumenta.FieldErrors) error {
	r.errs = append(r.errs, errs...)
	return r.err()
}

// time reads a moment.
func (r *reader) time(p *fieldPath) (time.Time, bool) {
	s, ok := r.text(p)
	if !ok {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		r.bad(p, "must be a time as RFC 3339 writes it: 2027-01-31T12:00:00Z")
		return time.Time{}, false
	}
	return t, true
}

// raw reads an object as it stands, to be kept.
func (r *reader) raw(p *fieldPath) ([]byte, bool) {
	if !r.is(p, '{', "an object") {
		return nil, false
	}
	start := r.dec.StackDepth()
	v, err := r.dec.ReadValue()
	if err != nil {
		r.fail(err)
		return nil, false
	}
	if deepest, _ := measure(v); deepest+start > maxDepth {
		r.fail(errTooDeep)
		return nil, false
	}
	return bytes.Clone(v), true
}

// measure tells how deep a value nests, and how many values are in it: an empty array or object counts as two.
func measure(v []byte) (deepest, values int) {
	now := 0
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case '"':
			i += quoted(v[i:])
		case '{', '[':
			now++
			values++
			deepest = max(deepest, now)
		case ',':
			values++
		case '}', ']':
			now--
		}
	}
	return deepest, values
}

// quoted is where the string that v begins with ends. It looks at each byte about once, however many are escaped.
func quoted(v []byte) int {
	for i := 1; i < len(v); i++ {
		end := bytes.IndexByte(v[i:], '"')
		if end < 0 {
			break
		}
		text := v[i : i+end]
		if i += end; (len(text)-len(bytes.TrimRight(text, `\`)))%2 == 0 {
			return i
		}
	}
	return len(v)
}

// skip passes over one value, however it nests up to the limit.
func (r *reader) skip() {
	if r.broken != nil {
		return
	}
	start := r.dec.StackDepth()
	for {
		if _, err := r.dec.ReadToken(); err != nil {
			r.fail(err)
			return
		}
		d := r.dec.StackDepth()
		if d <= start {
			return
		}
		if d > maxDepth {
			r.fail(errTooDeep)
			return
		}
	}
}
