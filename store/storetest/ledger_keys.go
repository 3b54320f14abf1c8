package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
)

// limited is the payer with another key, which has limits.
func (p *payer) limited(l elumenta.KeyLimits) *payer {
	p.b.Helper()
	other := *p
	other.secret = elumenta.NewKeySecret()
	key, _, err := p.b.CreateKey(p.b.Context(), p.account, elumenta.NewKey{Name: "limited", Limits: l}, other.secret, nil)
	if err != nil {
		p.b.Fatal(err)
	}
	other.key = *key
	return &other
}

// change changes the key's limits.
func (p *payer) change(patch *elumenta.KeyPatch) {
	p.b.Helper()
	key, err := p.b.ChangeKey(p.b.Context(), p.account, p.key.ID, patch)
	if err != nil {
		p.b.Fatal(err)
	}
	p.key = *key
}

// checkSpent compares what the key is said to have spent with what is wanted.
func (p *payer) checkSpent(want int64) {
	p.b.Helper()
	caller, err := p.b.Authenticate(p.b.Context(), p.secret.Hash())
	if err != nil {
		p.b.Fatal(err)
	}
	if caller.Key.Spent != want {
		p.b.Errorf("the key has spent %d, want %d", caller.Key.Spent, want)
	}
}

// testKeyBudget: a key spends no more than its budget, on an unlimited plan too, and gets back what is given back.
func testKeyBudget(t *testing.T, b *bench) {
	for _, plan := range []string{"basic", "unlimited"} {
		p := b.payer(plan)
		key := p.limited(elumenta.KeyLimits{Budget: new(int64(10))})
		refused := func(price, left int64) {
			t.Helper()
			_, err := b.Reserve(t.Context(), key.reservation(price))
			e := wantError(t, err, elumenta.CodeInsufficientTokens)
			if diff := cmp.Diff(map[string]any{"balance": left, "cost": price, "limit": "key"}, e.Details); diff != "" {
				t.Error(diff)
			}
		}
		back, charged := key.reserve(4), key.reserve(5)
		refused(2, 1)
		p.reserve(2) // the account's other key has no budget
		p.checkSpent(0)
		key.settle(charged, elumenta.Charged)
		key.settle(back, elumenta.GivenBack)
		key.settle(back, elumenta.GivenBack)
		key.checkSpent(5)
		key.reserve(5)
		key.reserve(0)
		refused(1, 0)
		key.correct(charged)
		key.correct(charged)
		key.checkSpent(5)
		refused(6, 5)

		key.change(&elumenta.KeyPatch{Budget: elumenta.Some(int64(3))})
		refused(1, 0)
		key.reserve(0)
		key.change(&elumenta.KeyPatch{Budget: elumenta.Optional[int64]{Set: true, Null: true}})
		uncounted := key.reserve(200)
		key.checkSpent(5)
		key.change(&elumenta.KeyPatch{Budget: elumenta.Some(int64(7))})
		key.settle(uncounted, elumenta.GivenBack)
		key.checkSpent(5)
		refused(3, 2)
	}
}

// testKeyBudgetRace: of many at once exactly as many succeed as the budget covers.
func testKeyBudgetRace(t *testing.T, b *bench) {
	key := b.payer("unlimited").limited(elumenta.KeyLimits{Budget: new(int64(30))})
	r := key.reservation(4)
	granted := 0
	for _, err := range together(100, func(i int) error {
		mine := r
		mine.Generation = elumenta.NewGenerationID()
		if _, err := b.Reserve(t.Context(), mine); err != nil {
			return err
		}
		_, err := b.Settle(t.Context(), r.Account, mine.Generation, elumenta.Outcome{State: elumenta.Charged})
		return err
	}) {
		if err == nil {
			granted++
			continue
		}
		wantError(t, err, elumenta.CodeInsufficientTokens)
	}
	if granted != 7 {
		t.Errorf("%d granted, want 7", granted)
	}
	key.checkSpent(28)
}

// testKeyExpires: a key ends by the ledger's clock.
func testKeyExpires(t *testing.T, b *bench) {
	key := b.payer("basic").limited(elumenta.KeyLimits{ExpiresAt: b.clock.Now().Add(time.Hour)})
	r := key.reservation(1)
	b.clock.Set(b.clock.Now().Add(time.Hour - time.Microsecond))
	key.reserve(1)
	b.clock.Set(b.clock.Now().Add(time.Microsecond))
	_, err := b.Reserve(t.Context(), r)
	wantError(t, err, elumenta.CodeNotAuthenticated)
	key.check(299, 1)
}
