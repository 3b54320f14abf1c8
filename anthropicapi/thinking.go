package anthropicapi

import (
	"github.com/go-json-experiment/json"

	"github.com/elumenta/elumenta"
)

// opaqueFormat names the format that a thinking block's state belongs to: provider/anthropic's.
const opaqueFormat = "anthropic"

// The types of the blocks that hold reasoning (https://platform.claude.com/docs/en/build-with-claude/extended-thinking). Both are also where the state
// of other providers travels, packed: as the signature of what they show, or as data where they show nothing.
const (
	thinkingType = "thinking"
	redactedType = "redacted_thinking"
)

// effortField is what says how hard the model tries, where it thinks and where it does not.
const effortField = "output_config.effort"

// minBudget is the least that a model may be given to think, in its tokens.
const minBudget = 1024

// thinking reads whether and how much the model is to think.
func (d *decoding) thinking() {
	r := &d.req.Reasoning
	var kind, display string
	var budget *int
	ok := d.object(func(name string) {
		if d.null() {
			return
		}
		switch name {
		case "type":
			kind = d.text()
		case "budget_tokens":
			budget = d.whole()
		case "display":
			display = d.text()
		default:
			d.unknown()
		}
	})
	if !ok {
		return
	}
	switch kind {
	case "enabled":
		r.Mode = elumenta.ReasoningOn
		if budget == nil || *budget < minBudget {
			d.badMember("budget_tokens", "must be at least %d", minBudget)
		} else {
			r.Budget = *budget
		}
	case "adaptive":
		r.Mode = elumenta.ReasoningOn
	case "disabled":
		r.Mode = elumenta.ReasoningOff
	default:
		d.badMember("type", "must be enabled, adaptive or disabled")
	}
	switch display {
	case "":
	case "summarized":
		r.Summary = elumenta.SummaryAuto
	case "omitted":
		r.Summary = elumenta.SummaryNone
	default:
		d.badMember("display", "must be summarized or omitted")
	}
}

// opaque is a thinking block without its text, as provider/anthropic keeps it.
type opaque struct {
	Type      string `json:"type"`
	Signature string `json:"signature,omitempty"`
	Data      string `json:"data,omitempty"`
}

// blockOf is the block that holds a state; shown says that it belongs to reasoning with a text.
func blockOf(part elumenta.PartKind, call string, shown bool, o *elumenta.Opaque) opaque {
	if o.Format == opaqueFormat {
		var own opaque
		if json.Unmarshal([]byte(o.Data), &own) == nil && (own.Type == thinkingType || own.Type == redactedType) {
			return own
		}
	}
	text := (&elumenta.State{Opaque: *o, Part: part, Call: call}).Pack()
	if shown {
		return opaque{Type: thinkingType, Signature: text}
	}
	return opaque{Type: redactedType, Data: text}
}

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
	text bool // a text block is open
}

// begin ends the text and separates the blocks.
func (w *blocks) begin() {
	w.shut()
	if w.n++; w.n > 1 {
		w.b = append(w.b, ',')
	}
}

func (w *blocks) shut() {
	if w.text {
		w.b = append(w.b, '}')
	}
	w.text = false
}

// say adds to the text that is open.
func (w *blocks) say(text []byte) {
	if len(text) == 0 {
		return
	}
	if !w.text {
		w.begin()
		w.text = true
		w.b = append(w.b, `{"type":"text","text":`...)
		w.b = appendString(w.b, text)
		return
	}
	at := len(w.b) - 1 // of the string's closing quote
	w.b = appendString(w.b[:at], text)
	copy(w.b[at:], w.b[at+1:]) // the opening quote of what was added goes
	w.b = w.b[:len(w.b)-1]
}

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

// think begins a thinking block where none is open, and a delta of it.
func (e *encoder) think(b []byte) []byte {
	if e.open != thinking {
		b = e.begin(b, thinking)
		b = append(b, `{"type":"thinking","thinking":"","signature":""}`...)
		b = append(b, eventEnd...)
	}
	return appendIndex(b, deltaStart, e.blocks-1)
}

// state ends a thinking block with its signature, or is a block of its own.
func (e *encoder) state(b []byte, ev *elumenta.Event) []byte {
	if ev.Opaque == nil {
		return b
	}
	call := ""
	if ev.Part == elumenta.PartToolCall {
		if ev.Index >= len(e.ids) {
			return b
		}
		call = e.ids[ev.Index]
	}
	o := blockOf(ev.Part, call, ev.Part == elumenta.PartReasoning && e.open == thinking, ev.Opaque)
	if o.Type == redactedType {
		b = e.begin(b, redacted)
		b = appendRedacted(b, o.Data)
		b = append(b, eventEnd...)
		return e.stop(b)
	}
	b = e.think(b)
	b = append(b, `,"delta":{"type":"signature_delta","signature":`...)
	b = appendString(b, o.Signature)
	b = append(b, '}')
	return e.stop(append(b, eventEnd...))
}
