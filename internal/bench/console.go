package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

const (
	fewPublished      = 10_000 // enough for every list to have more than a page
	pageRounds        = 40
	pageTarget        = 1.5 // times what the page takes where few are published
	loadRounds        = 9
	interactiveTarget = 300 * time.Millisecond
	interactiveRounds = 9
	slowedDown        = 4.0 // times, Chromium's processor
)

// pageFigures compare a page of the console with many published assistants and with few.
type pageFigures struct {
	Page     string        `json:"page"`
	Few      time.Duration `json:"few"`
	Many     time.Duration `json:"many"`
	Quotient float64       `json:"many_by_few"`
	// Loaded is the same for a person: until Chromium has loaded the page, by what is many and few.
	LoadedFew  time.Duration `json:"loaded_few,omitempty"`
	LoadedMany time.Duration `json:"loaded_many,omitempty"`
}

// interactiveFigures say when a page can be used: when what it shows is there and its scripts have run.
type interactiveFigures struct {
	Page        string        `json:"page"`
	Interactive time.Duration `json:"interactive"`
	Loaded      time.Duration `json:"loaded"`
}

// consolePages are the pages that show assistants or search among them, and those that have nothing to do with it.
func consolePages() []string {
	return []string{
		"marketplace", "marketplace?category=writing", "marketplace?sort=new", "marketplace?sort=name", "marketplace?q=a", "marketplace?q=assistant",
		"playground", "assistants", "assistants/new", "keys", "usage", "account", "admin", "admin/reports", "admin/audit",
	}
}

// person is somebody who is signed in.
type person struct {
	*http.Client
	base string
}

func signIn(ctx context.Context, addr, key string) (*person, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	p := &person{&http.Client{Jar: jar, Timeout: time.Minute}, "http://" + addr + "/console/"}
	form := strings.NewReader(url.Values{"key": {key}}.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+"sign-in", form)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := p.Do(req)
	if err != nil {
		return nil, err
	}
	return p, resp.Body.Close()
}

// look asks for a page and says how long that took.
func (p *person) look(ctx context.Context, page string) (time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+page, nil)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	resp, err := p.Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	spent := time.Since(begin)
	if resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", page, resp.Status)
	}
	return spent, errors.Join(err, resp.Body.Close())
}

// comparePages compares a server with many published assistants with one that has few, page by page and in turn.
func (b *bench) comparePages(ctx context.Context, many *elumentaServer) (err error) {
	in, err := b.installMarketplace(ctx, "few", fewPublished)
	if err != nil {
		return err
	}
	few, err := in.serve(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, few.stop()) }()
	var people [2]*person
	for i, s := range []*elumentaServer{few, many} {
		if people[i], err = signIn(ctx, s.addr, s.key); err != nil {
			return fmt.Errorf("sign in: %w", err)
		}
	}
	tabs, stop, err := openTabs(ctx, few, many)
	if err != nil {
		b.printf("without Chromium: %v\n", err)
	} else {
		defer stop()
	}
	rounds := pageRounds
	if b.smoke {
		rounds = 2
	}
	for _, page := range consolePages() {
		var spent [2][]time.Duration
		for range rounds {
			for i, p := range people {
				d, err := p.look(ctx, page)
				if err != nil {
					return err
				}
				spent[i] = append(spent[i], d)
			}
		}
		f := pageFigures{Page: page, Few: median(spent[0]), Many: median(spent[1])}
		f.Quotient = float64(f.Many) / float64(f.Few)
		b.printf("/console/%-32s %9s with %d, %9s with %d: %.2f times", page, round(f.Few), fewPublished, round(f.Many), b.published, f.Quotient)
		if tabs != nil {
			if f.LoadedFew, f.LoadedMany, err = compareLoads(tabs, page); err != nil {
				return fmt.Errorf("load %s: %w", page, err)
			}
			b.printf("; in Chromium %9s and %9s: %.2f times (target %.1f)", round(f.LoadedFew), round(f.LoadedMany), float64(f.LoadedMany)/float64(f.LoadedFew), pageTarget)
		}
		b.printf("\n")
		b.report.Pages = append(b.report.Pages, f)
	}
	return nil
}

// loadTab is a tab of somebody who is signed in.
type loadTab struct {
	context.Context //nolint:containedctx // as chromedp has tabs
	base            string
}

