package httpapi_test

import (
	"context"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/generate"
	"github.com/elumenta/elumenta/httpapi"
)

var noLimits = object{"read_only": false, "assistants": nil, "models": nil, "budget": nil, "budget_spent": nil, "expires_at": nil}

// limits are the fields of a key that say what it is limited to.
func limits(key object) object {
	l := object{}
	for name := range noLimits {
		l[name] = key[name]
	}
	return l
}

// limited makes a key with limits.
func (s *server) limited(key string, limits object) (limited, id string) {
	s.t.Helper()
	body := object{"name": "limited"}
	maps.Copy(body, limits)
	made := s.do("POST", "/keys", key, body).want(201)
	return made["key"].(string), made["id"].(string)
}

// wantLimit checks that a call was refused because its key is limited.
func (r *reply) wantLimit(limit elumenta.KeyLimit) {
	r.t.Helper()
	r.wantError(403, elumenta.CodeForbidden)
	if got := r.json()["details"].(object)["limit"]; got != string(limit) {
		r.t.Fatalf("refused for %v, want %s: %s", got, limit, r.body)
	}
}

func TestKeyLimitsAreShownAndChanged(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("free")
	asst := string(elumenta.NewAssistantID())
	for _, c := range []struct{ sent, shown object }{
		{object{}, noLimits},
		{object{"read_only": nil, "assistants": nil, "models": nil, "budget": nil, "expires_at": nil}, noLimits},
		{object{"read_only": true}, object{"read_only": true}},
		{object{"assistants": []any{asst}}, object{"assistants": []any{asst}}},
		{object{"models": []any{"sandbox", "paid"}}, object{"models": []any{"sandbox", "paid"}}},
		{object{"budget": 0}, object{"budget": 0.0, "budget_spent": 0.0}},
		{object{"budget": elumenta.MaxKeyBudget}, object{"budget": float64(elumenta.MaxKeyBudget), "budget_spent": 0.0}},
		{object{"expires_at": "2999-01-31T13:00:00+01:00"}, object{"expires_at": "2999-01-31T12:00:00Z"}},
	} {
		want := maps.Clone(noLimits)
		maps.Copy(want, c.shown)
		body := object{"name": "k"}
		maps.Copy(body, c.sent)
		made := s.do("POST", "/keys", key, body).want(201)
		own := s.do("GET", "/keys/me", made["key"].(string), nil).want(200)
		listed := s.do("GET", "/keys", key, nil).want(200)["items"].([]any)[0].(object)
		for where, got := range map[string]object{"created": made, "own": own, "listed": listed} {
			if diff := cmp.Diff(want, limits(got)); diff != "" || got["id"] != made["id"] {
				t.Errorf("%v %s (-want +got):\n%s", c.sent, where, diff)
			}
		}
		bare := s.do("POST", "/keys", key, object{"name": "bare"}).want(201)["id"].(string)
		if diff := cmp.Diff(want, limits(s.do("PATCH", "/keys/"+bare, key, c.sent).want(200))); diff != "" {
			t.Errorf("%v, changed (-want +got):\n%s", c.sent, diff)
		}
		if diff := cmp.Diff(want, limits(s.do("PATCH", "/keys/"+bare, key, object{"name": "renamed"}).want(200))); diff != "" {
			t.Errorf("%v, renamed (-want +got):\n%s", c.sent, diff)
		}
		lift := object{"read_only": nil, "assistants": nil, "models": nil, "budget": nil, "expires_at": nil}
		if diff := cmp.Diff(noLimits, limits(s.do("PATCH", "/keys/"+bare, key, lift).want(200))); diff != "" {
			t.Errorf("%v, lifted (-want +got):\n%s", c.sent, diff)
		}
	}
}

