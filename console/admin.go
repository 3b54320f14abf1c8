package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
)

func (c *Console) adminRoutes() {
	c.page("admin", adminOnly((*page).listAccounts))
	c.form("admin/accounts", adminOnly((*page).createAccount))
	c.page("admin/accounts/{id}", adminOnly(func(p *page) error { return p.showAdminAccount(nil, nil) }))
	c.form("admin/accounts/{id}/{change}", adminOnly((*page).changeAccount))
	c.page("admin/accounts/{id}/statement.csv", adminOnly(func(p *page) error {
		return p.statementFile(p.adminPath()+"/ledger", func(errs map[string]string) error { return p.showAdminAccount(nil, errs) })
	}))
	for change := range roles {
		c.page("admin/accounts/{id}/"+change, adminOnly(func(p *page) error { return p.confirmRole(change, nil) }))
	}
	c.page("admin/keys", adminOnly((*page).findKeys))
	c.page("admin/accounts/{id}/suspend", adminOnly(func(p *page) error { return p.confirmSuspend(nil) }))
	c.page("admin/accounts/{id}/keys/{key}/revoke", adminOnly((*page).confirmRevoke))
	c.form("admin/accounts/{id}/keys/{key}/revoke", adminOnly((*page).revokeAnyKey))
	c.page("admin/reports", adminOnly((*page).listReports))
	c.page("admin/reports/{id}", adminOnly(func(p *page) error { return p.showReported(nil) }))
	c.form("admin/reports/{id}/{decision}", adminOnly((*page).decide))
	c.page("admin/reports/{id}/takedown", adminOnly(func(p *page) error { return p.confirmTakedown(nil) }))
	c.page("admin/audit", adminOnly((*page).listAudit))
	c.page("admin/providers", adminOnly((*page).listProviders))
}

// adminOnly hides the operators' pages from others, as if there were none.
func adminOnly(h func(*page) error) func(*page) error {
	return func(p *page) error {
		if !p.admin() {
			return elumenta.NotFound("page")
		}
		return h(p)
	}
}

// AdminAccount is an account as operators see it.
type AdminAccount struct {
	ID            string     `json:"id"`
	DisplayName   string     `json:"display_name"`
	Role          string     `json:"role"`
	Suspended     bool       `json:"suspended"`
	Plan          string     `json:"plan"`
	PlanExpiresAt *time.Time `json:"plan_expires_at"`
	TokenBalance  int64      `json:"token_balance"`
	MonthlyTokens int64      `json:"monthly_tokens"`
	TopupTokens   int64      `json:"topup_tokens"`
	PeriodEndsAt  *time.Time `json:"period_ends_at"`
	CreatedAt     time.Time  `json:"created_at"`
}

// adminAccounts is the page of all accounts.
type adminAccounts struct {
	Query, Cursor string
	List[AdminAccount]
	Name, Plan string // of the form
	Once       string
	Errors     map[string]string
}

func (p *page) listAccounts() error {
	return p.showAccounts(http.StatusOK, &adminAccounts{Plan: "free"})
}

func (p *page) showAccounts(status int, a *adminAccounts) error {
	q := p.r.URL.Query()
	a.Query, a.Cursor = q.Get("q"), q.Get("cursor")
	ask := url.Values{"limit": {"50"}}
	for name, value := range map[string]string{"q": a.Query, "cursor": a.Cursor} {
		if value != "" {
			ask.Set(name, value)
		}
	}
	if err := p.get("/admin/accounts?"+ask.Encode(), &a.List); err != nil {
		return err
	}
	if q.Get("part") == "results" {
		return p.fragment(accountResults(p, a))
	}
	if a.Once == "" {
		a.Once = once()
	}
	return p.renderStatus(status, "admin", p.T("admin.accounts"), accountsPage(p, a))
}

func (p *page) createAccount() error {
	f := p.r.PostForm
	a := &adminAccounts{Name: f.Get("display_name"), Plan: f.Get("plan"), Once: f.Get("once")}
	var made AdminAccount
	err := p.send(http.MethodPost, "/admin/accounts", map[string]any{"display_name": a.Name, "plan": a.Plan}, &made, onceOnly(a.Once)...)
	if errs, ok := fieldErrors(err); ok {
		a.Errors, a.Once = errs, ""
		return p.showAccounts(http.StatusUnprocessableEntity, a)
	}
	if err != nil {
		return err
	}
	return p.redirect(Base+"admin/accounts/"+made.ID, "created_account")
}

// adminAccount is the page of one account.
type adminAccount struct {
	AdminAccount
	Keys    []Key
	Journal *statement
	Once    string
	Errors  map[string]string
}

func (p *page) adminPath() string { return "/admin/accounts/" + url.PathEscape(p.r.PathValue("id")) }

