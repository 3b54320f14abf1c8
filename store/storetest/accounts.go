package storetest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

// clock is a clock that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

func testAccounts(t *testing.T, url string) {
	s := Open(t, url)
	var ids []elumenta.AccountID
	for i := range 5 {
		a, _, err := s.CreateAccount(t.Context(), elumenta.NewAccount{DisplayName: fmt.Sprintf("Account %d ü", i), Plan: "free"}, nil)
		wantOK(t, err)
		if a.Role != elumenta.RoleUser || a.Revision < 1 || a.CreatedAt.IsZero() || a.Balance.Total() != 50 {
			t.Fatalf("a new account: %+v", a)
		}
		read, err := s.Account(t.Context(), a.ID)
		wantOK(t, err)
		if *read != *a {
			t.Fatalf("made %+v\nread %+v", a, read)
		}
		ids = append(ids, a.ID)
	}
	var got []elumenta.AccountID
	before, pages := elumenta.AccountID(""), 0
	for {
		items, more, err := s.ListAccounts(t.Context(), elumenta.AccountQuery{Before: before, Limit: 2})
		wantOK(t, err)
		for _, a := range items {
			got, before = append(got, a.ID), a.ID
		}
		if pages++; !more {
			break
		}
	}
	if pages != 3 || len(got) != 5 || got[0] != ids[4] || got[4] != ids[0] {
		t.Fatalf("%d pages: %v", pages, got)
	}

	renamed, err := s.SetDisplayName(t.Context(), ids[0], "Grace")
	wantOK(t, err)
	if renamed.DisplayName != "Grace" {
		t.Fatalf("renamed to %q", renamed.DisplayName)
	}
	_, err = s.SetDisplayName(t.Context(), elumenta.NewAccountID(), "Nobody")
	want(t, err, elumenta.CodeNotFound)
	_, err = s.Account(t.Context(), elumenta.NewAccountID())
	want(t, err, elumenta.CodeNotFound)
}

func testAccountsRefused(t *testing.T, url string) {
	s := Open(t, url)
	id := Account(t, s, "free")
	for name, n := range map[string]elumenta.NewAccount{
		"no name":      {Plan: "free"},
		"long name":    {DisplayName: strings.Repeat("x", 101), Plan: "free"},
		"not UTF-8":    {DisplayName: "a\xff", Plan: "free"},
		"NUL":          {DisplayName: "a\x00", Plan: "free"},
		"two lines":    {DisplayName: "a\nb", Plan: "free"},
		"unknown plan": {DisplayName: "a", Plan: "gold"},
		"unknown role": {DisplayName: "a", Plan: "free", Role: "root"},
	} {
		_, _, err := s.CreateAccount(t.Context(), n, nil)
		if !elumenta.HasCode(err, elumenta.CodeValidation) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "unknown plan" && !strings.Contains(err.Error(), "free, basic, pro") {
			t.Errorf("the known plans are not listed: %v", err)
		}
	}
	for _, tokens := range []int64{0, -1, elumenta.MaxTopup + 1} {
		_, _, err := s.Topup(t.Context(), id, elumenta.Topup{Tokens: tokens})
		want(t, err, elumenta.CodeValidation)
	}
	_, _, err := s.Topup(t.Context(), elumenta.NewAccountID(), elumenta.Topup{Tokens: 1})
	want(t, err, elumenta.CodeNotFound)
	_, err = s.SetPlan(t.Context(), id, elumenta.PlanChange{Plan: "gold"})
	want(t, err, elumenta.CodeValidation)
	_, err = s.SetPlan(t.Context(), id, elumenta.PlanChange{Plan: "pro", Expires: time.Now().Add(-time.Hour)})
	want(t, err, elumenta.CodeValidation)
	_, err = s.SetPlan(t.Context(), elumenta.NewAccountID(), elumenta.PlanChange{Plan: "pro"})
	want(t, err, elumenta.CodeNotFound)
	_, err = s.SetSuspended(t.Context(), elumenta.NewAccountID(), true, "")
	want(t, err, elumenta.CodeNotFound)
}

