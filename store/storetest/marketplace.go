package storetest

import (
	"errors"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

// testForeign does to another account's assistants what only their owner may.
func testForeign(t *testing.T, url string) {
	s := Open(t, url)
	author, stranger, suspended := Account(t, s, "pro"), Account(t, s, "pro"), Account(t, s, "pro")
	private := create(t, s, author, Fields("private"), elumenta.Private)
	published := create(t, s, author, Fields("published"), elumenta.Marketplace)
	withdrawn := create(t, s, author, Fields("withdrawn"), elumenta.Marketplace)
	update(t, s, withdrawn, publish(elumenta.Private))
	hidden := create(t, s, suspended, Fields("hidden"), elumenta.Marketplace)
	_, err := s.SetSuspended(t.Context(), suspended, true, "")
	wantOK(t, err)

	var unknown error
	for _, c := range []struct {
		name string
		id   elumenta.AssistantID
		code elumenta.Code
	}{
		{"unknown", elumenta.NewAssistantID(), elumenta.CodeNotFound},
		{"private", private.ID, elumenta.CodeNotFound},
		{"published", published.ID, elumenta.CodeForbidden},
		{"no longer published", withdrawn.ID, elumenta.CodeNotFound},
		{"of a suspended author", hidden.ID, elumenta.CodeNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := s.UpdateAssistant(t.Context(), stranger, c.id, 0, &elumenta.Patch{Name: elumenta.Some("mine")})
			want(t, err, c.code)
			if unknown == nil {
				unknown = err
			}
			if c.code == elumenta.CodeNotFound && err.Error() != unknown.Error() {
				t.Errorf("told apart: %v", err)
			}
			want(t, s.DeleteAssistant(t.Context(), stranger, c.id, 0), c.code)
			_, _, err = s.Versions(t.Context(), stranger, c.id, 0, 10)
			want(t, err, c.code)
			_, err = s.RestoreVersion(t.Context(), stranger, c.id, 0, 1)
			want(t, err, c.code)
			want(t, s.WithdrawVersion(t.Context(), stranger, c.id, 1), c.code)
			_, err = s.Assistant(t.Context(), stranger, c.id)
			want(t, err, elumenta.CodeNotFound)
		})
	}
	items, _, err := s.Assistants(t.Context(), stranger, elumenta.ListQuery{Limit: 10})
	wantOK(t, err)
	if len(items) != 0 {
		t.Fatal("a stranger's list has foreign assistants")
	}
	same(t, s, private)
	same(t, s, published)
}

func testListings(t *testing.T, url string) {
	s := Open(t, url)
	author := Account(t, s, "pro")
	var ids []elumenta.AssistantID
	for _, category := range []string{"data", "general", "data", "writing", "data"} {
		f := Fields("in " + category)
		f.Category = category
		ids = append(ids, create(t, s, author, f, elumenta.Marketplace).ID)
	}
	private := create(t, s, author, Fields("private"), elumenta.Private)

	l, err := s.Listing(t.Context(), ids[0])
	wantOK(t, err)
	if l.ID != ids[0] || l.Owner != author || l.Name != "in data" || l.Category != "data" || l.Model != "sandbox" || l.Version != 1 || l.Author != "Ada" || l.Uses != 0 || l.CreatedAt.IsZero() {
		t.Fatalf("listing %+v", l)
	}
	_, err = s.Listing(t.Context(), private.ID)
	want(t, err, elumenta.CodeNotFound)
	_, err = s.Listing(t.Context(), elumenta.NewAssistantID())
	want(t, err, elumenta.CodeNotFound)

	list := func(q elumenta.ListingQuery) (got []elumenta.AssistantID, next string) {
		t.Helper()
		items, next, err := s.Listings(t.Context(), q)
		wantOK(t, err)
		for _, l := range items {
			got = append(got, l.ID)
		}
		return got, next
	}
	expect(t, s, map[string]int64{"data": 3, "general": 1, "writing": 1})
	for _, sort := range []elumenta.ListingSort{elumenta.SortPopular, elumenta.SortNew} {
		got, next := list(elumenta.ListingQuery{Category: "data", Sort: sort, Limit: 2})
		if len(got) != 2 || got[0] != ids[4] || got[1] != ids[2] || next == "" {
			t.Fatalf("%s: first page of data: %v, next %q", sort, got, next)
		}
		if got, next := list(elumenta.ListingQuery{Category: "data", Sort: sort, Limit: 2, After: next}); len(got) != 1 || got[0] != ids[0] || next != "" {
			t.Fatalf("%s: last page of data: %v, next %q", sort, got, next)
		}
		if got, next := list(elumenta.ListingQuery{Sort: sort, Limit: 5}); len(got) != 5 || got[0] != ids[4] || next != "" {
			t.Fatalf("%s: all: %v, next %q", sort, got, next)
		}
	}

	// Moved to another shelf, unpublished, deleted.
	_, err = s.UpdateAssistant(t.Context(), author, ids[0], 0, &elumenta.Patch{Category: elumenta.Some("writing"), Name: elumenta.Some("moved")})
	wantOK(t, err)
	_, err = s.UpdateAssistant(t.Context(), author, ids[2], 0, publish(elumenta.Private))
	wantOK(t, err)
	wantOK(t, s.DeleteAssistant(t.Context(), author, ids[1], 0))
	expect(t, s, map[string]int64{"data": 1, "writing": 2})
	l, err = s.Listing(t.Context(), ids[0])
	wantOK(t, err)
	if l.Name != "moved" || l.Version != 2 {
		t.Fatalf("after a change: %+v", l)
	}
}

