package openaiapi_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/packages/ssestream"

	"github.com/elumenta/elumenta"
)

// failure is the error of a call that must fail.
func failure(t *testing.T, client openai.Client, params openai.ChatCompletionNewParams, options ...option.RequestOption) *openai.Error {
	t.Helper()
	_, err := client.Chat.Completions.New(t.Context(), params, options...)
	e, ok := errors.AsType[*openai.Error](err)
	if !ok {
		t.Fatalf("%v", err)
	}
	return e
}

// fails is a provider that fails after it said something, or at once.
func fails(e elumenta.ProviderError, pieces ...elumenta.Text) script {
	return func(ctx context.Context, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		if _, err := says(pieces...)(ctx, p, emit); err != nil {
			return elumenta.Completion{}, err
		}
		e.Provider = "test"
		return elumenta.Completion{}, &e
	}
}

func TestChatErrors(t *testing.T) {
	s := newServer(t, says("Hi"))
	before := s.balance()
	hello := []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hello")}
	scripted := openai.ChatCompletionNewParams{Model: "scripted", Messages: hello}
	for name, c := range map[string]struct {
		params   openai.ChatCompletionNewParams
		options  []option.RequestOption
		provider script
		status   int
		kind     string
		code     string
		param    string
		retry    string // X-Should-Retry
		after    string // Retry-After
	}{
		"wrong key":           {scripted, []option.RequestOption{option.WithAPIKey("sk-wrong")}, nil, 401, "invalid_request_error", "invalid_api_key", "", "false", ""},
		"unknown key":         {scripted, []option.RequestOption{option.WithAPIKey(elumenta.NewKeySecret().Reveal())}, nil, 401, "invalid_request_error", "invalid_api_key", "", "false", ""},
		"unknown model":       {openai.ChatCompletionNewParams{Model: "gpt-none", Messages: hello}, nil, nil, 404, "invalid_request_error", "model_not_found", "model", "false", ""},
		"unknown assistant":   {openai.ChatCompletionNewParams{Model: openai.ChatModel(elumenta.NewAssistantID()), Messages: hello}, nil, nil, 404, "invalid_request_error", "model_not_found", "model", "false", ""},
		"no messages":         {openai.ChatCompletionNewParams{Model: "scripted"}, nil, nil, 400, "invalid_request_error", "missing_required_parameter", "messages", "false", ""},
		"two answers":         {openai.ChatCompletionNewParams{Model: "scripted", Messages: hello, N: param.NewOpt[int64](2)}, nil, nil, 400, "invalid_request_error", "unsupported_value", "n", "false", ""},
		"variables":           {scripted, []option.RequestOption{option.WithJSONSet("variables", map[string]string{"a": "b"})}, nil, 400, "invalid_request_error", "invalid_value", "variables", "false", ""},
		"not JSON":            {scripted, []option.RequestOption{option.WithRequestBody("application/json", []byte(`{"model"`))}, nil, 400, "invalid_request_error", "", "", "false", ""},
		"not an object":       {scripted, []option.RequestOption{option.WithRequestBody("application/json", []byte(`[]`))}, nil, 400, "invalid_request_error", "", "", "false", ""},
		"context too long":    {scripted, nil, fails(elumenta.ProviderError{Kind: elumenta.KindRejected, Reason: elumenta.RejectContext, Message: "too long"}), 400, "invalid_request_error", "context_length_exceeded", "", "false", ""},
		"provider failed":     {scripted, nil, fails(elumenta.ProviderError{Kind: elumenta.KindFailed, Status: 500, Message: "failed"}), 502, "server_error", "provider_error", "", "", ""},
		"provider overloaded": {scripted, nil, fails(elumenta.ProviderError{Kind: elumenta.KindOverloaded, RetryAfter: 7e9}), 503, "server_error", "model_unavailable", "", "", "7"},
		"provider too slow":   {scripted, nil, fails(elumenta.ProviderError{Kind: elumenta.KindTimeout, Message: "slow"}), 504, "server_error", "provider_timeout", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if s.answers(says("Hi")); c.provider != nil {
				s.answers(c.provider)
			}
			e := failure(t, s.client(), c.params, c.options...)
			if e.StatusCode != c.status || e.Type != c.kind || e.Code != c.code || e.Param != c.param || e.Message == "" {
				t.Errorf("%d %s", e.StatusCode, e.RawJSON())
			}
			if h := e.Response.Header; h.Get("X-Should-Retry") != c.retry || h.Get("Retry-After") != c.after {
				t.Errorf("X-Should-Retry %q, Retry-After %q", h.Get("X-Should-Retry"), h.Get("Retry-After"))
			}
		})
	}
	if s.balance() != before {
		t.Errorf("%d tokens were spent", before-s.balance())
	}
}

