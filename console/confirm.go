package console

import (
	"net/http"
	"net/url"

	"github.com/elumenta/elumenta"
)

// confirmation asks an operator again, and says what will happen.
type confirmation struct {
	Tab         string   // of adminNav
	Title, Name string   // what is done, and to whom
	Effects     []string // what will happen
	Reason      string   // the label of a reason, or empty for none
	Needed      bool     // the reason is
	Typed       string   // the reason, sent before
	Button      string
	Action      string // where the form is sent
	Back        string // where not confirming leads
	Errors      map[string]string
}

func (p *page) confirm(c *confirmation) error {
	status := http.StatusOK
	if c.Errors != nil {
		status, c.Typed = http.StatusUnprocessableEntity, p.r.PostForm.Get("reason")
	}
	return p.renderStatus(status, "admin", c.Title, confirmPage(p, c))
}

func (p *page) confirmSuspend(errs map[string]string) error {
	var a AdminAccount
	if err := p.get(p.adminPath(), &a); err != nil {
		return err
	}
	var keys List[Key]
	if err := p.get(p.adminPath()+"/keys?limit=100", &keys); err != nil {
		return err
	}
	at := Base + "admin/accounts/" + a.ID
	return p.confirm(&confirmation{
		Tab: "accounts", Title: p.T("admin.suspend_title"), Name: a.DisplayName,
		Effects: []string{
			p.N("admin.suspend_keys", int64(len(keys.Items))), p.T("admin.suspend_sessions"), p.T("admin.suspend_assistants"), p.T("admin.suspend_undo"),
		},
		Reason: p.T("admin.reason_trail"), Needed: true, Button: p.T("admin.suspend"), Action: at + "/suspend", Back: at, Errors: errs,
	})
}

// confirmRole asks before an account is made an operator, or is one no more.
func (p *page) confirmRole(change string, errs map[string]string) error {
	var a AdminAccount
	if err := p.get(p.adminPath(), &a); err != nil {
		return err
	}
	at := Base + "admin/accounts/" + a.ID
	c := &confirmation{Tab: "accounts", Title: p.T("admin." + change + "_title"), Name: a.DisplayName, Action: at + "/" + change, Back: at, Errors: errs}
	c.Effects, c.Button = []string{p.T("admin." + change + "_what")}, p.T("admin."+change)
	if a.ID == string(p.session.AccountID) {
		c.Effects = append(c.Effects, p.T("admin.demote_self"))
	}
	return p.confirm(c)
}

func (p *page) confirmRevoke() error {
	var a AdminAccount
	if err := p.get(p.adminPath(), &a); err != nil {
		return err
	}
	var keys List[Key]
	if err := p.get(p.adminPath()+"/keys?limit=100", &keys); err != nil {
		return err
	}
	at := Base + "admin/accounts/" + a.ID
	for _, k := range keys.Items {
		if k.ID != p.r.PathValue("key") {
			continue
		}
		effects := []string{p.T("admin.revoke_of", "account", a.DisplayName), p.T("keys.revoke_what")}
		if k.ID == string(p.session.KeyID) {
			effects = append(effects, p.T("keys.revoke_this"))
		}
		return p.confirm(&confirmation{
			Tab: "accounts", Title: p.T("admin.revoke_title"), Name: k.Name + " (" + k.Prefix + "…)", Effects: effects,
			Button: p.T("keys.revoke"), Action: at + "/keys/" + k.ID + "/revoke", Back: at,
		})
	}
	return elumenta.NotFound("key")
}

func (p *page) revokeAnyKey() error {
	if err := gone(p.send(http.MethodDelete, "/admin/keys/"+url.PathEscape(p.r.PathValue("key")), nil, nil)); err != nil {
		return err
	}
	if p.r.PathValue("key") == string(p.session.KeyID) {
		p.setSession("")
		return p.redirect(Base+"sign-in", "signed_out")
	}
	return p.redirect(Base+"admin/accounts/"+url.PathEscape(p.r.PathValue("id")), "revoked")
}

// takedownAddress is where an assistant is taken down. It says of a starter that it is one, which the page cannot ask for.
func takedownAddress(id string, starter bool) string {
	address := Base + "admin/reports/" + id + "/takedown"
	if starter {
		address += "?starter=1"
	}
	return address
}

// confirmTakedown names the assistant as everyone sees it: a look at it as an operator would be recorded once more.
func (p *page) confirmTakedown(errs map[string]string) error {
	id := url.PathEscape(p.r.PathValue("id"))
	var reports List[Report]
	if err := p.get("/admin/assistants/"+id+"/reports?limit=100", &reports); err != nil {
		return err
	}
	var open int64
	for i := range reports.Items {
		if reports.Items[i].State == reportStates[0] {
			open++
		}
	}
	var seen struct {
		Name string `json:"name"`
	}
	if err := p.get("/assistants/"+id, &seen); err != nil {
		if codeOf(err) != elumenta.CodeNotFound {
			return err
		}
		seen.Name = p.r.PathValue("id") // it is published no more, or reported
	}
	starter := p.r.URL.Query().Has("starter")
	c := &confirmation{
		Tab: "reports", Title: p.T("admin.takedown_title"), Name: seen.Name,
		Effects: []string{p.T("admin.takedown_market"), p.T("admin.takedown_author"), p.N("admin.takedown_reports", open), p.T("admin.takedown_undo")},
		Reason:  p.T("admin.takedown_reason"), Needed: true, Button: p.T("admin.takedown"), Action: takedownAddress(id, starter), Back: Base + "admin/reports/" + id,
		Errors: errs,
	}
	if starter { // nobody acts for its author, or reads what the author would
		c.Effects = []string{p.T("admin.takedown_market"), p.N("admin.takedown_reports", open), p.T("admin.takedown_undo_starter")}
		c.Reason = p.T("admin.reason_trail")
	}
	return p.confirm(c)
}
