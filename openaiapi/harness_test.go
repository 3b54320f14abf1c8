package openaiapi_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"go.uber.org/goleak"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/generate"
	"github.com/elumenta/elumenta/httpapi"
	"github.com/elumenta/elumenta/openaiapi"
	"github.com/elumenta/elumenta/provider/sandbox"
	"github.com/elumenta/elumenta/store"
)

// surfaces are what the servers of the tests serve.
var surfaces = []httpapi.SurfaceRoute{
	{Path: "/v1/chat/completions", Surface: openaiapi.Chat{}, ID: "createChatCompletion", Summary: "Chat Completions", Reference: "https://platform.openai.com/docs/api-reference/chat"},
	{Path: "/v1/responses", Surface: openaiapi.Responses{}, Absent: map[string]string{"/v1/threads": "no threads"}, ID: "createResponse", Summary: "Responses", Reference: "https://platform.openai.com/docs/api-reference/responses"},
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a provider that does what a test says.
type script func(ctx context.Context, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error)

func (s script) Generate(ctx context.Context, _ elumenta.Target, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
	return s(ctx, p, emit)
}

// done is how a scripted answer ends.
var done = elumenta.Completion{Finish: elumenta.FinishStop, Usage: elumenta.Usage{PromptTokens: 30, CompletionTokens: 12, CachedTokens: 20, ReasoningTokens: 5}}

// says is a provider that answers in pieces.
func says(pieces ...elumenta.Text) script {
	return func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		for _, piece := range pieces {
			if err := emit(elumenta.Event{Kind: elumenta.EventText, Text: piece}); err != nil {
				return elumenta.Completion{}, err
			}
		}
		return done, nil
	}
}

// server is the API on a real database and the real pipeline.
type server struct {
	t       *testing.T
	url     string
	store   *store.Store
	account elumenta.AccountID
	key     elumenta.KeySecret
	log     *logBuffer

	// close ends the server once all that it answers is answered and settled.
	close func()

	mu      sync.Mutex
	answer  script
	prompts []*elumenta.Prompt // what the provider got
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newServer serves an account with a balance, and the models scripted, which costs 4, dear, which costs more than there is, poor, which takes
// text only, and sandbox.
func newServer(t *testing.T, answer script) *server {
	t.Helper()
	s := &server{t: t, answer: answer, log: &logBuffer{}, key: elumenta.NewKeySecret()}
	logger := slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	plans := elumenta.DefaultPlans()
	var err error
	if s.store, err = store.Open(t.Context(), store.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db"), Plans: plans, Serve: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.store.Close(); err != nil {
			t.Error(err)
		}
	})
	s.account = s.newAccount("pro", s.key)
	all := elumenta.Capabilities{
		Temperature: &elumenta.Range{Max: 1}, TopP: &elumenta.Range{Max: 1}, Stop: 4, JSONObject: true, JSONSchema: true, Tools: true, Vision: true,
		Cache: elumenta.CachePrefix, CacheMinimum: 10,
	}
	scripted := script(func(ctx context.Context, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		s.mu.Lock()
		s.prompts = append(s.prompts, p)
		answer := s.answer
		s.mu.Unlock()
		return answer(ctx, p, emit)
	})
	model := func(slug string, cost int64, c elumenta.Capabilities, p elumenta.Provider) elumenta.Model {
		return elumenta.Model{
			Slug: slug, Name: slug, Category: "text", Provider: "test", MinPlan: "free", TokenCost: cost, UpstreamID: slug, Capabilities: c,
			Routes: []elumenta.Route{{Provider: p, Unguarded: true, Target: elumenta.Target{Name: "test", Model: slug, Client: http.DefaultClient, Capabilities: c}}},
		}
	}
	catalog := elumenta.NewCatalog([]elumenta.Model{
		model("scripted", 4, all, scripted), model("dear", 1_000_000_000, all, scripted), model("poor", 1, elumenta.Capabilities{}, scripted),
		model("sandbox", 0, all, sandbox.Provider{}),
	})
	pipeline := generate.New(generate.Options{Store: s.store, Catalog: catalog, Plans: plans, Logger: logger})
	api, err := httpapi.New(httpapi.Options{
		Accounts: s.store, Operators: s.store, Assistants: s.store, Usage: s.store, Generator: pipeline,
		Settings: httpapi.Settings{Catalog: catalog, Plans: plans, CORSOrigins: []string{"https://app.example"}},
		Secret:   s.store.InstallationSecret(), Logger: logger, Version: "test",
		Surfaces: surfaces, ModelSurface: openaiapi.Chat{},
	})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(api)
	s.close = sync.OnceFunc(func() {
		h.Close()
		if err := pipeline.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(s.close)
	s.url = h.URL
	return s
}

// newAccount makes an account with a key.
func (s *server) newAccount(plan string, key elumenta.KeySecret) elumenta.AccountID {
	s.t.Helper()
	a, _, err := s.store.CreateAccount(s.t.Context(), elumenta.NewAccount{DisplayName: "Ada", Role: elumenta.RoleUser, Plan: plan}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, _, err := s.store.CreateKey(s.t.Context(), a.ID, elumenta.NewKey{Name: "test"}, key, nil); err != nil {
		s.t.Fatal(err)
	}
	return a.ID
}

// assistant makes an assistant of the account.
func (s *server) assistant(f elumenta.Fields) *elumenta.Assistant {
	s.t.Helper()
	a, _, err := s.store.CreateAssistant(s.t.Context(), s.account, f, elumenta.Private, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// edit makes another version of an assistant.
func (s *server) edit(a *elumenta.Assistant, instructions elumenta.Text) {
	s.t.Helper()
	if _, err := s.store.UpdateAssistant(s.t.Context(), s.account, a.ID, 0, &elumenta.Patch{Instructions: elumenta.Some(instructions)}); err != nil {
		s.t.Fatal(err)
	}
}

// balance is what the account has.
func (s *server) balance() int64 {
	s.t.Helper()
	a, err := s.store.Account(s.t.Context(), s.account)
	if err != nil {
		s.t.Fatal(err)
	}
	return a.Balance.Total()
}

// answers sets what the provider does from now on.
func (s *server) answers(answer script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// prompt is what the provider got last.
func (s *server) prompt() *elumenta.Prompt {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.prompts) == 0 {
		s.t.Fatal("the provider was not asked")
	}
	return s.prompts[len(s.prompts)-1]
}

// calls is how often the provider was asked.
func (s *server) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.prompts)
}

// client is the official one, which does not retry unless it is told to.
func (s *server) client(options ...option.RequestOption) openai.Client {
	return openai.NewClient(append([]option.RequestOption{
		option.WithBaseURL(s.url + "/v1"), option.WithAPIKey(s.key.Reveal()), option.WithMaxRetries(0), option.WithHTTPClient(s.httpClient()),
	}, options...)...)
}

// post sends a body as it is.
func (s *server) post(path, body string) (status int, answer string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key.Reveal())
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.httpClient().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// httpClient is one without connections that outlive the test.
func (s *server) httpClient() *http.Client {
	transport := &http.Transport{}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}
