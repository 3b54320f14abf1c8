package anthropicapi

import "github.com/elumenta/elumenta"

// appendContent appends the blocks of a whole answer. Text and refusal that stand together are one: this API does not tell them apart.
func appendContent(b []byte, a *elumenta.Answer) []byte {
	w := blocks{b: b}
	for i := range a.Parts {
		p := &a.Parts[i]
		switch p.Kind {
		case elumenta.PartText, elumenta.PartRefusal:
			w.say(a.TextOf(p))
		case elumenta.PartReasoning:
			w.think(a.TextOf(p), p.Opaque)
			continue
		case elumenta.PartToolCall:
			call := &a.ToolCalls[p.Call]
			w.begin()
			w.b = appendToolUse(w.b, call.ID, call.Name)
			w.b = append(appendInput(w.b, call.Arguments), '}')
			if p.Opaque != nil {
				w.redacted(blockOf(p.Kind, call.ID, false, p.Opaque))
			}
			continue
		}
		if p.Opaque != nil {
			w.redacted(blockOf(p.Kind, "", false, p.Opaque))
		}
	}
	w.shut()
	return w.b
}

// blocks are content blocks under way.
type blocks struct {
	b    []byte
	n    int
	said []byte // of a text block to come
}

// begin ends the text and separates the blocks.
func (w *blocks) begin() {
	w.shut()
	w.separate()
}

func (w *blocks) separate() {
	if w.n++; w.n > 1 {
		w.b = append(w.b, ',')
	}
}

func (w *blocks) shut() {
	if len(w.said) == 0 {
		return
	}
	w.separate()
	w.b = append(w.b, `{"type":"text","text":`...)
	w.b = append(appendString(w.b, w.said), '}')
	w.said = w.said[:0]
}

// say adds to the text that stands together.
func (w *blocks) say(text []byte) { w.said = append(w.said, text...) }

func (w *blocks) think(text []byte, state *elumenta.Opaque) {
	o := opaque{Type: thinkingType}
	if state != nil {
		o = blockOf(elumenta.PartReasoning, "", len(text) > 0, state)
	}
	if o.Type == redactedType {
		w.redacted(o)
		return
	}
	w.begin()
	w.b = append(w.b, `{"type":"thinking","thinking":`...)
	w.b = appendString(w.b, text)
	w.b = append(w.b, `,"signature":`...)
	w.b = append(appendString(w.b, o.Signature), '}')
}

func (w *blocks) redacted(o opaque) {
	w.begin()
	w.b = appendRedacted(w.b, o.Data)
}

func appendRedacted(b []byte, data string) []byte {
	b = append(b, `{"type":"redacted_thinking","data":`...)
	return append(appendString(b, data), '}')
}
