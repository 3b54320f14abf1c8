//go:build unix

package store_test

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/elumenta/elumenta/store"
)

// What a command of root makes belongs to whom its directory belongs, so that the service can use it.
func TestNewFilesHaveTheDirectorysOwner(t *testing.T) {
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	uid, gid := os.Geteuid(), slices.Max(append(groups, os.Getegid()))
	if uid == 0 {
		uid, gid = 12345, 12346
	}
	for name, serve := range map[string]bool{"a command": false, "a server, as which migrate opens its target": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Chown(dir, uid, gid); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "elumenta.db")
			s, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + path, Serve: serve})
			if err == nil {
				err = s.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			files := []string{path, path + ".lock"}
			if serve {
				files = append(files, path+"-ledger")
			}
			for _, file := range files {
				info, err := os.Stat(file)
				if err != nil {
					t.Fatal(err)
				}
				if made := info.Sys().(*syscall.Stat_t); int(made.Uid) != uid || int(made.Gid) != gid || info.Mode().Perm() != 0o600 {
					t.Errorf("%s is of %d:%d with %v", file, made.Uid, made.Gid, info.Mode())
				}
			}
		})
	}
}
