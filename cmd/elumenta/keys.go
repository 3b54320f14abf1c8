package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

type keysCommand struct {
	Create   keysCreateCommand   `cmd:"" help:"Create a key and print it."`
	List     keysListCommand     `cmd:"" help:"List an account's keys, or find whose key one is."`
	Revoke   keysRevokeCommand   `cmd:"" help:"End a key at once, whosever it is."`
	Generate keysGenerateCommand `cmd:"" help:"Print a well-formed key and touch nothing."`
}

// Help shows examples.
func (keysCommand) Help() string {
	return `Examples:
  elumenta keys create --account acct_01j9x2… --name laptop > key.txt
  elumenta keys create --account acct_01j9x2… --name website --assistant asst_01j9x2… --budget 500 --expires 30d
  elumenta keys list --account acct_01j9x2…
  elumenta keys list --prefix nb_4fT9a
  elumenta keys revoke key_01j9x2…
  ELUMENTA_BOOTSTRAP_KEY=$(elumenta keys generate) elumenta serve

Only a hash of a key is kept: it is shown when it is made and never again.`
}

type keysCreateCommand struct {
	databaseFlags
	Account   string   `required:"" help:"The account's id."`
	Name      string   `required:"" help:"What the key is for."`
	ReadOnly  bool     `help:"Let the key only read."`
	Assistant []string `help:"Let the key generate with this assistant only. May be repeated." placeholder:"ID" sep:"none"`
	Model     []string `help:"Let the key generate with this model only. May be repeated." placeholder:"SLUG" sep:"none"`
	Budget    *int64   `help:"How many tokens the key may spend in all." placeholder:"TOKENS"`
	Expires   string   `help:"When the key stops working: a time, a day, at whose beginning in UTC it does, or how long from now, such as 36h or 30d." placeholder:"WHEN"`
	JSON      bool     `name:"json" help:"Print id and key as JSON."`
}

// Help shows examples.
func (keysCreateCommand) Help() string {
	return `Examples:
  elumenta keys create --account acct_01j9x2… --name laptop
  elumenta keys create --account acct_01j9x2… --name website --assistant asst_01j9x2… --budget 500
  elumenta keys create --account acct_01j9x2… --name audit --read-only --expires 2027-01-31

Prints the key alone, this once. A key with --assistant, --model or --budget can be given away: it
generates within these limits and reads nothing of the account. A limited key makes no keys.`
}

// limits are the key's, by the flags.
func (c *keysCreateCommand) limits(now time.Time) (elumenta.KeyLimits, error) {
	l := elumenta.KeyLimits{ReadOnly: c.ReadOnly, Models: c.Model, Budget: c.Budget}
	for _, id := range c.Assistant {
		l.Assistants = append(l.Assistants, elumenta.AssistantID(id))
	}
	var err error
	if c.Expires != "" {
		l.ExpiresAt, err = parseWhen(c.Expires, now)
	}
	return l, err
}

// parseWhen takes a day, which stands for its beginning, a time or how long from now.
func parseWhen(s string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.AddDate(0, 0, int(n)), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil {
		return now.Add(d), nil
	}
	return time.Time{}, usageError{"--expires must be a day such as 2027-01-31, at whose beginning (UTC) the key stops working, a time such as 2027-01-31T12:00:00Z, or a duration such as 36h or 30d"}
}

