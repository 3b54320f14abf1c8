package fantasy

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"testing"
	"time"

	"charm.land/fantasy"
	"charm.land/fantasy/object"
	"charm.land/fantasy/providers/anthropic"
	"charm.land/fantasy/providers/openai"
	"charm.land/fantasy/providers/openaicompat"
)

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// surfaces are the ways in which fantasy reaches the server, each with a provider for a key.
var surfaces = map[string]func(t *testing.T, key string) (fantasy.Provider, error){
	"chat": func(t *testing.T, key string) (fantasy.Provider, error) {
		return openai.New(openai.WithBaseURL(env(t, "BASE_URL")+"/v1"), openai.WithAPIKey(key))
	},
	"compatible": func(t *testing.T, key string) (fantasy.Provider, error) {
		return openaicompat.New(openaicompat.WithBaseURL(env(t, "BASE_URL")+"/v1"), openaicompat.WithAPIKey(key))
	},
	"responses": func(t *testing.T, key string) (fantasy.Provider, error) {
		return openai.New(openai.WithBaseURL(env(t, "BASE_URL")+"/v1"), openai.WithAPIKey(key), openai.WithUseResponsesAPI(),
			openai.WithResponsesAPIFunc(func(string) bool { return true }))
	},
	"messages": func(t *testing.T, key string) (fantasy.Provider, error) {
		return anthropic.New(anthropic.WithBaseURL(env(t, "BASE_URL")), anthropic.WithAPIKey(key))
	},
}

func env(t *testing.T, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		t.Fatalf("%s is not set: e2e's TestFantasy runs this against the program", name)
	}
	return v
}

