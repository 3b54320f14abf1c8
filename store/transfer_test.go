package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
	"github.com/google/go-cmp/cmp"
)

// directions are every pair of engines that a transfer has to work between.
func directions(t *testing.T, test func(t *testing.T, from, to func(testing.TB) string)) {
	engines := map[string]func(testing.TB) string{"sqlite": sqliteURL, "postgres": storetest.Postgres}
	for _, pair := range [][2]string{{"sqlite", "postgres"}, {"postgres", "sqlite"}} {
		t.Run(pair[0]+" to "+pair[1], func(t *testing.T) {
			t.Parallel()
			test(t, engines[pair[0]], engines[pair[1]])
		})
	}
}

// TestTransferTables: every table that the migrations make is moved with all its columns, or is known not to be.
func TestTransferTables(t *testing.T) {
	moved, left, err := store.TransferTables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		url             func(testing.TB) string
		tables, columns string
	}{
		"sqlite": {sqliteURL, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'`,
			`SELECT name, pk FROM pragma_table_info($1)`},
		"postgres": {storetest.Postgres, `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`,
			`SELECT c.column_name, coalesce(k.ordinal_position, 0) FROM information_schema.columns AS c
			LEFT JOIN information_schema.key_column_usage AS k ON k.table_name = c.table_name AND k.table_schema = c.table_schema AND k.column_name = c.column_name
			WHERE c.table_name = $1 AND c.table_schema = current_schema()`},
	} {
		url := c.url(t)
		storetest.Open(t, url)
		db := storetest.Raw(t, url)
		for _, table := range column(t, db, c.tables) {
			if slices.Contains(left, table) {
				continue
			}
			got := map[string]int{}
			rows, err := db.QueryContext(t.Context(), c.columns, table)
			if err != nil {
				t.Fatal(err)
			}
			for rows.Next() {
				var column string
				var place int
				if err := rows.Scan(&column, &place); err != nil {
					t.Fatal(err)
				}
				got[column] = place
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(moved[table], got); d != "" {
				t.Errorf("%s: the table %s is not moved as it is: %s", name, table, d)
			}
		}
		if name != "postgres" {
			continue
		}
		// Rows are read in the order of their keys, which has to be that of SQLite.
		if other := column(t, db, `SELECT c.table_name || '.' || c.column_name FROM information_schema.columns AS c
			JOIN information_schema.key_column_usage AS k ON k.table_name = c.table_name AND k.table_schema = c.table_schema AND k.column_name = c.column_name
			WHERE c.table_schema = current_schema() AND c.data_type = 'text' AND c.collation_name IS DISTINCT FROM 'C' AND c.table_name <> 'migration_lock'`); len(other) > 0 {
			t.Errorf("keys that are not ordered by their bytes: %v", other)
		}
	}
}

