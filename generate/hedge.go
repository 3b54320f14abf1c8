package generate

import (
	"context"
	"errors"
	"time"

	"github.com/elumenta/elumenta"
)

// hedge is a call of another route beside one that is silent.
type hedge struct {
	lane       lane
	choice     choice // its route is nil if there was none
	completion elumenta.Completion
	err        error
}

// Outcomes of a hedge: whether it began to answer first.
const hedgeWon, hedgeLost = "won", "lost"

// try calls a route, hedged if that is wanted of a request's first call and there is another route. It returns which routes have failed.
func (s *Service) try(ctx context.Context, p *prepared, r *relay, c choice, t turn, done tried, now time.Time, first bool) (elumenta.Completion, []choice, error) {
	done = done.with(c, true)
	_, _, another := p.routes.choose(t, done, now)
	if first && another && p.model.HedgeAfter > 0 {
		return s.hedged(ctx, p, r, c, t, done, now)
	}
	completion, err := s.attempt(ctx, p, r, &r.first, c, now, another)
	if err == nil {
		return completion, nil, nil
	}
	return completion, []choice{c}, err
}

// hedged calls a route and, where that has sent nothing after the model's HedgeAfter, another one beside it: whichever begins to
// answer first answers (https://research.google/pubs/the-tail-at-scale/). It returns once both calls have, with those of
// them that failed: one that only was not the first may be asked again.
func (s *Service) hedged(ctx context.Context, p *prepared, r *relay, c choice, t turn, done tried, now time.Time) (completion elumenta.Completion, failed []choice, err error) {
	h, over := new(hedge), make(chan struct{})
	timer := time.AfterFunc(p.model.HedgeAfter, func() {
		defer close(over)
		s.hedge(ctx, p, r, h, t, done)
	})
	completion, err = s.attempt(ctx, p, r, &r.first, c, now, true)
	if !timer.Stop() {
		<-over
	}
	if err != nil && !errors.Is(err, errHedged) {
		failed = append(failed, c)
	}
	if h.choice.route == nil {
		return completion, failed, err
	}
	if h.err != nil && !errors.Is(h.err, errHedged) {
		failed = append(failed, h.choice)
	}
	outcome := hedgeLost
	r.mu.Lock()
	won, neither := r.answers == &h.lane, r.answers == nil
	r.hedge = nil
	r.mu.Unlock()
	if won {
		outcome = hedgeWon
	}
	s.metrics.hedges.WithLabelValues(h.choice.target().Name, p.model.Slug, outcome).Inc()
	if n := len(r.attempts); n > 1 && r.attempts[n-1].Kind == elumenta.KindCancelled {
		r.attempts[n-1], r.attempts[n-2] = r.attempts[n-2], r.attempts[n-1] // the one that answered stands last
	}
	if won || neither && !final(err) {
		return h.completion, failed, h.err
	}
	return completion, failed, err
}

// hedge makes the second call if the first is still silent, another route is well, and the retry budget pays.
func (s *Service) hedge(ctx context.Context, p *prepared, r *relay, h *hedge, t turn, done tried) {
	c, _, ok := p.routes.choose(t, done, time.Now())
	for passed := done; ok && !c.well(); {
		passed = passed.with(c, true)
		c, _, ok = p.routes.choose(t, passed, time.Now())
	}
	if !ok || ctx.Err() != nil || r.interrupt.Err() != nil || !p.routes.budget.spend() {
		return
	}
	if !c.begin() {
		p.routes.budget.giveBack()
		return
	}
	_, _, another := p.routes.choose(t, done.with(c, true), time.Now())
	call, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if !r.join(&h.lane, c.target(), another, cancel) {
		p.routes.budget.giveBack()
		c.end(nil, true, time.Now())
		return
	}
	h.choice = c
	h.completion, h.err = s.attend(call, ctx, cancel, p, r, &h.lane, c)
}

// final reports whether no other route would mend a failure.
func final(err error) bool {
	e, ok := errors.AsType[*elumenta.ProviderError](err)
	return !ok || e.Kind == elumenta.KindRejected
}

// join looks after a call beside the first, unless that has begun to answer or is over. If it goes to the last route, the first need
// not make way for another.
func (r *relay) join(l *lane, target *elumenta.Target, another bool, cancel context.CancelCauseFunc) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answers != nil || r.first.cancel == nil || r.sinkErr != nil {
		return false
	}
	now := time.Now()
	*l = lane{target: target, cancel: cancel, called: now}
	if another {
		l.answerBy = r.makeWay(now)
	} else {
		r.first.answerBy = time.Time{}
	}
	r.hedge = l
	r.wake(now)
	return true
}

// win has a call answer, and ends the one beside it.
func (r *relay) win(l *lane) {
	r.answers, r.last = l, l
	if r.hedge == nil {
		return
	}
	other := r.hedge
	if l == other {
		other = &r.first
	}
	if other.ended.IsZero() {
		other.lost = true
		other.stop(errHedged)
	}
}

// stop cancels a call that runs.
func (l *lane) stop(why error) {
	if l != nil && l.cancel != nil {
		l.cancel(why)
		l.cancel = nil
	}
}