func TestBadKeyLimitsAreNamed(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("free")
	_, id := s.limited(key, object{"budget": 5})
	asst := string(elumenta.NewAssistantID())
	many := make([]string, elumenta.MaxKeyScope+1)
	for i := range many {
		many[i] = string(elumenta.NewAssistantID())
	}
	for name, c := range map[string]struct {
		sent object
		bad  []string
	}{
		"read_only of another type":  {object{"read_only": "yes"}, []string{"read_only"}},
		"a budget below zero":        {object{"budget": -1}, []string{"budget"}},
		"a fraction":                 {object{"budget": 1.5}, []string{"budget"}},
		"a budget too large":         {object{"budget": elumenta.MaxKeyBudget + 1}, []string{"budget"}},
		"a budget beyond numbers":    {object{"budget": 1e300}, []string{"budget"}},
		"a budget in quotes":         {object{"budget": "5"}, []string{"budget"}},
		"a time that is over":        {object{"expires_at": time.Now().Add(-time.Second).Format(time.RFC3339)}, []string{"expires_at"}},
		"a date":                     {object{"expires_at": "2999-01-31"}, []string{"expires_at"}},
		"a number for a time":        {object{"expires_at": 32503680000}, []string{"expires_at"}},
		"one assistant without list": {object{"assistants": asst}, []string{"assistants"}},
		"no assistant":               {object{"assistants": []any{}}, []string{"assistants"}},
		"too many":                   {object{"assistants": many}, []string{"assistants"}},
		"malformed ids":              {object{"assistants": []any{asst, "asst_x", asst + "@3", 7, asst}}, []string{"assistants[1]", "assistants[2]", "assistants[3]", "assistants[4]"}},
		"unknown and repeated slugs": {object{"models": []any{"sandbox", "gpt-0", "sandbox", nil, ""}}, []string{"models[1]", "models[2]", "models[3]", "models[4]"}},
		"no model":                   {object{"models": []any{}}, []string{"models"}},
		"reading and generating":     {object{"read_only": true, "budget": 5}, []string{"read_only"}},
		"an unknown field":           {object{"scope": "all", "budget_spent": 0}, []string{"scope", "budget_spent"}},
		"all at once":                {object{"budget": -1, "models": []any{""}, "expires_at": "x", "read_only": 1}, []string{"budget", "models[0]", "expires_at", "read_only"}},
	} {
		t.Run(name, func(t *testing.T) {
			body := object{"name": "k"}
			maps.Copy(body, c.sent)
			s.do("POST", "/keys", key, body).wantFields(slices.Clone(c.bad)...)
			s.do("PATCH", "/keys/"+id, key, body).wantFields(slices.Clone(c.bad)...)
		})
	}
	s.do("PATCH", "/keys/"+id, key, object{"read_only": true}).wantFields("read_only") // by what the key has already
	s.do("PATCH", "/keys/"+id, key, object{"name": nil}).wantFields("name")
	s.do("PATCH", "/keys/"+id, key, object{"read_only": true, "budget": nil}).want(200)
}

