package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elumenta/elumenta/internal/clients"
)

// The clients of others work with an assistant's id as their model: OpenAI's own in two majors, Anthropic's, Vercel's AI SDK and
// LangChain.js, against the program with a provider that calls tools. See internal/clients.
func TestJavaScriptClients(t *testing.T) {
	dir := clients.JavaScript(t)
	s, id := startAgent(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "--test", "--test-reporter=spec")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "BASE_URL="+s.url, "API_KEY="+s.key, "ASSISTANT="+id, "AI_SDK_LOG_WARNINGS=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
}

// So do OpenAI's and Anthropic's for Python, OpenAI's in two majors.
func TestPythonClients(t *testing.T) {
	t.Parallel()
	dir := clients.Python(t)
	s, id := startAgent(t)
	prompt := s.createAssistant(t, "test", "You help {{customer}} with {{product}}.",
		map[string]any{"variables": []map[string]any{{"name": "customer", "required": true}, {"name": "product", "required": true}}})
	poor := s.must(t, http.StatusCreated, "POST", "/api/v2/keys", map[string]any{"name": "poor", "budget": 0}).json(t)["key"].(string)
	env := []string{"BASE_URL=" + s.url, "API_KEY=" + s.key, "ASSISTANT=" + id, "PROMPT=" + prompt, "POOR_KEY=" + poor}
	page, err := os.ReadFile("../docs/openai.md")
	if err != nil {
		t.Fatal(err)
	}
	_, program, _ := strings.Cut(string(page), "```python\n")
	program, _, _ = strings.Cut(program, "```\n")
	t.Run("page", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "main.py")
		write(t, path, strings.NewReplacer("https://your-server", s.url, "asst_01m8dy99t8f9eva2pv6yybx9wf", prompt, "asst_01m8dy9vrkf9kbksh3w4e3v1pj", id).Replace(program))
		if out := command(t, filepath.Dir(path), []string{"ELUMENTA_API_KEY=" + s.key}, filepath.Join(dir, "newest/bin/python"), path); out != strings.Repeat("Hello from upstream\n", 3) {
			t.Errorf("the program of docs/openai.md prints %q", out)
		}
	})
	for set, tests := range map[string][]string{"newest": {"test_openai", "test_anthropic"}, "older": {"test_openai"}} {
		t.Run(set, func(t *testing.T) {
			command(t, dir, env, append([]string{filepath.Join(dir, set, "bin", "python"), "-m", "unittest"}, tests...)...)
		})
	}
}

// startAgent starts the program with a provider that calls tools, and makes an assistant that has it as its model.
func startAgent(t *testing.T) (s *server, assistant string) {
	t.Helper()
	u := newUpstream(t)
	u.answer(newAgent(t).answer)
	config := configFile(t, "[[providers]]", `name = "agents"`, `format = "chat"`, `base_url = "`+u.URL+`/v1"`, `api_key_env = "AGENTS_KEY"`,
		"[[models]]", `slug = "test"`, `provider = "agents"`, `upstream_id = "agent"`, "token_cost = 1", "context_window = 100_000",
		"vision = true", "tools = true", "json_schema = true", "json_object = true", "temperature = [0, 2]")
	s = start(t, startOptions{args: []string{"--config", config}, env: []string{"AGENTS_KEY=x"}})
	return s, s.createAssistant(t, "test", "You help.")
}

// agent answers as a model does that has tools: it asks for the weather, and says what it was told.
type agent struct {
	t      *testing.T
	mu     sync.Mutex
	failed map[string]bool
}

func newAgent(t *testing.T) *agent { return &agent{t: t, failed: map[string]bool{}} }

func (a *agent) answer(w http.ResponseWriter, r *http.Request, body []byte) {
	var req struct {
		Messages []struct {
			Role       string
			Content    json.RawMessage
			ToolCallID string `json:"tool_call_id"`
		}
		Tools          []struct{ Function struct{ Name string } }
		ResponseFormat *struct{ Type string } `json:"response_format"`
		Stream         bool
	}
	if err := json.Unmarshal(body, &req); err != nil || len(req.Messages) == 0 {
		http.Error(w, `{"error":{"message":"not a request"}}`, http.StatusBadRequest)
		return
	}
	last := req.Messages[len(req.Messages)-1]
	said := string(last.Content)
	switch {
	case strings.Contains(said, "Fail once") && a.first(said):
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"error":{"message":"once"}}`)
	case strings.Contains(said, "Never end"):
		w.Header().Set("Content-Type", "text/event-stream")
		chatPiece(w, "Once upon")
		<-r.Context().Done()
	case strings.Contains(said, "Break off"):
		w.Header().Set("Content-Type", "text/event-stream")
		chatPiece(w, "Once upon")
	case strings.Contains(said, "Think"):
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, `data: {"id":"c1","choices":[{"index":0,"delta":{"reasoning_content":"Hm."},"finish_reason":null}]}`+"\n\n")
		chatPiece(w, "Thought")
		chatEnd(w)
	case strings.Contains(said, "Be long"):
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"c1","choices":[{"index":0,"message":{"role":"assistant","content":"{\"word"},"finish_reason":"length"}],"usage":{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14}}`)
	case strings.Contains(said, "Say your instructions"):
		var system string
		_ = json.Unmarshal(req.Messages[0].Content, &system)
		chat(w, body, system)
	case last.Role == "tool":
		if last.ToolCallID != "call_1" || !strings.Contains(said, "21 degrees") {
			a.t.Errorf("the tool's result is %s for %q", said, last.ToolCallID)
		}
		chat(w, body, "It ", "is ", "21 degrees")
	case len(req.Tools) > 0:
		callTool(w, req.Tools[0].Function.Name, req.Stream)
	case req.ResponseFormat != nil && req.ResponseFormat.Type == "json_schema":
		chat(w, body, `{"word":`, `"Hello"}`)
	case strings.Contains(said, "image_url"):
		chat(w, body, "An ", "image")
	default:
		chat(w, body, "Hello ", "from upstream")
	}
}

// first reports whether a message comes for the first time.
func (a *agent) first(said string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.failed[said]
	a.failed[said] = true
	return !before
}

func callTool(w http.ResponseWriter, name string, stream bool) {
	start, end := `{"city":`, `"Paris"}`
	if name != "get_weather" { // a client that asks for structured output by a tool
		start, end = `{"word":`, `"Hello"}`
	}
	const usage = `{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14}`
	if !stream {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"id":"c1","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":%q,"arguments":%s}}]},"finish_reason":"tool_calls"}],"usage":%s}`, name, quoted(start+end), usage)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for _, delta := range []string{
		`{"index":0,"id":"call_1","type":"function","function":{"name":"` + name + `","arguments":""}}`,
		`{"index":0,"function":{"arguments":` + quoted(start) + `}}`, `{"index":0,"function":{"arguments":` + quoted(end) + `}}`,
	} {
		_, _ = fmt.Fprintf(w, "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[%s]},\"finish_reason\":null}]}\n\n", delta)
		w.(http.Flusher).Flush()
	}
	_, _ = fmt.Fprintf(w, "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: {\"id\":\"c1\",\"choices\":[],\"usage\":%s}\n\ndata: [DONE]\n\n", usage)
}
