package store

import (
	"context"
	"errors"
	"syscall"
	"testing"

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

func synchronous(t *testing.T, e *sqliteEngine) (level int) {
	t.Helper()
	if err := e.write(t.Context(), func(ctx context.Context, tx querier) error {
		return tx.QueryRowContext(ctx, `PRAGMA synchronous`).Scan(&level)
	}); err != nil {
		t.Fatal(err)
	}
	return level
}
