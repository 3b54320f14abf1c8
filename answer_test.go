package elumenta_test

import (
	"bytes"
	"testing"

	"github.com/elumenta/elumenta"
)

func TestResetAnswerHoldsNothing(t *testing.T) {
	var a elumenta.Answer
	for _, kind := range []elumenta.EventKind{elumenta.EventText, elumenta.EventRefusal, elumenta.EventReasoning} {
		a.Add(elumenta.Event{Kind: kind, Text: "a secret"})
	}
	a.Add(elumenta.Event{Kind: elumenta.EventToolCall, ID: "1", Name: "f"})
	a.Add(elumenta.Event{Kind: elumenta.EventOpaque, Part: elumenta.PartToolCall, Opaque: &elumenta.Opaque{Data: "a secret"}})
	size := a.Size()
	a.Reset()
	if a.Size() != size || size < 3*len("a secret") {
		t.Errorf("%d bytes, then %d", size, a.Size())
	}
	for _, text := range [][]byte{a.Text, a.Refusal, a.Reasoning} {
		if len(text) > 0 || bytes.Contains(text[:cap(text)], []byte("secret")) {
			t.Errorf("still holds %q", text[:cap(text)])
		}
	}
	for _, p := range a.Parts[:cap(a.Parts)] {
		if p.Opaque != nil {
			t.Error("still holds a part's state")
		}
	}
	a.Add(elumenta.Event{Kind: elumenta.EventText, Text: "another"})
	if len(a.Parts) != 1 || len(a.ToolCalls) > 0 || string(a.TextOf(&a.Parts[0])) != "another" {
		t.Errorf("after that: %q in %+v, %v", a.Text, a.Parts, a.ToolCalls)
	}
}
