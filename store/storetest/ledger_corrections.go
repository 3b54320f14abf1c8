package storetest

import (
	"testing"
	"time"

	"github.com/elumenta/elumenta"
)

// correct settles a generation whose client was told that it pays nothing.
func (p *payer) correct(id elumenta.GenerationID) elumenta.Settled {
	p.b.Helper()
	got, err := p.b.Settle(p.b.Context(), p.account, id, elumenta.Outcome{
		State: elumenta.GivenBack, Correct: true, Error: elumenta.CodeUnavailable,
	})
	if err != nil {
		p.b.Fatal(err)
	}
	return got
}

// testCorrection: a charge that its client was not told of is undone, once.
func testCorrection(t *testing.T, b *bench) {
	p := b.payer("basic")
	if _, _, err := b.Topup(t.Context(), p.account, elumenta.Topup{Tokens: 50}); err != nil {
		t.Fatal(err)
	}
	r := p.reservation(320)
	r.Idempotency = b.InstallationSecret().Idempotency(p.account, "generate", "once", nil)
	if _, err := b.Reserve(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	other := p.reserve(5)
	p.settle(r.Generation, elumenta.Charged)
	for range 2 {
		if got := p.correct(r.Generation); got.State != elumenta.GivenBack || got.TokensSpent != 0 || *got.Balance != 345 {
			t.Errorf("settled %+v with %d left", got, *got.Balance)
		}
	}
	if got := p.settle(r.Generation, elumenta.Charged); got.State != elumenta.GivenBack {
		t.Errorf("charged again: %+v", got)
	}
	p.check(345, 1)
	a, err := b.Account(t.Context(), p.account)
	if err != nil || a.Balance.Monthly != 300 || a.Balance.Topup != 45 {
		t.Errorf("balance %+v, %v: it returns to where it came from", a.Balance, err)
	}
	if kinds := p.kinds(); kinds != "grant topup reserve reserve settle correction" {
		t.Errorf("entries: %s", kinds)
	}
	p.wantNotes(r.Generation, "state 2 corrected 1 service_unavailable notes 0 1")
	p.settle(other, elumenta.Charged)
	if got := p.settle(other, elumenta.GivenBack); got.State != elumenta.Charged {
		t.Errorf("an outcome that corrects nothing: %+v", got)
	}
	p.wantNotes(other, "state 1 corrected 0  notes 0")
	again := r
	again.Generation = elumenta.NewGenerationID()
	if _, err := b.Reserve(t.Context(), again); err != nil {
		t.Errorf("its Idempotency-Key is not free: %v", err)
	}
}

// wantNotes compares a generation's state with what is wanted, and what the rollups are told of it.
func (p *payer) wantNotes(id elumenta.GenerationID, want string) {
	p.b.Helper()
	rows, err := p.b.raw().QueryContext(p.b.Context(), `SELECT 'state ' || state || ' corrected ' || corrected || ' ' || error || ' notes',
		correction FROM generations AS g JOIN usage_notes AS u ON u.account_id = g.account_id AND u.generation_id = g.id
		WHERE g.account_id = $1 AND g.id = $2 ORDER BY correction`, string(p.account), string(id))
	if err != nil {
		p.b.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var got, notes string
	for rows.Next() {
		var note string
		if err := rows.Scan(&got, &note); err != nil {
			p.b.Fatal(err)
		}
		notes += " " + note
	}
	if got += notes; rows.Err() != nil || got != want {
		p.b.Errorf("%v: %s, want %s", rows.Err(), got, want)
	}
}

// testCorrectionLate: what belongs to a month that has ended expires, and an open reservation is given back in the plain way.
func testCorrectionLate(t *testing.T, b *bench) {
	p, free := b.payer("basic"), b.payer("unlimited")
	late, open := p.reserve(200), p.reserve(3)
	p.settle(late, elumenta.Charged)
	b.clock.Set(time.Date(2026, 2, 28, 12, 30, 0, 0, time.UTC))
	if got := p.correct(late); got.State != elumenta.GivenBack || *got.Balance != 300 {
		t.Errorf("settled %+v with %d left", got, *got.Balance)
	}
	p.correct(open)
	p.check(300, 0)
	if kinds := p.kinds(); kinds != "grant reserve reserve settle expire grant correction expire give_back expire" {
		t.Errorf("entries: %s", kinds)
	}
	p.wantNotes(open, "state 2 corrected 0 service_unavailable notes 0")

	id := free.reserve(4)
	free.settle(id, elumenta.Charged)
	if got := free.correct(id); got.State != elumenta.GivenBack || got.TokensSpent != 0 {
		t.Errorf("on an unlimited plan: %+v", got)
	}
	free.wantNotes(id, "state 2 corrected 1 service_unavailable notes 0 1")
	free.check(0, 0)
}

// testPlanWithoutMonths: the tokens of one such plan are not those of the next.
func testPlanWithoutMonths(t *testing.T, b *bench) {
	p := b.payer("hourly") // 1,000 tokens, once
	back, charged := p.reserve(400), p.reserve(300)
	p.settle(charged, elumenta.Charged)
	if _, err := b.SetPlan(t.Context(), p.account, elumenta.PlanChange{Plan: "narrow"}); err != nil {
		t.Fatal(err)
	}
	p.settle(back, elumenta.GivenBack)
	p.correct(charged)
	p.check(0, 0)
	if kinds := p.kinds(); kinds != "grant reserve reserve settle expire give_back expire correction expire" {
		t.Errorf("entries: %s", kinds)
	}
}
