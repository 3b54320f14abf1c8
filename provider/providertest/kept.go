package providertest

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
)

// runKept lets other calls use the memory that one has read its answer into: nothing that came of the answer may change.
func runKept(t *testing.T, s Suite) {
	t.Helper()
	for _, c := range s.Cases {
		t.Run(c.Name, func(t *testing.T) {
			type result struct {
				Events     []elumenta.Event
				Completion elumenta.Completion
				Failure    string
			}
			var kept result
			var err error
			kept.Completion, err = s.answered(t, c, func(ev elumenta.Event) error {
				kept.Events = append(kept.Events, ev)
				return nil
			})
			if err != nil {
				kept.Failure = err.Error()
			}
			before := encoded(t, kept)
			for range 8 {
				for _, other := range []Case{
					{Body: "{" + strings.Repeat("#", len(c.Body))},
					{Body: "data: " + strings.Repeat("#", len(c.Body)) + "\n\n", Stream: true},
				} {
					if _, err := s.answered(t, other, func(elumenta.Event) error { return nil }); err == nil {
						t.Error("no error")
					}
				}
			}
			if after := encoded(t, kept); after != before {
				t.Errorf("what was emitted changed\nfrom %s\n  to %s", before, after)
			}
		})
	}
}

func (s Suite) answered(t *testing.T, c Case, emit func(elumenta.Event) error) (elumenta.Completion, error) {
	t.Helper()
	target := s.target("http://provider.test")
	target.Client, _ = answering(c, io.EOF, c.Body)
	return s.Provider.Generate(t.Context(), target, withTools(Ask(c.Stream)), emit)
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
