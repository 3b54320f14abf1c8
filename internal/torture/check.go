package main

import (
	"net/http"
	"slices"
	"time"

	"github.com/elumenta/elumenta"
)

// checker compares the database with what clients and provider recorded.
type checker struct {
	*report
	run      *run
	books    *books
	calls    []*provided           // by number less one
	attempts map[int64][]*attempt  // by message
	lost     map[int][]*provided   // finished and not charged, by incident
	leavers  []*provided           // the same, whose client had left
	markers  map[int64][]*provided // by message
}

func newChecker(r *run, b *books) *checker {
	c := &checker{
		report: newReport(), run: r, books: b, calls: r.provider.all(), attempts: map[int64][]*attempt{},
		lost: map[int][]*provided{}, markers: map[int64][]*provided{},
	}
	for _, p := range c.calls {
		c.markers[p.marker] = append(c.markers[p.marker], p)
	}
	for _, a := range r.record.attempts {
		c.attempts[a.marker] = append(c.attempts[a.marker], a)
	}
	return c
}

func (c *checker) check() *report {
	c.journals()
	c.pairs()
	c.answers()
	c.charges()
	c.finished()
	c.errors()
	c.idempotency()
	c.rates()
	c.months()
	c.topups()
	c.uses()
	c.changes()
	c.listLost()
	return c.report
}

// ends are the ends of the months that grants began, for an account that gets one each month.
func (c *checker) ends(id string, grants []time.Time) (ends []time.Time) {
	plan := c.books.accounts[id].plan
	for i := range grants[:max(0, len(grants)-1)] {
		end := elumenta.PeriodEnd(grants[0], grants[i])
		if plan == planGift {
			end = grants[i].AddDate(100, 0, 0) // once
		}
		ends = append(ends, end)
	}
	return ends
}

// attemptsOf are the attempts that a call of the provider may be for: those with its message, on its node, that had begun
// before it and not ended, or whose client had left.
func (c *checker) attemptsOf(p *provided) (of []*attempt) {
	for _, a := range c.attempts[p.marker] {
		if a.node == p.node && !a.start.After(p.start) && (a.outcome == left || a.end.After(p.start)) {
			of = append(of, a)
		}
	}
	return of
}

// answers: every answer that a client saw to its end is charged exactly once.
func (c *checker) answers() {
	seen := map[string]*attempt{}
	for _, a := range c.run.record.attempts {
		if a.outcome != complete {
			continue
		}
		c.count(checkAnswered, 1)
		g := c.books.generations[a.generation]
		switch {
		case g == nil:
			c.violate(checkAnswered, "answered and not in the ledger: %s", a)
		case !g.charged() || g.price != a.price:
			c.violate(checkAnswered, "answered and charged %d of %d (state %d): %s", g.net, a.price, g.state, a)
		case a.spent != a.price:
			c.violate(checkAnswered, "answered with %d tokens spent instead of %d: %s", a.spent, a.price, a)
		case seen[a.generation] != nil:
			c.violate(checkAnswered, "two answers with one id: %s; %s", a, seen[a.generation])
		}
		seen[a.generation] = a
	}
}

// charges: every charge is for a call of the provider of its own, that it finished or that the client left after the first piece.
func (c *checker) charges() {
	charged := map[int64]*generation{}
	for _, g := range c.books.generations {
		if !g.charged() {
			continue
		}
		c.count(checkCause, 1)
		if g.call < 1 || g.call > int64(len(c.calls)) {
			c.violate(checkCause, "%s of %s is charged for no call of the provider", g.id, g.account)
			continue
		}
		p := c.calls[g.call-1]
		if other := charged[g.call]; other != nil {
			c.violate(checkTwice, "call %d of the provider (message %d) is charged as %s and as %s", g.call, p.marker, g.id, other.id)
		}
		charged[g.call] = g
		leftAfter := p.stream && p.sent.Load() > 0 && slices.ContainsFunc(c.attemptsOf(p), (*attempt).hungUp)
		if !p.finishing.Load() && !leftAfter {
			c.violate(checkCause, "%s is charged, call %d of the provider (message %d, %s) was not finished and its client had not left after the first piece", g.id, g.call, p.marker, p.does)
		}
	}
	c.count(checkTwice, int64(len(c.calls)))
}

func (a *attempt) hungUp() bool { return a.outcome == left }

// paid reports whether a call of the provider is charged.
func (c *checker) paid(p *provided) bool {
	return slices.ContainsFunc(c.books.byCall[p.number], (*generation).charged)
}

// finished: a call that the provider finished is charged, unless its node was killed or its database away meanwhile, or the
// client had left before it was answered. One that the client left after its first piece is charged, finished or not.
func (c *checker) finished() {
	for _, p := range c.calls {
		of := c.attemptsOf(p)
		leftAfter := p.stream && p.does.steady() && slices.ContainsFunc(of, func(a *attempt) bool { return a.hungUp() && a.pieces > 0 })
		done := p.finished.Load()
		if done {
			c.count(checkLost, 1)
		}
		if leftAfter {
			c.count(checkLeft, 1)
		}
		if !done && !leftAfter || c.paid(p) {
			continue
		}
		if incident := c.explained(p, of); incident >= 0 {
			if done {
				c.lost[incident] = append(c.lost[incident], p)
			}
			continue
		}
		switch {
		case leftAfter:
			c.violate(checkLeft, "call %d of the provider (message %d, node %d, %s to %s) is not charged: %v", p.number, p.marker, p.node, c.since(p.start), c.since(p.ended()), of)
		case slices.ContainsFunc(of, (*attempt).hungUp):
			c.leavers = append(c.leavers, p)
		default:
			c.violate(checkLost, "call %d of the provider (message %d, node %d, %s to %s) was finished and is not charged, with no kill or outage: %v", p.number, p.marker, p.node,
				c.since(p.start), c.since(p.ended()), of)
		}
	}
}

