package anthropicapi

import "github.com/elumenta/elumenta"

// input follows the arguments of the tool call that is open, to know when they are a whole value: some hosts mix the pieces of several
// calls, while here a block is written to its end before the next, and clients rely on it.
type input struct {
	call    int // counts the answer's tool calls
	depth   int
	text    bool // in a string
	escaped bool
	whole   bool // an object or array has ended
}

func (i *input) add(piece elumenta.Text) {
	for _, c := range []byte(piece) {
		switch {
		case i.escaped:
			i.escaped = false
		case i.text:
			i.escaped, i.text = c == '\\', c != '"'
		case c == '"':
			i.text = true
		case c == '{' || c == '[':
			i.depth++
		case c == '}' || c == ']':
			i.depth--
			i.whole = i.whole || i.depth <= 0
		}
	}
}

// waiting is what came while the arguments of a tool call were under way that are another's: an event with the texts of those that
// continue it.
type waiting struct {
	elumenta.Event
	text []byte
}

// mostHeld bounds the texts that wait, in bytes. No answer of a provider that ends comes near it.
const mostHeld = 4 << 20

// waits reports whether an event has to wait for the end of the tool call that is open.
func (e *encoder) waits(ev *elumenta.Event) bool {
	return e.open == toolUse && !e.input.whole && (ev.Kind != elumenta.EventToolInput || ev.Index != e.input.call)
}

// hold keeps an event for later. A piece of a tool call that has ended is nowhere to be written.
func (e *encoder) hold(ev elumenta.Event) {
	to := len(e.held) - 1
	switch ev.Kind {
	case elumenta.EventToolInput:
		for to >= 0 && (e.held[to].Kind != elumenta.EventToolCall || e.held[to].Index != ev.Index) {
			to--
		}
		if to < 0 {
			return
		}
	case elumenta.EventText, elumenta.EventRefusal, elumenta.EventReasoning:
		if to < 0 || e.held[to].Kind != ev.Kind {
			e.held, to = append(e.held, waiting{Event: ev}), to+1
		}
	default:
		e.held = append(e.held, waiting{Event: ev})
		return
	}
	e.held[to].text = append(e.held[to].text, ev.Text...)
	e.holding += len(ev.Text)
}

// release writes what was held, up to a tool call whose arguments are not whole yet; at the answer's end, all of it.
func (e *encoder) release(b []byte, end bool) []byte {
	for len(e.held) > 0 && (end || e.open != toolUse || e.input.whole) {
		w := e.held[0]
		e.held, e.holding = e.held[1:], e.holding-len(w.text)
		if w.Kind == elumenta.EventToolCall {
			b = e.write(b, w.Event)
			w.Kind = elumenta.EventToolInput
		}
		if w.Text = elumenta.Text(w.text); w.Kind != elumenta.EventToolInput || len(w.text) > 0 {
			b = e.write(b, w.Event)
		}
	}
	return b
}
