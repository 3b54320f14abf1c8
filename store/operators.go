package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/elumenta/elumenta"
)

var _ elumenta.Operators = (*Store)(nil)

// CreateAccount implements elumenta.Operators.
func (s *Store) CreateAccount(ctx context.Context, n elumenta.NewAccount, idem *elumenta.Idempotency) (created *elumenta.Account, replayed bool, err error) {
	fresh, err := s.newAccount(n)
	if err != nil {
		return nil, false, err
	}
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		a := *fresh
		created = &a.Account
		first, err := s.claim(ctx, tx, elumenta.AccountID(elumenta.ActorOf(ctx).String()), "accounts", idem, string(a.ID))
		if err != nil {
			return err
		}
		if replayed = first != ""; replayed {
			created, err = s.change(ctx, tx, elumenta.AccountID(first), unchanged)
			return err
		}
		if err := lockAccounts(ctx, tx); err != nil {
			return err
		}
		return s.insertAccount(ctx, tx, &a)
	})
	if err != nil {
		return nil, false, err
	}
	return created, replayed, nil
}

// unchanged only brings an account to this moment.
func unchanged(context.Context, querier, *account, *changed) error { return nil }

// ListAccounts implements elumenta.Operators. A plan that is not known is a CodeValidation error.
func (s *Store) ListAccounts(ctx context.Context, query elumenta.AccountQuery) (items []elumenta.Account, more bool, err error) {
	filter, args, err := s.accountFilter(&query)
	if err != nil {
		return nil, false, err
	}
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		items = nil
		// The subquery is answered by the index accounts_search, as far as there is no other filter.
		rows, err := q.QueryContext(ctx, `SELECT `+accountColumns+` FROM accounts WHERE id IN (
			SELECT id FROM accounts WHERE id < $1`+filter+` ORDER BY id DESC LIMIT $2) ORDER BY id DESC`, args...)
		if err != nil {
			return err
		}
		return each(rows, func() error {
			var a account
			err := rows.Scan(a.fields()...)
			a.Advance(s.plans(), s.now())
			items = append(items, a.Account)
			return err
		})
	})
	items, more = page(items, query.Limit)
	return items, more, err
}

func (s *Store) accountFilter(query *elumenta.AccountQuery) (filter string, args []any, err error) {
	args = []any{below(string(query.Before)), query.Limit + 1}
	param := func(value any) string {
		args = append(args, value)
		return "$" + strconv.Itoa(len(args))
	}
	if id, ok := elumenta.ParseAccountID(query.Text); ok {
		filter += ` AND id = ` + param(string(id))
	} else if folded := elumenta.Fold(query.Text); folded != "" {
		filter += ` AND search_text LIKE ` + param(likePattern(folded)) + ` ESCAPE '\'`
	}
	if query.Plan != "" {
		p, plans := elumenta.PlanChange{Plan: query.Plan}, s.plans()
		if err := p.Check(plans, s.now()).Err(); err != nil {
			return "", nil, err
		}
		// A plan that is over is the least one by now, though that may not be written yet.
		filter += ` AND (CASE WHEN plan_expires <> 0 AND plan_expires <= ` + param(micros(s.now())) + ` THEN ` + param(plans[0].Name) +
			` ELSE plan END) = ` + param(query.Plan)
	}
	if query.Suspended != nil {
		condition := map[bool]string{true: ` AND suspended_at <> 0`, false: ` AND suspended_at = 0`}
		filter += condition[*query.Suspended]
	}
	return filter, args, nil
}

// ChangeAccount implements elumenta.Operators.
func (s *Store) ChangeAccount(ctx context.Context, id elumenta.AccountID, p *elumenta.AccountPatch) (changedAccount *elumenta.Account, err error) {
	if err := p.Check().Err(); err != nil {
		return nil, err
	}
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		if p.Role.Set {
			if err := lockAccounts(ctx, tx); err != nil {
				return err
			}
		}
		changedAccount, err = s.change(ctx, tx, id, func(ctx context.Context, tx querier, a *account, c *changed) error {
			if p.Role.Set {
				if err := setRole(ctx, tx, a, c, p.Role.Value); err != nil {
					return err
				}
			}
			if p.DisplayName.Set {
				return rename(ctx, tx, a, c, p.DisplayName.Value)
			}
			return nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return changedAccount, nil
}

func setRole(ctx context.Context, tx querier, a *account, c *changed, role elumenta.Role) error {
	if a.Role == role {
		return nil
	}
	if role == elumenta.RoleAdmin {
		if err := refuseStarterAuthor(a.ID, "it cannot be an admin"); err != nil {
			return err
		}
	}
	if err := keepAdmin(ctx, tx, a); err != nil {
		return err
	}
	c.record(elumenta.AuditRoleChanged, auditDetails{"from": a.Role, "to": role})
	a.Role = role
	a.Revision++
	return nil
}

// keepAdmin refuses to change the last admin who is not suspended. The accounts are locked.
func keepAdmin(ctx context.Context, tx querier, a *account) error {
	if a.Role != elumenta.RoleAdmin || a.Suspended {
		return nil
	}
	var others bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM accounts WHERE role = 'admin' AND suspended_at = 0 AND id <> $1)`,
		string(a.ID)).Scan(&others); err != nil {
		return err
	}
	if !others {
		return elumenta.Errorf(elumenta.CodeConflict, "this is the last admin who is not suspended: make another account admin first")
	}
	return nil
}

func rename(ctx context.Context, tx querier, a *account, c *changed, name string) error {
	if a.DisplayName == name {
		return nil
	}
	a.DisplayName = name
	a.Revision++
	c.record(elumenta.AuditAccountRenamed, nil)
	if _, err := tx.ExecContext(ctx, `UPDATE accounts SET search_text = $2 WHERE id = $1`, string(a.ID), elumenta.Fold(name)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE assistants SET revision = revision + 1 WHERE account_id = $1 AND published = 1`, string(a.ID))
	return err
}

