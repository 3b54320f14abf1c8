package storetest

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

// Ledger is the suite for reserving and settling that every engine passes. url makes a new, empty database, which is opened with
// changes of the usual options.
func Ledger(t *testing.T, url func(testing.TB) string, changes ...func(*store.Options)) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *bench)
	}{
		{"charge", testCharge},
		{"give back", testGiveBack},
		{"few tokens", testFewTokens},
		{"unlimited", testUnlimited},
		{"rate limits", testRateLimits},
		{"open generations", testOpenGenerations},
		{"idempotency", testIdempotency},
		{"idempotency race", testIdempotencyRace},
		{"settle race", testSettleRace},
		{"month ends", testMonthEnds},
		{"plan changes", testPlanChanges},
		{"plan expires", testPlanExpires},
		{"plan without months", testPlanWithoutMonths},
		{"correction", testCorrection},
		{"correction late", testCorrectionLate},
		{"stale", testStale},
		{"key budget", testKeyBudget},
		{"key budget race", testKeyBudgetRace},
		{"key expires", testKeyExpires},
		{"bad neighbour", testBadNeighbour},
		{"many accounts", testManyAccounts},
		{"contexts", testContexts},
		{"model", testModel},
		{"journal", testJournal},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, newBench(t, url(t), changes...))
		})
	}
}

// ledgerPlans are the plans of the suite.
func ledgerPlans() elumenta.Plans {
	return elumenta.Plans{
		{Name: "free", OnceTokens: 50},
		{Name: "basic", MonthlyTokens: 300},
		{Name: "pro", MonthlyTokens: 700, OpenGenerations: 200},
		{Name: "hourly", OnceTokens: 1_000, PerHour: 3, PerDay: 5},
		{Name: "narrow", OnceTokens: 1_000, OpenGenerations: 2},
		{Name: "unlimited", Unlimited: true},
	}
}

// Clock is a clock that tests set.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set sets it.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// bench is a store with a clock, and a second way to its rows.
type bench struct {
	*testing.T
	*store.Store
	url     string
	changes []func(*store.Options)
	clock   *Clock
	db      *sql.DB
}

