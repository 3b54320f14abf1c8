package generate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/elumenta/elumenta"
)

// call asks the model's routes until one answers: a failure before the first piece moves on to the next, within the request's
// time limits and the model's retry budget. Every event goes through r.
func (s *Service) call(ctx context.Context, p *prepared, r *relay) (elumenta.Completion, error) {
	now := r.began
	p.routes.budget.payIn(now)
	turn := p.routes.turn(p.prompt.CacheKey)
	var (
		done       tried
		completion elumenta.Completion
		failure    error
		failed     []choice
		paid       bool // a further call
	)
	defer func() {
		if paid {
			p.routes.budget.giveBack()
		}
	}()
	for ; ; now = time.Now() {
		c, wait, ok := p.routes.choose(turn, done, now)
		if !ok {
			if failure == nil {
				failure = errNoRoute(p.model, wait)
			}
			return completion, failure
		}
		if failure != nil && !paid {
			if paid = p.routes.budget.spend(); !paid {
				s.metrics.unbudgeted.WithLabelValues(p.model.Slug).Inc()
				return completion, failure
			}
		}
		if !c.begin() {
			done = done.with(c, true)
			continue
		}
		paid = false // it is called
		if failure != nil {
			last := &r.attempts[len(r.attempts)-1]
			s.metrics.moved.WithLabelValues(last.Provider, p.model.Slug, last.Kind.String()).Inc()
		}
		completion, failed, failure = s.try(ctx, p, r, c, turn, done, now, failure == nil)
		paid = r.paidNext()
		if failure == nil {
			return completion, nil
		}
		if r.again() && p.dropState(failure) {
			failure = nil // the same route may answer now, and it is no retry that an outage could multiply
			continue
		}
		if final(failure) || ctx.Err() != nil || r.interrupt.Err() != nil || !r.again() {
			return completion, failure
		}
		e, _ := errors.AsType[*elumenta.ProviderError](failure)
		for _, f := range failed {
			done = done.with(f, len(failed) > 1 || e.Kind != elumenta.KindAuth && e.Kind != elumenta.KindRateLimited)
		}
	}
}

// dropState leaves the state of earlier answers out of the prompt if the provider has refused it, and reports whether it did: OpenAI's
// belongs to the organization whose key asked for the answer, and another key or route may be another one's.
func (p *prepared) dropState(failure error) bool {
	e, ok := errors.AsType[*elumenta.ProviderError](failure)
	if !ok || e.Reason != elumenta.RejectState {
		return false
	}
	prompt, had := p.prompt.WithoutState()
	if had {
		p.prompt = prompt
		p.result.Warnings = append(p.result.Warnings, elumenta.Warning{
			Code: elumenta.WarnStateRefused, Field: "messages", Message: "the provider does not take the state of an earlier answer, which another of its accounts gave: left out",
		})
	}
	return had
}

// attempt calls one route, in a lane of the relay. ctx ends with the client.
func (s *Service) attempt(ctx context.Context, p *prepared, r *relay, l *lane, c choice, now time.Time, another bool) (elumenta.Completion, error) {
	call, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.watch(l, c.target(), now, another, cancel)
	return s.attend(call, ctx, cancel, p, r, l, c)
}

// attend makes a call that is watched already, and notes how it went. The call ends with the client or with this node.
func (s *Service) attend(call, ctx context.Context, cancel context.CancelCauseFunc, p *prepared, r *relay, l *lane, c choice) (elumenta.Completion, error) {
	defer context.AfterFunc(r.interrupt, func() { cancel(context.Cause(r.interrupt)) })()
	target := c.target()
	completion, err := s.guarded(call, p, c, func(ev elumenta.Event) error { return r.emit(l, ev) })
	r.providerEnded(l, err == nil)
	if err != nil {
		err = callError(call, target.Name, err)
	}
	s.metrics.providerCall(target.Name, p.model, l, completion.Usage)
	if l.lost {
		c.end(nil, true, l.ended)
		p.routing.health[target.Name].left()
		r.attempted(l, c, elumenta.KindCancelled)
		return completion, errHedged
	}
	e, failed := errors.AsType[*elumenta.ProviderError](err)
	if elumenta.HasCode(err, elumenta.CodeInternal) { // a panic over what the provider sent
		e, failed = &elumenta.ProviderError{Kind: elumenta.KindFailed}, true
	}
	left := err != nil && (!failed || ctx.Err() != nil) // the client left, or this node broke it off
	if left {
		e = nil // it says nothing of the route, which was answering if a piece came
	}
	if c.end(e, left && l.firstPiece.IsZero(), l.ended) {
		s.keyRefused(c, e)
	}
	seen := p.routing.health[target.Name]
	switch {
	case err == nil:
		seen.succeeded(l.ended)
		r.attempted(l, c, 0)
	case left:
		seen.left()
	default:
		seen.failed(l.ended, e.Kind)
		r.attempted(l, c, e.Kind)
		s.metrics.failures.WithLabelValues(target.Name, p.model.Slug, e.Kind.String()).Inc()
		s.Logger.LogAttrs(ctx, slog.LevelWarn, "provider failed", slog.Any("request_id", p.req.RequestID), slog.Any("generation_id", p.req.ID),
			slog.String("provider", target.Name), slog.String("model", p.model.Slug), slog.String("kind", e.Kind.String()), slog.Int("status", e.Status), slog.Any("cause", e.Cause))
	}
	return completion, err
}