func expect(t *testing.T, s *store.Store, counts map[string]int64) {
	t.Helper()
	got, err := s.CategoryCounts(t.Context())
	wantOK(t, err)
	if len(got) != len(counts) {
		t.Fatalf("counts %v, want %v", got, counts)
	}
	for category, n := range counts {
		if got[category] != n {
			t.Fatalf("counts %v, want %v", got, counts)
		}
	}
}

func testSuspended(t *testing.T, url string) {
	s := Open(t, url)
	author, reader := Account(t, s, "pro"), Account(t, s, "pro")
	a := create(t, s, author, Fields("a"), elumenta.Marketplace)
	_, err := s.SetSuspended(t.Context(), author, true, "")
	wantOK(t, err)
	_, err = s.Listing(t.Context(), a.ID)
	want(t, err, elumenta.CodeNotFound)
	items, _, err := s.Listings(t.Context(), elumenta.ListingQuery{Limit: 10})
	wantOK(t, err)
	if len(items) != 0 {
		t.Fatal("a suspended author's assistant is listed")
	}
	expect(t, s, nil)
	for _, ref := range []elumenta.AssistantRef{{ID: a.ID}, {ID: a.ID, Version: 1}} {
		_, err = s.Resolve(t.Context(), reader, ref)
		want(t, err, elumenta.CodeNotFound)
	}
	// What is made while suspended is hidden like the rest.
	b := create(t, s, author, Fields("b"), elumenta.Marketplace)
	_, err = s.Listing(t.Context(), b.ID)
	want(t, err, elumenta.CodeNotFound)
	_, err = s.SetSuspended(t.Context(), author, false, "")
	wantOK(t, err)
	for _, id := range []elumenta.AssistantID{a.ID, b.ID} {
		_, err = s.Resolve(t.Context(), reader, elumenta.AssistantRef{ID: id})
		wantOK(t, err)
	}
}

