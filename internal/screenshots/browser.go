package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

const question = "Is this handler all right?\n\nvar hits int\n\nfunc count(w http.ResponseWriter, r *http.Request) {\n\thits++\n\tjson.NewEncoder(w).Encode(hits)\n}"

// step is something to do in the browser.
type step = chromedp.Action[chromedp.Void]

// take takes the pictures, one after the other in one browser.
func (s *server) take(ctx context.Context, keep func(name string, image []byte) error) error {
	path, err := findChromium()
	if err != nil {
		return err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WSURLReadTimeout(time.Minute))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(ctx, options...)
	defer stopAllocator()
	tab, stop := chromedp.NewContext(allocator)
	defer stop()
	if err := chromedp.Do(tab, chromedp.EmulateViewport(1280, 800), s.show("sign-in"), run(`document.querySelector("#key").value = `+strconv.Quote(s.key)+`; document.querySelector("#key").form.submit()`),
		chromedp.WaitVisible(chromedp.CSS(".who"))); err != nil {
		return err
	}
	for _, picture := range []struct {
		name  string
		steps []step
	}{
		{"marketplace", []step{chromedp.EmulateViewport(1280, 800), s.show("marketplace")}},
		{"playground", append([]step{chromedp.EmulateViewport(1280, 1000), s.show("playground?assistant=" + s.reviewer)}, compare...)},
		{"phone", []step{chromedp.EmulateViewport(390, 780, chromedp.EmulateMobile), s.show("marketplace/" + s.starter)}},
		{"editor", []step{
			chromedp.EmulateViewport(1280, 1000), s.show("account"), chromedp.Click(chromedp.CSS(".preferences [value=dark]")),
			chromedp.WaitReady(chromedp.CSS("html[data-theme=dark]")), s.show("assistants/" + s.support),
		}},
	} {
		image, err := capture(tab, picture.steps)
		if err == nil {
			err = keep(picture.name, image)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", picture.name, err)
		}
	}
	return nil
}

// capture does the steps in a tab of its own, beside the others of the same browser, and takes a picture of it.
func capture(beside context.Context, steps []step) ([]byte, error) {
	tab, stop := chromedp.NewContext(beside)
	defer stop()
	if err := chromedp.Do(tab, steps...); err != nil {
		return nil, err
	}
	quality := int64(85)
	image, err := chromedp.Call(tab, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatWebp, Quality: &quality})
	if err != nil {
		return nil, err
	}
	return image.Data, nil
}

func (s *server) show(path string) step { return chromedp.Navigate(s.url + "/console/" + path) }

// run evaluates a script and waits for its promise, if it is one.
func run(script string) step {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Evaluate[any](script, chromedp.EvalAwaitPromise)(ctx, t)
		return err
	})
}

// compare asks two versions the same.
var compare = []step{ //nolint:gochecknoglobals // a constant
	chromedp.Click(chromedp.CSS("[data-compare]")),
	chromedp.WaitReady(chromedp.CSS("[data-side]:nth-child(2) [data-version] option[value='1']")),
	run(`(() => {
		document.querySelectorAll("[data-side] [data-version]").forEach((select, i) => {
			select.value = ["1", ""][i];
			select.dispatchEvent(new Event("change", {bubbles: true}));
		});
		const prompt = document.querySelector("#prompt");
		prompt.value = ` + strconv.Quote(question) + `;
		document.querySelector("[data-send]").click();
	})()`),
	chromedp.WaitVisible(chromedp.CSS("[data-side]:nth-child(2) [data-retry]")),
	chromedp.WaitVisible(chromedp.CSS("[data-side]:nth-child(1) [data-retry]")),
	run(`document.activeElement.blur(); window.scrollTo(0, 0); document.querySelectorAll("[data-log]").forEach((log) => (log.scrollTop = log.scrollHeight))`),
}
