package main

import (
	"context"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// heapFloor is how large the heap may grow before it is collected, however little of it is in use: a server with few
// megabytes in use would otherwise collect many times a second. Where memory is limited it is at most half of the limit.
const heapFloor = 128 << 20

// usualGrowth is the collector's own, in percent.
const usualGrowth = 100

// respectMemoryLimit has the collector work the harder, the closer the process comes to nine tenths of what its container or
// unit may use, so that it is not killed over garbage. Without such a limit, or where the environment sets GOMEMLIMIT, nothing
// changes. The returned function ends it.
func respectMemoryLimit(log *slog.Logger) (stop func()) {
	before := debug.SetMemoryLimit(-1)
	if _, err := memlimit.Set(); err != nil {
		log.Debug("the memory limit of the container is not known", "cause", err)
	}
	return func() { debug.SetMemoryLimit(before) }
}

// keepHeapFloor has the collector leave heaps below heapFloor alone and work as usual above. It does nothing where the
// environment sets GOGC. The returned function ends it.
func keepHeapFloor() (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	var stopped atomic.Bool
	adjustGC()
	afterEachCollection(func() bool {
		if stopped.Load() {
			return false
		}
		adjustGC()
		return true
	})
	return func() {
		stopped.Store(true)
		debug.SetGCPercent(usualGrowth)
	}
}

// adjustGC sets the growth that lets the heap reach heapFloor, and the usual one for a heap that is larger anyway.
func adjustGC() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	used := max(live[0].Value.Uint64(), 4<<20) // the collector's own least
	floor := uint64(min(heapFloor, debug.SetMemoryLimit(-1)/2))
	debug.SetGCPercent(max(usualGrowth, int(floor*100/used)-100))
}

const (
	restInterval = 5 * time.Second
	restAllocs   = 1 << 20 // a server that allocates less in an interval is at rest: probes and scrapes take some
)

// returnMemory gives memory back to the system: at once what only starting needed, and then each time the server has come
// to rest, until ctx ends.
func returnMemory(ctx context.Context) {
	debug.FreeOSMemory()
	ticker := time.NewTicker(restInterval)
	defer ticker.Stop()
	allocs := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(allocs)
	last, returned := allocs[0].Value.Uint64(), true
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		metrics.Read(allocs)
		atRest := allocs[0].Value.Uint64()-last < restAllocs
		last = allocs[0].Value.Uint64()
		if atRest && !returned {
			debug.FreeOSMemory()
		}
		returned = atRest
	}
}

// afterEachCollection calls f after every collection of garbage until it returns false.
func afterEachCollection(f func() bool) {
	type sentinel struct{ _ [16]byte }
	var collected func(*sentinel)
	collected = func(*sentinel) {
		if f() {
			runtime.SetFinalizer(&sentinel{}, collected)
		}
	}
	runtime.SetFinalizer(&sentinel{}, collected)
}
