package generate_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
)

// Whichever of two calls begins first answers, for one price; the other is cancelled and counts as neither failure nor success.
func TestHedge(t *testing.T) {
	const never, after = time.Hour, time.Second
	a, b, c := to("a", 1), to("b", 2), to("c", 3)
	cancelled, failed := elumenta.KindCancelled, elumenta.KindFailed
	for name, x := range map[string]struct {
		routes   []elumenta.Route
		first    map[string]time.Duration // until a route begins to answer
		fail     string                   // routes that fail then
		panics   string
		attempts []elumenta.Attempt // of the answer, or of the failure
		failure  elumenta.Code
	}{
		"the hedge wins":          {routes: []elumenta.Route{a, b}, first: map[string]time.Duration{"a": never, "b": after}, attempts: []elumenta.Attempt{{Provider: "a", Kind: cancelled, Duration: 2 * after}, {Provider: "b", Duration: after}}},
		"the first wins":          {routes: []elumenta.Route{a, b}, first: map[string]time.Duration{"a": 2 * after, "b": never}, attempts: []elumenta.Attempt{{Provider: "b", Kind: cancelled, Duration: after}, {Provider: "a", Duration: 2 * after}}},
		"just in time":            {routes: []elumenta.Route{a, b}, first: map[string]time.Duration{"a": after - 1}, attempts: []elumenta.Attempt{{Provider: "a", Duration: after - 1}}},
		"no other route":          {routes: []elumenta.Route{to("a", 1, "1", "2")}, first: map[string]time.Duration{"a": 2 * after}, attempts: []elumenta.Attempt{{Provider: "a", Duration: 2 * after}}},
		"the first fails":         {routes: []elumenta.Route{a, b}, first: map[string]time.Duration{"a": 2 * after, "b": 3 * after}, fail: "a", attempts: []elumenta.Attempt{{Provider: "a", Kind: failed, Duration: 2 * after}, {Provider: "b", Duration: 3 * after}}},
		"the hedge fails":         {routes: []elumenta.Route{a, b}, first: map[string]time.Duration{"a": 9 * after, "b": after}, fail: "b", attempts: []elumenta.Attempt{{Provider: "b", Kind: failed, Duration: after}, {Provider: "a", Duration: 9 * after}}},
		"the hedge panics":        {routes: []elumenta.Route{a, b}, first: map[string]time.Duration{"a": 9 * after, "b": after}, panics: "b", attempts: []elumenta.Attempt{{Provider: "b", Kind: failed, Duration: after}, {Provider: "a", Duration: 9 * after}}},
		"both fail, a third":      {routes: []elumenta.Route{a, b, c}, first: map[string]time.Duration{"a": 3 * after, "b": after}, fail: "ab", attempts: []elumenta.Attempt{{Provider: "b", Kind: failed, Duration: after}, {Provider: "a", Kind: failed, Duration: 3 * after}, {Provider: "c"}}},
		"both fail, and no other": {routes: []elumenta.Route{a, b}, first: map[string]time.Duration{"a": 3 * after, "b": after}, fail: "ab", attempts: []elumenta.Attempt{{Provider: "b", Kind: failed, Duration: after}, {Provider: "a", Kind: failed, Duration: 3 * after}}, failure: elumenta.CodeProvider},
	} {
		for _, stream := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					routes := append([]elumenta.Route(nil), x.routes...)
					r := newRouted(t, routes, func(ctx context.Context, call string, _ func(elumenta.Event) error) error {
						call = call[:1]
						if err := wait(ctx, x.first[call]); err != nil {
							return err
						}
						if strings.Contains(x.panics, call) && x.panics != "" {
							panic("a piece of the conversation")
						}
						if strings.Contains(x.fail, call) {
							return fails(failed, 500, 0)
						}
						return nil
					}, after)
					defer r.close()
					s, _ := r.ask(t, stream)
					attempts, spent := s.result.Attempts, int64(price)
					if x.failure != "" {
						spent = 0
						if s.failure == nil || s.failure.Code != x.failure {
							t.Fatalf("%s, %+v", s.seen(), s.failure)
						}
						attempts, _ = s.failure.Details["attempts"].([]elumenta.Attempt)
					} else if !strings.HasSuffix(s.seen(), "end") || strings.Count(s.seen(), "text") != 1 {
						t.Error(s.seen())
					}
					if diff := cmp.Diff(x.attempts, attempts); diff != "" || s.settled.TokensSpent != spent {
						t.Errorf("spent %d, attempts %s", s.settled.TokensSpent, diff)
					}
					for _, at := range attempts {
						if h := r.service.Health(at.Provider); at.Kind == cancelled && (h.Attempts != 1 || h.Successes != 0 || len(h.Failures) != 0) {
							t.Errorf("%s: %+v", at.Provider, h)
						}
					}
				})
			})
		}
	}
}

