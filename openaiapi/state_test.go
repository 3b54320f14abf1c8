package openaiapi_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/openaiapi"
)

func geminiState(s string) *elumenta.Opaque {
	return &elumenta.Opaque{Format: "gemini", Data: elumenta.Text(s)}
}

// states are the parts of a turn with the state that each has.
func states(turn *elumenta.Turn) string {
	got := ""
	for _, p := range turn.Parts {
		name, state := string(p.Text), "-"
		if p.ToolCall != nil {
			name = p.ToolCall.ID
		}
		if p.Opaque != nil {
			state = string(p.Opaque.Data)
		}
		got += fmt.Sprintf("%s:%s ", name, state)
	}
	return got
}

var itemIDs = regexp.MustCompile(`"id":"[a-z]+_[^"]*",?`)

// State of each text and each tool call comes back to its own through the items of Responses, and a stream ends with the items of a whole answer: what a
// limit cut off is incomplete, whether state follows or not.
func TestResponsesStatesKeepTheirPlaces(t *testing.T) {
	events := []elumenta.Event{
		{Kind: elumenta.EventText, Text: "one"}, {Kind: elumenta.EventOpaque, Part: elumenta.PartText, Opaque: geminiState("s1")},
		{Kind: elumenta.EventText, Text: "two"}, {Kind: elumenta.EventText, Text: "!"}, {Kind: elumenta.EventOpaque, Part: elumenta.PartText, Opaque: geminiState("s2")},
		{Kind: elumenta.EventToolCall, ID: "c1", Name: "t"}, {Kind: elumenta.EventToolInput, Text: "{}"},
		{Kind: elumenta.EventOpaque, Part: elumenta.PartToolCall, Opaque: geminiState("s3")},
		{Kind: elumenta.EventText, Text: "three"}, {Kind: elumenta.EventOpaque, Part: elumenta.PartText, Opaque: geminiState("s4")},
	}
	encoder := func() elumenta.Encoder {
		in, err := openaiapi.Responses{}.Decode([]byte(`{"model":"m","input":"x","stream":true}`))
		if err != nil {
			t.Fatal(err)
		}
		return in.Encoder
	}
	result := &elumenta.Result{Started: elumenta.Started{ID: "gen_1"}, Finish: elumenta.FinishLength}
	a, stream := &elumenta.Answer{}, encoder()
	b := stream.Begin(nil, &result.Started)
	for _, ev := range events {
		a.Add(ev)
		b = stream.Event(b, ev)
	}
	outputs := map[string]json.RawMessage{}
	for name, text := range map[string]string{"whole": string(encoder().Whole(nil, a, result)), "stream": string(stream.End(b, result))} {
		if name == "stream" {
			_, text, _ = strings.Cut(text, "event: response.incomplete\ndata: ")
		}
		var r struct {
			Output   json.RawMessage
			Response struct{ Output json.RawMessage }
		}
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		if outputs[name] = r.Output; name == "stream" {
			outputs[name] = r.Response.Output
		}
		in, err := openaiapi.Responses{}.Decode([]byte(`{"model":"m","input":[{"role":"user","content":"x"},` + strings.Trim(string(outputs[name]), "[]") +
			`,{"type":"function_call_output","call_id":"c1","output":"1"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for i := range in.Turns[1:] {
			if turn := &in.Turns[1+i]; turn.Role == elumenta.RoleOfAssistant {
				got += states(turn)
			}
		}
		if want := "one:s1 two!:s2 c1:s3 three:s4 "; got != want {
			t.Errorf("%s: %s, want %s\n%s", name, got, want, outputs[name])
		}
	}
	whole, streamed := itemIDs.ReplaceAllString(string(outputs["whole"]), ""), itemIDs.ReplaceAllString(string(outputs["stream"]), "")
	if whole != streamed || strings.Count(whole, `"status":"incomplete"`) != 1 || !strings.Contains(whole, `"status":"incomplete","role":"assistant","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"three"`) {
		t.Errorf("whole  %s\nstream %s", whole, streamed)
	}

	// State that stands behind no text belongs to none.
	lost, err := openaiapi.Responses{}.Decode([]byte(`{"model":"m","input":[{"role":"assistant","content":"first"},{"role":"user","content":"x"},` +
		`{"type":"reasoning","summary":[],"encrypted_content":"` + (&elumenta.State{Opaque: *geminiState("s"), Part: elumenta.PartText}).Pack() + `"},{"role":"assistant","content":"second"},{"role":"user","content":"y"}]}`))
	if err != nil || states(&lost.Turns[0]) != "first:- " || states(&lost.Turns[2]) != "second:- " {
		t.Errorf("%v %+v", err, lost)
	}
}

// Reasoning that is sent under both names is taken once, and where the details have none of ours, under the other.
func TestChatReasoningUnderBothNames(t *testing.T) {
	packed := (&elumenta.State{Opaque: elumenta.Opaque{Format: "anthropic", Data: "s"}, Part: elumenta.PartReasoning}).Pack()
	for details, want := range map[string]string{
		`[]`: `hm:{"type":"reasoning_content"} a:- `, `[{"type":"reasoning.text","text":"other","signature":"foreign"}]`: `hm:{"type":"reasoning_content"} a:- `,
		`[{"type":"reasoning.text","text":"hm","signature":"` + packed + `","index":0}]`: `hm:s a:- `,
	} {
		in, err := openaiapi.Chat{}.Decode([]byte(said(`{"role":"user","content":"x"},{"role":"assistant","content":"a","reasoning_content":"hm","reasoning_details":` + details + `},{"role":"user","content":"y"}`)))
		if err != nil {
			t.Fatal(err)
		}
		if got := states(&in.Turns[1]); got != want {
			t.Errorf("%s: %s, want %s", details, got, want)
		}
		for _, w := range in.Warnings {
			if w.Code == elumenta.WarnUnknownField {
				t.Errorf("%s: %+v", details, w)
			}
		}
	}
}

// Calls whose ids begin anew with each turn keep each its own state, on whichever side of them that stands.
func TestResponsesStatesOfRecurringCalls(t *testing.T) {
	state := func(s string) string {
		return `{"type":"reasoning","summary":[],"encrypted_content":"` + (&elumenta.State{Opaque: *geminiState(s), Part: elumenta.PartToolCall, Call: "a"}).Pack() + `"},`
	}
	const call, output = `{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},`, `{"type":"function_call_output","call_id":"a","output":"x"},`
	for name, input := range map[string]string{
		"before": state("s1") + call + output + state("s2") + call + output,
		"behind": call + state("s1") + output + call + state("s2") + output,
		"mixed":  call + state("s1") + output + state("s2") + call + output,
		"at end": state("s1") + call + output + call + output + state("s2"),
	} {
		in, err := openaiapi.Responses{}.Decode([]byte(`{"model":"m","input":[{"role":"user","content":"Hi"},` + strings.TrimSuffix(input, ",") + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := states(&in.Turns[1]) + states(&in.Turns[3]); got != "a:s1 a:s2 " {
			t.Errorf("%s: %s", name, got)
		}
	}
}
