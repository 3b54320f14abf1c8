package store

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestChunkRows: what is added is in a row, in few bytes, and a damaged row is told from a whole one.
func TestChunkRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chunk := rapid.Int64Range(0, 3).Draw(t, "chunk")
		every := rapid.SampledFrom([]uint{1, 2, 7, 20, 5000}).Draw(t, "every")
		var set chunkSet
		var want []uint
		for place := rapid.UintRange(0, chunkDocs-1).Draw(t, "first"); place < chunkDocs; place += rapid.UintRange(1, every).Draw(t, "distance") {
			set.add(place)
			want = append(want, uint(chunk)*chunkDocs+place)
			if len(want) == 300 && every < 20 { // the rest has no gap, so that few draws make many documents
				for place++; place < chunkDocs; place++ {
					set.add(place)
					want = append(want, uint(chunk)*chunkDocs+place)
				}
			}
		}
		row := set.encode()
		if len(row) > chunkBytes || countChunk(row) != int64(len(want)) {
			t.Fatalf("%d documents in %d bytes, counted %d", len(want), len(row), countChunk(row))
		}
		var words docWords
		if err := words.add(chunk, row); err != nil {
			t.Fatal(err)
		}
		if got := slices.Collect(words.set().EachSet()); !slices.Equal(got, want) {
			t.Fatalf("%d documents of %d", len(got), len(want))
		}
		for _, doc := range want {
			_, place := chunkOf(int64(doc))
			set.remove(place)
		}
		if row := set.encode(); len(row) != 0 {
			t.Fatalf("%d bytes are left", len(row))
		}
	})
	for _, row := range [][]byte{{0x80}, {0xff, 0xff, 0xff}, {0xff, 0x7f, 0, 0}, {1, 0xff, 0x7f, 0xff}} {
		var words docWords
		if err := words.add(0, row); err == nil {
			t.Errorf("% x is a row", row)
		}
	}
	var words docWords
	if words.add(-1, []byte{1}) == nil || words.add(1<<40, []byte{1}) == nil {
		t.Error("a chunk that cannot be")
	}
}

func TestRankingRows(t *testing.T) {
	for _, row := range [][]byte{{0x80}, {0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}} {
		if _, err := decodeRanking(1, fromMicros(0), row); err == nil {
			t.Errorf("% x is a ranking", row)
		}
	}
	r, err := decodeRanking(1, fromMicros(0), []byte{7, 2, 3})
	if err != nil || r.place(7) != 1 || r.place(3) != 3 || r.place(4) != 0 || r.place(8) != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
}
