package store_test

import (
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// refused opens a database that cannot be opened: the error says what to do, and no password.
func refused(t *testing.T, o store.Options, advice string) {
	t.Helper()
	s, err := store.Open(t.Context(), o)
	if err == nil {
		t.Fatal(s.Close(), "opened")
	}
	if !strings.Contains(err.Error(), advice) {
		t.Errorf("the error %q does not say %q", err, advice)
	}
	if strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the error has the password: %q", err)
	}
}

func TestOpenRefused(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ url, advice string }{
		"nothing":             {"", "sqlite:PATH or postgres://"},
		"unknown scheme":      {"mysql://root:s3cret@localhost/x", "sqlite:PATH or postgres://"},
		"a path alone":        {"elumenta.db", "sqlite:PATH or postgres://"},
		"no path":             {"sqlite:", "must name a file"},
		"in memory":           {"sqlite::memory:", "must name a file"},
		"not a database":      {"sqlite:" + garbage, "not a SQLite database"},
		"a directory":         {"sqlite:" + dir, "name a file in it"},
		"no directory":        {"sqlite:" + dir + "/none/a.db", "does not exist"},
		"below a file":        {"sqlite:" + garbage + "/a.db", "open the database"},
		"bad Postgres URL":    {"postgres://u:s3cret@[::1/x", "malformed"},
		"bad port":            {"postgres://u:s3cret@localhost:port/x", "malformed"},
		"unreachable":         {"postgres://u:s3cret@127.0.0.1:1/x", "cannot be reached"},
		"no such socket":      {"postgres://u:s3cret@/x?host=" + url.QueryEscape(dir), "cannot be reached"},
		"unencoded password":  {"postgres://u:s3cret%zz@localhost/x", "malformed"},
		"an unknown TLS mode": {"postgres://u:s3cret@localhost/x?sslmode=perhaps", "malformed"},
	} {
		for _, serve := range []bool{false, true} {
			t.Run(name, func(t *testing.T) { refused(t, store.Options{URL: c.url, Serve: serve}, c.advice) })
		}
	}
}

func TestOneServer(t *testing.T) {
	url := storetest.SQLite(t)
	s, err := store.Open(t.Context(), store.Options{URL: url, Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	refused(t, store.Options{URL: url, Serve: true}, "another elumenta serve")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	storetest.Open(t, url)
	info, err := os.Stat(strings.TrimPrefix(url, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file may be read by others: %v", info.Mode())
	}
}

func TestOpenPostgresRefused(t *testing.T) {
	u, err := url.Parse(storetest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	wrong := *u
	wrong.User = url.UserPassword("nobody", "s3cret")
	refused(t, store.Options{URL: wrong.String()}, "refuses the login")
	missing := *u
	missing.Path = "/no_such_database"
	refused(t, store.Options{URL: missing.String()}, "create it")
}

// TestMigrationAgain: a migration that lost against a transaction of a running node is begun again. A trigger stands for the deadlock.
func TestMigrationAgain(t *testing.T) {
	t.Parallel() // it waits for the second attempt
	url := storetest.Postgres(t)
	s, err := store.Open(t.Context(), store.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db := storetest.Raw(t, url)
	for _, text := range []string{
		`DROP TABLE deleted_assistants`, `DELETE FROM goose_db_version WHERE version_id = 8`, `CREATE SEQUENCE attempts`,
		`CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF nextval('attempts') = 1 THEN RAISE deadlock_detected; END IF;
			RETURN NEW;
		END $$`,
		`CREATE TRIGGER lose BEFORE INSERT ON goose_db_version FOR EACH ROW EXECUTE FUNCTION lose()`,
	} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	if s, err = store.Open(t.Context(), store.Options{URL: url}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wantNumber(t, db, 1, `SELECT count(*) FROM pg_tables WHERE tablename = 'deleted_assistants'`)
	wantNumber(t, db, 2, `SELECT last_value FROM attempts`)
}