// TestLimitedKeysAreHeldToTheirCalls makes every call of the document with each kind of limited key.
func TestLimitedKeysAreHeldToTheirCalls(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("unlimited")
	asst := s.do("POST", "/assistants", key, bot()).want(201)["id"].(string)
	_, other := s.limited(key, object{})
	open := []string{"GET /models", "GET /models/{slug}", "GET /keys/me", "POST /generate"}
	scoped := func(call string) bool { return slices.Contains(open, call) }
	for _, c := range []struct {
		limits object
		limit  elumenta.KeyLimit
		may    func(call string) bool
	}{
		{object{"assistants": []any{asst}}, elumenta.LimitAssistants, scoped},
		{object{"models": []any{"sandbox"}, "budget": 5}, elumenta.LimitModels, scoped},
		{object{"budget": 1_000_000, "expires_at": "2999-01-01T00:00:00Z"}, elumenta.LimitBudget, scoped},
		{object{"read_only": true}, elumenta.LimitReadOnly, func(call string) bool { return strings.HasPrefix(call, "GET ") }},
		{object{"expires_at": "2999-01-01T00:00:00Z"}, elumenta.LimitExpiry, func(call string) bool {
			return strings.HasPrefix(call, "GET ") || !strings.Contains(call, " /keys") && !strings.Contains(call, " /admin/")
		}},
	} {
		limited, _ := s.limited(key, c.limits)
		for path, item := range s.doc.paths {
			short, ok := strings.CutPrefix(path, httpapi.Base)
			if !ok {
				continue
			}
			id := asst
			if strings.HasPrefix(short, "/keys") {
				id = other
			}
			address := strings.NewReplacer("{id}", id, "{n}", "1", "{slug}", "sandbox").Replace(short)
			for method := range item {
				method = strings.ToUpper(method)
				var body any
				if method != "GET" && method != "DELETE" {
					body = object{"name": "taken over", "model": "sandbox", "prompt": "x", "assistant_id": asst, "display_name": "taken over"}
				}
				r := s.do(method, address, limited, body)
				if !c.may(method + " " + short) {
					r.wantLimit(c.limit)
				} else if strings.Contains(string(r.body), `"limit":`) || r.status == 401 {
					t.Errorf("%v: %s %s is refused: %s", c.limits, method, short, r.body)
				}
			}
		}
		if v := s.do("GET", "/keys", key, nil).want(200); strings.Contains(string(s.do("GET", "/keys", key, nil).body), "taken over") {
			t.Fatalf("%v: a limited key made or changed a key: %v", c.limits, v)
		}
		if r := s.raw("HEAD", httpapi.Base+"/assistants", limited, nil); (r.status == 200) != c.may("GET /assistants") {
			t.Errorf("%v: HEAD answers %d", c.limits, r.status)
		}
	}
}

func TestKeyScope(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("basic")
	own := func(model string) string {
		return s.do("POST", "/assistants", key, bot("model", model)).want(201)["id"].(string)
	}
	free, paid, strange := own("sandbox"), own("paid"), own("sandbox")
	gone := own("sandbox")
	s.do("DELETE", "/assistants/"+gone, key, nil).want(204)
	limited, _ := s.limited(key, object{"assistants": []any{free, paid, gone}, "models": []any{"sandbox"}})
	byModel, _ := s.limited(key, object{"models": []any{"paid"}})
	for _, c := range []struct {
		key    string
		sent   object
		status int
		limit  elumenta.KeyLimit
	}{
		{limited, object{"assistant_id": free}, 200, ""},
		{limited, object{"assistant_id": free + "@1"}, 200, ""},
		{limited, object{"assistant_id": paid, "model": "sandbox"}, 200, ""},
		{limited, object{"assistant_id": gone}, 404, ""},
		{limited, object{"assistant_id": free, "model": "paid"}, 403, elumenta.LimitModels},
		{limited, object{"assistant_id": paid}, 403, elumenta.LimitModels},
		{limited, object{"assistant_id": strange}, 403, elumenta.LimitAssistants},
		{limited, object{"assistant_id": strange + "@9"}, 403, elumenta.LimitAssistants},
		{limited, object{"assistant_id": string(elumenta.NewAssistantID())}, 403, elumenta.LimitAssistants},
		{limited, object{"model": "sandbox"}, 403, elumenta.LimitAssistants},
		{byModel, object{"model": "paid"}, 200, ""},
		{byModel, object{"assistant_id": paid}, 200, ""},
		{byModel, object{"assistant_id": free}, 403, elumenta.LimitModels},
		{byModel, object{"model": "sandbox"}, 403, elumenta.LimitModels},
	} {
		for _, stream := range []bool{false, true} {
			c.sent["prompt"], c.sent["stream"] = "x", stream
			r := s.do("POST", "/generate", c.key, c.sent)
			switch {
			case c.limit != "":
				r.wantLimit(c.limit)
			case r.status != c.status:
				t.Errorf("%v: %d %s", c.sent, r.status, r.body)
			case r.status == 200 && !strings.Contains(string(r.body), `"balance_remaining":null`):
				t.Errorf("%v shows the balance: %s", c.sent, r.body)
			}
		}
	}
	readOnly, _ := s.limited(key, object{"read_only": true})
	s.do("POST", "/generate", readOnly, object{"model": "sandbox", "prompt": "x"}).wantLimit(elumenta.LimitReadOnly)
}