func model(t *testing.T, surface, key, name string) fantasy.LanguageModel {
	t.Helper()
	p, err := surfaces[surface](t, key)
	if err != nil {
		t.Fatal(err)
	}
	m, err := p.LanguageModel(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFantasy(t *testing.T) {
	for surface := range surfaces {
		t.Run(surface, func(t *testing.T) {
			t.Parallel()
			m := model(t, surface, env(t, "API_KEY"), env(t, "ASSISTANT"))
			t.Run("chat", func(t *testing.T) { chats(t, m) })
			t.Run("tools", func(t *testing.T) { callsTools(t, m) })
			t.Run("structured output", func(t *testing.T) { makesObjects(t, m) })
			t.Run("image", func(t *testing.T) { sees(t, m) })
			t.Run("errors", func(t *testing.T) { fails(t, surface, m) })
			t.Run("retry", func(t *testing.T) { retries(t, surface, m) })
			t.Run("abort", func(t *testing.T) { aborts(t, m) })
		})
	}
}

func chats(t *testing.T, m fantasy.LanguageModel) {
	agent := fantasy.NewAgent(m)
	answer, err := agent.Generate(t.Context(), fantasy.AgentCall{Prompt: "Hello"})
	if err != nil {
		t.Fatal(err)
	}
	r := answer.Response
	if r.Content.Text() != "Hello from upstream" || r.FinishReason != fantasy.FinishReasonStop || r.Usage.InputTokens != 10 || r.Usage.OutputTokens != 4 {
		t.Errorf("the answer is %q, %s, %s", r.Content.Text(), r.FinishReason, r.Usage)
	}
	var pieces []string
	streamed, err := agent.Stream(t.Context(), fantasy.AgentStreamCall{Prompt: "Hello", OnTextDelta: func(_, text string) error {
		pieces = append(pieces, text)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if r := streamed.Response; r.Content.Text() != "Hello from upstream" || r.Usage.OutputTokens != 4 || len(pieces) != 2 {
		t.Errorf("the streamed answer is %q in %q, %s", r.Content.Text(), pieces, r.Usage)
	}
}

func callsTools(t *testing.T, m fantasy.LanguageModel) {
	type place struct {
		City string `json:"city"`
	}
	var cities []string
	weather := fantasy.NewAgentTool("get_weather", "The weather in a city.", func(_ context.Context, in place, call fantasy.ToolCall) (fantasy.ToolResponse, error) {
		if call.ID != "call_1" {
			t.Errorf("the call's id is %q", call.ID)
		}
		cities = append(cities, in.City)
		return fantasy.NewTextResponse("21 degrees"), nil
	})
	agent := fantasy.NewAgent(m, fantasy.WithTools(weather))
	const question = "What is the weather in Paris?"
	whole, err := agent.Generate(t.Context(), fantasy.AgentCall{Prompt: question})
	if err != nil {
		t.Fatal(err)
	}
	streamed, err := agent.Stream(t.Context(), fantasy.AgentStreamCall{Prompt: question})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*fantasy.AgentResult{whole, streamed} {
		if text := r.Response.Content.Text(); text != "It is 21 degrees" || len(r.Steps) != 2 {
			t.Errorf("after %d steps the answer is %q", len(r.Steps), text)
		}
	}
	if len(cities) != 2 || cities[0] != "Paris" || cities[1] != "Paris" {
		t.Errorf("the tool was asked for %q", cities)
	}
}

func makesObjects(t *testing.T, m fantasy.LanguageModel) {
	type answer struct {
		Word string `json:"word"`
	}
	call := fantasy.ObjectCall{Prompt: fantasy.Prompt{fantasy.NewUserMessage("A word")}, SchemaName: "word"}
	whole, err := object.Generate[answer](t.Context(), m, call)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := object.Stream[answer](t.Context(), m, call)
	if err != nil {
		t.Fatal(err)
	}
	streamed, err := stream.Object()
	if err != nil {
		t.Fatal(err)
	}
	if whole.Object.Word != "Hello" || streamed.Object.Word != "Hello" {
		t.Errorf("the words are %q and %q", whole.Object.Word, streamed.Object.Word)
	}
}

func sees(t *testing.T, m fantasy.LanguageModel) {
	png, err := base64.StdEncoding.DecodeString(pixel)
	if err != nil {
		t.Fatal(err)
	}
	file := fantasy.FilePart{Filename: "pixel.png", MediaType: "image/png", Data: png}
	answer, err := fantasy.NewAgent(m).Generate(t.Context(), fantasy.AgentCall{Prompt: "What is it?", Files: []fantasy.FilePart{file}})
	if err != nil {
		t.Fatal(err)
	}
	if text := answer.Response.Content.Text(); text != "An image" {
		t.Errorf("the answer is %q", text)
	}
}

func fails(t *testing.T, surface string, m fantasy.LanguageModel) {
	hot := 9.0
	for name, c := range map[string]struct {
		model  fantasy.LanguageModel
		call   fantasy.AgentCall
		status int
	}{
		"wrong key":   {model(t, surface, "nb_wrong", env(t, "ASSISTANT")), fantasy.AgentCall{Prompt: "Hello"}, http.StatusUnauthorized},
		"no model":    {model(t, surface, env(t, "API_KEY"), "no-such-model"), fantasy.AgentCall{Prompt: "Hello"}, http.StatusNotFound},
		"temperature": {m, fantasy.AgentCall{Prompt: "Hello", Temperature: &hot}, http.StatusBadRequest},
	} {
		_, err := fantasy.NewAgent(c.model, fantasy.WithMaxRetries(0)).Generate(t.Context(), c.call)
		failed, ok := errors.AsType[*fantasy.ProviderError](err)
		if !ok || failed.StatusCode != c.status || failed.IsRetryable() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func retries(t *testing.T, surface string, m fantasy.LanguageModel) {
	retried := 0
	agent := fantasy.NewAgent(m, fantasy.WithOnRetry(func(*fantasy.ProviderError, time.Duration) { retried++ }))
	answer, err := agent.Generate(t.Context(), fantasy.AgentCall{Prompt: "Fail once, fantasy " + surface})
	if err != nil {
		t.Fatal(err)
	}
	if text := answer.Response.Content.Text(); text != "Hello from upstream" || retried != 1 {
		t.Errorf("after %d retries the answer is %q", retried, text)
	}
}

func aborts(t *testing.T, m fantasy.LanguageModel) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := fantasy.NewAgent(m).Stream(ctx, fantasy.AgentStreamCall{Prompt: "Never end", OnTextDelta: func(_, _ string) error {
		cancel()
		return nil
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the stream ended with %v", err)
	}
}
