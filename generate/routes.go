package generate

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/elumenta/elumenta"
)

// When a route is cut off, and how it comes back.
const (
	breakerRate   = 0.5              // share of failures that opens the circuit breaker,
	breakerCalls  = 10               // of at least so many calls
	breakerWindow = 10 * time.Second // in so long
	breakerDelay  = 10 * time.Second // until it is tried again
	breakerTrials = 5                // calls that are then let through,
	breakerGood   = 4                // of which so many must succeed
	slowStart     = 30 * time.Second // from a tenth of its share back to the whole
	scoreCalls    = 16               // about how many calls the share of a failing route goes by
	leastScore    = 0.05             // of its share that it keeps, so that its recovery is seen

	keyOut      = time.Minute     // a key that the provider refuses is left out
	maxCooldown = 5 * time.Minute // most of a provider's Retry-After that is obeyed
)

// clock counts microseconds from its start, never zero, so that a system clock that is set back keeps no route or key out.
type clock struct{ start time.Time }

func (c clock) at(t time.Time) int64 { return t.Sub(c.start).Microseconds() + 1 }

func (c clock) time(at int64) time.Time {
	return c.start.Add(time.Duration(at-1) * time.Microsecond).UTC()
}

// routing is a catalog with the state of its routes.
type routing struct {
	clock   clock
	catalog *elumenta.Catalog
	models  map[*elumenta.Model]*modelRoutes
	rings   map[string]*keyRing // by provider
	health  map[string]*health  // by provider
}

// modelRoutes are a model's routes in the order of the catalog, with what may be spent on trying again.
type modelRoutes struct {
	clock  clock
	routes []*route
	budget *budget
	turns  atomic.Uint64
}

// turn is what a request's routes and keys are chosen by: the beginning of its prompt, which goes to the same ones for as long as
// they do well, since a provider's prompt cache belongs to one of them; or chance.
type turn struct {
	number uint64
	chance bool
}

func (m *modelRoutes) turn(cacheKey string) turn {
	if cacheKey == "" {
		return turn{m.turns.Add(1), true}
	}
	return turn{promptHash(cacheKey), false}
}

// route is a place that serves a model, and how it has been doing.
type route struct {
	elumenta.Route
	clock   clock
	hash    uint64
	targets []elumenta.Target // one for each key
	resting []*atomic.Int64   // for each key: until when the provider asked to be left alone, by clock
	ring    *keyRing
	*condition
}

// newRouting makes the state of a catalog's routes, with what is known of those that were there before.
func newRouting(c *elumenta.Catalog, share float64, before *routing) *routing {
	r := &routing{clock: clock{time.Now()}, catalog: c, models: map[*elumenta.Model]*modelRoutes{}, rings: map[string]*keyRing{}, health: newHealth(c)}
	if before != nil {
		r.clock = before.clock
		for name := range r.health {
			if h := before.health[name]; h != nil {
				r.health[name] = h
			}
		}
	}
	if c == nil {
		return r
	}
	for _, m := range c.Models() {
		all := &modelRoutes{clock: r.clock}
		var earlier []*route
		if old := before.of(m.Slug); old != nil {
			all.budget, earlier = old.budget, slices.Clone(old.routes)
		}
		if pay := int64(share * call); all.budget == nil || all.budget.pay != pay {
			all.budget = &budget{clock: r.clock, pay: pay}
		}
		for i := range m.Routes {
			all.routes = append(all.routes, r.route(&m.Routes[i], earlier, before))
		}
		r.models[m] = all
	}
	return r
}

// of returns the routes of a model; nil for one that is not there.
func (r *routing) of(slug string) *modelRoutes {
	if r == nil || r.catalog == nil {
		return nil
	}
	m, _ := r.catalog.Get(slug)
	return r.models[m]
}

func (r *routing) route(from *elumenta.Route, earlier []*route, before *routing) *route {
	out := &route{Route: *from, clock: r.clock, hash: promptHash(from.Target.Name + "\x00" + from.Target.Model)}
	keys := from.Credentials
	if len(keys) == 0 {
		keys = []elumenta.Secret{from.Target.Credential}
	}
	for _, key := range keys {
		target := from.Target
		target.Credential = key
		out.targets = append(out.targets, target)
	}
	name := from.Target.Name
	if r.rings[name] == nil || len(r.rings[name].keys) != len(keys) {
		var old *keyRing
		if before != nil {
			old = before.rings[name]
		}
		r.rings[name] = newKeyRing(r.clock, host{from.Target.BaseURL, from.Format}, keys, old)
	}
	out.ring = r.rings[name]
	out.take(earlier)
	return out
}

