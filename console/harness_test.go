package console_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/console"
	"github.com/elumenta/elumenta/generate"
	"github.com/elumenta/elumenta/httpapi"
	"github.com/elumenta/elumenta/openaiapi"
	"github.com/elumenta/elumenta/provider/sandbox"
	"github.com/elumenta/elumenta/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(tests{m}) }

// server is the console with the API on a real database and the real pipeline.
type server struct {
	t       *testing.T
	url     string
	handler http.Handler // what is served there
	store   *store.Store
	log     *logBuffer
	admin   elumenta.KeySecret // of the first account
	// suggested are the starters for a new account.
	suggested []elumenta.AssistantID
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

func newServer(t *testing.T) *server {
	t.Helper()
	return newServerOn(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
}

// newServerOn serves from a database of either engine.
func newServerOn(t *testing.T, database string, change ...func(*httpapi.Options)) *server {
	t.Helper()
	plans := elumenta.DefaultPlans()
	logs := &logBuffer{}
	logger := slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	db, err := store.Open(t.Context(), store.Options{URL: database, Plans: plans, Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &server{t: t, store: db, log: logs, admin: elumenta.NewKeySecret()}
	if _, err := db.Bootstrap(t.Context(), s.admin, elumenta.NewAccount{DisplayName: "Ada", Role: elumenta.RoleAdmin, Plan: "unlimited"}, "First key"); err != nil {
		t.Fatal(err)
	}
	catalog := testCatalog()
	pipeline := generate.New(generate.Options{Store: db, Catalog: catalog, Plans: plans, Logger: logger})
	o := httpapi.Options{
		Accounts: db, Operators: db, Assistants: db, Usage: db, Generator: pipeline, Secret: db.InstallationSecret(),
		Logger: logger, Version: "test",
		Surfaces: []httpapi.SurfaceRoute{{Path: "/v1/chat/completions", Surface: openaiapi.Chat{}, ID: "chat-completions"}},
		Settings: httpapi.Settings{
			Catalog: catalog, Plans: plans, RequestsPerMinute: 1_000_000,
			Providers: []elumenta.ProviderSetup{{Name: "test", Configured: true}, {Name: "openai", Variable: "OPENAI_API_KEY"}, {Name: "spare", Configured: true}},
		},
	}
	for _, c := range change {
		c(&o)
	}
	api, err := httpapi.New(o)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := console.New(console.Options{API: api, Sessions: db, Logger: logger, Version: "test", FormTimeout: 2 * time.Second, Suggested: func() []elumenta.AssistantID { return s.suggested }})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", api)
	mux.Handle(console.Base, api.Pages(pages))
	h := httptest.NewServer(mux)
	t.Cleanup(func() {
		h.Close()
		if err := pipeline.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	s.url, s.handler = h.URL, mux
	return s
}

// testCatalog has a model that answers, one with a price and blind, and one that no provider is configured for.
func testCatalog() *elumenta.Catalog {
	whole := elumenta.Range{Max: 2}
	model := func(slug string, cost int64, p elumenta.Provider) elumenta.Model {
		m := elumenta.Model{
			Slug: slug, Name: slug, Category: "text", Provider: "test", MinPlan: "free", TokenCost: cost, UpstreamID: slug,
			Capabilities: elumenta.Capabilities{Temperature: &whole, Stop: 4, Vision: slug != "paid", JSONSchema: true, JSONObject: true},
		}
		if cost > 1 {
			m.Capabilities.Cache, m.Capabilities.CacheMinimum = elumenta.CacheMarks, 10
		}
		if p != nil {
			m.Routes = []elumenta.Route{{Provider: p, Unguarded: cost == 0, Target: elumenta.Target{Name: "test", Model: slug, Client: http.DefaultClient, Capabilities: m.Capabilities}}}
		}
		return m
	}
	return elumenta.NewCatalog([]elumenta.Model{model("sandbox", 0, sandbox.Provider{}), model("paid", 7, sandbox.Provider{}), model("away", 1, nil)})
}

// account makes an account with a key.
func (s *server) account(name, plan string) (elumenta.KeySecret, elumenta.AccountID) {
	s.t.Helper()
	acct, _, err := s.store.CreateAccount(s.t.Context(), elumenta.NewAccount{DisplayName: name, Role: elumenta.RoleUser, Plan: plan}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	secret := elumenta.NewKeySecret()
	if _, _, err := s.store.CreateKey(s.t.Context(), acct.ID, elumenta.NewKey{Name: "test"}, secret, nil); err != nil {
		s.t.Fatal(err)
	}
	return secret, acct.ID
}

// browser is a person's: it keeps cookies and does not follow redirects by itself.
type browser struct {
	s      *server
	client *http.Client
	// Language is sent as Accept-Language.
	Language string
}

func (s *server) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	s.t.Cleanup(client.CloseIdleConnections)
	return &browser{s: s, client: client}
}

// signedIn is a browser that is signed in with a key.
func (s *server) signedIn(key elumenta.KeySecret) *browser {
	s.t.Helper()
	b := s.browser()
	b.post("sign-in", url.Values{"key": {key.Reveal()}}).to(console.Base)
	return b
}

// shown is what a browser was answered.
type shown struct {
	t      *testing.T
	status int
	header http.Header
	body   string
}

// get asks for a page under /console/.
func (b *browser) get(path string) *shown {
	b.s.t.Helper()
	return b.do(http.MethodGet, path, nil)
}

// post sends a form.
func (b *browser) post(path string, form url.Values, headers ...string) *shown {
	b.s.t.Helper()
	return b.do(http.MethodPost, path, strings.NewReader(form.Encode()), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
}

func (b *browser) do(method, path string, body io.Reader, headers ...string) *shown {
	b.s.t.Helper()
	req, err := http.NewRequestWithContext(b.s.t.Context(), method, b.s.url+console.Base+path, body)
	if err != nil {
		b.s.t.Fatal(err)
	}
	if b.Language != "" {
		req.Header.Set("Accept-Language", b.Language)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := b.client.Do(req)
	if err != nil {
		b.s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.s.t.Fatal(err)
	}
	return &shown{b.s.t, resp.StatusCode, resp.Header, string(text)}
}

// ok fails unless the page was answered, with all of texts on it.
func (s *shown) ok(texts ...string) *shown {
	s.t.Helper()
	return s.is(http.StatusOK, texts...)
}

// is fails unless the page has a status and all of texts on it.
func (s *shown) is(status int, texts ...string) *shown {
	s.t.Helper()
	if s.status != status {
		s.t.Fatalf("status %d, want %d:\n%s", s.status, status, s.body)
	}
	for _, text := range texts {
		if !strings.Contains(s.body, text) {
			s.t.Errorf("the page does not have %q:\n%s", text, s.body)
		}
	}
	return s
}

// without fails if one of texts is on the page.
func (s *shown) without(texts ...string) *shown {
	s.t.Helper()
	for _, text := range texts {
		if strings.Contains(s.body, text) {
			s.t.Errorf("the page has %q:\n%s", text, s.body)
		}
	}
	return s
}

// to fails unless the answer leads to a path.
func (s *shown) to(path string) {
	s.t.Helper()
	if s.status != http.StatusSeeOther || s.header.Get("Location") != path {
		s.t.Fatalf("status %d to %q, want a redirect to %q:\n%s", s.status, s.header.Get("Location"), path, s.body)
	}
}
