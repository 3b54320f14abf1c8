//go:build unix

package store_test

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// TestRestoreKeepsTheOwner: the service can use what root restored, and the files that opening it makes. Any user may give files to groups
// of its own, root to others, too.
func TestRestoreKeepsTheOwner(t *testing.T) {
	type owner struct{ uid, gid int }
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	mine := owner{os.Geteuid(), os.Getegid()}
	ofDirectory, ofFile := owner{mine.uid, slices.Max(append(groups, mine.gid))}, mine
	if mine.uid == 0 {
		ofDirectory, ofFile = owner{12345, 12346}, owner{12347, 12348}
	}
	chown := func(name string, to owner) {
		t.Helper()
		if err := os.Chown(name, to.uid, to.gid); err != nil {
			t.Fatal(err)
		}
	}
	url := sqliteURL(t)
	if err := storetest.Open(t, url).Close(); err != nil {
		t.Fatal(err)
	}
	dir, copied := t.TempDir(), filepath.Join(t.TempDir(), "copy.db")
	backup(t, url, copied)
	chown(dir, ofDirectory)
	path := filepath.Join(dir, "elumenta.db")
	link := filepath.Join(t.TempDir(), "link.db")
	for _, c := range []struct {
		name, target string
		replaced     *owner
		want         owner
	}{
		{"nothing there", path, nil, ofDirectory},
		{"replaced", path, &ofFile, ofFile},
		{"behind a link", link, &ofDirectory, ofDirectory},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.target == link {
				if err := os.Symlink(path, link); err != nil {
					t.Fatal(err)
				}
			}
			if c.replaced != nil {
				chown(path, *c.replaced)
			}
			if _, err := store.Restore(t.Context(), copied, "sqlite:"+c.target, true, nil); err != nil {
				t.Fatal(err)
			}
			server := storetest.Open(t, "sqlite:"+path) // which makes the log
			names := []string{path, c.target + ".lock"}
			if mine.uid == 0 {
				names = append(names, path+"-wal", path+"-shm") // SQLite sees to them
			}
			for _, name := range names {
				info, err := os.Lstat(name)
				if err != nil {
					t.Fatal(err)
				}
				made := info.Sys().(*syscall.Stat_t)
				if got := (owner{int(made.Uid), int(made.Gid)}); got != c.want || info.Mode().Perm() != 0o600 {
					t.Errorf("%s is of %v with %v, want %v", name, got, info.Mode(), c.want)
				}
			}
			if err := server.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
