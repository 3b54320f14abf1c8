package httpapi_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/httpapi"
)

// operator makes an account with the role admin, and a key.
func (s *server) operator() (key string, id elumenta.AccountID) {
	s.t.Helper()
	key, id = s.account("unlimited")
	if _, err := s.store.ChangeAccount(s.t.Context(), id, &elumenta.AccountPatch{Role: elumenta.Some(elumenta.RoleAdmin)}); err != nil {
		s.t.Fatal(err)
	}
	return key, id
}

// adminCalls are the operators' calls of the document, with parameters that are well-formed and name nothing.
func (s *server) adminCalls() map[[2]string]any {
	calls := map[[2]string]any{}
	for path, item := range s.doc.paths {
		short, ok := strings.CutPrefix(path, httpapi.Base)
		if !ok || !strings.HasPrefix(short, "/admin/") {
			continue
		}
		id := string(elumenta.NewAccountID())
		switch {
		case strings.HasPrefix(short, "/admin/keys"):
			id = string(elumenta.NewKeyID())
		case strings.HasPrefix(short, "/admin/assistants"):
			id = string(elumenta.NewAssistantID())
		}
		address := strings.Replace(short, "{id}", id, 1)
		if short == "/admin/keys" {
			address += "?prefix=nb_12345"
		}
		for method := range item {
			method = strings.ToUpper(method)
			var body any
			switch {
			case method == "GET" || method == "DELETE":
			case strings.HasSuffix(short, "/plan"):
				body = object{"plan": "pro"}
			case strings.HasSuffix(short, "/topups"):
				body = object{"tokens": 5}
			case short == "/admin/accounts":
				body = object{"display_name": "Eve", "plan": "elite", "role": "admin"}
			case method == "PATCH":
				body = object{"role": "admin"}
			default:
				body = object{"reason": "x"}
			}
			calls[[2]string{method, address}] = body
		}
	}
	return calls
}

// Every call is for operators alone, whoever else asks, and nothing is changed.
func TestAdminIsForOperators(t *testing.T) {
	s := newServer(t, setup{})
	user, _ := s.account("unlimited")
	fallen, id := s.operator()
	admin, _ := s.operator()
	reading, _ := s.limited(admin, object{"read_only": true})
	if _, err := s.store.SetSuspended(t.Context(), id, true, ""); err != nil {
		t.Fatal(err)
	}
	head, err := s.store.VerifyAudit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	calls := s.adminCalls()
	if len(calls) < 15 {
		t.Fatalf("only %d calls", len(calls))
	}
	for call, body := range calls {
		if message := s.do(call[0], call[1], user, body).wantError(403, elumenta.CodeForbidden); !strings.Contains(message, "role admin") {
			t.Errorf("%v: %s", call, message)
		}
		s.do(call[0], call[1], user, "{").wantError(403, elumenta.CodeForbidden)
		s.do(call[0], call[1], fallen, body).wantError(403, elumenta.CodeAccountSuspended)
		s.do(call[0], call[1], "", body).wantError(401, elumenta.CodeNotAuthenticated)
		if call[0] != "GET" {
			s.do(call[0], call[1], reading, body).wantLimit(elumenta.LimitReadOnly)
		} else if r := s.do(call[0], call[1], reading, nil); r.status != 200 && r.status != 404 {
			t.Errorf("%v with a key for reading: %d %s", call, r.status, r.body)
		}
	}
	after, err := s.store.VerifyAudit(t.Context())
	if err != nil || after != head {
		t.Errorf("something was recorded: %v, %v, %v", head, after, err)
	}
}

// Ids that name nothing, or are none, are 404; what does not belong into a body is 422.
func TestAdminOfNothing(t *testing.T) {
	s := newServer(t, setup{})
	admin, _ := s.operator()
	for call, body := range s.adminCalls() {
		if !strings.Contains(call[1], "_") || strings.Contains(call[1], "?") {
			continue
		}
		s.do(call[0], call[1], admin, body).wantError(404, elumenta.CodeNotFound)
		parts := strings.Split(call[1], "/")
		parts[3] = "x"
		s.do(call[0], strings.Join(parts, "/"), admin, body).wantError(404, elumenta.CodeNotFound)
		if body != nil {
			s.do(call[0], call[1], admin, object{"surprise": 1}).wantError(422, elumenta.CodeValidation)
			s.do(call[0], call[1], admin, "[]").wantError(400, elumenta.CodeBadRequest)
		}
	}
}

