package generate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/elumenta/elumenta"
)

// attempt calls the model's first route. Every event goes through r.
func (s *Service) attempt(ctx context.Context, p *prepared, r *relay) (elumenta.Completion, error) {
	s.mu.Lock()
	interrupt := s.interrupt
	s.mu.Unlock()
	call, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(interrupt, func() { cancel(context.Cause(interrupt)) })()
	r.watch(cancel)
	route := p.model.Routes[0]
	r.target = &route.Target
	completion, err := s.guarded(call, p, route, r.emit)
	r.providerEnded()
	if err != nil {
		err = callError(call, route.Target.Name, err)
	}
	s.metrics.providerCall(route.Target.Name, p.model, r, completion.Usage)
	seen := s.health[route.Target.Name]
	e, failed := errors.AsType[*elumenta.ProviderError](err)
	switch {
	case err == nil:
		seen.succeeded(r.ended)
	case !failed || ctx.Err() != nil: // the client left, or this node broke it off
		seen.left()
	default:
		seen.failed(r.ended, e.Kind)
		s.metrics.failures.WithLabelValues(route.Target.Name, p.model.Slug, e.Kind.String()).Inc()
		s.Logger.LogAttrs(ctx, slog.LevelWarn, "provider failed", slog.Any("request_id", p.req.RequestID), slog.Any("generation_id", p.req.ID),
			slog.String("provider", route.Target.Name), slog.String("model", p.model.Slug), slog.String("kind", e.Kind.String()), slog.Int("status", e.Status), slog.Any("cause", e.Cause))
	}
	return completion, err
}

// guarded calls the provider and turns a panic into an error, so that the reservation is settled and the client answered.
// The panic's value may hold text of the conversation and is not logged.
func (s *Service) guarded(ctx context.Context, p *prepared, route elumenta.Route, emit func(elumenta.Event) error) (c elumenta.Completion, err error) {
	defer func() {
		if v := recover(); v != nil {
			s.Logger.Error("panic in a generation", "request_id", p.req.RequestID, "generation_id", p.req.ID, "type", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
			err = elumenta.Internal(fmt.Errorf("panic of type %T", v))
		}
	}()
	return route.Provider.Generate(ctx, route.Target, p.prompt, emit)
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
