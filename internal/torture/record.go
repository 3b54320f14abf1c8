package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// outcome is what a client knows of an attempt.
type outcome uint8

const (
	broken   outcome = iota // the connection failed: nothing is known
	complete                // a whole answer, or a stream's generation_end
	told                    // an error, as an HTTP status or as an event of the stream
	left                    // the client hung up
)

// attempt is one request of a client to generate. node is where it went.
type attempt struct {
	marker     int64
	call       int64 // attempts of one call with a key have one Idempotency-Key
	account    int   // -1 is the prober
	node       int
	keyed      bool
	stream     bool
	price      int64
	start, end time.Time

	outcome    outcome
	status     int
	code       string
	generation string // "" if the client was not told
	spent      int64  // as the client was told
	pieces     int    // that the client saw
	assistant  string
	version    int
	first      string // the generation that a conflict names
}

func (a *attempt) String() string {
	what := [...]string{"broken", "complete", "told", "left"}[a.outcome]
	return fmt.Sprintf("call %d, message %d, node %d: %s, status %d %s, %s", a.call, a.marker, a.node, what, a.status, a.code, orNone(a.generation))
}

func orNone(s string) string {
	if s == "" {
		return "no generation known"
	}
	return s
}

// incident is what explains that an answer was lost: a node was killed, or could not reach its database.
type incident struct {
	kind     eventKind
	node     int // -1 is all
	from, to time.Time
}

// granted is a top-up as its command ended.
type granted struct {
	account      int
	tokens       int64
	acknowledged bool
}

// fault is what needs no look at the database to be wrong.
type fault struct{ check, text string }

// record is what clients saw and what was done to the nodes.
type record struct {
	mu        sync.Mutex
	attempts  []*attempt
	incidents []incident
	topups    []granted
	looks     []seen
	faults    []fault
	begun     atomic.Int64
	ends      [4]atomic.Int64 // by outcome
	revoked   atomic.Int64    // keys whose next request was looked at, as below
	edited    atomic.Int64
}

func (r *record) attempt(a *attempt) {
	r.ends[a.outcome].Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts = append(r.attempts, a)
}

func (r *record) incident(i incident) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.incidents = append(r.incidents, i)
}

func (r *record) fault(check, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, fault{check, fmt.Sprintf(format, args...)})
}

func (r *record) look(s seen) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.looks = append(r.looks, s)
}

func (r *record) topup(g granted) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.topups = append(r.topups, g)
}

// count returns how many incidents of a kind there were.
func (r *record) count(kinds ...eventKind) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.incidents {
		for _, k := range kinds {
			if r.incidents[i].kind == k {
				n++
			}
		}
	}
	return n
}
