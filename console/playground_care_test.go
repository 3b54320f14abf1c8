package console_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/elumenta/elumenta"
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

// Settings that no call takes are refused beside their fields, and nothing is sent.
func TestSettingsAreRefused(t *testing.T) {
	f, b := playing(t, "playground?model=sandbox")
	set := func(temperature, most string) {
		t.Helper()
		eval[any](b, `for (const [name, value] of [["temperature", `+quoteJS(temperature)+`], ["max_tokens", `+quoteJS(most)+`]]) {
			const field = document.querySelector("[data-setting=" + name + "]");
			field.value = value;
			field.dispatchEvent(new Event("input", { bubbles: true }));
		} 0`)
	}
	for _, wrong := range [][2]string{{"hot", "many"}, {"2,1", "0"}, {"-1", "1,000"}, {"Infinity", "1e3"}} {
		set(wrong[0], wrong[1])
		b.ask("Hello")
		b.until(`document.activeElement.name === "temperature" && ["temperature", "max_tokens"].every((name) => {
			const field = document.querySelector("[data-setting=" + name + "]"), message = document.getElementById(field.getAttribute("aria-describedby"));
			return field.ariaInvalid === "true" && message?.checkVisibility() && /number/.test(message.textContent);
		}) && document.querySelector(".turn") === null && document.querySelector("#prompt").value === "Hello"`)
	}
	eval[any](b, axeSource+";0")
	b.accessible("playground", "settings refused")
	set("0,5", "15")
	b.until(`document.querySelector("[data-settings] .wrong, [data-settings] [aria-invalid]") === null`)
	b.send("#prompt")
	b.until(idle + ` && ` + last)
	if asked := f.asked(); asked["temperature"] != 0.5 || asked["max_tokens"] != 15.0 {
		t.Errorf("the call is %v", asked)
	}
	set("hot", "")
	eval[any](b, last+`.querySelector("[data-retry]").click(); 0`)
	b.until(`document.activeElement.name === "temperature" && document.querySelectorAll(".turn").length === 2`)
	b.startAgain()
}

// Where a page may not copy, which is so over plain HTTP, its buttons say so.
func TestCopyByHand(t *testing.T) {
	f, b := playing(t, "playground?model=sandbox")
	_, author := f.s.account("Anne", "free")
	const none = `Object.defineProperty(navigator, "clipboard", { value: undefined, configurable: true }); 0`
	const code = "```\nlet it = be;\n```"
	eval[any](b, none)
	b.ask("Write\n" + code)
	b.until(idle + ` && ` + last + `?.querySelector("pre + button")`)
	b.click("pre + button")
	b.until(`document.querySelector("pre + button").textContent.startsWith("Select it") && getSelection().toString().trim() === "let it = be;"`)
	eval[any](b, last+`.querySelector(".row button:last-child").click(); 0`)
	b.until(last + `.querySelector(".row button:last-child").textContent.startsWith("Select it")`)
	b.until(last + `.querySelector(".row button:last-child").textContent === "Copy"`)
	b.startAgain()

	b.show("marketplace/" + string(f.s.publish(author, nil)))
	eval[any](b, none)
	eval[any](b, `document.querySelector("[data-try] textarea").value = `+quoteJS("Write\n"+code)+`; 0`)
	b.send("[data-try] textarea")
	b.until(`document.querySelector("[data-try] pre + button")`)
	b.click("[data-try] pre + button")
	b.until(`document.querySelector("[data-try] pre + button").textContent.startsWith("Select it")`)

	// What a page's own buttons do is told, too.
	const said = `document.querySelector("[role=status][data-copy-said]")?.textContent`
	b.click("[data-copy=id]")
	b.until(said + ` === "Select it, and copy it by hand" && getSelection().toString().startsWith("asst_")`)
	eval[any](b, `window.copies = []; Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => void copies.push(text) } }); 0`)
	b.click("[data-copy=pin]")
	b.until(said + ` === "Copied" && copies.join().endsWith("@1")`)
	b.until(said + ` === ""`)
}

// An answer stays until another one has come: it is paid for, and the new call may fail.
func TestAnswerStays(t *testing.T) {
	f, b := playing(t, "playground?model=sandbox")
	const (
		again = `document.querySelector(".turn:last-child [data-retry]").click(); 0`
		turns = `document.querySelectorAll(".turn").length`
	)
	b.ask("First")
	b.until(idle + ` && ` + last + `?.textContent.includes("First")`)
	f.close()
	for range 2 { // of two calls that fail, only the last one's error is left
		eval[any](b, `document.querySelector(".turn:last-child").dataset.before = ""; `+again)
		b.until(idle + ` && ` + turns + ` === 3 && ` + last + `.querySelector("[role=alert]") && !("before" in ` + last + `.dataset)`)
		if said := eval[string](b, `document.querySelector(".turn:nth-child(2) .markdown").textContent`); !strings.Contains(said, "First") {
			t.Errorf("after a call that failed, the answer is %q", said)
		}
	}
	f.open()
	b.ask("Second")
	b.until(idle + ` && ` + turns + ` === 5 && ` + last + `?.textContent.includes("Second")`)
	if n := len(f.asked()["messages"].([]any)); n != 3 {
		t.Errorf("%d messages are sent: the answer that stayed is none of them", n)
	}
	eval[any](b, `document.querySelector(".turn:last-child").dataset.before = ""; `+again)
	b.until(idle + ` && ` + turns + ` === 5 && ` + last + `.textContent.includes("Second") && !document.querySelector(".turn:last-child[data-before]")`)
	if n := len(f.asked()["messages"].([]any)); n != 3 {
		t.Errorf("%d messages are sent for another answer", n)
	}
	b.startAgain()
}

