package anthropicapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/elumenta/elumenta"
)

// wantError holds an error against the SDK's reading of it.
func wantError(t *testing.T, err error, status int, kind anthropic.ErrorType, message string) {
	t.Helper()
	e, ok := errors.AsType[*anthropic.Error](err)
	if !ok {
		t.Errorf("no error of the API: %v", err)
		return
	}
	var body struct {
		Type  string
		Error struct{ Type, Message string }
		ID    string `json:"request_id"`
	}
	if err := json.Unmarshal([]byte(e.RawJSON()), &body); err != nil {
		t.Errorf("body %s: %v", e.RawJSON(), err)
	}
	if e.StatusCode != status || body.Error.Type != string(kind) || body.Type != "error" || !strings.Contains(body.Error.Message, message) || body.Error.Message == "" {
		t.Errorf("status %d, %s; want %d %s %q", e.StatusCode, e.RawJSON(), status, kind, message)
	}
	if body.ID == "" || e.RequestID != body.ID {
		t.Errorf("request id %q in the header, %q in the body", e.RequestID, body.ID)
	}
}

func TestErrors(t *testing.T) {
	s := newServer(t, setup{plan: "pro", provider: script(func(_ context.Context, p *elumenta.Prompt, _ func(elumenta.Event) error) (elumenta.Completion, error) {
		kinds := map[elumenta.Text]elumenta.ProviderError{
			"reject": {Kind: elumenta.KindRejected, Status: 400, Reason: elumenta.RejectContext}, "fail": {Kind: elumenta.KindFailed, Status: 500},
			"overload": {Kind: elumenta.KindOverloaded, Status: 529}, "time out": {Kind: elumenta.KindTimeout},
		}
		e, fails := kinds[p.Turns[0].Parts[0].Text]
		if !fails {
			return elumenta.Completion{Finish: elumenta.FinishStop}, nil
		}
		e.Provider, e.Message = "test", "it did"
		return elumenta.Completion{}, &e
	})})
	c := s.client(option.WithMaxRetries(0))
	say := func(model, text string) anthropic.MessageNewParams {
		p := hello(model)
		p.Messages = []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(text))}
		return p
	}
	document := hello("scripted")
	document.Messages = append(document.Messages, anthropic.NewUserMessage(anthropic.NewDocumentBlock(anthropic.Base64PDFSourceParam{Data: "JVBERi0="})))
	searching := hello("scripted")
	searching.Tools = []anthropic.ToolUnionParam{{OfWebSearchTool20250305: &anthropic.WebSearchTool20250305Param{}}}
	blind := hello("blind")
	blind.Tools = []anthropic.ToolUnionParam{{OfTool: &anthropic.ToolParam{Name: "x", InputSchema: anthropic.ToolInputSchemaParam{Properties: map[string]any{}}}}}
	for _, test := range []struct {
		name    string
		p       anthropic.MessageNewParams
		o       option.RequestOption
		status  int
		kind    anthropic.ErrorType
		message string
	}{
		{"wrong key", hello("scripted"), option.WithAPIKey("sk-ant-x"), 401, "authentication_error", "the X-Api-Key header does not hold"},
		{"no key", hello("scripted"), option.WithHeaderDel("x-api-key"), 401, "authentication_error", "key"},
		{"balance", hello("dear"), nil, 402, "billing_error", "balance"},
		{"plan", hello("expert"), nil, 403, "permission_error", "plan"},
		{"model", hello("claude-0"), nil, 404, "not_found_error", "model"},
		{"fields", anthropic.MessageNewParams{MaxTokens: -1}, nil, 400, "invalid_request_error", "max_tokens must be at least 1; model"},
		{"document", document, nil, 400, "invalid_request_error", "messages.1.content.0.type must be"},
		{"server tool", searching, nil, 400, "invalid_request_error", "tools.0.type must be custom"},
		{"tools", blind, nil, 400, "invalid_request_error", "tools are not something"},
		{"broken", hello("scripted"), option.WithRequestBody("application/json", []byte(`{"model":`)), 400, "invalid_request_error", "JSON"},
		{"media", hello("scripted"), option.WithRequestBody("text/plain", []byte(`{}`)), 415, "invalid_request_error", "JSON"},
		{"large", say("scripted", strings.Repeat("x", 1<<20)), nil, 413, "request_too_large", ""},
		{"rejected", say("scripted", "reject"), nil, 400, "invalid_request_error", ""},
		{"failed", say("scripted", "fail"), nil, 500, "api_error", ""},
		{"overloaded", say("scripted", "overload"), nil, 529, "overloaded_error", ""},
		{"timed out", say("scripted", "time out"), nil, 504, "timeout_error", ""},
		{"away", hello("away"), nil, 529, "overloaded_error", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var o []option.RequestOption
			if test.o != nil {
				o = append(o, test.o)
			}
			_, err := c.Messages.New(t.Context(), test.p, o...)
			wantError(t, err, test.status, test.kind, test.message)
		})
	}
	err := c.Post(t.Context(), "v1/messages/novel", hello("scripted"), nil)
	wantError(t, err, 404, "not_found_error", "nothing at this address")
	s.requests.Store(0)
	patient := s.client(option.WithHeader("Idempotency-Key", "k"), option.WithMaxRetries(3))
	if m, err := patient.Messages.New(t.Context(), say("scripted", "one")); err != nil || len(m.Content) != 0 {
		t.Errorf("answer without a text: %v", err)
	}
	_, err = patient.Messages.New(t.Context(), say("scripted", "another"))
	wantError(t, err, 409, "invalid_request_error", "Idempotency-Key")
	if n := s.requests.Load(); n != 2 {
		t.Errorf("%d requests: a conflict was repeated", n)
	}
}

