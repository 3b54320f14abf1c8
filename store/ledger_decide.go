package store

import (
	"errors"
	"time"

	"github.com/elumenta/elumenta"
)

// idempotencyLifetime is how long an Idempotency-Key is remembered, by the contract.
const idempotencyLifetime = 24 * time.Hour

// stateOpen is the state of a generation that is neither charged nor given back.
const stateOpen elumenta.SettleState = 0

// advance brings an account to the batch's moment.
func (b *ledgerBatch) advance(a *accountRow) {
	entries, changed := a.Advance(b.plans, b.now)
	a.changed, b.advanced = a.changed || changed, b.advanced || changed
	for _, e := range entries {
		b.enter(a, e)
	}
}

func (b *ledgerBatch) enter(a *accountRow, e elumenta.Entry) {
	a.entries++
	a.changed = true
	b.entries = append(b.entries, entryRow{a.ID, a.entries, e})
}

// reserve decides one reservation.
func (b *ledgerBatch) reserve(r *elumenta.Reservation) (elumenta.Grant, error) {
	a := b.accounts[r.Account]
	if a != nil {
		b.advance(a)
	}
	if row := b.generations[generationKey{r.Account, r.Generation}]; row != nil && a != nil {
		return b.granted(row, a)
	}
	if err := b.stale(r, a); err != nil {
		return elumenta.Grant{}, err
	}
	if expires := b.keys[r.Key].expires; !expires.IsZero() && !b.now.Before(expires) {
		return elumenta.Grant{}, elumenta.KeyExpired() // by the clock that all nodes share, whatever this node's says
	}
	plan, ok := b.plans.Get(a.Plan)
	if !ok {
		return elumenta.Grant{}, elumenta.PlanGone(a.Plan)
	}
	if err := b.claimable(r); err != nil {
		return elumenta.Grant{}, err
	}
	rate := a.Rate.At(b.now)
	if err := admit(plan, rate, a.open, b.now); err != nil {
		return elumenta.Grant{}, err
	}
	if err := b.keys[r.Key].covers(r.Price); err != nil {
		return elumenta.Grant{}, err
	}
	taken, err := take(plan, a, r.Price)
	if err != nil {
		return elumenta.Grant{}, err
	}
	rate.HourCount++
	rate.DayCount++
	a.Rate, a.open, a.changed = rate, a.open+1, true
	b.record(r, a, taken)
	return elumenta.Grant{Balance: remaining(plan, a), Rate: rate.State(plan, b.now)}, nil
}

// granted answers a reservation that is there already: an earlier attempt was committed, though its answer was lost.
func (b *ledgerBatch) granted(row *generationRow, a *accountRow) (elumenta.Grant, error) {
	if row.state != stateOpen {
		return elumenta.Grant{}, elumenta.Unavailable(errors.New("the reservation was given back before it was answered"))
	}
	plan, _ := b.plans.Get(a.Plan)
	return elumenta.Grant{Balance: remaining(plan, a), Rate: a.Rate.State(plan, b.now)}, nil
}

// stale compares what the reservation was composed from with what is there now.
func (b *ledgerBatch) stale(r *elumenta.Reservation, a *accountRow) error {
	var s elumenta.StaleError
	s.Account = a == nil || a.Suspended || a.Revision != r.AccountRevision
	key := b.keys[r.Key]
	s.Key = key == nil || key.account != r.Account || key.revision != r.KeyRevision
	if r.Assistant != "" {
		revision := b.assistants[r.Assistant]
		s.Assistant = revision == nil || *revision != r.AssistantRevision
	}
	if s != (elumenta.StaleError{}) {
		return &s
	}
	return nil
}

