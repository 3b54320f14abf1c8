package store

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/elumenta/elumenta"
)

const (
	// sweepLimit bounds what one look for lost reservations gives back.
	sweepLimit = 10_000
	// sweepBatch is how many are given back at once.
	sweepBatch = 1024
	// judgeAgain is how often a node looks for what nodes without a lease left open though it knows of none: a transaction of one that was
	// judged may have been committed since.
	judgeAgain = time.Hour
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

func (u *unsureReservations) add(keys ...generationKey) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.keys = append(u.keys, keys...)
}

func (u *unsureReservations) take() []generationKey {
	u.mu.Lock()
	defer u.mu.Unlock()
	keys := u.keys
	u.keys = nil
	return keys
}

// openGeneration is one that this process has reserved and not settled.
type openGeneration struct {
	account  elumenta.AccountID
	row      *generationRow  // nil once somebody has begun to settle it
	used     *usedGeneration // SQLite; nil likewise
	deadline time.Time       // by the clock that nobody sets
}

// openGenerations are those of this process, so that no index need keep them.
type openGenerations struct {
	mu   sync.Mutex
	rows map[elumenta.GenerationID]openGeneration
}

func (o *openGenerations) put(r *elumenta.Reservation, row *generationRow, used *usedGeneration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rows[r.Generation] = openGeneration{r.Account, row, used, time.Now().Add(r.Lifetime)}
}

// take returns the row as Reserve left it, and what is known of its usage, once: nil if it was not this process, or if somebody
// has begun to settle it.
func (o *openGenerations) take(id elumenta.GenerationID) (*generationRow, *usedGeneration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	g, ok := o.rows[id]
	if !ok {
		return nil, nil
	}
	row, used := g.row, g.used
	g.row, g.used = nil, nil
	o.rows[id] = g
	return row, used
}

// restore gives back what take returned, for the next settlement: the one that took it was not carried out.
func (o *openGenerations) restore(id elumenta.GenerationID, row *generationRow, used *usedGeneration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if g, ok := o.rows[id]; ok && row != nil {
		g.row, g.used = row, used
		o.rows[id] = g
	}
}

func (o *openGenerations) remove(id elumenta.GenerationID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.rows, id)
}

// overdue lists those past their deadline.
func (o *openGenerations) overdue() []generationKey {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	var keys []generationKey
	for id, g := range o.rows {
		if now.After(g.deadline) {
			keys = append(keys, generationKey{g.account, id})
		}
	}
	return keys
}

// startRecovery gives back what dead processes left open, and goes on to look for it. On SQLite this is the only process
// that reserves, so that all that is open when it starts is lost.
func (l *ledger) startRecovery(ctx, running context.Context) error {
	if e, ok := l.store.engine.(*postgresEngine); ok {
		return l.openLease(ctx, running, e)
	}
	if err := l.giveBackAll(ctx); err != nil {
		return err
	}
	l.owned.Go(func() { l.sweepSQLite(running) })
	return nil
}

// giveBackAll gives back whatever is open, where no process can be at work on it.
func (l *ledger) giveBackAll(ctx context.Context) error {
	for {
		lost, err := l.leftOpen(ctx)
		if err != nil {
			return err
		}
		given, _, err := l.giveBack(ctx, lost, l.refusedBack)
		if err != nil {
			return err
		}
		if given == 0 {
			return nil
		}
	}
}

// leftOpen lists what is open on SQLite, sweepLimit at most. Accounts count their open generations, and those are among
// their newest: the many that are settled are not read.
func (l *ledger) leftOpen(ctx context.Context) (keys []generationKey, err error) {
	err = l.store.read(ctx, func(ctx context.Context, q querier) error {
		keys = keys[:0]
		open := map[elumenta.AccountID]int64{}
		rows, err := q.QueryContext(ctx, `SELECT id, open_generations FROM accounts WHERE open_generations > 0`)
		if err != nil {
			return err
		}
		if err := each(rows, func() error {
			var id elumenta.AccountID
			var n int64
			err := rows.Scan(&id, &n)
			open[id] = n
			return err
		}); err != nil {
			return err
		}
		for account, n := range open {
			rows, err := q.QueryContext(ctx, `SELECT account_id, id FROM generations WHERE account_id = $1 AND state = 0 ORDER BY id DESC LIMIT $2`,
				string(account), min(n, sweepLimit-int64(len(keys))))
			if err != nil {
				return err
			}
			if keys, err = scanKeys(rows, keys); err != nil || len(keys) >= sweepLimit {
				return err
			}
		}
		return nil
	})
	return keys, err
}

