package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/elumenta/elumenta"
	"pgregory.net/rapid"
)

// newLogFile is one that a server has.
func newLogFile(t testing.TB, path string, id databaseID) *logFile {
	t.Helper()
	f := &logFile{path: path, id: id}
	if err := f.serve(false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.close() })
	return f
}

// TestLogFile: whatever was appended and when, the file gives back what is after a number, and knows when it cannot.
func TestLogFile(t *testing.T) {
	t.Parallel()
	for _, direct := range []bool{false, true} {
		f := newLogFile(t, filepath.Join(t.TempDir(), "a-ledger"), databaseID{1})
		if direct {
			if err := f.writeDirectly(); err != nil {
				t.Fatal(err)
			}
		}
		testLogFile(t, f)
	}
}

func testLogFile(t *testing.T, f *logFile) {
	t.Helper()
	seq := int64(0)
	rapid.Check(t, func(rt *rapid.T) {
		seq++
		applied := seq
		f.restart()
		want := map[int64][]byte{}
		for range rapid.IntRange(0, 60).Draw(rt, "steps") {
			switch rapid.IntRange(0, 3).Draw(rt, "step") {
			case 0: // the tables have some of them, durably
				applied = rapid.Int64Range(applied, seq).Draw(rt, "applied")
			case 1: // a transaction
				seq++
				applied = seq
				f.restart()
			default:
				batch := bytes.Repeat([]byte{byte(seq) | 1}, rapid.IntRange(1, logHalf/3).Draw(rt, "bytes"))
				f.room(0, applied, seq)
				if err := f.append(seq+1, batch); errors.Is(err, errLogFull) {
					continue
				} else if err != nil {
					rt.Fatal(err)
				}
				seq++
				want[seq] = batch
			}
		}
		maps.DeleteFunc(want, func(n int64, _ []byte) bool { return n <= applied })
		got, err := f.after(applied)
		if err != nil || len(got) != len(want) {
			rt.Fatalf("%d batches instead of %d: %v", len(got), len(want), err)
		}
		for _, b := range got {
			if rest, ok := bytes.CutPrefix(b.bytes, want[b.seq]); !ok || len(bytes.Trim(rest, "\x00")) > 0 {
				rt.Fatalf("batch %d is not what was written", b.seq)
			}
		}
	})
}

// TestLogOfAnother: what was acknowledged for another database is neither applied nor thrown away; once it is in that one's tables, the
// file may be another's.
func TestLogOfAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a-ledger")
	f := newLogFile(t, path, databaseID{1})
	if err := f.append(1, []byte("a")); err != nil {
		t.Fatal(err)
	}
	other := &logFile{path: path, id: databaseID{2}}
	if err := other.serve(false); !errors.Is(err, errLogOther) {
		t.Errorf("a server took it: %v", err)
	}
	if _, err := other.after(0); !errors.Is(err, errLogOther) {
		t.Errorf("a command took it: %v", err)
	}
	// Another state of the same one lacks what a transaction has changed between two batches.
	f.restart()
	if err := f.append(3, []byte("c")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.after(0); !errors.Is(err, errLogOther) {
		t.Errorf("a gap was passed over: %v", err)
	}
	if err := errors.Join(f.empty(), other.close(), f.close()); err != nil {
		t.Fatal(err)
	}
	newLogFile(t, path, databaseID{2})
}

// TestLogFileLocked: whoever announces a change waits for who logs, and is seen by who logs then.
func TestLogFileLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a-ledger")
	server := newLogFile(t, path, databaseID{1})
	command := &logFile{path: path}
	if err := command.find(false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.close() })
	if changed, err := server.newlyAnnounced(); err != nil || changed {
		t.Fatal(changed, err)
	}
	if err := server.lock(lockWait); err != nil {
		t.Fatal(err)
	}
	if ok, err := tryLock(command.file); err != nil || ok {
		t.Fatal("locked twice", err)
	}
	announced := make(chan error)
	go func() { announced <- command.announce() }()
	if changed, err := server.newlyAnnounced(); err != nil || changed {
		t.Error("announced under another's lock", err)
	}
	if err := errors.Join(server.unlock(), <-announced); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		if changed, err := server.newlyAnnounced(); err != nil || changed != want {
			t.Error(changed, err)
		}
	}
}

