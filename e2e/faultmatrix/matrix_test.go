package faultmatrix

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
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

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// place is a case: a fault of a format through a surface, of a model with that one route, or with a second one that is well.
type place struct {
	fault, format, surface int
	stream, second         bool
}

// cell is what came of a case.
type cell struct {
	outcome string
	charged bool
	calls   [2]int64 // of the routes
}

type matrix struct {
	t        *testing.T
	db       *store.Store
	url      string
	parts    []part
	up       *upstream
	surfaces []surface
	mu       sync.Mutex
	cells    map[place]cell
}

// part is a section of the page: the faults up to one.
type part struct {
	title string
	end   int
}

const price = 3

// places are all cases, in the order in which the fake provider knows them.
func (m *matrix) places() []place {
	var all []place
	for f := range m.up.faults {
		for i := range m.up.formats {
			for s := range m.surfaces {
				for _, stream := range []bool{false, true} {
					if m.up.faults[f].stream && !stream {
						continue
					}
					all = append(all, place{f, i, s, stream, false}, place{f, i, s, stream, true})
				}
			}
		}
	}
	return all
}

func (m *matrix) model(number int, p place, h *hosts, client *http.Client) elumenta.Model {
	whole := elumenta.Range{Max: 2}
	caps := elumenta.Capabilities{Temperature: &whole, TopP: &whole, Stop: 4, MaxTokens: 1000}
	name := fmt.Sprint("case-", number)
	base := h.plain
	if f := m.up.faults[p.fault].base; f != nil {
		base = f(h)
	}
	route := func(name, base string, order int) elumenta.Route {
		return elumenta.Route{Provider: m.up.formats[p.format].provider, Order: order, Target: elumenta.Target{
			Name: name, BaseURL: fmt.Sprintf("%s/%d/%d", base, number, order), Model: "m", Credential: elumenta.NewSecret("sk"), Capabilities: caps, Client: client,
		}}
	}
	routes := []elumenta.Route{route(name, base, 0)}
	if p.second {
		routes = append(routes, route(name+"-second", h.plain, 1))
	}
	return elumenta.Model{Slug: name, Name: name, Category: "text", MinPlan: "free", TokenCost: price, Capabilities: caps, Routes: routes}
}

// Every fault, in every format and through every API: the client is told in its own words, the provider's text reaches nobody,
// what is answered to its end is charged and nothing else, and the table in the documentation says so.
func TestFaultMatrix(t *testing.T) {
	early, mid, late := before(), middle(), complete()
	m := &matrix{
		t: t, surfaces: surfaces(), cells: map[place]cell{}, up: &upstream{formats: formats(), faults: append(append(early, mid...), late...)},
		parts: []part{{"Before the first piece", len(early)}, {"After the first piece", len(early) + len(mid)}, {"Complete answers with something odd", len(early) + len(mid) + len(late)}},
	}
	places := m.places()
	m.up.prepare(places)
	file := filepath.Join(t.TempDir(), "test.db")
	m.serve(file, places)
	var all sync.WaitGroup
	slots := make(chan struct{}, 64)
	for number, p := range places {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			m.play(number, p)
		})
	}
	all.Wait()
	http.DefaultClient.CloseIdleConnections()
	m.nothingOpen(file)
	m.check()
	m.page()
}

