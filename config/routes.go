package config

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/elumenta/elumenta"
)

// Route is a provider that serves a model, under the provider's own id of it.
type Route struct {
	Provider, UpstreamID string
	// Region is a name for people; may be empty.
	Region string
	// Order says when it is tried, the lowest first; routes of the same order share requests by Weight, from 1.
	Order, Weight int
}

// RoutesOf returns the routes of a model, at least one.
func (c *Config) RoutesOf(m *elumenta.Model) []Route {
	if routes := c.Routes[m.Slug]; len(routes) > 0 {
		return routes
	}
	return []Route{{Provider: m.Provider, UpstreamID: m.UpstreamID, Weight: 1}}
}

const maxWeight = 1000

// routes reads the routes of a model. The first takes the place of its provider.
func (b *builder) routes(path string, f *fileModel) {
	if f.Routes == nil {
		return
	}
	path += ".routes"
	m := &b.Models[b.slug(*f.Slug)]
	if len(f.Routes) == 0 || len(f.Routes) > elumenta.MaxRoutes {
		b.at(path, "must have 1 to %d routes; leave it out for the model's provider alone", elumenta.MaxRoutes)
		return
	}
	var routes []Route
	for i := range f.Routes {
		if r, ok := b.route(fmt.Sprintf("%s[%d]", path, i), &f.Routes[i], m.UpstreamID); ok {
			routes = append(routes, r)
		}
	}
	slices.SortStableFunc(routes, func(a, c Route) int { return cmp.Compare(a.Order, c.Order) })
	if b.Routes == nil {
		b.Routes = map[string][]Route{}
	}
	b.Routes[m.Slug] = routes
	if len(routes) > 0 {
		m.Provider, m.UpstreamID = routes[0].Provider, routes[0].UpstreamID
	}
}

// leastHedge is the least that a call is given before another one starts beside it.
const leastHedge = 50 * time.Millisecond

// hedging reads after how long a silent call is hedged.
func (b *builder) hedging(path string, f *fileModel, m *elumenta.Model) {
	if f.HedgeAfter == nil {
		return
	}
	path += ".hedge_after"
	switch after := time.Duration(*f.HedgeAfter); {
	case after != 0 && (after < leastHedge || after > b.Limits.FirstPiece):
		b.at(path, "must be %v to limits.first_piece, %v, or 0 for no hedging", leastHedge, b.Limits.FirstPiece)
	case after != 0 && len(b.RoutesOf(m)) < 2:
		b.at(path, "needs a model with two routes or more: the second call goes to another one")
	default:
		m.HedgeAfter = after
	}
}

func (b *builder) route(path string, f *fileRoute, upstreamID string) (r Route, ok bool) {
	r = Route{UpstreamID: upstreamID, Weight: 1}
	before := len(b.problems)
	if f.Provider == nil {
		b.missing(path, "provider", "needs a provider; there are "+b.providerNames())
		return r, false
	}
	setString(&r.Provider, f.Provider, func(s string) string {
		if b.provider(s) == nil {
			return fmt.Sprintf("is no provider: %q; there are %s", s, b.providerNames())
		}
		return ""
	}, b.report(path+".provider"))
	setString(&r.UpstreamID, f.UpstreamID, required(200), b.report(path+".upstream_id"))
	setString(&r.Region, f.Region, func(s string) string {
		if !validName(s) {
			return "must match [a-z0-9][a-z0-9-]{0,31}"
		}
		return ""
	}, b.report(path+".region"))
	b.setInt(&r.Order, f.Order, path+".order")
	if f.Weight != nil && (*f.Weight < 1 || *f.Weight > maxWeight) {
		b.at(path+".weight", "must be 1 to %d", maxWeight)
	} else if f.Weight != nil {
		r.Weight = *f.Weight
	}
	return r, len(b.problems) == before
}
