package store

import (
	"slices"
	"sync"

	"github.com/elumenta/elumenta"
)

// maxFresh bounds how many notes freshNotes keeps.
const maxFresh = 20_000

// freshNotes are the usage notes that SQLite's writer committed last, so that they need not be read back to be rolled up. The
// database decides all the same: a chunk whose notes are not there any more fails as a whole.
type freshNotes struct {
	mu    sync.Mutex
	notes []usageNote
	// others says that the database may have notes that are not here.
	others bool
}

// add adds the note of a generation that was made final; g is nil if it was not this process that reserved.
func (f *freshNotes) add(g *usedGeneration, o *elumenta.Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if g == nil || len(f.notes) >= maxFresh {
		f.others = true
		return
	}
	g.settled(o)
	f.notes = append(f.notes, usageNote{usedGeneration: *g})
}

// next returns up to limit notes, or nil and true if the database is to be asked for them.
func (f *freshNotes) next(limit int64) (notes []usageNote, others bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.others {
		f.others = false
		return nil, true
	}
	return f.notes[:min(len(f.notes), int(limit))], false
}

// drop removes the first n notes, which were rolled up.
func (f *freshNotes) drop(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notes = f.notes[n:]
}

// known removes notes that were rolled up from the database, which may have more.
func (f *freshNotes) known(rolledUp []usageNote, more bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.others = f.others || more
	if len(f.notes) == 0 {
		return
	}
	gone := make(map[string]bool, len(rolledUp))
	for i := range rolledUp {
		if !rolledUp[i].correction { // those are never here
			gone[rolledUp[i].id] = true
		}
	}
	f.notes = slices.DeleteFunc(f.notes, func(n usageNote) bool { return gone[n.id] })
}

// forget leaves all notes to the database.
func (f *freshNotes) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notes, f.others = nil, true
}
