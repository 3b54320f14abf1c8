package httpapi_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
)

func TestKeys(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("free")
	made := s.do("POST", "/keys", key, object{"name": "laptop"}).want(201)
	second, id := made["key"].(string), made["id"].(string)
	if _, ok := elumenta.ParseKeySecret(second); !ok {
		t.Fatalf("the new key is malformed")
	}
	s.do("GET", "/user/me", second, nil).want(200)
	if v := s.do("PATCH", "/keys/"+id, key, object{"name": "desk"}).want(200); v["name"] != "desk" || v["prefix"] != second[:8] {
		t.Errorf("renamed to %v", v)
	}
	list := s.do("GET", "/keys", key, nil)
	if items := list.want(200)["items"].([]any); len(items) != 2 || strings.Contains(string(list.body), second) {
		t.Errorf("list %s", list.body)
	}
	s.do("DELETE", "/keys/"+id, key, nil).want(204)
	s.do("GET", "/user/me", second, nil).wantError(401, elumenta.CodeNotAuthenticated)
	s.do("POST", "/generate", second, object{"model": "sandbox", "prompt": "x"}).wantError(401, elumenta.CodeNotAuthenticated)
	s.do("DELETE", "/keys/"+id, key, nil).wantError(404, elumenta.CodeNotFound)
	for _, bad := range []any{object{}, object{"name": ""}, object{"name": nil}, object{"name": 1}, object{"name": strings.Repeat("x", 101)}, object{"name": "a\nb"}} {
		s.do("POST", "/keys", key, bad).wantFields("name")
	}
	s.do("PATCH", "/keys/"+id, key, object{"name": "x", "key": "y"}).wantFields("key")
}

// An account sees what its assistants store before it runs into the limit, and what that is.
func TestStorage(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("unlimited")
	storage := func(method string, body any) object {
		t.Helper()
		return s.do(method, "/user/me", key, body).want(200)["storage"].(object)
	}
	if v := storage("GET", nil); v["used_bytes"] != 0.0 || v["limit_bytes"] != nil {
		t.Errorf("storage of nothing, without a limit: %v", v)
	}
	id := s.do("POST", "/assistants", key, bot("description", "Né", "category", "data", "visibility", "marketplace")).want(201)["id"].(string)
	const size = int64(len("BotsandboxBe kind.Nédata"))
	s.store.Reload(nil, elumenta.DeniedNames{}, 0, 2*size-1)
	for _, v := range []object{storage("GET", nil), storage("PATCH", object{"display_name": "Grace"})} {
		if v["used_bytes"] != float64(size) || v["limit_bytes"] != float64(2*size-1) {
			t.Errorf("storage %v, want %d of %d", v, size, 2*size-1)
		}
	}
	for _, call := range []struct {
		method, path string
		body         object
	}{
		{"POST", "/assistants", bot("description", "Né", "category", "data")},
		{"PUT", "/assistants/" + id, object{"name": "Tob"}},
		{"POST", "/assistants/" + id + "/copy", object{}},
		{"POST", "/assistants/import", object{"visibility": "private", "versions": []object{bot("version", 1, "created_at", "2026-01-01T00:00:00Z", "note", "long enough")}}},
	} {
		message := s.do(call.method, call.path, key, call.body).wantError(422, elumenta.CodeValidation)
		if !strings.Contains(message, fmt.Sprintf("store %d bytes", size)) || !strings.Contains(message, "delete assistants") {
			t.Errorf("%s %s: %q", call.method, call.path, message)
		}
	}
	s.do("PUT", "/assistants/"+id, key, object{"visibility": "private"}).want(200)
	s.do("POST", "/assistants/"+id+"/versions/1/restore", key, nil).wantError(422, elumenta.CodeValidation)
	s.do("DELETE", "/assistants/"+id, key, nil).want(204)
	if v := storage("GET", nil); v["used_bytes"] != 0.0 {
		t.Errorf("storage of nothing: %v", v)
	}
	s.do("POST", "/assistants", key, bot()).want(201)
}

