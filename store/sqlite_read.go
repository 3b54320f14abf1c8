package store

import (
	"context"
	"errors"
	"time"
)

// freshness is what a reader needs of what SQLite's ledger log concerns: generations, the journal, the notes of usage, and of accounts
// what reservations and settlements change.
type freshness uint8

const (
	// caughtUp is all that was acknowledged. While SQLite cannot be written there is no such read.
	caughtUp freshness = iota
	// nearly is the same, unless the tables cannot be brought up to date within catchUpWait: then what they have.
	nearly
	// unlogged is nothing of it.
	unlogged
)

// catchUpWait is how long a reader waits that does without.
const catchUpWait = time.Second

func (e *sqliteEngine) read(ctx context.Context, f func(ctx context.Context, q querier) error) error {
	return e.readAs(ctx, caughtUp, f)
}

func (e *sqliteEngine) lend(ctx context.Context, f func(ctx context.Context, q querier) error) error {
	return e.readAs(ctx, unlogged, f)
}

// readAs reads when the tables have what was acknowledged, unless it is told that they need not. A server waits for its writer before it
// takes a connection, so that those who wait keep none from others; a command has to look whether there is anything to wait for.
func (e *sqliteEngine) readAs(ctx context.Context, fresh freshness, f func(ctx context.Context, q querier) error) error {
	if e.store.opts.Serve && e.behind() {
		if err := e.catchUp(ctx, fresh); err != nil {
			return err
		}
	}
	c, err := e.reader(ctx)
	if err != nil {
		return err
	}
	defer func() { e.readers <- c }()
	if !e.store.opts.Serve && fresh != unlogged {
		waits, err := e.logWaits(ctx, c)
		if err == nil && waits {
			err = e.catchUp(ctx, fresh)
		}
		if err != nil {
			return err
		}
	}
	return f(ctx, c)
}

// logWaits reports whether a server has logged what the tables do not have. It looks at the file, whose lock the server may wait for, only
// where something may be logged.
func (e *sqliteEngine) logWaits(ctx context.Context, c *conn) (bool, error) {
	var logged, earlier bool // the latter by a server of an earlier version
	err := c.QueryRowContext(ctx, `SELECT logged, EXISTS (SELECT 1 FROM ledger_log) FROM ledger_applied`).Scan(&logged, &earlier)
	if err != nil || earlier || !logged {
		return earlier, err
	}
	log := &logFile{path: e.log.path}
	if log.find(false) != nil || log.file == nil {
		return true, nil //nolint:nilerr // who brings the tables up to date says why that cannot be done
	}
	last, err := log.last() // before the tables: what was logged when this was called is in one or the other
	if err := errors.Join(err, log.close()); err != nil {
		return false, err
	}
	var applied int64
	err = c.QueryRowContext(ctx, `SELECT seq FROM ledger_applied`).Scan(&applied)
	return last > applied, err
}

// catchUp has the tables brought up to date for a reader.
func (e *sqliteEngine) catchUp(ctx context.Context, fresh freshness) error {
	switch fresh {
	case unlogged:
		return nil
	case nearly:
		wait, cancel := context.WithTimeout(ctx, catchUpWait)
		defer cancel()
		if e.queue.do(wait, newItem(nil)) != nil {
			return ctx.Err()
		}
		return nil
	default:
		return e.queue.do(ctx, newItem(nil))
	}
}

func (e *sqliteEngine) snapshotAs(ctx context.Context, fresh freshness, f func(ctx context.Context, q querier) error) error {
	return e.readAs(ctx, fresh, func(ctx context.Context, q querier) error {
		if _, err := q.ExecContext(ctx, `BEGIN DEFERRED`); err != nil {
			return err
		}
		err := guard(func() error { return f(ctx, q) })
		_, end := q.ExecContext(ctx, `ROLLBACK`) // there is nothing to commit
		return errors.Join(err, end)
	})
}
