package generate_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/elumenta/elumenta"
)

// TestLeaversDecideNothing: clients who leave, before or after the first piece, cut no route off, though the call then ends with an error.
func TestLeaversDecideNothing(t *testing.T) {
	for name, pieces := range map[string]int{"before a piece": 0, "after one": 1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRouted(t, []elumenta.Route{to("a", 1)}, func(ctx context.Context, _ string, emit func(elumenta.Event) error) error {
					for range pieces {
						_ = say(emit, "half")
					}
					<-ctx.Done()
					return &elumenta.ProviderError{Kind: elumenta.KindTimeout, Provider: "a", Message: "the call was cancelled", Cause: context.Cause(ctx)}
				})
				defer b.close()
				for range 30 {
					ctx, cancel := context.WithCancel(t.Context())
					time.AfterFunc(100*time.Millisecond, cancel)
					b.run(ctx, elumenta.Request{Stream: true}, &sink{})
					cancel()
				}
				if h := b.service.Health("a"); h.Routes[0].State != elumenta.RouteClosed || len(h.Failures) != 0 {
					t.Errorf("%+v", h)
				}
			})
		})
	}
}
