package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
)

// MaxTopup bounds one top-up, in tokens.
const MaxTopup = 1_000_000_000_000

var _ elumenta.Accounts = (*Store)(nil)

// Authenticate implements elumenta.Accounts.
func (s *Store) Authenticate(ctx context.Context, hash elumenta.KeyHash) (*elumenta.Caller, error) {
	var key elumenta.Key
	var a account
	err := s.read(ctx, func(ctx context.Context, q querier) error {
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
	a.Advance(s.opts.Plans, now)
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
	a.Advance(s.opts.Plans, s.now())
	return &a.Account, nil
}

// ListAccounts lists all accounts, newest first, below before if that is not empty.
func (s *Store) ListAccounts(ctx context.Context, before elumenta.AccountID, limit int) (items []elumenta.Account, more bool, err error) {
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		items = nil
		rows, err := q.QueryContext(ctx, `SELECT `+accountColumns+` FROM accounts WHERE id < $1 ORDER BY id DESC LIMIT $2`, below(string(before)), limit+1)
		if err != nil {
			return err
		}
		return each(rows, func() error {
			var a account
			err := rows.Scan(a.fields()...)
			a.Advance(s.opts.Plans, s.now())
			items = append(items, a.Account)
			return err
		})
	})
	items, more = page(items, limit)
	return items, more, err
}

// CreateAccount makes an account on a plan; an empty role is RoleUser. What is wrong with it is a CodeValidation error.
func (s *Store) CreateAccount(ctx context.Context, n elumenta.NewAccount) (*elumenta.Account, error) {
	a, err := s.newAccount(n)
	if err != nil {
		return nil, err
	}
	var created account
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		created = *a
		if err := lockBootstrap(ctx, tx); err != nil {
			return err
		}
		return s.insertAccount(ctx, tx, &created)
	})
	if err != nil {
		return nil, err
	}
	return &created.Account, nil
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
		if err := lockBootstrap(ctx, tx); err != nil {
			return err
		}
		var some bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM accounts)`).Scan(&some); err != nil || some {
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

// lockBootstrap lets accounts be made by one transaction at a time.
func lockBootstrap(ctx context.Context, tx querier) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ('accounts_lock', $1)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, []byte{1})
	return err
}

func (s *Store) newAccount(n elumenta.NewAccount) (*account, error) {
	var errs elumenta.FieldErrors
	checkDisplayName(&errs, n.DisplayName)
	plan := s.knownPlan(&errs, n.Plan)
	switch n.Role {
	case "":
		n.Role = elumenta.RoleUser
	case elumenta.RoleUser, elumenta.RoleAdmin:
	default:
		errs.Add("role", "must be %s or %s", elumenta.RoleUser, elumenta.RoleAdmin)
	}
	if err := errs.Err(); err != nil {
		return nil, err
	}
	return &account{Account: elumenta.Account{ID: elumenta.NewAccountID(), DisplayName: n.DisplayName, Role: n.Role, Plan: plan.Name}}, nil
}

func (s *Store) knownPlan(errs *elumenta.FieldErrors, name string) elumenta.Plan {
	plan, ok := s.opts.Plans.Get(name)
	if !ok {
		errs.Add("plan", "is not known; the plans are %s", strings.Join(s.opts.Plans.Names(), ", "))
	}
	return plan
}

func checkDisplayName(errs *elumenta.FieldErrors, name string) {
	elumenta.CheckText(errs, "display_name", name, 1, elumenta.MaxDisplayName)
	if strings.ContainsAny(name, "\r\n") {
		errs.Add("display_name", "must be a single line")
	}
}

func (s *Store) insertAccount(ctx context.Context, tx querier, a *account) error {
	plan, _ := s.opts.Plans.Get(a.Plan)
	a.CreatedAt = s.now()
	entries := a.StartPlan(plan, a.CreatedAt, time.Time{})
	if _, err := tx.ExecContext(ctx, `INSERT INTO accounts (id, display_name, role, plan, plan_started, revision, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		string(a.ID), a.DisplayName, string(a.Role), a.Plan, micros(a.PlanStarted), a.Revision, micros(a.CreatedAt)); err != nil {
		return err
	}
	return saveAccount(ctx, tx, a, entries)
}

