package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
)

// An account reads its own journal, and not who of the operators did what.
func TestStatement(t *testing.T) {
	s := newServer(t, setup{})
	admin, operator := s.operator()
	key, id := s.account("basic")
	s.do("POST", "/admin/accounts/"+string(id)+"/topups", admin, object{"tokens": 25, "reason": "invoice 4711"}).want(201)
	generation := s.do("POST", "/generate", key, object{"model": "paid", "prompt": "x"}).want(200)["id"]
	s.do("POST", "/generate", key, object{"model": "paid", "prompt": "sandbox:error 500"}).wantError(502, elumenta.CodeProvider)
	s.do("PUT", "/admin/accounts/"+string(id)+"/plan", admin, object{"plan": "pro", "reason": "a secret of the operators"}).want(200)

	var got []string
	var pages int
	for path := "/balance/statement?limit=3"; path != ""; pages++ {
		r := s.do("GET", path, key, nil)
		v := r.want(200)
		if body := string(r.body); strings.Contains(body, string(operator)) || strings.Contains(body, "secret") || strings.Contains(body, "actor") {
			t.Errorf("the statement tells of operators: %s", body)
		}
		for _, item := range v["items"].([]any) {
			e := item.(object)
			got = append(got, fmt.Sprint(e["seq"], " ", e["kind"], " ", e["monthly_tokens"], "+", e["topup_tokens"], " ", e["reason"], " ", e["balance"].(object)["token_balance"]))
			if (e["key_id"] != nil) != (e["kind"] == "reserve") {
				t.Errorf("key of %v", e)
			}
			if e["seq"] == 4.0 && (e["generation_id"] != generation || e["source"] != "reserved" || e["destination"] != "spent") {
				t.Errorf("%v", e)
			}
		}
		path = ""
		if next, ok := v["next_cursor"].(string); ok {
			path = "/balance/statement?limit=3&cursor=" + next
		}
	}
	want := []string{
		"8 grant 700+0 pro 725", "7 expire 293+0 basic 25", "6 give_back 7+0 provider_error 318", "5 reserve 7+0 paid 311", "4 settle 7+0  318", "3 reserve 7+0 paid 318",
		"2 topup 0+25 invoice 4711 325", "1 grant 300+0 basic 300",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || pages != 3 {
		t.Errorf("%d pages:\n%s", pages, strings.Join(got, "\n"))
	}

	// A file has all of a time, the oldest first.
	file := s.do("GET", "/balance/statement?format=csv&limit=1&from=2020-01-01", key, nil)
	if lines := strings.Split(strings.TrimSpace(string(file.body)), "\n"); len(lines) != 9 || !strings.HasPrefix(lines[0], "seq,at,kind,") || !strings.Contains(lines[0], ",key_id,") ||
		!strings.Contains(lines[2], ",topup,topped_up,available,0,25,0,25,300,25,325,invoice 4711,,") || !strings.Contains(lines[3], ",reserve,available,reserved,7,0,-7,0,293,25,318,paid,key_") ||
		strings.Contains(string(file.body), string(operator)) || file.header.Get("Content-Disposition") != `attachment; filename="statement.csv"` {
		t.Errorf("%v: %s", file.header, file.body)
	}
	if r := s.raw("GET", "/api/v2/admin/accounts/"+string(id)+"/ledger", admin, nil, "Accept", "text/csv"); !strings.Contains(string(r.body), ",actor,") || !strings.Contains(string(r.body), ","+string(operator)+",") {
		t.Errorf("%s", r.body)
	}
	tomorrow := time.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly)
	for query, want := range map[string]int{"from=" + tomorrow: 0, "to=" + tomorrow: 8, "from=2020-01-01&to=2021-01-01": 0, "to=2021-01-01T00:00:00Z": 0} {
		if v := s.do("GET", "/balance/statement?"+query, key, nil).want(200); len(v["items"].([]any)) != want {
			t.Errorf("%s: %v", query, v)
		}
	}
	s.do("GET", "/balance/statement?from=x&to=1&format=xml", key, nil).wantFields("from", "to", "format")
	s.do("GET", "/balance/statement?from=2021-01-01&to=2020-01-01", key, nil).wantFields("from")

	// Cursors are an account's own, and of the one list.
	next := s.do("GET", "/balance/statement?limit=1", key, nil).want(200)["next_cursor"].(string)
	other, _ := s.account("free")
	s.do("GET", "/balance/statement?to="+tomorrow+"&cursor="+next, key, nil).wantError(400, elumenta.CodeBadRequest)
	s.do("GET", "/balance/statement?cursor="+next, other, nil).wantError(400, elumenta.CodeBadRequest)
	s.do("GET", "/admin/accounts/"+string(id)+"/ledger?cursor="+next, admin, nil).wantError(400, elumenta.CodeBadRequest)
	s.do("GET", "/balance/statement?limit=0&account=x", key, nil).wantFields("limit", "account")
	if v := s.do("GET", "/balance/statement", other, nil).want(200); len(v["items"].([]any)) != 1 || v["next_cursor"] != nil {
		t.Errorf("%v", v)
	}
	reads := s.do("POST", "/keys", key, object{"name": "reads", "read_only": true}).want(201)["key"].(string)
	s.do("GET", "/balance/statement", reads, nil).want(200)
	generates := s.do("POST", "/keys", key, object{"name": "generates", "budget": 5}).want(201)["key"].(string)
	s.do("GET", "/balance/statement", generates, nil).wantError(403, elumenta.CodeForbidden)
}
