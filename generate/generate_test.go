package generate_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/generate"
)

// What a client sees and pays, by what the provider does and when.
func TestStreams(t *testing.T) {
	for name, c := range map[string]struct {
		provider script
		whole    bool
		sees     string
		code     elumenta.Code
		charged  bool
	}{
		"an answer": {func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
			return done, errors.Join(say(emit, "a"), say(emit, "b"))
		}, false, "open, text a, text b, end", "", true},
		"a whole answer": {func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
			return done, say(emit, "a")
		}, true, "text a, open, end", "", true},
		"no output": {func(context.Context, *elumenta.Prompt, func(elumenta.Event) error) (elumenta.Completion, error) {
			return done, nil
		}, false, "open, end", "", true},
		"thinks for 40 s": {func(ctx context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
			return done, errors.Join(wait(ctx, 40*time.Second), say(emit, "a"))
		}, false, "open, keep-alive, text a, end", "", true},
		"pauses for 40 s": {func(ctx context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
			return done, errors.Join(say(emit, "a"), wait(ctx, 40*time.Second), say(emit, "b"))
		}, false, "open, text a, keep-alive, keep-alive, text b, end", "", true},
		"thinks in the middle, not shown": {func(ctx context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
			err := say(emit, "a")
			for range 40 {
				err = errors.Join(err, wait(ctx, time.Second), emit(elumenta.Event{Kind: elumenta.EventReasoning, Text: "x"}), emit(elumenta.Event{Kind: elumenta.EventPause}))
			}
			return done, errors.Join(err, say(emit, "b"))
		}, false, "open, text a, keep-alive, keep-alive, text b, end", "", true},
		"silent": {func(ctx context.Context, _ *elumenta.Prompt, _ func(elumenta.Event) error) (elumenta.Completion, error) {
			return elumenta.Completion{}, wait(ctx, time.Hour)
		}, false, "open, keep-alive, keep-alive, keep-alive, keep-alive, keep-alive, keep-alive, fail provider_timeout", elumenta.CodeProviderTimeout, false},
		"silent in the middle": {func(ctx context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
			return elumenta.Completion{}, errors.Join(say(emit, "a"), wait(ctx, time.Hour))
		}, false, "open, text a, keep-alive, keep-alive, keep-alive, fail provider_timeout", elumenta.CodeProviderTimeout, false},
		"never whole": {func(ctx context.Context, _ *elumenta.Prompt, _ func(elumenta.Event) error) (elumenta.Completion, error) {
			return elumenta.Completion{}, wait(ctx, time.Hour)
		}, true, "fail provider_timeout", elumenta.CodeProviderTimeout, false},
		"breaks in the middle": {func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
			if err := say(emit, "a"); err != nil {
				return elumenta.Completion{}, err
			}
			return elumenta.Completion{}, &elumenta.ProviderError{Kind: elumenta.KindTruncated, Message: "cut"}
		}, false, "open, text a, fail provider_error", elumenta.CodeProvider, false},
		"panics in the middle": {func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
			_ = say(emit, "a")
			panic("a bug")
		}, false, "open, text a, fail internal_error", elumenta.CodeInternal, false},
		"fails before it begins": {func(context.Context, *elumenta.Prompt, func(elumenta.Event) error) (elumenta.Completion, error) {
			return elumenta.Completion{}, &elumenta.ProviderError{Kind: elumenta.KindOverloaded, Status: 529, RetryAfter: 7 * time.Second}
		}, false, "fail model_unavailable", elumenta.CodeModelUnavailable, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, c.provider, nil)
				defer b.close()
				before, s := b.balance(), &sink{}
				b.run(t.Context(), elumenta.Request{Stream: !c.whole}, s)
				if got := s.seen(); got != c.sees {
					t.Errorf("the client sees %s; want %s", got, c.sees)
				}
				if (s.failure == nil) != (c.code == "") || s.failure != nil && s.failure.Code != c.code {
					t.Errorf("failed with %v", s.failure)
				}
				if c.code == elumenta.CodeProviderTimeout && s.failure.Details["provider"] != "p" {
					t.Errorf("details: %v", s.failure.Details)
				}
				spent := before - b.balance()
				if c.charged != (spent == price) || spent != s.settled.TokensSpent {
					t.Errorf("spent %d, the client was told %d", spent, s.settled.TokensSpent)
				}
			})
		})
	}
}

