package store_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// TestRemoval goes through the transactions that remove an assistant: each removes as much as it should, and none anything of another.
func TestRemoval(t *testing.T) {
	for name, c := range map[string]struct {
		versions, length int
		left             []int // after each transaction
	}{
		"Small":         {3, 1 << 20, []int{0}},
		"ManyVersions":  {2500, 10, []int{1500, 500, 0}},
		"Large":         {9, 1 << 20, []int{5, 2, 0}},
		"LargeVersions": {2, 5 << 20, []int{1, 0}}, // larger than any that may be stored
	} {
		t.Run(name, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, url string) {
				s := storetest.OpenWith(t, store.Options{URL: url}) // removes nothing by itself
				owner := storetest.Account(t, s, "pro")
				var made [3]*elumenta.Assistant // the one before and the one behind stay
				for i := range made {
					var err error
					if made[i], _, err = s.CreateAssistant(t.Context(), owner, storetest.Fields("x"), elumenta.Private, nil); err != nil {
						t.Fatal(err)
					}
				}
				db := storetest.Raw(t, url)
				addVersions(t, db, made[1].ID, c.versions, c.length)
				if err := s.DeleteAssistant(t.Context(), owner, made[1].ID, 0); err != nil {
					t.Fatal(err)
				}
				for i, want := range c.left {
					if i > 0 {
						if more, err := s.RemoveSome(t.Context()); err != nil || !more {
							t.Fatalf("transaction %d: %t, %v", i, more, err)
						}
					}
					// A row says that there are more, as long as there are.
					wantNumber(t, db, want, `SELECT count(*) FROM assistant_versions WHERE assistant_id = $1`, string(made[1].ID))
					wantNumber(t, db, min(want, 1), `SELECT count(*) FROM deleted_assistants`)
				}
				if more, err := s.RemoveSome(t.Context()); err != nil || more {
					t.Fatalf("when nothing is left: %t, %v", more, err)
				}
				wantNumber(t, db, 2, `SELECT count(*) FROM assistant_versions`)
			})
		})
	}
}

// addVersions makes the versions up to a number, with instructions so long.
func addVersions(t *testing.T, db *sql.DB, id elumenta.AssistantID, versions, length int) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), `WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < $3)
		INSERT INTO assistant_versions SELECT v.assistant_id, n.i, v.public, v.created_at, v.note, v.name, v.model, v.description, v.category, v.temperature,
			v.max_tokens, v.response_format, v.variables, v.metadata, v.copyable, $2 FROM assistant_versions AS v, n WHERE v.assistant_id = $1`,
		string(id), strings.Repeat("x", length), versions); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `UPDATE assistants SET version = $2, versions = $2 WHERE id = $1`, string(id), versions); err != nil {
		t.Fatal(err)
	}
}

func wantNumber(t *testing.T, db *sql.DB, want int, query string, args ...any) {
	t.Helper()
	var got int
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&got); err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Fatalf("%d instead of %d: %s", got, want, query)
	}
}

// TestRemovalTaken: nodes on Postgres do not wait for each other's transactions.
func TestRemovalTaken(t *testing.T) {
	url := storetest.Postgres(t)
	s, db := storetest.OpenWith(t, store.Options{URL: url}), storetest.Raw(t, url)
	if _, err := db.ExecContext(t.Context(), `INSERT INTO deleted_assistants VALUES ('asst_a'), ('asst_b')`); err != nil {
		t.Fatal(err)
	}
	other, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Rollback() }()
	if _, err := other.ExecContext(t.Context(), `DELETE FROM deleted_assistants WHERE id = 'asst_a'`); err != nil {
		t.Fatal(err)
	}
	if err := s.RemoveDeleted(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantNumber(t, db, 1, `SELECT count(*) FROM deleted_assistants`)
}
