package console

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// AdminProvider is a provider as operators see it.
type AdminProvider struct {
	Name       string          `json:"name"`
	Configured bool            `json:"configured"`
	Variable   *string         `json:"variable"`
	Models     []ProviderModel `json:"models"`
	Health     ProviderHealth  `json:"health"`
}

// ProviderModel is one of a provider's models.
type ProviderModel struct {
	Slug       string     `json:"slug"`
	Available  bool       `json:"available"`
	RetiresAt  *time.Time `json:"retires_at"`
	ReplacedBy *string    `json:"replaced_by"`
}

// ProviderHealth is how a provider's calls went since the server started.
type ProviderHealth struct {
	Attempts    int64            `json:"attempts"`
	Successes   int64            `json:"successes"`
	Failures    map[string]int64 `json:"failures"`
	LastSuccess *time.Time       `json:"last_success_at"`
	LastFailure *time.Time       `json:"last_failure_at"`
	LastKind    *string          `json:"last_failure_kind"`
	Keys        []struct {
		RefusedUntil *time.Time `json:"refused_until"`
	} `json:"keys"`
	Routes []ProviderRoute `json:"routes"`
}

// ProviderRoute is whether a provider is called for a model now.
type ProviderRoute struct {
	Model string     `json:"model"`
	State string     `json:"state"`
	Until *time.Time `json:"until"`
}

// route is how the provider is called for a model, or nothing where that is as usual.
func (h *ProviderHealth) route(model string) *ProviderRoute {
	for i := range h.Routes {
		if r := &h.Routes[i]; r.Model == model && r.State != "closed" {
			return r
		}
	}
	return nil
}

// state is the key, under providers., of how the provider is: off, unused, failing or working. An input that it refused is no failure of its own.
func (a *AdminProvider) state() string {
	h := &a.Health
	switch {
	case !a.Configured:
		return "off"
	case h.LastFailure != nil && deref(h.LastKind) != "rejected" && (h.LastSuccess == nil || h.LastFailure.After(*h.LastSuccess)):
		return "failing"
	case h.Attempts == 0:
		return "unused"
	}
	return "working"
}

// badge is the style of a state.
func (a *AdminProvider) badge() string {
	return "badge " + map[string]string{"failing": "bad", "working": "good"}[a.state()]
}

// missing says what would make the provider's models available, or nothing.
func (a *AdminProvider) missing(p *page) string {
	switch {
	case !a.Configured && a.Variable != nil:
		return p.T("providers.set", "variable", *a.Variable)
	case a.Configured && len(a.Models) == 0:
		return p.T("providers.no_models")
	}
	return ""
}

// failures are the numbers of failures by kind, the most frequent first.
func (h *ProviderHealth) failures(p *page) string {
	kinds := slices.SortedFunc(maps.Keys(h.Failures), func(x, y string) int {
		if h.Failures[x] != h.Failures[y] {
			return int(h.Failures[y] - h.Failures[x])
		}
		return strings.Compare(x, y)
	})
	for i, kind := range kinds {
		kinds[i] = p.T("providers.kind_"+kind) + ": " + p.Number(h.Failures[kind])
	}
	return strings.Join(kinds, ", ")
}

func (p *page) listProviders() error {
	var seen struct {
		Since time.Time       `json:"since"`
		Items []AdminProvider `json:"items"`
	}
	if err := p.get("/admin/providers", &seen); err != nil {
		return err
	}
	return p.render("admin", p.T("admin.providers"), providersPage(p, seen.Since, seen.Items))
}
