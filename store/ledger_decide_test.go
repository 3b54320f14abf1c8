package store

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
)

// world stands in for the tables: a batch reads from it and what the batch decided is applied to it.
type world struct {
	batch       *ledgerBatch
	now         time.Time
	account     accountRow
	key         keyRow
	claims      map[claimKey]claimRow
	generations map[generationKey]generationRow
	entries     int64 // sum of what is available
	places      map[elumenta.Place]int64
}

func newWorld(plan string, at time.Time) *world {
	w := &world{
		batch: newLedgerBatch(elumenta.DefaultPlans), now: at,
		claims: map[claimKey]claimRow{}, generations: map[generationKey]generationRow{},
		places: map[elumenta.Place]int64{},
	}
	w.account.ID, w.account.Revision = elumenta.NewAccountID(), 1
	w.startPlan(plan, time.Time{})
	w.key = keyRow{account: w.account.ID, revision: 1}
	return w
}

func (w *world) startPlan(name string, expires time.Time) {
	plan, _ := elumenta.DefaultPlans().Get(name)
	w.add(w.account.StartPlan(plan, w.now, expires))
}

func (w *world) add(entries []elumenta.Entry) {
	for i := range entries {
		monthly, topup := entries[i].Change()
		w.entries += monthly + topup
		source, destination := entries[i].Kind.Route()
		w.places[source] -= entries[i].Monthly + entries[i].Topup
		w.places[destination] += entries[i].Monthly + entries[i].Topup
	}
}

func (w *world) reservation(price int64) *elumenta.Reservation {
	return &elumenta.Reservation{
		Generation: elumenta.NewGenerationID(), Account: w.account.ID, Key: "key", AccountRevision: w.account.Revision,
		KeyRevision: 1, Price: price, Model: "m", Lifetime: time.Minute,
	}
}

// run decides a batch of reservations and settlements, and commits it.
func (w *world) run(decide func(b *ledgerBatch)) {
	b := w.read()
	decide(b)
	w.commit(b)
}

// read fills a batch with all that there is.
func (w *world) read() *ledgerBatch {
	b := w.batch
	b.reset()
	b.now = w.now
	account, key := w.account, w.key
	b.accounts[account.ID], b.keys["key"] = &account, &key
	for k, v := range w.claims {
		b.claims[k] = &v
	}
	for k, v := range w.generations {
		b.generations[k] = &v
	}
	return b
}

func (w *world) commit(b *ledgerBatch) {
	w.account = *b.accounts[w.account.ID]
	w.key.spent = max(0, w.key.spent+b.spent["key"])
	for _, c := range b.claimed {
		held, ok := w.claims[c.claimKey]
		switch {
		case c.to == claimHeld:
			w.claims[c.claimKey] = claimRow{body: c.body, generation: c.generation, expires: c.expires}
		case !ok || held.generation != c.generation:
		case c.to == claimFree:
			delete(w.claims, c.claimKey)
		default:
			held.answered, held.spent = true, c.spent
			w.claims[c.claimKey] = held
		}
	}
	for k, v := range b.generations {
		w.generations[k] = *v
	}
	for i := range b.entries {
		w.add([]elumenta.Entry{b.entries[i].Entry})
	}
}

func (w *world) reserve(r *elumenta.Reservation) (grant elumenta.Grant, err error) {
	w.run(func(b *ledgerBatch) { grant, err = b.reserve(r) })
	return grant, err
}