func TestAdminAccounts(t *testing.T) {
	s := newServer(t, setup{})
	admin, self := s.operator()
	made := s.do("POST", "/admin/accounts", admin, object{"display_name": "Ada Lovelace", "plan": "pro"}, "Idempotency-Key", "a")
	v := made.want(201)
	id := v["id"].(string)
	if v["role"] != "user" || v["plan"] != "pro" || v["token_balance"] != 700.0 || v["suspended"] != false || made.header.Get("Location") != "/api/v2/admin/accounts/"+id {
		t.Fatalf("made %v, %v", v, made.header)
	}
	again := s.do("POST", "/admin/accounts", admin, object{"display_name": "Ada Lovelace", "plan": "pro"}, "Idempotency-Key", "a")
	if again.want(201)["id"] != id || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("repeated: %s %v", again.body, again.header)
	}
	s.do("POST", "/admin/accounts", admin, object{"display_name": "Ada", "plan": "pro"}, "Idempotency-Key", "a").wantError(409, elumenta.CodeConflict)
	s.do("POST", "/admin/accounts", admin, object{"display_name": "", "plan": "gold", "role": "root", "tokens": 5}, "Idempotency-Key", "a b").
		wantFields("display_name", "plan", "role", "tokens", "Idempotency-Key")
	s.do("POST", "/admin/accounts", admin, object{"display_name": 1, "role": []any{}}).wantFields("display_name", "plan", "role")

	if v := s.do("GET", "/admin/accounts/"+id, admin, nil).want(200); v["display_name"] != "Ada Lovelace" {
		t.Errorf("read %v", v)
	}
	if v := s.do("PATCH", "/admin/accounts/"+id, admin, object{"display_name": "Countess", "role": "admin"}).want(200); v["display_name"] != "Countess" || v["role"] != "admin" {
		t.Errorf("changed to %v", v)
	}
	s.do("PATCH", "/admin/accounts/"+id, admin, object{"display_name": nil, "role": "", "plan": "elite"}).wantFields("display_name", "role", "plan")
	s.do("PATCH", "/admin/accounts/"+id, admin, object{}).want(200)

	for query, want := range map[string]int{"": 2, "?q=count": 1, "?q=" + id: 1, "?q=lovelace": 0, "?plan=pro": 1, "?plan=free": 0, "?suspended=true": 0, "?suspended=false": 2, "?limit=1": 1} {
		list := s.do("GET", "/admin/accounts"+query, admin, nil).want(200)
		if items := list["items"].([]any); len(items) != want || (list["next_cursor"] != nil) != (query == "?limit=1") {
			t.Errorf("%q lists %v", query, list)
		}
	}
	first := s.do("GET", "/admin/accounts?limit=1", admin, nil).want(200)["next_cursor"].(string)
	if v := s.do("GET", "/admin/accounts?limit=1&cursor="+first, admin, nil).want(200)["items"].([]any); v[0].(object)["id"] != string(self) {
		t.Errorf("second page %v", v)
	}
	s.do("GET", "/admin/accounts?q=x&cursor="+first, admin, nil).wantError(400, elumenta.CodeBadRequest)
	s.do("GET", "/admin/accounts?plan=gold", admin, nil).wantFields("plan")
	s.do("GET", "/admin/accounts?suspended=maybe", admin, nil).wantFields("suspended")

	// One admin stays.
	if v := s.do("POST", "/admin/accounts/"+id+"/suspend", admin, object{"reason": "away"}).want(200); v["suspended"] != true {
		t.Errorf("suspended: %v", v)
	}
	s.do("POST", "/admin/accounts/"+string(self)+"/suspend", admin, object{}).wantError(409, elumenta.CodeConflict)
	s.do("PATCH", "/admin/accounts/"+string(self), admin, object{"role": "user"}).wantError(409, elumenta.CodeConflict)
	s.do("POST", "/admin/accounts/"+id+"/suspend", admin, object{"reason": strings.Repeat("x", 201)}).wantFields("reason")
	if v := s.do("POST", "/admin/accounts/"+id+"/resume", admin, object{"reason": nil}).want(200); v["suspended"] != false {
		t.Errorf("resumed: %v", v)
	}
	s.do("PATCH", "/admin/accounts/"+string(self), admin, object{"role": "user"}).want(200)
	s.do("GET", "/admin/accounts", admin, nil).wantError(403, elumenta.CodeForbidden)
}

