package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

type auditCommand struct {
	List   auditListCommand   `cmd:"" help:"Print the audit trail, newest first."`
	Verify auditVerifyCommand `cmd:"" help:"Check that no entry was changed or removed."`
}

// Help shows examples.
func (auditCommand) Help() string {
	return `Examples:
  elumenta audit list --account acct_01j9x2… --limit 20
  elumenta audit list --action account.topped_up --json | jq -r '.[].details.tokens'
  elumenta audit verify --expect "$(cat audit-head)"

The trail says who did what to accounts, keys and published assistants, when and from where.`
}

type auditListCommand struct {
	databaseFlags
	Account string `help:"Only what concerns this account." placeholder:"ID"`
	Action  string `help:"Only what was done in this way, such as key.revoked." placeholder:"ACTION"`
	Limit   int    `default:"100" help:"How many entries to print at most, 1 to 10000. [${default}]" placeholder:"N"`
	Before  int64  `help:"Only entries before this number." placeholder:"SEQ"`
	JSON    bool   `name:"json" help:"Print a JSON array."`
}

// Help shows examples.
func (auditListCommand) Help() string {
	var actions []string
	for _, a := range elumenta.AuditActions() {
		actions = append(actions, "  "+string(a))
	}
	return `Examples:
  elumenta audit list
  elumenta audit list --action key.revoked --json
  elumenta audit list --account acct_01j9x2… --before 1200

The actor is an account's id, cli for a command on the database, or server.

Actions:
` + strings.Join(actions, "\n")
}

// auditView is an entry as --json prints it, as the API has it.
type auditView struct {
	Seq       int64                `json:"seq"`
	At        time.Time            `json:"at"`
	Actor     string               `json:"actor"`
	KeyID     *elumenta.KeyID      `json:"key_id"`
	Address   *string              `json:"address"`
	Action    elumenta.AuditAction `json:"action"`
	AccountID *elumenta.AccountID  `json:"account_id"`
	Target    string               `json:"target"`
	Details   map[string]any       `json:"details"`
	Hash      string               `json:"hash"`
}

func viewAudit(e *elumenta.AuditEntry) auditView {
	return auditView{
		Seq: e.Seq, At: e.At, Actor: e.Actor, KeyID: orNull(e.Key), Address: orNull(e.Address), Action: e.Action, AccountID: orNull(e.Account),
		Target: e.Target, Details: e.Details, Hash: e.Hash.String(),
	}
}

// orNull is a text, or null for none.
func orNull[T ~string](s T) *T {
	if s == "" {
		return nil
	}
	return &s
}

// line is the entry for a person. A reason and an address are others' words.
func (v *auditView) line() (string, error) {
	who := v.Actor
	if who == "" {
		who = "server"
	}
	if v.KeyID != nil {
		who += " with " + string(*v.KeyID)
	}
	if v.Address != nil {
		who += " from " + *v.Address
	}
	text := fmt.Sprintf("%d  %s  %s  %s  by %s", v.Seq, v.At.Format(time.RFC3339), v.Action, v.Target, who)
	if v.AccountID != nil && string(*v.AccountID) != v.Target {
		text += "  of " + string(*v.AccountID)
	}
	if len(v.Details) > 0 {
		details, err := json.Marshal(v.Details)
		if err != nil {
			return "", err
		}
		text += "  " + string(details)
	}
	return printable(text), nil
}

// maxAuditList bounds what is read at once.
const maxAuditList = 10_000

func (c *auditListCommand) query() (q elumenta.AuditQuery, err error) {
	q = elumenta.AuditQuery{Action: elumenta.AuditAction(c.Action), Before: c.Before, Limit: c.Limit}
	if c.Account != "" {
		if q.Account, err = accountID(c.Account); err != nil {
			return q, err
		}
	}
	known := c.Action == ""
	for _, a := range elumenta.AuditActions() {
		known = known || a == q.Action
	}
	switch {
	case !known:
		return q, usageError{"--action is not known; `elumenta audit list --help` lists the actions"}
	case c.Limit < 1 || c.Limit > maxAuditList:
		return q, usageError{fmt.Sprintf("--limit must be from 1 to %d", maxAuditList)}
	case c.Before < 0:
		return q, usageError{"--before must be the number of an entry"}
	}
	return q, nil
}

// Run prints the entries.
func (c *auditListCommand) Run(p *program) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	return c.with(p, func(ctx context.Context, s *store.Store) error {
		items, _, err := s.AuditTrail(ctx, query)
		if err != nil {
			return err
		}
		views := make([]auditView, len(items))
		for i := range items {
			views[i] = viewAudit(&items[i])
		}
		if c.JSON {
			return p.printJSON(views)
		}
		for i := range views {
			line, err := views[i].line()
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintln(p.stdout, line); err != nil {
				return err
			}
		}
		return nil
	})
}

type auditVerifyCommand struct {
	databaseFlags
	Expect []string `help:"A head that was kept from an earlier run: it must still be in the chain. May be given several times." placeholder:"SEQ:HASH"`
	JSON   bool     `name:"json" help:"Print the result as JSON."`
}

// Help shows examples.
func (auditVerifyCommand) Help() string {
	return `Examples:
  elumenta audit verify | tee audit-head
  elumenta audit verify --expect "$(cat audit-head)"

Walks the whole trail and prints its head: the number of its entries, and a hash that covers all of them. Keep it where whoever
may write to the database cannot: a trail whose last entries were removed, or that was written anew, is then told from the one
that it was. Exits with 1 if an entry was changed, removed, moved or put in.`
}

// auditVerifyView is the result as --json prints it.
type auditVerifyView struct {
	OK       bool          `json:"ok"`
	Entries  int64         `json:"entries"` // that are as they were written
	Head     auditHeadView `json:"audit_head"`
	BrokenAt *int64        `json:"broken_at"`
	Reason   *string       `json:"reason"`
}

// Run verifies the trail.
func (c *auditVerifyCommand) Run(p *program) error {
	kept, err := parseAuditHeads("--expect", c.Expect)
	if err != nil {
		return err
	}
	return c.with(p, func(ctx context.Context, s *store.Store) error {
		head, err := s.VerifyAudit(ctx, kept...)
		broken, ok := errors.AsType[*elumenta.AuditBrokenError](err)
		switch {
		case err != nil && !ok:
			return err
		case c.JSON:
			v := auditVerifyView{OK: broken == nil, Entries: head.Seq, Head: auditHeadView{head.Seq, head.Hash.String()}}
			if broken != nil {
				v.BrokenAt, v.Reason = &broken.Seq, &broken.Reason
			}
			return errors.Join(p.printJSON(v), err)
		case broken != nil:
			return broken
		}
		_, err = fmt.Fprintln(p.stdout, head)
		return err
	})
}
