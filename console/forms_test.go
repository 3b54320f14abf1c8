package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/console"
)

// TestFormsSentTwice: where scripts are off, or the first answer was lost, a form does once what it says.
func TestFormsSentTwice(t *testing.T) {
	s := newServer(t)
	b := s.signedIn(s.admin)
	create := form("once", onceField.FindStringSubmatch(b.get("assistants/new").ok().body)[1])
	id := b.make(t, create)
	if again := b.make(t, create); again != id {
		t.Errorf("it was made twice: %s and %s", id, again)
	}
	at := "assistants/" + id
	save := form("version", "1", "instructions", "You are a captain.")
	for range 2 {
		b.post(at, save).to(console.Base + at)
	}
	b.get(at).ok(`name="version" value="2"`)
	for range 2 {
		b.post(at+"/publish", url.Values{"version": {"2"}}).to(console.Base + at)
	}
	_, author := s.account("Anne", "free")
	theirs := "marketplace/" + string(s.publish(author, func(f *elumenta.Fields) { f.Copyable = true }))
	copies := url.Values{"once": {onceField.FindStringSubmatch(b.get(theirs).ok().body)[1]}}
	if one, two := b.post(theirs+"/copy", copies), b.post(theirs+"/copy", copies); one.status != http.StatusSeeOther || one.header.Get("Location") != two.header.Get("Location") {
		t.Errorf("it was copied twice: %s and %s", one.header.Get("Location"), two.header.Get("Location"))
	}
}

// TestDeletedTwice: what is gone is gone, whichever of two answers somebody sees.
func TestDeletedTwice(t *testing.T) {
	s := newServer(t)
	b := s.signedIn(s.admin)
	id := b.make(t, form())
	at := "assistants/" + id
	b.post(at, form("version", "1", "name", "Corsair")).to(console.Base + at)
	key, account := s.account("Grace", "free")
	spare, _, err := s.store.CreateKey(t.Context(), account, elumenta.NewKey{Name: "Spare"}, elumenta.NewKeySecret(), nil)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := s.store.CreateKey(t.Context(), account, elumenta.NewKey{Name: "Other"}, elumenta.NewKeySecret(), nil)
	if err != nil {
		t.Fatal(err)
	}
	grace := s.signedIn(key)
	s.signedIn(key)
	sessions, err := s.store.AccountSessions(t.Context(), account)
	if err != nil || len(sessions) != 2 {
		t.Fatalf("%d sessions, %v", len(sessions), err)
	}
	theirs := "admin/accounts/" + string(account)
	for range 2 {
		b.post(at+"/versions/1/withdraw", nil).to(console.Base + at + "/versions")
		grace.post("keys/"+string(spare.ID)+"/revoke", nil).to(console.Base + "keys")
		b.post(theirs+"/keys/"+string(other.ID)+"/revoke", nil).to(console.Base + theirs)
		grace.post("account/sessions/"+string(sessions[0].ID)+"/end", nil).to(console.Base + "account") // the newest
	}
	b.get(at + "/versions/1").is(http.StatusNotFound)
	for range 2 {
		b.post(at+"/delete", nil).to(console.Base + "assistants")
	}
	b.get("assistants").ok("Deleted.").without("Corsair")
	if keys, _, err := s.store.Keys(t.Context(), account, "", 10); err != nil || len(keys) != 1 {
		t.Errorf("%d keys are left, %v", len(keys), err)
	}
}

// TestFormValues: what is no value is told beside its field, and what people write as numbers is one.
func TestFormValues(t *testing.T) {
	s := newServer(t)
	b := s.signedIn(s.admin)
	for _, temperature := range []string{"nan", "inf", "-Infinity", "0x1p-2", "1e-1", "0,5,5"} {
		b.post("assistants/new", form("temperature", temperature)).is(http.StatusUnprocessableEntity, `id="temperature-error"`, `aria-invalid="true"`)
	}
	id := b.make(t, form("temperature", "0,5", "max_tokens", "1\u00a0000"))
	at := "assistants/" + id
	b.get(at).ok(`value="0.5"`, `value="1000"`).without("aria-invalid")
	b.post("assistants/new", form("name", " \u3000")).is(http.StatusUnprocessableEntity, "must not be blank")
	b.post("account", url.Values{"display_name": {"  "}}).is(http.StatusUnprocessableEntity, "must not be blank")
	b.post(at+"/labels", url.Values{"label": {"production"}, "version": {"1", ""}, "weight": {"90", "10"}}).is(http.StatusUnprocessableEntity, "A share needs a version.")
	b.post("keys", url.Values{"name": {"Bot"}, "expires_at": {"9999-12-31"}}).is(http.StatusUnprocessableEntity, `id="expires_at-error"`)
	b.post("keys", url.Values{"name": {"\t "}}).is(http.StatusUnprocessableEntity, "name-error")
	b.post("keys", url.Values{"name": {"Bot"}, "models": {"sandbox none"}}).is(http.StatusUnprocessableEntity, "Entry 2:", `id="models-error"`)
	b.post("keys", url.Values{"name": {"Bot"}, "budget": {"1 000"}}).ok("shown this once")
	b.get("keys").ok("0 of 1,000 tokens spent")
	b.get("usage?from=2026-11-20&to=2026-11-10").is(http.StatusUnprocessableEntity, `value="2026-11-20"`, `value="2026-11-10"`)
	_, account := s.account("Grace", "free")
	theirs := "admin/accounts/" + string(account)
	b.post(theirs+"/plan", url.Values{"plan": {"free"}, "until": {"9999-12-31"}}).is(http.StatusUnprocessableEntity, `id="until-error"`)
	b.post(theirs+"/suspend", url.Values{"reason": {" "}}).is(http.StatusUnprocessableEntity, "Say why.")
	b.post(theirs+"/topup", url.Values{"tokens": {"1 500"}, "once": {"1"}}).to(console.Base + theirs)
}

