package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/httpapi"
)

func TestCallsAMinute(t *testing.T) {
	s := newServer(t, setup{options: func(o *httpapi.Options) { o.RequestsPerMinute = 3 }})
	key, _ := s.account("free")
	for range 3 {
		r := s.do("GET", "/user/me", key, nil)
		r.want(200)
		if r.header.Get("X-RateLimit-Remaining-Hour") != "20" {
			t.Errorf("headers %v", r.header)
		}
	}
	r := s.do("GET", "/user/me", key, nil)
	r.wantError(429, elumenta.CodeRateLimited)
	v := r.json()
	if hour, ok := v["limit_hour"]; !ok || hour != nil || v["plan"] != "free" || v["retry_after"] == nil || r.header.Get("Retry-After") == "" {
		t.Errorf("error %s", r.body)
	}
	s.do("POST", "/generate", key, object{"model": "sandbox", "prompt": "x"}).want(200)
	rich, _ := s.account("unlimited")
	for range 10 {
		s.do("GET", "/user/me", rich, nil).want(200)
	}
}

func TestCORS(t *testing.T) {
	s := newServer(t, setup{options: func(o *httpapi.Options) { o.CORSOrigins = []string{"https://app.example"} }})
	key, _ := s.account("free")
	pre := s.raw("OPTIONS", "/api/v2/assistants/x", "", nil, "Origin", "https://app.example", "Access-Control-Request-Method", "PUT")
	if pre.status != 204 || pre.header.Get("Access-Control-Allow-Origin") != "https://app.example" || !strings.Contains(pre.header.Get("Access-Control-Allow-Headers"), "Idempotency-Key") {
		t.Errorf("preflight %d %v", pre.status, pre.header)
	}
	// As the browser builds of OpenAI's and Anthropic's clients ask, and what is none of theirs.
	pre = s.raw("OPTIONS", "/v1/messages", "", nil, "Origin", "https://app.example", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers",
		"anthropic-dangerous-direct-browser-access,anthropic-version,content-type,x-api-key,x-stainless-arch,x-stainless-retry-count,x-stainless-,x-stainless-ü,x-evil")
	allowed := strings.ToLower(pre.header.Get("Access-Control-Allow-Headers"))
	for _, name := range []string{"authorization", "x-api-key", "anthropic-version", "anthropic-dangerous-direct-browser-access", "openai-organization", "user-agent", "x-stainless-arch", "x-stainless-retry-count"} {
		if !strings.Contains(allowed, name) {
			t.Errorf("preflight leaves %s out: %s", name, allowed)
		}
	}
	if strings.Contains(allowed, "evil") || strings.Contains(allowed, "ü") {
		t.Errorf("preflight takes %s", allowed)
	}
	a := s.do("POST", "/assistants", key, bot(), "Origin", "https://app.example")
	a.want(201)
	got := s.do("GET", "/assistants/"+a.json()["id"].(string), key, nil, "Origin", "https://app.example")
	if v := got.header.Values("Vary"); len(v) != 2 || got.header.Get("Access-Control-Allow-Origin") == "" || !strings.Contains(got.header.Get("Access-Control-Expose-Headers"), "ETag") {
		t.Errorf("headers %v", got.header)
	}
	if r := s.do("GET", "/models", key, nil, "Origin", "https://evil.example"); r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("any origin may read answers")
	}
	none := newServer(t, setup{})
	if r := none.raw("OPTIONS", "/api/v2/models", "", nil, "Origin", "https://app.example", "Access-Control-Request-Method", "GET"); r.status != 405 || r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("without configured origins %d %v", r.status, r.header)
	}
}

func TestPanicsBecomeErrors(t *testing.T) {
	s := newServer(t, setup{options: func(o *httpapi.Options) {
		o.Ready = func(context.Context) error { panic("CANARY in a panic") }
	}})
	r := s.raw("GET", "/readyz", "", nil)
	if r.status != 500 {
		t.Fatalf("status %d", r.status)
	}
	if strings.Contains(string(r.body), "CANARY") || strings.Contains(s.log.String(), "CANARY") || !strings.Contains(s.log.String(), `"msg":"panic"`) {
		t.Errorf("body %s, log %s", r.body, s.log)
	}
}

