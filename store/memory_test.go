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