// showAdminAccount is the page of an account; errs is what was wrong with a form of it, fileErrs with the time of a file of its journal.
func (p *page) showAdminAccount(errs, fileErrs map[string]string) error {
	a := &adminAccount{Errors: errs, Once: once()}
	if err := p.get(p.adminPath(), &a.AdminAccount); err != nil {
		return err
	}
	var keys List[Key]
	if err := p.get(p.adminPath()+"/keys?limit=100", &keys); err != nil {
		return err
	}
	a.Keys = keys.Items
	var err error
	if a.Journal, err = p.readStatement(p.adminPath()+"/ledger", 25, fileErrs); err != nil {
		return err
	}
	status := http.StatusOK
	if errs != nil || a.Journal.Errors != nil {
		status = http.StatusUnprocessableEntity
	}
	return p.renderStatus(status, "admin", a.DisplayName, adminAccountPage(p, a))
}

// sent reports whether a page is shown again since a form was sent to change an account, or to decide on an assistant.
func (p *page) sent(form string) bool {
	return p.r.Method == http.MethodPost && (p.r.PathValue("change") == form || p.r.PathValue("decision") == form)
}

// retyped is what was typed into a field of one of a page's forms, if that is shown again, or else what the field begins with.
func (p *page) retyped(form, field, otherwise string) string {
	if p.sent(form) {
		return p.r.PostForm.Get(field)
	}
	return otherwise
}

// errorsOf are the errors of a form that has fields in common with others of its page, if it was sent.
func (p *page) errorsOf(form string, errs map[string]string) map[string]string {
	if p.sent(form) {
		return errs
	}
	return nil
}

// withReason adds the form's reason to a body, if there is one.
func withReason(f url.Values, body map[string]any) map[string]any {
	if reason := strings.TrimSpace(f.Get("reason")); reason != "" {
		body["reason"] = reason
	}
	return body
}

// roles are what changes of an account's role make it.
var roles = map[string]elumenta.Role{"promote": elumenta.RoleAdmin, "demote": elumenta.RoleUser} //nolint:gochecknoglobals // a constant

// changeAccount does what one of the forms of an account's page asks for.
func (p *page) changeAccount() error {
	f, change := p.r.PostForm, p.r.PathValue("change")
	var err error
	switch change {
	case "topup":
		tokens, wrong := integer(f.Get("tokens"))
		if wrong != nil {
			return p.showAdminAccount(map[string]string{"tokens": p.T("own.not_a_number")}, nil)
		}
		err = p.send(http.MethodPost, p.adminPath()+"/topups", withReason(f, map[string]any{"tokens": tokens}), nil, "Idempotency-Key", f.Get("once"))
	case "plan":
		err = p.changePlan()
	case "suspend", "resume":
		if change == "suspend" && strings.TrimSpace(f.Get("reason")) == "" {
			return p.confirmSuspend(map[string]string{"reason": p.T("admin.reason_needed")})
		}
		err = p.send(http.MethodPost, p.adminPath()+"/"+change, withReason(f, map[string]any{}), nil)
	case "promote", "demote":
		err = p.send(http.MethodPatch, p.adminPath(), map[string]any{"role": roles[change]}, nil)
	default:
		return elumenta.NotFound("page")
	}
	if errs, ok := fieldErrors(err); ok {
		switch change {
		case "suspend":
			return p.confirmSuspend(errs)
		case "promote", "demote":
			return p.confirmRole(change, errs)
		}
		return p.showAdminAccount(errs, nil)
	}
	if err != nil {
		return err
	}
	if change == "demote" && p.r.PathValue("id") == string(p.session.AccountID) {
		return p.redirect(Base+"account", "saved") // these pages are not for them any more
	}
	return p.redirect(Base+"admin/accounts/"+url.PathEscape(p.r.PathValue("id")), "saved")
}

// changePlan puts the account on a plan through the end of a day.
func (p *page) changePlan() error {
	f := p.r.PostForm
	body := withReason(f, map[string]any{"plan": f.Get("plan")})
	if until := f.Get("until"); until != "" {
		var now AdminAccount
		if err := p.get(p.adminPath(), &now); err != nil {
			return err
		}
		ends, err := endOfDay(until)
		if err != nil {
			return &problem{Status: http.StatusUnprocessableEntity, Code: elumenta.CodeValidation, Fields: []elumenta.FieldError{{Field: "expires_at", Reason: p.T("keys.not_a_day")}}}
		}
		if now.Plan == f.Get("plan") && until == lastDay(now.PlanExpiresAt) {
			ends = *now.PlanExpiresAt // as exact as it is
		}
		body["expires_at"] = ends
	}
	return p.send(http.MethodPut, p.adminPath()+"/plan", body, nil)
}

