package generate_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/generate"
)

// brokenLedger panics where a generation is settled.
type brokenLedger struct{ generate.Store }

func (brokenLedger) Settle(context.Context, elumenta.AccountID, elumenta.GenerationID, elumenta.Outcome) (elumenta.Settled, error) {
	panic("a bug")
}

// Once Generate is over, in whichever way, the sink is left alone: what it wrote into may be another request's by then.
func TestPanicLeavesSinkAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
			return done, say(emit, "a")
		}, func(s generate.Store) generate.Store { return brokenLedger{s} })
		defer b.close()
		s := new(sink)
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			b.run(t.Context(), elumenta.Request{Stream: true}, s)
		}()
		time.Sleep(time.Hour)
		if got := s.seen(); got != "open, text a" {
			t.Errorf("the client sees %s", got)
		}
	})
}

// A provider that goes on after it has returned, as the other call of a hedge does after a panic, reaches nobody.
func TestLateEventLeavesSinkAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var late func(elumenta.Event) error
		b := newBench(t, func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
			late = emit
			return done, say(emit, "a")
		}, nil)
		defer b.close()
		s := new(sink)
		b.run(t.Context(), elumenta.Request{Stream: true}, s)
		if err := say(late, "b"); err == nil {
			t.Error("the provider is not told")
		}
		if got := s.seen(); got != "open, text a, end" {
			t.Errorf("the client sees %s", got)
		}
	})
}
