package elumenta_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
)

// TestHistoryLimit takes what a server can have: versions that change nothing but visibility are not counted.
func TestHistoryLimit(t *testing.T) {
	history := func(versions int, name func(n int) string) *elumenta.History {
		h := &elumenta.History{Visibility: elumenta.Private}
		for n := 1; n <= versions; n++ {
			h.Versions = append(h.Versions, elumenta.Version{Version: n, CreatedAt: time.Unix(int64(n), 0), Public: n%2 == 0, Fields: elumenta.Fields{
				Name: name(n), Model: "sandbox", Instructions: "Help.", Description: "Helps.", Category: "general"}})
		}
		return h
	}
	for _, c := range []struct {
		name     string
		versions int
		of       func(n int) string
		ok       bool
	}{
		{"none", 0, nil, false},
		{"as many as may be", elumenta.MaxVersions, func(n int) string { return fmt.Sprint(n) }, true},
		{"one more", elumenta.MaxVersions + 1, func(n int) string { return fmt.Sprint(n) }, false},
		{"taken down at last", elumenta.MaxVersions + 3, func(n int) string { return fmt.Sprint(min(n, elumenta.MaxVersions)) }, true},
		{"to and fro", elumenta.MaxVersions + 2, func(n int) string { return fmt.Sprint(n % 2) }, false},
		{"published again and again", elumenta.MaxHistory, func(int) string { return "same" }, true},
		{"more than is read", elumenta.MaxHistory + 1, func(int) string { return "same" }, false},
	} {
		h := history(c.versions, c.of)
		errs := h.Check()
		if (len(errs) == 0) != c.ok {
			t.Errorf("%s: %v", c.name, errs)
		}
	}
}
