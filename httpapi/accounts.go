package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/elumenta/elumenta"
)

func (a *API) accountRoutes() {
	register(a, huma.Operation{
		OperationID: "create-key", Method: http.MethodPost, Path: "/keys", Tags: []string{"Keys"}, Summary: "Create an API key",
		Description: "The only time that the key is shown.", DefaultStatus: http.StatusCreated,
	}, need{body: a.Body}, a.createKey)
	register(a, huma.Operation{
		OperationID: "list-keys", Method: http.MethodGet, Path: "/keys", Tags: []string{"Keys"}, Summary: "List your keys, newest first",
	}, need{}, a.listKeys)
	register(a, huma.Operation{
		OperationID: "rename-key", Method: http.MethodPatch, Path: "/keys/{id}", Tags: []string{"Keys"}, Summary: "Rename a key",
	}, need{body: a.Body}, a.renameKey)
	register(a, huma.Operation{
		OperationID: "revoke-key", Method: http.MethodDelete, Path: "/keys/{id}", Tags: []string{"Keys"}, Summary: "Revoke a key, at once",
	}, need{}, a.revokeKey)
	register(a, huma.Operation{
		OperationID: "get-user", Method: http.MethodGet, Path: "/user/me", Tags: []string{"Account"}, Summary: "Read your account",
	}, need{}, a.getUser)
	register(a, huma.Operation{
		OperationID: "update-user", Method: http.MethodPatch, Path: "/user/me", Tags: []string{"Account"}, Summary: "Change your display name",
	}, need{body: a.Body}, a.updateUser)
	register(a, huma.Operation{
		OperationID: "get-balance", Method: http.MethodGet, Path: "/balance", Tags: []string{"Account"}, Summary: "Read your balance",
	}, need{}, a.getBalance)
	register(a, huma.Operation{
		OperationID: "get-usage", Method: http.MethodGet, Path: "/usage", Tags: []string{"Account"}, Summary: "Add up your generations",
	}, need{}, a.getUsage)
}

// PathKey is the parameter of a path that names a key. It is exported for huma, which reads its tags.
type PathKey struct {
	ID string `path:"id" doc:"key_ and 26 characters."`
}

type createdKeyView struct {
	ID        string    `json:"id" pattern:"^key_[0-9a-hjkmnp-tv-z]{26}$"`
	Name      string    `json:"name"`
	Key       *string   `json:"key" doc:"The key itself; null when an Idempotency-Key is used again, since it is not kept."`
	CreatedAt time.Time `json:"created_at"`
}

type createdKey struct {
	Replayed string `header:"Idempotency-Replayed" doc:"true if the Idempotency-Key was used before."`
	Body     createdKeyView
}

func (a *API) createKey(ctx context.Context, c *call, _ *createIn) (*createdKey, error) {
	var r reader
	name := r.oneName(c.body, "name", elumenta.MaxKeyName)
	idem := a.idempotency(c, "keys", &r)
	if err := r.err(); err != nil {
		return nil, err
	}
	secret := elumenta.NewKeySecret()
	key, replayed, err := a.Accounts.CreateKey(ctx, c.caller.Account.ID, elumenta.NewKey{Name: name}, secret, idem)
	if err != nil {
		return nil, err
	}
	v := createdKeyView{ID: string(key.ID), Name: key.Name, CreatedAt: key.CreatedAt.UTC()}
	if !replayed {
		text := secret.Reveal()
		v.Key = &text
	}
	return &createdKey{Replayed: replayedHeader(replayed), Body: v}, nil
}

// oneName reads a body of one name.
func (r *reader) oneName(body []byte, field string, most int) (name string) {
	at := fieldPath{name: field}
	r.read(body, func(member []byte) {
		if string(member) != field {
			r.unknown(nil, member)
			return
		}
		if !r.null() {
			name, _ = r.text(&at)
		}
	})
	elumenta.CheckText(&r.errs, field, name, 1, most)
	for _, c := range name {
		if c < ' ' || c == 0x7f {
			r.bad(&at, "must not contain control characters")
			break
		}
	}
	return name
}

