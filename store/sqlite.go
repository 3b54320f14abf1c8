package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/gofrs/flock"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// lockWait is how long SQLite's locks are waited for.
const lockWait = 5 * time.Second

// sqliteEngine has one connection that writes and a pool of readers. The writer's goroutine carries out what is queued; another writes
// the ledger's log to the tables.
type sqliteEngine struct {
	store   *Store
	path    string
	queue   *queue
	readers chan *conn
	checks  checkpointer
	opened  []*conn // for release
	lock    *flock.Flock
	db      *sql.DB

	tables  chan struct{} // holds something while somebody uses writer
	awaited atomic.Bool   // by the goroutine that carries out what is queued
	writer  *conn
	sync    logSync               // who syncs what it commits; nil: SQLite itself
	failed  atomic.Pointer[error] // why nothing is written any more

	// The writer's goroutine's: what it carries out, the ledger's log, and what reads for it without the tables' lock.
	ops    []*ledgerOp
	log    *logFile
	lookup *conn

	sealed  chan *ledgerLog // logs to be written to the tables; nil for a command
	applied chan struct{}   // closed once no more are
	gap     *time.Timer     // of who writes them
	// Numbers of batches: the last one, the last one that the tables have, the last one that they have durably, and the one that they
	// should.
	logged, inTables, synced, owed atomic.Int64
	unsure                         atomic.Bool // whether these are wrong: from a transaction that failed to the next one that does not
}

func (s *Store) openSQLite(ctx context.Context, path string) (_ engine, err error) {
	if path, err = sqlitePath(path); err != nil {
		return nil, err
	}
	if err := touchFile(path); err != nil {
		return nil, sqliteOpenError(path, err)
	}
	if path, err = filepath.EvalSymlinks(path); err != nil { // beside which the logs stand, whatever the link is called
		return nil, sqliteOpenError(path, err)
	}
	e := &sqliteEngine{store: s, path: path, readers: make(chan *conn, s.opts.Readers), lock: newLock(path), log: &logFile{path: logPath(path)}, tables: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.release())
		}
	}()
	if s.opts.Serve {
		if err := takeLock(ctx, e.lock, path); err != nil {
			return nil, err
		}
	}
	if e.db, err = sql.Open("sqlite", sqliteDSN(path)); err != nil {
		return nil, sqliteOpenError(path, err)
	}
	if err := e.migrate(ctx, path); err != nil {
		return nil, err
	}
	if err := e.connect(ctx); err != nil {
		return nil, sqliteOpenError(path, err)
	}
	e.queue = newQueue()
	e.queue.poll = newPoller()
	go e.queue.serve(e.commit, s.opts.log.rest, e.rest)
	return e, nil
}

// sqlitePath takes what follows "sqlite:". A memory database has no file to lock and would be another one for each
// connection.
func sqlitePath(path string) (string, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return "", errors.New("the database must name a file: sqlite:PATH")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("database file %s: %w", path, err)
	}
	return abs, nil
}

func newLock(path string) *flock.Flock { return flock.New(path+".lock", flock.SetPermissions(0o600)) }

// takeLock takes the lock that makes this process the file's only server. A command that brings the schema up to date
// holds it for a moment.
func takeLock(ctx context.Context, lock *flock.Flock, path string) error {
	wait, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	ok, err := lock.TryLockContext(wait, 20*time.Millisecond)
	switch {
	case ok:
		return sqliteOpenError(path, giveOwner(path, lock.Path()))
	case err == nil || errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		return fmt.Errorf("another elumenta serve uses %s: stop it, or give this one a database of its own", path)
	}
	return sqliteOpenError(path, err)
}

// touchFile makes the file if there is none, for its owner alone: it holds instructions. That is its directory's owner where root makes it,
// so that the service can use it.
func touchFile(path string) error {
	_, before := os.Stat(path)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator names the path
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil || before == nil {
		return err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return err
	}
	return giveOwner(filepath.Dir(path), path)
}

func sqliteDSN(path string) string {
	pragmas := url.Values{"_txlock": {"immediate"}, "_pragma": {
		fmt.Sprintf("busy_timeout(%d)", lockWait.Milliseconds()),
		"journal_mode(wal)", "synchronous(full)", "secure_delete(on)", "trusted_schema(off)", "temp_store(memory)",
	}}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: pragmas.Encode()}).String()
}

func (e *sqliteEngine) connect(ctx context.Context) error {
	var err error
	var tuning []string
	if e.store.opts.Serve {
		tuning = append(tuning, fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", maxLogPages))
	}
	if e.writer, err = e.newConn(ctx, tuning...); err != nil {
		return err
	}
	if e.store.opts.Serve {
		if s := newLogSync(e.path + "-wal"); s != nil {
			if err := e.syncBeside(s); err != nil {
				return err
			}
		}
	}
	if e.checks.conn, err = e.newConn(ctx, "PRAGMA busy_timeout = 0"); err != nil {
		return err
	}
	if e.lookup, err = e.newConn(ctx, "PRAGMA query_only = on"); err != nil {
		return err
	}
	for range cap(e.readers) {
		c, err := e.newConn(ctx, "PRAGMA query_only = on")
		if err != nil {
			return err
		}
		e.readers <- c
	}
	return nil
}

// syncBeside has the log synced by a logSync, and SQLite no longer sync each commit. It still does so where the log begins anew and
// before it moves what is in the log. Where the system refuses such a sync, all stays as it is.
func (e *sqliteEngine) syncBeside(s logSync) error {
	if _, err := e.writer.readInt(`PRAGMA schema_version`); err != nil { // now there is a log
		return errors.Join(err, s.close())
	}
	if s.sync() != nil {
		return s.close()
	}
	e.sync = s
	return e.writer.exec(`PRAGMA synchronous = normal`)
}

func (e *sqliteEngine) newConn(ctx context.Context, pragmas ...string) (*conn, error) {
	c, err := e.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	for _, pragma := range pragmas {
		if _, err := c.ExecContext(ctx, pragma); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	opened := newConn(c)
	e.opened = append(e.opened, opened)
	return opened, nil
}

func (e *sqliteEngine) forUpdate() string { return "" }

func (e *sqliteEngine) lockStorage() string { return "" }

func (e *sqliteEngine) reader(ctx context.Context) (*conn, error) {
	select {
	case c := <-e.readers:
		return c, nil
	default:
	}
	start := time.Now()
	select {
	case c := <-e.readers:
		e.store.metrics.waited(time.Since(start))
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-e.queue.ended:
		return nil, elumenta.Unavailable(errClosed)
	}
}

func (e *sqliteEngine) write(ctx context.Context, f func(ctx context.Context, tx querier) error) error {
	return e.queue.do(ctx, newItem(f))
}

func (e *sqliteEngine) close() error {
	e.queue.close()
	err := e.stopLog()
	for range cap(e.readers) {
		<-e.readers // waits for those that read
	}
	return errors.Join(err, e.release())
}

// release closes what is open, also after an opening that failed.
func (e *sqliteEngine) release() error {
	var err error
	for _, c := range e.opened {
		err = errors.Join(err, c.close())
	}
	if e.db != nil {
		err = errors.Join(err, e.db.Close())
	}
	if e.sync != nil {
		err = errors.Join(err, e.sync.close())
	}
	return errors.Join(err, e.lock.Close())
}
