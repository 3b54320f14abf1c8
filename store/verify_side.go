package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"github.com/elumenta/elumenta"
)

// usageTotals are the parts of usage that follow from the journal and from the generations.
type usageTotals struct{ requests, failures, spent int64 }

// add adds a generation, if it is settled.
func (u *usageTotals) add(g *verifiedGeneration) {
	if g.state == stateOpen {
		return
	}
	u.requests++
	if g.state == elumenta.Charged {
		u.spent += g.price
	} else {
		u.failures++
	}
}

func (u *usageTotals) plus(t usageTotals) {
	u.requests += t.requests
	u.failures += t.failures
	u.spent += t.spent
}

func (u usageTotals) String() string {
	return fmt.Sprintf("%d requests, %d failures, %d tokens", u.requests, u.failures, u.spent)
}

// verifiedKey is what a key has spent while it had a budget.
type verifiedKey struct {
	spent   int64 // as the key counts it
	records int64 // as its generations do
}

// accountSide is what is kept of an account beside its balance, entries and generations.
type accountSide struct {
	keys map[string]*verifiedKey
	// rollups are the account's, by dimension, since and before the records are kept; notes are what they do not have yet.
	rollups, rollupsBefore map[dimension]usageTotals
	notes, notesBefore     usageTotals
}

// accountSides are those of a page of accounts.
type accountSides map[elumenta.AccountID]*accountSide

func (s accountSides) of(id elumenta.AccountID) *accountSide {
	side := s[id]
	if side == nil {
		side = &accountSide{keys: map[string]*verifiedKey{}, rollups: map[dimension]usageTotals{}, rollupsBefore: map[dimension]usageTotals{}}
		s[id] = side
	}
	return side
}

func (s accountSides) forget(id elumenta.AccountID) { delete(s, id) }

func (s accountSides) accounts() []elumenta.AccountID { return sortedKeys(s) }

// count adds a generation that is open or charged to what its key has spent.
func (s *accountSide) count(g *verifiedGeneration) {
	if !g.budgeted || g.state == elumenta.GivenBack {
		return
	}
	if k := s.keys[g.key]; k != nil {
		k.records += g.price
	}
}

// readSide reads what is kept beside accounts with ids above after, up to last.
func (v *verifier) readSide(ctx context.Context, after, last string) (accountSides, error) {
	sides := accountSides{}
	for _, read := range []func(context.Context, accountSides, string, string) error{v.readKeys, v.readRollups, v.readNotes, v.readClaims} {
		if err := read(ctx, sides, after, last); err != nil {
			return nil, err
		}
	}
	return sides, nil
}

// eachRow runs a statement for f to scan, with a deadline.
func (v *verifier) eachRow(ctx context.Context, f func(rows *sql.Rows) error, text string, args ...any) error {
	return bounded(ctx, func(ctx context.Context) error {
		rows, err := v.q.QueryContext(ctx, text, args...)
		if err != nil {
			return err
		}
		return each(rows, func() error { return f(rows) })
	})
}

func (v *verifier) readKeys(ctx context.Context, sides accountSides, after, last string) error {
	return v.eachRow(ctx, func(rows *sql.Rows) error {
		var account elumenta.AccountID
		var id string
		var k verifiedKey
		err := rows.Scan(&account, &id, &k.spent)
		v.found.Keys++
		sides.of(account).keys[id] = &k
		return err
	}, `SELECT account_id, id, spent FROM keys WHERE account_id > $1 AND account_id <= $2`, after, last)
}

// day is the first whose generations are all there.
func (v *verifier) day() int64 {
	if v.found.RecordsSince.IsZero() {
		return math.MinInt32 // a clock may have been wrong
	}
	return dayOf(v.found.RecordsSince)
}

const rollupTotals = `CAST(SUM(requests) AS BIGINT), CAST(SUM(failures) AS BIGINT), CAST(SUM(tokens_spent) AS BIGINT)`

func (v *verifier) readRollups(ctx context.Context, sides accountSides, after, last string) error {
	return v.eachRow(ctx, func(rows *sql.Rows) error {
		var account elumenta.AccountID
		var of dimension
		var kept bool
		var u usageTotals
		if err := rows.Scan(&account, &of, &kept, &u.requests, &u.failures, &u.spent); err != nil {
			return err
		}
		if kept {
			sides.of(account).rollups[of] = u
		} else {
			sides.of(account).rollupsBefore[of] = u
		}
		if of == ofModel {
			v.usage.plus(u)
		}
		return nil
	}, `SELECT account_id, dimension, day >= CAST($3 AS BIGINT) AS kept, `+rollupTotals+` FROM usage_daily
		WHERE account_id > $1 AND account_id <= $2 GROUP BY account_id, dimension, kept`, after, last, v.day())
}

