package console_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/elumenta/elumenta"
)

// front stands before a server, as a proxy does: it can be closed and opened again at its address, hold an answer in the middle, and knows
// what was asked.
type front struct {
	s    *server // as seen through it
	addr string
	http *http.Server

	mu   sync.Mutex
	hold bool // the next answer
	asks [][]byte
}

func (s *server) front() *front {
	s.t.Helper()
	target, err := url.Parse(s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	in := *s
	f := &front{s: &in, addr: "127.0.0.1:0"}
	transport := &http.Transport{DisableCompression: true}
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			if strings.HasSuffix(r.In.URL.Path, "/generate") {
				f.note(r.Out)
			} else if r.In.ContentLength > 0 {
				// The transport reads once past the end. A client that is answered meanwhile has the server close the body before that, and the
				// connection is lost in mid-answer.
				r.Out.Body = io.NopCloser(io.LimitReader(r.In.Body, r.In.ContentLength))
			}
		},
		ModifyResponse: func(r *http.Response) error {
			if strings.HasPrefix(r.Header.Get("Content-Type"), "text/event-stream") && f.held() {
				r.Body = &heldBody{ReadCloser: r.Body, ctx: r.Request.Context()}
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	f.http = &http.Server{Handler: proxy}
	f.open()
	in.url = "http://" + f.addr
	s.t.Cleanup(func() {
		f.close()
		transport.CloseIdleConnections()
	})
	return f
}

// open serves, at the same address each time.
func (f *front) open() {
	f.s.t.Helper()
	l, err := (&net.ListenConfig{}).Listen(f.s.t.Context(), "tcp", f.addr)
	if err != nil {
		f.s.t.Fatal(err)
	}
	f.addr, f.http = l.Addr().String(), &http.Server{Handler: f.http.Handler}
	go func(h *http.Server) { _ = h.Serve(l) }(f.http)
}

// close ends all connections, whatever they are in the middle of.
func (f *front) close() { _ = f.http.Close() }

// holdNext lets the next answer stop behind its first pieces, until its connection ends.
func (f *front) holdNext() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hold = true
}

func (f *front) held() (yes bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	yes, f.hold = f.hold, false
	return yes
}

func (f *front) note(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // its client has gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asks = append(f.asks, body)
}

// asked is the last call of generate.
func (f *front) asked() (request map[string]any) {
	f.s.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := json.Unmarshal(f.asks[len(f.asks)-1], &request); err != nil {
		f.s.t.Fatal(err)
	}
	return request
}

// heldBody has the first pieces of a stream, and then nothing more.
type heldBody struct {
	io.ReadCloser
	ctx  context.Context
	said bytes.Buffer
}

// Read implements io.Reader.
func (h *heldBody) Read(b []byte) (int, error) {
	if bytes.Count(h.said.Bytes(), []byte("content_delta")) > 3 {
		<-h.ctx.Done()
		return 0, h.ctx.Err()
	}
	n, err := h.ReadCloser.Read(b[:min(len(b), 64)])
	h.said.Write(b[:n])
	return n, err
}

// ask writes a message and sends it.
func (b *tab) ask(text string) {
	b.s.t.Helper()
	eval[any](b, `document.querySelector("#prompt").value = `+quoteJS(text)+`; 0`)
	b.send("#prompt")
}

const (
	// idle is when no answer is coming; last is the last answer.
	idle = `document.querySelector("[data-stop]").hidden`
	last = `document.querySelector(".turn:not(.you):last-child")`
)

// A conversation outlives what happens to it: a word that is composed, a stop, a server that goes away, a session that ends.
func TestConversation(t *testing.T) {
	s := newServer(t)
	f := s.front()
	b := f.s.tab(desktop())
	b.signIn(s.admin)
	b.show("playground?model=sandbox")
	eval[any](b, `{
		const field = document.querySelector("#prompt"), key = { key: "Enter", bubbles: true, cancelable: true };
		field.value = "にほ";
		field.dispatchEvent(new KeyboardEvent("keydown", { ...key, isComposing: true }));
		field.dispatchEvent(new KeyboardEvent("keydown", { ...key, keyCode: 229 }));
		field.dispatchEvent(new KeyboardEvent("keydown", { ...key, shiftKey: true }));
	} 0`)
	if !eval[bool](b, `document.querySelector(".turn") === null && document.querySelector("#prompt").value === "にほ"`) {
		t.Error("a word that is being composed was sent")
	}

	eval[any](b, `{
		const clipboardData = new DataTransfer();
		clipboardData.items.add(new File([Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10, ...new Array(62).fill(0))], "x.png", { type: "image/png" }));
		document.querySelector("#prompt").dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
	} 0`)
	b.until(`document.querySelector("[data-images] img")`)
	b.ask("What is this?")
	b.until(idle + ` && ` + last + `.textContent.includes("[image/png, 70 bytes]") && document.querySelector(".you img")`)

	eval[any](b, `{ const before = `+last+`; before.dataset.before = ""; before.querySelector("[data-retry]").click(); } 0`)
	b.until(idle + ` && !document.querySelector("[data-before]") && document.querySelectorAll(".turn").length === 2 && ` + last + `.textContent.includes("70 bytes")`)

	f.holdNext()
	b.ask("sandbox:long 50")
	b.until(last + `.textContent.includes("word3")`)
	b.click("[data-stop]")
	b.until(idle + ` && ` + last + `.querySelector(".notice").textContent.includes("Stopped") && ` + last + `.querySelector(".markdown").textContent.startsWith("word1 word2 word3") && document.querySelector("[data-said]").textContent.startsWith("Stopped. What")`)

	f.holdNext()
	b.ask("sandbox:long 40")
	b.until(last + `.textContent.includes("word3")`)
	f.close()
	b.until(idle + ` && ` + last + `.querySelector("[role=alert]").textContent.includes("The connection broke") && ` + last + `.textContent.includes("word3")`)
	eval[any](b, last+`.querySelector("[data-retry]").click(); 0`)
	b.until(idle + ` && ` + last + `.querySelector("[role=alert]").textContent.includes("The connection broke") && !` + last + `.textContent.includes("word")`)
	f.open()
	eval[any](b, last+`.querySelector("[data-retry]").click(); 0`)
	b.until(idle + ` && ` + last + `.textContent.includes("word40") && !document.querySelector(".log [role=alert]")`)

	second := b.beside(desktop())
	second.show("account")
	second.click(".who button")
	second.until(`document.querySelector("#key")`)
	b.ask("And the end?")
	b.until(idle + ` && ` + last + `.querySelector("[role=alert] a")`)
	second.signIn(s.admin)
	eval[any](b, last+`.querySelector("[data-retry]").click(); 0`)
	b.until(idle + ` && ` + last + `.textContent.includes("And the end?")`)
	var roles []string
	for _, m := range f.asked()["messages"].([]any) {
		roles = append(roles, m.(map[string]any)["role"].(string))
	}
	if got := strings.Join(roles, " "); got != "user assistant user assistant user assistant user" {
		t.Errorf("the conversation that goes on is %s", got)
	}
	b.startAgain()

	_, author := s.account("Anne", "free")
	b.show("marketplace/" + string(s.publish(author, nil)))
	b.enter("[data-try] textarea", "Hello **there**")
	b.send("[data-try] textarea")
	b.until(`document.querySelector("[data-try] .markdown strong")?.textContent === "there" && document.querySelector("[data-try] [aria-busy]") === null`)
	eval[any](b, `document.querySelector("[data-try] textarea").value = "sandbox:slow 30s"; 0`)
	b.send("[data-try] textarea")
	b.until(`document.querySelector("[data-try] [aria-busy]")`)
	b.click("[data-try] button[type=button]")
	b.until(`document.querySelector("[data-try] .notice")?.textContent.startsWith("Stopped before")`)
	eval[any](b, `document.querySelector("[data-try] textarea").value = "Hello"; 0`)
	f.holdNext()
	b.send("[data-try] textarea")
	b.until(`document.querySelector("[data-try] [aria-busy] .markdown")?.textContent.startsWith("This is the")`)
	f.close()
	b.until(`document.querySelector("[data-try] .wrong")?.textContent.includes("The connection broke") && document.querySelector("[data-try] .markdown").textContent.startsWith("This is the")`)
}

// What answers is found by name with the keys alone; two versions of it answer the same messages, and what they cost and leave shows.
func TestPickAndCompare(t *testing.T) {
	s := newServer(t)
	f := s.front()
	key, _ := s.account("Grace", "free")
	mine := s.parrot(key)
	s.call(key, http.MethodPut, "assistants/"+mine, map[string]any{"model": "paid"}, "id")
	_, author := s.account("Anne", "free")
	s.publish(author, func(f *elumenta.Fields) { f.Name = "Parrot of Anne" })
	b := f.s.tab(desktop(), still())
	b.signIn(key)
	b.show("playground?model=sandbox")
	const shown = `[...document.querySelectorAll(".choices [role=option]")].map((o) => o.textContent).join()`
	b.until(`document.querySelector("[data-about]").textContent === "sandbox"`)
	eval[any](b, `document.querySelector("#target").select(); 0`)
	b.enter("#target", "parr")
	b.until(shown + ` === "Grey parrot,Parrot of Anne Anne"`)
	eval[any](b, axeSource+";0")
	b.enter("#target", kb.ArrowDown+kb.ArrowDown)
	b.until(`document.querySelector(".choices [aria-selected=true]").id === document.querySelector("#target").getAttribute("aria-activedescendant")`)
	b.accessible("playground", "choosing")
	b.send("#target")
	b.until(`document.querySelector("#target").value === "Parrot of Anne" && document.querySelector(".choices").hidden && document.querySelector("#version").options.length === 2`)
	eval[any](b, `document.querySelector("#target").select(); 0`)
	b.enter("#target", "gre")
	b.click("#prompt") // and nothing was chosen
	b.until(`document.querySelector("#target").value === "Parrot of Anne" && document.querySelector(".choices").hidden`)
	b.enter("#target", kb.ArrowDown)
	b.until(shown + `.includes("Parrot of Anne")`)
	b.enter("#target", kb.ArrowUp) // the last one, and then something else is typed
	eval[any](b, `document.querySelector("#target").select(); 0`)
	b.enter("#target", "grey")
	b.send("#target")
	b.until(`document.querySelector("#target").value === "Grey parrot" && document.querySelector("[data-variable=mood]") && document.querySelector("#version").options.length === 5`)
	b.ask("Hello")
	b.until(idle + ` && ` + last + `.textContent.includes("Grey parrot @4") && /cost 7 · 43 left/.test(` + last + `.textContent) && /cache/.test(` + last + `.textContent)`)

	b.click("[data-compare]")
	b.until(`document.querySelector("#version-2").value === "3" && document.querySelectorAll(".side:last-child .turn").length === 2`)
	eval[any](b, `document.querySelector("#version-2").value = "1"; document.querySelector("#version-2").dispatchEvent(new Event("change")); 0`)
	b.until(`document.querySelector(".side:last-child [data-variable=topic]") && document.querySelector("#target-2").value === "Parrot"`)
	eval[any](b, `document.querySelector(".side:last-child [data-variable]").value = "sails"; 0`)
	b.ask("Who are you?")
	const side = `.side:last-child .turn:last-child`
	b.until(idle + ` && document.querySelector("` + side + `").textContent.includes("Parrot @1") && ` + last + `.textContent.includes("36 left")`)
	b.accessible("playground", "beside each other")

	eval[any](b, `document.querySelector("[data-code]").open = true; document.querySelector("[data-code-side]").value = "1"; document.querySelector("[data-code-side]").dispatchEvent(new Event("input", {bubbles: true})); 0`)
	b.until(`["@1", "sails", "Hello", "Who are you?"].every((text) => document.querySelector("#code").textContent.includes(text))`)
	eval[any](b, `document.querySelector(".you button:nth-child(2)").click(); 0`) // Delete
	b.until(`document.querySelectorAll(".turn").length === 4 && !document.querySelector("#code").textContent.includes("Hello")`)
	eval[any](b, `document.querySelector("`+side+` [data-retry]").click(); 0`)
	b.until(idle + ` && document.querySelector("` + side + `").textContent.includes("Who are you?")`)
	if n := len(f.asked()["messages"].([]any)); n != 1 {
		t.Errorf("%d messages are sent, one of which was deleted", n)
	}

	eval[any](b, `{
		const clipboardData = new DataTransfer();
		clipboardData.items.add(new File(["x"], "x.png", { type: "image/png" }));
		document.querySelector("#prompt").dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
	} 0`)
	b.until(`document.querySelector("[data-refused]").textContent === "Grey parrot takes no images." && document.querySelector("[data-images]").hidden`)
	b.click("[data-compare]")
	b.until(`document.querySelectorAll(".side").length === 1 && !document.querySelector("#code").textContent.includes("@1")`)
	b.startAgain()
}
