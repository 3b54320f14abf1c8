package storetest

import (
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

// trail reads the whole audit trail, oldest first.
func trail(t testing.TB, s *store.Store) []elumenta.AuditEntry {
	t.Helper()
	var all []elumenta.AuditEntry
	for before := int64(0); ; {
		items, more, err := s.AuditTrail(t.Context(), elumenta.AuditQuery{Before: before, Limit: 3})
		wantOK(t, err)
		for _, e := range items {
			all, before = append([]elumenta.AuditEntry{e}, all...), e.Seq
		}
		if !more {
			return all
		}
	}
}

// verified fails unless the trail is whole, and returns its end.
func verified(t testing.TB, s *store.Store, kept ...elumenta.AuditHead) elumenta.AuditHead {
	t.Helper()
	head, err := s.VerifyAudit(t.Context(), kept...)
	wantOK(t, err)
	return head
}

func testAudit(t *testing.T, url string) {
	s := Open(t, url)
	if head := verified(t, s); head != (elumenta.AuditHead{}) {
		t.Fatalf("an empty trail ends at %v", head)
	}
	who := elumenta.Actor{Account: elumenta.NewAccountID(), Key: elumenta.NewKeyID(), Address: netip.MustParseAddr("2001:db8::7")}
	ctx := elumenta.WithActor(t.Context(), who)
	const free = "Words of a user"
	a, _, err := s.CreateAccount(ctx, elumenta.NewAccount{DisplayName: free, Plan: "free"}, nil)
	wantOK(t, err)
	changes := []func() error{
		func() error { _, err := s.SetDisplayName(ctx, a.ID, free+" again"); return err },
		func() error {
			_, err := s.ChangeAccount(ctx, a.ID, &elumenta.AccountPatch{Role: elumenta.Some(elumenta.RoleAdmin)})
			return err
		},
		func() error {
			_, err := s.SetPlan(ctx, a.ID, elumenta.PlanChange{Plan: "pro", Reason: "paid"})
			return err
		},
		func() error {
			_, _, err := s.Topup(ctx, a.ID, elumenta.Topup{Tokens: 5, Reason: "a gift"})
			return err
		},
	}
	var key *elumenta.Key
	var bot *elumenta.Assistant
	fields := Fields(free)
	fields.Instructions, fields.Description = free, free
	budget := int64(7)
	changes = append(changes,
		func() error {
			key, _, err = s.CreateKey(ctx, a.ID, elumenta.NewKey{Name: free}, elumenta.NewKeySecret(), nil)
			return err
		},
		func() error {
			_, err := s.ChangeKey(ctx, a.ID, key.ID, &elumenta.KeyPatch{Budget: elumenta.Some(budget)})
			return err
		},
		func() error { return s.RevokeKey(ctx, a.ID, key.ID) },
		func() error {
			bot, _, err = s.CreateAssistant(ctx, a.ID, fields, elumenta.Marketplace, nil)
			return err
		},
		func() error {
			_, err := s.UpdateAssistant(ctx, a.ID, bot.ID, 0, publish(elumenta.Private))
			return err
		},
		func() error {
			_, err := s.UpdateAssistant(ctx, a.ID, bot.ID, 0, publish(elumenta.Marketplace))
			return err
		},
		func() error { return s.Unpublish(ctx, bot.ID, "spam") },
		func() error { return s.DeleteAssistant(ctx, a.ID, bot.ID, 0) },
	)
	for i, change := range changes {
		if err := change(); err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
	}
	other := Account(t, s, "free")
	_, err = s.SetSuspended(elumenta.WithActor(t.Context(), elumenta.Actor{CLI: true}), other, true, "")
	wantOK(t, err)
	_, err = s.SetSuspended(ctx, other, false, "sorry")
	wantOK(t, err)

	type row struct {
		action  elumenta.AuditAction
		target  string
		details string
	}
	want := []row{
		{elumenta.AuditAccountCreated, string(a.ID), `{"plan":"free","role":"user"}`},
		{elumenta.AuditAccountRenamed, string(a.ID), `{}`},
		{elumenta.AuditRoleChanged, string(a.ID), `{"from":"user","to":"admin"}`},
		{elumenta.AuditPlanChanged, string(a.ID), `{"from":"free","reason":"paid","to":"pro"}`},
		{elumenta.AuditToppedUp, string(a.ID), `{"reason":"a gift","tokens":5}`},
		{elumenta.AuditKeyCreated, string(key.ID), `{}`},
		{elumenta.AuditKeyChanged, string(key.ID), `{"budget":7}`},
		{elumenta.AuditKeyRevoked, string(key.ID), `{}`},
		{elumenta.AuditPublished, string(bot.ID), `{"version":1}`},
		{elumenta.AuditUnpublished, string(bot.ID), `{"version":2}`},
		{elumenta.AuditPublished, string(bot.ID), `{"version":3}`},
		{elumenta.AuditTakenDown, string(bot.ID), `{"reason":"spam","reports":0,"version":4}`},
		{elumenta.AuditDeleted, string(bot.ID), `{}`},
		{elumenta.AuditAccountCreated, string(other), `{"plan":"free","role":"user"}`},
		{elumenta.AuditAccountSuspended, string(other), `{}`},
		{elumenta.AuditAccountResumed, string(other), `{"reason":"sorry"}`},
	}
	got := trail(t, s)
	if len(got) != len(want) {
		t.Fatalf("%d entries, want %d: %+v", len(got), len(want), got)
	}
	for i, e := range got {
		details, err := json.Marshal(e.Details)
		wantOK(t, err)
		if w := want[i]; e.Seq != int64(i+1) || e.Action != w.action || e.Target != w.target || string(details) != w.details {
			t.Errorf("entry %d: %+v %s, want %+v", i+1, e, details, w)
		}
		account, actor := a.ID, who.String()
		if i >= 13 {
			account = other
		}
		switch e.Action {
		case elumenta.AuditAccountSuspended:
			actor = elumenta.ActorCLI
		case elumenta.AuditAccountCreated:
			if i > 0 {
				actor = ""
			}
		}
		if e.Account != account || e.Actor != actor || actor == who.String() && (e.Key != who.Key || e.Address != "2001:db8::7") || time.Since(e.At) > time.Hour {
			t.Errorf("entry %d: %+v", i+1, e)
		}
		if strings.Contains(string(details), free) {
			t.Errorf("entry %d holds a user's words: %s", i+1, details)
		}
	}
	if head := verified(t, s); head != (elumenta.AuditHead{Seq: int64(len(got)), Hash: got[len(got)-1].Hash}) {
		t.Errorf("the trail ends at %v, its last entry is %+v", head, got[len(got)-1])
	}
	testAuditFilters(t, s, other, got)
	testJournalActors(t, url, a.ID, who.String())
}

func testAuditFilters(t *testing.T, s *store.Store, account elumenta.AccountID, all []elumenta.AuditEntry) {
	t.Helper()
	for _, q := range []elumenta.AuditQuery{
		{Account: account}, {Action: elumenta.AuditPublished}, {Account: account, Action: elumenta.AuditAccountCreated}, {Account: elumenta.NewAccountID()},
	} {
		q.Limit = 100
		items, more, err := s.AuditTrail(t.Context(), q)
		wantOK(t, err)
		n := 0
		for _, e := range all {
			if (q.Account == "" || e.Account == q.Account) && (q.Action == "" || e.Action == q.Action) {
				n++
			}
		}
		if len(items) != n || more {
			t.Errorf("%+v: %d entries, more %t, want %d", q, len(items), more, n)
		}
	}
}

// testJournalActors looks at who moved tokens, and why.
func testJournalActors(t *testing.T, url string, account elumenta.AccountID, actor string) {
	t.Helper()
	rows, err := Raw(t, url).QueryContext(t.Context(), `SELECT kind, reason, actor FROM ledger_entries WHERE account_id = $1 ORDER BY seq`, string(account))
	wantOK(t, err)
	defer func() { _ = rows.Close() }()
	var got []string
	for rows.Next() {
		var kind, reason, who string
		wantOK(t, rows.Scan(&kind, &reason, &who))
		if who != actor {
			t.Errorf("%s is by %q, want %q", kind, who, actor)
		}
		got = append(got, kind+" "+reason)
	}
	wantOK(t, rows.Err())
	if text := strings.Join(got, ", "); text != "grant free, expire free, grant pro, topup a gift" {
		t.Errorf("the journal: %s", text)
	}
}

// testAuditWithChange has a change without its entry, and an entry without its change, be impossible.
func testAuditWithChange(t *testing.T, url string) {
	s := Open(t, url)
	id := Account(t, s, "free")
	_, _, err := s.Topup(t.Context(), elumenta.NewAccountID(), elumenta.Topup{Tokens: 5})
	want(t, err, elumenta.CodeNotFound)
	_, _, err = s.CreateKey(t.Context(), elumenta.NewAccountID(), elumenta.NewKey{Name: "k"}, elumenta.NewKeySecret(), nil)
	want(t, err, elumenta.CodeNotFound)
	want(t, s.RevokeKey(t.Context(), id, elumenta.NewKeyID()), elumenta.CodeNotFound)
	_, err = s.SetSuspended(t.Context(), id, false, "")
	wantOK(t, err) // it was not suspended
	if head := verified(t, s); head.Seq != 1 {
		t.Fatalf("what failed, or changed nothing, is recorded: %+v", trail(t, s))
	}
	// Nothing more can be recorded once the end of the trail is lost.
	rawExec(t, url, `DELETE FROM settings WHERE name = 'audit_head'`)
	_, _, err = s.Topup(t.Context(), id, elumenta.Topup{Tokens: 5})
	want(t, err, elumenta.CodeInternal)
	a, err := s.Account(t.Context(), id)
	wantOK(t, err)
	if a.Balance.Topup != 0 {
		t.Fatal("tokens were added without an entry in the trail")
	}
}

// testAuditBroken changes the table behind the server's back. Each way shows, and where.
func testAuditBroken(t *testing.T, url string) {
	s := Open(t, url)
	id := Account(t, s, "free")
	for i := range 5 {
		_, _, err := s.Topup(t.Context(), id, elumenta.Topup{Tokens: int64(i + 1), Reason: "r"})
		wantOK(t, err)
	}
	kept := verified(t, s)
	const blob = `(SELECT hash FROM audit_entries WHERE seq = 2)`
	cases := map[string]struct {
		statements []string
		at         int64
		kept       []elumenta.AuditHead
	}{
		"a row in the middle": {[]string{`DELETE FROM audit_entries WHERE seq = 3`}, 3, nil},
		"the first":           {[]string{`DELETE FROM audit_entries WHERE seq = 1`}, 1, nil},
		"the last":            {[]string{`DELETE FROM audit_entries WHERE seq = 6`}, 6, nil},
		"all":                 {[]string{`DELETE FROM audit_entries`}, 1, nil},
		"the last, and the stored end": {[]string{
			`UPDATE settings SET value = ` + storedHead(t, s, url, 5) + ` WHERE name = 'audit_head'`, `DELETE FROM audit_entries WHERE seq = 6`,
		}, 6, []elumenta.AuditHead{kept}},
		"everything, and the stored end": {[]string{`DELETE FROM settings WHERE name = 'audit_head'`, `DELETE FROM audit_entries`}, 1, []elumenta.AuditHead{kept}},
		"two change places": {[]string{
			`UPDATE audit_entries SET seq = 100 WHERE seq = 3`, `UPDATE audit_entries SET seq = 3 WHERE seq = 4`, `UPDATE audit_entries SET seq = 4 WHERE seq = 100`,
		}, 3, nil},
		"one more": {[]string{`INSERT INTO audit_entries SELECT 7, at, actor, key_id, address, action, account_id, target, details, hash FROM audit_entries WHERE seq = 6`}, 7, nil},
		"the hash": {[]string{`UPDATE audit_entries SET hash = ` + blob + ` WHERE seq = 4`}, 4, nil},
	}
	for column, value := range map[string]string{
		"at": "at + 1", "actor": "'cli'", "key_id": "'key_x'", "address": "'::1'", "action": "'key.created'", "account_id": "'acct_x'", "target": "'x'",
		"details": `'{"tokens": 3,"reason":"r"}'`,
	} {
		cases["a changed "+column] = struct {
			statements []string
			at         int64
			kept       []elumenta.AuditHead
		}{[]string{`UPDATE audit_entries SET ` + column + ` = ` + value + ` WHERE seq = 4`}, 4, nil}
	}
	db := Raw(t, url)
	for _, text := range []string{`CREATE TABLE kept_entries AS SELECT * FROM audit_entries`, `CREATE TABLE kept_settings AS SELECT * FROM settings`} {
		_, err := db.ExecContext(t.Context(), text)
		wantOK(t, err)
	}
	for name, c := range cases {
		for _, text := range c.statements {
			if _, err := db.ExecContext(t.Context(), text); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		_, err := s.VerifyAudit(t.Context(), c.kept...)
		if broken, ok := errors.AsType[*elumenta.AuditBrokenError](err); !ok || broken.Seq != c.at {
			t.Errorf("%s: %v, want it broken at %d", name, err, c.at)
		}
		for _, text := range []string{
			`DELETE FROM audit_entries`, `DELETE FROM settings`, `INSERT INTO audit_entries SELECT * FROM kept_entries`, `INSERT INTO settings SELECT * FROM kept_settings`,
		} {
			_, err := db.ExecContext(t.Context(), text)
			wantOK(t, err)
		}
		if head := verified(t, s, kept); head != kept {
			t.Fatalf("after %s: %v", name, head)
		}
	}
	// A trail that was written anew, as a whole, shows only beside a head that was kept.
	_, err := s.VerifyAudit(t.Context(), elumenta.AuditHead{Seq: kept.Seq, Hash: elumenta.AuditHash{1}})
	if broken, ok := errors.AsType[*elumenta.AuditBrokenError](err); !ok || broken.Seq != kept.Seq {
		t.Errorf("another hash was kept: %v", err)
	}
	_, _, err = s.Topup(t.Context(), id, elumenta.Topup{Tokens: 1})
	wantOK(t, err)
	if head := verified(t, s, kept); head.Seq != kept.Seq+1 {
		t.Errorf("the trail goes on to %v", head)
	}
}

// storedHead is SQL for the stored end of a trail that was cut after an entry.
func storedHead(t testing.TB, s *store.Store, url string, seq int64) string {
	t.Helper()
	for _, e := range trail(t, s) {
		if e.Seq == seq {
			text := "000000000000000" + string(rune('0'+seq)) + e.Hash.String()
			if shared(url) {
				return `'\x` + text + `'::bytea`
			}
			return `x'` + text + `'`
		}
	}
	t.Fatalf("no entry %d", seq)
	return ""
}

// testAuditAtOnce appends from two processes at once: no number is missing or used twice.
func testAuditAtOnce(t *testing.T, url string) {
	stores := []*store.Store{Open(t, url), OpenWith(t, store.Options{URL: url})}
	ids := []elumenta.AccountID{Account(t, stores[0], "free"), Account(t, stores[1], "free")}
	const each = 12
	var group sync.WaitGroup
	for i, s := range stores {
		for worker := range 4 {
			group.Go(func() {
				for n := range each {
					var err error
					switch n % 3 {
					case 0:
						_, _, err = s.Topup(t.Context(), ids[(i+worker)%2], elumenta.Topup{Tokens: 1})
					case 1:
						_, _, err = s.CreateKey(t.Context(), ids[i], elumenta.NewKey{Name: "k"}, elumenta.NewKeySecret(), nil)
					case 2:
						_, _, err = s.CreateAssistant(t.Context(), ids[worker%2], Fields("x"), elumenta.Marketplace, nil)
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	group.Wait()
	if head := verified(t, stores[1]); head.Seq != 2+2*4*each {
		t.Fatalf("%d entries, want %d", head.Seq, 2+2*4*each)
	}
}

// testAuditLast has writes wait for a row of a table: meanwhile they leave the trail's end to others, who may have that row and want it.
func testAuditLast(t *testing.T, url string) {
	if !shared(url) {
		return // there is one writer, which never waits
	}
	s := OpenWith(t, store.Options{URL: url})
	keys := []elumenta.KeySecret{elumenta.NewKeySecret(), elumenta.NewKeySecret()}
	for _, key := range keys {
		_, _, err := s.CreateKey(t.Context(), Account(t, s, "pro"), elumenta.NewKey{Name: "one"}, key, nil)
		wantOK(t, err)
	}
	theirs, _ := session(t, s, keys[1], elumenta.SessionHash{})
	_, oldest := session(t, s, keys[0], elumenta.SessionHash{})
	for range elumenta.MaxSessions - 1 {
		session(t, s, keys[0], elumenta.SessionHash{})
	}
	leavesTrail(t, url, `SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE`, string(oldest.ID), func() error {
		_, err := s.SignIn(t.Context(), keys[0].Hash(), elumenta.NewSession{Token: elumenta.NewSessionToken(), Ends: theirs})
		return err
	})

	first, second := newStarter("First"), newStarter("Second")
	publishStarters(t, s, starterSet("a", first), elumenta.StarterOptions{})
	first.Instructions = "Do it better."
	leavesTrail(t, url, `SELECT 1 FROM assistants WHERE id = $1 FOR UPDATE`, string(first.ID), func() error {
		return s.PublishStarters(t.Context(), starterSet("b", second, first), elumenta.StarterOptions{})
	})
	wantStarters(t, s, map[string]int{"First": 2, "Second": 1})
	verified(t, s)
}

// leavesTrail locks a row that write has to wait for, and fails if the trail's end is locked then.
func leavesTrail(t *testing.T, url, lock, id string, write func() error) {
	t.Helper()
	db := Raw(t, url)
	tx, err := db.BeginTx(t.Context(), nil)
	wantOK(t, err)
	defer func() { _ = tx.Rollback() }()
	_, err = tx.ExecContext(t.Context(), lock, id)
	wantOK(t, err)
	done := make(chan error, 1)
	go func() { done <- write() }()
	for waits := 0; waits == 0; {
		select {
		case err := <-done:
			t.Fatalf("it did not wait: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
		wantOK(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waits))
	}
	var free int
	wantOK(t, tx.QueryRowContext(t.Context(), `SELECT count(*) FROM (SELECT 1 FROM settings WHERE name = 'audit_head' FOR UPDATE SKIP LOCKED) AS free`).Scan(&free))
	if free != 1 {
		t.Errorf("what waits for %s has the trail's end", id)
	}
	wantOK(t, tx.Rollback())
	wantOK(t, <-done)
}
