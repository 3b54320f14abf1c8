package httpapi

import (
	"strconv"
	"time"

	"github.com/elumenta/elumenta"
)

const (
	doneEvent  = "data: [DONE]\n\n"
	keepAlive  = ": keep-alive\n\n"
	eventEnd   = "}\n\n"
	deltaStart = `data: {"type":"content_delta","delta":`
)

// native writes answers in our own shape, by the contract. It is an elumenta.Encoder.
type native struct{}

// Whole is the answer of POST /generate.
func (native) Whole(b []byte, a *elumenta.Answer, r *elumenta.Result) []byte {
	b = append(b, `{"id":`...)
	b = appendString(b, r.ID)
	b = append(b, `,"status":"completed"`...)
	b = appendOrigin(b, &r.Started)
	b = append(b, `,"content":`...)
	a.Text = append(a.Text, a.Refusal...) // this API does not tell them apart
	b = appendString(b, a.Text)
	b = appendFinish(b, r.Finish)
	b = append(b, `,"tokens_spent":`...)
	b = strconv.AppendInt(b, r.Settled.TokensSpent, 10)
	b = appendEnd(b, r)
	b = append(b, `,"created_at":`...)
	b = appendTime(b, r.CreatedAt)
	return append(b, "}\n"...)
}

// appendFinish says why an answer ended. This API has no tools: that a provider names one all the same is an end like others.
func appendFinish(b []byte, reason elumenta.FinishReason) []byte {
	if reason == elumenta.FinishToolCalls {
		reason = elumenta.FinishStop
	}
	return appendString(append(b, `,"finish_reason":`...), reason)
}

// Begin is the event generation_start.
func (native) Begin(b []byte, s *elumenta.Started) []byte {
	b = append(b, `data: {"type":"generation_start","id":`...)
	b = appendString(b, s.ID)
	b = appendOrigin(b, s)
	b = append(b, `,"created_at":`...)
	b = appendTime(b, s.CreatedAt)
	return append(b, eventEnd...)
}

// Event is a content_delta. Tools, reasoning and a provider's state are not part of this API.
func (native) Event(b []byte, e elumenta.Event) []byte {
	if e.Kind != elumenta.EventText && e.Kind != elumenta.EventRefusal || e.Text == "" {
		return b
	}
	b = append(b, deltaStart...)
	b = appendString(b, e.Text)
	return append(b, eventEnd...)
}

// KeepAlive is a comment.
func (native) KeepAlive(b []byte) []byte { return append(b, keepAlive...) }

// End is the event generation_end, and the stream's end.
func (native) End(b []byte, r *elumenta.Result) []byte {
	b = append(b, `data: {"type":"generation_end","id":`...)
	b = appendString(b, r.ID)
	b = appendFinish(b, r.Finish)
	b = append(b, `,"tokens_used":`...)
	b = strconv.AppendInt(b, r.Settled.TokensSpent, 10)
	b = appendEnd(b, r)
	b = append(b, eventEnd...)
	return append(b, doneEvent...)
}

// Fail is the event error, and the stream's end.
func (native) Fail(b []byte, e *elumenta.Error, id elumenta.RequestID, s *elumenta.Settled) []byte {
	b = append(b, `data: {"type":"error",`...)
	start := len(b)
	b = appendError(b, e, id)
	b = append(b[:start], b[start+1:len(b)-1]...) // the error's members without its braces
	b = append(b, `,"tokens_spent":`...)
	b = strconv.AppendInt(b, s.TokensSpent, 10)
	b = append(b, eventEnd...)
	return append(b, doneEvent...)
}

// appendOrigin says what the answer comes from.
func appendOrigin(b []byte, s *elumenta.Started) []byte {
	if s.Assistant == "" {
		b = append(b, `,"assistant_id":null,"assistant_version":null`...)
	} else {
		b = append(b, `,"assistant_id":`...)
		b = appendString(b, s.Assistant)
		b = append(b, `,"assistant_version":`...)
		b = strconv.AppendInt(b, int64(s.Version), 10)
	}
	b = append(b, `,"model":`...)
	return appendString(b, s.Model)
}

// appendEnd says what both ways of answering say at their end.
func appendEnd(b []byte, r *elumenta.Result) []byte {
	b = append(b, `,"balance_remaining":`...)
	b = appendNullable(b, r.Settled.Balance)
	b = append(b, `,"usage":{"prompt_tokens":`...)
	b = strconv.AppendInt(b, r.Usage.PromptTokens, 10)
	b = append(b, `,"completion_tokens":`...)
	b = strconv.AppendInt(b, r.Usage.CompletionTokens, 10)
	b = append(b, `,"total_tokens":`...)
	b = strconv.AppendInt(b, r.Usage.TotalTokens(), 10)
	b = append(b, `,"cached_tokens":`...)
	b = strconv.AppendInt(b, r.Usage.CachedTokens, 10)
	b = append(b, `,"cache_write_tokens":`...)
	b = strconv.AppendInt(b, r.Usage.CacheWriteTokens, 10)
	b = append(b, `,"reasoning_tokens":`...)
	b = strconv.AppendInt(b, r.Usage.ReasoningTokens, 10)
	b = append(b, `,"cache":{"status":`...)
	b = appendString(b, r.CacheStatus)
	if r.CacheReason != "" {
		b = append(b, `,"reason":`...)
		b = appendString(b, r.CacheReason)
	}
	b = append(b, `,"minimum":`...)
	b = strconv.AppendInt(b, int64(r.CacheMinimum), 10)
	b = append(b, `}},"attempts":`...)
	b = elumenta.AppendAttempts(b, r.Attempts)
	b = append(b, `,"warnings":[`...)
	for i, w := range r.Warnings {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"code":`...)
		b = appendString(b, w.Code)
		b = append(b, `,"field":`...)
		b = appendString(b, w.Field)
		b = append(b, `,"message":`...)
		b = appendString(b, w.Message)
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().Truncate(time.Microsecond).AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}
