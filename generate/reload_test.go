package generate_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/generate"
)

// A reload in the middle of an outage calls a broken route no sooner than without it; a route that was changed begins anew.
func TestReloadKeepsWhatIsCutOff(t *testing.T) {
	at := func(name, url, model string, keys ...string) elumenta.Route {
		r := to(name, 1, keys...)
		r.Target.BaseURL, r.Target.Model = url, model
		return r
	}
	unguarded := at("a", "one", "up", "k", "l")
	unguarded.Unguarded = true
	weighed := at("a", "one", "up", "k", "l")
	weighed.Order, weighed.Weight, weighed.Region = 3, 7, "eu"
	formatted := at("a", "one", "up", "k", "l")
	formatted.Format = "gemini"
	for name, c := range map[string]struct {
		after []elumenta.Route
		want  elumenta.RouteState
	}{
		"unchanged":                         {[]elumenta.Route{at("a", "one", "up", "k", "l")}, elumenta.RouteOpen},
		"another order, weight and region":  {[]elumenta.Route{weighed}, elumenta.RouteOpen},
		"keys in another order":             {[]elumenta.Route{at("a", "one", "up", "l", "k")}, elumenta.RouteOpen},
		"a key less":                        {[]elumenta.Route{at("a", "one", "up", "l")}, elumenta.RouteOpen},
		"behind another route":              {[]elumenta.Route{at("b", "two", "up"), at("a", "one", "up", "k", "l")}, elumenta.RouteOpen},
		"a key more":                        {[]elumenta.Route{at("a", "one", "up", "k", "l", "m")}, elumenta.RouteClosed},
		"another base URL":                  {[]elumenta.Route{at("a", "two", "up", "k", "l")}, elumenta.RouteClosed},
		"another id of the model":           {[]elumenta.Route{at("a", "one", "down", "k", "l")}, elumenta.RouteClosed},
		"another format":                    {[]elumenta.Route{formatted}, elumenta.RouteClosed},
		"without a circuit breaker by now":  {[]elumenta.Route{unguarded}, elumenta.RouteClosed},
		"the same twice: one is a new one":  {[]elumenta.Route{at("a", "one", "up", "k", "l"), at("a", "one", "up", "k", "l")}, elumenta.RouteOpen},
		"gone, and there again at the next": {nil, elumenta.RouteClosed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRouted(t, []elumenta.Route{at("a", "one", "up", "k", "l")}, func(context.Context, string, func(elumenta.Event) error) error {
					return fails(elumenta.KindFailed, 500, 0)
				})
				defer b.close()
				for range 12 {
					b.ask(t, true)
				}
				b.reload(0.2, c.after...)
				if c.after == nil {
					b.reload(0.2, at("a", "one", "up", "k", "l"))
				}
				routes := b.service.Health("a").Routes
				if got := routes[0].State; got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
				if len(routes) > 1 && routes[1].State != elumenta.RouteClosed {
					t.Errorf("the second is %s", routes[1].State)
				}
				if c.want == elumenta.RouteClosed || len(c.after) > 1 {
					return
				}
				if s, calls := b.ask(t, true); calls != "" || !elumenta.HasCode(s.failure, elumenta.CodeModelUnavailable) {
					t.Errorf("called %q, %v", calls, s.failure)
				}
				time.Sleep(13 * time.Second)
				b.ask(t, true)
				if got := b.service.Health("a").Routes[0].State; got != elumenta.RouteTrial {
					t.Errorf("%s after the time of the circuit breaker", got)
				}
			})
		})
	}
}

