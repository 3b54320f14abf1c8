package anthropicapi

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
)

const (
	maxFieldErrors = 100
	maxWarnings    = 100
	maxShownName   = 64 // bytes of a client's own name that a message repeats
)

// reader reads JSON in a single pass and gathers what is wrong with its fields. JSON that is broken ends it: every method then does nothing
// and reports failure. A method names the field that it read last.
type reader struct {
	dec      *jsontext.Decoder
	errs     elumenta.FieldErrors
	warnings []elumenta.Warning
	broken   *elumenta.Error
}

// read reads a body that is an object.
func (r *reader) read(body []byte, member func(name string)) {
	r.dec = jsontext.NewDecoder(bytes.NewBuffer(body))
	switch r.dec.PeekKind() {
	case '{':
		r.object(member)
	case 0:
		_, err := r.dec.ReadToken()
		r.fail(err)
	default:
		r.broken = elumenta.Errorf(elumenta.CodeBadRequest, "the body must be a JSON object")
	}
	if r.broken != nil {
		return
	}
	switch _, err := r.dec.ReadToken(); {
	case err == nil:
		r.broken = elumenta.Errorf(elumenta.CodeBadRequest, "the body is not valid JSON: something follows the object")
	case !errors.Is(err, io.EOF):
		r.fail(err)
	}
}

// fail notes broken JSON. What the decoder says of it may quote the body, and is not repeated.
func (r *reader) fail(err error) {
	if err == nil || r.broken != nil {
		return
	}
	offset, what := r.dec.InputOffset(), "it is malformed"
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		offset = max(offset, s.ByteOffset)
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		what = "an object has two members of the same name"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		what = "it ends too early"
	}
	r.broken = elumenta.Errorf(elumenta.CodeBadRequest, "the body is not valid JSON: %s, at byte %d", what, offset)
}

// field is the name of what was read last, as Anthropic writes it: messages.0.content.
func (r *reader) field() string {
	var b strings.Builder
	for name := range r.dec.StackPointer().Tokens() {
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(shown(name))
	}
	return b.String()
}

// shown is a client's own name for a message: short, one line, without control characters.
func shown(name string) string {
	s := strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return unicode.ReplacementChar
		}
		return c
	}, strings.ToValidUTF8(name[:min(len(name), maxShownName)], ""))
	if s == "" {
		return `""`
	}
	return s
}

// bad notes what is wrong with what was read last.
func (r *reader) bad(format string, args ...any) {
	if r.broken == nil && len(r.errs) < maxFieldErrors {
		r.errs.Add(r.field(), format, args...)
	}
}

// badMember notes what is wrong with a member of the object that was read last.
func (r *reader) badMember(name, format string, args ...any) {
	if r.broken == nil && len(r.errs) < maxFieldErrors {
		if field := r.field(); field != "" {
			name = field + "." + name
		}
		r.errs.Add(name, format, args...)
	}
}

// warn names what was read last, which is left out.
func (r *reader) warn(code, message string) {
	if r.broken == nil && len(r.warnings) < maxWarnings {
		r.warnings = append(r.warnings, elumenta.Warning{Code: code, Field: r.field(), Message: message})
	}
}

// unknown leaves a member out that is not known here: these clients send new ones every month.
func (r *reader) unknown() {
	if r.null() {
		return
	}
	r.skip()
	r.warn(elumenta.WarnUnknownField, "is not known here: left out")
}

func (r *reader) skip() {
	if r.broken == nil {
		r.fail(r.dec.SkipValue())
	}
}

// null consumes a null, which is as good as no value.
func (r *reader) null() bool {
	if !r.next('n') {
		return false
	}
	r.skip()
	return true
}

// next reports whether the next value is of a kind.
func (r *reader) next(kind jsontext.Kind) bool { return r.broken == nil && r.dec.PeekKind() == kind }

// token reads a value of a kind that is one token, or the first token of an object or array. Another value is skipped and wrong.
func (r *reader) token(kind jsontext.Kind, want string) (t jsontext.Token, ok bool) {
	if r.broken != nil {
		return t, false
	}
	if r.dec.PeekKind() != kind {
		r.skip()
		r.bad("must be %s", want)
		return t, false
	}
	t, err := r.dec.ReadToken()
	r.fail(err)
	return t, err == nil
}

// object reads an object and reports whether there was one. member reads the value of one member.
func (r *reader) object(member func(name string)) bool {
	if _, ok := r.token('{', "an object"); !ok {
		return false
	}
	for r.next('"') {
		t, err := r.dec.ReadToken()
		if err != nil {
			r.fail(err)
			return false
		}
		member(t.String())
	}
	return r.end()
}

// array reads an array of at most a number of items. Further items are skipped.
func (r *reader) array(most int, item func()) {
	if _, ok := r.token('[', "a list"); !ok {
		return
	}
	n := 0
	for ; r.broken == nil && r.dec.PeekKind() != ']' && r.dec.PeekKind() != 0; n++ {
		if n < most {
			item()
		} else {
			r.skip()
		}
	}
	if r.end() && n > most {
		r.bad("must have at most %d items, has %d", most, n)
	}
}

// end reads the end of an object or array.
func (r *reader) end() bool {
	if r.broken != nil {
		return false
	}
	_, err := r.dec.ReadToken()
	r.fail(err)
	return err == nil
}

// text reads a string without U+0000, which no database and few providers take.
func (r *reader) text() string {
	t, ok := r.token('"', "a string")
	if !ok {
		return ""
	}
	s := t.String()
	if strings.IndexByte(s, 0) >= 0 {
		r.bad("must not contain the character U+0000")
		return ""
	}
	return s
}

func (r *reader) boolean() bool {
	if r.next('t') {
		_, ok := r.token('t', "")
		return ok
	}
	r.token('f', "true or false")
	return false
}

func (r *reader) number() *float64 {
	t, ok := r.token('0', "a number")
	if !ok {
		return nil
	}
	f, err := t.Float()
	if err != nil {
		r.bad("is too large")
		return nil
	}
	return &f
}

// whole reads a whole number of at most 2³¹-1.
func (r *reader) whole() *int {
	f := r.number()
	switch {
	case f == nil:
		return nil
	case *f != math.Trunc(*f):
		r.bad("must be an integer")
		return nil
	case math.Abs(*f) > math.MaxInt32:
		r.bad("must be at most %d", math.MaxInt32)
		return nil
	}
	n := int(*f)
	return &n
}

// raw reads an object as it stands, to be kept.
func (r *reader) raw() jsontext.Value {
	if !r.next('{') {
		r.token('{', "an object")
		return nil
	}
	v, err := r.dec.ReadValue()
	r.fail(err)
	return v.Clone()
}