func TestAdminPlan(t *testing.T) {
	s := newServer(t, setup{})
	admin, _ := s.operator()
	key, id := s.account("basic")
	path := "/admin/accounts/" + string(id) + "/plan"
	if v := s.do("PUT", path, admin, object{"plan": "pro", "expires_at": "2999-01-01T00:00:00+01:00", "reason": "paid"}).want(200); v["plan"] != "pro" ||
		v["plan_expires_at"] != "2998-12-31T23:00:00Z" || v["token_balance"] != 700.0 {
		t.Errorf("%v", v)
	}
	s.do("POST", "/generate", key, object{"model": "paid", "prompt": "x"}).want(200)
	for _, expires := range []any{"2999-01-01T00:00:00+01:00", nil} {
		if v := s.do("PUT", path, admin, object{"plan": "pro", "expires_at": expires}).want(200); v["token_balance"] != 693.0 {
			t.Errorf("the plan began again: %v", v)
		}
	}
	for _, bad := range []struct {
		body   object
		fields []string
	}{
		{object{}, []string{"plan"}},
		{object{"plan": "gold", "reason": "two\nlines", "expires_at": "tomorrow"}, []string{"plan", "reason", "expires_at"}},
		{object{"plan": "elite", "expires_at": "2020-01-01T00:00:00Z"}, []string{"expires_at"}},
		{object{"plan": nil, "expires_at": 5, "tokens": 1}, []string{"plan", "expires_at", "tokens"}},
	} {
		s.do("PUT", path, admin, bad.body).wantFields(bad.fields...)
	}
	if message := s.do("PUT", path, admin, object{"plan": "gold"}).wantError(422, elumenta.CodeValidation); !strings.Contains(message, "free, basic, pro, vip, elite, unlimited") {
		t.Error(message)
	}
	if v := s.do("GET", "/balance", key, nil).want(200); v["plan"] != "pro" || v["token_balance"] != 693.0 {
		t.Errorf("%v", v)
	}
}

func TestAdminTopup(t *testing.T) {
	s := newServer(t, setup{})
	admin, operator := s.operator()
	_, id := s.account("free")
	path := "/admin/accounts/" + string(id) + "/topups"
	for _, tokens := range []string{`0`, `-1`, `1.5`, `0.1`, `1.00000000000000000000000001`, `1e-400`, `9223372036854775808`, `1e300`, `1e999`, `1000000000001`, `"5"`, `null`, `true`, `[5]`, `{}`} {
		s.do("POST", path, admin, `{"tokens": `+tokens+`}`).wantFields("tokens")
	}
	s.do("POST", path, admin, object{"tokens": 5, "reason": 7, "plan": "pro"}, "Idempotency-Key", strings.Repeat("x", 256)).wantFields("reason", "plan", "Idempotency-Key")
	s.do("POST", path, admin, object{}).wantFields("tokens")
	if v := s.do("GET", "/admin/accounts/"+string(id), admin, nil).want(200); v["topup_tokens"] != 0.0 {
		t.Fatalf("a refused top-up added: %v", v)
	}
	if v := s.do("POST", path, admin, `{"tokens": 1e3, "reason": "a gift"}`).want(201); v["topup_tokens"] != 1000.0 || v["token_balance"] != 1050.0 {
		t.Errorf("%v", v)
	}
	var calls sync.WaitGroup
	var first atomic.Int64
	for range 40 {
		calls.Go(func() {
			r := s.do("POST", path, admin, object{"tokens": 5}, "Idempotency-Key", "k")
			if r.want(201)["topup_tokens"] != 1005.0 {
				t.Errorf("%s", r.body)
			}
			if r.header.Get("Idempotency-Replayed") != "true" {
				first.Add(1)
			}
		})
	}
	calls.Wait()
	if first.Load() != 1 {
		t.Errorf("carried out %d times", first.Load())
	}
	s.do("POST", path, admin, object{"tokens": 6}, "Idempotency-Key", "k").wantError(409, elumenta.CodeConflict)
	// The key belongs to the account that is topped up, whoever does it.
	other, _ := s.operator()
	if r := s.do("POST", path, other, `{"tokens": 5.0}`, "Idempotency-Key", "k"); r.want(201)["topup_tokens"] != 1005.0 || r.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%s", r.body)
	}
	if v := s.do("POST", path, other, object{"tokens": 5}, "Idempotency-Key", "another").want(201); v["topup_tokens"] != 1010.0 {
		t.Errorf("%v", v)
	}
	if v := s.do("POST", "/admin/accounts/"+string(operator)+"/topups", admin, object{"tokens": 5}, "Idempotency-Key", "k").want(201); v["topup_tokens"] != 5.0 {
		t.Errorf("%v", v)
	}

	list := s.do("GET", "/admin/accounts/"+string(id)+"/ledger?limit=3", admin, nil).want(200)
	newest, oldest := list["items"].([]any)[0].(object), list["items"].([]any)[2].(object)
	if newest["seq"] != 4.0 || newest["kind"] != "topup" || newest["topup_tokens"] != 5.0 || newest["balance"].(object)["token_balance"] != 1060.0 || newest["generation_id"] != nil {
		t.Errorf("%v", newest)
	}
	if oldest["reason"] != "a gift" || oldest["actor"] != string(operator) || oldest["source"] != "topped_up" || oldest["destination"] != "available" {
		t.Errorf("%v", oldest)
	}
	rest := s.do("GET", "/admin/accounts/"+string(id)+"/ledger?limit=3&cursor="+list["next_cursor"].(string), admin, nil).want(200)
	if items := rest["items"].([]any); len(items) != 1 || items[0].(object)["kind"] != "grant" || rest["next_cursor"] != nil {
		t.Errorf("%v", rest)
	}
	s.do("GET", "/admin/accounts/"+string(operator)+"/ledger?cursor="+list["next_cursor"].(string), admin, nil).wantError(400, elumenta.CodeBadRequest)
}

