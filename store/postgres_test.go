package store_test

import (
	"context"
	"net"
	neturl "net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

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

// TestForgottenConnections: what lies between may forget connections that idle. Requests find that out once, and none fails.
func TestForgottenConnections(t *testing.T) {
	const idle = 4
	direct := storetest.Postgres(t)
	url, forget := forgetful(t, direct)
	s := storetest.OpenWith(t, store.Options{URL: url, MaxConns: 2 * idle, MaxIdle: 2 * idle})
	db := storetest.Raw(t, direct)
	lock, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.ExecContext(t.Context(), `LOCK TABLE schema_info IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	for range idle {
		readers.Go(func() {
			if err := s.Ping(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	until := func(condition string) {
		for n := 0; n < idle; {
			if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity
				WHERE datname = current_database() AND pid <> pg_backend_pid() AND `+condition).Scan(&n); err != nil {
				t.Fatal(err)
			}
		}
	}
	until(`wait_event_type = 'Lock'`)
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	readers.Wait()
	until(`state = 'idle' AND clock_timestamp() - state_change > interval '1.5 s'`) // by then they are tried ahead of their use
	forget()
	for i := range 2 * idle {
		if err := s.Ping(t.Context()); err != nil {
			t.Errorf("request %d: %v", i, err)
		}
	}
}

// forgetful is a way to a Postgres that carries nothing more, once forget is called, on the connections that there are.
func forgetful(t *testing.T, database string) (through string, forget func()) {
	config, err := pgx.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	network, address := pgconn.NetworkAddress(config.Host, config.Port)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var lost atomic.Pointer[chan struct{}] // closed once connections are forgotten
	renew := func() *chan struct{} { c := make(chan struct{}); return lost.Swap(&c) }
	renew()
	ctx, cancel := context.WithCancel(context.Background())
	var owned sync.WaitGroup
	carry := func(to, from net.Conn, lost chan struct{}) {
		defer context.AfterFunc(ctx, func() { _ = from.Close() })()
		buf := make([]byte, 32<<10)
		for {
			n, err := from.Read(buf)
			if err != nil {
				_ = to.Close()
				return
			}
			select {
			case <-lost:
			default:
				_, _ = to.Write(buf[:n]) // a closed one ends its reader
			}
		}
	}
	owned.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				_ = client.Close()
				continue
			}
			lost := *lost.Load()
			owned.Go(func() { carry(server, client, lost) })
			owned.Go(func() { carry(client, server, lost) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		cancel()
		owned.Wait()
	})
	u := neturl.URL{
		Scheme: "postgres", User: neturl.UserPassword(config.User, config.Password), Host: l.Addr().String(), Path: "/" + config.Database,
		RawQuery: "sslmode=disable",
	}
	return u.String(), func() { close(*renew()) }
}
