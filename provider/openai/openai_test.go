package openai_test

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/openai"
	"github.com/elumenta/elumenta/provider/providertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func v1(server string) string { return server + "/v1" }

func errorBody(message string) string {
	return `{"error":{"message":"` + message + `","type":"invalid_request_error","param":null,"code":null}}`
}

// events writes a stream of events without names, each data by itself, [DONE] included where it is given.
func events(data ...string) string {
	var b strings.Builder
	for _, d := range data {
		b.WriteString("data: " + d + "\n\n")
	}
	return b.String()
}

func chatSuite() providertest.Suite {
	return providertest.Suite{
		Provider:   openai.Chat{},
		Serves:     func(path string) bool { return strings.HasSuffix(path, "/chat/completions") },
		BaseURL:    v1,
		Expect:     expectChat,
		ErrorBody:  errorBody,
		EitherMode: true,
		ErrorEvents: []string{
			events(`{"error":{"message":"%s","code":502}}`),
			events(`{"id":"a","choices":[{"index":0,"delta":{"content":"Oi"}}]}`, `{"error":{"message":"%s","type":"server_error"}}`, `[DONE]`),
			events(`{"error":"%s"}`),
			events(`{"object":"error","message":"%s","code":500}`),
			"event: error\ndata: {\"message\":\"%s\"}\n\n",
			events(`{"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error","error":{"code":502,"message":"%s"}}]}`),
			events(`{"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}`),
		},
		Cases: chatCases(),
	}
}

func responsesSuite() providertest.Suite {
	return providertest.Suite{
		Provider:   openai.Responses{},
		Serves:     func(path string) bool { return strings.HasSuffix(path, "/responses") },
		BaseURL:    v1,
		Expect:     expectResponses,
		ErrorBody:  errorBody,
		EitherMode: true,
		ErrorEvents: []string{
			"event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"%s\",\"param\":null,\"sequence_number\":1}\n\n",
			events(`{"type":"error","error":{"type":"server_error","code":"rate_limit_exceeded","message":"%s"}}`),
			events(`{"type":"response.created","response":{"id":"r","status":"in_progress"}}`,
				`{"type":"response.failed","response":{"id":"r","status":"failed","error":{"code":"server_error","message":"%s"}}}`),
		},
		Cases: responsesCases(),
	}
}

func TestChat(t *testing.T)      { providertest.Run(t, chatSuite()) }
func TestResponses(t *testing.T) { providertest.Run(t, responsesSuite()) }

func FuzzChatStream(f *testing.F)      { providertest.Fuzz(f, chatSuite(), true) }
func FuzzChatWhole(f *testing.F)       { providertest.Fuzz(f, chatSuite(), false) }
func FuzzResponsesStream(f *testing.F) { providertest.Fuzz(f, responsesSuite(), true) }
func FuzzResponsesWhole(f *testing.F)  { providertest.Fuzz(f, responsesSuite(), false) }

func TestErrorCodes(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		kind   elumenta.ErrorKind
		reason elumenta.RejectReason
	}{
		{"context", 400, `{"error":{"message":"m","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`, elumenta.KindRejected, elumenta.RejectContext},
		{"context, vLLM", 400, `{"object":"error","message":"This model's maximum context length is 4096 tokens.","type":"BadRequestError","code":400}`, elumenta.KindRejected, elumenta.RejectContext},
		{"context, llama.cpp", 400, `{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}`, elumenta.KindRejected, elumenta.RejectContext},
		{"context, xAI", 400, `{"code":"Client specified an invalid argument","error":"This model's maximum prompt length is 131072: context window"}`, elumenta.KindRejected, elumenta.RejectContext},
		{"content", 400, `{"error":{"code":"content_policy_violation","message":"m"}}`, elumenta.KindRejected, elumenta.RejectContent},
		{"content, OpenRouter", 403, `{"error":{"code":403,"message":"m","metadata":{"reasons":["x"],"flagged_input":"canary-text-9c27"}}}`, elumenta.KindRejected, elumenta.RejectContent},
		{"image", 400, `{"error":{"code":"invalid_image_format","message":"m"}}`, elumenta.KindRejected, elumenta.RejectImage},
		{"state of another organization", 400, `{"error":{"message":"The encrypted content gAAA could not be verified. Reason: Encrypted content organization_id did not match the target organization.","type":"invalid_request_error","param":null,"code":"invalid_encrypted_content"}}`, elumenta.KindRejected, elumenta.RejectState},
		{"quota", 429, `{"error":{"type":"insufficient_quota","code":"insufficient_quota","message":"m"}}`, elumenta.KindAuth, ""},
		{"rate", 429, `{"error":{"code":"rate_limit_exceeded","message":"m"}}`, elumenta.KindRateLimited, ""},
		{"model", 404, `{"error":{"code":"model_not_found","message":"m"}}`, elumenta.KindFailed, ""},
		{"odd members", 400, `{"error":{"code":{},"message":[],"type":7}}`, elumenta.KindRejected, elumenta.RejectOther},
	}
	for _, s := range []providertest.Suite{chatSuite(), responsesSuite()} {
		for _, tt := range tests {
			s.Cases = append(s.Cases, providertest.Case{Name: tt.name, Status: tt.status, Body: tt.body, Kind: tt.kind, Reason: tt.reason})
		}
		s.Cases = s.Cases[len(s.Cases)-len(tests):]
		providertest.RunCases(t, s)
	}
}
