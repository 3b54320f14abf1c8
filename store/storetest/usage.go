package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

// generate reserves and settles a generation of an assistant, or of none, with a new key of its own.
func generate(t testing.TB, s *store.Store, secret elumenta.KeySecret, id elumenta.AssistantID, o elumenta.Outcome) {
	t.Helper()
	caller, err := s.Authenticate(t.Context(), secret.Hash())
	wantOK(t, err)
	r := elumenta.Reservation{Generation: elumenta.NewGenerationID(), Account: caller.Account.ID, Key: caller.Key.ID, Model: "sandbox", Price: 4,
		AccountRevision: caller.Account.Revision, KeyRevision: caller.Key.Revision, Lifetime: time.Minute}
	if id != "" {
		snapshot, err := s.Resolve(t.Context(), caller.Account.ID, elumenta.AssistantRef{ID: id})
		wantOK(t, err)
		r.Assistant, r.Version, r.Author, r.AssistantRevision = id, snapshot.Version, snapshot.Owner, snapshot.Revision
	}
	_, err = s.Reserve(t.Context(), r)
	wantOK(t, err)
	if o.State == 0 {
		return
	}
	_, err = s.Settle(context.WithoutCancel(t.Context()), r.Account, r.Generation, o)
	wantOK(t, err)
}

func key(t testing.TB, s *store.Store, account elumenta.AccountID) elumenta.KeySecret {
	t.Helper()
	secret := elumenta.NewKeySecret()
	_, _, err := s.CreateKey(t.Context(), account, elumenta.NewKey{Name: "k"}, secret, nil)
	wantOK(t, err)
	return secret
}

func testUsage(t *testing.T, url string) {
	s := Open(t, url)
	account := Account(t, s, "unlimited")
	secret := key(t, s, account)
	a := create(t, s, account, Fields("a"), elumenta.Private)
	from := time.Now().Add(-time.Minute)
	for i := range 19 {
		generate(t, s, secret, a.ID, elumenta.Outcome{State: elumenta.Charged, Finish: elumenta.FinishStop, Latency: time.Duration(i+1) * time.Millisecond, CacheMiss: i < 2,
			Usage: elumenta.Usage{PromptTokens: 10, CachedTokens: 3, CacheWriteTokens: 1, CompletionTokens: 2}})
	}
	generate(t, s, secret, "", elumenta.Outcome{State: elumenta.GivenBack, Error: elumenta.CodeProvider, Latency: time.Second})
	generate(t, s, secret, "", elumenta.Outcome{}) // stays open
	to := time.Now().Add(time.Minute)

	rows, total, err := s.Usage(t.Context(), account, from, to, elumenta.UsageByAssistant)
	wantOK(t, err)
	answered := elumenta.UsageRow{Group: string(a.ID), Requests: 19, TokensSpent: 76, CacheHits: 19, CacheMisses: 2, PromptTokens: 190, CachedTokens: 57, CacheWriteTokens: 19,
		CompletionTokens: 38, LatencyP50: 10 * time.Millisecond, LatencyP95: 19 * time.Millisecond}
	failed := elumenta.UsageRow{Group: elumenta.UsageNone, Requests: 1, Failures: 1, LatencyP50: time.Second, LatencyP95: time.Second}
	wantUsage(t, rows, []elumenta.UsageRow{answered, failed})
	if rate := rows[0].CacheHitRate(); rate != 1 {
		t.Errorf("the cache's hit rate is %v", rate)
	}
	all := answered
	all.Group, all.Requests, all.Failures = "", 20, 1
	wantUsage(t, []elumenta.UsageRow{total}, []elumenta.UsageRow{all})
	for by, group := range map[elumenta.UsageGroup]string{elumenta.UsageByVersion: string(a.ID) + "@1", elumenta.UsageByModel: "sandbox", elumenta.UsageByDay: "", elumenta.UsageByKey: ""} {
		rows, again, err := s.Usage(t.Context(), account, from, to, by)
		wantOK(t, err)
		if again != total {
			t.Errorf("by %s the total is %+v", by, again)
		}
		var sum int64
		for _, row := range rows {
			sum += row.Requests
		}
		if sum != 20 || group != "" && rows[0].Group != group {
			t.Errorf("by %s: %+v", by, rows)
		}
	}
	for name, span := range map[string][2]time.Time{
		"before": {from.Add(-time.Hour), from}, "after": {to, to.Add(time.Hour)}, "backwards": {to, from}, "the zero time": {{}, {}},
	} {
		rows, total, err := s.Usage(t.Context(), account, span[0], span[1], elumenta.UsageByDay)
		if err != nil || len(rows) != 0 || total != (elumenta.UsageRow{}) {
			t.Errorf("%s: %v, %+v, %v", name, rows, total, err)
		}
	}
	if rows, _, err := s.Usage(t.Context(), Account(t, s, "free"), from, to, elumenta.UsageByDay); err != nil || len(rows) != 0 {
		t.Errorf("another account: %v, %v", rows, err)
	}
	_, _, err = s.Usage(t.Context(), account, to.AddDate(-5, 0, 0), to, elumenta.UsageByDay)
	want(t, err, elumenta.CodeValidation)
	_, _, err = s.UsageOfAll(t.Context(), from, to, elumenta.UsageByKey)
	want(t, err, elumenta.CodeValidation)
}

