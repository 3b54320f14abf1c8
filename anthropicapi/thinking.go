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
