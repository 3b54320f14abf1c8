package e2e_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/elumenta/elumenta/store/storetest"
)

// engines are the databases that a test runs against; each call makes a fresh one.
func engines(t *testing.T) map[string]func(*testing.T) string {
	t.Helper()
	return map[string]func(*testing.T) string{
		"SQLite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "elumenta.db") },
		"Postgres": func(t *testing.T) string { return storetest.Postgres(t) },
	}
}

// acknowledged is what clients were told before a kill.
type acknowledged struct {
	mu         sync.Mutex
	assistants map[string]string // id to instructions of the newest acknowledged version
	versions   map[string]int
	keys       map[string]string // id to key
	charges    int64             // answers seen to their end by the paying account
	begun      atomic.Int64      // calls that the paying account began
}

// Kill -9 under load: nothing acknowledged is lost, nothing is half there, every charge is right.
func TestKill(t *testing.T) {
	t.Parallel()
	kills := rounds(t, 50)
	for name, database := range engines(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // that of Postgres ends with a wait for leases
			testKill(t, database(t), kills)
		})
	}
}

func testKill(t *testing.T, database string, kills int) {
	u := newUpstream(t)
	options := startOptions{database: database, env: u.env(), addr: freeAddr(t)}
	s := start(t, options)
	options.key = s.key
	account := cli(t, database, "accounts", "create", "--name", "payer", "--plan", "elite")
	cli(t, database, "accounts", "topup", account, "1000000")
	payer := cli(t, database, "keys", "create", "--account", account, "--name", "k")
	const tokens = 1_003_000
	ack := &acknowledged{assistants: map[string]string{}, versions: map[string]int{}, keys: map[string]string{}}
	var slowest time.Duration
	for i := range kills {
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() { ack.work(s, payer, w, stop) })
		}
		pause := time.NewTimer(time.Duration(50+rand.IntN(250)) * time.Millisecond)
		<-pause.C
		s.kill()
		close(stop)
		wg.Wait()
		began := time.Now()
		s = start(t, options)
		slowest = max(slowest, time.Since(began))
		ack.verify(t, s, payer, database, tokens)
		if t.Failed() {
			t.Fatalf("after kill %d", i+1)
		}
	}
	if strings.HasPrefix(database, "postgres") && !testing.Short() { // what the killed left open is given back by their leases
		eventuallyWithin(t, 2*time.Minute, "every reservation is settled or given back", func() bool { return openGenerations(t, database) == 0 })
		ack.verify(t, s, payer, database, tokens)
	}
	t.Logf("%d kills: %d assistants, %d keys and %d charges acknowledged of %d begun; slowest start to ready %v",
		kills, len(ack.assistants), len(ack.keys), ack.charges, ack.begun.Load(), slowest)
}

// openGenerations counts the reservations, of one token each, that no one has settled or given back.
func openGenerations(t *testing.T, database string) (n int64) {
	t.Helper()
	db := openDatabase(t, database)
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM generations WHERE state = 0`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// work makes calls until the program is gone.
func (a *acknowledged) work(s *server, payer string, worker int, stop <-chan struct{}) {
	var mine string
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		text := fmt.Sprintf("worker %d, text %d", worker, n)
		var err error
		switch {
		case worker < 5:
			err = a.generate(s, payer, n%2 == 0)
		case worker == 5:
			err = a.createKey(s)
		case mine == "" || n%4 == 0:
			mine, err = a.create(s, text)
		default:
			err = a.update(s, mine, text)
		}
		if err != nil {
			return
		}
	}
}

func (a *acknowledged) generate(s *server, payer string, stream bool) error {
	a.begun.Add(1)
	r, err := s.call("POST", "/api/v2/generate", map[string]any{"model": "deepseek-v3", "prompt": "hi", "stream": stream}, "Authorization", "Bearer "+payer)
	if err != nil {
		return err
	}
	if r.status != http.StatusOK || stream && !endsWell(r.body) {
		return fmt.Errorf("status %d", r.status)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.charges++
	return nil
}

func (a *acknowledged) createKey(s *server) error {
	r, err := s.call("POST", "/api/v2/keys", map[string]any{"name": "k"})
	if err != nil || r.status == http.StatusUnprocessableEntity { // 100 keys are the most
		return err
	}
	v := decode(r.body)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys[fmt.Sprint(v["id"])] = fmt.Sprint(v["key"])
	return nil
}

func (a *acknowledged) create(s *server, text string) (string, error) {
	r, err := s.call("POST", "/api/v2/assistants", map[string]any{"name": "Bot", "model": "sandbox", "instructions": text})
	if err != nil || r.status != http.StatusCreated {
		return "", fmt.Errorf("%w: not created", err)
	}
	id := fmt.Sprint(decode(r.body)["id"])
	a.mu.Lock()
	defer a.mu.Unlock()
	a.assistants[id], a.versions[id] = text, 1
	return id, nil
}

func (a *acknowledged) update(s *server, id, text string) error {
	r, err := s.call("PUT", "/api/v2/assistants/"+id, map[string]any{"instructions": text})
	if err != nil || r.status != http.StatusOK {
		return fmt.Errorf("%w: not updated", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.assistants[id], a.versions[id] = text, a.versions[id]+1
	return nil
}

// verify compares what the program says after its restart with what was acknowledged before.
func (a *acknowledged) verify(t *testing.T, s *server, payer, database string, tokens int64) {
	t.Helper()
	ids := slices.Collect(maps.Keys(a.assistants))
	if len(ids) > 200 {
		rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
		ids = ids[:200]
	}
	for _, id := range ids {
		v := s.must(t, 200, "GET", "/api/v2/assistants/"+id, nil).json(t)
		version := int(v["version"].(float64))
		switch {
		case version == a.versions[id] && v["instructions"] == a.assistants[id]:
		case version == a.versions[id]+1: // was written, and its answer lost with the process
			a.versions[id], a.assistants[id] = version, v["instructions"].(string)
		default:
			t.Errorf("%s: version %d with %q, acknowledged was %d with %q", id, version, v["instructions"], a.versions[id], a.assistants[id])
		}
		versions := s.must(t, 200, "GET", "/api/v2/assistants/"+id+"/versions?limit=100", nil).json(t)["items"].([]any)
		if len(versions) != min(version, 100) {
			t.Errorf("%s: %d versions listed of %d", id, len(versions), version)
		}
	}
	for id, key := range a.keys {
		if r, err := s.call("GET", "/api/v2/user/me", nil, "Authorization", "Bearer "+key); err != nil || r.status != http.StatusOK {
			t.Errorf("the key %s does not work: %v", id, err)
		}
	}
	var spent int64
	// On Postgres what a killed node left open is given back by its lease, at any moment.
	eventually(t, "what was spent, is reserved and is left makes what was granted", func() bool {
		open := openGenerations(t, database)
		balance := s.must(t, 200, "GET", "/api/v2/balance", nil, "Authorization", "Bearer "+payer).json(t)["token_balance"].(float64)
		total := s.must(t, 200, "GET", "/api/v2/usage", nil, "Authorization", "Bearer "+payer).json(t)["total"].(map[string]any)
		spent = int64(total["tokens_spent"].(float64))
		return spent+open+int64(balance) == tokens
	})
	if spent < a.charges || spent > a.begun.Load() {
		t.Errorf("%d charged, %d answers were seen to their end, %d calls begun", spent, a.charges, a.begun.Load())
	}
}
