package console_test

import (
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/console"
)

// What a person does in a browser, on both engines.
func TestInBrowser(t *testing.T) {
	for name, database := range engines() {
		t.Run(name, func(t *testing.T) {
			s := newServerOn(t, database(t))
			t.Run("SignIn", s.run(testBrowserSignIn))
			t.Run("Link", s.run(testBrowserLink))
			t.Run("Search", s.run(testBrowserSearch))
			t.Run("Editor", s.run(testBrowserEditor))
			t.Run("DoubleClick", s.run(testBrowserDoubleClick))
			t.Run("SessionEnds", s.run(testBrowserSessionEnds))
			t.Run("WithoutScripts", s.run(testBrowserWithoutScripts))
		})
	}
}

// run is a test of the same server.
func (s *server) run(test func(*server)) func(*testing.T) {
	return func(t *testing.T) {
		in := *s
		in.t = t
		test(&in)
	}
}

func testBrowserSignIn(s *server) {
	b := s.tab(desktop())
	b.show("account")
	b.enter("#key", elumenta.NewKeySecret().Reveal())
	b.send("#key")
	b.until(`document.querySelector("[role=alert]") !== null`)
	b.enter("#key", s.admin.Reveal())
	b.send("#key")
	b.until(`location.pathname === "/console/account"`)
	if cookies := eval[string](b, `document.cookie`); cookies != "" {
		s.t.Errorf("scripts read cookies: %s", cookies)
	}
	second := b.beside(desktop())
	second.show("account")
	second.until(`document.querySelector(".who") !== null`)
	second.click(".who button")
	second.until(`location.pathname === "/console/sign-in"`)
	second.back()
	second.until(`document.querySelector("#key")`) // no page of the session comes back from a cache
	b.run(chromedp.Reload())
	b.until(`location.pathname === "/console/sign-in" && document.querySelector("#key")`)
}

func testBrowserLink(s *server) {
	caller, err := s.store.Authenticate(s.t.Context(), s.admin.Hash())
	if err != nil {
		s.t.Fatal(err)
	}
	token := elumenta.NewSessionToken()
	if err := s.store.NewSignInLink(s.t.Context(), caller.Key.ID, token); err != nil {
		s.t.Fatal(err)
	}
	b := s.tab(desktop())
	b.show("sign-in/link#" + token.Reveal())
	if hash := eval[string](b, `location.hash`); hash != "" {
		s.t.Error("the token stays in the address")
	}
	b.click("[data-sign-in-link] button")
	b.until(`document.querySelector(".who") !== null`)
	again := s.tab(desktop())
	again.show("sign-in/link#" + token.Reveal())
	again.click("[data-sign-in-link] button")
	again.until(`document.querySelector("[role=alert]") !== null`)
}

func testBrowserSearch(s *server) {
	_, author := s.account("Anne", "free")
	s.publish(author, func(f *elumenta.Fields) { f.Name = "Lighthouse keeper" })
	s.publish(author, func(f *elumenta.Fields) { f.Name = "Baker" })
	b := s.tab(desktop())
	b.signIn(s.admin)
	b.show("marketplace")
	b.until(`document.querySelector("#results").textContent.includes("Baker")`)
	b.enter("#q", "lighth")
	b.until(`location.search === "?q=lighth" && !document.querySelector("#results").textContent.includes("Baker")`)
	b.until(`document.querySelector("#results").textContent.includes("Lighthouse")`)
	b.run(chromedp.Reload())
	b.until(`document.querySelector("#q").value === "lighth" && !document.querySelector("#results").textContent.includes("Baker")`)
	b.click("#results h2 a")
	b.until(`document.querySelector("h1").textContent === "Lighthouse keeper"`)
	b.back()
	b.until(`document.querySelector("#q")?.value === "lighth" && document.querySelector("#results").textContent.includes("Lighthouse")`)
}

