// Command torture shows that no account is ever charged wrongly. It builds the real program, fills a database with accounts
// that have few tokens, and lets many clients call at once while nodes are killed, Postgres is restarted and cut off,
// clocks are set, keys revoked, assistants edited and the provider fails in every way; then it compares the database
// with what clients and provider saw. It opens no connection but on this machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const usage = `Usage: make torture [TORTURE="FLAGS"], or bin/torture FLAGS in the root of the source

It builds the program as it is, but for two things that the build tag torture changes (store/clock_torture.go): the nodes
read their clocks from files, which are set by hours and to the ends of months while they run, and their leases on Postgres
last a tenth of the time.

A seed decides what every caller asks for, what the provider does with each call, and when what is killed, cut off or
set. The same seed and flags repeat that; the digest of the plan shows it. What meets what is up to the machine.

The report lists each call that the provider finished and that nobody paid for, with the kill or outage that it was in
flight at, and each violation with its ids. Exit codes: 0 no violation, 1 violations, or it could not run.

Flags:
`

type options struct {
	duration time.Duration
	accounts int
	nodes    int
	engines  []string
	seed     uint64
	keep     bool
	mutants  bool
	check    bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := start(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "torture:", err)
		os.Exit(1)
	}
}

func start(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args, out)
	if err != nil {
		return err
	}
	if _, err := os.Stat("cmd/elumenta/main.go"); err != nil {
		return errors.New("run it in the root of the source: it builds the program from there")
	}
	dir, err := os.MkdirTemp("", "elumenta-torture-")
	if err != nil {
		return err
	}
	if o.mutants {
		err = o.tryMutants(ctx, dir, out)
	} else {
		err = o.torture(ctx, dir, out)
	}
	if o.keep || errors.Is(err, errViolations) && !o.mutants {
		_, _ = fmt.Fprintf(out, "SQLite's database, configurations and logs are in %s\n", dir)
		return err
	}
	return errors.Join(err, os.RemoveAll(dir))
}

func parse(args []string, out io.Writer) (options, error) {
	var o options
	var engine string
	flags := flag.NewFlagSet("torture", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Usage = func() {
		_, _ = io.WriteString(out, usage)
		flags.PrintDefaults()
	}
	flags.DurationVar(&o.duration, "duration", time.Minute, "of the load, on each engine")
	flags.IntVar(&o.accounts, "accounts", 1000, "how many accounts call")
	flags.IntVar(&o.nodes, "nodes", 3, "how many nodes share Postgres; SQLite has one")
	flags.StringVar(&engine, "engine", "both", "sqlite, postgres or both, one after the other")
	flags.Uint64Var(&o.seed, "seed", 0, "repeat this run; 0 draws a new one")
	flags.BoolVar(&o.keep, "keep", false, "keep SQLite's database, configurations and logs; they are always kept after a violation")
	flags.BoolVar(&o.mutants, "mutants", false, "break the code on purpose, one place at a time, and see which check finds it, and when")
	flags.BoolVar(&o.check, "check", false, "with -mutants: only see whether the places to break are still there")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch engine {
	case "both":
		o.engines = []string{engineSQLite, enginePostgres}
	case engineSQLite, enginePostgres:
		o.engines = []string{engine}
	default:
		return o, fmt.Errorf("-engine: sqlite, postgres or both, not %q", engine)
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("what is %q? Flags only", flags.Arg(0))
	case o.duration < time.Second || o.duration > 24*time.Hour:
		return o, errors.New("-duration: 1 second to 24 hours")
	case o.accounts < hotAccounts || o.accounts > 100_000 || o.nodes < 1 || o.nodes > 16:
		return o, fmt.Errorf("-accounts: %d to 100,000; -nodes: 1 to 16", hotAccounts)
	case o.check && !o.mutants:
		return o, errors.New("-check goes with -mutants")
	}
	if o.seed == 0 {
		o.seed = rand.Uint64N(1_000_000_000) + 1
	}
	return o, nil
}

var errViolations = errors.New("there are violations")

// torture runs the program as it is, engine by engine.
func (o *options) torture(ctx context.Context, dir string, out io.Writer) error {
	began := time.Now()
	binary, err := build(ctx, dir, "")
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "built the program in %.0fs\n", time.Since(began).Seconds())
	failed := false
	for _, engine := range o.engines {
		r := o.run(engine, filepath.Join(dir, engine), binary, out)
		found, err := r.torture(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
		_, _ = fmt.Fprintf(out, "%s: %s; nothing was open %s after the load\n", engine, r.figures(), r.rested.Round(100*time.Millisecond))
		found.write(out)
		failed = failed || found.failed()
	}
	if failed {
		return fmt.Errorf("%w; -seed %d repeats the plan", errViolations, o.seed)
	}
	return nil
}

func (o *options) run(engine, dir, binary string, out io.Writer) *run {
	p := &plan{seed: o.seed, engine: engine, accounts: o.accounts, nodes: o.nodes, duration: o.duration}
	if engine == engineSQLite {
		p.nodes = 1
	}
	return &run{plan: p, out: out, dir: dir, binary: binary}
}

// build builds the program, with the files of an overlay instead of their own if there is one.
func build(ctx context.Context, dir, overlay string) (binary string, err error) {
	binary = filepath.Join(dir, "elumenta")
	args := []string{"build", "-tags", "torture", "-o", binary}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/elumenta")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return binary, nil
}
