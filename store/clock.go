//go:build !torture

package store

import "time"

// leaseSecond is the unit of the lease times.
const leaseSecond = time.Second

// clock is the one that Options.Now means where it is nil.
func clock() func() time.Time { return time.Now }
