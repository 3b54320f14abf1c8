package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/elumenta/elumenta"
)

const (
	// applyRetry is the pause after the log could not be written to the tables.
	applyRetry = 100 * time.Millisecond
	// applyGap is the pause after a statement, of which each takes about as long.
	applyGap = 100 * time.Microsecond
	// applyRows is how many rows a statement has: the driver lists the texts that it binds, in a list that doubles, and that many
	// generations have 126.
	applyRows = 14
)

// startLog takes the file of the ledger's log, and has what an earlier server left in it written to the tables.
func (e *sqliteEngine) startLog(ctx context.Context) error {
	var id []byte
	var logged bool
	if err := e.lookup.QueryRowContext(ctx, `SELECT database, logged FROM ledger_applied`).Scan(&id, &logged); err != nil {
		return err
	}
	copy(e.log.id[:], id)
	if err := e.log.serve(logged); err != nil {
		return err
	}
	if e.log.emptied {
		e.store.opts.Logger.Warn("the ledger's log was empty: what was reserved and charged last before the server ended is not known", "file", e.log.path)
	}
	e.gap = time.NewTimer(applyGap)
	e.sealed, e.applied = make(chan *ledgerLog, 1), make(chan struct{})
	l := e.store.ledger.sqlite
	l.serves, l.marked, l.bounds = true, logged, e.store.opts.log
	go e.applyLogs()
	if err := e.write(ctx, func(context.Context, querier) error { return nil }); err != nil {
		return err
	}
	return e.write(ctx, func(context.Context, querier) error { return e.log.writeDirectly() }) // now that nothing in it is needed
}

// stopLog writes what is left to the tables, once nothing is queued any more.
func (e *sqliteEngine) stopLog() error {
	if e.sealed == nil {
		return e.log.close()
	}
	close(e.sealed)
	<-e.applied
	e.sealed = nil
	last := newItem(func(context.Context, querier) error { return nil })
	if l := e.store.ledger.sqlite; l.marked {
		last.run = func(context.Context, querier) error { return l.mark(e.writer, false) }
	}
	e.commit([]*item{last})
	if <-last.done; last.err != nil {
		err := fmt.Errorf("%s may have what the database lacks, for the next start: %w", e.log.path, cmp.Or(elumenta.AsError(last.err).Cause, last.err))
		return errors.Join(err, e.log.close())
	}
	return errors.Join(e.log.empty(), e.log.close()) // all is in the tables, durably
}

// applyLogs writes logs to the tables until there are no more, when nobody else wants the processor.
func (e *sqliteEngine) applyLogs() {
	defer close(e.applied)
	var told time.Time
	for log := range e.sealed {
		for err := e.apply(log); err != nil; err = e.apply(log) {
			if errors.Is(err, errLogApplied) {
				e.unsure.Store(true)
				select {
				case e.queue.items <- newItem(nil): // who finds out
				default:
				}
				break
			}
			if time.Since(told) > time.Minute {
				told = time.Now()
				e.store.opts.Logger.Warn("the ledger's log cannot be written to the tables at the moment", "error", err)
			}
			if !e.pause(applyRetry) {
				break
			}
		}
	}
}

// pause reports whether the engine is still open after a while.
func (e *sqliteEngine) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-e.queue.stop:
		return false
	}
}

// apply writes a log to the tables, unless somebody has done it. What it commits is synced by the next checkpoint,
// unless the log's file needs the room before.
func (e *sqliteEngine) apply(log *ledgerLog) (err error) {
	e.tables <- struct{}{}
	defer func() { <-e.tables }()
	if log.state.Load() != logWaits || e.failed.Load() != nil {
		return nil
	}
	l := e.store.ledger.sqlite
	if err := e.inTransaction(func() error {
		if err := l.setApplied(e.writer, l.applied, log.last); err != nil {
			return err
		}
		return l.writeLog(e.writer, log, e.gently())
	}); err != nil {
		l.added = nil
		return err
	}
	l.applied = log.last
	e.committed()
	if e.sync != nil {
		e.sync.begin()
	}
	if owed := e.owed.Load(); owed > e.synced.Load() && owed <= l.applied && e.durable() == nil {
		e.isSynced(l.applied)
	}
	log.state.Store(logWritten)
	return nil
}

// aside carries out a transaction beside what is queued, where nothing that the ledger decides by is changed, and nobody is told that it
// was: the next checkpoint syncs it.
func (e *sqliteEngine) aside(ctx context.Context, f func(ctx context.Context, tx querier) error) error {
	e.tables <- struct{}{}
	defer func() { <-e.tables }()
	if failed := e.failed.Load(); failed != nil {
		return *failed
	}
	err := e.inTransaction(func() error { return f(ctx, e.writer) })
	if err == nil {
		e.checks.commits.Add(1)
	}
	return err
}

// inTransaction carries out a transaction that has nobody else's writes in it.
func (e *sqliteEngine) inTransaction(f func() error) error {
	if err := e.writer.exec(`BEGIN IMMEDIATE`); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	err := guard(f)
	if err == nil {
		err = e.writer.exec(`COMMIT`)
	}
	if err != nil {
		_ = e.writer.exec(`ROLLBACK`)
	}
	return err
}

// isSynced says that the tables have the batches up to a number durably.
func (e *sqliteEngine) isSynced(seq int64) {
	for {
		before := e.synced.Load()
		if before >= seq || e.synced.CompareAndSwap(before, seq) {
			return
		}
	}
}

// gently is the pace of who writes the tables when nobody waits for it.
func (e *sqliteEngine) gently() pace { return pace{rows: applyRows, pause: e.giveWay} }

// giveWay lets others run, unless one of them waits for this. The scheduler looks for who has something to read from the network only
// when nobody is ready to run, as who has yielded is.
func (e *sqliteEngine) giveWay() {
	if !e.awaited.Load() {
		e.gap.Reset(applyGap)
		<-e.gap.C
	}
}

// committed follows a commit.
func (e *sqliteEngine) committed() {
	e.checks.commits.Add(1)
	e.store.ledger.committed()
	if l := e.store.ledger.sqlite; l != nil {
		e.inTables.Store(l.applied)
	}
}

// behind reports whether the tables may lack what was acknowledged.
func (e *sqliteEngine) behind() bool { return e.unsure.Load() || e.inTables.Load() < e.logged.Load() }
