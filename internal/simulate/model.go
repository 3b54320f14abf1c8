package main

import (
	"math/rand/v2"
	"slices"
	"time"
)

// batchLimit is store's: the most that is committed together.
const batchLimit = 256

// model is an installation under load. Costs are processor time.
type model struct {
	Nodes, Cores int           // nodes, and the cores of each
	Request      time.Duration // a node's for one request, but for its two commits
	Batch        time.Duration // a node's for one commit, whatever it holds
	Operation    time.Duration // a node's for one reserve or settle in a commit
	Flush        time.Duration // the disk's for making a commit durable
	Provider     time.Duration // mean time of the provider, which is exponential
	// Peer is what load and provider cost where both share one core, as they do in make bench; zero where they do not matter.
	Peer time.Duration

	// A Postgres behind the nodes; without its cores each node has a SQLite file of its own.
	PostgresCores     int
	Lanes             int           // commits of one node that may be under way at once
	RoundTrip         time.Duration // between node and Postgres
	PostgresBatch     time.Duration // Postgres's for one transaction
	PostgresOperation time.Duration // Postgres's for one reserve or settle

	// Load: as many callers, each asking again once it has its answer, or as many requests a second at random moments.
	Callers int
	Rate    float64
}

// outcome is what a simulation came to.
type outcome struct {
	Rate               float64 // answers a second
	P50, P99           time.Duration
	Group              float64 // reserves and settles in a commit, on average
	NodeBusy           float64 // share of the nodes' cores
	PostgresBusy       float64
	PostgresFlushGroup float64 // commits that one flush made durable
}

type simulation struct {
	model
	world     world
	random    *rand.Rand
	nodes     []*node
	peer      *servers
	postgres  *servers
	wal       *gate
	latencies []time.Duration
	warm      time.Duration
}

type node struct {
	sim   *simulation
	cores *servers
	lanes []*gate
}

// run simulates for a time after a tenth of it to warm up.
func (m model) run(length time.Duration, seed uint64) outcome {
	s := &simulation{model: m, random: rand.New(rand.NewPCG(seed, 1)), warm: length / 10} //nolint:gosec // not a secret
	s.peer = &servers{world: &s.world, free: 1}
	if m.PostgresCores > 0 {
		s.postgres = &servers{world: &s.world, free: m.PostgresCores}
		s.wal = &gate{limit: 1 << 30, pass: func(_ int, through func()) { s.world.after(m.Flush, through) }}
	}
	for range m.Nodes {
		s.nodes = append(s.nodes, s.newNode())
	}
	for i := range m.Callers {
		s.ask(s.nodes[i%m.Nodes], true)
	}
	if m.Rate > 0 {
		s.arrive()
	}
	s.world.run(s.warm + length)
	return s.outcome(length)
}

func (s *simulation) newNode() *node {
	n := &node{sim: s, cores: &servers{world: &s.world, free: s.Cores}}
	for range max(1, s.Lanes) {
		// Whoever can run runs first, so that more is committed together.
		lane := &gate{limit: batchLimit, pass: n.commitSQLite, collect: func(then func()) { n.cores.do(0, then) }}
		if s.postgres != nil {
			lane.pass = n.commitPostgres
		}
		n.lanes = append(n.lanes, lane)
	}
	return n
}

// arrive plans the next request of an open load (a Poisson process).
func (s *simulation) arrive() {
	s.world.after(time.Duration(s.random.ExpFloat64()/s.Rate*float64(time.Second)), func() {
		s.ask(s.nodes[s.random.IntN(len(s.nodes))], false)
		s.arrive()
	})
}

// call is one request on its way.
type call struct {
	sim   *simulation
	node  *node
	lane  *gate
	begin time.Duration
	again bool
}

// ask takes one request through a node, half of whose own work is before the provider.
func (s *simulation) ask(n *node, again bool) {
	c := &call{s, n, n.lanes[s.random.IntN(len(n.lanes))], s.world.now, again}
	s.ofPeer(func() { n.cores.do(s.Request/2, c.reserve) })
}

func (c *call) reserve() { c.lane.enter(c.provider) }

func (c *call) provider() {
	c.sim.ofPeer(func() {
		c.sim.world.after(time.Duration(c.sim.random.ExpFloat64()*float64(c.sim.Provider)), func() { c.node.cores.do(c.sim.Request/2, c.settle) })
	})
}

func (c *call) settle() { c.lane.enter(c.answer) }

func (c *call) answer() {
	s := c.sim
	if s.world.now > s.warm {
		s.latencies = append(s.latencies, s.world.now-c.begin)
	}
	if c.again {
		s.ask(c.node, true)
	}
}

// ofPeer is half of what load and provider do for a request.
func (s *simulation) ofPeer(then func()) {
	if s.Peer == 0 {
		then()
		return
	}
	s.peer.do(s.Peer/2, then)
}

// commitSQLite needs the node's core, then the disk.
func (n *node) commitSQLite(group int, through func()) {
	s := n.sim
	n.cores.do(s.Batch+time.Duration(group)*s.Operation, func() { s.world.after(s.Flush, through) })
}

// commitPostgres takes two round trips: one that locks and reads, one that writes and commits.
func (n *node) commitPostgres(group int, through func()) {
	s := n.sim
	half := (s.PostgresBatch + time.Duration(group)*s.PostgresOperation) / 2
	n.cores.do(s.Batch+time.Duration(group)*s.Operation, func() {
		s.world.after(s.RoundTrip, func() {
			s.postgres.do(half, func() {
				s.world.after(s.RoundTrip, func() {
					s.postgres.do(half, func() { s.wal.enter(through) })
				})
			})
		})
	})
}

func (s *simulation) outcome(length time.Duration) outcome {
	o := outcome{Rate: float64(len(s.latencies)) / length.Seconds()}
	slices.Sort(s.latencies)
	if n := len(s.latencies); n > 0 {
		o.P50, o.P99 = s.latencies[(n-1)/2], s.latencies[(n-1)*99/100]
	}
	all := s.warm + length
	var groups, passed int
	for _, n := range s.nodes {
		o.NodeBusy += float64(n.cores.busy) / float64(all) / float64(s.Cores*s.Nodes)
		for _, lane := range n.lanes {
			groups, passed = groups+lane.groups, passed+lane.passed
		}
	}
	o.Group = float64(passed) / float64(max(1, groups))
	if s.postgres != nil {
		o.PostgresBusy = float64(s.postgres.busy) / float64(all) / float64(s.PostgresCores)
		o.PostgresFlushGroup = float64(s.wal.passed) / float64(max(1, s.wal.groups))
	}
	return o
}
