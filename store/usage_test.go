package store

import (
	"testing"
	"time"

	"github.com/elumenta/elumenta"
)

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
