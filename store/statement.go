package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/elumenta/elumenta"
)

// statementPage is how many entries of a statement are read at once.
const statementPage = 1000

var _ elumenta.JournalReader = (*Store)(nil)

// numberedColumns are what numbered scans, of ledger_entries alone.
const numberedColumns = `seq, kind, monthly, topup, COALESCE(generation_id, ''), reason, actor, at`

func numbered(e *elumenta.NumberedEntry) []any {
	return []any{&e.Seq, &e.Kind, &e.Monthly, &e.Topup, &e.Generation, &e.Reason, &e.Actor, storedTime{&e.At}}
}

// sumOfChanges is how much entries change one part of their account's balance.
func sumOfChanges(part string) string {
	return `CAST(COALESCE(SUM(CASE 'available' WHEN destination THEN ` + part + ` WHEN source THEN -` + part + ` ELSE 0 END), 0) AS BIGINT)`
}

// Entries implements elumenta.JournalReader. The balances are computed from the journal's nearer end, so that the newest
// and the oldest pages cost least.
func (s *Store) Entries(ctx context.Context, id elumenta.AccountID, query elumenta.EntryQuery) (entries []elumenta.NumberedEntry, more bool, err error) {
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		entries = nil
		first, before := int64(1), int64(math.MaxInt64)
		if query.Before > 0 {
			before = query.Before
		}
		if !query.From.IsZero() || !query.To.IsZero() {
			from, last, err := statementRange(ctx, q, id, StatementQuery{From: query.From, To: query.To})
			if err != nil {
				return err
			}
			first, before = from, min(before, last+1)
		}
		balance, err := balanceBefore(ctx, q, id, before)
		if err != nil {
			return err
		}
		// An entry that is added meanwhile is not below before, or was not when the balance was read.
		before = min(before, balance.next)
		rows, err := q.QueryContext(ctx, `SELECT `+numberedColumns+` FROM ledger_entries
			WHERE account_id = $1 AND seq >= $2 AND seq < $3 ORDER BY seq DESC LIMIT $4`, string(id), first, before, query.Limit+1)
		if err != nil {
			return err
		}
		after := balance.Tokens
		return each(rows, func() error {
			var e elumenta.NumberedEntry
			if err := rows.Scan(numbered(&e)...); err != nil {
				return err
			}
			e.After = after
			after = e.Before()
			entries = append(entries, e)
			return nil
		})
	})
	entries, more = page(entries, query.Limit)
	return entries, more, err
}

// journalPoint is an account's balance before an entry, and next, the number that the account's next entry will have.
type journalPoint struct {
	elumenta.Tokens
	next int64
}

func balanceBefore(ctx context.Context, q querier, id elumenta.AccountID, seq int64) (p journalPoint, err error) {
	var entries int64
	err = q.QueryRowContext(ctx, `SELECT monthly, topup, entries FROM accounts WHERE id = $1`, string(id)).Scan(&p.Monthly, &p.Topup, &entries)
	switch p.next = entries + 1; {
	case errors.Is(err, sql.ErrNoRows):
		return p, elumenta.NotFound("account")
	case err != nil || seq > entries:
		return p, err
	}
	sign, first, last := int64(-1), seq, entries // entries that are added meanwhile are not among them
	if before := seq - 1; before <= entries-before {
		p.Tokens, sign, first, last = elumenta.Tokens{}, 1, 1, before
	}
	// Not QueryRowContext, which reads on when the client has left.
	rows, err := q.QueryContext(ctx, `SELECT `+sumOfChanges("monthly")+`, `+sumOfChanges("topup")+`
		FROM ledger_entries WHERE account_id = $1 AND seq BETWEEN $2 AND $3`, string(id), first, last)
	if err != nil {
		return p, err
	}
	err = each(rows, func() error {
		var sum elumenta.Tokens
		if err := rows.Scan(&sum.Monthly, &sum.Topup); err != nil {
			return err
		}
		p.Monthly += sign * sum.Monthly
		p.Topup += sign * sum.Topup
		return nil
	})
	return p, err
}

