package faultmatrix

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/anthropicapi"
	"github.com/elumenta/elumenta/generate"
	"github.com/elumenta/elumenta/httpapi"
	"github.com/elumenta/elumenta/openaiapi"
	"github.com/elumenta/elumenta/store"
)

var update = flag.Bool("update", false, "write docs/faults.md")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// surface is one of the APIs, and how its answers are read.
type surface struct {
	path, body string
	code       func(m map[string]any) string // of an error
	isError    string                        // in an event of a stream
	end        string                        // what a good stream ends with
}

func nested(m map[string]any, keys ...string) string {
	e, _ := m["error"].(map[string]any)
	for _, k := range keys {
		if s, ok := e[k].(string); ok {
			return s
		}
	}
	return "?"
}

func surfaces() []surface {
	return []surface{
		{"/api/v2/generate", `{"model":%q,"prompt":"hi","stream":%t}`, func(m map[string]any) string { s, _ := m["error"].(string); return s }, `"type":"error"`, "data: [DONE]\n\n"},
		{"/v1/chat/completions", `{"model":%q,"messages":[{"role":"user","content":"hi"}],"stream":%t}`, func(m map[string]any) string { return nested(m, "code", "type") }, `data: {"error"`, "data: [DONE]\n\n"},
		{"/v1/responses", `{"model":%q,"input":"hi","stream":%t}`, func(m map[string]any) string {
			if r, ok := m["response"].(map[string]any); ok {
				m = r
			}
			return nested(m, "code", "type")
		}, `"type":"response.failed"`, `"type":"response.completed"`},
		{"/v1/messages", `{"model":%q,"max_tokens":10,"messages":[{"role":"user","content":"hi"}],"stream":%t}`, func(m map[string]any) string { return nested(m, "type") }, `"type":"error"`, `"type":"message_stop"`},
	}
}

// outcome is what a client gets, in the words of the table.
func (s *surface) outcome(res *http.Response, stream bool) string {
	body, err := io.ReadAll(res.Body)
	text := string(body)
	switch {
	case err != nil:
		return "BROKEN: " + err.Error()
	case strings.Contains(text, "CANARY"):
		return "BROKEN: shows the provider's text"
	case res.StatusCode != http.StatusOK:
		var m map[string]any
		if json.Unmarshal(body, &m) != nil {
			return "BROKEN: no JSON"
		}
		after := ""
		if res.Header.Get("Retry-After") != "" {
			after = " ↻"
		}
		return fmt.Sprintf("%d `%s`%s", res.StatusCode, s.code(m), after)
	case !stream && strings.Contains(text, "Hello"):
		return "answer"
	case stream && strings.Contains(text, s.isError):
		for e := range strings.SplitSeq(text, "\n\n") {
			_, data, _ := strings.Cut(e, "data: ")
			var m map[string]any
			if strings.Contains(e, s.isError) && json.Unmarshal([]byte(data), &m) == nil {
				return "event `" + s.code(m) + "`"
			}
		}
	case stream && strings.Contains(text, "Hello") && strings.Contains(text[max(0, len(text)-2000):], s.end):
		return "answer"
	}
	return "BROKEN: " + text[max(0, len(text)-200):]
}

// place is one cell's coordinates.
type place struct {
	fault, format, surface int
	stream                 bool
}

// cell is what came of one case.
type cell struct {
	outcome string
	charged bool
	calls   int64
}

type matrix struct {
	t        *testing.T
	db       *store.Store
	url      string
	up       *upstream
	surfaces []surface
	mu       sync.Mutex
	cells    map[place]cell
	moved    map[place]bool // by fault, format and stream: the second route answered
}

const price = 3

func (m *matrix) models(server string) []elumenta.Model {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSHandshakeTimeout: time.Second}}
	var models []elumenta.Model
	whole := elumenta.Range{Max: 2}
	caps := elumenta.Capabilities{Temperature: &whole, TopP: &whole, Stop: 4, MaxTokens: 1000}
	for f := range m.up.faults {
		for i, form := range m.up.formats {
			for number := range 2 * (len(m.surfaces) + 1) { // one for each surface and way of answering, the last two with a second route
				name := fmt.Sprintf("f%d-%d-%d", f, i, number)
				base := server
				if m.up.faults[f].base != nil {
					base = m.up.faults[f].base(server)
				}
				route := func(name, base string, fault, order int) elumenta.Route {
					return elumenta.Route{Provider: form.provider, Order: order, Target: elumenta.Target{
						Name: name, BaseURL: fmt.Sprintf("%s/%d/%d/%d", base, fault, i, m.number(f, i, number)), Model: "m", Credential: elumenta.NewSecret("sk"), Capabilities: caps, Client: client,
					}}
				}
				routes := []elumenta.Route{route(name, base, f, 0)}
				if number >= 2*len(m.surfaces) {
					routes = append(routes, route(name+"-b", server, -1, 1))
				}
				models = append(models, elumenta.Model{Slug: name, Name: name, Category: "text", MinPlan: "free", TokenCost: price, Capabilities: caps, Routes: routes})
			}
		}
	}
	return models
}

