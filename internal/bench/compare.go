package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/elumenta/elumenta/internal/postgres"
)

// measured is one of the two servers and how to ask it for the same work.
type measured struct {
	*process
	whole, stream [][]byte
}

// bench holds what every part of a run needs.
type bench struct {
	options
	provider  *provider
	collector *collector // nil without --traces
	report    report
	cluster   *postgres.Cluster // nil on SQLite
	out       io.Writer
}

func (b *bench) printf(format string, args ...any) { _, _ = fmt.Fprintf(b.out, format, args...) }

// compare measures both servers in turn and prints a row for each kind of answer and number of connections.
func (b *bench) compare(ctx context.Context, proxy, server *measured) error {
	cases := []struct {
		name            string
		stream          bool
		conns           int
		target, p99Most float64
	}{
		{"whole", false, 64, 0.75, 1.5},
		{"whole", false, 16, 0.5, 1.5},
		{"stream", true, 64, 0.9, 1.5},
		{"stream", true, 16, 0.7, 1.5},
	}
	if b.cluster != nil {
		cases = cases[:1]
		cases[0].target, cases[0].p99Most = 0.3, 0
	}
	var syncs []time.Duration
	for _, c := range cases {
		if b.only != "" && b.only != fmt.Sprintf("%s/%d", c.name, c.conns) {
			continue
		}
		if b.peer != "" { // the targets are those beside the proxy
			c.target, c.p99Most = 0, 0
		}
		spent, err := syncTimes(b.dir)
		if err != nil {
			return err
		}
		syncs = append(syncs, spent...)
		row := comparison{Name: c.name, Conns: c.conns, Rounds: b.rounds, Target: c.target, P99Target: c.p99Most}
		if err := b.rows(ctx, &row, c.stream, proxy, server); err != nil {
			return fmt.Errorf("%s answers, %d connections: %w", c.name, c.conns, err)
		}
		b.row(&row)
		b.report.Comparisons = append(b.report.Comparisons, row)
	}
	if len(syncs) == 0 {
		return fmt.Errorf("there is no comparison %q", b.only)
	}
	slices.Sort(syncs)
	b.report.Sync, b.report.SyncP99 = quantile(syncs, 0.5), quantile(syncs, 0.99)
	b.printf("a write of 4 KiB and its fsync in the database's directory: p50 %s  p99 %s\n", round(b.report.Sync), round(b.report.SyncP99))
	return nil
}

func (b *bench) rows(ctx context.Context, row *comparison, stream bool, proxy, server *measured) error {
	var a, e []sample
	var busy []float64
	for range b.rounds {
		base, _, err := b.round(ctx, proxy, stream, row.Conns)
		if err != nil {
			return fmt.Errorf("proxy: %w", err)
		}
		ours, load, err := b.round(ctx, server, stream, row.Conns)
		if err != nil {
			return fmt.Errorf("elumenta: %w", err)
		}
		a, e, busy = append(a, base), append(e, ours), append(busy, load)
	}
	row.Proxy, row.Elumenta, row.LoadBusy = medians(a), medians(e), median(busy)
	ratios, tails := make([]float64, len(a)), make([]float64, len(a))
	for i := range a {
		ratios[i] = e[i].Rate / a[i].Rate
		tails[i] = float64(e[i].P99) / float64(a[i].P99)
	}
	row.Ratio, row.P99Ratio = median(ratios), median(tails)
	return nil
}

// round loads one server and says how busy the load side's core was.
func (b *bench) round(ctx context.Context, m *measured, stream bool, conns int) (sample, float64, error) {
	j := job{addr: m.addr, requests: m.whole, want: []byte("twenty pieces"), conns: conns, warm: b.duration / 5, duration: b.duration}
	if stream {
		j.requests, j.want = m.stream, []byte("data: [DONE]")
	}
	begin, used := time.Now(), processorTime("self")
	pid := strconv.Itoa(m.cmd.Process.Pid)
	served := processorTime(pid)
	var before, after postgresUse
	var err error
	if b.cluster != nil {
		if before, err = useOf(ctx, b.cluster); err != nil {
			return sample{}, 0, err
		}
	}
	s, err := j.run(ctx)
	if err != nil {
		return s, 0, err
	}
	elapsed := time.Since(begin)
	answers := s.Rate * elapsed.Seconds() // warming up included, on both sides of the division
	s.CPU = time.Duration(float64(processorTime(pid)-served) / answers)
	if b.cluster != nil {
		if after, err = useOf(ctx, b.cluster); err != nil {
			return s, 0, err
		}
		s.PostgresCPU = time.Duration(float64(after.cpu-before.cpu) / answers)
		s.PostgresLog = int64(float64(after.log-before.log) / answers)
	}
	return s, float64(processorTime("self")-used) / float64(elapsed), nil
}

func medians(samples []sample) sample {
	var rates []float64
	var p50, p99, cpu, postgres []time.Duration
	var log []int64
	for _, s := range samples {
		rates, p50, p99, cpu = append(rates, s.Rate), append(p50, s.P50), append(p99, s.P99), append(cpu, s.CPU)
		postgres, log = append(postgres, s.PostgresCPU), append(log, s.PostgresLog)
	}
	return sample{Rate: median(rates), P50: median(p50), P99: median(p99), CPU: median(cpu), PostgresCPU: median(postgres), PostgresLog: median(log)}
}

// syncTimes measures what makes a write durable: 4 KiB appended to a file, and fsync. 500 of them have a p99.
func syncTimes(dir string) ([]time.Duration, error) {
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return nil, err
	}
	defer func() {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}()
	page := make([]byte, 4<<10)
	spent := make([]time.Duration, 500)
	for i := range spent {
		begin := time.Now()
		if _, err := f.Write(page); err != nil {
			return nil, err
		}
		if err := f.Sync(); err != nil {
			return nil, err
		}
		spent[i] = time.Since(begin)
	}
	return spent, nil
}
