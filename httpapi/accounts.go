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
		OperationID: "get-user", Method: http.MethodGet, Path: "/user/me", Tags: []string{"Account"}, Summary: "Read your account",
	}, need{}, a.getUser)
	register(a, huma.Operation{
		OperationID: "update-user", Method: http.MethodPatch, Path: "/user/me", Tags: []string{"Account"}, Summary: "Change your display name",
	}, need{body: otherBody}, a.updateUser)
	register(a, huma.Operation{
		OperationID: "get-balance", Method: http.MethodGet, Path: "/balance", Tags: []string{"Account"}, Summary: "Read your balance",
	}, need{}, a.getBalance)
	register(a, huma.Operation{
		OperationID: "get-statement", Method: http.MethodGet, Path: "/balance/statement", Tags: []string{"Account"}, Summary: "Read your statement, newest first",
		Description: "Every movement of your tokens, with the balance after it. An entry adds to the balance if its destination is available, and takes from it if " +
			"its source is. On an unlimited plan generations move none. With Accept: text/csv, or format=csv, all entries of a time are rows of a file, 10,000 at most.",
	}, need{csv: true}, a.getStatement)
	register(a, huma.Operation{
		OperationID: "get-usage", Method: http.MethodGet, Path: "/usage", Tags: []string{"Account"}, Summary: "Add up your generations",
		Description: "What was settled before the call is in it. Whole days cost the same however many generations there were. With Accept: text/csv, " +
			"or format=csv, the items are rows of a file, without the total.",
	}, need{csv: true}, a.getUsage)
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

func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

type userView struct {
	ID            string     `json:"id" pattern:"^acct_[0-9a-hjkmnp-tv-z]{26}$"`
	DisplayName   string     `json:"display_name"`
	Plan          string     `json:"plan"`
	PlanExpiresAt *time.Time `json:"plan_expires_at"`
	TokenBalance  int64      `json:"token_balance"`
	CreatedAt     time.Time  `json:"created_at"`
	Storage       storage    `json:"storage" doc:"What your assistants store. At the limit whatever makes a version is refused, except to unpublish."`
}

type storage struct {
	UsedBytes  int64  `json:"used_bytes" minimum:"0" doc:"The texts of all versions of your assistants, in bytes of UTF-8."`
	LimitBytes *int64 `json:"limit_bytes" minimum:"1" doc:"Null where this server has no limit."`
}

func viewUser(acct *elumenta.Account, stored elumenta.Storage) *bodyOf[userView] {
	view := userView{
		ID: string(acct.ID), DisplayName: acct.DisplayName, Plan: acct.Plan, PlanExpiresAt: nullTime(acct.PlanExpires),
		TokenBalance: acct.Balance.Total(), CreatedAt: acct.CreatedAt.UTC(), Storage: storage{UsedBytes: stored.Used},
	}
	if stored.Limit > 0 {
		view.Storage.LimitBytes = &stored.Limit
	}
	return &bodyOf[userView]{view}
}

func (a *API) getUser(ctx context.Context, c *call, _ *struct{ known }) (*bodyOf[userView], error) {
	stored, err := a.Assistants.AssistantStorage(ctx, c.caller.Account.ID)
	if err != nil {
		return nil, err
	}
	return viewUser(&c.caller.Account, stored), nil
}

func (a *API) updateUser(ctx context.Context, c *call, _ *struct{ known }) (*bodyOf[userView], error) {
	var r reader
	name := r.oneName(c.body, "display_name", elumenta.MaxDisplayName)
	if err := r.err(); err != nil {
		return nil, err
	}
	// Read first: an error must not follow a change that was made.
	stored, err := a.Assistants.AssistantStorage(ctx, c.caller.Account.ID)
	if err != nil {
		return nil, err
	}
	acct, err := a.Accounts.SetDisplayName(ctx, c.caller.Account.ID, name)
	if err != nil {
		return nil, err
	}
	return viewUser(acct, stored), nil
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
