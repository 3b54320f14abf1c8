package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

type accountsCommand struct {
	Create  accountsCreateCommand  `cmd:"" help:"Create an account and print its id."`
	List    accountsListCommand    `cmd:"" help:"List or search accounts, newest first."`
	Show    accountsShowCommand    `cmd:"" help:"Show an account."`
	Topup   accountsTopupCommand   `cmd:"" help:"Add tokens that do not expire."`
	Plan    accountsPlanCommand    `cmd:"" help:"Put an account on a plan."`
	Suspend accountsSuspendCommand `cmd:"" help:"Suspend an account, at once."`
	Resume  accountsResumeCommand  `cmd:"" help:"End a suspension."`
	Rename  accountsRenameCommand  `cmd:"" help:"Change an account's name."`
	Role    accountsRoleCommand    `cmd:"" help:"Make an account an operator, or a user again."`
}

// Help shows examples.
func (accountsCommand) Help() string {
	return `Examples:
  acct=$(elumenta accounts create --name "Ada" --plan pro)
  elumenta keys create --account "$acct" --name laptop
  elumenta accounts topup "$acct" 500 --reason "invoice 4711"
  elumenta accounts plan "$acct" elite --until 2027-01-01
  elumenta accounts suspend "$acct" --reason "does not pay"
  elumenta accounts list -q lovelace --json | jq -r '.[].id'

These commands work on the database itself, also while a server runs on it. What they change is in the audit trail.`
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

// state is whether the account may be used.
func (v *accountView) state() string {
	if v.Suspended {
		return "suspended"
	}
	return "active"
}

type accountsCreateCommand struct {
	databaseFlags
	Name  string `required:"" help:"The name that published assistants show."`
	Plan  string `default:"free" help:"The plan. [${default}]"`
	Admin bool   `help:"Make the account an operator."`
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
	Q         string `short:"q" help:"Only the account with this id, or those whose name contains this, case and accents aside." placeholder:"TEXT"`
	Plan      string `help:"Only accounts on this plan."`
	Suspended bool   `help:"Only accounts that are suspended."`
	JSON      bool   `name:"json" help:"Print a JSON array."`
}

// Help shows examples.
func (accountsListCommand) Help() string {
	return `Examples:
  elumenta accounts list
  elumenta accounts list -q lovelace
  elumenta accounts list --plan free --suspended --json`
}

// Run lists accounts.
func (c *accountsListCommand) Run(p *program) error {
	query := elumenta.AccountQuery{Text: c.Q, Plan: c.Plan, Limit: 100}
	if c.Suspended {
		query.Suspended = &c.Suspended
	}
	return c.with(p, func(ctx context.Context, s *store.Store) error {
		views := []accountView{}
		for {
			items, more, err := s.ListAccounts(ctx, query)
			if err != nil {
				return err
			}
			for i := range items {
				views = append(views, viewAccount(&items[i]))
				query.Before = items[i].ID
			}
			if !more {
				break
			}
		}
		if c.JSON {
			return p.printJSON(views)
		}
		return p.table(func(w *tabwriter.Writer) {
			_, _ = fmt.Fprintln(w, "ID\tNAME\tROLE\tPLAN\tTOKENS\tCREATED\tSTATE")
			for _, v := range views {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", v.ID, printable(v.DisplayName), v.Role, v.Plan, v.TokenBalance,
					v.CreatedAt.Format(time.DateOnly), v.state())
			}
		})
	})
}

type accountsShowCommand struct {
	databaseFlags
	Account string `arg:"" help:"The account's id."`
	JSON    bool   `name:"json" help:"Print the account as JSON."`
}

// Help shows examples.
func (accountsShowCommand) Help() string {
	return `Examples:
  elumenta accounts show acct_01j9x2…
  elumenta accounts show acct_01j9x2… --json | jq .token_balance

elumenta ledger show prints where its tokens came from and went.`
}

// Run shows the account.
func (c *accountsShowCommand) Run(p *program) error {
	id, err := accountID(c.Account)
	if err != nil {
		return err
	}
	return c.with(p, func(ctx context.Context, s *store.Store) error {
		a, err := s.Account(ctx, id)
		if err != nil {
			return err
		}
		v := viewAccount(a)
		if c.JSON {
			return p.printJSON(v)
		}
		return p.table(func(w *tabwriter.Writer) {
			until := "for good"
			if v.PlanExpiresAt != nil {
				until = "until " + v.PlanExpiresAt.Format(time.DateTime)
			}
			for _, line := range [][2]string{
				{"id", string(v.ID)}, {"name", printable(v.DisplayName)}, {"role", string(v.Role)}, {"state", v.state()}, {"plan", v.Plan + " " + until},
				{"tokens", fmt.Sprintf("%d: %d of its plan, %d topped up", v.TokenBalance, v.MonthlyTokens, v.TopupTokens)},
				{"created", v.CreatedAt.Format(time.DateTime)},
			} {
				_, _ = fmt.Fprintf(w, "%s\t%s\n", line[0], line[1])
			}
		})
	})
}