// choice is a route, its place among the model's, and one of its keys.
type choice struct {
	route *route
	at    int
	key   int
	trial uint64 // the round of the route's trials that the call belongs to; zero: it is none
}

func (c choice) target() *elumenta.Target { return &c.route.targets[c.key] }

// tried are the choices of a request that were called already, a bit for each key of each route.
type tried uint64

const maxKeys = elumenta.MaxProviderKeys

var _ [64 - elumenta.MaxRoutes*maxKeys]struct{} // they fit

func (t tried) has(route, key int) bool { return t&(1<<(route*maxKeys+key)) != 0 }

// with adds a choice, with all of the route's keys unless another key may do better than the one that failed.
func (t tried) with(c choice, all bool) tried {
	if all {
		return t | (1<<maxKeys-1)<<(c.at*maxKeys)
	}
	return t | 1<<(c.at*maxKeys+c.key)
}

// choose returns the best choice that was not tried yet: the lowest order first, in it by weight, and of its keys one that
// the provider does not refuse. wait is the least time until there is a choice again, if there is none and that is known.
func (m *modelRoutes) choose(t turn, done tried, now time.Time) (c choice, wait time.Duration, ok bool) {
	at := m.clock.at(now)
	wait = math.MaxInt64
	best, order := math.Inf(1), 0
	for i, r := range m.routes {
		if ok && r.Order > order {
			break
		}
		k, rest := r.key(i, t, done, at)
		if k < 0 {
			wait = min(wait, rest)
			continue
		}
		if r.breaker != nil && r.breaker.IsOpen() {
			if left := r.breaker.RemainingDelay(); left > 0 {
				wait = min(wait, left)
				continue
			}
		}
		if cost := r.cost(t, at); !ok || cost < best {
			c, ok = choice{route: r, at: i, key: k}, true
			best, order = cost, r.Order
		}
	}
	return c, wait, ok
}

// cost is an exponential variate with the route's weight as its rate: the least of several is each one's with the
// probability of its share (weighted rendezvous hashing, https://www.snia.org/sites/default/files/SDC15_presentations/dist_sys/Jason_Resch_New_Consistent_Hashings_Rev.pdf).
func (r *route) cost(t turn, at int64) float64 {
	u := unit(t.number ^ r.hash)
	if t.chance {
		u = rand.Float64() //nolint:gosec // a share, no secret
	}
	return -math.Log(1-u) / (float64(max(r.Weight, 1)) * r.share(at))
}

// unit spreads a hash over [0, 1).
func unit(h uint64) float64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return float64((h^h>>31)>>11) / (1 << 53)
}

// share is how much of its weight a route has: less while it fails, and after it was cut off.
func (r *route) share(at int64) float64 {
	score := math.Float64frombits(r.score.Load())
	share := max(score*score, leastScore)
	recovered := r.recovered.Load()
	if since := time.Duration(at-recovered) * time.Microsecond; recovered != 0 && since < slowStart {
		share *= max(0.1, float64(since)/float64(slowStart))
	}
	return share
}

// key chooses one of the provider's keys; -1: none, and for how long.
func (r *route) key(i int, t turn, done tried, at int64) (key int, rest time.Duration) {
	n := len(r.targets)
	first := int(t.number % uint64(n))
	rest = math.MaxInt64
	for j := range n {
		k := (first + j) % n
		if done.has(i, k) {
			continue
		}
		until := max(r.resting[k].Load(), r.ring.keys[k].Load())
		if until <= at {
			return k, 0
		}
		rest = min(rest, time.Duration(until-at)*time.Microsecond)
	}
	return -1, rest
}

// begin asks the circuit breaker for leave. Whoever has it must end the call.
func (c *choice) begin() bool {
	b := c.route.breaker
	if b == nil || b.IsClosed() {
		return true
	}
	if b.IsOpen() && !b.TryAcquirePermit() { // once its delay is over, this makes it half open
		return false
	}
	c.trial = c.route.trials.begin()
	return c.trial != 0
}