func (w *world) settle(id elumenta.GenerationID, state elumenta.SettleState) (s elumenta.Settled, err error) {
	w.run(func(b *ledgerBatch) { s, err = b.settle(w.account.ID, id, elumenta.Outcome{State: state}) })
	return s, err
}

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func TestBatchIdempotency(t *testing.T) {
	w := newWorld("basic", noon)
	claim := func(body byte) *elumenta.Reservation {
		r := w.reservation(2)
		r.Idempotency = &elumenta.Idempotency{Key: [32]byte{1}, Body: [32]byte{body}}
		return r
	}
	first, second := claim(1), claim(1)
	var errs [2]error
	w.run(func(b *ledgerBatch) {
		_, errs[0] = b.reserve(first)
		_, errs[1] = b.reserve(second)
	})
	running, _ := errors.AsType[*elumenta.Error](errs[1])
	if errs[0] != nil || running == nil || running.Code != elumenta.CodeConflict || running.RetryAfter != time.Second {
		t.Fatalf("got %v, %v; the first claims and the second conflicts", errs[0], errs[1])
	}
	if w.account.open != 1 || w.account.Rate.HourCount != 1 {
		t.Errorf("open %d, counted %d: a refused one counts for nothing", w.account.open, w.account.Rate.HourCount)
	}

	// Given back and claimed anew in one batch.
	w.run(func(b *ledgerBatch) {
		if _, err := b.settle(w.account.ID, first.Generation, elumenta.Outcome{State: elumenta.GivenBack}); err != nil {
			t.Fatal(err)
		}
		_, errs[0] = b.reserve(second)
	})
	if errs[0] != nil {
		t.Fatal(errs[0])
	}
	// A late repetition of the first one's settlement does not free the second one's claim.
	if _, err := w.settle(first.Generation, elumenta.GivenBack); err != nil {
		t.Fatal(err)
	}
	if _, err := w.settle(second.Generation, elumenta.Charged); err != nil {
		t.Fatal(err)
	}
	_, err := w.reserve(claim(1))
	answered, _ := errors.AsType[*elumenta.Error](err)
	want := map[string]any{"generation_id": second.Generation, "tokens_spent": int64(2)}
	if answered == nil || answered.Code != elumenta.CodeConflict || !cmp.Equal(answered.Details, want) {
		t.Errorf("got %#v, want a conflict with %v", err, want)
	}
	if _, err := w.reserve(claim(2)); !elumenta.HasCode(err, elumenta.CodeConflict) {
		t.Errorf("another body: %v", err)
	}
	w.now = w.now.Add(idempotencyLifetime)
	if _, err := w.reserve(claim(2)); err != nil {
		t.Errorf("after a day the key is free: %v", err)
	}
}

func TestBatchStale(t *testing.T) {
	tests := []struct {
		name   string
		change func(w *world, r *elumenta.Reservation)
		want   elumenta.StaleError
	}{
		{"account changed", func(w *world, _ *elumenta.Reservation) { w.account.Revision++ }, elumenta.StaleError{Account: true}},
		{"account suspended", func(w *world, _ *elumenta.Reservation) { w.account.Suspended = true }, elumenta.StaleError{Account: true}},
		{"account gone", func(_ *world, r *elumenta.Reservation) { r.Account = "gone" }, elumenta.StaleError{Account: true, Key: true}},
		{"key changed", func(w *world, _ *elumenta.Reservation) { w.key.revision++ }, elumenta.StaleError{Key: true}},
		{"key of another", func(w *world, _ *elumenta.Reservation) { w.key.account = "another" }, elumenta.StaleError{Key: true}},
		{"key gone", func(_ *world, r *elumenta.Reservation) { r.Key = "gone" }, elumenta.StaleError{Key: true}},
		{"assistant gone", func(_ *world, r *elumenta.Reservation) { r.Assistant = "gone" }, elumenta.StaleError{Assistant: true}},
		{"plan expired", func(w *world, r *elumenta.Reservation) {
			w.startPlan("pro", w.now.Add(time.Hour))
			r.AccountRevision = w.account.Revision
			w.now = w.now.Add(time.Hour)
		}, elumenta.StaleError{Account: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld("basic", noon)
			r := w.reservation(1)
			tt.change(w, r)
			_, err := w.reserve(r)
			stale, ok := errors.AsType[*elumenta.StaleError](err)
			if !ok || *stale != tt.want {
				t.Fatalf("got %v, want %v", err, &tt.want)
			}
			if w.account.open != 0 || w.account.Balance.Total() != w.entries {
				t.Errorf("something was reserved: %+v", w.account)
			}
		})
	}
}

