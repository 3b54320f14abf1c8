package store

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func FuzzDecodeLog(f *testing.F) {
	e := logEncoder{places: map[string]uint64{}}
	e.reset()
	var account, generation, entry arguments
	account.add(int64(-1), int64(1<<62), int64(0), int64(0), int64(0), int64(0), int64(0), int64(0), int64(0), "acc_1")
	generation.add("acc_1", "gen_1", "key_1", nil, nil, nil, "m", int64(4), int64(4), int64(0), int64(1), []byte{1, 2}, int64(5), int64(0), "node")
	entry.add("reserve", "acc_1", int64(1), int64(4), int64(0), "gen_1", "m", "", int64(5))
	e.row(logAccount, account)
	e.row(logGeneration, generation)
	e.row(logEntry, entry)
	e.end()
	f.Add(e.batch)
	f.Add(append(e.batch, 0, 0, 0))
	f.Add([]byte{1, logEntry, logAgain, 0})
	f.Add([]byte{logVersion, logEntry, logAgain, 0})
	f.Add([]byte{logVersion, logAccount, logText, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{logVersion + 1})
	f.Fuzz(func(t *testing.T, batch []byte) {
		type logRow struct {
			Kind byte
			Row  arguments
		}
		decode := func(batch []byte) (rows []logRow, err error) {
			err = decodeLog(batch, func(kind byte, row arguments) { rows = append(rows, logRow{kind, row}) })
			return rows, err
		}
		rows, err := decode(batch)
		if err != nil {
			if !errors.Is(err, errLogDamaged) {
				t.Fatal(err)
			}
			return
		}
		again := logEncoder{places: map[string]uint64{}}
		again.reset()
		for _, r := range rows {
			again.row(r.Kind, r.Row)
		}
		again.end()
		got, err := decode(again.batch)
		if diff := cmp.Diff(rows, got, cmp.Comparer(bytes.Equal)); diff != "" || err != nil {
			t.Fatal(diff, err)
		}
	})
}

// TestDecodeLogOfALaterVersion: an entry that this version cannot append is not passed over.
func TestDecodeLogOfALaterVersion(t *testing.T) {
	for kind, known := range map[string]bool{"reserve": true, "refund": false} {
		e := logEncoder{places: map[string]uint64{}}
		e.reset()
		var entry arguments
		entry.add(kind, "acc_1", int64(1), int64(4), int64(0), "gen_1", "m", "", int64(5))
		e.row(logEntry, entry)
		e.end()
		if err := decodeLog(e.batch, func(byte, arguments) {}); known != (err == nil) || !known && !errors.Is(err, errLogDamaged) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
