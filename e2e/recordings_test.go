package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/anthropic"
	"github.com/elumenta/elumenta/provider/gemini"
	"github.com/elumenta/elumenta/provider/openai"
	"github.com/elumenta/elumenta/provider/providertest"
)

// served says which model of the catalog speaks the format of a recording's path, and what speaks it at the seam.
func served(path string) (model, base string, p elumenta.Provider) {
	switch {
	case strings.HasSuffix(path, "/messages"):
		return "claude-sonnet-4.5", "", anthropic.Provider{}
	case strings.HasSuffix(path, "/responses"):
		return "gpt-5", "/v1", openai.Responses{}
	case strings.HasSuffix(path, "/chat/completions"):
		return "deepseek-v3", "/v1", openai.Chat{}
	case strings.Contains(path, "enerateContent"):
		return "gemini-2.5-flash", "", gemini.Provider{}
	}
	return "", "", nil
}

// Every recorded exchange without tools is answered through HTTP as at the provider's seam, which has a suite of its
// own: text, finish reason and usage.
func TestRecordingsThroughHTTP(t *testing.T) {
	u := newUpstream(t)
	s := start(t, startOptions{env: u.env()})
	played := 0
	for _, e := range providertest.Recordings(t, func(path string) bool { _, _, p := served(path); return p != nil }) {
		if strings.Contains(e.RequestBody, `"tools"`) {
			continue
		}
		played++
		t.Run(e.Name, func(t *testing.T) {
			u.answer(func(w http.ResponseWriter, _ *http.Request, _ []byte) {
				for k, v := range e.ResponseHeaders {
					w.Header().Set(k, v)
				}
				w.WriteHeader(e.Status)
				_, _ = w.Write([]byte(e.ResponseBody))
			})
			model, base, provider := served(strings.Split(e.URL, "?")[0])
			target := elumenta.Target{Name: "seam", BaseURL: u.URL + base, Model: "m", Client: http.DefaultClient, Capabilities: elumenta.Capabilities{MaxTokens: 1000}}
			want := providertest.Collect(t.Context(), t, provider, target, providertest.Ask(e.Stream()))
			if want.Err != nil || want.Text == "" {
				t.Fatalf("at the seam: %q, %v", want.Text, want.Err)
			}
			body := map[string]any{"model": model, "system": "You are a helpful assistant", "prompt": "Say hi in Portuguese", "stream": e.Stream()}
			raw := s.must(t, 200, "POST", "/api/v2/generate", body).body
			text, end := "", decode(raw)
			if e.Stream() {
				all, _, err := events(strings.NewReader(string(raw)))
				if err != nil || len(all) < 3 {
					t.Fatalf("%v: %s", err, raw)
				}
				for _, ev := range all[1 : len(all)-2] {
					text += ev["delta"].(string)
				}
				end = all[len(all)-2]
			} else {
				text = end["content"].(string)
			}
			if text != want.Text || end["finish_reason"] != string(want.Finish) {
				t.Errorf("got %q, %v; want %q, %s", text, end["finish_reason"], want.Text, want.Finish)
			}
			usage := end["usage"].(map[string]any)
			for name, n := range map[string]int64{
				"prompt_tokens": want.Usage.PromptTokens, "completion_tokens": want.Usage.CompletionTokens, "total_tokens": want.Usage.TotalTokens(),
				"cached_tokens": want.Usage.CachedTokens, "cache_write_tokens": want.Usage.CacheWriteTokens, "reasoning_tokens": want.Usage.ReasoningTokens,
			} {
				if usage[name] != float64(n) {
					t.Errorf("%s: %v, want %d", name, usage[name], n)
				}
			}
		})
	}
	t.Logf("%d exchanges played", played)
}
