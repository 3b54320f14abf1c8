package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestLogFileTorn: of a write that the power cut off nothing is taken, wherever it ends.
func TestLogFileTorn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a-ledger")
	f := newLogFile(t, path, databaseID{1})
	for seq, batch := range []string{"first", "second", "third"} {
		if err := f.append(int64(seq+1), []byte(batch)); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		t.Fatal(err)
	}
	third := logHeader + f.at - logBlock
	end := third + int64(logFrame+len("third"))
	for cut := third; cut < end; cut++ {
		writeAt(t, path, third, whole[third:end])
		writeAt(t, path, cut, make([]byte, end-cut))
		batches, err := f.after(0)
		if err != nil || len(batches) != 2 || string(bytes.TrimRight(batches[1].bytes, "\x00")) != "second" {
			t.Fatalf("cut at %d: %v, %v", cut, batches, err)
		}
	}
}

// writeAt writes bytes in the midst of the file at path, which is too large to be written whole for each case.
func writeAt(t *testing.T, path string, at int64, b []byte) {
	t.Helper()
	f, err := os.OpenFile(filepath.Clean(path), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestLogFileDamaged: what was on the disk before something else was written there is missed, wherever it is damaged.
func TestLogFileDamaged(t *testing.T) {
	t.Parallel()
	for _, direct := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "a-ledger")
		f := newLogFile(t, path, databaseID{1})
		if direct {
			if err := f.writeDirectly(); err != nil {
				t.Fatal(err)
			}
		}
		var ends []int64
		for seq := range int64(4) {
			if seq == 2 {
				f.half, f.at = 1, 0
			}
			if err := f.append(seq+1, bytes.Repeat([]byte{'a'}, 700)); err != nil {
				t.Fatal(err)
			}
			ends = append(ends, logHeader+f.half*logHalf+f.at)
		}
		whole, err := os.ReadFile(filepath.Clean(path))
		if err != nil {
			t.Fatal(err)
		}
		for _, end := range ends[:3] {
			for at := end - f.at/2; at < end-f.at/2+logFrame+700; at += 13 {
				writeAt(t, path, at, []byte{whole[at] ^ 0x40})
				if batches, err := f.after(0); !errors.Is(err, errLogIncomplete) && !errors.Is(err, errLogOther) {
					t.Fatalf("damaged at %d: %d batches, %v", at, len(batches), err)
				}
				if seq, err := f.last(); err != nil || seq != 4 {
					t.Fatalf("damaged at %d: the last is %d, %v", at, seq, err)
				}
				if batches, err := f.after(2); end != ends[2] && (err != nil || len(batches) != 2) { // the tables have the first two
					t.Fatalf("damaged at %d: %v, %v", at, batches, err)
				}
				writeAt(t, path, at, whole[at:at+1])
			}
		}
		if err := errors.Join(f.close(), os.WriteFile(path, whole[:10_000], 0o600)); err != nil {
			t.Fatal(err)
		}
		if err := (&logFile{path: path}).find(false); !errors.Is(err, errLogIncomplete) {
			t.Errorf("a file without its end: %v", err)
		}
		whole[0] = 0
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		other := &logFile{path: path, id: databaseID{1}}
		if err := other.find(true); err != nil {
			t.Fatal(err)
		}
		if _, err := other.after(0); !errors.Is(err, errLogOther) {
			t.Errorf("a damaged header: %v", err)
		}
		_ = other.close()
	}
}
