package store

import (
	"context"
	"fmt"
	"time"

	"github.com/elumenta/elumenta"
)

const (
	// removedBytes and removedVersions bound what one transaction removes of a deleted assistant. Other writes wait for it, on Postgres
	// those of the account, and SQLite overwrites each page: 1 GiB takes 9 s.
	removedBytes    = 4 << 20
	removedVersions = elumenta.MaxVersions
	// removalInterval is how often a server looks for what is left, and removalPause lets others write in between.
	removalInterval = time.Second
	removalPause    = 20 * time.Millisecond
)

// removeVersions removes as many versions of an assistant, the oldest first, as one transaction should. It reports whether others are left.
func removeVersions(ctx context.Context, tx querier, id elumenta.AssistantID) (left bool, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT v.version, `+versionBytes+` FROM assistant_versions AS v WHERE v.assistant_id = $1 ORDER BY v.version LIMIT $2`,
		string(id), removedVersions+1)
	if err != nil {
		return false, fmt.Errorf("list versions: %w", err)
	}
	n, last, sum := 0, 0, int64(0)
	left, err = cut(each(rows, func() error {
		var version int
		var bytes int64
		if err := rows.Scan(&version, &bytes); err != nil {
			return err
		}
		if sum += bytes; n == removedVersions || n > 0 && sum > removedBytes {
			return errPageFull
		}
		n, last = n+1, version
		return nil
	}))
	if err != nil {
		return false, fmt.Errorf("list versions: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM assistant_versions WHERE assistant_id = $1 AND version <= $2`, string(id), last); err != nil {
		return false, fmt.Errorf("remove versions: %w", err)
	}
	return left, nil
}

// removeDeleted removes what is left of deleted assistants.
func (s *Store) removeDeleted(ctx context.Context) error {
	for {
		var some bool
		if err := s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
			return q.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM deleted_assistants)`).Scan(&some)
		}); err != nil || !some {
			return err
		}
		if more, err := s.removeSome(ctx); err != nil || !more {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(removalPause):
		}
	}
}

// removeSome removes some versions of one assistant, on Postgres of one that no other node is at. It reports whether there may be more.
func (s *Store) removeSome(ctx context.Context) (more bool, err error) {
	lock := s.engine.forUpdate()
	if lock != "" {
		lock += " SKIP LOCKED"
	}
	err = s.writeAside(ctx, func(ctx context.Context, tx querier) error {
		var id elumenta.AssistantID
		if err := optional(tx.QueryRowContext(ctx, `SELECT id FROM deleted_assistants ORDER BY id LIMIT 1`+lock).Scan(&id)); err != nil {
			return err
		}
		if more = id != ""; !more {
			return nil
		}
		left, err := removeVersions(ctx, tx, id)
		if err == nil && !left {
			_, err = tx.ExecContext(ctx, `DELETE FROM deleted_assistants WHERE id = $1`, string(id))
		}
		return err
	})
	return more, err
}
