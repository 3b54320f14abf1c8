package httpapi

import (
	"context"
	"time"

	"github.com/elumenta/elumenta"
)

type providersView struct {
	Since time.Time      `json:"since" doc:"When this node started, and began to count."`
	Items []providerView `json:"items" nullable:"false"`
}

type providerView struct {
	Name       string              `json:"name"`
	Configured bool                `json:"configured" doc:"Whether it is on."`
	Variable   *string             `json:"variable" doc:"The environment variable that switches it on, at the next start; null for one that needs none."`
	Models     []providerModelView `json:"models" nullable:"false"`
	Health     healthView          `json:"health" doc:"As this node has seen it."`
}

type providerModelView struct {
	Slug       string     `json:"slug"`
	Name       string     `json:"name"`
	Available  bool       `json:"available"`
	RetiresAt  *time.Time `json:"retires_at" doc:"When the provider will end it; null where that is not known."`
	ReplacedBy *string    `json:"replaced_by" doc:"The slug to move to."`
}

type healthView struct {
	Attempts    int64            `json:"attempts" doc:"Calls that have ended. One that is neither a success nor a failure was left by its client."`
	Successes   int64            `json:"successes"`
	Failures    map[string]int64 `json:"failures" doc:"By kind: rejected (of that input), auth, rate_limited, overloaded, unreachable, timeout, truncated, malformed, failed."`
	LastSuccess *time.Time       `json:"last_success_at"`
	LastFailure *time.Time       `json:"last_failure_at"`
	LastKind    *string          `json:"last_failure_kind"`
	Keys        []keyHealthView  `json:"keys" nullable:"false" doc:"Its keys, in the order of the configuration."`
	Routes      []routeView      `json:"routes" nullable:"false" doc:"The models that it serves."`
}

type keyHealthView struct {
	RefusedUntil *time.Time `json:"refused_until" doc:"When a key that the provider refused, or whose account is empty, is tried again; null for one in use."`
}

type routeView struct {
	Model string     `json:"model"`
	State string     `json:"state" enum:"closed,open,half_open,resting" doc:"closed: called. open: cut off by the circuit breaker. half_open: tried again. resting: the provider asked to be left alone."`
	Until *time.Time `json:"until" doc:"When an open or resting one is called again."`
}

func viewHealth(h *elumenta.ProviderHealth) healthView {
	v := healthView{
		Attempts: h.Attempts, Successes: h.Successes, Failures: map[string]int64{}, LastSuccess: nullTime(h.LastSuccess), LastFailure: nullTime(h.LastFailure),
		LastKind: nullText(h.LastKind.String()), Keys: []keyHealthView{}, Routes: []routeView{},
	}
	for _, until := range h.Keys {
		v.Keys = append(v.Keys, keyHealthView{nullTime(until)})
	}
	for _, r := range h.Routes {
		v.Routes = append(v.Routes, routeView{r.Model, string(r.State), nullTime(r.Until)})
	}
	for kind, n := range h.Failures {
		v.Failures[kind.String()] = n
	}
	return v
}

func (a *API) listProviders(_ context.Context, _ *call, _ *struct{ known }) (*bodyOf[providersView], error) {
	models, offered := map[string][]providerModelView{}, a.settings()
	for _, m := range offered.Catalog.Models() {
		v := providerModelView{Slug: m.Slug, Name: m.Name, Available: m.Available(), RetiresAt: nullTime(m.RetiresAt), ReplacedBy: nullText(m.ReplacedBy)}
		models[m.Provider] = append(models[m.Provider], v)
		for i := range m.Routes {
			if name := m.Routes[i].Target.Name; name != m.Provider {
				models[name] = append(models[name], v)
			}
		}
	}
	out := &bodyOf[providersView]{providersView{Since: a.started, Items: make([]providerView, len(offered.Providers))}}
	for i, p := range offered.Providers {
		health := a.Generator.Health(p.Name)
		v := providerView{Name: p.Name, Configured: p.Configured, Variable: nullText(p.Variable), Models: models[p.Name], Health: viewHealth(&health)}
		if v.Models == nil {
			v.Models = []providerModelView{}
		}
		out.Body.Items[i] = v
	}
	return out, nil
}
