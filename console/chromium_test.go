package console_test

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/console"
	"github.com/elumenta/elumenta/store/storetest"
)

// axeSource is axe-core 4.14.1 (https://github.com/dequelabs/axe-core), as npm has it.
//
//go:embed testdata/axe/axe.min.js
var axeSource string

// chromium is the one browser of all tests, started by the first that needs it.
var chromium struct { //nolint:gochecknoglobals // a process has one
	once sync.Once
	ctx  context.Context
	stop func()
	err  error
}

// tests runs a package's tests and ends what they started once.
type tests struct{ m storetest.TestingM }

// Run implements goleak.TestingM.
func (t tests) Run() int {
	code := storetest.Main(t.m)
	if chromium.stop != nil {
		chromium.stop()
	}
	return code
}

// findChromium names a Chromium or Chrome, or nothing.
func findChromium() string {
	for _, name := range []string{"chromium", "google-chrome", "google-chrome-stable", "chromium-browser"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func startChromium(path string) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WSURLReadTimeout(time.Minute))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(allocator)
	chromium.err = chromedp.Do(ctx)
	chromium.ctx, chromium.stop = ctx, func() {
		_ = chromedp.Cancel(ctx) // waits for the process; that it does not close gracefully is no fault of the console
		stop()
		stopAllocator()
	}
}

// tab is a tab of Chromium. What no page may do is noted: see problem.
type tab struct {
	s   *server
	ctx context.Context

	mu       sync.Mutex
	problems []string
}

// watch is run in each document before its own scripts: what the content security policy forbids shows, whatever else happens.
const watch = `addEventListener("securitypolicyviolation", (e) => console.error("policy: " + e.effectiveDirective + " " + e.blockedURI + " " + (e.sample ?? "")));`

// step is something to do in a tab.
type step = chromedp.Action[chromedp.Void]

// tab opens a tab with cookies of its own. The test fails if a page in it throws, logs an error, opens a dialog, breaks its content security
// policy or asks another host for anything.
func (s *server) tab(steps ...step) *tab {
	s.t.Helper()
	path := findChromium()
	if path == "" && os.Getenv("CI") == "" {
		s.t.Skip("no Chromium: install it, as scripts/test-deps does")
	}
	chromium.once.Do(func() { startChromium(path) })
	if chromium.err != nil {
		s.t.Fatalf("start Chromium: %v", chromium.err)
	}
	return s.open(chromium.ctx, steps, chromedp.WithNewBrowserContext())
}

// beside opens a second tab of the same person.
func (b *tab) beside(steps ...step) *tab { b.s.t.Helper(); return b.s.open(b.ctx, steps) }

func (s *server) open(parent context.Context, steps []step, options ...chromedp.ContextOption) *tab {
	s.t.Helper()
	ctx, stop := chromedp.NewContext(parent, options...)
	b := &tab{s: s, ctx: ctx}
	s.t.Cleanup(func() {
		stop()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, p := range b.problems {
			s.t.Error(p)
		}
	})
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		s.t.Fatal(err)
	}
	b.run(append([]step{
		protocol(network.Enable, network.EnableParams{}), protocol(runtime.Enable, cdp.Empty{}), protocol(log.Enable, cdp.Empty{}),
		protocol(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watch}),
	}, steps...)...)
	return b
}

// protocol is a step that sends one command.
func protocol[P, R any](command cdp.Command[P, R], params P) step {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

func (b *tab) problem(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, fmt.Sprintf(format, args...))
}

func (b *tab) listen(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.problem("a script failed: %+v", e.ExceptionDetails)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			for _, a := range e.Args {
				b.problem("a page logs %s", a.Value)
			}
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork { // that of an answer like 401 or 404
			b.problem("Chromium logs %s (%s)", e.Entry.Text, e.Entry.URL)
		}
	case *page.EventJavascriptDialogOpening:
		b.problem("a dialog opens: %s", e.Message)
		go func() { // a listener must not wait for an answer
			_, _ = chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
		}()
	case *network.EventRequestWillBeSent:
		url := e.Request.URL
		if !strings.HasPrefix(url, b.s.url+"/") && !strings.HasPrefix(url, "data:") && !strings.HasPrefix(url, "blob:"+b.s.url) {
			b.problem("a page asks another host: %s", url)
		}
	}
}

// patience is how long a page may take for what a test waits for.
const patience = 30 * time.Second

// run fails the test if a step fails.
func (b *tab) run(steps ...step) {
	b.s.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.fail(err)
	}
}

// fail ends the test with what the tab shows.
func (b *tab) fail(err error) {
	b.s.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, 5*time.Second)
	defer stop()
	at, _ := chromedp.Run(ctx, chromedp.Location())
	text, _ := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
	b.s.t.Fatalf("%v at %s:\n%s", err, at, text)
}

// show opens a page under /console/.
func (b *tab) show(path string) {
	b.s.t.Helper()
	b.run(chromedp.Navigate(b.s.url + console.Base + path))
}

// eval is what an expression is in the page; a promise is waited for.
func eval[T any](b *tab, expression string) T {
	b.s.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.fail(err)
	}
	return v
}

// until waits for a condition, a JavaScript expression, in this page or in one that follows.
func (b *tab) until(condition string) {
	b.s.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		if yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+condition+")")); err == nil && yes {
			return
		}
		select {
		case <-again.C: // the page may be on its way to another
		case <-ctx.Done():
			b.fail(errors.New("not seen: " + condition))
		}
	}
}

// enter types into the field that a selector names.
func (b *tab) enter(selector, text string) {
	b.s.t.Helper()
	b.act(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// act does something to an element, again if Chromium has just put another document in the place of the one that it was found in.
func (b *tab) act(do step) {
	b.s.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	for {
		err := chromedp.Do(ctx, do)
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), "Could not find node") || ctx.Err() != nil {
			b.fail(err)
		}
	}
}

// send presses Enter there. Its error tells nothing: the page may be gone before the key is let go, and who sends waits for what comes.
func (b *tab) send(selector string) {
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	_ = chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS(selector), "\r"))
}

// click clicks on what a selector names.
func (b *tab) click(selector string) { b.s.t.Helper(); b.act(chromedp.Click(chromedp.CSS(selector))) }

// back goes back. A page that the browser had kept loads nothing again: there is only until to wait with.
func (b *tab) back() { b.s.t.Helper(); eval[any](b, `history.back(); 0`) }

// signIn fills in the form with a key, and waits for the page behind it.
func (b *tab) signIn(key elumenta.KeySecret) {
	b.s.t.Helper()
	b.show("sign-in")
	eval[any](b, `document.querySelector("#key").value = "`+key.Reveal()+`"; 0`) // typing 48 characters takes a while
	b.send("#key")
	b.until(`document.querySelector(".who")`)
}

// desktop and phone are the sizes in which pages are looked at.
func desktop() step { return chromedp.EmulateViewport(1280, 900) }
func phone() step   { return chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile) }

// still is for who wants no motion, so that colours are what they are at once.
func still() step {
	return protocol(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}},
	})
}

// withoutScripts is for who has switched JavaScript off.
func withoutScripts() step {
	return protocol(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

// engines are where the databases of each engine come from.
func engines() map[string]func(testing.TB) string {
	return map[string]func(testing.TB) string{"SQLite": storetest.SQLite, "Postgres": storetest.Postgres}
}
