package console

import (
	"context"
	"net/http"
	"net/url"

	"github.com/elumenta/elumenta"
)

func queryEscape(s string) string { return url.QueryEscape(s) }

// actor is a context whose changes are done by whoever asks for the page.
func (p *page) actor() context.Context {
	actor := elumenta.Actor{Address: p.c.API.ClientAddr(p.r)}
	if p.caller != nil {
		actor.Account, actor.Key = p.caller.Account.ID, p.caller.Key.ID
	}
	return elumenta.WithActor(p.r.Context(), actor)
}

func (c *Console) homeRoutes() {
	c.mux.HandleFunc("GET "+Base+"{$}", c.handle(signedIn(func(p *page) error {
		if p.generatesOnly() {
			return p.redirect(Base+"playground", "")
		}
		return p.redirect(Base+"account", "")
	})))
}

func (c *Console) accountRoutes() {
	c.page("account", func(p *page) error { return p.showAccount(nil) })
	c.form("account", (*page).rename)
	c.page("account/statement", func(p *page) error { return p.showStatement(nil) })
	c.page("account/statement.csv", func(p *page) error { return p.statementFile("/balance/statement", p.showStatement) })
	c.form("account/sessions/{id}/end", (*page).endSession)
	c.form("account/sessions/end-others", (*page).endOtherSessions)
}

// showAccount is the page of the account; errs is what was wrong with the form, by field.
func (p *page) showAccount(errs map[string]string) error {
	var user User
	if err := p.get("/user/me", &user); err != nil {
		return err
	}
	sessions, err := p.c.Sessions.AccountSessions(p.r.Context(), p.session.AccountID)
	if err != nil {
		return err
	}
	if errs != nil {
		user.DisplayName = p.r.PostForm.Get("display_name")
		return p.renderStatus(http.StatusUnprocessableEntity, "account", p.T("account.title"), accountPage(p, &user, sessions, errs))
	}
	return p.render("account", p.T("account.title"), accountPage(p, &user, sessions, nil))
}

func (p *page) rename() error {
	err := p.send(http.MethodPatch, "/user/me", map[string]any{"display_name": p.r.PostForm.Get("display_name")}, nil)
	if errs, ok := fieldErrors(err); ok {
		return p.showAccount(errs)
	}
	if err != nil {
		return err
	}
	return p.redirect(Base+"account", "saved")
}

func (p *page) endSession() error {
	id := elumenta.SessionID(p.r.PathValue("id"))
	if id != p.session.ID {
		if err := p.mayEndOthers(); err != nil {
			return err
		}
	}
	if err := gone(p.c.Sessions.EndSession(p.actor(), p.session.AccountID, id)); err != nil {
		return err
	}
	if id == p.session.ID {
		p.setSession("")
		return p.redirect(Base+"sign-in", "signed_out")
	}
	return p.redirect(Base+"account", "session_ended")
}

// mayEndOthers refuses a limited key the sessions of others: whom it was given to could keep its owner out.
func (p *page) mayEndOthers() error {
	if limit := p.caller.Key.Limits.First(); limit != "" {
		return elumenta.BeyondLimit(limit, "a limited key ends no sessions but its own: sign in with another of the account")
	}
	return nil
}

func (p *page) endOtherSessions() error {
	if err := p.mayEndOthers(); err != nil {
		return err
	}
	if _, err := p.c.Sessions.EndOtherSessions(p.actor(), p.session.AccountID, p.session.ID); err != nil {
		return err
	}
	return p.redirect(Base+"account", "session_ended")
}
