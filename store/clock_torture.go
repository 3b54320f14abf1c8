//go:build torture

package store

import (
	"os"
	"time"
)

// leaseSecond is shorter where internal/torture builds the program, so that a run sees many leases end.
const leaseSecond = 100 * time.Millisecond

// clock is ahead of the system's by the duration in the file that ELUMENTA_TORTURE_CLOCK names, which internal/torture
// changes while the program runs.
func clock() func() time.Time {
	path := os.Getenv("ELUMENTA_TORTURE_CLOCK")
	if path == "" {
		return time.Now
	}
	return func() time.Time {
		text, err := os.ReadFile(path)
		if err != nil {
			panic(err)
		}
		ahead, err := time.ParseDuration(string(text))
		if err != nil {
			panic(err)
		}
		return time.Now().Add(ahead)
	}
}
