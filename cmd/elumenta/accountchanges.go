package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

// accountFlags are those of a command that changes one account.
type accountFlags struct {
	databaseFlags
	Account string `arg:"" help:"The account's id."`
	JSON    bool   `name:"json" help:"Print the account as JSON."`
}

// change applies f to the account, and prints what became of it: a line of say, or all of it.
func (c *accountFlags) change(p *program, f func(ctx context.Context, s *store.Store, id elumenta.AccountID) (*elumenta.Account, error),
	say func(a *elumenta.Account) string,
) error {
	id, err := accountID(c.Account)
	if err != nil {
		return err
	}
	return c.with(p, func(ctx context.Context, s *store.Store) error {
		a, err := f(ctx, s, id)
		if err != nil {
			return err
		}
		if c.JSON {
			return p.printJSON(viewAccount(a))
		}
		_, err = fmt.Fprintln(p.stdout, say(a))
		return err
	})
}

type accountsTopupCommand struct {
	accountFlags
	Tokens         string `arg:"" help:"How many tokens to add."`
	Reason         string `help:"Why, for the account's journal and the audit trail; a single line." placeholder:"TEXT"`
	IdempotencyKey string `help:"Your own name for this top-up: within 24 hours a repetition adds nothing." placeholder:"KEY"`
}

// Help shows examples.
func (accountsTopupCommand) Help() string {
	return `Examples:
  elumenta accounts topup acct_01j9x2… 500
  elumenta accounts topup acct_01j9x2… 500 --reason "invoice 4711" --idempotency-key invoice-4711

Tokens of a top-up never expire and are spent after the plan's.`
}

// Run adds the tokens.
func (c *accountsTopupCommand) Run(p *program) error {
	tokens, err := strconv.ParseInt(c.Tokens, 10, 64)
	if err != nil || tokens < 1 || tokens > elumenta.MaxTopup {
		return usageError{fmt.Sprintf("TOKENS must be a whole number from 1 to %d", int64(elumenta.MaxTopup))}
	}
	if c.IdempotencyKey != "" && !elumenta.ValidIdempotencyKey(c.IdempotencyKey) {
		return usageError{fmt.Sprintf("--idempotency-key must have 1 to %d visible ASCII characters", elumenta.MaxIdempotencyKey)}
	}
	replayed := false
	return c.change(p, func(ctx context.Context, s *store.Store, id elumenta.AccountID) (a *elumenta.Account, err error) {
		t := elumenta.Topup{Tokens: tokens, Reason: c.Reason}
		if c.IdempotencyKey != "" {
			t.Idempotency = s.InstallationSecret().Topup(id, c.IdempotencyKey, &t)
		}
		a, replayed, err = s.Topup(ctx, id, t)
		return a, err
	}, func(a *elumenta.Account) string {
		text := fmt.Sprintf("%s has %d tokens: %d of its plan, %d topped up", a.ID, a.Balance.Total(), a.Balance.Monthly, a.Balance.Topup)
		if replayed {
			text += " (this Idempotency-Key was used before: nothing was added)"
		}
		return text
	})
}

type accountsPlanCommand struct {
	accountFlags
	Plan   string `arg:"" help:"The plan."`
	Until  string `help:"Day on which the account falls back to the least plan." placeholder:"YYYY-MM-DD"`
	Reason string `help:"Why, for the audit trail; a single line." placeholder:"TEXT"`
}

// Help shows examples.
func (accountsPlanCommand) Help() string {
	return `Examples:
  elumenta accounts plan acct_01j9x2… pro
  elumenta accounts plan acct_01j9x2… pro --until 2027-01-01

The plan begins now: what was left of the old plan's tokens expires, top-ups stay. An account that is on the plan keeps its
month and its tokens, and only the plan's end changes.`
}

// Run changes the plan.
func (c *accountsPlanCommand) Run(p *program) error {
	change := elumenta.PlanChange{Plan: c.Plan, Reason: c.Reason}
	if c.Until != "" {
		var err error
		if change.Expires, err = time.Parse(time.DateOnly, c.Until); err != nil {
			return usageError{"--until must be a date such as 2027-01-01"}
		}
	}
	return c.change(p, func(ctx context.Context, s *store.Store, id elumenta.AccountID) (*elumenta.Account, error) {
		return s.SetPlan(ctx, id, change)
	}, func(a *elumenta.Account) string {
		return fmt.Sprintf("%s is on %s and has %d tokens", a.ID, a.Plan, a.Balance.Total())
	})
}

type accountsSuspendCommand struct {
	accountFlags
	Reason string `help:"Why, for the audit trail; a single line." placeholder:"TEXT"`
}

// Help shows examples.
func (accountsSuspendCommand) Help() string {
	return `Example:
  elumenta accounts suspend acct_01j9x2… --reason "does not pay"

While it is suspended the account's keys do not work, and its assistants are not listed and of no use to others, pinned or not.
The last operator cannot be suspended.`
}

// Run suspends the account.
func (c *accountsSuspendCommand) Run(p *program) error { return c.suspend(p, true, c.Reason) }

type accountsResumeCommand struct {
	accountFlags
	Reason string `help:"Why, for the audit trail; a single line." placeholder:"TEXT"`
}

// Help shows examples.
func (accountsResumeCommand) Help() string {
	return `Example:
  elumenta accounts resume acct_01j9x2…`
}

// Run ends the suspension.
func (c *accountsResumeCommand) Run(p *program) error { return c.suspend(p, false, c.Reason) }

func (c *accountFlags) suspend(p *program, suspended bool, reason string) error {
	return c.change(p, func(ctx context.Context, s *store.Store, id elumenta.AccountID) (*elumenta.Account, error) {
		return s.SetSuspended(ctx, id, suspended, reason)
	}, func(a *elumenta.Account) string {
		v := viewAccount(a)
		return fmt.Sprintf("%s is %s", a.ID, v.state())
	})
}

type accountsRenameCommand struct {
	accountFlags
	Name string `arg:"" help:"The name that published assistants show."`
}

// Help shows examples.
func (accountsRenameCommand) Help() string {
	return `Example:
  elumenta accounts rename acct_01j9x2… "Ada Lovelace"`
}

// Run changes the name.
func (c *accountsRenameCommand) Run(p *program) error {
	return c.patch(p, elumenta.AccountPatch{DisplayName: elumenta.Some(c.Name)}, func(a *elumenta.Account) string {
		return fmt.Sprintf("%s is now %s", a.ID, printable(a.DisplayName))
	})
}

type accountsRoleCommand struct {
	accountFlags
	Role elumenta.Role `arg:"" enum:"user,admin" help:"user or admin."`
}

// Help shows examples.
func (accountsRoleCommand) Help() string {
	return `Examples:
  elumenta accounts role acct_01j9x2… admin
  elumenta accounts role acct_01j9x2… user

An admin is an operator: the account may use the API's calls under /admin. The last operator stays one.`
}

// Run changes the role.
func (c *accountsRoleCommand) Run(p *program) error {
	return c.patch(p, elumenta.AccountPatch{Role: elumenta.Some(c.Role)}, func(a *elumenta.Account) string {
		return fmt.Sprintf("%s has the role %s", a.ID, a.Role)
	})
}

func (c *accountFlags) patch(p *program, patch elumenta.AccountPatch, say func(a *elumenta.Account) string) error {
	return c.change(p, func(ctx context.Context, s *store.Store, id elumenta.AccountID) (*elumenta.Account, error) {
		return s.ChangeAccount(ctx, id, &patch)
	}, say)
}
