package generate_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
)

// A failure before the first piece moves on to the next route, and the answer names the calls that it took. What the input's
// author alone can mend does not, and neither does what breaks off after a piece.
func TestFallback(t *testing.T) {
	for kind := elumenta.KindRejected; kind <= elumenta.KindFailed; kind++ {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprint(kind, stream), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newRouted(t, []elumenta.Route{to("a", 1), to("b", 2)}, func(_ context.Context, call string, _ func(elumenta.Event) error) error {
						if call == "a" {
							time.Sleep(time.Second)
							return fails(kind, 500, 0)
						}
						return nil
					})
					defer b.close()
					s, calls := b.ask(t, stream)
					if kind == elumenta.KindRejected {
						if calls != "a" || s.failure == nil || s.failure.Code != elumenta.CodeProviderRejected {
							t.Errorf("called %s, %+v", calls, s.failure)
						}
						return
					}
					want := []elumenta.Attempt{{Provider: "a", Kind: kind, Duration: time.Second}, {Provider: "b"}}
					if diff := cmp.Diff(want, s.result.Attempts); calls != "a b" || diff != "" {
						t.Errorf("called %s, %s, attempts %s", calls, s.seen(), diff)
					}
				})
			})
		}
	}
	synctest.Test(t, func(t *testing.T) {
		b := newRouted(t, []elumenta.Route{to("a", 1), to("b", 2)}, func(_ context.Context, call string, emit func(elumenta.Event) error) error {
			_ = say(emit, "half")
			return fails(elumenta.KindTruncated, 200, 0)
		})
		defer b.close()
		if s, calls := b.ask(t, true); calls != "a" || s.seen() != "open, text half, fail provider_error" || s.settled.TokensSpent != 0 {
			t.Errorf("called %s, %s, spent %d", calls, s.seen(), s.settled.TokensSpent)
		}
	})
}

// All routes fail: the client gets the last failure, and sees what was tried.
func TestFallbackEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRouted(t, []elumenta.Route{to("a", 1), to("b", 2), to("c", 3)}, func(_ context.Context, call string, _ func(elumenta.Event) error) error {
			return fails(elumenta.KindOverloaded, 529, 0)
		})
		defer b.close()
		s, calls := b.ask(t, true)
		attempts, _ := s.failure.Details["attempts"].([]elumenta.Attempt)
		if calls != "a b c" || s.failure.Code != elumenta.CodeModelUnavailable || len(attempts) != 3 || s.settled.TokensSpent != 0 {
			t.Errorf("called %s, %+v", calls, s.failure)
		}
	})
}

// A route that does not begin to answer gets half of the time while there is another; the stream stays alive meanwhile.
func TestFallbackOfSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRouted(t, []elumenta.Route{to("a", 1), to("b", 2)}, func(ctx context.Context, call string, _ func(elumenta.Event) error) error {
			if call == "a" {
				<-ctx.Done()
				return context.Cause(ctx)
			}
			return wait(ctx, 20*time.Second)
		})
		defer b.close()
		began := time.Now()
		s, calls := b.ask(t, true)
		if calls != "a b" || !strings.HasSuffix(s.seen(), "text a, end") || time.Since(began) != 50*time.Second || s.result.Attempts[0].Kind != elumenta.KindTimeout {
			t.Errorf("called %s, %s after %v, %+v", calls, s.seen(), time.Since(began), s.result.Attempts)
		}
	})
}

