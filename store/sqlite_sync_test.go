package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
)

// watchedSync counts syncs, and fails where it is told to.
type watchedSync struct {
	logSync
	calls int
	fails bool
}

func (w *watchedSync) sync() error {
	w.calls++
	switch {
	case w.fails:
		return syscall.EIO
	case w.logSync == nil:
		return nil
	}
	return w.logSync.sync()
}

func (w *watchedSync) close() error {
	if w.logSync == nil {
		return nil
	}
	return w.logSync.close()
}

// watchSync puts one between the writer and the disk.
func watchSync(t *testing.T, e *sqliteEngine) *watchedSync {
	t.Helper()
	w := &watchedSync{}
	if err := e.write(t.Context(), func(context.Context, querier) error {
		w.logSync = e.sync
		e.sync = w
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestDiskFailed(t *testing.T) {
	failed := 0
	s, e := openFile(t, Options{Serve: true, OnDiskFailed: func() { failed++ }})
	disk := watchSync(t, e)
	for _, write := range []func(context.Context, querier) error{
		func(context.Context, querier) error { disk.fails = true; return nil },
		func(context.Context, querier) error { disk.fails = false; return nil },
	} {
		err := s.write(t.Context(), write)
		if !errors.Is(err, syscall.EIO) || !elumenta.HasCode(err, elumenta.CodeUnavailable) {
			t.Fatalf("what the disk did not confirm was acknowledged: %v", err)
		}
	}
	if failed != 1 {
		t.Fatalf("told %d times", failed)
	}
	if err := s.Close(); !errors.Is(err, syscall.EIO) {
		t.Errorf("closed with %v", err)
	}
	s.closeErr = nil // it was expected
}

func TestSyncEachCommit(t *testing.T) {
	s, e := openFile(t, Options{Serve: true})
	disk := watchSync(t, e)
	for _, name := range []string{"a", "b", "c"} {
		var before int
		if err := s.write(t.Context(), func(ctx context.Context, tx querier) error {
			before = disk.calls
			return put(name)(ctx, tx)
		}); err != nil {
			t.Fatal(err)
		}
		if disk.calls == before {
			t.Fatal("acknowledged before it was synced")
		}
	}
	const normal, full = 1, 2
	want := normal
	if disk.logSync == nil {
		want = full
	}
	if got := synchronous(t, e); got != want {
		t.Errorf("a server's writer has synchronous=%d, not %d", got, want)
	}
	if _, e := openFile(t, Options{}); e.sync != nil || synchronous(t, e) != full {
		t.Error("SQLite does not sync what a command writes")
	}
}

// TestSyncRefused: where the system does not let us sync the log, SQLite does.
func TestSyncRefused(t *testing.T) {
	_, e := openFile(t, Options{})
	if err := e.write(t.Context(), func(context.Context, querier) error { return e.syncBeside(&watchedSync{fails: true}) }); err != nil {
		t.Fatal(err)
	}
	if level := synchronous(t, e); e.sync != nil || level != 2 {
		t.Errorf("SQLite has synchronous=%d", level)
	}
}

// TestSyncThroughLink: the log stands beside the file that a link names, and is synced there.
func TestSyncThroughLink(t *testing.T) {
	dir, link := t.TempDir(), filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(filepath.Join(dir, "a.db"), link); err != nil { // to what is made now
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Options{URL: "sqlite:" + link, Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if e, ok := s.engine.(*sqliteEngine); !ok || filepath.Dir(e.path) != dir || e.sync == nil && synchronous(t, e) != 2 {
		t.Error("nobody syncs the log")
	}
	for _, end := range []string{"-wal", "-ledger"} {
		if _, err := os.Stat(filepath.Join(dir, "a.db"+end)); err != nil {
			t.Error(err)
		}
	}
	if _, err := Open(t.Context(), Options{URL: "sqlite:" + filepath.Join(dir, "a.db"), Serve: true}); err == nil {
		t.Error("two servers use one file")
	}
}

// TestOpenBesideAWriter: a command that reads does not wait for who writes, and a server that cannot write ends with an error.
func TestOpenBesideAWriter(t *testing.T) {
	s, e := openFile(t, Options{})
	release := hold(t, s)
	defer release()
	command, err := Open(t.Context(), Options{URL: "sqlite:" + e.path})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(command.Ping(t.Context()), command.Close()); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if server, err := Open(ctx, Options{URL: "sqlite:" + e.path, Serve: true}); err == nil {
		t.Error("it was opened", server.Close())
	}
}

func synchronous(t *testing.T, e *sqliteEngine) (level int) {
	t.Helper()
	if err := e.write(t.Context(), func(ctx context.Context, tx querier) error {
		return tx.QueryRowContext(ctx, `PRAGMA synchronous`).Scan(&level)
	}); err != nil {
		t.Fatal(err)
	}
	return level
}
