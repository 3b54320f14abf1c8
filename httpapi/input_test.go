package httpapi_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/httpapi"
)

func TestBodiesThatAreNotJSONObjects(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("unlimited")
	deep := strings.Repeat(`{"a":`, 500) + "1" + strings.Repeat("}", 500)
	for name, test := range map[string]struct{ body, says string }{
		"empty":                {"", "empty"},
		"blank":                {" \n", "empty"},
		"text":                 {"hello CANARY", "not valid JSON"},
		"HTML":                 {"<html>", "not valid JSON"},
		"list":                 {`[{"name":"CANARY"}]`, "must be a JSON object"},
		"string":               {`"CANARY"`, "must be a JSON object"},
		"null":                 {"null", "must be a JSON object"},
		"cut":                  {`{"name":"CANARY`, "ends too early"},
		"cut object":           {`{"name":"CANARY",`, "ends too early"},
		"trailing":             {`{"name":"CANARY"} {}`, "follows it at byte"},
		"trailing comma":       {`{"name":"CANARY",}`, "not valid JSON"},
		"NaN":                  {`{"temperature":NaN}`, "not valid JSON"},
		"infinity":             {`{"temperature":-Infinity}`, "not valid JSON"},
		"leading zero":         {`{"max_tokens":01}`, "not valid JSON"},
		"single quotes":        {`{'name':'CANARY'}`, "not valid JSON"},
		"comment":              {`{/*CANARY*/}`, "not valid JSON"},
		"invalid UTF-8":        {"{\"name\":\"CANARY\xff\"}", "not valid UTF-8"},
		"overlong UTF-8":       {"{\"name\":\"\xc0\x80\"}", "not valid UTF-8"},
		"lone surrogate":       {`{"name":"CANARY\ud800"}`, "surrogate"},
		"low surrogate":        {`{"name":"\udc00x"}`, "surrogate"},
		"raw control":          {"{\"name\":\"CANARY\x01\"}", "not valid JSON"},
		"byte order mark":      {"\xef\xbb\xbf{}", "not valid JSON"},
		"duplicate name":       {`{"CANARY":1,"CANARY":2}`, "same name"},
		"escaped duplicate":    {`{"name":"x","n\u0061me":"CANARY"}`, "same name"},
		"nested duplicate":     {`{"metadata":{"CANARY":"1","CANARY":"2"}}`, "same name"},
		"unknown deep":         {`{"x":` + deep + `}`, "nests deeper"},
		"deep lists":           {`{"x":` + strings.Repeat("[", 1_000), "nests deeper"},
		"schema deep":          {`{"response_format":{"type":"json_schema","json_schema":{"schema":` + deep + `}}}`, "nests deeper"},
		"unfinished escape":    {`{"name":"\u12`, "ends too early"},
		"name that is a value": {`{1:2}`, "not valid JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/assistants", "/keys", "/generate"} {
				r := s.do("POST", path, key, test.body)
				r.t = t
				if path == "/keys" && strings.HasPrefix(name, "schema") {
					continue // it is one unknown field there
				}
				message := r.wantError(400, elumenta.CodeBadRequest)
				if !strings.Contains(message, test.says) || strings.Contains(string(r.body), "CANARY") {
					t.Errorf("%s: %q, want %q", path, message, test.says)
				}
			}
		})
	}
	if len(s.do("GET", "/assistants", key, nil).want(200)["items"].([]any)) != 0 {
		t.Error("something was stored")
	}
	if strings.Contains(s.log.String(), "CANARY") {
		t.Error("the log quotes a body")
	}
}

