package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

type ledgerCommand struct {
	Verify ledgerVerifyCommand `cmd:"" help:"Recompute every balance from the journal and name every difference."`
	Show   ledgerShowCommand   `cmd:"" help:"Print an account's statement."`
}

// Help shows examples.
func (ledgerCommand) Help() string {
	return `Examples:
  elumenta ledger verify
  elumenta ledger show acct_01j9x2… --from 2026-01-01 --to 2026-02-01 --csv > january.csv

These commands read the database itself, also while a server runs on it, and change nothing.`
}

type ledgerVerifyCommand struct {
	databaseFlags
	JSON      bool     `name:"json" help:"Print the result as JSON."`
	AuditHead []string `help:"An audit head that an earlier run printed: the audit trail must have it. May be given several times." placeholder:"SEQ:HASH"`
}

// Help shows examples.
func (ledgerVerifyCommand) Help() string {
	return `Examples:
  elumenta ledger verify
  elumenta ledger verify --json --audit-head 57:0a1b2c…

Recomputes from the journal what is derived from it: balances, open generations, what every generation has taken and given
back, what keys have spent, Idempotency-Keys and the rollups of usage, in one state of the database; and checks the audit
trail's chain of hashes. Keep the audit head that it prints somewhere else: given to a later run, it shows whether the trail
was cut off or written anew. Exits with 1 if anything differs. On SQLite the write-ahead log grows while it runs.`
}

// verifyView is a verification as --json prints it.
type verifyView struct {
	OK          bool             `json:"ok"`
	Checked     checkedView      `json:"checked"`
	Records     *time.Time       `json:"records_since"`
	Unknown     map[string]int64 `json:"unknown_plans"`
	AuditHead   auditHeadView    `json:"audit_head"`
	Found       int64            `json:"found"`
	Differences []differenceView `json:"differences"`
}

type checkedView struct {
	Accounts        int64 `json:"accounts"`
	Entries         int64 `json:"entries"`
	Generations     int64 `json:"generations"`
	Keys            int64 `json:"keys"`
	IdempotencyKeys int64 `json:"idempotency_keys"`
	AuditEntries    int64 `json:"audit_entries"`
}

type auditHeadView struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

type differenceView struct {
	Account elumenta.AccountID `json:"account,omitempty"`
	About   string             `json:"about"`
	Message string             `json:"message"`
}

func viewVerification(v *store.Verification) verifyView {
	view := verifyView{
		OK: v.Found == 0,
		Checked: checkedView{
			Accounts: v.Accounts, Entries: v.Entries, Generations: v.Generations, Keys: v.Keys, IdempotencyKeys: v.IdempotencyKeys,
			AuditEntries: v.AuditHead.Seq,
		},
		AuditHead: auditHeadView{v.AuditHead.Seq, v.AuditHead.Hash.String()},
		Unknown:   v.UnknownPlans, Found: v.Found, Differences: []differenceView{},
	}
	if !v.RecordsSince.IsZero() {
		view.Records = &v.RecordsSince
	}
	for _, d := range v.Differences {
		view.Differences = append(view.Differences, differenceView(d))
	}
	return view
}

// differencesError says that a verification found something; what it was stands on standard output.
type differencesError int64

func (n differencesError) Error() string {
	if n == 1 {
		return "the ledger has a difference"
	}
	return fmt.Sprintf("the ledger has %d differences", int64(n))
}

// Run verifies.
func (c *ledgerVerifyCommand) Run(p *program) error {
	heads, err := parseAuditHeads("--audit-head", c.AuditHead)
	if err != nil {
		return err
	}
	return c.with(p, func(ctx context.Context, s *store.Store) error {
		start := time.Now()
		progress := p.progress()
		found, err := s.Verify(ctx, store.VerifyOptions{AuditHeads: heads, Progress: progress.show})
		progress.clear()
		if err != nil {
			return err
		}
		view := viewVerification(found)
		if c.JSON {
			err = p.printJSON(view)
		} else {
			err = printVerification(p.stdout, &view, time.Since(start))
		}
		if err == nil && !view.OK {
			err = differencesError(view.Found)
		}
		return err
	})
}

func printVerification(w io.Writer, v *verifyView, took time.Duration) error {
	var text strings.Builder
	for _, d := range v.Differences {
		fmt.Fprintln(&text, printable(strings.TrimSpace(fmt.Sprintf("%s %s: %s", d.Account, d.About, d.Message))))
	}
	if more := v.Found - int64(len(v.Differences)); more > 0 {
		fmt.Fprintf(&text, "and %d more\n", more)
	}
	fmt.Fprintf(&text, "checked: %d accounts, %d entries, %d generations, %d keys, %d Idempotency-Keys, %d audit entries", v.Checked.Accounts,
		v.Checked.Entries, v.Checked.Generations, v.Checked.Keys, v.Checked.IdempotencyKeys, v.Checked.AuditEntries)
	if took > 0 {
		fmt.Fprintf(&text, " in %v", took.Round(time.Millisecond))
	}
	text.WriteString("\n")
	if v.Records != nil {
		fmt.Fprintf(&text, "single records are kept since %s: what is older was checked by the journal and by usage alone\n", v.Records.Format(time.DateOnly))
	}
	for _, plan := range slices.Sorted(maps.Keys(v.Unknown)) {
		fmt.Fprintf(&text, "%d accounts are on the plan %s, which the configuration does not have: they keep their tokens and cannot generate\n",
			v.Unknown[plan], printable(plan))
	}
	fmt.Fprintf(&text, "audit head: %d:%s\n", v.AuditHead.Seq, v.AuditHead.Hash)
	if v.OK {
		fmt.Fprintln(&text, "ok: everything adds up")
	}
	_, err := io.WriteString(w, text.String())
	return err
}

func parseAuditHeads(flag string, texts []string) (heads []elumenta.AuditHead, err error) {
	for _, text := range texts {
		h, ok := elumenta.ParseAuditHead(text)
		if !ok {
			return nil, usageError{flag + " must be what `elumenta ledger verify` prints: a number, a colon and 64 hexadecimal digits"}
		}
		heads = append(heads, h)
	}
	return heads, nil
}

// progressInterval is how often a terminal is told how far a long command is.
const progressInterval = 200 * time.Millisecond

// progressLine tells a terminal how far a long command is; where standard error is none, nothing.
type progressLine struct {
	w     io.Writer // nil: silent
	last  time.Time
	shown bool
}

func (p *program) progress() *progressLine {
	l := &progressLine{last: time.Now()}
	if f, ok := p.stderr.(*os.File); ok && isTerminal(f) {
		l.w = f
	}
	return l
}

func (l *progressLine) show(done, of int64) {
	l.say("%d of %d entries (%d%%)", done, of, percent(done, of))
}

// say shows a text instead of the one before, unless that has only just been shown.
func (l *progressLine) say(format string, args ...any) {
	if l.w == nil || time.Since(l.last) < progressInterval {
		return
	}
	l.last, l.shown = time.Now(), true
	_, _ = fmt.Fprintf(l.w, "\r\x1b[K"+format, args...)
}

func (l *progressLine) clear() {
	if l.shown {
		_, _ = io.WriteString(l.w, "\r\x1b[K")
	}
}
