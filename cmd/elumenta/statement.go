package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

type ledgerShowCommand struct {
	databaseFlags
	Account string `arg:"" help:"The account's id."`
	From    string `help:"Begin at this day or time, UTC." placeholder:"YYYY-MM-DD"`
	To      string `help:"End before this day or time, UTC." placeholder:"YYYY-MM-DD"`
	Limit   int64  `help:"Print so many entries at most, the newest." placeholder:"N"`
	JSON    bool   `name:"json" help:"Print the statement as JSON." xor:"format"`
	CSV     bool   `name:"csv" help:"Print the entries as CSV." xor:"format"`
}

// Help shows examples.
func (ledgerShowCommand) Help() string {
	return `Examples:
  elumenta ledger show acct_01j9x2…
  elumenta ledger show acct_01j9x2… --limit 20
  elumenta ledger show acct_01j9x2… --from 2026-01-01 --to 2026-02-01 --csv > january.csv

Reads like a bank statement, oldest first. An amount with a sign changes the balance; one without makes final what a reserve
took before. A time may also be given in full: 2026-01-01T12:00:00Z. A month that has begun since the account was last used is
entered when it is used next.`
}

// Run prints the statement.
func (c *ledgerShowCommand) Run(p *program) error {
	id, err := accountID(c.Account)
	if err != nil {
		return err
	}
	query := store.StatementQuery{Limit: c.Limit}
	if c.Limit < 0 {
		return usageError{"--limit must be above 0"}
	}
	if query.From, err = dayOrTime("--from", c.From); err != nil {
		return err
	}
	if query.To, err = dayOrTime("--to", c.To); err != nil {
		return err
	}
	return c.with(p, func(ctx context.Context, s *store.Store) error {
		out := bufio.NewWriter(p.stdout)
		var w store.StatementWriter
		switch {
		case c.JSON:
			w = &jsonStatement{w: out, query: query}
		case c.CSV:
			w = &csvStatement{w: csv.NewWriter(out)}
		default:
			w = &textStatement{w: out}
		}
		if err := s.Statement(ctx, id, query, w); err != nil {
			return err
		}
		return out.Flush()
	})
}

func dayOrTime(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, usageError{flag + " must be a day such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z"}
}

// tokensView is an amount as JSON has it.
type tokensView struct {
	Monthly int64 `json:"monthly_tokens"`
	Topup   int64 `json:"topup_tokens"`
	Total   int64 `json:"token_balance"`
}

func viewTokens(t elumenta.Tokens) tokensView { return tokensView{t.Monthly, t.Topup, t.Total()} }

// entryView is an entry as JSON has it.
type entryView struct {
	Seq           int64                 `json:"seq"`
	At            time.Time             `json:"at"`
	Kind          elumenta.EntryKind    `json:"kind"`
	Source        elumenta.Place        `json:"source"`
	Destination   elumenta.Place        `json:"destination"`
	MonthlyTokens int64                 `json:"monthly_tokens"`
	TopupTokens   int64                 `json:"topup_tokens"`
	Balance       tokensView            `json:"balance"`
	Reason        string                `json:"reason"`
	Actor         string                `json:"actor"`
	Generation    elumenta.GenerationID `json:"generation_id,omitempty"`
}

func viewEntry(e *elumenta.NumberedEntry) entryView {
	source, destination := e.Kind.Route()
	return entryView{
		Seq: e.Seq, At: e.At, Kind: e.Kind, Source: source, Destination: destination, MonthlyTokens: e.Monthly, TopupTokens: e.Topup,
		Balance: viewTokens(e.After), Reason: e.Reason, Actor: e.Actor, Generation: e.Generation,
	}
}

// jsonStatement writes one object, entry by entry.
type jsonStatement struct {
	w     *bufio.Writer
	query store.StatementQuery
	any   bool
}

func (s *jsonStatement) member(before string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = s.w.WriteString(before + string(b))
	return err
}

