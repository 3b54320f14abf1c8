package console_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/console"
)

func TestSignIn(t *testing.T) {
	s := newServer(t)
	key, account := s.account("Grace", "free")
	b := s.browser()
	b.get("account").to(console.Base + "sign-in?next=%2Fconsole%2Faccount")
	b.get("sign-in?next=/console/account").ok(`name="next" value="/console/account"`)
	b.get("sign-in?next=//evil.example/").ok(`name="next" value="/console/"`)
	b.post("sign-in", url.Values{"key": {"nb_short"}}).is(http.StatusUnprocessableEntity, "well-formed").without("nb_short")
	refused := b.post("sign-in", url.Values{"key": {elumenta.NewKeySecret().Reveal()}}).is(http.StatusUnauthorized, "unknown")
	if id := refused.header.Get("X-Request-Id"); id == "" || !strings.Contains(s.log.String(), `"msg":"request","request_id":"`+id+`","route":"POST /console/sign-in","status":401`) {
		t.Errorf("who tries keys is not in the log: %q", id)
	}
	b.post("sign-in", url.Values{"key": {" " + key.Reveal() + "\n"}, "next": {"/console/account"}}).to("/console/account")
	b.get("account").ok("Grace", string(account), "50 tokens")

	other := s.signedIn(key)
	b.post("sign-out", nil).to(console.Base + "sign-in")
	b.get("account").to(console.Base + "sign-in?next=%2Fconsole%2Faccount")
	other.get("account").ok("Grace")
	keys, _, err := s.store.Keys(t.Context(), account, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.RevokeKey(t.Context(), account, keys[0].ID); err != nil {
		t.Fatal(err)
	}
	other.get("account").is(http.StatusUnauthorized, "Your session has ended", `name="next" value="/console/account"`)
	if strings.Contains(s.log.String(), key.Reveal()) {
		t.Error("the key is in the log")
	}
}

func TestSignInLink(t *testing.T) {
	s := newServer(t)
	caller, err := s.store.Authenticate(t.Context(), s.admin.Hash())
	if err != nil {
		t.Fatal(err)
	}
	token := elumenta.NewSessionToken()
	if err := s.store.NewSignInLink(t.Context(), caller.Key.ID, token); err != nil {
		t.Fatal(err)
	}
	b := s.browser()
	b.get("sign-in/link").ok("data-sign-in-link")
	b.post("sign-in/link", url.Values{"token": {token.Reveal()}}).to(console.Base)
	b.get("account").ok("Ada")
	s.browser().post("sign-in/link", url.Values{"token": {token.Reveal()}}).is(http.StatusUnauthorized, "used before")
}

// A form that does not come, or is too large, is an error and holds nothing up; whoever is not signed in is told that first.
func TestFormLimits(t *testing.T) {
	s := newServer(t)
	large := url.Values{"key": {strings.Repeat("x", 100<<10)}}
	s.browser().post("sign-in", large).is(http.StatusRequestEntityTooLarge)
	s.browser().post("account", large).is(http.StatusUnauthorized)
	b := s.signedIn(s.admin)
	b.post("assistants/new", form("instructions", strings.Repeat("x", 5<<20))).is(http.StatusRequestEntityTooLarge)
	b.do(http.MethodPost, "account", strings.NewReader("display_name=%zz"), "Content-Type", "application/x-www-form-urlencoded").is(http.StatusBadRequest)

	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "POST /console/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nkey=")
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 408 ") {
		t.Errorf("%v: %.200q", err, answer)
	}
}

// What another site's page sends is refused, signing in too.
func TestCrossOrigin(t *testing.T) {
	s := newServer(t)
	b := s.signedIn(s.admin)
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}} {
		for _, path := range []string{"sign-in", "sign-in/link", "account", "sign-out", "preferences"} {
			b.post(path, url.Values{"key": {s.admin.Reveal()}}, headers...).is(http.StatusForbidden)
		}
	}
	b.get("account").ok("Ada")
}

