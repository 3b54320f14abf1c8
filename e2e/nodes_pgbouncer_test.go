package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/elumenta/elumenta/store/storetest"
)

// Everything works through a pooler that gives each transaction another session: three nodes that start at once on an
// empty database, the commands, and many calls at once over fewer sessions than nodes have connections.
func TestPgBouncer(t *testing.T) {
	t.Parallel()
	direct := storetest.Postgres(t)
	database := pgbouncer(t, direct, 4)
	u := newUpstream(t)
	nodes := startAll(t, 3, startOptions{database: database, env: u.env()})
	account, key := newCaller(t, database, "elite")
	cli(t, database, "accounts", "topup", account, "100")
	cli(t, database, "accounts", "list")
	id := nodes[0].createAssistant(t, "deepseek-v3", "Be brief.", map[string]any{"description": "d", "category": "education", "visibility": "marketplace"})
	const workers, calls = 12, 10
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range calls {
				s := nodes[(w+i)%len(nodes)]
				if err := s.as(key).generateOnce(id, i%2 == 0); err != nil {
					t.Errorf("worker %d, call %d: %v", w, i, err)
				}
				if err := s.rewrite(w, i); err != nil {
					t.Errorf("worker %d, write %d: %v", w, i, err)
				}
			}
		})
	}
	wg.Wait()
	paid := nodes[1].as(key)
	if got, want := paid.must(t, 200, "GET", "/api/v2/balance", nil).json(t)["token_balance"], 3100.0-workers*calls; got != want {
		t.Errorf("balance %v, want %v", got, want)
	}
	eventually(t, "usage has every call", func() bool {
		total := paid.must(t, 200, "GET", "/api/v2/usage", nil).json(t)["total"].(map[string]any)
		return total["tokens_spent"] == float64(workers*calls)
	})
	paid.must(t, 200, "GET", "/api/v2/assistants/marketplace", nil)
	if n := openGenerations(t, direct); n != 0 {
		t.Errorf("%d generations are open", n)
	}
	for i, s := range nodes {
		if log := s.log.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "level=WARN") {
			t.Errorf("node %d complains:\n%s", i, tail(log, 4000))
		}
	}
}

// generateOnce makes a call, which has to be answered to its end.
func (s *server) generateOnce(assistant string, stream bool) error {
	body := generateWith(assistant)
	body["stream"] = stream
	r, err := s.call("POST", "/api/v2/generate", body)
	switch {
	case err != nil:
		return err
	case r.status != http.StatusOK:
		return fmt.Errorf("status %d: %s", r.status, tail(string(r.body), 500))
	case stream && !endsWell(r.body):
		return fmt.Errorf("a stream that does not end well: %s", tail(string(r.body), 500))
	}
	return nil
}

// rewrite makes an assistant, edits it, reads it and removes it.
func (s *server) rewrite(worker, round int) error {
	r, err := s.call("POST", "/api/v2/assistants", map[string]any{"name": "Bot", "model": "sandbox", "instructions": fmt.Sprint(worker, round)})
	if err != nil || r.status != http.StatusCreated {
		return fmt.Errorf("create: %v, %+v", err, r)
	}
	path := "/api/v2/assistants/" + fmt.Sprint(decode(r.body)["id"])
	for _, step := range []struct {
		method string
		body   any
		status int
	}{{"PUT", map[string]any{"name": "Renamed"}, 200}, {"GET", nil, 200}, {"DELETE", nil, 204}, {"GET", nil, 404}} {
		if r, err := s.call(step.method, path, step.body); err != nil || r.status != step.status {
			return fmt.Errorf("%s: %v, %+v", step.method, err, r)
		}
	}
	return nil
}
