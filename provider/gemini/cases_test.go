package gemini_test

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/gemini"
	"github.com/elumenta/elumenta/provider/providertest"
)

// events joins the data of a stream, with the line ends that Google sends.
func events(data ...string) string {
	return "data: " + strings.Join(data, "\r\n\r\ndata: ") + "\r\n\r\n"
}

const (
	hello      = `{"candidates": [{"content": {"parts": [{"text": "Hello"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 11,"totalTokenCount": 11},"responseId": "r1"}`
	counted    = `"usageMetadata":{"promptTokenCount":11,"cachedContentTokenCount":4,"toolUsePromptTokenCount":3,"candidatesTokenCount":2,"thoughtsTokenCount":20},"responseId":"r1","modelVersion":"gemini-dated"`
	signedCall = `{"functionCall":{"name":"weather","args":{"city":"Rome"}},"thoughtSignature":"c2ln"}`
)

func ending(reason string) string {
	return `{"candidates":[{"content":{"parts":[{"text":" you"}],"role":"model"},"finishReason":"` + reason + `"}],` + counted + `}`
}

func cases() []providertest.Case {
	usage := elumenta.Usage{PromptTokens: 14, CachedTokens: 4, CompletionTokens: 22, ReasoningTokens: 20}
	list := []providertest.Case{
		{
			Name: "stream", Stream: true, Body: strings.ReplaceAll(events(hello, ending("STOP")), "\r\n", "\n"),
			Want: providertest.Expectation{Text: "Hello you", Finish: "stop", Usage: usage, UpstreamID: "r1", Model: "gemini-dated"},
		},
		{
			Name: "whole", Body: "\n" + ending("STOP"),
			Want: providertest.Expectation{Text: " you", Finish: "stop", Usage: usage, UpstreamID: "r1", Model: "gemini-dated"},
		},
		{
			Name: "a finish reason in every event", Stream: true,
			Body: events(`{"candidates":[{"content":{"parts":[{"text":"Hello"}]},"finishReason":"STOP"}]}`, ending("STOP")),
			Want: providertest.Expectation{Text: "Hello you", Finish: "stop", Usage: usage},
		},
		{
			Name: "usage behind the finish", Stream: true,
			Body: events(`{"candidates":[{"content":{"parts":[{"text":"Hello"}]},"finishReason":"STOP"}]}`, `{`+counted+`}`),
			Want: providertest.Expectation{Text: "Hello", Finish: "stop", Usage: usage},
		},
		{
			Name: "calls without ids", Stream: true,
			Body: events(`{"responseId":"r7","candidates":[{"content":{"parts":[`+signedCall+`,{"functionCall":{"name":"now"}}]}}]}`,
				`{"candidates":[{"content":{"parts":[{"functionCall":{"id":"own","name":"now","args":{}}}]},"finishReason":"STOP"}],"responseId":"r7"}`),
			Want: providertest.Expectation{Finish: "tool_calls", ToolCalls: []elumenta.ToolCall{
				{ID: "call_r7_0", Name: "weather", Arguments: `{"city":"Rome"}`}, {ID: "call_r7_1", Name: "now", Arguments: "{}"}, {ID: "own", Name: "now", Arguments: "{}"},
			}},
		},
		{
			Name: "another candidate, another part", Body: `{"candidates":[{"index":1,"content":{"parts":[{"text":"no"}]},"finishReason":"SAFETY"},{"content":{"parts":[{"executableCode":{"code":"1"}},{"text":"yes"}]},"finishReason":"STOP"}]}`,
			Want: providertest.Expectation{Text: "yes", Finish: "stop"},
		},
		{
			Name: "blocked prompt", Stream: true, Body: events(`{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":9},"responseId":"r2"}`),
			Want: providertest.Expectation{Finish: "content_filter", Usage: elumenta.Usage{PromptTokens: 9}, UpstreamID: "r2"},
		},
		{
			Name: "blocked prompt, whole", Body: `{"promptFeedback":{"blockReason":"OTHER"}}`,
			Want: providertest.Expectation{Finish: "content_filter"},
		},
		{
			Name: "an array of events", Body: `[` + hello + `,` + ending("STOP") + `]`,
			Want: providertest.Expectation{Text: "Hello you", Finish: "stop", Usage: usage},
		},
		{
			Name: "a filter before any text", Body: `{"candidates":[{"finishReason":"SAFETY","safetyRatings":[{"category":"X","probability":"HIGH"}]}]}`,
			Want: providertest.Expectation{Finish: "content_filter"},
		},
		{Name: "no finish reason", Stream: true, Body: events(hello), Kind: elumenta.KindTruncated},
		{Name: "unspecified finish reason", Stream: true, Body: events(ending("FINISH_REASON_UNSPECIFIED")), Kind: elumenta.KindTruncated},
		{Name: "whole without finish reason", Body: hello, Kind: elumenta.KindMalformed},
		{Name: "nothing", Body: `{"candidates":[]}`, Kind: elumenta.KindMalformed},
		{Name: "call without a name", Body: `{"candidates":[{"content":{"parts":[{"functionCall":{}}]},"finishReason":"STOP"}]}`, Kind: elumenta.KindMalformed},
		{Name: "candidates of a wrong type", Body: `{"candidates":{}}`, Kind: elumenta.KindMalformed},
		{Name: "broken array", Body: `[` + hello, Kind: elumenta.KindMalformed},
	}
	for reason, want := range finish {
		list = append(list, providertest.Case{
			Name: "reason " + reason, Stream: true, Body: events(hello, ending(reason)),
			Want: providertest.Expectation{Text: "Hello you", Finish: want, Usage: usage},
		})
	}
	for _, reason := range []string{"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "OTHER", "NEVER_SEEN"} {
		list = append(list, providertest.Case{Name: "reason " + reason, Stream: true, Body: events(hello, ending(reason)), Kind: elumenta.KindFailed})
	}
	return append(list, faults()...)
}