// Text that is pasted or dropped stays text, whatever lies beside it; files are taken.
func TestPasteAndDrop(t *testing.T) {
	_, b := playing(t, "playground?model=sandbox")
	eval[any](b, `window.give = (kind, text, ...names) => {
		const data = new DataTransfer();
		if (text) data.items.add(text, "text/plain");
		for (const name of names) data.items.add(new File(["x"], name, { type: "image/png" }));
		const event = kind === "paste" ? new ClipboardEvent(kind, { clipboardData: data, bubbles: true, cancelable: true }) : new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true });
		return document.querySelector("#prompt").dispatchEvent(event) ? "the browser" : "the page";
	}; 0`)
	images := 0
	for _, c := range []struct {
		call, who string
		images    int
	}{
		{`give("paste", "a cell")`, "the browser", 0},
		{`give("paste", "a cell\tanother", "image.png")`, "the browser", 0}, // as office programs have it
		{`give("paste", "", "x.png")`, "the page", 1},
		{`give("paste", "x.png\r/home/ada/y.png\n", "x.png", "y.png")`, "the page", 2}, // as file managers have it
		{`give("dragover", "a word")`, "the browser", 0},
		{`give("drop", "a word")`, "the browser", 0},
		{`give("dragover", "", "x.png")`, "the page", 0},
		{`give("drop", "", "x.png")`, "the page", 1},
	} {
		if who := eval[string](b, c.call); who != c.who {
			t.Errorf("%s is for %s, not %s", c.call, who, c.who)
		}
		images += c.images
		b.until(`document.querySelectorAll("[data-images] img").length === ` + strconv.Itoa(images))
	}
}

// What a click would throw away is asked about first.
func TestPlaygroundAsks(t *testing.T) {
	_, b := playing(t, "playground?model=sandbox")
	eval[any](b, `window.asked = []; window.answer = false; window.confirm = (question) => (asked.push(question), answer); document.querySelector("[data-clear]").click(); 0`)
	b.ask("First")
	b.until(idle + ` && ` + last)
	b.ask("Second")
	b.until(idle + ` && document.querySelectorAll(".turn").length === 4 && ` + last)
	for draft, question := range map[string]string{
		"Third": "What follows this message is removed, and what you have written and not sent is lost. Go on?",
		" ":     "What follows this message is removed. Go on?",
	} {
		if got := eval[string](b, `document.querySelector("#prompt").value = `+quoteJS(draft)+`; document.querySelector(".you button").click(); asked.splice(0).join()`); got != question {
			t.Errorf("the page asks %q, not %q", got, question)
		}
	}
	eval[any](b, `document.querySelector("#prompt").value = "Third"; document.querySelector("[data-clear]").click(); 0`)
	if !eval[bool](b, `asked.join() === "The whole conversation is removed. Go on?" && document.querySelectorAll(".turn").length === 4 && document.querySelector("#prompt").value === "Third"`) {
		t.Error("starting again does not wait for an answer")
	}
	eval[any](b, `answer = true; document.querySelector("[data-clear]").click(); 0`)
	b.until(`document.querySelector(".turn") === null`)
}

// What is neither an assistant nor a model is said to be missing where it is chosen, and nothing is sent to it.
func TestTargetIsMissing(t *testing.T) {
	f, b := playing(t, "playground?assistant="+string(elumenta.NewAssistantID()))
	const (
		field    = `document.querySelector("#target")`
		about    = `document.getElementById(` + field + `.getAttribute("aria-describedby"))`
		missing  = about + `.textContent.startsWith("Not found") && ` + about + `.className === "wrong" && ` + field + `.ariaInvalid === "true" && document.querySelector("[data-said]").textContent.startsWith("Not found")`
		nobody   = missing + ` && document.activeElement === ` + field
		selected = field + `.select(); 0`
	)
	b.until(missing)
	b.ask("Hello")
	b.until(nobody + ` && document.querySelector(".turn") === null && document.querySelector("#prompt").value === "Hello"`)
	eval[any](b, selected)
	b.enter("#target", "sandbox\r")
	b.until(about + `.textContent === "sandbox" && ` + about + `.className === "hint" && ` + field + `.ariaInvalid !== "true"`)
	b.send("#prompt")
	b.until(idle + ` && ` + last)
	eval[any](b, selected)
	b.enter("#target", "Nonexistent assistant\r")
	b.until(missing)
	eval[any](b, last+`.querySelector("[data-retry]").click(); 0`)
	b.until(nobody + ` && document.querySelectorAll(".turn").length === 2`)
	if got := f.asked()["model"]; got != "sandbox" {
		t.Errorf("%v is asked", got)
	}
	b.startAgain()
}

