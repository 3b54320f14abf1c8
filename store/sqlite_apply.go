package store

import (
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
)

// logOps carries out operations of the ledger by what is in memory and the log alone. It reports false where they need the tables:
// then nothing was decided.
func (e *sqliteEngine) logOps(ops []*ledgerOp) (done bool, err error) {
	l := e.store.ledger.sqlite
	if l == nil || !l.serves || !l.marked || !l.known || l.cache.full() {
		return false, nil
	}
	l.reuse()
	fits, urgent := l.file.room(len(ops), e.synced.Load(), l.seq)
	if !fits {
		return false, nil
	}
	if urgent {
		e.owed.Store(l.file.owed)
	}
	if err := l.file.lock(); err != nil {
		return false, err
	}
	before := l.seq
	done, err = e.decideLogged(ops)
	if unlocked := l.file.unlock(); !done {
		return false, errors.Join(err, unlocked)
	}
	if l.seq == before {
		return true, nil // all were refused
	}
	e.logged.Store(l.seq)
	if err := l.file.sync(); err != nil {
		return true, e.diskFailed(l.file.path, err)
	}
	return true, nil
}

// decideLogged is logOps under the file's lock, so that no command changes the tables meanwhile. What fails is done in a transaction.
func (e *sqliteEngine) decideLogged(ops []*ledgerOp) (done bool, err error) {
	l := e.store.ledger.sqlite
	if changed, err := l.file.changed(); err != nil || changed {
		l.forget()
		return false, err
	}
	decided := false
	err = guard(func() (err error) {
		b := e.store.ledger.beginBatch(ops)
		if err = l.cache.readRows(context.Background(), e.lookup, b); err != nil || !l.loggable(b, ops) {
			return err
		}
		decided = true
		b.decide(ops)
		if b.plain() {
			done = true
			return l.append(b)
		}
		return nil
	})
	if err != nil || decided && !done {
		l.forget()        // the rows in memory have what was decided and not written
		return false, nil //nolint:nilerr // the transaction says what fails
	}
	return done, nil
}

// seal hands the log to be written to the tables, and goes on with another.
func (e *sqliteEngine) seal() {
	l := e.store.ledger.sqlite
	l.sealed, l.log, l.spare = l.log, l.spare, nil
	if l.log == nil {
		l.log = newLedgerLog()
	}
	e.sealed <- l.sealed
}

// startLog takes the file of the ledger's log, and has what an earlier server left in it written to the tables.
func (e *sqliteEngine) startLog(ctx context.Context) error {
	var id []byte
	var logged bool
	if err := e.lookup.QueryRowContext(ctx, `SELECT database, logged FROM ledger_applied`).Scan(&id, &logged); err != nil {
		return err
	}
	copy(e.log.id[:], id)
	if err := e.log.serve(logged); err != nil {
		return fmt.Errorf("%s: %w", e.log.path, err)
	}
	if disk := newLogSync(e.log.path); disk != nil {
		if disk.sync() == nil {
			e.log.disk = disk
		} else if err := disk.close(); err != nil {
			return err
		}
	}
	e.gap = time.NewTimer(applyGap)
	e.sealed, e.applied = make(chan *ledgerLog, 1), make(chan struct{})
	l := e.store.ledger.sqlite
	l.serves, l.marked, l.bounds = true, logged, e.store.opts.log
	go e.applyLogs()
	return e.write(ctx, func(context.Context, querier) error { return nil })
}

