package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// twoRoutes is a configuration whose model "routed" has a route to nobody and one to a host, for which there are two keys, the first refused.
func twoRoutes(t *testing.T, u *upstream) startOptions {
	t.Helper()
	return startOptions{env: []string{"WELL_KEYS=sk-refused,sk-taken"}, args: []string{"--config", configFile(t,
		"[limits]", "retry_budget_percent = 200",
		"[[providers]]", `name = "gone"`, `base_url = "http://127.0.0.1:1/v1"`, `circuit_breaker = false`,
		"[[providers]]", `name = "well"`, `base_url = "`+u.URL+`/v1"`, `api_key_env = "WELL_KEYS"`,
		"[[models]]", `slug = "routed"`, `token_cost = 3`, `max_output_tokens = 100`, `hedge_after = "30s"`,
		`routes = [{provider = "well", region = "eu", order = 1}, {provider = "gone"}]`,
	)}}
}

// refuseFirstKey answers the second key alone, and counts what it refuses.
func (u *upstream) refuseFirstKey() *atomic.Int64 {
	refused := new(atomic.Int64)
	u.answer(func(w http.ResponseWriter, r *http.Request, body []byte) {
		if r.Header.Get("Authorization") != "Bearer sk-taken" {
			refused.Add(1)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		chat(w, body, "Hello from ", "upstream")
	})
	return refused
}

// everyAPI is a question in each API's words.
var everyAPI = map[string]string{
	"/api/v2/generate":     `"prompt":"hi"`,
	"/v1/chat/completions": `"messages":[{"role":"user","content":"hi"}]`,
	"/v1/responses":        `"input":"hi"`,
	"/v1/messages":         `"max_tokens":10,"messages":[{"role":"user","content":"hi"}]`,
}

// attempts are those that an answer names.
func (s *server) attempts(t *testing.T, path, body string) string {
	t.Helper()
	_, attempts, _ := strings.Cut(string(s.must(t, http.StatusOK, "POST", path, json.RawMessage(body)).body), `"attempts":[`)
	attempts, _, _ = strings.Cut(attempts, "]")
	return attempts
}

// A model with two routes answers through every API though one is gone and a key of the other refused; answers name what was tried,
// and operators see it.
func TestRoutes(t *testing.T) {
	u := newUpstream(t)
	refused := u.refuseFirstKey()
	s := start(t, twoRoutes(t, u))
	for path, body := range everyAPI {
		for _, stream := range []string{"false", "true", "true"} {
			attempts := s.attempts(t, path, `{"model":"routed",`+body+`,"stream":`+stream+`}`)
			if !strings.HasPrefix(attempts, `{"provider":"gone","error":"unreachable",`) || strings.Count(attempts, `"error":null`) != 1 ||
				!strings.Contains(attempts, `{"provider":"well","region":"eu","error":null,`) {
				t.Errorf("%s, stream %s: attempts %s", path, stream, attempts)
			}
		}
	}
	if n := refused.Load(); n != 1 {
		t.Errorf("the refused key was tried %d times", n)
	}
	providers := string(s.must(t, http.StatusOK, "GET", "/api/v2/admin/providers", nil).body)
	if strings.Count(providers, `"refused_until":"20`) != 1 || !strings.Contains(providers, `{"model":"routed","state":"closed","until":null}`) {
		t.Errorf("%s", providers)
	}
	metrics := string(s.must(t, http.StatusOK, "GET", "/metrics", nil).body)
	for _, line := range []string{
		`elumenta_provider_fallbacks_total{kind="unreachable",model="routed",provider="gone"} 12`, `elumenta_provider_fallbacks_total{kind="auth",model="routed",provider="well"} 1`,
		`elumenta_provider_keys_refused_total{key="1",provider="well"} 1`, `elumenta_provider_keys_refused_total{key="2",provider="well"} 0`,
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("the metrics lack %s", line)
		}
	}
	log := s.log.String()
	if !strings.Contains(log, "provider=well key=1 keys=2") || strings.Contains(log+metrics+providers, "sk-") {
		t.Errorf("the operator is not told which key it is, or a key is told: %s", log)
	}
}

// A route that stays silent is left for one that is called beside it, through every API, and sees its caller hang up.
func TestHedging(t *testing.T) {
	slow, quick := newUpstream(t), newUpstream(t)
	hungUp := make(chan struct{}, 2*len(everyAPI))
	slow.answer(func(_ http.ResponseWriter, r *http.Request, _ []byte) {
		<-r.Context().Done()
		hungUp <- struct{}{}
	})
	quick.answer(func(w http.ResponseWriter, _ *http.Request, body []byte) { chat(w, body, "Hello from ", "upstream") })
	s := start(t, startOptions{env: []string{"KEY=sk"}, args: []string{"--config", configFile(t,
		"[limits]", "retry_budget_percent = 200",
		"[[providers]]", `name = "slow"`, `base_url = "`+slow.URL+`/v1"`, `api_key_env = "KEY"`,
		"[[providers]]", `name = "quick"`, `base_url = "`+quick.URL+`/v1"`, `api_key_env = "KEY"`,
		"[[models]]", `slug = "hedged"`, `token_cost = 3`, `max_output_tokens = 100`, `hedge_after = "50ms"`,
		`routes = [{provider = "slow"}, {provider = "quick", order = 1}]`,
	)}})
	for path, body := range everyAPI {
		for _, stream := range []string{"false", "true"} {
			attempts := s.attempts(t, path, `{"model":"hedged",`+body+`,"stream":`+stream+`}`)
			if !strings.HasPrefix(attempts, `{"provider":"slow","error":"cancelled",`) || !strings.Contains(attempts, `{"provider":"quick","error":null,`) {
				t.Errorf("%s, stream %s: attempts %s", path, stream, attempts)
			}
			<-hungUp
		}
	}
	const won = `elumenta_provider_hedges_total{model="hedged",outcome="won",provider="quick"} 8` + "\n"
	if metrics := string(s.must(t, http.StatusOK, "GET", "/metrics", nil).body); !strings.Contains(metrics, won) || strings.Contains(metrics, "elumenta_provider_failures_total{") {
		t.Errorf("%s", metrics)
	}
}
