package console_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Without a script the playground asks once.
func TestAskOnce(t *testing.T) {
	s := newServer(t)
	b := s.signedIn(s.admin)
	b.get("playground").ok("nothing of it", `value="sandbox"`)
	b.post("playground", url.Values{"target": {"sandbox"}, "prompt": {"Hello <b>there</b>"}}).ok("Your last message was", "&lt;b&gt;there&lt;/b&gt;").without("<b>there")
	b.post("playground", url.Values{"target": {"away"}, "prompt": {"Hello"}}).is(http.StatusServiceUnavailable, `role="alert"`)
	b.post("playground", url.Values{"target": {"nothing"}, "prompt": {"Hello"}}).is(http.StatusUnprocessableEntity, `role="alert"`)
	if strings.Contains(s.log.String(), "there") {
		t.Error("a message is in the log")
	}
}

// What scripts ask for goes through the API as the session's caller, and nobody else's.
func TestGenerate(t *testing.T) {
	s := newServer(t)
	b := s.signedIn(s.admin)
	ask := func(b *browser, body string) *shown {
		return b.do(http.MethodPost, "generate", strings.NewReader(body), "Content-Type", "application/json", "Authorization", "Bearer nb_nonsense")
	}
	stream := ask(b, `{"model": "sandbox", "prompt": "Hello", "stream": true}`).ok(`"type":"generation_start"`, `"type":"generation_end"`, "data: [DONE]")
	if h := stream.header; h.Get("Content-Encoding") != "" || !strings.HasPrefix(h.Get("Content-Type"), "text/event-stream") {
		t.Errorf("headers of a stream: %v", h)
	}
	ask(b, `{"model": "nothing", "prompt": "Hello"}`).is(http.StatusUnprocessableEntity, `"validation_error"`)
	ask(s.browser(), `{"model": "sandbox", "prompt": "Hello"}`).is(http.StatusUnauthorized, `"not_authenticated"`)
	if large := ask(b, `{"model": "sandbox", "prompt": "`+strings.Repeat("x", 5<<20)+`"}`); large.status != http.StatusOK {
		t.Errorf("a request with images is %d", large.status)
	}

	id := b.make(t, form())
	b.get("playground/target?id="+id+"@1").ok(`"name":"Pirate"`, `"matey"`).without("You are a pirate")
	b.get("playground/target?id=asst_none").is(http.StatusNotFound)
	b.get("playground?assistant="+id).ok(`value="`+id+`"`, "Pirate")
}

// hostileAnswers are answers that must be nothing but text, or harmless links.
var hostileAnswers = []string{ //nolint:gochecknoglobals // a constant
	`<script>attacked=1</script><img src=x onerror="attacked=1"><svg onload=attacked=1>`,
	"[a](javascript:attacked=1) [b](data:text/html,<script>attacked=1</script>) <javascript:attacked=1> [c]( JaVaScRiPt:attacked=1 \"t\")",
	"![i](https://evil.example/pixel.png) ![j](javascript:attacked=1) [r]: javascript:attacked=1\n\n[r]",
	"`<b onclick=attacked=1>` <a href=\"javascript:attacked=1\">x</a> <iframe srcdoc=\"<script>attacked=1</script>\">",
	"\u202Egnp.exe\u2066 &#x6A;avascript:attacked=1 <style>body{display:none}</style> <form action=https://evil.example><input name=q>",
	"```html\n<script>attacked=1</script>\n```\n\n<details open ontoggle=attacked=1>",
}