// StatementQuery chooses a part of an account's journal: what was entered after the last entry before From, up to the
// last entry before To, so that statements of adjoining times neither overlap nor leave anything out. A zero From is the
// beginning, a zero To the end.
type StatementQuery struct {
	From, To time.Time
	// Limit, if not zero, leaves out all but so many entries, the newest.
	Limit int64
}

// StatementWriter takes a statement, in the order of its methods. An error ends it and is returned.
type StatementWriter interface {
	// Open takes the account, as it is now, and the balance before the first entry.
	Open(account *elumenta.Account, balance elumenta.Tokens) error
	Entry(e *elumenta.NumberedEntry) error
	// Close takes the balance after the last entry.
	Close(balance elumenta.Tokens) error
}

// Statement writes a part of an account's journal, oldest first, of any length in bounded memory. An unknown account is
// CodeNotFound.
func (s *Store) Statement(ctx context.Context, id elumenta.AccountID, query StatementQuery, w StatementWriter) error {
	account, err := s.Account(ctx, id)
	if err != nil {
		return err
	}
	var first, last int64
	var balance journalPoint
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		if first, last, err = statementRange(ctx, q, id, query); err != nil {
			return err
		}
		balance, err = balanceBefore(ctx, q, id, first)
		return err
	})
	if err != nil {
		return err
	}
	last = min(last, balance.next-1)
	if err := w.Open(account, balance.Tokens); err != nil {
		return err
	}
	after := balance.Tokens
	for first <= last {
		entries, err := s.entriesFrom(ctx, id, first, last)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return elumenta.Internal(errors.New("an account's journal ends before the number of its newest entry"))
		}
		for i := range entries {
			e := &entries[i]
			monthly, topup := e.Change()
			after.Monthly += monthly
			after.Topup += topup
			e.After = after
			if err := w.Entry(e); err != nil {
				return err
			}
			first = e.Seq + 1
		}
	}
	return w.Close(after)
}

// statementRange finds the numbers of a statement's first and last entry.
func statementRange(ctx context.Context, q querier, id elumenta.AccountID, query StatementQuery) (first, last int64, err error) {
	before := func(at time.Time) (seq int64, err error) {
		rows, err := q.QueryContext(ctx, `SELECT seq FROM ledger_entries WHERE account_id = $1 AND at < $2 ORDER BY seq DESC LIMIT 1`,
			string(id), micros(at))
		if err != nil {
			return 0, err
		}
		err = each(rows, func() error { return rows.Scan(&seq) })
		return seq, err
	}
	if query.To.IsZero() {
		if err = q.QueryRowContext(ctx, `SELECT entries FROM accounts WHERE id = $1`, string(id)).Scan(&last); errors.Is(err, sql.ErrNoRows) {
			err = elumenta.NotFound("account")
		}
	} else {
		last, err = before(query.To)
	}
	if err == nil && !query.From.IsZero() {
		first, err = before(query.From)
	}
	first++
	if query.Limit > 0 {
		first = max(first, last-query.Limit+1)
	}
	return first, last, err
}

// entriesFrom reads a page of entries, oldest first, without the balances.
func (s *Store) entriesFrom(ctx context.Context, id elumenta.AccountID, first, last int64) (entries []elumenta.NumberedEntry, err error) {
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		entries = nil
		rows, err := q.QueryContext(ctx, `SELECT `+numberedColumns+` FROM ledger_entries
			WHERE account_id = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq LIMIT $4`, string(id), first, last, statementPage)
		if err != nil {
			return err
		}
		return each(rows, func() error {
			entries = append(entries, elumenta.NumberedEntry{})
			return rows.Scan(numbered(&entries[len(entries)-1])...)
		})
	})
	return entries, err
}
