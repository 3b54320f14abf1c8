package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/config"
	"github.com/elumenta/elumenta/store"
)

const (
	doctorCall     = 15 * time.Second    // most that a provider's list may take
	doctorClock    = 2 * time.Second     // that clocks may differ
	doctorDisk     = 1 << 30             // bytes that should be free
	doctorDiskLow  = 64 << 20            // bytes without which nothing goes: SQLite's log may have 32 MB, the ledger's has 8
	doctorRetiring = 60 * 24 * time.Hour // how long before its end a model is mentioned
)

type doctorCommand struct {
	databaseFlags
	NoProviders bool `help:"Ask no provider."`
}

// Help says what is looked at.
func (doctorCommand) Help() string {
	return `Looks at what a server needs, and prints a line for each thing: ok, off, warning, or FAILED with what to do.

  configuration   file, environment and certificate are read as serve reads them; a mistake ends it with 2
  database        can be opened; on Postgres its clock is near this machine's; on SQLite there is room on the disk
  providers       each that is switched on is asked for its list of models, which costs nothing; models of the catalog that a
                  provider does not list are named
  models          that retire soon or have retired, and those without a provider, where assistants use them

It ends with 1 if something failed; warnings alone end with 0.`
}

// Run looks at everything, and fails if something has.
func (c *doctorCommand) Run(p *program) error {
	would, err := p.wouldServe(c.Config, c.Database)
	if err != nil {
		return err
	}
	conf := would.Config
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	d := &doctor{out: p.stdout, now: time.Now()}
	d.ok("configuration", "read")
	used := d.database(ctx, conf)
	routes := newRoutes(conf, slog.New(slog.DiscardHandler), nil, false)
	defer routes.close()
	if !c.NoProviders {
		d.providers(ctx, routes)
	}
	d.models(routes.models, used)
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted")
	case d.failed > 0:
		return fmt.Errorf("%s failed", plural(d.failed, "check"))
	}
	return nil
}

// doctor prints findings.
type doctor struct {
	out    io.Writer
	now    time.Time
	failed int
}

func (d *doctor) say(grade, what, format string, args ...any) {
	_, _ = fmt.Fprintf(d.out, "%-8s %-28s %s\n", grade, printable(what), printable(fmt.Sprintf(format, args...)))
}

func (d *doctor) ok(what, format string, args ...any)      { d.say("ok", what, format, args...) }
func (d *doctor) warning(what, format string, args ...any) { d.say("warning", what, format, args...) }

func (d *doctor) fail(what, format string, args ...any) {
	d.failed++
	d.say("FAILED", what, format, args...)
}

// database looks at the database and returns how many assistants use each model; nil if it is not known.
func (d *doctor) database(ctx context.Context, conf *config.Config) map[string]int64 {
	path, isFile := strings.CutPrefix(conf.Database, "sqlite:")
	if isFile {
		d.disk(path)
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			d.warning("database", "%s does not exist yet: the first elumenta serve makes it", path)
			return nil
		}
	}
	s, err := store.Open(ctx, store.Options{URL: conf.Database, Plans: conf.Plans})
	if err != nil {
		d.fail("database", "cannot be opened: %v", err)
		return nil
	}
	defer func() {
		if err := s.Close(); err != nil {
			d.fail("database", "cannot be closed: %v", err)
		}
	}()
	used, err := s.AssistantsByModel(ctx)
	if err != nil {
		d.fail("database", "cannot be read: %v", plain(err))
		return nil
	}
	d.ok("database", "can be opened and read")
	if isFile {
		return used
	}
	ahead, err := s.ClockDifference(ctx)
	switch {
	case err != nil:
		d.fail("clock", "%v", plain(err))
	case ahead.Abs() > doctorClock:
		d.warning("clock", "differs from the database's by %s: set up time synchronisation; months, expiry and limits go by the database's", ahead.Abs().Round(time.Millisecond))
	default:
		d.ok("clock", "within %s of the database's", max(ahead.Abs().Round(time.Millisecond), time.Millisecond))
	}
	return used
}

func (d *doctor) disk(path string) {
	free, err := diskFree(filepath.Dir(path))
	switch {
	case errors.Is(err, os.ErrNotExist):
		d.fail("disk", "the directory %s does not exist: make it first", filepath.Dir(path))
	case err != nil:
		d.warning("disk", "how much is free is not known: %v", err)
	default:
		d.room(free, path)
	}
}