func (s *jsonStatement) Open(a *elumenta.Account, balance elumenta.Tokens) error {
	if err := s.member("{\n  \"account\": ", viewAccount(a)); err != nil {
		return err
	}
	for _, m := range []struct {
		name string
		at   time.Time
	}{{"from", s.query.From}, {"to", s.query.To}} {
		var v *time.Time
		if !m.at.IsZero() {
			v = &m.at
		}
		if err := s.member(",\n  \""+m.name+"\": ", v); err != nil {
			return err
		}
	}
	if err := s.member(",\n  \"opening\": ", viewTokens(balance)); err != nil {
		return err
	}
	_, err := s.w.WriteString(",\n  \"entries\": [")
	return err
}

func (s *jsonStatement) Entry(e *elumenta.NumberedEntry) error {
	before := ",\n    "
	if !s.any {
		before = "\n    "
	}
	s.any = true
	return s.member(before, viewEntry(e))
}

func (s *jsonStatement) Close(balance elumenta.Tokens) error {
	end := "]"
	if s.any {
		end = "\n  ]"
	}
	if err := s.member(end+",\n  \"closing\": ", viewTokens(balance)); err != nil {
		return err
	}
	_, err := s.w.WriteString("\n}\n")
	return err
}

// csvStatement writes a line for each entry.
type csvStatement struct{ w *csv.Writer }

func (s *csvStatement) Open(*elumenta.Account, elumenta.Tokens) error {
	return s.w.Write([]string{
		"seq", "at", "kind", "source", "destination", "monthly_tokens", "topup_tokens", "monthly_change", "topup_change",
		"monthly_balance", "topup_balance", "token_balance", "reason", "actor", "generation_id",
	})
}

func (s *csvStatement) Entry(e *elumenta.NumberedEntry) error {
	v := viewEntry(e)
	monthly, topup := e.Change()
	record := []string{strconv.FormatInt(v.Seq, 10), v.At.Format(time.RFC3339Nano), string(v.Kind), string(v.Source), string(v.Destination)}
	for _, n := range []int64{v.MonthlyTokens, v.TopupTokens, monthly, topup, v.Balance.Monthly, v.Balance.Topup, v.Balance.Total} {
		record = append(record, strconv.FormatInt(n, 10))
	}
	return s.w.Write(append(record, cell(v.Reason), cell(v.Actor), string(v.Generation)))
}

func (s *csvStatement) Close(elumenta.Tokens) error {
	s.w.Flush()
	return s.w.Error()
}

// cell keeps a spreadsheet from taking text for a formula (https://owasp.org/www-community/attacks/CSV_Injection).
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// textStatement writes a table whose columns need not be measured first, so that it may be of any length.
type textStatement struct{ w io.Writer }

const textRow = "%-19s  %-10s %12s %12s %14s  %-30s  %-30s  %s\n"

func (s *textStatement) Open(a *elumenta.Account, balance elumenta.Tokens) error {
	if _, err := fmt.Fprintf(s.w, "%s  %s  plan %s\n\n", a.ID, printable(a.DisplayName), a.Plan); err != nil {
		return err
	}
	if err := s.row("TIME (UTC)", "WHAT", "PLAN", "TOP-UPS", "BALANCE", "WHO", "GENERATION", "REASON"); err != nil {
		return err
	}
	return s.balance("opening", balance)
}

func (s *textStatement) row(cells ...string) error {
	args := make([]any, len(cells))
	for i := range cells {
		args[i] = cells[i]
	}
	_, err := fmt.Fprintln(s.w, strings.TrimRight(fmt.Sprintf(textRow, args...), " \n"))
	return err
}

func (s *textStatement) balance(name string, t elumenta.Tokens) error {
	return s.row("", name, count(t.Monthly), count(t.Topup), count(t.Total()), "", "", "")
}

func count(n int64) string { return strconv.FormatInt(n, 10) }

// amount shows one part of an entry: signed if it changes the balance, nothing if it is zero.
func amount(n, change int64) string {
	switch {
	case n == 0:
		return ""
	case change == 0:
		return count(n)
	}
	return fmt.Sprintf("%+d", change)
}

func (s *textStatement) Entry(e *elumenta.NumberedEntry) error {
	monthly, topup := e.Change()
	return s.row(e.At.UTC().Format(time.DateTime), string(e.Kind), amount(e.Monthly, monthly), amount(e.Topup, topup), count(e.After.Total()),
		printable(e.Actor), string(e.Generation), printable(e.Reason))
}

func (s *textStatement) Close(balance elumenta.Tokens) error { return s.balance("closing", balance) }
