package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"github.com/elumenta/elumenta"
)

const labelColumns = `l.label, l.split, l.updated_at`

func scanLabel(scan func(...any) error, also ...any) (*elumenta.Label, error) {
	var l elumenta.Label
	err := scan(append([]any{&l.Name, storedJSON{&l.Split}, storedTime{&l.UpdatedAt}}, also...)...)
	return &l, err
}

func readLabels(ctx context.Context, q querier, id elumenta.AssistantID) (labels []elumenta.Label, err error) {
	rows, err := q.QueryContext(ctx, `SELECT `+labelColumns+` FROM assistant_labels AS l WHERE l.assistant_id = $1 ORDER BY l.label`, string(id))
	if err != nil {
		return nil, err
	}
	err = each(rows, func() error {
		l, err := scanLabel(rows.Scan)
		labels = append(labels, *l)
		return err
	})
	return labels, err
}

// Labels implements elumenta.AssistantStore.
func (s *Store) Labels(ctx context.Context, owner elumenta.AccountID, id elumenta.AssistantID) (labels []elumenta.Label, err error) {
	err = s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		if _, err := readHead(ctx, q, owner, id, ""); err != nil {
			return err
		}
		labels, err = readLabels(ctx, q, id)
		return err
	})
	return labels, err
}

// ResolveLabel implements elumenta.Assistants.
func (s *Store) ResolveLabel(ctx context.Context, owner elumenta.AccountID, id elumenta.AssistantID, label string) (l *elumenta.Label, revision int64, err error) {
	err = s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		row := q.QueryRowContext(ctx, `SELECT `+labelColumns+`, a.revision FROM assistant_labels AS l JOIN assistants AS a ON a.id = l.assistant_id
			WHERE l.assistant_id = $1 AND l.label = $2 AND a.account_id = $3`, string(id), label, string(owner))
		l, err = scanLabel(row.Scan, &revision)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, elumenta.NotFound("assistant")
	}
	return l, revision, err
}

// SetLabel implements elumenta.AssistantStore. The assistant's revision changes with it, so that no node composes another request from what the
// label stood for.
func (s *Store) SetLabel(ctx context.Context, owner elumenta.AccountID, id elumenta.AssistantID, name string, split []elumenta.LabelShare) (set *elumenta.Label, err error) {
	split = slices.SortedFunc(slices.Values(split), func(a, b elumenta.LabelShare) int { return a.Version - b.Version })
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		if _, err := readHead(ctx, tx, owner, id, s.engine.forUpdate()); err != nil {
			return err
		}
		labels, err := readLabels(ctx, tx, id)
		if err != nil {
			return err
		}
		if len(labels) >= elumenta.MaxLabels && !slices.ContainsFunc(labels, func(l elumenta.Label) bool { return l.Name == name }) {
			return elumenta.Errorf(elumenta.CodeValidation, "an assistant may have at most %d labels: delete one first", elumenta.MaxLabels)
		}
		if err := versionsSaved(ctx, tx, id, split); err != nil {
			return err
		}
		set = &elumenta.Label{Name: name, Split: split, UpdatedAt: s.now()}
		text, err := json.Marshal(split)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO assistant_labels (assistant_id, label, split, updated_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (assistant_id, label) DO UPDATE SET split = excluded.split, updated_at = excluded.updated_at`,
			string(id), name, string(text), micros(set.UpdatedAt)); err != nil {
			return err
		}
		return touch(ctx, tx, id)
	})
	return set, err
}

// versionsSaved refuses a version that is not saved. It reads no texts: on SQLite other writes wait meanwhile.
func versionsSaved(ctx context.Context, q querier, id elumenta.AssistantID, split []elumenta.LabelShare) error {
	args := []any{string(id)}
	for _, share := range split {
		args = append(args, share.Version)
	}
	rows, err := q.QueryContext(ctx, `SELECT version FROM assistant_versions WHERE assistant_id = $1 AND version IN (`+placeholders(2, len(split))+`)`, args...)
	if err != nil {
		return err
	}
	saved := map[int]bool{}
	if err := each(rows, func() error {
		var version int
		err := rows.Scan(&version)
		saved[version] = true
		return err
	}); err != nil {
		return err
	}
	for _, share := range split {
		if !saved[share.Version] {
			var errs elumenta.FieldErrors
			errs.Add("version", "%d is not saved: GET the versions to see which are", share.Version)
			return errs.Err()
		}
	}
	return nil
}

// DeleteLabel implements elumenta.AssistantStore.
func (s *Store) DeleteLabel(ctx context.Context, owner elumenta.AccountID, id elumenta.AssistantID, name string) error {
	return s.write(ctx, func(ctx context.Context, tx querier) error {
		if _, err := readHead(ctx, tx, owner, id, s.engine.forUpdate()); err != nil {
			return err
		}
		gone, err := affected(tx.ExecContext(ctx, `DELETE FROM assistant_labels WHERE assistant_id = $1 AND label = $2`, string(id), name))
		if err == nil && gone == 0 {
			err = elumenta.NotFound("label")
		}
		if err != nil {
			return err
		}
		return touch(ctx, tx, id)
	})
}

// touch makes every copy of an assistant stale.
func touch(ctx context.Context, tx querier, id elumenta.AssistantID) error {
	_, err := tx.ExecContext(ctx, `UPDATE assistants SET revision = revision + 1 WHERE id = $1`, string(id))
	return err
}

// notLabelled refuses to take a version away that a label stands for.
func notLabelled(ctx context.Context, q querier, id elumenta.AssistantID, version int) error {
	labels, err := readLabels(ctx, q, id)
	if err != nil {
		return err
	}
	for _, l := range labels {
		if slices.ContainsFunc(l.Split, func(s elumenta.LabelShare) bool { return s.Version == version }) {
			return elumenta.Errorf(elumenta.CodeConflict, "the label %s stands for version %d: move or delete the label first", l.Name, version)
		}
	}
	return nil
}
