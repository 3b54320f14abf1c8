package generate_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/generate"
)

// configured is a service over the same store with another configuration.
func (b *bench) configured(plans elumenta.Plans, provider script, price int64) *bench {
	other := *b
	other.service = generate.New(generate.Options{Store: b.store, Plans: plans, Catalog: elumenta.NewCatalog([]elumenta.Model{
		{Slug: "m", MinPlan: "free", TokenCost: price, Routes: []elumenta.Route{{Provider: provider, Target: elumenta.Target{Name: "p"}}}},
	})})
	return &other
}

// A price counts from the next generation: one that is reserved costs what it was reserved for.
func TestPriceChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		b := newBench(t, func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
			<-release
			return done, say(emit, "a")
		}, nil)
		defer b.close()
		dearer := b.configured(elumenta.DefaultPlans(), func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
			return done, say(emit, "b")
		}, 9)
		before, after := &sink{}, &sink{}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			b.run(t.Context(), elumenta.Request{}, before)
		}()
		synctest.Wait() // it is reserved, and the provider thinks
		dearer.run(t.Context(), elumenta.Request{}, after)
		close(release)
		<-ended
		if err := dearer.service.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if before.settled.TokensSpent != price || after.settled.TokensSpent != 9 || *before.settled.Balance != 50-price-9 {
			t.Errorf("before %+v, after %+v", before.settled, after.settled)
		}
	})
}

// An account whose plan is gone is told so, and keeps its tokens.
func TestPlanGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil, nil)
		defer b.close()
		other := b.configured(elumenta.DefaultPlans()[1:], nil, price)
		s := &sink{}
		other.run(t.Context(), elumenta.Request{}, s)
		if err := other.service.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.seen() != "fail insufficient_plan" || !strings.Contains(s.failure.Message, "the plan free of this account is not offered any more") {
			t.Errorf("the client sees %s: %v", s.seen(), s.failure)
		}
		if a, err := b.store.Account(t.Context(), b.account); err != nil || a.Balance.Total() != 50 {
			t.Errorf("%+v, %v", a, err)
		}
	})
}
