package generate

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/elumenta/elumenta"
)

// relay passes a provider's events to a sink and watches the clock: one timer opens a silent stream, keeps it alive and
// cancels a provider that is too slow. Nothing is re-armed per event.
type relay struct {
	s      *Service
	p      *prepared
	sink   elumenta.Sink
	stream bool
	began  time.Time
	// interrupt ends with this node.
	interrupt context.Context
	last      *lane // whose call answers, or began last

	attempts []elumenta.Attempt
	one      [1]elumenta.Attempt // where attempts begin: most answers take one
	first    lane

	mu         sync.Mutex // one owner of the client's connection at a time: a provider's goroutine or the timer's
	timer      *time.Timer
	hedge      *lane // of a call beside the first; nil: none
	answers    *lane // whose call has begun to answer; nil: none yet
	opened     bool
	pieces     bool          // output has reached the sink
	paused     bool          // the provider's next event was waited for
	paid       bool          // the retry budget has paid for a next call
	stopped    bool          // the sink is left alone
	firstPiece time.Time     // zero if there was none
	lastEvent  time.Time     // of the provider
	unflushed  int           // events that the sink was given since it was last flushed, and bytes of their text
	lastWrite  time.Time     // to the client
	sinkErr    error         // the client is gone
	blocked    time.Duration // how long writes to the client took
	ended      time.Time     // when the provider's call ended
}

// lane is a provider's call. There are two of them while a call is hedged.
type lane struct {
	target     *elumenta.Target
	cancel     context.CancelCauseFunc // nil once the call has ended
	called     time.Time               // when it began
	answerBy   time.Time               // when it makes way for the next route if it has not begun to answer; zero: the limits alone count
	ended      time.Time
	firstPiece time.Time // once it has ended; zero if there was none
	lost       bool      // another call was first
}

// errHedged ends a call that another one was faster than.
var errHedged error = &elumenta.ProviderError{Kind: elumenta.KindCancelled, Message: "another route was first"}

func newRelay(s *Service, p *prepared, sink elumenta.Sink) *relay {
	s.mu.Lock()
	interrupt := s.interrupt
	s.mu.Unlock()
	now := time.Now()
	r := &relay{s: s, p: p, sink: sink, stream: p.req.Stream, began: now, interrupt: interrupt, lastWrite: now}
	r.last = &r.first
	r.attempts = r.one[:0]
	return r
}

// watch looks after a provider's call that begins now; cancel ends it. While there is another route that the retry budget can pay, a call
// that does not begin to answer gets half of the time that is left, or all of it but what a stream would get: whether a whole answer
// has begun cannot be seen.
func (r *relay) watch(l *lane, target *elumenta.Target, now time.Time, another bool, cancel context.CancelCauseFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*l = lane{target: target, cancel: cancel, called: now}
	r.last, r.lastEvent, r.answers = l, time.Time{}, nil
	if another {
		l.answerBy = r.makeWay(now)
	}
	r.wake(now)
}

// makeWay is when a call that begins now makes way for the next route.
func (r *relay) makeWay(now time.Time) time.Time {
	_, at := r.limitOfAll()
	left := at.Sub(now)
	share := left / 2
	if !r.stream {
		share = max(share, left-r.s.FirstPiece)
	}
	return now.Add(share)
}

func (r *relay) wake(now time.Time) {
	if r.timer == nil {
		r.timer = time.AfterFunc(r.next(now), r.tick)
	} else {
		r.timer.Reset(r.next(now))
	}
}

// again reports whether another call may answer: nothing of the last one has reached the client, who is there, and there is time. What a
// whole answer had so far is dropped then.
func (r *relay) again() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lastEvent = time.Time{} // of thoughts that the client was not shown
	if _, at := r.limitOfAll(); r.stream && !r.firstPiece.IsZero() || r.sinkErr != nil || time.Until(at) <= 0 {
		return false
	}
	if !r.firstPiece.IsZero() {
		r.firstPiece, r.pieces = time.Time{}, false
		r.sink.Restart()
	}
	return true
}