// keyRefused tells the operator which key to look at, by its place in the configuration.
func (s *Service) keyRefused(c choice, e *elumenta.ProviderError) {
	key := strconv.Itoa(c.key + 1)
	s.metrics.refusedKeys.WithLabelValues(c.target().Name, key).Inc()
	s.Logger.Error("a provider refuses our key, or its account is empty: the key is left out for a minute, then tried again",
		"provider", c.target().Name, "key", key, "keys", len(c.route.targets), "reason", e.Message)
}

// guarded calls the provider and turns a panic into an error, so that the reservation is settled and the client answered.
// The panic's value may hold text of the conversation and is not logged.
func (s *Service) guarded(ctx context.Context, p *prepared, c choice, emit func(elumenta.Event) error) (completion elumenta.Completion, err error) {
	defer func() {
		if v := recover(); v != nil {
			s.Logger.Error("panic in a generation", "request_id", p.req.RequestID, "generation_id", p.req.ID, "panic", fmt.Sprintf("%T", v), "stack", elumenta.Stack())
			err = elumenta.Internal(fmt.Errorf("panic of type %T", v))
		}
	}()
	return c.route.Provider.Generate(ctx, *c.target(), p.prompt, emit)
}

// callError prefers the reason for which we cancelled a call to what the cancellation looked like at the provider.
func callError(call context.Context, provider string, err error) error {
	cause := context.Cause(call)
	if cause == nil || errors.Is(cause, context.Canceled) {
		return err
	}
	if timeout, ok := errors.AsType[*elumenta.ProviderError](cause); ok {
		e := *timeout
		e.Provider = provider
		return &e
	}
	return cause
}

// clientError translates a failure of the provider's call to what the contract says of it.
func clientError(err error) *elumenta.Error {
	pe, ok := errors.AsType[*elumenta.ProviderError](err)
	if !ok {
		return elumenta.AsError(err)
	}
	details := map[string]any{"provider": pe.Provider}
	e := &elumenta.Error{Message: pe.Message, Details: details, RetryAfter: pe.RetryAfter, Cause: pe}
	switch pe.Kind {
	case elumenta.KindRejected:
		e.Code = elumenta.CodeProviderRejected
		reason := pe.Reason
		if reason == "" {
			reason = elumenta.RejectOther
		}
		details["reason"] = reason
		e.RetryAfter = 0
	case elumenta.KindAuth:
		e.Code, e.Message = elumenta.CodeModelUnavailable, "the provider refuses this server's credential; its operator has been told"
		e.RetryAfter = max(e.RetryAfter, authRetry)
	case elumenta.KindRateLimited, elumenta.KindOverloaded:
		e.Code, e.Message = elumenta.CodeModelUnavailable, "the provider is overloaded; try again later"
		if e.RetryAfter <= 0 {
			e.RetryAfter = overloadRetry
		}
	case elumenta.KindTimeout:
		e.Code = elumenta.CodeProviderTimeout
	default:
		e.Code, e.Message = elumenta.CodeProvider, pe.Message+": try again, or choose another model"
		details["status"], details["provider_message"] = pe.Status, pe.Message
	}
	return e
}

// How long a client should wait where the provider did not say.
const (
	authRetry     = time.Minute
	overloadRetry = 5 * time.Second
)