// A client that leaves is charged for a stream after its first piece, and for nothing else.
func TestClientLeaves(t *testing.T) {
	for name, c := range map[string]struct {
		after   int // pieces
		whole   bool
		resets  bool // the connection breaks, instead of the context
		thinks  bool // instead of saying something
		shown   bool // what is thought reaches the client
		charged bool
	}{
		"before the first piece":      {},
		"after the first piece":       {after: 1, charged: true},
		"a reset after it":            {after: 1, resets: true, charged: true},
		"a whole answer":              {after: 1, whole: true},
		"during shown reasoning":      {after: 1, thinks: true, shown: true, charged: true},
		"during reasoning, not shown": {after: 1, thinks: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				cancelled := false
				b := newBench(t, func(call context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
					for range c.after {
						kind := elumenta.EventText
						if c.thinks {
							kind = elumenta.EventReasoning
						}
						if err := emit(elumenta.Event{Kind: kind, Text: "a"}); err != nil {
							return elumenta.Completion{}, err
						}
					}
					if c.resets {
						return elumenta.Completion{}, say(emit, "b")
					}
					leave()
					err := wait(call, time.Second)
					cancelled = errors.Is(err, context.Canceled)
					return elumenta.Completion{}, &elumenta.ProviderError{Kind: elumenta.KindUnreachable, Cause: err}
				}, nil)
				defer b.close()
				before := b.balance()
				b.run(ctx, elumenta.Request{Stream: !c.whole, ShowsReasoning: c.shown}, &sink{gone: func(line string) bool { return c.resets && line == "text b" }})
				if !cancelled && !c.resets {
					t.Error("the provider's call was not cancelled")
				}
				if spent := before - b.balance(); c.charged != (spent == price) || !c.charged && spent != 0 {
					t.Errorf("spent %d", spent)
				}
			})
		})
	}
}

// flaky is a store whose ledger is away for a while.
type flaky struct {
	generate.Store
	away    func() bool
	commits bool // and only its answers are lost
}

func (f flaky) Settle(ctx context.Context, account elumenta.AccountID, id elumenta.GenerationID, o elumenta.Outcome) (elumenta.Settled, error) {
	away := f.away()
	if away && !f.commits {
		return elumenta.Settled{}, elumenta.Unavailable(errors.New("away"))
	}
	settled, err := f.Store.Settle(ctx, account, id, o)
	if away {
		return elumenta.Settled{}, elumenta.Unavailable(errors.Join(err, errors.New("away")))
	}
	return settled, err
}

// While the database is away a stream is held open; if that takes too long it fails, and nothing is charged.
func TestDatabaseAwayAtTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		away    time.Duration
		commits bool
		ends    string
		charged bool
	}{
		"for 40 s":                          {40 * time.Second, false, "end", true},
		"for 5 min":                         {5 * time.Minute, false, "fail service_unavailable", false},
		"for 40 s, and commits unanswered":  {40 * time.Second, true, "end", true},
		"for 5 min, and commits unanswered": {5 * time.Minute, true, "fail service_unavailable", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				b := newBench(t, func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
					return done, say(emit, "a")
				}, func(st generate.Store) generate.Store {
					return flaky{st, func() bool { return time.Since(began) < c.away }, c.commits}
				})
				defer b.close()
				before, s := b.balance(), &sink{}
				b.run(t.Context(), elumenta.Request{Stream: true}, s)
				if got := s.seen(); !strings.HasPrefix(got, "open, text a, keep-alive, keep-alive, ") || !strings.HasSuffix(got, ", "+c.ends) {
					t.Errorf("the client sees %s; want %s at the end", got, c.ends)
				}
				time.Sleep(c.away) // in the bubble: the background settles what is left
				synctest.Wait()
				if spent := before - b.balance(); c.charged != (spent == price) || !c.charged && spent != 0 {
					t.Errorf("spent %d", spent)
				}
			})
		})
	}
}