// emit is the callback of a call.
func (r *relay) emit(l *lane, ev elumenta.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.lost || r.stopped {
		return errHedged
	}
	if r.sinkErr != nil {
		return r.sinkErr
	}
	if ev.Kind == elumenta.EventPause {
		r.paused = true
		return r.flush()
	}
	if r.paused || r.lastEvent.IsZero() {
		r.paused, r.lastEvent = false, time.Now() // what comes without a pause came at the same time
	}
	if r.answers == nil {
		r.win(l)
	}
	thought := ev.Kind == elumenta.EventReasoning || ev.Kind == elumenta.EventOpaque
	if thought && !r.p.req.ShowsReasoning {
		return nil
	}
	first := (thought || output(ev.Kind)) && r.firstPiece.IsZero()
	if first {
		r.firstPiece = r.lastEvent
	}
	if first && r.stream && !r.opened {
		r.opened = true
		if err := r.keep(r.sink.Open(&r.p.result.Started)); err != nil {
			return err
		}
	}
	err := r.keep(r.sink.Event(ev))
	r.pieces = r.pieces || first && err == nil
	if r.unflushed += 1 + len(ev.Text); err == nil && r.unflushed >= mostUnflushed {
		err = r.flush()
	}
	return err
}

// mostUnflushed is after how many events and bytes of their text a provider that never pauses is written out.
const mostUnflushed = 8 << 10

// flush has the sink of a stream write what it holds. Where that is nothing, since the client is not shown what a model thinks or the
// sink's format has a piece wait for others, the stream stays silent. The time that the client takes to read is none of the provider's.
func (r *relay) flush() error {
	r.unflushed = 0
	if !r.stream || !r.opened {
		return nil
	}
	began := time.Now()
	written, err := r.sink.Flush()
	if written {
		end := time.Now()
		r.lastWrite = began
		r.blocked += end.Sub(began)
		if !r.lastEvent.IsZero() {
			r.lastEvent = end
		}
	}
	return r.keep(err)
}

func output(k elumenta.EventKind) bool {
	return k == elumenta.EventText || k == elumenta.EventRefusal || k == elumenta.EventToolCall
}

func (r *relay) keep(err error) error {
	if err != nil {
		r.sinkErr = err
	}
	return err
}

// tick runs when something may be due.
func (r *relay) tick() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return
	}
	now := time.Now()
	late := r.expire(&r.first, now)
	if r.hedge != nil {
		late = r.expire(r.hedge, now) || late
	}
	if !late && r.stream && r.sinkErr == nil && now.Sub(r.lastWrite) >= r.s.Silence {
		r.breakSilence(now)
	}
	r.timer.Reset(r.next(now))
}

// expire cancels a call that has no time left.
func (r *relay) expire(l *lane, now time.Time) bool {
	if l.cancel == nil {
		return false
	}
	limit, at := r.limit(l)
	if now.Before(at) || r.mayGoOn(l, at) {
		return false
	}
	l.cancel(r.late(limit, at))
	l.cancel = nil
	return true
}

// mayGoOn reports whether a call that is to make way for another route need not, since the retry budget has nothing for that.
func (r *relay) mayGoOn(l *lane, at time.Time) bool {
	if !at.Equal(l.answerBy) {
		return false
	}
	r.paid = r.paid || r.p.routes.budget.spend()
	l.answerBy = time.Time{}
	return !r.paid
}

// paidNext reports whether the retry budget has paid for the next call already.
func (r *relay) paidNext() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	paid := r.paid
	r.paid = false
	return paid
}

// slowReader is the share of a generation's time from which on a client that does not read, and not its provider, used it up.
const slowReader = 10

var errSlowReader = errors.New("the client read too slowly")

// late is why a call is broken off at a limit. A stream that its client held up until the time of a generation was over ends as if the
// client had left: it has been given all but the rest. The other limits count the provider's time alone.
func (r *relay) late(limit string, at time.Time) error {
	if r.stream && r.pieces && r.blocked >= r.s.Whole/slowReader && at.Equal(r.began.Add(r.s.Whole)) {
		r.sinkErr = errSlowReader
		return errSlowReader
	}
	return &elumenta.ProviderError{Kind: elumenta.KindTimeout, Message: limit}
}

func (r *relay) breakSilence(now time.Time) {
	r.lastWrite = now
	if r.opened {
		_ = r.keep(r.sink.KeepAlive())
	} else {
		r.opened = true
		err := r.sink.Open(&r.p.result.Started)
		if err == nil {
			_, err = r.sink.Flush()
		}
		_ = r.keep(err)
	}
	if r.sinkErr != nil {
		r.first.stop(r.sinkErr)
		r.hedge.stop(r.sinkErr)
	}
}

