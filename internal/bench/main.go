// Command bench measures what Elumenta costs beside the least that stands between a client and a model: the standard
// library's reverse proxy. One core has the server, the other one the load and a model host that answers at once, so that
// what is compared is processor time. It opens no connection but on the loopback. docs/benchmarks.md has the figures.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/elumenta/elumenta/internal/postgres"
)

// runLimit ends a run that hangs.
const runLimit = 30 * time.Minute

type options struct {
	binary    string
	against   string
	peer      string
	dir       string
	json      string
	smoke     bool
	only      string
	rounds    int
	duration  time.Duration
	many      int
	open      int
	past      int
	published int
	hot       bool
	console   bool
	postgres  bool
	pinned    bool
	cores     int
	traces    float64
	soakFor   time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 3 && args[0] == "proxy" {
		return serveProxy(ctx, args[1], args[2])
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.pinned, o.cores, err = pin(); err != nil {
		return fmt.Errorf("pin to a core: %w", err)
	}
	limit := runLimit
	if o.published > 0 {
		limit = marketplaceRunTime
	}
	limit = max(limit, o.soakFor+10*time.Minute)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return o.run(ctx, out)
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.binary, "elumenta", "bin/elumenta", "the program to measure")
	flags.StringVar(&o.against, "against", "", "another build of the program, to be measured in the proxy's place: short rounds in turn (--duration 300ms --rounds 50) show what a change does on a machine whose speed drifts")
	flags.StringVar(&o.peer, "peer", "", "another gateway, to be measured in the proxy's place: portkey (needs Node.js and, once, npm's registry)")
	flags.StringVar(&o.dir, "dir", ".", "directory on the file system to measure; a folder of its own is made in it and removed")
	flags.StringVar(&o.json, "json", "", "also write the figures to this `file`")
	flags.BoolVar(&o.smoke, "smoke", false, "a few seconds that show that everything runs; its figures say nothing")
	flags.StringVar(&o.only, "only", "", "one comparison alone: whole/64, whole/16, stream/64 or stream/16")
	flags.IntVar(&o.rounds, "rounds", 5, "rounds of each measurement, proxy and Elumenta in turn")
	flags.DurationVar(&o.duration, "duration", 1500*time.Millisecond, "length of one measurement")
	flags.IntVar(&o.past, "history", 0, "instead: cost with this many generations in a SQLite database, a tenth as many assistants and a hundredth as many accounts, compared with none (10000000)")
	flags.BoolVar(&o.hot, "hot", false, "instead: one account called from 64 connections, compared with 64 accounts")
	flags.BoolVar(&o.postgres, "postgres", false, "keep everything in a private Postgres, whose processes share the load's core, instead of SQLite")
	flags.Float64Var(&o.traces, "traces", 0, "export metrics, and the traces of this share of the requests (0.01), to a collector in the load's process")
	flags.IntVar(&o.published, "marketplace", 0, "instead: lists and searches with this many published assistants (1000000), and the console's pages compared with 10,000")
	flags.BoolVar(&o.console, "console", false, "instead: how soon the console's first pages can be used in Chromium, slowed down four times")
	flags.DurationVar(&o.soakFor, "soak", 0, "instead: load of seven tenths for so long, with a failing route and clients that hang up, and what it leaves behind (30m)")
	flags.IntVar(&o.many, "scale", 0, "instead: cost with this many assistants, compared with 100 (100000)")
	flags.IntVar(&o.open, "streams", 0, "instead: memory of this many open slow streams (5000)")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.peer != "" {
		if _, err := peerOf(o.peer); err != nil {
			return o, err
		}
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("what is %q? Flags only", flags.Arg(0))
	case !(o.traces >= 0 && o.traces <= 1) || o.traces > 0 && o.published > 0:
		return o, errors.New("traces of a share from 0 to 1, and not beside --marketplace")
	case o.peer != "" && (o.against != "" || o.hot || o.past > 0 || o.published > 0 || o.console || o.soakFor > 0 || o.many > 0 || o.open > 0):
		return o, errors.New("another gateway is compared by itself")
	case o.rounds < 1 || o.rounds > 100 || o.duration < 50*time.Millisecond || o.duration > time.Minute:
		return o, errors.New("1 to 100 rounds of 50 ms to 1 minute")
	case o.past < 0 || o.past > 100_000_000 || o.past > 0 && (o.past < 10_000 || o.postgres):
		return o, errors.New("a history of 10,000 to 100,000,000 generations, on SQLite")
	case o.published < 0 || o.published > 10_000_000 || o.published > 0 && o.published < 1000:
		return o, errors.New("1,000 to 10,000,000 published assistants")
	case o.soakFor < 0 || o.soakFor > 24*time.Hour || o.soakFor > 0 && (o.soakFor < 10*time.Second || o.postgres):
		return o, errors.New("a soak of 10 seconds to 24 hours, on SQLite")
	case o.many < 0 || o.many > 1_000_000 || o.open < 0 || o.open > 20_000:
		return o, errors.New("at most 1,000,000 assistants and 20,000 streams")
	}
	if o.smoke {
		o.rounds, o.duration = 1, 200*time.Millisecond
	}
	return o, nil
}

