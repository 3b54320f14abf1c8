package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math"
	"strconv"
	"strings"

	"github.com/elumenta/elumenta"
)

// bulk is a statement over a list of rows. SQLite prepares each number of rows anew, so that only some are used, chosen so
// that two or three statements cover a batch.
type bulk struct {
	columns int
	sizes   []int // numbers of rows, the largest first
	texts   []string
}

// newBulk makes the statement of head, rows of parameters and tail; with numbered, each row begins with its number.
// Parameters have no number: SQLite looks those up one by one in a list.
func newBulk(head string, columns int, numbered bool, tail string) *bulk {
	return newBulkWith(head, columns, numbered, "", tail)
}

// newBulkWith makes a statement whose rows end with constants.
func newBulkWith(head string, columns int, numbered bool, constants, tail string) *bulk {
	k := &bulk{columns: columns, sizes: []int{64, 56, 48, 40, 32, 28, 24, 20, 16, 14, 12, 10, 8, 7, 6, 5, 4, 3, 2, 1}}
	for _, size := range k.sizes {
		var text strings.Builder
		text.WriteString(head)
		for row := range size {
			if row > 0 {
				text.WriteByte(',')
			}
			text.WriteByte('(')
			if numbered {
				text.WriteString(strconv.Itoa(row) + ",")
			}
			text.WriteString("?" + strings.Repeat(",?", columns-1) + constants + ")")
		}
		text.WriteString(tail)
		k.texts = append(k.texts, text.String())
	}
	return k
}

// part is a statement for some of the rows.
type part struct {
	text        string
	first, rows int
}

// parts yields statements that together cover so many rows.
func (k *bulk) parts(rows int) iter.Seq[part] { return k.partsOf(rows, math.MaxInt) }

// partsOf is parts with a number of rows that no statement exceeds.
func (k *bulk) partsOf(rows, most int) iter.Seq[part] {
	return func(yield func(part) bool) {
		first := 0
		for i, size := range k.sizes {
			for ; size <= min(most, rows-first); first += size {
				if !yield(part{k.texts[i], first, size}) {
					return
				}
			}
		}
	}
}

// pace says how many rows a statement has at most, and what is done after each; nil is nothing.
type pace struct {
	rows  int
	pause func()
}

// rest follows a statement, or so many as one could have had rows.
func (p pace) rest() {
	if p.pause != nil {
		p.pause()
	}
}

// atOnce is the pace of who is waited for.
func atOnce() pace { return pace{rows: math.MaxInt} }

// exec runs the statement for all rows and returns how many it changed.
func (k *bulk) exec(tx *conn, args arguments, pace pace) (changed int64, err error) {
	for p := range k.partsOf(len(args)/k.columns, pace.rows) {
		n, err := tx.execNamed(p.text, args[p.first*k.columns:(p.first+p.rows)*k.columns])
		if err != nil {
			return 0, err
		}
		changed += n
		pace.rest()
	}
	return changed, nil
}

// arguments are the driver's, so that database/sql converts and copies none: a batch has a thousand.
type arguments []driver.NamedValue

// text is the text at a place, empty if there is another value.
func (a arguments) text(at int) string {
	text, _ := a[at].Value.(string)
	return text
}

func (a arguments) values() []any {
	values := make([]any, len(a))
	for i := range a {
		values[i] = a[i].Value
	}
	return values
}

func (a *arguments) add(values ...driver.Value) {
	for _, v := range values {
		*a = append(*a, driver.NamedValue{Value: v})
	}
}

// sqliteLedger reads and writes the rows of a batch. The writer alone uses it. OR FAIL spares SQLite a journal for each
// statement: the batch is rolled back as a whole if one fails. What is the same in all rows is part of a statement's text:
// each parameter costs SQLite a copy.
type sqliteLedger struct {
	logger                          *slog.Logger
	generations, generation, settle *bulk
	entries                         []entriesOfKind
	args                            arguments
	keys                            []generationKey
	cache                           ledgerCache
	// newest is the greatest id of a generation that this process wrote to the tables, or as great as any at its start.
	newest string
	// epoch counts how often what this process remembers to have reserved may have been settled by others, or by who did not know it:
	// what is remembered from before is read anew then.
	epoch int64

	// The log: what was appended since it was handed over last, what was handed over, and room for the next; in a transaction, what it
	// writes.
	serves                   bool
	marked                   bool // that there may be more in the file than in the tables
	bounds                   logBounds
	file                     *logFile
	log, sealed, spare, inTx *ledgerLog
	encoder                  logEncoder
	known                    bool  // that is all that the tables do not have
	seq                      int64 // number of the last batch, or of a transaction since

	// Under the lock of the tables: up to which batch they have them; the usage notes of the transaction under way, and whether it, or
	// another process, noted more.
	applied       int64
	changesBefore int64 // of rows, before the transaction under way
	added         []usageBatch
	others        bool
}

