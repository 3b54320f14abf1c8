package store_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

func TestPostgres(t *testing.T) { storetest.Run(t, storetest.Postgres) }

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
	block := func() (release func()) {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), `LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE`); err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := tx.Rollback(); err != nil {
				t.Error(err)
			}
		}
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
	release := block()
	both(release, read())
	before := number(`SELECT coalesce(sum(pid), 0)`)
	release = block()
	both(release, read())
	release = block()
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
	account := storetest.Account(t, s, "pro")
	key, _, err := s.CreateKey(t.Context(), account, elumenta.NewKey{Name: "k"}, elumenta.NewKeySecret(), nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Account(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	db := storetest.Raw(t, url)
	lock, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.ExecContext(t.Context(), `LOCK TABLE assistants IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	for range 16 {
		readers.Go(func() {
			if _, _, err := s.Assistants(context.Background(), account, elumenta.ListQuery{Limit: 1}); err != nil {
				t.Error(err)
			}
		})
	}
	for waiting := 0; waiting < 2; {
		if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
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
	if _, err := s.Reserve(t.Context(), elumenta.Reservation{
		Generation: elumenta.NewGenerationID(), Account: account, Key: key.ID, AccountRevision: a.Revision, KeyRevision: key.Revision,
		Model: "sandbox", Price: 1, Lifetime: time.Hour,
	}); err != nil {
		t.Error(err)
	}
	if err := lock.Rollback(); err != nil {
		t.Error(err)
	}
	readers.Wait()
}
