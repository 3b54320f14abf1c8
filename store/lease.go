package store

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/elumenta/elumenta"
)

// leaseTimes are how a node holds its lease. A node whose lease was not renewed for lost cancels its calls, so that none
// of them is still running when others, after over, give its reservations back.
type leaseTimes struct {
	renew, retry, attempt, lost, over, sweep time.Duration
	// patience is how long a node must have reached the database before it judges others: the database may have been away
	// for all, and they need the time to renew.
	patience time.Duration
}

func defaultLeaseTimes() leaseTimes {
	return leaseTimes{
		renew: 10 * leaseSecond, retry: leaseSecond, attempt: 5 * leaseSecond, lost: 45 * leaseSecond, over: 60 * leaseSecond,
		sweep: 10 * leaseSecond, patience: 60 * leaseSecond,
	}
}

// newNode makes a name for a process. A process that lost its lease takes another name.
func newNode() string { return "node_" + rand.Text() }

// databaseNow is Postgres's clock in microseconds, which all nodes share.
const databaseNow = `(extract(epoch FROM clock_timestamp()) * 1000000)::bigint`

// lease keeps this node's row in nodes young. Its goroutine alone uses its fields.
type lease struct {
	ledger *ledger
	engine *postgresEngine
	times  leaseTimes
	node   string    // "" while there is none
	held   time.Time // this process's clock before the last renewal
	// since is the database's clock when this node reached it first, or again; zero if that is to be read.
	since time.Time
	// judged is when this node last looked, since then, for what nodes without a lease left open; zero if it has not.
	judged time.Time
}

// openLease takes the first lease and keeps it until ctx ends.
func (l *ledger) openLease(ctx, running context.Context, e *postgresEngine) error {
	l.lease = &lease{ledger: l, engine: e, times: l.store.opts.lease}
	if err := l.lease.take(ctx); err != nil {
		return err
	}
	l.owned.Go(func() { l.lease.keep(running) })
	return nil
}

// run lends a connection of the ledger's pool.
func (k *lease) run(ctx context.Context, f func(ctx context.Context, q querier) error) error {
	return failure(k.engine.borrow(ctx, k.engine.ledger, f))
}

// take makes a new row.
func (k *lease) take(ctx context.Context) error {
	node, start := newNode(), time.Now()
	err := k.run(ctx, func(ctx context.Context, q querier) error {
		return q.QueryRowContext(ctx, `INSERT INTO nodes (id, started_at, renewed_at)
			SELECT $1, now, now FROM (SELECT `+databaseNow+` AS now) AS clock RETURNING renewed_at`, node).Scan(storedTime{&k.since})
	})
	if err != nil {
		return err
	}
	k.node, k.held = node, start
	k.ledger.node.Store(&node)
	return nil
}

// renew reports false if the lease is over by the database's clock, or the row is gone.
func (k *lease) renew(ctx context.Context) (bool, error) {
	start := time.Now()
	var now time.Time // stays zero if no row was renewed
	err := k.run(ctx, func(ctx context.Context, q querier) error {
		return optional(q.QueryRowContext(ctx, `UPDATE nodes SET renewed_at = `+databaseNow+`
			WHERE id = $1 AND renewed_at > `+databaseNow+` - $2::bigint RETURNING renewed_at`, k.node, k.times.lost.Microseconds()).Scan(storedTime{&now}))
	})
	if err != nil || now.IsZero() {
		return false, err
	}
	k.held = start
	if !k.ledger.store.opts.clock {
		k.ledger.store.shared.set(now)
	}
	return true, nil
}

// lose tells the pipeline to cancel its calls; nothing is reserved until there is a new lease.
func (k *lease) lose() {
	k.node = ""
	k.ledger.node.Store(nil)
	k.ledger.store.opts.Logger.Error("the lease on the database is lost: running generations are cancelled")
	if lost := k.ledger.store.opts.OnLeaseLost; lost != nil {
		lost()
	}
}

// keep renews the lease, takes a new one when it was lost, and gives back what is due.
func (k *lease) keep(ctx context.Context) {
	timer := time.NewTimer(min(k.times.renew, k.times.sweep))
	defer timer.Stop()
	var swept time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if !k.step(ctx) {
			timer.Reset(k.times.retry)
			continue
		}
		timer.Reset(min(k.times.renew, k.times.sweep))
		if time.Since(swept) >= k.times.sweep {
			swept = time.Now()
			k.ledger.sweep(ctx, k)
		}
	}
}

// step renews or takes the lease once, within what is left of it, and reports whether the node has one.
func (k *lease) step(ctx context.Context) bool {
	left := k.times.attempt
	if k.node != "" {
		left = max(min(left, k.times.lost-time.Since(k.held)), time.Millisecond)
	}
	attempt, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	if k.node == "" {
		return k.take(attempt) == nil
	}
	ok, err := k.renew(attempt)
	switch {
	case ctx.Err() != nil:
		return false
	case err == nil && ok:
		return true
	case err == nil || time.Since(k.held) >= k.times.lost:
		k.lose()
	default:
		k.ledger.store.opts.Logger.Warn("the lease on the database could not be renewed", "error", elumenta.AsError(err).Cause)
	}
	k.since, k.judged = time.Time{}, time.Time{}
	return false
}

// giveUpLease ends the lease, so that others give back at once what this node left open and then remove its row. It runs
// when nothing reserves any more. If it fails, they will do so when the lease is over.
func (l *ledger) giveUpLease() {
	if l.lease == nil || l.lease.node == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := l.lease.run(ctx, func(ctx context.Context, q querier) error {
		_, err := q.ExecContext(ctx, `UPDATE nodes SET renewed_at = 0 WHERE id = $1`, l.lease.node)
		return err
	}); err != nil {
		l.store.opts.Logger.Warn("the lease on the database could not be given up", "error", elumenta.AsError(err).Cause)
	}
}
