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
// long as an answer may be held back. After that the price is given back in the background.
func (s *Service) settle(p *prepared, o elumenta.Outcome) (elumenta.Settled, error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.SettleWait)
	defer cancel()
	settled, err := s.settleUntil(ctx, p, o)
	if err == nil {
		return settled, nil
	}
	if elumenta.HasCode(err, elumenta.CodeInternal) {
		return settled, err
	}
	o.State, o.Error = elumenta.GivenBack, elumenta.CodeUnavailable
	s.background.Go(func() { s.giveBack(p, o) })
	return elumenta.Settled{State: elumenta.GivenBack}, err
}

// giveBack repeats until the database answers or the service is closed.
func (s *Service) giveBack(p *prepared, o elumenta.Outcome) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { // ends with cancel
		select {
		case <-s.stopped:
			cancel()
		case <-ctx.Done():
		}
	}()
	if _, err := s.settleUntil(ctx, p, o); err != nil {
		s.Logger.Warn("reservation not given back; its lease will", "generation_id", p.req.ID, "error", err)
	}
}

func (s *Service) settleUntil(ctx context.Context, p *prepared, o elumenta.Outcome) (elumenta.Settled, error) {
	for pause := settlePauseMin; ; pause = min(2*pause, settlePauseMax) {
		try, cancel := context.WithTimeout(ctx, settleTry)
		settled, err := s.Store.Settle(try, p.caller.Account.ID, p.req.ID, o)
		cancel()
		if err == nil || elumenta.HasCode(err, elumenta.CodeInternal) {
			return settled, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return settled, err
		}
	}
}
