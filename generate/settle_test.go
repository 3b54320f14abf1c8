package generate_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/generate"
)

// settler is a ledger whose Settle is a test's.
type settler struct {
	generate.Store
	settle func(ctx context.Context, next func(context.Context) (elumenta.Settled, error)) (elumenta.Settled, error)
}

func (s settler) Settle(ctx context.Context, account elumenta.AccountID, id elumenta.GenerationID, o elumenta.Outcome) (elumenta.Settled, error) {
	return s.settle(ctx, func(ctx context.Context) (elumenta.Settled, error) { return s.Store.Settle(ctx, account, id, o) })
}

type traceKey struct{}

// What settles knows the request, has a time limit of its own, and does not end with the client.
func TestSettleContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var leave context.CancelFunc
		var want string
		attempts := 0
		b := newBench(t, func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
			return done, say(emit, "a")
		}, func(s generate.Store) generate.Store {
			return settler{s, func(ctx context.Context, next func(context.Context) (elumenta.Settled, error)) (elumenta.Settled, error) {
				attempts++
				leave()
				child, cancel := context.WithCancel(ctx)
				defer cancel()
				if got := ctx.Value(traceKey{}); ctx.Err() != nil || child.Err() != nil || got != want {
					t.Errorf("ended with %v, %v; of the request %v, want %s", ctx.Err(), child.Err(), got, want)
				}
				if end, ok := ctx.Deadline(); !ok || time.Until(end) != 10*time.Second {
					t.Errorf("has time until %s, which is %s", end, time.Until(end))
				}
				if want == "hangs" && attempts < 5 {
					<-child.Done()
					return elumenta.Settled{}, child.Err()
				}
				return next(ctx)
			}}
		})
		defer b.close()
		for _, want = range []string{"first", "second", "third", "hangs"} {
			ctx, cancel := context.WithCancel(context.WithValue(t.Context(), traceKey{}, want))
			defer cancel()
			leave = cancel
			s := new(sink)
			b.run(ctx, elumenta.Request{Stream: true}, s)
			if got := s.seen(); got != "open, text a, end" {
				t.Errorf("%s: the client sees %s", want, got)
			}
			time.Sleep(900 * time.Millisecond)
		}
		if attempts != 5 {
			t.Errorf("%d attempts", attempts)
		}
	})
}
