package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/elumenta/elumenta"
)

var _ elumenta.AssistantStore = (*Store)(nil)

// maxFilter bounds a folded text filter, in bytes: nothing longer is contained in a name and a description, and SQLite
// takes patterns of at most 50,000 bytes (https://www.sqlite.org/limits.html).
const maxFilter = 20_000

// CreateAssistant implements elumenta.AssistantStore. An account that has elumenta.MaxAssistants, or no room, is a CodeValidation error.
func (s *Store) CreateAssistant(ctx context.Context, owner elumenta.AccountID, f elumenta.Fields, v elumenta.Visibility, idem *elumenta.Idempotency) (a *elumenta.Assistant, replayed bool, err error) {
	if err := s.check(&f, v); err != nil {
		return nil, false, err
	}
	search := searchText(&f)
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		id := elumenta.NewAssistantID()
		first, err := s.claim(ctx, tx, owner, "assistants", idem, string(id))
		if err != nil {
			return err
		}
		if replayed = first != ""; replayed {
			a, err = replayAssistant(ctx, tx, owner, elumenta.AssistantID(first))
			return err
		}
		a, err = s.insertAssistant(ctx, tx, owner, id, f, v, search)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return a, replayed, nil
}

func (s *Store) insertAssistant(ctx context.Context, tx querier, owner elumenta.AccountID, id elumenta.AssistantID, f elumenta.Fields, v elumenta.Visibility, search string) (*elumenta.Assistant, error) {
	version := elumenta.Version{Version: 1, Public: v == elumenta.Marketplace, Fields: f}
	return s.insertHistory(ctx, tx, owner, id, &elumenta.History{Visibility: v, Versions: []elumenta.Version{version}}, search)
}

// replayAssistant returns version 1 as it was made.
func replayAssistant(ctx context.Context, tx querier, owner elumenta.AccountID, id elumenta.AssistantID) (*elumenta.Assistant, error) {
	h, err := readHead(ctx, tx, owner, id, "")
	var v *elumenta.Version
	if err == nil {
		v, err = readVersion(ctx, tx, id, 1)
	}
	if elumenta.HasCode(err, elumenta.CodeNotFound) {
		return nil, elumenta.Errorf(elumenta.CodeConflict, "this Idempotency-Key made an assistant, or a version, that has been deleted since: use a new key")
	}
	if err != nil {
		return nil, err
	}
	// A version is public from its beginning or never.
	a := &elumenta.Assistant{ID: id, Owner: owner, Visibility: visibility(v.Public), Version: 1, Revision: h.Revision,
		CreatedAt: v.CreatedAt, UpdatedAt: v.CreatedAt, Fields: v.Fields}
	return a, nil
}

// Assistant implements elumenta.AssistantStore.
func (s *Store) Assistant(ctx context.Context, owner elumenta.AccountID, id elumenta.AssistantID) (*elumenta.Assistant, error) {
	var h head
	var f elumenta.Fields
	err := s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		return q.QueryRowContext(ctx, `SELECT `+headColumns+`, `+fieldColumns+`
			FROM assistants a JOIN assistant_versions v ON v.assistant_id = a.id AND v.version = a.version
			WHERE a.id = $1 AND a.account_id = $2`, string(id), string(owner)).Scan(append(h.fields(), scanFields(&f)...)...)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, elumenta.NotFound("assistant")
	}
	if err != nil {
		return nil, err
	}
	a := h.assistant(f)
	return &a, nil
}

