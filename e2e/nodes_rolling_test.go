package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elumenta/elumenta/store/storetest"
)

// traffic makes whole and streamed calls until it is stopped, and remembers what failed.
type traffic struct {
	s             *server
	assistant     string
	stop          chan struct{}
	wg            sync.WaitGroup
	mu            sync.Mutex
	whole, stream int           // answered to their end
	slowest       time.Duration // whole answer
	errs          []error
}

// startTraffic has some workers make whole calls, one after the other, and some keep a stream open.
func startTraffic(s *server, assistant string, whole, streams int, pause time.Duration) *traffic {
	tr := &traffic{s: s, assistant: assistant, stop: make(chan struct{})}
	for i := range whole + streams {
		tr.wg.Go(func() { tr.work(i >= whole, pause) })
	}
	return tr
}

func (tr *traffic) work(stream bool, pause time.Duration) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		began := time.Now()
		err := tr.s.generateOnce(tr.assistant, stream)
		tr.note(stream, time.Since(began), err)
		select {
		case <-tr.stop:
			return
		case <-ticker.C:
		}
	}
}

func (tr *traffic) note(stream bool, took time.Duration, err error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	switch {
	case err != nil:
		tr.errs = append(tr.errs, err)
	case stream:
		tr.stream++
	default:
		tr.whole++
		tr.slowest = max(tr.slowest, took)
	}
}

// end stops the traffic. Not one call may have failed.
func (tr *traffic) end(t *testing.T) {
	t.Helper()
	close(tr.stop)
	tr.wg.Wait()
	for _, err := range tr.errs[:min(len(tr.errs), 10)] {
		t.Error(err)
	}
	if tr.whole == 0 || tr.stream == 0 {
		t.Error("there was no traffic")
	}
	t.Logf("%d whole and %d streamed calls, %d failed; the slowest whole one took %v",
		tr.whole, tr.stream, len(tr.errs), tr.slowest)
}

// Each of three nodes behind HAProxy is restarted in turn, under load and with streams open all the time: no call fails.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	addrs := []string{freeAddr(t), freeAddr(t), freeAddr(t)}
	proxy := haproxy(t, addrs...)
	u := newUpstream(t)
	u.answer(func(w http.ResponseWriter, r *http.Request, body []byte) {
		if !strings.Contains(string(body), `"stream":true`) {
			chat(w, body, "whole")
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		ticker := time.NewTicker(150 * time.Millisecond)
		defer ticker.Stop()
		for range 10 {
			chatPiece(w, "piece ")
			select {
			case <-ticker.C:
			case <-r.Context().Done():
				return
			}
		}
		chatEnd(w)
	})
	options := startOptions{database: storetest.Postgres(t), env: u.env(), args: []string{"--drain-delay", "3s", "--drain-timeout", "30s"}}
	nodes := make([]*server, len(addrs))
	for i, addr := range addrs {
		options.addr = addr
		nodes[i] = start(t, options)
		options.key = nodes[i].key
	}
	balanced := *nodes[0]
	balanced.url = proxy
	if err := balanced.ready(30 * time.Second); err != nil {
		t.Fatal(err)
	}
	id := balanced.createAssistant(t, "deepseek-v3", "Be brief.")
	tr := startTraffic(&balanced, id, 8, 12, 40*time.Millisecond)
	for i, addr := range addrs {
		stop(t, nodes[i])
		options.addr = addr
		nodes[i] = start(t, options)
	}
	for i, s := range nodes {
		eventually(t, fmt.Sprintf("node %d gets traffic again", i), func() bool {
			return strings.Contains(string(s.must(t, 200, "GET", "/metrics", nil).body), "elumenta_generations_total{")
		})
	}
	tr.end(t)
	eventually(t, "every call is charged once", func() bool {
		total := balanced.must(t, 200, "GET", "/api/v2/usage", nil).json(t)["total"].(map[string]any)
		return total["tokens_spent"] == float64(tr.whole+tr.stream)
	})
}
