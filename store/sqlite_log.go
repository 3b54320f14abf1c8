package store

import (
	"context"
	"errors"
	"time"

	"github.com/elumenta/elumenta"
)

// logLockWait is how long a batch waits for the file's lock before it goes without the log.
const logLockWait = 50 * time.Millisecond

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
	if l.file.lock(logLockWait) != nil {
		return false, nil //nolint:nilerr // a transaction needs no lock but SQLite's
	}
	before := l.seq
	done, err = e.decideLogged(ops)
	_ = l.file.unlock() // or else by the next batch
	if !done || err != nil {
		return done, err
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
	if changed, err := l.file.newlyAnnounced(); err != nil || changed {
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
	if errors.Is(err, errLogUnsure) {
		return true, e.diskFailed(l.file.path, err)
	}
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

// loggable reports whether a batch, whose accounts, keys and assistants are read, needs no other row and changes none that the log does
// not have.
func (l *sqliteLedger) loggable(b *ledgerBatch, ops []*ledgerOp) bool {
	if len(b.claims) > 0 {
		return false
	}
	for _, row := range b.generations {
		if row == nil || row.claimed || row.budgeted {
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
	l.encoder.end()
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

// mayExist reports whether a generation that is to be reserved could be there already: ids are made in their order.
func (l *sqliteLedger) mayExist(id elumenta.GenerationID) bool {
	_, exists := l.log.generation[string(id)]
	if !exists && l.sealed != nil {
		_, exists = l.sealed.generation[string(id)]
	}
	return exists || string(id) <= l.newest
}