// mark notes in a transaction whether the file may have what the tables lack from then on.
func (l *sqliteLedger) mark(tx *conn, logged bool) error {
	_, err := tx.execNamed(`UPDATE ledger_applied SET logged = ?`, arguments{{Value: flag(logged)}})
	return err
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
	var err error
	if <-last.done; last.err == nil { // all is in the tables, durably
		err = e.log.empty()
	}
	return errors.Join(err, e.log.close())
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
	if err := e.writer.exec(`BEGIN IMMEDIATE`); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	err = guard(func() error {
		if err := l.setApplied(e.writer, l.applied, log.last); err != nil {
			return err
		}
		return l.writeLog(e.writer, log, pace{rows: 16, pause: e.giveWay})
	})
	if err == nil {
		err = e.writer.exec(`COMMIT`)
	}
	if err != nil {
		l.added = nil
		_ = e.writer.exec(`ROLLBACK`)
		return err
	}
	l.applied = log.last
	e.committed()
	if owed := e.owed.Load(); owed > e.synced.Load() && owed <= l.applied && e.durable() == nil {
		e.isSynced(l.applied)
	}
	log.state.Store(logWritten)
	return nil
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

// giveWay lets others run, unless one of them waits for this. The scheduler looks for who has something to read from the network only
// when nobody is ready to run, as who has yielded is.
func (e *sqliteEngine) giveWay() {
	if e.awaited.Load() == 0 {
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

// beginBatch begins a batch of operations.
func (l *ledger) beginBatch(ops []*ledgerOp) *ledgerBatch {
	b := l.batch
	b.begin(ops, l.node.Load())
	b.now, b.epoch = l.store.now(), l.sqlite.epoch
	return b
}

// loggable reports whether a batch, whose accounts, keys and assistants are read, needs no other row and changes none that the log does
// not have.
func (l *sqliteLedger) loggable(b *ledgerBatch, ops []*ledgerOp) bool {
	if len(b.claims) > 0 {
		return false
	}
	for _, row := range b.generations {
		if row == nil || row.claimed || row.budgeted || row.epoch != l.epoch {
			return false
		}
	}
	for _, op := range ops {
		if !op.reserve {
			continue
		}
		if key := b.keys[op.reservation.Key]; op.again || l.mayExist(op.generation) || key != nil && key.budget.Valid {
			return false
		}
	}
	for _, a := range b.accounts {
		if a == nil {
			continue
		}
		account := a.Account
		if _, changes := account.Advance(b.plans, b.now); changes {
			return false
		}
	}
	return true
}

// append writes what a batch decided to the log.
func (l *sqliteLedger) append(b *ledgerBatch) error {
	ops := len(b.reserved) + len(b.settled)
	if ops == 0 {
		return nil
	}
	l.encoder.reset()
	l.note(l.log, b, l.encoder.row)
	if err := l.file.append(l.seq+1, l.encoder.batch); err != nil {
		return err
	}
	l.seq++
	if l.log.batches == 0 {
		l.log.first = b.now
	}
	l.log.last, l.log.latest = l.seq, b.now
	l.log.batches++
	l.log.ops += ops
	return nil
}

// reuse takes back the log that was written to the tables.
func (l *sqliteLedger) reuse() {
	if s := l.sealed; s != nil && s.state.Load() == logWritten {
		l.newest = max(l.newest, s.newest)
		s.clear()
		l.sealed, l.spare = nil, s
	}
}

// bringUp begins what reads or changes the tables: they have all that was logged then, and what is in memory is right.
func (l *sqliteLedger) bringUp(ctx context.Context, tx *conn) error {
	if !l.serves {
		if err := l.announce(ctx, tx); err != nil {
			return err
		}
	}
	others, err := l.cache.changed(tx)
	if err != nil {
		return err
	}
	changed, err := l.file.changed()
	if err != nil {
		return err
	}
	if others || changed {
		l.forget()
	}
	if l.changes, err = tx.number(totalChanges); err != nil {
		return err
	}
	if !l.known {
		if err := l.load(ctx, tx); err != nil {
			return fmt.Errorf("read the ledger's log: %w", err)
		}
	}
	if s := l.sealed; s != nil {
		if s.state.CompareAndSwap(logWaits, logDropped) {
			if err := l.writeLog(tx, s, atOnce()); err != nil {
				return err
			}
		}
		l.newest, l.sealed = max(l.newest, s.newest), nil
	}
	if l.log.batches > 0 {
		l.newest = max(l.newest, l.log.newest)
		if err := l.writeLog(tx, l.log, atOnce()); err != nil {
			return err
		}
		l.log.clear()
	}
	if l.cache.full() {
		l.cache.forget()
	}
	return nil
}

const totalChanges = `SELECT total_changes()`

// number gives a transaction that began with bringUp and has changed something the number after the last batch: no batch may follow upon
// the state before it.
func (l *sqliteLedger) number(tx *conn) error {
	switch n, err := tx.number(totalChanges); {
	case err != nil:
		return err
	case n == l.changes:
		return nil
	}
	l.seq++
	return l.setApplied(tx, l.applied, l.seq)
}

// announce says to a server that the database is about to change.
func (l *sqliteLedger) announce(ctx context.Context, tx *conn) error {
	var logged bool
	if err := tx.QueryRowContext(ctx, `SELECT logged FROM ledger_applied`).Scan(&logged); err != nil {
		return err
	}
	if err := l.file.find(logged); err != nil {
		return err
	}
	return l.file.announce()
}

// setApplied notes in a transaction up to which batch the tables have them with it.
func (l *sqliteLedger) setApplied(tx *conn, before, seq int64) error {
	n, err := tx.execNamed(`UPDATE ledger_applied SET seq = ? WHERE seq = ?`, arguments{{Value: seq}, {Value: before}})
	if err == nil && n != 1 {
		err = errLogApplied
	}
	return err
}

// load reads what others left, or what this process does not know any more.
func (l *sqliteLedger) load(ctx context.Context, tx *conn) error {
	l.newest = max(l.newest, l.log.newest)
	l.log.clear()
	if l.sealed != nil {
		l.newest = max(l.newest, l.sealed.newest)
		l.sealed.state.CompareAndSwap(logWaits, logDropped)
		l.sealed = nil
	}
	l.others = true
	var id []byte
	if err := tx.QueryRowContext(ctx, `SELECT database, seq FROM ledger_applied`).Scan(&id, &l.applied); err != nil {
		return err
	}
	copy(l.file.id[:], id)
	if err := l.loadTable(ctx, tx); err != nil {
		return err
	}
	batches, err := l.file.after(l.applied)
	if err != nil {
		return err
	}
	l.seq = l.applied
	for _, b := range batches {
		if err := decodeLog(b.bytes, l.log.add); err != nil {
			return err
		}
		l.log.batches++
		l.seq = b.seq
	}
	l.known = true
	return nil
}

// loadTable takes what a server of a version before the file left in a table.
func (l *sqliteLedger) loadTable(ctx context.Context, tx *conn) error {
	rows, err := tx.QueryContext(ctx, `SELECT batch FROM ledger_log ORDER BY seq`)
	if err != nil {
		return err
	}
	if err := each(rows, func() error {
		var batch []byte
		if err := rows.Scan(&batch); err != nil {
			return err
		}
		l.log.batches++
		return decodeLog(batch, l.log.add)
	}); err != nil || l.log.batches == 0 {
		return err
	}
	_, err = tx.execNamed(`DELETE FROM ledger_log`, nil)
	return err
}

// forget leaves it to the tables and the file what is there.
func (l *sqliteLedger) forget() {
	l.cache.forget()
	l.known = false
	l.epoch++
}

// mayExist reports whether a generation that is to be reserved could be there already: ids are made in their order.
func (l *sqliteLedger) mayExist(id elumenta.GenerationID) bool {
	_, exists := l.log.generation[string(id)]
	if !exists && l.sealed != nil {
		_, exists = l.sealed.generation[string(id)]
	}
	return exists || string(id) <= l.newest
}