// A service that is closed while the database comes back undoes the charge of a client that was told that it pays nothing.
func TestCloseCorrects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := true
		b := newBench(t, func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
			return done, say(emit, "a")
		}, func(st generate.Store) generate.Store { return flaky{st, func() bool { return away }, true} })
		before, s := b.balance(), &sink{}
		b.run(t.Context(), elumenta.Request{Stream: true}, s)
		synctest.Wait()
		away = false
		if err := b.service.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if !strings.HasSuffix(s.seen(), ", fail service_unavailable") || s.settled.TokensSpent != 0 || b.balance() != before {
			t.Errorf("the client sees %s, %+v; balance %d of %d", s.seen(), s.settled, b.balance(), before)
		}
		b.close()
	})
}

// changing is a store in which something happens just before a reservation.
type changing struct {
	generate.Store
	before func(n int)
	calls  *int
}

func (c changing) Reserve(ctx context.Context, r elumenta.Reservation) (elumenta.Grant, error) {
	*c.calls++
	c.before(*c.calls)
	return c.Store.Reserve(ctx, r)
}

// What changes between reading and reserving is seen: the provider gets the newest instructions, and an assistant that
// never stops changing ends in 503.
func TestChangesBeforeReserving(t *testing.T) {
	for name, c := range map[string]struct {
		edits int
		sees  string
	}{
		"once":     {1, "text edited 1, open, end"},
		"3 times":  {3, "text edited 3, open, end"},
		"for ever": {1000, "fail service_unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b *bench
				var id elumenta.AssistantID
				calls := 0
				b = newBench(t, func(_ context.Context, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
					return done, say(emit, p.Instructions[0].Text)
				}, func(st generate.Store) generate.Store {
					return changing{st, func(n int) {
						if n > c.edits {
							return
						}
						text := elumenta.Text("edited " + string(rune('0'+n)))
						if _, err := b.store.UpdateAssistant(context.Background(), b.account, id, 0, &elumenta.Patch{Instructions: elumenta.Some(text)}); err != nil {
							t.Error(err)
						}
					}, &calls}
				})
				defer b.close()
				a, _, err := b.store.CreateAssistant(t.Context(), b.account, elumenta.Fields{Name: "n", Model: "m", Instructions: "first"}, elumenta.Private, nil)
				if err != nil {
					t.Fatal(err)
				}
				id = a.ID
				s := &sink{}
				b.run(t.Context(), elumenta.Request{Assistant: elumenta.AssistantRef{ID: id}}, s)
				if got := s.seen(); got != c.sees {
					t.Errorf("the client sees %s; want %s", got, c.sees)
				}
			})
		})
	}
}

// An error never stands on a cached copy.
func TestErrorsAreConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
			return done, say(emit, "a")
		}, nil)
		defer b.close()
		ctx := t.Context()
		expect := func(model, want string) {
			t.Helper()
			s := &sink{}
			b.run(ctx, elumenta.Request{Model: model}, s)
			if got := s.seen(); got != want {
				t.Errorf("%s: the client sees %s; want %s", model, got, want)
			}
		}
		expect("m", "text a, open, end")
		expect("big", "fail insufficient_plan")
		if _, err := b.store.SetPlan(ctx, b.account, elumenta.PlanChange{Plan: "pro"}); err != nil {
			t.Fatal(err)
		}
		expect("big", "text a, open, end")
		expect("off", "fail model_unavailable")
		expect("nope", "fail validation_error")
		keys, _, err := b.store.Keys(ctx, b.account, "", 10)
		if err != nil || len(keys) != 1 {
			t.Fatal(err)
		}
		caller, err := b.service.Authenticate(ctx, b.key)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.store.RevokeKey(ctx, b.account, keys[0].ID); err != nil {
			t.Fatal(err)
		}
		for _, model := range []string{"m", "nope"} {
			s := &sink{}
			b.service.Generate(ctx, caller, &elumenta.Request{Model: model}, s)
			if got := s.seen(); got != "fail not_authenticated" {
				t.Errorf("with a revoked key and %s: %s", model, got)
			}
		}
	})
}

