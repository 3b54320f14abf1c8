package storetest

import (
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

// Work calls every method of a store once or more, for tests that look at what that did to the database.
func Work(t testing.TB, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	secret := elumenta.NewKeySecret()
	if _, err := s.Bootstrap(ctx, secret, elumenta.NewAccount{DisplayName: "Owner", Plan: "unlimited"}, "first"); err != nil {
		t.Fatal(err)
	}
	caller, err := s.Authenticate(ctx, secret.Hash())
	wantOK(t, err)
	owner, reader := caller.Account.ID, Account(t, s, "basic")
	_, _, err = s.ListAccounts(ctx, elumenta.AccountQuery{Limit: 10})
	wantOK(t, err)
	_, _, err = s.Topup(ctx, reader, elumenta.Topup{Tokens: 1000})
	wantOK(t, err)
	_, err = s.SetPlan(ctx, reader, elumenta.PlanChange{Plan: "pro", Expires: time.Now().Add(time.Hour)})
	wantOK(t, err)
	_, err = s.SetDisplayName(ctx, owner, "Grace")
	wantOK(t, err)
	for _, suspended := range []bool{true, false} {
		_, err = s.SetSuspended(ctx, owner, suspended, "")
		wantOK(t, err)
	}
	workKeys(t, s, owner)
	a := workAssistants(t, s, owner)
	key := elumenta.NewKeySecret()
	_, _, err = s.CreateKey(ctx, reader, elumenta.NewKey{Name: "k"}, key, nil)
	wantOK(t, err)
	for _, o := range []elumenta.Outcome{{State: elumenta.Charged}, {State: elumenta.GivenBack, Error: elumenta.CodeProvider}} {
		generate(t, s, key, a.ID, o)
	}
	for _, by := range []elumenta.UsageGroup{elumenta.UsageByDay, elumenta.UsageByAssistant, elumenta.UsageByModel, elumenta.UsageByKey} {
		_, _, err = s.Usage(ctx, reader, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), by)
		wantOK(t, err)
	}
	_, _, err = s.Entries(ctx, reader, elumenta.EntryQuery{Limit: 10})
	wantOK(t, err)
	wantOK(t, s.Statement(ctx, reader, store.StatementQuery{From: time.Now().Add(-time.Hour)}, &statement{}))
	_, err = s.Listing(ctx, a.ID)
	wantOK(t, err)
	for _, q := range []elumenta.ListingQuery{{}, {Category: "general"}, {Text: "a"}, {Text: "about a bot"}, {Sort: elumenta.SortNew}, {Sort: elumenta.SortByName}} {
		q.Limit = 10
		_, _, err = s.Listings(ctx, q)
		wantOK(t, err)
	}
	_, err = s.CategoryCounts(ctx)
	wantOK(t, err)
	workModeration(t, s, owner, reader)
	wantOK(t, s.DeleteAssistant(ctx, owner, a.ID, 0))
	wantOK(t, s.Ping(ctx))
	wantOK(t, s.Checkpoint(ctx))
}

func workKeys(t testing.TB, s *store.Store, owner elumenta.AccountID) {
	t.Helper()
	idem := s.InstallationSecret().Idempotency(owner, "keys", "k", nil)
	for range 2 {
		key, _, err := s.CreateKey(t.Context(), owner, elumenta.NewKey{Name: "k"}, elumenta.NewKeySecret(), idem)
		wantOK(t, err)
		_, err = s.ChangeKey(t.Context(), owner, key.ID, &elumenta.KeyPatch{Name: elumenta.Some("renamed")})
		wantOK(t, err)
	}
	keys, _, err := s.Keys(t.Context(), owner, "", 10)
	wantOK(t, err)
	wantOK(t, s.RevokeKey(t.Context(), owner, keys[0].ID))
}

func workAssistants(t testing.TB, s *store.Store, owner elumenta.AccountID) *elumenta.Assistant {
	t.Helper()
	idem := s.InstallationSecret().Idempotency(owner, "assistants", "k", nil)
	var a *elumenta.Assistant
	f := Fields("a")
	f.Variables = []elumenta.Variable{{Name: "v"}}
	for range 2 {
		var err error
		a, _, err = s.CreateAssistant(t.Context(), owner, f, elumenta.Private, idem)
		wantOK(t, err)
	}
	update(t, s, a, &elumenta.Patch{Name: elumenta.Some("b")})
	update(t, s, a, publish(elumenta.Marketplace))
	_, err := s.RestoreVersion(t.Context(), owner, a.ID, 0, 1)
	wantOK(t, err)
	wantOK(t, s.WithdrawVersion(t.Context(), owner, a.ID, 2))
	_, _, err = s.Versions(t.Context(), owner, a.ID, 0, 10)
	wantOK(t, err)
	_, err = s.Assistant(t.Context(), owner, a.ID)
	wantOK(t, err)
	_, err = s.AssistantStorage(t.Context(), owner)
	wantOK(t, err)
	for _, text := range []string{"", "a"} {
		_, _, err = s.Assistants(t.Context(), owner, elumenta.ListQuery{Text: text, Limit: 10})
		wantOK(t, err)
	}
	_, err = s.Resolve(t.Context(), owner, elumenta.AssistantRef{ID: a.ID, Version: 3})
	wantOK(t, err)
	for range 2 {
		_, err = s.SetLabel(t.Context(), owner, a.ID, "production", []elumenta.LabelShare{{Version: 3, Weight: 1}})
		wantOK(t, err)
	}
	_, _, err = s.ResolveLabel(t.Context(), owner, a.ID, "production")
	wantOK(t, err)
	wantOK(t, s.DeleteLabel(t.Context(), owner, a.ID, "production"))
	return a
}

// workModeration leaves an assistant with reports and a label behind.
func workModeration(t testing.TB, s *store.Store, owner, reader elumenta.AccountID) {
	t.Helper()
	ctx, bot := t.Context(), Fields("reported")
	bot.Copyable = true
	a := create(t, s, owner, bot, elumenta.Marketplace)
	report := func() {
		t.Helper()
		_, _, err := s.ReportAssistant(ctx, reader, a.ID, spam("it sells"))
		wantOK(t, err)
	}
	copied, _, err := s.CopyAssistant(ctx, reader, elumenta.AssistantRef{ID: a.ID}, "mine", nil)
	wantOK(t, err)
	wantOK(t, s.DeleteAssistant(ctx, reader, copied.ID, 0))
	report()
	report()
	wantOK(t, s.DismissReports(ctx, a.ID, "fine"))
	update(t, s, a, &elumenta.Patch{Name: elumenta.Some("reported again")})
	report()
	_, err = s.ReviewAssistant(ctx, a.ID, 1)
	wantOK(t, err)
	_, _, err = s.Reports(ctx, a.ID, elumenta.ReportPosition{}, 10)
	wantOK(t, err)
	for _, state := range elumenta.ReportStates() {
		_, _, err = s.ReportedAssistants(ctx, elumenta.ReportQuery{State: state, Limit: 10})
		wantOK(t, err)
	}
	wantOK(t, s.Unpublish(ctx, a.ID, "spam"))
	wantOK(t, s.AllowAssistant(ctx, a.ID, "fine"))
	_, err = s.SetLabel(ctx, owner, a.ID, "kept", []elumenta.LabelShare{{Version: 1, Weight: 9}, {Version: 2, Weight: 1}})
	wantOK(t, err)
}
