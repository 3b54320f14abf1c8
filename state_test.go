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
		"", "elumenta1.", "elumenta1.%", "gAAAA", pack("null"), pack(`{"f":"gemini","d":"x"}`), pack(`{"f":"gemini","d":"x","p":2}`), pack(`{"f":"","d":"x","p":5}`), pack(`{"f":"gemini","p":5}`), pack(`{"f`),
	} {
		if s, ok := elumenta.UnpackState(text); ok {
			t.Errorf("%q is taken for %+v", text, s)
		}
	}
	turns := []elumenta.Turn{
		{Role: elumenta.RoleOfAssistant, Parts: []elumenta.Part{
			{Kind: elumenta.PartText, Text: "a"}, {Kind: elumenta.PartToolCall, ToolCall: &elumenta.ToolCall{ID: "1"}}, {Kind: elumenta.PartToolCall, ToolCall: &elumenta.ToolCall{ID: "2"}},
		}},
		{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{{Kind: elumenta.PartText, Text: "b"}}},
		{Role: elumenta.RoleOfAssistant, Parts: []elumenta.Part{{Kind: elumenta.PartReasoning, Text: "c"}}},
	}
	for _, s := range []elumenta.State{{Part: elumenta.PartToolCall, Call: "1"}, {Part: elumenta.PartToolCall, Call: "3"}, {Part: elumenta.PartText}} {
		elumenta.AttachState(turns, &s)
	}
	if turns[0].Parts[1].Opaque == nil || turns[0].Parts[0].Opaque != nil || turns[0].Parts[2].Opaque != nil || turns[1].Parts[0].Opaque != nil || turns[2].Parts[0].Opaque != nil {
		t.Errorf("%+v", turns)
	}
}
