// Command simulate says how an installation of Elumenta behaves under load: requests queue for cores, wait for the commits that
// take all who wait along, and for the disk. docs/scale.md uses it for sizes that no benchmark machine has; with --figures it
// holds its predictions against what make bench has measured.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "simulate:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	var m model
	flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
	figures := flags.String("figures", "", "hold the simulation against this `file` of make bench BENCH='--json FILE' and do nothing else")
	flags.IntVar(&m.Nodes, "nodes", 1, "nodes")
	flags.IntVar(&m.Cores, "cores", 2, "cores of a node")
	flags.DurationVar(&m.Request, "request", 230*time.Microsecond, "a node's processor time for a request, without its commits")
	flags.DurationVar(&m.Batch, "batch", 300*time.Microsecond, "a node's processor time for a commit")
	flags.DurationVar(&m.Operation, "operation", 20*time.Microsecond, "a node's processor time for each reserve or settle in a commit")
	flags.DurationVar(&m.Flush, "flush", 500*time.Microsecond, "the disk's time for making a commit durable")
	flags.DurationVar(&m.Provider, "provider", 2*time.Second, "mean time of the provider")
	flags.IntVar(&m.PostgresCores, "postgres-cores", 0, "cores of the Postgres behind all nodes; 0 for SQLite")
	flags.IntVar(&m.Lanes, "lanes", 4, "commits that a node has under way at once on Postgres")
	flags.DurationVar(&m.RoundTrip, "round-trip", 300*time.Microsecond, "between a node and Postgres")
	flags.DurationVar(&m.PostgresBatch, "postgres-batch", 400*time.Microsecond, "Postgres's processor time for a commit")
	flags.DurationVar(&m.PostgresOperation, "postgres-operation", 60*time.Microsecond, "Postgres's processor time for each reserve or settle in it")
	flags.Float64Var(&m.Rate, "rate", 1000, "requests a second")
	length := flags.Duration("length", 20*time.Second, "simulated time")
	seed := flags.Uint64("seed", 1, "of the random numbers")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *figures != "" {
		return compare(out, *figures)
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("what is %q? Flags only", flags.Arg(0))
	case m.Nodes < 1 || m.Cores < 1 || m.Lanes < 1 || m.Nodes > 10_000 || m.Cores > 1_000 || m.Lanes > 100:
		return errors.New("1 to 10,000 nodes of 1 to 1,000 cores with 1 to 100 lanes")
	case m.Rate <= 0 || m.Rate*length.Seconds() > 50e6:
		return errors.New("a rate above 0, and at most 50,000,000 requests in all")
	}
	if m.PostgresCores == 0 {
		m.Lanes = 1
	}
	o := m.run(*length, *seed)
	_, err := fmt.Fprintf(out, "%.0f answers a second of %.0f asked; p50 %s, p99 %s, of which the provider %s on average\n"+
		"nodes %.0f %% busy; %.1f reserves and settles a commit", o.Rate, m.Rate, round(o.P50), round(o.P99), m.Provider, 100*o.NodeBusy, o.Group)
	if err == nil && m.PostgresCores > 0 {
		_, err = fmt.Fprintf(out, "; Postgres %.0f %% busy, %.1f commits a flush", 100*o.PostgresBusy, o.PostgresFlushGroup)
	}
	if err == nil {
		_, err = fmt.Fprintln(out)
	}
	return err
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }

// measuredRow is what is needed of a comparison of make bench.
type measuredRow struct {
	Name     string  `json:"name"`
	Conns    int     `json:"connections"`
	LoadBusy float64 `json:"load_busy"`
	Elumenta struct {
		Rate float64
		P50  time.Duration
		CPU  time.Duration
	} `json:"elumenta"`
}

// compare fits the two costs that are not measured by themselves, a request's and a commit's, to the processor time that two numbers of
// connections took, and predicts from them what depends on queueing: rates and latencies.
func compare(out io.Writer, path string) error {
	b, err := os.ReadFile(path) //nolint:gosec // the user names it
	if err != nil {
		return err
	}
	var figures struct {
		Flush       time.Duration `json:"flush"`
		Comparisons []measuredRow `json:"comparisons"`
	}
	if err := json.Unmarshal(b, &figures); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, name := range []string{"whole", "stream"} {
		var rows []measuredRow
		for _, r := range figures.Comparisons {
			if r.Name == name && r.Elumenta.Rate > 0 {
				rows = append(rows, r)
			}
		}
		if len(rows) < 2 {
			continue
		}
		m := fit(rows, figures.Flush)
		_, _ = fmt.Fprintf(out, "%s: a request costs %s, a commit %s and a flush of %s\n", name, round(m.Request), round(m.Batch), figures.Flush)
		for _, r := range rows {
			o := of(m, r).run(20*time.Second, 1)
			_, _ = fmt.Fprintf(out, "  %d connections: %.0f/s simulated, %.0f/s measured (%.2f); p50 %s simulated, %s measured (%.2f)\n",
				r.Conns, o.Rate, r.Elumenta.Rate, o.Rate/r.Elumenta.Rate, round(o.P50), round(r.Elumenta.P50), float64(o.P50)/float64(r.Elumenta.P50))
		}
	}
	return nil
}

// of is the model of a comparison: one node of one core, and load and provider on another.
func of(m model, r measuredRow) model {
	m.Nodes, m.Cores, m.Callers, m.Rate = 1, 1, r.Conns, 0
	m.Peer = time.Duration(r.LoadBusy / r.Elumenta.Rate * float64(time.Second))
	return m
}

// fit solves CPU = Request + 2 Batch / Group for two rows; Group is the simulation's own, so that it takes some rounds.
func fit(rows []measuredRow, flush time.Duration) model {
	a, b := rows[0], rows[len(rows)-1]
	m := model{Flush: flush, Request: min(a.Elumenta.CPU, b.Elumenta.CPU) / 2, Batch: 100 * time.Microsecond}
	for range 12 {
		ga, gb := of(m, a).run(5*time.Second, 1).Group, of(m, b).run(5*time.Second, 1).Group
		inverse := 2/ga - 2/gb
		if inverse > -1e-6 && inverse < 1e-6 {
			return m
		}
		batch := float64(a.Elumenta.CPU-b.Elumenta.CPU) / inverse
		m.Batch = time.Duration(min(max(batch, 0), float64(5*time.Millisecond)))
		m.Request = max(a.Elumenta.CPU-time.Duration(2*float64(m.Batch)/ga), 0)
	}
	return m
}
