package e2e_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store/storetest"
)

// ended is how a command ended: its exit code, and what it said to both outputs.
func ended(t *testing.T, wrap []string, args ...string) (code int, said string) {
	t.Helper()
	args = append(append([]string{}, wrap...), append([]string{binary}, args...)...)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := cmd.CombinedOutput()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.ExitCode(), string(out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0, string(out)
}

func wantEnded(t *testing.T, code int, want string, wrap []string, args ...string) {
	t.Helper()
	if got, said := ended(t, wrap, args...); got != code || !strings.Contains(said, want) || strings.Contains(said, "goroutine ") {
		t.Errorf("%v ended with %d, want %d and %q: %s", args, got, code, want, said)
	}
}

// installed is what has to be the same wherever it is served from.
type installed struct {
	key, assistant string
	balance        any
}

const creation = `{"name": "Bot", "model": "sandbox", "instructions": "remember me"}`

func (in *installed) check(t *testing.T, database string) *server {
	t.Helper()
	s := start(t, startOptions{database: database, key: in.key})
	if got := s.must(t, http.StatusOK, "GET", "/api/v2/assistants/"+in.assistant, nil).json(t)["instructions"]; got != "remember me" {
		t.Errorf("%s: the assistant says %v", database, got)
	}
	if got := s.must(t, http.StatusOK, "GET", "/api/v2/balance", nil).json(t)["token_balance"]; got != in.balance {
		t.Errorf("%s: the balance is %v, want %v", database, got, in.balance)
	}
	// What is kept of an Idempotency-Key was made with the installation's secret.
	if got := s.must(t, http.StatusCreated, "POST", "/api/v2/assistants", creation, "Idempotency-Key", "once").json(t)["id"]; got != in.assistant {
		t.Errorf("%s: a repeated creation made %v", database, got)
	}
	return s
}

// TestMove backs an installation up while it runs, restores it, and moves it to Postgres and back, killed in the middle. Keys,
// assistants, balances and Idempotency-Keys are the same everywhere.
func TestMove(t *testing.T) {
	dir := t.TempDir()
	home := "sqlite:" + filepath.Join(dir, "elumenta.db")
	stop(t, start(t, startOptions{database: home})) // which makes it
	account := cli(t, home, "accounts", "create", "--name", "Ada", "--plan", "pro")
	in := installed{key: cli(t, home, "keys", "create", "--account", account, "--name", "k")}
	s := start(t, startOptions{database: home, key: in.key})
	in.assistant = fmt.Sprint(s.must(t, http.StatusCreated, "POST", "/api/v2/assistants", creation, "Idempotency-Key", "once").json(t)["id"])
	for range 20 {
		s.must(t, http.StatusOK, "POST", "/api/v2/generate", map[string]any{"assistant_id": in.assistant, "prompt": "Hello"})
	}
	in.balance = s.must(t, http.StatusOK, "GET", "/api/v2/balance", nil).json(t)["token_balance"]

	file := filepath.Join(dir, "backup.db")
	wantEnded(t, 0, "one assistant, 20 generations", nil, "backup", file, "--database", home)
	wantEnded(t, 1, "another elumenta serve", nil, "restore", file, "--database", home, "--force")
	s.must(t, http.StatusOK, "POST", "/api/v2/generate", map[string]any{"assistant_id": in.assistant, "prompt": "after the backup"})
	stop(t, s)
	wantEnded(t, 1, "give --force", nil, "restore", file, "--database", home)
	wantEnded(t, 0, "ok: everything adds up", nil, "restore", file, "--database", home, "--force")
	stop(t, in.check(t, home))

	pg := storetest.Postgres(t)
	wantEnded(t, 2, "pg_dump --format=custom", nil, "backup", filepath.Join(dir, "x.db"), "--database", pg)
	wantEnded(t, 2, "give --yes", nil, "migrate", "--from", home, "--to", pg)
	killMove(t, home, pg)
	refused := launch(t, startOptions{database: pg})
	<-refused.done
	if log := refused.log.String(); refused.err == nil || !strings.Contains(log, "run the same elumenta migrate again") {
		t.Errorf("half a database is served: %v, %s", refused.err, log)
	}
	wantEnded(t, 0, "begun by an earlier run", nil, "migrate", "--from", home, "--to", pg, "--yes")
	wantEnded(t, 1, "is not empty", nil, "migrate", "--from", home, "--to", pg, "--yes")

	s = in.check(t, pg)
	back := "sqlite:" + filepath.Join(dir, "back.db")
	wantEnded(t, 1, "is served by 1 of its nodes", nil, "migrate", "--from", pg, "--to", back, "--yes")
	stop(t, s)
	wantEnded(t, 0, "serve the target alone", nil, "migrate", "--from", pg, "--to", back, "--yes")
	stop(t, in.check(t, back))
	for _, database := range []string{home, pg, back} {
		wantEnded(t, 0, "ok: everything adds up", nil, "ledger", "verify", "--database", database)
	}
}

// killMove begins to move and kills the process when some tables are there: a lock keeps it from the journal's.
func killMove(t *testing.T, from, to string) {
	t.Helper()
	cli(t, to, "accounts", "list") // makes the tables
	db := storetest.Raw(t, to)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(t.Context(), `LOCK TABLE ledger_entries IN EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "migrate", "--from", from, "--to", to, "--yes")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waiting := awaitWaiter(t, db)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("it was not killed: %v, %s", err, &said)
	}
	var generations, entries int
	if err := db.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM generations), (SELECT count(*) FROM ledger_entries)`).Scan(&generations, &entries); err != nil || generations != 20 || entries != 0 {
		t.Errorf("killed with %d generations and %d entries, %v", generations, entries, err)
	}
	// Postgres notices only with the lock that nobody is there any more.
	if _, err := db.ExecContext(t.Context(), `SELECT pg_terminate_backend($1)`, waiting); err != nil {
		t.Fatal(err)
	}
}

// awaitWaiter waits until a connection waits for a lock.
func awaitWaiter(t *testing.T, db *sql.DB) (pid int) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := db.QueryRowContext(t.Context(), `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&pid)
		if err == nil {
			return pid
		}
		if !errors.Is(err, sql.ErrNoRows) {
			t.Fatal(err)
		}
		<-ticker.C
	}
}

// TestMoveFullDisk: on a full disk all three say so and leave nothing behind, and the database that they read is as it was.
func TestMoveFullDisk(t *testing.T) {
	dir := t.TempDir()
	home, file := "sqlite:"+filepath.Join(dir, "elumenta.db"), filepath.Join(dir, "backup.db")
	s := start(t, startOptions{database: home, key: elumenta.NewKeySecret().Reveal()})
	for range 20 {
		s.createAssistant(t, "sandbox", strings.Repeat("x", 100_000))
	}
	stop(t, s)
	cli(t, home, "backup", file)
	before, err := os.ReadFile(filepath.Join(dir, "elumenta.db"))
	if err != nil {
		t.Fatal(err)
	}
	small := t.TempDir()
	// The file system is gone with the process, so that the shell says what is left.
	const mount = `mount -t tmpfs -o size=1m none "$0" && { "$@"; code=$?; echo "left: $(ls -A "$0" | grep -v '\.lock$' | tr '\n' ' ')."; exit $code; }`
	full := []string{"unshare", "--mount", "--map-root-user", "sh", "-c", mount, small}
	for _, args := range [][]string{
		{"backup", filepath.Join(small, "b.db"), "--database", home},
		{"restore", file, "--database", "sqlite:" + filepath.Join(small, "e.db")},
		{"migrate", "--from", home, "--to", "sqlite:" + filepath.Join(small, "e.db"), "--yes"},
	} {
		wantEnded(t, 1, "the disk is full", full, args...)
		if _, said := ended(t, full, args...); args[0] != "migrate" && !strings.Contains(said, "left: .") {
			t.Errorf("%s: %s", args[0], said)
		}
	}
	if after, err := os.ReadFile(filepath.Join(dir, "elumenta.db")); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the database was changed (%v)", err)
	}
}
