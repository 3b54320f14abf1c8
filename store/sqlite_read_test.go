package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/elumenta/elumenta"
)

// logged is a server whose log is applied for readers alone, with an account that has an assistant, and generations in the log.
type logged struct {
	*Store
	t         *testing.T
	engine    *sqliteEngine
	registry  *prometheus.Registry
	secret    elumenta.KeySecret
	account   *elumenta.Account
	session   elumenta.SessionToken
	assistant *elumenta.Assistant
	next      elumenta.Reservation
	now       time.Time
}

func newLogged(t *testing.T) *logged {
	l := &logged{t: t, registry: prometheus.NewRegistry(), secret: elumenta.NewKeySecret(), session: elumenta.NewSessionToken(), now: time.Now()}
	l.Store, l.engine = openFile(t, Options{
		Serve: true, Metrics: l.registry, log: logBounds{few: 1 << 30, max: 1 << 30, time: 1 << 60, rest: 1 << 60}, Now: func() time.Time { return l.now },
	})
	l.stop()
	l.background.Wait() // the log is nobody's but the test's
	var err error
	if l.account, _, err = l.CreateAccount(t.Context(), elumenta.NewAccount{DisplayName: "A", Role: elumenta.RoleUser, Plan: "elite"}, nil); err != nil {
		t.Fatal(err)
	}
	key, _, err := l.CreateKey(t.Context(), l.account.ID, elumenta.NewKey{Name: "k"}, l.secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	if l.assistant, _, err = l.CreateAssistant(t.Context(), l.account.ID, elumenta.Fields{
		Name: "Helper", Description: "Helps.", Category: "writing", Model: "m", Instructions: "Help.",
	}, elumenta.Marketplace, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := l.SignIn(t.Context(), l.secret.Hash(), elumenta.NewSession{Token: l.session}); err != nil {
		t.Fatal(err)
	}
	l.next = elumenta.Reservation{Account: l.account.ID, Key: key.ID, AccountRevision: l.account.Revision, KeyRevision: key.Revision, Model: "m", Price: 1}
	return l
}

// generate adds generations to the log. They are of one price.
func (l *logged) generate(n int) {
	l.t.Helper()
	for range n {
		l.next.Generation = elumenta.NewGenerationID()
		if _, err := l.Reserve(l.t.Context(), l.next); err != nil {
			l.t.Fatal(err)
		}
		if _, err := l.Settle(l.t.Context(), l.account.ID, l.next.Generation, elumenta.Outcome{State: elumenta.Charged}); err != nil {
			l.t.Fatal(err)
		}
	}
	if !l.engine.behind() {
		l.t.Fatal("nothing waits in the log")
	}
}

// unlogged are the reads that no charge concerns.
func (l *logged) unlogged(ctx context.Context) error {
	query := elumenta.ListQuery{Limit: 10}
	_, err := l.Assistant(ctx, l.account.ID, l.assistant.ID)
	errs := []error{err}
	note := func(what string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", what, err))
		}
	}
	_, _, err = l.Assistants(ctx, l.account.ID, query)
	note("assistants", err)
	_, _, err = l.Versions(ctx, l.account.ID, l.assistant.ID, 0, 10)
	note("versions", err)
	_, err = l.Labels(ctx, l.account.ID, l.assistant.ID)
	note("labels", err)
	_, err = l.Resolve(ctx, l.account.ID, elumenta.AssistantRef{ID: l.assistant.ID})
	note("resolving", err)
	_, err = l.Listing(ctx, l.assistant.ID)
	note("a listing", err)
	for _, sort := range []elumenta.ListingSort{elumenta.SortNew, elumenta.SortByName, elumenta.SortPopular} {
		_, _, err = l.Listings(ctx, elumenta.ListingQuery{Sort: sort, Limit: 10})
		note("listings by "+string(sort), err)
	}
	_, _, err = l.Listings(ctx, elumenta.ListingQuery{Text: "help", Limit: 10})
	note("a search", err)
	_, err = l.CategoryCounts(ctx)
	note("categories", err)
	_, _, err = l.Keys(ctx, l.account.ID, "", 10)
	note("keys", err)
	_, err = l.AccountSessions(ctx, l.account.ID)
	note("sessions", err)
	note("readiness", l.Ping(ctx))
	return errors.Join(errs...)
}

// nearly are the reads of who asks.
func (l *logged) nearly(ctx context.Context) (spent int64, err error) {
	caller, err := l.Authenticate(ctx, l.secret.Hash())
	if err != nil {
		return 0, fmt.Errorf("a key: %w", err)
	}
	_, visitor, err := l.Session(ctx, l.session.Hash())
	if err != nil {
		return 0, fmt.Errorf("a session: %w", err)
	}
	if visitor.Account.Balance != caller.Account.Balance {
		return 0, fmt.Errorf("a key has %+v, a session %+v", caller.Account.Balance, visitor.Account.Balance)
	}
	return l.account.Balance.Total() - caller.Account.Balance.Total(), nil
}

// TestReadOnAFullDisk: who asks is still known, and what is no matter of money is still read. Once there is room all is as it was.
func TestReadOnAFullDisk(t *testing.T) {
	l := newLogged(t)
	limit := func(pages int) {
		t.Helper()
		if _, err := l.engine.writer.readInt(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages)); err != nil {
			t.Fatal(err)
		}
	}
	l.generate(150)
	if spent, err := l.nearly(t.Context()); err != nil || spent != 150 {
		t.Fatalf("%d spent: %v", spent, err)
	}
	l.generate(300)
	limit(1) // no more than it has
	if _, err := l.Account(t.Context(), l.account.ID); !elumenta.HasCode(err, elumenta.CodeUnavailable) {
		t.Fatalf("a balance was read: %v", err)
	}
	if err := l.unlogged(t.Context()); err != nil {
		t.Errorf("with a full disk: %v", err)
	}
	l.now = l.now.Add(2 * seenInterval) // a session notes that it was seen
	if spent, err := l.nearly(t.Context()); err != nil || spent != 150 {
		t.Errorf("with a full disk, %d spent: %v", spent, err)
	}
	limit(1 << 30)
	if spent, err := l.nearly(t.Context()); err != nil || spent != 450 {
		t.Errorf("with room again, %d spent: %v", spent, err)
	}
}