// A form is sent once, however often its button is pressed, and what was saved is no draft any more.
func testBrowserDoubleClick(s *server) {
	key, account := s.account("Nell", "free")
	b := s.tab(desktop())
	b.signIn(key)
	b.show("keys")
	b.enter("#name", "Bot")
	eval[any](b, `for (let i = 0; i < 3; i++) document.querySelector("#name").form.requestSubmit(); 0`)
	b.until(`document.querySelector("#key")?.textContent.startsWith("nb_")`)
	b.back()
	b.until(`document.querySelector("#name")`)
	b.enter("#name", " 2")
	b.send("#name")
	b.until(`document.querySelector("#key, .notice")`)
	keys, _, err := s.store.Keys(s.t.Context(), account, "", 10)
	if err != nil || len(keys) > 3 {
		s.t.Errorf("%d keys, %v", len(keys), err)
	}
	b.show("assistants/new")
	b.enter("#name", "Cook")
	b.enter("#instructions", "Cook.")
	b.enter("#temperature", "0,70")
	b.send("#name")
	b.until(`document.querySelector(".flash") && document.querySelector("#temperature").value === "0.7" && sessionStorage.getItem("draft:/console/assistants/new") === null`)
	b.enter("#temperature", "0")
	b.send("#temperature")
	b.until(`document.querySelector(".flash")?.textContent.includes("Saved")`)
	if eval[bool](b, `document.querySelector(".notice") !== null || Object.keys(sessionStorage).some((k) => k.startsWith("draft:"))`) {
		s.t.Error("what was saved is called a draft")
	}
}

// The key is revoked while somebody types: the browser shows the sign-in page, and comes back to where it was.
func testBrowserSessionEnds(s *server) {
	key, account := s.account("Grace", "free")
	b := s.tab(phone())
	b.signIn(key)
	b.show("marketplace?sort=new")
	keys, _, err := s.store.Keys(s.t.Context(), account, "", 10)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.store.RevokeKey(s.t.Context(), account, keys[0].ID); err != nil {
		s.t.Fatal(err)
	}
	b.enter("#q", "x")
	b.until(`document.querySelector("#key") !== null && document.querySelector("[role=alert]") !== null`)
	b.enter("#key", s.admin.Reveal())
	b.send("#key")
	b.until(`location.pathname === "/console/marketplace" && location.search.includes("sort=new")`)
}

func testBrowserWithoutScripts(s *server) {
	b := s.tab(desktop(), withoutScripts())
	b.show("sign-in/link")
	b.run(chromedp.WaitVisible(chromedp.CSS("noscript p")))
	b.show("sign-in")
	b.enter("#key", s.admin.Reveal())
	b.send("#key")
	b.run(chromedp.WaitVisible(chromedp.CSS(".who")))
	b.show("marketplace")
	b.enter("#q", "zzz")
	b.click(".search button")
	b.run(chromedp.WaitVisible(chromedp.CSS("#results .empty")))
	b.show("account")
	b.enter("#display_name", " L.")
	b.send("#display_name")
	b.run(chromedp.WaitVisible(chromedp.CSS(".flash")))
}

var (
	link   = regexp.MustCompile(`<a [^>]*?href="/console/([^"#]*)`)
	varied = regexp.MustCompile(`(asst|key|acct|sess|gen)_[0-9a-z]{26}|\b[0-9]+\b|=[^&]*`)
)

// mostPages bounds a crawl.
const mostPages = 150

// pages are the addresses of all pages that links lead to, one of each kind: with one id of several.
func (b *browser) pages() []string {
	b.s.t.Helper()
	seen, asked := map[string]string{}, map[string]bool{}
	for waiting := []string{""}; len(waiting) > 0 && len(seen) < mostPages; waiting = waiting[1:] {
		page := b.get(waiting[0])
		if to, ok := strings.CutPrefix(page.header.Get("Location"), console.Base); ok && page.status == http.StatusSeeOther {
			page.body = `<a href="/console/` + html.EscapeString(to) + `"`
		} else if !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
			continue // a file
		} else if section, _, _ := strings.Cut(waiting[0], "/"); page.status == http.StatusNotFound && b.get(strings.Split(section, "?")[0]).status == http.StatusNotFound {
			continue // the whole section is not there
		} else if page.status != http.StatusOK {
			b.s.t.Errorf("a link leads to %s, which answers %d", waiting[0], page.status)
			continue
		} else {
			seen[varied.ReplaceAllString(waiting[0], "$1")] = waiting[0]
		}
		for _, m := range link.FindAllStringSubmatch(page.body, -1) {
			path := html.UnescapeString(m[1])
			if kind := varied.ReplaceAllString(path, "$1"); !asked[kind] {
				asked[kind] = true
				waiting = append(waiting, path)
			}
		}
	}
	return slices.Sorted(maps.Values(seen))
}

