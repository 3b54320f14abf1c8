package httpapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/httpapi"
)

// published makes a published assistant and returns its id.
func (s *server) published(key string, fields ...any) string {
	s.t.Helper()
	fields = append([]any{"visibility", "marketplace", "category", "general", "description", "d"}, fields...)
	return s.do("POST", "/assistants", key, bot(fields...)).want(201)["id"].(string)
}

func TestCopy(t *testing.T) {
	s := newServer(t, setup{})
	author, _ := s.account("pro")
	reader, _ := s.account("free")
	kept := s.published(author)
	id := s.published(author, "copyable", true, "metadata", object{"mine": "secret"}, "temperature", 0.5)
	if v := s.do("GET", "/assistants/"+id, reader, nil).want(200); v["copyable"] != true || v["instructions"] != nil || v["taken_down"] != nil {
		t.Errorf("the public view is %v", v)
	}
	if v := s.do("GET", "/assistants/"+kept, author, nil).want(200); v["copyable"] != false {
		t.Errorf("copyable by default: %v", v)
	}
	made := s.do("POST", "/assistants/"+id+"/copy", reader, object{}, "Idempotency-Key", "k")
	v := made.want(201)
	if v["id"] == id || v["visibility"] != "private" || v["copyable"] != false || v["version"] != 1.0 || v["temperature"] != 0.5 || v["instructions"] != bot()["instructions"] ||
		fmt.Sprint(v["metadata"]) != "map[copied_from:"+id+"@1]" || made.header.Get("Location") != httpapi.Base+"/assistants/"+v["id"].(string) || made.header.Get("ETag") != `"1"` {
		t.Errorf("copied %v, %v", v, made.header)
	}
	again := s.do("POST", "/assistants/"+id+"/copy", reader, object{}, "Idempotency-Key", "k")
	if again.want(201)["id"] != v["id"] || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("repeated: %s", again.body)
	}
	s.do("POST", "/assistants/"+id+"/copy", reader, object{"name": "x"}, "Idempotency-Key", "k").wantError(409, elumenta.CodeConflict)
	s.do("POST", "/assistants/"+kept+"/copy", author, object{}, "Idempotency-Key", "k").want(201) // another account's key
	if v := s.do("POST", "/assistants/"+id+"/copy", reader, object{"name": "Mine", "version": nil}).want(201); v["name"] != "Mine" {
		t.Errorf("named %v", v["name"])
	}

	if message := s.do("POST", "/assistants/"+kept+"/copy", reader, object{}).wantError(403, elumenta.CodeForbidden); !strings.Contains(message, "to themselves") {
		t.Errorf("refused: %s", message)
	}
	s.do("PUT", "/assistants/"+id, author, object{"copyable": nil, "note": "closed"}).want(200)
	s.do("POST", "/assistants/"+id+"/copy", reader, object{}).wantError(403, elumenta.CodeForbidden)
	s.do("POST", "/assistants/"+id+"/copy", reader, object{"version": 1}).want(201)
	s.do("POST", "/assistants/"+id+"/copy", reader, object{"version": 9}).wantError(404, elumenta.CodeNotFound)
	s.do("POST", "/assistants/"+id+"/copy", reader, object{"version": 0, "name": "", "note": "x"}).wantFields("version", "name", "note")
	s.do("POST", "/assistants/x/copy", reader, object{}).wantError(404, elumenta.CodeNotFound)
	s.do("POST", "/assistants/"+v["id"].(string)+"/copy", author, object{}).wantError(404, elumenta.CodeNotFound)
	limited, _ := s.limited(reader, object{"budget": 5})
	s.do("POST", "/assistants/"+id+"/copy", limited, object{}).wantLimit(elumenta.LimitBudget)
	if log := s.log.String(); strings.Contains(log, bot()["instructions"].(string)) {
		t.Error("the log has instructions")
	}
}

