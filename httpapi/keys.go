package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/elumenta/elumenta"
)

func (a *API) keyRoutes() {
	register(a, huma.Operation{
		OperationID: "create-key", Method: http.MethodPost, Path: "/keys", Tags: []string{"Keys"}, Summary: "Create an API key",
		Description:   "The only time that the key is shown. A limit that is absent or null is none. A limited key makes and changes no keys.",
		DefaultStatus: http.StatusCreated,
	}, need{body: otherBody, unlimited: true}, a.createKey)
	register(a, huma.Operation{
		OperationID: "list-keys", Method: http.MethodGet, Path: "/keys", Tags: []string{"Keys"}, Summary: "List your keys, newest first",
	}, need{}, a.listKeys)
	register(a, huma.Operation{
		OperationID: "get-own-key", Method: http.MethodGet, Path: "/keys/me", Tags: []string{"Keys"}, Summary: "Read the key of this request",
		Description: "What it is limited to, and what it has spent of its budget. Every key may read itself.",
	}, need{scoped: true}, a.getOwnKey)
	register(a, huma.Operation{
		OperationID: "update-key", Method: http.MethodPatch, Path: "/keys/{id}", Tags: []string{"Keys"}, Summary: "Change a key's name or limits",
		Description: "Fields that are present are replaced, fields that are absent stay, null lifts a limit. It counts for the next request.",
	}, need{body: otherBody, unlimited: true}, a.updateKey)
	register(a, huma.Operation{
		OperationID: "revoke-key", Method: http.MethodDelete, Path: "/keys/{id}", Tags: []string{"Keys"}, Summary: "Revoke a key, at once",
	}, need{unlimited: true}, a.revokeKey)
}

// PathKey is the parameter of a path that names a key. It is exported for huma, which reads its tags.
type PathKey struct {
	ID string `path:"id" doc:"key_ and 26 characters."`
}

// KeyLimitsView is what a key is limited to.
type KeyLimitsView struct {
	ReadOnly    bool                    `json:"read_only" doc:"It reads, and neither changes anything nor generates."`
	Assistants  *[]elumenta.AssistantID `json:"assistants" doc:"What it may generate with; null for all, and for no assistant."`
	Models      *[]string               `json:"models" doc:"Slugs of what it may generate with; null for all."`
	Budget      *int64                  `json:"budget" minimum:"0" doc:"How many tokens it may spend in all; null for no limit."`
	BudgetSpent *int64                  `json:"budget_spent" minimum:"0" doc:"What it has spent and reserved while it had a budget; null without one."`
	ExpiresAt   *time.Time              `json:"expires_at" doc:"When it stops working; null for never."`
}

func viewLimits(k *elumenta.Key) KeyLimitsView {
	v := KeyLimitsView{
		ReadOnly: k.Limits.ReadOnly, Assistants: nullList(k.Limits.Assistants), Models: nullList(k.Limits.Models),
		Budget: k.Limits.Budget, ExpiresAt: nullTime(k.Limits.ExpiresAt),
	}
	if v.Budget != nil {
		v.BudgetSpent = &k.Spent
	}
	return v
}

// nullList is a list that may be null.
func nullList[T any](items []T) *[]T {
	if items == nil {
		return nil
	}
	return &items
}

type createdKeyView struct {
	ID   string  `json:"id" pattern:"^key_[0-9a-hjkmnp-tv-z]{26}$"`
	Name string  `json:"name"`
	Key  *string `json:"key" doc:"The key itself; null when an Idempotency-Key is used again, since it is not kept."`
	KeyLimitsView
	CreatedAt time.Time `json:"created_at"`
}

type createdKey struct {
	Replayed string `header:"Idempotency-Replayed" doc:"true if the Idempotency-Key was used before."`
	Body     createdKeyView
}

func (a *API) createKey(ctx context.Context, c *call, _ *createIn) (*createdKey, error) {
	b := decodeKey(c.body)
	n, _ := b.patch.Apply(&elumenta.Key{})
	idem := a.idempotency(c, "keys", &b.reader)
	if err := a.checkedKey(b, n.Check(c.started)); err != nil {
		return nil, err
	}
	secret := elumenta.NewKeySecret()
	key, replayed, err := a.Accounts.CreateKey(ctx, c.caller.Account.ID, n, secret, idem)
	if err != nil {
		return nil, err
	}
	v := createdKeyView{ID: string(key.ID), Name: key.Name, KeyLimitsView: viewLimits(key), CreatedAt: key.CreatedAt.UTC()}
	if !replayed {
		text := secret.Reveal()
		v.Key = &text
	}
	return &createdKey{Replayed: replayedHeader(replayed), Body: v}, nil
}

type keyView struct {
	ID     string `json:"id" pattern:"^key_[0-9a-hjkmnp-tv-z]{26}$"`
	Name   string `json:"name"`
	Prefix string `json:"prefix" doc:"The first 8 characters of the key."`
	KeyLimitsView
	LastUsedAt *time.Time `json:"last_used_at" doc:"Follows the use within seconds; null for a key that was never used."`
	CreatedAt  time.Time  `json:"created_at"`
}

func viewKey(k *elumenta.Key) keyView {
	return keyView{
		ID: string(k.ID), Name: k.Name, Prefix: k.Prefix, KeyLimitsView: viewLimits(k),
		LastUsedAt: nullTime(k.LastUsedAt), CreatedAt: k.CreatedAt.UTC(),
	}
}

type listKeysIn struct {
	Paging
	known
}

func (a *API) listKeys(ctx context.Context, c *call, in *listKeysIn) (*bodyOf[page[keyView]], error) {
	l := list{kind: "keys", account: c.caller.Account.ID}
	before, err := a.position(l, in.Cursor)
	if err != nil {
		return nil, err
	}
	keys, more, err := a.Accounts.Keys(ctx, c.caller.Account.ID, elumenta.KeyID(before), in.Limit)
	if err != nil {
		return nil, err
	}
	last := lastOf(keys, func(k *elumenta.Key) string { return string(k.ID) })
	return &bodyOf[page[keyView]]{viewPage(keys, viewKey, a.next(l, more, last))}, nil
}

func (a *API) getOwnKey(_ context.Context, c *call, _ *struct{ known }) (*bodyOf[keyView], error) {
	return &bodyOf[keyView]{viewKey(&c.caller.Key)}, nil
}

type oneKeyIn struct {
	PathKey
	known
}

func (a *API) updateKey(ctx context.Context, c *call, in *oneKeyIn) (*bodyOf[keyView], error) {
	id, ok := elumenta.ParseKeyID(in.ID)
	if !ok {
		return nil, elumenta.NotFound("key")
	}
	b := decodeKey(c.body)
	if err := a.checkedKey(b, b.patch.Check(c.started)); err != nil {
		return nil, err
	}
	key, err := a.Accounts.ChangeKey(ctx, c.caller.Account.ID, id, &b.patch)
	if err != nil {
		return nil, err
	}
	return &bodyOf[keyView]{viewKey(key)}, nil
}

func (a *API) revokeKey(ctx context.Context, c *call, in *oneKeyIn) (*noBody, error) {
	id, ok := elumenta.ParseKeyID(in.ID)
	if !ok {
		return nil, elumenta.NotFound("key")
	}
	return nil, a.Accounts.RevokeKey(ctx, c.caller.Account.ID, id)
}