// TestBodiesLeftOut calls without a body what has no field that must be there, as curl -X POST does.
func TestBodiesLeftOut(t *testing.T) {
	s := newServer(t, setup{})
	admin, _ := s.operator()
	author, authorID := s.account("pro")
	reader, _ := s.account("free")
	id := s.published(author, "copyable", true)
	account := "/admin/accounts/" + string(authorID)
	s.do("POST", "/assistants/"+id+"/reports", reader, object{"reason": "spam"}).want(201)
	post := func(path, key string, body io.Reader, status int) {
		t.Helper()
		if r := s.raw("POST", httpapi.Base+path, key, body, "Content-Type", ""); r.status != status {
			t.Errorf("POST %s: %d %s, want %d", path, r.status, r.body, status)
		}
	}
	chunked := func(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) } // of unknown length
	post("/assistants/"+id+"/copy", reader, nil, 201)
	post("/assistants/"+id+"/copy", reader, chunked(""), 201)
	post("/assistants/"+id+"/copy", reader, chunked("{}"), 415)
	post("/assistants/"+id+"/copy", reader, strings.NewReader(" "), 415)
	s.do("POST", "/assistants/"+id+"/copy", reader, "").want(201) // with a Content-Type
	s.do("POST", "/assistants/"+id+"/copy", reader, "null").wantError(400, elumenta.CodeBadRequest)
	post("/admin/assistants/"+id+"/reports/dismiss", admin, nil, 204)
	post("/admin/assistants/"+id+"/unpublish", admin, nil, 415) // its reason is required
	s.do("POST", "/admin/assistants/"+id+"/unpublish", admin, object{"reason": "spam"}).want(204)
	post("/admin/assistants/"+id+"/allow", admin, nil, 204)
	post(account+"/suspend", admin, nil, 200)
	post(account+"/resume", admin, nil, 200)
	post("/assistants", reader, nil, 415)
	paths := s.raw("GET", "/openapi.json", "", nil).want(200)["paths"].(object)
	for path, required := range map[string]bool{"/assistants": true, "/assistants/{id}/copy": false, "/admin/accounts/{id}/suspend": false, "/admin/assistants/{id}/unpublish": true} {
		if body := paths[httpapi.Base+path].(object)["post"].(object)["requestBody"].(object); (body["required"] == true) != required {
			t.Errorf("%s: the document says %v of its body", path, body["required"])
		}
	}
}

func TestAssistantFieldsThatAreBad(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("unlimited")
	long := func(n int) string { return strings.Repeat("😀", n) }
	for name, test := range map[string]struct {
		body   any
		fields []string
	}{
		"nothing":         {object{}, []string{"instructions", "model", "name"}},
		"nulls":           {object{"name": nil, "model": nil, "instructions": nil}, []string{"instructions", "model", "name"}},
		"types":           {object{"name": 1, "model": true, "instructions": []int{}, "description": 5, "category": 1, "visibility": 2, "temperature": "1", "max_tokens": "5", "response_format": 1, "variables": object{}, "metadata": []int{}}, []string{"category", "description", "instructions", "max_tokens", "metadata", "model", "name", "response_format", "temperature", "variables", "visibility"}},
		"too long":        {bot("name", long(101), "description", long(513), "instructions", long(256_001)), []string{"description", "instructions", "name"}},
		"unknown":         {bot("Name", "x", "id", "asst_x", "note", "n", "tools", []int{}), []string{"Name", "id", "note", "tools"}},
		"unknown + rules": {bot("visibility", "marketplace", "extra", 1, "temperature", 2.1, "model", "gpt-99"), []string{"category", "description", "extra", "model", "temperature"}},
		"numbers":         {bot("temperature", -1, "max_tokens", 0), []string{"max_tokens", "temperature"}},
		"huge numbers":    {`{"name":"x","model":"sandbox","instructions":"x","temperature":1e999,"max_tokens":1e30}`, []string{"max_tokens", "temperature"}},
		"fraction":        {bot("max_tokens", 1.5), []string{"max_tokens"}},
		"NaN as text":     {bot("temperature", "NaN"), []string{"temperature"}},
		"NUL":             {bot("name", "a\x00", "instructions", "\x00", "description", "\x00"), []string{"description", "instructions", "name"}},
		"two lines":       {bot("name", "a\r\nX-Evil: 1"), []string{"name"}},
		"visibility":      {bot("visibility", "public"), []string{"visibility"}},
		"category":        {bot("category", "nonsense"), []string{"category"}},
		"metadata":        {bot("metadata", object{"a": 1, "b": long(513)}), []string{"metadata.a", "metadata.b"}},
		"variables": {bot("variables", []any{object{"name": "Bad"}, object{"name": "a", "required": true, "default": "x"}, object{"name": "a"}, object{"name": "c", "extra": 1}, 5, object{"name": "d", "default": 7}}),
			[]string{"variables[0].name", "variables[1].default", "variables[2].name", "variables[3].extra", "variables[4]", "variables[4].name", "variables[5].default"}},
		"many variables": {bot("variables", make([]object, 33)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.do("POST", "/assistants", key, test.body)
			r.t = t
			if test.fields == nil {
				r.wantError(422, elumenta.CodeValidation)
				return
			}
			r.wantFields(test.fields...)
		})
	}
	id := s.do("POST", "/assistants", key, bot("instructions", long(256_000))).want(201)["id"].(string)
	s.do("PUT", "/assistants/"+id, key, object{"name": nil, "visibility": "marketplace", "extra": 1, "temperature": "x", "note": long(201)}).
		wantFields("category", "description", "extra", "name", "note", "temperature")
	if v := s.do("GET", "/assistants/"+id, key, nil).want(200); v["version"] != 1.0 {
		t.Error("a refused update changed something")
	}
}

