//go:build linux && (amd64 || arm64)

package store

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestLogSync(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s := newLogSync(path + "-wal")
	if s == nil {
		return // not allowed here
	}
	if err := s.sync(); err == nil {
		t.Error("what is not there was synced")
	}
	if err := os.WriteFile(path+"-wal", []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := s.sync(); err != nil {
			t.Error(err)
		}
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
	// The kernel refuses what cannot be synced.
	pipe := filepath.Join(t.TempDir(), "b.db")
	if err := syscall.Mkfifo(pipe+"-wal", 0o600); err != nil {
		t.Fatal(err)
	}
	s = newLogSync(pipe + "-wal")
	if err := s.sync(); err == nil {
		t.Error("a pipe was synced")
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}
