package store

import (
	"context"
	"sync/atomic"
	"time"
)

// sharedClock is the database's clock as it was last read, carried on by this process's monotonic one. Nodes that share a
// database agree by it on months, keys' ends and Idempotency-Keys, whatever their own clocks say.
type sharedClock struct{ last atomic.Pointer[clockReading] }

type clockReading struct {
	database, here time.Time // the same moment; here has a monotonic reading
}

func (c *sharedClock) set(database time.Time) {
	c.last.Store(&clockReading{database, time.Now()})
}

// now reports false if the clock was never read.
func (c *sharedClock) now() (time.Time, bool) {
	last := c.last.Load()
	if last == nil {
		return time.Time{}, false
	}
	return last.database.Add(time.Since(last.here)), true
}

// readClock reads Postgres's clock, unless another one was given. Each renewal of the lease reads it again.
func (s *Store) readClock(ctx context.Context) error {
	if _, shared := s.engine.(*postgresEngine); !shared || s.opts.clock {
		return nil
	}
	return s.read(ctx, func(ctx context.Context, q querier) error {
		var now time.Time
		err := q.QueryRowContext(ctx, `SELECT `+databaseNow).Scan(storedTime{&now})
		if err == nil {
			s.shared.set(now)
		}
		return err
	})
}
