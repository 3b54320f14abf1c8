package anthropic_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/anthropic"
	"github.com/elumenta/elumenta/provider/providertest"
)

// events joins the data of a stream.
func events(data ...string) string {
	return "data: " + strings.Join(data, "\n\ndata: ") + "\n\n"
}

const (
	started   = `{"type":"message_start","message":{"id":"msg_1","model":"claude-dated","type":"message","role":"assistant","content":[],"usage":{"input_tokens":10,"cache_creation_input_tokens":100,"cache_read_input_tokens":1000,"output_tokens":1}}}`
	textBegin = `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`
	textHello = `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}`
	blockEnd  = `{"type":"content_block_stop","index":0}`
	stopped   = `{"type":"message_stop"}`
)

func ending(reason string) string {
	return `{"type":"message_delta","delta":{"stop_reason":"` + reason + `"},"usage":{"output_tokens":7}}`
}

func cases() []providertest.Case {
	usage := elumenta.Usage{PromptTokens: 1110, CompletionTokens: 7, CachedTokens: 1000, CacheWriteTokens: 100}
	list := []providertest.Case{
		{
			Name: "stream", Stream: true, Body: events(started, textBegin, textHello, blockEnd, ending("end_turn"), stopped),
			Want: providertest.Expectation{Text: "Hello", Finish: "stop", Usage: usage, UpstreamID: "msg_1", Model: "claude-dated"},
		},
		{
			Name: "whole",
			Body: `{"id":"msg_2","model":"claude-dated","type":"message","content":[{"type":"text","text":"Hello"},{"type":"never_seen"},{"type":"text","text":" you"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2,"output_tokens_details":{"thinking_tokens":1}}}  `,
			Want: providertest.Expectation{Text: "Hello you", Finish: "stop", UpstreamID: "msg_2", Model: "claude-dated",
				Usage: elumenta.Usage{PromptTokens: 3, CompletionTokens: 2, ReasoningTokens: 1}},
		},
		{
			Name: "the end's figures replace the beginning's", Stream: true,
			Body: events(started, textBegin, textHello, blockEnd,
				`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":20,"cache_creation_input_tokens":0,"cache_read_input_tokens":null,"output_tokens":9}}`, stopped),
			Want: providertest.Expectation{Text: "Hello", Finish: "stop",
				Usage: elumenta.Usage{PromptTokens: 1020, CompletionTokens: 9, CachedTokens: 1000}},
		},
		{
			Name: "an input of none at the end replaces nothing", Stream: true,
			Body: events(started, textBegin, textHello, blockEnd,
				`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":0,"output_tokens":9}}`, stopped),
			Want: providertest.Expectation{Text: "Hello", Finish: "stop",
				Usage: elumenta.Usage{PromptTokens: 1110, CompletionTokens: 9, CachedTokens: 1000, CacheWriteTokens: 100}},
		},
		{
			Name: "what is not known is passed over", Stream: true,
			Body: events(`{"type":"ping"}`, `{"type":"new_event","index":0,"delta":{"type":"text_delta","text":"no"}}`, started,
				`{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"x","name":"y","input":{}}}`,
				`{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{}"}}`,
				`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"no"}}`, blockEnd,
				`{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"Hel","citations":[]}}`,
				`{"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{}}}`,
				`{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"lo"}}`,
				`{"type":"content_block_stop","index":1}`, ending("end_turn"), stopped),
			Want: providertest.Expectation{Text: "Hello", Finish: "stop", Usage: usage},
		},
		{
			Name: "two calls, one without arguments and one that has them at once", Stream: true,
			Body: events(started, `{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"toolu_1","name":"now","input":{}}}`,
				`{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":""}}`, blockEnd,
				`{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_2","name":"weather","input":{"city":"Rome"}}}`,
				`{"type":"content_block_stop","index":1}`, ending("tool_use"), stopped),
			Want: providertest.Expectation{Finish: "tool_calls", Usage: usage, ToolCalls: []elumenta.ToolCall{
				{ID: "toolu_1", Name: "now", Arguments: "{}"}, {ID: "toolu_2", Name: "weather", Arguments: `{"city":"Rome"}`},
			}},
		},
		{
			Name: "whole with calls and thinking",
			Body: `{"id":"m","type":"message","content":[{"type":"thinking","thinking":"Hm.","signature":"c2ln"},{"type":"tool_use","id":"t1","name":"weather","input":{"city":"Rome"}}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":2}}`,
			Want: providertest.Expectation{Reasoning: "Hm.", Finish: "tool_calls", Usage: elumenta.Usage{PromptTokens: 1, CompletionTokens: 2},
				ToolCalls: []elumenta.ToolCall{{ID: "t1", Name: "weather", Arguments: `{"city":"Rome"}`}}},
		},
		{Name: "no stop reason", Stream: true, Body: events(started, textBegin, textHello, blockEnd, stopped), Kind: elumenta.KindMalformed},
		{Name: "whole without stop reason", Body: `{"type":"message","content":[],"stop_reason":null}`, Kind: elumenta.KindMalformed},
		{Name: "no end", Stream: true, Body: events(started, textBegin, textHello, blockEnd, ending("end_turn")), Kind: elumenta.KindTruncated},
		{Name: "call without a name", Body: `{"content":[{"type":"tool_use","id":"t"}],"stop_reason":"tool_use"}`, Kind: elumenta.KindMalformed},
		{Name: "index of a wrong type", Stream: true, Body: events(started, `{"type":"content_block_stop","index":"0"}`), Kind: elumenta.KindMalformed},
	}
	for reason, want := range finish {
		list = append(list, providertest.Case{
			Name: "reason " + reason, Stream: true, Body: events(started, textBegin, textHello, blockEnd, ending(reason), stopped),
			Want: providertest.Expectation{Text: "Hello", Finish: want, Usage: usage},
		})
	}
	return append(list, faults()...)
}

