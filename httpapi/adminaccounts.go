package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/elumenta/elumenta"
)

func (a *API) adminAccountRoutes() {
	operate(a, huma.Operation{
		OperationID: "admin-create-account", Method: http.MethodPost, Path: "/accounts", Summary: "Create an account", DefaultStatus: http.StatusCreated,
	}, need{body: otherBody}, a.createAccount)
	operate(a, huma.Operation{
		OperationID: "admin-list-accounts", Method: http.MethodGet, Path: "/accounts", Summary: "List accounts, newest first",
	}, need{}, a.listAccounts)
	operate(a, huma.Operation{
		OperationID: "admin-get-account", Method: http.MethodGet, Path: "/accounts/{id}", Summary: "Read an account",
	}, need{}, a.getAccount)
	operate(a, huma.Operation{
		OperationID: "admin-update-account", Method: http.MethodPatch, Path: "/accounts/{id}", Summary: "Change an account's name or role",
		Description: "The last admin who is not suspended stays one, and the built-in author of the starter assistants cannot be one (409).",
	}, need{body: otherBody}, a.updateAccount)
	operate(a, huma.Operation{
		OperationID: "admin-set-plan", Method: http.MethodPut, Path: "/accounts/{id}/plan", Summary: "Put an account on a plan",
		Description: "The plan begins now: what is left of the old plan's tokens expires, the new plan's are granted, top-ups stay. An account that is on the " +
			"plan keeps its month and its tokens, and only the plan's end changes.",
	}, need{body: otherBody}, a.setPlan)
	operate(a, huma.Operation{
		OperationID: "admin-topup", Method: http.MethodPost, Path: "/accounts/{id}/topups", Summary: "Add tokens that do not expire",
		Description:   "With an Idempotency-Key, a repetition adds nothing and answers with the account as it is.",
		DefaultStatus: http.StatusCreated,
	}, need{body: otherBody}, a.topup)
	operate(a, huma.Operation{
		OperationID: "admin-suspend", Method: http.MethodPost, Path: "/accounts/{id}/suspend", Summary: "Suspend an account, at once",
		Description: "Its keys do not work, and its assistants are not listed and of no use to others, pinned or not. The last admin cannot be suspended (409).",
	}, need{body: otherBody, optional: true}, a.suspend)
	operate(a, huma.Operation{
		OperationID: "admin-resume", Method: http.MethodPost, Path: "/accounts/{id}/resume", Summary: "End a suspension",
	}, need{body: otherBody, optional: true}, a.resume)
}

// PathAccount is the parameter of a path that names an account. It is exported for huma, which reads its tags.
type PathAccount struct {
	ID string `path:"id" doc:"acct_ and 26 characters."`
}

type adminAccountView struct {
	ID            string     `json:"id" pattern:"^acct_[0-9a-hjkmnp-tv-z]{26}$"`
	DisplayName   string     `json:"display_name"`
	Role          string     `json:"role" enum:"user,admin"`
	Suspended     bool       `json:"suspended"`
	Plan          string     `json:"plan"`
	PlanExpiresAt *time.Time `json:"plan_expires_at" doc:"When the account falls back to the least plan; null for never."`
	TokenBalance  int64      `json:"token_balance" doc:"The sum. On an unlimited plan nothing is taken from it."`
	MonthlyTokens int64      `json:"monthly_tokens" doc:"The plan's own tokens, spent first."`
	TopupTokens   int64      `json:"topup_tokens" doc:"They never expire."`
	PeriodEndsAt  *time.Time `json:"period_ends_at" doc:"When the plan's month ends; null for a plan without months."`
	CreatedAt     time.Time  `json:"created_at"`
}

func viewAdminAccount(acct *elumenta.Account) adminAccountView {
	return adminAccountView{
		ID: string(acct.ID), DisplayName: acct.DisplayName, Role: string(acct.Role), Suspended: acct.Suspended,
		Plan: acct.Plan, PlanExpiresAt: nullTime(acct.PlanExpires), TokenBalance: acct.Balance.Total(), MonthlyTokens: acct.Balance.Monthly,
		TopupTokens: acct.Balance.Topup, PeriodEndsAt: nullTime(acct.Balance.PeriodEnds), CreatedAt: acct.CreatedAt.UTC(),
	}
}

// oneAccount answers with an account.
func oneAccount(acct *elumenta.Account, err error) (*bodyOf[adminAccountView], error) {
	if err != nil {
		return nil, err
	}
	return &bodyOf[adminAccountView]{viewAdminAccount(acct)}, nil
}

// accountID reads an id of a path: a malformed one names nothing.
func accountID(s string) (elumenta.AccountID, error) {
	id, ok := elumenta.ParseAccountID(s)
	if !ok {
		return "", elumenta.NotFound("account")
	}
	return id, nil
}

// createdAccount answers what an Idempotency-Key may repeat.
type createdAccount struct {
	Location string `header:"Location" doc:"Where the account is."`
	Replayed string `header:"Idempotency-Replayed" doc:"true if the Idempotency-Key was used before."`
	Body     adminAccountView
}

func (a *API) createAccount(ctx context.Context, c *call, _ *createIn) (*createdAccount, error) {
	var r reader
	var n elumenta.NewAccount
	var role string
	r.fields(c.body, map[string]func(*fieldPath){"display_name": r.into(&n.DisplayName), "plan": r.into(&n.Plan), "role": r.into(&role)})
	n.Role = elumenta.Role(role)
	idem := a.idempotency(c, "accounts", &r)
	if err := r.also(n.Check(a.settings().Plans)); err != nil {
		return nil, err
	}
	acct, replayed, err := a.Operators.CreateAccount(ctx, n, idem)
	return repeatable(acct, replayed, err)
}

