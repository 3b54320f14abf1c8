package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/console"
)

var onceField = regexp.MustCompile(`name="once" value="([^"]+)"`)

func TestKeys(t *testing.T) {
	s := newServer(t)
	key, account := s.account("Grace", "free")
	b := s.signedIn(key)
	once := onceField.FindStringSubmatch(b.get("keys").ok("this session").body)[1]
	b.post("keys", url.Values{"name": {""}, "once": {once}}).is(http.StatusUnprocessableEntity, "name-error")
	b.post("keys", url.Values{"name": {"Bot"}, "once": {once + "1"}, "budget": {"many"}}).is(http.StatusUnprocessableEntity, "must be a number")
	limited := url.Values{"name": {"Bot"}, "once": {once + "2"}, "budget": {"9"}, "models": {"sandbox, paid"}, "expires_at": {"2999-12-31"}}
	made := b.post("keys", limited).ok("shown this once")
	secret := regexp.MustCompile(`nb_[0-9A-Za-z]{45}`).FindString(made.body)
	parsed, ok := elumenta.ParseKeySecret(secret)
	if !ok {
		t.Fatalf("no key on the page:\n%s", made.body)
	}
	b.post("keys", limited).ok("shown already").without(secret) // the form sent again, as by a reload
	keys, _, err := s.store.Keys(t.Context(), account, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) != 2 {
		t.Fatalf("there are %d keys", len(keys))
	}
	bot := keys[0]
	if bot.Name != "Bot" {
		bot = keys[1]
	}
	if bot.Hash != parsed.Hash() || *bot.Limits.Budget != 9 || len(bot.Limits.Models) != 2 || !bot.Limits.ExpiresAt.Equal(time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("the key is %+v", bot)
	}
	b.get("keys").ok("Bot", "0 of 9 tokens spent", "2 models").without(secret)
	at := "keys/" + string(bot.ID)
	b.get(at).ok("through 31 December 2999 (UTC)", `value="2999-12-31"`, `value="sandbox paid"`, `value="9"`).without("You are signed in with this key")
	b.post(at, url.Values{"name": {"Robot"}, "budget": {"12"}, "models": {"sandbox"}, "expires_at": {"2999-12-31"}}).to(console.Base + "keys")
	b.get(at).ok("Robot", "Revoke this key", "0 of 12 tokens spent", "1 model")
	for _, bad := range []url.Values{
		{"name": {""}}, {"name": {"Robot"}, "budget": {"many"}}, {"name": {"Robot"}, "models": {"none"}}, {"name": {"Robot"}, "expires_at": {"2020-01-01"}},
		{"name": {"Robot"}, "assistants": {"x"}}, {"name": {"Robot"}, "read_only": {"1"}, "budget": {"5"}},
	} {
		b.post(at, bad).is(http.StatusUnprocessableEntity, `role="alert"`, `class="wrong"`)
	}
	b.get(at).ok("0 of 12 tokens spent", "1 model")

	// A moment that the form cannot show stays as it is until its day is changed; empty fields lift limits.
	noon := time.Date(2999, 6, 1, 12, 0, 0, 0, time.UTC)
	if _, err := s.store.ChangeKey(t.Context(), account, bot.ID, &elumenta.KeyPatch{ExpiresAt: elumenta.Some(noon)}); err != nil {
		t.Fatal(err)
	}
	b.get(at).ok("until 1 June 2999, 12:00 UTC", `value="2999-06-01"`)
	b.post(at, url.Values{"name": {"Robot 2"}, "expires_at": {"2999-06-01"}}).to(console.Base + "keys")
	b.get(at).ok("Robot 2", "until 1 June 2999, 12:00 UTC").without("tokens spent", "1 model")
	b.post(at, url.Values{"name": {"Robot 2"}}).to(console.Base + "keys")
	b.get(at).ok(`without limits`)
	b.post("keys/"+string(bot.ID)+"/revoke", nil).to(console.Base + "keys")
	b.get("keys/" + string(bot.ID)).is(http.StatusNotFound)
	if strings.Contains(s.log.String(), secret) {
		t.Error("the key is in the log")
	}

	others := s.signedIn(s.admin)
	for _, k := range keys {
		others.get("keys/" + string(k.ID)).is(http.StatusNotFound)
		others.post("keys/"+string(k.ID)+"/revoke", nil).to(console.Base + "keys") // as if it were revoked already; it is not
	}
	for _, k := range keys {
		if k.ID != bot.ID {
			b.post("keys/"+string(k.ID)+"/revoke", nil).to(console.Base + "sign-in")
		}
	}
	b.get("keys").to(console.Base + "sign-in?next=%2Fconsole%2Fkeys")
}

