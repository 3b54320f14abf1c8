package console_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/internal/clients"
)

// Without a script the playground asks once.
func TestAskOnce(t *testing.T) {
	s := newServer(t)
	b := s.signedIn(s.admin)
	b.get("playground").ok("nothing of it", `value="sandbox"`)
	b.post("playground", url.Values{"target": {"sandbox"}, "prompt": {"Hello <b>there</b>"}}).ok("Your last message was", "&lt;b&gt;there&lt;/b&gt;").without("<b>there", "&lt;/b&gt;</textarea>")
	b.post("playground", url.Values{"target": {"away"}, "prompt": {"Hello"}}).is(http.StatusServiceUnavailable, `role="alert"`, ">Hello</textarea>")
	b.post("playground", url.Values{"target": {"nothing"}, "prompt": {"Hello"}}).is(http.StatusUnprocessableEntity, `role="alert"`)
	if strings.Contains(s.log.String(), "there") {
		t.Error("a message is in the log")
	}
}

// call makes a call of the API with a key, and returns a member of the answer.
func (s *server) call(key elumenta.KeySecret, method, path string, body any, member string) string {
	s.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/api/v2/"+path, bytes.NewReader(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+key.Reveal())
	resp, err := s.browser().client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var members map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&members); err != nil || resp.StatusCode/100 != 2 {
		s.t.Fatalf("%s %s: status %d, %v", method, path, resp.StatusCode, members)
	}
	text, _ := members[member].(string)
	return text
}

// parrot is an assistant with three versions, of which the last has another variable.
func (s *server) parrot(owner elumenta.KeySecret) (id string) {
	s.t.Helper()
	id = s.call(owner, http.MethodPost, "assistants", map[string]any{
		"name": "Parrot", "model": "sandbox", "instructions": "SECRET {{topic}}", "variables": []any{map[string]any{"name": "topic", "description": "what about", "required": true}},
	}, "id")
	s.call(owner, http.MethodPut, "assistants/"+id, map[string]any{"name": "Green parrot", "note": "greener"}, "id")
	s.call(owner, http.MethodPut, "assistants/"+id, map[string]any{"name": "Grey parrot", "instructions": "SECRET {{mood}}", "variables": []any{map[string]any{"name": "mood", "default": "merry"}}}, "id")
	return id
}

// Without a script, the page that is asked for an assistant has a field for each of its variables.
func TestAskOnceWithFields(t *testing.T) {
	s := newServer(t)
	key, _ := s.account("Grace", "free")
	id := s.parrot(key)
	b := s.signedIn(key)
	b.get("playground?assistant="+id).ok(`name="variable.mood"`, `placeholder="merry"`, `>2 — greener</option>`, `name="of" value="`+id+`"`).without("SECRET", "variable.topic")
	b.get("playground?assistant="+id+"@1").ok(`name="variable.topic"`, `<option value="1" selected>`, `what about`).without("variable.mood")
	b.get("playground?assistant=" + id + "@production").ok(`<option value="production" selected>`)
	b.get("playground?assistant=asst_none").ok(`value="asst_none"`, `aria-invalid="true"`, `<p class="wrong" id="target-hint"`, "Not found")
	ask := func(changes ...string) *shown {
		t.Helper()
		f := url.Values{"target": {id}, "of": {id}, "version": {"1"}, "variable.topic": {"sails"}, "prompt": {"Hello"}, "system": {"Be short."}, "temperature": {"0,5"}, "max_tokens": {"15"}}
		for i := 0; i+1 < len(changes); i += 2 {
			f.Set(changes[i], changes[i+1])
		}
		return b.post("playground", f)
	}
	ask().ok("the assistant &#34;Parrot&#34;", `value="sails"`, "Be short.", `value="15"`, "cost 0", "50 left").without("Your last message was") // it is cut
	ask("version", "", "variable.topic", "", "variable.mood", "sad", "max_tokens", "").ok("the assistant &#34;Grey parrot&#34;", `value="sad"`, "Your last message was: Hello")
	ask("target", id+"@2", "max_tokens", "").ok("the assistant &#34;Green parrot&#34;")
	ask("variable.topic", "").is(http.StatusUnprocessableEntity, "variables.topic", `role="alert"`)
	ask("temperature", "hot").is(http.StatusUnprocessableEntity, "temperature", `value="hot"`)
	ask("target", "paid", "max_tokens", "").ok("cost 7", "43 left").without(`name="variable.`) // nothing of another target goes along
	ask("version", "9").is(http.StatusNotFound, `role="alert"`)
}

