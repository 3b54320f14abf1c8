package e2e_test

import (
	"path/filepath"
	"testing"
)

// TestOpenFullDisk: whoever opens a database on a disk without any room is told so, whatever SQLite calls it.
func TestOpenFullDisk(t *testing.T) {
	home := filepath.Join(t.TempDir(), "elumenta.db")
	stop(t, start(t, startOptions{database: "sqlite:" + home}))
	small := t.TempDir()
	const mount = `mount -t tmpfs -o size=4m none "$0" && cp "$1" "$0/e.db" && { dd if=/dev/zero of="$0/fill" bs=4k 2>/dev/null; shift; "$@"; }`
	full := []string{"unshare", "--mount", "--map-root-user", "sh", "-c", mount, small, home}
	database := "sqlite:" + filepath.Join(small, "e.db")
	wantEnded(t, 1, "the disk is full: make room", full, "accounts", "list", "--database", database)
	wantEnded(t, 1, "the disk is full: make room", full, "serve", "--addr", freeAddr(t), "--database", database)
	wantEnded(t, 1, "FAILED   disk ", full, "doctor", "--no-providers", "--database", database)
}
