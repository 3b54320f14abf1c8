package elumenta_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/elumenta/elumenta"
)

func TestPeriodEnd(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct{ start, now, want string }{
		{"2026-01-15T10:00:00Z", "2026-01-15T10:00:00Z", "2026-02-15T10:00:00Z"},
		{"2026-01-15T10:00:00Z", "2026-02-15T09:59:59Z", "2026-02-15T10:00:00Z"},
		{"2026-01-15T10:00:00Z", "2026-02-15T10:00:00Z", "2026-03-15T10:00:00Z"},
		{"2026-01-31T00:00:00Z", "2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z"},
		{"2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z"},
		{"2024-01-31T00:00:00Z", "2024-02-01T00:00:00Z", "2024-02-29T00:00:00Z"},
		{"2026-12-31T23:00:00Z", "2027-01-01T00:00:00Z", "2027-01-31T23:00:00Z"},
		{"2026-01-31T23:30:00-05:00", "2026-02-01T05:00:00Z", "2026-03-01T04:30:00Z"},
		{"2020-05-31T00:00:00Z", "2026-06-29T00:00:00Z", "2026-06-30T00:00:00Z"},
	} {
		if got := elumenta.PeriodEnd(at(c.start), at(c.now)); !got.Equal(at(c.want)) {
			t.Errorf("from %s at %s: got %s, want %s", c.start, c.now, got, c.want)
		}
	}
}

// Whatever happens to an account, its balance is the sum of its entries and neither part is below zero; what was taken
// returns to where it came from, or expires.
func TestBalanceProperty(t *testing.T) {
	plans := elumenta.DefaultPlans()
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
		a := &elumenta.Account{}
		var monthly, topup int64
		book := func(entries []elumenta.Entry) {
			for _, e := range entries {
				m, u := e.Change()
				monthly, topup = monthly+m, topup+u
			}
		}
		book(a.StartPlan(plans[0], now, time.Time{}))
		var open []elumenta.Taken
		t.Repeat(map[string]func(*rapid.T){
			"time": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 24*70).Draw(t, "hours")) * time.Hour)
				entries, _ := a.Advance(plans, now)
				book(entries)
				if again, changed := a.Advance(plans, now); len(again) > 0 || changed {
					t.Fatal("advancing twice changes something")
				}
				if !a.Balance.PeriodEnds.IsZero() && !now.Before(a.Balance.PeriodEnds) {
					t.Fatal("the month has ended")
				}
			},
			"plan": func(t *rapid.T) {
				plan := plans[rapid.IntRange(0, len(plans)-1).Draw(t, "plan")]
				expires := time.Time{}
				if rapid.Bool().Draw(t, "expires") {
					expires = now.AddDate(0, 0, rapid.IntRange(1, 100).Draw(t, "days"))
				}
				book(a.StartPlan(plan, now, expires))
			},
			"topup": func(t *rapid.T) {
				n := rapid.Int64Range(1, 1000).Draw(t, "n")
				a.Balance.Topup += n
				topup += n
			},
			"take": func(t *rapid.T) {
				price := rapid.Int64Range(0, 60).Draw(t, "price")
				before := a.Balance
				taken, ok := a.Balance.Take(price)
				if ok != (price <= before.Total()) {
					t.Fatalf("taking %d of %d: %t", price, before.Total(), ok)
				}
				if !ok {
					return
				}
				if taken.Total() != price || taken.Topup > 0 && a.Balance.Monthly > 0 {
					t.Fatalf("took %+v of %+v", taken, before)
				}
				open = append(open, taken)
				monthly, topup = monthly-taken.Monthly, topup-taken.Topup
			},
			"give back": func(t *rapid.T) {
				if len(open) == 0 {
					t.Skip()
				}
				taken := open[0]
				open = open[1:]
				expired := a.Balance.GiveBack(taken)
				monthly, topup = monthly+taken.Monthly-expired, topup+taken.Topup
			},
			"": func(t *rapid.T) {
				if a.Balance.Monthly != monthly || a.Balance.Topup != topup || monthly < 0 || topup < 0 {
					t.Fatalf("balance %+v, entries say %d and %d", a.Balance, monthly, topup)
				}
			},
		})
	})
}

// The free plan's tokens are given once, whichever way an account comes back to it.
func TestOnceTokens(t *testing.T) {
	plans := elumenta.DefaultPlans()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := &elumenta.Account{}
	a.StartPlan(plans[0], now, time.Time{})
	if a.Balance.Total() != 50 {
		t.Fatalf("granted %d", a.Balance.Total())
	}
	a.StartPlan(plans[2], now, now.AddDate(0, 0, 10))
	a.Advance(plans, now.AddDate(0, 0, 11))
	if a.Plan != "free" || a.Balance.Total() != 0 {
		t.Errorf("after the plan's end: %s with %d", a.Plan, a.Balance.Total())
	}
	a.StartPlan(plans[0], now.AddDate(0, 1, 0), time.Time{})
	if a.Balance.Total() != 0 {
		t.Errorf("started anew: %d", a.Balance.Total())
	}
}

func TestRateCountWindows(t *testing.T) {
	plan, _ := elumenta.DefaultPlans().Get("free")
	now := time.Date(2026, 3, 1, 23, 59, 59, 0, time.UTC)
	r := elumenta.RateCount{}.At(now)
	r.HourCount, r.DayCount = 20, 150
	if s := r.State(plan, now); s.RemainingHour != 0 || s.RemainingDay != 0 || !s.ResetHour.Equal(now.Add(time.Second)) || !s.ResetDay.Equal(now.Add(time.Second)) {
		t.Errorf("at the end of the day: %+v", s)
	}
	if s := r.State(plan, now.Add(time.Second)); s.RemainingHour != 20 || s.RemainingDay != 150 {
		t.Errorf("on the next day: %+v", s)
	}
	r.Day = now.Truncate(24 * time.Hour).Unix()
	if s := r.State(plan, now.Add(-time.Hour)); s.RemainingHour != 20 || s.RemainingDay != 0 {
		t.Errorf("in another hour of the day: %+v", s)
	}
}