func repeatable(acct *elumenta.Account, replayed bool, err error) (*createdAccount, error) {
	if err != nil {
		return nil, err
	}
	return &createdAccount{
		Location: Base + "/admin/accounts/" + string(acct.ID), Replayed: replayedHeader(replayed), Body: viewAdminAccount(acct),
	}, nil
}

type listAccountsIn struct {
	Q         string `query:"q" maxLength:"200" doc:"An account's id, or what its name contains, case and accents aside."`
	Plan      string `query:"plan" doc:"Only accounts on this plan."`
	Suspended string `query:"suspended" enum:"true,false" doc:"Only accounts that are suspended, or that are not."`
	Paging
	known
}

func (a *API) listAccounts(ctx context.Context, c *call, in *listAccountsIn) (*bodyOf[page[adminAccountView]], error) {
	l := list{kind: "accounts", account: c.caller.Account.ID, filter: in.Plan + "\n" + in.Suspended + "\n" + in.Q}
	before, err := a.position(l, in.Cursor)
	if err != nil {
		return nil, err
	}
	query := elumenta.AccountQuery{Text: in.Q, Plan: in.Plan, Before: elumenta.AccountID(before), Limit: in.Limit}
	if in.Suspended != "" {
		suspended := in.Suspended == "true"
		query.Suspended = &suspended
	}
	items, more, err := a.Operators.ListAccounts(ctx, query)
	if err != nil {
		return nil, err
	}
	last := lastOf(items, func(x *elumenta.Account) string { return string(x.ID) })
	return &bodyOf[page[adminAccountView]]{viewPage(items, viewAdminAccount, a.next(l, more, last))}, nil
}

type oneAccountIn struct {
	PathAccount
	known
}

func (a *API) getAccount(ctx context.Context, _ *call, in *oneAccountIn) (*bodyOf[adminAccountView], error) {
	id, err := accountID(in.ID)
	if err != nil {
		return nil, err
	}
	return oneAccount(a.Operators.Account(ctx, id))
}

func (a *API) updateAccount(ctx context.Context, c *call, in *oneAccountIn) (*bodyOf[adminAccountView], error) {
	id, err := accountID(in.ID)
	if err != nil {
		return nil, err
	}
	var r reader
	var p elumenta.AccountPatch
	r.read(c.body, func(name []byte) {
		at := fieldPath{name: string(name)}
		switch string(name) {
		case "display_name":
			optional(&r, &p.DisplayName, func() (string, bool) { return r.text(&at) })
		case "role":
			optional(&r, &p.Role, func() (elumenta.Role, bool) {
				s, ok := r.text(&at)
				return elumenta.Role(s), ok
			})
		default:
			r.unknown(nil, name)
		}
	})
	if err := r.also(p.Check()); err != nil {
		return nil, err
	}
	return oneAccount(a.Operators.ChangeAccount(ctx, id, &p))
}

func (a *API) setPlan(ctx context.Context, c *call, in *oneAccountIn) (*bodyOf[adminAccountView], error) {
	id, err := accountID(in.ID)
	if err != nil {
		return nil, err
	}
	var r reader
	var p elumenta.PlanChange
	r.fields(c.body, map[string]func(*fieldPath){
		"plan": r.into(&p.Plan), "reason": r.into(&p.Reason), "expires_at": func(at *fieldPath) { p.Expires, _ = r.time(at) },
	})
	if err := r.also(p.Check(a.settings().Plans, c.started)); err != nil {
		return nil, err
	}
	return oneAccount(a.Operators.SetPlan(ctx, id, p))
}

type topupIn struct {
	PathAccount
	Idempotency
	known
}

func (a *API) topup(ctx context.Context, c *call, in *topupIn) (*createdAccount, error) {
	id, err := accountID(in.ID)
	if err != nil {
		return nil, err
	}
	var r reader
	var t elumenta.Topup
	r.fields(c.body, map[string]func(*fieldPath){
		"tokens": func(at *fieldPath) { t.Tokens, _ = r.whole(at, 1, elumenta.MaxTopup) }, "reason": r.into(&t.Reason),
	})
	if key, ok := idempotencyKey(c, &r); ok {
		t.Idempotency = a.Secret.Topup(id, key, &t)
	}
	if err := r.also(t.Check()); err != nil {
		return nil, err
	}
	acct, replayed, err := a.Operators.Topup(ctx, id, t)
	return repeatable(acct, replayed, err)
}

func (a *API) suspend(ctx context.Context, c *call, in *oneAccountIn) (*bodyOf[adminAccountView], error) {
	return a.setSuspended(ctx, c, in.ID, true)
}

func (a *API) resume(ctx context.Context, c *call, in *oneAccountIn) (*bodyOf[adminAccountView], error) {
	return a.setSuspended(ctx, c, in.ID, false)
}

func (a *API) setSuspended(ctx context.Context, c *call, account string, suspended bool) (*bodyOf[adminAccountView], error) {
	id, err := accountID(account)
	if err != nil {
		return nil, err
	}
	reason, err := readReason(c.body, 0)
	if err != nil {
		return nil, err
	}
	return oneAccount(a.Operators.SetSuspended(ctx, id, suspended, reason))
}