// Hedges come out of the retry budget, and losing one, however often, cuts no route off.
func TestHedgeBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRouted(t, []elumenta.Route{to("a", 1), to("b", 2)}, func(ctx context.Context, call string, _ func(elumenta.Event) error) error {
			if call == "a" {
				return wait(ctx, 100*time.Millisecond)
			}
			return wait(ctx, time.Millisecond)
		}, 50*time.Millisecond)
		defer r.close()
		hedged := 0
		for range 100 {
			s, calls := r.ask(t, true)
			if s.failure != nil {
				t.Errorf("%+v", s.failure)
			}
			if calls == "a b" {
				hedged++
			}
		}
		if hedged < 20 || hedged > 45 { // 10 at first, 20 of 100 requests, and one a second
			t.Errorf("%d hedges", hedged)
		}
		if h := r.service.Health("a"); h.Routes[0].State != elumenta.RouteClosed || len(h.Failures) != 0 {
			t.Errorf("%+v", h)
		}
	})
}

// Two calls that begin in the same moment: one is heard, from beginning to end, and nothing of the other. A client that leaves
// ends both.
func TestHedgeRace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRouted(t, []elumenta.Route{to("a", 1), to("b", 2)}, func(ctx context.Context, call string, emit func(elumenta.Event) error) error {
			d := 100 * time.Millisecond
			if call == "b" {
				d /= 2
			}
			if err := wait(ctx, d); err != nil {
				return err
			}
			for range 5 {
				if err := say(emit, elumenta.Text(call+call)); err != nil {
					return err
				}
			}
			return nil
		}, 50*time.Millisecond)
		defer r.close()
		for range 200 {
			s, calls := r.ask(t, true)
			seen, last := s.seen(), s.result.Attempts[len(s.result.Attempts)-1]
			if calls != "a b" || last.Kind != 0 || strings.Count(seen, "text "+last.Provider+last.Provider) != 5 || strings.Count(seen, "text") != 6 {
				t.Fatalf("called %s, %s, %+v", calls, seen, s.result.Attempts)
			}
			time.Sleep(2 * time.Second) // the budget fills
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan string, 2)
		r := newRouted(t, []elumenta.Route{to("a", 1), to("b", 2)}, func(ctx context.Context, call string, _ func(elumenta.Event) error) error {
			err := wait(ctx, time.Hour)
			ended <- call
			return err
		}, 50*time.Millisecond)
		defer r.close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s, began := &sink{}, time.Now()
		r.run(ctx, elumenta.Request{Stream: true}, s)
		if len(ended) != 2 || time.Since(began) != time.Second || s.settled.TokensSpent != 0 {
			t.Errorf("%d calls ended after %v, %s", len(ended), time.Since(began), s.seen())
		}
	})
}

// A loser that does not stop soon holds no piece of the answer back.
func TestHedgeSlowLoser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, at := time.Now(), time.Duration(0)
		r := newRouted(t, []elumenta.Route{to("a", 1), to("b", 2)}, func(_ context.Context, call string, emit func(elumenta.Event) error) error {
			if call == "a" {
				time.Sleep(10 * time.Second)
				return nil
			}
			err := say(emit, "b")
			at = time.Since(began)
			return err
		}, time.Second)
		defer r.close()
		if s, calls := r.ask(t, true); calls != "a b" || s.seen() != "open, text b, text a, end" || at != time.Second || s.result.Provider != time.Second {
			t.Errorf("called %s, %s at %v, the provider took %v", calls, s.seen(), at, s.result.Provider)
		}
	})
}

// A route that is on trial is passed over for one that is well, and is still there for when both are silent.
func TestHedgePassesOverTrials(t *testing.T) {
	for silent, want := range map[string]string{"a": "a c", "a c": "a c b"} {
		for _, stream := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				failing := true
				routes := []elumenta.Route{to("a", 1), to("b", 2), to("c", 3)}
				r := newRouted(t, routes, func(ctx context.Context, call string, _ func(elumenta.Event) error) error {
					switch {
					case failing && call != "c":
						return fails(elumenta.KindFailed, 500, 0)
					case !failing && strings.Contains(silent, call):
						return wait(ctx, time.Hour)
					}
					return nil
				})
				defer r.close()
				o := r.options(routes, time.Second)
				o.RetryBudget = 10
				r.service.Reload(o)
				for range 12 {
					r.ask(t, false)
				}
				time.Sleep(13 * time.Second)
				failing = false
				if s, calls := r.ask(t, stream); calls != want || s.failure != nil {
					t.Errorf("%s silent, stream %t: called %s, %v", silent, stream, calls, s.failure)
				}
			})
		}
	}
}

// A route that only was not the first is asked when the first has failed before it showed anything.
func TestHedgeThatLostIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRouted(t, []elumenta.Route{to("a", 1), to("b", 2)}, func(ctx context.Context, call string, emit func(elumenta.Event) error) error {
			if call == "a" {
				if err := wait(ctx, 2*time.Second); err != nil {
					return err
				}
				if err := emit(elumenta.Event{Kind: elumenta.EventReasoning, Text: "hm"}); err != nil { // not shown
					return err
				}
				return fails(elumenta.KindTruncated, 0, 0)
			}
			return wait(ctx, 5*time.Second)
		}, time.Second)
		defer r.close()
		if s, calls := r.ask(t, true); s.failure != nil || calls != "a b b" {
			t.Errorf("called %s: %s, %+v", calls, s.seen(), s.failure)
		}
	})
}
