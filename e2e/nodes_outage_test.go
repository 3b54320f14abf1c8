package e2e_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elumenta/elumenta/internal/postgres"
	"github.com/elumenta/elumenta/store/storetest"
)

const (
	leaseLost  = 45 * time.Second // after which a node ends what is running
	settleWait = 60 * time.Second // for which a complete answer is held back
)

// outage is how long the database is away; ELUMENTA_E2E_OUTAGE sets it.
func outage(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("ELUMENTA_E2E_OUTAGE")
	if text == "" {
		return 8 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("ELUMENTA_E2E_OUTAGE: %v", err)
	}
	return d
}

// The database crashes and is started again.
func TestPostgresCrash(t *testing.T) {
	t.Parallel()
	cluster, err := postgres.Start(0)
	if errors.Is(err, postgres.ErrNoBinaries) && os.Getenv("CI") == "" {
		t.Skipf("Postgres is not installed: scripts/test-deps does it on Debian and Ubuntu (%v)", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Remove(); err != nil {
			t.Error(err)
		}
	})
	testOutage(t, cluster.URL("postgres"), func() error { return cluster.Kill() }, cluster.Start)
}

// The network to the database swallows everything, and is whole again later.
func TestPostgresSilent(t *testing.T) {
	t.Parallel()
	w, database := newWire(t, storetest.Postgres(t))
	testOutage(t, database, func() error { return w.set(networkSilent) }, func() error { return w.set(networkWhole) })
}

// testOutage: while the database is away, what starts is refused, what runs goes on, and no answer ends without its
// charge; afterwards all goes on without a restart.
func testOutage(t *testing.T, database string, away, back func() error) {
	u, g := newUpstream(t), newGates()
	u.answer(g.answer)
	s := start(t, startOptions{database: database, env: u.env()})
	account := cli(t, database, "accounts", "create", "--name", "payer", "--plan", "elite")
	paid := s.as(cli(t, database, "keys", "create", "--account", account, "--name", "k"))
	busy := startCallers(s, 8)
	var early, late []*lockedBuffer
	for range 3 {
		early, late = append(early, paid.follow(t, "early")), append(late, paid.follow(t, "late"))
	}
	for _, st := range append(early, late...) {
		seen(t, st, "first")
	}

	began := time.Now()
	if err := away(); err != nil {
		t.Fatal(err)
	}
	close(g.second)
	for _, st := range append(early, late...) {
		seen(t, st, "second") // what the provider sends arrives all the same
	}
	close(g.early) // these are complete, and wait for their charge
	probes := busy.whileAway(t, s, began.Add(outage(t)))
	if outage(t) < settleWait {
		for _, st := range early {
			if text := st.String(); strings.Contains(text, "generation_end") || strings.Contains(text, "error") {
				t.Errorf("a stream ended while the database was away: %s", text)
			}
		}
	}
	if err := back(); err != nil {
		t.Fatal(err)
	}

	came := time.Now()
	if err := s.ready(30 * time.Second); err != nil {
		t.Fatal(err)
	}
	ready := time.Since(came)
	charged := 0
	for _, st := range early {
		charged += ends(t, st, outage(t) < settleWait)
	}
	settled := time.Since(came)
	close(g.late)
	for _, st := range late {
		charged += ends(t, st, outage(t) < leaseLost)
	}
	if err := s.ready(30 * time.Second); err != nil {
		t.Fatal(err)
	}
	s.must(t, 200, "POST", "/api/v2/generate", map[string]any{"model": "deepseek-v3", "prompt": "hi"})
	busy.end(t)
	eventuallyWithin(t, 30*time.Second, "all that ended well is charged, and nothing is open", func() bool {
		total := paid.must(t, 200, "GET", "/api/v2/usage", nil).json(t)["total"].(map[string]any)
		return total["tokens_spent"] == float64(charged) && openGenerations(t, database) == 0
	})
	total := s.must(t, 200, "GET", "/api/v2/usage", nil).json(t)["total"].(map[string]any)
	if spent := int64(total["tokens_spent"].(float64)); spent < busy.answered+1 {
		t.Errorf("%d charged, %d answers were seen to their end", spent, busy.answered+1)
	}
	if log := s.log.String(); !strings.Contains(log, "not ready") {
		t.Error("the log does not say why the node was not ready")
	}
	t.Logf("away for %v: %d refused, at most %v after they began; %d probes, the slowest %v; ready %v after its return, what waited was settled after %v",
		outage(t), busy.refused, busy.slowest, probes.count, probes.slowest, ready, settled)
}

// gates hold the provider's streams back.
type gates struct{ second, early, late chan struct{} }

func newGates() *gates {
	return &gates{make(chan struct{}), make(chan struct{}), make(chan struct{})}
}