// readNotes adds up the notes that the rollups do not have yet, as the follower will.
func (v *verifier) readNotes(ctx context.Context, sides accountSides, after, last string) error {
	return v.eachRow(ctx, func(rows *sql.Rows) error {
		var account elumenta.AccountID
		var note usageNote
		var kept, known bool
		var n, price int64
		if err := rows.Scan(&account, &note.correction, &kept, &known, &note.charged, &note.corrected, &n, &price); err != nil {
			return err
		}
		if !known {
			v.differ(account, "usage", "%d notes are of generations that are not there", n)
			return nil
		}
		note.price = price
		note.settle()
		var r elumenta.UsageRow
		note.addTo(&r) // the price is that of all
		u := usageTotals{r.Requests * n, r.Failures * n, r.TokensSpent}
		if kept {
			sides.of(account).notes.plus(u)
		} else {
			sides.of(account).notesBefore.plus(u)
		}
		return nil
	}, `SELECT p.account_id, p.correction <> 0 AS correction, p.generation_id >= $3 AS kept, g.id IS NOT NULL AS known,
			COALESCE(g.state, 0) = 1 AS charged, COALESCE(g.corrected, 0) <> 0 AS corrected, COUNT(*), CAST(COALESCE(SUM(g.price), 0) AS BIGINT)
		FROM usage_notes AS p LEFT JOIN generations AS g ON g.account_id = p.account_id AND g.id = p.generation_id
		WHERE p.account_id > $1 AND p.account_id <= $2
		GROUP BY p.account_id, p.correction, kept, known, charged, COALESCE(g.corrected, 0)`, after, last, v.oldest)
}

// readClaims compares the Idempotency-Keys of generations with them: one that was answered names a charged generation,
// any other an open one. A generation that is not kept any more has let its key expire.
func (v *verifier) readClaims(ctx context.Context, _ accountSides, after, last string) error {
	return v.eachRow(ctx, func(rows *sql.Rows) error {
		var account elumenta.AccountID
		var generation string
		var answered, known bool
		var spent, price int64
		var state elumenta.SettleState
		if err := rows.Scan(&account, &generation, &answered, &spent, &known, &state, &price); err != nil {
			return err
		}
		v.found.IdempotencyKeys++
		switch {
		case !known && v.kept(generation):
			v.differ(account, generation, "an Idempotency-Key names it, and there is no such generation")
		case !known:
		case answered && state != elumenta.Charged:
			v.differ(account, generation, "its Idempotency-Key says that it was charged, and it is not")
		case answered && spent != price:
			v.differ(account, generation, "its Idempotency-Key says that it cost %d, and its price is %d", spent, price)
		case !answered && state != stateOpen:
			v.differ(account, generation, "its Idempotency-Key says that it is running, and it is not")
		}
		return nil
	}, `SELECT i.account_id, i.resource_id, i.state = 1, i.tokens_spent, g.id IS NOT NULL, COALESCE(g.state, 0), COALESCE(g.price, 0)
		FROM idempotency_keys AS i LEFT JOIN generations AS g ON g.account_id = i.account_id AND g.id = i.resource_id
		WHERE i.account_id > $1 AND i.account_id <= $2 AND i.call = 'generate'`, after, last)
}

// compareSide compares keys and usage with the generations.
func (c *accountCheck) compareSide() {
	for _, id := range sortedKeys(c.side.keys) {
		// Generations that are not kept may have spent more.
		if k := c.side.keys[id]; k.spent < k.records || k.spent > k.records && c.oldest == "" {
			c.differ(id, "the key counts %d tokens that were spent within a budget, its generations %d", k.spent, k.records)
		}
	}
	want := c.records.usage
	before := usageTotals{}
	for _, of := range []dimension{ofModel, ofVersion, ofKey} {
		have, early := c.side.rollups[of], c.side.rollupsBefore[of]
		have.plus(c.side.notes)
		early.plus(c.side.notesBefore)
		if have != want {
			c.differ("usage", "by %s: %s, and the generations say %s", of, have, want)
		}
		if of == ofModel {
			before = early
		} else if early != before {
			c.differ("usage", "by %s: %s before records are kept, and by model %s", of, early, before)
		}
	}
	// What unlimited accounts spend is in usage and not in the journal.
	if spent := c.spentBefore.Total(); before.spent < spent {
		c.differ("usage", "%d tokens were spent before records are kept, and the journal says %d", before.spent, spent)
	}
}

// verifyEveryone compares the rollups of all accounts together with those of each.
func (v *verifier) verifyEveryone(ctx context.Context) error {
	sums := map[dimension]usageTotals{}
	if err := v.eachRow(ctx, func(rows *sql.Rows) error {
		var of dimension
		var u usageTotals
		err := rows.Scan(&of, &u.requests, &u.failures, &u.spent)
		sums[of] = u
		return err
	}, `SELECT dimension, `+rollupTotals+` FROM usage_daily WHERE account_id = '' GROUP BY dimension`); err != nil {
		return err
	}
	for _, of := range []dimension{ofModel, ofAccount} {
		if sums[of] != v.usage {
			v.differ("", "usage", "of everyone by %s: %s, and of all accounts %s", of, sums[of], v.usage)
		}
	}
	return nil
}
