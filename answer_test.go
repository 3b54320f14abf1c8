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
	a.Reset(1 << 10)
	if cap(a.Text) < len("a secret") || cap(a.Parts) < 4 {
		t.Error("the memory is not kept")
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

func TestResetAnswerKeepsLittle(t *testing.T) {
	var long, many elumenta.Answer
	long.Add(elumenta.Event{Kind: elumenta.EventText, Text: elumenta.Text(make([]byte, 2<<10))})
	for range 10_000 {
		many.Add(elumenta.Event{Kind: elumenta.EventToolCall})
	}
	for _, a := range []*elumenta.Answer{&long, &many} {
		if a.Reset(1 << 10); cap(a.Text)+cap(a.Parts) > 0 {
			t.Errorf("keeps %d bytes and %d parts", cap(a.Text), cap(a.Parts))
		}
	}
}
