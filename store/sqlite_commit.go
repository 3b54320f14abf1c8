package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/elumenta/elumenta"
)

// maxStatements bounds the statements that a connection keeps prepared.
const maxStatements = 256

// conn is a SQLite connection that prepares each statement text once. It is used by one goroutine at a time. Contexts
// that can end cost more than a point read does, so that only statements that return many rows are interrupted.
type conn struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	named map[string]driver.Stmt // of prepared
}

func newConn(c *sql.Conn) *conn {
	return &conn{conn: c, stmts: map[string]*sql.Stmt{}, named: map[string]driver.Stmt{}}
}

// execNamed runs a statement, past database/sql, and returns how many rows it changed. It numbers args.
func (c *conn) execNamed(query string, args []driver.NamedValue) (changed int64, err error) {
	for i := range args {
		args[i].Ordinal = i + 1
	}
	err = c.prepared(query, func(st driver.Stmt) error {
		result, err := st.(driver.StmtExecContext).ExecContext(context.Background(), args) //nolint:forcetypeassert // the driver's
		if err != nil {
			return err
		}
		changed, err = result.RowsAffected()
		return err
	})
	return changed, err
}

// readInt reads a number, past database/sql.
func (c *conn) readInt(query string) (n int64, err error) {
	err = c.prepared(query, func(st driver.Stmt) error {
		rows, err := st.(driver.StmtQueryContext).QueryContext(context.Background(), nil) //nolint:forcetypeassert // the driver's
		if err != nil {
			return err
		}
		row := []driver.Value{nil}
		if err = rows.Next(row); err == nil {
			var ok bool
			if n, ok = row[0].(int64); !ok {
				err = fmt.Errorf("%s gave a %T", query, row[0])
			}
		}
		return errors.Join(err, rows.Close())
	})
	return n, err
}

// prepared lends the driver's own prepared statement.
func (c *conn) prepared(query string, f func(driver.Stmt) error) error {
	return c.conn.Raw(func(dc any) error {
		st, ok := c.named[query]
		if !ok {
			var err error
			if st, err = dc.(driver.ConnPrepareContext).PrepareContext(context.Background(), query); err != nil { //nolint:forcetypeassert // the driver's
				return err
			}
			c.named[query] = st
		}
		return f(st)
	})
}

func (c *conn) stmt(query string) (*sql.Stmt, error) {
	if st, ok := c.stmts[query]; ok {
		return st, nil
	}
	st, err := c.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	if len(c.stmts) >= maxStatements {
		if err := c.forget(); err != nil {
			return nil, errors.Join(err, st.Close())
		}
	}
	c.stmts[query] = st
	return st, nil
}

// forget closes all prepared statements.
func (c *conn) forget() error {
	var err error
	for query, st := range c.stmts {
		err = errors.Join(err, st.Close())
		delete(c.stmts, query)
	}
	return err
}

func (c *conn) close() error {
	err := c.forget()
	for _, st := range c.named {
		err = errors.Join(err, st.Close())
	}
	return errors.Join(err, c.conn.Close())
}

func (c *conn) exec(query string) error {
	_, err := c.execNamed(query, nil)
	return err
}

// ExecContext does not stop when ctx ends.
func (c *conn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	st, err := c.stmt(query)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(context.WithoutCancel(ctx), args...)
}

