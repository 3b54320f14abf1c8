package openaiapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/openaiapi"
)

// encoder is what a request's answer is written with.
func encoder(t testing.TB, members string) elumenta.Encoder {
	t.Helper()
	req, err := openaiapi.Chat{}.Decode([]byte(chat(members)))
	if err != nil {
		t.Fatal(err)
	}
	return req.Encoder
}

var (
	balance = int64(296)
	started = elumenta.Started{ID: "gen_01j9x2", Assistant: "asst_1", Version: 3, Model: "claude-sonnet-4.5", CreatedAt: time.Unix(1_700_000_000, 0)}
	result  = elumenta.Result{
		Started: started, Finish: elumenta.FinishStop, CacheStatus: elumenta.CacheHit, CacheMinimum: 1024,
		Usage:    elumenta.Usage{PromptTokens: 812, CompletionTokens: 96, CachedTokens: 768, CacheWriteTokens: 1, ReasoningTokens: 7},
		Settled:  elumenta.Settled{TokensSpent: 4, Balance: &balance, State: elumenta.Charged},
		Warnings: []elumenta.Warning{{Code: "unknown_field", Field: "x", Message: "left out"}},
	}
)

const (
	ownMember = `"elumenta":{"generation_id":"gen_01j9x2","assistant_id":"asst_1","assistant_version":3,"model":"claude-sonnet-4.5","tokens_spent":4,"balance_remaining":296,` +
		`"cache":{"status":"hit","minimum":1024,"write_tokens":1},"attempts":[],"warnings":[{"code":"unknown_field","field":"x","message":"left out"}]}`
	usageMember = `"usage":{"prompt_tokens":812,"completion_tokens":96,"total_tokens":908,"prompt_tokens_details":{"cached_tokens":768,"audio_tokens":0},` +
		`"completion_tokens_details":{"reasoning_tokens":7,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}`
	wholeHead = `{"id":"chatcmpl-01j9x2","object":"chat.completion","created":1700000000,"model":"m","system_fingerprint":null,"choices":[{"index":0,"message":{"role":"assistant",`
	chunkHead = `data: {"id":"chatcmpl-01j9x2","object":"chat.completion.chunk","created":1700000000,"model":"m","system_fingerprint":null,"choices":[`
)