// A key that reads nothing of the account is not told its balance when that runs out.
func TestLimitedKeyIsNotToldTheBalance(t *testing.T) {
	s := newServer(t, setup{plans: elumenta.Plans{{Name: "poor", OnceTokens: 6}}})
	key, _ := s.account("poor")
	limited, _ := s.limited(key, object{"models": []any{"paid"}})
	r := s.do("POST", "/generate", limited, object{"model": "paid", "prompt": "x"})
	r.wantError(402, elumenta.CodeInsufficientTokens)
	if diff := cmp.Diff(object{"cost": 7.0}, r.json()["details"]); diff != "" || strings.Contains(r.json()["message"].(string), "6") {
		t.Errorf("%s", r.body)
	}
	r = s.do("POST", "/generate", key, object{"model": "paid", "prompt": "x"})
	r.wantError(402, elumenta.CodeInsufficientTokens)
	if diff := cmp.Diff(object{"cost": 7.0, "balance": 6.0}, r.json()["details"]); diff != "" {
		t.Errorf("%s", r.body)
	}
}

// node is another node of a server, with caches of its own.
func (s *server) node() *server {
	s.t.Helper()
	catalog, plans := testCatalog(nil, time.Time{}), elumenta.DefaultPlans()
	pipeline := generate.New(generate.Options{Store: s.store, Catalog: catalog, Plans: plans})
	api, err := httpapi.New(httpapi.Options{
		Accounts: s.store, Assistants: s.store, Usage: s.store, Generator: pipeline,
		Settings: httpapi.Settings{Catalog: catalog, Plans: plans, RequestsPerMinute: 1_000_000}, Secret: s.store.InstallationSecret(),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	h := httptest.NewServer(api)
	s.t.Cleanup(func() {
		h.Close()
		if err := pipeline.Close(context.WithoutCancel(s.t.Context())); err != nil {
			s.t.Error(err)
		}
	})
	return &server{t: s.t, url: h.URL, store: s.store}
}

// What one node changes of a key counts for the next request on another, which knows the key from before.
func TestKeyLimitsCountAtOnce(t *testing.T) {
	s := newServer(t, setup{})
	b := s.node()
	key, _ := s.account("basic")
	asst := s.do("POST", "/assistants", key, bot("model", "sandbox")).want(201)["id"].(string)
	limited, id := s.limited(key, object{})
	call := func() *reply { return b.do("POST", "/generate", limited, object{"assistant_id": asst, "prompt": "x"}) }
	for range 3 {
		call().want(200)
		for _, step := range []struct {
			change object
			limit  elumenta.KeyLimit
		}{
			{object{"models": []any{"paid"}}, elumenta.LimitModels},
			{object{"models": []any{"paid", "sandbox"}}, ""},
			{object{"assistants": []any{string(elumenta.NewAssistantID())}}, elumenta.LimitAssistants},
			{object{"assistants": []any{asst}}, ""},
			{object{"assistants": nil, "models": nil, "read_only": true}, elumenta.LimitReadOnly},
			{object{"read_only": false}, ""},
		} {
			s.do("PATCH", "/keys/"+id, key, step.change).want(200)
			if step.limit == "" {
				call().want(200)
			} else {
				call().wantLimit(step.limit)
			}
		}
	}
	s.do("DELETE", "/keys/"+id, key, nil).want(204)
	call().wantError(401, elumenta.CodeNotAuthenticated)
}

// Of many calls at once exactly as many are answered as the key's budget covers, on two nodes.
func TestKeyBudget(t *testing.T) {
	s := newServer(t, setup{})
	nodes := []*server{s.node(), s.node()}
	key, _ := s.account("unlimited")
	limited, id := s.limited(key, object{"budget": 100})
	var answered, refused atomic.Int64
	var calls sync.WaitGroup
	for i := range 500 {
		calls.Go(func() {
			switch r := nodes[i%2].do("POST", "/generate", limited, object{"model": "paid", "prompt": "x"}); r.status {
			case 200:
				answered.Add(1)
			case 402:
				refused.Add(1)
			}
		})
	}
	calls.Wait()
	if a, r := answered.Load(), refused.Load(); a != 14 || r != 486 {
		t.Errorf("%d answered and %d refused, want 14 of 7 tokens each", a, r)
	}
	if v := s.do("GET", "/keys/me", limited, nil).want(200); v["budget_spent"] != 98.0 || v["budget"] != 100.0 {
		t.Errorf("the key: %v", v)
	}
	r := s.do("POST", "/generate", limited, object{"model": "paid", "prompt": "x"})
	r.wantError(402, elumenta.CodeInsufficientTokens)
	if diff := cmp.Diff(object{"balance": 2.0, "cost": 7.0, "limit": "key"}, r.json()["details"]); diff != "" {
		t.Error(diff)
	}
	s.do("POST", "/generate", limited, object{"model": "sandbox", "prompt": "free of charge"}).want(200)
	s.do("PATCH", "/keys/"+id, key, object{"budget": 105}).want(200)
	nodes[1].do("POST", "/generate", limited, object{"model": "paid", "prompt": "x"}).want(200)
	nodes[1].do("POST", "/generate", limited, object{"model": "paid", "prompt": "x"}).wantError(402, elumenta.CodeInsufficientTokens)
	s.do("PATCH", "/keys/"+id, key, object{"budget": nil}).want(200)
	nodes[1].do("POST", "/generate", limited, object{"model": "paid", "prompt": "x"}).want(200)
}

// A key ends in time, also on a node that knows it from before, and goes on once it is extended.
func TestKeyExpires(t *testing.T) {
	var ahead atomic.Int64
	s := newServer(t, setup{now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	key, _ := s.account("basic")
	limited, id := s.limited(key, object{"expires_at": time.Now().Add(time.Hour).Format(time.RFC3339)})
	calls := map[string]func() *reply{
		"read":     func() *reply { return s.do("GET", "/balance", limited, nil) },
		"generate": func() *reply { return s.do("POST", "/generate", limited, object{"model": "sandbox", "prompt": "x"}) },
		"broken":   func() *reply { return s.do("POST", "/generate", limited, "{") },
		"bad":      func() *reply { return s.do("POST", "/generate", limited, object{"model": "nothing", "prompt": "x"}) },
	}
	calls["read"]().want(200)
	calls["generate"]().want(200)
	ahead.Store(int64(time.Hour))
	for name, call := range calls {
		if message := call().wantError(401, elumenta.CodeNotAuthenticated); !strings.Contains(message, "has expired") {
			t.Errorf("%s: %s", name, message)
		}
	}
	s.do("PATCH", "/keys/"+id, key, object{"expires_at": time.Now().Add(2 * time.Hour).Format(time.RFC3339)}).want(200)
	calls["read"]().want(200)
	calls["generate"]().want(200)
}

func TestLimitedKeyIdempotent(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("free")
	body := object{"name": "k", "budget": 5, "models": []any{"sandbox"}}
	first := s.do("POST", "/keys", key, body, "Idempotency-Key", "one").want(201)
	s.do("PATCH", "/keys/"+first["id"].(string), key, object{"budget": 6}).want(200)
	again := s.do("POST", "/keys", key, body, "Idempotency-Key", "one").want(201)
	if again["id"] != first["id"] || again["key"] != nil || again["budget"] != 6.0 {
		t.Errorf("repeated: %v", again)
	}
	s.do("POST", "/keys", key, object{"name": "k", "budget": 50}, "Idempotency-Key", "one").wantError(409, elumenta.CodeConflict)
}
