package elumenta_test

import (
	"testing"
	"time"

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
	if s := r.State(plan, now.Add(-2*time.Hour)); s.RemainingHour != 20 || s.RemainingDay != 0 {
		t.Errorf("in another hour of the day: %+v", s)
	}
	if s := r.State(plan, now.Add(-time.Hour)); s.RemainingHour != 0 {
		t.Errorf("with a clock that was set back a little: %+v", s)
	}
	if s := r.State(plan, now.AddDate(0, 0, -2)); s.RemainingHour != 20 || s.RemainingDay != 150 {
		t.Errorf("with a clock that was set back far: %+v", s)
	}
}