// held is the file of a log, whose lock another process has until release is called.
func held(t *testing.T, path string) (release func()) {
	t.Helper()
	other := &logFile{path: path}
	if err := other.find(true); err != nil {
		t.Fatal(err)
	}
	if ok, err := tryLock(other.file); err != nil || !ok {
		t.Fatal("not locked", err)
	}
	return func() {
		if err := other.close(); err != nil {
			t.Error(err)
		}
	}
}

// TestLogHeld: where the log cannot be locked, SQLite does without.
func TestLogHeld(t *testing.T) {
	l := newLogged(t)
	l.generate(1)
	release := held(t, l.engine.log.path)
	l.next.Generation = elumenta.NewGenerationID()
	if _, err := l.Reserve(t.Context(), l.next); err != nil {
		t.Error(err)
	}
	if l.engine.behind() {
		t.Error("logged under another's lock")
	}
	release()
	l.generate(1)
}

// TestReadWithoutLog: a command leaves the log alone where nothing is logged.
func TestReadWithoutLog(t *testing.T) {
	s, e := openFile(t, Options{Serve: true})
	defer held(t, e.log.path)()
	command, err := Open(t.Context(), Options{URL: s.opts.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := command.Account(t.Context(), elumenta.NewAccountID()); !elumenta.HasCode(err, elumenta.CodeNotFound) {
		t.Error(err)
	}
	if err := command.Close(); err != nil {
		t.Error(err)
	}
}

// TestLastCopiesNothing: commands ask for the last batch's number at every read, while a server waits for the lock.
func TestLastCopiesNothing(t *testing.T) {
	const batches = 1000
	f := newLogFile(t, filepath.Join(t.TempDir(), "a-ledger"), databaseID{1})
	for seq := range int64(batches) {
		if err := f.append(seq+1, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(3, func() {
		if seq, err := f.last(); err != nil || seq != batches {
			t.Error(seq, err)
		}
	}); n > batches/10 {
		t.Errorf("%v allocations", n)
	}
}

// fullWriter is a disk without room, though perhaps not before all is written.
type fullWriter struct {
	file *os.File // nil: it writes nothing
}

func (w fullWriter) buffer(n int) []byte { return make([]byte, n) }
func (w fullWriter) close() error        { return nil }

func (w fullWriter) write(frame []byte, at int64) (err error) {
	if w.file != nil {
		_, err = w.file.WriteAt(frame, at)
	}
	return errors.Join(err, errLogUnsure, syscall.ENOSPC)
}

// TestLogFileFull: whether a batch is there that a full disk refused is read, and where the disk failed nobody knows.
func TestLogFileFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a-ledger")
	f := newLogFile(t, path, databaseID{1})
	for seq := range int64(4) { // others were there before
		if err := f.append(seq+1, []byte("a")); err != nil {
			t.Fatal(err)
		}
	}
	f.restart()
	f.writer = fullWriter{}
	if err := f.append(5, []byte("a")); !errors.Is(err, errLogFull) {
		t.Errorf("nothing was written: %v", err)
	}
	f.writer = fullWriter{file: f.file}
	if err := f.append(5, []byte("a")); !errors.Is(err, errLogUnsure) {
		t.Errorf("all was written: %v", err)
	}
	readable, err := os.Open(filepath.Clean(path))
	if err != nil {
		t.Fatal(err)
	}
	f.writer = nil
	if err := f.file.Close(); err != nil {
		t.Fatal(err)
	}
	f.file = readable
	if err := f.append(6, []byte("a")); !errors.Is(err, errLogUnsure) {
		t.Errorf("neither the batch nor zeros were written: %v", err)
	}
}

// TestCloseOnAFullDisk: a server that cannot write what it has logged tries it once when it ends, and says where it is.
func TestCloseOnAFullDisk(t *testing.T) {
	l := newLogged(t)
	l.generate(300)
	if _, err := l.engine.writer.readInt(`PRAGMA max_page_count = 1`); err != nil { // no more than it has
		t.Fatal(err)
	}
	if _, err := l.Account(t.Context(), l.account.ID); !elumenta.HasCode(err, elumenta.CodeUnavailable) {
		t.Fatalf("a balance was read: %v", err)
	}
	before := commits(t, l.registry)
	if err := l.Close(); err == nil || !strings.Contains(err.Error(), l.engine.log.path) {
		t.Errorf("closed with %v", err)
	}
	l.closeErr = nil // it was expected
	if n := commits(t, l.registry) - before; n != 1 {
		t.Errorf("%d commits", n)
	}
	again, err := Open(t.Context(), Options{URL: l.opts.URL})
	if err != nil {
		t.Fatal(err)
	}
	if a, err := again.Account(t.Context(), l.account.ID); err != nil || a.Balance.Total() != l.account.Balance.Total()-300 {
		t.Errorf("got %+v, %v", a, err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// TestOpenWithAnothersLog: the error of a server says what to do.
func TestOpenWithAnothersLog(t *testing.T) {
	s, e := openFile(t, Options{})
	if err := s.write(t.Context(), func(context.Context, querier) error { return nil }); err != nil {
		t.Fatal(err)
	}
	f := newLogFile(t, logPath(e.path), databaseID{1})
	if err := f.append(1, []byte("a")); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{URL: s.opts.URL, Serve: true})
	if !errors.Is(err, errLogOther) {
		t.Errorf("got %v", err)
	}
	if err := f.empty(); err != nil {
		t.Fatal(err)
	}
}

// TestCheckpointBesideAReader: what a checkpoint leaves for a reader's sake is not taken for synced.
func TestCheckpointBesideAReader(t *testing.T) {
	s, e := openFile(t, Options{Serve: true})
	s.stop()
	s.background.Wait() // the checkpoints are the test's
	tidied := func() bool {
		t.Helper()
		if err := s.write(t.Context(), put("test "+rand.Text())); err != nil {
			t.Fatal(err)
		}
		moved, err := e.checks.tidy()
		if err != nil {
			t.Fatal(err)
		}
		return moved
	}
	if !tidied() {
		t.Error("nothing was in the way")
	}
	if err := e.readAs(t.Context(), unlogged, func(ctx context.Context, q querier) error {
		if _, err := q.ExecContext(ctx, `BEGIN DEFERRED`); err != nil {
			return err
		}
		var n int
		if err := q.QueryRowContext(ctx, `SELECT count(*) FROM accounts`).Scan(&n); err != nil {
			return err
		}
		for range 2 {
			if tidied() {
				t.Error("a reader was in the way")
			}
		}
		_, err := q.ExecContext(ctx, `ROLLBACK`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// FuzzLogFile: whatever stands in the file, reading it ends, and gives whole batches alone.
func FuzzLogFile(f *testing.F) {
	frame := func(seq uint64, batch string) []byte {
		b := binary.LittleEndian.AppendUint32(make([]byte, 4), uint32(len(batch)))
		b = append(binary.LittleEndian.AppendUint64(b, seq), batch...)
		binary.LittleEndian.PutUint32(b, crc32.Checksum(b[4:], crc32c))
		return b
	}
	f.Add(frame(1, "a"), frame(2, "b"))
	f.Add(append(frame(7, "a"), frame(8, "b")...), append(frame(9, ""), 1, 2, 3))
	f.Add([]byte{0, 0, 0, 0, 255, 255, 255, 255}, []byte(nil))
	log := newLogFile(f, filepath.Join(f.TempDir(), "a-ledger"), databaseID{1})
	none := make([]byte, logFrame)
	f.Fuzz(func(t *testing.T, first, second []byte) {
		if len(first) > logHalf/2 || len(second) > logHalf/2 {
			return
		}
		_, one := log.file.WriteAt(append(slices.Clone(first), none...), logHeader)
		_, two := log.file.WriteAt(append(slices.Clone(second), none...), logHeader+logHalf)
		if err := errors.Join(one, two); err != nil {
			t.Fatal(err)
		}
		if err := log.batches(func(b logBatch) {
			if whole := frame(uint64(b.seq), string(b.bytes)); !bytes.Contains(first, whole) && !bytes.Contains(second, whole) {
				t.Errorf("batch %d was never written", b.seq)
			}
		}); err != nil {
			t.Fatal(err)
		}
	})
}
