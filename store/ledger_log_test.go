package store_test

import (
	"database/sql"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
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

// logged returns what a database's log has and its tables do not.
func logged(t testing.TB, url string) (batches [][]byte) {
	t.Helper()
	all, err := store.Logged(strings.TrimPrefix(url, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	var applied int64
	if err := storetest.Raw(t, url).QueryRowContext(t.Context(), `SELECT seq FROM ledger_applied`).Scan(&applied); err != nil {
		t.Fatal(err)
	}
	for _, seq := range slices.Sorted(maps.Keys(all)) {
		if seq > applied {
			batches = append(batches, all[seq])
		}
	}
	return batches
}

// copyFile copies a database as it is on the disk at this moment, as a process that is killed now leaves it.
func copyFile(t testing.TB, url string) (copied string) {
	t.Helper()
	copied = sqliteURL(t)
	from, to := strings.TrimPrefix(url, "sqlite:"), strings.TrimPrefix(copied, "sqlite:")
	for _, end := range []string{"", "-wal", "-ledger"} {
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

// checks sets how many sequences rapid makes for the rest of a test that runs alone, unless the command says how many.
func checks(t *testing.T, n int) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	if f.Value.String() != f.DefValue {
		return
	}
	if err := f.Value.Set(strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Value.Set(f.DefValue) })
}

// TestLogSameRows: arbitrary operations leave the same rows in the tables, however many of them are in the log at the end, and
// whether the process that logged them applies them or the next one.
func TestLogSameRows(t *testing.T) {
	base := sqliteURL(t)
	noon := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	var clock storetest.Clock
	clock.Set(noon)
	seed := openLogged(t, base, clock.Now)
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
	checks(t, 30) // each opens three databases
	rapid.Check(t, func(rt *rapid.T) {
		direct, logs := copyDatabase(t, base), copyDatabase(t, base)
		stores := []*store.Store{storetest.OpenWith(t, store.Options{URL: direct, Now: clock.Now}), openLogged(t, logs, clock.Now)}
		defer func() {
			for _, s := range stores {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		}()
		clock.Set(noon)
		var open []elumenta.Reservation
		for range rapid.IntRange(1, 30).Draw(rt, "operations") {
			clock.Set(clock.Now().Add(time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(rt, "later"))))
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
		command := storetest.OpenWith(t, store.Options{URL: left, Now: clock.Now}) // gives nothing back, as a server would
		storetest.CatchUp(t, command)
		if n := len(logged(t, left)); n > 0 {
			rt.Errorf("%d batches of the log are left", n)
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
	r := composed(t, server, "basic", time.Hour)
	left := int64(0)
	for i := range 4 {
		r.Generation = elumenta.NewGenerationID() // after a command, the first is no matter of the log
		if _, err := server.Reserve(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Settle(t.Context(), r.Account, r.Generation, elumenta.Outcome{State: elumenta.GivenBack}); err != nil {
			t.Fatal(err)
		}
		r.Generation = elumenta.NewGenerationID()
		grant, err := server.Reserve(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		left = *grant.Balance
		if len(logged(t, url)) == 0 {
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

// TestLogNotWritten: what cannot be logged is in a transaction, and where nobody knows whether it was, the server ends.
func TestLogNotWritten(t *testing.T) {
	options := store.Options{URL: sqliteURL(t), Serve: true}
	options.LogAll()
	failed := 0
	options.OnDiskFailed = func() { failed++ }
	s, err := store.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err == nil {
			t.Error("all was written at the end")
		}
	}()
	r := composed(t, s, "basic", time.Hour)
	reserve := func() error {
		r.Generation = elumenta.NewGenerationID()
		_, err := s.Reserve(t.Context(), r)
		return err
	}
	for _, c := range []struct {
		cause        error
		unsure, ends bool
	}{
		{syscall.EIO, false, false},
		{syscall.ENOSPC, true, false}, // what was there stands
		{syscall.EIO, true, true},
	} {
		if err := reserve(); err != nil { // from now on they are logged
			t.Fatal(err)
		}
		if err := s.BreakLog(t.Context(), c.cause, c.unsure); err != nil {
			t.Fatal(err)
		}
		if err := reserve(); c.ends != elumenta.HasCode(err, elumenta.CodeUnavailable) || c.ends != (err != nil) || c.ends != (failed == 1) {
			t.Fatalf("%+v: %v, told %d times", c, err, failed)
		}
	}
	if err := reserve(); !elumenta.HasCode(err, elumenta.CodeUnavailable) || failed != 1 {
		t.Errorf("it goes on: %v, told %d times", err, failed)
	}
}

// TestLogMissing: a database whose log is gone is not used without it, unless somebody says so; one whose server ended well needs none.
func TestLogMissing(t *testing.T) {
	url := sqliteURL(t)
	server := openLogged(t, url, nil)
	r := composed(t, server, "free", time.Hour)
	if _, err := server.Reserve(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	killed := copyFile(t, url)
	log := strings.TrimPrefix(killed, "sqlite:") + "-ledger"
	if err := os.Remove(log); err != nil {
		t.Fatal(err)
	}
	if s, err := store.Open(t.Context(), store.Options{URL: killed, Serve: true}); err == nil || !strings.Contains(err.Error(), "an empty file of that name") {
		t.Fatalf("a server was opened: %v, %v", s, err)
	}
	command := storetest.OpenWith(t, store.Options{URL: killed})
	if _, err := command.Account(t.Context(), r.Account); !elumenta.HasCode(err, elumenta.CodeUnavailable) {
		t.Errorf("a command read a balance: %v", err)
	}
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	check(t, storetest.Open(t, killed), r.Account, 50)

	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(strings.TrimPrefix(url, "sqlite:") + "-ledger"); err != nil {
		t.Fatal(err)
	}
	check(t, storetest.Open(t, url), r.Account, 50) // what was open is given back
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
	check(t, storetest.Open(t, "sqlite:"+file), r.Account, 0) // which needs no log
}

// from the same number.
func TestLogBesideACopy(t *testing.T) {
	url, file := sqliteURL(t), filepath.Join(t.TempDir(), "backup.db")
	seed := openLogged(t, url, nil)
	r := composed(t, seed, "free", time.Hour)
	if err := seed.Close(); err != nil {
		t.Fatal(err)
	}
	backup(t, url, file)
	restored := []string{sqliteURL(t), sqliteURL(t)}
	for _, to := range restored {
		if _, err := store.Restore(t.Context(), file, to, false, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, pair := range [][2]string{{url, "sqlite:" + file}, {restored[0], restored[1]}} {
		var killed [2]string
		for i, url := range pair {
			server := openLogged(t, url, nil)
			for range 3 - i {
				r.Generation = elumenta.NewGenerationID()
				if _, err := server.Reserve(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			killed[i] = strings.TrimPrefix(copyFile(t, url), "sqlite:")
		}
		if err := os.Rename(killed[0]+"-ledger", killed[1]+"-ledger"); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + killed[1], Serve: true}); err == nil || !strings.Contains(err.Error(), "another database") {
			t.Errorf("a server took it: %v", err)
		}
	}
}

// TestLogOfAnEarlierVersion: what a server of a version before the file left in a table is left there by a backup, and applied by the server
// that is started on it.
func TestLogOfAnEarlierVersion(t *testing.T) {
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
	for _, batch := range logged(t, old) {
		if _, err := db.ExecContext(t.Context(), `INSERT INTO ledger_log (batch) VALUES ($1)`, batch); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{
		`DROP INDEX assistants_bytes`, `ALTER TABLE assistants DROP COLUMN bytes`, `DROP TABLE deleted_assistants`, `DROP TABLE ledger_applied`,
		`UPDATE schema_info SET oldest_binary = 3`, `DELETE FROM goose_db_version WHERE version_id > 3`,
	} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(strings.TrimPrefix(old, "sqlite:") + "-ledger"); err != nil {
		t.Fatal(err)
	}
	backup(t, old, file)
	for _, url := range []string{old, "sqlite:" + file} {
		check(t, storetest.Open(t, url), r.Account, *grant.Balance)
	}
}
