package store

import (
	"context"
	"fmt"

	"github.com/elumenta/elumenta"
)

// The lines that an author finds among the versions.
const (
	takenDownNote = "unpublished by an operator"
	allowedNote   = "publishing allowed by an operator"
)

// Unpublish implements elumenta.Operators. It makes a private version, so that whoever has read the assistant sees that it
// has changed.
func (s *Store) Unpublish(ctx context.Context, id elumenta.AssistantID, reason string) error {
	var errs elumenta.FieldErrors
	elumenta.CheckReason(&errs, reason, 1)
	if err := errs.Err(); err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx querier) error {
		h, err := readAnyHead(ctx, tx, id, s.engine.forUpdate())
		if err != nil {
			return err
		}
		hidden, err := affected(tx.ExecContext(ctx, `UPDATE assistant_versions SET public = 0 WHERE assistant_id = $1 AND public = 1`, string(id)))
		if err != nil {
			return err
		}
		upheld, err := s.decideReports(ctx, tx, id, elumenta.ReportUpheld)
		if err != nil {
			return err
		}
		if hidden == 0 && upheld == 0 && !h.published {
			return elumenta.NotFound("published or reported assistant")
		}
		if err := s.setTakenDown(ctx, tx, h, &elumenta.TakeDown{Reason: reason, At: s.now()}, takenDownNote); err != nil {
			return err
		}
		return s.record(ctx, elumenta.AuditTakenDown, h.Owner, string(id), auditDetails{"version": h.Version, "reports": upheld}.because(reason))
	})
}

// AllowAssistant implements elumenta.Operators. It makes a version, as Unpublish does, which is public if it is one of a starter.
func (s *Store) AllowAssistant(ctx context.Context, id elumenta.AssistantID, reason string) error {
	var errs elumenta.FieldErrors
	elumenta.CheckReason(&errs, reason, 0)
	if err := errs.Err(); err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx querier) error {
		h, err := readAnyHead(ctx, tx, id, s.engine.forUpdate())
		if err != nil {
			return err
		}
		if h.takeDown() == nil {
			return elumenta.NotFound("taken-down assistant")
		}
		if err := s.setTakenDown(ctx, tx, h, &elumenta.TakeDown{}, allowedNote); err != nil {
			return err
		}
		if h.published {
			if err := s.record(ctx, elumenta.AuditPublished, h.Owner, string(id), auditDetails{"version": h.Version}); err != nil {
				return err
			}
		}
		return s.record(ctx, elumenta.AuditAllowed, h.Owner, string(id), auditDetails{"version": h.Version}.because(reason))
	})
}

// setTakenDown makes the newest version anew, private; the zero TakeDown bars nothing, and a starter is public then.
func (s *Store) setTakenDown(ctx context.Context, tx querier, h *head, t *elumenta.TakeDown, note string) error {
	newest, err := readVersion(ctx, tx, h.ID, h.Version)
	if err != nil {
		return err
	}
	v := elumenta.Private
	if t.At.IsZero() {
		v = s.allowedVisibility(h, &newest.Fields)
	}
	row, err := newVersionRow(&newest.Fields, note)
	if err != nil {
		return err
	}
	if err := s.saveVersion(ctx, tx, h, row, v); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE assistants SET taken_down_at = $2, taken_down_reason = $3 WHERE id = $1`, string(h.ID), micros(t.At), t.Reason)
	return err
}

// ReviewAssistant implements elumenta.Operators. Who reads it is recorded in the same commit, or nothing is read.
func (s *Store) ReviewAssistant(ctx context.Context, id elumenta.AssistantID, version int) (r *elumenta.Reviewed, err error) {
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		h, err := readAnyHead(ctx, tx, id, "")
		if err != nil {
			return err
		}
		var author string
		var cause bool
		if err := tx.QueryRowContext(ctx, `SELECT display_name,
			EXISTS (SELECT 1 FROM assistant_versions WHERE assistant_id = $2 AND public = 1) OR EXISTS (SELECT 1 FROM reports WHERE assistant_id = $2)
			FROM accounts WHERE id = $1`, string(h.Owner), string(id)).Scan(&author, &cause); err != nil {
			return err
		}
		if !cause && h.doc == 0 && h.takeDown() == nil { // what was ever public has a document
			return elumenta.NotFound("published or reported assistant")
		}
		n := version
		if n == 0 {
			n = h.Version
		}
		v, err := readVersion(ctx, tx, id, n)
		if err != nil {
			return err
		}
		r = &elumenta.Reviewed{Assistant: h.assistant(v.Fields), Author: author, Newest: h.Version, Public: v.Public}
		r.Version = v.Version
		return s.record(ctx, elumenta.AuditRead, h.Owner, string(id), auditDetails{"version": v.Version})
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// CopyAssistant implements elumenta.AssistantStore.
func (s *Store) CopyAssistant(ctx context.Context, owner elumenta.AccountID, ref elumenta.AssistantRef, name string, idem *elumenta.Idempotency) (a *elumenta.Assistant, replayed bool, err error) {
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		id := elumenta.NewAssistantID()
		first, err := s.claim(ctx, tx, owner, "copies", idem, string(id))
		if err != nil {
			return err
		}
		if replayed = first != ""; replayed {
			a, err = replayAssistant(ctx, tx, owner, elumenta.AssistantID(first))
			return err
		}
		f, err := fieldsToCopy(ctx, tx, owner, ref)
		if err != nil {
			return err
		}
		if name != "" {
			f.Name = name
		}
		if err := f.Check(elumenta.Private).Err(); err != nil {
			return err
		}
		a, err = s.insertAssistant(ctx, tx, owner, id, *f, elumenta.Private, searchText(f))
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return a, replayed, nil
}

// fieldsToCopy reads a version that the viewer may use: the newest is public while the assistant is published.
func fieldsToCopy(ctx context.Context, tx querier, viewer elumenta.AccountID, ref elumenta.AssistantRef) (*elumenta.Fields, error) {
	h, err := readAnyHead(ctx, tx, ref.ID, "")
	if err != nil {
		return nil, err
	}
	if ref.Version == 0 {
		ref.Version = h.Version
	}
	v, err := readVersion(ctx, tx, ref.ID, ref.Version)
	own := h.Owner == viewer
	switch {
	case err != nil && (own || !elumenta.HasCode(err, elumenta.CodeNotFound)):
		return nil, err
	case err != nil || !own && (!v.Public || h.ownerSuspended):
		return nil, elumenta.NotFound("assistant")
	case !own && !v.Copyable:
		return nil, elumenta.Errorf(elumenta.CodeForbidden, "the author keeps the instructions of this assistant to themselves: use it by its id")
	}
	f := v.Fields
	f.Copyable = false
	f.Metadata = map[string]string{elumenta.MetadataCopiedFrom: fmt.Sprintf("%s@%d", ref.ID, ref.Version)}
	return &f, nil
}
