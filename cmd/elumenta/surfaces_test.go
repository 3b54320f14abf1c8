package main

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The contract, the OpenAPI document and the program have the same calls of other APIs.
func TestOtherAPIsAreThoseOfTheContract(t *testing.T) {
	page, err := os.ReadFile("../../docs/contract.md")
	if err != nil {
		t.Fatal(err)
	}
	var promised, served []string
	for _, m := range regexp.MustCompile("`(GET|POST) (/v1/[^`? ]*)`").FindAllStringSubmatch(string(page), -1) {
		if call := m[1] + " " + m[2]; !slices.Contains(promised, call) {
			promised = append(promised, call)
		}
	}
	s := start(t, "", nil)
	_, body := s.get("/openapi.json")
	var doc struct {
		Paths map[string]map[string]struct {
			Responses map[string]json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths {
		for method, op := range item {
			if !strings.HasPrefix(path, "/v1/") {
				continue
			}
			served = append(served, strings.ToUpper(method)+" "+path)
			if len(op.Responses) != 2 || op.Responses["default"] == nil {
				t.Errorf("%s %s answers %s", method, path, op.Responses)
			}
		}
	}
	slices.Sort(promised)
	slices.Sort(served)
	if len(served) < 5 || !slices.Equal(promised, served) {
		t.Errorf("contract: %q\ndocument: %q", promised, served)
	}
	for _, call := range served {
		method, path, _ := strings.Cut(call, " ")
		req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if _ = resp.Body.Close(); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s without a key: %d", call, resp.StatusCode)
		}
	}
	s.stop()
}
