package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
)

func (c *Console) keyRoutes() {
	c.page("keys", func(p *page) error { return p.showKeys(http.StatusOK, &keyForm{}) })
	c.form("keys", (*page).makeKey)
	c.page("keys/{id}", func(p *page) error { return p.showKey(nil) })
	c.form("keys/{id}", (*page).renameKey)
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

// keyForm is the form of a new key.
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
		f.Once = elumenta.NewSessionToken().Reveal()
	}
	return p.renderStatus(status, "keys", p.T("keys.title"), keysPage(p, &keys, f))
}

// makeKey makes a key and shows it, this once: it stands on the answer to the form alone, and in no address.
func (p *page) makeKey() error {
	if err := p.r.ParseForm(); err != nil {
		return err
	}
	v := p.r.PostForm
	f := &keyForm{
		Name: v.Get("name"), Assistants: v.Get("assistants"), Models: v.Get("models"), Budget: strings.TrimSpace(v.Get("budget")), Expires: v.Get("expires_at"),
		ReadOnly: v.Get("read_only") != "", Once: v.Get("once"), Errors: map[string]string{},
	}
	body := f.body(p)
	if len(f.Errors) > 0 {
		return p.showKeys(http.StatusUnprocessableEntity, f)
	}
	var made Key
	err := p.send(http.MethodPost, "/keys", body, &made, "Idempotency-Key", f.Once)
	if errs, ok := fieldErrors(err); ok {
		f.Errors, f.Once = errs, "" // another attempt is another request
		return p.showKeys(http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	return p.render("keys", p.T("keys.made"), madeKeyPage(p, &made))
}

func (f *keyForm) body(p *page) map[string]any {
	body := map[string]any{"name": f.Name}
	if f.ReadOnly {
		body["read_only"] = true
	}
	for name, text := range map[string]string{"assistants": f.Assistants, "models": f.Models} {
		if list := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;\r\n\t", r) }); len(list) > 0 {
			body[name] = list
		}
	}
	if f.Budget != "" {
		n, err := strconv.ParseInt(f.Budget, 10, 64)
		if body["budget"] = n; err != nil {
			f.Errors["budget"] = p.T("own.not_a_number")
		}
	}
	if f.Expires != "" {
		day, err := time.Parse(time.DateOnly, f.Expires)
		if err != nil {
			f.Errors["expires_at"] = p.T("keys.not_a_day")
		}
		body["expires_at"] = day.AddDate(0, 0, 1) // the whole day is its last
	}
	return body
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

func (p *page) showKey(errs map[string]string) error {
	k, err := p.readKey()
	if err != nil {
		return err
	}
	status := http.StatusOK
	if errs != nil {
		status = http.StatusUnprocessableEntity
	}
	return p.renderStatus(status, "keys", k.Name, keyPage(p, k, errs))
}

func (p *page) renameKey() error {
	if err := p.r.ParseForm(); err != nil {
		return err
	}
	err := p.send(http.MethodPatch, "/keys/"+url.PathEscape(p.r.PathValue("id")), map[string]any{"name": p.r.PostForm.Get("name")}, nil)
	if errs, ok := fieldErrors(err); ok {
		return p.showKey(errs)
	}
	if err != nil {
		return err
	}
	return p.redirect(Base+"keys", "saved")
}

func (p *page) revokeKey() error {
	id := p.r.PathValue("id")
	if err := p.send(http.MethodDelete, "/keys/"+url.PathEscape(id), nil, nil); err != nil {
		return err
	}
	if id == string(p.session.KeyID) {
		p.setSession("")
		return p.redirect(Base+"sign-in", "signed_out")
	}
	return p.redirect(Base+"keys", "revoked")
}