func scanKeys(rows *sql.Rows, keys []generationKey) ([]generationKey, error) {
	err := each(rows, func() error {
		var key generationKey
		err := rows.Scan(&key.account, &key.id)
		keys = append(keys, key)
		return err
	})
	return keys, err
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

// sweep gives back this process's reservations that are past their deadline and those whose commit is not known; with a
// lease, also those of nodes whose own is over. Its failures are logged: the next time may do better.
func (l *ledger) sweep(ctx context.Context, k *lease) {
	err := l.giveBackUnsure(ctx)
	if err == nil {
		err = l.giveBackLost(ctx, l.open.overdue())
	}
	if err == nil && k != nil {
		err = l.giveBackDead(ctx, k)
	}
	if err != nil && ctx.Err() == nil {
		l.store.opts.Logger.Warn("reservations could not be given back", "error", err, "cause", elumenta.AsError(err).Cause)
	}
}

// giveBackDead gives back what nodes left open whose lease is over, and removes their rows once there is nothing left. It
// looks for it when there is such a node, once when this node may judge others, and each hour after that: a row may have been removed.
func (l *ledger) giveBackDead(ctx context.Context, k *lease) error {
	ready, dead, err := k.mayJudge(ctx)
	if err != nil || !ready || len(dead) == 0 && k.judgedLately() {
		return err
	}
	var lost []generationKey
	if err := k.run(ctx, func(ctx context.Context, q querier) error {
		rows, err := q.QueryContext(ctx, `SELECT g.account_id, g.id FROM accounts AS a CROSS JOIN LATERAL (
				SELECT account_id, id, node_id FROM generations WHERE account_id = a.id AND state = 0 ORDER BY id DESC LIMIT a.open_generations
			) AS g WHERE a.open_generations > 0 AND NOT EXISTS (
				SELECT 1 FROM nodes AS n WHERE n.id = g.node_id AND n.renewed_at > `+databaseNow+` - $1::bigint) LIMIT $2`,
			k.times.over.Microseconds(), sweepLimit)
		if err != nil {
			return err
		}
		lost, err = scanKeys(rows, nil)
		return err
	}); err != nil {
		return err
	}
	if len(lost) > 0 {
		return l.giveBackLost(ctx, lost)
	}
	k.judged = l.store.now()
	return k.run(ctx, func(ctx context.Context, q querier) error {
		for _, id := range dead {
			if _, err := q.ExecContext(ctx, `DELETE FROM nodes WHERE id = $1`, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// judgedLately reports whether this node has looked within the hour, by a clock that may have been set back.
func (k *lease) judgedLately() bool {
	return !k.judged.IsZero() && k.ledger.store.now().Sub(k.judged).Abs() < judgeAgain
}

// mayJudge reports whether this node has reached the database for so long that others had the time to renew, and names
// those whose lease is over, in the order of their ids.
func (k *lease) mayJudge(ctx context.Context) (ready bool, dead []string, err error) {
	err = k.run(ctx, func(ctx context.Context, q querier) error {
		var now time.Time
		if err := q.QueryRowContext(ctx, `SELECT `+databaseNow).Scan(storedTime{&now}); err != nil {
			return err
		}
		if k.since.IsZero() {
			k.since = now
		}
		dead = nil
		if ready = now.Sub(k.since) > k.times.patience; !ready {
			return nil
		}
		rows, err := q.QueryContext(ctx, `SELECT id FROM nodes WHERE renewed_at <= $1 ORDER BY id`, micros(now.Add(-k.times.over)))
		if err != nil {
			return err
		}
		return each(rows, func() error {
			var id string
			err := rows.Scan(&id)
			dead = append(dead, id)
			return err
		})
	})
	return ready, dead, err
}

// giveBackUnsure keeps those that it does not come to for the next time.
func (l *ledger) giveBackUnsure(ctx context.Context) error {
	_, left, err := l.giveBack(ctx, l.unsure.take(), func(generationKey, error) {}) // one that is refused was never committed
	l.unsure.add(left...)
	return err
}

func (l *ledger) giveBackLost(ctx context.Context, lost []generationKey) error {
	if len(lost) == 0 {
		return nil
	}
	l.store.opts.Logger.Warn("reservations that nobody settled are given back", "count", len(lost))
	_, _, err := l.giveBack(ctx, lost, l.refusedBack)
	return err
}

func (l *ledger) refusedBack(key generationKey, err error) {
	l.store.opts.Logger.Error("a reservation cannot be given back", "generation", key.id, "cause", elumenta.AsError(err).Cause)
}

// giveBack settles what was lost, so many at once that they fill the ledger's batches, and counts it. A reservation that
// cannot be given back for a reason of its own is refused, and stops no other. After any other error no more are tried, since the node
// has its lease to renew, and those that are left are returned.
func (l *ledger) giveBack(ctx context.Context, keys []generationKey, refused func(generationKey, error)) (given int, left []generationKey, err error) {
	for len(keys) > 0 && err == nil {
		n := min(sweepBatch, len(keys))
		errs := make([]error, n)
		var settling sync.WaitGroup
		for i, key := range keys[:n] {
			settling.Go(func() { _, errs[i] = l.store.Settle(ctx, key.account, key.id, lostOutcome()) })
		}
		settling.Wait()
		for i, failed := range errs {
			switch {
			case failed == nil:
				given++
			case isInternal(failed):
				refused(keys[i], failed)
			default:
				left, err = append(left, keys[i]), failed
			}
		}
		keys = keys[n:]
	}
	return given, append(left, keys...), err
}
