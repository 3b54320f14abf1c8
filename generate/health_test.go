package generate_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
)

// Each call of a provider counts once, whatever others run at the same time; one that its client left is nobody's fault.
func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := make(chan error, 1000)
		var mu sync.Mutex
		var success, failure time.Time
		b := newBench(t, func(ctx context.Context, _ *elumenta.Prompt, _ func(elumenta.Event) error) (elumenta.Completion, error) {
			if err := wait(ctx, time.Second); err != nil {
				return elumenta.Completion{}, err
			}
			err := <-calls
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				success = time.Now()
			} else {
				failure = time.Now()
			}
			return done, err
		}, nil)
		defer b.close()
		if got := b.service.Health("p"); got.Attempts != 0 || !got.LastSuccess.IsZero() || !got.LastFailure.IsZero() {
			t.Errorf("before any call: %+v", got)
		}
		var all sync.WaitGroup
		for i := range 12 {
			var err error
			if i%3 > 0 {
				err = &elumenta.ProviderError{Kind: elumenta.KindRejected + elumenta.ErrorKind(i%3), Provider: "p"}
			}
			calls <- err
			all.Go(func() { b.run(t.Context(), elumenta.Request{}, &sink{}) })
		}
		all.Wait()
		time.Sleep(2 * time.Minute) // a key that was refused is tried again
		gone, leave := context.WithTimeout(t.Context(), time.Second/2)
		defer leave()
		b.run(gone, elumenta.Request{}, &sink{})
		got := b.service.Health("p")
		if got.LastKind != elumenta.KindAuth && got.LastKind != elumenta.KindRateLimited {
			t.Errorf("the last failure was %v", got.LastKind)
		}
		want := elumenta.ProviderHealth{
			Attempts: 13, Successes: 4, Failures: map[elumenta.ErrorKind]int64{elumenta.KindAuth: 4, elumenta.KindRateLimited: 4},
			LastSuccess: success.UTC(), LastFailure: failure.UTC(), LastKind: got.LastKind,
			Keys: []time.Time{{}}, Routes: []elumenta.RouteHealth{{Model: "big", State: elumenta.RouteClosed}, {Model: "m", State: elumenta.RouteClosed}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if got := b.service.Health("unknown"); got.Attempts != 0 {
			t.Errorf("%+v", got)
		}
	})
}