// wantUsage compares rows of usage.
func wantUsage(t testing.TB, got, want []elumenta.UsageRow) {
	t.Helper()
	if diff := DiffUsage(want, got); diff != "" {
		t.Errorf("usage (-want +got):\n%s", diff)
	}
}

// DiffUsage is the difference of rows of usage, whose latencies are right to one percent.
func DiffUsage(want, got []elumenta.UsageRow) string {
	near := cmp.Comparer(func(a, b time.Duration) bool { return (a - b).Abs() <= max(a, b)/50+time.Microsecond })
	return cmp.Diff(want, got, near, cmpopts.EquateEmpty())
}

// testUses charges generations and waits for the follower.
func testUses(t *testing.T, url string) {
	s := Open(t, url)
	author, reader := Account(t, s, "unlimited"), Account(t, s, "unlimited")
	own, foreign := key(t, s, author), key(t, s, reader)
	a := create(t, s, author, Fields("a"), elumenta.Marketplace)
	charged := elumenta.Outcome{State: elumenta.Charged, Finish: elumenta.FinishStop}
	generate(t, s, own, a.ID, charged)
	generate(t, s, foreign, a.ID, elumenta.Outcome{State: elumenta.GivenBack, Error: elumenta.CodeProvider})
	for range 3 {
		generate(t, s, foreign, a.ID, charged)
	}
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	timeout := time.After(30 * time.Second)
	for {
		l, err := s.Listing(t.Context(), a.ID)
		wantOK(t, err)
		if l.Uses == 3 {
			break
		}
		if l.Uses > 3 {
			t.Fatalf("%d uses", l.Uses)
		}
		select {
		case <-ticker.C:
		case <-timeout:
			t.Fatalf("%d uses, want 3", l.Uses)
		}
	}
	uses, err := s.AssistantUses(t.Context(), author, a.ID)
	wantOK(t, err)
	if uses != (elumenta.Uses{Generations: 3, Accounts: 1}) {
		t.Errorf("uses %+v", uses)
	}
	_, err = s.AssistantUses(t.Context(), reader, a.ID)
	want(t, err, elumenta.CodeNotFound)
	if snapshot, err := s.Resolve(t.Context(), reader, elumenta.AssistantRef{ID: a.ID}); err != nil || snapshot.Revision != a.Revision {
		t.Fatalf("a use changed the revision: %+v, %v", snapshot, err)
	}
}
