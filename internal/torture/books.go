package main

import (
	"context"
	"database/sql"
	"time"
)

// books are what the database says of the money.
type books struct {
	accounts    map[string]*holder
	generations map[string]*generation
	byCall      map[int64][]*generation // by the number of the provider's call, where it is known
	entries     map[string][]entry      // by account, in order
	uses        map[string]int64        // by assistant
}

// holder is a row of accounts.
type holder struct {
	id, plan          string
	monthly, topup    int64
	open, entries     int64
	hour, hourCount   int64
	day, dayCount     int64
	reservations      []*generation // in the order of the journal
	granted, toppedUp int64
}

// generation is a row of generations, with what its entries make of it.
type generation struct {
	account, id, assistant, author, code string
	price, taken, state, call            int64
	created                              time.Time
	reserved, settled, given, corrected  int   // entries
	net                                  int64 // charged and not corrected
}

const (
	stateOpen    = 0
	stateCharged = 1
)

// charged reports whether it is paid for, by its entries.
func (g *generation) charged() bool { return g.net != 0 }

// entry is a row of ledger_entries.
type entry struct {
	seq                       int64
	kind, source, destination string
	monthly, topup            int64
	generation                string
	at                        time.Time
}

// readBooks reads all of it.
func readBooks(ctx context.Context, db *sql.DB) (*books, error) {
	b := &books{
		accounts: map[string]*holder{}, generations: map[string]*generation{}, byCall: map[int64][]*generation{},
		entries: map[string][]entry{}, uses: map[string]int64{},
	}
	for _, read := range []func(context.Context, *sql.DB) error{b.readAccounts, b.readGenerations, b.readEntries, b.readUses} {
		if err := read(ctx, db); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// query calls row for each row; scan is its Scan.
func query(ctx context.Context, db *sql.DB, text string, row func(scan func(...any) error) error) error {
	rows, err := db.QueryContext(ctx, text)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (b *books) readAccounts(ctx context.Context, db *sql.DB) error {
	return query(ctx, db, `SELECT id, plan, monthly, topup, open_generations, entries, rate_hour, rate_hour_count, rate_day, rate_day_count
		FROM accounts`, func(scan func(...any) error) error {
		var h holder
		err := scan(&h.id, &h.plan, &h.monthly, &h.topup, &h.open, &h.entries, &h.hour, &h.hourCount, &h.day, &h.dayCount)
		b.accounts[h.id] = &h
		return err
	})
}

func (b *books) readGenerations(ctx context.Context, db *sql.DB) error {
	return query(ctx, db, `SELECT account_id, id, coalesce(assistant_id, ''), coalesce(author_id, ''), error, price,
		taken_monthly + taken_topup, state, prompt_tokens, created_at FROM generations`, func(scan func(...any) error) error {
		var g generation
		var created int64
		err := scan(&g.account, &g.id, &g.assistant, &g.author, &g.code, &g.price, &g.taken, &g.state, &g.call, &created)
		g.created = time.UnixMicro(created).UTC()
		b.generations[g.id] = &g
		if g.call != 0 {
			b.byCall[g.call] = append(b.byCall[g.call], &g)
		}
		return err
	})
}

func (b *books) readEntries(ctx context.Context, db *sql.DB) error {
	return query(ctx, db, `SELECT account_id, seq, kind, source, destination, monthly, topup, coalesce(generation_id, ''), at
		FROM ledger_entries ORDER BY account_id, seq`, func(scan func(...any) error) error {
		var account string
		var e entry
		var at int64
		err := scan(&account, &e.seq, &e.kind, &e.source, &e.destination, &e.monthly, &e.topup, &e.generation, &at)
		e.at = time.UnixMicro(at).UTC()
		b.entries[account] = append(b.entries[account], e)
		return err
	})
}

func (b *books) readUses(ctx context.Context, db *sql.DB) error {
	return query(ctx, db, `SELECT id, uses FROM assistants`, func(scan func(...any) error) error {
		var id string
		var uses int64
		err := scan(&id, &uses)
		b.uses[id] = uses
		return err
	})
}