// A provider that says when to come back is left alone until then, and that is what a client is told where there is no other.
func TestRetryAfterIsObeyed(t *testing.T) {
	for _, kind := range []elumenta.ErrorKind{elumenta.KindRateLimited, elumenta.KindOverloaded} {
		synctest.Test(t, func(t *testing.T) {
			failing := true
			b := newRouted(t, []elumenta.Route{to("a", 1), to("b", 2)}, func(_ context.Context, call string, _ func(elumenta.Event) error) error {
				if call == "a" && failing {
					return fails(kind, 429, 30*time.Second)
				}
				return nil
			})
			defer b.close()
			_, first := b.ask(t, false)
			failing = false
			_, resting := b.ask(t, false)
			time.Sleep(31 * time.Second)
			_, back := b.ask(t, false)
			if first != "a b" || resting != "b" || back != "a" {
				t.Errorf("called %s, then %s, then %s", first, resting, back)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		b := newRouted(t, []elumenta.Route{to("a", 1)}, func(context.Context, string, func(elumenta.Event) error) error {
			return fails(elumenta.KindRateLimited, 429, 30*time.Second)
		})
		defer b.close()
		b.ask(t, false)
		time.Sleep(10 * time.Second)
		if s, calls := b.ask(t, false); calls != "" || s.failure.Code != elumenta.CodeModelUnavailable || s.failure.RetryAfter != 20*time.Second || s.settled.TokensSpent != 0 {
			t.Errorf("called %q, %+v", calls, s.failure)
		}
	})
}

// A key that the provider refuses is left out for a minute; the others go on, in turn. A 403, which may be of one model
// alone, is passed over for that request.
func TestKeysRotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad, status := "a/2", 401
		b := newRouted(t, []elumenta.Route{to("a", 1, "1", "2", "3")}, func(_ context.Context, call string, _ func(elumenta.Event) error) error {
			if call == bad {
				return fails(elumenta.KindAuth, status, 0)
			}
			return nil
		})
		defer b.close()
		count := func(n int) map[string]int {
			seen := map[string]int{}
			for range n {
				s, calls := b.ask(t, false)
				if s.failure != nil {
					t.Errorf("%+v", s.failure)
				}
				for call := range strings.SplitSeq(calls, " ") {
					seen[call]++
				}
			}
			return seen
		}
		if got := count(30); got["a/2"] != 1 || got["a/1"] < 10 || got["a/3"] < 10 {
			t.Errorf("with a refused key: %v", got)
		}
		bad = ""
		time.Sleep(time.Minute + time.Second)
		if got := count(30); got["a/1"] != 10 || got["a/2"] != 10 || got["a/3"] != 10 {
			t.Errorf("a minute later: %v", got)
		}
		bad, status = "a/2", 403
		if got := count(9); got["a/2"] < 3 {
			t.Errorf("with a key that may not use the model: %v", got)
		}
	})
}

// Two keys take turns. A provider that fails is not asked again with its other key, one that limits a key is.
func TestOtherKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var answer error
		b := newRouted(t, []elumenta.Route{to("a", 1, "1", "2"), to("b", 2)}, func(_ context.Context, call string, _ func(elumenta.Event) error) error {
			if call == "b" {
				return nil
			}
			return answer
		})
		defer b.close()
		_, first := b.ask(t, false)
		_, second := b.ask(t, false)
		if first == second {
			t.Errorf("called %s twice", first)
		}
		for kind, want := range map[elumenta.ErrorKind]int{elumenta.KindFailed: 2, elumenta.KindRateLimited: 3, elumenta.KindAuth: 3} {
			answer = fails(kind, 400, 0)
			if _, calls := b.ask(t, false); len(strings.Fields(calls)) != want || !strings.HasSuffix(calls, " b") {
				t.Errorf("%v: called %s", kind, calls)
			}
			time.Sleep(2 * time.Minute)
		}
	})
}

// Routes of one order share what has no beginning in common by weight; what begins alike stays together.
func TestWeights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heavy := to("a", 1)
		heavy.Weight = 9
		b := newRouted(t, []elumenta.Route{heavy, to("b", 1), to("c", 2)}, func(context.Context, string, func(elumenta.Event) error) error { return nil })
		defer b.close()
		seen := map[string]int{}
		for range 400 {
			_, calls := b.ask(t, false)
			seen[calls]++
		}
		if seen["b"] < 15 || seen["b"] > 75 || seen["c"] != 0 {
			t.Errorf("shares: %v", seen)
		}
	})
}

