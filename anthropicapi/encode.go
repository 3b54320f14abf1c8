package anthropicapi

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
)

// What stands around the figures of an answer. Members that this server has nothing to say to are left out, as Anthropic's own answers leave out what
// does not apply: clients refuse a null in some of their places.
const (
	messageStart = `,"type":"message","role":"assistant","content":[`
	noUsage      = `{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}`
	ping         = "event: ping\ndata: {\"type\":\"ping\"}\n\n"
	messageStop  = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
	eventEnd     = "}\n\n"
	deltaStart   = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"
	blockStart   = "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":"
	blockStop    = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":"
)

// invalidInput is the member that holds arguments of a tool call which are not a JSON object, such as those that max_tokens cut off
// (https://platform.claude.com/docs/en/agents-and-tools/tool-use/fine-grained-tool-streaming#handling-invalid-json-in-tool-responses).
const invalidInput = "INVALID_JSON"

// encoder writes one answer (https://platform.claude.com/docs/en/build-with-claude/streaming). Its content blocks are text, tool_use, thinking
// and redacted_thinking. The zero value begins an answer.
type encoder struct {
	blocks  int      // content blocks that have begun; the last of them may be open
	open    kind     // of the block that is open
	ids     []string // of the tool calls
	input   input    // of the tool call that is open
	held    []waiting
	holding int  // bytes of text in it
	effort  bool // the request says no more of thinking than an effort
}

type kind uint8

const (
	none kind = iota
	text
	toolUse
	thinking
	redacted
)

var _ elumenta.Encoder = (*encoder)(nil)

// Whole is the message.
func (e *encoder) Whole(b []byte, a *elumenta.Answer, r *elumenta.Result) []byte {
	b = appendMessage(b, &r.Started)
	b = appendContent(b, a)
	b = append(b, "],"...)
	b = e.appendEnd(b, r)
	b = append(b, `,"usage":`...)
	b = appendUsage(b, &r.Usage)
	return append(b, "}\n"...)
}

// Begin is the event message_start. Usage is known at the end.
func (*encoder) Begin(b []byte, s *elumenta.Started) []byte {
	b = append(b, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":"...)
	b = appendMessage(b, s)
	b = append(b, `],"stop_reason":null,"stop_sequence":null,"usage":`+noUsage+"}"...)
	return append(b, eventEnd...)
}

// Event is a piece of a content block, with the beginning of the block where it is the first, and the end of the one before. What comes
// of others before the arguments of a tool call are whole is written after them.
func (e *encoder) Event(b []byte, ev elumenta.Event) []byte {
	if e.waits(&ev) {
		e.hold(ev)
		if e.holding > mostHeld {
			b = e.release(b, true)
		}
		return b
	}
	b = e.write(b, ev)
	if len(e.held) > 0 {
		b = e.release(b, false)
	}
	return b
}

func (e *encoder) write(b []byte, ev elumenta.Event) []byte {
	switch ev.Kind {
	case elumenta.EventText, elumenta.EventRefusal:
		if e.open != text {
			b = e.begin(b, text)
			b = append(b, `{"type":"text","text":""}`...)
			b = append(b, eventEnd...)
		}
		b = appendIndex(b, deltaStart, e.blocks-1)
		b = append(b, `,"delta":{"type":"text_delta","text":`...)
	case elumenta.EventReasoning:
		b = e.think(b)
		b = append(b, `,"delta":{"type":"thinking_delta","thinking":`...)
	case elumenta.EventOpaque:
		return e.state(b, &ev)
	case elumenta.EventToolCall:
		e.input = input{call: len(e.ids)}
		e.ids = append(e.ids, ev.ID)
		b = e.begin(b, toolUse)
		b = appendToolUse(b, ev.ID, ev.Name)
		b = append(b, `{}}`...)
		return append(b, eventEnd...)
	case elumenta.EventToolInput:
		if e.open != toolUse || ev.Index != e.input.call {
			return b // of a block that has ended
		}
		e.input.add(ev.Text)
		b = appendIndex(b, deltaStart, e.blocks-1)
		b = append(b, `,"delta":{"type":"input_json_delta","partial_json":`...)
	default:
		return b
	}
	b = appendString(b, ev.Text)
	b = append(b, '}')
	return append(b, eventEnd...)
}

// begin ends the block that is open and begins another.
func (e *encoder) begin(b []byte, k kind) []byte {
	b = e.stop(b)
	b = appendIndex(b, blockStart, e.blocks)
	e.blocks++
	e.open = k
	return append(b, `,"content_block":`...)
}

// stop ends the block that is open.
func (e *encoder) stop(b []byte) []byte {
	if e.open == none {
		return b
	}
	e.open = none
	b = appendIndex(b, blockStop, e.blocks-1)
	return append(b, eventEnd...)
}

// KeepAlive is a ping.
func (*encoder) KeepAlive(b []byte) []byte { return append(b, ping...) }

