package elumenta

import (
	"context"
	"fmt"
	"time"
)

// Balance is what an account may spend, in tokens (Elumenta's own unit). The plan's tokens are spent before top-ups.
// Neither part is ever below zero.
type Balance struct {
	Monthly, Topup int64
	// PeriodEnds is when the plan's month ends and what is left of Monthly expires; zero for a plan without months.
	PeriodEnds time.Time
	// Period numbers the account's months and plans without months: it rises whenever Monthly is granted anew.
	Period int64
}

// Total is what may be spent now.
func (b Balance) Total() int64 { return b.Monthly + b.Topup }

// Taken is what a reservation took and from where, so that it can return there.
type Taken struct {
	Monthly, Topup int64
	// Period is the one that Monthly came from.
	Period int64
}

// Total is the reservation's price.
func (t Taken) Total() int64 { return t.Monthly + t.Topup }

// Take removes a price, the month's tokens first. It reports false, and takes nothing, if the balance does not reach.
func (b *Balance) Take(price int64) (Taken, bool) {
	if price < 0 || price > b.Total() {
		return Taken{}, false
	}
	t := Taken{Monthly: min(price, b.Monthly), Period: b.Period}
	t.Topup = price - t.Monthly
	b.Monthly -= t.Monthly
	b.Topup -= t.Topup
	return t, true
}

// GiveBack returns what was taken to where it came from. It returns what expired instead: the part of a month or plan that
// has ended since.
func (b *Balance) GiveBack(t Taken) (expired int64) {
	b.Topup += t.Topup
	if t.Period != b.Period {
		return t.Monthly
	}
	b.Monthly += t.Monthly
	return 0
}

// begin starts another period, with a grant and without an end.
func (b *Balance) begin(grant int64) {
	b.Monthly, b.PeriodEnds = grant, time.Time{}
	b.Period++
}

// EntryKind says why tokens moved.
type EntryKind string

// The kinds of an entry.
const (
	EntryGrant      EntryKind = "grant"
	EntryTopup      EntryKind = "topup"
	EntryReserve    EntryKind = "reserve"
	EntrySettle     EntryKind = "settle"
	EntryGiveBack   EntryKind = "give_back"
	EntryExpire     EntryKind = "expire"
	EntryCorrection EntryKind = "correction"
)

// Place is where an account's tokens are, in the journal.
type Place string

// The places. Tokens come from PlaceGranted and PlaceToppedUp, and end in PlaceSpent or PlaceExpired; the balance is what
// is in PlaceAvailable.
const (
	PlaceAvailable Place = "available"
	PlaceReserved  Place = "reserved"
	PlaceSpent     Place = "spent"
	PlaceExpired   Place = "expired"
	PlaceGranted   Place = "granted"
	PlaceToppedUp  Place = "topped_up"
)

// Route is from where to where an entry of this kind moves tokens. A correction undoes a settle: its client was told that
// it pays nothing.
func (k EntryKind) Route() (source, destination Place) {
	switch k {
	case EntryGrant:
		return PlaceGranted, PlaceAvailable
	case EntryTopup:
		return PlaceToppedUp, PlaceAvailable
	case EntryReserve:
		return PlaceAvailable, PlaceReserved
	case EntrySettle:
		return PlaceReserved, PlaceSpent
	case EntryGiveBack:
		return PlaceReserved, PlaceAvailable
	case EntryExpire:
		return PlaceAvailable, PlaceExpired
	case EntryCorrection:
		return PlaceSpent, PlaceAvailable
	}
	return "", ""
}

// MaxReason bounds an entry's reason, in characters.
const MaxReason = 200

// Entry is one row of an account's journal: tokens that moved from one place to another, by its kind's Route. Entries are
// appended and never changed.
type Entry struct {
	Kind           EntryKind
	Monthly, Topup int64 // of the plan's tokens and of top-ups; never below zero
	Generation     GenerationID
	// Reason is a plan's name, a model's slug, an error's code or an operator's own words.
	Reason string
	// Actor is the id of the key or account that did it, or ActorCLI; empty for the server itself.
	Actor string
	At    time.Time
}

// Change is what the entry adds to the balance.
func (e *Entry) Change() (monthly, topup int64) {
	switch source, destination := e.Kind.Route(); PlaceAvailable {
	case destination:
		return e.Monthly, e.Topup
	case source:
		return -e.Monthly, -e.Topup
	}
	return 0, 0
}

// Reservation is what Reserve needs to know of a generation: what it was composed from, and what it costs.
type Reservation struct {
	Generation GenerationID
	Account    AccountID
	Key        KeyID
	// Revisions of what the request was composed from. Assistant is empty for a generation without one.
	AccountRevision, KeyRevision, AssistantRevision int64
	Assistant                                       AssistantID
	Version                                         int
	// Author owns the assistant; a charged generation by another account counts as a use.
	Author AccountID
	Model  string
	Price  int64
	// Idempotency is nil for a request without an Idempotency-Key.
	Idempotency *Idempotency
	// Lifetime is how long the generation may run before others may give its reservation back.
	Lifetime time.Duration
}

// Grant is a reservation that was made, durably.
type Grant struct {
	// Balance is what is left, nil on an unlimited plan.
	Balance *int64
	Rate    RateState
}

// StaleError says which of the revisions in a Reservation have changed. Nothing was reserved: load those anew, compose
// again and repeat.
type StaleError struct{ Key, Account, Assistant bool }

// Error names what has changed.
func (e *StaleError) Error() string {
	return fmt.Sprintf("changed since it was read: key %t, account %t, assistant %t", e.Key, e.Account, e.Assistant)
}

// SettleState is the final state of a reservation.
type SettleState uint8

// The final states.
const (
	// Charged makes the price final: the answer is complete, or the client left a stream after its first piece.
	Charged SettleState = iota + 1
	// GivenBack returns the price.
	GivenBack
)

// Outcome is how a generation ended, recorded in the same commit as its charge. It holds numbers and codes only.
type Outcome struct {
	State SettleState
	// Correct goes with GivenBack: the client was told that it pays nothing, so that a charge that stands all the same, since
	// its commit was not answered, is undone by a correction.
	Correct    bool
	Error      Code // "" for a complete answer
	Finish     FinishReason
	Usage      Usage
	Latency    time.Duration // from the request's arrival to its end
	FirstPiece time.Duration // from the request's arrival; zero if there was none
	CacheMiss  bool          // a hit of the provider's prompt cache was due, and none came
}

// Settled is the final state of a reservation, whoever brought it about.
type Settled struct {
	State       SettleState
	TokensSpent int64
	// Balance is what is left, nil on an unlimited plan.
	Balance *int64
}

// Ledger is what a generation needs of the money. Both methods are durable when they return without an error, and safe
// for concurrent use.
type Ledger interface {
	// Reserve, in one durable step, confirms the revisions, the key's end and budget, plan and rate limits, claims the
	// idempotency key and takes the price. It returns *StaleError if something changed, else an *Error with CodeNotAuthenticated,
	// CodeAccountSuspended, CodeInsufficientTokens, CodeRateLimited, CodeTooManyStreams, CodeConflict or CodeUnavailable,
	// and then nothing is reserved.
	Reserve(ctx context.Context, r Reservation) (Grant, error)
	// Settle makes a reservation final. The first final state wins, but for an Outcome that corrects it; repeating is safe
	// and returns that state. An error means that the database did not answer: repeat it.
	Settle(ctx context.Context, account AccountID, id GenerationID, o Outcome) (Settled, error)
}
