package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/elumenta/elumenta"
)

const (
	touchInterval      = 3 * time.Second
	purgeInterval      = 10 * time.Minute
	checkpointInterval = time.Second
	// chunk bounds the rows that one write of the background work touches.
	chunk = 500
)

// loadSecret reads the installation's secret, and makes it if this is the first start.
func (s *Store) loadSecret(ctx context.Context) error {
	const read = `SELECT value FROM settings WHERE name = 'installation_secret'`
	var value []byte
	err := s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		return optional(q.QueryRowContext(ctx, read).Scan(&value))
	})
	if err == nil && value == nil {
		fresh := make([]byte, len(s.secret))
		_, _ = rand.Read(fresh) // never fails since Go 1.24
		err = s.write(ctx, func(ctx context.Context, tx querier) error {
			if _, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ('installation_secret', $1) ON CONFLICT DO NOTHING`, fresh); err != nil {
				return err
			}
			return tx.QueryRowContext(ctx, read).Scan(&value)
		})
	}
	if err != nil {
		return err
	}
	if copy(s.secret[:], value) != len(s.secret) {
		return fmt.Errorf("it has %d bytes instead of %d", len(value), len(s.secret))
	}
	return nil
}

// InstallationSecret is made at the first start and read at each opening.
func (s *Store) InstallationSecret() elumenta.InstallationSecret { return s.secret }

// every runs f at an interval until ctx ends. Its failures are logged, once a minute: the next time may do better.
func (s *Store) every(ctx context.Context, interval time.Duration, what string, f func(context.Context) error) {
	s.background.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		var logged time.Time
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if err := f(ctx); err != nil && ctx.Err() == nil && time.Since(logged) > time.Minute {
				logged = time.Now()
				s.opts.Logger.Warn("background work on the database failed", "work", what, "error", err, "cause", fmt.Sprint(elumenta.AsError(err).Cause))
			}
		}
	})
}

// maintain starts the background work of a server.
func (s *Store) maintain(ctx context.Context) {
	if !s.opts.Serve {
		return
	}
	s.every(ctx, touchInterval, "last use of keys", s.flushTouched)
	s.every(ctx, followInterval, "rollups of usage", s.followUsage)
	s.every(ctx, followInterval, "search index", s.followListings)
	s.every(ctx, rankInterval, "ranking of the marketplace", s.rank)
	s.every(ctx, removalInterval, "versions of deleted assistants", s.removeDeleted)
	s.every(ctx, purgeInterval, "expired idempotency keys", s.purgeIdempotency)
	s.every(ctx, purgeInterval, "sessions that have ended", s.purgeSessions)
	s.every(ctx, retireInterval, "records of generations that are kept no longer", s.retire)
	if e, ok := s.engine.(*sqliteEngine); ok {
		s.every(ctx, checkpointInterval, "checkpoint", func(context.Context) error {
			seq := e.inTables.Load()
			moved, err := e.checks.tidy()
			if moved {
				e.isSynced(seq)
			}
			return failure(err)
		})
	}
}

// touchedKeys holds when keys were last used, until that is written.
type touchedKeys struct {
	mu sync.Mutex
	at map[elumenta.KeyID]int64
}

// touchKey notes that a key was used. It is written within seconds.
func (s *Store) touchKey(id elumenta.KeyID, at time.Time) {
	s.touched.mu.Lock()
	defer s.touched.mu.Unlock()
	if s.touched.at == nil {
		s.touched.at = map[elumenta.KeyID]int64{}
	}
	s.touched.at[id] = max(micros(at), s.touched.at[id])
}

func (s *Store) flushTouched(ctx context.Context) error {
	s.touched.mu.Lock()
	at := s.touched.at
	s.touched.at = nil
	s.touched.mu.Unlock()
	ids := sortedKeys(at)
	for len(ids) > 0 {
		n := min(chunk, len(ids))
		if err := s.writeAside(ctx, func(ctx context.Context, tx querier) error {
			for _, id := range ids[:n] {
				if _, err := tx.ExecContext(ctx, `UPDATE keys SET last_used_at = $2 WHERE id = $1 AND last_used_at < $2`, string(id), at[id]); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			for _, id := range ids {
				s.touchKey(id, fromMicros(at[id]))
			}
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// purgeIdempotency removes keys that have expired.
func (s *Store) purgeIdempotency(ctx context.Context) error {
	for {
		var removed int64
		if err := s.write(ctx, func(ctx context.Context, tx querier) error {
			result, err := tx.ExecContext(ctx, `DELETE FROM idempotency_keys WHERE (account_id, hash) IN (
				SELECT account_id, hash FROM idempotency_keys WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`, micros(s.now()), chunk)
			if err != nil {
				return err
			}
			removed, err = result.RowsAffected()
			return err
		}); err != nil || removed < chunk {
			return err
		}
	}
}