// With one of two routes failing half the time at random, nearly every request succeeds and calls rise by no more than the budget.
func TestHalfOfARouteFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const requests, latency = 3000, 200 * time.Millisecond
		random := rand.New(rand.NewPCG(1, 2))
		var mu sync.Mutex
		b := newRouted(t, []elumenta.Route{to("a", 1), to("b", 1)}, func(ctx context.Context, call string, _ func(elumenta.Event) error) error {
			if err := wait(ctx, latency); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if call == "a" && random.IntN(2) == 0 {
				return fails(elumenta.KindFailed, 500, 0)
			}
			return nil
		})
		defer b.close()
		failed, took := 0, make([]time.Duration, 0, requests)
		var all sync.WaitGroup
		for range requests {
			all.Go(func() {
				began := time.Now()
				s := &sink{}
				b.run(t.Context(), elumenta.Request{}, s)
				mu.Lock()
				defer mu.Unlock()
				if s.failure != nil {
					failed++
				}
				took = append(took, time.Since(began))
			})
			time.Sleep(50 * time.Millisecond)
		}
		all.Wait()
		slices.Sort(took)
		p99 := took[len(took)*99/100]
		t.Logf("%d of %d failed, %d calls, p99 %v", failed, requests, len(b.calls), p99)
		if failed > requests/1000 || len(b.calls) > requests*12/10+10 || p99 > 2*latency {
			t.Errorf("%d of %d failed, %d calls, p99 %v", failed, requests, len(b.calls), p99)
		}
	})
}

// An outage of all routes costs no more further calls than the budget, and then next to none, since the routes are cut off. When it
// is over, all is as before.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := false
		b := newRouted(t, []elumenta.Route{to("a", 1), to("b", 1)}, func(context.Context, string, func(elumenta.Event) error) error {
			if out {
				return fails(elumenta.KindUnreachable, 0, 0)
			}
			return nil
		})
		defer b.close()
		run := func(n int) (failed, calls int) {
			for range n {
				s, c := b.ask(t, false)
				if s.failure != nil {
					failed++
				}
				calls += len(strings.Fields(c))
				time.Sleep(50 * time.Millisecond)
			}
			return failed, calls
		}
		if failed, calls := run(200); failed != 0 || calls != 200 {
			t.Errorf("before: %d failed, %d calls", failed, calls)
		}
		out = true
		if failed, calls := run(400); failed != 400 || calls > 200 {
			t.Errorf("in the outage: %d failed, %d calls", failed, calls)
		}
		out = false
		time.Sleep(15 * time.Second)
		if failed, _ := run(100); failed != 0 {
			t.Errorf("afterwards: %d failed", failed)
		}
		time.Sleep(time.Minute)
		if failed, calls := run(200); failed != 0 || calls != 200 {
			t.Errorf("later: %d failed, %d calls", failed, calls)
		}
	})
}

// A model that is seldom asked, with a route that always fails, is answered by the other one, however long that goes on; so is one that is asked
// often.
func TestARouteIsGone(t *testing.T) {
	for _, pause := range []time.Duration{10 * time.Millisecond, 300 * time.Millisecond, time.Second, 1500 * time.Millisecond, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			b := newRouted(t, []elumenta.Route{to("a", 1), to("b", 2)}, func(_ context.Context, call string, _ func(elumenta.Event) error) error {
				if call == "a" {
					return fails(elumenta.KindUnreachable, 0, 0)
				}
				return nil
			})
			defer b.close()
			failed := 0
			for range 300 {
				if s, _ := b.ask(t, false); s.failure != nil {
					failed++
				}
				time.Sleep(pause)
			}
			if failed > 0 {
				t.Errorf("asked every %v, %d of 300 failed", pause, failed)
			}
		})
	}
}