// furnish makes something of everything that pages show.
func (s *server) furnish(text string) {
	s.t.Helper()
	cut := func(most int) string { return string([]rune(text)[:min(len([]rune(text)), most)]) }
	key, author := s.account(cut(elumenta.MaxDisplayName), "free")
	caller, err := s.store.Authenticate(s.t.Context(), s.admin.Hash())
	if err != nil {
		s.t.Fatal(err)
	}
	fields := func(f *elumenta.Fields) {
		f.Name, f.Description, f.Copyable = cut(100), cut(512), true
		f.Instructions = elumenta.Text(text + " {{topic}}")
		f.Variables = []elumenta.Variable{{Name: "topic", Description: cut(512), Default: &text}}
		f.Metadata = map[string]string{"note": cut(512)}
	}
	theirs := s.publish(author, fields)
	own := s.publish(caller.Account.ID, fields)
	if _, err := s.store.SetLabel(s.t.Context(), caller.Account.ID, own, "production", []elumenta.LabelShare{{Version: 1, Weight: 1}}); err != nil {
		s.t.Fatal(err)
	}
	for range 2 {
		_, _, err := s.store.CreateKey(s.t.Context(), caller.Account.ID, elumenta.NewKey{Name: cut(elumenta.MaxKeyName)}, elumenta.NewKeySecret(), nil)
		if err != nil {
			s.t.Fatal(err)
		}
	}
	if _, _, err := s.store.ReportAssistant(s.t.Context(), caller.Account.ID, theirs, elumenta.NewReport{Reason: "other", Comment: elumenta.Text(cut(1000))}); err != nil {
		s.t.Fatal(err)
	}
	s.signedIn(key)
}

// violation is a rule of axe that a page breaks.
type violation struct {
	ID, Help string
	Nodes    []struct{ HTML, FailureSummary string }
}

// accessible runs axe on the page as it is. It checks contrast alone in the other theme, since nothing else differs.
func (b *tab) accessible(path, what string, rules ...string) {
	b.s.t.Helper()
	only := `{}`
	if len(rules) > 0 {
		list, err := json.Marshal(rules)
		if err != nil {
			b.s.t.Fatal(err)
		}
		only = `{runOnly: ` + string(list) + `}`
	}
	for _, v := range eval[[]violation](b, `axe.run(document, `+only+`).then((r) => r.violations.map((v) => ({ID: v.id, Help: v.help,
		Nodes: v.nodes.slice(0, 3).map((n) => ({HTML: n.html, FailureSummary: n.failureSummary}))})))`) {
		b.s.t.Errorf("/console/%s (%s): %s: %s", path, what, v.ID, v.Help)
		for _, n := range v.Nodes {
			b.s.t.Logf("%s\n%s", n.HTML, n.FailureSummary)
		}
	}
}

// Every page that a link leads to is accessible, fits a phone and a desktop, and does nothing that it may not; whoever wrote what it shows.
func TestEveryPage(t *testing.T) {
	s := newServer(t)
	s.furnish("A plain text of somebody")
	s.furnish(strings.Repeat("A plain text of somebody, which goes on. ", 15))
	pages := append(s.signedIn(s.admin).pages(), "nothing-there")
	t.Logf("%d pages", len(pages))
	for _, look := range []struct {
		language, theme, other string
		size                   step
	}{{"en", "light", "dark", desktop()}, {"ru", "dark", "light", phone()}} {
		b := s.tab(look.size, still())
		b.signIn(s.admin)
		b.choose("language", look.language)
		b.choose("theme", look.theme)
		for _, path := range pages {
			b.show(path)
			eval[any](b, axeSource+";0")
			what := look.language + ", " + look.theme
			if got := eval[string](b, `document.documentElement.lang + ", " + document.documentElement.dataset.theme`); got != what {
				t.Errorf("/console/%s is shown in %s, not %s", path, got, what)
			}
			if wide := eval[int](b, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
				t.Errorf("/console/%s (%s) is %d pixels too wide", path, what, wide)
			}
			b.accessible(path, what)
			eval[any](b, `document.documentElement.dataset.theme = "`+look.other+`"; 0`)
			b.accessible(path, look.language+", "+look.other, "color-contrast")
		}
	}
	b := s.tab(phone())
	for _, path := range []string{"sign-in", "sign-in/link#x"} {
		b.show(path)
		eval[any](b, axeSource+";0")
		b.accessible(path, "signed out")
	}
}

