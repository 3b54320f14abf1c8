package console_test

import (
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/console"
)

// generate calls the API with a key; the status is what it answers.
func (s *server) generate(key elumenta.KeySecret, body string) int {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/api/v2/generate", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key.Reveal())
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.browser().client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func TestStatement(t *testing.T) {
	s := newServer(t)
	key, account := s.account("Grace", "basic")
	grace, operator := s.signedIn(key), s.signedIn(s.admin)
	operator.get("account/statement").ok("No tokens have moved yet")
	at := "admin/accounts/" + string(account)
	operator.post(at+"/topup", url.Values{"tokens": {"25"}, "reason": {"<i>a gift</i>"}, "once": {"one"}}).to(console.Base + at)
	s.generate(key, `{"model": "paid", "prompt": "x"}`)
	s.generate(key, `{"model": "paid", "prompt": "sandbox:error 500"}`)
	operator.post(at+"/plan", url.Values{"plan": {"pro"}}).to(console.Base + at)

	page := grace.get("account/statement").ok("725 tokens", "Granted", "+700", "Of the plan pro.", "Expired", "−293", "the month of the plan basic",
		"Given back", "costs nothing: The provider failed.", "For a generation with paid.", "−7", "what was reserved is its price", "&lt;i&gt;a gift&lt;/i&gt;", "+25", "gen_")
	if first, last := strings.Index(page.body, "+700"), strings.Index(page.body, "+300"); first < 0 || last < first {
		t.Error("the newest entry does not stand first")
	}
	operator.get(at).ok("−293", "&lt;i&gt;a gift")
	grace.Language = "ru"
	grace.get("account/statement").ok("Сгорело", "По тарифу pro.")
	grace.get("account").ok("/console/account/statement")

	for range 12 {
		s.generate(key, `{"model": "paid", "prompt": "x"}`)
		s.generate(key, `{"model": "paid", "prompt": "sandbox:error 500"}`)
	}
	grace.Language = "en"
	next := regexp.MustCompile(`href="/console/(account/statement\?[^"]*cursor=[^"]+)"`).FindStringSubmatch(html.UnescapeString(grace.get("account/statement").ok().body))
	if next == nil {
		t.Fatal("there is no second page")
	}
	grace.get(next[1]).ok("Of the plan basic.").without("Of the plan pro.", `rel="next"`)
	grace.get("account/statement?cursor=x").is(http.StatusBadRequest)
	grace.get("account/statement?from=2020-01-01&to=2020-01-31").ok("No tokens moved in these days", `value="2020-01-31"`)
	grace.get("account/statement?from=2020-02-01&to=2020-01-31").is(http.StatusUnprocessableEntity, `role="alert"`, "must be before to")
	grace.get("account/statement.csv?from=2020-02-01&to=2020-01-31").is(http.StatusUnprocessableEntity, `role="alert"`)
	grace.get("account/statement?from=nonsense&to=" + time.Now().UTC().Format(time.DateOnly)).ok("For a generation with paid.").without(`value="nonsense"`)
	file := grace.get("account/statement.csv").ok("seq,at,kind", ",key_id,", "grant").body
	operator.get(at+"/statement.csv").ok("seq,at,kind", ",actor,", s.adminAccount())
	// An error of a file is a page, which download would save in its place.
	for b, paths := range map[*browser][]string{grace: {"account/statement", "usage"}, operator: {at, "admin/usage"}} {
		for _, path := range paths {
			b.get(path).ok("Download").without(" download")
		}
	}
	wrong := "?from=2020-02-01&to=2020-01-31"
	for _, path := range []string{at, at + "/statement.csv"} {
		operator.get(path+wrong).is(http.StatusUnprocessableEntity, "must be before to", `value="2020-02-01"`, `id="from" aria-invalid="true"`, "Grace", `action="/console/`+at+`"`)
	}
	grace.get("account/statement.csv"+wrong).is(http.StatusUnprocessableEntity, "must be before to", `id="from" aria-invalid="true"`).without("0 tokens<", "No tokens")
	operator.get(at+"?from=2020-01-01&to=2020-01-31").ok(`value="2020-01-01"`, "No tokens moved in these days", at+"/statement.csv?from=2020-01-01&amp;to=2020-01-31").without("a gift")
	operator.get(at + "/statement.csv?from=2020-01-01&to=2020-01-31").ok("seq,at,kind").without("a gift")
	today := time.Now().UTC().Format(time.DateOnly)
	operator.get(at + "/statement.csv?to=" + today).ok("a gift")
	more := regexp.MustCompile(`href="/console/(` + at + `\?[^"]*cursor=[^"]+)"`).FindStringSubmatch(html.UnescapeString(operator.get(at + "?to=" + today).ok("For a generation with paid.").body))
	if more == nil || !strings.Contains(more[1], "to="+today) {
		t.Fatalf("the second page is %q", more)
	}
	operator.get(more[1]).ok("For a generation with paid.", `value="`+today+`"`)
	if strings.Contains(file, s.adminAccount()) {
		t.Error("the file names an operator")
	}
}

// texts are all texts, by language and key.
func texts(t *testing.T) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{"en": {}, "ru": {}}
	for lang, of := range all {
		files, err := filepath.Glob("locales/*." + lang + ".toml")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err == nil {
				err = toml.Unmarshal(raw, &of)
			}
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
		}
	}
	return all
}

// What the program calls by a code has a text in both languages.
func TestCodesHaveTexts(t *testing.T) {
	for lang, of := range texts(t) {
		for _, kind := range elumenta.EntryKinds() {
			why := "statement.why_" + string(kind)
			if kind == elumenta.EntryTopup { // the reason says it
				why = "statement.why"
			}
			for _, key := range []string{"statement.kind_" + string(kind), why} {
				if of[key] == nil {
					t.Errorf("%s: %s has no text", lang, key)
				}
			}
		}
		for _, action := range elumenta.AuditActions() {
			if of["audit."+string(action)] == nil {
				t.Errorf("%s: audit.%s has no text", lang, action)
			}
		}
		for kind := elumenta.KindRejected; kind <= elumenta.KindFailed; kind++ {
			if key := "providers.kind_" + kind.String(); of[key] == nil {
				t.Errorf("%s: %s has no text", lang, key)
			}
		}
	}
}
