package generate_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/generate"
)

// place is a provider whose calls a test answers by the target's name, key and time.
type place func(ctx context.Context, t elumenta.Target, emit func(elumenta.Event) error) error

func (f place) Generate(ctx context.Context, t elumenta.Target, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
	return done, f(ctx, t, emit)
}

// routed is a bench whose model has routes.
type routed struct {
	*bench
	provider elumenta.Provider // of all routes
	mu       sync.Mutex
	calls    []string // of targets: name/key
}

// newRouted must be called in a test's own bubble of time. answer is what a call comes to, nil for "a".
func newRouted(t *testing.T, routes []elumenta.Route, answer func(ctx context.Context, call string, emit func(elumenta.Event) error) error, hedgeAfter ...time.Duration) *routed {
	r := &routed{bench: newBench(t, nil, nil)}
	if err := r.service.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.store.SetPlan(t.Context(), r.account, elumenta.PlanChange{Plan: "unlimited"}); err != nil {
		t.Fatal(err)
	}
	r.provider = place(func(ctx context.Context, target elumenta.Target, emit func(elumenta.Event) error) error {
		name := target.Name
		if !target.Credential.IsZero() {
			name += "/" + target.Credential.Reveal()
		}
		r.mu.Lock()
		r.calls = append(r.calls, name)
		r.mu.Unlock()
		if err := answer(ctx, name, emit); err != nil {
			return err
		}
		return say(emit, "a")
	})
	options := r.options(routes, hedgeAfter...)
	options.Store = r.store
	r.service = generate.New(options)
	return r
}

func (r *routed) options(routes []elumenta.Route, hedgeAfter ...time.Duration) generate.Options {
	for i := range routes {
		routes[i].Provider = r.provider
	}
	m := elumenta.Model{Slug: "m", MinPlan: "free", TokenCost: price, Routes: routes}
	if len(hedgeAfter) > 0 {
		m.HedgeAfter = hedgeAfter[0]
	}
	return generate.Options{Plans: elumenta.DefaultPlans(), FirstPiece: time.Minute, Catalog: elumenta.NewCatalog([]elumenta.Model{m})}
}

// reload gives the model these routes.
func (r *routed) reload(budget float64, routes ...elumenta.Route) {
	options := r.options(routes)
	options.RetryBudget = budget
	r.service.Reload(options)
}

func (r *routed) ask(t *testing.T, stream bool) (*sink, string) {
	t.Helper()
	r.mu.Lock()
	r.calls = nil
	r.mu.Unlock()
	s := &sink{}
	r.run(t.Context(), elumenta.Request{Stream: stream}, s)
	return s, strings.Join(r.calls, " ")
}

func to(name string, order int, keys ...string) elumenta.Route {
	r := elumenta.Route{Order: order, Target: elumenta.Target{Name: name}}
	for _, k := range keys {
		r.Credentials = append(r.Credentials, elumenta.NewSecret(k))
	}
	return r
}

func fails(kind elumenta.ErrorKind, status int, after time.Duration) error {
	return &elumenta.ProviderError{Kind: kind, Status: status, Message: "ours", RetryAfter: after}
}
