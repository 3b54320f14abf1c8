package generate_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/elumenta/elumenta"
)

// slowSink is a client that takes its time for each write.
type slowSink struct {
	sink
	takes  time.Duration
	writes int
}

func (s *slowSink) Flush() (written bool, err error) {
	s.writes++
	time.Sleep(s.takes)
	return s.sink.Flush()
}

func asks() *elumenta.Request {
	return &elumenta.Request{Model: "m", Stream: true, Turns: []elumenta.Turn{{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{{Kind: elumenta.PartText, Text: "hi"}}}}}
}

// A client that reads slowly until the time of a generation is over pays for what it has read, and the provider is not to blame.
func TestSlowReaderPays(t *testing.T) {
	b := newBench(t, func(ctx context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		for range 100 {
			if err := ctx.Err(); err != nil {
				return elumenta.Completion{}, err
			}
			if err := say(emit, "x"); err != nil {
				return elumenta.Completion{}, err
			}
		}
		return done, nil
	}, nil)
	defer b.close()
	b.service.Whole = 200 * time.Millisecond
	b.service.BetweenPieces = 5 * time.Millisecond // less than one write
	before := b.balance()
	caller, err := b.service.Authenticate(t.Context(), b.key)
	if err != nil {
		t.Fatal(err)
	}
	s := &slowSink{takes: 10 * time.Millisecond}
	b.service.Generate(t.Context(), caller, asks(), s)
	if !elumenta.HasCode(s.failure, elumenta.CodeProviderTimeout) || b.balance() != before-price {
		t.Errorf("%v, paid %d", s.failure, before-b.balance())
	}
	if h := b.service.Health("p"); len(h.Failures) > 0 {
		t.Errorf("the provider is blamed: %v", h.Failures)
	}
}

// A provider that never pauses is written out in between, and a client that reads slowly then is not its fault either.
func TestProviderWithoutPauses(t *testing.T) {
	b := newBench(t, func(ctx context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		for range 32 {
			if err := emit(elumenta.Event{Kind: elumenta.EventText, Text: elumenta.Text(strings.Repeat("x", 1<<10))}); err != nil {
				return elumenta.Completion{}, err
			}
		}
		return done, ctx.Err()
	}, nil)
	defer b.close()
	b.service.BetweenPieces = 5 * time.Millisecond // less than one write
	caller, err := b.service.Authenticate(t.Context(), b.key)
	if err != nil {
		t.Fatal(err)
	}
	s := &slowSink{takes: 10 * time.Millisecond}
	b.service.Generate(t.Context(), caller, asks(), s)
	if s.failure != nil || s.writes < 4 {
		t.Errorf("%v, after %d writes", s.failure, s.writes)
	}
}

// A provider that stalls is to blame for it, however slowly the client read before.
func TestStallAfterSlowReader(t *testing.T) {
	b := newBench(t, func(ctx context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		for range 5 {
			if err := say(emit, "x"); err != nil {
				return elumenta.Completion{}, err
			}
		}
		<-ctx.Done()
		return elumenta.Completion{}, ctx.Err()
	}, nil)
	defer b.close()
	b.service.Whole, b.service.BetweenPieces = 400*time.Millisecond, 20*time.Millisecond
	before := b.balance()
	caller, err := b.service.Authenticate(t.Context(), b.key)
	if err != nil {
		t.Fatal(err)
	}
	s := &slowSink{takes: 10 * time.Millisecond}
	b.service.Generate(t.Context(), caller, asks(), s)
	if !elumenta.HasCode(s.failure, elumenta.CodeProviderTimeout) || b.balance() != before {
		t.Errorf("%v, paid %d", s.failure, before-b.balance())
	}
	if h := b.service.Health("p"); h.Failures[elumenta.KindTimeout] != 1 {
		t.Errorf("the provider is not blamed: %v", h.Failures)
	}
}

// A second route takes no time from the first one's call that it could not use, and leaves a whole answer most of it.
func TestTimeBesideASecondRoute(t *testing.T) {
	for name, c := range map[string]struct {
		budget float64
		stream bool
		takes  time.Duration
		calls  string
		fails  bool
	}{
		"a stream that begins late":                   {0.2, true, 40 * time.Second, "a b", true},
		"a stream that begins late, without a budget": {-1, true, 40 * time.Second, "a", false},
		"a whole answer of eight minutes":             {0.2, false, 8 * time.Minute, "a", false},
		"a whole answer of more":                      {0.2, false, 9*time.Minute + 30*time.Second, "a b", true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				routes := []elumenta.Route{to("a", 1), to("b", 2)}
				b := newRouted(t, routes, func(ctx context.Context, _ string, _ func(elumenta.Event) error) error { return wait(ctx, c.takes) })
				defer b.close()
				b.reload(c.budget, routes...)
				s, calls := b.ask(t, c.stream)
				if calls != c.calls || (s.failure != nil) != c.fails {
					t.Errorf("called %q, want %q; %v", calls, c.calls, s.failure)
				}
			})
		})
	}
}

