//go:build unix

package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// BenchmarkFollow measures what rolling up a settled generation costs, where all belong to one account, to 64, and each to
// its own. cpu-µs/op is the whole process's.
func BenchmarkFollow(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": sqliteURL, "postgres": storetest.Postgres} {
		for _, accounts := range []int{1, 64, 1 << 30} {
			b.Run(fmt.Sprintf("%s/accounts=%d", name, accounts), func(b *testing.B) {
				at := url(b)
				s := storetest.OpenWith(b, store.Options{URL: at})
				noteUsage(b, at, b.N, accounts, 1)
				b.ReportAllocs()
				b.ResetTimer()
				cpu := cpuTime(b)
				if err := s.FollowUsage(b.Context()); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64((cpuTime(b)-cpu).Microseconds())/float64(b.N), "cpu-µs/op")
			})
		}
	}
}

// BenchmarkUsage measures 90 days of an account with 20 assistants, three models and 300 generations a day.
func BenchmarkUsage(b *testing.B) {
	const days = 90
	for name, url := range map[string]func(testing.TB) string{"sqlite": sqliteURL, "postgres": storetest.Postgres} {
		at := url(b)
		s := storetest.OpenWith(b, store.Options{URL: at})
		noteUsage(b, at, days*300, 1, days)
		if err := s.FollowUsage(b.Context()); err != nil {
			b.Fatal(err)
		}
		end := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
		for _, by := range []elumenta.UsageGroup{elumenta.UsageByDay, elumenta.UsageByAssistant, elumenta.UsageByKey} {
			b.Run(name+"/"+string(by), func(b *testing.B) {
				cpu := cpuTime(b)
				for b.Loop() {
					_, total, err := s.Usage(b.Context(), elumenta.AccountID(fmt.Sprintf("acct_%026d", 0)), end.AddDate(0, 0, -days), end, by)
					if err != nil || total.Requests != days*300 {
						b.Fatal(total, err)
					}
				}
				b.ReportMetric(float64((cpuTime(b)-cpu).Microseconds())/float64(b.N), "cpu-µs/op")
			})
		}
	}
}

// noteUsage makes settled generations of the last days that wait for the follower.
func noteUsage(b *testing.B, url string, n, accounts, days int) {
	b.Helper()
	tx, err := storetest.Raw(b, url).BeginTx(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	exec := func(text string, args ...any) {
		b.Helper()
		if _, err := tx.ExecContext(b.Context(), text, args...); err != nil {
			b.Fatal(err)
		}
	}
	models := []string{"claude-sonnet-4.5", "gpt-5", "sandbox"}
	for i := range n {
		account, key := fmt.Sprintf("acct_%026d", i%accounts), fmt.Sprintf("key_%026d", i%3)
		assistant, id := fmt.Sprintf("asst_%026d", i%20), string(idAt(time.Now().AddDate(0, 0, -(i%days))))
		exec(`INSERT INTO generations (account_id, id, key_id, assistant_id, version, author_id, model, price, taken_monthly, taken_topup, state,
				prompt_tokens, completion_tokens, cached_tokens, latency_us, node_id, created_at, settled_at)
			VALUES ($1, $2, $3, $4, 1, $1, $5, 4, 0, 0, 1, 812, 96, 768, $6, 'n', $7, $7)`,
			account, id, key, assistant, models[i/days%3], 200_000+i*7919%3_000_000, time.Now().UnixMicro())
		exec(`INSERT INTO usage_pending (account_id, generation_id) VALUES ($1, $2)`, account, id)
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
}
