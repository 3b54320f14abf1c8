package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/elumenta/elumenta"
)

var _ elumenta.Accounts = (*Store)(nil)

// Authenticate implements elumenta.Accounts.
func (s *Store) Authenticate(ctx context.Context, hash elumenta.KeyHash) (*elumenta.Caller, error) {
	var key elumenta.Key
	var a account
	err := s.readNearly(ctx, func(ctx context.Context, q querier) error {
		return q.QueryRowContext(ctx, `SELECT `+keyColumns+`, `+accountColumns+` FROM keys JOIN accounts ON accounts.id = keys.account_id
			WHERE keys.hash = $1`, hash[:]).Scan(append(keyFields(&key), a.fields()...)...)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, elumenta.Errorf(elumenta.CodeNotAuthenticated, "the API key is unknown or was revoked")
	case err != nil:
		return nil, err
	}
	now := s.now()
	switch {
	case key.Expired(now):
		return nil, elumenta.KeyExpired()
	case a.Suspended:
		return nil, elumenta.Errorf(elumenta.CodeAccountSuspended, "an operator suspended this account")
	}
	a.Advance(s.plans(), now)
	s.touchKey(key.ID, now)
	return &elumenta.Caller{Key: key, Account: a.Account}, nil
}

// Account implements elumenta.Accounts.
func (s *Store) Account(ctx context.Context, id elumenta.AccountID) (*elumenta.Account, error) {
	var a account
	err := s.read(ctx, func(ctx context.Context, q querier) error {
		return q.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM accounts WHERE id = $1`, string(id)).Scan(a.fields()...)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, elumenta.NotFound("account")
	}
	if err != nil {
		return nil, err
	}
	a.Advance(s.plans(), s.now())
	return &a.Account, nil
}

// Bootstrap makes the first account, with a key, if there is no account at all. Of several processes that start at once
// one does, and created is true for that one.
func (s *Store) Bootstrap(ctx context.Context, secret elumenta.KeySecret, n elumenta.NewAccount, keyName string) (created bool, err error) {
	a, err := s.newAccount(n)
	if err != nil {
		return false, err
	}
	key := elumenta.NewKey{Name: keyName}
	if err := key.Check(s.now()).Err(); err != nil {
		return false, err
	}
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		created = false
		if err := lockAccounts(ctx, tx); err != nil {
			return err
		}
		var some bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM accounts WHERE id <> $1)`, string(elumenta.StarterAuthor)).Scan(&some); err != nil || some {
			return err
		}
		first := *a
		if err := s.insertAccount(ctx, tx, &first); err != nil {
			return err
		}
		created = true
		_, err := s.insertKey(ctx, tx, first.ID, &key, secret, elumenta.NewKeyID())
		return err
	})
	return created && err == nil, err
}

// lockAccounts lets accounts be made, and admins be unmade, by one transaction at a time. It comes before other locks.
func lockAccounts(ctx context.Context, tx querier) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ('accounts_lock', $1)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, []byte{1})
	return err
}

func (s *Store) newAccount(n elumenta.NewAccount) (*account, error) {
	if err := n.Check(s.plans()).Err(); err != nil {
		return nil, err
	}
	if n.Role == "" {
		n.Role = elumenta.RoleUser
	}
	return &account{Account: elumenta.Account{ID: elumenta.NewAccountID(), DisplayName: n.DisplayName, Role: n.Role, Plan: n.Plan}}, nil
}

func (s *Store) insertAccount(ctx context.Context, tx querier, a *account) error {
	plan, ok := s.plans().Get(a.Plan)
	if !ok { // a reload has just removed it
		return elumenta.PlanGone(a.Plan)
	}
	a.CreatedAt = s.now()
	entries := a.StartPlan(plan, a.CreatedAt, time.Time{})
	if _, err := tx.ExecContext(ctx, `INSERT INTO accounts (id, display_name, search_text, role, plan, plan_started, revision, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		string(a.ID), a.DisplayName, elumenta.Fold(a.DisplayName), string(a.Role), a.Plan, micros(a.PlanStarted), a.Revision, micros(a.CreatedAt)); err != nil {
		return err
	}
	if err := saveAccount(ctx, tx, a, byActor(ctx, entries)); err != nil {
		return err
	}
	return s.record(ctx, elumenta.AuditAccountCreated, a.ID, string(a.ID), auditDetails{"plan": a.Plan, "role": a.Role})
}

// changed is what a change did to an account: entries for its journal, and what is to be recorded.
type changed struct {
	entries []elumenta.Entry
	records []auditRecord
}

// auditRecord is an entry of the audit trail about the account itself.
type auditRecord struct {
	action  elumenta.AuditAction
	details auditDetails
}

func (c *changed) record(action elumenta.AuditAction, d auditDetails) {
	c.records = append(c.records, auditRecord{action, d})
}

// change applies f to an account that was brought to this moment, and saves it with what f says, in the actor's name.
func (s *Store) change(ctx context.Context, tx querier, id elumenta.AccountID, f func(ctx context.Context, tx querier, a *account, c *changed) error) (*elumenta.Account, error) {
	a, err := s.lockAccount(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	entries, _ := a.Advance(s.plans(), s.now())
	var c changed
	if err := f(ctx, tx, a, &c); err != nil {
		return nil, err
	}
	if err := saveAccount(ctx, tx, a, append(entries, byActor(ctx, c.entries)...)); err != nil {
		return nil, err
	}
	return &a.Account, s.recordAll(ctx, id, c.records)
}

func (s *Store) recordAll(ctx context.Context, id elumenta.AccountID, records []auditRecord) error {
	for _, r := range records {
		if err := s.record(ctx, r.action, id, string(id), r.details); err != nil {
			return err
		}
	}
	return nil
}

// byActor says in a journal's entries who moved the tokens.
func byActor(ctx context.Context, entries []elumenta.Entry) []elumenta.Entry {
	for i := range entries {
		entries[i].Actor = elumenta.ActorOf(ctx).String()
	}
	return entries
}

// SetDisplayName implements elumenta.Accounts. Operators, who use ChangeAccount, may give any name.
func (s *Store) SetDisplayName(ctx context.Context, id elumenta.AccountID, name string) (*elumenta.Account, error) {
	var errs elumenta.FieldErrors
	s.denied().Check(&errs, "display_name", name)
	if err := errs.Err(); err != nil {
		return nil, err
	}
	return s.ChangeAccount(ctx, id, &elumenta.AccountPatch{DisplayName: elumenta.Some(name)})
}
