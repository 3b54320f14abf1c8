package httpapi_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/httpapi"
)

func bot(change ...any) object {
	o := object{"name": "Bot", "model": "sandbox", "instructions": "Be kind."}
	for i := 0; i+1 < len(change); i += 2 {
		o[change[i].(string)] = change[i+1]
	}
	return o
}

// One entity tag stands for one text.
func TestSameTagSameText(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("free")
	id := s.do("POST", "/assistants", key, bot("metadata", object{"a": "1", "b": "2", "c": "3", "d": "4", "e": "5", "f": "6"})).want(201)["id"].(string)
	first := s.do("GET", "/assistants/"+id, key, nil)
	for range 20 {
		if next := s.do("GET", "/assistants/"+id, key, nil); !bytes.Equal(next.body, first.body) {
			t.Fatalf("%s and then %s", first.body, next.body)
		}
	}
}

func TestAssistantsFromCreateToDelete(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("free")
	made := s.do("POST", "/assistants", key, bot("variables", []object{{"name": "who", "default": "you"}}, "metadata", object{"a": "b"},
		"response_format", object{"type": "json_schema", "json_schema": object{"name": "n", "schema": object{"type": "object"}}}))
	v := made.want(http.StatusCreated)
	id, _ := v["id"].(string)
	path := "/assistants/" + id
	if made.header.Get("Location") != httpapi.Base+path || made.header.Get("ETag") != `"1"` {
		t.Errorf("Location %q, ETag %q", made.header.Get("Location"), made.header.Get("ETag"))
	}
	got := s.do("GET", path, key, nil)
	if got.want(http.StatusOK)["instructions"] != "Be kind." {
		t.Errorf("got %s", got.body)
	}
	if cc, vary := got.header.Get("Cache-Control"), got.header.Get("Vary"); cc != "private, no-cache" || vary != "Authorization" {
		t.Errorf("Cache-Control %q, Vary %q", cc, vary)
	}
	for _, tag := range []string{`"1"`, `W/"1"`, `"0", "1"`, "*"} {
		if r := s.do("GET", path, key, nil, "If-None-Match", tag); r.status != http.StatusNotModified || r.header.Get("ETag") != `"1"` {
			t.Errorf("If-None-Match %s: %d, ETag %q", tag, r.status, r.header.Get("ETag"))
		}
	}
	s.do("GET", path, key, nil, "If-None-Match", "1").wantError(400, elumenta.CodeBadRequest)
	put := s.do("PUT", path, key, object{"description": "d", "note": "first"}, "If-Match", `"1"`)
	if v := put.want(200); v["version"] != 2.0 || v["description"] != "d" || v["name"] != "Bot" {
		t.Errorf("after PUT %s", put.body)
	}
	if v := s.do("PUT", path, key, object{"description": "d"}).want(200); v["version"] != 2.0 {
		t.Errorf("a PUT that changes nothing made version %v", v["version"])
	}
	s.do("PUT", path, key, object{"description": "e"}, "If-Match", `"1"`).wantError(412, elumenta.CodeVersionConflict)
	s.do("PUT", path, key, object{"description": "e"}, "If-Match", `W/"2"`).wantError(412, elumenta.CodeVersionConflict)
	s.do("PUT", path, key, object{"description": "e"}, "If-Match", `2`).wantError(400, elumenta.CodeBadRequest)
	cleared := s.do("PUT", path, key, object{"description": nil, "response_format": nil, "variables": nil, "metadata": nil}, "If-Match", `"7", "2"`)
	if v := cleared.want(200); v["description"] != "" || v["response_format"] != nil {
		t.Errorf("after clearing %s", cleared.body)
	}
	versions, _ := s.do("GET", path+"/versions?limit=2", key, nil).want(200)["items"].([]any)
	if len(versions) != 2 || versions[1].(object)["note"] != "first" {
		t.Errorf("versions %v", versions)
	}
	s.do("POST", path+"/versions/1/restore", key, nil, "If-Match", `"1"`).wantError(412, elumenta.CodeVersionConflict)
	s.do("DELETE", path, key, nil, "If-Match", `"1"`).wantError(412, elumenta.CodeVersionConflict)
	if v := s.do("POST", path+"/versions/1/restore", key, nil, "If-Match", `"3"`).want(200); v["version"] != 4.0 {
		t.Errorf("restored as %v", v["version"])
	}
	s.do("DELETE", path+"/versions/2", key, nil).want(204)
	s.do("DELETE", path+"/versions/2", key, nil).wantError(404, elumenta.CodeNotFound)
	s.do("DELETE", path+"/versions/4", key, nil).wantError(422, elumenta.CodeValidation)
	s.do("DELETE", path, key, nil).want(204)
	s.do("DELETE", path, key, nil).wantError(404, elumenta.CodeNotFound)
	s.do("GET", path, key, nil).wantError(404, elumenta.CodeNotFound)
}