// claimable refuses a reservation whose Idempotency-Key is held.
func (b *ledgerBatch) claimable(r *elumenta.Reservation) error {
	if r.Idempotency == nil {
		return nil
	}
	claim := b.claims[claimKey{r.Account, r.Idempotency.Key}]
	switch {
	case claim == nil || !b.now.Before(claim.expires):
		return nil
	case claim.body != r.Idempotency.Body:
		return elumenta.Errorf(elumenta.CodeConflict, "this Idempotency-Key was used with another body; use a new key for a new request")
	case !claim.answered:
		err := elumenta.Errorf(elumenta.CodeConflict, "its first request is still running; repeat this one later")
		err.RetryAfter = time.Second
		return err
	}
	err := elumenta.Errorf(elumenta.CodeConflict, "a request with this Idempotency-Key was already answered; nothing was charged again")
	err.Details = map[string]any{"generation_id": claim.generation, "tokens_spent": claim.spent}
	return err
}

// admit applies the plan's limits of rate and of open generations.
func admit(plan elumenta.Plan, rate elumenta.RateCount, open int64, now time.Time) error {
	limits := elumenta.Limited{Plan: plan.Name}
	full := func(limit, count, start int64, window time.Duration) *int64 {
		if limit <= 0 {
			return nil
		}
		if count >= limit {
			limits.RetryAfter = max(limits.RetryAfter, time.Unix(start, 0).Add(window).Sub(now))
		}
		return &limit
	}
	limits.Hour = full(plan.PerHour, rate.HourCount, rate.Hour, time.Hour)
	limits.Day = full(plan.PerDay, rate.DayCount, rate.Day, 24*time.Hour)
	if limits.RetryAfter > 0 {
		return &elumenta.Error{
			Code:       elumenta.CodeRateLimited,
			Message:    "the plan's limit of generations is reached; wait for the window to end, or change the plan",
			RetryAfter: limits.RetryAfter, Limited: &limits,
		}
	}
	if plan.OpenGenerations > 0 && open >= plan.OpenGenerations {
		err := elumenta.Errorf(elumenta.CodeTooManyStreams, "the account may have %d generations open at once; let one end first", plan.OpenGenerations)
		err.RetryAfter = time.Second
		return err
	}
	return nil
}

// covers refuses a price that is more than what is left of the key's budget.
func (k *keyRow) covers(price int64) error {
	if !k.budget.Valid || price <= 0 || price <= k.budget.Int64-k.spent {
		return nil
	}
	left := max(0, k.budget.Int64-k.spent)
	err := elumenta.Errorf(elumenta.CodeInsufficientTokens,
		"the %d tokens that are left of the key's budget do not cover the model's cost of %d; raise the budget, or use another key", left, price)
	err.Details = map[string]any{"balance": left, "cost": price, "limit": "key"}
	return err
}

// spend counts a price, or one that is given back, as spent by a key.
func (b *ledgerBatch) spend(id elumenta.KeyID, price int64) {
	b.spent[id] += price
	if key := b.keys[id]; key != nil {
		key.spent = max(0, key.spent+price)
	}
}

// take removes the price from the balance, or nothing on an unlimited plan.
func take(plan elumenta.Plan, a *accountRow, price int64) (elumenta.Taken, error) {
	if price < 0 {
		return elumenta.Taken{}, elumenta.Internal(errors.New("a price below zero"))
	}
	if plan.Unlimited || price == 0 {
		return elumenta.Taken{}, nil
	}
	taken, ok := a.Balance.Take(price)
	if ok {
		return taken, nil
	}
	balance := a.Balance.Total()
	err := elumenta.Errorf(elumenta.CodeInsufficientTokens, "the balance of %d tokens does not cover the model's cost of %d", balance, price)
	err.Details = map[string]any{"balance": balance, "cost": price}
	return elumenta.Taken{}, err
}

// record notes a reservation that was granted.
func (b *ledgerBatch) record(r *elumenta.Reservation, a *accountRow, taken elumenta.Taken) {
	row := &generationRow{key: r.Key, budgeted: r.Price > 0 && b.keys[r.Key].budget.Valid, price: r.Price, taken: taken, epoch: b.epoch}
	if row.budgeted {
		b.spend(r.Key, r.Price)
	}
	if r.Idempotency != nil {
		row.claim, row.claimed = claimKey{r.Account, r.Idempotency.Key}, true
		claim := claimRow{body: r.Idempotency.Body, generation: r.Generation, expires: b.now.Add(idempotencyLifetime)}
		b.claims[row.claim] = &claim
		b.claimed = append(b.claimed, claimChange{
			claimKey: row.claim, generation: r.Generation, to: claimHeld, body: claim.body, expires: claim.expires,
		})
	}
	b.generations[generationKey{r.Account, r.Generation}] = row
	b.reserved = append(b.reserved, newGeneration{r, row})
	if taken.Total() > 0 {
		b.enter(a, elumenta.Entry{
			Kind: elumenta.EntryReserve, Monthly: taken.Monthly, Topup: taken.Topup, Generation: r.Generation,
			Reason: r.Model, Actor: string(r.Key), At: b.now,
		})
	}
}

