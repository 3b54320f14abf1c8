package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load calls generate at about this rate until stop is closed, and counts answers by status.
func load(s *server, perSecond int, body map[string]any, stop <-chan struct{}) (wait func() map[int]int) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	wg.Go(func() {
		ticker := time.NewTicker(time.Second / time.Duration(perSecond))
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				wg.Go(func() {
					r, err := s.call("POST", "/api/v2/generate", body)
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						statuses[0]++
						return
					}
					statuses[r.status]++
				})
			}
		}
	})
	return func() map[int]int {
		wg.Wait()
		return statuses
	}
}

// A revoked key and an edited assistant count for the next request that starts, whatever is cached.
func TestChangesCountAtOnce(t *testing.T) {
	for name, database := range engines(t) {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t)
			var system atomic.Value // what the provider last saw as system text
			u.answer(func(w http.ResponseWriter, _ *http.Request, body []byte) {
				var req struct {
					Messages []struct{ Role, Content string }
				}
				if json.Unmarshal(body, &req) == nil && len(req.Messages) == 2 && req.Messages[1].Content == "probe" {
					system.Store(req.Messages[0].Content)
				}
				chat(w, body, "ok")
			})
			s := start(t, startOptions{database: database(t), env: u.env()})
			id := s.createAssistant(t, "deepseek-v3", "version 1")
			generate := map[string]any{"assistant_id": id, "prompt": "load"}
			stop := make(chan struct{})
			wait := load(s, 200, generate, stop)
			for i := range 50 {
				want := fmt.Sprintf("edited %d", i)
				s.must(t, 200, "PUT", "/api/v2/assistants/"+id, map[string]any{"instructions": want})
				s.must(t, 200, "POST", "/api/v2/generate", map[string]any{"assistant_id": id, "prompt": "probe"})
				if got := system.Load(); got != want {
					t.Fatalf("after edit %d the provider was sent %q", i, got)
				}
				key := s.must(t, 201, "POST", "/api/v2/keys", map[string]any{"name": "short-lived"}).json(t)
				bearer := []string{"Authorization", "Bearer " + key["key"].(string)}
				s.must(t, 200, "POST", "/api/v2/generate", generate, bearer...)
				s.must(t, 204, "DELETE", "/api/v2/keys/"+key["id"].(string), nil)
				s.must(t, 401, "POST", "/api/v2/generate", generate, bearer...)
			}
			close(stop)
			if statuses := wait(); statuses[200] == 0 || len(statuses) != 1 {
				t.Errorf("answers of the load by status: %v", statuses)
			}
			s.must(t, 204, "DELETE", "/api/v2/assistants/"+id, nil)
			s.must(t, 404, "POST", "/api/v2/generate", generate)
		})
	}
}

// Instructions of the largest size arrive byte for byte, and the same in each call, whatever stands beside them.
func TestInstructionsArriveByteForByte(t *testing.T) {
	var b strings.Builder
	for b.Len() < 900_000 {
		b.WriteString("a\"\\\u2028\u0001<é漢😀>\t\n {{not_declared}} ")
	}
	instructions := string([]rune(b.String())[:256_000])
	u := newUpstream(t)
	seen := make(chan string, 1)
	u.answer(func(w http.ResponseWriter, _ *http.Request, body []byte) {
		var req struct {
			Messages []struct{ Role, Content string }
		}
		if err := json.Unmarshal(body, &req); err != nil || len(req.Messages) == 0 {
			t.Errorf("the provider cannot read the request: %v", err)
		}
		seen <- req.Messages[0].Content
		chat(w, body, "ok")
	})
	s := start(t, startOptions{env: u.env()})
	id := s.createAssistant(t, "deepseek-v3", instructions)
	for i := range 100 {
		body := map[string]any{"assistant_id": id, "prompt": "hi", "stream": i%2 == 1}
		want := instructions
		if i%3 == 0 {
			body["system"] = "own text"
			want += "\n\nown text"
		}
		s.must(t, 200, "POST", "/api/v2/generate", body)
		if got := <-seen; got != want {
			t.Fatalf("call %d: %d bytes arrived, %d were stored", i, len(got), len(want))
		}
	}
}
