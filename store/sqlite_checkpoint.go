package store

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxLogPages is the write-ahead log's length, in pages of 4 KiB, at which the writer itself moves what is left of it
	// and begins it anew. Most was moved beside it by then, so that it costs two syncs and not a few milliseconds.
	maxLogPages = 8000
	// idleTime is how long nothing must have been committed for the log to be emptied.
	idleTime = time.Second
)

// checkpointer moves what was committed from SQLite's write-ahead log into the database file, on a connection of its own,
// so that the writer need not do it between two commits. It never waits for a lock.
type checkpointer struct {
	commits atomic.Int64 // by the writer

	mu    sync.Mutex
	conn  *conn
	moved int64     // commits that have been moved, or tried to
	clean bool      // the log is empty
	busy  time.Time // when commits were last seen
}

// tidy follows the writer, and empties the log when it rests: deleted text is then in neither file. moved says that it moved all that was
// committed before, which SQLite has synced then: what it leaves to a reader's sake need not be.
func (c *checkpointer) tidy() (moved bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.commits.Load(); n != c.moved {
		c.moved, c.clean, c.busy = n, false, time.Now()
		return c.run(`PRAGMA wal_checkpoint(PASSIVE)`)
	}
	if c.clean || time.Since(c.busy) < idleTime {
		return false, nil
	}
	c.clean, err = c.run(`PRAGMA wal_checkpoint(TRUNCATE)`)
	return c.clean, err
}

func (c *checkpointer) run(pragma string) (done bool, err error) {
	var busy, pages, moved int64
	err = c.conn.QueryRowContext(context.Background(), pragma).Scan(&busy, &pages, &moved)
	return err == nil && busy == 0 && moved == pages, err
}

// checkpoint empties the log unless a reader or a writer is in its way.
func (e *sqliteEngine) checkpoint(context.Context) (bool, error) {
	e.checks.mu.Lock()
	defer e.checks.mu.Unlock()
	return e.checks.run(`PRAGMA wal_checkpoint(TRUNCATE)`)
}
