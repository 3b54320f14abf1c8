package console_test

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// playing is a tab with the playground, behind a front.
func playing(t *testing.T, path string) (*front, *tab) {
	t.Helper()
	s := newServer(t)
	f := s.front()
	b := f.s.tab(desktop(), still())
	b.signIn(s.admin)
	b.show(path)
	return f, b
}

// The end of an answer takes the focus from nobody who writes elsewhere.
func TestFocusStays(t *testing.T) {
	f, b := playing(t, "playground?model=sandbox")
	f.holdNext()
	b.ask("sandbox:long 50")
	b.until(last + `?.textContent.includes("word3")`)
	eval[any](b, `document.querySelector("[data-settings]").open = true; 0`)
	b.enter("[data-setting=system]", "Be "+kb.Escape)
	b.until(idle + ` && ` + last + `.querySelector(".notice")`)
	if at := eval[string](b, `document.activeElement.name`); at != "system" {
		t.Errorf("the focus is on %q when the answer ends", at)
	}
	f.holdNext()
	b.ask("sandbox:long 50")
	b.until(last + `?.textContent.includes("word3")`)
	b.click("[data-stop]")
	b.until(idle + ` && document.activeElement.id === "prompt"`)
	b.startAgain()
}

// startAgain leaves nothing that the page would ask about.
func (b *tab) startAgain() {
	b.s.t.Helper()
	eval[any](b, `window.confirm = () => true; document.querySelector("[data-clear]").click(); 0`)
}
