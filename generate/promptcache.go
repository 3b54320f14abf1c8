package generate

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/elumenta/elumenta"
)

// promptCache remembers when this process last saw a prompt's beginning in a provider's cache, so that a miss can be
// explained. It knows beginnings by a hash alone, whose key ends with the process. Its size is fixed: in a full set, what
// was not seen for longest makes room.
type promptCache struct {
	start time.Time
	locks [promptLocks]sync.Mutex
	sets  [promptSets][promptWays]promptSeen
}

const (
	promptSets  = 1 << 13
	promptWays  = 4
	promptLocks = 64
)

// promptSeen is something with a value that was seen. Times count from the start of the promptCache.
type promptSeen struct {
	key, value uint64
	since      time.Duration // since when it is in the cache, without a break
	last       time.Duration // when the newest call began that found or left it there
	before     time.Duration // last before the break; zero if there was none
}

// promptState is what was known of something when a call began.
type promptState uint8

const (
	promptUnseen promptState = iota
	promptWarm               // within the cache's life
	promptCold               // longer ago
	promptOther              // with another value, within the cache's life
)

// promptCall is when a call began and was over, and how long the provider's cache keeps what is not used; zero: unknown.
type promptCall struct{ began, ended, ttl time.Duration }

var promptSeed = maphash.MakeSeed()

func promptHash(text string) uint64 { return maphash.String(promptSeed, text) }

func newPromptCache() *promptCache { return &promptCache{start: time.Now().Add(-1)} }

// visit says what was known of a key and, with keep, that the call found or left it in the cache with the value.
func (c *promptCache) visit(key, value uint64, call promptCall, keep bool) promptState {
	at := key % promptSets
	lock := &c.locks[at%promptLocks]
	lock.Lock()
	defer lock.Unlock()
	set := &c.sets[at]
	s := &set[0]
	for i := range set {
		if set[i].key == key {
			s = &set[i]
			break
		}
		if set[i].last < s.last {
			s = &set[i]
		}
	}
	state := promptUnseen
	if s.key == key {
		state = s.state(value, call)
	}
	if keep {
		s.keep(key, value, call)
	}
	return state
}

func (s *promptSeen) state(value uint64, call promptCall) promptState {
	last := s.last
	if s.since > call.began { // put there by a call that ran at the same time
		if s.before == 0 || s.value != value {
			return promptUnseen
		}
		last = s.before
	}
	expired := call.expired(last)
	switch {
	case s.value != value && expired:
		return promptUnseen
	case s.value != value:
		return promptOther
	case expired:
		return promptCold
	}
	return promptWarm
}

func (s *promptSeen) keep(key, value uint64, call promptCall) {
	switch {
	case s.key != key || s.value != value:
		*s = promptSeen{key: key, value: value, since: call.ended}
	case call.expired(s.last):
		s.before, s.since = s.last, call.ended
	}
	s.last = max(s.last, call.began)
}

func (c promptCall) expired(last time.Duration) bool { return c.ttl > 0 && c.began-last > c.ttl }

// promptKeys say what a prompt begins with: its beginning, the upstream that caches it (an organisation's account with a
// provider has a cache of its own), and the assistant's model, whose beginning may change.
type promptKeys struct{ prefix, upstream, owner uint64 }

// keys hashes what stands before the first variable: tools, schema and instructions, or the system text of a request
// without an assistant. The hash of instructions is at hand.
func (p *prepared) keys(target *elumenta.Target) promptKeys {
	var h maphash.Hash
	h.SetSeed(promptSeed)
	text := func(s string) {
		_, _ = h.WriteString(s)
		_ = h.WriteByte(0xff) // is in no text
	}
	for i := range p.prompt.Tools {
		t := &p.prompt.Tools[i]
		text(t.Name)
		text(t.Description)
		_, _ = h.Write(t.Parameters)
		text("")
	}
	if f := p.prompt.Settings.ResponseFormat; f != nil {
		text(f.Type)
		text(f.Name)
		_, _ = h.Write(f.Schema)
		text("")
	}
	var k promptKeys
	if p.snapshot != nil {
		k.owner = maphash.Comparable(promptSeed, [...]string{string(p.snapshot.ID), p.model.Slug})
	} else {
		for i := range p.prompt.System {
			text(string(p.prompt.System[i].Text))
		}
	}
	text(p.model.Slug)
	k.prefix = maphash.Comparable(promptSeed, [...]uint64{h.Sum64(), p.constant})
	k.upstream = maphash.Comparable(promptSeed, upstream{target.Name, target.BaseURL, target.Model, target.Credential})
	return k
}

type upstream struct {
	name, baseURL, model string
	credential           elumenta.Secret
}

// explain says why a call whose beginning is long enough read nothing from a cache, and remembers what is in it now.
func (c *promptCache) explain(k promptKeys, call promptCall, keep bool) elumenta.CacheReason {
	here := c.visit(maphash.Comparable(promptSeed, [...]uint64{k.prefix, k.upstream}), 0, call, keep)
	anywhere := c.visit(k.prefix, k.upstream, call, keep)
	of := promptUnseen
	if k.owner != 0 {
		of = c.visit(k.owner, k.prefix, call, keep)
	}
	switch {
	case here == promptWarm:
		return elumenta.CacheReasonUnknown
	case anywhere == promptOther:
		return elumenta.CacheOtherUpstream
	case here == promptCold:
		return elumenta.CacheExpired
	case of == promptOther:
		return elumenta.CachePrefixChanged
	}
	return elumenta.CacheFirst
}

// cacheOutcome is what came of a provider's cache.
type cacheOutcome struct {
	status elumenta.CacheStatus
	reason elumenta.CacheReason
}

// promptCached judges a call that is over and notes in the outcome whether it missed a hit that was due.
func (s *Service) promptCached(p *prepared, r *relay, o *elumenta.Outcome) cacheOutcome {
	caps, shape := p.model.Capabilities, p.prompt.Shape()
	out := cacheOutcome{status: elumenta.CacheStatusOf(o.Usage, caps, shape)}
	hit, written := out.status == elumenta.CacheHit, out.status == elumenta.CacheWritten
	if caps.Cache == elumenta.CachePrefix && out.status == elumenta.CacheMiss {
		written = true // by itself, and without saying so
	}
	if out.status != elumenta.CacheMiss && !written && !hit {
		s.metrics.promptCached(p.model, o, out)
		return out
	}
	reason := elumenta.CachePrefixBelowMinimum
	if shape.CachesConstant(o.Usage, caps) {
		call := promptCall{began: r.last.called.Sub(s.prompts.start), ended: time.Since(s.prompts.start), ttl: caps.CacheTTL}
		reason = s.prompts.explain(p.keys(r.last.target), call, hit || written)
	}
	if !hit {
		out.reason = reason
		o.CacheMiss = reason.Due() && o.State == elumenta.Charged
	}
	s.metrics.promptCached(p.model, o, out)
	return out
}

func (m *metrics) promptCached(model *elumenta.Model, o *elumenta.Outcome, c cacheOutcome) {
	if o.State == elumenta.Charged && o.Error == "" {
		m.prompts.WithLabelValues(model.Slug, string(c.status), string(c.reason)).Inc()
	}
}