// Files that are no images are named, and more than the server takes is refused before it is sent.
func TestImagesAreRefused(t *testing.T) {
	f, b := playing(t, "playground?model=sandbox")
	const (
		refused = `document.querySelector("[data-refused]")`
		images  = `document.querySelectorAll("[data-images] img").length`
	)
	paste := func(files string) {
		t.Helper()
		eval[any](b, `{
			const clipboardData = new DataTransfer(), large = new Uint8Array(7 << 20);
			large.set([137, 80, 78, 71, 13, 10, 26, 10]);
			for (const [content, name, type] of [`+files+`]) clipboardData.items.add(new File([content], name, { type }));
			document.querySelector("#prompt").dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
		} 0`)
	}
	const image = `[large, "x.png", "image/png"]`
	paste(`["x", "contract.pdf", "application/pdf"], ["x", "x.png", "image/png"], ["x", "notes", ""]`)
	b.until(refused + `.checkVisibility() && ` + refused + `.textContent === "Not taken: contract.pdf, notes. Images are PNG, JPEG, WebP or GIF." && ` + images + ` === 1`)
	b.click("[data-images] button")
	paste(image + "," + image + "," + image)
	b.until(refused + `.textContent.includes("would have 28.1 MB") && ` + refused + `.textContent.includes("takes 20.") && ` + images + ` === 2`)
	b.ask("What are these?")
	b.until(idle + ` && ` + last + `?.textContent.includes("[image/png, 7340032 bytes] [image/png") && ` + refused + `.hidden`)
	paste(image) // those before go along
	b.until(refused + `.textContent.includes("would have 28") && ` + images + ` === 0`)
	eval[any](b, `{ const field = document.querySelector("[data-setting=system]"); field.hidden = true; field.value = "é".repeat(1 << 20); } 0`) // laying it out takes long
	b.ask("More")
	b.until(refused + `.textContent.includes("would have 20.7 MB") && document.querySelector("#prompt").value.startsWith("More") && document.querySelectorAll(".turn").length === 2`)
	if n := len(f.asked()["messages"].([]any)); n != 1 {
		t.Errorf("%d messages are sent", n)
	}
	b.startAgain()
}

// What the keyboard reaches is never behind the message box.
func TestNothingIsCovered(t *testing.T) {
	s := newServer(t)
	id := s.call(s.admin, http.MethodPost, "assistants", map[string]any{
		"name": "Guide", "model": "sandbox", "instructions": "{{a}} {{b}} {{c}}", "variables": []any{map[string]any{"name": "a"}, map[string]any{"name": "b"}, map[string]any{"name": "c"}},
	}, "id")
	b := s.tab(still())
	b.signIn(s.admin)
	for target, height := range map[string]int64{"assistant=" + id: 720, "model=sandbox": 800} {
		b.run(chromedp.EmulateViewport(1280, height))
		b.show("playground?" + target)
		b.until(`document.querySelector("[data-about]").textContent.includes("sandbox")`)
		b.ask("sandbox:long 300")
		b.until(idle + ` && ` + last)
		for _, open := range []bool{false, true} {
			eval[any](b, `document.querySelector("[data-settings]").open = `+strconv.FormatBool(open)+`; scrollTo(0, 0); document.querySelector("[data-clear]").focus(); 0`)
			for range 40 {
				b.run(chromedp.KeyEvent(kb.Tab))
				covered := eval[string](b, `(() => {
					const at = document.activeElement, { left, right, top, bottom } = at.getBoundingClientRect();
					const seen = [top + 2, (top + bottom) / 2, bottom - 2].some((y) => at.contains(document.elementFromPoint((left + right) / 2, y)) || at.matches("label *"));
					return seen ? "" : at.outerHTML.slice(0, 200);
				})()`)
				if covered != "" {
					t.Errorf("%s, %d pixels high, settings %v: %s is covered", target, height, open, covered)
				}
				if eval[bool](b, `document.activeElement.matches("[data-code] summary")`) {
					break
				}
			}
		}
		b.startAgain()
	}
}

// startAgain leaves nothing that the page would ask about.
func (b *tab) startAgain() {
	b.s.t.Helper()
	eval[any](b, `window.confirm = () => true; document.querySelector("[data-clear]").click(); 0`)
}
