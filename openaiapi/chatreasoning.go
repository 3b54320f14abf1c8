package openaiapi

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
)

// OpenAI's Chat Completions have no place for reasoning. These members are what others added and clients read: reasoning_content, as DeepSeek has it
// (https://api-docs.deepseek.com/guides/thinking_mode), reasoning_details for state, as OpenRouter has it
// (https://openrouter.ai/docs/use-cases/reasoning-tokens), and extra_content of a tool call, as Gemini's own compatibility has it
// (https://ai.google.dev/gemini-api/docs/thought-signatures).

// geminiFormat names the format whose state of a tool call has a member of its own: provider/gemini's.
const geminiFormat = "gemini"

// reasoningContent is the state of reasoning that a host took under the name reasoning_content, as provider/openai keeps it.
const reasoningContent = `{"type":"reasoning_content"}`

// The types of reasoning_details.
const (
	detailText      = "reasoning.text"
	detailEncrypted = "reasoning.encrypted"
)

// signatureOf is the state of a whole answer's tool call that has a member of its own.
func signatureOf(a *elumenta.Answer, call int) elumenta.Text {
	for i := range a.Parts {
		if p := &a.Parts[i]; p.Kind == elumenta.PartToolCall && p.Call == call && p.Opaque != nil && p.Opaque.Format == geminiFormat {
			return p.Opaque.Data
		}
	}
	return ""
}

// appendExtra appends the member of a tool call that holds its state.
func appendExtra(b []byte, signature elumenta.Text) []byte {
	if signature == "" {
		return b
	}
	b = append(b, `,"extra_content":{"google":{"thought_signature":`...)
	return append(appendString(b, signature), "}}"...)
}

// appendReasoning appends the members of a whole message that hold reasoning, if there is any.
func (e *chatEncoder) appendReasoning(b []byte, a *elumenta.Answer) []byte {
	if len(a.Reasoning) > 0 {
		b = append(b, `,"reasoning_content":`...)
		b = appendString(b, a.Reasoning)
	}
	for i := range a.Parts {
		p := &a.Parts[i]
		call := ""
		if p.Kind == elumenta.PartToolCall {
			call = a.ToolCalls[p.Call].ID
		}
		if p.Opaque == nil || call != "" && p.Opaque.Format == geminiFormat {
			continue
		}
		if e.details == 0 {
			b = append(b, `,"reasoning_details":[`...)
		} else {
			b = append(b, ',')
		}
		var text []byte
		if p.Kind == elumenta.PartReasoning {
			text = a.TextOf(p)
		}
		b = e.appendDetail(b, text, stateOf(p.Kind, call, p.Opaque))
	}
	if e.details > 0 {
		b = append(b, ']')
	}
	return b
}

// appendDetail appends a state with the reasoning that it belongs to.
func (e *chatEncoder) appendDetail(b, text []byte, state string) []byte {
	if len(text) > 0 {
		b = append(b, `{"type":"`+detailText+`","text":`...)
		b = appendString(b, text)
		b = append(b, `,"signature":`...)
	} else {
		b = append(b, `{"type":"`+detailEncrypted+`","data":`...)
	}
	b = appendString(b, state)
	b = append(b, `,"index":`...)
	b = strconv.AppendInt(b, int64(e.details), 10)
	e.details++
	return append(b, '}')
}

// state appends a chunk with state.
func (e *chatEncoder) state(b []byte, ev *elumenta.Event) []byte {
	if ev.Opaque == nil || ev.Part == elumenta.PartToolCall && ev.Index >= len(e.ids) {
		return b
	}
	b = append(b, e.head...)
	b = append(b, `"choices":[{"index":0,"delta":{`...)
	switch {
	case ev.Part == elumenta.PartToolCall && ev.Opaque.Format == geminiFormat:
		b = append(b, `"tool_calls":[{"index":`...)
		b = strconv.AppendInt(b, int64(ev.Index), 10)
		b = append(appendExtra(b, ev.Opaque.Data), "}]"...)
	default:
		call, text := "", []byte(nil)
		switch ev.Part {
		case elumenta.PartToolCall:
			call = e.ids[ev.Index]
		case elumenta.PartReasoning:
			text, e.thought = e.thought, e.thought[:0]
		}
		b = append(b, `"reasoning_details":[`...)
		b = append(e.appendDetail(b, text, stateOf(ev.Part, call, ev.Opaque)), ']')
	}
	return e.endDelta(append(b, '}'))
}

// chatDetail is one of the reasoning_details. What it is stands in its state.
type chatDetail struct {
	Text      string         `json:"text"`
	Signature string         `json:"signature"`
	Data      string         `json:"data"`
	Type      jsontext.Value `json:"type"`
	Index     jsontext.Value `json:"index"`
	Others    jsontext.Value `json:",embed"`
}

// chatExtra is what a tool call has beside OpenAI's members.
type chatExtra struct {
	Google struct {
		ThoughtSignature string         `json:"thought_signature"`
		Others           jsontext.Value `json:",embed"`
	} `json:"google"`
	Others jsontext.Value `json:",embed"`
}

// reasoning reads the reasoning that an assistant's message brings back, with its state. Reasoning alone goes to hosts that have it under this name.
func (t *talk) reasoning(message string, m *chatMessage) (parts []elumenta.Part, states []elumenta.State) {
	if given(m.ReasoningDetails) {
		field := message + ".reasoning_details"
		for i, v := range t.items(field, m.ReasoningDetails, elumenta.MaxParts) {
			var in chatDetail
			if !t.into(item(field, i), v, &in) {
				continue
			}
			s, ok := elumenta.UnpackState(in.Data + in.Signature)
			switch {
			case !ok:
				t.warnOnce(elumenta.WarnUnsupported, item(field, i), "is not from here, so that no provider takes it: left out")
			case s.Part == elumenta.PartReasoning:
				parts = append(parts, elumenta.Part{Kind: s.Part, Text: t.text(item(field, i)+".text", in.Text), Opaque: &s.Opaque})
			default:
				states = append(states, s)
			}
			t.unknown(item(field, i), in.Others)
		}
	}
	if m.ReasoningContent != "" && len(parts) == 0 {
		parts = append(parts, elumenta.Part{
			Kind: elumenta.PartReasoning, Text: t.text(message+".reasoning_content", m.ReasoningContent),
			Opaque: &elumenta.Opaque{Format: openAIFormat, Data: reasoningContent},
		})
	}
	return parts, states
}

// signature reads the state that a tool call brings back.
func (t *talk) signature(field string, v jsontext.Value) *elumenta.Opaque {
	var in chatExtra
	if !given(v) || !t.into(field, v, &in) {
		return nil
	}
	t.unknown(field, in.Others)
	t.unknown(field+".google", in.Google.Others)
	if in.Google.ThoughtSignature == "" {
		return nil
	}
	return &elumenta.Opaque{Format: geminiFormat, Data: t.text(field+".google.thought_signature", in.Google.ThoughtSignature)}
}