// A node that lost its lease, or stops, ends its streams with an error and charges nothing for them.
func TestInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(ctx context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
			return done, errors.Join(say(emit, "a"), wait(ctx, 30*time.Second))
		}, nil)
		defer b.close()
		before, s := b.balance(), &sink{}
		var running sync.WaitGroup
		running.Go(func() { b.run(t.Context(), elumenta.Request{Stream: true}, s) })
		synctest.Wait()
		b.service.Interrupt()
		running.Wait()
		if got := s.seen(); got != "open, text a, fail service_unavailable" || b.balance() != before {
			t.Errorf("the client sees %s; balance %d of %d", got, b.balance(), before)
		}
		again := &sink{}
		b.run(t.Context(), elumenta.Request{Stream: true}, again)
		if got := again.seen(); got != "open, text a, keep-alive, end" && got != "open, text a, keep-alive, keep-alive, end" {
			t.Errorf("afterwards: %s", got)
		}
	})
}

// Every failure of a provider is what the contract says of it, and never holds the provider's text.
func TestProviderFailures(t *testing.T) {
	for kind, want := range map[elumenta.ErrorKind]elumenta.Code{
		elumenta.KindRejected:    elumenta.CodeProviderRejected,
		elumenta.KindAuth:        elumenta.CodeModelUnavailable,
		elumenta.KindRateLimited: elumenta.CodeModelUnavailable,
		elumenta.KindOverloaded:  elumenta.CodeModelUnavailable,
		elumenta.KindUnreachable: elumenta.CodeProvider,
		elumenta.KindTimeout:     elumenta.CodeProviderTimeout,
		elumenta.KindTruncated:   elumenta.CodeProvider,
		elumenta.KindMalformed:   elumenta.CodeProvider,
		elumenta.KindFailed:      elumenta.CodeProvider,
	} {
		t.Run(kind.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, func(context.Context, *elumenta.Prompt, func(elumenta.Event) error) (elumenta.Completion, error) {
					return elumenta.Completion{}, &elumenta.ProviderError{Kind: kind, Provider: "p", Status: 418, Message: "ours", RetryAfter: 9 * time.Second}
				}, nil)
				defer b.close()
				s := &sink{}
				b.run(t.Context(), elumenta.Request{}, s)
				switch {
				case s.failure == nil || s.failure.Code != want || s.failure.Details["provider"] != "p":
					t.Errorf("%+v", s.failure)
				case want == elumenta.CodeProviderRejected && (s.failure.Details["reason"] != elumenta.RejectOther || s.failure.RetryAfter != 0):
					t.Errorf("a rejection: %+v", s.failure)
				case want == elumenta.CodeModelUnavailable && s.failure.RetryAfter < 9*time.Second:
					t.Errorf("Retry-After of the provider is lost: %v", s.failure.RetryAfter)
				case want == elumenta.CodeProvider && s.failure.Message != "ours: try again, or choose another model":
					t.Errorf("message: %s", s.failure.Message)
				case want == elumenta.CodeProvider && (s.failure.Details["status"] != 418 || s.failure.Details["provider_message"] != "ours"):
					t.Errorf("details: %v", s.failure.Details)
				}
			})
		})
	}
}
