package generate

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/elumenta/elumenta"
)

const (
	settleTry      = 10 * time.Second // one attempt, which may share its context with others that began within
	settleTogether = time.Second
	settlePauseMin = 10 * time.Millisecond
	settlePauseMax = time.Second
)

// settle makes a reservation final. It does not depend on the client: it is repeated until the database answers, for as
// long as an answer may be held back. After that the price is given back in the background, even if the charge turns out to
// have been committed, since the client is told that it pays nothing.
func (s *Service) settle(ctx context.Context, p *prepared, o elumenta.Outcome) (elumenta.Settled, error) {
	settled, err := s.settleUntil(ctx, time.Now().Add(s.SettleWait), nil, p, o)
	if err == nil {
		return settled, nil
	}
	if elumenta.HasCode(err, elumenta.CodeInternal) {
		return settled, err
	}
	o.State, o.Error, o.Correct = elumenta.GivenBack, elumenta.CodeUnavailable, true
	s.background.Go(func() { s.giveBack(p, o) })
	return elumenta.Settled{State: elumenta.GivenBack}, err
}

// giveBack repeats until the database answers or the service is closed. What is still open then is given back by its lease,
// but a charge stands.
func (s *Service) giveBack(p *prepared, o elumenta.Outcome) {
	if _, err := s.settleUntil(context.Background(), time.Time{}, s.stopped, p, o); err != nil {
		s.Logger.Warn("reservation not given back; its lease will, but a charge whose commit was not answered may stand",
			"generation_id", p.req.ID, "error", err)
	}
}

// settleUntil repeats until the database answers or it is so late; zero: without an end. Once stop is closed, the attempt that
// follows is the last. Of ctx only the values count.
func (s *Service) settleUntil(ctx context.Context, end time.Time, stop <-chan struct{}, p *prepared, o elumenta.Outcome) (elumenta.Settled, error) {
	left := func() time.Duration {
		if end.IsZero() {
			return math.MaxInt64
		}
		return time.Until(end)
	}
	for pause, last := settlePauseMin, false; ; pause = min(2*pause, settlePauseMax) {
		try, cancel := s.tries.context(ctx, left())
		settled, err := s.Store.Settle(try, p.caller.Account.ID, p.req.ID, o)
		cancel()
		if err == nil || last || left() <= 0 || elumenta.HasCode(err, elumenta.CodeInternal) {
			return settled, err
		}
		timer := time.NewTimer(min(pause, left()))
		select {
		case <-timer.C:
		case <-stop:
			last = true
		}
		timer.Stop()
	}
}

// tries gives attempts their time limits. Those that begin at about the same time share a context, since one for each would cost
// half as much memory as the rest of settling.
type tries struct {
	mu      sync.Mutex
	current context.Context
	fits    time.Time // until when an attempt that begins has all of its time
}

// context returns one with the values of ctx for an attempt that begins now and has settleTry, or what is left.
func (t *tries) context(ctx context.Context, left time.Duration) (context.Context, context.CancelFunc) {
	if left < settleTry+settleTogether {
		return context.WithTimeout(context.WithoutCancel(ctx), min(settleTry, left))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := time.Now(); !now.Before(t.fits) {
		shared, cancel := context.WithTimeout(context.Background(), settleTry+settleTogether)
		context.AfterFunc(shared, cancel)
		t.current, t.fits = shared, now.Add(settleTogether)
	}
	return valuesOf{t.current, ctx}, func() {}
}

// valuesOf is a context with the values of another.
type valuesOf struct {
	context.Context
	values context.Context
}

// Value asks the context itself first, of which package context asks whether it is one of its own.
func (v valuesOf) Value(key any) any {
	if value := v.Context.Value(key); value != nil {
		return value
	}
	return v.values.Value(key)
}
