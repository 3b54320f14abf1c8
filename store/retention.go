package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/elumenta/elumenta"
)

const (
	retireInterval = time.Minute
	// retireChunk bounds the generations that one write removes, and the accounts that one read lists.
	retireChunk = 200
)

// RecordsSince is the moment since which the records of all generations are kept, a midnight UTC; zero means that none was
// removed. Of what is older there are the rollups and the journal, and what could not be removed yet.
func (s *Store) RecordsSince(ctx context.Context) (since time.Time, err error) {
	err = s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		since, err = recordsSince(ctx, q)
		return err
	})
	return since, err
}

func recordsSince(ctx context.Context, q querier) (time.Time, error) {
	var value []byte
	err := optional(q.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = 'records_since'`).Scan(&value))
	if err != nil || value == nil {
		return time.Time{}, err
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("the setting records_since is damaged: %w", err)
	}
	return fromMicros(n), nil
}

// retire removes the generations of days that ended before Options.KeepRecords, once for each day. Readers are told before
// the first is removed.
func (s *Store) retire(ctx context.Context) error {
	keep := s.rules.Load().keep
	if keep <= 0 {
		return nil
	}
	since := dayTime(dayOf(s.now().Add(-keep)))
	if !since.After(s.retired) {
		return nil
	}
	if err := s.write(ctx, func(ctx context.Context, tx querier) error {
		known, err := recordsSince(ctx, tx)
		if err != nil || !since.After(known) {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ('records_since', $1)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, []byte(strconv.FormatInt(micros(since), 10)))
		return err
	}); err != nil {
		return err
	}
	for last := ""; ctx.Err() == nil; {
		accounts, err := s.accountsOlder(ctx, last, since)
		if err != nil {
			return err
		}
		for _, account := range accounts {
			if err := s.retireAccount(ctx, account, since); err != nil {
				return err
			}
			last = account
		}
		if len(accounts) < retireChunk {
			s.retired = since
			return nil
		}
	}
	return nil
}

// accountsOlder lists accounts after the last that have settled generations from before a moment.
func (s *Store) accountsOlder(ctx context.Context, last string, since time.Time) (accounts []string, err error) {
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		accounts = nil
		rows, err := q.QueryContext(ctx, `SELECT a.id FROM accounts AS a WHERE a.id > $1 AND EXISTS (
			SELECT 1 FROM generations AS g WHERE g.account_id = a.id AND g.id < $2 AND g.state <> 0) ORDER BY a.id LIMIT $3`,
			last, string(elumenta.FirstGenerationID(since)), retireChunk)
		if err != nil {
			return err
		}
		return each(rows, func() error {
			var id string
			err := rows.Scan(&id)
			accounts = append(accounts, id)
			return err
		})
	})
	return accounts, err
}

// retireAccount removes an account's generations from before a moment, but for those that are open, that the rollups do not
// have yet or that an Idempotency-Key still names.
func (s *Store) retireAccount(ctx context.Context, account string, since time.Time) error {
	for ctx.Err() == nil {
		var removed int64
		if err := s.write(ctx, func(ctx context.Context, tx querier) (err error) {
			removed, err = affected(tx.ExecContext(ctx, `DELETE FROM generations WHERE account_id = $1 AND id IN (
				SELECT g.id FROM generations AS g WHERE g.account_id = $1 AND g.id < $2 AND g.state <> 0
				AND g.id NOT IN (SELECT p.generation_id FROM usage_notes AS p WHERE p.account_id = $1)
				AND NOT EXISTS (SELECT 1 FROM idempotency_keys AS i WHERE i.account_id = g.account_id AND i.hash = g.idempotency_hash
					AND i.resource_id = g.id AND i.expires_at > $3)
				ORDER BY g.id LIMIT $4)`,
				account, string(elumenta.FirstGenerationID(since)), micros(s.now()), retireChunk))
			return err
		}); err != nil || removed < retireChunk {
			return err
		}
	}
	return nil
}