func TestMarketplaceShowsThePublicViewOnly(t *testing.T) {
	s := newServer(t, setup{})
	author, _ := s.account("free")
	other, _ := s.account("free")
	v := s.do("POST", "/assistants", author, bot("visibility", "marketplace", "category", "writing", "description", "Helps",
		"instructions", "CANARY", "metadata", object{"m": "CANARY"})).want(201)
	path := "/assistants/" + v["id"].(string)
	seen := s.do("GET", path, other, nil)
	if v := seen.want(200); v["author"] != "Ada" || strings.Contains(string(seen.body), "CANARY") {
		t.Errorf("the public view is %s", seen.body)
	}
	tag := seen.header.Get("ETag")
	if !strings.HasPrefix(tag, `W/"`) {
		t.Errorf("tag %q is not weak", tag)
	}
	if r := s.do("GET", path, other, nil, "If-None-Match", tag); r.status != 304 {
		t.Errorf("status %d for the known tag", r.status)
	}
	s.do("PUT", path, author, object{"description": "Helps more"}).want(200)
	s.do("GET", path, other, nil, "If-None-Match", tag).want(200)
	for _, call := range [][2]string{{"PUT", ""}, {"DELETE", ""}, {"GET", "/versions"}, {"POST", "/versions/1/restore"}, {"DELETE", "/versions/1"}, {"GET", "/uses"}} {
		var body any
		if call[0] == "PUT" {
			body = object{"name": "Mine"}
		}
		s.do(call[0], path+call[1], other, body).wantError(403, elumenta.CodeForbidden)
	}
	list := s.do("GET", "/assistants/marketplace?category=writing&limit=10", other, nil)
	if items := list.want(200)["items"].([]any); len(items) != 1 || strings.Contains(string(list.body), "CANARY") {
		t.Errorf("marketplace %s", list.body)
	}
	message := s.do("GET", "/assistants/marketplace?category=nonsense", other, nil).wantError(422, elumenta.CodeValidation)
	if !strings.Contains(message, "productivity") {
		t.Errorf("the message does not list the categories: %s", message)
	}
	counts := s.do("GET", "/assistants/marketplace/categories", other, nil).want(200)["items"].([]any)
	if len(counts) != 13 || counts[2].(object)["count"] != 1.0 {
		t.Errorf("categories %v", counts)
	}
	if v := s.do("GET", path+"/uses", author, nil).want(200); v["uses"] != 0.0 || v["accounts"] != 0.0 {
		t.Errorf("uses %v", v)
	}
	s.do("PUT", path, author, object{"visibility": "private"}).want(200)
	s.do("GET", path, other, nil).wantError(404, elumenta.CodeNotFound)
	s.do("PUT", path, other, object{"name": "Mine"}).wantError(404, elumenta.CodeNotFound)
}

func TestListsPageByCursor(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("free")
	stranger, _ := s.account("free")
	for range 5 {
		s.do("POST", "/assistants", key, bot("visibility", "marketplace", "category", "data", "description", "d")).want(201)
		s.do("POST", "/keys", key, object{"name": "k"}).want(201)
	}
	for _, list := range []string{"/assistants?limit=2", "/assistants/marketplace?limit=2", "/assistants/marketplace?limit=2&sort=new",
		"/assistants/marketplace?limit=2&sort=name", "/assistants/marketplace?limit=2&category=data&q=b", "/keys?limit=2", "/assistants?limit=2&q=bot"} {
		seen, cursor := map[string]bool{}, ""
		for range 10 {
			v := s.do("GET", list+cursor, key, nil).want(200)
			for _, item := range v["items"].([]any) {
				id := item.(object)["id"].(string)
				if seen[id] {
					t.Errorf("%s: %s twice", list, id)
				}
				seen[id] = true
			}
			next, more := v["next_cursor"].(string)
			if !more {
				break
			}
			cursor = "&cursor=" + next
			s.do("GET", list+cursor, stranger, nil).wantError(400, elumenta.CodeBadRequest)
			s.do("GET", "/assistants?q=other"+cursor, key, nil).wantError(400, elumenta.CodeBadRequest)
		}
		if want := map[bool]int{true: 6, false: 5}[strings.HasPrefix(list, "/keys")]; len(seen) != want {
			t.Errorf("%s: %d items, want %d", list, len(seen), want)
		}
	}
}

