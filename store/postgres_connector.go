package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// connectTimeout is how long opening a connection may take, unless the URL has a connect_timeout. It is shorter than what a
	// statement may take with the wait for a connection, so that whoever waits learns which of the two it was.
	connectTimeout = 4 * time.Second
	// suspectTimeout is how long it may take for connectTimeout after the database fell silent.
	suspectTimeout = time.Second
	// pingAfter is how long a connection may have been idle before it is tried ahead of its use.
	pingAfter = time.Second
	// pingTimeout is how long that may take. It leaves its caller the time to open another one.
	pingTimeout = 2 * time.Second
	// pingSilence is how long it takes at least to say something of other connections, where the caller has no more time.
	pingSilence = 900 * time.Millisecond
	// probePause is how often a database that is away is tried.
	probePause = 200 * time.Millisecond
)

// connector opens the pool's connections. While the database is away it refuses at once, and a goroutine finds out when it
// is back: so requests fail soon, not each after a time limit of its own.
type connector struct {
	driver.Connector
	ctx     context.Context // ends with Close
	stop    context.CancelFunc
	probing sync.WaitGroup

	mu             sync.Mutex
	away           error     // what the last attempt found; nil if the server answered
	silent, answer time.Time // when the database last was silent, and when it last answered

	// epoch rises when connections may have been forgotten, which was last found out at forgotten. Those of an earlier one are
	// not used again.
	epoch     atomic.Int64
	forgotten time.Time
}

// epochOf is where a connection keeps its epoch.
const epochOf = "elumenta.epoch"

func newConnector(config pgx.ConnConfig) *connector {
	c := &connector{}
	c.ctx, c.stop = context.WithCancel(context.Background())
	c.Connector = stdlib.GetConnector(config,
		stdlib.OptionAfterConnect(func(_ context.Context, conn *pgx.Conn) error {
			conn.PgConn().CustomData()[epochOf] = c.epoch.Load()
			return nil
		}),
		stdlib.OptionShouldPing(func(ctx context.Context, p stdlib.ShouldPingParams) bool {
			if p.IdleDuration > pingAfter && c.current(p.Conn) {
				c.ping(ctx, p.Conn)
			}
			return false // the driver's own ping would take all the time that the caller has
		}),
		stdlib.OptionResetSession(func(_ context.Context, conn *pgx.Conn) error {
			if conn.IsClosed() || !c.current(conn) {
				return driver.ErrBadConn
			}
			return nil
		}))
	return c
}

// ping closes a connection that does not answer. If it is silent, those that have idled beside it are not used again: something between
// may have forgotten them all. Of the database it says nothing yet.
func (c *connector) ping(ctx context.Context, conn *pgx.Conn) {
	began := time.Now()
	limit, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if conn.Ping(limit) == nil {
		c.answered()
		return
	}
	if limit.Err() != nil && time.Since(began) >= pingSilence {
		c.forget(began)
	}
	_ = conn.Close(limit)
}

func (c *connector) current(conn *pgx.Conn) bool {
	return conn.PgConn().CustomData()[epochOf] == c.epoch.Load()
}

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	c.mu.Lock()
	away, suspect := c.away, time.Since(c.silent) < connectTimeout
	c.mu.Unlock()
	if away != nil {
		return nil, away
	}
	limit := ctx
	if suspect {
		var cancel context.CancelFunc
		limit, cancel = context.WithTimeout(ctx, suspectTimeout)
		defer cancel()
	}
	conn, err := c.Connector.Connect(limit)
	if unanswered(err) && ctx.Err() == nil { // with ctx at its end it says nothing of the server
		c.lost(err)
	}
	return conn, err
}

// unanswered reports whether an attempt failed without the server having taken part. One that is starting or stopping
// counts as away.
func unanswered(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return err != nil && (!ok || pg.Code[:min(3, len(pg.Code))] == "57P")
}

func (c *connector) lost(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away == nil && c.ctx.Err() == nil {
		c.away = err
		c.probing.Go(c.probe)
	}
}

// probe tries until the server answers.
func (c *connector) probe() {
	ticker := time.NewTicker(probePause)
	defer ticker.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-ticker.C:
		}
		conn, err := c.Connector.Connect(c.ctx)
		if err == nil {
			_ = conn.Close()
		}
		if c.found(err) {
			return
		}
	}
}

// found notes what a probe found, and reports whether the server is back.
func (c *connector) found(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if unanswered(err) {
		c.away = err
		return false
	}
	c.away = nil
	return true
}

// Close implements io.Closer, for sql.DB.
func (c *connector) Close() error {
	c.mu.Lock()
	c.stop() // lost starts no more
	c.mu.Unlock()
	c.probing.Wait()
	return nil
}

// answered notes that the database does something.
func (c *connector) answered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = time.Now()
}

// unansweredSince notes that what began then was not answered in time. Where anything else was answered meanwhile, that alone was slow.
func (c *connector) unansweredSince(began time.Time) {
	c.mu.Lock()
	silent := !c.answer.After(began)
	if silent {
		c.silent = time.Now()
	}
	c.mu.Unlock()
	if silent {
		c.forget(began)
	}
}

// forget has other connections not used again after one that was silent since then: they may be as dead, and are not to be found so one
// by one. It counts once for all that were waiting together, lest a busy server lose its connections again and again.
func (c *connector) forget(began time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if began.After(c.forgotten) {
		c.forgotten = time.Now()
		c.epoch.Add(1)
	}
}