// How many columns the rows of the ledger's statements have.
const (
	generationArgs, settlementArgs, entryArgs = 15, 14, 8
)

// entriesOfKind appends entries of one kind.
type entriesOfKind struct {
	kind elumenta.EntryKind
	bulk *bulk
}

func newSQLiteLedger(logger *slog.Logger, file *logFile) *sqliteLedger {
	l := &sqliteLedger{
		logger: logger, newest: string(elumenta.NewGenerationID()),
		file: file, log: newLedgerLog(), inTx: newLedgerLog(), encoder: logEncoder{places: map[string]uint64{}},
		// CROSS JOIN keeps the order of the tables: the list first.
		generations: newBulk(`SELECT v.column1, g.key_id, g.budgeted <> 0, g.price, g.taken_monthly, g.taken_topup, g.taken_period, g.state, g.idempotency_hash
			FROM (VALUES `, 2, true, `) AS v CROSS JOIN generations AS g ON g.account_id = v.column2 AND g.id = v.column3`),
		generation: newBulk(`INSERT OR FAIL INTO generations (account_id, id, key_id, assistant_id, version, author_id, model, price,
			taken_monthly, taken_topup, taken_period, idempotency_hash, created_at, budgeted, node_id, state, error, finish, prompt_tokens,
			completion_tokens, cached_tokens, cache_write_tokens, reasoning_tokens, latency_us, first_piece_us, cache_missed, settled_at)
			VALUES `, generationArgs+settlementArgs-2, false, ``),
		settle: newBulk(`UPDATE OR FAIL generations SET state = v.column3, error = v.column4, finish = v.column5, prompt_tokens = v.column6,
			completion_tokens = v.column7, cached_tokens = v.column8, cache_write_tokens = v.column9, reasoning_tokens = v.column10,
			latency_us = v.column11, first_piece_us = v.column12, cache_missed = v.column13, settled_at = v.column14
			FROM (VALUES `, settlementArgs, false, `) AS v WHERE account_id = v.column1 AND id = v.column2 AND state = 0`),
	}
	l.cache.forget()
	for _, kind := range elumenta.EntryKinds() {
		source, destination := kind.Route()
		l.entries = append(l.entries, entriesOfKind{kind, newBulkWith(`INSERT OR FAIL INTO ledger_entries
			(account_id, seq, monthly, topup, generation_id, reason, actor, at, kind, source, destination) VALUES `, entryArgs, false,
			fmt.Sprintf(`,'%s','%s','%s'`, kind, source, destination), ``)})
	}
	return l
}

// read fills in the rows that the batch names.
func (l *sqliteLedger) read(ctx context.Context, tx *conn, b *ledgerBatch) error {
	if err := l.cache.readRows(ctx, tx, b); err != nil {
		return err
	}
	if err := l.readClaims(ctx, tx, b); err != nil {
		return fmt.Errorf("read an idempotency key: %w", err)
	}
	if err := l.readGenerations(ctx, tx, b); err != nil {
		return fmt.Errorf("read generations: %w", err)
	}
	return nil
}

func found(err error) (bool, error) {
	if err == nil {
		return true, nil
	}
	return false, optional(err)
}

func (l *sqliteLedger) readClaims(ctx context.Context, tx querier, b *ledgerBatch) error {
	for key := range b.claims {
		var body []byte
		var c claimRow
		ok, err := found(tx.QueryRowContext(ctx, `SELECT body_hash, resource_id, state <> 0, tokens_spent, expires_at
			FROM idempotency_keys WHERE account_id = $1 AND hash = $2`, string(key.account), key.hash[:]).
			Scan(&body, &c.generation, &c.answered, &c.spent, storedTime{&c.expires}))
		if err != nil {
			return err
		}
		if ok {
			copy(c.body[:], body)
			b.claims[key] = &c
		}
	}
	return nil
}

