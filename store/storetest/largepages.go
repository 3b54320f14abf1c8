package storetest

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
)

// testLargePages: a page ends before its texts come to more than 2 MiB, and the pages together have everything once.
func testLargePages(t *testing.T, url string) {
	s := Open(t, url)
	owner := Account(t, s, "pro")
	long := strings.Repeat("🙂", elumenta.MaxInstructions)
	var ids []elumenta.AssistantID
	for i := range 5 {
		f := Fields("long " + strconv.Itoa(i))
		f.Instructions = elumenta.Text(long)
		ids = append(ids, create(t, s, owner, f, elumenta.Private).ID)
	}
	slices.Reverse(ids)
	var got []elumenta.AssistantID
	for more, before, pages := true, elumenta.AssistantID(""), 0; more; pages++ {
		var items []elumenta.Assistant
		var err error
		items, more, err = s.Assistants(t.Context(), owner, elumenta.ListQuery{Limit: 100, Before: before})
		wantOK(t, err)
		if len(items) == 0 || len(items) > 2 || pages > 3 {
			t.Fatalf("page %d has %d assistants", pages, len(items))
		}
		for _, a := range items {
			got = append(got, a.ID)
		}
		before = items[len(items)-1].ID
	}
	if !slices.Equal(got, ids) {
		t.Errorf("the pages have %v, not %v", got, ids)
	}

	for i := range 4 {
		note := strconv.Itoa(i)
		_, err := s.UpdateAssistant(t.Context(), owner, ids[0], 0, &elumenta.Patch{Description: elumenta.Some(note)})
		wantOK(t, err)
	}
	var versions []int
	for more, before := true, 0; more; {
		var items []elumenta.Version
		var err error
		items, more, err = s.Versions(t.Context(), owner, ids[0], before, 100)
		wantOK(t, err)
		if len(items) == 0 || len(items) > 2 {
			t.Fatalf("a page has %d versions", len(items))
		}
		for _, v := range items {
			versions = append(versions, v.Version)
		}
		before = items[len(items)-1].Version
	}
	if !slices.Equal(versions, []int{5, 4, 3, 2, 1}) {
		t.Errorf("the pages have %v", versions)
	}

	text := strings.Repeat("🙂", elumenta.MaxVariableValue)
	for i := range 5 {
		f := Fields("wide " + strconv.Itoa(i))
		for n := range 30 {
			f.Variables = append(f.Variables, elumenta.Variable{Name: "v" + strconv.Itoa(n), Default: &text})
		}
		create(t, s, owner, f, elumenta.Marketplace)
	}
	for _, q := range []elumenta.ListingQuery{{Sort: elumenta.SortNew}, {Sort: elumenta.SortByName}, {Sort: elumenta.SortPopular}, {Text: "wide"}} {
		seen := map[elumenta.AssistantID]bool{}
		for q.Limit = 100; ; {
			items, next, err := s.Listings(t.Context(), q)
			wantOK(t, err)
			if len(items) == 0 || len(items) > 2 {
				t.Fatalf("%+v: a page has %d listings", q, len(items))
			}
			for i := range items {
				seen[items[i].ID] = true
			}
			if q.After = next; next == "" {
				break
			}
		}
		if len(seen) != 5 {
			t.Errorf("%+v: the pages have %d listings", q, len(seen))
		}
	}
}

// testMixedPages: lists that read variables later have the pages of one that reads all at once, though texts take more bytes where they are
// stored than they have.
func testMixedPages(t *testing.T, url string) {
	s := Open(t, url)
	author := Account(t, s, "unlimited")
	texts := []string{"", "short", strings.Repeat("<", 8_000), strings.Repeat("🙂", 8_000), strings.Repeat("\n", 2_000)}
	for i := range 60 {
		f := Fields("mixed")
		f.Description = "Number " + strconv.Itoa(i)
		for n := range i % 7 * 5 {
			f.Variables = append(f.Variables, elumenta.Variable{Name: "v" + strconv.Itoa(n), Default: &texts[(i/7+n)%len(texts)]})
		}
		create(t, s, author, f, elumenta.Marketplace)
	}
	pages := func(q elumenta.ListingQuery) (pages [][]elumenta.Listing) {
		for {
			items, next, err := s.Listings(t.Context(), q)
			wantOK(t, err)
			pages = append(pages, items)
			if q.After = next; next == "" {
				return pages
			}
		}
	}
	for _, limit := range []int{3, 100} {
		want := pages(elumenta.ListingQuery{Sort: elumenta.SortNew, Limit: limit})
		if limit == 100 && len(want) < 3 {
			t.Fatalf("there are %d pages", len(want))
		}
		for _, q := range []elumenta.ListingQuery{{Sort: elumenta.SortPopular}, {Text: "mixed"}} {
			q.Limit = limit
			if diff := cmp.Diff(want, pages(q)); diff != "" {
				t.Errorf("%+v: the pages differ:\n%.2000s", q, diff)
			}
		}
	}
}
