package anthropicapi_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/anthropicapi"
)

// State of each text and each tool call comes back to its own, in whatever order all that came.
func TestStatesKeepTheirPlaces(t *testing.T) {
	opaque := func(s string) *elumenta.Opaque { return &elumenta.Opaque{Format: "gemini", Data: elumenta.Text(s)} }
	a := &elumenta.Answer{}
	for _, ev := range []elumenta.Event{
		{Kind: elumenta.EventText, Text: "one"}, {Kind: elumenta.EventOpaque, Part: elumenta.PartText, Opaque: opaque("s1")},
		{Kind: elumenta.EventText, Text: "two"}, {Kind: elumenta.EventOpaque, Part: elumenta.PartText, Opaque: opaque("s2")},
		{Kind: elumenta.EventText, Text: "three"},
		{Kind: elumenta.EventToolCall, ID: "c1", Name: "t"}, {Kind: elumenta.EventToolInput, Text: "{}"},
		{Kind: elumenta.EventToolCall, Index: 1, ID: "c2", Name: "t"}, {Kind: elumenta.EventToolInput, Index: 1, Text: "{}"},
		{Kind: elumenta.EventOpaque, Part: elumenta.PartToolCall, Opaque: opaque("s3")},
	} {
		a.Add(ev)
	}
	var answer struct{ Content json.RawMessage }
	if err := json.Unmarshal(encoderOf(t).Whole(nil, a, &elumenta.Result{Started: elumenta.Started{ID: "gen_1"}}), &answer); err != nil {
		t.Fatal(err)
	}
	body := saying(`{"role":"user","content":"x"},{"role":"assistant","content":` + string(answer.Content) + `},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"1"},{"type":"tool_result","tool_use_id":"c2","content":"2"}]}`)
	in, err := anthropicapi.Messages{}.Decode([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, p := range in.Turns[1].Parts {
		name, state := string(p.Text), "-"
		if p.ToolCall != nil {
			name = p.ToolCall.ID
		}
		if p.Opaque != nil {
			state = string(p.Opaque.Data)
		}
		got += fmt.Sprintf("%s:%s ", name, state)
	}
	if want := "one:s1 two:s2 three:- c1:s3 c2:- "; got != want {
		t.Errorf("%s, want %s\n%s", got, want, answer.Content)
	}
	// State that stands behind no text belongs to none.
	lost, err := anthropicapi.Messages{}.Decode([]byte(saying(`{"role":"assistant","content":"first"},{"role":"user","content":"x"},{"role":"assistant","content":[` +
		`{"type":"redacted_thinking","data":"` + (&elumenta.State{Opaque: *opaque("s"), Part: elumenta.PartText}).Pack() + `"},{"type":"text","text":"second"}]},{"role":"user","content":"y"}`)))
	if err != nil || lost.Turns[0].Parts[0].Opaque != nil || lost.Turns[2].Parts[0].Opaque != nil {
		t.Errorf("%v %+v", err, lost)
	}
}