// leftBehind is how long a node may take to settle what its client has left.
const leftBehind = 2 * time.Second

// explained returns the incident during which a call was in flight, or -1. In flight is from when its client asked until the
// client had its answer or, where it had left, until shortly after the provider's end.
func (c *checker) explained(p *provided, of []*attempt) int {
	from, to := p.start, p.ended()
	for _, a := range of {
		if a.start.Before(from) {
			from = a.start
		}
		end := a.end
		if a.outcome == left {
			end = p.ended().Add(leftBehind)
		}
		if end.After(to) {
			to = end
		}
	}
	return slices.IndexFunc(c.run.record.incidents, func(i incident) bool {
		return (i.node < 0 || i.node == p.node) && i.explains() && !i.from.After(to) && !i.to.Before(from)
	})
}

// errors: what a client was told of an error is what it paid: nothing, or what the event says.
func (c *checker) errors() {
	for _, a := range c.run.record.attempts {
		if a.outcome != told {
			continue
		}
		c.count(checkTold, 1)
		if a.code == "internal_error" {
			c.violate(checkProgram, "an internal error: %s", a)
		}
		if g := c.books.generations[a.generation]; g != nil && g.net != a.spent {
			c.violate(checkTold, "told of an error with %d tokens spent, charged %d: %s", a.spent, g.net, a)
		}
	}
	// A client whose answer never began was not told the generation.
	for _, p := range c.calls {
		of := c.attemptsOf(p)
		if len(of) > 0 && c.paid(p) && !slices.ContainsFunc(of, func(a *attempt) bool { return a.outcome != told || a.spent > 0 && a.status == http.StatusOK }) {
			c.violate(checkTold, "call %d of the provider is charged as %s, its client was told of an error: %v", p.number, c.books.byCall[p.number][0].id, of)
		}
	}
	c.count(checkProgram, int64(len(c.run.nodes)))
	for _, f := range c.run.record.faults {
		c.violate(f.check, "%s", f.text)
	}
}

// idempotency: of the attempts with one key one is charged, unless the clock was set beyond the key's 24 hours, and what
// comes after its answer is told so.
func (c *checker) idempotency() {
	for marker, attempts := range c.attempts {
		if !attempts[0].keyed {
			continue
		}
		c.count(checkIdempotency, 1)
		c.oneCharge(marker)
		first := slices.IndexFunc(attempts, func(a *attempt) bool { return a.outcome == complete })
		if first < 0 {
			continue
		}
		answered := attempts[first]
		for _, a := range attempts {
			switch {
			case a.start.Before(answered.end) || a.outcome == broken || a.outcome == left || a.status >= 500 || c.monthEnded(answered.start, a.end):
			case a.outcome != told || a.code != "conflict" || a.first != answered.generation || a.spent != answered.price:
				c.violate(checkIdempotency, "repeated after %s was answered: %s, conflict with %s, %d spent", answered.generation, a, orNone(a.first), a.spent)
			}
		}
	}
	for _, a := range c.run.record.attempts {
		if g := c.books.generations[a.first]; a.first != "" && (g == nil || !g.charged()) {
			c.violate(checkIdempotency, "told that %s was answered, which is not charged: %s", a.first, a)
		}
	}
}

const keyLifetime = 24 * time.Hour

func (c *checker) oneCharge(marker int64) {
	var charged []*generation
	for _, p := range c.markers[marker] {
		for _, g := range c.books.byCall[p.number] {
			if g.charged() {
				charged = append(charged, g)
			}
		}
	}
	slices.SortFunc(charged, func(a, b *generation) int { return a.created.Compare(b.created) })
	for i := range charged[:max(0, len(charged)-1)] {
		if charged[i+1].created.Sub(charged[i].created) < keyLifetime {
			c.violate(checkIdempotency, "one key, message %d: %s and %s are charged", marker, charged[i].id, charged[i+1].id)
		}
	}
}

// monthEnded reports whether the clock was set to a month's end meanwhile: a key lives for 24 hours.
func (c *checker) monthEnded(from, to time.Time) bool {
	return slices.ContainsFunc(c.run.record.incidents, func(i incident) bool {
		return i.kind == jumpMonth && !i.from.After(to) && !i.to.Before(from)
	})
}

// uses: a shared assistant was used as often as generations of others with it were charged.
func (c *checker) uses() {
	want := map[string]int64{}
	for _, g := range c.books.generations {
		if g.charged() && g.assistant != "" && g.author != g.account {
			want[g.assistant]++
		}
	}
	for id, uses := range c.books.uses {
		c.count(checkUses, 1)
		if uses != want[id] {
			c.violate(checkUses, "%s: %d uses, %d charged generations of others", id, uses, want[id])
		}
	}
}

// changes: a request that began after an edit was acknowledged was answered by that version or a later one.
func (c *checker) changes() {
	c.count(checkChanges, c.run.record.revoked.Load())
	for _, s := range c.run.record.looks {
		c.count(checkChanges, 1)
		if s.attempt.version < s.version {
			c.violate(checkChanges, "edited: node %d answered as version %d after version %d was acknowledged: %s", s.node, s.attempt.version, s.version, s.attempt)
		}
		for _, p := range c.markers[s.marker] {
			if p.edit < s.edit {
				c.violate(checkChanges, "edited: the provider was sent edit %d by node %d after edit %d was acknowledged: %s", p.edit, s.node, s.edit, s.attempt)
			}
		}
	}
}
