package httpapi

import (
	"bytes"
	"context"
	"encoding/csv"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/elumenta/elumenta"
)

// maxStatementFile is how many entries a file has at most.
const maxStatementFile = 10_000

// StatementIn are the parameters of a journal. It is exported for huma, which reads its tags.
type StatementIn struct {
	Paging
	known
	From   string `query:"from" maxLength:"64" doc:"RFC 3339 date or time, inclusive; the beginning by default."`
	To     string `query:"to" maxLength:"64" doc:"RFC 3339 date or time, exclusive; the end by default."`
	Format string `query:"format" enum:"json,csv" doc:"Beats the Accept header, which may be text/csv, too. A file has the oldest entry first, and no pages."`

	from, to time.Time
	csv      bool
}

// Resolve reads the times, so that what is wrong with them joins the other errors.
func (in *StatementIn) Resolve(ctx huma.Context) []error {
	errs := in.known.Resolve(ctx)
	var bad elumenta.FieldErrors
	in.from, in.to = moment(&bad, "from", in.From, time.Time{}), moment(&bad, "to", in.To, time.Time{})
	if len(bad) == 0 && !in.to.IsZero() && !in.from.Before(in.to) {
		bad.Add("from", "must be before to")
	}
	in.csv = wantsCSV(ctx, in.Format)
	return append(errs, paramErrors(bad)...)
}

// statementView is an entry as its account reads it: of who moved the tokens it has the account's own keys alone.
type statementView struct {
	EntryView
	KeyID *string `json:"key_id" doc:"The key of a reservation."`
}

func viewStatement(e *elumenta.NumberedEntry) statementView {
	return statementView{EntryView: viewEntry(e), KeyID: nullText(ownKey(e))}
}

// ownKey is the account's key that moved the tokens, empty if it was somebody else.
func ownKey(e *elumenta.NumberedEntry) string {
	if id, ok := elumenta.ParseKeyID(e.Actor); ok {
		return string(id)
	}
	return ""
}

func (a *API) getStatement(ctx context.Context, c *call, in *StatementIn) (*anyBody, error) {
	id := c.caller.Account.ID
	s := statement[statementView]{a: a, c: c, list: list{kind: "statement", account: id}, id: id, in: in, view: viewStatement, who: "key_id", by: ownKey}
	return answerEntries(ctx, a.Accounts, s)
}

// statement is what a journal is answered from.
type statement[V any] struct {
	a    *API
	c    *call
	list list
	id   elumenta.AccountID
	in   *StatementIn
	view func(*elumenta.NumberedEntry) V
	who  string // the field of who moved the tokens
	by   func(*elumenta.NumberedEntry) string
}

// answerEntries shows an account's journal, a page as JSON or all of a time as a file of comma-separated values.
func answerEntries[V any](ctx context.Context, journal elumenta.JournalReader, s statement[V]) (*anyBody, error) {
	in := s.in
	s.c.Header().Add("Vary", "Accept")
	query := elumenta.EntryQuery{From: in.from, To: in.to, Limit: in.Limit}
	if in.csv {
		query.Limit = maxStatementFile
		entries, more, err := journal.Entries(ctx, s.id, query)
		if err != nil {
			return nil, err
		}
		if more {
			var bad elumenta.FieldErrors
			bad.Add("from", "begins a time of more than %d entries: choose a shorter one", maxStatementFile)
			return nil, bad.Err()
		}
		b, err := entriesCSV(entries, s.who, s.by)
		s.c.Header().Set("Content-Type", csvType+"; charset=utf-8; header=present")
		s.c.Header().Set("Content-Disposition", `attachment; filename="statement.csv"`)
		return &anyBody{b}, err
	}
	s.list.filter += "\n" + in.From + "\n" + in.To
	before, err := s.a.listNumbered(s.list, in.Cursor)
	if err != nil {
		return nil, err
	}
	query.Before = before
	items, more, err := journal.Entries(ctx, s.id, query)
	if err != nil {
		return nil, err
	}
	last := lastOf(items, func(e *elumenta.NumberedEntry) string { return strconv.FormatInt(e.Seq, 10) })
	return &anyBody{viewPage(items, s.view, s.a.next(s.list, more, last))}, nil
}

// entriesCSV has the oldest entry first, as a bank's statement.
func entriesCSV(entries []elumenta.NumberedEntry, who string, by func(*elumenta.NumberedEntry) string) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	lines := [][]string{{
		"seq", "at", "kind", "source", "destination", "monthly_tokens", "topup_tokens", "monthly_change", "topup_change",
		"monthly_balance", "topup_balance", "token_balance", "reason", who, "generation_id",
	}}
	for i := range slices.Backward(entries) {
		e := &entries[i]
		source, destination := e.Kind.Route()
		monthly, topup := e.Change()
		line := []string{strconv.FormatInt(e.Seq, 10), e.At.UTC().Format(time.RFC3339Nano), string(e.Kind), string(source), string(destination)}
		for _, n := range []int64{e.Monthly, e.Topup, monthly, topup, e.After.Monthly, e.After.Topup, e.After.Total()} {
			line = append(line, strconv.FormatInt(n, 10))
		}
		lines = append(lines, append(line, spreadsheetText(e.Reason), by(e), string(e.Generation)))
	}
	err := w.WriteAll(lines)
	return b.Bytes(), err
}