func TestIDsOfOthersAndMalformedOnes(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("unlimited")
	other, _ := s.account("unlimited")
	theirs := s.do("POST", "/assistants", other, bot()).want(201)["id"].(string)
	theirKey := s.do("POST", "/keys", other, object{"name": "k"}).want(201)["id"].(string)
	never := string(elumenta.NewAssistantID())
	ids := []string{theirs, never, "asst_", "asst_x", strings.ToUpper(theirs), theirs + "x", "gen_" + theirs[5:], "asst_" + strings.Repeat("z", 26),
		theirs + "%0d%0aX-Evil:%201", "%00", "..%2f..%2fhealthz", strings.Repeat("a", 3000), theirs + "@1", "marketplac%65x", "%F0%9F%98%80", theirs[:30] + "u"}
	for _, id := range ids {
		s.do("GET", "/assistants/"+id, key, nil).wantError(404, elumenta.CodeNotFound)
		s.do("PUT", "/assistants/"+id, key, object{"name": "x"}).wantError(404, elumenta.CodeNotFound)
		s.do("DELETE", "/assistants/"+id, key, nil).wantError(404, elumenta.CodeNotFound)
		s.do("GET", "/assistants/"+id+"/versions", key, nil).wantError(404, elumenta.CodeNotFound)
		s.do("GET", "/assistants/"+id+"/labels", key, nil).wantError(404, elumenta.CodeNotFound)
		r := s.do("POST", "/assistants/"+id+"/versions/1/restore", key, nil)
		r.wantError(404, elumenta.CodeNotFound)
		if r.header.Get("X-Evil") != "" {
			t.Error("a header was injected")
		}
	}
	a, b := s.do("GET", "/assistants/"+theirs, key, nil).json()["message"], s.do("GET", "/assistants/"+never, key, nil).json()["message"]
	if a != b {
		t.Errorf("%q and %q tell another's assistant from none", a, b)
	}
	for _, id := range []string{theirKey, "key_x", "asst_" + theirKey[4:]} {
		s.do("DELETE", "/keys/"+id, key, nil).wantError(404, elumenta.CodeNotFound)
		s.do("PATCH", "/keys/"+id, key, object{"name": "x"}).wantError(404, elumenta.CodeNotFound)
	}
	mine := s.do("POST", "/assistants", key, bot()).want(201)["id"].(string)
	for _, n := range []string{"0", "2", "-1", "01", "1.0", "x", "99999999999999999999", "production"} {
		s.do("POST", "/assistants/"+mine+"/versions/"+n+"/restore", key, nil).wantError(404, elumenta.CodeNotFound)
		s.do("DELETE", "/assistants/"+mine+"/versions/"+n, key, nil).wantError(404, elumenta.CodeNotFound)
	}
	s.do("POST", "/generate", key, object{"assistant_id": theirs, "prompt": "x"}).wantError(404, elumenta.CodeNotFound)
	s.do("POST", "/generate", key, object{"assistant_id": mine + "@production", "prompt": "x"}).wantError(404, elumenta.CodeNotFound)
	s.do("POST", "/generate", key, object{"assistant_id": "key_" + mine[5:], "prompt": "x"}).wantFields("assistant_id")
}

