package openaiapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"

	"github.com/elumenta/elumenta"
)

// A prompt object's users change a base URL and an id.
func TestResponsesByPrompt(t *testing.T) {
	s := newServer(t, says("Ahoy, ", "Ada!"))
	greeting := "stranger"
	a := s.assistant(elumenta.Fields{
		Name: "Pirate", Model: "scripted", Instructions: "You are a pirate. Greet {{name}} in {{place}}.",
		Variables: []elumenta.Variable{{Name: "name", Default: &greeting}, {Name: "place", Required: true}},
	})
	client := s.client()
	r, err := client.Responses.New(t.Context(), responses.ResponseNewParams{
		Prompt: responses.ResponsePromptParam{
			ID: string(a.ID), Version: openai.String("1"),
			Variables: map[string]responses.ResponsePromptVariableUnionParam{
				"name":  {OfString: openai.String("Ada")},
				"place": {OfInputText: &responses.ResponseInputTextParam{Text: "Tortuga"}},
			},
		},
		Input: asks("Hello"), Instructions: openai.String("Be brief."), Metadata: map[string]string{"ticket": "7"},
		SafetyIdentifier: openai.String("ada"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.OutputText() != "Ahoy, Ada!" || r.Status != responses.ResponseStatusCompleted || r.Model != "scripted" || !strings.HasPrefix(r.ID, "resp_") || r.CreatedAt == 0 {
		t.Errorf("answered %s", r.RawJSON())
	}
	if r.Metadata["ticket"] != "7" || r.Prompt.ID != string(a.ID) || r.Prompt.Version != "1" || r.Prompt.Variables["place"].OfString != "Tortuga" || r.Instructions.OfString != "Be brief." {
		t.Errorf("the request is echoed as %s", r.RawJSON())
	}
	if strings.Contains(r.RawJSON(), "You are a pirate") {
		t.Error("the answer shows the assistant's instructions")
	}
	if u := r.Usage; u.InputTokens != 30 || u.OutputTokens != 12 || u.TotalTokens != 42 || u.InputTokensDetails.CachedTokens != 20 || u.OutputTokensDetails.ReasoningTokens != 5 {
		t.Errorf("usage: %s", u.RawJSON())
	}
	if o := ownOf(t, r); o.AssistantID == nil || *o.AssistantID != string(a.ID) || *o.AssistantVersion != 1 || *o.TokensSpent != 4 || len(o.Warnings) > 0 {
		t.Errorf("elumenta: %+v", o)
	}
	p := s.prompt()
	if got, want := p.SystemText(), "You are a pirate. Greet Ada in Tortuga.\n\nBe brief."; got != want {
		t.Errorf("the provider was told %q; want %q", got, want)
	}
	if told(p) != "user: Hello\n" || p.User == "" || p.User == "ada" {
		t.Errorf("the provider got %q of %q", told(p), p.User)
	}

	// A model beside a prompt overrides the assistant's; without an input the instructions are all there is.
	r, err = client.Responses.New(t.Context(), responses.ResponseNewParams{
		Model: "sandbox",
		Prompt: responses.ResponsePromptParam{ID: string(a.ID), Variables: map[string]responses.ResponsePromptVariableUnionParam{
			"place": {OfString: openai.String("Tortuga")},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Model != "sandbox" || !strings.Contains(r.OutputText(), "Follow the instructions.") {
		t.Errorf("answered %s", r.RawJSON())
	}

	// The same assistant as a model, pinned.
	r, err = client.Responses.New(t.Context(), responses.ResponseNewParams{Model: "sandbox", Input: asks("Hi")})
	if err != nil || r.Model != "sandbox" {
		t.Fatalf("a model answers %v, %v", r, err)
	}
	b := s.assistant(elumenta.Fields{Name: "Plain", Model: "scripted", Instructions: "Be plain."})
	r, err = client.Responses.New(t.Context(), responses.ResponseNewParams{Model: string(b.ID) + "@1", Input: asks("Hi")})
	if err != nil || r.Model != string(b.ID)+"@1" || *ownOf(t, r).AssistantVersion != 1 || ownOf(t, r).Model != "scripted" || r.Prompt.ID != "" {
		t.Fatalf("an assistant as a model answers %v, %v", r, err)
	}
}

// streamed are the events of a stream, checked for what holds of all: their order by number, and the documented shape.
func streamed(t *testing.T, s *server, p responses.ResponseNewParams) (names []string, text string, last responses.ResponseStreamEventUnion) {
	t.Helper()
	client := s.client()
	stream := client.Responses.NewStreaming(t.Context(), p)
	defer func() { _ = stream.Close() }()
	var b strings.Builder
	for stream.Next() {
		e := stream.Current()
		if e.SequenceNumber != int64(len(names)) {
			t.Errorf("%s has the sequence number %d; want %d", e.Type, e.SequenceNumber, len(names))
		}
		if e.Type == "response.output_text.delta" || e.Type == "response.refusal.delta" || e.Type == "response.function_call_arguments.delta" {
			b.WriteString(e.Delta)
		}
		names, last = append(names, strings.TrimPrefix(e.Type, "response.")), e
		if id := e.ItemID; id != "" && !strings.HasSuffix(id, fmt.Sprintf("_%d", e.OutputIndex)) {
			t.Errorf("%s of the item %s at %d", e.Type, id, e.OutputIndex)
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	return names, b.String(), last
}

func TestResponsesStreams(t *testing.T) {
	text := func(kind elumenta.EventKind, pieces ...elumenta.Text) (events []elumenta.Event) {
		for _, piece := range pieces {
			events = append(events, elumenta.Event{Kind: kind, Text: piece})
		}
		return events
	}
	for name, c := range map[string]struct {
		answer script
		events string
		text   string
		output string // of the last response: kinds, states and texts
	}{
		"text": {
			says("Hel", "lo"),
			"created in_progress output_item.added content_part.added output_text.delta output_text.delta output_text.done content_part.done output_item.done completed",
			"Hello", "message completed output_text Hello",
		},
		"reasoning before text": {
			emits(elumenta.FinishStop, append(text(elumenta.EventReasoning, "hm"), text(elumenta.EventText, "Hello")...)...),
			"created in_progress output_item.added reasoning_summary_part.added reasoning_summary_text.delta reasoning_summary_text.done reasoning_summary_part.done output_item.done " +
				"output_item.added content_part.added output_text.delta output_text.done content_part.done output_item.done completed",
			"Hello", "reasoning ;message completed output_text Hello",
		},
		"refusal": {
			emits(elumenta.FinishRefusal, append(text(elumenta.EventText, "Well. "), text(elumenta.EventRefusal, "I ", "won't.")...)...),
			"created in_progress output_item.added content_part.added output_text.delta output_text.done content_part.done " +
				"content_part.added refusal.delta refusal.delta refusal.done content_part.done output_item.done completed",
			"Well. I won't.", "message completed output_text Well. |refusal I won't.",
		},
		"refused by a filter": {
			emits(elumenta.FinishRefusal), "created in_progress incomplete", "", "",
		},
		"cut": {
			emits(elumenta.FinishLength, text(elumenta.EventText, "Hel")...),
			"created in_progress output_item.added content_part.added output_text.delta output_text.done content_part.done output_item.done incomplete",
			"Hel", "message incomplete output_text Hel",
		},
		"tools by turns": {
			emits(elumenta.FinishToolCalls, append(append(text(elumenta.EventText, "One moment."), callsTool(0, "call_a", "weather", `{"city":`)...),
				append(callsTool(1, "call_b", "time", `{"city":"Oslo"}`), elumenta.Event{Kind: elumenta.EventToolInput, Index: 0, Text: `"Rome"}`})...)...),
			"created in_progress output_item.added content_part.added output_text.delta output_text.done content_part.done output_item.done " +
				"output_item.added function_call_arguments.delta output_item.added function_call_arguments.delta function_call_arguments.delta " +
				"function_call_arguments.done output_item.done function_call_arguments.done output_item.done completed",
			`One moment.{"city":{"city":"Oslo"}"Rome"}`,
			`message completed output_text One moment.;function_call completed call_a weather {"city":"Rome"};function_call completed call_b time {"city":"Oslo"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, c.answer)
			p := responses.ResponseNewParams{Model: "scripted", Input: asks("Hi")}
			names, got, last := streamed(t, s, p)
			if diff := cmp.Diff(strings.Fields(c.events), names); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if got != c.text {
				t.Errorf("the pieces make %q; want %q", got, c.text)
			}
			if out := outline(last.Response.Output); out != c.output {
				t.Errorf("the last response holds %q; want %q", out, c.output)
			}
			if o := ownOf(t, &last.Response); o.TokensSpent == nil || *o.TokensSpent != 4 || last.Response.Usage.TotalTokens != 42 {
				t.Errorf("the last response says %+v", o)
			}

			client := s.client()
			whole, err := client.Responses.New(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			if out := outline(whole.Output); out != c.output || whole.Status != last.Response.Status || whole.IncompleteDetails.Reason != last.Response.IncompleteDetails.Reason {
				t.Errorf("in one piece it holds %q, is %s", out, whole.Status)
			}
		})
	}
}

// outline is what a response's items hold.
func outline(items []responses.ResponseOutputItemUnion) string {
	var out []string
	for _, item := range items {
		line := item.Type + " " + item.Status
		if item.Type == "function_call" {
			line += " " + item.CallID + " " + item.Name + " " + item.Arguments.OfString
		}
		for i, part := range item.Content {
			if i > 0 {
				line += "|"
			} else {
				line += " "
			}
			line += part.Type + " " + part.Text + part.Refusal
		}
		out = append(out, line)
	}
	return strings.Join(out, ";")
}

var weather = responses.ToolUnionParam{OfFunction: &responses.FunctionToolParam{
	Name: "weather", Description: openai.String("The weather of a city."), Strict: openai.Bool(true),
	Parameters: map[string]any{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"}, "additionalProperties": false},
}}

// The answer's items are sent back with the outputs of functions, as the client's documentation has it, over three turns.
func TestResponsesTools(t *testing.T) {
	s := newServer(t, nil)
	client := s.client()
	history := responses.ResponseInputParam{responses.ResponseInputItemParamOfMessage("Rome or Oslo?", responses.EasyInputMessageRoleUser)}
	ask := func(answer script) *responses.Response {
		t.Helper()
		s.answers(answer)
		r, err := client.Responses.New(t.Context(), responses.ResponseNewParams{
			Model: "scripted", Input: input(history...), Tools: []responses.ToolUnionParam{weather},
			ToolChoice: responses.ResponseNewParamsToolChoiceUnion{OfToolChoiceMode: param.NewOpt(responses.ToolChoiceOptionsRequired)}, ParallelToolCalls: openai.Bool(true),
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range r.Output {
			switch item.Type {
			case "message":
				m := item.AsMessage().ToParam()
				history = append(history, responses.ResponseInputItemUnionParam{OfOutputMessage: &m})
			case "function_call":
				call := item.AsFunctionCall().ToParam()
				history = append(history, responses.ResponseInputItemUnionParam{OfFunctionCall: &call})
			}
		}
		return r
	}
	r := ask(emits(elumenta.FinishToolCalls, append([]elumenta.Event{{Kind: elumenta.EventText, Text: "Looking."}},
		append(callsTool(0, "call_a", "weather", `{"city":`, `"Rome"}`), callsTool(1, "call_b", "weather", `{"city":"Oslo"}`)...)...)...))
	if got := outline(r.Output); got != `message completed output_text Looking.;function_call completed call_a weather {"city":"Rome"};function_call completed call_b weather {"city":"Oslo"}` {
		t.Errorf("answered %s", got)
	}
	p := s.prompt()
	if len(p.Tools) != 1 || p.Tools[0].Name != "weather" || !p.Tools[0].Strict || p.ToolChoice.Mode != elumenta.ToolAny || p.ToolChoice.Parallel == nil || !*p.ToolChoice.Parallel {
		t.Errorf("the provider got the tools %+v, %+v", p.Tools, p.ToolChoice)
	}
	history = append(history, outputs("call_a", "sun"), outputs("call_b", "snow"))
	ask(emits(elumenta.FinishToolCalls, callsTool(0, "call_c", "weather", `{"city":"Nice"}`)...))
	history = append(history, outputs("call_c", "wind"))
	if r = ask(says("Rome.")); r.OutputText() != "Rome." {
		t.Errorf("answered %s", r.RawJSON())
	}
	want := `user: Rome or Oslo?
assistant: Looking. call call_a weather {"city":"Rome"} call call_b weather {"city":"Oslo"}
user: result call_a weather sun result call_b weather snow
assistant: call call_c weather {"city":"Nice"}
user: result call_c weather wind
`
	if diff := cmp.Diff(want, told(s.prompt())); diff != "" {
		t.Errorf("the provider got (-want +got):\n%s", diff)
	}
	if o := ownOf(t, r); len(o.Warnings) > 0 {
		t.Errorf("warned of %v", o.Warnings)
	}
}

func TestResponsesSettings(t *testing.T) {
	s := newServer(t, says(`{"a":1}`))
	client := s.client()
	schema := map[string]any{"type": "object", "properties": map[string]any{"a": map[string]any{"type": "integer"}}, "required": []string{"a"}, "additionalProperties": false}
	image := "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	r, err := client.Responses.New(t.Context(), responses.ResponseNewParams{
		Model: "scripted", Temperature: openai.Float(1.5), TopP: openai.Float(0.5), MaxOutputTokens: openai.Int(50),
		Input: input(responses.ResponseInputItemParamOfMessage("Be exact.", responses.EasyInputMessageRoleDeveloper), responses.ResponseInputItemParamOfInputMessage(responses.ResponseInputMessageContentListParam{
			responses.ResponseInputContentParamOfInputText("What is this?"),
			{OfInputImage: &responses.ResponseInputImageParam{Detail: responses.ResponseInputImageDetailHigh, ImageURL: openai.String(image)}},
		}, "user")),
		Text: responses.ResponseTextConfigParam{
			Format:    responses.ResponseFormatTextConfigUnionParam{OfJSONSchema: &responses.ResponseFormatTextJSONSchemaConfigParam{Name: "answer", Schema: schema, Strict: openai.Bool(true)}},
			Verbosity: responses.ResponseTextConfigVerbosityLow,
		},
		Include: []responses.ResponseIncludable{responses.ResponseIncludableReasoningEncryptedContent}, Store: openai.Bool(false),
		PromptCacheKey: openai.String("k"),
	})
	if err != nil {
		t.Fatal(err)
	}
	p := s.prompt()
	f := p.Settings.ResponseFormat
	if f == nil || f.Type != elumenta.FormatJSONSchema || f.Name != "answer" || !f.Strict || !strings.Contains(string(f.Schema), "integer") || *p.Settings.TopP != 0.5 || *p.Settings.MaxTokens != 50 {
		t.Errorf("the provider got %+v", p.Settings)
	}
	if got := told(p); got != "user: What is this? image image/png\n" || p.SystemText() != "Be exact." {
		t.Errorf("the provider got %q, %q", got, p.SystemText())
	}
	if got, want := ownOf(t, r).warned(), "input[1].content[1].detail text.verbosity prompt_cache_key"; got != want {
		t.Errorf("warned of %q; want %q", got, want)
	}
	if r.Text.Format.Name != "answer" || r.Temperature != 1.5 || r.MaxOutputTokens != 50 || r.PromptCacheKey != "k" || r.Truncation != "disabled" || !strings.Contains(r.RawJSON(), `"store":false`) {
		t.Errorf("the request is echoed as %s", r.RawJSON())
	}
}