// settle decides one settlement. The first final state wins, unless it is a charge that is to be corrected.
func (b *ledgerBatch) settle(account elumenta.AccountID, id elumenta.GenerationID, o elumenta.Outcome) (elumenta.Settled, error) {
	a, key := b.accounts[account], generationKey{account, id}
	row := b.generations[key]
	if a == nil || row == nil {
		return elumenta.Settled{}, elumenta.Internal(errors.New("settled a generation that was never reserved"))
	}
	if o.State != elumenta.Charged && o.State != elumenta.GivenBack {
		return elumenta.Settled{}, elumenta.Internal(errors.New("settled without a final state"))
	}
	b.advance(a)
	switch {
	case row.state == stateOpen:
		a.open, a.changed = max(0, a.open-1), true
		b.settled = append(b.settled, settledGeneration{generationKey: key, outcome: o})
		kind := elumenta.EntrySettle
		if o.State == elumenta.GivenBack {
			kind = elumenta.EntryGiveBack
		}
		b.finish(a, key, row, o, kind)
	case row.state == elumenta.Charged && o.State == elumenta.GivenBack && o.Correct:
		b.corrected = append(b.corrected, correctedGeneration{key, o.Error})
		b.finish(a, key, row, o, elumenta.EntryCorrection)
	}
	plan, _ := b.plans.Get(a.Plan)
	return elumenta.Settled{State: row.state, TokensSpent: row.spent(), Balance: remaining(plan, a)}, nil
}

// finish puts a generation into its final state, with an entry of a kind and what that does to the balance.
func (b *ledgerBatch) finish(a *accountRow, key generationKey, row *generationRow, o elumenta.Outcome, kind elumenta.EntryKind) {
	row.state = o.State
	b.release(row, key.id)
	if row.budgeted && row.state == elumenta.GivenBack {
		b.spend(row.key, -row.price)
	}
	if row.taken.Total() == 0 {
		return
	}
	b.enter(a, elumenta.Entry{
		Kind: kind, Monthly: row.taken.Monthly, Topup: row.taken.Topup, Generation: key.id, Reason: string(o.Error), At: b.now,
	})
	if row.state != elumenta.GivenBack {
		return
	}
	if expired := a.Balance.GiveBack(row.taken); expired > 0 {
		b.enter(a, elumenta.Entry{Kind: elumenta.EntryExpire, Monthly: expired, Generation: key.id, At: b.now})
	}
}

// release answers the Idempotency-Key of a charged generation, and frees that of one that was given back, unless another
// generation holds it by now.
func (b *ledgerBatch) release(row *generationRow, id elumenta.GenerationID) {
	if !row.claimed {
		return
	}
	change := claimChange{claimKey: row.claim, generation: id, to: claimFree, spent: row.spent()}
	if row.state == elumenta.Charged {
		change.to = claimAnswered
	}
	b.claimed = append(b.claimed, change)
	claim := b.claims[row.claim]
	switch {
	case claim == nil || claim.generation != id:
	case change.to == claimFree:
		b.claims[row.claim] = nil
	default:
		claim.answered, claim.spent = true, change.spent
	}
}

// spent is the price of a charged generation, zero for any other.
func (r *generationRow) spent() int64 {
	if r.state == elumenta.Charged {
		return r.price
	}
	return 0
}

// remaining is the balance that a plan shows.
func remaining(plan elumenta.Plan, a *accountRow) *int64 {
	if plan.Unlimited {
		return nil
	}
	total := a.Balance.Total()
	return &total
}