func testResolve(t *testing.T, url string) {
	s := Open(t, url)
	author, reader := Account(t, s, "pro"), Account(t, s, "pro")
	// Version 1 private, 2 published, 3 changed while published, 4 unpublished, 5 changed while private.
	a := create(t, s, author, Fields("v1"), elumenta.Private)
	update(t, s, a, publish(elumenta.Marketplace))
	update(t, s, a, &elumenta.Patch{Name: elumenta.Some("v3")})
	bare := elumenta.AssistantRef{ID: a.ID}
	snapshot, err := s.Resolve(t.Context(), reader, bare)
	wantOK(t, err)
	if snapshot.Version != 3 || snapshot.Name != "v3" || snapshot.Owner != author || snapshot.Model != "sandbox" || snapshot.Instructions != a.Instructions {
		t.Fatalf("snapshot %+v", snapshot)
	}
	update(t, s, a, publish(elumenta.Private))
	last := update(t, s, a, &elumenta.Patch{Name: elumenta.Some("v5")})

	resolve := func(t *testing.T, viewer elumenta.AccountID, version int, ok bool) {
		t.Helper()
		snapshot, err := s.Resolve(t.Context(), viewer, elumenta.AssistantRef{ID: a.ID, Version: version})
		if !ok {
			want(t, err, elumenta.CodeNotFound)
			return
		}
		wantOK(t, err)
		if version == 0 {
			version = last.Version
		}
		if snapshot.Version != version || snapshot.Revision != last.Revision {
			t.Fatalf("version %d revision %d, want %d, %d", snapshot.Version, snapshot.Revision, version, last.Revision)
		}
	}
	for version, public := range []bool{false, false, true, true, false, false, false} {
		resolve(t, reader, version, public)
		resolve(t, author, version, version <= 5)
	}
	_, err = s.Resolve(t.Context(), author, elumenta.AssistantRef{ID: a.ID, Label: "production"})
	want(t, err, elumenta.CodeNotFound)
	_, err = s.Resolve(t.Context(), author, elumenta.AssistantRef{ID: elumenta.NewAssistantID()})
	want(t, err, elumenta.CodeNotFound)

	wantOK(t, s.WithdrawVersion(t.Context(), author, a.ID, 2))
	_, err = s.Resolve(t.Context(), reader, elumenta.AssistantRef{ID: a.ID, Version: 2})
	want(t, err, elumenta.CodeNotFound)
	wantOK(t, s.DeleteAssistant(t.Context(), author, a.ID, 0))
	_, err = s.Resolve(t.Context(), reader, elumenta.AssistantRef{ID: a.ID, Version: 3})
	want(t, err, elumenta.CodeNotFound)
}

// testRevisions makes every kind of change; each raises the revision that a cached snapshot is confirmed by.
func testRevisions(t *testing.T, url string) {
	s := Open(t, url)
	author := Account(t, s, "pro")
	a := create(t, s, author, Fields("a"), elumenta.Private)
	revision := a.Revision
	step := func(name string, changes bool, f func() error) {
		t.Helper()
		wantOK(t, f())
		snapshot, err := s.Resolve(t.Context(), author, elumenta.AssistantRef{ID: a.ID})
		wantOK(t, err)
		if changes && snapshot.Revision <= revision || !changes && snapshot.Revision != revision {
			t.Errorf("%s: revision %d after %d", name, snapshot.Revision, revision)
		}
		revision = snapshot.Revision
	}
	patch := func(p *elumenta.Patch) func() error {
		return func() error {
			_, err := s.UpdateAssistant(t.Context(), author, a.ID, 0, p)
			return err
		}
	}
	step("edit", true, patch(&elumenta.Patch{Name: elumenta.Some("b")}))
	step("no edit", false, patch(&elumenta.Patch{Name: elumenta.Some("b"), Note: "n"}))
	step("publish", true, patch(publish(elumenta.Marketplace)))
	step("rename the author", true, func() error {
		_, err := s.SetDisplayName(t.Context(), author, "Grace")
		return err
	})
	step("suspend", true, func() error {
		_, err := s.SetSuspended(t.Context(), author, true, "")
		return err
	})
	step("suspend again", false, func() error {
		_, err := s.SetSuspended(t.Context(), author, true, "")
		return err
	})
	step("unsuspend", true, func() error {
		_, err := s.SetSuspended(t.Context(), author, false, "")
		return err
	})
	step("unpublish", true, patch(publish(elumenta.Private)))
	step("restore", true, func() error {
		_, err := s.RestoreVersion(t.Context(), author, a.ID, 0, 1)
		return err
	})
	step("withdraw", true, func() error { return s.WithdrawVersion(t.Context(), author, a.ID, 1) })
	l, err := s.Listing(t.Context(), a.ID)
	if l != nil || errors.Is(err, nil) {
		t.Fatal("listed though unpublished")
	}
}
