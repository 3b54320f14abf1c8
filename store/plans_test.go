package store_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/elumenta/elumenta/store/storetest"
)

// scans finds a table that is read from end to end. The partial indexes hold what is listed, open or uncounted, and
// nothing else: to read those is the purpose.
var scans = regexp.MustCompile(`SCAN (\S+)(?: USING (?:COVERING )?INDEX (\S+))?`)

// TestPlans reads the plan of every statement that the suite's work prepared: each finds its rows by an index.
func TestPlans(t *testing.T) {
	url := storetest.SQLite(t)
	s := storetest.Open(t, url)
	storetest.Work(t, s)
	db := storetest.Raw(t, url)
	checked := 0
	for _, text := range s.Statements() {
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
			switch m[2] {
			case "assistants_listed", "assistants_category", "generations_open", "generations_uncounted":
				continue
			}
			switch m[1] {
			case "schema_info", "(subquery-1)", "uncounted":
				continue
			}
			if strings.Contains(text, "EXISTS (SELECT 1 FROM accounts)") {
				continue // stops at the first row
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
	s := storetest.Open(t, storetest.SQLite(t))
	storetest.Work(t, s)
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
	for i, text := range s.Statements() {
		n := parameters(text)
		first, _, _ := strings.Cut(text, " ")
		if strings.Contains(text, "?") || n == 0 || first != "SELECT" && first != "UPDATE" && first != "DELETE" {
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