func TestAccount(t *testing.T) {
	s := newServer(t)
	b := s.signedIn(s.admin)
	b.post("account", url.Values{"display_name": {""}}).is(http.StatusUnprocessableEntity, "display_name-error")
	b.post("account", url.Values{"display_name": {"<b>Ada</b>"}}).to(console.Base + "account")
	b.get("account").ok("&lt;b&gt;Ada&lt;/b&gt;", "Saved.").without("<b>Ada")
	b.get("account").ok("unlimited", "<dd>0\u00a0B</dd>").without("Saved.")

	s.store.Reload(nil, elumenta.DeniedNames{}, 0, 5<<29)
	key, account := s.account("Grace", "free")
	fields := elumenta.Fields{Name: "a", Model: "m", Instructions: elumenta.Text(strings.Repeat("x", 150_000))}
	if _, _, err := s.store.CreateAssistant(t.Context(), account, fields, elumenta.Private, nil); err != nil {
		t.Fatal(err)
	}
	s.signedIn(key).get("account").ok("<dd>146.5\u00a0KiB of 2.5\u00a0GiB</dd>")
}

func TestPreferences(t *testing.T) {
	s := newServer(t)
	b := s.browser()
	b.Language = "ru-RU,ru;q=0.9,en;q=0.8"
	b.get("sign-in").ok(`lang="ru"`, "API-ключ")
	b.post("preferences", url.Values{"language": {"en"}, "back": {"/console/sign-in"}}).to("/console/sign-in")
	b.post("preferences", url.Values{"theme": {"dark"}, "back": {"https://evil.example/"}}).to("/console/")
	b.get("sign-in").ok(`lang="en"`, `data-theme="dark"`)
}

func TestHeaders(t *testing.T) {
	s := newServer(t)
	page := s.signedIn(s.admin).get("account").ok()
	policy := page.header.Get("Content-Security-Policy")
	if strings.Contains(policy, "unsafe") || !strings.HasPrefix(policy, "default-src 'none'") || page.header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", page.header)
	}
	if m := regexp.MustCompile(`(?i)<script(?:>| [^>]*>[^<])|<style| style=| on[a-z]+=`).FindString(page.body); m != "" {
		t.Errorf("the page has something inline: %s", m)
	}
	file := regexp.MustCompile(`href="/console/(static/[^"]+\.css)"`).FindStringSubmatch(page.body)
	if css := s.browser().get(file[1]).ok("--accent"); !strings.Contains(css.header.Get("Cache-Control"), "immutable") {
		t.Errorf("headers of a file: %v", css.header)
	}
	s.browser().get("nothing").is(http.StatusNotFound, "There is nothing here")
}

// Each text is there in both languages, and each text that a page asks for is there.
func TestTexts(t *testing.T) {
	keys := map[string]map[string]bool{"en": {}, "ru": {}}
	files, err := filepath.Glob("locales/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var texts map[string]any
		if err := toml.Unmarshal(raw, &texts); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		lang := strings.TrimSuffix(file, ".toml")
		of := keys[lang[len(lang)-2:]]
		for key, text := range texts {
			if of[key] {
				t.Errorf("%s: %s is there twice", file, key)
			}
			of[key] = true
			if forms, ok := text.(map[string]any); ok && strings.HasSuffix(lang, "ru") && (forms["one"] == nil || forms["few"] == nil || forms["many"] == nil || forms["other"] == nil) {
				t.Errorf("%s: %s lacks a plural form", file, key)
			}
		}
	}
	for key := range keys["en"] {
		if !keys["ru"][key] {
			t.Errorf("%s has no Russian text", key)
		}
	}
	for key := range keys["ru"] {
		if !keys["en"][key] {
			t.Errorf("%s has no English text", key)
		}
	}
	use := regexp.MustCompile(`\.(?:[TN]|Raw)\("([^"]+)"[,)]`)
	sources, err := filepath.Glob("*.templ")
	if err != nil {
		t.Fatal(err)
	}
	code, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(sources, code...) {
		if strings.HasSuffix(file, "_templ.go") || strings.HasSuffix(file, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range use.FindAllStringSubmatch(string(raw), -1) {
			if !keys["en"][m[1]] {
				t.Errorf("%s asks for %s, which has no text", file, m[1])
			}
		}
	}
}
