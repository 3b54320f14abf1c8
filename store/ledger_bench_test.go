//go:build unix

package store_test

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// BenchmarkLedger measures a reservation and its settlement, durable both, on accounts with a balance and on unlimited ones.
// With 64 callers the batches fill themselves; with one, each operation has a commit of its own. cpu-µs/op is the whole
// process's.
func BenchmarkLedger(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": sqliteURL, "postgres": storetest.Postgres} {
		for _, callers := range []int{1, 16, 64, 256} {
			for _, accounts := range []int{1, 64} {
				if accounts > callers {
					continue
				}
				for _, plan := range []string{"balance", "unlimited"} {
					b.Run(fmt.Sprintf("%s/%s/callers=%d/accounts=%d", name, plan, callers, accounts), func(b *testing.B) {
						benchmarkPairs(b, url(b), plan, callers, accounts)
					})
				}
			}
		}
	}
}

func benchmarkPairs(b *testing.B, url, plan string, callers, accounts int) {
	s, err := store.Open(b.Context(), store.Options{URL: url, Serve: true, Plans: elumenta.Plans{
		{Name: "balance", OnceTokens: 1 << 40}, {Name: "unlimited", Unlimited: true},
	}})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	}()
	payers := make([]elumenta.Reservation, accounts)
	for i := range payers {
		payers[i] = composed(b, s, plan, time.Hour)
	}
	outcome := elumenta.Outcome{
		State: elumenta.Charged, Finish: elumenta.FinishStop, Latency: time.Second, FirstPiece: time.Millisecond,
		Usage: elumenta.Usage{PromptTokens: 812, CompletionTokens: 96, CachedTokens: 768},
	}
	var next atomic.Int64
	pair := func() error {
		r := payers[int(next.Add(1))%accounts]
		r.Generation = elumenta.NewGenerationID()
		if _, err := s.Reserve(b.Context(), r); err != nil {
			return err
		}
		_, err := s.Settle(b.Context(), r.Account, r.Generation, outcome)
		return err
	}
	b.ReportAllocs()
	b.ResetTimer()
	cpu := cpuTime(b)
	errs := make(chan error, callers)
	var done atomic.Int64
	for range callers {
		go func() {
			var err error
			for err == nil && done.Add(1) <= int64(b.N) {
				err = pair()
			}
			errs <- err
		}()
	}
	for range callers {
		if err := <-errs; err != nil {
			b.Error(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64((cpuTime(b)-cpu).Nanoseconds())/1e3/float64(b.N), "cpu-µs/op")
}

func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
