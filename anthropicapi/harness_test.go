package anthropicapi_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"go.uber.org/goleak"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/anthropicapi"
	"github.com/elumenta/elumenta/generate"
	"github.com/elumenta/elumenta/httpapi"
	"github.com/elumenta/elumenta/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a provider that does what a test says.
type script func(ctx context.Context, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error)

func (s script) Generate(ctx context.Context, _ elumenta.Target, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
	return s(ctx, p, emit)
}

// server is the API on a real database and the real pipeline, with the model scripted.
type server struct {
	t        *testing.T
	url      string
	store    *store.Store
	owner    elumenta.AccountID
	key      string
	requests atomic.Int64

	mu      sync.Mutex
	prompts []*elumenta.Prompt // what the scripted model was asked
}

type setup struct {
	provider elumenta.Provider // of the model scripted
	baseURL  string            // of its target
	target   *elumenta.Target  // in place of its own
	silence  time.Duration
	listener net.Listener // in place of a port of this machine
	plan     string
}

func newServer(t *testing.T, o setup) *server {
	t.Helper()
	plans := elumenta.DefaultPlans()
	db, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db"), Plans: plans, Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &server{t: t, store: db}
	if o.plan == "" {
		o.plan = "unlimited"
	}
	s.key, s.owner = s.account(o.plan)
	client := &http.Client{Transport: &http.Transport{}}
	whole := elumenta.Range{Max: 2}
	model := func(slug string, cost int64) elumenta.Model {
		m := elumenta.Model{
			Slug: slug, Name: slug, Category: "text", Provider: "test", MinPlan: "free", TokenCost: cost, UpstreamID: slug,
			Capabilities: elumenta.Capabilities{
				Temperature: &whole, TopP: &whole, Stop: 4, Vision: true, FetchesURLs: true, JSONSchema: true, Tools: true, Cache: elumenta.CacheMarks, CacheMinimum: 1024,
			},
		}
		m.Routes = []elumenta.Route{{Provider: recorded{s, o.provider}, Unguarded: true, Target: elumenta.Target{
			Name: "test", Model: slug, BaseURL: o.baseURL, Credential: elumenta.NewSecret("secret"), Client: client, Capabilities: m.Capabilities,
		}}}
		return m
	}
	scripted := model("scripted", 3)
	if o.target != nil {
		scripted.Routes[0].Target = *o.target
	}
	away := model("away", 1)
	away.Routes = nil
	blind := model("blind", 1)
	blind.Capabilities = elumenta.Capabilities{}
	expert := model("expert", 1)
	expert.MinPlan = "unlimited"
	catalog := elumenta.NewCatalog([]elumenta.Model{scripted, model("dear", 1_000_000_000), away, blind, expert})
	pipeline := generate.New(generate.Options{Store: db, Catalog: catalog, Plans: plans, Silence: o.silence})
	api, err := httpapi.New(httpapi.Options{
		Accounts: db, Operators: db, Assistants: db, Usage: db, Generator: pipeline, Secret: db.InstallationSecret(),
		Settings: httpapi.Settings{Catalog: catalog, Plans: plans, RequestsPerMinute: 1_000_000, GenerateBody: 1 << 20}, Version: "test",
		ModelSurface: anthropicapi.Messages{},
		Surfaces:     []httpapi.SurfaceRoute{{Path: "/v1/messages", Surface: anthropicapi.Messages{}, RequestIDHeader: "Request-Id", ModelsHeader: "Anthropic-Version", Absent: map[string]string{"/v1/messages/count_tokens": "not counted"}, ID: "create-message", Summary: "Messages"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		api.ServeHTTP(w, r)
	}))
	if o.listener != nil {
		_ = h.Listener.Close()
		h.Listener = o.listener
	}
	h.Start()
	t.Cleanup(func() {
		h.Close()
		client.CloseIdleConnections()
		if err := pipeline.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	s.url = h.URL
	return s
}

// recorded notes what a provider is asked.
type recorded struct {
	s *server
	elumenta.Provider
}

func (r recorded) Generate(ctx context.Context, t elumenta.Target, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
	r.s.mu.Lock()
	r.s.prompts = append(r.s.prompts, p)
	r.s.mu.Unlock()
	return r.Provider.Generate(ctx, t, p, emit)
}

// prompt is the last one that the model was asked.
func (s *server) prompt() *elumenta.Prompt {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.prompts) == 0 {
		s.t.Fatal("the model was asked nothing")
	}
	return s.prompts[len(s.prompts)-1]
}

func (s *server) account(plan string) (key string, id elumenta.AccountID) {
	s.t.Helper()
	acct, _, err := s.store.CreateAccount(s.t.Context(), elumenta.NewAccount{DisplayName: "Ada", Role: elumenta.RoleUser, Plan: plan}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	secret := elumenta.NewKeySecret()
	if _, _, err := s.store.CreateKey(s.t.Context(), acct.ID, elumenta.NewKey{Name: "test"}, secret, nil); err != nil {
		s.t.Fatal(err)
	}
	return secret.Reveal(), acct.ID
}

// client is Anthropic's own, which sends the key as x-api-key.
func (s *server) client(more ...option.RequestOption) anthropic.Client {
	return anthropic.NewClient(append([]option.RequestOption{
		option.WithoutEnvironmentDefaults(), option.WithBaseURL(s.url), option.WithAPIKey(s.key), option.WithHTTPClient(http.DefaultClient),
	}, more...)...)
}

// hello is a request that asks for little.
func hello(model string) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{
		Model: model, MaxTokens: 100, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("Hello"))},
	}
}

// says answers with pieces of text.
func says(pieces ...elumenta.Text) script {
	return func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		done := elumenta.Completion{Finish: elumenta.FinishStop, Usage: elumenta.Usage{
			PromptTokens: 100, CompletionTokens: 7, CachedTokens: 60, CacheWriteTokens: 30, ReasoningTokens: 2,
		}}
		for _, p := range pieces {
			if err := emit(elumenta.Event{Kind: elumenta.EventText, Text: p}); err != nil {
				return done, err
			}
			if err := emit(elumenta.Event{Kind: elumenta.EventPause}); err != nil {
				return done, err
			}
		}
		return done, nil
	}
}
