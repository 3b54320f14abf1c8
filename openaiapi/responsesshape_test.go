package openaiapi_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3/responses"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/openaiapi"
)

// complete checks that JSON has every member that the official client's type requires.
func complete(t *testing.T, at, raw string, v reflect.Value) {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(raw), &members); err != nil {
		t.Errorf("%s is no object: %s", at, raw)
		return
	}
	for field, value := range v.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		member, given := members[name]
		required := strings.Contains(field.Tag.Get("api"), "required") || field.Tag.Get("default") != ""
		switch {
		case required && !given:
			t.Errorf("%s has no %s", at, name)
		case !given || name == "" || name == "-":
		case field.Type.Kind() == reflect.Struct && string(member) != "null" && member[0] == '{':
			complete(t, at+"."+name, string(member), value)
		}
	}
}

// completeOutput checks the items of a response.
func completeOutput(t *testing.T, at string, items ...responses.ResponseOutputItemUnion) {
	t.Helper()
	for _, item := range items {
		complete(t, at+" "+item.Type, item.RawJSON(), reflect.ValueOf(item.AsAny()))
		for _, part := range item.Content {
			complete(t, at+" "+part.Type, part.RawJSON(), reflect.ValueOf(part.AsAny()))
		}
	}
}

// Every event and object has what the official client's types require of it.
func TestResponsesShapes(t *testing.T) {
	s := newServer(t, emits(elumenta.FinishToolCalls, append([]elumenta.Event{{Kind: elumenta.EventText, Text: "Hi"}, {Kind: elumenta.EventRefusal, Text: "no"}}, callsTool(0, "call_a", "weather", `{}`)...)...))
	client := s.client()
	p := responses.ResponseNewParams{Model: "scripted", Input: asks("Hi"), Tools: []responses.ToolUnionParam{weather}}
	r, err := client.Responses.New(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	complete(t, "response", r.RawJSON(), reflect.ValueOf(*r))
	completeOutput(t, "response", r.Output...)
	for _, tool := range r.Tools {
		complete(t, "tool", tool.RawJSON(), reflect.ValueOf(tool.AsFunction()))
	}
	stream := client.Responses.NewStreaming(t.Context(), p)
	defer func() { _ = stream.Close() }()
	seen := map[string]bool{}
	for stream.Next() {
		e := stream.Current()
		seen[e.Type] = true
		complete(t, e.Type, e.RawJSON(), reflect.ValueOf(e.AsAny()))
		if e.JSON.Item.Valid() {
			completeOutput(t, e.Type, e.Item)
		}
		completeOutput(t, e.Type, e.Response.Output...)
	}
	if err := stream.Err(); err != nil || len(seen) != 13 {
		t.Errorf("%d types of events, %v", len(seen), err)
	}
	_, body := s.post("/v1/responses", `{"model":"sandbox","input":"sandbox:cut","stream":true}`)
	for event := range strings.SplitSeq(strings.TrimSpace(body), "\n\n") {
		_, data, _ := strings.Cut(event, "\ndata: ")
		var e responses.ResponseStreamEventUnion
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatal(err)
		}
		complete(t, e.Type, data, reflect.ValueOf(e.AsAny()))
	}
}

// A piece of text costs no allocation.
func TestResponsesPiecesAllocateNothing(t *testing.T) {
	req, err := openaiapi.Responses{}.Decode([]byte(`{"model":"m","input":"Hi","stream":true}`))
	if err != nil {
		t.Fatal(err)
	}
	b := req.Encoder.Begin(make([]byte, 0, 16<<10), &elumenta.Started{ID: elumenta.NewGenerationID()})
	piece := elumenta.Event{Kind: elumenta.EventText, Text: " piece"}
	if n := testing.AllocsPerRun(1000, func() { b = req.Encoder.Event(b[:0], piece) }); n > 0 {
		t.Errorf("%v allocations a piece", n)
	}
}