func TestAdminKeys(t *testing.T) {
	s := newServer(t, setup{})
	admin, _ := s.operator()
	leaked, id := s.account("free")
	for range 2 {
		s.do("POST", "/keys", leaked, object{"name": "more"}).want(201)
	}
	page := s.do("GET", "/admin/accounts/"+string(id)+"/keys?limit=2", admin, nil).want(200)
	rest := s.do("GET", "/admin/accounts/"+string(id)+"/keys?limit=2&cursor="+page["next_cursor"].(string), admin, nil).want(200)
	if a, b := page["items"].([]any), rest["items"].([]any); len(a) != 2 || len(b) != 1 || b[0].(object)["account_id"] != string(id) || b[0].(object)["prefix"] != leaked[:8] {
		t.Errorf("%v, then %v", page, rest)
	}
	found := s.do("GET", "/admin/keys?prefix="+leaked[:8], admin, nil)
	items := found.want(200)["items"].([]any)
	if len(items) != 1 || items[0].(object)["account_id"] != string(id) || strings.Contains(string(found.body), leaked) {
		t.Fatalf("%s", found.body)
	}
	for _, bad := range []string{"", "?prefix=", "?prefix=" + leaked[:7], "?prefix=" + leaked, "?prefix=nb_12%2545"} {
		s.do("GET", "/admin/keys"+bad, admin, nil).wantFields("prefix")
	}
	key := items[0].(object)["id"].(string)
	s.do("DELETE", "/admin/keys/"+key, admin, nil).want(204)
	s.do("GET", "/user/me", leaked, nil).wantError(401, elumenta.CodeNotAuthenticated)
	s.do("POST", "/generate", leaked, object{"model": "sandbox", "prompt": "x"}).wantError(401, elumenta.CodeNotAuthenticated)
	s.do("DELETE", "/admin/keys/"+key, admin, nil).wantError(404, elumenta.CodeNotFound)
}

// An operator ends what others have of an assistant, also of one that this node has in its cache.
func TestAdminUnpublish(t *testing.T) {
	s := newServer(t, setup{})
	admin, _ := s.operator()
	author, _ := s.account("free")
	reader, _ := s.account("free")
	id := s.do("POST", "/assistants", author, bot("visibility", "marketplace", "category", "general", "description", "d")).want(201)["id"].(string)
	use := func(ref string) *reply {
		return s.do("POST", "/generate", reader, object{"assistant_id": ref, "prompt": "x"})
	}
	use(id).want(200)
	use(id + "@1").want(200)
	s.do("POST", "/admin/assistants/"+id+"/unpublish", admin, object{}).wantFields("reason")
	s.do("POST", "/admin/assistants/"+id+"/unpublish", admin, object{"reason": "spam"}).want(204)
	use(id).wantError(404, elumenta.CodeNotFound)
	use(id+"@1").wantError(404, elumenta.CodeNotFound)
	s.do("GET", "/assistants/"+id, reader, nil).wantError(404, elumenta.CodeNotFound)
	if v := s.do("GET", "/assistants/"+id, author, nil, "If-None-Match", `"1"`).want(200); v["visibility"] != "private" || v["version"] != 2.0 {
		t.Errorf("the author reads %v", v)
	}
	s.do("POST", "/admin/assistants/"+id+"/unpublish", admin, object{"reason": "spam"}).wantError(404, elumenta.CodeNotFound)
}

