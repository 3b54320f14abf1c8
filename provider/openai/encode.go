package openai

import (
	"strconv"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

// encoder appends a request body.
type encoder struct {
	b     []byte
	ids   callIDs
	plain bool // no members that only other hosts have
	tools bool // the prompt has some
	empty bool // reasoning that is not there is sent as an empty text
}

// raw appends text that is JSON already.
func (e *encoder) raw(text string) { e.b = append(e.b, text...) }

// comma separates an element or member from the one before it.
func (e *encoder) comma() {
	if last := e.b[len(e.b)-1]; last != '{' && last != '[' {
		e.b = append(e.b, ',')
	}
}

// key begins a member. Keys are constants that need no escaping.
func (e *encoder) key(name string) {
	e.comma()
	e.b = append(append(append(e.b, '"'), name...), '"', ':')
}

func (e *encoder) string(name, value string) {
	e.key(name)
	e.b = wire.AppendString(e.b, value)
}

func (e *encoder) text(name string, value elumenta.Text) { e.string(name, string(value)) }

func (e *encoder) bool(name string, value bool) {
	e.key(name)
	e.b = strconv.AppendBool(e.b, value)
}

func (e *encoder) int(name string, value int) {
	e.key(name)
	e.b = strconv.AppendInt(e.b, int64(value), 10)
}

func (e *encoder) float(name string, value *float64) {
	if value != nil {
		e.key(name)
		e.b = strconv.AppendFloat(e.b, *value, 'g', -1, 64)
	}
}

// imageURL appends the member's value: an image inline as a data URL, or its own URL.
func (e *encoder) imageURL(name string, image *elumenta.Image) {
	if image.URL != "" {
		e.text(name, image.URL)
		return
	}
	e.key(name)
	e.raw(`"data:`)
	e.inner(elumenta.Text(image.MediaType))
	e.raw(`;base64,`)
	e.inner(image.Data)
	e.raw(`"`)
}

// inner appends a string without its quotes.
func (e *encoder) inner(text elumenta.Text) {
	at := len(e.b)
	e.b = wire.AppendString(e.b, text)
	copy(e.b[at:], e.b[at+1:])
	e.b = e.b[:len(e.b)-2]
}

// parameters appends a tool's JSON Schema; the API wants one also for a tool that takes nothing.
func (e *encoder) parameters(tool *elumenta.Tool) {
	e.key("parameters")
	if len(tool.Parameters) == 0 {
		e.raw(`{"type":"object","properties":{}}`)
		return
	}
	e.b = append(e.b, tool.Parameters...)
}

// joined reads parts as one text.
func joined(parts []elumenta.Part) string {
	if len(parts) == 1 {
		return string(parts[0].Text)
	}
	var b []byte
	for i := range parts {
		b = append(b, parts[i].Text...)
	}
	return string(b)
}