// change applies f to an account that was brought to this moment, and saves it with f's entries.
func (s *Store) change(ctx context.Context, id elumenta.AccountID, f func(ctx context.Context, tx querier, a *account) ([]elumenta.Entry, error)) (*elumenta.Account, error) {
	var changed *account
	err := s.write(ctx, func(ctx context.Context, tx querier) error {
		a, err := s.lockAccount(ctx, tx, id)
		if err != nil {
			return err
		}
		entries, _ := a.Advance(s.opts.Plans, s.now())
		more, err := f(ctx, tx, a)
		if err != nil {
			return err
		}
		changed = a
		return saveAccount(ctx, tx, a, append(entries, more...))
	})
	if err != nil {
		return nil, err
	}
	return &changed.Account, nil
}

// Topup adds 1 to MaxTopup tokens that never expire.
func (s *Store) Topup(ctx context.Context, id elumenta.AccountID, tokens int64) (*elumenta.Account, error) {
	var errs elumenta.FieldErrors
	if tokens < 1 || tokens > MaxTopup {
		errs.Add("tokens", "must be between 1 and %d", int64(MaxTopup))
		return nil, errs.Err()
	}
	return s.change(ctx, id, func(_ context.Context, _ querier, a *account) ([]elumenta.Entry, error) {
		if a.Balance.Total() > math.MaxInt64/2-tokens {
			return nil, elumenta.Errorf(elumenta.CodeValidation, "the balance would be larger than a balance can be")
		}
		a.Balance.Topup += tokens
		return []elumenta.Entry{{Kind: elumenta.EntryTopup, Topup: tokens, At: s.now()}}, nil
	})
}

// SetPlan starts a plan now. expires, if not zero, is when the account falls back to the least plan.
func (s *Store) SetPlan(ctx context.Context, id elumenta.AccountID, name string, expires time.Time) (*elumenta.Account, error) {
	var errs elumenta.FieldErrors
	plan := s.knownPlan(&errs, name)
	now := s.now()
	if !expires.IsZero() && !expires.After(now) {
		errs.Add("expires", "must be in the future")
	}
	if err := errs.Err(); err != nil {
		return nil, err
	}
	return s.change(ctx, id, func(_ context.Context, _ querier, a *account) ([]elumenta.Entry, error) {
		return a.StartPlan(plan, now, expires.UTC().Truncate(time.Microsecond)), nil
	})
}

// SetDisplayName implements elumenta.Accounts.
func (s *Store) SetDisplayName(ctx context.Context, id elumenta.AccountID, name string) (*elumenta.Account, error) {
	var errs elumenta.FieldErrors
	checkDisplayName(&errs, name)
	if err := errs.Err(); err != nil {
		return nil, err
	}
	return s.change(ctx, id, func(ctx context.Context, tx querier, a *account) ([]elumenta.Entry, error) {
		if a.DisplayName == name {
			return nil, nil
		}
		a.DisplayName = name
		a.Revision++
		_, err := tx.ExecContext(ctx, `UPDATE assistants SET revision = revision + 1 WHERE account_id = $1 AND published = 1`, string(id))
		return nil, err
	})
}

// SetSuspended suspends an account or ends that. While it is suspended its keys do not work, and its assistants are not
// listed and of no use to others, pinned or not.
func (s *Store) SetSuspended(ctx context.Context, id elumenta.AccountID, suspended bool) (*elumenta.Account, error) {
	return s.change(ctx, id, func(ctx context.Context, tx querier, a *account) ([]elumenta.Entry, error) {
		if a.Suspended == suspended {
			return nil, nil
		}
		a.Suspended = suspended
		a.Revision++
		at := int64(0)
		if suspended {
			at = micros(s.now())
		}
		if _, err := tx.ExecContext(ctx, `UPDATE accounts SET suspended_at = $2 WHERE id = $1`, string(id), at); err != nil {
			return nil, err
		}
		_, err := tx.ExecContext(ctx, `UPDATE assistants SET revision = revision + 1, owner_suspended = $2 WHERE account_id = $1`, string(id), flag(suspended))
		return nil, err
	})
}