// FoundKey is a key with the account that it belongs to.
type FoundKey struct {
	AccountID string `json:"account_id"`
	Key
}

// keyPrefix is how much of a key finds it.
const keyPrefix = 8

// findKeys finds whose a leaked key is by how it begins. More of it stays in no address.
func (p *page) findKeys() error {
	q := p.r.URL.Query()
	prefix := strings.TrimSpace(q.Get("prefix"))
	if len(prefix) > keyPrefix {
		return p.redirect(Base+"admin/keys?prefix="+queryEscape(prefix[:keyPrefix]), "")
	}
	var keys List[FoundKey]
	var errs map[string]string
	status := http.StatusOK
	if prefix != "" {
		err := p.get("/admin/keys?"+url.Values{"prefix": {prefix}, "limit": {"100"}}.Encode(), &keys)
		if codeOf(err) == elumenta.CodeValidation {
			status = http.StatusUnprocessableEntity
			errs, _ = fieldErrors(err)
		} else if err != nil {
			return err
		}
	}
	return p.renderStatus(status, "admin", p.T("admin.keys"), foundKeysPage(p, prefix, keys.Items, errs))
}

// Reported is an assistant in the queue.
type Reported struct {
	AssistantID string         `json:"assistant_id"`
	Name        string         `json:"name"`
	AccountID   string         `json:"account_id"`
	Author      string         `json:"author"`
	Visibility  string         `json:"visibility"`
	TakenDown   *TakenDown     `json:"taken_down"`
	Reports     int64          `json:"reports"`
	Reasons     map[string]int `json:"reasons"`
	FirstAt     time.Time      `json:"first_reported_at"`
	LastAt      time.Time      `json:"last_reported_at"`
}

// reasons are those of the reports, in one order.
func (r *Reported) reasons(p *page) string {
	var texts []string
	for _, reason := range reportReasons {
		if n := r.Reasons[reason]; n > 0 {
			texts = append(texts, p.T("market.reason_"+reason)+" ("+p.Number(int64(n))+")")
		}
	}
	return strings.Join(texts, ", ")
}

// reportStates are what became of reports; each has a text admin.reports_NAME.
var reportStates = []string{"open", "dismissed", "upheld"} //nolint:gochecknoglobals // a constant

func (p *page) listReports() error {
	state := p.r.URL.Query().Get("state")
	if !slices.Contains(reportStates, state) {
		state = reportStates[0]
	}
	path := "/admin/reports?limit=50&state=" + state
	if cursor := p.r.URL.Query().Get("cursor"); cursor != "" {
		path += "&cursor=" + queryEscape(cursor)
	}
	var queue List[Reported]
	if err := p.get(path, &queue); err != nil {
		return err
	}
	return p.render("admin", p.T("admin.reports"), reportsPage(p, state, &queue))
}

// Report is what somebody reported.
type Report struct {
	AccountID string    `json:"account_id"`
	Version   int       `json:"version"`
	Reason    string    `json:"reason"`
	Comment   string    `json:"comment"`
	State     string    `json:"state"`
	CreatedAt time.Time `json:"created_at"`
}

// Reviewed is anyone's assistant, for an operator to judge.
type Reviewed struct {
	ID         string     `json:"id"`
	AccountID  string     `json:"account_id"`
	Author     string     `json:"author"`
	Visibility string     `json:"visibility"`
	TakenDown  *TakenDown `json:"taken_down"`
	Version    int        `json:"version"`
	Fields
}

func (p *page) showReported(errs map[string]string) error {
	path := "/admin/assistants/" + url.PathEscape(p.r.PathValue("id"))
	var a Reviewed
	if err := p.get(path, &a); err != nil {
		return err
	}
	var reports List[Report]
	if err := p.get(path+"/reports?limit=100", &reports); err != nil {
		return err
	}
	status := http.StatusOK
	if errs != nil {
		status = http.StatusUnprocessableEntity
	}
	return p.renderStatus(status, "admin", a.Name, reportedPage(p, &a, reports.Items, errs))
}

func (p *page) decide() error {
	calls := map[string]string{"dismiss": "/reports/dismiss", "takedown": "/unpublish", "allow": "/allow"}
	call, ok := calls[p.r.PathValue("decision")]
	if !ok {
		return elumenta.NotFound("page")
	}
	id := url.PathEscape(p.r.PathValue("id"))
	err := p.send(http.MethodPost, "/admin/assistants/"+id+call, withReason(p.r.PostForm, map[string]any{}), nil)
	if errs, ok := fieldErrors(err); ok {
		if call == calls["takedown"] {
			return p.confirmTakedown(errs)
		}
		return p.showReported(errs)
	}
	if err != nil {
		return err
	}
	return p.redirect(Base+"admin/reports/"+id, "decided")
}
