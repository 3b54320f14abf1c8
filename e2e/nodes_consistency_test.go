package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elumenta/elumenta/store/storetest"
)

// rounds is how often a test repeats what it does. CI has little time: ELUMENTA_E2E_ROUNDS sets it for a test that is run alone.
func rounds(t *testing.T, otherwise int) int {
	t.Helper()
	text := os.Getenv("ELUMENTA_E2E_ROUNDS")
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("ELUMENTA_E2E_ROUNDS is %q", text)
	}
	return n
}

// twoNodes are the two sides of a change: it is made on one, and counts on the other.
type twoNodes struct {
	a, b     *server
	other    *server // b, called by another account
	database string
}

// What was acknowledged on one node counts for the first request that starts on another, whatever that one has cached,
// while both are under load.
func TestChangesCountOnEveryNode(t *testing.T) {
	database := storetest.Postgres(t)
	config := configFile(t, "[[plans]]", `name = "pro"`, "per_hour = 1_000_000", "per_day = 1_000_000",
		"[[models]]", `slug = "for-pro"`, `provider = "sandbox"`, `min_plan = "pro"`, "token_cost = 0", "context_window = 1000")
	nodes := startAll(t, 2, startOptions{database: database, args: []string{"--config", config}})
	_, key := newCaller(t, database, "unlimited")
	n := &twoNodes{nodes[0], nodes[1], nodes[1].as(key), database}
	id := n.a.createAssistant(t, "sandbox", "load")
	stop := make(chan struct{})
	began := time.Now()
	waits := []func() map[int]int{load(n.a, 250, generateWith(id), stop), load(n.b, 250, generateWith(id), stop)}
	t.Run("changes", func(t *testing.T) { // returns when all have ended
		for name, change := range map[string]func(t *testing.T, round int){
			"edit": n.edits(), "revoke": n.revokes, "unpublish": n.unpublishes(), "delete": n.deletes, "plan": n.plans(), "suspend": n.suspends(), "label": n.labels(),
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for i := range rounds(t, 100) {
					change(t, i)
				}
			})
		}
	})
	close(stop)
	answers := 0
	for _, wait := range waits {
		statuses := wait()
		answers += statuses[http.StatusOK]
		if len(statuses) != 1 {
			t.Errorf("answers of the load by status: %v", statuses)
		}
	}
	t.Logf("%d rounds of each change; beside them %.0f generations a second", rounds(t, 100), float64(answers)/time.Since(began).Seconds())
}

func generateWith(assistant string) map[string]any {
	return map[string]any{"assistant_id": assistant, "prompt": "hi"}
}

// fresh makes a new assistant once in a while, since one has at most 1,000 versions.
func (n *twoNodes) fresh(t *testing.T, round int, id *string) {
	t.Helper()
	if round%200 == 0 {
		*id = n.a.createAssistant(t, "sandbox", "version 1", map[string]any{"description": "d", "category": "education"})
	}
}

// edits renames an assistant: the sandbox says its name.
func (n *twoNodes) edits() func(*testing.T, int) {
	var id string
	return func(t *testing.T, round int) {
		n.fresh(t, round, &id)
		name := fmt.Sprintf("Name %d", round)
		n.a.must(t, 200, "PUT", "/api/v2/assistants/"+id, map[string]any{"name": name})
		if text := n.b.must(t, 200, "POST", "/api/v2/generate", generateWith(id)).json(t)["content"].(string); !strings.Contains(text, name) {
			t.Fatalf("round %d: the other node answers with %q", round, text)
		}
	}
}

// labels moves a label between two versions.
func (n *twoNodes) labels() func(*testing.T, int) {
	var id string
	return func(t *testing.T, round int) {
		if round == 0 {
			id = n.a.createAssistant(t, "sandbox", "version 1")
			n.a.must(t, 200, "PUT", "/api/v2/assistants/"+id, map[string]any{"name": "Another"})
		}
		version := float64(1 + round%2)
		n.a.must(t, 200, "PUT", "/api/v2/assistants/"+id+"/labels/production", map[string]any{"version": version})
		if got := n.b.must(t, 200, "POST", "/api/v2/generate", generateWith(id+"@production")).json(t)["assistant_version"]; got != version {
			t.Fatalf("round %d: the other node answers with version %v, not %v", round, got, version)
		}
	}
}