func (m *matrix) number(fault, format, number int) int {
	return (fault*len(m.up.formats)+format)*2*(len(m.surfaces)+1) + number
}

// Every fault, in every format and through every API: the client is told in its own words, the provider's text reaches nobody,
// what is answered to its end is charged and nothing else, and the table in the documentation says so.
func TestFaultMatrix(t *testing.T) {
	early := before()
	m := &matrix{t: t, surfaces: surfaces(), cells: map[place]cell{}, moved: map[place]bool{}, up: &upstream{formats: formats(), faults: append(early, middle()...)}}
	m.up.calls = make([]atomic.Int64, m.number(len(m.up.faults), 0, 0))
	for range m.up.calls {
		m.up.seen = append(m.up.seen, make(chan struct{}))
	}
	server := httptest.NewServer(m.up)
	defer server.Close()
	var err error
	plans := elumenta.DefaultPlans()
	if m.db, err = store.Open(t.Context(), store.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db"), Plans: plans, Serve: true}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.db.Close(); err != nil {
			t.Error(err)
		}
	}()
	catalog := elumenta.NewCatalog(m.models(server.URL))
	pipeline := generate.New(generate.Options{Store: m.db, Catalog: catalog, Plans: plans, FirstPiece: 8 * time.Second, BetweenPieces: 2 * time.Second, Whole: 9 * time.Second, Silence: time.Minute})
	defer func() {
		if err := pipeline.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	api, err := httpapi.New(httpapi.Options{
		Accounts: m.db, Operators: m.db, Assistants: m.db, Usage: m.db, Generator: pipeline, Catalog: catalog, Plans: plans, Secret: m.db.InstallationSecret(),
		Version: "test", RequestsPerMinute: 1_000_000, ModelSurface: openaiapi.Chat{},
		Surfaces: []httpapi.SurfaceRoute{
			{Path: "/v1/chat/completions", Surface: openaiapi.Chat{}, ID: "a", Summary: "a"}, {Path: "/v1/responses", Surface: openaiapi.Responses{}, ID: "b", Summary: "b"},
			{Path: "/v1/messages", Surface: anthropicapi.Messages{}, ID: "c", Summary: "c"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(api)
	defer front.Close()
	m.url = front.URL
	var all sync.WaitGroup
	slots := make(chan struct{}, 64)
	for f := range m.up.faults {
		for i := range m.up.formats {
			for _, stream := range []bool{false, true} {
				if m.up.faults[f].stream && !stream {
					continue
				}
				for s := range len(m.surfaces) + 1 {
					slots <- struct{}{}
					all.Go(func() {
						defer func() { <-slots }()
						m.play(place{f, i, s, stream})
					})
				}
			}
		}
	}
	all.Wait()
	http.DefaultClient.CloseIdleConnections()
	m.check(len(early))
	m.page(len(early))
}

// play plays one case with an account of its own. The place behind the last surface is the one with a second route.
func (m *matrix) play(p place) {
	ctx := m.t.Context()
	account, _, err := m.db.CreateAccount(ctx, elumenta.NewAccount{DisplayName: "payer", Role: elumenta.RoleUser, Plan: "pro"}, nil)
	if err != nil {
		m.t.Error(err)
		return
	}
	key := elumenta.NewKeySecret()
	if _, _, err := m.db.CreateKey(ctx, account.ID, elumenta.NewKey{Name: "k"}, key, nil); err != nil {
		m.t.Error(err)
		return
	}
	second := p.surface == len(m.surfaces)
	s := &m.surfaces[p.surface%len(m.surfaces)]
	number := 2 * p.surface
	if p.stream {
		number++
	}
	body := fmt.Sprintf(s.body, fmt.Sprintf("f%d-%d-%d", p.fault, p.format, number), p.stream)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url+s.path, strings.NewReader(body))
	if err != nil {
		m.t.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+key.Reveal())
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		m.t.Errorf("%s: %v", m.up.faults[p.fault].name, err)
		return
	}
	close(m.up.seen[m.number(p.fault, p.format, number)])
	outcome := s.outcome(res, p.stream)
	_ = res.Body.Close()
	now, err := m.db.Account(ctx, account.ID)
	if err != nil {
		m.t.Error(err)
		return
	}
	spent := account.Balance.Total() - now.Balance.Total()
	c := cell{outcome, spent == price, m.up.calls[m.number(p.fault, p.format, number)].Load()}
	m.mu.Lock()
	defer m.mu.Unlock()
	if spent != 0 && spent != price {
		m.t.Errorf("%s: %d spent", m.up.faults[p.fault].name, spent)
	}
	if second {
		m.moved[place{p.fault, p.format, 0, p.stream}] = outcome == "answer"
		return
	}
	m.cells[p] = c
}

// check holds what is true of every case.
func (m *matrix) check(early int) {
	for p, c := range m.cells {
		about := fmt.Sprintf("%s, %s, %s, stream %t", m.up.faults[p.fault].name, m.up.formats[p.format].name, m.surfaces[p.surface].path, p.stream)
		if strings.HasPrefix(c.outcome, "BROKEN") {
			m.t.Errorf("%s: %s", about, c.outcome)
		}
		if c.charged != (c.outcome == "answer") {
			m.t.Errorf("%s: %s, charged %t", about, c.outcome, c.charged)
		}
		if c.calls > 1 || c.calls == 0 && m.up.faults[p.fault].base == nil {
			m.t.Errorf("%s: the provider was called %d times", about, c.calls)
		}
		if p.fault < early && strings.HasPrefix(c.outcome, "event") {
			m.t.Errorf("%s: %s, though nothing was sent", about, c.outcome)
		}
	}
}

const intro = `# What a provider's faults come to

What clients get, and what is charged, when a provider fails: each wire format (Anthropic, OpenAI Responses, Chat Completions, Gemini), whole and streamed, through each API. A test plays all of it and makes this page
(` + "`go test ./e2e/faultmatrix -update`" + `). In every case the stream ends as its API has it, the provider's own text reaches nobody, and exactly what was answered to its end is charged. ↻ says that the answer has ` + "`Retry-After`" + `. "Event" is the error
event of a stream that had begun. The last column says what happens where the model has a second route that is well: the request moves on to it, and the client sees nothing but the answer. After the first piece
no other route is asked, since the client has text of the first.
`

// page writes the table, or compares it with the one in the documentation.
func (m *matrix) page(early int) {
	var b strings.Builder
	b.WriteString(intro)
	for part, title := range []string{"Before the first piece", "After the first piece"} {
		fmt.Fprintf(&b, "\n## %s\n\n| fault | of |", title)
		for i := range m.surfaces {
			fmt.Fprintf(&b, " `%s` |", m.surfaces[i].path)
		}
		b.WriteString(" charged | second route |\n| --- | --- |" + strings.Repeat(" --- |", len(m.surfaces)+2) + "\n")
		for f := range m.up.faults {
			if (f < early) == (part == 0) {
				m.rows(&b, f)
			}
		}
	}
	const path = "../../docs/faults.md"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			m.t.Error(err)
		}
		return
	}
	have, err := os.ReadFile(path)
	if err != nil || string(have) != b.String() {
		m.t.Errorf("docs/faults.md is not what happens (%v): look at what changed, then go test ./e2e/faultmatrix -update\n%s", err, b.String())
	}
}