// A conversation in a browser: answers stream, are shown as Markdown, and nothing in them runs.
func TestPlayground(t *testing.T) {
	s := newServer(t)
	b := s.tab(desktop())
	b.signIn(s.admin)
	b.show("playground?model=sandbox")
	ask := func(text string) {
		t.Helper()
		eval[any](b, `document.querySelector("#prompt").value = `+quoteJS(text)+`; 0`)
		b.send("#prompt")
	}
	answered := func(n int) {
		t.Helper()
		b.until(`document.querySelectorAll(".turn:not(.you):not([aria-busy]) .hint").length >= ` + strconv.Itoa(n) + ` && document.querySelector("[data-stop]").hidden`)
	}
	ask("Hello **bold**")
	answered(1)
	b.until(`document.querySelector(".markdown strong")?.textContent === "bold"`)
	for i, attack := range hostileAnswers {
		ask(attack)
		answered(i + 2)
	}
	if found := eval[string](b, `String(window.attacked) + [...document.querySelectorAll(".markdown *")].filter((e) => /^(SCRIPT|STYLE|IMG|IFRAME|SVG|FORM|INPUT|DETAILS)$/i.test(e.tagName)
		|| [...e.attributes].some((a) => a.name.startsWith("on") || a.name === "style" || /^\s*(javascript|data):/i.test(a.value))).map((e) => e.outerHTML).join()`); found != "undefined" {
		t.Errorf("an answer made %s", found)
	}

	ask("sandbox:slow 30s")
	b.until(`!document.querySelector("[data-stop]").hidden`)
	b.click("[data-stop]")
	b.until(`document.querySelector("[data-stop]").hidden`)

	ask("sandbox:long 2000")
	b.until(`document.querySelector(".turn:last-child .markdown")?.textContent.includes("word")`)
	eval[any](b, `document.querySelector("[data-clear]").click(); 0`)
	b.until(`document.querySelector("[data-stop]").hidden`)
	eval[any](b, `document.querySelector("[data-compare]").click(); 0`)
	ask("To both")
	b.until(`[...document.querySelectorAll(".markdown")].filter((e) => e.textContent.includes("To both")).length === 2`)
	b.until(`document.querySelector("[data-stop]").hidden`)
	eval[any](b, `document.querySelector("[data-code]").open = true; 0`)
	b.until(`document.querySelector("#code").textContent.includes("To both") && !document.querySelector("#code").textContent.includes("word")`)
	eval[any](b, `window.confirm = () => true; document.querySelector(".you button").click(); 0`)
	b.until(`document.querySelectorAll(".turn").length === 0 && document.querySelector("#prompt").value === "To both"`)
}

// quoteJS is a text as JavaScript has it.
func quoteJS(text string) string {
	b, _ := json.Marshal(text) // strings can be marshalled
	return string(b)
}

// The code that the page shows sends what the page would send, whatever the text.
func TestCode(t *testing.T) {
	s := newServer(t)
	b := s.tab(desktop())
	b.signIn(s.admin)
	b.show("playground?model=sandbox")
	text := "It's \"quoted\" `raw` $HOME \\n %s {{x}} ' é 机器 \U0001F600"
	eval[any](b, `const prompt = document.querySelector("#prompt"); prompt.value = `+quoteJS(text)+`; prompt.dispatchEvent(new Event("input", {bubbles: true})); document.querySelector("[data-code]").open = true; 0`)
	for language, run := range map[string][]string{
		"curl": {"sh"}, "python": {"python3"}, "javascript": {"node", "--input-type=module"}, "go": {"go", "run"},
	} {
		t.Run(language, func(t *testing.T) {
			program, err := exec.LookPath(run[0])
			if err != nil {
				if language == "javascript" || os.Getenv("CI") == "" { // Node.js is no part of what `make test` installs
					t.Logf("not run: there is no %s", run[0])
					return
				}
				t.Fatal(err)
			}
			source := eval[string](b, `document.querySelector("[data-language=`+language+`]").click(); document.querySelector("#code").textContent`)
			cmd := exec.CommandContext(t.Context(), program, run[1:]...)
			cmd.Stdin = strings.NewReader(source)
			if language == "go" {
				file := filepath.Join(t.TempDir(), "main.go")
				if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
					t.Fatal(err)
				}
				cmd.Args = append(cmd.Args, file)
			}
			cmd.Env = append(os.Environ(), "ELUMENTA_API_KEY="+s.admin.Reveal())
			out, err := cmd.CombinedOutput()
			answer := string(out)
			if language == "curl" {
				var whole struct{ Content string }
				err = errors.Join(err, json.Unmarshal(out, &whole))
				answer = whole.Content
			}
			if err != nil || !strings.Contains(answer, text) {
				t.Errorf("%v, %s\n%s", err, out, source)
			}
		})
	}
}