// QueryContext stops when ctx ends.
func (c *conn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := c.stmt(query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

// QueryRowContext does not stop when ctx ends.
func (c *conn) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	ctx = context.WithoutCancel(ctx)
	st, err := c.stmt(query)
	if err != nil {
		return c.conn.QueryRowContext(ctx, query, args...) // fails alike
	}
	return st.QueryRowContext(ctx, args...)
}

// commit carries out what was collected together and then answers all of it.
func (e *sqliteEngine) commit(items []*item) {
	if items = e.upToDate(items); len(items) == 0 {
		return
	}
	start := time.Now()
	errs, err := e.carryOut(items)
	l := e.store.ledger.sqlite // before the answer to who opens the ledger
	e.store.metrics.commit(len(items), time.Since(start))
	for i, it := range items {
		switch {
		case err != nil:
			it.answer(elumenta.Unavailable(err))
		case errs == nil:
			it.answer(nil)
		default:
			it.answer(errs[i])
		}
	}
	if l != nil && l.sealed == nil && l.known && l.log.due(l.bounds) {
		e.seal()
	}
}

// upToDate answers those at once that ask for the tables when a server's lack nothing, and returns the others.
func (e *sqliteEngine) upToDate(items []*item) []*item {
	if !e.store.opts.Serve || e.behind() {
		return items
	}
	return slices.DeleteFunc(items, func(it *item) bool {
		idle := it.idle()
		if idle {
			it.answer(nil)
		}
		return idle
	})
}

// rest has a server's tables brought up to date when nothing else is to be written.
func (e *sqliteEngine) rest() {
	if !e.store.opts.Serve || !e.behind() {
		return
	}
	if l := e.store.ledger.sqlite; l != nil && l.known && l.sealed == nil && l.log.batches > 0 {
		e.seal()
		return
	}
	e.commit([]*item{newItem(nil)})
}

// carryOut returns each item's own error, none for all if errs is nil, or one for all if nothing was carried out.
func (e *sqliteEngine) carryOut(items []*item) (errs []error, err error) {
	if failed := e.failed.Load(); failed != nil {
		return nil, *failed
	}
	e.ops = e.ops[:0]
	for _, it := range items {
		if it.op != nil {
			e.ops = append(e.ops, it.op)
		}
	}
	if len(e.ops) == len(items) {
		if done, err := e.logOps(e.ops); done || err != nil {
			return nil, err
		}
	}
	e.awaited.Store(true)
	e.tables <- struct{}{}
	defer func() { <-e.tables }()
	e.awaited.Store(false)
	return e.transact(items)
}

// transact carries out items in one transaction.
func (e *sqliteEngine) transact(items []*item) ([]error, error) {
	err := e.begin()
	var errs []error
	if err == nil {
		errs, err = e.runAll(items)
	}
	l := e.store.ledger.sqlite
	marks := l != nil && l.serves && !l.marked && len(e.ops) > 0 // the next ones are logged
	if err == nil && marks {
		err = l.mark(e.writer, true)
	}
	if err == nil && l != nil {
		err = l.assignSeq(e.writer)
	}
	if err == nil {
		err = e.writer.exec(`COMMIT`)
	}
	if err != nil {
		e.store.ledger.forget()
		e.unsure.Store(true)
		// After some failures SQLite has rolled back by itself, and this one says that there is no transaction.
		_ = e.writer.exec(`ROLLBACK`)
		return nil, fmt.Errorf("commit: %w", err)
	}
	if l != nil {
		l.applied = l.seq
	}
	e.committed()
	if err := e.durable(); err != nil {
		return nil, err
	}
	if l != nil {
		e.logged.Store(l.seq)
		e.isSynced(l.seq)
		l.marked = l.marked || marks
		e.unsure.Store(false)
		l.file.restart()
	}
	return errs, nil
}

// begin begins a transaction in which the tables have all that was logged.
func (e *sqliteEngine) begin() error {
	if err := e.writer.exec(`BEGIN IMMEDIATE`); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if e.store.ledger.sqlite == nil {
		return nil
	}
	return guard(func() error { return e.store.ledger.sqlite.bringUp(context.Background(), e.writer) })
}

func (e *sqliteEngine) runAll(items []*item) ([]error, error) {
	errs := make([]error, len(items))
	for i, it := range items {
		if it.run == nil {
			continue
		}
		e.store.ledger.forgetRows() // it may write what the ledger has in memory
		var broken error
		if errs[i], broken = e.savepoint(it.run); broken != nil {
			return nil, broken
		}
	}
	if len(e.ops) < len(items) {
		return errs, e.runLedger(e.ops)
	}
	// The ledger alone needs no savepoint: if it fails, the transaction is begun anew.
	if guard(func() error { return e.store.ledger.run(context.Background(), e.writer, e.ops) }) == nil {
		return errs, nil
	}
	e.store.ledger.forget()
	if err := e.writer.exec(`ROLLBACK`); err != nil {
		return nil, err
	}
	if err := e.begin(); err != nil {
		return nil, err
	}
	return errs, e.runLedger(e.ops)
}

// runLedger carries out operations of the ledger together, or one by one if that fails, so that only the one fails that
// is to blame.
func (e *sqliteEngine) runLedger(ops []*ledgerOp) error {
	if len(ops) == 0 {
		return nil
	}
	err, broken := e.savepoint(func(ctx context.Context, _ querier) error { return e.store.ledger.run(ctx, e.writer, ops) })
	if err == nil || broken != nil {
		return broken
	}
	e.store.ledger.forget()
	if len(ops) == 1 {
		ops[0].err = failure(err)
		return nil
	}
	for i := range ops {
		if broken := e.runLedger(ops[i : i+1]); broken != nil {
			return broken
		}
	}
	return nil
}

// savepoint runs f so that its error undoes only what f did. broken means that the whole transaction is lost.
func (e *sqliteEngine) savepoint(f func(ctx context.Context, tx querier) error) (err, broken error) {
	if err := e.writer.exec(`SAVEPOINT item`); err != nil {
		return nil, err
	}
	if err = guard(func() error { return f(context.Background(), e.writer) }); err != nil {
		if broken := e.writer.exec(`ROLLBACK TO item`); broken != nil {
			return nil, errors.Join(err, broken)
		}
	}
	return err, e.writer.exec(`RELEASE item`)
}