// openTabs signs in to each server, with cookies of its own.
func openTabs(ctx context.Context, servers ...*elumentaServer) (tabs []loadTab, stop func(), err error) {
	browser, stop, err := chromium(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := chromedp.Do(browser); err != nil {
		stop()
		return nil, nil, err
	}
	for _, s := range servers {
		tab, _ := chromedp.NewContext(browser, chromedp.WithNewBrowserContext()) // stop ends them all
		base := "http://" + s.addr + "/console/"
		if err := chromedp.Do(tab, chromedp.EmulateViewport(1280, 800), chromedp.Navigate(base+"sign-in"), chromedp.SendKeys(chromedp.CSS("#key"), s.key+"\r"), chromedp.WaitVisible(chromedp.CSS(".who"))); err != nil {
			stop()
			return nil, nil, fmt.Errorf("sign in: %w", err)
		}
		tabs = append(tabs, loadTab{tab, base})
	}
	return tabs, stop, nil
}

// compareLoads is how long a page takes to load in each of two tabs, in turn.
func compareLoads(tabs []loadTab, page string) (first, second time.Duration, err error) {
	var spent [2][]time.Duration
	for range loadRounds {
		for i, tab := range tabs {
			if err := chromedp.Do(tab, chromedp.Navigate(tab.base+page)); err != nil {
				return 0, 0, err
			}
			ms, err := chromedp.Run(tab, chromedp.Evaluate[float64](`performance.getEntriesByType("navigation")[0].loadEventEnd`))
			if err != nil {
				return 0, 0, err
			}
			spent[i] = append(spent[i], time.Duration(ms*float64(time.Millisecond)))
		}
	}
	return median(spent[0]), median(spent[1]), nil
}

// interactive measures in Chromium, slowed down, when the first pages can be used, with nothing in its cache.
func (b *bench) interactive(ctx context.Context) (err error) {
	in, err := b.install(ctx, "console")
	if err != nil {
		return err
	}
	server, err := in.serve(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	tab, stop, err := chromium(ctx)
	if err != nil {
		return err
	}
	defer stop()
	base := "http://" + server.addr + "/console/"
	if err := chromedp.Do(tab, chromedp.EmulateViewport(1280, 800), protocol(network.Enable, network.EnableParams{}),
		protocol(network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true}),
		protocol(emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: slowedDown})); err != nil {
		return err
	}
	rounds := interactiveRounds
	if b.smoke {
		rounds = 1
	}
	for _, page := range []string{"sign-in", "marketplace"} {
		if page != "sign-in" {
			if err := chromedp.Do(tab, chromedp.SendKeys(chromedp.CSS("#key"), server.key+"\r"), chromedp.WaitVisible(chromedp.CSS(".who"))); err != nil {
				return fmt.Errorf("sign in: %w", err)
			}
		}
		var interactive, loaded []time.Duration
		for range rounds {
			if err := chromedp.Do(tab, chromedp.Navigate(base+page)); err != nil {
				return err
			}
			// Scripts are modules, which run before that event (https://html.spec.whatwg.org/multipage/parsing.html#the-end).
			ms, err := chromedp.Run(tab, chromedp.Evaluate[[]float64](`(({domContentLoadedEventEnd, loadEventEnd}) => [domContentLoadedEventEnd, loadEventEnd])(performance.getEntriesByType("navigation")[0])`))
			if err != nil {
				return err
			}
			interactive = append(interactive, time.Duration(ms[0]*float64(time.Millisecond)))
			loaded = append(loaded, time.Duration(ms[1]*float64(time.Millisecond)))
		}
		f := interactiveFigures{Page: page, Interactive: median(interactive), Loaded: median(loaded)}
		b.printf("/console/%-12s can be used after %s, is loaded after %s, in Chromium slowed down %.0f times (target %s)\n", page, round(f.Interactive), round(f.Loaded), slowedDown, interactiveTarget)
		b.report.Interactive = append(b.report.Interactive, f)
	}
	return nil
}

// chromium starts a browser and opens a tab; stop ends both.
func chromium(ctx context.Context) (tab context.Context, stop func(), err error) {
	names := []string{"chromium", "google-chrome", "google-chrome-stable", "chromium-browser"}
	at := slices.IndexFunc(names, func(name string) bool { _, err := exec.LookPath(name); return err == nil })
	if at < 0 {
		return nil, nil, errors.New("no Chromium: install it, as scripts/test-deps does on Debian")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(names[at]), chromedp.WSURLReadTimeout(time.Minute))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(ctx, options...)
	tab, stopTab := chromedp.NewContext(allocator)
	return tab, func() { stopTab(); stopAllocator() }, nil
}

// protocol is a step that sends one command.
func protocol[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}
