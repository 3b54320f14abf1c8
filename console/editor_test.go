package console_test

import (
	"net/http"
	"strings"

	"github.com/chromedp/chromedp"

	"github.com/elumenta/elumenta/console"
)

// The editor counts what the server counts, adds rows, keeps what was typed, and tells of what somebody else saved.
func testBrowserEditor(s *server) {
	admin := s.signedIn(s.admin)
	f := form("model", "paid", "instructions", "Ahoy \x7f и 日本語 ภาษา 한국어 🦜 {{other}} {{{name}}.\nSay {{name}} to {{port}}, {{name}}!")
	f["variable_name"], f["variable_description"], f["variable_default"] = []string{"name", "port"}, []string{"", ""}, []string{"Polly $& $1", ""}
	f["variable_required"] = []string{"1"}
	id := admin.make(s.t, f)
	b := s.tab(desktop())
	b.signIn(s.admin)
	b.show("assistants/new")
	b.enter("#name", "Half a cook")
	long := form("instructions", strings.Repeat("{{name}}", 65))
	long["variable_default"][0] = strings.Repeat("x", 8000)
	b.show("assistants/" + admin.make(s.t, long))
	b.until(`document.querySelector("[data-add]").hidden === false`)
	b.until(`document.querySelector("[data-composed]").textContent.startsWith("It would have more than 512,000")`)
	b.show("assistants/" + id)
	b.until(`document.querySelector("[data-add]").hidden === false`)
	for _, part := range []string{"count", "cache", "composed"} {
		sent := `(await (async () => new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html"))()).querySelector("[data-` + part + `]").textContent`
		if got, want := eval[string](b, `document.querySelector("[data-`+part+`]").textContent`), eval[string](b, `(async () => `+sent+`)()`); got != want || got == "" {
			s.t.Errorf("%s: the script shows %q, the server %q", part, got, want)
		}
	}
	before := eval[string](b, `document.querySelector("[data-count]").textContent`)
	rows := eval[int](b, `document.querySelectorAll(".variable").length`)
	for range 2 {
		b.click("[data-rows]:has(.variable) + [data-add]")
	}
	b.until(`document.activeElement === [...document.querySelectorAll("[name=variable_name]")].at(-1)`)
	if n := eval[int](b, `document.querySelectorAll(".variable").length`); n != rows+2 {
		s.t.Errorf("%d rows, want %d", n, rows+2)
	}
	b.enter(".variable:last-child [name=variable_name]", "ship")
	b.click(".variable:last-child [name=variable_required]")
	b.enter("#instructions", " {{ship}}")
	b.until(`document.querySelector("[data-count]").textContent !== ` + "`" + before + "`")

	// What was typed survives a reload and is taken back with its rows; another one's version is not overwritten.
	typed := eval[string](b, `document.querySelector("#instructions").value`)
	b.run(chromedp.Reload())
	b.click(".notice button")
	if got := eval[string](b, `document.querySelector("#instructions").value`); got != typed {
		s.t.Errorf("the draft has %q, not %q", got, typed)
	}
	if !eval[bool](b, `[...document.querySelectorAll(".variable")].some((row) => row.querySelector("[name=variable_name]").value === "ship" && row.querySelector("[name=variable_required]").checked)`) {
		s.t.Error("the draft has lost a row")
	}
	f.Set("version", "1")
	f.Set("name", "Corsair")
	admin.post("assistants/"+id, f).to(console.Base + "assistants/" + id)
	b.click("[data-editor] button.main")
	b.until(`document.querySelector("[role=alert]")?.textContent.includes("Version 2 was saved")`)
	if got := eval[string](b, `document.querySelector("#instructions").value`); got != typed {
		s.t.Errorf("after the conflict the form has %q, not %q", got, typed)
	}
	b.click("[data-editor] button.main")
	b.until(`document.querySelector(".flash")`)
	b.run(chromedp.Reload())
	b.until(`document.querySelector("[data-editor]") && !document.querySelector(".notice")`)

	// The draft of a new one is not what was saved.
	b.show("assistants/new")
	b.click(".notice button")
	if got := eval[string](b, `document.querySelector("#name").value`); got != "Half a cook" {
		s.t.Errorf("the draft of a new assistant is called %q after another was saved", got)
	}

	// Signing out leaves nothing of a draft in the tab.
	b.enter("#name", " secret")
	if n := eval[int](b, `sessionStorage.length`); n == 0 {
		s.t.Error("no draft is kept")
	}
	b.click(".who button")
	b.until(`location.pathname === "/console/sign-in"`)
	if n := eval[int](b, `sessionStorage.length`); n != 0 {
		s.t.Errorf("%d drafts are left after signing out", n)
	}
	if got := admin.get("assistants/" + id + "/versions/3"); got.status != http.StatusOK {
		s.t.Errorf("version 3: status %d", got.status)
	}
}
