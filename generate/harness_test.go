package generate_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/generate"
	"github.com/elumenta/elumenta/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a provider that does what a test says.
type script func(ctx context.Context, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error)

func (s script) Generate(ctx context.Context, _ elumenta.Target, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
	return s(ctx, p, emit)
}

var done = elumenta.Completion{Finish: elumenta.FinishStop, Usage: elumenta.Usage{PromptTokens: 3, CompletionTokens: 2}}

func say(emit func(elumenta.Event) error, text elumenta.Text) error {
	if err := emit(elumenta.Event{Kind: elumenta.EventText, Text: text}); err != nil {
		return err
	}
	return emit(elumenta.Event{Kind: elumenta.EventPause})
}

// sink notes what a client would see, a line each.
type sink struct {
	mu      sync.Mutex
	lines   []string
	flushed int // lines
	result  elumenta.Result
	failure *elumenta.Error
	settled elumenta.Settled
	gone    func(line string) bool // the client's connection breaks at this line
}

var errGone = errors.New("connection reset")

func (s *sink) note(line string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone != nil && s.gone(line) {
		return errGone
	}
	s.lines = append(s.lines, line)
	return nil
}

func (s *sink) Open(*elumenta.Started) error { return s.note("open") }

func (s *sink) Event(e elumenta.Event) error {
	if e.Kind != elumenta.EventText {
		return nil
	}
	return s.note("text " + string(e.Text))
}

func (s *sink) Flush() (written bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	written = len(s.lines) > s.flushed
	s.flushed = len(s.lines)
	return written, nil
}

func (s *sink) Restart() { _ = s.note("restart") }

func (s *sink) KeepAlive() error { return s.note("keep-alive") }

func (s *sink) End(r *elumenta.Result) error {
	s.result, s.settled = *r, r.Settled
	return s.note("end")
}

func (s *sink) Fail(e *elumenta.Error, settled elumenta.Settled) error {
	s.failure, s.settled = e, settled
	return s.note("fail " + string(e.Code))
}

func (s *sink) seen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, ", ")
}

// bench is a service over a real SQLite file, with a paying account.
type bench struct {
	t       *testing.T
	store   *store.Store
	service *generate.Service
	account elumenta.AccountID
	key     elumenta.KeySecret
}

const price = 4

// newBench must be called in a test's own bubble of time. wrap may stand between service and store.
func newBench(t *testing.T, provider script, wrap func(generate.Store) generate.Store) *bench {
	t.Helper()
	ctx := context.Background()
	st, err := store.Open(ctx, store.Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db"), Plans: elumenta.DefaultPlans(), Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	account, _, err := st.CreateAccount(ctx, elumenta.NewAccount{DisplayName: "payer", Role: elumenta.RoleUser, Plan: "free"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	key := elumenta.NewKeySecret()
	if _, _, err := st.CreateKey(ctx, account.ID, elumenta.NewKey{Name: "k"}, key, nil); err != nil {
		t.Fatal(err)
	}
	catalog := elumenta.NewCatalog([]elumenta.Model{
		{Slug: "m", MinPlan: "free", TokenCost: price, Routes: []elumenta.Route{{Provider: provider, Target: elumenta.Target{Name: "p"}}}},
		{Slug: "big", MinPlan: "pro", TokenCost: price, Routes: []elumenta.Route{{Provider: provider, Target: elumenta.Target{Name: "p"}}}},
		{Slug: "off", MinPlan: "free"},
	})
	var seen generate.Store = st
	if wrap != nil {
		seen = wrap(st)
	}
	b := &bench{t: t, store: st, account: account.ID, key: key}
	b.service = generate.New(generate.Options{Store: seen, Catalog: catalog, Plans: elumenta.DefaultPlans()})
	return b
}

func (b *bench) close() {
	b.t.Helper()
	if err := b.service.Close(context.Background()); err != nil {
		b.t.Error(err)
	}
	if err := b.store.Close(); err != nil {
		b.t.Error(err)
	}
}

func (b *bench) run(ctx context.Context, req elumenta.Request, s *sink) {
	b.t.Helper()
	caller, err := b.service.Authenticate(ctx, b.key)
	if err != nil {
		b.t.Fatal(err)
	}
	if req.Model == "" && req.Assistant.ID == "" {
		req.Model = "m"
	}
	req.Turns = []elumenta.Turn{{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{{Kind: elumenta.PartText, Text: "hi"}}}}
	b.service.Generate(ctx, caller, &req, s)
}

func (b *bench) balance() int64 {
	b.t.Helper()
	a, err := b.store.Account(context.Background(), b.account)
	if err != nil {
		b.t.Fatal(err)
	}
	return a.Balance.Total()
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
