package storetest

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/elumenta/elumenta"
)

// ledgerModel is what the ledger promises, in a few lines: one account, its plans and their months, and a key with a budget.
type ledgerModel struct {
	plan           elumenta.Plan
	start, ends    time.Time
	once           bool
	monthly, topup int64
	period         int
	budget, spent  int64
	ids            []elumenta.GenerationID
	generations    map[elumenta.GenerationID]*modelGeneration
}

type modelGeneration struct {
	price, monthly, topup int64
	period                int
	budgeted              bool
	state                 elumenta.SettleState // 0: open
}

func (m *ledgerModel) startPlan(plan elumenta.Plan, now time.Time) {
	m.plan, m.start, m.ends = plan, now, time.Time{}
	m.period++
	m.monthly = plan.MonthlyTokens
	if plan.MonthlyTokens > 0 {
		m.ends = elumenta.PeriodEnd(now, now)
	}
	if plan.OnceTokens > 0 && !m.once {
		m.monthly, m.once = m.monthly+plan.OnceTokens, true
	}
}

func (m *ledgerModel) at(now time.Time) {
	if !m.ends.IsZero() && !now.Before(m.ends) {
		m.period++
		m.monthly, m.ends = m.plan.MonthlyTokens, elumenta.PeriodEnd(m.start, now)
	}
}

func (m *ledgerModel) reserve(id elumenta.GenerationID, price int64, budgeted bool) bool {
	if price > 0 && budgeted && m.spent+price > m.budget || !m.plan.Unlimited && price > m.monthly+m.topup {
		return false
	}
	g := &modelGeneration{price: price, period: m.period, budgeted: budgeted}
	if !m.plan.Unlimited {
		g.monthly = min(price, m.monthly)
		g.topup = price - g.monthly
	}
	if budgeted {
		m.spent += price
	}
	m.monthly, m.topup = m.monthly-g.monthly, m.topup-g.topup
	m.ids = append(m.ids, id)
	m.generations[id] = g
	return true
}

func (m *ledgerModel) settle(id elumenta.GenerationID, state elumenta.SettleState, correct bool) {
	g := m.generations[id]
	if g.state == elumenta.GivenBack || g.state == elumenta.Charged && (state == elumenta.Charged || !correct) {
		return
	}
	if g.state = state; state == elumenta.Charged {
		return
	}
	m.topup += g.topup
	if g.period == m.period {
		m.monthly += g.monthly
	}
	if g.budgeted {
		m.spent -= g.price
	}
}

func (m *ledgerModel) open() (ids []elumenta.GenerationID) {
	for _, id := range m.ids {
		if m.generations[id].state == 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// testModel plays arbitrary sequences against the model.
func testModel(t *testing.T, b *bench) {
	start, steps := b.clock.Now(), 20
	if shared(b.url) {
		steps = 8 // round trips take their time
	}
	rapid.Check(t, func(t *rapid.T) {
		b.clock.Set(start)
		p := b.payer("basic")
		m := &ledgerModel{budget: 150, generations: map[elumenta.GenerationID]*modelGeneration{}}
		m.startPlan(planNamed("basic"), start)
		play := &modelPlay{b: b, m: m, p: p, limited: p.limited(elumenta.KeyLimits{Budget: &m.budget})}
		for range rapid.IntRange(1, steps).Draw(t, "steps") {
			play.step(t)
		}
		play.reserveFor(t, p, 0, false) // a month that has ended is seen at once, and entered by the next write
		for _, id := range m.open() {
			play.settle(t, id, elumenta.Charged, false)
		}
		p.check(m.monthly+m.topup, 0)
		play.limited.checkSpent(m.spent)
		if b.Failed() {
			t.Fatal("the model disagrees")
		}
	})
}

func planNamed(name string) elumenta.Plan {
	plan, _ := ledgerPlans().Get(name)
	return plan
}

// modelPlay does the same to an account and to its model.
type modelPlay struct {
	b          *bench
	m          *ledgerModel
	p, limited *payer
}

func (g *modelPlay) step(t *rapid.T) {
	b, m := g.b, g.m
	switch step := rapid.IntRange(0, 39).Draw(t, "step"); {
	case step < 17:
		g.reserve(t, step < 6)
	case step < 29:
		if len(m.ids) > 0 {
			state := rapid.SampledFrom([]elumenta.SettleState{elumenta.Charged, elumenta.GivenBack}).Draw(t, "state")
			g.settle(t, rapid.SampledFrom(m.ids).Draw(t, "generation"), state, rapid.Bool().Draw(t, "correct"))
		}
	case step < 33:
		tokens := rapid.Int64Range(1, 100).Draw(t, "topup")
		if _, _, err := b.Topup(b.Context(), g.p.account, elumenta.Topup{Tokens: tokens}); err != nil {
			t.Fatal(err)
		}
		m.topup += tokens
	case step < 36:
		b.clock.Set(b.clock.Now().Add(time.Duration(rapid.IntRange(1, 800).Draw(t, "hours")) * time.Hour))
	case step < 39:
		plan := rapid.SampledFrom([]string{"free", "basic", "pro", "unlimited"}).Draw(t, "plan")
		if _, err := b.SetPlan(b.Context(), g.p.account, elumenta.PlanChange{Plan: plan}); err != nil {
			t.Fatal(err)
		}
		m.at(b.clock.Now())
		if plan != m.plan.Name {
			m.startPlan(planNamed(plan), b.clock.Now())
		}
	default:
		g.reopen(t)
	}
}

func (g *modelPlay) reserve(t *rapid.T, budgeted bool) {
	p := g.p
	if budgeted {
		p = g.limited
	}
	g.reserveFor(t, p, rapid.Int64Range(0, 200).Draw(t, "price"), budgeted)
}

func (g *modelPlay) reserveFor(t *rapid.T, p *payer, price int64, budgeted bool) {
	r := p.reservation(price)
	_, err := g.b.Reserve(g.b.Context(), r)
	g.m.at(g.b.clock.Now())
	if ok := g.m.reserve(r.Generation, r.Price, budgeted); ok != (err == nil) {
		t.Fatalf("reserved %d: %v; the model says %t", r.Price, err, ok)
	}
}

func (g *modelPlay) settle(t *rapid.T, id elumenta.GenerationID, state elumenta.SettleState, correct bool) {
	got, err := g.b.Settle(g.b.Context(), g.p.account, id, elumenta.Outcome{State: state, Correct: correct && state == elumenta.GivenBack})
	if err != nil {
		t.Fatal(err)
	}
	g.m.at(g.b.clock.Now())
	g.m.settle(id, state, correct)
	if want := g.m.generations[id].state; got.State != want {
		t.Fatalf("state %d, the model says %d", got.State, want)
	}
	if left := g.m.monthly + g.m.topup; (got.Balance == nil) != g.m.plan.Unlimited || got.Balance != nil && *got.Balance != left {
		t.Fatalf("settled %+v, the model has %d left", got, left)
	}
}

// reopen ends the process and starts another. On SQLite that gives back what is open; on Postgres others do when the lease is
// over, and here the process that comes next.
func (g *modelPlay) reopen(t *rapid.T) {
	g.b.reopen()
	g.m.at(g.b.clock.Now())
	open := g.m.open()
	for _, id := range open {
		if !shared(g.b.url) {
			g.m.settle(id, elumenta.GivenBack, false)
		}
	}
	for _, id := range open {
		g.settle(t, id, elumenta.GivenBack, false)
	}
}
