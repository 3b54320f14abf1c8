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
	lost := make(chan struct{}, 100)
	o := store.Options{URL: url, MaxConns: 4, Serve: true, OnLeaseLost: func() { lost <- struct{}{} }}
	o.SetLeaseTimes(10 * time.Millisecond)
	o.LoseLeaseAfter(time.Second)
	s := storetest.OpenWith(t, o)
	r := composed(t, s, "pro", time.Hour)
	db := storetest.Raw(t, url)
	release := lockTable(t, db, "assistants")
	var readers sync.WaitGroup
	defer readers.Wait()
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

// TestSlowRead: a read that takes too long costs its own connection alone, as long as others are answered.
func TestSlowRead(t *testing.T) {
	url := storetest.Postgres(t)
	o := store.Options{URL: url, Serve: true, Timeout: 2 * time.Second}
	o.SetLeaseTimes(time.Hour)
	s := storetest.OpenWith(t, o)
	r := composed(t, s, "unlimited", time.Hour)
	reserve := func() {
		t.Helper()
		r.Generation = elumenta.NewGenerationID()
		if _, err := s.Reserve(t.Context(), r); err != nil {
			t.Error(err)
		}
	}
	reserve()
	db := storetest.Raw(t, url)
	release := lockTable(t, db, "assistants")
	read := make(chan error, 1)
	go func() {
		_, _, err := s.Assistants(context.Background(), r.Account, elumenta.ListQuery{Limit: 1})
		read <- err
	}()
	await(t, db, 1, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
	connections := func() (pids string) {
		t.Helper()
		if err := db.QueryRowContext(t.Context(), `SELECT string_agg(pid::text, ' ' ORDER BY pid) FROM pg_stat_activity
			WHERE datname = current_database() AND query = 'COMMIT'`).Scan(&pids); err != nil { // as the ledger writes it
			t.Fatal(err)
		}
		return pids
	}
	before := connections()
	for waits := true; waits; {
		reserve()
		select {
		case err := <-read:
			if !elumenta.HasCode(err, elumenta.CodeUnavailable) {
				t.Errorf("the read ended with %v", err)
			}
			waits = false
		default:
		}
	}
	reserve()
	if after := connections(); after != before {
		t.Errorf("the ledger's connections are %s, and were %s", after, before)
	}
	release()
}

// idling opens so many connections for reads and returns when they have idled for so long that they are tried ahead of their use.
func idling(t *testing.T, s *store.Store, db *sql.DB, n int) {
	t.Helper()
	release := lockTable(t, db, "schema_info")
	var readers sync.WaitGroup
	for range n {
		readers.Go(func() {
			if err := s.Ping(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	await(t, db, n, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
	release()
	readers.Wait()
	await(t, db, n, `SELECT least(count(*), $1) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
		AND state = 'idle' AND clock_timestamp() - state_change > interval '1.5 s'`, n)
}

// TestForgottenConnections: what lies between may forget connections that idle. Requests find that out once, and none fails but one that
// has less time than that takes.
func TestForgottenConnections(t *testing.T) {
	const idle = 4
	t.Parallel()
	for name, c := range map[string]struct {
		limit time.Duration
		fail  int
	}{"requests": {time.Minute, 0}, "probes": {1500 * time.Millisecond, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct := storetest.Postgres(t)
			proxy, url := newCutter(t, direct)
			s := storetest.OpenWith(t, store.Options{URL: url, MaxConns: 2 * idle, MaxIdle: 2 * idle})
			idling(t, s, storetest.Raw(t, direct), idle)
			proxy.age.Add(1)
			failed := 0
			for range 2 * idle {
				ctx, cancel := context.WithTimeout(t.Context(), c.limit)
				if s.Ping(ctx) != nil {
					failed++
				}
				cancel()
			}
			if failed != c.fail {
				t.Errorf("%d failed, want %d", failed, c.fail)
			}
		})
	}
}

// TestStandstill: requests wait for a database that stands still for less than they may take.
func TestStandstill(t *testing.T) {
	t.Parallel()
	direct := storetest.Postgres(t)
	proxy, url := newCutter(t, direct)
	s := storetest.OpenWith(t, store.Options{URL: url})
	idling(t, s, storetest.Raw(t, direct), 3)
	proxy.still.Lock()
	time.AfterFunc(3500*time.Millisecond, proxy.still.Unlock)
	begin := time.NewTicker(500 * time.Millisecond)
	defer begin.Stop()
	var requests sync.WaitGroup
	for range 8 {
		requests.Go(func() {
			if err := s.Ping(context.Background()); err != nil {
				t.Error(err)
			}
		})
		<-begin.C
	}
	requests.Wait()
}