// SetPlan implements elumenta.Operators.
func (s *Store) SetPlan(ctx context.Context, id elumenta.AccountID, p elumenta.PlanChange) (a *elumenta.Account, err error) {
	now := s.now()
	plans := s.plans()
	if err := p.Check(plans, now).Err(); err != nil {
		return nil, err
	}
	plan, _ := plans.Get(p.Plan)
	expires := p.Expires.UTC().Truncate(time.Microsecond)
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		a, err = s.change(ctx, tx, id, func(_ context.Context, _ querier, a *account, c *changed) error {
			d := auditDetails{"from": a.Plan, "to": plan.Name}
			switch {
			case a.Plan != plan.Name:
				c.entries = a.StartPlan(plan, now, expires)
			case a.PlanExpires.Equal(expires):
				return nil
			default:
				a.PlanExpires = expires
				a.Revision++
			}
			if !expires.IsZero() {
				d["expires_at"] = expires
			}
			c.record(elumenta.AuditPlanChanged, d.because(p.Reason))
			return nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// Topup implements elumenta.Operators.
func (s *Store) Topup(ctx context.Context, id elumenta.AccountID, t elumenta.Topup) (a *elumenta.Account, replayed bool, err error) {
	if err := t.Check().Err(); err != nil {
		return nil, false, err
	}
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		first, err := s.claim(ctx, tx, id, "topups", t.Idempotency, string(id))
		if err != nil {
			return err
		}
		f := unchanged
		if replayed = first != ""; !replayed {
			f = s.addTokens(t)
		}
		a, err = s.change(ctx, tx, id, f)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return a, replayed, nil
}

func (s *Store) addTokens(t elumenta.Topup) func(context.Context, querier, *account, *changed) error {
	return func(_ context.Context, _ querier, a *account, c *changed) error {
		if a.Balance.Total() > math.MaxInt64/2-t.Tokens {
			return elumenta.Errorf(elumenta.CodeValidation, "the balance would be larger than a balance can be")
		}
		a.Balance.Topup += t.Tokens
		c.entries = []elumenta.Entry{{Kind: elumenta.EntryTopup, Topup: t.Tokens, Reason: t.Reason, At: s.now()}}
		c.record(elumenta.AuditToppedUp, auditDetails{"tokens": t.Tokens}.because(t.Reason))
		return nil
	}
}

// SetSuspended implements elumenta.Operators.
func (s *Store) SetSuspended(ctx context.Context, id elumenta.AccountID, suspended bool, reason string) (a *elumenta.Account, err error) {
	var errs elumenta.FieldErrors
	elumenta.CheckReason(&errs, reason, 0)
	if err := errs.Err(); err != nil {
		return nil, err
	}
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		if err := lockAccounts(ctx, tx); err != nil {
			return err
		}
		a, err = s.change(ctx, tx, id, func(ctx context.Context, tx querier, a *account, c *changed) error {
			return s.suspend(ctx, tx, a, c, suspended, reason)
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (s *Store) suspend(ctx context.Context, tx querier, a *account, c *changed, suspended bool, reason string) error {
	if a.Suspended == suspended {
		return nil
	}
	action, at := elumenta.AuditAccountResumed, int64(0)
	if suspended {
		if err := keepAdmin(ctx, tx, a); err != nil {
			return err
		}
		action, at = elumenta.AuditAccountSuspended, micros(s.now())
	}
	a.Suspended = suspended
	a.Revision++
	c.record(action, auditDetails{}.because(reason))
	if _, err := tx.ExecContext(ctx, `UPDATE accounts SET suspended_at = $2 WHERE id = $1`, string(a.ID), at); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE assistants SET revision = revision + 1, owner_suspended = $2 WHERE account_id = $1`, string(a.ID), flag(suspended)); err != nil {
		return err
	}
	return noteListings(ctx, tx, a.ID, s.now())
}

// KeysByPrefix implements elumenta.Operators.
func (s *Store) KeysByPrefix(ctx context.Context, prefix string, before elumenta.KeyID, limit int) ([]elumenta.Key, bool, error) {
	return s.listKeys(ctx, `prefix = $1`, prefix, before, limit)
}

// RevokeAnyKey implements elumenta.Operators.
func (s *Store) RevokeAnyKey(ctx context.Context, id elumenta.KeyID) error {
	return s.write(ctx, func(ctx context.Context, tx querier) error {
		var account elumenta.AccountID
		err := tx.QueryRowContext(ctx, `SELECT account_id FROM keys WHERE id = $1`, string(id)).Scan(&account)
		if errors.Is(err, sql.ErrNoRows) {
			return elumenta.NotFound("key")
		}
		if err != nil {
			return err
		}
		return s.revokeKey(ctx, tx, account, id)
	})
}
