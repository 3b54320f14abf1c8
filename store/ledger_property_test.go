package store

import (
	"database/sql"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/elumenta/elumenta"
)

// player plays arbitrary batches in a world and knows what must have come of them.
type player struct {
	*world
	final map[elumenta.GenerationID]elumenta.SettleState
	ids   []elumenta.GenerationID
}

// TestJournal plays arbitrary sequences: the journal's places always hold what the account, its generations and its key say,
// nothing is below zero, a final state only changes by a correction, and a batch that is lost or carried out twice leaves no
// trace.
func TestJournal(t *testing.T) {
	plans := []string{"free", "basic", "pro", "elite", "unlimited"}
	rapid.Check(t, func(t *rapid.T) {
		p := &player{newWorld(rapid.SampledFrom(plans).Draw(t, "plan"), noon), map[elumenta.GenerationID]elumenta.SettleState{}, nil}
		t.Repeat(map[string]func(*rapid.T){
			"batch": p.play,
			"time": func(t *rapid.T) {
				p.now = p.now.Add(time.Duration(rapid.Int64Range(-int64(time.Hour), int64(40*24*time.Hour)).Draw(t, "by")))
			},
			"plan": func(t *rapid.T) {
				var expires time.Time
				if rapid.Bool().Draw(t, "expires") {
					expires = p.now.Add(20 * 24 * time.Hour)
				}
				p.startPlan(rapid.SampledFrom(plans).Draw(t, "plan"), expires)
			},
			"topup": func(t *rapid.T) {
				n := rapid.Int64Range(1, 100).Draw(t, "tokens")
				p.account.Balance.Topup += n
				p.add([]elumenta.Entry{{Kind: elumenta.EntryTopup, Topup: n}})
			},
			"budget": func(t *rapid.T) {
				p.key.budget = sql.NullInt64{Int64: rapid.Int64Range(0, 200).Draw(t, "budget"), Valid: rapid.Bool().Draw(t, "limited")}
			},
			"": p.check,
		})
	})
}

// play decides a batch. Its first attempt may be lost; its answer may be, so that it is repeated.
func (p *player) play(t *rapid.T) {
	var ops []func(b *ledgerBatch)
	for range rapid.IntRange(1, 4).Draw(t, "operations") {
		if len(p.ids) > 0 && rapid.Bool().Draw(t, "settle") {
			ops = append(ops, p.settlement(t))
		} else {
			ops = append(ops, p.reserving(t))
		}
	}
	decide := func(b *ledgerBatch) {
		for _, op := range ops {
			op(b)
		}
	}
	if rapid.Bool().Draw(t, "lost") {
		final, ids := maps.Clone(p.final), len(p.ids)
		decide(p.read())
		p.final, p.ids = final, p.ids[:ids]
	}
	p.run(decide)
}

// reserving reserves; if that is granted, it is repeated, as when the answer was lost.
func (p *player) reserving(t *rapid.T) func(*ledgerBatch) {
	r := p.reservation(rapid.Int64Range(0, 60).Draw(t, "price"))
	return func(b *ledgerBatch) {
		grant, err := b.reserve(r)
		if err != nil {
			a := b.accounts[p.account.ID]
			key := b.keys["key"]
			if elumenta.HasCode(err, elumenta.CodeInsufficientTokens) && a.Balance.Total() >= r.Price && (!key.budget.Valid || key.budget.Int64-key.spent >= r.Price) {
				t.Fatalf("refused %d with %+v, %+v", r.Price, a.Balance, key)
			}
			return
		}
		entries := len(b.entries)
		again, err := b.reserve(r)
		if err != nil || cmp.Diff(grant.Balance, again.Balance) != "" || len(b.entries) != entries {
			t.Fatalf("repeated: %+v, %v; first %+v", again, err, grant)
		}
		p.ids, p.final[r.Generation] = append(p.ids, r.Generation), stateOpen
	}
}

func (p *player) settlement(t *rapid.T) func(*ledgerBatch) {
	id := rapid.SampledFrom(p.ids).Draw(t, "id")
	o := elumenta.Outcome{
		State:   rapid.SampledFrom([]elumenta.SettleState{elumenta.Charged, elumenta.GivenBack}).Draw(t, "state"),
		Correct: rapid.Bool().Draw(t, "correct"),
	}
	return func(b *ledgerBatch) {
		got, err := b.settle(p.account.ID, id, o)
		if err != nil {
			t.Fatal(err)
		}
		if state := p.final[id]; state == stateOpen || state == elumenta.Charged && o.Correct {
			p.final[id] = o.State
		}
		if got.State != p.final[id] {
			t.Fatalf("state %d, want %d", got.State, p.final[id])
		}
	}
}

// check compares the journal's places with what is stored beside it.
func (p *player) check(t *rapid.T) {
	var open, reserved, spent, counted int64
	for id, state := range p.final {
		row := p.generations[generationKey{p.account.ID, id}]
		if row.state != state {
			t.Fatalf("%s is stored with state %d, want %d", id, row.state, state)
		}
		switch state {
		case stateOpen:
			open, reserved = open+1, reserved+row.taken.Total()
		case elumenta.Charged:
			spent += row.taken.Total()
		}
		if row.budgeted && state != elumenta.GivenBack {
			counted += row.price
		}
	}
	got := [...]int64{p.places[elumenta.PlaceAvailable], p.places[elumenta.PlaceReserved], p.places[elumenta.PlaceSpent], p.account.open, p.key.spent}
	if want := [...]int64{p.account.Balance.Total(), reserved, spent, open, counted}; got != want {
		t.Fatalf("available, reserved, spent, open, spent by the key: %v, want %v", got, want)
	}
	if b := p.account.Balance; b.Monthly < 0 || b.Topup < 0 || p.places[elumenta.PlaceExpired] < 0 {
		t.Fatalf("below zero: %+v, %v", b, p.places)
	}
}
