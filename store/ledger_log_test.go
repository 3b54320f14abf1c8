package store_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// openLogged opens a server whose tables have what the ledger did once somebody asks for it.
func openLogged(t testing.TB, url string, now func() time.Time) *store.Store {
	t.Helper()
	options := store.Options{URL: url, Serve: true, Now: now}
	options.LogAll()
	return storetest.OpenWith(t, options)
}

// rows are the rows of what the ledger writes, but for the names of nodes and what followers take.
func rows(t testing.TB, db *sql.DB) (all []string) {
	t.Helper()
	for table, columns := range map[string]string{
		"accounts": "*", "ledger_entries": "*", "keys": "id, spent", "idempotency_keys": "*",
		"generations": `account_id, id, key_id, assistant_id, version, author_id, model, price, budgeted, taken_monthly, taken_topup, taken_period, state, corrected,
			error, finish, prompt_tokens, completion_tokens, cached_tokens, cache_write_tokens, reasoning_tokens, cache_missed, latency_us, first_piece_us,
			idempotency_hash, created_at, settled_at`,
	} {
		found, err := db.QueryContext(t.Context(), "SELECT "+columns+" FROM "+table+" ORDER BY 1, 2")
		if err != nil {
			t.Fatal(err)
		}
		names, err := found.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for found.Next() {
			values := make([]any, len(names))
			for i := range values {
				values[i] = &values[i]
			}
			if err := found.Scan(values...); err != nil {
				t.Fatal(err)
			}
			all = append(all, fmt.Sprint(append([]any{table}, values...)...))
		}
		if err := found.Err(); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(all)
	return all
}

func logged(t testing.TB, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM ledger_log`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// copyFile copies a database as it is on the disk at this moment, as a process that is killed now leaves it.
func copyFile(t testing.TB, url string) (copied string) {
	t.Helper()
	copied = sqliteURL(t)
	from, to := strings.TrimPrefix(url, "sqlite:"), strings.TrimPrefix(copied, "sqlite:")
	for _, end := range []string{"", "-wal"} {
		data, err := os.ReadFile(filepath.Clean(from + end))
		if err == nil {
			err = os.WriteFile(to+end, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return copied
}

// TestLogSameRows: arbitrary operations leave the same rows in the tables, however many of them are in the log at the end, and
// whether the process that logged them applies them or the next one.
func TestLogSameRows(t *testing.T) {
	base := sqliteURL(t)
	now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	seed := openLogged(t, base, clock)
	accounts := []elumenta.Reservation{composed(t, seed, "free", time.Hour), composed(t, seed, "unlimited", time.Hour)}
	key, _, err := seed.CreateKey(t.Context(), accounts[0].Account, elumenta.NewKey{Name: "k", Limits: elumenta.KeyLimits{Budget: new(int64(50))}}, elumenta.NewKeySecret(), nil)
	if err != nil {
		t.Fatal(err)
	}
	budgeted := accounts[0]
	budgeted.Key, budgeted.KeyRevision = key.ID, key.Revision
	accounts = append(accounts, budgeted)
	if err := seed.Close(); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		direct, logs := copyDatabase(t, base), copyDatabase(t, base)
		stores := []*store.Store{storetest.OpenWith(t, store.Options{URL: direct, Serve: true, Now: clock}), openLogged(t, logs, clock)}
		defer func() {
			for _, s := range stores {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		}()
		now = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
		var open []elumenta.Reservation
		for range rapid.IntRange(1, 30).Draw(rt, "operations") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(rt, "later")))
			var results [2]string
			if len(open) > 0 && rapid.Bool().Draw(rt, "settle") {
				r := open[rapid.IntRange(0, len(open)-1).Draw(rt, "which")]
				o := elumenta.Outcome{
					State: rapid.SampledFrom([]elumenta.SettleState{elumenta.Charged, elumenta.GivenBack}).Draw(rt, "state"), Correct: rapid.Bool().Draw(rt, "correct"),
					Finish: elumenta.FinishStop, Usage: elumenta.Usage{PromptTokens: 7, CompletionTokens: 3}, Latency: time.Second,
				}
				for i, s := range stores {
					settled, err := s.Settle(t.Context(), r.Account, r.Generation, o)
					results[i] = fmt.Sprint(settled.State, settled.TokensSpent, err)
				}
			} else {
				r := rapid.SampledFrom(accounts).Draw(rt, "account")
				r.Generation, r.Price = elumenta.NewGenerationID(), rapid.Int64Range(0, 20).Draw(rt, "price")
				if rapid.Bool().Draw(rt, "idempotency key") {
					r.Idempotency = &elumenta.Idempotency{Key: [32]byte{byte(rapid.IntRange(0, 3).Draw(rt, "key"))}}
				}
				for i, s := range stores {
					grant, err := s.Reserve(t.Context(), r)
					results[i] = fmt.Sprint(grant.Rate, err)
					if err == nil && i == 0 {
						open = append(open, r)
					}
				}
			}
			if results[0] != results[1] {
				rt.Fatalf("%s, and with a log %s", results[0], results[1])
			}
			if rapid.IntRange(0, 9).Draw(rt, "read") == 0 {
				storetest.CatchUp(t, stores[1])
			}
		}
		want := rows(t, storetest.Raw(t, direct))
		left := copyFile(t, logs)
		command := storetest.OpenWith(t, store.Options{URL: left, Now: clock}) // gives nothing back, as a server would
		storetest.CatchUp(t, command)
		if n := logged(t, storetest.Raw(t, left)); n > 0 {
			rt.Errorf("%d rows of the log are left", n)
		}
		if diff := cmp.Diff(want, rows(t, storetest.Raw(t, left))); diff != "" {
			rt.Errorf("applied by the next process:\n%s", diff)
		}
		if err := command.Close(); err != nil {
			rt.Error(err)
		}
		storetest.CatchUp(t, stores[1])
		if diff := cmp.Diff(want, rows(t, storetest.Raw(t, logs))); diff != "" {
			rt.Errorf("applied by the process itself:\n%s", diff)
		}
		storetest.Verified(t, stores[1])
	})
}

// copyDatabase copies a database that nobody has open.
func copyDatabase(t testing.TB, url string) string {
	t.Helper()
	copied := sqliteURL(t)
	data, err := os.ReadFile(filepath.Clean(strings.TrimPrefix(url, "sqlite:")))
	if err == nil {
		err = os.WriteFile(strings.TrimPrefix(copied, "sqlite:"), data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return copied
}

// TestLogBesideACommand: a command sees what a server has in its log, and the server goes on after the command has applied it.
func TestLogBesideACommand(t *testing.T) {
	url := sqliteURL(t)
	server := openLogged(t, url, nil)
	command := storetest.OpenWith(t, store.Options{URL: url})
	db := storetest.Raw(t, url)
	r := composed(t, server, "basic", time.Hour)
	left := int64(0)
	for i := range 4 {
		r.Generation = elumenta.NewGenerationID()
		grant, err := server.Reserve(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		left = *grant.Balance
		if logged(t, db) == 0 {
			t.Fatal("nothing is in the log")
		}
		if i%2 == 0 { // between the reservation and its settlement, or after both
			check(t, command, r.Account, left)
		}
		if _, err := server.Settle(t.Context(), r.Account, r.Generation, elumenta.Outcome{State: elumenta.Charged}); err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 {
			check(t, command, r.Account, left)
		}
	}
	if _, _, err := command.Topup(t.Context(), r.Account, elumenta.Topup{Tokens: 100}); err != nil {
		t.Fatal(err)
	}
	check(t, server, r.Account, left+100)
	storetest.Verified(t, server)
}

func check(t *testing.T, s *store.Store, account elumenta.AccountID, want int64) {
	t.Helper()
	a, err := s.Account(t.Context(), account)
	if err != nil || a.Balance.Total() != want {
		t.Errorf("a balance of %v, want %d, %v", a, want, err)
	}
}

// TestLogDamaged: what cannot be read is not passed over.
func TestLogDamaged(t *testing.T) {
	url := sqliteURL(t)
	s := storetest.Open(t, url)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := storetest.Raw(t, url).ExecContext(t.Context(), `INSERT INTO ledger_log (batch) VALUES (x'0107')`); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), store.Options{URL: url, Serve: true}); err == nil || !strings.Contains(fmt.Sprint(err, elumenta.AsError(err).Cause), "log is damaged") {
		t.Errorf("got %v", err)
	}
}

// TestBackupOfLog: a backup has what is in the log, in the tables alone.
func TestBackupOfLog(t *testing.T) {
	url, file := sqliteURL(t), filepath.Join(t.TempDir(), "backup.db")
	server := openLogged(t, url, nil)
	r := composed(t, server, "unlimited", time.Hour) // whose reservations leave no entry
	if _, err := server.Reserve(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	backup(t, url, file)
	data, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(data), string(r.Generation)); n != 1 {
		t.Errorf("the generation stands there %d times", n)
	}
}

// TestBackupOfLogBeforeBatches: a newer program's backup of what a server of an earlier version uses leaves the log to the server that
// is started on it.
func TestBackupOfLogBeforeBatches(t *testing.T) {
	url, file := sqliteURL(t), filepath.Join(t.TempDir(), "backup.db")
	server := openLogged(t, url, nil)
	r := composed(t, server, "free", time.Hour)
	grant, err := server.Reserve(t.Context(), r)
	if err == nil {
		_, err = server.Settle(t.Context(), r.Account, r.Generation, elumenta.Outcome{State: elumenta.Charged})
	}
	if err != nil {
		t.Fatal(err)
	}
	old := copyFile(t, url)
	db := storetest.Raw(t, old)
	for _, text := range []string{
		`DROP VIEW usage_notes`, `DROP TABLE usage_batches`, `UPDATE schema_info SET oldest_binary = 2`, `DELETE FROM goose_db_version WHERE version_id > 2`,
	} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	backup(t, old, file)
	check(t, storetest.Open(t, "sqlite:"+file), r.Account, *grant.Balance)
}
