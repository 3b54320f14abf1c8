package e2e_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta/store/storetest"
)

// later is a migration of a version to come: it takes its time, then changes a table that every call uses.
const later = `-- +goose Up
SET LOCAL lock_timeout = '1s';
CREATE TABLE later (id BIGINT PRIMARY KEY);
SELECT pg_sleep(1);
ALTER TABLE accounts ADD COLUMN later BIGINT NOT NULL DEFAULT 0;
`

// buildLater builds the program with one migration more.
func buildLater(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	migration, overlay, program := filepath.Join(dir, "later.sql"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "elumenta")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, "store/migrations/postgres/99999_later.sql"): migration}})
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string][]byte{migration: []byte(later), overlay: replace} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-overlay", overlay, "-o", program, "../cmd/elumenta")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the program with an overlay: %v\n%s", err, out)
	}
	return program
}

// A node of the version before serves while newer ones migrate: one that is killed in the middle, others that take over, and
// somebody who does not let go of a table. Afterwards both versions serve, and the older one can be started again.
func TestRollingUpgrade(t *testing.T) {
	t.Parallel()
	newer := buildLater(t)
	database := storetest.Postgres(t)
	u := newUpstream(t)
	options := startOptions{database: database, env: u.env()}
	old := start(t, options)
	options.key = old.key
	id := old.createAssistant(t, "deepseek-v3", "Be brief.")
	tr := startTraffic(old, id, 3, 1, 20*time.Millisecond)
	db := openDatabase(t, database)
	defer func() { _ = db.Close() }()
	count := func(query string) (n int) {
		if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}

	options.binary = newer
	first := launch(t, options)
	eventuallyWithin(t, time.Minute, "the first newer node migrates", func() bool {
		return count(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(1)%' AND pid <> pg_backend_pid()`) > 0
	})
	first.kill()
	reader, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.ExecContext(t.Context(), `SELECT 1 FROM accounts LIMIT 1`); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	others := []*server{launch(t, options), launch(t, options)}
	eventuallyWithin(t, time.Minute, "a migration gives up waiting for the table", func() bool {
		return strings.Contains(others[0].log.String()+others[1].log.String(), "trying again")
	})
	took := time.Since(killed)
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	for i, s := range others {
		if err := s.ready(time.Minute); err != nil {
			t.Fatalf("newer node %d: %v", i, err)
		}
		if err := s.generateOnce(id, i == 0); err != nil {
			t.Errorf("newer node %d: %v", i, err)
		}
	}
	tr.end(t)
	if n := count(`SELECT count(*) FROM goose_db_version WHERE version_id = 99999`); n != 1 {
		t.Errorf("the migration was made %d times", n)
	}
	stop(t, old)
	options.binary = ""
	if err := start(t, options).generateOnce(id, true); err != nil {
		t.Errorf("the older version, started on the newer schema: %v", err)
	}
	newCaller(t, database, "free")
	t.Logf("the lock of the node that was killed was taken over, and the table waited for in vain, after %v", took)
}