func (n *twoNodes) revokes(t *testing.T, _ int) {
	key := n.a.must(t, 201, "POST", "/api/v2/keys", map[string]any{"name": "short-lived"}).json(t)
	b := n.b.as(key["key"].(string))
	body := map[string]any{"model": "sandbox", "prompt": "hi"}
	b.must(t, 200, "POST", "/api/v2/generate", body)
	n.a.must(t, 204, "DELETE", "/api/v2/keys/"+key["id"].(string), nil)
	b.must(t, 401, "POST", "/api/v2/generate", body)
}

func (n *twoNodes) unpublishes() func(*testing.T, int) {
	var id string
	return func(t *testing.T, round int) {
		n.fresh(t, round, &id)
		n.a.must(t, 200, "PUT", "/api/v2/assistants/"+id, map[string]any{"visibility": "marketplace"})
		n.other.must(t, 200, "POST", "/api/v2/generate", generateWith(id))
		n.a.must(t, 200, "PUT", "/api/v2/assistants/"+id, map[string]any{"visibility": "private"})
		n.other.must(t, 404, "POST", "/api/v2/generate", generateWith(id))
	}
}

func (n *twoNodes) deletes(t *testing.T, _ int) {
	id := n.a.createAssistant(t, "sandbox", "short-lived")
	n.b.must(t, 200, "POST", "/api/v2/generate", generateWith(id))
	n.a.must(t, 204, "DELETE", "/api/v2/assistants/"+id, nil)
	n.b.must(t, 404, "POST", "/api/v2/generate", generateWith(id))
}

// plans moves an account between plans of which only one has the model.
func (n *twoNodes) plans() func(*testing.T, int) {
	var account, key string
	return func(t *testing.T, round int) {
		if round == 0 {
			account, key = newCaller(t, n.database, "basic")
		}
		for _, c := range []struct {
			plan   string
			status int
		}{{"pro", 200}, {"basic", 403}} {
			n.a.must(t, 200, "PUT", "/api/v2/admin/accounts/"+account+"/plan", map[string]any{"plan": c.plan})
			n.b.as(key).must(t, c.status, "POST", "/api/v2/generate", map[string]any{"model": "for-pro", "prompt": "hi"})
		}
	}
}

func (n *twoNodes) suspends() func(*testing.T, int) {
	var account, key string
	return func(t *testing.T, round int) {
		if round == 0 {
			account, key = newCaller(t, n.database, "unlimited")
		}
		for _, c := range []struct {
			verb   string
			status int
		}{{"suspend", 403}, {"resume", 200}} {
			n.a.must(t, 200, "POST", "/api/v2/admin/accounts/"+account+"/"+c.verb, map[string]any{"reason": "test"})
			n.b.as(key).must(t, c.status, "POST", "/api/v2/generate", map[string]any{"model": "sandbox", "prompt": "hi"})
		}
	}
}

// Rate limits hold for all nodes together, and outlast them.
func TestRateLimitsAcrossNodes(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	options := startOptions{database: database}
	nodes := startAll(t, 2, options)
	for hour := currentHour(); ; hour = currentHour() {
		_, key := newCaller(t, database, "free") // 20 an hour
		granted := callBoth(t, nodes, key, 60)
		for i := range nodes {
			stop(t, nodes[i])
			nodes[i] = start(t, options)
		}
		granted += callBoth(t, nodes, key, 4)
		if currentHour() != hour {
			continue // another hour began meanwhile
		}
		if granted != 20 {
			t.Errorf("%d of 64 calls were granted, on a plan with 20 an hour", granted)
		}
		return
	}
}

func currentHour() time.Time { return time.Now().Truncate(time.Hour) }

// callBoth makes calls on the nodes in turn, all at once, and counts those that were not limited.
func callBoth(t *testing.T, nodes []*server, key string, calls int) (granted int) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			r, err := nodes[i%len(nodes)].as(key).call("POST", "/api/v2/generate", map[string]any{"model": "sandbox", "prompt": "hi"})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil || r.status != http.StatusOK && r.status != http.StatusTooManyRequests:
				t.Errorf("call %d: %v, %+v", i, err, r)
			case r.status == http.StatusOK:
				granted++
			}
		})
	}
	wg.Wait()
	return granted
}
