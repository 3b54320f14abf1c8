package main

import (
	"container/heap"
	"time"
)

// world is a discrete-event simulation: things happen at moments, in order, and nothing takes time but what waits.
type world struct {
	now    time.Duration
	events events
	count  int
}

type event struct {
	at    time.Duration
	order int // of events at the same moment, the first planned comes first
	do    func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) } //nolint:forcetypeassert // heap's
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// after plans something.
func (w *world) after(d time.Duration, do func()) {
	w.count++
	heap.Push(&w.events, event{w.now + d, w.count, do})
}

// run lets things happen until a moment.
func (w *world) run(until time.Duration) {
	for len(w.events) > 0 && w.events[0].at <= until {
		e := heap.Pop(&w.events).(event) //nolint:forcetypeassert // ours
		w.now = e.at
		e.do()
	}
	w.now = until
}

// servers are a number of equal servers with one queue: the cores of a machine.
type servers struct {
	world *world
	free  int
	queue []work
	// busy is the time that all of them together have worked.
	busy time.Duration
}

type work struct {
	cost time.Duration
	done func()
}

func (s *servers) do(cost time.Duration, done func()) {
	if s.free == 0 {
		s.queue = append(s.queue, work{cost, done})
		return
	}
	s.free--
	s.begin(work{cost, done})
}

func (s *servers) begin(w work) {
	s.world.after(w.cost, func() {
		s.busy += w.cost
		if len(s.queue) > 0 {
			next := s.queue[0]
			s.queue = s.queue[1:]
			s.begin(next)
		} else {
			s.free++
		}
		w.done()
	})
}

// gate lets what waits through together, at most limit at once, one group after the other: a writer that commits what has
// been queued meanwhile, or a disk that is flushed for all who wait.
type gate struct {
	limit int
	open  bool // a group is under way
	wait  []func()
	// collect, if not nil, is what the gate does before it looks who waits.
	collect func(then func())
	// pass takes a group through and calls its argument when it is through.
	pass   func(group int, through func())
	groups int
	passed int
}

func (g *gate) enter(done func()) {
	g.wait = append(g.wait, done)
	g.next()
}

func (g *gate) next() {
	if g.open || len(g.wait) == 0 {
		return
	}
	g.open = true
	if g.collect == nil {
		g.take()
		return
	}
	g.collect(g.take)
}

func (g *gate) take() {
	n := min(len(g.wait), g.limit)
	group := append([]func(){}, g.wait[:n]...)
	g.wait = g.wait[n:]
	g.groups++
	g.passed += n
	g.pass(n, func() {
		g.open = false
		for _, done := range group {
			done()
		}
		g.next()
	})
}
