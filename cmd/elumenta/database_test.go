package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A mistyped or relative path is no empty database with which all is well.
func TestCommandsMakeNoDatabase(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "typo.db")
	for _, args := range []string{
		"ledger verify", "audit verify", "audit list", "accounts list", "reports list", "accounts create --name x", "keys list --prefix nb_12345",
		"migrate --yes --to sqlite:" + filepath.Join(t.TempDir(), "to.db") + " --from sqlite:" + path,
	} {
		r := invoke(t, []string{"ELUMENTA_DATABASE=sqlite:" + path}, "", strings.Fields(args)...)
		if r.code != exitFailed || !strings.Contains(r.err, "there is no database "+path) || r.out != "" {
			t.Errorf("%s: %+v", args, r)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("they leave %v, %v", left, err)
	}
	cmd := programCommand(t, nil, "accounts", "list")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "there is no database "+filepath.Join(cmd.Dir, "elumenta.db")) {
		t.Errorf("the default's path: %v: %s", err, out)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := invoke(t, []string{"ELUMENTA_DATABASE=sqlite:" + path}, "", "ledger", "verify"); r.code != exitFailed || !strings.Contains(r.err, "there is no database "+path) {
		t.Errorf("an empty file: %+v", r)
	}
}
