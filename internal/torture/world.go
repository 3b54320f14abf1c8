package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/config"
	"github.com/elumenta/elumenta/store"
)

// Models and what they cost.
const (
	cheapModel = "cheap"
	dearModel  = "dear"
	cheapPrice = 1
	dearPrice  = 3
	// generationLimit ends what the provider never does.
	generationLimit = 6 * time.Second
)

// The plans of the accounts, each tight in a way of its own.
const (
	planFew    = "few"    // tokens
	planPaced  = "paced"  // an hour and a day
	planNarrow = "narrow" // generations open at once
	planGift   = "gift"   // tokens once
	pacedHour  = 12
	pacedDay   = 15
	narrowOpen = 3
	firstTopup = 5 // tokens of every third account
)

// settings is a node's configuration. A longer run gets more tokens, so that its accounts are short of them all the time and
// not only at its end.
func settings(upstream string, duration time.Duration) string {
	tokens := max(12, int64(duration.Seconds()/3))
	return fmt.Sprintf(`[log]
level = "warn"

[limits]
first_piece = "2s"
between_pieces = "2s"
generation = %q
requests_per_minute = 0

[[plans]]
name = %q
monthly_tokens = %d

[[plans]]
name = %q
monthly_tokens = 1000
per_hour = %d
per_day = %d

[[plans]]
name = %q
monthly_tokens = %d
open_generations = %d

[[plans]]
name = %q
once_tokens = %d

[[providers]]
name = "fake"
base_url = %q
api_key = "sk-torture"
circuit_breaker = false

[[providers]]
name = "other"
base_url = %q
api_key = "sk-torture,sk-torture-2"
circuit_breaker = false

[[models]]
slug = %q
provider = "fake"
token_cost = %d

[[models]]
slug = %q
routes = [{provider = "fake"}, {provider = "other"}]
token_cost = %d
`, generationLimit, planFew, tokens, planPaced, pacedHour, pacedDay, planNarrow, tokens, narrowOpen, planGift, tokens,
		upstream, upstream, cheapModel, cheapPrice, dearModel, dearPrice)
}

// account is one that calls.
type account struct {
	id   elumenta.AccountID
	plan string
	key  string
}

// world is what the database holds before the servers start.
type world struct {
	began    time.Time // when the first plan began
	accounts []account
	author   account  // of the shared assistants
	prober   account  // has tokens enough to see whether a change counts
	shared   []string // ids of published assistants
}

// create makes the accounts through the store: the program's commands would take minutes for a thousand.
func create(ctx context.Context, url, configFile string, accounts int) (w *world, err error) {
	conf, err := config.Load(configFile, config.Overrides{}, func(string) string { return "" })
	if err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, store.Options{URL: url, Plans: conf.Plans})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	w = &world{began: time.Now(), accounts: make([]account, accounts)}
	if err := w.people(ctx, s); err != nil {
		return nil, err
	}
	for range sharedModels {
		a, _, err := s.CreateAssistant(ctx, w.author.id, elumenta.Fields{
			Name: "Shared", Model: cheapModel, Instructions: elumenta.Text(instructions(1)), Description: "Used by everyone", Category: "general",
		}, elumenta.Marketplace, nil)
		if err != nil {
			return nil, err
		}
		w.shared = append(w.shared, string(a.ID))
	}
	return w, nil
}

func (w *world) people(ctx context.Context, s *store.Store) (err error) {
	if w.author, err = newAccount(ctx, s, "unlimited"); err != nil {
		return err
	}
	if w.prober, err = newAccount(ctx, s, planGift); err != nil {
		return err
	}
	if _, _, err := s.Topup(ctx, w.prober.id, elumenta.Topup{Tokens: 1_000_000}); err != nil {
		return err
	}
	plans := []string{planFew, planPaced, planNarrow, planGift, planFew}
	errs := make([]error, len(w.accounts))
	limit := make(chan struct{}, 32)
	var making sync.WaitGroup
	for i := range w.accounts {
		limit <- struct{}{}
		making.Go(func() {
			defer func() { <-limit }()
			if w.accounts[i], errs[i] = newAccount(ctx, s, plans[i%len(plans)]); errs[i] == nil && i%3 == 0 {
				_, _, errs[i] = s.Topup(ctx, w.accounts[i].id, elumenta.Topup{Tokens: 5})
			}
		})
	}
	making.Wait()
	return errors.Join(errs...)
}

func newAccount(ctx context.Context, s *store.Store, plan string) (account, error) {
	a, _, err := s.CreateAccount(ctx, elumenta.NewAccount{DisplayName: "Account", Plan: plan}, nil)
	if err != nil {
		return account{}, err
	}
	secret := elumenta.NewKeySecret()
	if _, _, err := s.CreateKey(ctx, a.ID, elumenta.NewKey{Name: "key"}, secret, nil); err != nil {
		return account{}, err
	}
	return account{a.ID, plan, secret.Reveal()}, nil
}

// setClock is the file that a node's clock is read from.
type setClock struct {
	path  string
	ahead time.Duration
}

func newClock(dir string, node int) (*setClock, error) {
	c := &setClock{path: filepath.Join(dir, fmt.Sprintf("clock-%d", node))}
	err := c.set(0)
	return c, err
}

// set replaces the file, so that no one reads half of it.
func (c *setClock) set(ahead time.Duration) error {
	c.ahead = ahead
	if err := os.WriteFile(c.path+".new", []byte(ahead.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(c.path+".new", c.path)
}

// play sets the clock for an event. A month's end comes two seconds later.
func (c *setClock) play(e event, began time.Time) error {
	if e.kind == jumpMonth {
		now := time.Now()
		return c.set(elumenta.PeriodEnd(began, now.Add(c.ahead)).Add(-2 * time.Second).Sub(now))
	}
	return c.set(c.ahead + e.jump)
}

// tail is the end of a file, for a message.
func tail(path string, n int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text[max(0, len(text)-n):]))
}
