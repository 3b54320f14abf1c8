package store

import (
	"crypto/sha256"
	"database/sql"
	"time"

	"github.com/elumenta/elumenta"
)

// accountRow is an account under a batch's lock.
type accountRow struct {
	account
	changed bool
}

// keyRow is a key, which is only changed under its account's lock.
type keyRow struct {
	account  elumenta.AccountID
	revision int64
	budget   sql.NullInt64 // not valid: no limit
	spent    int64
	expires  time.Time
}

type generationKey struct {
	account elumenta.AccountID
	id      elumenta.GenerationID
}

// generationRow is what a generation's money depends on.
type generationRow struct {
	key      elumenta.KeyID
	budgeted bool // whether its price counts as spent by its key
	price    int64
	taken    elumenta.Taken
	state    elumenta.SettleState
	claim    claimKey // of its Idempotency-Key
	claimed  bool     // whether it had one
	epoch    int64    // of the batch that reserved it
}

// claimKey names an Idempotency-Key; claimRow is the generation that holds it.
type claimKey struct {
	account elumenta.AccountID
	hash    [sha256.Size]byte
}

type claimRow struct {
	body       [sha256.Size]byte
	generation elumenta.GenerationID
	answered   bool
	spent      int64
	expires    time.Time
}

// claimChange is what happens to a claim. It concerns nobody but the generation that it names.
type claimChange struct {
	claimKey
	generation elumenta.GenerationID
	to         claimState
	body       [sha256.Size]byte // of a new claim
	expires    time.Time         // of a new claim
	spent      int64             // of an answered one
}

type claimState uint8

const (
	claimHeld claimState = iota
	claimAnswered
	claimFree
)

// newGeneration and settledGeneration are rows to write.
type newGeneration struct {
	*elumenta.Reservation
	row *generationRow
}

type settledGeneration struct {
	generationKey
	outcome elumenta.Outcome
	used    *usedGeneration // SQLite, if known
}

// correctedGeneration was charged and is given back.
type correctedGeneration struct {
	generationKey
	failure elumenta.Code
}

// ledgerBatch holds the rows that a batch of reservations and settlements names, each read once, decides on them one by
// one in the order of the queue, and gathers what is to be written. A decision that refuses leaves no trace but a month
// or plan that was due to change.
type ledgerBatch struct {
	current func() elumenta.Plans
	plans   elumenta.Plans
	now     time.Time
	node    string
	epoch   int64 // SQLite

	accounts    map[elumenta.AccountID]*accountRow // nil for one that does not exist, as below
	keys        map[elumenta.KeyID]*keyRow
	assistants  map[elumenta.AssistantID]*int64 // revisions
	claims      map[claimKey]*claimRow
	generations map[generationKey]*generationRow

	reserved  []newGeneration
	settled   []settledGeneration
	corrected []correctedGeneration // settled before, or in this batch
	entries   []entryRow
	spent     map[elumenta.KeyID]int64 // what is added to what keys with a budget have spent
	claimed   []claimChange            // in order
	advanced  bool                     // an account's month or plan changed
	overtaken bool                     // one was open that was settled by an operation without its row, which another may have
}

// plain reports whether nothing is to be written but what most reservations and settlements write.
func (b *ledgerBatch) plain() bool {
	return !b.advanced && len(b.corrected)+len(b.spent)+len(b.claimed) == 0
}

func newLedgerBatch(current func() elumenta.Plans) *ledgerBatch {
	return &ledgerBatch{
		current:     current,
		plans:       current(),
		accounts:    map[elumenta.AccountID]*accountRow{},
		keys:        map[elumenta.KeyID]*keyRow{},
		assistants:  map[elumenta.AssistantID]*int64{},
		claims:      map[claimKey]*claimRow{},
		generations: map[generationKey]*generationRow{},
		spent:       map[elumenta.KeyID]int64{},
	}
}

// reset empties the batch for the next use.
func (b *ledgerBatch) reset() {
	clear(b.accounts)
	clear(b.keys)
	clear(b.assistants)
	clear(b.claims)
	clear(b.generations)
	clear(b.spent)
	clear(b.reserved)
	clear(b.settled)
	clear(b.entries)
	b.reserved, b.settled, b.corrected = b.reserved[:0], b.settled[:0], b.corrected[:0]
	b.entries, b.claimed, b.advanced, b.overtaken = b.entries[:0], b.claimed[:0], false, false
}

// wantReserve and wantSettle name the rows that a decision needs, for the reader to fill in.
func (b *ledgerBatch) wantReserve(r *elumenta.Reservation) {
	b.accounts[r.Account] = nil
	b.keys[r.Key] = nil
	if r.Assistant != "" {
		b.assistants[r.Assistant] = nil
	}
	if r.Idempotency != nil {
		b.claims[claimKey{r.Account, r.Idempotency.Key}] = nil
	}
}

func (b *ledgerBatch) wantSettle(account elumenta.AccountID, id elumenta.GenerationID) {
	b.accounts[account] = nil
	b.generations[generationKey{account, id}] = nil
}

// begin names in a batch the rows that operations need.
func (b *ledgerBatch) begin(ops []*ledgerOp, node *string) {
	b.reset()
	b.plans = b.current()
	if node != nil {
		b.node = *node
	}
	for _, op := range ops {
		op.node, op.err = node, nil
		if op.reserve {
			b.wantReserve(&op.reservation)
		}
		if !op.reserve || op.again {
			b.wantSettle(op.account, op.generation)
		}
		if key := (generationKey{op.account, op.generation}); op.known != nil && op.known.epoch == b.epoch && b.generations[key] == nil {
			known := *op.known
			b.generations[key] = &known
		}
	}
}

// decide decides them in the order of the queue.
func (b *ledgerBatch) decide(ops []*ledgerOp) {
	for _, op := range ops {
		switch {
		case op.reserve && op.node == nil:
			op.err = elumenta.Unavailable(errNoLease)
		case op.reserve && !op.again && b.generations[generationKey{op.account, op.generation}] != nil:
			op.err = elumenta.Unavailable(errReserved)
		case op.reserve:
			op.grant, op.err = b.reserve(&op.reservation)
			op.row = b.generations[generationKey{op.account, op.generation}]
		default:
			before := len(b.settled)
			op.settled, op.err = b.settle(op.account, op.generation, op.outcome)
			if len(b.settled) > before {
				b.settled[before].used = op.used
				b.overtaken = b.overtaken || op.known == nil
			}
		}
	}
}
