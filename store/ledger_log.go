package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/elumenta/elumenta"
)

// logBounds say when what the log has is written to the tables: 256 operations of one account take a millisecond, of many several, and
// the more there are, the less each takes. Whoever queues a write then waits for all of it, which is little beside the wait for the
// other callers where there are many, and much where there are few: so batches are counted, which are larger with more callers.
type logBounds struct {
	min     int           // operations of the smallest batch that begins a log: fewer gain nothing by one
	batches int           // with at least few operations
	few     int           // operations
	max     int           // operations
	time    time.Duration // since the first of them
	rest    time.Duration // with nothing else to write
}

func defaultLogBounds() logBounds {
	return logBounds{min: 3, batches: 16, few: 256, max: 1024, time: 100 * time.Millisecond, rest: 20 * time.Millisecond}
}

// Rows of the log, by their columns.
const (
	logAccount    byte = iota // what changes of an account, then its id
	logGeneration             // as sqliteLedger.reserveArgs
	logSettlement             // as sqliteLedger.settleArgs
	logEntry                  // the kind, then as sqliteLedger.entryArgs
)

var logColumns = [...]int{logAccount: 10, logGeneration: generationArgs, logSettlement: settlementArgs, logEntry: 1 + entryArgs} //nolint:gochecknoglobals // a constant

// errLogChanged says that another process brought the tables up to date, or that a row of the log is gone.
var errLogChanged = errors.New("the ledger's log is not what was written to it")

// ledgerLog is what the ledger has decided and SQLite's tables do not have yet. Each batch of it is a row of the table ledger_log,
// durable like any other commit: one small row instead of several in four tables. The tables are then written for many batches
// at once, an account once, and a generation that has ended by then too. Whatever else reads or writes the tables has that
// done first; what the log has when a process ends is applied by the next one.
type ledgerLog struct {
	bounds  logBounds
	known   bool  // this is what ledger_log has
	batches int64 // its rows
	ops     int
	since   time.Time // of the first

	accounts, generations, settlements arguments
	entries                            map[elumenta.EntryKind]arguments
	account, generation                map[string]int // by id: where its row begins
	encoder                            logEncoder

	usage   []byte      // JSON: a row of usage_batches, without its end
	used    []usageNote // of which these are the notes
	settled int         // how many it has: used lacks some if it is shorter
}

func newLedgerLog(bounds logBounds) ledgerLog {
	return ledgerLog{
		bounds: bounds, entries: map[elumenta.EntryKind]arguments{}, account: map[string]int{}, generation: map[string]int{},
		encoder: logEncoder{places: map[string]uint64{}},
	}
}

// forget leaves it to the table what the log has.
func (l *ledgerLog) forget() {
	l.clear()
	l.known = false
}

func (l *ledgerLog) clear() {
	l.batches, l.ops, l.since = 0, 0, time.Time{}
	l.accounts, l.generations, l.settlements = l.accounts[:0], l.generations[:0], l.settlements[:0]
	l.usage, l.used, l.settled = l.usage[:0], nil, 0
	for kind := range l.entries {
		l.entries[kind] = l.entries[kind][:0]
	}
	clear(l.account)
	clear(l.generation)
}

// waits reports whether the tables may lack something.
func (l *ledgerLog) waits() bool { return !l.known || l.batches > 0 }

