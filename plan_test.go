package elumenta_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/elumenta/elumenta"
)

// planModel is what an account's plan means, one month after the other: the plan's tokens end with the month or plan that
// they belong to, and what is given back returns there if it still runs.
type planModel struct {
	plan             string
	begun, ends, end time.Time // of the plan, of its month, of the plan
	once             bool
	monthly, topup   int64
	lot              int // of monthly
}

// taken is a reservation of the model.
type taken struct {
	monthly, topup int64
	lot            int
}

func (m *planModel) start(p elumenta.Plan, at, end time.Time) {
	m.plan, m.begun, m.end, m.ends = p.Name, at, end, time.Time{}
	m.monthly, m.lot = p.MonthlyTokens, m.lot+1
	if p.OnceTokens > 0 && !m.once {
		m.monthly, m.once = m.monthly+p.OnceTokens, true
	}
	if p.MonthlyTokens > 0 {
		m.ends = elumenta.PeriodEnd(at, at)
	}
}

func (m *planModel) advance(plans elumenta.Plans, now time.Time) {
	for {
		p, known := plans.Get(m.plan)
		planEnds, monthEnds := !m.end.IsZero() && !now.Before(m.end), known && !m.ends.IsZero() && !now.Before(m.ends)
		switch {
		case planEnds && m.plan == plans[0].Name:
			m.end = time.Time{}
		case planEnds && (!monthEnds || !m.ends.Before(m.end)):
			m.start(plans[0], m.end, time.Time{})
		case monthEnds:
			m.monthly, m.lot, m.ends = p.MonthlyTokens, m.lot+1, elumenta.PeriodEnd(m.begun, m.ends)
			if p.MonthlyTokens == 0 {
				m.ends = time.Time{}
			}
		case known && m.ends.IsZero() && p.MonthlyTokens > 0:
			m.ends = elumenta.PeriodEnd(m.begun, now)
		default:
			return
		}
	}
}

func (m *planModel) take(price int64) (taken, bool) {
	if price > m.monthly+m.topup {
		return taken{}, false
	}
	t := taken{min(price, m.monthly), price - min(price, m.monthly), m.lot}
	m.monthly, m.topup = m.monthly-t.monthly, m.topup-t.topup
	return t, true
}

func (m *planModel) giveBack(t taken) {
	m.topup += t.topup
	if t.lot == m.lot {
		m.monthly += t.monthly
	}
}

// planRun does the same to an account and to the model.
type planRun struct {
	plans elumenta.Plans
	now   time.Time
	a     elumenta.Account
	m     planModel
	book  elumenta.Tokens // what the entries add up to
	seen  time.Time       // date of the newest entry
	moved bool            // whether the clock was ever set back, or a plan was away and its months became due late
	grant map[string]bool // months that were granted
	open  []openTaken
	ends  int // how many plans were given an end
}

type openTaken struct {
	account elumenta.Taken
	model   taken
}

func (r *planRun) enter(t *rapid.T, entries ...elumenta.Entry) {
	for _, e := range entries {
		monthly, topup := e.Change()
		r.book.Monthly += monthly
		r.book.Topup += topup
		if e.Monthly < 0 || e.Topup < 0 || r.book.Monthly < 0 || r.book.Topup < 0 {
			t.Fatalf("%+v leaves %+v", e, r.book)
		}
		if !r.moved && e.At.Before(r.seen) {
			t.Fatalf("%+v is dated before %v", e, r.seen)
		}
		r.seen = e.At
		if e.Kind == elumenta.EntryGrant {
			month := fmt.Sprint(r.a.PlanStarted, e.At)
			if r.grant[month] {
				t.Fatalf("granted twice: %s", month)
			}
			r.grant[month] = true
		}
	}
}

func (r *planRun) advance(t *rapid.T) {
	before := r.a
	entries, changed := r.a.Advance(r.plans, r.now)
	if changed != (before != r.a) || len(entries) > 4 || len(entries) > 0 && !changed {
		t.Fatalf("changed %t with %+v from %+v to %+v", changed, entries, before, r.a)
	}
	r.enter(t, entries...)
	if again, changed := r.a.Advance(r.plans, r.now); len(again) > 0 || changed {
		t.Fatalf("advancing twice: %+v", again)
	}
	r.m.advance(r.plans, r.now)
}

func (r *planRun) settle(t *rapid.T, i int, charged bool) {
	r.advance(t)
	o := r.open[i]
	r.open = slices.Delete(r.open, i, i+1)
	moved := elumenta.Entry{Monthly: o.account.Monthly, Topup: o.account.Topup, At: r.now}
	if charged {
		moved.Kind = elumenta.EntrySettle
		r.enter(t, moved)
		return
	}
	moved.Kind = elumenta.EntryGiveBack
	r.enter(t, moved)
	if expired := r.a.Balance.GiveBack(o.account); expired > 0 {
		r.enter(t, elumenta.Entry{Kind: elumenta.EntryExpire, Monthly: expired, At: r.now})
	}
	r.m.giveBack(o.model)
}

