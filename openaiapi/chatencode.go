package openaiapi

import (
	"strconv"

	"github.com/elumenta/elumenta"
)

const (
	doneEvent = "data: [DONE]\n\n"
	keepAlive = ": keep-alive\n\n"
)

// chatEncoder writes an answer as chat.completion objects or chunks (https://platform.openai.com/docs/api-reference/chat/object,
// https://platform.openai.com/docs/api-reference/chat-streaming), with the members that others added for reasoning and a provider's state.
type chatEncoder struct {
	model        string // as the request has it
	includeUsage bool
	maxTokens    string // what the request calls it
	// head is what all chunks of the stream begin with, up to the choices.
	head    []byte
	refused bool     // the model refuses in words of its own
	thought []byte   // reasoning whose state has not come yet
	details int      // how many reasoning_details there were
	ids     []string // of the tool calls
}

// Whole appends a chat.completion.
func (e *chatEncoder) Whole(b []byte, a *elumenta.Answer, r *elumenta.Result) []byte {
	e.refused = len(a.Refusal) > 0
	b = e.appendHead(b, "chat.completion", &r.Started)
	b = append(b, `"choices":[{"index":0,"message":{"role":"assistant","content":`...)
	switch {
	case len(a.Text) == 0 && (len(a.ToolCalls) > 0 || e.refused):
		b = append(b, "null"...)
	default:
		b = appendString(b, a.Text)
	}
	b = append(b, `,"refusal":`...)
	b = appendOptional(b, a.Refusal)
	if len(a.ToolCalls) > 0 {
		b = append(b, `,"tool_calls":[`...)
		for i := range a.ToolCalls {
			if i > 0 {
				b = append(b, ',')
			}
			c := &a.ToolCalls[i]
			b = append(b, `{"id":`...)
			b = appendCall(b, c.ID, c.Name)
			b = appendString(b, c.Arguments)
			b = append(b, '}')
			b = appendExtra(b, signatureOf(a, i))
			b = append(b, '}')
		}
		b = append(b, ']')
	}
	b = e.appendReasoning(b, a)
	b = append(b, `,"annotations":[]},"logprobs":null,"finish_reason":`...)
	b = appendString(b, e.finish(r.Finish))
	b = append(b, `}],"usage":`...)
	b = appendChatUsage(b, r.Usage)
	b = appendOwn(b, r, e.field)
	return append(b, "}\n"...)
}

// appendHead appends an object's first members.
func (e *chatEncoder) appendHead(b []byte, object string, s *elumenta.Started) []byte {
	b = append(b, `{"id":"chatcmpl-`...)
	b = append(b, bareID(s.ID)...)
	b = append(b, `","object":"`...)
	b = append(b, object...)
	b = append(b, `","created":`...)
	b = strconv.AppendInt(b, s.CreatedAt.Unix(), 10)
	b = append(b, `,"model":`...)
	b = appendString(b, e.model)
	return append(b, `,"system_fingerprint":null,`...)
}

// bareID is a generation's id without its prefix.
func bareID(id elumenta.GenerationID) string { return string(id)[len("gen_"):] }

// appendCall appends a tool call from its id on up to its arguments.
func appendCall(b []byte, id, name string) []byte {
	b = appendString(b, id)
	b = append(b, `,"type":"function","function":{"name":`...)
	b = appendString(b, name)
	return append(b, `,"arguments":`...)
}

// Begin appends the chunk with the role.
func (e *chatEncoder) Begin(b []byte, s *elumenta.Started) []byte {
	e.head = e.appendHead(append(e.head, "data: "...), "chat.completion.chunk", s)
	b = append(b, e.head...)
	b = append(b, `"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null}`...)
	return e.endDelta(b)
}

// endDelta ends a chunk behind its delta.
func (e *chatEncoder) endDelta(b []byte) []byte {
	return e.endChunk(append(b, `,"logprobs":null,"finish_reason":null}]`...))
}

// endChunk ends a chunk. Where usage is asked for, all but the last have none, and say so.
func (e *chatEncoder) endChunk(b []byte) []byte {
	if e.includeUsage {
		b = append(b, `,"usage":null`...)
	}
	return append(b, "}\n\n"...)
}

// Event appends a chunk with a piece of text, of a tool call or of reasoning, or with state.
func (e *chatEncoder) Event(b []byte, ev elumenta.Event) []byte {
	switch ev.Kind {
	case elumenta.EventText, elumenta.EventRefusal, elumenta.EventToolCall, elumenta.EventToolInput, elumenta.EventReasoning:
	case elumenta.EventOpaque:
		return e.state(b, &ev)
	default:
		return b
	}
	if ev.Kind != elumenta.EventReasoning {
		e.thought = e.thought[:0] // no state has come for it, and none will
	}
	b = append(b, e.head...)
	b = append(b, `"choices":[{"index":0,"delta":{`...)
	switch ev.Kind {
	case elumenta.EventText:
		b = append(b, `"content":`...)
		b = appendString(b, ev.Text)
	case elumenta.EventRefusal:
		e.refused = true
		b = append(b, `"refusal":`...)
		b = appendString(b, ev.Text)
	case elumenta.EventReasoning:
		e.thought = append(e.thought, ev.Text...)
		b = append(b, `"reasoning_content":`...)
		b = appendString(b, ev.Text)
	case elumenta.EventToolCall:
		e.ids = append(e.ids, ev.ID)
		b = append(b, `"tool_calls":[{"index":`...)
		b = strconv.AppendInt(b, int64(ev.Index), 10)
		b = append(b, `,"id":`...)
		b = appendCall(b, ev.ID, ev.Name)
		b = append(b, `""}}]`...)
	default:
		b = append(b, `"tool_calls":[{"index":`...)
		b = strconv.AppendInt(b, int64(ev.Index), 10)
		b = append(b, `,"function":{"arguments":`...)
		b = appendString(b, ev.Text)
		b = append(b, `}}]`...)
	}
	return e.endDelta(append(b, '}'))
}

