package openaiapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
)

// A warning of the pipeline or the provider names the field as the request has it.
func TestWarningsNameTheFieldThatWasSent(t *testing.T) {
	s := newServer(t, func(context.Context, *elumenta.Prompt, func(elumenta.Event) error) (elumenta.Completion, error) {
		end := done
		for _, field := range []string{"max_tokens", elumenta.ReasoningField} {
			end.Warnings = append(end.Warnings, elumenta.Warning{Code: elumenta.WarnClamped, Field: field, Message: "m"})
		}
		return end, nil
	})
	for _, c := range []struct{ path, member, want string }{
		{"/v1/chat/completions", `"messages":[{"role":"user","content":"Hi"}],"max_completion_tokens":9`, "max_completion_tokens reasoning_effort"},
		{"/v1/chat/completions", `"messages":[{"role":"user","content":"Hi"}],"max_tokens":9`, "max_tokens reasoning_effort"},
		{"/v1/responses", `"input":"Hi","max_output_tokens":9`, "max_output_tokens reasoning"},
	} {
		_, body := s.post(c.path, `{"model":"scripted",`+c.member+`}`)
		var answer struct {
			Elumenta struct{ Warnings []elumenta.Warning }
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range answer.Elumenta.Warnings {
			got = append(got, w.Field)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s warns of %q; want %q", c.member, got, c.want)
		}
	}
}

// OpenAI's code of an error stands in the error alone: our details are those of every other API.
func TestDetailsAreOurs(t *testing.T) {
	s := newServer(t, says("Hi"))
	for _, path := range []string{"/v1/chat/completions", "/v1/responses"} {
		status, body := s.post(path, `{"model":"scripted","temperature":9,"messages":[{"role":"user","content":"Hi"}],"input":"Hi"}`)
		if status != 400 || !strings.HasSuffix(body, `"elumenta":{"error":"validation_error","details":{"fields":[{"field":"temperature","reason":"must be between 0 and 2"}]}}}`+"\n") ||
			!strings.Contains(body, `"param":"temperature","code":"invalid_value"`) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// TestBodiesThatWouldGrow: what would come to much more in memory than it is over the wire is refused before anything is made of it.
func TestBodiesThatWouldGrow(t *testing.T) {
	s := newServer(t, says("Hi"))
	many, deep := strings.Repeat("{},", 150_000)+"{}", strings.Repeat(`{"a":`, 70)+"1"+strings.Repeat("}", 70)
	for path, bodies := range map[string][]string{
		"/v1/chat/completions": {`{"model":"scripted","messages":[` + many + `]}`, `{"model":"scripted","messages":[{"role":"user","content":[` + many + `]}]}`, `{"model":"scripted","tools":[` + many + `]}`},
		"/v1/responses":        {`{"model":"scripted","input":[` + many + `]}`, `{"model":"scripted","input":[{"role":"user","content":[` + many + `]}]}`},
	} {
		for _, body := range bodies {
			if status, answer := s.post(path, body); status != http.StatusRequestEntityTooLarge || !strings.Contains(answer, "more than 200000 values") {
				t.Errorf("%s: %d %s", path, status, answer)
			}
		}
		if status, answer := s.post(path, `{"model":"scripted","x":`+deep+`}`); status != http.StatusBadRequest || !strings.Contains(answer, "deeper than 64 levels") {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
}
