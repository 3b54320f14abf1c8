package e2e_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Our own clients, generated from the OpenAPI document, work against the program: their tests stand with them.
func TestOwnClients(t *testing.T) {
	for name, c := range map[string]struct {
		dir     string
		command []string
	}{
		"go": {"../client", []string{"go", "test", "-count=1", "."}},
	} {
		t.Run(name, func(t *testing.T) {
			readAll(t, c.dir)
			s := start(t, startOptions{})
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, c.command[0], c.command[1:]...)
			cmd.Dir = c.dir
			cmd.Env = append(os.Environ(), "GOWORK=off", "BASE_URL="+s.url, "API_KEY="+s.key)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v:\n%s", err, out)
			}
		})
	}
}

// readAll tells the go command what the test depends on: what another process reads it does not see, and a cached result would stand.
func readAll(t *testing.T, dir string) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		_, err = os.ReadFile(path)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
