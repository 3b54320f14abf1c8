package store

import (
	"slices"
	"sync"
)

// maxFresh bounds how many notes freshNotes keeps, of some 180 bytes each: two seconds at the rate of the ledger alone.
const maxFresh = 100_000

// usageBatch is a row of usage_batches with its notes; nil if they are not known.
type usageBatch struct {
	seq   int64
	notes []*usedGeneration
}

// freshNotes are the usage notes that SQLite's writer committed last, so that they need not be read back to be rolled up. The
// database decides all the same: a chunk whose notes are not there any more fails as a whole.
type freshNotes struct {
	mu      sync.Mutex
	batches []usageBatch
	notes   int
	// others says that the database may have notes that are not here.
	others bool
}

// add adds what was committed; others says that more was than this.
func (f *freshNotes) add(batches []usageBatch, others bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.others = f.others || others
	for _, b := range batches {
		if b.notes == nil || f.notes+len(b.notes) > maxFresh {
			f.others = true
			continue
		}
		f.batches = append(f.batches, b)
		f.notes += len(b.notes)
	}
}

// next returns batches of about limit notes and whether there are more, or all of them and that the database is to be asked for others.
func (f *freshNotes) next(limit int64) (batches []usageBatch, more, others bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.others {
		f.others = false
		return slices.Clone(f.batches), false, true
	}
	n, notes := 0, 0
	for n < len(f.batches) && (n == 0 || notes+len(f.batches[n].notes) <= int(limit)) {
		notes += len(f.batches[n].notes)
		n++
	}
	return slices.Clone(f.batches[:n]), n < len(f.batches), false
}

// drop removes batches that were rolled up; the database may have others.
func (f *freshNotes) drop(seqs []int64, others bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.others = f.others || others
	f.batches = slices.DeleteFunc(f.batches, func(b usageBatch) bool {
		gone := slices.Contains(seqs, b.seq)
		if gone {
			f.notes -= len(b.notes)
		}
		return gone
	})
}

// forget leaves all notes to the database.
func (f *freshNotes) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.batches, f.notes, f.others = nil, 0, true
}