// A key that a provider refused stays out over a reload, on all routes, and one that asked for a rest has it; another key is used at once.
func TestReloadKeepsKeysOut(t *testing.T) {
	for name, c := range map[string]struct {
		failure error
		url     string
		format  string
		after   []string
		want    string
	}{
		"refused":                       {fails(elumenta.KindAuth, 401, 0), "", "", []string{"bad"}, ""},
		"refused, and a good one now":   {fails(elumenta.KindAuth, 401, 0), "", "", []string{"bad", "good"}, "a/good"},
		"refused, at another place now": {fails(elumenta.KindAuth, 401, 0), "elsewhere", "", []string{"bad"}, "a/bad"},
		"refused, in another format":    {fails(elumenta.KindAuth, 401, 0), "", "gemini", []string{"bad"}, "a/bad"},
		"left alone":                    {fails(elumenta.KindRateLimited, 429, 2*time.Minute), "", "", []string{"bad"}, ""},
		"left alone, and a good one":    {fails(elumenta.KindRateLimited, 429, 2*time.Minute), "", "", []string{"good", "bad"}, "a/good"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRouted(t, []elumenta.Route{to("a", 1, "bad")}, func(_ context.Context, call string, _ func(elumenta.Event) error) error {
					if call == "a/bad" {
						return c.failure
					}
					return nil
				})
				defer b.close()
				b.ask(t, true)
				r := to("a", 1, c.after...)
				r.Target.BaseURL, r.Format = c.url, c.format
				b.reload(0.2, r)
				for range 4 {
					if _, calls := b.ask(t, true); calls != c.want && c.want != "a/bad" {
						t.Errorf("called %q, want %q", calls, c.want)
					}
				}
				if c.want == "a/bad" && b.service.Health("a").Attempts != 2 {
					t.Errorf("%d calls, want 2", b.service.Health("a").Attempts)
				}
			})
		})
	}
}

// What runs over a reload keeps its time limits, and how its call ends counts for the route as it is then. What begins after it has the new ones.
func TestReloadWhileGenerationsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		called, ended := make(chan struct{}, 12), make(chan time.Duration, 12)
		b := newRouted(t, []elumenta.Route{to("a", 1)}, func(ctx context.Context, _ string, _ func(elumenta.Event) error) error {
			called <- struct{}{}
			began := time.Now()
			err := wait(ctx, time.Hour)
			ended <- time.Since(began)
			return err
		})
		defer b.close()
		caller, err := b.service.Authenticate(t.Context(), b.key)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		ask := func() { all.Go(func() { b.service.Generate(t.Context(), caller, asks(), &sink{}) }) }
		for range 11 {
			ask()
		}
		for range 11 {
			<-called
		}
		options := b.options([]elumenta.Route{to("a", 1)})
		options.FirstPiece = 5 * time.Second
		b.service.Reload(options)
		ask()
		if got := <-ended; got != 5*time.Second {
			t.Errorf("what began after it ended after %v", got)
		}
		for range 11 {
			if got := <-ended; got != time.Minute {
				t.Errorf("what ran ended after %v", got)
			}
		}
		all.Wait()
		if got := b.service.Health("a").Routes[0].State; got != elumenta.RouteOpen {
			t.Errorf("%s after twelve calls that were silent", got)
		}
	})
}

// The retry budget of a model is not filled up by a reload, unless it is another one.
func TestReloadKeepsTheRetryBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		routes := func() []elumenta.Route { return []elumenta.Route{to("a", 1), to("b", 2)} }
		b := newRouted(t, routes(), func(context.Context, string, func(elumenta.Event) error) error {
			return fails(elumenta.KindFailed, 500, 0)
		})
		defer b.close()
		unguarded := func() []elumenta.Route {
			out := routes()
			for i := range out {
				out[i].Unguarded = true
			}
			return out
		}
		b.reload(0.01, unguarded()...)
		for calls := "a b"; calls == "a b"; {
			_, calls = b.ask(t, true)
		}
		b.reload(0.01, unguarded()...)
		if _, calls := b.ask(t, true); calls != "a" {
			t.Errorf("called %q with a budget that was spent", calls)
		}
		b.reload(0.5, unguarded()...)
		if _, calls := b.ask(t, true); calls != "a b" {
			t.Errorf("called %q with another budget", calls)
		}
		b.reload(-1, unguarded()...)
		if _, calls := b.ask(t, true); calls != "a" {
			t.Errorf("called %q without a budget", calls)
		}
	})
}

// A model's plan is looked for among the plans that a reload brought.
func TestReloadPlans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRouted(t, []elumenta.Route{to("a", 1)}, func(context.Context, string, func(elumenta.Event) error) error { return nil })
		defer b.close()
		options := b.options([]elumenta.Route{to("a", 1)})
		options.Plans = elumenta.Plans{{Name: "team"}}
		b.service.Reload(options)
		if s, calls := b.ask(t, true); calls != "" || !elumenta.HasCode(s.failure, elumenta.CodeInsufficientPlan) {
			t.Errorf("called %q, %v", calls, s.failure)
		}
		b.service.Reload(generate.Options{Plans: elumenta.DefaultPlans(), Catalog: options.Catalog})
		if s, _ := b.ask(t, true); s.failure != nil {
			t.Error(s.failure)
		}
	})
}