// testPlans follows an account through top-ups, plans and months; its entries add up to its balance all the time.
func testPlans(t *testing.T, url string) {
	start := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	c := &clock{at: start}
	s := OpenWith(t, store.Options{URL: url, Serve: true, Now: c.now})
	id := Account(t, s, "free")
	check := func(step, plan string, monthly, topup int64) {
		t.Helper()
		a, err := s.Account(t.Context(), id)
		wantOK(t, err)
		if a.Plan != plan || a.Balance.Monthly != monthly || a.Balance.Topup != topup {
			t.Fatalf("%s: %s with %d and %d, want %s with %d and %d", step, a.Plan, a.Balance.Monthly, a.Balance.Topup, plan, monthly, topup)
		}
	}
	entries := func(step string, topup int64) {
		t.Helper()
		a, _, err := s.Topup(t.Context(), id, elumenta.Topup{Tokens: topup}) // brings the account to this moment and writes it
		wantOK(t, err)
		var m, u, n, newest int64
		err = Raw(t, url).QueryRowContext(t.Context(), `SELECT `+Available("monthly")+`, `+Available("topup")+`, COUNT(*), MAX(seq) FROM ledger_entries WHERE account_id = $1`, string(id)).Scan(&m, &u, &n, &newest)
		wantOK(t, err)
		if m != a.Balance.Monthly || u != a.Balance.Topup || n != newest {
			t.Fatalf("%s: entries add up to %d and %d, numbered to %d of %d; the balance is %+v", step, m, u, newest, n, a.Balance)
		}
	}
	check("new", "free", 50, 0)
	entries("top-up", 7)
	check("topped up", "free", 50, 7)

	a, err := s.SetPlan(t.Context(), id, elumenta.PlanChange{Plan: "pro", Expires: start.AddDate(0, 3, 0)})
	wantOK(t, err)
	if want := time.Date(2026, 2, 28, 12, 0, 0, 0, time.UTC); !a.Balance.PeriodEnds.Equal(want) {
		t.Fatalf("the first month ends at %v, want %v", a.Balance.PeriodEnds, want)
	}
	check("pro", "pro", 700, 7)
	entries("pro", 1)
	c.set(time.Date(2026, 2, 28, 12, 0, 0, 0, time.UTC))
	check("second month", "pro", 700, 8)
	entries("second month", 1)
	c.set(start.AddDate(0, 3, 0))
	check("expired", "free", 0, 9) // its 50 are given once
	revision := a.Revision
	entries("expired", 1)
	a, err = s.Account(t.Context(), id)
	wantOK(t, err)
	if a.Revision <= revision || !a.PlanExpires.IsZero() {
		t.Fatalf("after the plan expired: %+v", a)
	}
}

func testAuthenticate(t *testing.T, url string) {
	s := Open(t, url)
	id := Account(t, s, "pro")
	secret := elumenta.NewKeySecret()
	key, _, err := s.CreateKey(t.Context(), id, elumenta.NewKey{Name: "ci"}, secret, nil)
	wantOK(t, err)
	caller, err := s.Authenticate(t.Context(), secret.Hash())
	wantOK(t, err)
	account, err := s.Account(t.Context(), id)
	wantOK(t, err)
	if diff := cmp.Diff(&elumenta.Caller{Key: *key, Account: *account}, caller); diff != "" {
		t.Fatalf("the caller is not the key and the account (-want +got):\n%s", diff)
	}
	_, err = s.Authenticate(t.Context(), elumenta.NewKeySecret().Hash())
	want(t, err, elumenta.CodeNotAuthenticated)

	suspended, err := s.SetSuspended(t.Context(), id, true, "")
	wantOK(t, err)
	if !suspended.Suspended || suspended.Revision <= account.Revision {
		t.Fatalf("suspended: %+v", suspended)
	}
	_, err = s.Authenticate(t.Context(), secret.Hash())
	want(t, err, elumenta.CodeAccountSuspended)
	_, err = s.SetSuspended(t.Context(), id, false, "")
	wantOK(t, err)
	_, err = s.Authenticate(t.Context(), secret.Hash())
	wantOK(t, err)

	wantOK(t, s.RevokeKey(t.Context(), id, key.ID))
	_, err = s.Authenticate(t.Context(), secret.Hash())
	want(t, err, elumenta.CodeNotAuthenticated)
}
