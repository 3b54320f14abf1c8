package storetest

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

// history is one of versions with these numbers, a day apart.
func history(v elumenta.Visibility, numbers ...int) *elumenta.History {
	h := &elumenta.History{Visibility: v}
	for i, n := range numbers {
		f := Fields(fmt.Sprintf("Version %d", n))
		h.Versions = append(h.Versions, elumenta.Version{Version: n, CreatedAt: time.Date(2020, 1, 1+i, 0, 0, 0, 1000, time.UTC), Note: fmt.Sprintf("note %d", n), Fields: f})
	}
	return h
}

// testImport stores a history as a new assistant, and every version is as it was.
func testImport(t *testing.T, url string) {
	s := Open(t, url)
	owner := Account(t, s, "pro")
	h := history(elumenta.Marketplace, 2, 3, 7)
	h.Versions[0].Public = true
	before := time.Now().Add(-time.Minute)
	a, replayed, err := s.ImportAssistant(t.Context(), owner, h, nil)
	wantOK(t, err)
	if replayed || a.Version != 7 || a.Name != "Version 7" || a.Visibility != elumenta.Marketplace || a.CreatedAt.Before(before) || !a.UpdatedAt.Equal(a.CreatedAt) {
		t.Fatalf("imported: %+v", a)
	}
	same(t, s, a)
	versions, _, err := s.Versions(t.Context(), owner, a.ID, 0, 10)
	wantOK(t, err)
	h.Versions[2].Public = true // it is published
	want := []elumenta.Version{h.Versions[2], h.Versions[1], h.Versions[0]}
	if !reflect.DeepEqual(versions, want) {
		t.Fatalf("versions %+v\nwant %+v", versions, want)
	}
	other := Account(t, s, "pro")
	for n, public := range map[int]bool{2: true, 3: false, 7: true, 1: false} {
		_, err := s.Resolve(t.Context(), other, elumenta.AssistantRef{ID: a.ID, Version: n})
		if (err == nil) != public {
			t.Errorf("version %d for others: %v", n, err)
		}
	}
	if found, _, err := s.Versions(t.Context(), owner, a.ID, 3, 10); err != nil || len(found) != 1 {
		t.Errorf("below version 3: %v, %v", found, err)
	}
	next := update(t, s, a, &elumenta.Patch{Name: elumenta.Some("Next")})
	if next.Version != 8 {
		t.Errorf("the next version is %d", next.Version)
	}
	listing, err := s.Listing(t.Context(), a.ID)
	if err != nil || listing.Name != "Next" || listing.CreatedAt.Before(before) {
		t.Errorf("listing %+v, %v", listing, err)
	}
}

// testImportTimes gives what has no time, or one of the future, that of the import.
func testImportTimes(t *testing.T, url string) {
	s := Open(t, url)
	owner := Account(t, s, "pro")
	h := history(elumenta.Private, 1, 2)
	h.Versions[0].CreatedAt, h.Versions[1].CreatedAt = time.Now().Add(24*time.Hour), time.Time{}
	h.Versions[0].Public = true
	a, _, err := s.ImportAssistant(t.Context(), owner, h, nil)
	wantOK(t, err)
	versions, _, err := s.Versions(t.Context(), owner, a.ID, 0, 10)
	wantOK(t, err)
	for _, v := range versions {
		if !v.CreatedAt.Equal(a.CreatedAt) {
			t.Errorf("version %d is of %v, the assistant of %v", v.Version, v.CreatedAt, a.CreatedAt)
		}
	}
	var actions []elumenta.AuditAction
	for _, e := range trail(t, s) {
		if e.Target == string(a.ID) {
			actions = append(actions, e.Action)
		}
	}
	if !reflect.DeepEqual(actions, []elumenta.AuditAction{elumenta.AuditPublished, elumenta.AuditUnpublished}) {
		t.Errorf("audit %v", actions)
	}
}

