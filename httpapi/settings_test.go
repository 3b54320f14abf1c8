package httpapi_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/httpapi"
)

// A reload counts from the next request on; what it leaves out is the default again.
func TestReload(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("free")
	reload := func(change func(*httpapi.Settings)) {
		settings := s.settings
		change(&settings)
		s.api.Reload(settings)
	}
	preflight := func() string {
		r := s.raw("OPTIONS", "/api/v2/models", "", nil, "Origin", "https://app.example", "Access-Control-Request-Method", "GET")
		return r.header.Get("Access-Control-Allow-Origin")
	}
	forwarded := func() bool {
		s.raw("GET", "/api/v2/models", key, nil, "X-Forwarded-For", "203.0.113.77")
		return strings.Contains(s.log.String(), "203.0.113.77")
	}
	large := bot()
	large["instructions"] = strings.Repeat("x", 2000)

	if got := preflight(); got != "" || forwarded() {
		t.Errorf("before: %q may call, a stranger is believed: %t", got, forwarded())
	}
	s.do("POST", "/assistants", key, large).want(201)
	reload(func(o *httpapi.Settings) {
		o.CORSOrigins, o.TrustedProxies = []string{"https://app.example"}, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		o.AssistantBody, o.GenerateBody, o.Body = 1000, 100, 50
		o.DeniedNames, _ = elumenta.NewDeniedNames([]string{"acme"})
		o.Plans = elumenta.Plans{{Name: "free", PerHour: 7}}
	})
	if got := preflight(); got != "https://app.example" || !forwarded() {
		t.Errorf("after: %q may call, a proxy is believed: %t", got, forwarded())
	}
	s.do("POST", "/assistants", key, large).wantError(413, elumenta.CodePayloadTooLarge)
	s.do("POST", "/assistants/import", key, object{"versions": []any{large, large, large}}).wantError(413, elumenta.CodePayloadTooLarge)
	s.do("POST", "/generate", key, object{"model": "sandbox", "prompt": strings.Repeat("x", 100)}).wantError(413, elumenta.CodePayloadTooLarge)
	s.do("POST", "/keys", key, object{"name": strings.Repeat("x", 50)}).wantError(413, elumenta.CodePayloadTooLarge)
	named := bot()
	named["name"], named["visibility"] = "Acme", "marketplace"
	s.do("POST", "/assistants", key, named).wantFields("category", "description", "name")
	if r := s.do("GET", "/user/me", key, nil); r.header.Get("X-RateLimit-Limit-Hour") != "7" {
		t.Errorf("headers %v", r.header)
	}
	reload(func(*httpapi.Settings) {})
	if got := preflight(); got != "" {
		t.Errorf("afterwards %q may call", got)
	}
	s.do("POST", "/assistants", key, large).want(201)
}

// What an account called before a reload counts towards the new bound.
func TestReloadOfCallsAMinute(t *testing.T) {
	s := newServer(t, setup{options: func(o *httpapi.Options) { o.RequestsPerMinute = 3 }})
	key, _ := s.account("free")
	bound := func(n int) {
		settings := s.settings
		settings.RequestsPerMinute = n
		s.api.Reload(settings)
	}
	for range 3 {
		s.do("GET", "/user/me", key, nil).want(200)
	}
	bound(3)
	s.do("GET", "/user/me", key, nil).wantError(429, elumenta.CodeRateLimited)
	bound(4) // a fifteenth of a minute until the next
	r := s.do("GET", "/user/me", key, nil)
	if r.wantError(429, elumenta.CodeRateLimited); !strings.Contains(string(r.body), "more than 4 calls") {
		t.Errorf("%s", r.body)
	}
	bound(1 << 30)
	s.do("GET", "/user/me", key, nil).want(200)
	other, _ := s.account("free")
	for range 5 {
		s.do("GET", "/user/me", other, nil).want(200)
	}
	bound(2)
	for range 2 {
		s.do("GET", "/user/me", other, nil).want(200)
	}
	s.do("GET", "/user/me", other, nil).wantError(429, elumenta.CodeRateLimited)
}
