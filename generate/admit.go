package generate

import (
	"context"
	"errors"
	"time"

	"github.com/elumenta/elumenta"
)

// prepared is a generation that may begin: what it was composed from, its reservation, and what becomes of it.
type prepared struct {
	req      *elumenta.Request
	caller   *elumenta.Caller
	snapshot *elumenta.Snapshot // nil without an assistant
	constant uint64             // the hash of what its instructions always begin with
	model    *elumenta.Model
	routing  *routing // the model's catalog
	routes   *modelRoutes
	prompt   *elumenta.Prompt
	result   elumenta.Result // Started and Warnings from the beginning, the rest at the end
}

// maxStale is how often a request is composed anew when something changed between reading and reserving.
const maxStale = 3

// admit composes and reserves. What was composed from cached copies is confirmed by the reservation, and an error that
// stands on a cached copy is repeated on a fresh one.
func (s *Service) admit(ctx context.Context, caller *elumenta.Caller, req *elumenta.Request) (*prepared, error) {
	fresh := elumenta.StaleError{}
	for range maxStale + 1 {
		p, cached, err := s.prepare(ctx, caller, req, fresh)
		if err != nil {
			if cached {
				fresh = elumenta.StaleError{Key: true, Account: true, Assistant: true}
				continue
			}
			return nil, err
		}
		caller = p.caller
		grant, err := s.Store.Reserve(ctx, p.reservation(s.Whole+s.SettleWait))
		if stale, ok := errors.AsType[*elumenta.StaleError](err); ok {
			fresh = *stale
			continue
		}
		if err != nil {
			return nil, p.discreet(err)
		}
		p.result.Rate = grant.Rate
		return p, nil
	}
	return nil, errChanging()
}

func errChanging() error {
	return &elumenta.Error{
		Code: elumenta.CodeUnavailable, RetryAfter: time.Second,
		Message: "the key, account or assistant kept changing while the request was prepared; try again",
	}
}

// discreet takes the balance out of a refusal to a key that reads nothing of the account.
func (p *prepared) discreet(err error) error {
	if e := elumenta.AsError(err); e.Code == elumenta.CodeInsufficientTokens && e.Details["limit"] == nil && p.caller.Key.Limits.Scoped() {
		e = elumenta.Errorf(elumenta.CodeInsufficientTokens, "the account's balance does not cover the model's cost of %d", p.model.TokenCost)
		e.Details = map[string]any{"cost": p.model.TokenCost}
		return e
	}
	return err
}

// prepare composes a request, loading anew what fresh names. cached reports whether a cached copy was used.
func (s *Service) prepare(ctx context.Context, caller *elumenta.Caller, req *elumenta.Request, fresh elumenta.StaleError) (p *prepared, cached bool, err error) {
	p = &prepared{req: req, caller: caller}
	if fresh.Key || fresh.Account {
		s.cache.forgetCaller(caller.Key.Hash)
		if p.caller, err = s.cache.caller(ctx, caller.Key.Hash); err != nil {
			return nil, false, err
		}
	} else {
		cached = true
	}
	if err = permitAssistant(&p.caller.Key.Limits, req.Assistant.ID); err != nil {
		return nil, cached, err
	}
	if req.Assistant.ID != "" {
		a, hit, err := s.cache.assistant(ctx, p.caller.Account.ID, req, fresh.Assistant)
		if err != nil {
			return nil, cached, err
		}
		p.snapshot, p.constant = a.Snapshot, a.constant
		cached = cached || hit
	}
	if err = s.chooseModel(p); err != nil {
		return nil, cached, err
	}
	if p.prompt, err = elumenta.Compose(p.snapshot, req, p.model); err != nil {
		return nil, cached, err
	}
	p.result.Warnings = p.allWarnings()
	p.result.Started = elumenta.Started{ID: req.ID, Model: p.model.Slug, CreatedAt: req.ReceivedAt, Sunset: p.model.RetiresAt}
	if p.snapshot != nil {
		p.result.Assistant, p.result.Version = p.snapshot.ID, p.snapshot.Version
	}
	return p, cached, nil
}

