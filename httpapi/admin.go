package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/elumenta/elumenta"
)

// operate adds a route for operators: accounts with the role admin. Others get 403.
func operate[I, O any](a *API, op huma.Operation, n need, h func(ctx context.Context, c *call, in *I) (*O, error)) {
	n.role = elumenta.RoleAdmin
	n.unlimited = op.Method != http.MethodGet // what it changes, a role above all, would outlive the key's limits
	op.Path, op.Tags = "/admin"+op.Path, []string{"Operators"}
	if op.Description != "" {
		op.Description += " "
	}
	op.Description += "For accounts with the role admin; others get 403."
	register(a, op, n, h)
}

func (a *API) adminRoutes() {
	a.adminAccountRoutes()
	operate(a, huma.Operation{
		OperationID: "admin-list-keys", Method: http.MethodGet, Path: "/accounts/{id}/keys", Summary: "List an account's keys, newest first",
	}, need{}, a.listAccountKeys)
	operate(a, huma.Operation{
		OperationID: "admin-find-keys", Method: http.MethodGet, Path: "/keys", Summary: "Find keys by how they begin",
		Description: "The first 8 characters of a key that leaked say whose it is.",
	}, need{}, a.findKeys)
	operate(a, huma.Operation{
		OperationID: "admin-revoke-key", Method: http.MethodDelete, Path: "/keys/{id}", Summary: "Revoke anyone's key, at once",
	}, need{}, a.revokeAnyKey)
	a.moderationRoutes()
	operate(a, huma.Operation{
		OperationID: "admin-list-ledger", Method: http.MethodGet, Path: "/accounts/{id}/ledger", Summary: "Read an account's journal, newest first",
		Description: "Every movement of its tokens, with the balance after it. With Accept: text/csv, or format=csv, all entries of a time are rows of a file, 10,000 at most.",
	}, need{csv: true}, a.listLedger)
	operate(a, huma.Operation{
		OperationID: "admin-list-audit", Method: http.MethodGet, Path: "/audit", Summary: "Read the audit trail, newest first",
		Description: "Who did what to what, when and from where. hash covers an entry and all before it.",
	}, need{}, a.listAudit)
	operate(a, huma.Operation{
		OperationID: "admin-get-usage", Method: http.MethodGet, Path: "/usage", Summary: "Add up everyone's generations",
		Description: "In whole days, UTC: those that the range touches. What was settled is in it within two seconds.",
	}, need{csv: true}, a.getUsageOfAll)
	operate(a, huma.Operation{
		OperationID: "admin-list-providers", Method: http.MethodGet, Path: "/providers", Summary: "See providers, their models and their health",
		Description: "Which are configured, what switches the others on, and how calls of this node went since it started.",
	}, need{}, a.listProviders)
}

// adminKeyView is a key with the account that it belongs to.
type adminKeyView struct {
	AccountID string `json:"account_id" pattern:"^acct_[0-9a-hjkmnp-tv-z]{26}$"`
	AdminKey
}

// AdminKey is the rest of it. It is exported for huma, which reads its tags.
type AdminKey keyView

func viewAdminKey(k *elumenta.Key) adminKeyView {
	return adminKeyView{AccountID: string(k.AccountID), AdminKey: AdminKey(viewKey(k))}
}

type listAccountKeysIn struct {
	PathAccount
	Paging
	known
}

func (a *API) listAccountKeys(ctx context.Context, c *call, in *listAccountKeysIn) (*bodyOf[page[adminKeyView]], error) {
	id, err := a.existing(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	l := list{kind: "an account's keys", account: c.caller.Account.ID, filter: in.ID}
	return a.adminKeys(l, in.Cursor, func(before elumenta.KeyID) ([]elumenta.Key, bool, error) {
		return a.Operators.Keys(ctx, id, before, in.Limit)
	})
}

// existing reads the id of an account in a path, which must be there.
func (a *API) existing(ctx context.Context, s string) (elumenta.AccountID, error) {
	id, err := accountID(s)
	if err != nil {
		return "", err
	}
	_, err = a.Operators.Account(ctx, id)
	return id, err
}

type findKeysIn struct {
	Prefix string `query:"prefix" required:"true" pattern:"^nb_[0-9A-Za-z]{5}$" patternDescription:"nb_ and 5 characters: a key's first 8" doc:"The first 8 characters of a key."`
	Paging
	known
}

func (a *API) findKeys(ctx context.Context, c *call, in *findKeysIn) (*bodyOf[page[adminKeyView]], error) {
	l := list{kind: "keys of everyone", account: c.caller.Account.ID, filter: in.Prefix}
	return a.adminKeys(l, in.Cursor, func(before elumenta.KeyID) ([]elumenta.Key, bool, error) {
		return a.Operators.KeysByPrefix(ctx, in.Prefix, before, in.Limit)
	})
}

func (a *API) adminKeys(l list, cursor string, read func(before elumenta.KeyID) ([]elumenta.Key, bool, error)) (*bodyOf[page[adminKeyView]], error) {
	before, err := a.position(l, cursor)
	if err != nil {
		return nil, err
	}
	keys, more, err := read(elumenta.KeyID(before))
	if err != nil {
		return nil, err
	}
	last := lastOf(keys, func(k *elumenta.Key) string { return string(k.ID) })
	return &bodyOf[page[adminKeyView]]{viewPage(keys, viewAdminKey, a.next(l, more, last))}, nil
}

func (a *API) revokeAnyKey(ctx context.Context, _ *call, in *oneKeyIn) (*noBody, error) {
	id, ok := elumenta.ParseKeyID(in.ID)
	if !ok {
		return nil, elumenta.NotFound("key")
	}
	return nil, a.Operators.RevokeAnyKey(ctx, id)
}

// readReason reads a body of one reason, of least characters or more.
func readReason(body []byte, least int) (reason string, err error) {
	var r reader
	r.fields(body, map[string]func(*fieldPath){"reason": r.into(&reason)})
	elumenta.CheckReason(&r.errs, reason, least)
	return reason, r.err()
}
