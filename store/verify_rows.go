package store

import (
	"context"
	"database/sql"
	"math"

	"github.com/elumenta/elumenta"
)

const (
	// accountsPage and verifyPage are how many rows a verification reads at once.
	accountsPage = 500
	rowsPage     = 5000
)

// stream reads a table in the order of its primary key, a page at a time.
type stream[T any] struct {
	limit int
	// next reads the rows behind a row, which is nil at the beginning, into a slice.
	next func(ctx context.Context, behind *T, into []T) ([]T, error)
	rows []T
	at   int
	end  bool
}

// peek is the row at which the stream stands, nil at the end. It is valid until the next call.
func (s *stream[T]) peek(ctx context.Context) (*T, error) {
	if s.at == len(s.rows) && !s.end {
		if _, err := s.page(ctx); err != nil {
			return nil, err
		}
	}
	if s.at == len(s.rows) {
		return nil, nil
	}
	return &s.rows[s.at], nil
}

// skip goes on behind the row at which the stream stands.
func (s *stream[T]) skip() { s.at++ }

// page reads the next page, which is empty at the end.
func (s *stream[T]) page(ctx context.Context) ([]T, error) {
	if s.end {
		return nil, nil
	}
	var behind *T
	if n := len(s.rows); n > 0 {
		last := s.rows[n-1]
		behind = &last
	}
	rows, err := s.next(ctx, behind, s.rows[:0])
	s.rows, s.at, s.end = rows, 0, len(rows) < s.limit
	return rows, err
}

// read appends the rows of a statement to into.
func readRows[T any](ctx context.Context, q querier, into []T, scan func(*sql.Rows, *T) error, text string, args ...any) ([]T, error) {
	err := bounded(ctx, func(ctx context.Context) error {
		rows, err := q.QueryContext(ctx, text, args...)
		if err != nil {
			return err
		}
		return each(rows, func() error {
			into = append(into, *new(T))
			return scan(rows, &into[len(into)-1])
		})
	})
	return into, err
}

// verifiedAccount is what the journal says of an account, as the account has it.
type verifiedAccount struct {
	id      elumenta.AccountID
	plan    string
	balance elumenta.Tokens
	entries int64
	open    int64
}

func (v *verifier) allAccounts() *stream[verifiedAccount] {
	scan := func(rows *sql.Rows, a *verifiedAccount) error {
		return rows.Scan(&a.id, &a.plan, &a.balance.Monthly, &a.balance.Topup, &a.entries, &a.open)
	}
	return &stream[verifiedAccount]{limit: accountsPage, next: func(ctx context.Context, behind *verifiedAccount, into []verifiedAccount) ([]verifiedAccount, error) {
		last := ""
		if behind != nil {
			last = string(behind.id)
		}
		return readRows(ctx, v.q, into, scan, `SELECT id, plan, monthly, topup, entries, open_generations FROM accounts
			WHERE id > $1 ORDER BY id LIMIT $2`, last, accountsPage)
	}}
}

// verifiedEntry is an entry. Its places are those of its kind, or they are named.
type verifiedEntry struct {
	account             elumenta.AccountID
	seq                 int64
	kind                elumenta.EntryKind
	tokens              elumenta.Tokens
	generation          string
	source, destination elumenta.Place // empty where they are the kind's
}

// places is one of an entry's kinds with its route.
type places struct {
	kind                elumenta.EntryKind
	source, destination elumenta.Place
}

// entryScanner scans entries with few allocations: names repeat from row to row.
type entryScanner struct {
	known                              []places
	account, kind, source, destination sql.RawBytes
	generation                         sql.NullString
	last                               elumenta.AccountID
}

func newEntryScanner() *entryScanner {
	s := &entryScanner{}
	for _, kind := range elumenta.EntryKinds() {
		source, destination := kind.Route()
		s.known = append(s.known, places{kind, source, destination})
	}
	return s
}

func (s *entryScanner) scan(rows *sql.Rows, e *verifiedEntry) error {
	if err := rows.Scan(&s.account, &e.seq, &s.kind, &s.source, &s.destination, &e.tokens.Monthly, &e.tokens.Topup, &s.generation); err != nil {
		return err
	}
	if string(s.last) != string(s.account) {
		s.last = elumenta.AccountID(s.account)
	}
	e.account, e.generation = s.last, s.generation.String
	for i := range s.known {
		p := &s.known[i]
		if string(s.kind) == string(p.kind) && string(s.source) == string(p.source) && string(s.destination) == string(p.destination) {
			e.kind = p.kind
			return nil
		}
	}
	e.kind, e.source, e.destination = elumenta.EntryKind(s.kind), elumenta.Place(s.source), elumenta.Place(s.destination)
	return nil
}

// entriesAfter streams the entries of all accounts behind one of an account.
func (v *verifier) entriesAfter(account elumenta.AccountID, seq int64) *stream[verifiedEntry] {
	scan := newEntryScanner().scan
	return &stream[verifiedEntry]{limit: rowsPage, next: func(ctx context.Context, behind *verifiedEntry, into []verifiedEntry) ([]verifiedEntry, error) {
		if behind == nil {
			behind = &verifiedEntry{account: account, seq: seq}
		}
		if v.progress != nil {
			v.progress(v.found.Entries, v.total)
		}
		return readRows(ctx, v.q, into, scan, `SELECT account_id, seq, kind, source, destination, monthly, topup, generation_id
			FROM ledger_entries WHERE (account_id, seq) > ($1, $2) ORDER BY account_id, seq LIMIT $3`,
			string(behind.account), behind.seq, rowsPage)
	}}
}

// verifiedGeneration is what a generation's money depends on.
type verifiedGeneration struct {
	account             elumenta.AccountID
	id, key             string
	price               int64
	taken               elumenta.Tokens
	state               elumenta.SettleState
	corrected, budgeted bool
}

// generationsAfter streams the generations of all accounts behind one of an account.
func (v *verifier) generationsAfter(account elumenta.AccountID, id string) *stream[verifiedGeneration] {
	scan := func(rows *sql.Rows, g *verifiedGeneration) error {
		return rows.Scan(&g.account, &g.id, &g.key, &g.price, &g.taken.Monthly, &g.taken.Topup, &g.state, &g.corrected, &g.budgeted)
	}
	return &stream[verifiedGeneration]{limit: rowsPage, next: func(ctx context.Context, behind *verifiedGeneration, into []verifiedGeneration) ([]verifiedGeneration, error) {
		if behind == nil {
			behind = &verifiedGeneration{account: account, id: id}
		}
		return readRows(ctx, v.q, into, scan, `SELECT account_id, id, key_id, price, taken_monthly, taken_topup, state, corrected <> 0, budgeted <> 0
			FROM generations WHERE (account_id, id) > ($1, $2) ORDER BY account_id, id LIMIT $3`,
			string(behind.account), behind.id, rowsPage)
	}}
}

// firstEntry is below every entry's number, also that of one that should not be.
const firstEntry = math.MinInt64