func (o options) run(ctx context.Context, out io.Writer) (err error) {
	if o.dir, err = os.MkdirTemp(o.dir, ".bench-"); err != nil {
		return err
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	b := &bench{options: o, out: out}
	if b.provider, err = startProvider(ctx); err != nil {
		return err
	}
	defer b.provider.close()
	if o.traces > 0 {
		if b.collector, err = startCollector(ctx, o.traces); err != nil {
			return fmt.Errorf("start a collector: %w", err)
		}
		defer func() { err = errors.Join(err, b.collector.close()) }()
	}
	if o.postgres {
		settings := []string{"max_connections=100"}
		if o.published > 0 {
			settings = append(settings, marketplaceBuffers)
		}
		if b.cluster, err = postgres.Start(0, settings...); err != nil {
			return fmt.Errorf("start Postgres: %w", err)
		}
		defer func() { err = errors.Join(err, b.cluster.Remove()) }()
	}
	version, err := exec.CommandContext(ctx, o.binary, "version").Output()
	if err != nil {
		return fmt.Errorf("%s version: %w", o.binary, err)
	}
	b.report = report{
		Peer: o.peer, Cores: o.cores, Pinned: o.pinned, Traces: o.traces, Load: machineLoad(), Go: runtime.Version(), Version: strings.TrimSpace(string(version)),
	}
	b.header()
	if err := b.parts(ctx); err != nil {
		return err
	}
	if b.collector != nil {
		n := b.collector.bytes.Load()
		if n == 0 {
			return errors.New("nothing was exported to the collector")
		}
		b.printf("exported to the collector: %.2f MiB\n", mib(n))
	}
	if o.json == "" {
		return nil
	}
	return b.report.write(o.json)
}

// parts runs what the flags ask for.
func (b *bench) parts(ctx context.Context) error {
	if b.smoke {
		b.many, b.open = 200, 50
		b.published = min(b.published, 20_000)
	}
	if b.past > 0 {
		return b.history(ctx)
	}
	if b.published > 0 {
		return b.marketplace(ctx)
	}
	if b.console {
		return b.interactive(ctx)
	}
	if b.soakFor > 0 {
		return b.soak(ctx)
	}
	if b.smoke || b.many == 0 && b.open == 0 {
		if b.only == "" && !b.hot {
			if err := b.start(ctx); err != nil {
				return fmt.Errorf("start: %w", err)
			}
		}
		if err := b.besideProxy(ctx); err != nil {
			return err
		}
	}
	if b.many > 0 {
		if err := b.scale(ctx); err != nil {
			return fmt.Errorf("scale: %w", err)
		}
	}
	if b.open > 0 {
		if err := b.streams(ctx); err != nil {
			return fmt.Errorf("streams: %w", err)
		}
	}
	return nil
}

// besideProxy starts both servers and compares them. The proxy's requests are what Elumenta sends to the provider.
func (b *bench) besideProxy(ctx context.Context) (err error) {
	in, ours, direct, err := b.prepare(ctx, "compare", b.binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ours.stop()) }()
	if b.hot {
		return b.hotAccount(ctx, in, ours)
	}
	base := direct
	switch {
	case b.against != "":
		_, base, _, err = b.prepare(ctx, "against", b.against)
	case b.peer != "":
		err = b.startPeer(ctx, base)
	default:
		base.process, err = b.startProxy(ctx, base.whole[0])
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, base.stop()) }()
	return b.compare(ctx, base, ours)
}

// prepare starts a program with an assistant and makes the requests for it, and those that the program sends for each, which
// go to the provider directly.
func (b *bench) prepare(ctx context.Context, name, binary string) (in *installation, ours, direct *measured, err error) {
	if in, err = b.install(ctx, name); err != nil {
		return nil, nil, nil, err
	}
	in.binary = binary
	server, err := in.serve(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, server.stop())
		}
	}()
	key, err := in.account(ctx, payingPlan)
	if err != nil {
		return nil, nil, nil, err
	}
	assistant, err := createAssistant(ctx, server.addr, key)
	if err != nil {
		return nil, nil, nil, err
	}
	ours, direct = &measured{process: server.process}, &measured{}
	for _, stream := range []bool{false, true} {
		req := generate(key, generateBody(assistant, stream))
		body, err := b.provider.received(func() error {
			_, err := once(ctx, server.addr, req)
			return err
		})
		if err != nil {
			return nil, nil, nil, fmt.Errorf("one generation: %w", err)
		}
		sent := request("POST", "/v1/chat/completions", "sk-bench", body)
		if stream {
			ours.stream, direct.stream = [][]byte{req}, [][]byte{sent}
		} else {
			ours.whole, direct.whole = [][]byte{req}, [][]byte{sent}
		}
		b.printf("stream %t: the client sends %d bytes, the provider receives %d\n", stream, len(req), len(body))
	}
	return in, ours, direct, nil
}

func (b *bench) startProxy(ctx context.Context, req []byte) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	addr, err := freeAddr(ctx)
	if err != nil {
		return nil, err
	}
	p, err := spawn(ctx, b.pinned, filepath.Join(b.dir, "proxy.log"), addr, nil, self, "proxy", addr, b.provider.addr())
	if err != nil {
		return nil, err
	}
	if err := p.answered(ctx, req); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}
