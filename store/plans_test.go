package store_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// scans finds a table, or an index, that is read from end to end.
var scans = regexp.MustCompile(`SCAN (\S+)(?: USING (?:COVERING )?INDEX (\S+))?`)

// prepared returns the statements that the suite's work prepared on SQLite, and those of the background work.
func prepared(t *testing.T) (url string, texts []string) {
	t.Helper()
	url = storetest.SQLite(t)
	s := storetest.OpenWith(t, store.Options{URL: url, KeepRecords: 24 * time.Hour, AssistantStorage: 1 << 19}) // which the largest assistant alone does not show to be enough
	server := storetest.Open(t, storetest.SQLite(t))
	storetest.Work(t, s)
	storetest.Work(t, server)
	if _, err := storetest.Raw(t, url).ExecContext(t.Context(), `INSERT INTO deleted_assistants VALUES ('asst_gone')`); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.RemoveDeleted(t.Context()), s.FollowUsage(t.Context()), s.FollowListings(t.Context()), s.Rank(t.Context()), s.Retire(t.Context())); err != nil {
		t.Fatal(err)
	}
	texts = slices.Concat(s.Statements(), server.Statements())
	slices.Sort(texts)
	return url, slices.Compact(texts)
}

// TestPlans reads the plan of every statement: each finds its rows by an index.
func TestPlans(t *testing.T) {
	url, texts := prepared(t)
	db := storetest.Raw(t, url)
	checked := 0
	for _, text := range texts {
		if !strings.Contains(text, " ") || strings.HasPrefix(text, "PRAGMA") || strings.HasPrefix(text, "SAVEPOINT") ||
			strings.HasPrefix(text, "RELEASE") || strings.HasPrefix(text, "ROLLBACK") || strings.HasPrefix(text, "BEGIN") {
			continue
		}
		rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text, make([]any, parameters(text))...)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		checked++
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			m := scans.FindStringSubmatch(detail)
			if m == nil || strings.HasPrefix(detail, "SCAN CONSTANT") || strings.Contains(detail, "VALUES") || m[1] == "v" && m[2] == "" {
				continue
			}
			switch m[1] {
			case "schema_info", "p", "n", "usage_batches", "search_pending": // p and n are usage_pending, usage_batches or search_pending: what waits for a follower
				continue
			case "ledger_log", "ledger_applied": // all of it is wanted, or it has one row
				continue
			case "deleted_assistants": // mostly none, of which one is wanted
				continue
			case "rankings": // by its key, and stops at the first row
				continue
			case "assistant_callers", "c": // a ranking counts them all
				continue
			}
			if strings.Contains(text, "EXISTS (SELECT 1 FROM accounts WHERE id <> $1)") || strings.Contains(text, "open_generations > 0") {
				continue // stops at the first row, or runs once a start
			}
			t.Errorf("%s\n%s", detail, text)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if checked < 40 {
		t.Errorf("only %d statements were checked", checked)
	}
}

// TestPostgresPlans does the same on Postgres with the statements that both engines share.
func TestPostgresPlans(t *testing.T) {
	_, texts := prepared(t)
	url := storetest.Postgres(t)
	storetest.Work(t, storetest.Open(t, url))
	conn, err := storetest.Raw(t, url).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	for _, set := range []string{`SET enable_seqscan = off`, `SET plan_cache_mode = force_generic_plan`} {
		if _, err := conn.ExecContext(t.Context(), set); err != nil {
			t.Fatal(err)
		}
	}
	checked := 0
	for i, text := range texts {
		n := parameters(text)
		first, _, _ := strings.Cut(text, " ")
		if strings.Contains(text, "?") || strings.Contains(text, "usage_batches") || strings.Contains(text, "ledger_applied") || n == 0 || first != "SELECT" && first != "UPDATE" && first != "DELETE" {
			continue
		}
		name := fmt.Sprint("s", i)
		if _, err := conn.ExecContext(t.Context(), "PREPARE "+name+" AS "+text); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		rows, err := conn.QueryContext(t.Context(), fmt.Sprintf("EXPLAIN EXECUTE %s(%s)", name, strings.TrimSuffix(strings.Repeat("NULL,", n), ",")))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		checked++
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(line, "Seq Scan") {
				t.Errorf("%s\n%s", line, text)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if checked < 25 {
		t.Errorf("only %d statements were checked", checked)
	}
}

var parameter = regexp.MustCompile(`\$\d+`)

// parameters counts a statement's parameters.
func parameters(text string) int {
	seen := map[string]bool{}
	for _, p := range parameter.FindAllString(text, -1) {
		seen[p] = true
	}
	return len(seen) + strings.Count(text, "?")
}
