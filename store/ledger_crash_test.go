package store_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// crashURL, in the environment, makes this test binary the process that is killed.
const crashURL = "ELUMENTA_TEST_CRASH"

// TestCrash kills a process with SIGKILL while it reserves and settles: what it had acknowledged is there afterwards,
// what it left open is given back, balances are the sums of their entries, and usage is what was settled.
func TestCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	for name, fresh := range map[string]func(testing.TB) string{"sqlite": sqliteURL, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := fresh(t)
			db := storetest.Raw(t, url)
			for range 10 {
				acks := crash(t, url, rand.IntN(400))
				if name == "postgres" {
					if _, err := db.ExecContext(t.Context(), `UPDATE nodes SET renewed_at = 0`); err != nil {
						t.Fatal(err)
					}
				}
				s := openNode(t, url, quickly)
				if name == "postgres" {
					await(t, db, 0, `SELECT count(*) FROM generations WHERE state = 0`)
				}
				for id, want := range acks {
					var state int
					if err := db.QueryRowContext(t.Context(), `SELECT state FROM generations WHERE id = $1`, id).Scan(&state); err != nil {
						t.Fatalf("%s was acknowledged: %v", id, err)
					}
					// A settlement may have been committed and not yet acknowledged.
					if state == 0 || want != 0 && state != want {
						t.Fatalf("%s has state %d, acknowledged was %d", id, state, want)
					}
				}
				var wrong int
				if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM accounts WHERE monthly < 0 OR topup < 0
					OR monthly <> (SELECT `+storetest.Available("monthly")+` FROM ledger_entries AS e WHERE e.account_id = accounts.id)
					OR open_generations <> (SELECT count(*) FROM generations AS g WHERE g.account_id = accounts.id AND g.state = 0)`).Scan(&wrong); err != nil || wrong != 0 {
					t.Fatalf("%d balances are wrong, %v", wrong, err)
				}
				if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM accounts AS a WHERE
					(SELECT count(*) FROM generations AS g WHERE g.account_id = a.id AND g.state <> 0) <>
					(SELECT coalesce(sum(requests), 0) FROM usage_daily AS u WHERE u.account_id = a.id AND u.dimension = 'model') +
					(SELECT count(*) FROM usage_notes AS p WHERE p.account_id = a.id)
					OR (SELECT coalesce(sum(price), 0) FROM generations AS g WHERE g.account_id = a.id AND g.state = 1) <>
					(SELECT coalesce(sum(tokens_spent), 0) FROM usage_daily AS u WHERE u.account_id = a.id AND u.dimension = 'key') +
					(SELECT coalesce(sum(price), 0) FROM usage_notes AS p JOIN generations AS g ON g.account_id = p.account_id AND g.id = p.generation_id
						WHERE p.account_id = a.id AND g.state = 1)`).Scan(&wrong); err != nil || wrong != 0 {
					t.Fatalf("the usage of %d accounts is wrong, %v", wrong, err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// crash runs a process until it has acknowledged so many operations, kills it, and returns the last state that it
// acknowledged of each generation.
func crash(t *testing.T, url string, after int) map[string]int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashVictim$")
	cmd.Env = append(os.Environ(), crashURL+"="+url)
	var failed bytes.Buffer
	cmd.Stderr = &failed
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acks := map[string]int{}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if n == after {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		var id string
		var state int
		if _, err := fmt.Sscanf(lines.Text(), "%s %d", &id, &state); err == nil && strings.HasPrefix(id, "gen_") {
			acks[id] = max(acks[id], state)
		}
	}
	if err := cmd.Wait(); err == nil || len(acks) == 0 {
		t.Fatalf("the process ended by itself, %d acknowledged: %s", len(acks), failed.String())
	}
	return acks
}

// TestCrashVictim is not a test: it is what TestCrash kills.
func TestCrashVictim(t *testing.T) {
	url := os.Getenv(crashURL)
	if url == "" {
		return
	}
	s, err := store.Open(context.Background(), store.Options{URL: url, Serve: true, Plans: elumenta.Plans{{Name: "big", OnceTokens: 1 << 40}}})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	acknowledge := func(id elumenta.GenerationID, state elumenta.SettleState) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = io.WriteString(os.Stdout, fmt.Sprintf("%s %d\n", id, state))
	}
	var running sync.WaitGroup
	for i := range 16 {
		r := composed(t, s, "big", time.Hour)
		running.Go(func() {
			for n := 0; ; n++ {
				r.Generation = elumenta.NewGenerationID()
				if _, err := s.Reserve(context.Background(), r); err != nil {
					t.Error(err)
					return
				}
				acknowledge(r.Generation, 0)
				if n%4 == 3 {
					continue // left open
				}
				state := elumenta.SettleState(1 + (n+i)%2)
				if _, err := s.Settle(context.Background(), r.Account, r.Generation, elumenta.Outcome{State: state}); err != nil {
					t.Error(errors.Join(err, elumenta.AsError(err).Cause))
					return
				}
				acknowledge(r.Generation, state)
				if i == 0 {
					_ = s.FollowUsage(context.Background()) // the server's own follower may have been faster
				}
			}
		})
	}
	running.Wait()
}
