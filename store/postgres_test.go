package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

func TestPostgres(t *testing.T) { storetest.Run(t, storetest.Postgres) }

// TestHurriedCallers: who waits for a connection, or gives up before the database would, does not cost the others theirs.
func TestHurriedCallers(t *testing.T) {
	url := storetest.Postgres(t)
	s := storetest.OpenWith(t, store.Options{URL: url, MaxConns: 2, MaxIdle: 2})
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
			t.Error("a third connection")
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
