package store

import (
	"context"
	"fmt"
)

// mark notes in a transaction whether the file may have what the tables lack from then on.
func (l *sqliteLedger) mark(tx *conn, logged bool) error {
	_, err := tx.execNamed(`UPDATE ledger_applied SET logged = ?`, arguments{{Value: flag(logged)}})
	return err
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
	changed, err := l.file.newlyAnnounced()
	if err != nil {
		return err
	}
	if others || changed {
		l.forget()
	}
	if l.changesBefore, err = tx.readInt(totalChanges); err != nil {
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

// assignSeq gives a transaction that began with bringUp and has changed something the number after the last batch: no batch may follow upon
// the state before it.
func (l *sqliteLedger) assignSeq(tx *conn) error {
	switch n, err := tx.readInt(totalChanges); {
	case err != nil:
		return err
	case n == l.changesBefore:
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
