package main

import (
	"github.com/elumenta/elumenta/assistantfile"
)

// wanted is an assistant as it should be on the server.
type wanted struct {
	source string // where it comes from
	*assistantfile.Assistant
	entry *assistantfile.Entry // nil if it is no file of a folder
	// idKey, if not empty, names the pair of the metadata by which it is found again, and nothing else.
	idKey string
	notes []string
}

// entriesWanted are the assistants of a folder.
func entriesWanted(entries []assistantfile.Entry) []wanted {
	all := make([]wanted, len(entries))
	for i := range entries {
		all[i] = wanted{source: entries[i].Path, Assistant: entries[i].Assistant, entry: &entries[i]}
	}
	return all
}

// match finds for each wanted assistant the one that the account has, nil for a new one: by its id there, or, if the
// account does not know that, by its name, if it is the only one left with it. Names that are the same on both sides are
// told apart by what else is the same, so that what was interrupted can be repeated.
func match(all []wanted, have []saved) (pairs []*saved, problems assistantfile.Problems) {
	m := matcher{wanted: all, pairs: make([]*saved, len(all)), taken: map[string]int{}, byName: map[string][]*saved{}}
	m.byIDs(have)
	for i := range have {
		if _, taken := m.taken[have[i].ID]; !taken {
			m.byName[have[i].Name] = append(m.byName[have[i].Name], &have[i])
		}
	}
	m.sameContent()
	m.lastOfName()
	return m.pairs, m.problems
}

type matcher struct {
	wanted   []wanted
	pairs    []*saved
	taken    map[string]int // index of the wanted one, by id
	byName   map[string][]*saved
	problems assistantfile.Problems
}

func (m *matcher) byIDs(have []saved) {
	idKey := ""
	if len(m.wanted) > 0 {
		idKey = m.wanted[0].idKey // all come from the same place
	}
	known := map[string]*saved{}
	for i := range have {
		id := have[i].ID
		if idKey != "" {
			id = have[i].Metadata[idKey]
		}
		known[id] = &have[i]
	}
	for i, w := range m.wanted {
		id := string(w.ID)
		if w.idKey != "" {
			id = w.Metadata[w.idKey]
		}
		found := known[id]
		if found == nil || id == "" {
			continue
		}
		if first, twice := m.taken[found.ID]; twice {
			m.wrong(w, "id", "has the same id as "+m.wanted[first].source+": remove the line id in the one that should be a new assistant")
			continue
		}
		m.take(i, found)
	}
}

func (m *matcher) take(i int, found *saved) {
	m.pairs[i] = found
	m.taken[found.ID] = i
}

func (m *matcher) wrong(w wanted, field, message string) {
	line, column := w.Where(field)
	m.problems = append(m.problems, assistantfile.Problem{File: w.source, Line: line, Column: column, Message: message})
}

// open are the wanted ones that may still be found by their names.
func (m *matcher) open(use func(i int, w wanted)) {
	for i, w := range m.wanted {
		if m.pairs[i] == nil && w.idKey == "" {
			use(i, w)
		}
	}
}

func (m *matcher) sameContent() {
	m.open(func(i int, w wanted) {
		for j, candidate := range m.byName[w.Name] {
			if changed, err := changes(w.Assistant, candidate.file()); err == nil && len(changed) == 0 {
				m.take(i, candidate)
				m.byName[w.Name] = append(m.byName[w.Name][:j:j], m.byName[w.Name][j+1:]...)
				return
			}
		}
	})
}

func (m *matcher) lastOfName() {
	first := map[string]int{}
	count := map[string]int{}
	m.open(func(i int, w wanted) {
		if count[w.Name]++; count[w.Name] == 1 {
			first[w.Name] = i
		}
	})
	m.open(func(i int, w wanted) {
		candidates := m.byName[w.Name]
		switch {
		case len(candidates) == 0:
		case len(candidates) > 1:
			m.wrong(w, "name", "the account has several assistants of this name: say with id which one is meant, such as id: "+candidates[0].ID)
		case count[w.Name] == 1:
			m.take(i, candidates[0])
		case first[w.Name] != i:
			m.wrong(w, "name", "has the same name as "+m.wanted[first[w.Name]].source+", and the account has one assistant of this name: say with id which one is "+candidates[0].ID)
		}
	})
}