func column(t *testing.T, db *sql.DB, query string) (list []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// installation is a database with some of everything, a key, an account and a reservation that nobody settled.
type installation struct {
	url     string
	secret  elumenta.InstallationSecret
	key     elumenta.KeySecret
	account elumenta.AccountID
}

func install(t *testing.T, url string) installation {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: url, Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	storetest.Work(t, s)
	in := installation{url: url, secret: s.InstallationSecret(), key: elumenta.NewKeySecret()}
	r := composed(t, s, "basic", time.Hour)
	in.account = r.Account
	if _, _, err := s.CreateKey(t.Context(), r.Account, elumenta.NewKey{Name: "travels"}, in.key, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reserve(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.CreateAssistant(t.Context(), r.Account, storetest.Fields("Жанна 日本 \U0001F980"), elumenta.Marketplace, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := storetest.Raw(t, url).ExecContext(t.Context(), `INSERT INTO assistant_callers SELECT id, 'acct_x', 1000000 FROM assistants`); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.FollowListings(t.Context()), s.Rank(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db := storetest.Raw(t, url)
	// Many rows in little time, with keys in an order that collations disagree on, and empty and missing values.
	if _, err := db.ExecContext(t.Context(), `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO usage_daily (account_id, dimension, day, value,
		requests, failures, tokens_spent, prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens, cache_hits, latency)
		SELECT '`+string(r.Account)+`', CASE i % 3 WHEN 0 THEN 'a_b' WHEN 1 THEN 'Ab' ELSE 'ä' END, i, 'v', i, 0, i * 4, 9007199254740993 + i, 0, 0, -i, 0, $1 FROM n`, []byte{}); err != nil {
		t.Fatal(err)
	}
	// A server was killed before it had removed all of a deleted assistant.
	if _, err := db.ExecContext(t.Context(), `INSERT INTO deleted_assistants VALUES ('asst_gone')`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `UPDATE assistant_versions SET temperature = 0.1, max_tokens = NULL WHERE version = 1`); err != nil {
		t.Fatal(err)
	}
	return in
}

func move(t *testing.T, from, to string) *store.TransferReport {
	t.Helper()
	report, err := store.Transfer{From: from, To: to}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// check opens a database as a server and looks whether everything that was installed works.
func (in installation) check(t *testing.T, url string) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: url, Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if s.InstallationSecret() != in.secret {
		t.Error("the installation's secret is another")
	}
	caller, err := s.Authenticate(t.Context(), in.key.Hash())
	if err != nil || caller.Account.ID != in.account {
		t.Errorf("the key is not known: %v", err)
	}
	wantBalance(t, s, in.account, 300) // what was reserved is back
	if page, _, err := s.Assistants(t.Context(), in.account, elumenta.ListQuery{Limit: 10}); err != nil || len(page) != 1 || page[0].Name != "Жанна 日本 \U0001F980" {
		t.Errorf("%+v, %v", page, err)
	}
	if page, _, err := s.Listings(t.Context(), elumenta.ListingQuery{Text: "жанна 日本 \U0001F980", Limit: 10}); err != nil || len(page) != 1 {
		t.Errorf("search finds %+v, %v", page, err)
	}
	if _, _, err := s.CreateKey(t.Context(), in.account, elumenta.NewKey{Name: "later"}, elumenta.NewKeySecret(), nil); err != nil {
		t.Error(err)
	}
}

// TestTransferRoundTrip: what goes to the other engine and back is what it was.
func TestTransferRoundTrip(t *testing.T) {
	directions(t, func(t *testing.T, from, to func(testing.TB) string) {
		in := install(t, from(t))
		middle, end := to(t), from(t)
		there := move(t, in.url, middle)
		back := move(t, middle, end)
		if d := cmp.Diff(there.Tables, back.Tables); d != "" || there.Resumed || back.Resumed {
			t.Errorf("the round trip made a difference: %s", d)
		}
		for _, table := range there.Tables {
			if table.Rows == 0 && !slices.Contains(mayBeEmpty, table.Name) {
				t.Errorf("nothing was moved of %s", table.Name)
			}
		}
		in.check(t, middle)
		in.check(t, end)
		in.check(t, in.url)
	})
}

// mayBeEmpty are tables whose rows another part of the server takes away. usage_pending has a note of what was given back.
var mayBeEmpty = []string{"search_pending"}

// TestTransferResumes stops transfers after every few pages: the target is of no use to anybody until one ends, which
// goes on where the one before stopped.
func TestTransferResumes(t *testing.T) {
	directions(t, func(t *testing.T, from, to func(testing.TB) string) {
		in := install(t, from(t))
		whole := move(t, in.url, to(t))
		target := to(t)
		runs, compared := 0, false
		var report *store.TransferReport
		for ; report == nil; runs++ {
			ctx, cancel := context.WithCancel(t.Context())
			pages, most := 0, 1+rand.IntN(6)
			var err error
			report, err = store.Transfer{From: in.url, To: target, Progress: func(p store.TransferProgress) {
				if p.Phase == store.Copying && p.Rows > p.Earlier {
					pages++
				}
				if pages == most || p.Phase != store.Copying && !compared {
					cancel()
				}
				compared = compared || p.Phase != store.Copying
			}}.Run(ctx)
			cancel()
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if err == nil {
				break
			}
			if runs < 2 {
				for _, serve := range []bool{true, false} {
					refused(t, store.Options{URL: target, Serve: serve}, "run the same elumenta migrate again")
				}
			}
		}
		if runs < 2 || !report.Resumed {
			t.Errorf("ended at once, after %d runs", runs)
		}
		if d := cmp.Diff(whole.Tables, report.Tables); d != "" {
			t.Errorf("the interruptions made a difference: %s", d)
		}
		in.check(t, target)
	})
}

// TestTransferRefused: what cannot be moved is refused, with a reason, and nothing is changed.
func TestTransferRefused(t *testing.T) {
	t.Parallel()
	in, other := install(t, sqliteURL(t)), install(t, sqliteURL(t))
	pg := storetest.Postgres(t)
	full := storetest.Postgres(t)
	move(t, other.url, full)
	half := storetest.Postgres(t)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := (store.Transfer{From: other.url, To: half, Progress: func(store.TransferProgress) { cancel() }}).Run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := "sqlite:" + filepath.Join(dir, "missing.db")
	newer := sqliteURL(t)
	made, err := store.Open(t.Context(), store.Options{URL: newer})
	if err == nil {
		err = made.Close() // nobody may be at work on it: a server makes rankings
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := storetest.Raw(t, newer).ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`); err != nil {
		t.Fatal(err)
	}
	all := []string{in.url, other.url, full, half, pg, newer}
	before := fingerprints(t, all...)
	for name, c := range map[string]struct{ from, to, want string }{
		"no source":             {missing, pg, "holds nothing"},
		"empty source":          {pg, missing, "holds nothing"},
		"not a database":        {"sqlite:" + text, pg, "not a SQLite database"},
		"into no database":      {in.url, "sqlite:" + text, "not a SQLite database"},
		"half a source":         {half, missing, "run the same elumenta migrate again"},
		"newer schema":          {newer, pg, "too old"},
		"unknown scheme":        {in.url, "mysql://root:s3cret@localhost/x", "sqlite:PATH or postgres://"},
		"unreachable":           {in.url, "postgres://u:s3cret@127.0.0.1:1/x", "cannot be reached"},
		"target not empty":      {in.url, full, "not empty: its table accounts"},
		"file not empty":        {in.url, other.url, "not empty: its table accounts"},
		"itself":                {in.url, in.url, "not empty: its table accounts"},
		"target of another one": {in.url, half, "another database was being moved"},
	} {
		_, err := store.Transfer{From: c.from, To: c.to}.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error is %v, want %q", name, err, c.want)
		}
	}
	if d := cmp.Diff(before, fingerprints(t, all...)); d != "" {
		t.Errorf("something was changed: %s", d)
	}
	if _, err := os.Stat(filepath.Join(dir, "missing.db")); err == nil {
		t.Error("a file was made")
	}
}

// fingerprints tell whether a database was changed: its tables, and their rows.
func fingerprints(t *testing.T, urls ...string) (all []string) {
	t.Helper()
	for _, url := range urls {
		db := storetest.Raw(t, url)
		tables := `SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`
		if strings.HasPrefix(url, "postgres") {
			tables = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY table_name`
		}
		for _, table := range column(t, db, tables) {
			var rows int
			if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM `+table).Scan(&rows); err != nil {
				t.Fatal(err)
			}
			all = append(all, fmt.Sprintf("%s %s %d", url, table, rows))
		}
	}
	return all
}

// TestTransferOfServed: a database that is served, or written, is not moved; what is written to a target meanwhile shows.
func TestTransferOfServed(t *testing.T) {
	t.Parallel()
	in := install(t, sqliteURL(t))
	pg := storetest.Postgres(t)
	server := openNode(t, in.url, time.Hour)
	if _, err := (store.Transfer{From: in.url, To: pg}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "another elumenta serve") {
		t.Errorf("moved from beneath a server: %v", err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	move(t, in.url, pg)
	node := openNode(t, pg, time.Hour)
	if _, err := (store.Transfer{From: pg, To: sqliteURL(t)}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "1 of its nodes") {
		t.Errorf("moved from beneath a node: %v", err)
	}
	if err := node.Close(); err != nil {
		t.Fatal(err)
	}
	target := sqliteURL(t)
	tamper := storetest.Raw(t, target)
	changed := false
	_, err := store.Transfer{From: pg, To: target, Progress: func(p store.TransferProgress) {
		if p.Table == "keys" && !changed {
			_, err := tamper.ExecContext(t.Context(), `UPDATE accounts SET topup = topup + 1`)
			changed = err == nil
		}
		if p.Table == "keys" {
			// Who wants to write to the source has to wait.
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if _, err := storetest.Raw(t, pg).ExecContext(ctx, `UPDATE accounts SET topup = topup + 1`); err == nil {
				t.Error("the source was changed meanwhile")
			}
		}
	}}.Run(t.Context())
	if !changed || err == nil || !strings.Contains(err.Error(), "differ, in accounts (") {
		t.Errorf("tampered %t: %v", changed, err)
	}
	refused(t, store.Options{URL: target, Serve: true}, "not all of it is there")
}
