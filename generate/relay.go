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
	target *elumenta.Target // that was called last

	mu         sync.Mutex // one owner of the client's connection at a time: the provider's goroutine or the timer's
	timer      *time.Timer
	cancel     context.CancelCauseFunc // of the provider's call; nil once it has ended
	opened     bool
	pieces     bool      // output has reached the sink
	firstPiece time.Time // zero if there was none
	lastEvent  time.Time // of the provider
	lastWrite  time.Time // to the client
	sinkErr    error     // the client is gone
	ended      time.Time // when the provider's call ended
	stopped    bool
}

func newRelay(s *Service, p *prepared, sink elumenta.Sink) *relay {
	now := time.Now()
	return &relay{s: s, p: p, sink: sink, stream: p.req.Stream, began: now, lastWrite: now}
}

// watch starts the timer. cancel ends the provider's call.
func (r *relay) watch(cancel context.CancelCauseFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cancel = cancel
	r.timer = time.AfterFunc(r.next(r.began), r.tick)
}

// emit is the provider's callback.
func (r *relay) emit(ev elumenta.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sinkErr != nil {
		return r.sinkErr
	}
	if ev.Kind == elumenta.EventPause {
		if !r.stream || !r.opened {
			return nil
		}
		r.lastWrite = time.Now()
		return r.keep(r.sink.Event(ev))
	}
	r.lastEvent = time.Now()
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
		if err := r.keep(r.sink.Open(r.p.started)); err != nil {
			return err
		}
	}
	err := r.keep(r.sink.Event(ev))
	r.pieces = r.pieces || first && err == nil
	return err
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
	if limit, at := r.limit(); r.cancel != nil && !now.Before(at) {
		r.cancel(&elumenta.ProviderError{Kind: elumenta.KindTimeout, Message: limit})
		r.cancel = nil
	} else if r.stream && r.sinkErr == nil && now.Sub(r.lastWrite) >= r.s.Silence {
		r.breakSilence(now)
	}
	r.timer.Reset(r.next(now))
}

func (r *relay) breakSilence(now time.Time) {
	r.lastWrite = now
	if r.opened {
		_ = r.keep(r.sink.KeepAlive())
	} else {
		r.opened = true
		_ = r.keep(errors.Join(r.sink.Open(r.p.started), r.sink.Event(elumenta.Event{Kind: elumenta.EventPause})))
	}
	if r.sinkErr != nil && r.cancel != nil {
		r.cancel(r.sinkErr)
		r.cancel = nil
	}
}

// limit returns the time limit that runs out first.
func (r *relay) limit() (message string, at time.Time) {
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
	if r.cancel != nil {
		_, at := r.limit()
		sleep = min(sleep, at.Sub(now))
	}
	return max(sleep, time.Millisecond)
}

// providerEnded notes that the provider's call is over: only keep-alives are due from now on.
func (r *relay) providerEnded() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cancel, r.ended = nil, time.Now()
}

// stop ends the timer's work on the sink and returns how long the provider took.
func (r *relay) stop() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	if r.timer != nil {
		r.timer.Stop()
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
