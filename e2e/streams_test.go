package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// configFile writes a configuration with short time limits.
func configFile(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "elumenta.toml")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// openStream begins a stream and reads it up to its first content_delta, if there is to be one.
func (s *server) openStream(ctx context.Context, firstPiece bool) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/api/v2/generate", strings.NewReader(`{"model":"deepseek-v3","prompt":"hi","stream":true}`))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil || !firstPiece {
		return resp, err
	}
	scanner := bufio.NewScanner(resp.Body)
	for scanner.Scan() {
		if strings.Contains(scanner.Text(), "content_delta") {
			return resp, nil
		}
	}
	_ = resp.Body.Close()
	return nil, fmt.Errorf("status %d, no piece: %w", resp.StatusCode, scanner.Err())
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	eventuallyWithin(t, 10*time.Second, what, holds)
}

func eventuallyWithin(t *testing.T, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for !holds() {
		select {
		case <-deadline.C:
			t.Fatalf("never: %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// When the client goes away in mid-stream, the provider's connection closes and the generation is charged.
func TestClientLeaves(t *testing.T) {
	u := newUpstream(t)
	gone := make(chan time.Time, 1)
	u.answer(func(w http.ResponseWriter, r *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "text/event-stream")
		chatPiece(w, "first")
		<-r.Context().Done()
		gone <- time.Now()
	})
	s := start(t, startOptions{env: u.env()})
	ctx, cancel := context.WithCancel(context.Background())
	resp, err := s.openStream(ctx, true)
	if err != nil {
		t.Fatal(err)
	}
	left := time.Now()
	cancel()
	_ = resp.Body.Close()
	t.Logf("the provider's connection closed %v after the client left", (<-gone).Sub(left))
	usage := func() map[string]any {
		return s.must(t, 200, "GET", "/api/v2/usage", nil).json(t)["total"].(map[string]any)
	}
	eventually(t, "the generation is settled", func() bool { return usage()["requests"] == 1.0 })
	if got := usage()["tokens_spent"]; got != 1.0 {
		t.Errorf("charged %v; a stream left after its first piece is charged", got)
	}
}

// A call that the client leaves before anything came is cancelled and given back.
func TestClientLeavesBeforeTheFirstPiece(t *testing.T) {
	u := newUpstream(t)
	began := make(chan struct{}, 1)
	u.answer(func(_ http.ResponseWriter, r *http.Request, _ []byte) {
		began <- struct{}{}
		<-r.Context().Done()
	})
	s := start(t, startOptions{env: u.env()})
	for _, stream := range []bool{true, false} {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			body := fmt.Sprintf(`{"model":"deepseek-v3","prompt":"hi","stream":%t}`, stream)
			req, _ := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/api/v2/generate", strings.NewReader(body))
			req.Header.Set("Authorization", "Bearer "+s.key)
			req.Header.Set("Content-Type", "application/json")
			if resp, err := client.Do(req); err == nil {
				_ = resp.Body.Close()
			}
		}()
		<-began
		cancel()
		<-done
	}
	eventually(t, "both are given back", func() bool {
		total := s.must(t, 200, "GET", "/api/v2/usage", nil).json(t)["total"].(map[string]any)
		return total["requests"] == 2.0 && total["failures"] == 2.0 && total["tokens_spent"] == 0.0
	})
	eventually(t, "the provider is left alone", func() bool { return u.open.Load() == 0 })
}

// A silent provider ends in provider_timeout: an HTTP error before anything was sent, an error event after it.
func TestProviderSilent(t *testing.T) {
	u := newUpstream(t)
	s := start(t, startOptions{env: u.env(), args: []string{"--config", configFile(t, "[limits]", `first_piece = "100ms"`, `between_pieces = "100ms"`, `generation = "1s"`)}})
	u.answer(func(_ http.ResponseWriter, r *http.Request, _ []byte) { <-r.Context().Done() })
	body := map[string]any{"model": "deepseek-v3", "prompt": "hi", "stream": true}
	if e := s.must(t, 504, "POST", "/api/v2/generate", body).json(t)["error"]; e != "provider_timeout" {
		t.Errorf("silent from the start: %v", e)
	}
	body["stream"] = false
	if e := s.must(t, 504, "POST", "/api/v2/generate", body).json(t)["error"]; e != "provider_timeout" {
		t.Errorf("silent, not streamed: %v", e)
	}
	u.answer(func(w http.ResponseWriter, r *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "text/event-stream")
		chatPiece(w, "first")
		<-r.Context().Done()
	})
	body["stream"] = true
	raw := s.must(t, 200, "POST", "/api/v2/generate", body).body
	all, _, err := events(strings.NewReader(string(raw)))
	if err != nil || len(all) != 4 {
		t.Fatalf("%v: %s", err, raw)
	}
	if e := all[2]; e["type"] != "error" || e["error"] != "provider_timeout" || e["tokens_spent"] != 0.0 {
		t.Errorf("silent in mid-stream: %v", e)
	}
	eventually(t, "the provider is left alone", func() bool { return u.open.Load() == 0 })
}

// Silence of 15 s opens the stream and then sends comments, so that no proxy in between gives up.
func TestKeepAlive(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 35 s")
	}
	t.Parallel()
	u := newUpstream(t)
	s := start(t, startOptions{env: u.env(), args: []string{"--config", configFile(t, "[limits]", `first_piece = "32s"`)}})
	u.answer(func(_ http.ResponseWriter, r *http.Request, _ []byte) { <-r.Context().Done() })
	raw := s.must(t, 200, "POST", "/api/v2/generate", map[string]any{"model": "deepseek-v3", "prompt": "hi", "stream": true}).body
	all, comments, err := events(strings.NewReader(string(raw)))
	if err != nil || len(all) != 3 || comments != 1 {
		t.Fatalf("%v, %d comments: %s", err, comments, raw)
	}
	if all[0]["type"] != "generation_start" || all[1]["error"] != "provider_timeout" {
		t.Errorf("%v", all)
	}
}

