package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"testing"
)

// starters are what is published on a server, by id: its name, and its model and version.
func (s *server) starters() (names, models map[string]string) {
	s.t.Helper()
	names, models = map[string]string{}, map[string]string{}
	_, body := s.get("/api/v2/assistants/marketplace?limit=100")
	var list struct {
		Items []struct {
			ID, Name, Model string
			Version         int
		}
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		s.t.Fatal(err)
	}
	for _, a := range list.Items {
		names[a.ID], models[a.ID] = a.Name, fmt.Sprint(a.Model, "@", a.Version)
	}
	return names, models
}

// Every starter answers on a server that has no provider, and on one that had one it keeps its model for the next start.
func TestStarters(t *testing.T) {
	s := start(t, "", nil)
	names, models := s.starters()
	if len(names) < 36 {
		t.Errorf("%d starters", len(names))
	}
	for id, name := range names {
		if models[id] != "sandbox@1" {
			t.Errorf("%s has the model %s", name, models[id])
		}
		resp := s.generate(fmt.Sprintf(`{"assistant_id": %q, "prompt": "Hello"}`, id))
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%s answers %d: %v%s", name, resp.StatusCode, err, body)
		}
	}
	s.stop()

	key := s.key
	restart := func(env ...string) map[string]string {
		s = start(t, s.database, env)
		s.key = key
		_, models := s.starters()
		s.stop()
		return models
	}
	moved := restart("DEEPSEEK_API_KEY=sk-none")
	for id, name := range names {
		if moved[id] != "deepseek-v3@2" {
			t.Errorf("with a provider %s has the model %s", name, moved[id])
		}
	}
	if kept := restart(); !maps.Equal(kept, moved) {
		t.Errorf("without the provider's key starters changed: %v", kept)
	}
	if back := restart("DEEPSEEK_API_KEY=sk-none"); !maps.Equal(back, moved) {
		t.Errorf("with the provider's key again starters changed: %v", back)
	}
	keys := []string{"DEEPSEEK_API_KEY=sk-none", "OPENAI_API_KEY=sk-none", "ANTHROPIC_API_KEY=sk-none"}
	own := restart(keys...)
	for id, name := range names {
		if own[id] != "gpt-5.2@3" && own[id] != "claude-haiku-4.5@3" {
			t.Errorf("%s has the model %s, not its own", name, own[id])
		}
	}
	if more := restart(append(keys, "XAI_API_KEY=xai-none")...); !maps.Equal(more, own) {
		t.Errorf("with one more provider starters changed: %v", more)
	}
}