// Assistants implements elumenta.AssistantStore.
func (s *Store) Assistants(ctx context.Context, owner elumenta.AccountID, query elumenta.ListQuery) (items []elumenta.Assistant, more bool, err error) {
	folded := elumenta.Fold(query.Text)
	if len(folded) > maxFilter {
		return nil, false, nil
	}
	filter, args := "", []any{string(owner), below(string(query.Before)), query.Limit + 1}
	if folded != "" {
		filter, args = `AND a.search_text LIKE $4 ESCAPE '\'`, append(args, likePattern(folded))
	}
	var full bool
	err = s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		items = nil
		var read paged
		rows, err := q.QueryContext(ctx, `SELECT `+headColumns+`, `+fieldColumns+`
			FROM assistants a JOIN assistant_versions v ON v.assistant_id = a.id AND v.version = a.version
			WHERE a.account_id = $1 AND a.id < $2 `+filter+` ORDER BY a.id DESC LIMIT $3`, args...)
		if err != nil {
			return err
		}
		full, err = cut(each(rows, func() error {
			var h head
			var f elumenta.Fields
			if err := rows.Scan(append(h.fields(), scanFields(&f)...)...); err != nil {
				return err
			}
			if !read.fits(fieldsBytes(&f)) {
				return errPageFull
			}
			items = append(items, h.assistant(f))
			return nil
		}))
		return err
	})
	items, more = page(items, query.Limit)
	return items, more || full, err
}

// AssistantNames implements elumenta.AssistantStore. It reads no instructions.
func (s *Store) AssistantNames(ctx context.Context, owner elumenta.AccountID, only []elumenta.AssistantID, limit int) (names []elumenta.AssistantName, err error) {
	filter, args := "", []any{string(owner), limit}
	if len(only) > 0 {
		filter = ` AND a.id IN (` + placeholders(len(args)+1, len(only)) + `)`
		for _, id := range only {
			args = append(args, string(id))
		}
	}
	err = s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		names = nil
		rows, err := q.QueryContext(ctx, `SELECT a.id, v.name, a.created_at
			FROM assistants a JOIN assistant_versions v ON v.assistant_id = a.id AND v.version = a.version
			WHERE a.account_id = $1`+filter+` ORDER BY a.id DESC LIMIT $2`, args...)
		if err != nil {
			return err
		}
		return each(rows, func() error {
			var n elumenta.AssistantName
			err := rows.Scan(&n.ID, &n.Name, storedTime{&n.CreatedAt})
			names = append(names, n)
			return err
		})
	})
	return names, err
}

// UpdateAssistant implements elumenta.AssistantStore. A change of an assistant that has elumenta.MaxVersions is a
// CodeValidation error, unless it changes its visibility alone; one that its account has no room for is one unless it unpublishes alone.
func (s *Store) UpdateAssistant(ctx context.Context, owner elumenta.AccountID, id elumenta.AssistantID, ifMatch int, p *elumenta.Patch) (updated *elumenta.Assistant, err error) {
	var errs elumenta.FieldErrors
	elumenta.CheckText(&errs, "note", p.Note, 0, elumenta.MaxNote)
	if err := errs.Err(); err != nil {
		return nil, err
	}
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		if err := s.lockStorage(ctx, tx, owner); err != nil {
			return err
		}
		h, err := s.headToChange(ctx, tx, owner, id, ifMatch)
		if err != nil {
			return err
		}
		newest, err := readVersion(ctx, tx, id, h.Version)
		if err != nil {
			return fmt.Errorf("the newest version: %w", err)
		}
		fields, v, changed := p.Apply(newest.Fields, visibility(h.published))
		if changed {
			err = s.save(ctx, tx, h, &newest.Fields, fields, v, p.Note)
		}
		a := h.assistant(fields)
		updated = &a
		return err
	})
	if err != nil {
		return nil, err
	}
	return updated, nil
}

// check gathers everything that is wrong with the fields of a version, but for its model. Names are checked when others see them.
func (s *Store) check(f *elumenta.Fields, v elumenta.Visibility) error {
	errs := f.Check(v)
	if v == elumenta.Marketplace {
		s.denied().Check(&errs, "name", f.Name)
	}
	return errs.Err()
}

