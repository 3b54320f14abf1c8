package httpapi_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/httpapi"
)

// Operators see which providers are on, what the others lack, and how calls went, without a word of the providers'.
func TestAdminProviders(t *testing.T) {
	answers := make(chan error, 1)
	s := newServer(t, setup{
		scripted: func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
			if err := <-answers; err != nil {
				return elumenta.Completion{}, err
			}
			return elumenta.Completion{Finish: elumenta.FinishStop}, emit(elumenta.Event{Kind: elumenta.EventText, Text: "hi"})
		},
		retires: time.Date(2999, 1, 31, 0, 0, 0, 0, time.UTC),
		options: func(o *httpapi.Options) {
			o.Providers = []elumenta.ProviderSetup{{Name: "openai", Variable: "OPENAI_API_KEY"}, {Name: "test", Configured: true}}
		},
	})
	admin, _ := s.operator()
	read := func() (off, on object) {
		t.Helper()
		v := s.do("GET", "/admin/providers", admin, nil).want(200)
		if since, err := time.Parse(time.RFC3339, v["since"].(string)); err != nil || time.Since(since) < 0 {
			t.Errorf("since %v", v["since"])
		}
		list := v["items"].([]any)
		return list[0].(object), list[1].(object)
	}
	off, on := read()
	unused := object{"attempts": 0.0, "successes": 0.0, "failures": object{}, "last_success_at": nil, "last_failure_at": nil, "last_failure_kind": nil, "keys": []any{}, "routes": []any{}}
	if diff := cmp.Diff(object{"name": "openai", "configured": false, "variable": "OPENAI_API_KEY", "models": []any{}, "health": unused}, off); diff != "" {
		t.Error(diff)
	}
	models := on["models"].([]any)
	want := object{"slug": "away-soon", "name": "away-soon", "available": true, "retires_at": "2999-01-31T00:00:00Z", "replaced_by": "sandbox"}
	route := object{"model": "away-soon", "state": "closed", "until": nil}
	health := on["health"].(object)
	if routes := health["routes"].([]any); len(routes) != 4 || !cmp.Equal(routes[0], route) || !cmp.Equal(health["keys"], []any{object{"refused_until": nil}}) {
		t.Errorf("%v", health)
	}
	health["keys"], health["routes"] = []any{}, []any{}
	if on["configured"] != true || on["variable"] != nil || len(models) != 5 || !cmp.Equal(health, unused) || !cmp.Equal(models[1], want) {
		t.Errorf("%v", on)
	}

	call := func(status int, answer error) {
		t.Helper()
		answers <- answer
		s.do("POST", "/generate", admin, object{"model": "scripted", "prompt": "x"}).want(status)
	}
	call(200, nil)
	call(504, &elumenta.ProviderError{Kind: elumenta.KindTimeout, Provider: "test", Message: "CANARY"})
	call(504, &elumenta.ProviderError{Kind: elumenta.KindTimeout, Provider: "test", Message: "CANARY"})
	_, on = read()
	health = on["health"].(object)
	if at, err := time.Parse(time.RFC3339, health["last_success_at"].(string)); err != nil || time.Since(at) > time.Hour {
		t.Errorf("%v", health)
	}
	if health["attempts"] != 3.0 || health["successes"] != 1.0 || !cmp.Equal(health["failures"], object{"timeout": 2.0}) || health["last_failure_kind"] != "timeout" {
		t.Errorf("%v", health)
	}
	call(422, &elumenta.ProviderError{Kind: elumenta.KindRejected, Provider: "test", Message: "CANARY"})
	r := s.do("GET", "/admin/providers", admin, nil)
	if body := string(r.body); strings.Contains(body, "CANARY") || !strings.Contains(body, `"last_failure_kind":"rejected"`) {
		t.Errorf("%s", body)
	}
}
