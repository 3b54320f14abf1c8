package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// report is all that a run measured. Durations are nanoseconds in JSON, sizes bytes.
type report struct {
	Peer        string               `json:"peer,omitempty"` // what was measured in the proxy's place
	Cores       int                  `json:"cores"`
	Pinned      bool                 `json:"pinned"`
	Go          string               `json:"go"`
	Version     string               `json:"version"`
	Traces      float64              `json:"traces,omitempty"` // the share of requests that are recorded
	Load        string               `json:"load_average"`     // of the machine, before: figures of a busy one say little
	Sync        time.Duration        `json:"sync"`
	SyncP99     time.Duration        `json:"sync_p99"`
	Start       *startFigures        `json:"start,omitempty"`
	Comparisons []comparison         `json:"comparisons,omitempty"`
	Scale       []scaleRow           `json:"scale,omitempty"`
	Streams     *streamFigure        `json:"streams,omitempty"`
	History     *historyFigures      `json:"history,omitempty"`
	Marketplace *marketplaceFigures  `json:"marketplace,omitempty"`
	Pages       []pageFigures        `json:"console_pages,omitempty"`
	Interactive []interactiveFigures `json:"console_interactive,omitempty"`
	Hot         *hotRow              `json:"hot_account,omitempty"`
	Soak        *soakFigures         `json:"soak,omitempty"`
}

// comparison is one row of the table: medians over the rounds, ratios as medians of each round's own.
type comparison struct {
	Name      string  `json:"name"`
	Conns     int     `json:"connections"`
	Rounds    int     `json:"rounds"`
	Proxy     sample  `json:"proxy"`
	Elumenta  sample  `json:"elumenta"`
	Ratio     float64 `json:"ratio"`
	P99Ratio  float64 `json:"p99_ratio"`
	Target    float64 `json:"target"`
	P99Target float64 `json:"p99_target,omitempty"`
	// LoadBusy is the share of its core that the load side used while Elumenta was measured: below one, it was not the limit.
	LoadBusy float64 `json:"load_busy"`
}

func (b *bench) header() {
	where := "not pinned: server and load share the cores"
	if b.pinned {
		where = "server alone on core " + serverCore + ", load and fake provider on core " + loadCore
	}
	b.printf("elumenta %s, %s, %d cores, load average before %s, %s\n", b.report.Version, b.report.Go, b.cores, b.report.Load, where)
	if b.collector != nil {
		b.printf("with OpenTelemetry metrics, and the traces of %g of the requests\n", b.traces)
	}
	b.printf("database, configuration and log (a line a request) in %s\n", b.dir)
}

func (b *bench) row(c *comparison) {
	const line = "%-7s %3d  %-8s %7.0f/s  p50 %9s  p99 %9s  processor %6s each"
	base := "proxy"
	switch {
	case b.against != "":
		base = "against"
	case b.peer != "":
		base = b.peer
	}
	b.printf(line+"\n", c.Name, c.Conns, base, c.Proxy.Rate, round(c.Proxy.P50), round(c.Proxy.P99), round(c.Proxy.CPU))
	b.printf(line+"  ratio %.2f%s  p99 ratio %.2f%s  load core %.0f %% busy\n", c.Name, c.Conns, "elumenta", c.Elumenta.Rate,
		round(c.Elumenta.P50), round(c.Elumenta.P99), round(c.Elumenta.CPU), c.Ratio, target("", c.Target), c.P99Ratio, target("at most ", c.P99Target), 100*c.LoadBusy)
	if b.cluster != nil {
		b.printf("Postgres: %s of processor time and %d bytes of write-ahead log each\n", round(c.Elumenta.PostgresCPU), c.Elumenta.PostgresLog)
	}
}

func target(most string, figure float64) string {
	if figure == 0 {
		return ""
	}
	return fmt.Sprintf(" (target %s%.2f)", most, figure)
}

func round(d time.Duration) time.Duration {
	if d > 10*time.Millisecond {
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Microsecond)
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }

func (r *report) write(path string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o600)
}