// limit returns the time limit of the call that runs out first.
func (r *relay) limit(l *lane) (message string, at time.Time) {
	message, at = r.limitOfAll()
	if r.lastEvent.IsZero() && !l.answerBy.IsZero() && l.answerBy.Before(at) {
		return "the provider did not begin to answer in time", l.answerBy
	}
	return message, at
}

// limitOfAll returns the time limit that runs out first, whatever routes are left.
func (r *relay) limitOfAll() (message string, at time.Time) {
	message, at = "the generation took longer than is allowed", r.began.Add(r.s.Whole)
	if !r.stream {
		return message, at
	}
	if r.lastEvent.IsZero() {
		if first := r.began.Add(r.s.FirstPiece); first.Before(at) {
			return "the provider did not begin to answer in time", first
		}
	} else if next := r.lastEvent.Add(r.s.BetweenPieces); next.Before(at) {
		return "the provider stopped in the middle of its answer", next
	}
	return message, at
}

// next is how long the timer may sleep.
func (r *relay) next(now time.Time) time.Duration {
	sleep := r.s.Silence
	if r.stream {
		sleep = min(sleep, r.lastWrite.Add(r.s.Silence).Sub(now))
	}
	for _, l := range [...]*lane{&r.first, r.hedge} {
		if l != nil && l.cancel != nil {
			_, at := r.limit(l)
			sleep = min(sleep, at.Sub(now))
		}
	}
	return max(sleep, time.Millisecond)
}

// providerEnded notes that a call is over, and how: the limits do not hold for it any more. What l says is its caller's from now on.
func (r *relay) providerEnded(l *lane, complete bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.cancel, l.ended = nil, time.Now()
	if l.lost {
		return
	}
	if r.answers == nil && complete {
		r.win(l)
	}
	r.ended = l.ended
	if r.answers == l {
		l.firstPiece = r.firstPiece
	}
}

// attempted notes what came of a call that has ended. Kind is zero for an answer.
func (r *relay) attempted(l *lane, c choice, kind elumenta.ErrorKind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts = append(r.attempts, elumenta.Attempt{Provider: c.target().Name, Region: c.route.Region, Kind: kind, Duration: l.ended.Sub(l.called)})
}

// explain names the calls in a failure's details, where there were several.
func (r *relay) explain(e *elumenta.Error) {
	if len(r.attempts) > 1 && e.Details != nil {
		e.Details["attempts"] = r.attempts
	}
}

// stop ends the timer's work on the sink and returns how long the provider took.
func (r *relay) stop() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	if r.timer != nil {
		r.timer.Stop()
	}
	if r.ended.IsZero() {
		return 0 // none was called
	}
	return r.ended.Sub(r.began)
}

// outcome says how the generation is settled, and what the client is told; nil means a complete answer.
func (r *relay) outcome(ctx context.Context, c elumenta.Completion, err error) (elumenta.Outcome, *elumenta.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o := elumenta.Outcome{State: elumenta.Charged, Finish: c.Finish, Usage: c.Usage, Latency: time.Since(r.p.req.ReceivedAt)}
	if !r.firstPiece.IsZero() {
		o.FirstPiece = r.firstPiece.Sub(r.p.req.ReceivedAt)
	}
	left := r.sinkErr != nil || ctx.Err() != nil
	switch {
	case err == nil && (r.stream || !left):
		return o, nil
	case left && r.stream && r.pieces && (r.sinkErr != nil || errors.Is(err, context.Canceled)):
		o.Error = errorClientLeft
		if r.sinkErr == errSlowReader { //nolint:errorlint // ours
			return o, elumenta.Errorf(elumenta.CodeProviderTimeout, "the answer was read too slowly: the generation took longer than is allowed")
		}
		return o, elumenta.Errorf(errorClientLeft, "the client left")
	case left:
		o.State, o.Error = elumenta.GivenBack, errorClientLeft
		return o, elumenta.Errorf(errorClientLeft, "the client left")
	}
	e := clientError(err)
	o.State, o.Error = elumenta.GivenBack, e.Code
	return o, e
}

// errorClientLeft is recorded of a generation whose client went away. No client sees it.
const errorClientLeft elumenta.Code = "client_left"