func newBench(t *testing.T, url string, changes ...func(*store.Options)) *bench {
	t.Helper()
	b := &bench{T: t, url: url, changes: changes, clock: &Clock{now: time.Date(2026, 1, 31, 12, 30, 0, 0, time.UTC)}, db: Raw(t, url)}
	b.open()
	t.Cleanup(func() {
		if b.Ping(context.Background()) == nil { // not closed by the test
			Verified(t, b.Store)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bench) open() {
	b.Helper()
	options := store.Options{URL: b.url, Serve: true, Plans: ledgerPlans(), Now: b.clock.Now}
	for _, change := range b.changes {
		change(&options)
	}
	var err error
	if b.Store, err = store.Open(b.Context(), options); err != nil {
		b.Fatal(err)
	}
}

// raw is the second way to the rows, which are brought up to date before.
func (b *bench) raw() *sql.DB {
	b.Helper()
	CatchUp(b, b.Store)
	return b.db
}

// reopen ends the process, as far as the database can tell, and starts another.
func (b *bench) reopen() {
	b.Helper()
	if err := b.Close(); err != nil {
		b.Fatal(err)
	}
	b.open()
}

// payer is an account with a key, as a request would have read them.
type payer struct {
	b       *bench
	account elumenta.AccountID
	key     elumenta.Key
	secret  elumenta.KeySecret
}

func (b *bench) payer(plan string) *payer {
	b.Helper()
	a, _, err := b.CreateAccount(b.Context(), elumenta.NewAccount{DisplayName: "A", Role: elumenta.RoleUser, Plan: plan}, nil)
	if err != nil {
		b.Fatal(err)
	}
	secret := elumenta.NewKeySecret()
	key, _, err := b.CreateKey(b.Context(), a.ID, elumenta.NewKey{Name: "k"}, secret, nil)
	if err != nil {
		b.Fatal(err)
	}
	return &payer{b, a.ID, *key, secret}
}

// reservation is one that was composed from what is stored now. It outlives all that a test does with the clock.
func (p *payer) reservation(price int64) elumenta.Reservation {
	p.b.Helper()
	a, err := p.b.Account(p.b.Context(), p.account)
	if err != nil {
		p.b.Fatal(err)
	}
	return elumenta.Reservation{
		Generation: elumenta.NewGenerationID(), Account: p.account, Key: p.key.ID, AccountRevision: a.Revision, KeyRevision: p.key.Revision,
		Model: "claude-sonnet-4.5", Price: price, Lifetime: 10 * 365 * 24 * time.Hour,
	}
}

func (p *payer) reserve(price int64) elumenta.GenerationID {
	p.b.Helper()
	r := p.reservation(price)
	if _, err := p.b.Reserve(p.b.Context(), r); err != nil {
		p.b.Fatal(err)
	}
	return r.Generation
}

func (p *payer) settle(id elumenta.GenerationID, state elumenta.SettleState) elumenta.Settled {
	p.b.Helper()
	got, err := p.b.Settle(p.b.Context(), p.account, id, elumenta.Outcome{State: state})
	if err != nil {
		p.b.Fatal(err)
	}
	return got
}

// check compares the balance with what is wanted and with the sum of its entries, and the count of open generations.
func (p *payer) check(total, open int64) {
	p.b.Helper()
	a, err := p.b.Account(p.b.Context(), p.account)
	if err != nil {
		p.b.Fatal(err)
	}
	monthly, topup, entries := p.sums()
	if a.Balance.Total() != total || monthly != a.Balance.Monthly || topup != a.Balance.Topup {
		p.b.Errorf("balance %+v, entries %d monthly, %d topup; want %d in all", a.Balance, monthly, topup, total)
	}
	var counted, stored, last int64
	err = p.b.raw().QueryRowContext(p.b.Context(), `SELECT open_generations, entries,
		(SELECT count(*) FROM generations WHERE account_id = $1 AND state = 0) FROM accounts WHERE id = $1`, string(p.account)).
		Scan(&stored, &last, &counted)
	if err != nil {
		p.b.Fatal(err)
	}
	if stored != open || counted != open || last != entries {
		p.b.Errorf("open %d, stored as %d, want %d; %d entries, the last is %d", counted, stored, open, entries, last)
	}
}

// sums adds up the account's entries.
func (p *payer) sums() (monthly, topup, count int64) {
	p.b.Helper()
	if err := p.b.raw().QueryRowContext(p.b.Context(), `SELECT `+Available("monthly")+`, `+Available("topup")+`, count(*)
		FROM ledger_entries WHERE account_id = $1`, string(p.account)).Scan(&monthly, &topup, &count); err != nil {
		p.b.Fatal(err)
	}
	return monthly, topup, count
}

// Available is the balance by the journal, of one kind of tokens.
func Available(column string) string {
	return `CAST(coalesce(sum(CASE 'available' WHEN destination THEN ` + column + ` WHEN source THEN -` + column + ` ELSE 0 END), 0) AS BIGINT)`
}

// kinds lists the kinds of the account's entries, oldest first.
func (p *payer) kinds() string {
	p.b.Helper()
	rows, err := p.b.raw().QueryContext(p.b.Context(), `SELECT kind FROM ledger_entries WHERE account_id = $1 ORDER BY seq`, string(p.account))
	if err != nil {
		p.b.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var kinds []string
	for rows.Next() {
		var kind string
		if err := rows.Scan(&kind); err != nil {
			p.b.Fatal(err)
		}
		kinds = append(kinds, kind)
	}
	if err := rows.Err(); err != nil {
		p.b.Fatal(err)
	}
	return strings.Join(kinds, " ")
}

// wantError returns err as an *Error of a code.
func wantError(t testing.TB, err error, code elumenta.Code) elumenta.Error {
	t.Helper()
	e, ok := errors.AsType[*elumenta.Error](err)
	if !ok || e.Code != code {
		t.Fatalf("got %v, want %s", err, code)
	}
	return *e
}

// together runs f n times at once and returns the errors in order.
func together(n int, f func(i int) error) []error {
	errs := make([]error, n)
	var running sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		running.Go(func() {
			<-begin
			errs[i] = f(i)
		})
	}
	close(begin)
	running.Wait()
	return errs
}

func ended(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}