func (l *sqliteLedger) readGenerations(ctx context.Context, tx *conn, b *ledgerBatch) error {
	l.keys = l.keys[:0]
	for key, row := range b.generations {
		if row == nil {
			l.keys = append(l.keys, key)
		}
	}
	for p := range l.generations.parts(len(l.keys)) {
		keys := l.keys[p.first : p.first+p.rows]
		args := make([]any, 0, 2*len(keys))
		for _, key := range keys {
			args = append(args, string(key.account), string(key.id))
		}
		rows, err := tx.QueryContext(ctx, p.text, args...)
		if err != nil {
			return err
		}
		if err := each(rows, func() error {
			var n int
			var row generationRow
			var hash sql.RawBytes
			if err := rows.Scan(&n, &row.key, &row.budgeted, &row.price, &row.taken.Monthly, &row.taken.Topup, &row.taken.Period, &row.state, &hash); err != nil {
				return err
			}
			row.claimOf(keys[n].account, hash)
			b.generations[keys[n]] = &row
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// claimOf sets the Idempotency-Key of a generation from its column.
func (r *generationRow) claimOf(account elumenta.AccountID, hash []byte) {
	r.claimed = len(hash) > 0
	r.claim.account = account
	copy(r.claim.hash[:], hash)
}

// errMoved says that a generation was made final since it was reserved by this process, whose memory was relied on.
var errMoved = errors.New("a generation is not open any more")

// note adds what a batch decided to a log, and gives each row to another.
func (l *sqliteLedger) note(log *ledgerLog, b *ledgerBatch, other func(kind byte, row arguments)) {
	rows := func(kind byte, rows arguments) {
		for n := logColumns[kind]; len(rows) > 0; rows = rows[n:] {
			log.add(kind, rows[:n])
			other(kind, rows[:n])
		}
	}
	rows(logAccount, l.accountArgs(b))
	rows(logGeneration, l.reserveArgs(b))
	rows(logSettlement, l.settleArgs(b))
	log.noteUsage(b.settled)
	for _, k := range l.entries {
		rows(logEntry, l.entryArgs(b, k.kind))
	}
}

// write writes what the batch decided to the tables.
func (l *sqliteLedger) write(ctx context.Context, tx *conn, b *ledgerBatch) error {
	l.inTx.clear()
	l.note(l.inTx, b, func(byte, arguments) {})
	l.newest = max(l.newest, l.inTx.newest)
	if err := l.writeLog(tx, l.inTx, atOnce()); err != nil {
		return err
	}
	l.others = l.others || len(b.corrected) > 0
	if b.advanced {
		for _, a := range b.accounts {
			if a == nil || !a.changed {
				continue
			}
			if err := updateAccount(ctx, tx, &a.account); err != nil {
				return fmt.Errorf("write an account: %w", err)
			}
		}
	}
	for id := range b.spent {
		if b.keys[id] == nil {
			delete(l.cache.keys, id) // what it has spent was not counted there
		}
	}
	for text, args := range b.rare() {
		if _, err := tx.ExecContext(ctx, text, args...); err != nil {
			return fmt.Errorf("write a correction, a key or an idempotency key: %w", err)
		}
	}
	return nil
}

func orNull[T ~string](s T) driver.Value {
	if s == "" {
		return nil
	}
	return string(s)
}

// accountArgs are what reservations and settlements change of accounts.
func (l *sqliteLedger) accountArgs(b *ledgerBatch) arguments {
	l.args = l.args[:0]
	for _, a := range b.accounts {
		if a != nil && a.changed {
			l.args.add(a.Balance.Monthly, a.Balance.Topup, a.Balance.Period, a.Rate.Hour, a.Rate.HourCount, a.Rate.Day, a.Rate.DayCount, a.open, a.entries, string(a.ID))
		}
	}
	return l.args
}

func (l *sqliteLedger) reserveArgs(b *ledgerBatch) arguments {
	l.args = l.args[:0]
	for i := range b.reserved {
		n := &b.reserved[i]
		var version, claim driver.Value
		if n.Version != 0 {
			version = int64(n.Version)
		}
		if n.row.claimed {
			claim = n.row.claim.hash[:]
		}
		l.args.add(string(n.Account), string(n.Generation), string(n.Key), orNull(n.Assistant), version, orNull(n.Author), n.Model, n.Price,
			n.row.taken.Monthly, n.row.taken.Topup, n.row.taken.Period, claim, micros(b.now), flag(n.row.budgeted), b.node)
	}
	return l.args
}

func (l *sqliteLedger) settleArgs(b *ledgerBatch) arguments {
	l.args = l.args[:0]
	for i := range b.settled {
		g := &b.settled[i]
		o := &g.outcome
		l.args.add(string(g.account), string(g.id), int64(o.State), string(o.Error), string(o.Finish),
			o.Usage.PromptTokens, o.Usage.CompletionTokens, o.Usage.CachedTokens, o.Usage.CacheWriteTokens, o.Usage.ReasoningTokens,
			o.Latency.Microseconds(), o.FirstPiece.Microseconds(), flag(o.CacheMiss), micros(b.now))
	}
	return l.args
}

func (l *sqliteLedger) entryArgs(b *ledgerBatch, kind elumenta.EntryKind) arguments {
	l.args = l.args[:0]
	for i := range b.entries {
		if e := &b.entries[i]; e.Kind == kind {
			l.args.add(string(kind), string(e.account), e.seq, e.Monthly, e.Topup, orNull(e.Generation), e.Reason, e.Actor, micros(e.At))
		}
	}
	return l.args
}