// choose presses a button of the preferences.
func (b *tab) choose(name, value string) {
	b.s.t.Helper()
	b.click(fmt.Sprintf(`.preferences [name=%s][value=%s]`, name, value))
	b.until(fmt.Sprintf(`document.querySelector('.preferences [name=%s][value=%s]')?.getAttribute("aria-pressed") === "true"`, name, value))
}

// attacks are what somebody may write where others read it: each would open a dialog, or leave an element that says data-attack.
func attacks() []string {
	return []string{
		`<script data-attack>alert(1)</script><img data-attack src=x onerror=alert(1)>`,
		`"><svg data-attack onload=alert(1)>`, `'><b data-attack onmouseover=alert(1)>`,
		`</textarea></title></style></script><iframe data-attack srcdoc="<script>parent.alert(1)</script>">`,
		`<a data-attack href="javascript:alert(1)">x</a> [x](javascript:alert(1)) ![x](x" onerror="alert(1))`,
		"<details data-attack open ontoggle=alert(1)> [x](data:text/html,<script>alert(1)</script>) `<img data-attack src=x>`",
		`${alert(1)} {{constructor.constructor("alert(1)")()}} <x data-attack hx-on:load="alert(1)" data-on-load="alert(1)">`,
		"<math><mtext><table><mglyph><style><img data-attack src=x onerror=alert(1)>\u202e\u2066\u200f",
	}
}

// Nothing that a person wrote runs, or becomes an element, on any page.
func TestNothingRuns(t *testing.T) {
	s := newServer(t)
	for _, attack := range attacks() {
		s.furnish(attack)
	}
	admin, err := s.store.Authenticate(t.Context(), s.admin.Hash())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.store.SetDisplayName(t.Context(), admin.Account.ID, attacks()[0]); err != nil {
		t.Fatal(err)
	}
	b := s.tab(desktop())
	b.signIn(s.admin)
	for _, path := range append(s.signedIn(s.admin).pages(), "marketplace?q=%3Cb%20data-attack%3E", `marketplace?category=%22%3E%3Cb%20data-attack%3E`, "%3Cb%20data-attack%3E") {
		b.show(path)
		if n := eval[int](b, `document.querySelectorAll("[data-attack], a[href^='javascript:' i], a[href^='data:' i]").length`); n > 0 {
			t.Errorf("/console/%s has %d elements of an attacker", path, n)
		}
	}
}

// The first page that a person sees, with all that it loads, is small over the wire.
func TestFirstPageIsSmall(t *testing.T) {
	const most = 60 << 10
	s := newServer(t)
	s.furnish("A plain text of somebody")
	for _, signedIn := range []bool{false, true} {
		b := s.browser()
		path := "sign-in"
		if signedIn {
			b, path = s.signedIn(s.admin), "marketplace"
		}
		compressed := []string{"Accept-Encoding", "gzip"}
		page := b.get(path).ok()
		total := len(b.do(http.MethodGet, path, nil, compressed...).ok().body)
		for _, m := range regexp.MustCompile(`(?:href|src)="/console/(static/[^"]+)"`).FindAllStringSubmatch(page.body, -1) {
			total += len(b.do(http.MethodGet, m[1], nil, compressed...).ok().body)
		}
		if t.Logf("%s: %d bytes", path, total); total > most {
			t.Errorf("%s is %d bytes over the wire, more than %d", path, total, most)
		}
	}
}