// TestReadBesideAWaitingWriter: those who wait for the writer keep no connection from the others.
func TestReadBesideAWaitingWriter(t *testing.T) {
	l := newLogged(t)
	l.generate(1)
	release := hold(t, l.Store)
	var group sync.WaitGroup
	for range 2 * cap(l.engine.readers) {
		group.Go(func() {
			if a, err := l.Account(context.Background(), l.account.ID); err != nil || a.Balance.Total() != l.account.Balance.Total()-1 {
				t.Errorf("after the writer: %+v, %v", a, err)
			}
		})
	}
	for len(l.engine.queue.items) < 2*cap(l.engine.readers) {
		runtime.Gosched() // nothing tells when they are queued
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := l.unlogged(ctx); err != nil {
		t.Error(err)
	}
	if _, err := l.nearly(ctx); err != nil {
		t.Error(err)
	}
	release()
	group.Wait()
}

// TestReadersCommitNothing: only the first of those who ask for the tables has them written.
func TestReadersCommitNothing(t *testing.T) {
	l := newLogged(t)
	l.generate(1)
	before := commits(t, l.registry)
	for range 5 {
		if err := l.engine.queue.do(t.Context(), newItem(nil)); err != nil {
			t.Fatal(err)
		}
	}
	if n := commits(t, l.registry) - before; n != 1 {
		t.Errorf("%d commits", n)
	}
	release := hold(t, l.Store)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.engine.queue.do(ctx, newItem(nil)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	release()
}
