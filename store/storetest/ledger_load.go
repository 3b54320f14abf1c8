package storetest

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/elumenta/elumenta"
)

// testBadNeighbour: an operation that no database can carry out fails alone.
func testBadNeighbour(t *testing.T, b *bench) {
	p := b.payer("basic")
	good := p.reservation(1)
	taken := p.reserve(1)
	errs := together(60, func(i int) error {
		mine := good
		mine.Generation = elumenta.NewGenerationID()
		switch i {
		case 20:
			mine.Generation = taken // again, though nothing was lost
		case 40:
			mine.Model = strings.Repeat("\x00\xff", 3)
		}
		_, err := b.Reserve(t.Context(), mine)
		return err
	})
	refused := int64(0)
	for i, err := range errs {
		if err != nil && i != 20 && i != 40 {
			t.Fatal(err)
		}
		if err != nil {
			refused++
		}
	}
	if errs[20] == nil {
		t.Error("a generation was reserved twice")
	}
	p.check(300-61+refused, 61-refused)
}

// testManyAccounts: accounts do not disturb each other, whichever batches their operations share.
func testManyAccounts(t *testing.T, b *bench) {
	payers := make([]*payer, 20)
	reservations := make([]elumenta.Reservation, len(payers))
	for i := range payers {
		payers[i] = b.payer("basic")
		reservations[i] = payers[i].reservation(2)
	}
	for _, err := range together(200, func(i int) error {
		r := reservations[i%len(payers)]
		r.Generation = elumenta.NewGenerationID()
		if _, err := b.Reserve(t.Context(), r); err != nil {
			return err
		}
		state := elumenta.Charged
		if i < 100 {
			state = elumenta.GivenBack
		}
		_, err := b.Settle(t.Context(), r.Account, r.Generation, elumenta.Outcome{State: state})
		return err
	}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range payers {
		p.check(300-5*2, 0)
	}
}

// testContexts: a caller that has left reserves nothing.
func testContexts(t *testing.T, b *bench) {
	p := b.payer("basic")
	r := p.reservation(1)
	_, err := b.Reserve(ended(t.Context()), r)
	wantError(t, err, elumenta.CodeUnavailable)
	p.check(300, 0)
	if _, err := b.Reserve(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	_, err = b.Settle(ended(t.Context()), p.account, r.Generation, elumenta.Outcome{State: elumenta.Charged})
	wantError(t, err, elumenta.CodeUnavailable)
	p.settle(r.Generation, elumenta.GivenBack)
	p.check(300, 0)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = b.Reserve(t.Context(), r)
	wantError(t, err, elumenta.CodeUnavailable)
}

// ledgerModel is what the ledger promises, in a few lines: one account, its two parts, its months.
type ledgerModel struct {
	balance elumenta.Balance
	start   time.Time
	grant   int64
	taken   map[elumenta.GenerationID]elumenta.Taken
	final   map[elumenta.GenerationID]elumenta.SettleState
	ids     []elumenta.GenerationID
}

func (m *ledgerModel) at(now time.Time) {
	if end := m.balance.PeriodEnds; !end.IsZero() && !now.Before(end) {
		m.balance.Monthly, m.balance.PeriodEnds = m.grant, elumenta.PeriodEnd(m.start, now)
		m.balance.Period++
	}
}

func (m *ledgerModel) open() (n int64) {
	for _, state := range m.final {
		if state == 0 {
			n++
		}
	}
	return n
}

// testModel plays arbitrary sequences against the model.
func testModel(t *testing.T, b *bench) {
	start := b.clock.Now()
	rapid.Check(t, func(t *rapid.T) {
		b.clock.Set(start)
		p := b.payer("basic")
		m := &ledgerModel{
			balance: elumenta.Balance{Monthly: 300, PeriodEnds: elumenta.PeriodEnd(start, start)}, start: start, grant: 300,
			taken: map[elumenta.GenerationID]elumenta.Taken{}, final: map[elumenta.GenerationID]elumenta.SettleState{},
		}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			m.at(b.clock.Now())
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0, 1:
				r := p.reservation(rapid.Int64Range(0, 200).Draw(t, "price"))
				_, err := b.Reserve(b.Context(), r)
				taken, ok := m.balance.Take(r.Price)
				if ok != (err == nil) {
					t.Fatalf("reserved %d: %v; the model says %t", r.Price, err, ok)
				}
				if ok {
					m.taken[r.Generation], m.final[r.Generation] = taken, 0
					m.ids = append(m.ids, r.Generation)
				}
			case 2:
				if len(m.ids) == 0 {
					continue
				}
				id := rapid.SampledFrom(m.ids).Draw(t, "generation")
				state := rapid.SampledFrom([]elumenta.SettleState{elumenta.Charged, elumenta.GivenBack}).Draw(t, "state")
				got := p.settle(id, state)
				if m.final[id] == 0 {
					m.final[id] = state
					if state == elumenta.GivenBack {
						m.balance.GiveBack(m.taken[id])
					}
				}
				if got.State != m.final[id] || *got.Balance != m.balance.Total() {
					t.Fatalf("settled %+v with %d left; the model says %d, %d", got, *got.Balance, m.final[id], m.balance.Total())
				}
			case 3:
				tokens := rapid.Int64Range(1, 100).Draw(t, "topup")
				if _, _, err := b.Topup(b.Context(), p.account, elumenta.Topup{Tokens: tokens}); err != nil {
					t.Fatal(err)
				}
				m.balance.Topup += tokens
			case 4:
				b.clock.Set(b.clock.Now().Add(time.Duration(rapid.IntRange(1, 800).Draw(t, "hours")) * time.Hour))
			}
		}
		m.at(b.clock.Now())
		p.settleNothing()
		p.check(m.balance.Total(), m.open())
		if b.Failed() {
			t.Fatal("the model disagrees")
		}
	})
}

// settleNothing makes the ledger bring the account to this moment.
func (p *payer) settleNothing() {
	p.b.Helper()
	p.settle(p.reserve(0), elumenta.Charged)
}