// configure changes the plans, as a new configuration does, or takes one away that is not the least.
func (r *planRun) configure(t *rapid.T) {
	r.advance(t)
	r.plans = slices.Clone(r.plans)
	if len(r.plans) > 1 && rapid.IntRange(0, 3).Draw(t, "take away") == 0 {
		at := rapid.IntRange(1, len(r.plans)-1).Draw(t, "plan")
		r.plans, r.moved = slices.Delete(r.plans, at, at+1), true
		return
	}
	if rapid.Bool().Draw(t, "as at first") {
		r.plans = elumenta.DefaultPlans()
		return
	}
	p := &r.plans[rapid.IntRange(0, len(r.plans)-1).Draw(t, "plan")]
	if !p.Unlimited {
		p.MonthlyTokens = rapid.SampledFrom([]int64{0, 20, 500}).Draw(t, "monthly tokens")
	}
}

// Whatever happens to an account, in whatever order and at whatever times, it is as the model says, its balance is the sum
// of its entries, neither part is ever below zero, and no month is granted twice.
func TestPlanProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &planRun{plans: elumenta.DefaultPlans(), now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), grant: map[string]bool{}}
		start := func(p elumenta.Plan, expires time.Time) {
			r.now = r.now.Add(time.Microsecond) // or the month of another start is the same
			r.enter(t, r.a.StartPlan(p, r.now, expires)...)
			r.m.start(p, r.now, expires)
		}
		start(r.plans[rapid.IntRange(0, 2).Draw(t, "first plan")], time.Time{})
		t.Repeat(map[string]func(*rapid.T){
			"time": func(t *rapid.T) {
				r.now = r.now.Add(time.Duration(rapid.IntRange(0, 24*70).Draw(t, "hours")) * time.Hour)
				r.advance(t)
			},
			"years": func(t *rapid.T) {
				r.now = r.now.AddDate(rapid.IntRange(1, 3).Draw(t, "years"), 0, 0)
				r.advance(t)
			},
			"clock set back": func(t *rapid.T) {
				r.now, r.moved = r.now.Add(-time.Duration(rapid.IntRange(1, 24*40).Draw(t, "hours"))*time.Hour), true
				r.advance(t)
			},
			"plan": func(t *rapid.T) {
				r.advance(t)
				expires := time.Time{}
				if rapid.Bool().Draw(t, "expires") {
					r.ends++ // no end is another plan's start, not even where the clock was set back
					expires = r.now.Add(time.Hour+time.Duration(r.ends)).AddDate(0, 0, rapid.IntRange(0, 100).Draw(t, "days"))
				}
				start(rapid.SampledFrom(r.plans).Draw(t, "plan"), expires)
			},
			"configuration": r.configure,
			"topup": func(t *rapid.T) {
				r.advance(t)
				n := rapid.Int64Range(1, 1000).Draw(t, "n")
				r.a.Balance.Topup += n
				r.m.topup += n
				r.enter(t, elumenta.Entry{Kind: elumenta.EntryTopup, Topup: n, At: r.now})
			},
			"reserve": func(t *rapid.T) {
				r.advance(t)
				price := rapid.Int64Range(0, 400).Draw(t, "price")
				got, ok := r.a.Balance.Take(price)
				want, wantOK := r.m.take(price)
				if ok != wantOK || got.Monthly != want.monthly || got.Topup != want.topup {
					t.Fatalf("took %+v, %t, want %+v, %t", got, ok, want, wantOK)
				}
				if ok {
					r.open = append(r.open, openTaken{got, want})
					r.enter(t, elumenta.Entry{Kind: elumenta.EntryReserve, Monthly: got.Monthly, Topup: got.Topup, At: r.now})
				}
			},
			"settle": func(t *rapid.T) {
				if len(r.open) == 0 {
					t.Skip()
				}
				r.settle(t, rapid.IntRange(0, len(r.open)-1).Draw(t, "which"), rapid.Bool().Draw(t, "charged"))
			},
			"crash": func(t *rapid.T) {
				for len(r.open) > 0 {
					r.settle(t, 0, false)
				}
			},
			"": func(t *rapid.T) {
				m := planModel{
					plan: r.a.Plan, begun: r.a.PlanStarted, ends: r.a.Balance.PeriodEnds, end: r.a.PlanExpires, once: r.a.OnceGranted,
					monthly: r.a.Balance.Monthly, topup: r.a.Balance.Topup, lot: r.m.lot, // the account counts fewer months
				}
				if m != r.m || r.book != (elumenta.Tokens{Monthly: m.monthly, Topup: m.topup}) {
					t.Fatalf("account %+v\nmodel   %+v\nentries %+v", m, r.m, r.book)
				}
			},
		})
	})
}