func faults() []providertest.Case {
	var list []providertest.Case
	add := func(status string, code int, kind elumenta.ErrorKind, reason elumenta.RejectReason, message, details string) {
		object := `{"error":{"code":` + strconv.Itoa(code) + `,"message":"` + message + `","status":"` + status + `","details":[` + details + `]}}`
		name := status + " " + message
		list = append(list,
			providertest.Case{Name: name, Status: code, Body: object, Kind: kind, Reason: reason},
			providertest.Case{Name: name + " in an array", Status: code, Body: " [" + object + "]", Kind: kind, Reason: reason},
			providertest.Case{Name: name + " in a stream", Stream: true, Body: events(hello, object), Kind: kind, Reason: reason, OneModel: code == 403})
	}
	const invalidKey = `{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}`
	add("INVALID_ARGUMENT", 400, elumenta.KindRejected, elumenta.RejectContext, "The input token count (1200293) exceeds the maximum number of tokens allowed (1048576).", "")
	add("INVALID_ARGUMENT", 400, elumenta.KindRejected, elumenta.RejectImage, "Unable to process input image. Please retry", "")
	add("INVALID_ARGUMENT", 400, elumenta.KindRejected, elumenta.RejectState, "Corrupted thought signature.", "")
	add("INVALID_ARGUMENT", 400, elumenta.KindRejected, elumenta.RejectOther, "Request contains an invalid argument.", `{"@type":"type.googleapis.com/google.rpc.BadRequest"}`)
	add("INVALID_ARGUMENT", 400, elumenta.KindAuth, "", "API key not valid. Please pass a valid API key.", invalidKey)
	add("INVALID_ARGUMENT", 400, elumenta.KindAuth, "", "something", invalidKey)
	add("FAILED_PRECONDITION", 400, elumenta.KindAuth, "", "User location is not supported for the API use.", "")
	add("PERMISSION_DENIED", 403, elumenta.KindAuth, "", "no", "")
	add("UNAUTHENTICATED", 401, elumenta.KindAuth, "", "no", "")
	add("NOT_FOUND", 404, elumenta.KindFailed, "", "models/x is not found", "")
	add("RESOURCE_EXHAUSTED", 429, elumenta.KindRateLimited, "", "quota", "")
	add("INTERNAL", 500, elumenta.KindFailed, "", "An internal error has occurred.", "")
	add("UNAVAILABLE", 503, elumenta.KindOverloaded, "", "The model is overloaded.", "")
	add("DEADLINE_EXCEEDED", 504, elumenta.KindTimeout, "", "Deadline expired", "")
	add("NEVER_SEEN", 429, elumenta.KindRateLimited, "", "x", "")
	return list
}

func TestRetryDelay(t *testing.T) {
	for delay, want := range map[string]time.Duration{
		"37s": 37 * time.Second, "1.5s": 1500 * time.Millisecond, "-3s": 0, "soon": 0, "99999h": 24 * time.Hour,
	} {
		body := `[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"` + delay + `"}]}}]`
		got := play(t, http.StatusTooManyRequests, body)
		e, ok := errors.AsType[*elumenta.ProviderError](got.Err)
		if !ok || e.Kind != elumenta.KindRateLimited || e.RetryAfter != want {
			t.Errorf("%s: %v, RetryAfter %s", delay, got.Err, e.RetryAfter)
		}
	}
}

// TestOpaque wants thoughts and signatures in the form that goes back.
func TestOpaque(t *testing.T) {
	parts := `{"text":"Hm.","thought":true},{"text":"It is","thoughtSignature":"dGV4dA=="},` + signedCall + `,{"text":"","thoughtSignature":"bGFzdA=="}`
	whole := `{"candidates":[{"content":{"parts":[` + parts + `]},"finishReason":"STOP"}]}`
	for name, body := range map[string]string{"whole": whole, "stream": events(whole)} {
		got := play(t, http.StatusOK, body)
		if got.Err != nil || got.Reasoning != "Hm." || got.Text != "It is" || len(got.ToolCalls) != 1 {
			t.Errorf("%s: %+v", name, got.Expectation)
		}
		want := []elumenta.Opaque{{Format: gemini.Format, Data: "dGV4dA=="}, {Format: gemini.Format, Data: "c2ln"}, {Format: gemini.Format, Data: "bGFzdA=="}}
		if !slices.Equal(got.Opaque, want) {
			t.Errorf("%s: opaque = %v", name, got.Opaque)
		}
	}
}