func TestQueriesThatAreBad(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("unlimited")
	for query, fields := range map[string][]string{
		"/assistants?limit=0":                               {"limit"},
		"/assistants?limit=101&sort=new":                    {"limit", "sort"},
		"/assistants?limit=abc":                             {"limit"},
		"/assistants?limit=1.5":                             {"limit"},
		"/assistants?limit=99999999999999999999":            {"limit"},
		"/assistants?limit=1&limit=2":                       {"limit"},
		"/assistants?%zz":                                   {"query"},
		"/assistants?q=a%00b":                               {"q"},
		"/assistants?q=%ff":                                 {"q"},
		"/assistants/marketplace?sort=old&category=x&q=%00": {"category", "q", "sort"},
		"/assistants/marketplace/categories?x=1":            {"x"},
		"/usage?from=yesterday&to=x&group_by=month":         {"from", "group_by", "to"},
		"/usage?from=2026-02-01&to=2026-01-01":              {"from"},
		"/usage?from=2026-02-01&to=2026-02-01":              {"from"},
		"/models?page=2":                                    {"page"},
		"/user/me?x=1":                                      {"x"},
		"/keys?limit=-5":                                    {"limit"},
	} {
		s.do("GET", query, key, nil).wantFields(fields...)
	}
	for _, cursor := range []string{"x", "AAAA", "%00", strings.Repeat("A", 5000), "Zm9vYmFyZm9vYmFyZm9vYmFy"} {
		for _, list := range []string{"/assistants", "/keys", "/assistants/marketplace"} {
			s.do("GET", list+"?cursor="+cursor, key, nil).wantError(400, elumenta.CodeBadRequest)
		}
	}
	s.do("POST", "/generate?stream=true", key, object{"model": "sandbox", "prompt": "x"}).wantFields("query")
}

func TestMediaTypes(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("unlimited")
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(bytes.Repeat([]byte(" "), 10<<20))
	_ = z.Close()
	body := object{"name": "k", "model": "sandbox", "instructions": "x", "prompt": "x"}
	for _, path := range []string{"/assistants", "/generate"} {
		for _, media := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "application/json;;", "application/jsonx"} {
			s.do("POST", path, key, body, "Content-Type", media).wantError(415, elumenta.CodeBadRequest)
		}
		s.do("POST", path, key, zipped.Bytes(), "Content-Encoding", "gzip").wantError(415, elumenta.CodeBadRequest)
		s.do("POST", path, key, body, "Accept", "text/html").wantError(406, elumenta.CodeBadRequest)
		s.do("POST", path, key, body, "Accept", "application/json;q=0, text/html").wantError(406, elumenta.CodeBadRequest)
	}
	for _, accept := range []string{"application/json;q=0, */*", "*/*, application/*;q=0.0", "*/*;q=0"} {
		s.do("GET", "/models", key, nil, "Accept", accept).wantError(406, elumenta.CodeBadRequest)
	}
	ok := object{"name": "k"}
	for _, media := range []string{"application/json; charset=UTF-8", "Application/JSON", `application/json; charset="utf-8"`} {
		s.do("POST", "/keys", key, ok, "Content-Type", media, "Content-Encoding", "identity").want(201)
	}
	for _, accept := range []string{"*/*", "text/html, application/*;q=0.1", "application/json", "text/html,*/*;q=0.8", "*/*;q=0, application/json", "application/*;q=0, application/json;q=0.1", ""} {
		s.do("GET", "/models", key, nil, "Accept", accept).want(200)
	}
}

func TestBodyLimits(t *testing.T) {
	s := newServer(t, setup{options: func(o *httpapi.Options) { o.GenerateBody, o.AssistantBody = 3000, 2000 }})
	key, _ := s.account("unlimited")
	for path, most := range map[string]int{"/assistants": 2000, "/generate": 3000, "/keys": 64 << 10} {
		fits := `{"x":"` + strings.Repeat("x", most-len(`{"x":""}`)) + `"}`
		if r := s.do("POST", path, key, fits); r.status == 413 {
			t.Errorf("%s: %d bytes are too many", path, len(fits))
		}
		s.do("POST", path, key, fits+" ").wantError(413, elumenta.CodePayloadTooLarge)
		chunked := s.raw("POST", httpapi.Base+path, key, io.MultiReader(strings.NewReader(fits), strings.NewReader(strings.Repeat(" ", 100_000))))
		chunked.wantError(413, elumenta.CodePayloadTooLarge)
	}
}

// TestTooLargeIsRead: a client that sends its whole body before it reads anything is told what is wrong with it, and one that sends
// nothing is told at once.
func TestTooLargeIsRead(t *testing.T) {
	const most = 4 << 20
	s := newServer(t, setup{options: func(o *httpapi.Options) { o.GenerateBody = most }})
	key, _ := s.account("unlimited")
	body := strings.Repeat(" ", 3*most)
	for name, sent := range map[string]string{
		"length":  fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body),
		"chunked": fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body),
		"silent":  fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)),
		"expects": fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(body)),
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			head := "POST /api/v2/generate HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + key + "\r\nContent-Type: application/json\r\n"
			if _, err := io.WriteString(conn, head+sent); err != nil {
				t.Fatal("the body could not be sent: ", err)
			}
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			if b, err := io.ReadAll(res.Body); res.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(string(b), "payload_too_large") {
				t.Errorf("%d, %s, %v", res.StatusCode, b, err)
			}
		})
	}
}