// TestAdvance looks at the entries themselves.
func TestAdvance(t *testing.T) {
	day := func(month, day int) time.Time { return time.Date(2026, time.Month(month), day, 12, 0, 0, 0, time.UTC) }
	plans := elumenta.Plans{{Name: "free", OnceTokens: 50}, {Name: "basic", MonthlyTokens: 300}, {Name: "pro", MonthlyTokens: 700}}
	entry := func(kind elumenta.EntryKind, tokens int64, plan string, at time.Time) elumenta.Entry {
		return elumenta.Entry{Kind: kind, Monthly: tokens, Reason: plan, At: at}
	}
	const grant, expire = elumenta.EntryGrant, elumenta.EntryExpire
	monthly := func(free, pro int64) elumenta.Plans {
		return elumenta.Plans{{Name: "free", OnceTokens: 50, MonthlyTokens: free}, {Name: "pro", MonthlyTokens: pro}}
	}
	for _, c := range []struct {
		name    string
		plan    int
		expires time.Time
		spent   int64
		plans   elumenta.Plans // nil: as at the start
		now     time.Time
		want    []elumenta.Entry
		on      string
		ends    time.Time
	}{
		{name: "within the month", plan: 2, now: day(2, 27), on: "pro", ends: day(2, 28)},
		{name: "next month, late", plan: 2, spent: 100, now: day(3, 5), on: "pro", ends: day(3, 31), want: []elumenta.Entry{
			entry(expire, 600, "pro", day(2, 28)), entry(grant, 700, "pro", day(2, 28))}},
		{name: "all was spent", plan: 2, spent: 700, now: day(2, 28), on: "pro", ends: day(3, 31), want: []elumenta.Entry{entry(grant, 700, "pro", day(2, 28))}},
		{name: "idle for months", plan: 2, now: day(9, 2), on: "pro", ends: day(9, 30), want: []elumenta.Entry{
			entry(expire, 700, "pro", day(2, 28)), entry(grant, 700, "pro", day(8, 31))}},
		{name: "the plan ends within a month", plan: 2, expires: day(2, 10), spent: 1, now: day(2, 12), on: "free", want: []elumenta.Entry{
			entry(expire, 699, "pro", day(2, 10)), entry(grant, 50, "free", day(2, 10))}},
		{name: "the plan ended months ago, and its last month before", plan: 2, expires: day(4, 10), now: day(9, 2), on: "free", want: []elumenta.Entry{
			entry(expire, 700, "pro", day(2, 28)), entry(grant, 50, "free", day(4, 10))}},
		{name: "the least plan has months, too", plan: 2, expires: day(4, 10), plans: monthly(20, 700), now: day(9, 2), on: "free", ends: day(9, 10), want: []elumenta.Entry{
			entry(expire, 700, "pro", day(2, 28)), entry(grant, 70, "free", day(4, 10)), entry(expire, 70, "free", day(5, 10)), entry(grant, 20, "free", day(8, 10))}},
		{name: "the least plan has no end", plan: 0, expires: day(4, 10), now: day(9, 2), on: "free"},
		{name: "the configuration gives more", plan: 2, plans: monthly(0, 900), now: day(2, 28), on: "pro", ends: day(3, 31), want: []elumenta.Entry{
			entry(expire, 700, "pro", day(2, 28)), entry(grant, 900, "pro", day(2, 28))}},
		{name: "more counts from the next month", plan: 2, plans: monthly(0, 900), now: day(2, 27), on: "pro", ends: day(2, 28)},
		{name: "the configuration gives nothing more", plan: 2, plans: monthly(0, 0), now: day(2, 28), on: "pro", want: []elumenta.Entry{
			entry(expire, 700, "pro", day(2, 28))}},
		{name: "a plan has months now", plan: 0, plans: monthly(20, 0), now: day(5, 1), on: "free", ends: day(5, 31)},
		{name: "the plan is gone", plan: 2, plans: plans[:2], now: day(9, 2), on: "pro", ends: day(2, 28)},
		{name: "the plan is gone and ends", plan: 2, expires: day(4, 10), plans: plans[:2], now: day(9, 2), on: "free", want: []elumenta.Entry{
			entry(expire, 700, "pro", day(4, 10)), entry(grant, 50, "free", day(4, 10))}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var a elumenta.Account
			a.StartPlan(plans[c.plan], day(1, 31), c.expires)
			a.Balance.Take(c.spent)
			if c.plans == nil {
				c.plans = plans
			}
			before := a
			got, changed := a.Advance(c.plans, c.now)
			if diff := cmp.Diff(c.want, got); diff != "" || changed != (a != before) {
				t.Errorf("changed %t: %s", changed, diff)
			}
			if a.Plan != c.on || !a.Balance.PeriodEnds.Equal(c.ends) || c.on == "free" && !a.PlanExpires.IsZero() {
				t.Errorf("on %s until %v, the month ends %v", a.Plan, a.PlanExpires, a.Balance.PeriodEnds)
			}
		})
	}
}