// What a half-open breaker decides by are its trials' answers: not clients that hang up, and not calls from before the outage.
func TestTrials(t *testing.T) {
	state := func(b *routed) elumenta.RouteState { return b.service.Health("a").Routes[0].State }
	t.Run("hang-ups", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			failing := true
			b := newRouted(t, []elumenta.Route{to("a", 1)}, func(ctx context.Context, _ string, _ func(elumenta.Event) error) error {
				if failing {
					return fails(elumenta.KindFailed, 500, 0)
				}
				return wait(ctx, time.Second)
			})
			defer b.close()
			for range 12 {
				b.ask(t, true)
			}
			failing = false
			time.Sleep(13 * time.Second)
			for range 4 {
				for range 7 {
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
					b.run(ctx, elumenta.Request{Stream: true}, &sink{})
					cancel()
				}
				if s, _ := b.ask(t, true); s.failure != nil {
					t.Fatal(s.failure)
				}
			}
			if got := state(b); got != elumenta.RouteClosed {
				t.Errorf("%s after four good trials", got)
			}
		})
	})
	t.Run("old calls", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			old := true
			b := newRouted(t, []elumenta.Route{to("a", 1)}, func(ctx context.Context, _ string, emit func(elumenta.Event) error) error {
				if old {
					_ = say(emit, "x")
					return wait(ctx, 14*time.Second)
				}
				return fails(elumenta.KindFailed, 500, 0)
			})
			defer b.close()
			caller, err := b.service.Authenticate(t.Context(), b.key)
			if err != nil {
				t.Fatal(err)
			}
			for range 12 {
				go b.service.Generate(t.Context(), caller, asks(), &sink{})
			}
			synctest.Wait()
			old = false
			for range 30 {
				b.ask(t, true)
			}
			time.Sleep(12500 * time.Millisecond)
			b.ask(t, true)
			time.Sleep(3 * time.Second) // the old ones end well
			synctest.Wait()
			if got := state(b); got != elumenta.RouteTrial {
				t.Errorf("%s after a trial that failed", got)
			}
		})
	})
	t.Run("a panic", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newRouted(t, []elumenta.Route{to("a", 1)}, func(_ context.Context, _ string, emit func(elumenta.Event) error) error {
				_ = say(emit, "x")
				panic("p")
			})
			defer b.close()
			for range 12 {
				b.ask(t, true)
			}
			if got := state(b); got != elumenta.RouteOpen {
				t.Errorf("%s after twelve panics", got)
			}
		})
	})
}

// A provider that refuses the state of an earlier answer, which belongs to another of its accounts, is asked once more without.
func TestStateRefused(t *testing.T) {
	refused := &elumenta.ProviderError{Kind: elumenta.KindRejected, Status: 400, Reason: elumenta.RejectState, Message: "ours"}
	for name, c := range map[string]struct {
		state  *elumenta.Opaque
		always bool
		calls  int
		want   elumenta.Code
	}{
		"of another account":  {&elumenta.Opaque{Format: "openai", Data: "gAAA"}, false, 2, ""},
		"and without it too":  {&elumenta.Opaque{Format: "openai", Data: "gAAA"}, true, 2, elumenta.CodeProviderRejected},
		"where there is none": {nil, true, 1, elumenta.CodeProviderRejected},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			b := newBench(t, func(_ context.Context, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
				calls++
				if _, has := p.WithoutState(); has || c.always {
					return elumenta.Completion{}, refused
				}
				return done, say(emit, "well")
			}, nil)
			defer b.close()
			b.service.RetryBudget = -1
			before := b.balance()
			caller, err := b.service.Authenticate(t.Context(), b.key)
			if err != nil {
				t.Fatal(err)
			}
			req := asks()
			thought := elumenta.Turn{Role: elumenta.RoleOfAssistant, Parts: []elumenta.Part{{Kind: elumenta.PartReasoning, Text: "Hm.", Opaque: c.state}, {Kind: elumenta.PartText, Text: "yes?"}}}
			req.Turns = []elumenta.Turn{req.Turns[0], thought, req.Turns[0]}
			s := &sink{}
			b.service.Generate(t.Context(), caller, req, s)
			if calls != c.calls {
				t.Errorf("called %d times, want %d", calls, c.calls)
			}
			if c.want != "" {
				if !elumenta.HasCode(s.failure, c.want) || b.balance() != before {
					t.Errorf("%v, paid %d", s.failure, before-b.balance())
				}
				return
			}
			if s.failure != nil || b.balance() != before-price {
				t.Fatalf("%v, paid %d", s.failure, before-b.balance())
			}
			w, a := s.result.Warnings, s.result.Attempts
			if len(w) != 1 || w[0].Code != elumenta.WarnStateRefused || len(a) != 2 || a[0].Kind != elumenta.KindRejected || a[1].Kind != 0 {
				t.Errorf("warnings %+v, attempts %+v", w, a)
			}
			if req.Turns[1].Parts[0].Opaque == nil {
				t.Error("the request itself was changed")
			}
		})
	}
}