// A request whose twin still runs may be sent again in a second: clients that retry by themselves are not told to stop.
func TestTwinOfARunningRequest(t *testing.T) {
	started, let := make(chan struct{}), make(chan struct{})
	s := newServer(t, func(ctx context.Context, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		close(started)
		<-let
		return says("Hi")(ctx, p, emit)
	})
	params := openai.ChatCompletionNewParams{Model: "scripted", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hello")}}
	key := option.WithHeader("Idempotency-Key", "k")
	client := s.client()
	var first sync.WaitGroup
	first.Go(func() {
		if _, err := client.Chat.Completions.New(t.Context(), params, key); err != nil {
			t.Error(err)
		}
	})
	<-started
	e := failure(t, s.client(), params, key)
	if h := e.Response.Header; e.StatusCode != http.StatusConflict || h.Get("X-Should-Retry") != "" || h.Get("Retry-After") != "1" {
		t.Errorf("%d, X-Should-Retry %q, Retry-After %q", e.StatusCode, h.Get("X-Should-Retry"), h.Get("Retry-After"))
	}
	close(let)
	first.Wait()
	if h := failure(t, s.client(), params, key).Response.Header; h.Get("X-Should-Retry") != "false" {
		t.Errorf("answered already: X-Should-Retry %q", h.Get("X-Should-Retry"))
	}
}

// A client that retries gets its answer, is charged for that alone, and does not retry what cannot be mended.
func TestChatRetries(t *testing.T) {
	s := newServer(t, nil)
	before := s.balance()
	s.answers(func(ctx context.Context, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		if s.calls() == 1 {
			return fails(elumenta.ProviderError{Kind: elumenta.KindFailed})(ctx, p, emit)
		}
		return says("Hi")(ctx, p, emit)
	})
	client := s.client(option.WithMaxRetries(1))
	params := openai.ChatCompletionNewParams{Model: "scripted", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hello")}}
	if c, err := client.Chat.Completions.New(t.Context(), params); err != nil || c.Choices[0].Message.Content != "Hi" || s.calls() != 2 {
		t.Errorf("%v after %d calls", err, s.calls())
	}
	if spent := before - s.balance(); spent != 4 {
		t.Errorf("%d tokens were spent", spent)
	}
	asked := 0
	count := option.WithMiddleware(func(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
		asked++
		return next(r)
	})
	once := option.WithHeader("Idempotency-Key", "k")
	if _, err := client.Chat.Completions.New(t.Context(), params, once); err != nil {
		t.Error(err)
	}
	if e := failure(t, client, params, once, count); e.StatusCode != http.StatusConflict || e.Code != "conflict" || asked != 1 || before-s.balance() != 8 {
		t.Errorf("%d requests: %d %s", asked, e.StatusCode, e.RawJSON())
	}
	params.Model, asked = "dear", 0
	e := failure(t, client, params, count)
	if e.StatusCode != http.StatusTooManyRequests || e.Code != "insufficient_quota" || e.Type != "insufficient_quota" || asked != 1 {
		t.Errorf("%d requests: %d %s", asked, e.StatusCode, e.RawJSON())
	}
}

// An error in mid-stream reaches the client as one, and costs nothing.
func TestChatStreamFails(t *testing.T) {
	s := newServer(t, fails(elumenta.ProviderError{Kind: elumenta.KindFailed, Message: "the provider failed"}, "Ahoy"))
	before := s.balance()
	client := s.client()
	stream := client.Chat.Completions.NewStreaming(t.Context(), openai.ChatCompletionNewParams{
		Model: "scripted", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hello")},
	})
	var text string
	for stream.Next() {
		text += stream.Current().Choices[0].Delta.Content
	}
	e, ok := errors.AsType[*ssestream.StreamError](stream.Err())
	if !ok || text != "Ahoy" || !strings.Contains(string(e.Event.Data), `"type":"server_error"`) || !strings.Contains(e.Message, "the provider failed") {
		t.Errorf("%q, then %v", text, stream.Err())
	}
	if s.balance() != before {
		t.Errorf("%d tokens were spent", before-s.balance())
	}
}

// Who leaves a stream after its first piece pays for it, as at /generate; who leaves a whole answer does not.
func TestChatAbort(t *testing.T) {
	began := make(chan struct{}, 1)
	s := newServer(t, func(ctx context.Context, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		if err := errors.Join(emit(elumenta.Event{Kind: elumenta.EventText, Text: "Ahoy"}), emit(elumenta.Event{Kind: elumenta.EventPause})); err != nil {
			return elumenta.Completion{}, err
		}
		began <- struct{}{}
		<-ctx.Done()
		return elumenta.Completion{}, &elumenta.ProviderError{Kind: elumenta.KindUnreachable, Cause: ctx.Err()}
	})
	before := s.balance()
	client := s.client()
	params := openai.ChatCompletionNewParams{Model: "scripted", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hello")}}
	stream := client.Chat.Completions.NewStreaming(t.Context(), params)
	for stream.Next() {
		if stream.Current().Choices[0].Delta.Content != "" {
			break
		}
	}
	<-began
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		<-began
		leave()
	}()
	if _, err := client.Chat.Completions.New(ctx, params); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	s.close()
	if spent := before - s.balance(); spent != 4 {
		t.Errorf("%d tokens were spent", spent)
	}
}