func testImportRefused(t *testing.T, url string) {
	denied, bad := elumenta.NewDeniedNames([]string{"official"})
	if len(bad) > 0 {
		t.Fatal(bad)
	}
	s := OpenWith(t, store.Options{URL: url, Serve: true, DeniedNames: denied})
	owner := Account(t, s, "pro")
	for name, spoil := range map[string]func(h *elumenta.History){
		"none": func(h *elumenta.History) { h.Versions = nil },
		"too many": func(h *elumenta.History) {
			h.Versions = history(elumenta.Private, numbers(elumenta.MaxVersions+1)...).Versions
		},
		"number":           func(h *elumenta.History) { h.Versions[1].Version = h.Versions[0].Version },
		"number 0":         func(h *elumenta.History) { h.Versions[0].Version = 0 },
		"high number":      func(h *elumenta.History) { h.Versions[1].Version = elumenta.MaxVersionNumber + 1 },
		"time":             func(h *elumenta.History) { h.Versions[1].CreatedAt = h.Versions[0].CreatedAt.Add(-time.Second) },
		"no time":          func(h *elumenta.History) { h.Versions[0].CreatedAt = time.Time{} },
		"before 1970":      func(h *elumenta.History) { h.Versions[0].CreatedAt = time.Unix(-1, 0) },
		"old name":         func(h *elumenta.History) { h.Versions[0].Name = "" },
		"note":             func(h *elumenta.History) { h.Versions[0].Note = string(make([]byte, 1)) },
		"visibility":       func(h *elumenta.History) { h.Visibility = "public" },
		"publish nothing":  func(h *elumenta.History) { h.Visibility, h.Versions[1].Category = elumenta.Marketplace, "" },
		"public nothing":   func(h *elumenta.History) { h.Versions[0].Public, h.Versions[0].Description = true, " " },
		"denied":           func(h *elumenta.History) { h.Visibility, h.Versions[1].Name = elumenta.Marketplace, "Official help" },
		"denied before":    func(h *elumenta.History) { h.Versions[0].Public, h.Versions[0].Name = true, "0fficial" },
		"unknown category": func(h *elumenta.History) { h.Versions[0].Category = "magic" },
	} {
		h := history(elumenta.Private, 1, 2)
		spoil(h)
		if _, _, err := s.ImportAssistant(t.Context(), owner, h, nil); !elumenta.HasCode(err, elumenta.CodeValidation) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if items, _, err := s.Assistants(t.Context(), owner, elumenta.ListQuery{Limit: 10}); err != nil || len(items) > 0 {
		t.Errorf("%d assistants were made, %v", len(items), err)
	}
	rawExec(t, url, `UPDATE accounts SET assistants = $1`, elumenta.MaxAssistants)
	if _, _, err := s.ImportAssistant(t.Context(), owner, history(elumenta.Private, 1), nil); !elumenta.HasCode(err, elumenta.CodeValidation) {
		t.Errorf("one too many: %v", err)
	}
}

func numbers(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i + 1
	}
	return all
}

func testImportIdempotent(t *testing.T, url string) {
	s := Open(t, url)
	owner := Account(t, s, "pro")
	idem := &elumenta.Idempotency{Key: [32]byte{1}, Body: [32]byte{2}}
	a, _, err := s.ImportAssistant(t.Context(), owner, history(elumenta.Private, 4, 5), idem)
	wantOK(t, err)
	next := update(t, s, a, &elumenta.Patch{Name: elumenta.Some("Next")})
	again, replayed, err := s.ImportAssistant(t.Context(), owner, history(elumenta.Private, 4, 5), idem)
	wantOK(t, err)
	if !replayed || !reflect.DeepEqual(again, next) {
		t.Errorf("repeated: %+v, want %+v", again, next)
	}
	_, _, err = s.ImportAssistant(t.Context(), owner, history(elumenta.Private, 4), &elumenta.Idempotency{Key: [32]byte{1}, Body: [32]byte{3}})
	want(t, err, elumenta.CodeConflict)
	wantOK(t, s.DeleteAssistant(t.Context(), owner, a.ID, 0))
	_, _, err = s.ImportAssistant(t.Context(), owner, history(elumenta.Private, 4, 5), idem)
	want(t, err, elumenta.CodeConflict)
}
