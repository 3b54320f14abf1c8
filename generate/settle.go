package generate

import (
	"context"
	"math"
	"time"

	"github.com/elumenta/elumenta"
)

const (
	settleTry      = 10 * time.Second // one attempt
	settlePauseMin = 10 * time.Millisecond
	settlePauseMax = time.Second
)

// settle makes a reservation final. It does not depend on the client: it is repeated until the database answers, for as
// long as an answer may be held back. After that the price is given back in the background, even if the charge turns out to
// have been committed, since the client is told that it pays nothing.
func (s *Service) settle(ctx context.Context, p *prepared, o elumenta.Outcome) (elumenta.Settled, error) {
	settled, err := s.settleUntil(context.WithoutCancel(ctx), time.Now().Add(s.SettleWait), nil, p, o)
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
// follows is the last.
func (s *Service) settleUntil(ctx context.Context, end time.Time, stop <-chan struct{}, p *prepared, o elumenta.Outcome) (elumenta.Settled, error) {
	left := func() time.Duration {
		if end.IsZero() {
			return math.MaxInt64
		}
		return time.Until(end)
	}
	for pause, last := settlePauseMin, false; ; pause = min(2*pause, settlePauseMax) {
		try, cancel := context.WithTimeout(ctx, min(settleTry, left()))
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
