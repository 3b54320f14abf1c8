package main

import (
	"encoding/csv"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// books is a database that commands work on, with an account on pro that was topped up.
type books struct {
	*testing.T
	database string
	env      []string
	account  string
}

func newBooks(t *testing.T) *books {
	t.Helper()
	b := &books{T: t, database: newDatabase(t)}
	b.env = []string{"ELUMENTA_DATABASE=" + b.database}
	b.account = b.must("accounts", "create", "--name", "Ada", "--plan", "pro")
	b.must("accounts", "topup", b.account, "500")
	return b
}

// newDatabase makes an empty one, as a server does.
func newDatabase(t *testing.T) string {
	t.Helper()
	database := "sqlite:" + filepath.Join(t.TempDir(), "e.db")
	s, err := store.Open(t.Context(), store.Options{URL: database})
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return database
}

func (b *books) must(args ...string) string {
	b.Helper()
	return must(b.T, b.env, "", args...)
}

// statementView is what `ledger show --json` prints.
type statementView struct {
	Account          accountView
	From, To         *time.Time
	Opening, Closing tokensView
	Entries          []entryView
}

func (b *books) statement(args ...string) statementView {
	b.Helper()
	return unmarshal[statementView](b.T, b.must(append([]string{"ledger", "show", b.account, "--json"}, args...)...))
}

func TestLedgerShow(t *testing.T) {
	b := newBooks(t)
	b.must("accounts", "plan", b.account, "elite")
	s := b.statement()
	var kinds []elumenta.EntryKind
	for i, e := range s.Entries {
		kinds = append(kinds, e.Kind)
		if e.Seq != int64(i+1) || e.At.IsZero() || e.Source == "" || e.Destination == "" {
			t.Errorf("%+v", e)
		}
	}
	if want := []elumenta.EntryKind{elumenta.EntryGrant, elumenta.EntryTopup, elumenta.EntryExpire, elumenta.EntryGrant}; !slices.Equal(kinds, want) {
		t.Errorf("entries: %v", kinds)
	}
	if s.Opening.Total != 0 || s.Closing != (tokensView{3000, 500, 3500}) || s.Entries[2].Balance.Total != 500 || s.Account.DisplayName != "Ada" || s.From != nil {
		t.Errorf("%+v", s)
	}
	if s := b.statement("--limit", "1"); len(s.Entries) != 1 || s.Entries[0].Seq != 4 || s.Opening.Total != 500 || s.Closing.Total != 3500 {
		t.Errorf("the newest entry: %+v", s)
	}
	if s := b.statement("--to", "2020-01-01"); len(s.Entries) != 0 || s.Closing.Total != 0 || s.To == nil {
		t.Errorf("before the first: %+v", s)
	}
	if s := b.statement("--from", "2099-01-01T00:00:00Z"); len(s.Entries) != 0 || s.Opening.Total != 3500 || s.Closing.Total != 3500 {
		t.Errorf("after the last: %+v", s)
	}

	lines := strings.Split(b.must("ledger", "show", b.account), "\n")
	for i, want := range []string{
		`^` + b.account + `  Ada  plan elite$`, `^$`, `^TIME \(UTC\) +WHAT +PLAN +TOP-UPS +BALANCE +WHO +GENERATION +REASON$`, `^ +opening +0 +0 +0$`,
		`^\S+ \S+  grant +\+700 +700 +.*pro$`, `^\S+ \S+  topup +\+500 +1200`, `^\S+ \S+  expire +-700 +500`, `^\S+ \S+  grant +\+3000 +3500`,
		`^ +closing +3000 +500 +3500$`,
	} {
		if i >= len(lines) || !regexp.MustCompile(want).MatchString(lines[i]) {
			t.Fatalf("line %d must match %s:\n%s", i, want, strings.Join(lines, "\n"))
		}
	}
	records, err := csv.NewReader(strings.NewReader(b.must("ledger", "show", b.account, "--csv"))).ReadAll()
	if err != nil || len(records) != 5 || records[0][0] != "seq" || records[3][2] != "expire" || records[3][7] != "-700" || records[4][11] != "3500" {
		t.Errorf("%v, %v", records, err)
	}
}

// A reason is an operator's own words: a spreadsheet must not take it for a formula, nor a terminal for a command.
func TestLedgerShowReasons(t *testing.T) {
	b := newBooks(t)
	reasons := []string{`=HYPERLINK("http://x")`, "+1", "-1", "@x", "plain, \"quoted\""}
	s, err := store.Open(t.Context(), store.Options{URL: b.database})
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range reasons {
		if _, _, err := s.Topup(t.Context(), elumenta.AccountID(b.account), elumenta.Topup{Tokens: 1, Reason: reason}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(strings.NewReader(b.must("ledger", "show", b.account, "--csv", "--limit", "5"))).ReadAll()
	if err != nil || len(records) != 6 {
		t.Fatalf("%v, %v", records, err)
	}
	for i, reason := range reasons {
		if i < 4 {
			reason = "'" + reason
		}
		if records[i+1][12] != reason {
			t.Errorf("%q, want %q", records[i+1][12], reason)
		}
	}
	if got := b.statement("--limit", "5").Entries[0].Reason; got != reasons[0] {
		t.Errorf("in JSON: %q", got)
	}
}

func TestLedgerVerify(t *testing.T) {
	b := newBooks(t)
	clean := unmarshal[verifyView](t, b.must("ledger", "verify", "--json"))
	if !clean.OK || clean.Checked.Accounts != 1 || clean.Checked.Entries != 2 || clean.AuditHead.Seq != 2 || clean.Found != 0 {
		t.Fatalf("%+v", clean)
	}
	head := fmt.Sprintf("%d:%s", clean.AuditHead.Seq, clean.AuditHead.Hash)
	text := b.must("ledger", "verify", "--audit-head", head)
	for _, want := range []string{"checked: 1 accounts, 2 entries", "audit head: " + head, "ok: everything adds up"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	for _, bad := range []string{"x", "1", "1:zz", "-1:" + clean.AuditHead.Hash, "1:00"} {
		if r := invoke(t, b.env, "", "ledger", "verify", "--audit-head="+bad); r.code != exitUsage || !strings.Contains(r.err, "64 hexadecimal digits") {
			t.Errorf("%s: %+v", bad, r)
		}
	}
	if r := invoke(t, b.env, "", "ledger", "verify", "--audit-head", "2:"+strings.Repeat("0", 64)); r.code != exitFailed || !strings.Contains(r.out, "audit trail") {
		t.Errorf("another head: %+v", r)
	}

	if _, err := storetest.Raw(t, b.database).ExecContext(t.Context(), `UPDATE accounts SET topup = topup + 1`); err != nil {
		t.Fatal(err)
	}
	r := invoke(t, b.env, "", "ledger", "verify")
	if r.code != exitFailed || !strings.Contains(r.out, b.account+" balance: the journal says 700 of the plan and 500 topped up") || r.err != "elumenta: the ledger has a difference\n" {
		t.Errorf("%+v", r)
	}
	r = invoke(t, b.env, "", "ledger", "verify", "--json")
	if view := unmarshal[verifyView](t, r.out); r.code != exitFailed || view.OK || view.Found != 1 || len(view.Differences) != 1 || view.Differences[0].About != "balance" {
		t.Errorf("%+v", r)
	}
}

// What is refused is refused clearly, and changes nothing.
func TestMoneyRefused(t *testing.T) {
	b := newBooks(t)
	before := b.statement()
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"accounts", "topup", b.account, "0"}, exitUsage, "a whole number from 1 to 1000000000000"},
		{[]string{"accounts", "topup", b.account, "-5"}, exitUsage, "-5 is below zero"},
		{[]string{"accounts", "topup", b.account, "--", "-5"}, exitUsage, "a whole number from 1"},
		{[]string{"accounts", "topup", b.account, "1.5"}, exitUsage, "a whole number from 1"},
		{[]string{"accounts", "topup", b.account, "1e3"}, exitUsage, "a whole number from 1"},
		{[]string{"accounts", "topup", b.account, "1000000000001"}, exitUsage, "a whole number from 1"},
		{[]string{"accounts", "topup", b.account, "9223372036854775808"}, exitUsage, "a whole number from 1"},
		{[]string{"accounts", "topup", b.account, ""}, exitUsage, "a whole number from 1"},
		{[]string{"accounts", "plan", b.account, "gold"}, exitRefused, "the plans are free, basic, pro, vip, elite, unlimited"},
		{[]string{"accounts", "plan", b.account, "basic", "--until", "2020-01-01"}, exitRefused, "must be in the future"},
		{[]string{"accounts", "plan", b.account, "free", "--until", "2099-01-01"}, exitRefused, "has no end"},
		{[]string{"ledger", "show", "acct_1"}, exitUsage, "acct_ and 26 characters"},
		{[]string{"ledger", "show", string(elumenta.NewAccountID())}, exitRefused, "no such account"},
		{[]string{"ledger", "show", b.account, "--from", "yesterday"}, exitUsage, "--from must be a day such as 2026-01-31"},
		{[]string{"ledger", "show", b.account, "--to", "2026-02-30"}, exitUsage, "--to must be a day"},
		{[]string{"ledger", "show", b.account, "--limit=-1"}, exitUsage, "--limit"},
		{[]string{"ledger", "show", b.account, "--json", "--csv"}, exitUsage, "--json"},
	} {
		if r := invoke(t, b.env, "", c.args...); r.code != c.code || !strings.Contains(r.err, c.want) || r.out != "" {
			t.Errorf("%v: %d, want %d and %q: %s%s", c.args, r.code, c.code, c.want, r.out, r.err)
		}
	}
	after := b.statement()
	if len(after.Entries) != len(before.Entries) || after.Closing != before.Closing || after.Account.Plan != "pro" {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
}