// TestBatchGiveBack: what is given back returns to where it came from, and the part of a month that has ended expires.
func TestBatchGiveBack(t *testing.T) {
	w := newWorld("basic", noon)
	w.account.Balance.Topup, w.entries = 50, w.entries+50
	r := w.reservation(320)
	if _, err := w.reserve(r); err != nil {
		t.Fatal(err)
	}
	w.now = time.Date(2026, 2, 28, 12, 0, 0, 0, time.UTC) // the month's last day
	got, err := w.settle(r.Generation, elumenta.GivenBack)
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(300 + 50); *got.Balance != want || got.TokensSpent != 0 || w.entries != want {
		t.Errorf("balance %d, spent %d, entries %d; want %d, 0", *got.Balance, got.TokensSpent, w.entries, want)
	}
}

func TestBatchLimits(t *testing.T) {
	w := newWorld("free", noon.Add(10*time.Minute))
	var last *elumenta.Reservation
	for range 20 {
		last = w.reservation(0)
		if _, err := w.reserve(last); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.reserve(w.reservation(0))
	e, _ := errors.AsType[*elumenta.Error](err)
	if e == nil || e.Code != elumenta.CodeRateLimited || e.RetryAfter != 50*time.Minute || e.Limited == nil || e.Limited.Plan != "free" ||
		*e.Limited.Hour != 20 || *e.Limited.Day != 150 || e.Limited.RetryAfter != e.RetryAfter {
		t.Fatalf("got %#v", err)
	}
	w.now = noon.Add(time.Hour)
	if _, err := w.reserve(w.reservation(0)); err != nil {
		t.Errorf("the next hour: %v", err)
	}
	w.account.Rate.DayCount = 150
	_, err = w.reserve(w.reservation(0))
	if e, _ := errors.AsType[*elumenta.Error](err); e == nil || e.RetryAfter != 11*time.Hour {
		t.Errorf("the day: %#v", err)
	}
	w.now = noon.Add(12 * time.Hour)
	w.account.open = 200
	_, err = w.reserve(w.reservation(0))
	if e, _ := errors.AsType[*elumenta.Error](err); e == nil || e.Code != elumenta.CodeTooManyStreams || e.RetryAfter != time.Second {
		t.Errorf("open: %#v", err)
	}
	_, err = w.reserve(w.reservation(51))
	if !elumenta.HasCode(err, elumenta.CodeTooManyStreams) {
		t.Errorf("limits come before the price: %v", err)
	}
}

func TestBatchUnlimited(t *testing.T) {
	w := newWorld("unlimited", noon)
	r := w.reservation(39)
	grant, err := w.reserve(r)
	if err != nil || grant.Balance != nil || grant.Rate.LimitHour != 0 {
		t.Fatalf("got %+v, %v", grant, err)
	}
	settled, err := w.settle(r.Generation, elumenta.Charged)
	if err != nil || settled.TokensSpent != 39 || settled.Balance != nil || w.entries != 0 {
		t.Errorf("got %+v, %v, entries %d", settled, err, w.entries)
	}
}

func TestBatchNonsense(t *testing.T) {
	w := newWorld("basic", noon)
	if _, err := w.settle("gen", elumenta.Charged); !elumenta.HasCode(err, elumenta.CodeInternal) {
		t.Errorf("a generation that does not exist: %v", err)
	}
	r := w.reservation(-1)
	if _, err := w.reserve(r); !elumenta.HasCode(err, elumenta.CodeInternal) {
		t.Errorf("a price below zero: %v", err)
	}
	r = w.reservation(1)
	if _, err := w.reserve(r); err != nil {
		t.Fatal(err)
	}
	if _, err := w.settle(r.Generation, stateOpen); !elumenta.HasCode(err, elumenta.CodeInternal) {
		t.Errorf("no final state: %v", err)
	}
	w.account.Plan = "gone"
	if _, err := w.reserve(w.reservation(1)); !elumenta.HasCode(err, elumenta.CodeInsufficientPlan) {
		t.Errorf("a plan that is not offered: %v", err)
	}
}