func faults() []providertest.Case {
	var list []providertest.Case
	add := func(status int, kind elumenta.ErrorKind, reason elumenta.RejectReason, errorType, message string) {
		body := `{"type":"error","error":{"type":"` + errorType + `","message":"` + message + `"}}`
		list = append(list, providertest.Case{Name: errorType + " " + message, Status: status, Body: body, Kind: kind, Reason: reason})
		if status != 404 {
			list = append(list, providertest.Case{Name: "event " + errorType + " " + message, Stream: true, Body: events(started, body), Kind: kind, Reason: reason})
		}
	}
	add(400, elumenta.KindRejected, elumenta.RejectContext, "invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum")
	add(400, elumenta.KindRejected, elumenta.RejectContext, "invalid_request_error", "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000")
	add(400, elumenta.KindRejected, elumenta.RejectImage, "invalid_request_error", "messages.0.content.0.image.source.base64: image exceeds 5 MB maximum")
	add(400, elumenta.KindRejected, elumenta.RejectImage, "invalid_request_error", "Could not process image")
	add(400, elumenta.KindRejected, elumenta.RejectContent, "invalid_request_error", "Output blocked by content filtering policy")
	add(400, elumenta.KindRejected, elumenta.RejectState, "invalid_request_error", "messages.1.content.0: Invalid `signature` in `thinking` block")
	add(400, elumenta.KindRejected, elumenta.RejectOther, "invalid_request_error", "messages: roles must alternate")
	add(400, elumenta.KindAuth, "", "invalid_request_error", "Your credit balance is too low to access the Anthropic API.")
	add(413, elumenta.KindRejected, elumenta.RejectContext, "request_too_large", "Request exceeds the maximum size")
	add(401, elumenta.KindAuth, "", "authentication_error", "invalid x-api-key")
	add(402, elumenta.KindAuth, "", "billing_error", "billing")
	add(403, elumenta.KindAuth, "", "permission_error", "no")
	add(404, elumenta.KindFailed, "", "not_found_error", "model: claude-0")
	add(404, elumenta.KindFailed, "", "invalid_request_error", "image")
	add(429, elumenta.KindRateLimited, "", "rate_limit_error", "slow down")
	add(500, elumenta.KindFailed, "", "api_error", "Internal server error")
	add(504, elumenta.KindTimeout, "", "timeout_error", "Request timed out")
	add(529, elumenta.KindOverloaded, "", "overloaded_error", "Overloaded")
	return list
}

// TestStopSequence wants the request's sequence that ended the answer, and none that it did not have.
func TestStopSequence(t *testing.T) {
	end := `"stop_reason":"stop_sequence","stop_sequence":"END"`
	stream := events(started, textBegin, textHello, blockEnd, `{"type":"message_delta","delta":{`+end+`}}`, stopped)
	whole := `{"type":"message","content":[{"type":"text","text":"Hello"}],` + end + `}`
	for name, body := range map[string]string{"stream": stream, "whole": whole} {
		for want, stops := range map[string][]string{"END": {"STOP", "END"}, "": {"STOP"}} {
			got := play(t, body, stops...)
			if got.Err != nil || got.Finish != elumenta.FinishStop || got.Completion.StopSequence != want {
				t.Errorf("%s with %q: %q after %q, %v", name, stops, got.Finish, got.Completion.StopSequence, got.Err)
			}
		}
	}
}

// TestThinking plays reasoning in both modes and wants its state in the form that goes back.
func TestThinking(t *testing.T) {
	stream := events(started,
		`{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let me "}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"think."}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2lnbmF0dXJl"}}`, blockEnd,
		`{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"cmVkYWN0ZWQ="}}`,
		`{"type":"content_block_stop","index":1}`,
		`{"type":"content_block_start","index":2,"content_block":{"type":"text","text":"Done."}}`,
		`{"type":"content_block_stop","index":2}`, ending("end_turn"), stopped)
	whole := `{"type":"message","content":[{"type":"thinking","thinking":"Let me think.","signature":"c2lnbmF0dXJl"},{"type":"redacted_thinking","data":"cmVkYWN0ZWQ="},{"type":"text","text":"Done."}],"stop_reason":"end_turn"}`
	want := []elumenta.Opaque{
		{Format: anthropic.Format, Data: `{"type":"thinking","signature":"c2lnbmF0dXJl"}`},
		{Format: anthropic.Format, Data: `{"type":"redacted_thinking","data":"cmVkYWN0ZWQ="}`},
	}
	for name, body := range map[string]string{"stream": stream, "whole": whole} {
		got := play(t, body)
		if got.Err != nil || got.Reasoning != "Let me think." || got.Text != "Done." {
			t.Errorf("%s: %q, %q, %v", name, got.Reasoning, got.Text, got.Err)
		}
		if !slices.Equal(got.Opaque, want) {
			t.Errorf("%s: opaque = %v", name, got.Opaque)
		}
	}
}