func TestProbes(t *testing.T) {
	var fails error
	s := newServer(t, setup{options: func(o *httpapi.Options) { o.Ready = func(context.Context) error { return fails } }})
	s.raw("GET", "/healthz", "", nil).want(200)
	s.raw("GET", "/readyz", "", nil).want(200)
	if logs := s.log.String(); strings.Count(logs, `"level":"DEBUG"`) != 2 {
		t.Errorf("probes that succeed are logged as %s", logs)
	}
	fails = errors.New("CANARY")
	r := s.raw("GET", "/readyz", "", nil)
	if message := r.wantError(503, elumenta.CodeUnavailable); strings.Contains(message, "CANARY") || r.header.Get("Retry-After") == "" {
		t.Errorf("%s", r.body)
	}
	if logs := s.log.String(); strings.Count(logs, `"level":"ERROR"`) != 1 {
		t.Errorf("a probe that fails is logged as %s", logs)
	}
	s.raw("GET", "/healthz", "", nil).want(200)
}

// Nothing of a conversation, an assistant or a key gets into logs, metrics or errors.
func TestLogsAndMetricsHoldNoContent(t *testing.T) {
	s := newServer(t, setup{
		options: func(o *httpapi.Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} },
		scripted: func(context.Context, *elumenta.Prompt, func(elumenta.Event) error) (elumenta.Completion, error) {
			return elumenta.Completion{}, &elumenta.ProviderError{Kind: elumenta.KindRejected, Provider: "test", Status: 400, Reason: elumenta.RejectOther, Message: "It was refused."}
		},
	})
	key, _ := s.account("free")
	a := s.do("POST", "/assistants", key, bot("instructions", "CANARY", "name", "CANARY", "unknownCANARY", 1))
	a.wantFields("unknownCANARY")
	id := s.do("POST", "/assistants", key, bot("instructions", "CANARY")).want(201)["id"].(string)
	s.do("POST", "/generate", key, object{"assistant_id": id, "prompt": "CANARY", "user": "CANARY", "stream": true}, "Idempotency-Key", "CANARY", "X-Forwarded-For", "203.0.113.7:4711, 127.0.0.2")
	s.do("POST", "/generate", key, object{"model": "scripted", "prompt": "CANARY"}).wantError(422, elumenta.CodeProviderRejected)
	s.do("POST", "/generate", key, object{"model": "sandbox", "prompt": "CANARY", "messages": []object{{"role": "CANARY", "content": "x"}}}).wantFields("messages[0].role")
	s.do("GET", "/assistants?q=CANARY", key, nil).want(200)
	s.do("GET", "/assistants/CANARY", key, nil).wantError(404, elumenta.CodeNotFound)
	s.raw("CANARY", "/api/v2/models", key, nil).want(405)
	logs := s.log.String()
	if strings.Contains(logs, "CANARY") || strings.Contains(logs, key) {
		t.Errorf("the log holds content: %s", logs)
	}
	for _, want := range []string{`"route":"POST /api/v2/generate"`, `"client":"203.0.113.7"`, `"account":"acct_`, `"error":"validation_error"`, `"status":422`} {
		if !strings.Contains(logs, want) {
			t.Errorf("the log has no %s", want)
		}
	}
	families, err := s.reg.Gather()
	if err != nil || len(families) < 4 {
		t.Fatalf("%d metrics, %v", len(families), err)
	}
	if text := fmt.Sprint(families); strings.Contains(text, "CANARY") || !strings.Contains(text, `POST /api/v2/generate`) {
		t.Errorf("metrics %s", text)
	}
}

func TestForwardedAddressesOfStrangersAreIgnored(t *testing.T) {
	s := newServer(t, setup{})
	s.raw("GET", "/healthz", "", nil, "X-Forwarded-For", "203.0.113.7", "X-Request-Id", "req_mine")
	if logs := s.log.String(); strings.Contains(logs, "203.0.113.7") || strings.Contains(logs, "req_mine") {
		t.Errorf("log %s", logs)
	}
}

func TestDocsAskNoOtherHost(t *testing.T) {
	s := newServer(t, setup{})
	r := s.raw("GET", "/docs", "", nil)
	page := string(r.body)
	if r.status != 200 || r.header.Get("Content-Type") != "text/html; charset=utf-8" || len(page) < 10_000 {
		t.Fatalf("%d %v, %d bytes", r.status, r.header, len(page))
	}
	if m := regexp.MustCompile(`(?i)(src|href)="(https?:)?//|<script|@import|url\(`).FindString(page); m != "" {
		t.Errorf("the page holds %q", m)
	}
	if csp := r.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'sha256-") {
		t.Errorf("policy %q", csp)
	}
	for _, want := range []string{"/api/v2/generate", "Idempotency-Key", "StreamEvent", "insufficient_tokens"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not mention %s", want)
		}
	}
	doc := s.raw("GET", "/openapi.json", "", nil)
	if r := s.raw("GET", "/openapi.json", "", nil, "If-None-Match", doc.header.Get("ETag")); r.status != http.StatusNotModified {
		t.Errorf("status %d for the known document", r.status)
	}
}