func TestTenMegabytesOfName(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("unlimited")
	s.do("POST", "/assistants", key, bot("name", strings.Repeat("n", 10<<20))).wantError(413, elumenta.CodePayloadTooLarge)
	s.do("POST", "/assistants", key, bot("name", strings.Repeat("n", 3<<20))).wantFields("name")
}

// A client that does not send its body to the end is not waited for.
func TestSlowBody(t *testing.T) {
	s := newServer(t, setup{options: func(o *httpapi.Options) { o.BodyTimeout = 50 * time.Millisecond }})
	key, _ := s.account("unlimited")
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "POST "+httpapi.Base+"/generate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+key+
		"\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 408 ") {
		t.Errorf("%v: %.200q", err, answer)
	}
}

func TestKeysThatAreBad(t *testing.T) {
	s := newServer(t, setup{})
	key, id := s.account("unlimited")
	wrong := key[:47] + string('0'+(key[47]-'0'+1)%10)
	never := elumenta.NewKeySecret().Reveal()
	for _, header := range []string{"", "Bearer", "Bearer ", "Bearer " + wrong, "Bearer " + never, "Basic " + key, key, "Bearer " + key + key, "Bearer nb_" + strings.Repeat("é", 45)} {
		for _, call := range [][2]string{{"GET", "/assistants"}, {"POST", "/generate"}, {"GET", "/usage"}} {
			r := s.do(call[0], call[1], "", nil, "Authorization", header)
			r.wantError(401, elumenta.CodeNotAuthenticated)
			if r.header.Get("WWW-Authenticate") != "Bearer" || strings.Contains(string(r.body), "nb_"+key[3:20]) {
				t.Errorf("%q: %v %s", header, r.header, r.body)
			}
		}
	}
	s.do("GET", "/user/me", "", nil, "Authorization", "bearer  "+key).want(200)
	if _, err := s.store.SetSuspended(t.Context(), id, true, ""); err != nil {
		t.Fatal(err)
	}
	s.do("GET", "/user/me", key, nil).wantError(403, elumenta.CodeAccountSuspended)
	s.do("POST", "/generate", key, object{"model": "sandbox", "prompt": "x"}).wantError(403, elumenta.CodeAccountSuspended)
	if strings.Contains(s.log.String(), key) || strings.Contains(s.log.String(), never) {
		t.Error("the log holds a key")
	}
}

func TestRoutesThatAreNone(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("unlimited")
	for _, path := range []string{"/", "/api", "/api/v2", "/api/v2/", "/api/v2/nothing", "/api/v2/assistants/", "//healthz", "/healthz/", "/x/../healthz", "/metrics"} {
		s.raw("GET", path, key, nil).wantError(404, elumenta.CodeNotFound)
	}
	for call, allow := range map[[2]string]string{
		{"DELETE", "/api/v2/assistants"}:          "GET, HEAD, POST",
		{"GET", "/api/v2/generate"}:               "POST",
		{"PATCH", "/api/v2/assistants/asst"}:      "GET, HEAD, PUT, DELETE",
		{"OPTIONS", "/api/v2/user/me"}:            "GET, HEAD, PATCH",
		{"BREW", "/healthz"}:                      "GET, HEAD",
		{"POST", "/api/v2/assistants/x/versions"}: "GET, HEAD",
	} {
		r := s.raw(call[0], call[1], key, nil)
		r.wantError(http.StatusMethodNotAllowed, elumenta.CodeBadRequest)
		if got := r.header.Get("Allow"); got != allow {
			t.Errorf("%v: Allow %q, want %q", call, got, allow)
		}
	}
	head := s.raw("HEAD", "/api/v2/models", key, nil)
	if head.status != 200 || len(head.body) != 0 {
		t.Errorf("HEAD: %d %q", head.status, head.body)
	}
	missing := s.raw("HEAD", "/api/v2/assistants/x", key, nil)
	if missing.status != 404 || len(missing.body) != 0 {
		t.Errorf("HEAD of nothing: %d %q", missing.status, missing.body)
	}
}
