package httpapi_test

import (
	"encoding/json"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// later are the routes of the contract that have no place in the server yet.
var later = []string{
	"GET /metrics",
}

type described struct {
	Ref         string `json:"$ref"`
	Description string
}

// TestContractAndDocumentAgree compares docs/contract.md with /openapi.json: routes, and error codes with their status.
func TestContractAndDocumentAgree(t *testing.T) {
	page, err := os.ReadFile("../docs/contract.md")
	if err != nil {
		t.Fatal(err)
	}
	contract, _, _ := strings.Cut(string(page), "## The same assistants through the OpenAI API")
	s := newServer(t, setup{})
	var doc struct {
		Paths map[string]map[string]struct {
			Responses map[string]described
		}
		Components struct{ Responses map[string]described }
	}
	if err := json.Unmarshal(s.raw("GET", "/openapi.json", "", nil).body, &doc); err != nil {
		t.Fatal(err)
	}
	var served []string
	answers := map[string]bool{}
	for at, item := range doc.Paths {
		for method, op := range item {
			if p, ok := strings.CutPrefix(at, "/api/v2"); ok {
				served = append(served, strings.ToUpper(method)+" "+p)
			}
			for status, r := range op.Responses {
				if r.Ref != "" {
					r = doc.Components.Responses[path.Base(r.Ref)]
				}
				for code := range strings.SplitSeq(r.Description, ", ") {
					answers[status+" "+code] = true
				}
			}
		}
	}
	var promised []string
	for _, m := range regexp.MustCompile("`(GET|POST|PUT|PATCH|DELETE) (/[^`? ]*)").FindAllStringSubmatch(contract, -1) {
		if call := m[1] + " " + m[2]; !slices.Contains(later, call) && !slices.Contains(promised, call) {
			promised = append(promised, call)
		}
	}
	promised = slices.DeleteFunc(promised, func(call string) bool {
		return strings.HasPrefix(call, "GET /healthz") || strings.HasPrefix(call, "GET /readyz")
	})
	slices.Sort(promised)
	slices.Sort(served)
	if !slices.Equal(promised, served) {
		t.Errorf("contract: %q\ndocument: %q", promised, served)
	}
	var codes int
	for _, m := range regexp.MustCompile("(?m)^\\| (\\d{3}(?: / \\d{3})*) \\| `([a-z_]+)` \\|").FindAllStringSubmatch(contract, -1) {
		for status := range strings.SplitSeq(m[1], " / ") {
			codes++
			if status == "405" {
				continue // belongs to no operation
			}
			if !answers[status+" "+m[2]] {
				t.Errorf("no operation of the document answers %s %s", status, m[2])
			}
			delete(answers, status+" "+m[2])
		}
	}
	if codes < 20 {
		t.Fatalf("only %d codes were found in the contract", codes)
	}
	for left := range answers {
		if regexp.MustCompile(`^[45]\d\d `).MatchString(left) {
			t.Errorf("the document has %q, which the contract does not", left)
		}
	}
}

// Unknown fields of a generation are left out with a warning; elsewhere they are refused.
func TestDocumentSaysWhereUnknownFieldsAreTaken(t *testing.T) {
	s := newServer(t, setup{})
	var doc struct {
		Components struct {
			Schemas map[string]struct{ AdditionalProperties any }
		}
	}
	if err := json.Unmarshal(s.raw("GET", "/openapi.json", "", nil).body, &doc); err != nil {
		t.Fatal(err)
	}
	for schema, taken := range map[string]bool{"GenerateRequest": true, "Params": true, "Message": false, "CreateAssistant": false, "UpdateAssistant": false, "CreateKey": false, "UpdateKey": false, "Topup": false, "Reason": false, "CopyAssistant": false, "NewReport": false} {
		if got := doc.Components.Schemas[schema].AdditionalProperties; got != taken {
			t.Errorf("%s: additionalProperties %v, want %v", schema, got, taken)
		}
	}
}

// TestDocumentedFieldsAreDecoded sends every field that the document has for a body; none may be unknown to the decoder.
func TestDocumentedFieldsAreDecoded(t *testing.T) {
	s := newServer(t, setup{})
	key, operator := s.operator()
	account := "/admin/accounts/" + string(operator)
	id := s.do("POST", "/assistants", key, bot()).want(201)["id"].(string)
	keyID := s.do("GET", "/keys/me", key, nil).want(200)["id"].(string)
	var doc struct {
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal(s.raw("GET", "/openapi.json", "", nil).body, &doc); err != nil {
		t.Fatal(err)
	}
	for schema, call := range map[string][2]string{
		"CreateAssistant": {"POST", "/assistants"}, "ImportAssistant": {"POST", "/assistants/import"}, "UpdateAssistant": {"PUT", "/assistants/" + id}, "CreateKey": {"POST", "/keys"}, "UpdateKey": {"PATCH", "/keys/" + keyID},
		"DisplayName": {"PATCH", "/user/me"}, "GenerateRequest": {"POST", "/generate"},
		"NewAccount": {"POST", "/admin/accounts"}, "UpdateAccount": {"PATCH", account}, "SetPlan": {"PUT", account + "/plan"},
		"Topup": {"POST", account + "/topups"}, "Reason": {"POST", account + "/suspend"}, "Unpublish": {"POST", "/admin/assistants/" + id + "/unpublish"},
		"CopyAssistant": {"POST", "/assistants/" + id + "/copy"}, "NewLabel": {"PUT", "/assistants/" + id + "/labels/production"}, "NewReport": {"POST", "/assistants/" + id + "/reports"},
	} {
		fields := doc.Components.Schemas[schema].Properties
		if len(fields) == 0 {
			t.Fatalf("no schema %s", schema)
		}
		body := object{}
		for name := range fields {
			body[name] = []any{[]any{}} // of the wrong type for every field
		}
		r := s.do(call[0], call[1], key, body)
		if r.status != 422 || strings.Contains(string(r.body), "not known") {
			t.Errorf("%s: %d %s", schema, r.status, r.body)
		}
		for name := range fields {
			if !strings.Contains(string(r.body), `"field":"`+name) {
				t.Errorf("%s: %s is not checked: %s", schema, name, r.body)
			}
		}
	}
}