// KeepAlive is a comment.
func (*chatEncoder) KeepAlive(b []byte) []byte { return append(b, keepAlive...) }

// End appends the chunk that says why the model stopped, the usage where it is asked for, and the stream's end.
func (e *chatEncoder) End(b []byte, r *elumenta.Result) []byte {
	b = append(b, e.head...)
	b = append(b, `"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":`...)
	b = appendString(b, e.finish(r.Finish))
	b = append(b, `}]`...)
	b = e.endChunk(appendOwn(b, r, e.field))
	if e.includeUsage {
		b = append(b, e.head...)
		b = append(b, `"choices":[],"usage":`...)
		b = appendChatUsage(b, r.Usage)
		b = append(b, "}\n\n"...)
	}
	return append(b, doneEvent...)
}

// Fail appends the error, as clients look for it in every event, and the stream's end.
func (e *chatEncoder) Fail(b []byte, err *elumenta.Error, _ elumenta.RequestID, _ *elumenta.Settled) []byte {
	f := failureOf(err)
	b = append(b, `data: {"error":`...)
	b = f.append(b)
	b = append(b, "}\n\n"...)
	return append(b, doneEvent...)
}

// finish is a finish_reason. A refusal in the model's own words is an answer that stops; else a provider's filter spoke.
func (e *chatEncoder) finish(f elumenta.FinishReason) string {
	if f != elumenta.FinishRefusal {
		return string(f)
	}
	if e.refused {
		return string(elumenta.FinishStop)
	}
	return string(elumenta.FinishContentFilter)
}

// appendChatUsage appends the provider's tokens.
func appendChatUsage(b []byte, u elumenta.Usage) []byte {
	b = append(b, `{"prompt_tokens":`...)
	b = strconv.AppendInt(b, u.PromptTokens, 10)
	b = append(b, `,"completion_tokens":`...)
	b = strconv.AppendInt(b, u.CompletionTokens, 10)
	b = append(b, `,"total_tokens":`...)
	b = strconv.AppendInt(b, u.TotalTokens(), 10)
	b = append(b, `,"prompt_tokens_details":{"cached_tokens":`...)
	b = strconv.AppendInt(b, u.CachedTokens, 10)
	b = append(b, `,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":`...)
	b = strconv.AppendInt(b, u.ReasoningTokens, 10)
	return append(b, `,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}`...)
}

// field is this API's name of what a warning is about.
func (e *chatEncoder) field(name string) string {
	switch name {
	case "max_tokens":
		return e.maxTokens
	case elumenta.ReasoningField:
		return "reasoning_effort"
	}
	return name
}

// appendOwn appends the member elumenta, with what OpenAI's objects have no place for. The warnings' fields are called as the API calls them.
func appendOwn(b []byte, r *elumenta.Result, called func(field string) string) []byte {
	b = append(b, `,"elumenta":{"generation_id":`...)
	b = appendString(b, r.ID)
	b = append(b, `,"assistant_id":`...)
	b = appendOptional(b, r.Assistant)
	b = append(b, `,"assistant_version":`...)
	if r.Assistant == "" {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, int64(r.Version), 10)
	}
	b = append(b, `,"model":`...)
	b = appendString(b, r.Model)
	b = append(b, `,"tokens_spent":`...)
	b = strconv.AppendInt(b, r.Settled.TokensSpent, 10)
	b = append(b, `,"balance_remaining":`...)
	if r.Settled.Balance == nil {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, *r.Settled.Balance, 10)
	}
	b = append(b, `,"cache":{"status":`...)
	b = appendString(b, r.CacheStatus)
	if r.CacheReason != "" {
		b = append(b, `,"reason":`...)
		b = appendString(b, r.CacheReason)
	}
	b = append(b, `,"minimum":`...)
	b = strconv.AppendInt(b, int64(r.CacheMinimum), 10)
	b = append(b, `,"write_tokens":`...)
	b = strconv.AppendInt(b, r.Usage.CacheWriteTokens, 10)
	b = append(b, `},"attempts":`...)
	b = elumenta.AppendAttempts(b, r.Attempts)
	b = append(b, `,"warnings":[`...)
	for i, w := range r.Warnings {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"code":`...)
		b = appendString(b, w.Code)
		b = append(b, `,"field":`...)
		b = appendString(b, called(w.Field))
		b = append(b, `,"message":`...)
		b = appendString(b, w.Message)
		b = append(b, '}')
	}
	return append(b, "]}"...)
}
