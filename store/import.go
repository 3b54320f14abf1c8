package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/elumenta/elumenta"
)

// ImportAssistant implements elumenta.AssistantStore. It is a creation, and refused as one would be.
func (s *Store) ImportAssistant(ctx context.Context, owner elumenta.AccountID, h *elumenta.History, idem *elumenta.Idempotency) (a *elumenta.Assistant, replayed bool, err error) {
	errs := h.Check()
	if len(errs) == 0 {
		for _, i := range h.Public() {
			s.denied().Check(&errs, fmt.Sprintf("versions[%d].name", i), h.Versions[i].Name)
		}
	}
	if err := errs.Err(); err != nil {
		return nil, false, err
	}
	stored := s.storedHistory(h)
	search := searchText(&stored.Newest().Fields)
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		id := elumenta.NewAssistantID()
		first, err := s.claim(ctx, tx, owner, "imports", idem, string(id))
		if err != nil {
			return err
		}
		if replayed = first != ""; replayed {
			a, err = newestAssistant(ctx, tx, owner, elumenta.AssistantID(first))
			return err
		}
		a, err = s.insertHistory(ctx, tx, owner, id, stored, search)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return a, replayed, nil
}

// storedHistory is a history as it is stored: what is published is public, and what is from the future is of now.
func (s *Store) storedHistory(h *elumenta.History) *elumenta.History {
	now := s.now()
	stored := &elumenta.History{Visibility: h.Visibility, Versions: slices.Clone(h.Versions)}
	for i := range stored.Versions {
		if v := &stored.Versions[i]; v.CreatedAt.After(now) {
			v.CreatedAt = time.Time{}
		}
	}
	if h.Visibility == elumenta.Marketplace {
		stored.Newest().Public = true
	}
	return stored
}

// newestAssistant reads the owner's assistant that an Idempotency-Key made, as it is now.
func newestAssistant(ctx context.Context, tx querier, owner elumenta.AccountID, id elumenta.AssistantID) (*elumenta.Assistant, error) {
	h, err := readHead(ctx, tx, owner, id, "")
	if elumenta.HasCode(err, elumenta.CodeNotFound) {
		return nil, elumenta.Errorf(elumenta.CodeConflict, "this Idempotency-Key made an assistant that has been deleted since: use a new key")
	}
	if err != nil {
		return nil, err
	}
	v, err := readVersion(ctx, tx, id, h.Version)
	if err != nil {
		return nil, err
	}
	a := h.assistant(v.Fields)
	return &a, nil
}

// insertHistory makes an assistant with its versions; one without a time is of now. search is the folded text of the newest.
func (s *Store) insertHistory(ctx context.Context, tx querier, owner elumenta.AccountID, id elumenta.AssistantID, h *elumenta.History, search string) (*elumenta.Assistant, error) {
	if err := s.lockStorage(ctx, tx, owner); err != nil {
		return nil, err
	}
	var suspended bool
	err := tx.QueryRowContext(ctx, `UPDATE accounts SET assistants = assistants + 1 WHERE id = $1 AND assistants < $2 RETURNING suspended_at <> 0`,
		string(owner), elumenta.MaxAssistants).Scan(&suspended)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, limitOrNotFound(ctx, tx, owner, "an account may have at most %d assistants: delete one first", elumenta.MaxAssistants)
	}
	if err != nil {
		return nil, err
	}
	rows, bytes, err := historyRows(h)
	if err != nil {
		return nil, err
	}
	if err := s.checkStorage(ctx, tx, owner, bytes); err != nil {
		return nil, err
	}
	now, newest := s.now(), h.Newest()
	a := &elumenta.Assistant{ID: id, Owner: owner, Visibility: h.Visibility, Version: newest.Version, Revision: 1, CreatedAt: now, UpdatedAt: now, Fields: newest.Fields}
	published, doc := h.Visibility == elumenta.Marketplace, int64(0)
	if len(h.Public()) > 0 { // what has public versions and is private now was published before
		if doc, err = newDocument(ctx, tx, now); err != nil {
			return nil, err
		}
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO assistants (id, account_id, version, versions, published, owner_suspended, category, search_text, sort_name, doc, revision, created_at, updated_at, bytes)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13)`,
		string(id), string(owner), a.Version, len(h.Versions), flag(published), flag(suspended), a.Category, search, elumenta.SortName(a.Name), doc, a.Revision, micros(now), bytes); err != nil {
		return nil, err
	}
	for i, row := range rows {
		v := &h.Versions[i]
		at := v.CreatedAt
		if at.IsZero() {
			at = now
		}
		if err := row.insert(ctx, tx, id, v.Version, at, v.Public); err != nil {
			return nil, err
		}
	}
	return a, s.recordPublished(ctx, a, h)
}

// historyRows are the versions as they are stored, and what their texts have together.
func historyRows(h *elumenta.History) (rows []*versionRow, bytes int64, err error) {
	for i := range h.Versions {
		row, err := newVersionRow(&h.Versions[i].Fields, h.Versions[i].Note)
		if err != nil {
			return nil, 0, err
		}
		rows, bytes = append(rows, row), bytes+row.bytes()
	}
	return rows, bytes, nil
}

// recordPublished notes in the audit trail what others may use of a new assistant. One that is private now, and has public
// versions, was published before.
func (s *Store) recordPublished(ctx context.Context, a *elumenta.Assistant, h *elumenta.History) error {
	public := h.Public()
	if len(public) == 0 {
		return nil
	}
	last := h.Versions[public[len(public)-1]].Version
	err := s.record(ctx, elumenta.AuditPublished, a.Owner, string(a.ID), auditDetails{"version": last})
	if err == nil && h.Visibility == elumenta.Private {
		err = s.record(ctx, elumenta.AuditUnpublished, a.Owner, string(a.ID), auditDetails{"version": a.Version})
	}
	return err
}