// The state of keys and routes is what operators see.
func TestRouteHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var answer error
		b := newRouted(t, []elumenta.Route{to("a", 1, "1", "2")}, func(context.Context, string, func(elumenta.Event) error) error { return answer })
		defer b.close()
		expect := func(about string, state elumenta.RouteState, until time.Duration, refused ...time.Duration) {
			t.Helper()
			h := b.service.Health("a")
			route := elumenta.RouteHealth{Model: "m", State: state}
			if until > 0 {
				route.Until = time.Now().Add(until).UTC()
			}
			if diff := cmp.Diff([]elumenta.RouteHealth{route}, h.Routes); diff != "" {
				t.Errorf("%s: %s", about, diff)
			}
			for i, d := range refused {
				if want := time.Now().Add(d).UTC(); d > 0 && !h.Keys[i].Equal(want) || d == 0 && !h.Keys[i].IsZero() {
					t.Errorf("%s: key %d is out until %v", about, i+1, h.Keys[i])
				}
			}
		}
		expect("at first", elumenta.RouteClosed, 0, 0, 0)
		answer = fails(elumenta.KindAuth, 401, 0)
		b.ask(t, false)
		expect("both keys are refused", elumenta.RouteClosed, 0, time.Minute, time.Minute)
		time.Sleep(2 * time.Minute)
		answer = fails(elumenta.KindOverloaded, 529, 7*time.Second)
		b.ask(t, false)
		expect("it asked to be left alone", elumenta.RouteResting, 7*time.Second, 0, 0)
		time.Sleep(8 * time.Second)
		answer = fails(elumenta.KindFailed, 500, 0)
		for range 10 {
			b.ask(t, false)
		}
		if h := b.service.Health("a").Routes[0]; h.State != elumenta.RouteOpen || time.Until(h.Until) > 12*time.Second || time.Until(h.Until) < 8*time.Second {
			t.Errorf("after failures: %+v", h)
		}
		time.Sleep(13 * time.Second)
		answer = nil
		b.ask(t, false)
		expect("tried again", elumenta.RouteTrial, 0, 0, 0)
		for range 4 {
			b.ask(t, false)
		}
		expect("well again", elumenta.RouteClosed, 0, 0, 0)
	})
}

// A whole answer that breaks off has shown nothing: another route gives it from its beginning.
func TestWholeAnswerMovesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRouted(t, []elumenta.Route{to("a", 1), to("b", 2)}, func(_ context.Context, call string, emit func(elumenta.Event) error) error {
			if err := emit(elumenta.Event{Kind: elumenta.EventText, Text: elumenta.Text("of " + call)}); err != nil || call == "b" {
				return err
			}
			return fails(elumenta.KindOverloaded, 0, 0)
		})
		defer b.close()
		if s, calls := b.ask(t, false); calls != "a b" || s.failure != nil || !strings.Contains(s.seen(), "text of a, restart, text of b") {
			t.Errorf("called %s: %s, %+v", calls, s.seen(), s.failure)
		}
		if s, calls := b.ask(t, true); calls != "a" || s.failure == nil {
			t.Errorf("called %s: %s, though the client had a piece", calls, s.seen())
		}
	})
}

// Retry-After is obeyed whatever failure it came with.
func TestRetryAfterOfAnyFailure(t *testing.T) {
	for _, failure := range []error{
		fails(elumenta.KindFailed, 500, 30*time.Second), fails(elumenta.KindFailed, 502, 30*time.Second), fails(elumenta.KindTimeout, 504, 30*time.Second),
		fails(elumenta.KindAuth, 403, 30*time.Second),
	} {
		synctest.Test(t, func(t *testing.T) {
			failing := true
			b := newRouted(t, []elumenta.Route{to("a", 1), to("b", 2)}, func(_ context.Context, call string, _ func(elumenta.Event) error) error {
				if call == "a" && failing {
					return failure
				}
				return nil
			})
			defer b.close()
			b.ask(t, false)
			failing = false
			_, resting := b.ask(t, false)
			time.Sleep(31 * time.Second)
			if _, later := b.ask(t, false); resting != "b" || later != "a" {
				t.Errorf("%v: called %s at once, %s after 31 s", failure, resting, later)
			}
		})
	}
}

// A refusal of one model within an answer leaves the key to the others.
func TestRefusedForOneModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRouted(t, []elumenta.Route{to("a", 1, "1"), to("b", 2)}, func(_ context.Context, call string, _ func(elumenta.Event) error) error {
			if call == "a/1" {
				return &elumenta.ProviderError{Kind: elumenta.KindAuth, OneModel: true}
			}
			return nil
		})
		defer b.close()
		if _, calls := b.ask(t, false); calls != "a/1 b" || !b.service.Health("a").Keys[0].IsZero() {
			t.Errorf("called %s, keys %+v", calls, b.service.Health("a").Keys)
		}
	})
}
