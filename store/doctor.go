package store

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/elumenta/elumenta"
)

// ClockDifference is how far the database's clock is ahead of this machine's; 0 for SQLite, which has none of its own.
func (s *Store) ClockDifference(ctx context.Context) (ahead time.Duration, err error) {
	if _, ok := s.engine.(*postgresEngine); !ok {
		return 0, nil
	}
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		var now time.Time
		before := time.Now()
		if err := q.QueryRowContext(ctx, `SELECT `+databaseNow).Scan(storedTime{&now}); err != nil {
			return fmt.Errorf("read the database's clock: %w", err)
		}
		ahead = now.Sub(before.Add(time.Since(before) / 2))
		return nil
	})
	return ahead, err
}

// AssistantsByModel counts assistants by the model of their newest version. It reads all of them.
func (s *Store) AssistantsByModel(ctx context.Context) (counts map[string]int64, err error) {
	counts = map[string]int64{}
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		rows, err := q.QueryContext(ctx, `SELECT v.model, count(*) FROM assistants AS a JOIN assistant_versions AS v ON v.assistant_id = a.id AND v.version = a.version GROUP BY v.model`)
		if err != nil {
			return fmt.Errorf("count assistants by model: %w", err)
		}
		return each(rows, func() error {
			var model string
			var n int64
			err := rows.Scan(&model, &n)
			counts[model] = n
			return err
		})
	})
	return counts, err
}

// HasAdmin reports whether an account is an admin and not suspended. Without one it reads all of them.
func (s *Store) HasAdmin(ctx context.Context) (has bool, err error) {
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		return q.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM accounts WHERE role = 'admin' AND suspended_at = 0)`).Scan(&has)
	})
	return has, err
}

// HasAssistant reports whether there is an assistant, whosever it is and whoever may use it.
func (s *Store) HasAssistant(ctx context.Context, id elumenta.AssistantID) (has bool, err error) {
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		return q.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM assistants WHERE id = $1)`, string(id)).Scan(&has)
	})
	return has, err
}

// RowsWith counts, in each table of a Postgres database, the rows that hold a text or its bytes. It reads all of them.
func (s *Store) RowsWith(ctx context.Context, text string) (found map[string]int64, err error) {
	found = map[string]int64{}
	var tables []string
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		rows, err := q.QueryContext(ctx, `SELECT quote_ident(table_name) FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`)
		if err != nil {
			return fmt.Errorf("list the tables: %w", err)
		}
		return each(rows, func() error {
			var name string
			err := rows.Scan(&name)
			tables = append(tables, name)
			return err
		})
	})
	for _, table := range tables {
		if err != nil {
			break
		}
		err = s.read(ctx, func(ctx context.Context, q querier) error {
			var n int64
			err := q.QueryRowContext(ctx, `SELECT count(*) FROM `+table+` AS r WHERE position($1 IN r::text) > 0 OR position($2 IN r::text) > 0`, // quoted by Postgres
				text, hex.EncodeToString([]byte(text))).Scan(&n)
			if n > 0 {
				found[table] = n
			}
			return err
		})
	}
	return found, err
}
