package generate_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/generate"
)

// resolving counts how often an assistant is read.
type resolving struct {
	generate.Store
	times *atomic.Int64
}

func (r resolving) Resolve(ctx context.Context, viewer elumenta.AccountID, ref elumenta.AssistantRef) (*elumenta.Snapshot, error) {
	r.times.Add(1)
	return r.Store.Resolve(ctx, viewer, ref)
}

// TestCacheWeighsEverything: what an assistant's variables and schema take counts as its instructions do.
func TestCacheWeighsEverything(t *testing.T) {
	long := strings.Repeat("x", 8000)
	for name, c := range map[string]struct {
		change func(*elumenta.Fields)
		cached bool
	}{
		"small":        {func(*elumenta.Fields) {}, true},
		"instructions": {func(f *elumenta.Fields) { f.Instructions = elumenta.Text(long) }, false},
		"a variable":   {func(f *elumenta.Fields) { f.Variables = []elumenta.Variable{{Name: "v", Default: &long}} }, false},
		"a schema": {func(f *elumenta.Fields) {
			f.ResponseFormat = &elumenta.ResponseFormat{Type: elumenta.FormatJSONSchema, Name: "s", Schema: []byte(`{"title":"` + long + `"}`)}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil, nil)
				defer b.close()
				f := elumenta.Fields{Name: "A", Model: "off", Instructions: "Be kind."}
				c.change(&f)
				a, _, err := b.store.CreateAssistant(t.Context(), b.account, f, elumenta.Private, nil)
				if err != nil {
					t.Fatal(err)
				}
				var times atomic.Int64
				small := *b
				small.service = generate.New(generate.Options{
					Store: resolving{b.store, &times}, Plans: elumenta.DefaultPlans(), CacheBytes: 4 << 10,
					Catalog: elumenta.NewCatalog([]elumenta.Model{{
						Slug: "off", MinPlan: "free", TokenCost: price, Capabilities: elumenta.Capabilities{JSONSchema: true},
						Routes: []elumenta.Route{{Provider: script(func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
							return done, say(emit, "a")
						}), Target: elumenta.Target{Name: "p"}}},
					}}),
				})
				for range 2 {
					s := &sink{}
					if small.run(t.Context(), elumenta.Request{Assistant: elumenta.AssistantRef{ID: a.ID}}, s); s.failure != nil {
						t.Fatal(s.failure)
					}
					synctest.Wait()
				}
				if n := times.Load(); (n == 1) != c.cached {
					t.Errorf("it was read %d times", n)
				}
				if err := small.service.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}
