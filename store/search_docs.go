package store

import (
	"encoding/binary"
	"errors"
	"math/bits"

	"github.com/bits-and-blooms/bitset"
)

const (
	// chunkDocs is how many documents, by their numbers, one row of search_terms is about.
	chunkDocs  = 1 << 14
	chunkWords = chunkDocs / 64
	chunkBytes = chunkDocs / 8
)

var errDamagedTerm = errors.New("a row of search_terms is damaged")

// chunkOf is the chunk of a document and its place in it.
func chunkOf(doc int64) (chunk int64, place uint) { return doc / chunkDocs, uint(doc % chunkDocs) }

// chunkSet is the documents of one chunk. In a row it is a bitmap of chunkBytes, or where that is shorter, the distances from one
// place to the next as uvarints; the length tells which.
type chunkSet [chunkWords]uint64

func (c *chunkSet) add(place uint)    { c[place/64] |= 1 << (place % 64) }
func (c *chunkSet) remove(place uint) { c[place/64] &^= 1 << (place % 64) }

// encode is the set as a row has it; nothing if it is empty.
func (c *chunkSet) encode() []byte {
	row := make([]byte, 0, 16)
	next := 0
	for i, word := range c {
		for ; word != 0; word &= word - 1 {
			place := i*64 + bits.TrailingZeros64(word)
			row = binary.AppendUvarint(row, uint64(place-next))
			next = place + 1
		}
		if len(row) >= chunkBytes {
			row = row[:0]
			for _, word := range c {
				row = binary.LittleEndian.AppendUint64(row, word)
			}
			return row
		}
	}
	return row
}

// decodeChunk adds what a row has to words, which are chunkWords.
func decodeChunk(words []uint64, row []byte) error {
	if len(row) == chunkBytes {
		for i := range words {
			words[i] |= binary.LittleEndian.Uint64(row[8*i:])
		}
		return nil
	}
	next := uint64(0)
	for len(row) > 0 {
		distance, n := binary.Uvarint(row)
		if n <= 0 || distance >= chunkDocs-next {
			return errDamagedTerm
		}
		place := next + distance
		words[place/64] |= 1 << (place % 64)
		next, row = place+1, row[n:]
	}
	return nil
}

// countChunk is how many documents a row has.
func countChunk(row []byte) (n int64) {
	if len(row) == chunkBytes {
		for ; len(row) > 0; row = row[8:] {
			n += int64(bits.OnesCount64(binary.LittleEndian.Uint64(row)))
		}
		return n
	}
	for _, b := range row {
		n += int64(1 - b>>7) // the last byte of a uvarint
	}
	return n
}

// docWords gathers the rows of a term, or of several.
type docWords []uint64

func (w *docWords) add(chunk int64, row []byte) error {
	const most = 1 << 16 // a thousand million documents
	if chunk < 0 || chunk >= most {
		return errDamagedTerm
	}
	first, end := int(chunk)*chunkWords, int(chunk+1)*chunkWords
	if len(*w) < end {
		*w = append(*w, make([]uint64, end-len(*w))...)
	}
	return decodeChunk((*w)[first:end], row)
}

func (w docWords) set() *bitset.BitSet { return bitset.From(w) }