func TestAdminAudit(t *testing.T) {
	proxies := func(o *httpapi.Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	}
	s := newServer(t, setup{options: proxies})
	admin, operator := s.operator()
	key, id := s.account("pro")
	own := s.do("GET", "/admin/accounts/"+string(operator)+"/keys", admin, nil).want(200)["items"].([]any)[0].(object)["id"]
	s.do("POST", "/admin/accounts/"+string(id)+"/topups", admin, object{"tokens": 5, "reason": "a gift"}, "X-Forwarded-For", "203.0.113.7").want(201)
	bot := s.do("POST", "/assistants", key, bot("visibility", "marketplace", "category", "general", "description", "d")).want(201)["id"]

	list := s.do("GET", "/admin/audit?limit=2", admin, nil).want(200)
	published, topup := list["items"].([]any)[0].(object), list["items"].([]any)[1].(object)
	if published["action"] != "assistant.published" || published["actor"] != string(id) || published["target"] != bot || published["account_id"] != string(id) {
		t.Errorf("%v", published)
	}
	if topup["action"] != "account.topped_up" || topup["actor"] != string(operator) || topup["key_id"] != own || topup["address"] != "203.0.113.7" ||
		topup["target"] != string(id) || fmt.Sprint(topup["details"]) != "map[reason:a gift tokens:5]" {
		t.Errorf("%v", topup)
	}
	older := s.do("GET", "/admin/audit?limit=100&cursor="+list["next_cursor"].(string), admin, nil).want(200)["items"].([]any)
	if len(older) != 5 || older[0].(object)["seq"].(float64) != topup["seq"].(float64)-1 {
		t.Errorf("%v", older)
	}
	for query, want := range map[string]int{"?action=account.topped_up": 1, "?account=" + string(id): 4, "?account=" + string(id) + "&action=key.created": 1, "?action=key.revoked": 0} {
		if items := s.do("GET", "/admin/audit"+query, admin, nil).want(200)["items"].([]any); len(items) != want {
			t.Errorf("%q: %v", query, items)
		}
	}
	s.do("GET", "/admin/audit?account=x&action=nothing", admin, nil).wantFields("account", "action")
	if head, err := s.store.VerifyAudit(t.Context()); err != nil || head.Hash.String() != published["hash"] {
		t.Errorf("the trail ends at %v, %v", head, err)
	}
}

// The document lists every action that is recorded.
func TestAuditActionsAreDocumented(t *testing.T) {
	s := newServer(t, setup{})
	admin, _ := s.operator()
	for _, action := range elumenta.AuditActions() {
		s.do("GET", "/admin/audit?action="+string(action), admin, nil).want(200)
	}
	body := s.do("GET", "/admin/audit?action=none", admin, nil).wantError(422, elumenta.CodeValidation)
	if listed := strings.Count(body, "."); listed != len(elumenta.AuditActions()) {
		t.Errorf("%d actions are listed, of %d: %s", listed, len(elumenta.AuditActions()), body)
	}
}

func TestAdminUsage(t *testing.T) {
	s := newServer(t, setup{})
	admin, _ := s.operator()
	var ids []string
	for range 2 {
		key, id := s.account("free")
		ids = append(ids, string(id))
		s.do("POST", "/generate", key, object{"model": "paid", "prompt": "x"}).want(200)
	}
	end := time.After(time.Minute)
	for next := time.Tick(20 * time.Millisecond); s.do("GET", "/admin/usage", admin, nil).want(200)["total"].(object)["requests"] != 2.0; {
		select {
		case <-next:
		case <-end:
			t.Fatal("what was settled is not in the usage of everyone")
		}
	}
	v := s.do("GET", "/admin/usage?group_by=account", admin, nil).want(200)
	var groups []string
	for _, item := range v["items"].([]any) {
		groups = append(groups, item.(object)["group"].(string))
	}
	slices.Sort(ids)
	if !slices.Equal(groups, ids) || v["total"].(object)["tokens_spent"] != 14.0 {
		t.Errorf("%v", v)
	}
	if r := s.do("GET", "/admin/usage?group_by=model&format=csv", admin, nil); r.status != 200 || !strings.HasPrefix(string(r.body), "model,requests") || !strings.Contains(string(r.body), "\npaid,2,") {
		t.Errorf("%d %s", r.status, r.body)
	}
	s.do("GET", "/admin/usage?group_by=key&from=x", admin, nil).wantFields("group_by", "from")
}
