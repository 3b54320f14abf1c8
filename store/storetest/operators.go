package storetest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

// testFindAccounts searches by id and name, and filters by plan and suspension.
func testFindAccounts(t *testing.T, url string) {
	c := &clock{at: time.Now()}
	s := OpenWith(t, store.Options{URL: url, Serve: true, Now: c.now})
	made := map[string]elumenta.AccountID{}
	for _, name := range []string{"Ada Lovelace", "ADA_2", "100% Ädä", "Grace Hopper", "北京大学"} {
		a, _, err := s.CreateAccount(t.Context(), elumenta.NewAccount{DisplayName: name, Plan: "free"}, nil)
		wantOK(t, err)
		made[name] = a.ID
	}
	_, err := s.SetPlan(t.Context(), made["ADA_2"], elumenta.PlanChange{Plan: "pro", Expires: c.now().Add(time.Hour)})
	wantOK(t, err)
	_, err = s.SetSuspended(t.Context(), made["Grace Hopper"], true, "")
	wantOK(t, err)
	yes, no := true, false
	check := func(q elumenta.AccountQuery, want ...string) {
		t.Helper()
		var got []string
		q.Limit = 2
		for more := true; more; {
			var items []elumenta.Account
			items, more, err = s.ListAccounts(t.Context(), q)
			wantOK(t, err)
			for _, a := range items {
				got, q.Before = append(got, a.DisplayName), a.ID
			}
		}
		if strings.Join(got, ",") != strings.Join(want, ",") {
			t.Errorf("%+v: %q, want %q", q, got, want)
		}
	}
	check(elumenta.AccountQuery{}, "北京大学", "Grace Hopper", "100% Ädä", "ADA_2", "Ada Lovelace")
	check(elumenta.AccountQuery{Text: "ada"}, "100% Ädä", "ADA_2", "Ada Lovelace")
	check(elumenta.AccountQuery{Text: "LOVE"}, "Ada Lovelace")
	check(elumenta.AccountQuery{Text: "京大"}, "北京大学")
	check(elumenta.AccountQuery{Text: "a_"}, "ADA_2")
	check(elumenta.AccountQuery{Text: "%"}, "100% Ädä")
	check(elumenta.AccountQuery{Text: string(made["Ada Lovelace"])}, "Ada Lovelace")
	check(elumenta.AccountQuery{Text: string(elumenta.NewAccountID())})
	check(elumenta.AccountQuery{Plan: "pro"}, "ADA_2")
	check(elumenta.AccountQuery{Plan: "free", Text: "ada"}, "100% Ädä", "Ada Lovelace")
	check(elumenta.AccountQuery{Suspended: &yes}, "Grace Hopper")
	check(elumenta.AccountQuery{Suspended: &no, Text: "e"}, "Ada Lovelace")
	_, _, err = s.ListAccounts(t.Context(), elumenta.AccountQuery{Plan: "gold", Limit: 2})
	want(t, err, elumenta.CodeValidation)
	_, err = s.SetDisplayName(t.Context(), made["Ada Lovelace"], "Countess")
	wantOK(t, err)
	check(elumenta.AccountQuery{Text: "lovelace"})
	check(elumenta.AccountQuery{Text: "count"}, "Countess")
	c.set(c.now().Add(time.Hour)) // the plan is over, and nobody has written that
	check(elumenta.AccountQuery{Plan: "pro"})
	check(elumenta.AccountQuery{Plan: "free", Text: "ada"}, "100% Ädä", "ADA_2")
}

