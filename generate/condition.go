package generate

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"github.com/elumenta/elumenta"
)

// condition is how a route has been doing. A reload hands it on, so that calls of before it still count.
type condition struct {
	breaker   circuitbreaker.CircuitBreaker[any] // nil for an unguarded route
	trials    trials
	score     atomic.Uint64 // bits of a float64: share of calls that succeeded lately
	recovered atomic.Int64  // when the breaker last closed, by clock; zero: never opened
}

func newCondition(c clock, unguarded bool) *condition {
	out := new(condition)
	out.score.Store(math.Float64bits(1))
	if !unguarded {
		out.breaker = circuitbreaker.NewBuilder[any]().
			WithFailureRateThreshold(breakerRate, breakerCalls, breakerWindow).
			WithSuccessThresholdRatio(breakerGood, breakerTrials).
			WithDelay(breakerDelay).WithJitterFactor(0.2).
			OnHalfOpen(func(circuitbreaker.StateChangedEvent) { out.trials.restart() }).
			OnClose(func(circuitbreaker.StateChangedEvent) {
				out.score.Store(math.Float64bits(1))
				out.recovered.Store(c.at(time.Now()))
			}).Build()
	}
	return out
}

// take goes on with the condition of the first of a model's earlier routes that is the same place, if all keys are known there, and
// takes that one off the list. A key that is known rests for as long as it did, whatever became of the others.
func (r *route) take(earlier []*route) {
	r.resting = make([]*atomic.Int64, len(r.targets))
	known := 0
	if at := slices.IndexFunc(earlier, r.samePlace); at >= 0 {
		old := earlier[at]
		earlier[at] = nil
		for i := range r.targets {
			if k := slices.IndexFunc(old.targets, func(t elumenta.Target) bool { return t.Credential == r.targets[i].Credential }); k >= 0 {
				r.resting[i] = old.resting[k]
				known++
			}
		}
		if known == len(r.targets) && r.Unguarded == old.Unguarded {
			r.condition = old.condition
		}
	}
	for i := range r.resting {
		if r.resting[i] == nil {
			r.resting[i] = new(atomic.Int64)
		}
	}
	if r.condition == nil {
		r.condition = newCondition(r.clock, r.Unguarded)
	}
}

func (r *route) samePlace(other *route) bool {
	if other == nil {
		return false
	}
	a, b := &r.Target, &other.Target
	return a.Name == b.Name && a.BaseURL == b.BaseURL && a.Model == b.Model && r.Format == other.Format
}

// trials are the calls that are let through a half-open breaker. The library's own permits are given back by a verdict alone, and a
// call that its client leaves has none; nor has one that began before the breaker opened.
type trials struct {
	mu      sync.Mutex
	round   uint64 // how often the breaker was half open
	running int
}

func (t *trials) restart() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.round, t.running = t.round+1, 0
}

// begin returns the round that a trial belongs to; zero: there are enough.
func (t *trials) begin() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running >= breakerTrials {
		return 0
	}
	t.running++
	return t.round
}

// end reports whether the trial's round is still the one.
func (t *trials) end(round uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if round != t.round {
		return false
	}
	t.running--
	return true
}

// keyRing says which of a provider's keys are left out since the provider refused them.
type keyRing struct {
	clock       clock
	host        host
	credentials []elumenta.Secret
	keys        []*atomic.Int64 // until when each is left out, by clock
}

// host is where a key is shown, and how: formats differ in that.
type host struct{ baseURL, format string }

// newKeyRing leaves those keys out that an earlier one of the same host leaves out.
func newKeyRing(c clock, h host, credentials []elumenta.Secret, before *keyRing) *keyRing {
	r := &keyRing{clock: c, host: h, credentials: credentials, keys: make([]*atomic.Int64, len(credentials))}
	for i, key := range credentials {
		r.keys[i] = new(atomic.Int64)
		if before != nil && before.host == h {
			if at := slices.Index(before.credentials, key); at >= 0 {
				r.keys[i] = before.keys[at]
			}
		}
	}
	return r
}

// refuse leaves a key out for a while, on all of the provider's routes. It reports whether it was in use.
func (k *keyRing) refuse(key int, e *elumenta.ProviderError, now time.Time) bool {
	until := k.clock.at(now.Add(max(keyOut, min(e.RetryAfter, maxCooldown))))
	return k.keys[key].Swap(until) <= k.clock.at(now)
}
