package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// upstream stands in for the providers. It speaks Chat Completions by itself and anything else through handle.
type upstream struct {
	*httptest.Server
	// handle, if set, answers instead. It may be changed between requests.
	handle atomic.Pointer[func(w http.ResponseWriter, r *http.Request, body []byte)]
	calls  atomic.Int64 // begun
	open   atomic.Int64 // not yet ended
}

func newUpstream(t *testing.T) *upstream {
	u := &upstream{}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.calls.Add(1)
		u.open.Add(1)
		defer u.open.Add(-1)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if h := u.handle.Load(); h != nil {
			(*h)(w, r, body)
			return
		}
		chat(w, body, "Hello from upstream")
	}))
	t.Cleanup(func() {
		u.CloseClientConnections()
		u.Close()
	})
	return u
}

func (u *upstream) answer(h func(w http.ResponseWriter, r *http.Request, body []byte)) {
	u.handle.Store(&h)
}

// env points every provider of the program here.
func (u *upstream) env() []string {
	var env []string
	for _, p := range []struct{ name, path string }{{"OPENAI", "/v1"}, {"DEEPSEEK", "/v1"}, {"XAI", "/v1"}, {"ANTHROPIC", ""}, {"GEMINI", ""}} {
		env = append(env, p.name+"_API_KEY=sk-test-credential", p.name+"_BASE_URL="+u.URL+p.path)
	}
	return env
}

// chat answers as Chat Completions does, whole or streamed, a piece a word.
func chat(w http.ResponseWriter, body []byte, pieces ...string) {
	var req struct{ Stream bool }
	if err := json.Unmarshal(body, &req); err != nil {
		http.Error(w, `{"error":{"message":"not JSON"}}`, http.StatusBadRequest)
		return
	}
	const usage = `{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14}`
	if !req.Stream {
		text := ""
		for _, p := range pieces {
			text += p
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"id":"c1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":%s},"finish_reason":"stop"}],"usage":%s}`, quoted(text), usage)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for _, p := range pieces {
		chatPiece(w, p)
	}
	chatEnd(w)
}

func chatPiece(w http.ResponseWriter, text string) {
	_, _ = fmt.Fprintf(w, "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%s},\"finish_reason\":null}]}\n\n", quoted(text))
	w.(http.Flusher).Flush()
}

func chatEnd(w http.ResponseWriter) {
	_, _ = io.WriteString(w, "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"+
		"data: {\"id\":\"c1\",\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":4,\"total_tokens\":14}}\n\ndata: [DONE]\n\n")
	w.(http.Flusher).Flush()
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}
