package store

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/elumenta/elumenta"
)

// logBounds say when what the log has is written to the tables: 256 operations of one account take a millisecond, of many several, and
// the more there are, the less each takes.
type logBounds struct {
	batches int           // with at least few operations
	few     int           // operations
	max     int           // operations
	time    time.Duration // since the first of them
	rest    time.Duration // with nothing else to write
}

func defaultLogBounds() logBounds {
	return logBounds{batches: 32, few: 512, max: 1024, time: 100 * time.Millisecond, rest: 20 * time.Millisecond}
}

// Rows of the log, by their columns.
const (
	logAccount    byte = iota // what changes of an account, then its id
	logGeneration             // as sqliteLedger.reserveArgs
	logSettlement             // as sqliteLedger.settleArgs
	logEntry                  // the kind, then as sqliteLedger.entryArgs
)

var logColumns = [...]int{logAccount: 10, logGeneration: generationArgs, logSettlement: settlementArgs, logEntry: 1 + entryArgs} //nolint:gochecknoglobals // a constant

// errLogApplied says that another process wrote the log's batches to the tables.
var errLogApplied = errors.New("the ledger's log was written to the tables by another process")

// ledgerLog is what the ledger has decided and SQLite's tables do not have yet: one row for an account, and for a generation that has
// ended by then too.
type ledgerLog struct {
	last    int64 // number of its last batch
	batches int
	ops     int
	first   time.Time
	latest  time.Time
	newest  string // of its generations

	accounts, generations, settlements arguments
	entries                            map[elumenta.EntryKind]arguments
	account, generation                map[string]int // by id: where its row begins

	usage   []byte            // JSON: a row of usage_batches, without its end
	used    []*usedGeneration // of which these are the notes
	settled int               // how many it has: used lacks some if it is shorter

	state atomic.Uint32 // of one that is handed to be written
}

// States of a log that is handed to be written to the tables.
const (
	logWaits   uint32 = iota
	logWritten        // in a transaction that was committed
	logDropped        // whoever changed the tables meanwhile has written it too
)

func newLedgerLog() *ledgerLog {
	return &ledgerLog{entries: map[elumenta.EntryKind]arguments{}, account: map[string]int{}, generation: map[string]int{}}
}

func (l *ledgerLog) clear() {
	l.last, l.batches, l.ops, l.first, l.latest, l.newest = 0, 0, 0, time.Time{}, time.Time{}, ""
	l.state.Store(logWaits)
	l.accounts, l.generations, l.settlements = l.accounts[:0], l.generations[:0], l.settlements[:0]
	l.usage, l.used, l.settled = l.usage[:0], nil, 0
	for kind := range l.entries {
		l.entries[kind] = l.entries[kind][:0]
	}
	clear(l.account)
	clear(l.generation)
}

// due reports whether it is to be written to the tables.
func (l *ledgerLog) due(b logBounds) bool {
	return l.batches > 0 && (l.ops >= b.max || l.ops >= b.few && l.batches >= b.batches || l.latest.Sub(l.first) >= b.time)
}

// add takes a row of the log. A later one of an account replaces the earlier one, and a settlement completes its generation.
func (l *ledgerLog) add(kind byte, row arguments) {
	switch kind {
	case logAccount:
		id := row.text(len(row) - 1)
		if at, ok := l.account[id]; ok {
			copy(l.accounts[at:], row)
			return
		}
		l.account[id] = len(l.accounts)
		l.accounts = append(l.accounts, row...)
	case logGeneration:
		id := row.text(1)
		l.generation[id] = len(l.generations)
		l.newest = max(l.newest, id)
		l.generations = append(append(l.generations, row...), unsettled...)
	case logSettlement:
		before := byte(',')
		if len(l.usage) == 0 {
			before = '['
		}
		l.usage = append(appendID(append(appendID(append(l.usage, before, '['), row.text(0)), ','), row.text(1)), ']')
		l.settled++
		if at, ok := l.generation[row.text(1)]; ok {
			copy(l.generations[at+generationArgs:], row[2:])
			return
		}
		l.settlements = append(l.settlements, row...)
	case logEntry:
		kind := elumenta.EntryKind(row.text(0))
		l.entries[kind] = append(l.entries[kind], row[1:]...)
	}
}

// unsettled are the columns of a generation that is not settled.
var unsettled = func() (a arguments) { //nolint:gochecknoglobals // a constant
	a.add(int64(stateOpen), "", "")
	for len(a) < settlementArgs-2 {
		a.add(int64(0))
	}
	return a
}()

// appendID appends an id as JSON: none has anything in it that is escaped.
func appendID(b []byte, id string) []byte { return append(append(append(b, '"'), id...), '"') }

// noteUsage adds what usage needs of settlements, as far as it is known: no other settlement has it (openGenerations.take).
func (l *ledgerLog) noteUsage(settled []settledGeneration) {
	for i := range settled {
		if g := &settled[i]; g.used != nil {
			g.used.settled(&g.outcome)
			l.used = append(l.used, g.used)
		}
	}
}

// writeLog writes what a log has into the tables.
func (l *sqliteLedger) writeLog(tx *conn, log *ledgerLog, pace pace) error {
	for n, rows := 1, log.accounts; len(rows) > 0; n, rows = n+1, rows[logColumns[logAccount]:] {
		if _, err := tx.execNamed(`UPDATE accounts SET monthly = ?, topup = ?, period = ?, rate_hour = ?, rate_hour_count = ?, rate_day = ?,
			rate_day_count = ?, open_generations = ?, entries = ? WHERE id = ?`, rows[:logColumns[logAccount]]); err != nil {
			return fmt.Errorf("write an account: %w", err)
		}
		if n%pace.rows == 0 {
			pace.rest()
		}
	}
	if _, err := l.generation.exec(tx, log.generations, pace); err != nil {
		return fmt.Errorf("write generations: %w", err)
	}
	changed, err := l.settle.exec(tx, log.settlements, pace)
	switch final := int64(len(log.settlements)/settlementArgs) - changed; {
	case err != nil:
	case final > 0 && log.batches == 0:
		err = errMoved
	case final > 0: // it is acknowledged, and the first final state stays
		l.logger.Error("settlements were logged of generations that were final already: elumenta ledger verify says what does not add up", "settlements", final)
	}
	if err != nil {
		return fmt.Errorf("write settlements: %w", err)
	}
	if err := l.noteBatch(tx, log); err != nil {
		return fmt.Errorf("note what is to be added up: %w", err)
	}
	for _, k := range l.entries {
		if _, err := k.bulk.exec(tx, log.entries[k.kind], pace); err != nil {
			return fmt.Errorf("append entries: %w", err)
		}
	}
	return nil
}

// noteBatch writes the usage notes of what the log has settled.
func (l *sqliteLedger) noteBatch(tx *conn, log *ledgerLog) error {
	if log.settled == 0 {
		return nil
	}
	if _, err := tx.execNamed(`INSERT INTO usage_batches (notes) VALUES (CAST(? AS TEXT))`, arguments{{Value: append(log.usage, ']')}}); err != nil {
		return err
	}
	seq, err := tx.readInt(`SELECT last_insert_rowid()`)
	b := usageBatch{seq: seq}
	if len(log.used) == log.settled {
		b.notes = log.used
	}
	l.added = append(l.added, b)
	return err
}
