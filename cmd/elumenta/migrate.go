package main

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/elumenta/elumenta/config"
	"github.com/elumenta/elumenta/store"
)

type migrateCommand struct {
	Config string `help:"Configuration file, TOML or YAML: the plans are its." placeholder:"FILE" env:"ELUMENTA_CONFIG"`
	From   string `required:"" help:"The database to move: sqlite:PATH or postgres://…" placeholder:"URL" env:"ELUMENTA_MIGRATE_FROM"`
	To     string `required:"" help:"An empty database to move it into." placeholder:"URL" env:"ELUMENTA_MIGRATE_TO"`
	Yes    bool   `short:"y" help:"Do not ask."`
}

// Help shows examples.
func (migrateCommand) Help() string {
	return `Examples:
  elumenta migrate --from sqlite:/var/lib/elumenta/elumenta.db --to postgres://elumenta@db/elumenta
  elumenta migrate --from postgres://elumenta@db/elumenta --to sqlite:elumenta.db --yes

Moves everything from one database to another: accounts with their balances, keys, assistants, the journal, usage, the audit
trail and the installation's secret. Keys and ids stay what they are. Stop the servers first: nothing can be written to the
source meanwhile. The source is left as it is, but that reservations nobody settled are given back.

It may be interrupted at any moment, or killed: run again, it goes on where it was. Until all rows are there, have been read
back and are the same on both sides, no server starts on the target.

The URLs may hold a password: ELUMENTA_MIGRATE_FROM and ELUMENTA_MIGRATE_TO keep it off the command line.
Exits with 1 also if all was moved but the ledger has differences, which it then had before.`
}

// Run moves.
func (c *migrateCommand) Run(p *program) error {
	conf, err := config.Load(c.Config, config.Overrides{}, p.getenv)
	if err != nil {
		return err
	}
	if err := thereIs(c.From); err != nil {
		return err
	}
	if !c.Yes {
		if err := p.confirm("Stop all servers first. Move everything now? [y/N] "); err != nil {
			return err
		}
	}
	ctx, stop := interruptible()
	defer stop()
	progress := moveProgress{line: p.progress()}
	start := time.Now()
	report, err := store.Transfer{From: c.From, To: c.To, Plans: conf.Plans, Progress: progress.show}.Run(ctx)
	progress.line.clear()
	if err != nil {
		return undone(ctx, err, "run the same command again, and it goes on")
	}
	return p.printMoved(report, time.Since(start))
}

// moveProgress tells a terminal how far a move is.
type moveProgress struct {
	line  *progressLine
	table string
	since time.Time
}

func (m *moveProgress) show(t store.TransferProgress) {
	if t.Phase == store.Verifying {
		m.line.say("verifying the ledger: %d of %d entries (%d%%)", t.Rows, t.AllRows, percent(t.Rows, t.AllRows))
		return
	}
	if key := string(t.Phase) + t.Table; key != m.table {
		m.table, m.since = key, time.Now()
	}
	rate := float64(t.Rows-t.Earlier) / max(time.Since(m.since).Seconds(), 0.001)
	m.line.say("%s table %d of %d, %s: %d of %d rows (%d%%), %.0f rows/s", t.Phase, t.Number, t.Tables, t.Table, t.Rows, t.AllRows, percent(t.Rows, t.AllRows), rate)
}

func percent(done, of int64) int64 { return min(100, done*100/max(1, of)) }

func (p *program) printMoved(r *store.TransferReport, took time.Duration) error {
	var rows int64
	err := p.table(func(w *tabwriter.Writer) {
		_, _ = fmt.Fprintln(w, "TABLE\tROWS\tSHA-256, THE SAME ON BOTH SIDES")
		for _, t := range r.Tables {
			rows += t.Rows
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", t.Name, strconv.FormatInt(t.Rows, 10), hex.EncodeToString(t.SHA256[:]))
		}
	})
	if err != nil {
		return err
	}
	resumed := ""
	if r.Resumed {
		resumed = ", begun by an earlier run"
	}
	_, _ = fmt.Fprintf(p.stdout, "moved %d rows from %s to %s in %v%s\nledger of the source:\n", rows, r.From, r.To, took.Round(time.Millisecond), resumed)
	source := printVerified(p.stdout, r.Source, 0)
	_, _ = fmt.Fprintln(p.stdout, "ledger of the target:")
	if err := printVerified(p.stdout, r.Target, 0); err != nil {
		return err
	}
	if source == nil {
		_, _ = fmt.Fprintln(p.stdout, "From now on serve the target alone: what is done on the source does not reach it.")
	}
	return source
}
