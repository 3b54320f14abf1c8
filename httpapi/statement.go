package httpapi

import (
	"context"
	"strconv"

	"github.com/elumenta/elumenta"
)

// statementView is an entry as its account reads it: of who moved the tokens it has the account's own keys alone.
type statementView struct {
	EntryView
	KeyID *string `json:"key_id" doc:"The key of a reservation."`
}

func viewStatement(e *elumenta.NumberedEntry) statementView {
	v := statementView{EntryView: viewEntry(e)}
	if id, ok := elumenta.ParseKeyID(e.Actor); ok {
		key := string(id)
		v.KeyID = &key
	}
	return v
}

type statementIn struct {
	Paging
	known
}

func (a *API) getStatement(ctx context.Context, c *call, in *statementIn) (*bodyOf[page[statementView]], error) {
	id := c.caller.Account.ID
	return listEntries(ctx, a, a.Accounts, list{kind: "statement", account: id}, id, &in.Paging, viewStatement)
}

// listEntries answers with a page of an account's journal.
func listEntries[V any](
	ctx context.Context, a *API, journal elumenta.JournalReader, l list, id elumenta.AccountID, p *Paging, view func(*elumenta.NumberedEntry) V,
) (*bodyOf[page[V]], error) {
	before, err := a.listNumbered(l, p.Cursor)
	if err != nil {
		return nil, err
	}
	items, more, err := journal.Entries(ctx, id, before, p.Limit)
	if err != nil {
		return nil, err
	}
	last := lastOf(items, func(e *elumenta.NumberedEntry) string { return strconv.FormatInt(e.Seq, 10) })
	return &bodyOf[page[V]]{viewPage(items, view, a.next(l, more, last))}, nil
}
