package main

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// A plan is all that a run does, drawn from its seed: each caller's calls one after the other, and what happens to the
// nodes, the database and the clock, and when. The same seed and flags draw the same plan; how far a caller comes, and
// what meets what, is up to the machine.
type plan struct {
	seed     uint64
	engine   string
	accounts int
	nodes    int
	duration time.Duration
}

// Streams of random numbers that do not disturb each other.
const (
	drawCallers = iota << 32
	drawKills
	drawDatabase
	drawClock
	drawTopups
	drawChanges
)

func (p *plan) random(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(p.seed, stream)) }

// behaviour is what the provider does with a call.
type behaviour string

// The behaviours. Those that begin an answer do so after the call's pieces and pauses.
const (
	answers   behaviour = "answers"
	unmarked  behaviour = "unmarked" // a stream that ends without [DONE], after its finish_reason
	limits    behaviour = "limits"   // 429
	fails     behaviour = "fails"    // 500
	resets    behaviour = "resets"   // before the first piece
	breaks    behaviour = "breaks"   // a reset after some pieces
	cuts      behaviour = "cuts"     // ends without having finished
	reports   behaviour = "reports"  // an error event after some pieces
	stalls    behaviour = "stalls"   // says no more after some pieces
	neverEnds behaviour = "never-ends"
)

// finishes reports whether the provider, left alone, comes to the end of its answer or at least never breaks off.
func (b behaviour) steady() bool { return b == answers || b == unmarked || b == neverEnds }

// leave is when a client hangs up.
type leave uint8

const (
	stays        leave = iota
	leavesBefore       // the first piece, or a whole answer
	leavesAfter        // the first piece
)

// call is what one client wants, with the retries that it makes when it does not get it.
type call struct {
	account   int
	assistant int // of the shared ones; -1 without
	dear      bool
	stream    bool
	does      behaviour
	pieces    int
	pause     time.Duration
	leave     leave
	patience  time.Duration // until it leaves, of leavesBefore
	keyed     bool          // has an Idempotency-Key, the same for all its attempts
	twin      bool          // sends the first attempt twice at once
	again     bool          // asks once more though it was answered
	retries   int
	delay     time.Duration // between attempts
	node      [maxAttempts]int
}

const (
	maxAttempts  = 6
	hotAccounts  = 10
	sharedModels = 4 // assistants
)

// next draws a call of a caller, who mostly goes to the same node first: or all would soon wait for the one that is in trouble.
// It always draws the same number of numbers, so that what came before does not move what follows.
func (p *plan) next(caller int, r *rand.Rand) call {
	c := call{
		account: r.IntN(p.accounts), dear: chance(r, 30), stream: chance(r, 60), does: p.behaviour(r),
		pieces: 1 + r.IntN(6), pause: time.Duration(r.IntN(15)) * time.Millisecond,
		assistant: r.IntN(2*sharedModels) - sharedModels, patience: time.Duration(r.IntN(40)) * time.Millisecond,
		keyed: chance(r, 50), again: chance(r, 20), retries: r.IntN(4), delay: time.Duration(r.IntN(150)) * time.Millisecond,
	}
	c.assistant = max(c.assistant, -1)
	if hot := r.IntN(hotAccounts); chance(r, 35) {
		c.account = hot % p.accounts
	}
	if slow := time.Duration(100+r.IntN(300)) * time.Millisecond; chance(r, 8) {
		c.pause = slow
	}
	switch n := r.IntN(100); {
	case n < 6:
		c.leave = leavesBefore
	case n < 14:
		c.leave = leavesAfter
	}
	c.twin = chance(r, 15) && c.keyed
	for i := range c.node {
		c.node[i] = r.IntN(p.nodes)
	}
	if chance(r, 85) {
		c.node[0] = caller % p.nodes
	}
	return c
}

func (p *plan) behaviour(r *rand.Rand) behaviour {
	others := []behaviour{unmarked, limits, fails, resets, breaks, cuts, reports}
	other := others[r.IntN(len(others))]
	switch n := r.IntN(1000); {
	case n < 5:
		return stalls
	case n < 10:
		return neverEnds
	case n < 200:
		return other
	}
	return answers
}