// TestEditorKeepsLines: line breaks that a form cannot show as they are, and those at a text's beginning, are no change.
func TestEditorKeepsLines(t *testing.T) {
	s := newServer(t)
	b := s.signedIn(s.admin)
	caller, err := s.store.Authenticate(t.Context(), s.admin.Hash())
	if err != nil {
		t.Fatal(err)
	}
	f := elumenta.Fields{Name: "Pirate", Model: "sandbox", Instructions: "One.\r\nTwo.", Description: "\nlead"}
	a, _, err := s.store.CreateAssistant(t.Context(), caller.Account.ID, f, elumenta.Private, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := "assistants/" + string(a.ID)
	b.get(at).ok(">\n\nlead</textarea>")
	sent := url.Values{"version": {"1"}, "name": {"Pirate"}, "model": {"sandbox"}, "instructions": {"One.\r\nTwo."}, "description": {"\r\nlead"}}
	b.post(at, sent).to(console.Base + at)
	b.get(at).ok(`name="version" value="1"`)
}

// TestAddressesOfForms: a browser that asks for where a form was sent gets the page above it: after another choice of language, or once
// somebody has signed in again.
func TestAddressesOfForms(t *testing.T) {
	s := newServer(t)
	b := s.signedIn(s.admin)
	id := b.make(t, form())
	_, account := s.account("Grace", "free")
	for sent, page := range map[string]string{
		"admin/accounts": "admin", "admin/accounts/" + string(account) + "/topup": "admin/accounts/" + string(account), "first-steps": "",
		"assistants/" + id + "/labels": "assistants/" + id, "assistants/" + id + "/versions/1/restore": "assistants/" + id + "/versions/1", "sign-out": "",
		"account/sessions/end-others": "account",
	} {
		b.get(sent).to(console.Base + page)
	}
	b.get("nothing/there").is(http.StatusNotFound)

	key, _ := s.account("Nell", "free")
	ended := s.signedIn(key)
	s.revokeAll(key)
	ended.post("keys", url.Values{"name": {"Bot"}}).is(http.StatusUnauthorized, "was not done", `name="next" value="/console/keys"`)
	s.browser().post("keys", url.Values{"name": {"Bot"}}).is(http.StatusUnauthorized, "was not done", `name="next" value="/console/keys"`)
	s.browser().post("sign-out", nil).to(console.Base + "sign-in")
}

// revokeAll revokes the keys of a key's account.
func (s *server) revokeAll(key elumenta.KeySecret) {
	s.t.Helper()
	caller, err := s.store.Authenticate(s.t.Context(), key.Hash())
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.store.RevokeKey(s.t.Context(), caller.Account.ID, caller.Key.ID); err != nil {
		s.t.Fatal(err)
	}
}

// TestLimitedKey: who signs in with a key that generates only is led to the playground, and to nothing that would be refused.
func TestLimitedKey(t *testing.T) {
	s := newServer(t)
	_, account := s.account("Grace", "free")
	secret := elumenta.NewKeySecret()
	if _, _, err := s.store.CreateKey(t.Context(), account, elumenta.NewKey{Name: "Bot", Limits: elumenta.KeyLimits{Models: []string{"sandbox"}}}, secret, nil); err != nil {
		t.Fatal(err)
	}
	full := elumenta.NewKeySecret()
	if _, _, err := s.store.CreateKey(t.Context(), account, elumenta.NewKey{Name: "Full"}, full, nil); err != nil {
		t.Fatal(err)
	}
	owner := s.signedIn(full)
	b := s.signedIn(secret)
	b.get("").to(console.Base + "playground")
	b.post("account/sessions/end-others", nil).is(http.StatusForbidden)
	sessions, err := s.store.AccountSessions(t.Context(), account)
	if err != nil || len(sessions) != 2 {
		t.Fatalf("%d sessions, %v", len(sessions), err)
	}
	for _, other := range sessions {
		if other.KeyID != sessions[0].KeyID { // the newest is the limited key's
			b.post("account/sessions/"+string(other.ID)+"/end", nil).is(http.StatusForbidden)
		}
	}
	owner.get("account").ok()
	page := b.get("playground").ok("Grace").body
	if header, _, _ := strings.Cut(page, "<main"); strings.Count(header, `href="/console/`) != 4 { // styles, icon, the beginning and the playground
		t.Errorf("the page leads elsewhere:\n%s", header)
	}
}

// TestRevokeAsks: a key is revoked once somebody has read what that does.
func TestRevokeAsks(t *testing.T) {
	s := newServer(t)
	key, account := s.account("Grace", "free")
	b := s.signedIn(key)
	keys, _, err := s.store.Keys(t.Context(), account, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	at := "keys/" + string(keys[0].ID)
	b.get(at).ok(`href="/console/` + at + `/revoke"`).without("/revoke\" method")
	b.get(at+"/revoke").ok("You are signed in with this key", `<form method="post"`)
	b.post(at+"/revoke", nil).to(console.Base + "sign-in")
}