type keyView struct {
	ID         string     `json:"id" pattern:"^key_[0-9a-hjkmnp-tv-z]{26}$"`
	Name       string     `json:"name"`
	Prefix     string     `json:"prefix" doc:"The first 8 characters of the key."`
	LastUsedAt *time.Time `json:"last_used_at" doc:"Follows the use within seconds; null for a key that was never used."`
	CreatedAt  time.Time  `json:"created_at"`
}

func viewKey(k *elumenta.Key) keyView {
	return keyView{ID: string(k.ID), Name: k.Name, Prefix: k.Prefix, LastUsedAt: nullTime(k.LastUsedAt), CreatedAt: k.CreatedAt.UTC()}
}

func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
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

type oneKeyIn struct {
	PathKey
	known
}

func (a *API) renameKey(ctx context.Context, c *call, in *oneKeyIn) (*bodyOf[keyView], error) {
	id, ok := elumenta.ParseKeyID(in.ID)
	if !ok {
		return nil, elumenta.NotFound("key")
	}
	var r reader
	name := r.oneName(c.body, "name", elumenta.MaxKeyName)
	if err := r.err(); err != nil {
		return nil, err
	}
	key, err := a.Accounts.ChangeKey(ctx, c.caller.Account.ID, id, &elumenta.KeyPatch{Name: elumenta.Some(name)})
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

type userView struct {
	ID            string     `json:"id" pattern:"^acct_[0-9a-hjkmnp-tv-z]{26}$"`
	DisplayName   string     `json:"display_name"`
	Plan          string     `json:"plan"`
	PlanExpiresAt *time.Time `json:"plan_expires_at"`
	TokenBalance  int64      `json:"token_balance"`
	CreatedAt     time.Time  `json:"created_at"`
}

func viewUser(acct *elumenta.Account) userView {
	return userView{
		ID: string(acct.ID), DisplayName: acct.DisplayName, Plan: acct.Plan, PlanExpiresAt: nullTime(acct.PlanExpires),
		TokenBalance: acct.Balance.Total(), CreatedAt: acct.CreatedAt.UTC(),
	}
}

func (a *API) getUser(_ context.Context, c *call, _ *struct{ known }) (*bodyOf[userView], error) {
	return &bodyOf[userView]{viewUser(&c.caller.Account)}, nil
}

func (a *API) updateUser(ctx context.Context, c *call, _ *struct{ known }) (*bodyOf[userView], error) {
	var r reader
	name := r.oneName(c.body, "display_name", elumenta.MaxDisplayName)
	if err := r.err(); err != nil {
		return nil, err
	}
	acct, err := a.Accounts.SetDisplayName(ctx, c.caller.Account.ID, name)
	if err != nil {
		return nil, err
	}
	return &bodyOf[userView]{viewUser(acct)}, nil
}

type balanceView struct {
	TokenBalance  int64      `json:"token_balance" doc:"The sum. On an unlimited plan nothing is taken from it."`
	MonthlyTokens int64      `json:"monthly_tokens" doc:"The plan's own tokens, spent first."`
	TopupTokens   int64      `json:"topup_tokens" doc:"They never expire."`
	PeriodEndsAt  *time.Time `json:"period_ends_at" doc:"When the plan's month ends; null for a plan without months."`
	Plan          string     `json:"plan"`
	PlanExpiresAt *time.Time `json:"plan_expires_at"`
}

func (a *API) getBalance(_ context.Context, c *call, _ *struct{ known }) (*bodyOf[balanceView], error) {
	acct := &c.caller.Account
	return &bodyOf[balanceView]{balanceView{
		TokenBalance: acct.Balance.Total(), MonthlyTokens: acct.Balance.Monthly,
		TopupTokens: acct.Balance.Topup, PeriodEndsAt: nullTime(acct.Balance.PeriodEnds),
		Plan: acct.Plan, PlanExpiresAt: nullTime(acct.PlanExpires),
	}}, nil
}
