package generate

import (
	"sync/atomic"
	"time"

	"github.com/elumenta/elumenta"
)

// health counts a provider's calls: a few additions each, no lock, no allocation.
type health struct {
	attempts, successes atomic.Int64
	failures            [elumenta.KindFailed + 1]atomic.Int64
	lastSuccess         atomic.Int64 // Unix microseconds
	lastFailure         atomic.Int64 // Unix microseconds, then the kind in the last kindBits, so that both are read as one
}

const kindBits = 4

// newHealth makes the counters of all providers that a catalog's models have a route to.
func newHealth(c *elumenta.Catalog) map[string]*health {
	all := map[string]*health{}
	if c == nil {
		return all
	}
	for _, m := range c.Models() {
		for i := range m.Routes {
			if name := m.Routes[i].Target.Name; all[name] == nil {
				all[name] = new(health)
			}
		}
	}
	return all
}

func (h *health) succeeded(at time.Time) {
	h.attempts.Add(1)
	h.successes.Add(1)
	h.lastSuccess.Store(at.UnixMicro())
}

func (h *health) failed(at time.Time, kind elumenta.ErrorKind) {
	h.attempts.Add(1)
	if int(kind) < len(h.failures) {
		h.failures[kind].Add(1)
	}
	h.lastFailure.Store(at.UnixMicro()<<kindBits | int64(kind))
}

// left counts a call that ended for a reason of the client's, or of ours.
func (h *health) left() { h.attempts.Add(1) }

// Health is what this process has seen of a provider since New.
func (s *Service) Health(provider string) elumenta.ProviderHealth {
	out := elumenta.ProviderHealth{Failures: map[elumenta.ErrorKind]int64{}}
	routing := s.current.Load().routing
	h := routing.health[provider]
	if h == nil {
		return out
	}
	routing.state(provider, &out, time.Now())
	out.Attempts, out.Successes = h.attempts.Load(), h.successes.Load()
	for kind := range h.failures {
		if n := h.failures[kind].Load(); n > 0 {
			out.Failures[elumenta.ErrorKind(kind)] = n
		}
	}
	if at := h.lastSuccess.Load(); at > 0 {
		out.LastSuccess = time.UnixMicro(at).UTC()
	}
	if last := h.lastFailure.Load(); last > 0 {
		out.LastFailure, out.LastKind = time.UnixMicro(last>>kindBits).UTC(), elumenta.ErrorKind(last&(1<<kindBits-1))
	}
	return out
}

// state says which keys and routes of a provider are in use.
func (r *routing) state(provider string, out *elumenta.ProviderHealth, now time.Time) {
	for _, m := range r.catalog.Models() {
		for _, route := range r.models[m].routes {
			if route.Target.Name == provider {
				out.Routes = append(out.Routes, route.state(m.Slug, now))
			}
		}
	}
	ring := r.rings[provider]
	out.Keys = make([]time.Time, len(ring.keys))
	for i := range ring.keys {
		if until := r.clock.time(ring.keys[i].Load()); until.After(now) {
			out.Keys[i] = until
		}
	}
}

func (r *route) state(model string, now time.Time) elumenta.RouteHealth {
	h := elumenta.RouteHealth{Model: model, State: elumenta.RouteClosed}
	if r.breaker == nil {
		return h
	}
	least := r.resting[0].Load()
	for i := range r.resting {
		least = min(least, r.resting[i].Load())
	}
	switch until := r.clock.time(least); {
	case r.breaker.IsOpen():
		h.State, h.Until = elumenta.RouteOpen, now.Add(r.breaker.RemainingDelay()).UTC()
	case until.After(now):
		h.State, h.Until = elumenta.RouteResting, until
	case r.breaker.IsHalfOpen():
		h.State = elumenta.RouteTrial
	}
	return h
}
