package httpapi

import (
	"context"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/elumenta/elumenta"
)

// listNumbered reads the position in a list that is paged by numbers; 0 is its beginning.
func (a *API) listNumbered(l list, cursor string) (int64, error) {
	position, err := a.position(l, cursor)
	n, _ := strconv.ParseInt(position, 10, 64) // 0 at the beginning; else a number that we wrote
	return n, err
}

// EntryView is an entry of a journal. It is exported for huma, which reads its tags.
type EntryView struct {
	Seq           int64        `json:"seq" doc:"Numbers the account's entries from 1, without gaps."`
	At            time.Time    `json:"at"`
	Kind          string       `json:"kind" enum:"grant,topup,reserve,settle,give_back,expire,correction"`
	Source        string       `json:"source" enum:"available,reserved,spent,expired,granted,topped_up" doc:"Where the tokens were; the balance is what is available."`
	Destination   string       `json:"destination" enum:"available,reserved,spent,expired,granted,topped_up"`
	MonthlyTokens int64        `json:"monthly_tokens" doc:"Of the plan's tokens."`
	TopupTokens   int64        `json:"topup_tokens"`
	Balance       entryBalance `json:"balance" doc:"After the entry."`
	Reason        string       `json:"reason" doc:"A plan, a model, an error's code, or an operator's own words."`
	GenerationID  *string      `json:"generation_id"`
}

type ledgerView struct {
	EntryView
	Actor string `json:"actor" doc:"Who moved the tokens: a key's or an account's id, cli, or empty for the server itself."`
}

type entryBalance struct {
	MonthlyTokens int64 `json:"monthly_tokens"`
	TopupTokens   int64 `json:"topup_tokens"`
	TokenBalance  int64 `json:"token_balance"`
}

func viewEntry(e *elumenta.NumberedEntry) EntryView {
	source, destination := e.Kind.Route()
	v := EntryView{
		Seq: e.Seq, At: e.At.UTC(), Kind: string(e.Kind), Source: string(source), Destination: string(destination),
		MonthlyTokens: e.Monthly, TopupTokens: e.Topup, Reason: e.Reason,
		Balance: entryBalance{MonthlyTokens: e.After.Monthly, TopupTokens: e.After.Topup, TokenBalance: e.After.Total()},
	}
	if e.Generation != "" {
		id := string(e.Generation)
		v.GenerationID = &id
	}
	return v
}

func viewLedger(e *elumenta.NumberedEntry) ledgerView { return ledgerView{viewEntry(e), e.Actor} }

type listLedgerIn struct {
	PathAccount
	StatementIn
}

func (a *API) listLedger(ctx context.Context, c *call, in *listLedgerIn) (*anyBody, error) {
	id, err := accountID(in.ID)
	if err != nil {
		return nil, err
	}
	l := list{kind: "ledger", account: c.caller.Account.ID, filter: in.ID}
	by := func(e *elumenta.NumberedEntry) string { return e.Actor }
	return answerEntries(ctx, a.Operators, statement[ledgerView]{a: a, c: c, list: l, id: id, in: &in.StatementIn, view: viewLedger, who: "actor", by: by})
}

type auditView struct {
	Seq       int64          `json:"seq" doc:"Numbers the entries from 1, without gaps."`
	At        time.Time      `json:"at"`
	Actor     string         `json:"actor" doc:"Who did it: an account's id, cli for a command on the database, or empty for the server itself."`
	KeyID     *string        `json:"key_id" doc:"The actor's key."`
	Address   *string        `json:"address" doc:"From where the actor called."`
	Action    string         `json:"action"`
	AccountID *string        `json:"account_id" doc:"Whose affair it is."`
	Target    string         `json:"target" doc:"The id of what it was done to."`
	Details   map[string]any `json:"details" doc:"Plans, numbers and ids, and an operator's reason."`
	Hash      string         `json:"hash" pattern:"^[0-9a-f]{64}$" doc:"SHA-256 of the entry and the hash before it."`
}

func viewAudit(e *elumenta.AuditEntry) auditView {
	return auditView{
		Seq: e.Seq, At: e.At.UTC(), Actor: e.Actor, KeyID: nullText(string(e.Key)), Address: nullText(e.Address), Action: string(e.Action),
		AccountID: nullText(string(e.Account)), Target: e.Target, Details: e.Details, Hash: e.Hash.String(),
	}
}

// nullText is a text, or null for none.
func nullText(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

type listAuditIn struct {
	Account string `query:"account" doc:"Only what concerns this account."`
	Action  string `query:"action" enum:"account.created,account.renamed,account.suspended,account.resumed,account.role_changed,account.plan_changed,account.topped_up,key.created,key.changed,key.revoked,assistant.published,assistant.unpublished,assistant.deleted,assistant.taken_down,assistant.allowed,assistant.read,assistant.reports_dismissed,session.started,session.ended" doc:"Only what was done in this way."`
	Paging
	known
}

// Resolve checks the account's id, so that what is wrong with it joins the other errors.
func (in *listAuditIn) Resolve(ctx huma.Context) []error {
	errs := in.known.Resolve(ctx)
	var bad elumenta.FieldErrors
	if _, ok := elumenta.ParseAccountID(in.Account); !ok && in.Account != "" {
		bad.Add("account", "must be an account's id: acct_ and 26 characters")
	}
	return append(errs, paramErrors(bad)...)
}

func (a *API) listAudit(ctx context.Context, c *call, in *listAuditIn) (*bodyOf[page[auditView]], error) {
	l := list{kind: "audit", account: c.caller.Account.ID, filter: in.Action + "\n" + in.Account}
	before, err := a.listNumbered(l, in.Cursor)
	if err != nil {
		return nil, err
	}
	items, more, err := a.Operators.AuditTrail(ctx, elumenta.AuditQuery{
		Account: elumenta.AccountID(in.Account), Action: elumenta.AuditAction(in.Action), Before: before, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	last := lastOf(items, func(e *elumenta.AuditEntry) string { return strconv.FormatInt(e.Seq, 10) })
	return &bodyOf[page[auditView]]{viewPage(items, viewAudit, a.next(l, more, last))}, nil
}

type usageOfAllIn struct {
	known
	From    string `query:"from" maxLength:"64" doc:"RFC 3339 date or time, inclusive; midnight UTC 30 days before to by default."`
	To      string `query:"to" maxLength:"64" doc:"RFC 3339 date or time, exclusive; the end of today by default."`
	GroupBy string `query:"group_by" enum:"day,model,account" default:"day"`
	Format  string `query:"format" enum:"json,csv" doc:"Beats the Accept header, which may be text/csv, too."`

	from, to time.Time
	csv      bool
}

// Resolve reads the times and the format as those of an account's usage.
func (in *usageOfAllIn) Resolve(ctx huma.Context) []error {
	own := usageIn{known: in.known, From: in.From, To: in.To, Format: in.Format}
	errs := own.Resolve(ctx)
	in.from, in.to, in.csv = own.from, own.to, own.csv
	return errs
}

func (a *API) getUsageOfAll(ctx context.Context, c *call, in *usageOfAllIn) (*anyBody, error) {
	rows, total, err := a.Usage.UsageOfAll(ctx, in.from, in.to, elumenta.UsageGroup(in.GroupBy))
	if err != nil {
		return nil, err
	}
	return answerUsage(c, in.csv, in.GroupBy, rows, &total)
}
