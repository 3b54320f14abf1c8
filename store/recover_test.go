package store_test

import (
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// quickly is how often a node of these tests looks after its lease and others'.
const quickly = 10 * time.Millisecond

// node is one process on a database.
type node struct {
	*store.Store
	lost chan struct{} // holds one for each time that the lease was lost
}

func openNode(t *testing.T, url string, interval time.Duration) *node {
	t.Helper()
	n := &node{lost: make(chan struct{}, 100)}
	options := store.Options{URL: url, Serve: true, OnLeaseLost: func() { n.lost <- struct{}{} }}
	options.SetLeaseTimes(interval)
	var err error
	if n.Store, err = store.Open(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func composed(t testing.TB, s *store.Store, plan string, lifetime time.Duration) elumenta.Reservation {
	t.Helper()
	a, _, err := s.CreateAccount(t.Context(), elumenta.NewAccount{DisplayName: "A", Role: elumenta.RoleUser, Plan: plan}, nil)
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := s.CreateKey(t.Context(), a.ID, elumenta.NewKey{Name: "k"}, elumenta.NewKeySecret(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return elumenta.Reservation{
		Generation: elumenta.NewGenerationID(), Account: a.ID, Key: key.ID, AccountRevision: a.Revision, KeyRevision: key.Revision,
		Model: "m", Price: 4, Lifetime: lifetime,
	}
}

// await polls until a query's number is what is wanted.
func await(t *testing.T, db *sql.DB, want int, query string, args ...any) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		var got int
		if err := db.QueryRowContext(t.Context(), query, args...).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got == want {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatalf("%d, want %d: %s", got, want, query)
		case <-ticker.C:
		}
	}
}

func awaitGivenBack(t *testing.T, db *sql.DB, id elumenta.GenerationID) {
	t.Helper()
	await(t, db, int(elumenta.GivenBack), `SELECT state FROM generations WHERE id = $1`, string(id))
	await(t, db, 1, `SELECT count(*) FROM generations WHERE id = $1 AND error = $2`, string(id), string(elumenta.CodeUnavailable))
}

func wantBalance(t *testing.T, s *store.Store, id elumenta.AccountID, want int64) {
	t.Helper()
	a, err := s.Account(t.Context(), id)
	if err != nil || a.Balance.Total() != want {
		t.Errorf("balance %+v, %v; want %d", a, err, want)
	}
}

func TestDeadline(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": sqliteURL, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			at := url(t)
			n := openNode(t, at, quickly)
			late, running := composed(t, n.Store, "free", time.Microsecond), composed(t, n.Store, "free", time.Hour)
			for _, r := range []elumenta.Reservation{running, late} {
				if _, err := n.Reserve(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			storetest.CatchUp(t, n.Store)
			awaitGivenBack(t, storetest.Raw(t, at), late.Generation)
			wantBalance(t, n.Store, late.Account, 50)
			wantBalance(t, n.Store, running.Account, 46)
			settled, err := n.Settle(t.Context(), late.Account, late.Generation, elumenta.Outcome{State: elumenta.Charged})
			if err != nil || settled.State != elumenta.GivenBack {
				t.Errorf("a late charge: %+v, %v", settled, err)
			}
		})
	}
}

// TestDeadNode: what a node had reserved is given back by another when its lease is over or gone, and what others
// reserved is not.
func TestDeadNode(t *testing.T) {
	url := storetest.Postgres(t)
	silent, closed, living := openNode(t, url, time.Hour), openNode(t, url, time.Hour), openNode(t, url, time.Hour)
	db := storetest.Raw(t, url)
	reserve := func(n *node) elumenta.Reservation {
		t.Helper()
		r := composed(t, n.Store, "free", time.Hour)
		if _, err := n.Reserve(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	lost := []elumenta.Reservation{reserve(silent), reserve(closed)}
	kept := reserve(living)
	if _, err := db.ExecContext(t.Context(), `UPDATE nodes SET renewed_at = renewed_at - 2 * 3600 * 1000000::bigint
		WHERE id = (SELECT node_id FROM generations WHERE id = $1)`, string(lost[0].Generation)); err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	openNode(t, url, quickly)
	for _, r := range lost {
		awaitGivenBack(t, db, r.Generation)
		wantBalance(t, living.Store, r.Account, 50)
	}
	await(t, db, 2, `SELECT count(*) FROM nodes`) // of the one that lives, and of the one that gave back
	wantBalance(t, living.Store, kept.Account, 46)
}

// TestLateReservation: what a dead node reserved when others had given back all else of it is found within the hour.
func TestLateReservation(t *testing.T) {
	url := storetest.Postgres(t)
	db := storetest.Raw(t, url)
	dead, late := openNode(t, url, time.Hour), openNode(t, url, time.Hour)
	reserve := func(n *node) elumenta.Reservation {
		t.Helper()
		r := composed(t, n.Store, "free", 24*time.Hour)
		if _, err := n.Reserve(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	exec := func(text string, id elumenta.GenerationID) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), text+` WHERE id = (SELECT node_id FROM generations WHERE id = $1)`, string(id)); err != nil {
			t.Fatal(err)
		}
	}
	lost := reserve(dead)
	exec(`UPDATE nodes SET renewed_at = 0`, lost.Generation)
	var passed atomic.Int64
	options := store.Options{URL: url, Serve: true, Now: func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }}
	options.SetLeaseTimes(quickly)
	s := storetest.OpenWith(t, options)
	awaitGivenBack(t, db, lost.Generation)
	await(t, db, 2, `SELECT count(*) FROM nodes`) // there is nothing left to judge

	r := reserve(late)
	exec(`DELETE FROM nodes`, r.Generation)
	time.Sleep(20 * quickly)
	wantBalance(t, s, r.Account, 46)
	passed.Store(int64(time.Hour))
	awaitGivenBack(t, db, r.Generation)
	wantBalance(t, s, r.Account, 50)
}

// TestLeaseLost: a node whose row is gone, or was not renewed in time, cancels its calls and goes on under another name.
func TestLeaseLost(t *testing.T) {
	url := storetest.Postgres(t)
	n := openNode(t, url, quickly)
	r := composed(t, n.Store, "free", time.Hour)
	db := storetest.Raw(t, url)
	for _, change := range []string{`DELETE FROM nodes`, `UPDATE nodes SET renewed_at = renewed_at - 3600000000`} {
		if _, err := db.ExecContext(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		select {
		case <-n.lost:
		case <-t.Context().Done():
			t.Fatal("the lease was not missed")
		}
		awaitReserve(t, n.Store, r)
		r.Generation = elumenta.NewGenerationID()
	}
}

func awaitReserve(t *testing.T, s *store.Store, r elumenta.Reservation) {
	t.Helper()
	for {
		r.Generation = elumenta.NewGenerationID() // one that was refused may yet be given back
		_, err := s.Reserve(t.Context(), r)
		if err == nil {
			return
		}
		if !elumenta.HasCode(err, elumenta.CodeUnavailable) || t.Context().Err() != nil {
			t.Fatal(err)
		}
	}
}

// TestLeaseNotRenewed: a node that does not reach the database for too long loses its lease, reserves nothing, and goes on
// when the database is back.
func TestLeaseNotRenewed(t *testing.T) {
	proxy, through := newCutter(t, storetest.Postgres(t))
	lost := make(chan struct{}, 100)
	options := store.Options{URL: through, Serve: true, OnLeaseLost: func() { lost <- struct{}{} }}
	options.SetLeaseTimes(quickly)
	options.LoseLeaseAfter(time.Second)
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
	proxy.set(cutNothing, true)
	<-lost
	if _, err := s.Reserve(t.Context(), r); !elumenta.HasCode(err, elumenta.CodeUnavailable) {
		t.Errorf("reserved without a lease: %v", err)
	}
	proxy.set(cutNothing, false)
	awaitReserve(t, s, r)
}

// TestManyOpen: all that a server of a SQLite file had left open is given back when the next one starts.
func TestManyOpen(t *testing.T) {
	const many, accounts = 10_000, 50
	url := sqliteURL(t)
	first, err := store.Open(t.Context(), store.Options{URL: url, Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	payers := make([]elumenta.Reservation, accounts)
	for i := range payers {
		payers[i] = composed(t, first, "elite", time.Hour)
	}
	errs := make([]error, many)
	var reserving sync.WaitGroup
	for i := range many {
		reserving.Go(func() {
			r := payers[i%accounts]
			r.Generation = elumenta.NewGenerationID()
			_, errs[i] = first.Reserve(t.Context(), r)
		})
	}
	reserving.Wait()
	if err := errors.Join(append(errs, first.Close())...); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	second := openNode(t, url, time.Hour)
	t.Logf("opened in %v", time.Since(start))
	await(t, storetest.Raw(t, url), many, `SELECT count(*) FROM generations WHERE state = 2`)
	for _, r := range payers {
		wantBalance(t, second.Store, r.Account, 3_000)
	}
}

// TestUnsureTogether: reservations whose commit was not answered are given back in few commits, since their node renews its lease only
// after that. Where the database does not answer it tries no further, and keeps them all.
func TestUnsureTogether(t *testing.T) {
	const made, never = 64, 1100
	direct := storetest.Postgres(t)
	proxy, through := newCutter(t, direct)
	registry := prometheus.NewRegistry()
	options := store.Options{URL: through, Serve: true, Metrics: registry}
	options.SetLeaseTimes(time.Hour)
	s, err := store.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	r := composed(t, s, "unlimited", time.Hour)
	for range never {
		s.AddUnsure(r.Account, elumenta.NewGenerationID())
	}
	for range made {
		r.Generation = elumenta.NewGenerationID()
		if _, err := s.Reserve(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		s.AddUnsure(r.Account, r.Generation)
	}
	giveBack := func(code elumenta.Code, most uint64) {
		t.Helper()
		before := store.Commits(t, registry)
		if err := s.GiveBackUnsure(t.Context()); !elumenta.HasCode(err, code) && (err != nil || code != "") {
			t.Fatalf("%v (%v), want %q", err, errors.Unwrap(err), code)
		}
		if n := store.Commits(t, registry) - before; n > most {
			t.Errorf("they were given back in %d commits", n)
		}
	}
	proxy.set(cutNothing, true)
	giveBack(elumenta.CodeUnavailable, 16)
	proxy.set(cutNothing, false)
	for s.Ping(t.Context()) != nil { // the store finds out soon
		time.Sleep(10 * time.Millisecond)
	}
	giveBack("", 32)
	await(t, storetest.Raw(t, direct), made, `SELECT count(*) FROM generations WHERE state = 2 AND error = $1`, string(elumenta.CodeUnavailable))
	giveBack("", 0) // none is left
}