var goroutineCount = regexp.MustCompile(`(?m)^(go_goroutines|process_resident_memory_bytes) ([0-9.e+]+)$`)

// gauges reads goroutines and resident bytes from the metrics.
func (s *server) gauges(t *testing.T) (goroutines, bytes float64) {
	t.Helper()
	for _, m := range goroutineCount.FindAllStringSubmatch(string(s.must(t, 200, "GET", "/metrics", nil).body), -1) {
		v, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		if m[1] == "go_goroutines" {
			goroutines = v
		} else {
			bytes = v
		}
	}
	return goroutines, bytes
}

// After thousands of clients that leave and of silent providers, goroutines and memory are back where they were.
func TestNothingIsLeftOver(t *testing.T) {
	rounds := rounds(t, 10_000)
	u := newUpstream(t)
	s := start(t, startOptions{env: u.env(), args: []string{"--config", configFile(t, "[limits]", `first_piece = "200ms"`, `between_pieces = "1s"`)}})
	silent := func(_ http.ResponseWriter, r *http.Request, _ []byte) { <-r.Context().Done() }
	leaves := func(w http.ResponseWriter, r *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "text/event-stream")
		chatPiece(w, "first")
		<-r.Context().Done()
	}
	run := func(n int, firstPiece bool) {
		work := make(chan struct{})
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				for range work {
					ctx, cancel := context.WithCancel(context.Background())
					resp, err := s.openStream(ctx, firstPiece)
					cancel()
					if err == nil { // else it was a slow machine that gave the provider no time to begin
						_ = resp.Body.Close()
					}
				}
			})
		}
		for range n {
			work <- struct{}{}
		}
		close(work)
		wg.Wait()
	}
	both := func(n int) {
		u.answer(leaves)
		run(n, true)
		u.answer(silent)
		run(n, false)
		client.CloseIdleConnections()
		eventually(t, "the provider is left alone", func() bool { return u.open.Load() == 0 })
	}
	both(200) // warm: pools and caches fill
	goroutines, bytes := s.gauges(t)
	both(rounds)
	now, resident := s.gauges(t)
	for range 12 { // it returns memory once it has come to rest, and asking keeps it busy
		if now <= goroutines+20 && resident <= bytes+16<<20 {
			break
		}
		<-time.After(6 * time.Second)
		now, resident = s.gauges(t)
	}
	if now > goroutines+20 || resident > bytes+16<<20 {
		t.Error("goroutines or memory are not back where they were")
	}
	t.Logf("%d of either: goroutines %.0f, then %.0f; resident memory %.1f MiB, then %.1f MiB", rounds, goroutines, now, bytes/(1<<20), resident/(1<<20))
}

// A stream cut in its middle ends in an error event, never in a silent stop, and is given back.
func TestProviderCut(t *testing.T) {
	s := start(t, startOptions{})
	raw := s.must(t, 200, "POST", "/api/v2/generate", map[string]any{"model": "sandbox", "prompt": "sandbox:cut", "stream": true}).body
	all, _, err := events(strings.NewReader(string(raw)))
	if err != nil || len(all) < 3 {
		t.Fatalf("%v: %s", err, raw)
	}
	last := all[len(all)-2]
	if last["type"] != "error" || last["error"] != "provider_error" || last["tokens_spent"] != 0.0 {
		t.Errorf("%v", last)
	}
	if _, err := json.Marshal(last["details"]); err != nil || last["request_id"] == nil {
		t.Errorf("details and request id: %v", last)
	}
}