func TestChatWhole(t *testing.T) {
	plain := result
	plain.Assistant, plain.Version, plain.Settled.Balance, plain.Warnings = "", 0, nil, nil
	calls := []elumenta.ToolCall{{ID: "c1", Name: "weather", Arguments: `{"a":1}`}, {ID: "c2", Name: "clock"}}
	with := func(r elumenta.Result, f elumenta.FinishReason) elumenta.Result {
		r.Finish = f
		return r
	}
	for name, c := range map[string]struct {
		answer elumenta.Answer
		result elumenta.Result
		want   string
	}{
		"text": {elumenta.Answer{Text: []byte("a\n\"b\""), Reasoning: []byte("hm")}, result,
			wholeHead + `"content":"a\n\"b\"","refusal":null,"reasoning_content":"hm","annotations":[]},"logprobs":null,"finish_reason":"stop"}],` + usageMember + "," + ownMember + "}\n"},
		"nothing": {elumenta.Answer{}, with(plain, elumenta.FinishLength),
			wholeHead + `"content":"","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"length"}],` + usageMember + "," +
				`"elumenta":{"generation_id":"gen_01j9x2","assistant_id":null,"assistant_version":null,"model":"claude-sonnet-4.5","tokens_spent":4,"balance_remaining":null,` +
				`"cache":{"status":"hit","minimum":1024,"write_tokens":1},"attempts":[],"warnings":[]}` + "}\n"},
		"tools": {elumenta.Answer{ToolCalls: calls}, with(result, elumenta.FinishToolCalls),
			wholeHead + `"content":null,"refusal":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{\"a\":1}"}},` +
				`{"id":"c2","type":"function","function":{"name":"clock","arguments":""}}],"annotations":[]},"logprobs":null,"finish_reason":"tool_calls"}],` + usageMember + "," + ownMember + "}\n"},
		"refusal": {elumenta.Answer{Refusal: []byte("No.")}, with(result, elumenta.FinishRefusal),
			wholeHead + `"content":null,"refusal":"No.","annotations":[]},"logprobs":null,"finish_reason":"stop"}],` + usageMember + "," + ownMember + "}\n"},
		"a provider's refusal": {elumenta.Answer{Text: []byte("Well")}, with(result, elumenta.FinishRefusal),
			wholeHead + `"content":"Well","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"content_filter"}],` + usageMember + "," + ownMember + "}\n"},
	} {
		if diff := cmp.Diff(c.want, string(encoder(t, "").Whole(nil, &c.answer, &c.result))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestChatChunks(t *testing.T) {
	state := (&elumenta.State{Opaque: elumenta.Opaque{Format: "anthropic", Data: "s"}, Part: elumenta.PartReasoning}).Pack()
	play := func(e elumenta.Encoder) string {
		b := e.Begin(nil, &started)
		for _, ev := range []elumenta.Event{
			{Kind: elumenta.EventReasoning, Text: "A"}, {Kind: elumenta.EventText, Text: "a"}, // whose state never comes
			{Kind: elumenta.EventReasoning, Text: "hm"}, {Kind: elumenta.EventOpaque, Part: elumenta.PartReasoning, Opaque: &elumenta.Opaque{Format: "anthropic", Data: "s"}},
			{Kind: elumenta.EventRefusal, Text: "No."},
			{Kind: elumenta.EventToolCall, ID: "c1", Name: "weather"}, {Kind: elumenta.EventToolInput, Text: `{"a":`},
			{Kind: elumenta.EventOpaque, Part: elumenta.PartToolCall, Opaque: &elumenta.Opaque{Format: "gemini", Data: "s"}},
		} {
			b = e.Event(b, ev)
		}
		return string(e.End(e.KeepAlive(b), &result))
	}
	body := func(usage string) string {
		delta := func(s string) string {
			return chunkHead + `{"index":0,"delta":{` + s + `},"logprobs":null,"finish_reason":null}]` + usage + "}\n\n"
		}
		return delta(`"role":"assistant","content":"","refusal":null`) + delta(`"reasoning_content":"A"`) + delta(`"content":"a"`) +
			delta(`"reasoning_content":"hm"`) + delta(`"reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"`+state+`","index":0}]`) + delta(`"refusal":"No."`) +
			delta(`"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"weather","arguments":""}}]`) +
			delta(`"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]`) +
			delta(`"tool_calls":[{"index":0,"extra_content":{"google":{"thought_signature":"s"}}}]`) + ": keep-alive\n\n" +
			chunkHead + `{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],` + ownMember + usage + "}\n\n"
	}
	if diff := cmp.Diff(body("")+"data: [DONE]\n\n", play(encoder(t, `"stream":true`))); diff != "" {
		t.Error(diff)
	}
	with := encoder(t, `"stream":true,"stream_options":{"include_usage":true}`)
	if diff := cmp.Diff(body(`,"usage":null`)+chunkHead+`],`+usageMember+"}\n\ndata: [DONE]\n\n", play(with)); diff != "" {
		t.Error(diff)
	}
	failed := string(with.Fail(nil, elumenta.Unavailable(nil), "req_1", &elumenta.Settled{}))
	want := `data: {"error":{"message":"the service is not available at the moment; try again","type":"server_error","param":null,"code":"service_unavailable"}}` + "\n\ndata: [DONE]\n\n"
	if diff := cmp.Diff(want, failed); diff != "" {
		t.Error(diff)
	}
}

// A piece of a stream is written without an allocation.
func TestChatPiecesDoNotAllocate(t *testing.T) {
	e := encoder(t, `"stream":true`)
	buffer := e.Begin(make([]byte, 0, 4096), &started)[:0]
	for _, ev := range []elumenta.Event{{Kind: elumenta.EventText, Text: "Ahoy, matey"}, {Kind: elumenta.EventToolInput, Text: `{"a":`}} {
		if n := testing.AllocsPerRun(100, func() { e.Event(buffer, ev) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

// Every code of ours is an error of OpenAI's.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		err  elumenta.Error
		want string
	}{
		{elumenta.Error{Code: elumenta.CodeBadRequest}, "400 invalid_request_error"},
		{elumenta.Error{Code: elumenta.CodeBadRequest, Status: http.StatusMethodNotAllowed}, "405 invalid_request_error method_not_supported"},
		{elumenta.Error{Code: elumenta.CodeBadRequest, Status: http.StatusUnsupportedMediaType}, "415 invalid_request_error"},
		{elumenta.Error{Code: elumenta.CodeNotAuthenticated}, "401 invalid_request_error invalid_api_key"},
		{elumenta.Error{Code: elumenta.CodeInsufficientTokens}, "429 insufficient_quota insufficient_quota"},
		{elumenta.Error{Code: elumenta.CodeInsufficientPlan}, "403 invalid_request_error insufficient_plan"},
		{elumenta.Error{Code: elumenta.CodeForbidden}, "403 invalid_request_error forbidden"},
		{elumenta.Error{Code: elumenta.CodeAccountSuspended}, "403 invalid_request_error account_suspended"},
		{elumenta.Error{Code: elumenta.CodeNotFound}, "404 invalid_request_error model_not_found model"},
		{elumenta.Error{Code: elumenta.CodeNotFound, Details: map[string]any{"address": "unknown"}}, "404 invalid_request_error unknown_url"},
		{elumenta.Error{Code: elumenta.CodeConflict}, "409 invalid_request_error conflict"},
		{elumenta.Error{Code: elumenta.CodeVersionConflict}, "409 invalid_request_error version_conflict"},
		{elumenta.Error{Code: elumenta.CodePayloadTooLarge}, "413 invalid_request_error payload_too_large"},
		{elumenta.Error{Code: elumenta.CodeProviderRejected, Details: map[string]any{"reason": elumenta.RejectOther}}, "400 invalid_request_error provider_rejected"},
		{elumenta.Error{Code: elumenta.CodeProviderRejected, Details: map[string]any{"reason": elumenta.RejectContext}}, "400 invalid_request_error context_length_exceeded"},
		{elumenta.Error{Code: elumenta.CodeProviderRejected, Details: map[string]any{"reason": elumenta.RejectContent}}, "400 invalid_request_error content_policy_violation"},
		{elumenta.Error{Code: elumenta.CodeProviderRejected, Details: map[string]any{"reason": elumenta.RejectImage}}, "400 invalid_request_error invalid_image"},
		{elumenta.Error{Code: elumenta.CodeRateLimited}, "429 requests rate_limit_exceeded"},
		{elumenta.Error{Code: elumenta.CodeTooManyStreams}, "429 requests rate_limit_exceeded"},
		{elumenta.Error{Code: elumenta.CodeInternal}, "500 server_error internal_error"},
		{elumenta.Error{Code: elumenta.CodeProvider}, "502 server_error provider_error"},
		{elumenta.Error{Code: elumenta.CodeModelUnavailable}, "503 server_error model_unavailable"},
		{elumenta.Error{Code: elumenta.CodeUnavailable}, "503 server_error service_unavailable"},
		{elumenta.Error{Code: elumenta.CodeProviderTimeout}, "504 server_error provider_timeout"},
	} {
		if got := wording(t, &c.err); got != c.want {
			t.Errorf("%s: %s, want %s", c.err.Code, got, c.want)
		}
		if _, body := (openaiapi.Chat{}).Error(&c.err, "req_1"); !strings.Contains(string(body), `"elumenta":{"error":"`+string(c.err.Code)+`","details":{`) {
			t.Errorf("%s: %s", c.err.Code, body)
		}
	}
	var many elumenta.FieldErrors
	many.Add("a", "is required")
	for range 20 {
		many.Add("b", "is bad")
	}
	e := elumenta.AsError(many.Err())
	if _, body := (openaiapi.Chat{}).Error(e, "req_1"); wording(t, e) != "400 invalid_request_error missing_required_parameter a" ||
		!strings.Contains(string(body), "a is required; b is bad; ") || strings.Count(string(body), "b is bad") != 9 || !strings.Contains(string(body), "and more") {
		t.Errorf("%s: %s", wording(t, e), body)
	}
}
