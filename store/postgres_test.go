package store_test

import (
	"context"
	"database/sql"
	"sync"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

func TestPostgres(t *testing.T) { storetest.Run(t, storetest.Postgres) }

// lockTable holds up whoever reads a table.
func lockTable(t *testing.T, db *sql.DB, name string) (release func()) {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), `LOCK TABLE `+name+` IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
}

// TestHurriedCallers: who waits for a connection, or gives up before the database would, does not cost the others theirs.
func TestHurriedCallers(t *testing.T) {
	url := storetest.Postgres(t)
	s := storetest.OpenWith(t, store.Options{URL: url, MaxConns: 3, MaxIdle: 3})
	id := storetest.Account(t, s, "pro")
	db := storetest.Raw(t, url)
	read := func() (done chan error) {
		done = make(chan error, 2)
		for range 2 {
			go func() { _, err := s.Account(context.Background(), id); done <- err }()
		}
		return done
	}
	number := func(query string) (n int) {
		if err := db.QueryRowContext(t.Context(), query+` FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	both := func(release func(), done chan error) {
		t.Helper()
		for waiting := 0; waiting < 2; {
			waiting = number(`SELECT count(*) FILTER (WHERE wait_event_type = 'Lock')`)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if err := s.Ping(ctx); err == nil {
			t.Error("more connections than two for reads")
		}
		release()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	release := lockTable(t, db, "accounts")
	both(release, read())
	before := number(`SELECT coalesce(sum(pid), 0)`)
	release = lockTable(t, db, "accounts")
	both(release, read())
	release = lockTable(t, db, "accounts")
	both(release, read())
	if after := number(`SELECT coalesce(sum(pid), 0)`); after != before {
		t.Error("the connections are others than before")
	}
}

// TestLedgerConnections: readers that use up their connections hold up neither reservations nor the lease.
func TestLedgerConnections(t *testing.T) {
	url := storetest.Postgres(t)
	lost := make(chan struct{})
	o := store.Options{URL: url, MaxConns: 4, Serve: true, OnLeaseLost: func() { close(lost) }}
	o.SetLeaseTimes(10 * time.Millisecond)
	o.LoseLeaseAfter(time.Second)
	s := storetest.OpenWith(t, o)
	r := composed(t, s, "pro", time.Hour)
	db := storetest.Raw(t, url)
	release := lockTable(t, db, "assistants")
	var readers sync.WaitGroup
	for range 16 {
		readers.Go(func() {
			if _, _, err := s.Assistants(context.Background(), r.Account, elumenta.ListQuery{Limit: 1}); err != nil {
				t.Error(err)
			}
		})
	}
	await(t, db, 2, `SELECT least(count(*), 2) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
	renewed := func() (at int64) {
		if err := db.QueryRowContext(t.Context(), `SELECT max(renewed_at) FROM nodes`).Scan(&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	for before := renewed(); renewed() == before; {
		select {
		case <-lost:
			t.Fatal("the lease is lost")
		default:
		}
	}
	if _, err := s.Reserve(t.Context(), r); err != nil {
		t.Error(err)
	}
	release()
	readers.Wait()
}

// TestForgottenConnections: what lies between may forget connections that idle. Requests find that out once, and none fails.
func TestForgottenConnections(t *testing.T) {
	const idle = 4
	direct := storetest.Postgres(t)
	proxy, url := newCutter(t, direct)
	s := storetest.OpenWith(t, store.Options{URL: url, MaxConns: 2 * idle, MaxIdle: 2 * idle})
	db := storetest.Raw(t, direct)
	release := lockTable(t, db, "schema_info")
	var readers sync.WaitGroup
	for range idle {
		readers.Go(func() {
			if err := s.Ping(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	await(t, db, idle, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
	release()
	readers.Wait()
	await(t, db, idle, `SELECT least(count(*), $1) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
		AND state = 'idle' AND clock_timestamp() - state_change > interval '1.5 s'`, idle) // by then they are tried ahead of their use
	proxy.age.Add(1)
	for i := range 2 * idle {
		if err := s.Ping(t.Context()); err != nil {
			t.Errorf("request %d: %v", i, err)
		}
	}
}
