package main

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Little's law holds for whatever is simulated: callers = rate × mean time. With a provider alone it is exact.
func TestLittle(t *testing.T) {
	m := model{Nodes: 1, Cores: 1, Lanes: 1, Provider: 10 * time.Millisecond, Callers: 50}
	o := m.run(20*time.Second, 1)
	if want := 5000.0; math.Abs(o.Rate-want) > want/50 {
		t.Errorf("%.0f a second, want %.0f", o.Rate, want)
	}
}

// What is asked at random moments is answered at the same rate, and costs what it costs.
func TestOpenLoad(t *testing.T) {
	o := model{Nodes: 1, Cores: 1, Lanes: 1, Rate: 800, Request: time.Millisecond}.run(100*time.Second, 7)
	if math.Abs(o.NodeBusy-0.8) > 0.02 || math.Abs(o.Rate-800) > 20 {
		t.Errorf("%.0f a second, want 800; busy %.3f, want 0.8", o.Rate, o.NodeBusy)
	}
	if o.P50 < time.Millisecond || o.P99 <= o.P50 {
		t.Errorf("p50 %s, p99 %s", o.P50, o.P99)
	}
}

// A core serves in order and its time is used once.
func TestServers(t *testing.T) {
	w := &world{}
	s := &servers{world: w, free: 2}
	var ends []time.Duration
	for _, cost := range []time.Duration{4, 1, 2, 1} {
		s.do(cost, func() { ends = append(ends, w.now) })
	}
	w.run(100)
	if want := []time.Duration{1, 3, 4, 4}; !equal(ends, want) || s.busy != 8 {
		t.Errorf("ended at %v, busy %d; want %v, 8", ends, s.busy, want)
	}
}

// A gate takes along all who wait, up to its limit, one group at a time.
func TestGate(t *testing.T) {
	w := &world{}
	g := &gate{limit: 3, pass: func(_ int, through func()) { w.after(10, through) }}
	var ends []time.Duration
	for range 6 {
		g.enter(func() { ends = append(ends, w.now) })
	}
	w.run(100)
	if want := []time.Duration{10, 20, 20, 20, 30, 30}; !equal(ends, want) || g.groups != 3 || g.passed != 6 {
		t.Errorf("ended at %v in %d groups, want %v", ends, g.groups, want)
	}
}

func equal(a, b []time.Duration) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// More callers do not make it slower in all, nothing is busier than it can be, and the same seed says the same.
func TestModel(t *testing.T) {
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 0))
		micros := func(most int) time.Duration { return time.Duration(100+random.IntN(most)) * time.Microsecond }
		m := model{
			Nodes: 1 + random.IntN(3), Cores: 1 + random.IntN(2), Lanes: 1 + random.IntN(4),
			Request: micros(1000), Batch: micros(1000), Operation: micros(50), Flush: micros(1000), Provider: micros(5000),
			PostgresCores: random.IntN(3), PostgresBatch: micros(500), PostgresOperation: micros(50), RoundTrip: micros(500),
			Callers: 1 + random.IntN(16),
		}
		few := m.run(500*time.Millisecond, seed)
		if few != m.run(500*time.Millisecond, seed) {
			t.Errorf("%+v: the same seed, another outcome", m)
		}
		m.Callers *= 4
		many := m.run(500*time.Millisecond, seed)
		if many.Rate < few.Rate*0.9 {
			t.Errorf("%+v: %.0f a second, with a quarter of the callers %.0f", m, many.Rate, few.Rate)
		}
		if many.NodeBusy > 1.001 || many.PostgresBusy > 1.001 || many.Group > batchLimit {
			t.Errorf("%+v: impossible: %+v", m, many)
		}
	}
}

func TestCompare(t *testing.T) {
	path := filepath.Join(t.TempDir(), "figures.json")
	figures := `{"flush":400000,"comparisons":[{"name":"whole","connections":64,"load_busy":0.5,"elumenta":{"Rate":3200,"P50":19000000,"CPU":257000}},
		{"name":"whole","connections":16,"load_busy":0.4,"elumenta":{"Rate":2000,"P50":7800000,"CPU":353000}}]}`
	if err := os.WriteFile(path, []byte(figures), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run([]string{"--figures", path}, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "64 connections") || !strings.Contains(out.String(), "16 connections") {
		t.Error(out.String())
	}
	for _, bad := range [][]string{{"--figures", path + "x"}, {"--nodes", "0"}, {"--rate", "-1"}, {"what"}} {
		if run(bad, &out) == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}
