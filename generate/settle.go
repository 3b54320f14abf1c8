package generate

import (
	"context"
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
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.SettleWait)
	defer cancel()
	settled, err := s.settleUntil(ctx, nil, p, o)
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
	if _, err := s.settleUntil(context.Background(), s.stopped, p, o); err != nil {
		s.Logger.Warn("reservation not given back; its lease will, but a charge whose commit was not answered may stand",
			"generation_id", p.req.ID, "error", err)
	}
}

// settleUntil repeats until the database answers or ctx ends. Once stop is closed, the attempt that follows is the last.
func (s *Service) settleUntil(ctx context.Context, stop <-chan struct{}, p *prepared, o elumenta.Outcome) (elumenta.Settled, error) {
	for pause, last := settlePauseMin, false; ; pause = min(2*pause, settlePauseMax) {
		try, cancel := context.WithTimeout(ctx, settleTry)
		settled, err := s.Store.Settle(try, p.caller.Account.ID, p.req.ID, o)
		cancel()
		if err == nil || last || ctx.Err() != nil || elumenta.HasCode(err, elumenta.CodeInternal) {
			return settled, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
		case <-stop:
			last = true
		}
		timer.Stop()
	}
}
