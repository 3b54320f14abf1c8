package storetest

import (
	"slices"
	"testing"

	"github.com/elumenta/elumenta"
	"pgregory.net/rapid"
)

// testPaging adds and removes between pages: what stays is shown once, and nothing that was removed before.
func testPaging(t *testing.T, url string) {
	s := Open(t, url)
	foreign := create(t, s, Account(t, s, "pro"), Fields("x"), elumenta.Private)
	rapid.Check(t, func(r *rapid.T) {
		owner := Account(t, s, "pro")
		var live []elumenta.AssistantID
		add := func() { live = append(live, create(t, s, owner, Fields("x"), elumenta.Private).ID) }
		for range rapid.IntRange(0, 8).Draw(r, "at first") {
			add()
		}
		stays := slices.Clone(live)
		limit := rapid.IntRange(1, 4).Draw(r, "limit")
		var shown []elumenta.AssistantID
		before, more := elumenta.AssistantID(""), true
		for more {
			var items []elumenta.Assistant
			var err error
			items, more, err = s.Assistants(t.Context(), owner, elumenta.ListQuery{Before: before, Limit: limit})
			wantOK(t, err)
			if more && len(items) != limit || len(items) > limit {
				r.Fatalf("a page of %d with a limit of %d, more %t", len(items), limit, more)
			}
			for _, a := range items {
				if slices.Contains(shown, a.ID) {
					r.Fatalf("%s is shown twice", a.ID)
				}
				if !slices.Contains(live, a.ID) {
					r.Fatalf("%s is shown and was removed", a.ID)
				}
				shown, before = append(shown, a.ID), a.ID
			}
			for range rapid.IntRange(0, 2).Draw(r, "added") {
				add()
			}
			for range rapid.IntRange(0, 2).Draw(r, "removed") {
				if len(live) == 0 {
					break
				}
				i := rapid.IntRange(0, len(live)-1).Draw(r, "which")
				wantOK(t, s.DeleteAssistant(t.Context(), owner, live[i], 0))
				stays = slices.DeleteFunc(stays, func(id elumenta.AssistantID) bool { return id == live[i] })
				live = slices.Delete(live, i, i+1)
			}
		}
		for _, id := range stays {
			if !slices.Contains(shown, id) {
				r.Fatalf("%s stayed and was skipped", id)
			}
		}
		slices.Reverse(live)
		only := slices.DeleteFunc(slices.Clone(live), func(elumenta.AssistantID) bool { return rapid.Bool().Draw(r, "left out") })
		if len(only) == 0 {
			only = live
		}
		names, err := s.AssistantNames(t.Context(), owner, append(slices.Clone(only), foreign.ID), limit)
		wantOK(t, err)
		if len(names) != min(limit, len(only)) {
			r.Fatalf("%d names of %d with a limit of %d", len(names), len(only), limit)
		}
		for i, n := range names {
			if n.ID != only[i] || n.Name != "x" || n.CreatedAt.IsZero() {
				r.Fatalf("name %d is %+v, want %s", i, n, only[i])
			}
		}
		if all, err := s.AssistantNames(t.Context(), owner, nil, 1000); err != nil || len(all) != len(live) {
			r.Fatalf("%d names of %d: %v", len(all), len(live), err)
		}
	})
}