// An assistant is reported, judged, taken down and allowed again; nobody learns more than they may.
func TestModeration(t *testing.T) {
	s := newServer(t, setup{})
	admin, operator := s.operator()
	author, authorID := s.account("pro")
	reader, readerID := s.account("free")
	const secret, comment = "canaryINSTRUCTIONS", "canaryCOMMENT"
	id := s.published(author, "instructions", secret)
	reports := "/assistants/" + id + "/reports"

	first := s.do("POST", reports, reader, object{"reason": "spam"}).want(201)
	if first["assistant_id"] != id || first["version"] != 1.0 || first["reason"] != "spam" || first["comment"] != "" {
		t.Errorf("reported %v", first)
	}
	if v := s.do("POST", reports, reader, object{"reason": "harmful", "comment": comment}).want(200); v["created_at"] != first["created_at"] || v["comment"] != comment {
		t.Errorf("replaced by %v", v)
	}
	s.do("POST", reports, reader, object{"reason": "boring", "comment": strings.Repeat("x", 1001), "who": 1}).wantFields("reason", "comment", "who")
	s.do("POST", reports, reader, object{}).wantFields("reason")
	s.do("POST", reports, author, object{"reason": "spam"}).wantError(403, elumenta.CodeForbidden)
	s.do("POST", "/assistants/"+string(elumenta.NewAssistantID())+"/reports", reader, object{"reason": "spam"}).wantError(404, elumenta.CodeNotFound)

	queue := s.do("GET", "/admin/reports", admin, nil).want(200)["items"].([]any)
	if v := queue[0].(object); len(queue) != 1 || v["assistant_id"] != id || v["account_id"] != string(authorID) || v["author"] != "Ada" || v["reports"] != 1.0 ||
		fmt.Sprint(v["reasons"]) != "map[harmful:1]" || v["visibility"] != "marketplace" || v["taken_down"] != nil || v["decided_at"] != nil {
		t.Errorf("queue %v", queue)
	}
	if v := s.do("GET", "/admin"+reports, admin, nil).want(200)["items"].([]any)[0].(object); v["account_id"] != string(readerID) || v["comment"] != comment || v["state"] != "open" {
		t.Errorf("report %v", v)
	}
	if v := s.do("GET", "/admin/assistants/"+id+"?version=1", admin, nil).want(200); v["instructions"] != secret || v["account_id"] != string(authorID) || v["newest_version"] != 1.0 || v["public"] != true {
		t.Errorf("judged by %v", v)
	}
	s.do("GET", "/admin/assistants/"+id+"?version=0", admin, nil).wantFields("version")
	s.do("GET", "/admin/assistants/"+id+"?version=2", admin, nil).wantError(404, elumenta.CodeNotFound)

	s.do("POST", "/admin"+reports+"/dismiss", admin, object{"reason": "fine"}).want(204)
	s.do("POST", "/admin"+reports+"/dismiss", admin, object{}).wantError(404, elumenta.CodeNotFound)
	s.do("POST", reports, reader, object{"reason": "spam"}).wantError(409, elumenta.CodeConflict)
	s.do("PUT", "/assistants/"+id, author, object{"name": "New"}).want(200)
	s.do("POST", reports, reader, object{"reason": "spam"}).want(201)
	s.do("POST", "/admin/assistants/"+id+"/unpublish", admin, object{"reason": "sells pills"}).want(204)
	for state, n := range map[string]int{"open": 0, "dismissed": 1, "upheld": 1} {
		if items := s.do("GET", "/admin/reports?state="+state, admin, nil).want(200)["items"].([]any); len(items) != n {
			t.Errorf("%s: %v", state, items)
		}
	}
	s.do("GET", "/admin/reports?state=lost", admin, nil).wantFields("state")

	v := s.do("GET", "/assistants/"+id, author, nil).want(200)
	if down, _ := v["taken_down"].(object); down["reason"] != "sells pills" || down["at"] == nil || v["visibility"] != "private" {
		t.Errorf("the author reads %v", v)
	}
	refused := s.do("PUT", "/assistants/"+id, author, object{"visibility": "marketplace", "name": "Innocent"})
	if message := refused.wantError(403, elumenta.CodeForbidden); !strings.Contains(message, "sells pills") || refused.json()["details"].(object)["reason"] != "sells pills" {
		t.Errorf("refused: %s", refused.body)
	}
	s.do("PUT", "/assistants/"+id, author, object{"taken_down": nil}).wantFields("taken_down")
	s.do("POST", "/admin/assistants/"+id+"/allow", admin, object{}).want(204)
	s.do("POST", "/admin/assistants/"+id+"/allow", admin, object{}).wantError(404, elumenta.CodeNotFound)
	if v := s.do("GET", "/assistants/"+id, author, nil, "If-None-Match", `"3"`).want(200); v["taken_down"] != nil {
		t.Errorf("the author reads %v", v)
	}
	s.do("PUT", "/assistants/"+id, author, object{"visibility": "marketplace"}).want(200)

	var actions []string
	for _, item := range s.do("GET", "/admin/audit?account="+string(authorID), admin, nil).want(200)["items"].([]any) {
		if e := item.(object); e["actor"] == string(operator) {
			actions = append(actions, strings.TrimPrefix(e["action"].(string), "assistant."))
		}
	}
	if got := strings.Join(actions, " "); got != "allowed taken_down reports_dismissed read" {
		t.Errorf("the operator did %s", got)
	}
	trail := string(s.do("GET", "/admin/audit", admin, nil).body) + s.log.String()
	for _, text := range []string{secret, comment} {
		if strings.Contains(trail, text) {
			t.Errorf("trail or log has %s", text)
		}
	}
	for _, key := range []string{author, reader} {
		if body := string(s.do("GET", "/assistants/"+id, key, nil).body); strings.Contains(body, string(readerID)) || strings.Contains(body, comment) {
			t.Errorf("the reporter shows in %s", body)
		}
	}
}

