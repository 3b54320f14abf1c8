package console

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"github.com/elumenta/elumenta"
)

// page is one request for a page, and what is known of who asks.
type page struct {
	c       *Console
	w       http.ResponseWriter
	r       *http.Request
	session *elumenta.Session // nil for whoever is not signed in
	caller  *elumenta.Caller
	ended   elumenta.Code // why the session that the browser had is none
	pageLanguage
	theme string // light, dark, or empty for what the system prefers
	flash string // the key of a message about what was done, or empty
}

func (c *Console) newPage(w http.ResponseWriter, r *http.Request) *page {
	p := &page{c: c, w: w, r: r, pageLanguage: c.chooseLanguage(r)}
	if cookie, err := r.Cookie(themeCookie); err == nil && (cookie.Value == "light" || cookie.Value == "dark") {
		p.theme = cookie.Value
	}
	if cookie, err := r.Cookie(flashCookie); err == nil && p.known("flash."+cookie.Value) {
		p.flash = "flash." + cookie.Value
	}
	return p
}

// invalid are the attributes of a field that something is wrong with.
func invalid(errs map[string]string, field string) templ.Attributes {
	return templ.Attributes{"aria-invalid": templ.KV("true", errs[field] != "")}
}

// invalidParts are those of a field that has parts.
func invalidParts(errs map[string]string, field string) templ.Attributes {
	for name := range errs {
		if elumenta.Within(name, field) {
			return templ.Attributes{"aria-invalid": "true"}
		}
	}
	return nil
}

// once is a form's Idempotency-Key: sent twice, the form does what it does once.
func once() string { return elumenta.NewSessionToken().Reveal() }

// onceOnly has the API do once what a form that was sent twice asks for.
func onceOnly(key string) []string {
	if key == "" {
		return nil
	}
	return []string{"Idempotency-Key", key}
}

// static is where a file under static/ is served.
func (p *page) static(name string) string { return p.c.assets.base + name }

// admin reports whether the caller is an operator.
func (p *page) admin() bool { return p.caller != nil && p.caller.Account.Role == elumenta.RoleAdmin }

// generatesOnly reports whether the key that signed in is limited to assistants or models, and so to generating.
func (p *page) generatesOnly() bool { return p.caller.Key.Limits.Scoped() }

// sections are those of the navigation; each has a text nav.NAME.
func (p *page) sections() []string {
	switch {
	case p.generatesOnly():
		return []string{"playground"}
	case p.admin():
		return []string{"marketplace", "playground", "assistants", "keys", "usage", "admin"}
	}
	return []string{"marketplace", "playground", "assistants", "keys", "usage"}
}

// render answers with a page. The content stands in the layout, under the title, which is text.
func (p *page) render(section, title string, content templ.Component) error {
	return p.renderStatus(http.StatusOK, section, title, content)
}

func (p *page) renderStatus(status int, section, title string, content templ.Component) error {
	return p.write(status, layout(p, section, title, content))
}

// fragment answers with a part of a page, for a script that asked for it.
func (p *page) fragment(content templ.Component) error { return p.write(http.StatusOK, content) }

func (p *page) write(status int, content templ.Component) error {
	var b bytes.Buffer                                                               // a page that cannot be rendered is an error page, not half a page
	if err := content.Render(context.WithoutCancel(p.r.Context()), &b); err != nil { // that of a form that did not come in time is over
		return err
	}
	if p.flash != "" {
		p.setCookie(flashCookie, "", -1)
	}
	p.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	p.w.WriteHeader(status)
	_, _ = p.w.Write(b.Bytes()) // a client that left
	return nil
}

// redirect sends the browser on after a change; flash is the key of a message under flash. that the next page shows, or empty.
func (p *page) redirect(path, flash string) error {
	if flash != "" {
		p.setCookie(flashCookie, flash, 60)
	}
	http.Redirect(p.w, p.r, path, http.StatusSeeOther) //nolint:gosec // a path of ours, or one that local has checked
	return nil
}

// fail answers an error: the sign-in page, or a page that says what is wrong.
func (p *page) fail(err error) {
	e := problemOf(err)
	if e.Status >= http.StatusInternalServerError {
		p.c.Logger.LogAttrs(p.r.Context(), slog.LevelError, "console", slog.String("page", p.r.Pattern), slog.String("error", string(e.Code)),
			slog.String("request_id", e.RequestID))
	}
	if e.RetryAfter > 0 {
		p.w.Header().Set("Retry-After", strconv.Itoa(e.RetryAfter))
	}
	if e.Code == elumenta.CodeNotAuthenticated {
		p.askToSignIn()
		return
	}
	if err := p.renderStatus(e.Status, "", p.T("error."+string(e.Code)), errorPage(p, e)); err != nil {
		p.c.Logger.LogAttrs(p.r.Context(), slog.LevelError, "console: no error page", slog.String("page", p.r.Pattern))
		http.Error(p.w, "internal error", http.StatusInternalServerError)
	}
}

// problem is an error as a page shows it.
type problem struct {
	Status     int
	Code       elumenta.Code
	Message    string
	Fields     []elumenta.FieldError
	RequestID  string
	RetryAfter int // seconds
}

// Error is the message.
func (e *problem) Error() string { return e.Message }

func problemOf(err error) *problem {
	if e, ok := errors.AsType[*problem](err); ok {
		return e
	}
	e := elumenta.AsError(err)
	return &problem{Status: cmp.Or(e.Status, statusOf(e.Code)), Code: e.Code, Message: e.Message, RetryAfter: int(e.RetryAfter.Seconds())}
}

func statusOf(code elumenta.Code) int {
	switch code {
	case elumenta.CodeNotAuthenticated:
		return http.StatusUnauthorized
	case elumenta.CodeNotFound:
		return http.StatusNotFound
	case elumenta.CodeForbidden, elumenta.CodeAccountSuspended:
		return http.StatusForbidden
	case elumenta.CodePayloadTooLarge:
		return http.StatusRequestEntityTooLarge
	case elumenta.CodeBadRequest, elumenta.CodeValidation:
		return http.StatusBadRequest
	case elumenta.CodeRateLimited:
		return http.StatusTooManyRequests
	case elumenta.CodeUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// fieldErrors is what the API says of a form's fields, by field, and whether that is what the error is about: a form is then
// shown again with it. The error's message stands under the empty field if it is about none.
func fieldErrors(err error) (map[string]string, bool) {
	e, ok := errors.AsType[*problem](err)
	if !ok || e.Status < 400 || e.Status >= 500 || e.Code == elumenta.CodeNotAuthenticated || e.Code == elumenta.CodeNotFound {
		return nil, false
	}
	fields := map[string]string{}
	for _, f := range e.Fields {
		fields[f.Field] = f.Reason
	}
	if len(fields) == 0 {
		fields[""] = e.Message
	}
	return fields, true
}
