package store_test

import (
	"bytes"
	"net"
	"net/url"
	"path/filepath"
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

// cutter stands between the store and Postgres and breaks or forgets connections when it is told to.
type cutter struct {
	network, address string       // of the server
	age              atomic.Int64 // rises when connections are forgotten: those of a lower one carry nothing more
	still            sync.RWMutex // locked while nothing passes
	mu               sync.Mutex
	cut              cut
	down             bool
	conns            map[net.Conn]struct{}
}

// cut says what becomes of the next commit.
type cut int

const (
	cutNothing cut = iota
	cutBefore      // the commit does not arrive
	cutAfter       // its answer does not
	cutAway        // nor does anything until the database is brought back
)

// newCutter returns a cutter and the database's URL through it.
func newCutter(t *testing.T, through string) (*cutter, string) {
	t.Helper()
	config, err := pgx.ParseConfig(through)
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{conns: map[net.Conn]struct{}{}}
	c.network, c.address = pgconn.NetworkAddress(config.Host, config.Port)
	dir := t.TempDir()
	listener, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { c.serve(client) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		c.set(cutNothing, true)
		serving.Wait()
	})
	u := url.URL{Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Path: "/" + config.Database}
	u.RawQuery = url.Values{"host": {dir}, "sslmode": {"disable"}}.Encode()
	return c, u.String()
}

// set arms a cut of the next commit and takes the database away, or brings it back.
func (c *cutter) set(next cut, down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut, c.down = next, down
	if down {
		c.closeAllBut(nil)
	}
}

func (c *cutter) closeAllBut(kept net.Conn) {
	for conn := range c.conns {
		if conn != kept {
			_ = conn.Close()
		}
	}
}

func (c *cutter) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	age := c.age.Load()
	c.pass()
	server, err := net.Dial(c.network, c.address)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	c.mu.Lock()
	down := c.down
	c.conns[client], c.conns[server] = struct{}{}, struct{}{}
	c.mu.Unlock()
	if down {
		return
	}
	var answers sync.WaitGroup
	answers.Go(func() { c.answer(server, client, age) })
	c.ask(client, server, age)
	_ = server.Close()
	answers.Wait()
}

// pass returns once what lies between stands still no more.
func (c *cutter) pass() {
	c.still.RLock()
	c.still.RUnlock() //nolint:staticcheck // it is only waited for
}

// ask passes the client's messages on.
func (c *cutter) ask(client, server net.Conn, age int64) {
	buf := make([]byte, 1<<20)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		c.pass()
		if c.age.Load() != age {
			continue
		}
		c.mu.Lock()
		next := c.cut
		if !bytes.Contains(buf[:n], []byte("COMMIT\x00")) || !bytes.Contains(buf[:n], []byte("INSERT INTO generations")) {
			next = cutNothing
		}
		if next != cutNothing {
			c.cut = cutNothing
		}
		if next == cutAway {
			c.down = true
			c.closeAllBut(server)
		}
		c.mu.Unlock()
		if next == cutBefore {
			return
		}
		if next != cutNothing {
			// The server's answer must not reach the client, but it must have been given.
			_ = client.Close()
			_, _ = server.Write(buf[:n])
			_, _ = server.Read(make([]byte, 1))
			return
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
	}
}

// answer passes the server's messages on.
func (c *cutter) answer(server, client net.Conn, age int64) {
	buf := make([]byte, 1<<16)
	for {
		n, err := server.Read(buf)
		if err != nil {
			_ = client.Close()
			return
		}
		c.pass()
		if c.age.Load() != age {
			continue
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}

// TestLostCommit: whether a commit or only its answer was lost, a reservation is made once or not at all.
func TestLostCommit(t *testing.T) {
	for name, next := range map[string]cut{"commit lost": cutBefore, "answer lost": cutAfter} {
		t.Run(name, func(t *testing.T) {
			direct := storetest.Postgres(t)
			proxy, through := newCutter(t, direct)
			n := openNode(t, through, time.Hour)
			for range 3 {
				r := composed(t, n.Store, "free", time.Hour)
				proxy.set(next, false)
				grant, err := n.Reserve(t.Context(), r)
				if err != nil || *grant.Balance != 46 || grant.Rate.RemainingHour != 19 {
					t.Fatalf("granted %+v, %v, %v", grant, err, elumenta.AsError(err).Cause)
				}
				wantBalance(t, n.Store, r.Account, 46)
				settled, err := n.Settle(t.Context(), r.Account, r.Generation, elumenta.Outcome{State: elumenta.Charged})
				if err != nil || settled.TokensSpent != 4 || *settled.Balance != 46 {
					t.Fatalf("settled %+v, %v", settled, err)
				}
			}
		})
	}
}

// TestDatabaseAway: a reservation whose commit was not answered before the database went away is refused, and given back
// once it returns.
func TestDatabaseAway(t *testing.T) {
	direct := storetest.Postgres(t)
	proxy, through := newCutter(t, direct)
	options := store.Options{URL: through, Serve: true, Timeout: 2 * time.Second}
	options.SetLeaseTimes(50 * time.Millisecond)
	s, err := store.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	r := composed(t, s, "free", time.Hour)
	if _, err := s.Reserve(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	open := r.Generation
	r.Generation = elumenta.NewGenerationID()
	proxy.set(cutAway, false)
	if _, err := s.Reserve(t.Context(), r); !elumenta.HasCode(err, elumenta.CodeUnavailable) {
		t.Fatalf("reserved without a database: %v", err)
	}
	if _, err := s.Settle(t.Context(), r.Account, open, elumenta.Outcome{State: elumenta.Charged}); !elumenta.HasCode(err, elumenta.CodeUnavailable) {
		t.Fatalf("settled without a database: %v", err)
	}
	proxy.set(cutNothing, false)
	awaitGivenBack(t, storetest.Raw(t, direct), r.Generation)
	if _, err := s.Settle(t.Context(), r.Account, open, elumenta.Outcome{State: elumenta.Charged}); err != nil {
		t.Fatal(err)
	}
	wantBalance(t, s, r.Account, 46)
}