// testTopupOnce repeats a top-up from many callers of two processes at once: it is carried out once.
func testTopupOnce(t *testing.T, url string) {
	stores := []*store.Store{Open(t, url), OpenWith(t, store.Options{URL: url})}
	s := stores[0]
	id, other := Account(t, s, "free"), Account(t, s, "free")
	operator := elumenta.NewAccountID()
	ctx := elumenta.WithActor(t.Context(), elumenta.Actor{Account: operator})
	topup := func(tokens int64) elumenta.Topup {
		t := elumenta.Topup{Tokens: tokens, Reason: "once"}
		t.Idempotency = s.InstallationSecret().Topup(id, "k", &t)
		return t
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	first := 0
	for i := range 16 {
		group.Go(func() {
			a, replayed, err := stores[i%2].Topup(ctx, id, topup(5))
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if !replayed {
				first++
			}
			if a.Balance.Topup != 5 {
				t.Errorf("answered with %d tokens", a.Balance.Topup)
			}
		})
	}
	group.Wait()
	if first != 1 {
		t.Errorf("carried out %d times", first)
	}
	_, _, err := s.Topup(ctx, id, topup(6))
	want(t, err, elumenta.CodeConflict)
	// The key is the account's: what another operator or the command line repeats adds nothing.
	_, replayed, err := s.Topup(elumenta.WithActor(t.Context(), elumenta.Actor{CLI: true}), id, topup(5))
	wantOK(t, err)
	if !replayed {
		t.Error("carried out again by another operator")
	}
	a, err := s.Account(t.Context(), id)
	wantOK(t, err)
	if a.Balance.Topup != 5 {
		t.Errorf("%d tokens", a.Balance.Topup)
	}
	// What was refused leaves the key free.
	for _, tokens := range []int64{0, 7} {
		_, replayed, err := s.Topup(ctx, other, elumenta.Topup{Tokens: tokens, Idempotency: s.InstallationSecret().Topup(other, "k", &elumenta.Topup{})})
		if tokens == 0 {
			want(t, err, elumenta.CodeValidation)
			continue
		}
		wantOK(t, err)
		if replayed {
			t.Error("a refused top-up holds its Idempotency-Key")
		}
	}
	verified(t, s)
}

func testCreateAccountOnce(t *testing.T, url string) {
	s := Open(t, url)
	ctx := elumenta.WithActor(t.Context(), elumenta.Actor{CLI: true})
	idem := func(body string) *elumenta.Idempotency {
		return s.InstallationSecret().Idempotency(elumenta.ActorCLI, "accounts", "k", []byte(body))
	}
	n := elumenta.NewAccount{DisplayName: "Ada", Plan: "pro"}
	first, replayed, err := s.CreateAccount(ctx, n, idem("a"))
	wantOK(t, err)
	again, second, err := s.CreateAccount(ctx, n, idem("a"))
	wantOK(t, err)
	if replayed || !second || again.ID != first.ID {
		t.Fatalf("made %+v, then %+v", first, again)
	}
	_, _, err = s.CreateAccount(ctx, n, idem("b"))
	want(t, err, elumenta.CodeConflict)
	if items, _, err := s.ListAccounts(t.Context(), elumenta.AccountQuery{Limit: 10}); err != nil || len(items) != 1 {
		t.Fatalf("%d accounts, %v", len(items), err)
	}
}

// testPlanAgain puts accounts on the plan that they are on: nothing is granted twice.
func testPlanAgain(t *testing.T, url string) {
	c := &clock{at: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
	s := OpenWith(t, store.Options{URL: url, Serve: true, Now: c.now})
	id := Account(t, s, "basic")
	before, err := s.Account(t.Context(), id)
	wantOK(t, err)
	c.set(c.now().AddDate(0, 0, 10))
	for _, step := range []struct {
		expires  time.Time
		revision int64
	}{{time.Time{}, 0}, {c.now().Add(time.Hour), 1}, {c.now().Add(time.Hour), 1}, {time.Time{}, 2}} {
		a, err := s.SetPlan(t.Context(), id, elumenta.PlanChange{Plan: "basic", Expires: step.expires})
		wantOK(t, err)
		if a.Balance != before.Balance || !a.PlanStarted.Equal(before.PlanStarted) || !a.PlanExpires.Equal(step.expires) || a.Revision != before.Revision+step.revision {
			t.Errorf("until %v: %+v, before %+v", step.expires, a, before)
		}
	}
	if items, _, err := s.AuditTrail(t.Context(), elumenta.AuditQuery{Action: elumenta.AuditPlanChanged, Limit: 10}); err != nil || len(items) != 2 {
		t.Errorf("%d changes are recorded: %+v, %v", len(items), items, err)
	}
	_, err = s.SetPlan(t.Context(), id, elumenta.PlanChange{Plan: "basic", Reason: strings.Repeat("x", elumenta.MaxReason+1)})
	want(t, err, elumenta.CodeValidation)
	_, err = s.SetPlan(t.Context(), id, elumenta.PlanChange{Plan: "basic", Reason: "two\nlines"})
	want(t, err, elumenta.CodeValidation)
}

// testLastAdmin takes admins away from two processes at once: one stays.
func testLastAdmin(t *testing.T, url string) {
	stores := []*store.Store{Open(t, url), OpenWith(t, store.Options{URL: url})}
	var admins []elumenta.AccountID
	for i := range 4 {
		a, _, err := stores[0].CreateAccount(t.Context(), elumenta.NewAccount{DisplayName: fmt.Sprint("Admin ", i), Role: elumenta.RoleAdmin, Plan: "free"}, nil)
		wantOK(t, err)
		admins = append(admins, a.ID)
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	refused := 0
	for i, id := range admins {
		group.Go(func() {
			var err error
			if s := stores[i%2]; i < 2 {
				_, err = s.SetSuspended(t.Context(), id, true, "")
			} else {
				_, err = s.ChangeAccount(t.Context(), id, &elumenta.AccountPatch{Role: elumenta.Some(elumenta.RoleUser)})
			}
			if err == nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if refused++; !elumenta.HasCode(err, elumenta.CodeConflict) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	active := 0
	for _, id := range admins {
		a, err := stores[0].Account(t.Context(), id)
		wantOK(t, err)
		if a.Role == elumenta.RoleAdmin && !a.Suspended {
			active++
		}
	}
	if active != 1 || refused != 1 {
		t.Fatalf("%d admins are left, %d were refused", active, refused)
	}
	verified(t, stores[1])
}

func testAnyonesKeys(t *testing.T, url string) {
	s := Open(t, url)
	id, other := Account(t, s, "free"), Account(t, s, "free")
	secret := elumenta.NewKeySecret()
	key, _, err := s.CreateKey(t.Context(), id, elumenta.NewKey{Name: "leaked"}, secret, nil)
	wantOK(t, err)
	_, _, err = s.CreateKey(t.Context(), other, elumenta.NewKey{Name: "kept"}, elumenta.NewKeySecret(), nil)
	wantOK(t, err)
	found, more, err := s.KeysByPrefix(t.Context(), secret.Prefix(), "", 10)
	wantOK(t, err)
	if len(found) != 1 || more || found[0].ID != key.ID || found[0].AccountID != id {
		t.Fatalf("found %+v", found)
	}
	wantOK(t, s.RevokeAnyKey(t.Context(), key.ID))
	want(t, s.RevokeAnyKey(t.Context(), key.ID), elumenta.CodeNotFound)
	_, err = s.Authenticate(t.Context(), secret.Hash())
	want(t, err, elumenta.CodeNotAuthenticated)
	for range elumenta.MaxKeys { // the count of the account's keys went down
		_, _, err := s.CreateKey(t.Context(), id, elumenta.NewKey{Name: "k"}, elumenta.NewKeySecret(), nil)
		wantOK(t, err)
	}
}

// testUnpublish has an operator end all that others have of an assistant.
func testUnpublish(t *testing.T, url string) {
	s := Open(t, url)
	author, reader := Account(t, s, "free"), Account(t, s, "free")
	a := create(t, s, author, Fields("spam"), elumenta.Marketplace)
	update(t, s, a, &elumenta.Patch{Name: elumenta.Some("more spam")})
	update(t, s, a, publish(elumenta.Private))
	use := func(version int) error {
		_, err := s.Resolve(t.Context(), reader, elumenta.AssistantRef{ID: a.ID, Version: version})
		return err
	}
	wantOK(t, use(1)) // the author's own unpublish leaves pins
	before, err := s.Resolve(t.Context(), reader, elumenta.AssistantRef{ID: a.ID, Version: 1})
	wantOK(t, err)
	want(t, s.Unpublish(t.Context(), a.ID, ""), elumenta.CodeValidation)
	wantOK(t, s.Unpublish(t.Context(), a.ID, "spam"))
	for _, version := range []int{0, 1, 2} {
		want(t, use(version), elumenta.CodeNotFound)
	}
	own, err := s.Assistant(t.Context(), author, a.ID)
	wantOK(t, err)
	if own.Visibility != elumenta.Private || own.Version != 4 || own.Revision <= before.Revision || own.Name != "more spam" {
		t.Errorf("the author has %+v", own)
	}
	versions, _, err := s.Versions(t.Context(), author, a.ID, 0, 1)
	wantOK(t, err)
	if versions[0].Note != "unpublished by an operator" {
		t.Errorf("the author reads %q", versions[0].Note)
	}
	want(t, s.Unpublish(t.Context(), a.ID, "again"), elumenta.CodeNotFound)
	want(t, s.Unpublish(t.Context(), elumenta.NewAssistantID(), "nothing"), elumenta.CodeNotFound)
	private := create(t, s, author, Fields("diary"), elumenta.Private)
	want(t, s.Unpublish(t.Context(), private.ID, "curious"), elumenta.CodeNotFound)
	// It stays private until an operator allows it; what is published then is public from then on, and old versions stay hidden.
	if own.TakenDown == nil || own.TakenDown.Reason != "spam" || own.TakenDown.At.IsZero() {
		t.Errorf("the author reads %+v", own.TakenDown)
	}
	_, err = s.UpdateAssistant(t.Context(), author, a.ID, 0, publish(elumenta.Marketplace))
	want(t, err, elumenta.CodeForbidden)
	if e := elumenta.AsError(err); !strings.Contains(e.Message, "spam") || e.Details["reason"] != "spam" {
		t.Errorf("the author is told %v", err)
	}
	update(t, s, a, &elumenta.Patch{Name: elumenta.Some("no spam")})
	wantOK(t, s.AllowAssistant(t.Context(), a.ID, "was a mistake"))
	want(t, s.AllowAssistant(t.Context(), a.ID, ""), elumenta.CodeNotFound)
	want(t, s.AllowAssistant(t.Context(), elumenta.NewAssistantID(), ""), elumenta.CodeNotFound)
	allowed, err := s.Assistant(t.Context(), author, a.ID)
	wantOK(t, err)
	if allowed.TakenDown != nil || allowed.Version != 6 || allowed.Name != "no spam" || allowed.Visibility != elumenta.Private {
		t.Errorf("allowed: %+v", allowed)
	}
	update(t, s, a, publish(elumenta.Marketplace))
	wantOK(t, use(7))
	want(t, use(1), elumenta.CodeNotFound)
}