// save makes a version the newest. With the fields that are the newest by now, a change of visibility alone is told from others: it may
// go beyond elumenta.MaxVersions, and to unpublish beyond what an account may store, since nobody should have to withdraw something before
// they may unpublish.
func (s *Store) save(ctx context.Context, tx querier, h *head, newest *elumenta.Fields, f elumenta.Fields, v elumenta.Visibility, note string) error {
	if err := s.check(&f, v); err != nil {
		return err
	}
	if t := h.takeDown(); t != nil && v == elumenta.Marketplace {
		return t.Refusal()
	}
	visibilityAlone := newest != nil && newest.Equal(f)
	if h.versions >= elumenta.MaxVersions && !visibilityAlone {
		return elumenta.Errorf(elumenta.CodeValidation, "an assistant may have at most %d versions: withdraw one first", elumenta.MaxVersions)
	}
	row, err := newVersionRow(&f, note)
	if err != nil {
		return err
	}
	if !visibilityAlone || v == elumenta.Marketplace {
		if err := s.checkStorage(ctx, tx, h.Owner, row.bytes()); err != nil {
			return err
		}
	}
	before := visibility(h.published)
	if err := s.saveVersion(ctx, tx, h, row, v); err != nil || v == before {
		return err
	}
	action := elumenta.AuditUnpublished
	if h.published {
		action = elumenta.AuditPublished
	}
	return s.record(ctx, action, h.Owner, string(h.ID), auditDetails{"version": h.Version})
}