func (d *doctor) room(free uint64, path string) {
	switch {
	case free < doctorDiskLow:
		d.fail("disk", "%s free beside %s: a server needs %s for its logs alone; make room", humanize.IBytes(free), path, humanize.IBytes(doctorDiskLow))
	case free < doctorDisk:
		d.warning("disk", "%s free beside %s: a full disk stops the server from taking generations", humanize.IBytes(free), path)
	default:
		d.ok("disk", "%s free", humanize.IBytes(free))
	}
}

// providers asks each provider that is switched on for its models.
func (d *doctor) providers(ctx context.Context, r *routes) {
	for _, setup := range r.providers {
		what := "provider " + setup.Name
		if !setup.Configured {
			d.say("off", what, "set %s to switch it on", setup.Variable)
			continue
		}
		var own []served
		for i := range r.models {
			for _, route := range r.models[i].Routes {
				if route.Target.Name == setup.Name {
					own = append(own, served{r.models[i].Slug, route})
				}
			}
		}
		if len(own) == 0 {
			d.warning(what, "no model uses it: add one to the configuration file")
			continue
		}
		lister, ok := own[0].route.Provider.(elumenta.ModelLister)
		if !ok {
			d.ok(what, "answers without a network")
			continue
		}
		d.provider(ctx, what, lister, own)
	}
}

// served is a model that a provider serves.
type served struct {
	model string
	route elumenta.Route
}

// provider asks with each of the provider's keys.
func (d *doctor) provider(ctx context.Context, what string, lister elumenta.ModelLister, own []served) {
	var ids []string
	target, keys := own[0].route.Target, own[0].route.Credentials
	if len(keys) == 0 {
		keys = []elumenta.Secret{target.Credential}
	}
	for i, key := range keys {
		name := what
		if len(keys) > 1 {
			name = fmt.Sprintf("%s, key %d", what, i+1)
		}
		target.Credential = key
		if listed, ok := d.list(ctx, name, lister, target); ok {
			ids = listed
		}
	}
	if ids == nil {
		return
	}
	for _, m := range own {
		// An alias may be listed with the date of the version that it stands for alone.
		upstream := m.route.Target.Model
		if !slices.ContainsFunc(ids, func(id string) bool { return id == upstream || strings.HasPrefix(id, upstream+"-") }) {
			d.warning("model "+m.model, "%s does not list %s now", m.route.Target.Name, upstream)
		}
	}
}

func (d *doctor) list(ctx context.Context, what string, lister elumenta.ModelLister, target elumenta.Target) ([]string, bool) {
	ctx, cancel := context.WithTimeout(ctx, doctorCall)
	defer cancel()
	begin := time.Now()
	ids, err := lister.ListModels(ctx, target)
	if err != nil {
		d.fail(what, "%s", advice(err))
		return nil, false
	}
	d.ok(what, "answers after %s, lists %s", time.Since(begin).Round(time.Millisecond), plural(len(ids), "model"))
	return ids, true
}

// advice is a provider's failure with what to do. A provider's own text is not repeated.
func advice(err error) string {
	e, ok := errors.AsType[*elumenta.ProviderError](err)
	if !ok {
		return err.Error()
	}
	text := e.Message
	if e.Status != 0 {
		text += fmt.Sprintf(" (status %d)", e.Status)
	}
	switch e.Kind {
	case elumenta.KindAuth:
		text += ": check its key, and that the account behind it is paid"
	case elumenta.KindUnreachable, elumenta.KindTimeout:
		text += ": check its base URL, the network and proxies"
	case elumenta.KindMalformed:
		text += ": check its base URL; something else answers there"
	}
	return text
}

// models names what assistants use and may soon not have.
func (d *doctor) models(models []elumenta.Model, used map[string]int64) {
	known := map[string]bool{}
	for i := range models {
		m := &models[i]
		known[m.Slug] = true
		n := used[m.Slug]
		by := plural(int(n), "assistant")
		switch {
		case !m.RetiresAt.IsZero() && !m.RetiresAt.After(d.now) && (n > 0 || m.Available()):
			d.warning("model "+m.Slug, "retired on %s; used by %s", m.RetiresAt.Format(time.DateOnly), by)
		case !m.RetiresAt.IsZero() && m.RetiresAt.Sub(d.now) < doctorRetiring && (n > 0 || m.Available()):
			d.warning("model "+m.Slug, "retires on %s; used by %s", m.RetiresAt.Format(time.DateOnly), by)
		case n > 0 && !m.Available():
			d.warning("model "+m.Slug, "no provider is configured for it; used by %s", by)
		}
	}
	for _, slug := range slices.Sorted(maps.Keys(used)) {
		if !known[slug] {
			d.warning("model "+slug, "is not in the catalog; used by %s", plural(int(used[slug]), "assistant"))
		}
	}
}
