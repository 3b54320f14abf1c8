package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/httpapi"
)

func savedVersion(n int, more object) object {
	v := object{"version": n, "created_at": fmt.Sprintf("2020-01-%02dT00:00:00.000001Z", n), "name": fmt.Sprintf("Version %d", n), "model": "sandbox", "instructions": "Be kind."}
	maps.Copy(v, more)
	return v
}

func TestImport(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("pro")
	body := object{"visibility": "marketplace", "versions": []object{
		savedVersion(2, object{"note": "first words", "public": true, "model": "long-gone", "category": "writing", "description": "d"}),
		savedVersion(5, object{"category": "writing", "description": "d", "metadata": object{"a": "b"}, "temperature": 0.5, "copyable": true}),
	}}
	r := s.do("POST", "/assistants/import", key, body, "Idempotency-Key", "once")
	made := r.want(201)
	id := made["id"].(string)
	if made["version"] != 5.0 || made["visibility"] != "marketplace" || made["name"] != "Version 5" || r.header.Get("Location") != "/api/v2/assistants/"+id || r.header.Get("ETag") != `"5"` {
		t.Errorf("%s", r.body)
	}
	again := s.do("POST", "/assistants/import", key, body, "Idempotency-Key", "once")
	if again.want(201)["id"] != id || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%s", again.body)
	}
	list := s.do("GET", "/assistants/"+id+"/versions", key, nil).want(200)["items"].([]any)
	if len(list) != 2 {
		t.Fatalf("%v", list)
	}
	for i, want := range []object{
		{"version": 5.0, "note": "", "public": true, "created_at": "2020-01-05T00:00:00.000001Z", "temperature": 0.5, "copyable": true},
		{"version": 2.0, "note": "first words", "public": true, "created_at": "2020-01-02T00:00:00.000001Z", "model": "long-gone"},
	} {
		for k, v := range want {
			if got := list[i].(map[string]any)[k]; got != v {
				t.Errorf("version %d: %s is %v, want %v", i, k, got, v)
			}
		}
	}
	other, _ := s.account("pro")
	s.do("POST", "/generate", other, object{"assistant_id": id + "@5", "prompt": "hello"}).want(200)
	s.do("POST", "/generate", other, object{"assistant_id": id + "@3", "prompt": "hello"}).wantError(404, elumenta.CodeNotFound)
}

func TestImportRefused(t *testing.T) {
	denied, _ := elumenta.NewDeniedNames([]string{"official"})
	s := newServer(t, setup{options: func(o *httpapi.Options) { o.DeniedNames = denied }})
	key, _ := s.account("pro")
	for name, c := range map[string]struct {
		body   object
		fields []string
	}{
		"nothing":     {object{}, []string{"versions"}},
		"no versions": {object{"versions": []object{}}, []string{"versions"}},
		"all at once": {object{"visibility": "public", "id": "asst_1", "versions": []object{
			savedVersion(1, object{"name": "", "visibility": "private", "id": "x"}), savedVersion(1, object{"public": 1, "variables": []object{{"name": "A"}}}),
			savedVersion(3, object{"created_at": "yesterday", "model": "long-gone"}),
		}}, []string{"id", "versions[0].id", "versions[0].name", "versions[0].visibility", "versions[1].public", "versions[1].variables[0].name", "versions[1].version", "versions[2].created_at", "versions[2].model", "visibility"}},
		"unpublishable": {object{"visibility": "marketplace", "versions": []object{savedVersion(1, nil)}}, []string{"versions[0].category", "versions[0].description"}},
		"denied":        {object{"versions": []object{savedVersion(1, object{"public": true, "name": "Official", "category": "life", "description": "d"}), savedVersion(2, nil)}}, []string{"versions[0].name"}},
	} {
		t.Run(name, func(t *testing.T) {
			s.do("POST", "/assistants/import", key, c.body).wantFields(c.fields...)
		})
	}
	if items := s.do("GET", "/assistants", key, nil).want(200)["items"].([]any); len(items) > 0 {
		t.Errorf("made %v", items)
	}
	deep := strings.Repeat("[", 70) + strings.Repeat("]", 70)
	s.raw("POST", "/api/v2/assistants/import", key, strings.NewReader(`{"versions":[{"metadata":`+deep+`}]}`), "Content-Type", "application/json").wantError(400, elumenta.CodeBadRequest)
}

// Every field that the document has for a version is decoded.
func TestImportedFieldsAreDecoded(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("pro")
	var doc struct {
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal(s.raw("GET", "/openapi.json", "", nil).body, &doc); err != nil {
		t.Fatal(err)
	}
	fields := doc.Components.Schemas["ImportVersion"].Properties
	if len(fields) != 15 {
		t.Fatalf("%d fields", len(fields))
	}
	wrong := object{}
	for name := range fields {
		wrong[name] = []any{[]any{}}
	}
	r := s.do("POST", "/assistants/import", key, object{"versions": []object{wrong}})
	for name := range fields {
		if !strings.Contains(string(r.body), `"field":"versions[0].`+name) {
			t.Errorf("%s is not checked: %s", name, r.body)
		}
	}
	if strings.Contains(string(r.body), "not known") {
		t.Errorf("%s", r.body)
	}
}
