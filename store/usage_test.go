package store

import (
	"testing"
	"time"

	"github.com/elumenta/elumenta"
)

func TestPercentile(t *testing.T) {
	for _, c := range []struct {
		n, percent int
		want       time.Duration
	}{{0, 50, 0}, {1, 50, 1}, {1, 95, 1}, {2, 50, 1}, {2, 95, 2}, {19, 95, 19}, {20, 95, 19}, {100, 50, 50}, {100, 95, 95}, {101, 95, 96}} {
		var all tally
		for i := range c.n {
			all.add(&generation{latency: int64(c.n - i)})
		}
		all.finish()
		if got := all.percentile(c.percent); got != c.want*time.Microsecond {
			t.Errorf("%d of %d: %v, want %v", c.percent, c.n, got, c.want)
		}
	}
}

func TestIDTime(t *testing.T) {
	for _, at := range []time.Time{time.UnixMilli(0), time.UnixMilli(1), time.Now().Truncate(time.Millisecond), time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC)} {
		if got := idTime(string(elumenta.FirstGenerationID(at))); !got.Equal(at) {
			t.Errorf("%v, want %v", got, at)
		}
	}
	if got := time.Since(idTime(string(elumenta.NewGenerationID()))); got < 0 || got > time.Minute {
		t.Errorf("a new id was made %v ago", got)
	}
	for _, id := range []string{"", "gen", "gen_", "gen_x"} {
		idTime(id) // must not panic
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "Élan": "elan", "STRASSE": "strasse", "Straße": "strasse", "ﬁ": "fi", "İ": "i", "ΣΊΣΥΦΟΣ": "σισυφοσ", "日本": "日本", "Ａ１": "a1",
	} {
		if got := fold(in); got != want {
			t.Errorf("%q folds to %q, want %q", in, got, want)
		}
	}
}
