package store

import (
	"context"
	"sync"
	"time"

	"github.com/elumenta/elumenta"
)

const (
	// sweepLimit bounds what one look for lost reservations gives back.
	sweepLimit = 10_000
	// sweepBatch is how many are given back at once.
	sweepBatch = 1024
)

// lostOutcome is how a generation ends that nobody settled: its process died, or it ran past its deadline.
func lostOutcome() elumenta.Outcome {
	return elumenta.Outcome{State: elumenta.GivenBack, Error: elumenta.CodeUnavailable}
}

// unsureReservations are those whose commit was not answered, or came when the lease was gone. They are given back.
type unsureReservations struct {
	mu   sync.Mutex
	keys []generationKey
}

func (u *unsureReservations) add(account elumenta.AccountID, id elumenta.GenerationID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.keys = append(u.keys, generationKey{account, id})
}

func (u *unsureReservations) take() []generationKey {
	u.mu.Lock()
	defer u.mu.Unlock()
	keys := u.keys
	u.keys = nil
	return keys
}

// startRecovery gives back what dead processes left open, and goes on to look for it. On SQLite this is the only process
// that reserves, so that all that is open when it starts is lost.
func (l *ledger) startRecovery(ctx, running context.Context) error {
	if l.sqlite == nil {
		return l.openLease(ctx, running)
	}
	for {
		lost, err := l.open(ctx, `SELECT account_id, id FROM generations WHERE state = 0 LIMIT $1`, sweepLimit)
		if err != nil {
			return err
		}
		given, err := l.giveBack(ctx, lost)
		if err != nil {
			return err
		}
		if given == 0 {
			break
		}
	}
	l.owned.Go(func() { l.sweepSQLite(running) })
	return nil
}

func (l *ledger) sweepSQLite(ctx context.Context) {
	ticker := time.NewTicker(l.store.opts.lease.sweep)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			l.sweep(ctx, nil)
		}
	}
}

// sweep gives back reservations past their deadline and those whose commit is not known; with a lease, also those of
// nodes whose own is over. Its failures are logged: the next time may do better.
func (l *ledger) sweep(ctx context.Context, k *lease) {
	err := l.giveBackUnsure(ctx)
	if err == nil && k != nil {
		err = l.sweepPostgres(ctx, k)
	}
	if err == nil && k == nil {
		err = l.giveBackFrom(ctx, `SELECT account_id, id FROM generations WHERE state = 0 AND deadline < $1 LIMIT $2`, micros(l.store.now()), sweepLimit)
	}
	if err != nil && ctx.Err() == nil {
		l.store.opts.Logger.Warn("reservations could not be given back", "error", err, "cause", elumenta.AsError(err).Cause)
	}
}

func (l *ledger) sweepPostgres(ctx context.Context, k *lease) error {
	var given any // the clock, where it is not the database's
	if l.store.opts.clock {
		given = micros(l.store.now())
	}
	if err := l.giveBackFrom(ctx, `SELECT account_id, id FROM generations
		WHERE state = 0 AND deadline < coalesce($1::bigint, `+databaseNow+`) LIMIT $2`, given, sweepLimit); err != nil {
		return err
	}
	if ready, err := l.mayJudge(ctx, k); err != nil || !ready {
		return err
	}
	// A node without a row is one whose row was removed.
	over := k.times.over.Microseconds()
	if err := l.giveBackFrom(ctx, `SELECT g.account_id, g.id FROM generations AS g WHERE g.state = 0 AND NOT EXISTS (
		SELECT 1 FROM nodes AS n WHERE n.id = g.node_id AND n.renewed_at > `+databaseNow+` - $1::bigint) LIMIT $2`, over, sweepLimit); err != nil {
		return err
	}
	return l.store.read(ctx, func(ctx context.Context, q querier) error {
		_, err := q.ExecContext(ctx, `DELETE FROM nodes AS n WHERE n.renewed_at <= `+databaseNow+` - $1::bigint
			AND NOT EXISTS (SELECT 1 FROM generations AS g WHERE g.state = 0 AND g.node_id = n.id)`, over)
		return err
	})
}

// mayJudge reports whether this node has reached the database for so long that others had the time to renew.
func (l *ledger) mayJudge(ctx context.Context, k *lease) (bool, error) {
	var now time.Time
	if err := l.store.read(ctx, func(ctx context.Context, q querier) error {
		return q.QueryRowContext(ctx, `SELECT `+databaseNow).Scan(storedTime{&now})
	}); err != nil {
		return false, err
	}
	if k.since.IsZero() {
		k.since = now
	}
	return now.Sub(k.since) > k.times.patience, nil
}

func (l *ledger) giveBackUnsure(ctx context.Context) error {
	keys := l.unsure.take()
	var failed error
	for _, key := range keys {
		_, err := l.store.Settle(ctx, key.account, key.id, lostOutcome())
		// CodeInternal says that it was never committed.
		if err != nil && !elumenta.HasCode(err, elumenta.CodeInternal) {
			l.unsure.add(key.account, key.id)
			failed = err
		}
	}
	return failed
}

func (l *ledger) giveBackFrom(ctx context.Context, query string, args ...any) error {
	lost, err := l.open(ctx, query, args...)
	if err != nil || len(lost) == 0 {
		return err
	}
	l.store.opts.Logger.Warn("reservations that nobody settled are given back", "count", len(lost))
	_, err = l.giveBack(ctx, lost)
	return err
}

func (l *ledger) open(ctx context.Context, query string, args ...any) ([]generationKey, error) {
	var keys []generationKey
	err := l.store.read(ctx, func(ctx context.Context, q querier) error {
		keys = keys[:0]
		rows, err := q.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		return each(rows, func() error {
			var key generationKey
			err := rows.Scan(&key.account, &key.id)
			keys = append(keys, key)
			return err
		})
	})
	return keys, err
}

// giveBack settles what was lost, so many at once that they fill the ledger's batches, and counts it. A reservation that
// cannot be given back for a reason of its own stops no other.
func (l *ledger) giveBack(ctx context.Context, keys []generationKey) (given int, err error) {
	for len(keys) > 0 {
		n := min(sweepBatch, len(keys))
		errs := make([]error, n)
		var settling sync.WaitGroup
		for i, key := range keys[:n] {
			settling.Go(func() { _, errs[i] = l.store.Settle(ctx, key.account, key.id, lostOutcome()) })
		}
		settling.Wait()
		for i, err := range errs {
			switch {
			case err == nil:
				given++
			case isInternal(err):
				l.store.opts.Logger.Error("a reservation cannot be given back", "generation", keys[i].id, "cause", elumenta.AsError(err).Cause)
			default:
				return given, err
			}
		}
		keys = keys[n:]
	}
	return given, nil
}
