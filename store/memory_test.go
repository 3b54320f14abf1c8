package store_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// allocated is how many bytes f allocates. No test that uses it is parallel.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// wide are variables with a megabyte of defaults.
func wide() (variables []elumenta.Variable) {
	text := strings.Repeat("🙂", elumenta.MaxVariableValue)
	for n := range elumenta.MaxVariables {
		variables = append(variables, elumenta.Variable{Name: fmt.Sprintf("v%d", n), Default: &text})
	}
	return variables
}

// TestPageMemory: a page of the marketplace reads about what it shows, however much its listings have.
func TestPageMemory(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		s := storetest.OpenWith(t, store.Options{URL: url})
		author := storetest.Account(t, s, "pro")
		f := storetest.Fields("wide")
		f.Variables = wide()
		for range 24 {
			if _, _, err := s.CreateAssistant(t.Context(), author, f, elumenta.Marketplace, nil); err != nil {
				t.Fatal(err)
			}
		}
		for _, q := range []elumenta.ListingQuery{{Sort: elumenta.SortPopular}, {Text: "wide"}} {
			q.Limit = 100
			bytes := allocated(func() {
				items, next, err := s.Listings(t.Context(), q)
				if err != nil || len(items) != 2 || next == "" {
					t.Errorf("%+v: a page of %d, next %q, %v", q, len(items), next, err)
				}
			})
			t.Logf("%+v: %d bytes", q, bytes)
			if bytes > 16<<20 {
				t.Errorf("%+v: a page of 2 MiB takes %d bytes", q, bytes)
			}
		}
	})
}

// TestLabelMemory: a label that moves reads none of the texts that it stands for.
func TestLabelMemory(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		s := storetest.OpenWith(t, store.Options{URL: url})
		owner := storetest.Account(t, s, "pro")
		f := storetest.Fields("wide")
		f.Variables = wide()
		a, _, err := s.CreateAssistant(t.Context(), owner, f, elumenta.Private, nil)
		if err != nil {
			t.Fatal(err)
		}
		split := []elumenta.LabelShare{{Version: 1, Weight: 1}}
		for i := range 3 {
			if _, err := s.UpdateAssistant(t.Context(), owner, a.ID, 0, &elumenta.Patch{Name: elumenta.Some(fmt.Sprint(i))}); err != nil {
				t.Fatal(err)
			}
			split = append(split, elumenta.LabelShare{Version: i + 2, Weight: 1})
		}
		bytes := allocated(func() {
			if _, err := s.SetLabel(t.Context(), owner, a.ID, "production", split); err != nil {
				t.Error(err)
			}
		})
		t.Logf("%d bytes", bytes)
		if bytes > 1<<20 {
			t.Errorf("a label of %d versions takes %d bytes", len(split), bytes)
		}
	})
}