// Run creates the key.
func (c *keysCreateCommand) Run(p *program) error {
	id, err := accountID(c.Account)
	if err != nil {
		return err
	}
	limits, err := c.limits(time.Now())
	if err != nil {
		return err
	}
	conf, err := c.load(p)
	if err != nil {
		return err
	}
	return c.with(p, func(ctx context.Context, s *store.Store) error {
		if err := c.checkScope(ctx, s, conf.Models, limits); err != nil {
			return err
		}
		secret := elumenta.NewKeySecret()
		key, _, err := s.CreateKey(ctx, id, elumenta.NewKey{Name: c.Name, Limits: limits}, secret, nil)
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

// checkScope refuses a key that could never work, since what it is limited to is not there.
func (c *keysCreateCommand) checkScope(ctx context.Context, s *store.Store, models []elumenta.Model, l elumenta.KeyLimits) error {
	errs := l.Check()
	for i, slug := range l.Models {
		if !slices.ContainsFunc(models, func(m elumenta.Model) bool { return m.Slug == slug }) {
			errs.Add(fmt.Sprintf("models[%d]", i), "is not in the catalog of %s", c.catalog())
		}
	}
	for i, id := range l.Assistants {
		if _, ok := elumenta.ParseAssistantID(string(id)); !ok {
			continue // which Check has found
		}
		has, err := s.HasAssistant(ctx, id)
		if err != nil {
			return err
		}
		if !has {
			errs.Add(fmt.Sprintf("assistants[%d]", i), "is no assistant of this database")
		}
	}
	return errs.Err()
}

// catalog says where the models come from: a server may have been told of more than this command.
func (c *keysCreateCommand) catalog() string {
	if c.Config == "" {
		return "the program itself; where the server has a configuration file, name it with --config or ELUMENTA_CONFIG"
	}
	return c.Config
}

// keyView is a key as --json prints it. What does not limit the key is null.
type keyView struct {
	ID          elumenta.KeyID         `json:"id"`
	AccountID   elumenta.AccountID     `json:"account_id"`
	Name        string                 `json:"name"`
	Prefix      string                 `json:"prefix"`
	ReadOnly    bool                   `json:"read_only"`
	Assistants  []elumenta.AssistantID `json:"assistants"`
	Models      []string               `json:"models"`
	Budget      *int64                 `json:"budget"`
	BudgetSpent *int64                 `json:"budget_spent"`
	ExpiresAt   *time.Time             `json:"expires_at"`
	CreatedAt   time.Time              `json:"created_at"`
	LastUsedAt  *time.Time             `json:"last_used_at"`
}

func viewKey(k *elumenta.Key) keyView {
	v := keyView{
		ID: k.ID, AccountID: k.AccountID, Name: k.Name, Prefix: k.Prefix, ReadOnly: k.Limits.ReadOnly, Assistants: k.Limits.Assistants, Models: k.Limits.Models,
		Budget: k.Limits.Budget, CreatedAt: k.CreatedAt.UTC(),
	}
	if v.Budget != nil {
		v.BudgetSpent = &k.Spent
	}
	if at := k.Limits.ExpiresAt.UTC(); !at.IsZero() {
		v.ExpiresAt = &at
	}
	if used := k.LastUsedAt.UTC(); !used.IsZero() {
		v.LastUsedAt = &used
	}
	return v
}

// limits are what the key is limited to, in words.
func (v *keyView) limits() string {
	var words []string
	if v.ReadOnly {
		words = append(words, "read only")
	}
	if n := len(v.Assistants); n > 0 {
		words = append(words, "assistants: "+strconv.Itoa(n))
	}
	if len(v.Models) > 0 {
		words = append(words, "models: "+printable(strings.Join(v.Models, " ")))
	}
	if v.Budget != nil {
		words = append(words, fmt.Sprintf("%d of %d tokens spent", *v.BudgetSpent, *v.Budget))
	}
	if v.ExpiresAt != nil {
		words = append(words, "until "+v.ExpiresAt.Format(time.DateTime))
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

type keysListCommand struct {
	databaseFlags
	Account string `required:"" xor:"which" help:"The account's id." placeholder:"ID"`
	Prefix  string `required:"" xor:"which" help:"How the key begins: nb_ and 5 more; what follows is not looked at." placeholder:"nb_…"`
	JSON    bool   `name:"json" help:"Print a JSON array."`
}

// Help shows examples.
func (keysListCommand) Help() string {
	return `Examples:
  elumenta keys list --account acct_01j9x2…
  elumenta keys list --prefix nb_4fT9a

The first 8 characters of a key that leaked say whose it is.`
}

// Run lists the keys, newest first.
func (c *keysListCommand) Run(p *program) (err error) {
	var id elumenta.AccountID
	if c.Account != "" {
		if id, err = accountID(c.Account); err != nil {
			return err
		}
	} else if c.Prefix, err = keyBeginning(c.Prefix); err != nil {
		return err
	}
	return c.with(p, func(ctx context.Context, s *store.Store) error {
		keys, err := c.keys(ctx, s, id)
		if err != nil {
			return err
		}
		views := make([]keyView, len(keys))
		for i := range keys {
			views[i] = viewKey(&keys[i])
		}
		if c.JSON {
			return p.printJSON(views)
		}
		return p.table(func(w *tabwriter.Writer) { writeKeys(w, views) })
	})
}

func (c *keysListCommand) keys(ctx context.Context, s *store.Store, account elumenta.AccountID) (keys []elumenta.Key, err error) {
	if c.Prefix != "" {
		keys, _, err = s.KeysByPrefix(ctx, c.Prefix, "", elumenta.MaxKeys)
		return keys, err
	}
	if _, err := s.Account(ctx, account); err != nil {
		return nil, err
	}
	keys, _, err = s.Keys(ctx, account, "", elumenta.MaxKeys)
	return keys, err
}

// keyBeginning takes as much of a key as one has, a pasted one too, and gives what keys are found by. An error never repeats it.
func keyBeginning(s string) (string, error) {
	s = strings.TrimSpace(s)
	if !beginsKey.MatchString(s) {
		return "", usageError{"--prefix must be how a key begins, or all of it: nb_ and at least 5 letters or digits"}
	}
	return s[:8], nil
}

var beginsKey = regexp.MustCompile(`^nb_[0-9A-Za-z]{5,}$`)

func writeKeys(w *tabwriter.Writer, views []keyView) {
	_, _ = fmt.Fprintln(w, "ID\tACCOUNT\tNAME\tBEGINS\tCREATED\tLAST USED\tLIMITS")
	for i := range views {
		v, used := &views[i], "never"
		if v.LastUsedAt != nil {
			used = v.LastUsedAt.Format(time.DateTime)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.ID, v.AccountID, printable(v.Name), v.Prefix, v.CreatedAt.Format(time.DateOnly), used, v.limits())
	}
}

type keysRevokeCommand struct {
	databaseFlags
	Key     string `arg:"" help:"The key's id: key_…"`
	Account string `help:"The account's id: a key of another one is left alone." placeholder:"ID"`
}

// Help shows examples.
func (keysRevokeCommand) Help() string {
	return `Examples:
  elumenta keys revoke key_01j9x2…
  elumenta keys revoke key_01j9x2… --account acct_01j9x2…`
}

// Run ends the key.
func (c *keysRevokeCommand) Run(p *program) error {
	key, ok := elumenta.ParseKeyID(c.Key)
	if !ok {
		return usageError{"KEY must be a key's id: key_ and 26 characters; `elumenta keys list` shows them"}
	}
	if c.Account == "" {
		return c.with(p, func(ctx context.Context, s *store.Store) error { return s.RevokeAnyKey(ctx, key) })
	}
	account, err := accountID(c.Account)
	if err != nil {
		return err
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