// rows writes a fault's rows: one, where all formats and ways of answering come to the same.
func (m *matrix) rows(b *strings.Builder, f int) {
	var order []string
	by := map[string][]string{}
	total := 0
	for i := range m.up.formats {
		for _, stream := range []bool{false, true} {
			first, ok := m.cells[place{f, i, 0, stream}]
			if !ok {
				continue
			}
			total++
			row := ""
			for s := range m.surfaces {
				row += " " + m.cells[place{f, i, s, stream}].outcome + " |"
			}
			answers := map[bool]string{true: "yes", false: "no"}[first.charged]
			next := map[bool]string{true: "answers", false: "not asked"}[m.moved[place{f, i, 0, stream}]]
			if first.charged {
				next = "—"
			}
			row += " " + answers + " | " + next + " |"
			if by[row] == nil {
				order = append(order, row)
			}
			name := m.up.formats[i].name
			if !m.up.faults[f].stream {
				name += map[bool]string{true: " streamed", false: " whole"}[stream]
			}
			by[row] = append(by[row], name)
		}
	}
	for _, row := range order {
		of := strings.Join(by[row], ", ")
		if len(by[row]) == total {
			of = "all"
		} else if streamed := func(n string) bool { return strings.HasSuffix(n, " streamed") }; len(by[row]) == len(m.up.formats) && !slices.ContainsFunc(by[row], func(n string) bool { return !streamed(n) }) {
			of = "streamed"
		} else if len(by[row]) == len(m.up.formats) && !slices.ContainsFunc(by[row], func(n string) bool { return !strings.HasSuffix(n, " whole") }) {
			of = "whole"
		}
		fmt.Fprintf(b, "| %s | %s |%s\n", m.up.faults[f].name, of, row)
	}
}
