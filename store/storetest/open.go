package storetest

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// CatchUp has the tables brought up to date, as whoever reads of money does.
func CatchUp(t testing.TB, s *store.Store) {
	t.Helper()
	_, err := s.Account(t.Context(), elumenta.NewAccountID())
	want(t, err, elumenta.CodeNotFound)
}

// Raw opens a database beside the store, for tests that look at its tables.
func Raw(t testing.TB, url string) *sql.DB {
	t.Helper()
	driver, source := "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func rawExec(t testing.TB, url, query string, args ...any) {
	t.Helper()
	if _, err := Raw(t, url).ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

func testOpen(t *testing.T, url string) {
	first, err := store.Open(t.Context(), store.Options{URL: url, Serve: true})
	wantOK(t, err)
	wantOK(t, first.Ping(t.Context()))
	secret := first.InstallationSecret()
	if secret == (elumenta.InstallationSecret{}) {
		t.Fatal("no secret")
	}
	command := OpenWith(t, store.Options{URL: url})
	if command.InstallationSecret() != secret {
		t.Fatal("a command beside the server has another secret")
	}
	id := Account(t, command, "free")
	if _, err := first.Account(t.Context(), id); err != nil {
		t.Fatalf("what a command wrote is not read: %v", err)
	}
	wantOK(t, first.Checkpoint(t.Context()))
	wantOK(t, first.Close())
	wantOK(t, first.Close())
	again := Open(t, url)
	if again.InstallationSecret() != secret {
		t.Fatal("another secret after a restart")
	}
	if _, err := again.Account(t.Context(), id); err != nil {
		t.Fatalf("lost: %v", err)
	}
}

// testOpenAtOnce opens a database that is still empty from several processes' point of view.
func testOpenAtOnce(t *testing.T, url string) {
	const n = 4
	stores, errs := make([]*store.Store, n), make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			stores[i], errs[i] = store.Open(context.Background(), store.Options{URL: url, Serve: shared(url) && i%2 == 0})
		})
	}
	group.Wait()
	for i := range n {
		if errs[i] != nil {
			t.Errorf("open %d: %v", i, errs[i])
			continue
		}
		if errs[0] == nil && stores[i].InstallationSecret() != stores[0].InstallationSecret() {
			t.Error("two secrets")
		}
	}
	for _, s := range stores {
		if s != nil {
			wantOK(t, s.Close())
		}
	}
}

func testNewerSchema(t *testing.T, url string) {
	s, err := store.Open(t.Context(), store.Options{URL: url})
	wantOK(t, err)
	wantOK(t, s.Close())

	// A later migration that this binary does not know, and may live with.
	rawExec(t, url, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, `+map[bool]string{true: "true", false: "1"}[shared(url)]+`)`)
	s, err = store.Open(t.Context(), store.Options{URL: url, Serve: true})
	wantOK(t, err)
	wantOK(t, s.Close())

	rawExec(t, url, `UPDATE schema_info SET oldest_binary = $1`, store.SchemaNumber+1)
	for _, serve := range []bool{true, false} {
		s, err = store.Open(t.Context(), store.Options{URL: url, Serve: serve})
		if err == nil || s != nil || !strings.Contains(err.Error(), "too old") {
			t.Fatalf("serve %t: a schema that excludes this binary: %v", serve, err)
		}
	}
}

func testBootstrap(t *testing.T, url string) {
	stores := []*store.Store{Open(t, url), OpenWith(t, store.Options{URL: url})}
	const n = 6
	secrets, created := make([]elumenta.KeySecret, n), make([]bool, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			secrets[i] = elumenta.NewKeySecret()
			var err error
			created[i], err = stores[i%2].Bootstrap(t.Context(), secrets[i], elumenta.NewAccount{DisplayName: "Owner", Role: elumenta.RoleAdmin, Plan: "unlimited"}, "first")
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	won := 0
	for i := range n {
		caller, err := stores[0].Authenticate(t.Context(), secrets[i].Hash())
		if !created[i] {
			want(t, err, elumenta.CodeNotAuthenticated)
			continue
		}
		won++
		wantOK(t, err)
		if caller.Account.Role != elumenta.RoleAdmin || caller.Account.Plan != "unlimited" || caller.Key.Name != "first" {
			t.Errorf("the first account is %+v, %+v", caller.Account, caller.Key)
		}
	}
	if won != 1 {
		t.Fatalf("%d of %d made the first account", won, n)
	}
	if items, more, err := stores[0].ListAccounts(t.Context(), elumenta.AccountQuery{Limit: 10}); err != nil || more || len(items) != 1 {
		t.Fatalf("accounts: %d, %t, %v", len(items), more, err)
	}
	_, err := stores[0].Bootstrap(t.Context(), secrets[0], elumenta.NewAccount{DisplayName: "Owner", Plan: "platinum"}, "first")
	want(t, err, elumenta.CodeValidation)
}

func testCanceledContext(t *testing.T, url string) {
	s := Open(t, url)
	owner := Account(t, s, "free")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := s.CreateAssistant(ctx, owner, Fields("a"), elumenta.Private, nil)
	want(t, err, elumenta.CodeUnavailable)
	items, _, err := s.Assistants(t.Context(), owner, elumenta.ListQuery{Limit: 10})
	wantOK(t, err)
	if len(items) != 0 {
		t.Fatal("a write was refused and carried out")
	}
}

func testClosed(t *testing.T, url string) {
	s, err := store.Open(t.Context(), store.Options{URL: url, Serve: true})
	wantOK(t, err)
	owner := Account(t, s, "free")
	wantOK(t, s.Close())
	_, _, err = s.CreateAssistant(t.Context(), owner, Fields("a"), elumenta.Private, nil)
	want(t, err, elumenta.CodeUnavailable)
	_, err = s.Account(t.Context(), owner)
	want(t, err, elumenta.CodeUnavailable)
	want(t, s.Ping(t.Context()), elumenta.CodeUnavailable)
}