// well reports whether the route is not cut off, nor on trial.
func (c choice) well() bool { return c.route.breaker == nil || c.route.breaker.IsClosed() }

// end notes how a call went. e is nil for an answer, and left says that the call ended for a reason of the client's, or ours,
// before the provider said anything. refused reports whether the key was left out just now.
func (c choice) end(e *elumenta.ProviderError, left bool, now time.Time) (refused bool) {
	r := c.route
	if r.breaker == nil {
		return false
	}
	good, bad := e == nil && !left, false
	if e != nil && !left {
		switch e.Kind {
		case elumenta.KindRejected: // the provider is well
			good = true
		case elumenta.KindAuth: // a 403 may be of one model alone
			if bad = e.Forbidden(); bad {
				r.restAll(e.RetryAfter, now)
			} else {
				refused = r.ring.refuse(c.key, e, now)
			}
		case elumenta.KindRateLimited:
			bad = e.RetryAfter <= 0
			r.rest(c.key, e.RetryAfter, now)
		default:
			bad = true
			r.restAll(e.RetryAfter, now)
		}
	}
	if good || bad {
		r.note(good)
	}
	counts := c.trial == 0 && r.breaker.IsClosed() || c.trial != 0 && r.trials.end(c.trial)
	switch {
	case counts && good:
		r.breaker.RecordSuccess()
	case counts && bad:
		r.breaker.RecordFailure()
	}
	return refused
}

// note moves the score towards a call's result.
func (r *route) note(good bool) {
	for {
		old := r.score.Load()
		score := math.Float64frombits(old)
		if good {
			score += (1 - score) / scoreCalls
		} else {
			score -= score / scoreCalls
		}
		if r.score.CompareAndSwap(old, math.Float64bits(score)) {
			return
		}
	}
}

// rest leaves a key alone on this route for as long as the provider asked.
func (r *route) rest(key int, d time.Duration, now time.Time) {
	if d > 0 {
		r.resting[key].Store(r.clock.at(now.Add(min(d, maxCooldown))))
	}
}

func (r *route) restAll(d time.Duration, now time.Time) {
	for k := range r.resting {
		r.rest(k, d, now)
	}
}

// budget is what may be spent on trying again: each request pays a share of a call in, and each second one, up to a limit, and each
// further call of a request costs one, so that a provider's outage is not made worse (https://sre.google/sre-book/handling-overload/).
// What comes with time is for models that are seldom asked, whose failing route no circuit breaker sees soon.
type budget struct {
	saved atomic.Int64 // thousandths of a call
	paid  atomic.Int64 // milliseconds by clock until which time has paid
	clock clock
	pay   int64 // thousandths that a request pays in; zero: nothing is ever paid in
}

const (
	call         = 1000
	firstSavings = 10 * call
	mostSavings  = 100 * call
)

// payIn is called for each request.
func (b *budget) payIn(now time.Time) {
	if b.pay == 0 {
		return
	}
	amount, paid := b.pay, b.paid.Load()
	if at := b.clock.at(now)/1000 + 1; at > paid && b.paid.CompareAndSwap(paid, at) {
		if paid == 0 {
			amount += firstSavings
		} else {
			amount += min(at-paid, mostSavings) // a call a second
		}
	}
	if saved := b.saved.Add(amount); saved > mostSavings {
		b.saved.Add(mostSavings - saved)
	}
}

func (b *budget) spend() bool {
	for {
		saved := b.saved.Load()
		if saved < call {
			return false
		}
		if b.saved.CompareAndSwap(saved, saved-call) {
			return true
		}
	}
}

// giveBack undoes a spend that came to nothing.
func (b *budget) giveBack() { b.saved.Add(call) }

// errNoRoute is the answer while all routes of a model are cut off, or asked to be left alone.
func errNoRoute(m *elumenta.Model, wait time.Duration) error {
	e := elumenta.Errorf(elumenta.CodeModelUnavailable, "every provider of the model %s is failing or asked to be left alone for a while; try again later", m.Slug)
	if e.RetryAfter = max(wait, time.Second); wait > maxCooldown {
		e.RetryAfter = time.Second // others try a route at this moment
	}
	e.Cause = errors.New("no route")
	return e
}
