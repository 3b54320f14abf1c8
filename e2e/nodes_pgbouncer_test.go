package e2e_test

import (
	"fmt"
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
	r, err := s.want(200, "POST", "/api/v2/generate", body)
	if err == nil && stream && !endsWell(r.body) {
		err = fmt.Errorf("a stream that does not end well: %s", tail(string(r.body), 500))
	}
	return err
}

// want makes a request that has to end with this status.
func (s *server) want(status int, method, path string, body any) (*response, error) {
	r, err := s.call(method, path, body)
	if err == nil && r.status != status {
		err = fmt.Errorf("%s %s: status %d, want %d: %s", method, path, r.status, status, tail(string(r.body), 500))
	}
	return r, err
}

// rewrite makes an assistant, edits it, reads it and removes it.
func (s *server) rewrite(worker, round int) error {
	const path = "/api/v2/assistants"
	r, err := s.want(201, "POST", path, map[string]any{"name": "Bot", "model": "sandbox", "instructions": fmt.Sprint(worker, round)})
	if err != nil {
		return err
	}
	one := path + "/" + fmt.Sprint(decode(r.body)["id"])
	_, err = s.want(200, "PUT", one, map[string]any{"name": "Renamed"})
	for _, step := range []struct {
		method string
		status int
	}{{"GET", 200}, {"DELETE", 204}, {"GET", 404}} {
		if err == nil {
			_, err = s.want(step.status, step.method, one, nil)
		}
	}
	return err
}
