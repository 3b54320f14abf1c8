package console

import (
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
)

func (c *Console) keyRoutes() {
	c.page("keys", func(p *page) error { return p.showKeys(http.StatusOK, &keyForm{}) })
	c.form("keys", (*page).makeKey)
	c.page("keys/{id}", (*page).showKey)
	c.form("keys/{id}", (*page).changeKey)
	c.page("keys/{id}/revoke", (*page).confirmRevokeKey)
	c.form("keys/{id}/revoke", (*page).revokeKey)
}

// Key is one of the account's keys.
type Key struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Prefix     string     `json:"prefix"`
	Key        *string    `json:"key"` // of one that was just made
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	KeyLimits
}

// KeyLimits are what a key may not do.
type KeyLimits struct {
	ReadOnly    bool       `json:"read_only"`
	Assistants  []string   `json:"assistants"`
	Models      []string   `json:"models"`
	Budget      *int64     `json:"budget"`
	BudgetSpent *int64     `json:"budget_spent"`
	ExpiresAt   *time.Time `json:"expires_at"`
}

// keyForm is the form of a key, a new one or one to change.
type keyForm struct {
	Name, Assistants, Models, Budget, Expires string
	ReadOnly                                  bool
	Once                                      string // the Idempotency-Key: the form sent twice makes one key
	Errors                                    map[string]string
}

func (p *page) showKeys(status int, f *keyForm) error {
	var keys List[Key]
	path := "/keys?limit=100"
	if cursor := p.r.URL.Query().Get("cursor"); cursor != "" {
		path += "&cursor=" + queryEscape(cursor)
	}
	if err := p.get(path, &keys); err != nil {
		return err
	}
	if f.Once == "" {
		f.Once = once()
	}
	return p.renderStatus(status, "keys", p.T("keys.title"), keysPage(p, &keys, f))
}

// makeKey makes a key and shows it, this once: it stands on the answer to the form alone, and in no address.
func (p *page) makeKey() error {
	f := p.typedKey()
	body := f.body(p)
	if len(f.Errors) > 0 {
		return p.showKeys(http.StatusUnprocessableEntity, f)
	}
	var made Key
	err := p.send(http.MethodPost, "/keys", body, &made, onceOnly(f.Once)...)
	if errs, ok := fieldErrors(err); ok {
		f.Errors, f.Once = errs, "" // another attempt is another request
		return p.showKeys(http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	return p.render("keys", p.T("keys.made"), madeKeyPage(p, &made))
}

// typedKey is the form as it was sent.
func (p *page) typedKey() *keyForm {
	v := p.r.PostForm
	return &keyForm{
		Name: v.Get("name"), Assistants: v.Get("assistants"), Models: v.Get("models"), Budget: strings.TrimSpace(v.Get("budget")), Expires: v.Get("expires_at"),
		ReadOnly: v.Get("read_only") != "", Once: v.Get("once"), Errors: map[string]string{},
	}
}

// formOf is the form with what a key has.
func formOf(k *Key) *keyForm {
	f := &keyForm{
		Name: k.Name, Assistants: strings.Join(k.Assistants, "\n"), Models: strings.Join(k.Models, " "), ReadOnly: k.ReadOnly, Expires: lastDay(k.ExpiresAt),
	}
	if k.Budget != nil {
		f.Budget = strconv.FormatInt(*k.Budget, 10)
	}
	return f
}

// body is what the API takes: each limit, or null for none.
func (f *keyForm) body(p *page) map[string]any {
	body := map[string]any{"name": f.Name, "read_only": f.ReadOnly, "assistants": nil, "models": nil, "budget": nil, "expires_at": nil}
	for name, text := range map[string]string{"assistants": f.Assistants, "models": f.Models} {
		if list := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;\r\n\t", r) }); len(list) > 0 {
			body[name] = list
		}
	}
	if f.Budget != "" {
		n, err := integer(f.Budget)
		if body["budget"] = n; err != nil {
			f.Errors["budget"] = p.T("own.not_a_number")
		}
	}
	if f.Expires != "" {
		ends, err := endOfDay(f.Expires)
		if body["expires_at"] = ends; err != nil {
			f.Errors["expires_at"] = p.T("keys.not_a_day")
		}
	}
	return body
}

// endOfDay is the moment at which a day is over, UTC: what ends "on" a day lasts through it. No day ends after the year 9999 (RFC 3339).
func endOfDay(day string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, day)
	ends := t.AddDate(0, 0, 1)
	if ends.Year() > 9999 {
		return time.Time{}, strconv.ErrRange
	}
	return ends, err
}

// lastDay is the last day, UTC, on which something lasts that ends at a moment; empty for what has no end.
func lastDay(ends *time.Time) string {
	if ends == nil {
		return ""
	}
	return ends.UTC().Add(-time.Nanosecond).Format(time.DateOnly)
}

// Until says when something ends: through a day where it ends with one, or else at a moment.
func (l pageLanguage) Until(ends time.Time) string {
	if ends = ends.UTC(); ends.Equal(ends.Truncate(24 * time.Hour)) {
		return l.T("date.through", "day", l.Date(ends.Add(-time.Nanosecond)))
	}
	return l.T("date.until", "time", l.Time(ends))
}

// readKey finds a key in the list of the account's, of which it may have 100.
func (p *page) readKey() (*Key, error) {
	var keys List[Key]
	if err := p.get("/keys?limit=100", &keys); err != nil {
		return nil, err
	}
	for i := range keys.Items {
		if keys.Items[i].ID == p.r.PathValue("id") {
			return &keys.Items[i], nil
		}
	}
	return nil, elumenta.NotFound("key")
}

func (p *page) showKey() error {
	k, err := p.readKey()
	if err != nil {
		return err
	}
	return p.render("keys", k.Name, keyPage(p, k, formOf(k)))
}

// changeKey sends what differs from what the key has, so that what was not touched stays as exact as it is.
func (p *page) changeKey() error {
	k, err := p.readKey()
	if err != nil {
		return err
	}
	f := p.typedKey()
	body, before := f.body(p), formOf(k).body(p)
	for name, value := range body {
		if reflect.DeepEqual(value, before[name]) {
			delete(body, name)
		}
	}
	if len(f.Errors) == 0 {
		err = p.send(http.MethodPatch, "/keys/"+url.PathEscape(k.ID), body, nil)
	}
	if errs, ok := fieldErrors(err); ok {
		f.Errors = errs
	}
	if len(f.Errors) > 0 {
		return p.renderStatus(http.StatusUnprocessableEntity, "keys", k.Name, keyPage(p, k, f))
	}
	if err != nil {
		return err
	}
	return p.redirect(Base+"keys", "saved")
}

func (p *page) confirmRevokeKey() error {
	k, err := p.readKey()
	if err != nil {
		return err
	}
	return p.render("keys", p.T("keys.revoke"), revokePage(p, k))
}

func (p *page) revokeKey() error {
	id := p.r.PathValue("id")
	if err := gone(p.send(http.MethodDelete, "/keys/"+url.PathEscape(id), nil, nil)); err != nil {
		return err
	}
	if id == string(p.session.KeyID) {
		p.setSession("")
		return p.redirect(Base+"sign-in", "signed_out")
	}
	return p.redirect(Base+"keys", "revoked")
}
