package elumenta

import (
	"context"
	"time"
)

// Tokens are an amount, of the plan's tokens and of top-ups.
type Tokens struct{ Monthly, Topup int64 }

// Total is the sum of both.
func (t Tokens) Total() int64 { return t.Monthly + t.Topup }

// EntryKinds lists the kinds of an entry.
func EntryKinds() []EntryKind {
	return []EntryKind{EntryGrant, EntryTopup, EntryReserve, EntrySettle, EntryGiveBack, EntryExpire, EntryCorrection}
}

// NumberedEntry is an entry at its place in an account's journal.
type NumberedEntry struct {
	// Seq numbers the account's entries from 1, without gaps.
	Seq int64
	Entry
	// After is the balance that the entry left.
	After Tokens
}

// Before is the balance that the entry found.
func (e *NumberedEntry) Before() Tokens {
	monthly, topup := e.Change()
	return Tokens{Monthly: e.After.Monthly - monthly, Topup: e.After.Topup - topup}
}

// EntryQuery asks for one page of an account's journal, newest first.
type EntryQuery struct {
	// From and To bound what was entered, from (inclusive) to (exclusive); zero for the beginning and the end.
	From, To time.Time
	Before   int64 // the entries numbered below; 0 begins at the newest
	Limit    int
}

// JournalReader reads accounts' journals. It is safe for concurrent use.
type JournalReader interface {
	// Entries lists an account's journal. more says that there are older entries; the last one's Seq is then the next Before. Pages
	// stay right while entries are added. Errors are *Error: CodeNotFound for an unknown account, CodeUnavailable.
	Entries(ctx context.Context, account AccountID, q EntryQuery) (entries []NumberedEntry, more bool, err error)
}