func (s *Store) saveVersion(ctx context.Context, tx querier, h *head, row *versionRow, v elumenta.Visibility) error {
	h.Version++
	h.Revision++
	was := h.published
	h.published = v == elumenta.Marketplace
	h.UpdatedAt = s.now()
	var err error
	switch {
	case h.published && h.doc == 0:
		h.doc, err = newDocument(ctx, tx, h.UpdatedAt)
	case was || h.published:
		err = noteListing(ctx, tx, h.doc, h.UpdatedAt)
	}
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE assistants SET version = $2, versions = versions + 1, published = $3, category = $4, search_text = $5,
		sort_name = $6, doc = $7, revision = $8, updated_at = $9, bytes = bytes + $10 WHERE id = $1`,
		string(h.ID), h.Version, flag(h.published), row.Category, searchText(&row.Fields), elumenta.SortName(row.Name), h.doc, h.Revision, micros(h.UpdatedAt),
		row.bytes()); err != nil {
		return err
	}
	return row.insert(ctx, tx, h.ID, h.Version, h.UpdatedAt, h.published)
}

// headToChange locks an assistant. Another newest version than ifMatch, unless that is 0, is CodeVersionConflict.
func (s *Store) headToChange(ctx context.Context, tx querier, owner elumenta.AccountID, id elumenta.AssistantID, ifMatch int) (*head, error) {
	h, err := readHead(ctx, tx, owner, id, s.engine.forUpdate())
	if err == nil && ifMatch != 0 && ifMatch != h.Version {
		err = elumenta.Errorf(elumenta.CodeVersionConflict, "the newest version is %d, not %d: read it, and repeat your change on it", h.Version, ifMatch)
	}
	return h, err
}

// DeleteAssistant implements elumenta.AssistantStore. Versions that are too much for one transaction are left to removeDeleted. The rows are
// overwritten; see Checkpoint for the file.
func (s *Store) DeleteAssistant(ctx context.Context, owner elumenta.AccountID, id elumenta.AssistantID, ifMatch int) error {
	return s.write(ctx, func(ctx context.Context, tx querier) error {
		// The account first, as everywhere, so that two writes never wait for each other.
		if _, err := tx.ExecContext(ctx, `UPDATE accounts SET assistants = assistants - 1 WHERE id = $1 AND assistants > 0`, string(owner)); err != nil {
			return err
		}
		h, err := s.headToChange(ctx, tx, owner, id, ifMatch)
		if err != nil {
			return err
		}
		if h.published {
			if err := noteListing(ctx, tx, h.doc, s.now()); err != nil {
				return err
			}
		}
		left, err := removeVersions(ctx, tx, id)
		if err != nil {
			return err
		}
		if left {
			if _, err := tx.ExecContext(ctx, `INSERT INTO deleted_assistants (id) VALUES ($1)`, string(id)); err != nil {
				return err
			}
		}
		for _, table := range []string{"reports", "assistant_labels"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE assistant_id = $1`, string(id)); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM assistants WHERE id = $1`, string(id)); err != nil {
			return err
		}
		return s.record(ctx, elumenta.AuditDeleted, owner, string(id), nil)
	})
}

// Versions implements elumenta.AssistantStore.
func (s *Store) Versions(ctx context.Context, owner elumenta.AccountID, id elumenta.AssistantID, before, limit int) (items []elumenta.Version, more bool, err error) {
	if before == 0 {
		before = 1 << 31
	}
	var full bool
	err = s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		items = nil
		var read paged
		if _, err := readHead(ctx, q, owner, id, ""); err != nil {
			return err
		}
		rows, err := q.QueryContext(ctx, `SELECT `+versionColumns+` FROM assistant_versions v
			WHERE v.assistant_id = $1 AND v.version < $2 ORDER BY v.version DESC LIMIT $3`, string(id), before, limit+1)
		if err != nil {
			return err
		}
		full, err = cut(each(rows, func() error {
			var v elumenta.Version
			if err := rows.Scan(versionFields(&v)...); err != nil {
				return err
			}
			if !read.fits(fieldsBytes(&v.Fields)) {
				return errPageFull
			}
			items = append(items, v)
			return nil
		}))
		return err
	})
	items, more = page(items, limit)
	return items, more || full, err
}

// RestoreVersion implements elumenta.AssistantStore. Restoring the newest changes nothing, and makes no version.
func (s *Store) RestoreVersion(ctx context.Context, owner elumenta.AccountID, id elumenta.AssistantID, ifMatch, version int) (restored *elumenta.Assistant, err error) {
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		if err := s.lockStorage(ctx, tx, owner); err != nil {
			return err
		}
		h, err := s.headToChange(ctx, tx, owner, id, ifMatch)
		if err != nil {
			return err
		}
		v, err := readVersion(ctx, tx, id, version)
		if err != nil {
			return err
		}
		if version != h.Version {
			err = s.save(ctx, tx, h, nil, v.Fields, visibility(h.published), fmt.Sprintf("restored from version %d", version))
		}
		a := h.assistant(v.Fields)
		restored = &a
		return err
	})
	if err != nil {
		return nil, err
	}
	return restored, nil
}

// WithdrawVersion implements elumenta.AssistantStore. The newest version cannot be withdrawn: CodeValidation.
func (s *Store) WithdrawVersion(ctx context.Context, owner elumenta.AccountID, id elumenta.AssistantID, version int) error {
	return s.write(ctx, func(ctx context.Context, tx querier) error {
		h, err := readHead(ctx, tx, owner, id, s.engine.forUpdate())
		if err != nil {
			return err
		}
		if version == h.Version {
			return elumenta.Errorf(elumenta.CodeValidation, "version %d is the newest and cannot be withdrawn: save or restore another one first, or delete the assistant", version)
		}
		if err := notLabelled(ctx, tx, id, version); err != nil {
			return err
		}
		gone, err := affected(tx.ExecContext(ctx, `DELETE FROM assistant_versions WHERE assistant_id = $1 AND version = $2`, string(id), version))
		if err == nil && gone == 0 {
			err = elumenta.NotFound("version")
		}
		if err != nil {
			return err
		}
		// Counted anew, since an older program, which counts nothing, may have saved on in the newer schema.
		_, err = tx.ExecContext(ctx, `UPDATE assistants SET versions = versions - 1, revision = revision + 1,
			bytes = (SELECT sum(`+versionBytes+`) FROM assistant_versions WHERE assistant_id = $1) WHERE id = $1`, string(id))
		return err
	})
}
