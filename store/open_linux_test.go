package store_test

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/elumenta/elumenta/store"
)

// TestOpenUnwritable opens files as a user who may not write them: as root this thread becomes another for the file
// system (setfsuid(2)), since root may write everything.
func TestOpenUnwritable(t *testing.T) {
	dir := t.TempDir()
	readOnly, locked := filepath.Join(dir, "a.db"), filepath.Join(dir, "locked")
	if err := os.WriteFile(readOnly, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(locked, 0o500); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		runtime.LockOSThread() // and never unlocked: the thread ends with this test
		t.Cleanup(func() { _ = syscall.Setfsuid(0) })
		if err := syscall.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
	}
	for _, serve := range []bool{false, true} {
		refused(t, store.Options{URL: "sqlite:" + readOnly, Serve: serve}, "may not write")
		refused(t, store.Options{URL: "sqlite:" + locked + "/b.db", Serve: serve}, "may not write")
	}
}
