package storetest

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

// statement is what a StatementWriter was given.
type statement struct {
	plan            string
	opening, closed elumenta.Tokens
	entries         []elumenta.NumberedEntry
}

// Open implements elumenta.StatementWriter.
func (s *statement) Open(a *elumenta.Account, balance elumenta.Tokens) error {
	s.plan, s.opening = a.Plan, balance
	return nil
}

// Entry implements elumenta.StatementWriter.
func (s *statement) Entry(e *elumenta.NumberedEntry) error {
	s.entries = append(s.entries, *e)
	return nil
}

// Close implements elumenta.StatementWriter.
func (s *statement) Close(balance elumenta.Tokens) error {
	s.closed = balance
	return nil
}

// testJournal reads an account's journal: by pages from the newest, and as statements.
func testJournal(t *testing.T, b *bench) {
	ctx := t.Context()
	p := b.payer("basic")
	at := b.clock.Now()
	day := func(n int) time.Time { return at.AddDate(0, 0, n) }
	_, _, err := b.Topup(ctx, p.account, elumenta.Topup{Tokens: 20})
	wantOK(t, err)
	b.clock.Set(day(1))
	spent, back := p.reserve(5), p.reserve(310)
	b.clock.Set(day(2))
	p.settle(spent, elumenta.Charged)
	p.settle(back, elumenta.GivenBack)

	entry := func(seq int64, at time.Time, e elumenta.Entry, monthly, topup int64) elumenta.NumberedEntry {
		e.At = at
		return elumenta.NumberedEntry{Seq: seq, Entry: e, After: elumenta.Tokens{Monthly: monthly, Topup: topup}}
	}
	key, model := string(p.key.ID), "claude-sonnet-4.5"
	want := []elumenta.NumberedEntry{
		entry(1, at, elumenta.Entry{Kind: elumenta.EntryGrant, Monthly: 300, Reason: "basic"}, 300, 0),
		entry(2, at, elumenta.Entry{Kind: elumenta.EntryTopup, Topup: 20}, 300, 20),
		entry(3, day(1), elumenta.Entry{Kind: elumenta.EntryReserve, Monthly: 5, Generation: spent, Reason: model, Actor: key}, 295, 20),
		entry(4, day(1), elumenta.Entry{Kind: elumenta.EntryReserve, Monthly: 295, Topup: 15, Generation: back, Reason: model, Actor: key}, 0, 5),
		entry(5, day(2), elumenta.Entry{Kind: elumenta.EntrySettle, Monthly: 5, Generation: spent}, 0, 5),
		entry(6, day(2), elumenta.Entry{Kind: elumenta.EntryGiveBack, Monthly: 295, Topup: 15, Generation: back}, 295, 20),
	}
	for _, limit := range []int{1, 2, 6, 100} {
		var got []elumenta.NumberedEntry
		for before, more := int64(0), true; more; before = got[len(got)-1].Seq {
			var entries []elumenta.NumberedEntry
			entries, more, err = b.Entries(ctx, p.account, elumenta.EntryQuery{Before: before, Limit: limit})
			wantOK(t, err)
			got = append(got, entries...)
		}
		slices.Reverse(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("by %d: %s", limit, diff)
		}
	}
	for _, c := range []struct {
		query       store.StatementQuery
		first, last int
	}{
		{store.StatementQuery{}, 1, 6},
		{store.StatementQuery{Limit: 2}, 5, 6},
		{store.StatementQuery{Limit: 10}, 1, 6},
		{store.StatementQuery{From: at}, 1, 6},
		{store.StatementQuery{From: at.Add(time.Microsecond)}, 3, 6},
		{store.StatementQuery{From: day(1), To: day(2)}, 3, 4},
		{store.StatementQuery{From: day(1), To: day(3), Limit: 3}, 4, 6},
		{store.StatementQuery{To: day(1)}, 1, 2},
		{store.StatementQuery{From: day(3)}, 7, 6},
		{store.StatementQuery{To: at}, 1, 0},
		{store.StatementQuery{From: day(2), To: day(1)}, 5, 4},
	} {
		var got statement
		wantOK(t, b.Statement(ctx, p.account, c.query, &got))
		expected := statement{plan: "basic"}
		if c.first > 1 {
			expected.opening = want[c.first-2].After
		}
		expected.closed = expected.opening
		if c.first <= c.last {
			expected.entries, expected.closed = want[c.first-1:c.last], want[c.last-1].After
		}
		if diff := cmp.Diff(expected, got, cmp.AllowUnexported(statement{})); diff != "" {
			t.Errorf("%+v: %s", c.query, diff)
		}
		if c.query.Limit > 0 {
			continue
		}
		var paged []elumenta.NumberedEntry
		for before, more := int64(0), true; more; {
			var entries []elumenta.NumberedEntry
			entries, more, err = b.Entries(ctx, p.account, elumenta.EntryQuery{From: c.query.From, To: c.query.To, Before: before, Limit: 2})
			wantOK(t, err)
			if paged = append(paged, entries...); more {
				before = entries[1].Seq
			}
		}
		slices.Reverse(paged)
		if diff := cmp.Diff(expected.entries, paged); diff != "" {
			t.Errorf("%+v by pages: %s", c.query, diff)
		}
	}

	idle := b.payer("unlimited")
	for _, before := range []int64{0, 1, math.MaxInt64} {
		entries, more, err := b.Entries(ctx, idle.account, elumenta.EntryQuery{Before: before, Limit: 10})
		wantOK(t, err)
		if len(entries) > 0 || more {
			t.Errorf("an unlimited account has entries: %+v", entries)
		}
	}
	for _, from := range []time.Time{{}, at} {
		_, _, err = b.Entries(ctx, elumenta.NewAccountID(), elumenta.EntryQuery{From: from, Limit: 10})
		wantError(t, err, elumenta.CodeNotFound)
	}
	wantError(t, b.Statement(ctx, elumenta.NewAccountID(), store.StatementQuery{}, &statement{}), elumenta.CodeNotFound)
}
