package migrations_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/elumenta/elumenta/store/migrations"
)

// A migration that waited for a table for long would stop the nodes that serve, which queue behind it.
func TestLockTimeout(t *testing.T) {
	files := migrations.Postgres()
	names, err := fs.Glob(files, "*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		_, up, _ := strings.Cut(string(text), "-- +goose Up\n")
		if !strings.HasPrefix(up, "SET LOCAL lock_timeout = ") {
			t.Errorf("%s does not start with SET LOCAL lock_timeout", name)
		}
		_, locked, _ := strings.Cut(up, "ALTER TABLE")
		for _, long := range []string{"\nUPDATE ", "\nINSERT ", "\nDELETE ", "\nCREATE INDEX "} {
			if strings.Contains(locked, long) {
				t.Errorf("%s has %sbehind what locks a table in use", name, strings.TrimLeft(long, "\n"))
			}
		}
	}
}

// Both engines have the same migrations.
func TestParallel(t *testing.T) {
	lists := [2][]string{}
	for i, files := range []fs.FS{migrations.SQLite(), migrations.Postgres()} {
		var err error
		if lists[i], err = fs.Glob(files, "*.sql"); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Join(lists[0], " ") != strings.Join(lists[1], " ") {
		t.Errorf("SQLite has %v, Postgres %v", lists[0], lists[1])
	}
}