// serve starts the server, with a model for each case.
func (m *matrix) serve(file string, places []place) {
	t := m.t
	host, secure := httptest.NewServer(m.up), httptest.NewUnstartedServer(m.up)
	secure.Config.ErrorLog = discard()
	secure.StartTLS()
	h := &hosts{host.URL, secure.URL}
	plans := elumenta.DefaultPlans()
	var err error
	if m.db, err = store.Open(t.Context(), store.Options{URL: "sqlite:" + file, Plans: plans, Serve: true}); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSHandshakeTimeout: time.Second}}
	models := make([]elumenta.Model, len(places))
	for number, p := range places {
		models[number] = m.model(number, p, h, client)
	}
	catalog := elumenta.NewCatalog(models)
	pipeline := generate.New(generate.Options{Store: m.db, Catalog: catalog, Plans: plans, FirstPiece: 8 * time.Second, BetweenPieces: 2 * time.Second, Whole: 9 * time.Second, Silence: time.Minute})
	api, err := httpapi.New(httpapi.Options{
		Accounts: m.db, Operators: m.db, Assistants: m.db, Usage: m.db, Generator: pipeline, Secret: m.db.InstallationSecret(),
		Settings: httpapi.Settings{Catalog: catalog, Plans: plans, RequestsPerMinute: 1_000_000}, Version: "test", ModelSurface: openaiapi.Chat{},
		Surfaces: []httpapi.SurfaceRoute{
			{Path: "/v1/chat/completions", Surface: openaiapi.Chat{}, ID: "a", Summary: "a"}, {Path: "/v1/responses", Surface: openaiapi.Responses{}, ID: "b", Summary: "b"},
			{Path: "/v1/messages", Surface: anthropicapi.Messages{}, ID: "c", Summary: "c"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(api)
	m.url = front.URL
	t.Cleanup(func() {
		front.Close()
		if err := pipeline.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		if err := m.db.Close(); err != nil {
			t.Error(err)
		}
		host.Close()
		secure.Close()
	})
}

// play plays one case with an account of its own.
func (m *matrix) play(number int, p place) {
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
	s := &m.surfaces[p.surface]
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url+s.path, strings.NewReader(fmt.Sprintf(s.body, fmt.Sprint("case-", number), p.stream)))
	if err != nil {
		m.t.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+key.Reveal())
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	close(m.up.cases[number].seen)
	if err != nil {
		m.t.Errorf("%s: %v", m.about(p), err)
		return
	}
	outcome := s.outcome(res, p.stream)
	_ = res.Body.Close()
	now, err := m.db.Account(ctx, account.ID)
	if err != nil {
		m.t.Error(err)
		return
	}
	spent := account.Balance.Total() - now.Balance.Total()
	if spent != 0 && spent != price {
		m.t.Errorf("%s: %d spent", m.about(p), spent)
	}
	c := cell{outcome: outcome, charged: spent == price}
	for i := range c.calls {
		c.calls[i] = m.up.cases[number].calls[i].Load()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cells[p] = c
}

func (m *matrix) about(p place) string {
	return fmt.Sprintf("%s, %s, %s, stream %t, second route %t", m.up.faults[p.fault].name, m.up.formats[p.format].name, m.surfaces[p.surface].path, p.stream, p.second)
}

// nothingOpen looks for reservations that are neither settled nor given back.
func (m *matrix) nothingOpen(file string) {
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	if err != nil {
		m.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var open int
	if err := db.QueryRowContext(m.t.Context(), "SELECT SUM(open_generations) FROM accounts").Scan(&open); err != nil || open != 0 {
		m.t.Errorf("%d reservations are open, %v", open, err)
	}
}

// check holds what is true of every case.
func (m *matrix) check() {
	for p, c := range m.cells {
		f := &m.up.faults[p.fault]
		first := int64(1)
		if f.base != nil {
			first = 0 // nothing reaches the host
		}
		alone := m.cells[place{p.fault, p.format, p.surface, p.stream, false}].outcome
		second := int64(0)
		if p.second && !f.final && alone != answer && !strings.HasPrefix(alone, "event") {
			second = 1
		}
		if c.calls != [2]int64{first, second} {
			m.t.Errorf("%s: the routes were called %v times", m.about(p), c.calls)
		}
		if strings.HasPrefix(c.outcome, "BROKEN") || second == 1 && c.outcome != answer {
			m.t.Errorf("%s: %.500s", m.about(p), c.outcome)
		}
		if c.charged != (c.outcome == answer) {
			m.t.Errorf("%s: %s, charged %t", m.about(p), c.outcome, c.charged)
		}
		if p.fault < m.parts[0].end && !p.second && (strings.HasPrefix(c.outcome, "event") || c.outcome == answer) {
			m.t.Errorf("%s: %s, though nothing was sent", m.about(p), c.outcome)
		}
		if strings.HasSuffix(f.name, "Retry-After: 7") && strings.HasPrefix(c.outcome, "503") && !strings.Contains(c.outcome, "↻7") {
			m.t.Errorf("%s: the provider's Retry-After is lost: %s", m.about(p), c.outcome)
		}
	}
}
