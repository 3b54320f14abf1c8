package openaiapi

import (
	"strings"

	"github.com/elumenta/elumenta"
)

// Items of the type reasoning (https://platform.openai.com/docs/guides/reasoning). Nothing is kept here, so that each has its encrypted_content: the
// provider's state, packed, which the next request brings back. What a provider shows of the reasoning is one part of the summary.

// think adds a piece to the reasoning item, and begins one where none is open.
func (e *responsesEncoder) think(b []byte, text elumenta.Text) []byte {
	b = e.openThought(b)
	item := &e.items[e.thought]
	if len(item.summary) == 0 {
		b = e.itemEvent(b, "response.reasoning_summary_part.added", e.thought)
		b = append(b, `,"summary_index":0,"part":{"type":"summary_text","text":""}`...)
		b = append(b, eventEnd...)
	}
	item.summary = append(item.summary, text...)
	b = e.itemEvent(b, "response.reasoning_summary_text.delta", e.thought)
	b = append(b, `,"summary_index":0`...)
	return appendDelta(b, text, "")
}

// keep adds state to the reasoning that is open, or an item that holds nothing else.
func (e *responsesEncoder) keep(b []byte, ev *elumenta.Event) []byte {
	if ev.Opaque == nil {
		return b
	}
	call := ""
	if ev.Part == elumenta.PartToolCall {
		if ev.Index >= len(e.calls) {
			return b
		}
		call = e.items[e.calls[ev.Index]].callID
	}
	if ev.Part == elumenta.PartText && e.message >= 0 {
		e.textState = stateOf(ev.Part, "", ev.Opaque) // until the message ends
		return b
	}
	if ev.Part != elumenta.PartReasoning {
		b = e.closeThought(b)
	}
	b = e.openThought(b)
	e.items[e.thought].state = stateOf(ev.Part, call, ev.Opaque)
	return e.closeThought(b)
}

func (e *responsesEncoder) openThought(b []byte) []byte {
	if e.thought >= 0 {
		return b
	}
	b = e.closeMessage(b, statusCompleted)
	e.thought = len(e.items)
	return e.openItem(b, outputItem{reasoning: true})
}

// closeThought ends the reasoning item, if one is open.
func (e *responsesEncoder) closeThought(b []byte) []byte {
	at := e.thought
	if at < 0 {
		return b
	}
	e.thought = -1
	if summary := e.items[at].summary; len(summary) > 0 {
		b = e.itemEvent(b, "response.reasoning_summary_text.done", at)
		b = append(b, `,"summary_index":0,"text":`...)
		b = appendString(b, summary)
		b = append(b, eventEnd...)
		b = e.itemEvent(b, "response.reasoning_summary_part.done", at)
		b = append(b, `,"summary_index":0,"part":`...)
		b = appendSummary(b, summary)
		b = append(b, eventEnd...)
	}
	return e.closeItem(b, at, statusCompleted)
}

func appendSummary(b, text []byte) []byte {
	b = append(b, `{"type":"summary_text","text":`...)
	return append(appendString(b, text), '}')
}

// appendReasoning appends a reasoning item behind its id.
func appendReasoning(b []byte, item *outputItem) []byte {
	b = append(b, `","type":"reasoning","summary":[`...)
	if len(item.summary) > 0 {
		b = appendSummary(b, item.summary)
	}
	b = append(b, ']')
	if item.state != "" {
		b = append(b, `,"encrypted_content":`...)
		b = appendString(b, item.state)
	}
	return append(b, '}')
}

// reasoning reads a reasoning item of an earlier answer: ours, or one that OpenAI itself gave.
func (r *responsesReader) reasoning(at string, in *inputItem) {
	state := in.EncryptedContent
	if state == "" {
		if ownReasoning(in.ID) {
			return // its provider gave no state, so that none takes it
		}
		r.warnOnce(elumenta.WarnUnsupported, at, "reasoning without encrypted_content is not something that a provider takes: left out")
		return
	}
	texts := make([]string, len(in.Summary))
	for i := range in.Summary {
		texts[i] = in.Summary[i].Text
	}
	part := elumenta.Part{Kind: elumenta.PartReasoning, Text: r.text(at+".summary", strings.Join(texts, "\n\n"))}
	s, packed := elumenta.UnpackState(state)
	switch {
	case packed && s.Part == elumenta.PartToolCall:
		r.state(&s)
		return
	case packed && s.Part == elumenta.PartText: // it stands behind the text
		if n := len(r.out.Turns); n > 0 && r.out.Turns[n-1].Role == elumenta.RoleOfAssistant {
			s.Attach(r.out.Turns[n-1].Parts)
		}
		return
	case packed:
		part.Opaque = &s.Opaque
	default:
		part.Opaque = &elumenta.Opaque{Format: openAIFormat, Data: elumenta.Text(appendOwnReasoning(nil, in))}
	}
	r.said(false, part)
}

// ownReasoning reports whether a reasoning item is one of ours, by its id.
func ownReasoning(id string) bool {
	id, ok := strings.CutPrefix(id, "rs_")
	generation, _, numbered := strings.Cut(id, "_")
	_, valid := elumenta.ParseGenerationID("gen_" + generation)
	return ok && numbered && valid
}

func appendOwnReasoning(b []byte, in *inputItem) []byte {
	b = append(b, `{"type":"reasoning"`...)
	if in.ID != "" {
		b = append(b, `,"id":`...)
		b = appendString(b, in.ID)
	}
	b = append(b, `,"summary":[`...)
	for i := range in.Summary {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendSummary(b, []byte(in.Summary[i].Text))
	}
	b = append(b, `],"encrypted_content":`...)
	return append(appendString(b, in.EncryptedContent), '}')
}