// permitAssistant holds a request to what its key may generate with, before anything is looked up.
func permitAssistant(l *elumenta.KeyLimits, id elumenta.AssistantID) error {
	switch {
	case l.ReadOnly:
		return elumenta.BeyondLimit(elumenta.LimitReadOnly, "this key is for reading only: use another to generate")
	case l.AllowsAssistant(id):
		return nil
	case id == "":
		return elumenta.BeyondLimit(elumenta.LimitAssistants, "this key generates with some assistants only: send the assistant_id of one; GET /api/v2/keys/me lists them")
	}
	return elumenta.BeyondLimit(elumenta.LimitAssistants, "this key does not generate with this assistant; GET /api/v2/keys/me lists those that it does")
}

func (s *Service) chooseModel(p *prepared) error {
	slug := p.req.Model
	if slug == "" && p.snapshot != nil {
		slug = p.snapshot.Model
	}
	var errs elumenta.FieldErrors
	if slug == "" {
		errs.Add("model", "is required without an assistant_id")
		return errs.Err()
	}
	model, ok := s.Catalog.Get(slug)
	_, offered := s.Plans.Get(p.caller.Account.Plan)
	switch {
	case !ok && p.req.Model == "":
		errs.Add("model", "is required: the assistant's own is not in the catalog any more")
		return errs.Err()
	case !ok:
		errs.Add("model", "is not in the catalog; GET /api/v2/models lists what is")
		return errs.Err()
	case !p.caller.Key.Limits.AllowsModel(slug):
		return elumenta.BeyondLimit(elumenta.LimitModels, "this key does not generate with the model "+slug+"; GET /api/v2/keys/me lists those that it does")
	case !offered:
		return elumenta.PlanGone(p.caller.Account.Plan)
	case !s.Plans.Includes(p.caller.Account.Plan, model.MinPlan):
		e := elumenta.Errorf(elumenta.CodeInsufficientPlan, "the model %s needs at least the plan %s; this account is on %s", slug, model.MinPlan, p.caller.Account.Plan)
		e.Details = map[string]any{"plan": p.caller.Account.Plan, "min_plan": model.MinPlan, "model": slug}
		return e
	case !model.Available():
		e := elumenta.Errorf(elumenta.CodeModelUnavailable, "no provider is configured for the model %s", slug)
		e.RetryAfter = time.Minute
		return e
	}
	p.model, p.routing, p.routes = model, s.routing, s.routing.models[model]
	return nil
}

func (p *prepared) allWarnings() []elumenta.Warning {
	warnings := append([]elumenta.Warning{}, p.req.Warnings...)
	if m := p.model; !m.RetiresAt.IsZero() {
		verb := " retires on "
		if m.RetiresAt.Before(p.req.ReceivedAt) {
			verb = " retired on "
		}
		message := "the model " + m.Slug + verb + m.RetiresAt.UTC().Format(time.DateOnly)
		if m.ReplacedBy != "" {
			message += "; use " + m.ReplacedBy
		}
		warnings = append(warnings, elumenta.Warning{Code: elumenta.WarnModelRetiring, Field: "model", Message: message})
	}
	return warnings
}

func (p *prepared) reservation(lifetime time.Duration) elumenta.Reservation {
	r := elumenta.Reservation{
		Generation: p.req.ID, Account: p.caller.Account.ID, Key: p.caller.Key.ID,
		AccountRevision: p.caller.Account.Revision, KeyRevision: p.caller.Key.Revision,
		Model: p.model.Slug, Price: p.model.TokenCost, Idempotency: p.req.Idempotency, Lifetime: lifetime,
	}
	if p.snapshot != nil {
		r.Assistant, r.Version, r.AssistantRevision, r.Author = p.snapshot.ID, p.snapshot.Version, p.snapshot.Revision, p.snapshot.Owner
	}
	return r
}