func TestRateLimit(t *testing.T) {
	s := newServer(t, setup{plan: "free", provider: says("Hi")})
	c := s.client(option.WithMaxRetries(0))
	var err error
	for range 21 {
		if _, err = c.Messages.New(t.Context(), hello("blind")); err != nil {
			break
		}
	}
	wantError(t, err, 429, "rate_limit_error", "")
	if e, ok := errors.AsType[*anthropic.Error](err); ok && (e.Response.Header.Get("Retry-After") == "" || e.Response.Header.Get("X-Should-Retry") != "") {
		t.Errorf("headers %v", e.Response.Header)
	}
}

func TestErrorInMidStream(t *testing.T) {
	s := newServer(t, setup{provider: script(func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		if err := emit(elumenta.Event{Kind: elumenta.EventText, Text: "Once"}); err != nil {
			return elumenta.Completion{}, err
		}
		return elumenta.Completion{}, &elumenta.ProviderError{Kind: elumenta.KindTruncated, Provider: "test", Message: "it broke off"}
	})})
	c := s.client()
	st := c.Messages.NewStreaming(t.Context(), hello("scripted"))
	defer func() { _ = st.Close() }()
	var m anthropic.Message
	for st.Next() {
		if err := m.Accumulate(st.Current()); err != nil {
			t.Fatal(err)
		}
	}
	wantError(t, st.Err(), 200, "api_error", "")
	if len(m.Content) != 1 || m.Content[0].Text != "Once" || m.StopReason != "" {
		t.Errorf("message %s", m.RawJSON())
	}
}

func TestAbortInMidStream(t *testing.T) {
	ended := make(chan error, 1)
	s := newServer(t, setup{provider: script(func(ctx context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		for _, e := range []elumenta.Event{{Kind: elumenta.EventText, Text: "Once"}, {Kind: elumenta.EventPause}} {
			if err := emit(e); err != nil {
				return elumenta.Completion{}, err
			}
		}
		<-ctx.Done()
		ended <- ctx.Err()
		return elumenta.Completion{}, ctx.Err()
	})})
	c := s.client()
	ctx, abort := context.WithCancel(t.Context())
	defer abort()
	st := c.Messages.NewStreaming(ctx, hello("scripted"))
	defer func() { _ = st.Close() }()
	for st.Next() {
		if st.Current().Delta.Text == "Once" {
			abort()
			break
		}
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the provider's call ended with %v", err)
	}
}