func TestUsage(t *testing.T) {
	s := newServer(t)
	b := s.signedIn(s.admin)
	b.get("usage").ok("Nothing was generated")
	s.generate(s.admin, `{"model": "sandbox", "prompt": "Hello"}`)
	b.get("usage").ok("<svg", "<title>", time.Now().UTC().Format(time.DateOnly))
	b.get("usage?by=model").ok("sandbox")
	b.get("usage?by=key").ok("First key")
	b.get("usage?by=assistant").ok("Without an assistant")
	b.get("usage?from=2020-01-01&to=2020-02-01").ok("Nothing was generated", `value="2020-01-01"`)
	b.get("usage?from=nonsense&to=&by=nothing").ok("<svg")
	id := b.make(t, form())
	s.generate(s.admin, `{"assistant_id": "`+id+`", "prompt": "Hello"}`)
	s.generate(s.admin, `{"assistant_id": "`+id+`", "prompt": "Hello"}`)
	versions := b.get("usage?by=version").ok("Pirate, version 1")
	if first, second := strings.Index(versions.body, "Pirate, version 1"), strings.Index(versions.body, "Without an assistant"); second < first {
		t.Error("the group with the most requests does not stand first")
	}

	// More than a year is shown by month, more than the server answers is refused in words.
	today := time.Now().UTC()
	year := "usage?from=" + today.AddDate(0, 0, -365).Format(time.DateOnly)
	b.get(year).ok("<title>" + today.Format(time.DateOnly) + ": 3</title>").without("By month")
	b.get("usage?from="+today.AddDate(0, 0, -366).Format(time.DateOnly)).ok("By month", "<title>"+today.Format("2006-01")+": 3</title>", today.Format(time.DateOnly))
	b.get("usage?from=2020-01-01&to=2024-01-01").is(http.StatusUnprocessableEntity, `role="alert"`, "732")
	b.get("usage.csv?from=2020-01-01&to=2024-01-01").is(http.StatusUnprocessableEntity, `role="alert"`, `action="/console/usage"`, "732")
	file := b.get("usage.csv?by=model").ok("model,requests", "sandbox,3")
	if !strings.HasPrefix(file.header.Get("Content-Type"), "text/csv") {
		t.Errorf("headers %v", file.header)
	}
}

func TestUsageOfAll(t *testing.T) {
	s := newServer(t)
	key, account := s.account("Grace", "free")
	grace, operator := s.signedIn(key), s.signedIn(s.admin)
	for _, path := range []string{"admin/usage", "admin/usage.csv"} {
		grace.get(path).is(http.StatusNotFound)
	}
	s.generate(key, `{"model": "paid", "prompt": "Hello"}`)
	s.generate(s.admin, `{"model": "sandbox", "prompt": "Hello"}`)
	end := time.After(time.Minute)
	for next := time.Tick(20 * time.Millisecond); !strings.Contains(operator.get("admin/usage").ok().body, ": 2</title>"); {
		select {
		case <-next:
		case <-end:
			t.Fatal("what was generated is not in the usage of everyone")
		}
	}
	operator.get("admin/usage?by=account").ok("Grace", "Ada", "/console/admin/accounts/"+string(account))
	operator.get("admin/usage?by=model").ok("paid", "sandbox")
	operator.get("admin/usage?by=key").ok("<title>") // is not a group of everyone's: by day
	operator.get("admin/usage.csv?by=account").ok("account,requests", string(account)+",1")
}

func TestSessions(t *testing.T) {
	s := newServer(t)
	first, second := s.signedIn(s.admin), s.signedIn(s.admin)
	page := first.get("account").ok("this one", "End all others")
	if n := strings.Count(page.body, "/end\""); n != 2 {
		t.Errorf("%d sessions are listed", n)
	}
	first.post("account/sessions/end-others", nil).to(console.Base + "account")
	second.get("account").is(http.StatusUnauthorized, "Your session has ended")
	key, _ := s.account("Grace", "free")
	own := regexp.MustCompile(`account/sessions/(sess_[0-9a-z]+)/end`).FindStringSubmatch(first.get("account").body)[1]
	s.signedIn(key).post("account/sessions/"+own+"/end", nil).to(console.Base + "account") // as if it had ended already; it has not
	first.post("account/sessions/"+own+"/end", nil).to(console.Base + "sign-in")
}