// What a script asks of targets, it is told as far as the caller may know it.
func TestTargets(t *testing.T) {
	s := newServer(t)
	_, author := s.account("Anne", "free")
	theirs := string(s.publish(author, func(f *elumenta.Fields) { f.Name = "Parrot of Anne" }))
	id := s.parrot(s.admin)
	for range 25 {
		s.call(s.admin, http.MethodPut, "assistants/"+id, map[string]any{"description": elumenta.NewAssistantID()}, "id")
	}
	b := s.signedIn(s.admin)
	b.get("playground/search?q=parr").ok(`"name":"Grey parrot","author":""`, `"name":"Parrot of Anne","author":"Anne"`, id, theirs).without("SECRET")
	b.get("playground/search").ok(id, theirs)
	b.get("playground/search?q=walrus").ok(`"items":[]`)
	b.get("playground/search?q=" + strings.Repeat("x", 300)).is(http.StatusUnprocessableEntity)
	var known struct {
		Versions []struct{ Version int }
		More     string
	}
	read := func(page *shown) {
		t.Helper()
		if err := json.Unmarshal([]byte(page.ok().without("SECRET").body), &known); err != nil {
			t.Fatal(err)
		}
	}
	read(b.get("playground/target?id=" + id))
	if n := len(known.Versions); n != 20 || known.Versions[0].Version != 28 {
		t.Errorf("%d versions, the first of them %d", n, known.Versions[0].Version)
	}
	read(b.get("playground/versions?id=" + id + "&cursor=" + url.QueryEscape(known.More)))
	if n := len(known.Versions); n != 8 || known.Versions[7].Version != 1 || known.More != "" {
		t.Errorf("%d older versions, the last of them %d", n, known.Versions[n-1].Version)
	}
	b.get("playground/versions?id=" + theirs).is(http.StatusForbidden)
	b.get("playground/target?id="+id+"@1").ok(`"topic"`, `"name":"Parrot"`, `"pin":"1"`)
	b.get("playground/target?id="+theirs).ok(`"versions":[{"version":1,"note":""}]`, `"author":"Anne"`).without("SECRET")
	b.get("playground/target?id=sandbox").ok(`"vision":true`)
	b.get("playground/target?id=paid").ok(`"vision":false`)
	b.get("playground/target?id=nothing").is(http.StatusNotFound)

	limited, _ := elumenta.ParseKeySecret(s.call(s.admin, http.MethodPost, "keys", map[string]any{"name": "for one", "models": []string{"sandbox"}}, "key"))
	guest := s.signedIn(limited)
	guest.get("playground?assistant=" + id).ok()
	guest.get("playground/search?q=parr").ok(`"items":[]`)
	guest.get("playground/target?id=" + id).is(http.StatusForbidden)
	guest.post("playground", url.Values{"target": {"sandbox"}, "prompt": {"Hello"}}).ok("Your last message was")
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
	b.until(idle + ` && ` + last + `.querySelector(".notice")?.textContent.startsWith("Stopped before") && document.querySelector("[data-said]").textContent.startsWith("Stopped before")`)

	ask("sandbox:long 2000")
	b.until(`document.querySelector(".turn:last-child .markdown")?.textContent.includes("word")`)
	b.startAgain()
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

// The code that the page shows sends what the page sends, whatever it is, and prints the answer.
func TestCode(t *testing.T) {
	s := newServer(t)
	f := s.front()
	id := s.parrot(s.admin)
	b := f.s.tab(desktop())
	b.signIn(s.admin)
	b.show("playground?assistant=" + id + "@1")
	b.until(`document.querySelector("[data-about]").textContent.includes("sandbox")`)
	text := "It's \"quoted\" `raw` $HOME \\n %s {{x}} ${y} ' é 机器 \U0001F600 \u2028\u202e\ufeff\u0080 JSON\nJSON"
	eval[any](b, `{
		const set = (selector, value) => (document.querySelector(selector).value = value);
		set("[data-variable=topic]", `+quoteJS(text)+`);
		set("[data-setting=system]", `+quoteJS(text)+`);
		set("[data-setting=temperature]", "0,5");
		const clipboardData = new DataTransfer();
		clipboardData.items.add(new File([Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10)], "x.png", { type: "image/png" }));
		document.querySelector("#prompt").dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
	} 0`)
	b.until(`document.querySelector("[data-images] img")`)
	b.ask(text)
	b.until(idle + ` && ` + last + `?.textContent.includes("8 bytes")`)
	sent := f.asked()
	eval[any](b, `document.querySelector("[data-code]").open = true; 0`)
	for _, stream := range []bool{true, false} {
		eval[any](b, `document.querySelector("[data-code-stream]").checked = `+strconv.FormatBool(stream)+`; 0`)
		if !stream {
			delete(sent, "stream")
		}
		for language, run := range map[string][]string{
			"curl": {"sh"}, "python": {"python3"}, "javascript": {"node", "--input-type=module"}, "go": {"go", "run"},
			"openai-python": {"python3"}, "openai-javascript": {"node", "--input-type=module"},
		} {
			t.Run(language+" stream "+strconv.FormatBool(stream), func(t *testing.T) {
				source := eval[string](b, `document.querySelector("[data-language=`+language+`]").click(); document.querySelector("#code").textContent`)
				answer := s.runCode(t, language, run, source)
				if got := f.asked(); answer != "" && !strings.HasPrefix(language, "openai") && !reflect.DeepEqual(got, sent) {
					t.Errorf("the code sends %v, the page %v", got, sent)
				}
				if answer != "" && !strings.Contains(answer, text+" [image/png, 8 bytes]") {
					t.Errorf("the code prints %s\n%s", answer, source)
				}
			})
		}
	}
	b.startAgain()
}

// runCode runs a program of the page's, and returns the answer that it prints, or nothing where the machine cannot run it.
func (s *server) runCode(t *testing.T, language string, run []string, source string) string {
	t.Helper()
	program, err := exec.LookPath(run[0])
	if err != nil {
		if os.Getenv("CI") == "" {
			t.Logf("not run: there is no %s", run[0])
			return ""
		}
		t.Fatal(err)
	}
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
	switch language {
	case "openai-javascript":
		cmd.Dir = clients.JavaScript(t)
	case "openai-python":
		cmd.Path = filepath.Join(clients.Python(t), "newest", "bin", "python")
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v, %s\n%s", err, out, source)
	}
	if language != "curl" {
		return string(out)
	}
	var answer strings.Builder
	for line := range strings.Lines(string(out)) {
		var event struct{ Content, Delta string }
		if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &event); err == nil {
			answer.WriteString(event.Content + event.Delta)
		}
	}
	return answer.String()
}
