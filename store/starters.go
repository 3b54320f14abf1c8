package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/elumenta/elumenta"
)

// publishedStarters is what a setting keeps of the starters: which were ever published, so that one that was deleted does not come
// back, and what they were, so that an unchanged set costs one read. Denied are the names of those that were left out.
type publishedStarters struct {
	Digest string                 `json:"digest"`
	IDs    []elumenta.AssistantID `json:"ids"`
	Denied []string               `json:"denied,omitempty"`
}

// PublishStarters publishes the starters that were never published, and brings the others up to date. What an operator took down stays
// private until it is allowed again, what was deleted stays so, and names that are denied are left out until they
// are not denied any more. While the built-in author is suspended nothing of it is listed. Of several processes that start at once one does it.
func (s *Store) PublishStarters(ctx context.Context, set elumenta.StarterSet, o elumenta.StarterOptions) error {
	var before publishedStarters
	if err := s.readUnlogged(ctx, before.load); err != nil {
		return err
	}
	if s.haveStarters(&before, &set) || before.Digest != "" && o.Keep {
		return nil
	}
	return s.write(ctx, func(ctx context.Context, tx querier) error {
		if err := lockAccounts(ctx, tx); err != nil {
			return err
		}
		var known publishedStarters
		if err := known.load(ctx, tx); err != nil || s.haveStarters(&known, &set) {
			return err
		}
		if err := s.makeStarterAuthor(ctx, tx); err != nil {
			return err
		}
		models, err := starterModels(ctx, tx)
		if err != nil {
			return err
		}
		starters, err := set.Load(models)
		if err != nil {
			return err
		}
		known.Digest, known.Denied = set.Digest, nil
		for i := range starters {
			if err := s.publishStarter(ctx, tx, &starters[i], &known, o.Note); err != nil {
				return fmt.Errorf("starter %q: %w", starters[i].Name, err)
			}
		}
		return known.save(ctx, tx)
	})
}

// haveStarters reports whether a set is published, but for what is still denied.
func (s *Store) haveStarters(p *publishedStarters, set *elumenta.StarterSet) bool {
	return p.Digest == set.Digest && !slices.ContainsFunc(p.Denied, func(name string) bool { return !s.deniesName(name) })
}

func (s *Store) deniesName(name string) bool {
	var errs elumenta.FieldErrors
	s.denied().Check(&errs, "name", name)
	return len(errs) > 0
}

func (p *publishedStarters) load(ctx context.Context, q querier) error {
	*p = publishedStarters{}
	var value []byte
	err := q.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = 'starters'`).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(value, p)
}

func (p *publishedStarters) save(ctx context.Context, tx querier) error {
	value, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ('starters', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, value)
	return err
}

// makeStarterAuthor makes the built-in account, on a plan without limits if there is one.
func (s *Store) makeStarterAuthor(ctx context.Context, tx querier) error {
	var there bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM accounts WHERE id = $1)`, string(elumenta.StarterAuthor)).Scan(&there)
	if err != nil || there {
		return err
	}
	plans := s.plans()
	plan := plans[0]
	if i := slices.IndexFunc(plans, func(p elumenta.Plan) bool { return p.Unlimited }); i >= 0 {
		plan = plans[i]
	}
	return s.insertAccount(ctx, tx, &account{Account: elumenta.Account{
		ID: elumenta.StarterAuthor, DisplayName: elumenta.StarterAuthorName, Role: elumenta.RoleUser, Plan: plan.Name,
	}})
}

// starterModels reads which models the starters have.
func starterModels(ctx context.Context, tx querier) (map[elumenta.AssistantID]string, error) {
	models := map[elumenta.AssistantID]string{}
	rows, err := tx.QueryContext(ctx, `SELECT a.id, v.model FROM assistants a JOIN assistant_versions v ON v.assistant_id = a.id AND v.version = a.version
		WHERE a.account_id = $1`, string(elumenta.StarterAuthor))
	if err != nil {
		return nil, err
	}
	return models, each(rows, func() error {
		var id elumenta.AssistantID
		var model string
		err := rows.Scan(&id, &model)
		models[id] = model
		return err
	})
}

func (s *Store) publishStarter(ctx context.Context, tx querier, starter *elumenta.Starter, known *publishedStarters, note string) error {
	if s.deniesName(starter.Name) {
		known.Denied = append(known.Denied, starter.Name)
		return nil
	}
	h, err := readAnyHead(ctx, tx, starter.ID, s.engine.forUpdate())
	if elumenta.HasCode(err, elumenta.CodeNotFound) {
		if slices.Contains(known.IDs, starter.ID) {
			return nil // deleted since
		}
		known.IDs = append(known.IDs, starter.ID)
		if err := starter.Check(elumenta.Marketplace).Err(); err != nil {
			return err
		}
		_, err = s.insertAssistant(ctx, tx, elumenta.StarterAuthor, starter.ID, starter.Fields, elumenta.Marketplace, searchText(&starter.Fields))
		return err
	}
	if err != nil || h.Owner != elumenta.StarterAuthor {
		return err
	}
	v := elumenta.Marketplace
	if h.takeDown() != nil {
		v = elumenta.Private // brought up to date, so that it is when it is allowed again
	}
	newest, err := readVersion(ctx, tx, starter.ID, h.Version)
	if err != nil {
		return err
	}
	same := newest.Equal(starter.Fields)
	if same && v == visibility(h.published) || !same && h.versions >= elumenta.MaxVersions {
		return nil
	}
	return s.save(ctx, tx, h, &newest.Fields, starter.Fields, v, note)
}

// allowedVisibility is that of an assistant that an operator allows again: its author publishes it, but nobody acts for the built-in
// one, whose starters go back by themselves.
func (s *Store) allowedVisibility(h *head, f *elumenta.Fields) elumenta.Visibility {
	if h.Owner != elumenta.StarterAuthor || s.check(f, elumenta.Marketplace) != nil {
		return elumenta.Private
	}
	return elumenta.Marketplace
}

// refuseStarterAuthor is for what would let somebody act as the built-in author; why ends the message.
func refuseStarterAuthor(id elumenta.AccountID, why string) error {
	if id != elumenta.StarterAuthor {
		return nil
	}
	return elumenta.Errorf(elumenta.CodeConflict, "this account is the built-in author of the starter assistants, which nobody acts for: %s", why)
}