// due reports whether a batch of so many operations is to be written to the tables, and not to the log.
func (l *ledgerLog) due(ops int, now time.Time) bool {
	if l.batches == 0 {
		return ops < l.bounds.min
	}
	all := l.ops + ops
	return all >= l.bounds.max || all >= l.bounds.few && l.batches >= int64(l.bounds.batches) || now.Sub(l.since) >= l.bounds.time
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
		l.generation[row.text(1)] = len(l.generations)
		l.generations = append(append(l.generations, row...), unsettled...)
	case logSettlement:
		l.usage = append(appendID(append(appendID(append(l.usage, ",["...), row.text(0)), ','), row.text(1)), ']')
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

// load reads what other processes left, or what this one does not know any more.
func (l *ledgerLog) load(ctx context.Context, tx *conn) error {
	l.clear()
	rows, err := tx.QueryContext(ctx, `SELECT batch FROM ledger_log ORDER BY seq`)
	if err != nil {
		return fmt.Errorf("read the ledger's log: %w", err)
	}
	if err := each(rows, func() error {
		var batch []byte
		if err := rows.Scan(&batch); err != nil {
			return err
		}
		l.batches++
		return decodeLog(batch, l.add)
	}); err != nil {
		return fmt.Errorf("read the ledger's log: %w", err)
	}
	l.known = true
	return nil
}

// note adds the rows of a batch.
func (l *ledgerLog) note(kind byte, rows arguments) {
	for n := logColumns[kind]; len(rows) > 0; rows = rows[n:] {
		l.add(kind, rows[:n])
		l.encoder.row(kind, rows[:n])
	}
}

// appendID appends an id as JSON: none has anything in it that is escaped.
func appendID(b []byte, id string) []byte { return append(append(append(b, '"'), id...), '"') }

// noteUsage adds what usage needs of settlements, as far as it is known.
func (l *ledgerLog) noteUsage(settled []settledGeneration) {
	for i := range settled {
		if g := &settled[i]; g.used != nil {
			n := usageNote{usedGeneration: *g.used}
			n.settled(&g.outcome)
			l.used = append(l.used, n)
		}
	}
}

// append writes what was noted since the last batch as a row of the table.
func (l *ledgerLog) append(tx *conn, ops int, now time.Time) error {
	if l.batches == 0 {
		l.since = now
	}
	l.batches++
	l.ops += ops
	_, err := tx.execNamed(`INSERT INTO ledger_log (batch) VALUES (?)`, arguments{{Value: l.encoder.batch}})
	return err
}

// bringUp writes what the log has into the tables.
func (l *sqliteLedger) bringUp(ctx context.Context, tx *conn) error {
	log := &l.log
	if !log.known {
		if err := log.load(ctx, tx); err != nil {
			return err
		}
	}
	for rows := log.accounts; len(rows) > 0; rows = rows[logColumns[logAccount]:] {
		if _, err := tx.execNamed(`UPDATE accounts SET monthly = ?, topup = ?, period = ?, rate_hour = ?, rate_hour_count = ?, rate_day = ?,
			rate_day_count = ?, open_generations = ?, entries = ? WHERE id = ?`, rows[:logColumns[logAccount]]); err != nil {
			return fmt.Errorf("write an account: %w", err)
		}
	}
	for id := range log.generation {
		l.newest = max(l.newest, id)
	}
	if _, err := l.generation.exec(tx, log.generations); err != nil {
		return fmt.Errorf("write generations: %w", err)
	}
	changed, err := l.settle.exec(tx, log.settlements)
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
	if err := l.noteBatch(tx); err != nil {
		return fmt.Errorf("note what is to be added up: %w", err)
	}
	for _, k := range l.entries {
		if _, err := k.bulk.exec(tx, log.entries[k.kind]); err != nil {
			return fmt.Errorf("append entries: %w", err)
		}
	}
	if log.batches > 0 {
		removed, err := tx.execNamed(`DELETE FROM ledger_log`, nil)
		if err == nil && removed != log.batches {
			err = errLogChanged
		}
		if err != nil {
			return fmt.Errorf("empty the ledger's log: %w", err)
		}
	}
	log.clear()
	return nil
}

// noteBatch writes the usage notes of what the log has settled.
func (l *sqliteLedger) noteBatch(tx *conn) error {
	log := &l.log
	if log.settled == 0 {
		return nil
	}
	log.usage[0] = '[' // for the comma
	log.usage = append(log.usage, ']')
	if _, err := tx.execNamed(`INSERT INTO usage_batches (notes) VALUES (?)`, arguments{{Value: string(log.usage)}}); err != nil {
		return err
	}
	seq, err := tx.number(`SELECT last_insert_rowid()`)
	b := usageBatch{seq: seq}
	if len(log.used) == log.settled {
		b.notes = log.used
	}
	l.added = append(l.added, b)
	return err
}