func TestCreateWithIdempotencyKey(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("free")
	first := s.do("POST", "/assistants", key, bot(), "Idempotency-Key", "one")
	again := s.do("POST", "/assistants", key, bot(), "Idempotency-Key", "one")
	if first.want(201)["id"] != again.want(201)["id"] || again.header.Get("Idempotency-Replayed") != "true" || first.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("first %s, again %s", first.body, again.body)
	}
	s.do("POST", "/assistants", key, bot("name", "Other"), "Idempotency-Key", "one").wantError(409, elumenta.CodeConflict)
	s.do("DELETE", "/assistants/"+first.json()["id"].(string), key, nil).want(204)
	s.do("POST", "/assistants", key, bot(), "Idempotency-Key", "one").wantError(409, elumenta.CodeConflict)
	k := s.do("POST", "/keys", key, object{"name": "k"}, "Idempotency-Key", "one").want(201)
	k2 := s.do("POST", "/keys", key, object{"name": "k"}, "Idempotency-Key", "one").want(201)
	if k["id"] != k2["id"] || k["key"] == nil || k2["key"] != nil {
		t.Errorf("keys %v and %v", k, k2)
	}
	for _, bad := range []string{"with blank", strings.Repeat("x", 256), "ümlaut"} {
		s.do("POST", "/assistants", key, bot("name", 3), "Idempotency-Key", bad).wantFields("Idempotency-Key", "name")
	}
}

func TestMarketplaceSearch(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("free")
	for _, item := range [][3]string{{"编程助手", "programming", "写代码"}, {"Bot", "data", "Reads tables"}, {"Tables", "data", "Draws a bot"}, {"Другой", "writing", "Bots"}} {
		s.do("POST", "/assistants", key, bot("name", item[0], "visibility", "marketplace", "category", item[1], "description", item[2])).want(201)
	}
	for query, want := range map[string]string{
		"?q=BOT":                     "Bot,Другой,Tables",
		"?q=bot&sort=name":           "Bot,Другой,Tables",
		"?q=bot&category=data":       "Bot,Tables",
		"?q=%E7%BC%96":               "编程助手",
		"?q=%E4%BB%A3%E7%A0%81":      "编程助手",
		"?q=%D0%B4%D1%80":            "Другой",
		"?q=nothing":                 "",
		"?q=%21":                     "",
		"?q=":                        "Другой,Tables,Bot,编程助手",
		"?q=%20":                     "Другой,Tables,Bot,编程助手",
		"?sort=new":                  "Другой,Tables,Bot,编程助手",
		"?sort=popular":              "Другой,Tables,Bot,编程助手",
		"?sort=name":                 "Bot,Tables,Другой,编程助手",
		"?sort=name&category=data":   "Bot,Tables",
		"?sort=new&category=writing": "Другой",
	} {
		var names []string
		for _, item := range s.do("GET", "/assistants/marketplace"+query, key, nil).want(200)["items"].([]any) {
			names = append(names, item.(object)["name"].(string))
		}
		if got := strings.Join(names, ","); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	cursor := s.do("GET", "/assistants/marketplace?q=bot&limit=1", key, nil).want(200)["next_cursor"].(string)
	for _, other := range []string{"?q=bots", "?q=bot&sort=new", "?q=bot&category=data", "?limit=1"} {
		s.do("GET", "/assistants/marketplace"+other+"&cursor="+cursor, key, nil).wantError(400, elumenta.CodeBadRequest)
	}
	s.do("GET", "/assistants/marketplace?q="+strings.Repeat("a", 201), key, nil).wantFields("q")
}