func TestReportPages(t *testing.T) {
	s := newServer(t, setup{})
	admin, _ := s.operator()
	author, _ := s.account("pro")
	var ids []string
	for range 3 {
		ids = append(ids, s.published(author))
	}
	for range 3 {
		reader, _ := s.account("free")
		for _, id := range ids {
			s.do("POST", "/assistants/"+id+"/reports", reader, object{"reason": "spam"}).want(201)
		}
	}
	walk := func(path, name string) (seen []string) {
		t.Helper()
		for cursor := ""; ; {
			page := s.do("GET", path+"limit=2"+cursor, admin, nil).want(200)
			for _, item := range page["items"].([]any) {
				seen = append(seen, item.(object)[name].(string))
			}
			if page["next_cursor"] == nil {
				return seen
			}
			cursor = "&cursor=" + page["next_cursor"].(string)
		}
	}
	if got := walk("/admin/reports?", "assistant_id"); strings.Join(got, " ") != strings.Join(ids, " ") {
		t.Errorf("the queue is %q, want %q", got, ids)
	}
	if got := walk("/admin/assistants/"+ids[0]+"/reports?", "account_id"); len(got) != 3 || got[0] == got[1] || got[1] == got[2] {
		t.Errorf("reports of %q", got)
	}
	open := s.do("GET", "/admin/reports?limit=1", admin, nil).want(200)["next_cursor"].(string)
	s.do("GET", "/admin/reports?limit=1&state=upheld&cursor="+open, admin, nil).wantError(400, elumenta.CodeBadRequest)
}

func TestDeniedNames(t *testing.T) {
	denied, _ := elumenta.NewDeniedNames([]string{"official"})
	s := newServer(t, setup{options: func(o *httpapi.Options) { o.DeniedNames = denied }})
	key, _ := s.account("pro")
	refused := s.do("POST", "/assistants", key, bot("name", "The 0fficial bot", "visibility", "marketplace", "temperature", 3))
	refused.wantFields("name", "category", "description", "temperature")
	if strings.Contains(string(refused.body), "official") {
		t.Errorf("the list shows in %s", refused.body)
	}
	id := s.do("POST", "/assistants", key, bot("name", "Official", "category", "general", "description", "d")).want(201)["id"].(string)
	s.do("PUT", "/assistants/"+id, key, object{"visibility": "marketplace"}).wantFields("name")
	s.do("PUT", "/assistants/"+id, key, object{"visibility": "marketplace", "name": "Officious"}).want(200)
}
