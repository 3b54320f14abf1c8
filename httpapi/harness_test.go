package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.uber.org/goleak"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/generate"
	"github.com/elumenta/elumenta/httpapi"
	"github.com/elumenta/elumenta/provider/sandbox"
	"github.com/elumenta/elumenta/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a provider that does what a test says.
type script func(ctx context.Context, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error)

func (s script) Generate(ctx context.Context, _ elumenta.Target, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
	return s(ctx, p, emit)
}

// server is the API on a real database and the real pipeline. Every answer is held against its own OpenAPI document.
type server struct {
	t     *testing.T
	url   string
	store *store.Store
	log   *logBuffer
	reg   *prometheus.Registry
	doc   *document
	api   *httpapi.API
	// settings are those that it began with.
	settings httpapi.Settings
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

type setup struct {
	plans    elumenta.Plans
	scripted script
	retires  time.Time
	options  func(*httpapi.Options)
	generate func(*generate.Options)
	now      func() time.Time // the store's clock
}

func newServer(t *testing.T, s setup) *server {
	t.Helper()
	if s.plans == nil {
		s.plans = elumenta.DefaultPlans()
	}
	logs := &logBuffer{}
	logger := slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	db, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db"), Plans: s.plans, Serve: true, Now: s.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	catalog := testCatalog(s.scripted, s.retires)
	g := generate.Options{Store: db, Catalog: catalog, Plans: s.plans, Logger: logger}
	if s.generate != nil {
		s.generate(&g)
	}
	pipeline := generate.New(g)
	reg := prometheus.NewRegistry()
	o := httpapi.Options{
		Accounts: db, Operators: db, Assistants: db, Usage: db, Generator: pipeline, Secret: db.InstallationSecret(),
		Settings: httpapi.Settings{Catalog: catalog, Plans: s.plans, RequestsPerMinute: 1_000_000}, Logger: logger, Metrics: reg, Version: "test",
	}
	if s.options != nil {
		s.options(&o)
	}
	api, err := httpapi.New(o)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(api)
	t.Cleanup(func() {
		h.Close()
		if err := pipeline.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	srv := &server{t: t, url: h.URL, store: db, log: logs, reg: reg, api: api, settings: o.Settings}
	srv.doc = newDocument(t, srv.raw(http.MethodGet, "/openapi.json", "", nil).body)
	return srv
}

func testCatalog(s script, retires time.Time) *elumenta.Catalog {
	whole := elumenta.Range{Max: 2}
	model := func(slug string, cost int64, p elumenta.Provider) elumenta.Model {
		m := elumenta.Model{
			Slug: slug, Name: slug, Category: "text", Provider: "test", MinPlan: "free", TokenCost: cost, UpstreamID: slug,
			Capabilities: elumenta.Capabilities{Temperature: &whole, Stop: 4, Vision: true, JSONSchema: true, JSONObject: true},
		}
		if p != nil {
			m.Routes = []elumenta.Route{{Provider: p, Unguarded: true, Target: elumenta.Target{Name: "test", Model: slug, Client: http.DefaultClient, Capabilities: m.Capabilities}}}
		}
		return m
	}
	models := []elumenta.Model{model("sandbox", 0, sandbox.Provider{}), model("paid", 7, sandbox.Provider{}), model("away", 1, nil)}
	models[1].Capabilities.Cache, models[1].Capabilities.CacheMinimum = elumenta.CacheMarks, 1024
	if s != nil {
		models = append(models, model("scripted", 3, s))
	}
	if !retires.IsZero() {
		soon := model("away-soon", 0, sandbox.Provider{})
		soon.RetiresAt, soon.ReplacedBy = retires, "sandbox"
		models = append(models, soon)
	}
	return elumenta.NewCatalog(models)
}

// account makes an account with a key.
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

type reply struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

// raw sends a request as it is; headers are pairs.
func (s *server) raw(method, path, key string, body io.Reader, headers ...string) *reply {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Del(headers[i])
		if headers[i+1] != "" {
			req.Header.Add(headers[i], headers[i+1])
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	r := &reply{t: s.t, status: res.StatusCode, header: res.Header, body: b}
	if id := res.Header.Get("X-Request-Id"); !strings.HasPrefix(id, "req_") {
		s.t.Errorf("%s %s: X-Request-Id %q", method, path, id)
	}
	if s.doc != nil {
		s.doc.check(s.t, method, path, r)
	}
	return r
}

// do sends a body: a string as it is, anything else as JSON.
func (s *server) do(method, path, key string, body any, headers ...string) *reply {
	s.t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	case []byte:
		r = bytes.NewReader(b)
	default:
		j, err := json.Marshal(b)
		if err != nil {
			s.t.Fatal(err)
		}
		r = bytes.NewReader(j)
	}
	return s.raw(method, httpapi.Base+path, key, r, headers...)
}

type object = map[string]any

func (r *reply) json() object {
	r.t.Helper()
	var v object
	if err := json.Unmarshal(r.body, &v); err != nil {
		r.t.Fatalf("status %d, not JSON: %.200q", r.status, r.body)
	}
	return v
}

func (r *reply) want(status int) object {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	if len(r.body) == 0 {
		return nil
	}
	return r.json()
}

// wantError checks status and code, and returns the message.
func (r *reply) wantError(status int, code elumenta.Code) string {
	r.t.Helper()
	v := r.want(status)
	if v["error"] != string(code) || v["request_id"] != r.header.Get("X-Request-Id") {
		r.t.Fatalf("got %s, want the code %s", r.body, code)
	}
	message, _ := v["message"].(string)
	return message
}

// wantFields checks that exactly these fields are named.
func (r *reply) wantFields(fields ...string) {
	r.t.Helper()
	r.wantError(http.StatusUnprocessableEntity, elumenta.CodeValidation)
	var v struct {
		Details struct{ Fields []elumenta.FieldError }
	}
	if err := json.Unmarshal(r.body, &v); err != nil {
		r.t.Fatal(err)
	}
	var got []string
	for _, f := range v.Details.Fields {
		got = append(got, f.Field)
	}
	slices.Sort(got)
	slices.Sort(fields)
	if !slices.Equal(got, fields) {
		r.t.Errorf("fields %q, want %q: %s", got, fields, r.body)
	}
}

// events reads a stream; the last line must be [DONE].
func (r *reply) events() []object {
	r.t.Helper()
	var events []object
	done := false
	lines := bufio.NewScanner(bytes.NewReader(r.body))
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		switch {
		case !ok && (lines.Text() == "" || strings.HasPrefix(lines.Text(), ":")):
		case done || !ok:
			r.t.Fatalf("unexpected line %q", lines.Text())
		case data == "[DONE]":
			done = true
		default:
			var e object
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				r.t.Fatalf("event %q: %v", data, err)
			}
			events = append(events, e)
		}
	}
	if !done {
		r.t.Fatalf("no [DONE] at the end of %.300q", r.body)
	}
	return events
}

// document validates answers against the OpenAPI document.
type document struct {
	paths     map[string]map[string]operation
	responses map[string]response
	compiler  *jsonschema.Compiler
	mu        sync.Mutex
	seen      map[string]bool // operations and statuses that were checked
}

type operation struct {
	Responses   map[string]response
	RequestBody struct {
		Content map[string]struct{ Schema object }
	}
}

type response struct {
	Ref     string `json:"$ref"`
	Content map[string]struct{ Schema object }
}

const documentURL = "test:///openapi.json"

func newDocument(t *testing.T, b []byte) *document {
	t.Helper()
	var d struct {
		Paths      map[string]map[string]operation
		Components struct{ Responses map[string]response }
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(documentURL, whole); err != nil {
		t.Fatal(err)
	}
	return &document{paths: d.Paths, responses: d.Components.Responses, compiler: c, seen: map[string]bool{}}
}

// match finds the path that an address belongs to; a literal part beats a parameter.
func (d *document) match(address string) string {
	address, _, _ = strings.Cut(address, "?")
	best := ""
	for p := range d.paths {
		have, want := strings.Split(address, "/"), strings.Split(p, "/")
		if len(have) != len(want) {
			continue
		}
		fits := true
		for i := range want {
			fits = fits && (want[i] == have[i] || strings.HasPrefix(want[i], "{"))
		}
		if fits && (best == "" || strings.Count(p, "{") < strings.Count(best, "{")) {
			best = p
		}
	}
	return best
}

func (d *document) check(t *testing.T, method, address string, r *reply) {
	t.Helper()
	p := d.match(address)
	op, ok := d.paths[p][strings.ToLower(method)]
	if !ok {
		return // no such route: the harness checks the error's shape
	}
	status := strconv.Itoa(r.status)
	res, ok := op.Responses[status]
	if !ok {
		t.Errorf("%s %s answers %d, which the document does not list: %s", method, p, r.status, r.body)
		return
	}
	ref := res.Ref
	if ref != "" {
		res = d.responses[path.Base(ref)]
	}
	d.mu.Lock()
	d.seen[method+" "+p+" "+status] = true
	d.mu.Unlock()
	if len(res.Content) == 0 {
		if len(r.body) > 0 {
			t.Errorf("%s %s %d: a body that the document does not have", method, p, r.status)
		}
		return
	}
	media, _, _ := strings.Cut(r.header.Get("Content-Type"), ";")
	if _, ok := res.Content[media]; !ok {
		t.Errorf("%s %s %d: Content-Type %q, the document has %v", method, p, r.status, media, slices.Collect(maps.Keys(res.Content)))
		return
	}
	at := "#/paths/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(p) + "/" + strings.ToLower(method) + "/responses/" + status
	if ref != "" {
		at = ref
	}
	at += "/content/" + strings.ReplaceAll(media, "/", "~1") + "/schema"
	switch media {
	case "application/json":
		d.validate(t, at, r.body)
	case "text/event-stream":
		for _, e := range r.events() {
			b, _ := json.Marshal(e)
			d.validate(t, at, b)
		}
	}
}

func (d *document) validate(t *testing.T, at string, body []byte) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.compiler.Compile(documentURL + at)
	if err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("%s: not JSON: %.300q", at, body)
	}
	if err := s.Validate(v); err != nil {
		t.Errorf("%s: %v\n%s", at, err, body)
	}
}