// answer streams two pieces and an end, each once its gate is open, to those whose prompt asks for it.
func (g *gates) answer(w http.ResponseWriter, r *http.Request, body []byte) {
	end := g.early
	switch text := string(body); {
	case strings.Contains(text, `"late"`):
		end = g.late
	case !strings.Contains(text, `"early"`):
		chat(w, body, "ok")
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	chatPiece(w, "first")
	for _, gate := range []chan struct{}{g.second, end} {
		select {
		case <-gate:
		case <-r.Context().Done():
			return
		}
		if gate == g.second {
			chatPiece(w, "second")
		}
	}
	chatEnd(w)
}

// follow begins a stream and collects what comes of it.
func (s *server) follow(t *testing.T, prompt string) *lockedBuffer {
	t.Helper()
	text := &lockedBuffer{}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/v2/generate", strings.NewReader(fmt.Sprintf(`{"model":"deepseek-v3","prompt":%q,"stream":true}`, prompt)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(text, resp.Body)
	}()
	t.Cleanup(func() {
		_ = resp.Body.Close()
		<-done
	})
	return text
}

func seen(t *testing.T, stream *lockedBuffer, what string) {
	t.Helper()
	eventuallyWithin(t, time.Minute, what, func() bool { return strings.Contains(stream.String(), what) })
}

// ends waits for a stream's end, which is a generation's or else the error of a database that is away. It returns how many
// tokens that costs.
func ends(t *testing.T, stream *lockedBuffer, well bool) int {
	t.Helper()
	seen(t, stream, "[DONE]")
	all, _, err := events(strings.NewReader(stream.String()))
	if err != nil || len(all) < 2 {
		t.Fatalf("%v: %s", err, stream)
	}
	last := all[len(all)-2]
	switch {
	case well && last["type"] == "generation_end" && last["tokens_used"] == 1.0:
		return 1
	case !well && last["type"] == "error" && last["error"] == "service_unavailable" && last["tokens_spent"] == 0.0:
	default:
		t.Errorf("a stream ended in %v", last)
	}
	return 0
}

// callers make calls of several kinds, one after the other.
type callers struct {
	s    *server
	stop chan struct{}
	wg   sync.WaitGroup

	mu                sync.Mutex
	answered, refused int64         // generations with an answer; calls of any kind without
	slowest           time.Duration // of those that were refused
	faults            []string
}

func startCallers(s *server, n int) *callers {
	c := &callers{s: s, stop: make(chan struct{})}
	for i := range n {
		c.wg.Go(func() {
			for n := i; ; n++ {
				c.call(n % 8)
				select {
				case <-c.stop:
					return
				case <-time.After(5 * time.Millisecond):
				}
			}
		})
	}
	return c
}

func (c *callers) call(kind int) {
	method, path, body := "POST", "/api/v2/generate", any(map[string]any{"model": "deepseek-v3", "prompt": "hi", "stream": kind%2 == 0})
	switch kind {
	case 5:
		method, path, body = "GET", "/api/v2/assistants", nil
	case 6:
		method, path, body = "GET", "/api/v2/balance", nil
	case 7:
		path, body = "/api/v2/assistants", map[string]any{"name": "Bot", "model": "sandbox", "instructions": "x"}
	}
	began := time.Now()
	r, err := c.s.call(method, path, body)
	took := time.Since(began)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		c.faults = append(c.faults, err.Error())
	case r.status == http.StatusOK && kind < 5 && (kind%2 != 0 || endsWell(r.body)):
		c.answered++
	case r.status == http.StatusOK && kind >= 5, r.status == http.StatusCreated && kind == 7:
	case r.status == http.StatusServiceUnavailable && decode(r.body)["error"] == "service_unavailable" && r.header.Get("Retry-After") != "":
		c.refused++
		c.slowest = max(c.slowest, took)
	default:
		c.faults = append(c.faults, fmt.Sprintf("%s %s: %d: %s", method, path, r.status, tail(string(r.body), 300)))
	}
}

// probes are what a load balancer saw.
type probes struct {
	count   int
	slowest time.Duration
}

// whileAway asks for the node's health until then.
func (c *callers) whileAway(t *testing.T, s *server, until time.Time) (p probes) {
	t.Helper()
	for ; time.Now().Before(until); p.count++ {
		s.must(t, 200, "GET", "/healthz", nil)
		began := time.Now()
		s.must(t, 503, "GET", "/readyz", nil)
		p.slowest = max(p.slowest, time.Since(began))
		<-time.After(100 * time.Millisecond)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == 0 {
		t.Error("no call was refused while the database was away")
	}
	return p
}

func (c *callers) end(t *testing.T) {
	t.Helper()
	close(c.stop)
	c.wg.Wait()
	if outage(t) >= settleWait {
		return // some have waited so long for their charge, and were refused
	}
	for _, f := range c.faults[:min(len(c.faults), 10)] {
		t.Error(f)
	}
	const most = 12 * time.Second // 5 s for a batch that is under way, 1 s for a connection, and a busy machine
	if c.slowest > most {
		t.Errorf("a call was refused only after %v", c.slowest)
	}
}
