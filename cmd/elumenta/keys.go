package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

type keysCommand struct {
	Create   keysCreateCommand   `cmd:"" help:"Create a key and print it."`
	List     keysListCommand     `cmd:"" help:"List an account's keys."`
	Revoke   keysRevokeCommand   `cmd:"" help:"End a key at once."`
	Generate keysGenerateCommand `cmd:"" help:"Print a well-formed key and touch nothing."`
}

// Help shows examples.
func (keysCommand) Help() string {
	return `Examples:
  elumenta keys create --account acct_01j9x2… --name laptop > key.txt
  elumenta keys list --account acct_01j9x2…
  elumenta keys revoke key_01j9x2… --account acct_01j9x2…
  ELUMENTA_BOOTSTRAP_KEY=$(elumenta keys generate) elumenta serve

Only a hash of a key is kept: it is shown when it is made and never again.`
}

type keysCreateCommand struct {
	databaseFlags
	Account string `required:"" help:"The account's id."`
	Name    string `required:"" help:"What the key is for."`
	JSON    bool   `name:"json" help:"Print id and key as JSON."`
}

// Help shows examples.
func (keysCreateCommand) Help() string {
	return `Example:
  elumenta keys create --account acct_01j9x2… --name laptop

Prints the key alone, this once.`
}

// Run creates the key.
func (c *keysCreateCommand) Run(p *program) error {
	id, err := accountID(c.Account)
	if err != nil {
		return err
	}
	return c.with(p, func(ctx context.Context, s *store.Store) error {
		secret := elumenta.NewKeySecret()
		key, _, err := s.CreateKey(ctx, id, elumenta.NewKey{Name: c.Name}, secret, nil)
		if err != nil {
			return err
		}
		if c.JSON {
			return p.printJSON(map[string]any{
				"id": key.ID, "account_id": key.AccountID, "name": key.Name, "key": secret.Reveal(), "created_at": key.CreatedAt.UTC(),
			})
		}
		_, err = fmt.Fprintln(p.stdout, secret.Reveal())
		return err
	})
}

// keyView is a key as --json prints it.
type keyView struct {
	ID         elumenta.KeyID `json:"id"`
	Name       string         `json:"name"`
	Prefix     string         `json:"prefix"`
	CreatedAt  time.Time      `json:"created_at"`
	LastUsedAt *time.Time     `json:"last_used_at"`
}

type keysListCommand struct {
	databaseFlags
	Account string `required:"" help:"The account's id."`
	JSON    bool   `name:"json" help:"Print a JSON array."`
}

// Run lists the keys, newest first.
func (c *keysListCommand) Run(p *program) error {
	id, err := accountID(c.Account)
	if err != nil {
		return err
	}
	return c.with(p, func(ctx context.Context, s *store.Store) error {
		keys, _, err := s.Keys(ctx, id, "", elumenta.MaxKeys)
		if err != nil {
			return err
		}
		views := make([]keyView, len(keys))
		for i, k := range keys {
			views[i] = keyView{ID: k.ID, Name: k.Name, Prefix: k.Prefix, CreatedAt: k.CreatedAt.UTC()}
			if !k.LastUsedAt.IsZero() {
				used := k.LastUsedAt.UTC()
				views[i].LastUsedAt = &used
			}
		}
		if c.JSON {
			return p.printJSON(views)
		}
		return p.table(func(w *tabwriter.Writer) { writeKeys(w, views) })
	})
}

func writeKeys(w *tabwriter.Writer, views []keyView) {
	_, _ = fmt.Fprintln(w, "ID\tNAME\tBEGINS\tCREATED\tLAST USED")
	for _, v := range views {
		used := "never"
		if v.LastUsedAt != nil {
			used = v.LastUsedAt.Format(time.DateTime)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.ID, printable(v.Name), v.Prefix, v.CreatedAt.Format(time.DateOnly), used)
	}
}

type keysRevokeCommand struct {
	databaseFlags
	Key     string `arg:"" help:"The key's id: key_…"`
	Account string `required:"" help:"The account's id."`
}

// Run ends the key.
func (c *keysRevokeCommand) Run(p *program) error {
	account, err := accountID(c.Account)
	if err != nil {
		return err
	}
	key, ok := elumenta.ParseKeyID(c.Key)
	if !ok {
		return usageError{"KEY must be a key's id: key_ and 26 characters; `elumenta keys list` shows them"}
	}
	return c.with(p, func(ctx context.Context, s *store.Store) error { return s.RevokeKey(ctx, account, key) })
}

type keysGenerateCommand struct{}

// Help says what it is for.
func (keysGenerateCommand) Help() string {
	return `Example:
  ELUMENTA_BOOTSTRAP_KEY=$(elumenta keys generate) elumenta serve

The key is good for nothing until a new server is started with it.`
}

// Run prints a key.
func (keysGenerateCommand) Run(p *program) error {
	_, err := fmt.Fprintln(p.stdout, elumenta.NewKeySecret().Reveal())
	return err
}