func TestUserBalanceAndModels(t *testing.T) {
	s := newServer(t, setup{})
	key, id := s.account("basic")
	if _, _, err := s.store.Topup(t.Context(), id, elumenta.Topup{Tokens: 20}); err != nil {
		t.Fatal(err)
	}
	if v := s.do("PATCH", "/user/me", key, object{"display_name": "Grace"}).want(200); v["display_name"] != "Grace" || v["id"] != string(id) {
		t.Errorf("user %v", v)
	}
	if v := s.do("GET", "/user/me", key, nil).want(200); v["display_name"] != "Grace" || v["token_balance"] != 320.0 || v["plan"] != "basic" {
		t.Errorf("user %v", v)
	}
	if v := s.do("GET", "/balance", key, nil).want(200); v["token_balance"] != 320.0 || v["monthly_tokens"] != 300.0 || v["topup_tokens"] != 20.0 || v["period_ends_at"] == nil {
		t.Errorf("balance %v", v)
	}
	s.do("PATCH", "/user/me", key, object{"display_name": "", "plan": "elite"}).wantFields("display_name", "plan")
	if items := s.do("GET", "/models?category=text", key, nil).want(200)["items"].([]any); len(items) != 3 {
		t.Errorf("models %v", items)
	}
	if items := s.do("GET", "/models?category=image", key, nil).want(200)["items"].([]any); len(items) != 0 {
		t.Errorf("models %v", items)
	}
	if v := s.do("GET", "/models/away", key, nil).want(200); v["available"] != false || v["token_cost"] != 1.0 || v["cache_minimum"] != nil {
		t.Errorf("model %v", v)
	}
	if v := s.do("GET", "/models/paid", key, nil).want(200); v["cache_minimum"] != 1024.0 {
		t.Errorf("model %v", v)
	}
	s.do("GET", "/models/none", key, nil).wantError(404, elumenta.CodeNotFound)
	s.do("GET", "/models/"+strings.Repeat("x", 3000), key, nil).wantError(404, elumenta.CodeNotFound)
}

func TestUsage(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("free")
	s.do("POST", "/generate", key, object{"model": "paid", "prompt": "one two"}).want(200)
	s.do("POST", "/generate", key, object{"model": "sandbox", "prompt": "sandbox:error 500"}).wantError(502, elumenta.CodeProvider)
	for by, groups := range map[string]int{"": 1, "day": 1, "model": 2, "assistant": 1, "key": 1} {
		query := "/usage"
		if by != "" {
			query += "?group_by=" + by
		}
		v := s.do("GET", query, key, nil).want(200)
		if total := v["total"].(object); total["requests"] != 2.0 || total["failures"] != 1.0 || total["tokens_spent"] != 7.0 {
			t.Errorf("by %q: %v", by, total)
		}
		if items := v["items"].([]any); len(items) != groups {
			t.Errorf("by %q: %v", by, items)
		}
	}
	tomorrow := time.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly)
	if v := s.do("GET", "/usage?to="+tomorrow+"&from="+time.Now().UTC().Format(time.DateOnly), key, nil).want(200); v["total"].(object)["requests"] != 2.0 {
		t.Errorf("today: %v", v)
	}
	if v := s.do("GET", "/usage?from="+tomorrow+"&to=2100-01-01T00:00:00%2B02:00", key, nil).want(200); v["total"].(object)["requests"] != 0.0 {
		t.Errorf("from tomorrow: %v", v)
	}
	for _, query := range []string{"?from=2020-01-01", "?from=2026-02-01&to=2026-01-01", "?from=yesterday"} {
		s.do("GET", "/usage"+query, key, nil).wantFields("from")
	}
}

func TestUsageCSV(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("free")
	s.do("POST", "/generate", key, object{"model": "paid", "prompt": "one two"}).want(200)
	s.do("POST", "/generate", key, object{"model": "sandbox", "prompt": "sandbox:error 500"}).wantError(502, elumenta.CodeProvider)
	item := s.do("GET", "/usage?group_by=model", key, nil).want(200)["items"].([]any)[0].(object)
	for query, accept := range map[string]string{"?group_by=model&format=csv": "*/*", "?group_by=model": "text/csv", "?format=csv&group_by=model": "application/json"} {
		r := s.do("GET", "/usage"+query, key, nil, "Accept", accept)
		if r.status != 200 || r.header.Get("Content-Type") != "text/csv; charset=utf-8; header=present" ||
			r.header.Get("Content-Disposition") != `attachment; filename="usage-by-model.csv"` {
			t.Fatalf("%s: %d %v", query, r.status, r.header)
		}
		lines, err := csv.NewReader(bytes.NewReader(r.body)).ReadAll()
		if err != nil || len(lines) != 3 || lines[0][0] != "model" {
			t.Fatalf("%s: %v, %v", query, lines, err)
		}
		if len(lines[0]) != len(item) {
			t.Errorf("columns %v, fields %v", lines[0], item)
		}
		for i, name := range lines[0] {
			want := item[name]
			if i == 0 {
				want = item["group"]
			}
			if got := lines[1][i]; got != fmt.Sprint(want) {
				t.Errorf("%s is %s, want %v", name, got, want)
			}
		}
	}
	for _, accept := range []string{"application/json, text/csv;q=0.5", "*/*"} {
		s.do("GET", "/usage", key, nil, "Accept", accept).want(200)
	}
	s.do("GET", "/usage", key, nil, "Accept", "text/html").wantError(406, elumenta.CodeBadRequest)
	s.do("GET", "/models", key, nil, "Accept", "text/csv").wantError(406, elumenta.CodeBadRequest)
	s.do("GET", "/usage?from=x", key, nil, "Accept", "text/csv").wantFields("from")
}
