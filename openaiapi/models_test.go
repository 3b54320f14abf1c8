package openaiapi_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/elumenta/elumenta"
)

func TestModels(t *testing.T) {
	s := newServer(t, says("Hi"))
	client := s.client()
	a := s.assistant(elumenta.Fields{Name: "Pirate", Model: "scripted", Instructions: "You are a pirate."})
	page, err := client.Models.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, m := range page.Data {
		ids = append(ids, m.ID+" of "+m.OwnedBy)
		if m.Created == 0 || string(m.Object) != "model" {
			t.Errorf("%s", m.RawJSON())
		}
	}
	want := []string{"dear of test", "poor of test", "sandbox of test", "scripted of test", string(a.ID) + " of assistant"}
	if slices.Sort(ids[:4]); !slices.Equal(ids, want) || !strings.Contains(page.RawJSON(), `"name":"Pirate"`) || strings.Contains(page.RawJSON(), "You are") {
		t.Errorf("%s", page.RawJSON())
	}
	if _, err := s.store.SetLabel(t.Context(), s.account, a.ID, "prod", []elumenta.LabelShare{{Version: 1, Weight: 1}}); err != nil {
		t.Fatal(err)
	}
	for id, owner := range map[string]string{"scripted": "test", string(a.ID): "assistant", string(a.ID) + "@1": "assistant", string(a.ID) + "@prod": "assistant"} {
		if m, err := client.Models.Get(t.Context(), id); err != nil || m.ID != id || m.OwnedBy != owner {
			t.Errorf("%s: %v", id, err)
		}
	}
	for _, id := range []string{"gpt-none", string(elumenta.NewAssistantID()), string(a.ID) + "@2", string(a.ID) + "@beta"} {
		_, err := client.Models.Get(t.Context(), id)
		if e, ok := errors.AsType[*openai.Error](err); !ok || e.StatusCode != http.StatusNotFound || e.Code != "model_not_found" || e.Param != "model" {
			t.Errorf("%s: %v", id, err)
		}
	}
	status, body := s.post("/v1/embeddings", "{}")
	if status != http.StatusNotFound || !strings.Contains(body, `"unknown_url"`) {
		t.Errorf("%d %s", status, body)
	}
	if status, body = s.post("/v1/threads/thread_1/runs", "{}"); status != http.StatusNotFound || !strings.Contains(body, `"message":"no threads"`) || !strings.Contains(body, `"unknown_url"`) {
		t.Errorf("%d %s", status, body)
	}
	if status, body = s.post("/v1/threadss", "{}"); status != http.StatusNotFound || strings.Contains(body, "no threads") {
		t.Errorf("%d %s", status, body)
	}
	if status, body = s.post("/v1/models", "{}"); status != http.StatusMethodNotAllowed || !strings.Contains(body, `"method_not_supported"`) {
		t.Errorf("%d %s", status, body)
	}
}

// TestModelsOfLimitedKeys: a key reads one by one what its list has, and no name of another assistant.
func TestModelsOfLimitedKeys(t *testing.T) {
	s := newServer(t, says("Hi"))
	a := s.assistant(elumenta.Fields{Name: "Pirate", Model: "scripted", Instructions: "You are a pirate."})
	other := s.assistant(elumenta.Fields{Name: "Secret", Model: "scripted", Instructions: "You are a spy."})
	for name, test := range map[string]struct {
		limits elumenta.KeyLimits
		reads  map[string]bool
	}{
		"assistants": {elumenta.KeyLimits{Assistants: []elumenta.AssistantID{a.ID}}, map[string]bool{string(a.ID): true, string(other.ID): false, "scripted": false}},
		"models":     {elumenta.KeyLimits{Models: []string{"scripted"}}, map[string]bool{string(a.ID): true, "scripted": true, "sandbox": false}},
	} {
		key := elumenta.NewKeySecret()
		if _, _, err := s.store.CreateKey(t.Context(), s.account, elumenta.NewKey{Name: name, Limits: test.limits}, key, nil); err != nil {
			t.Fatal(err)
		}
		client := s.client(option.WithAPIKey(key.Reveal()))
		page, err := client.Models.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if listed := page.RawJSON(); strings.Contains(listed, "Secret") || strings.Contains(listed, "Pirate") != (name == "assistants") {
			t.Errorf("%s: %s", name, listed)
		}
		for id, reads := range test.reads {
			m, err := client.Models.Get(t.Context(), id)
			if e, ok := errors.AsType[*openai.Error](err); reads != (err == nil) || !reads && (!ok || e.StatusCode != http.StatusNotFound || e.Code != "model_not_found") {
				t.Errorf("%s: %s: %v, %v", name, id, m, err)
			}
		}
	}
}