func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }

// eventKind is what happens to nodes, database and clock.
type eventKind string

// The kinds of an event.
const (
	killNow        eventKind = "kill"
	killAtAnswer   eventKind = "kill at the next answer"
	restartDB      eventKind = "Postgres killed"
	shutOut        eventKind = "node cut off from Postgres" // its connections are refused
	stallDB        eventKind = "node's connections stall"   // nothing comes back for a while
	loseAnswers    eventKind = "answers of Postgres lost"   // what was sent is carried out, its answer never arrives
	cutConnections eventKind = "connections ended by Postgres"
	jumpClock      eventKind = "clock set"
	jumpMonth      eventKind = "clock set to the month's end"
	topUp          eventKind = "top-up"
)

// event happens some time after the one before it in its track is over. For how long and by how much depends on the kind.
type event struct {
	after   time.Duration
	kind    eventKind
	node    int
	lasts   time.Duration
	jump    time.Duration
	account int
	tokens  int64
}

// tracks are the events, each track in order and each played by a goroutine of its own.
func (p *plan) tracks() [][]event {
	tracks := [][]event{
		p.track(drawKills, time.Second, 2*time.Second, p.kill),
		p.track(drawClock, 2*time.Second, 3*time.Second, p.clock),
		p.track(drawTopups, 500*time.Millisecond, time.Second, p.topup),
	}
	if p.engine == enginePostgres {
		tracks = append(tracks, p.track(drawDatabase, 1500*time.Millisecond, 2*time.Second, p.database))
	}
	return tracks
}

func (p *plan) track(stream uint64, least, spread time.Duration, draw func(r *rand.Rand, n int) event) []event {
	r := p.random(stream)
	var events []event
	for at, n := time.Duration(0), 0; at < p.duration; n++ {
		e := draw(r, n)
		e.after = least + time.Duration(r.Int64N(int64(spread)))
		events = append(events, e)
		at += e.after + e.lasts
	}
	return events
}

func (p *plan) kill(r *rand.Rand, _ int) event {
	e := event{kind: killNow, node: r.IntN(p.nodes), lasts: time.Duration(r.IntN(600)) * time.Millisecond}
	if chance(r, 60) {
		e.kind = killAtAnswer
	}
	return e
}

// database begins with a restart, so that no run is without. One in three lasts longer than a lease.
func (p *plan) database(r *rand.Rand, n int) event {
	kinds := []eventKind{restartDB, loseAnswers, shutOut, cutConnections, stallDB, loseAnswers}
	e := event{kind: kinds[r.IntN(len(kinds))], node: r.IntN(p.nodes), lasts: time.Duration(r.IntN(1500)) * time.Millisecond}
	if long := time.Duration(5000+r.IntN(2500)) * time.Millisecond; chance(r, 33) {
		e.lasts = long
	}
	switch {
	case n == 0:
		e.kind, e.lasts = restartDB, time.Second
	case e.kind == loseAnswers || e.kind == cutConnections:
		e.lasts = 0
	}
	return e
}

// clock begins with a month's end. Backwards it goes by hours, forwards by hours or to the end of the plans' months.
func (p *plan) clock(r *rand.Rand, n int) event {
	e := event{kind: jumpClock, node: r.IntN(p.nodes), jump: time.Duration(r.IntN(10*3600)-4*3600) * time.Second}
	if chance(r, 25) || n == 0 {
		e.kind = jumpMonth
	}
	return e
}

func (p *plan) topup(r *rand.Rand, _ int) event {
	return event{kind: topUp, account: r.IntN(hotAccounts) % p.accounts, tokens: 1 + r.Int64N(20)}
}

// digest tells plans apart: two runs that print the same one were given the same faults, kills and calls.
func (p *plan) digest(callers int) string {
	h := fnv.New64a()
	for i := range callers {
		r := p.random(drawCallers + uint64(i))
		for range 100 {
			_, _ = fmt.Fprintf(h, "%+v\n", p.next(i, r))
		}
	}
	_, _ = fmt.Fprintf(h, "%+v\n", p.tracks())
	return fmt.Sprintf("%016x", h.Sum64())
}
