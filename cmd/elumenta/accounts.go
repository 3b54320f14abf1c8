package main

import (
	"context"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

type accountsCommand struct {
	Create accountsCreateCommand `cmd:"" help:"Create an account and print its id."`
	List   accountsListCommand   `cmd:"" help:"List accounts, newest first."`
	Topup  accountsTopupCommand  `cmd:"" help:"Add tokens that do not expire."`
	Plan   accountsPlanCommand   `cmd:"" help:"Put an account on a plan."`
}

// Help shows examples.
func (accountsCommand) Help() string {
	return `Examples:
  acct=$(elumenta accounts create --name "Ada" --plan pro)
  elumenta keys create --account "$acct" --name laptop
  elumenta accounts topup "$acct" 500
  elumenta accounts plan "$acct" elite --until 2027-01-01
  elumenta accounts list --json | jq -r '.[].id'

These commands work on the database itself, also while a server runs on it.`
}

// accountView is an account as --json prints it.
type accountView struct {
	ID            elumenta.AccountID `json:"id"`
	DisplayName   string             `json:"display_name"`
	Role          elumenta.Role      `json:"role"`
	Plan          string             `json:"plan"`
	PlanExpiresAt *time.Time         `json:"plan_expires_at"`
	MonthlyTokens int64              `json:"monthly_tokens"`
	TopupTokens   int64              `json:"topup_tokens"`
	TokenBalance  int64              `json:"token_balance"`
	Suspended     bool               `json:"suspended"`
	CreatedAt     time.Time          `json:"created_at"`
}

func viewAccount(a *elumenta.Account) accountView {
	v := accountView{
		ID: a.ID, DisplayName: a.DisplayName, Role: a.Role, Plan: a.Plan, MonthlyTokens: a.Balance.Monthly, TopupTokens: a.Balance.Topup,
		TokenBalance: a.Balance.Total(), Suspended: a.Suspended, CreatedAt: a.CreatedAt.UTC(),
	}
	if !a.PlanExpires.IsZero() {
		expires := a.PlanExpires.UTC()
		v.PlanExpiresAt = &expires
	}
	return v
}

type accountsCreateCommand struct {
	databaseFlags
	Name  string `required:"" help:"The name that published assistants show."`
	Plan  string `default:"free" help:"The plan. [${default}]"`
	Admin bool   `help:"Let the account moderate everyone's assistants."`
	JSON  bool   `name:"json" help:"Print the account as JSON."`
}

// Help shows examples.
func (accountsCreateCommand) Help() string {
	return `Example:
  elumenta accounts create --name "Ada" --plan pro

Prints the id alone, for scripts.`
}

// Run creates the account.
func (c *accountsCreateCommand) Run(p *program) error {
	role := elumenta.RoleUser
	if c.Admin {
		role = elumenta.RoleAdmin
	}
	return c.with(p, func(ctx context.Context, s *store.Store) error {
		a, _, err := s.CreateAccount(ctx, elumenta.NewAccount{DisplayName: c.Name, Role: role, Plan: c.Plan}, nil)
		if err != nil {
			return err
		}
		if c.JSON {
			return p.printJSON(viewAccount(a))
		}
		_, err = fmt.Fprintln(p.stdout, a.ID)
		return err
	})
}

type accountsListCommand struct {
	databaseFlags
	JSON bool `name:"json" help:"Print a JSON array."`
}

// Run lists every account.
func (c *accountsListCommand) Run(p *program) error {
	return c.with(p, func(ctx context.Context, s *store.Store) error {
		views := []accountView{}
		for before := elumenta.AccountID(""); ; {
			items, more, err := s.ListAccounts(ctx, elumenta.AccountQuery{Before: before, Limit: 100})
			if err != nil {
				return err
			}
			for i := range items {
				views = append(views, viewAccount(&items[i]))
				before = items[i].ID
			}
			if !more {
				break
			}
		}
		if c.JSON {
			return p.printJSON(views)
		}
		return p.table(func(w *tabwriter.Writer) {
			_, _ = fmt.Fprintln(w, "ID\tNAME\tROLE\tPLAN\tTOKENS\tCREATED")
			for _, v := range views {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\n", v.ID, printable(v.DisplayName), v.Role, v.Plan, v.TokenBalance, v.CreatedAt.Format(time.DateOnly))
			}
		})
	})
}

type accountsTopupCommand struct {
	databaseFlags
	Account string `arg:"" help:"The account's id."`
	Tokens  string `arg:"" help:"How many tokens to add."`
	JSON    bool   `name:"json" help:"Print the account as JSON."`
}

// Help shows examples.
func (accountsTopupCommand) Help() string {
	return `Example:
  elumenta accounts topup acct_01j9x2… 500

Tokens of a top-up never expire and are spent after the plan's.`
}

// Run adds the tokens.
func (c *accountsTopupCommand) Run(p *program) error {
	id, err := accountID(c.Account)
	if err != nil {
		return err
	}
	tokens, err := strconv.ParseInt(c.Tokens, 10, 64)
	if err != nil || tokens <= 0 {
		return usageError{"TOKENS must be a whole number above 0"}
	}
	return c.with(p, func(ctx context.Context, s *store.Store) error {
		a, _, err := s.Topup(ctx, id, elumenta.Topup{Tokens: tokens})
		if err != nil {
			return err
		}
		return c.show(p, a)
	})
}

func (c *accountsTopupCommand) show(p *program, a *elumenta.Account) error {
	if c.JSON {
		return p.printJSON(viewAccount(a))
	}
	_, err := fmt.Fprintf(p.stdout, "%s has %d tokens: %d of its plan, %d topped up\n", a.ID, a.Balance.Total(), a.Balance.Monthly, a.Balance.Topup)
	return err
}

type accountsPlanCommand struct {
	databaseFlags
	Account string `arg:"" help:"The account's id."`
	Plan    string `arg:"" help:"The plan."`
	Until   string `help:"Day on which the account falls back to the least plan." placeholder:"YYYY-MM-DD"`
	JSON    bool   `name:"json" help:"Print the account as JSON."`
}

// Help shows examples.
func (accountsPlanCommand) Help() string {
	return `Examples:
  elumenta accounts plan acct_01j9x2… pro
  elumenta accounts plan acct_01j9x2… pro --until 2027-01-01

The plan begins now: what was left of the old plan's tokens expires, top-ups stay.`
}

// Run changes the plan.
func (c *accountsPlanCommand) Run(p *program) error {
	id, err := accountID(c.Account)
	if err != nil {
		return err
	}
	var until time.Time
	if c.Until != "" {
		if until, err = time.Parse(time.DateOnly, c.Until); err != nil {
			return usageError{"--until must be a date such as 2027-01-01"}
		}
	}
	return c.with(p, func(ctx context.Context, s *store.Store) error {
		a, err := s.SetPlan(ctx, id, elumenta.PlanChange{Plan: c.Plan, Expires: until})
		if err != nil {
			return err
		}
		if c.JSON {
			return p.printJSON(viewAccount(a))
		}
		_, err = fmt.Fprintf(p.stdout, "%s is on %s and has %d tokens\n", a.ID, a.Plan, a.Balance.Total())
		return err
	})
}
