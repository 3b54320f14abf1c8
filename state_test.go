package elumenta_test

import (
	"encoding/base64"
	"testing"

	"github.com/elumenta/elumenta"
)

// What Pack makes is read back to the byte; anything else that a client sends in its place is not ours.
func TestState(t *testing.T) {
	for _, s := range []elumenta.State{
		{Opaque: elumenta.Opaque{Format: "anthropic", Data: `{"type":"thinking","signature":"a+/=\u2028<"}`}, Part: elumenta.PartReasoning},
		{Opaque: elumenta.Opaque{Format: "gemini", Data: "c2ln\n"}, Part: elumenta.PartToolCall, Call: "functions.weather:0"},
		{Opaque: elumenta.Opaque{Format: "gemini", Data: "é"}, Part: elumenta.PartText},
	} {
		if got, ok := elumenta.UnpackState(s.Pack()); !ok || got != s {
			t.Errorf("%+v comes back as %+v", s, got)
		}
	}
	pack := func(text string) string { return "elumenta1." + base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for _, text := range []string{
		"", "elumenta1.", "elumenta1.%", "gAAAA", pack("null"), pack(`{"f":"gemini","d":"x"}`), pack(`{"f":"gemini","d":"x","p":2}`), pack(`{"f":"","d":"x","p":5}`), pack(`{"f":"gemini","p":5}`), pack(`{"f`), pack(`{"f":"gemini","d":"a\u0000","p":5}`),
	} {
		if s, ok := elumenta.UnpackState(text); ok {
			t.Errorf("%q is taken for %+v", text, s)
		}
	}
	parts := []elumenta.Part{
		{Kind: elumenta.PartText, Text: "a"}, {Kind: elumenta.PartToolCall, ToolCall: &elumenta.ToolCall{ID: "1"}}, {Kind: elumenta.PartText, Text: "b"}, {Kind: elumenta.PartReasoning, Text: "c"},
	}
	for i, s := range []elumenta.State{{Part: elumenta.PartToolCall, Call: "1"}, {Part: elumenta.PartToolCall, Call: "3"}, {Part: elumenta.PartText}} {
		if s.Attach(parts) != (i != 1) {
			t.Errorf("%+v", s)
		}
	}
	if parts[0].Opaque != nil || parts[1].Opaque == nil || parts[2].Opaque == nil || parts[3].Opaque != nil {
		t.Errorf("%+v", parts)
	}
}

// Clients have these texts in their histories: they mean the same to every later version.
func TestStateOfEarlierVersions(t *testing.T) {
	for text, want := range map[string]elumenta.State{
		`{"f":"gemini","d":"s","p":1}`:          {Opaque: elumenta.Opaque{Format: "gemini", Data: "s"}, Part: elumenta.PartText},
		`{"f":"gemini","d":"s","p":3,"c":"id"}`: {Opaque: elumenta.Opaque{Format: "gemini", Data: "s"}, Part: elumenta.PartToolCall, Call: "id"},
		`{"f":"anthropic","d":"s","p":5}`:       {Opaque: elumenta.Opaque{Format: "anthropic", Data: "s"}, Part: elumenta.PartReasoning},
	} {
		if got, ok := elumenta.UnpackState("elumenta1." + base64.RawURLEncoding.EncodeToString([]byte(text))); !ok || got != want {
			t.Errorf("%s is taken for %+v", text, got)
		}
	}
}