// End is message_delta, whose delta has what the message's end has, and message_stop.
func (e *encoder) End(b []byte, r *elumenta.Result) []byte {
	b = e.stop(e.release(b, true))
	b = append(b, "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{"...)
	b = e.appendEnd(b, r)
	b = append(b, `},"usage":`...)
	b = appendUsage(b, &r.Usage)
	b = append(b, eventEnd...)
	return append(b, messageStop...)
}

// Fail is the event error.
func (*encoder) Fail(b []byte, e *elumenta.Error, id elumenta.RequestID, s *elumenta.Settled) []byte {
	b = append(b, "event: error\ndata: "...)
	b = appendError(b, e, id, s)
	return append(b, "\n\n"...)
}

// appendMessage begins a message, up to its content blocks.
func appendMessage(b []byte, s *elumenta.Started) []byte {
	b = append(b, `{"id":"msg_`...)
	_, id, _ := strings.Cut(string(s.ID), "_")
	b = append(b, id...)
	b = append(b, `","model":`...)
	b = appendString(b, s.Model)
	return append(b, messageStart...)
}

func appendIndex(b []byte, start string, index int) []byte {
	return strconv.AppendInt(append(b, start...), int64(index), 10)
}

// appendToolUse begins a tool_use block, up to its input.
func appendToolUse(b []byte, id, name string) []byte {
	b = append(b, `{"type":"tool_use","id":`...)
	b = appendString(b, id)
	b = append(b, `,"name":`...)
	b = appendString(b, name)
	return append(b, `,"caller":{"type":"direct"},"input":`...)
}

// appendInput appends the arguments of a tool call as the object that they are.
func appendInput(b []byte, arguments elumenta.Text) []byte {
	if strings.TrimSpace(string(arguments)) == "" {
		return append(b, "{}"...)
	}
	start := len(b)
	whole, err := jsontext.AppendFormat(b, string(arguments), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if err == nil && whole[start] == '{' {
		return whole
	}
	b = append(b, `{"`+invalidInput+`":`...)
	b = appendString(b, arguments)
	return append(b, '}')
}

// appendEnd appends why the message ended, and what this server alone says of it.
func (e *encoder) appendEnd(b []byte, r *elumenta.Result) []byte {
	b = append(b, `"stop_reason":"`...)
	switch {
	case r.StopSequence != "":
		b = appendString(append(b, `stop_sequence","stop_sequence":`...), r.StopSequence)
	case r.Finish == elumenta.FinishLength:
		b = append(b, `max_tokens","stop_sequence":null`...)
	case r.Finish == elumenta.FinishToolCalls:
		b = append(b, `tool_use","stop_sequence":null`...)
	case r.Finish == elumenta.FinishRefusal, r.Finish == elumenta.FinishContentFilter:
		b = append(b, `refusal","stop_sequence":null,"stop_details":{"type":"refusal","category":null,"explanation":null}`...)
	default:
		b = append(b, `end_turn","stop_sequence":null`...)
	}
	b = append(b, `,"elumenta":{"generation_id":`...)
	b = appendString(b, r.ID)
	if r.Assistant == "" {
		b = append(b, `,"assistant_id":null,"assistant_version":null`...)
	} else {
		b = append(b, `,"assistant_id":`...)
		b = appendString(b, r.Assistant)
		b = appendInt(b, `,"assistant_version":`, int64(r.Version))
	}
	b = appendInt(b, `,"tokens_spent":`, r.Settled.TokensSpent)
	if r.Settled.Balance == nil {
		b = append(b, `,"balance_remaining":null`...)
	} else {
		b = appendInt(b, `,"balance_remaining":`, *r.Settled.Balance)
	}
	b = append(b, `,"cache":{"status":`...)
	b = appendString(b, r.CacheStatus)
	if r.CacheReason != "" {
		b = append(b, `,"reason":`...)
		b = appendString(b, r.CacheReason)
	}
	b = appendInt(b, `,"minimum":`, int64(r.CacheMinimum))
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
		field := fieldName(w.Field)
		if w.Field == elumenta.ReasoningField && e.effort {
			field = effortField
		}
		b = appendString(b, field)
		b = append(b, `,"message":`...)
		b = appendString(b, w.Message)
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

// appendUsage appends what a provider counted. Here input_tokens are those that no cache had to do with.
func appendUsage(b []byte, u *elumenta.Usage) []byte {
	b = appendInt(b, `{"input_tokens":`, max(0, u.PromptTokens-u.CachedTokens-u.CacheWriteTokens))
	b = appendInt(b, `,"cache_creation_input_tokens":`, u.CacheWriteTokens)
	b = appendInt(b, `,"cache_read_input_tokens":`, u.CachedTokens)
	b = appendInt(b, `,"output_tokens":`, u.CompletionTokens)
	return append(b, '}')
}

func appendInt(b []byte, name string, n int64) []byte {
	return strconv.AppendInt(append(b, name...), n, 10)
}

// appendString appends a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendString[S ~string | ~[]byte](b []byte, s S) []byte {
	b, _ = jsontext.AppendQuote(b, s) // the error only says that something was replaced
	return b
}
