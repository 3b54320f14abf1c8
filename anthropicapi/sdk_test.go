package anthropicapi_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/anthropics/anthropic-sdk-go/packages/param"
	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
	upstream "github.com/elumenta/elumenta/provider/anthropic"
)

// pixel is a GIF of one.
const pixel = "R0lGODlhAQABAAAAACw="

// stream reads a streamed answer to its end, as the SDK puts it together.
func stream(t *testing.T, c *anthropic.Client, p anthropic.MessageNewParams, o ...option.RequestOption) *anthropic.Message {
	t.Helper()
	s := c.Messages.NewStreaming(t.Context(), p, o...)
	defer func() { _ = s.Close() }()
	var m anthropic.Message
	for s.Next() {
		if err := m.Accumulate(s.Current()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return &m
}

// shape is an answer without what differs between two.
func shape(t *testing.T, m *anthropic.Message) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(m.RawJSON()), &v); err != nil {
		t.Fatal(err)
	}
	if id, _ := v["id"].(string); !strings.HasPrefix(id, "msg_") || v["elumenta"].(map[string]any)["generation_id"] != "gen_"+id[4:] {
		t.Errorf("ids of %v", v)
	}
	delete(v, "id")
	delete(v["elumenta"].(map[string]any), "generation_id")
	for _, attempt := range v["elumenta"].(map[string]any)["attempts"].([]any) {
		delete(attempt.(map[string]any), "duration_ms")
	}
	return v
}

func TestMessage(t *testing.T) {
	events := []elumenta.Event{
		{Kind: elumenta.EventReasoning, Text: "hm"}, {Kind: elumenta.EventText, Text: "It is "}, {Kind: elumenta.EventText, Text: "\"warm\"\n"}, {Kind: elumenta.EventPause},
		{Kind: elumenta.EventToolCall, ID: "call_1", Name: "weather"}, {Kind: elumenta.EventToolInput, Text: `{"city":`}, {Kind: elumenta.EventToolInput, Text: `"Bern"}`},
		{Kind: elumenta.EventToolCall, Index: 1, ID: "call_2", Name: "clock"}, {Kind: elumenta.EventToolInput, Index: 1, Text: `{}`}, {Kind: elumenta.EventPause},
	}
	s := newServer(t, setup{plan: "pro", provider: script(func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		for _, e := range events {
			if err := emit(e); err != nil {
				return elumenta.Completion{}, err
			}
		}
		return elumenta.Completion{Finish: elumenta.FinishToolCalls, Usage: elumenta.Usage{
			PromptTokens: 100, CompletionTokens: 7, CachedTokens: 60, CacheWriteTokens: 30, ReasoningTokens: 2,
		}}, nil
	})})
	c := s.client()
	p := hello("scripted")
	p.TopK = param.NewOpt(int64(5))
	whole, err := c.Messages.New(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	want := anthropic.StopReasonToolUse
	if whole.StopReason != want || whole.Role != "assistant" || whole.Type != "message" || whole.Model != "scripted" || whole.StopSequence != "" {
		t.Errorf("message %s", whole.RawJSON())
	}
	if len(whole.Content) != 3 || whole.Content[0].Text != "It is \"warm\"\n" {
		t.Fatalf("content %s", whole.RawJSON())
	}
	if call := whole.Content[1].AsToolUse(); call.ID != "call_1" || call.Name != "weather" || string(call.Input) != `{"city":"Bern"}` {
		t.Errorf("tool_use %s", call.RawJSON())
	}
	if u := whole.Usage; u.InputTokens != 10 || u.CacheReadInputTokens != 60 || u.CacheCreationInputTokens != 30 || u.OutputTokens != 7 {
		t.Errorf("usage %s", u.RawJSON())
	}
	// A bearer key is as good as x-api-key.
	bearer := s.client(option.WithHeaderDel("x-api-key"), option.WithHeader("Authorization", "Bearer "+s.key))
	streamed := shape(t, stream(t, &bearer, p))
	ours := streamed["elumenta"].(map[string]any)
	if left := ours["balance_remaining"]; left != 694.0 || ours["tokens_spent"] != 3.0 {
		t.Errorf("facts %v", ours)
	}
	if w := ours["warnings"].([]any); len(w) != 1 || w[0].(map[string]any)["field"] != "top_k" {
		t.Errorf("warnings %v", w)
	}
	ours["balance_remaining"] = 697.0
	if diff := cmp.Diff(shape(t, whole), streamed); diff != "" {
		t.Errorf("whole and streamed differ:\n%s", diff)
	}
}

func TestToolsOverTurns(t *testing.T) {
	turn := 0
	s := newServer(t, setup{provider: script(func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		turn++
		if turn == 3 {
			return elumenta.Completion{Finish: elumenta.FinishStop}, emit(elumenta.Event{Kind: elumenta.EventText, Text: "21 °C"})
		}
		for _, e := range []elumenta.Event{
			{Kind: elumenta.EventToolCall, ID: []string{"", "functions.weather:0", "toolu_2"}[turn], Name: "weather"},
			{Kind: elumenta.EventToolInput, Text: `{"city": `}, {Kind: elumenta.EventToolInput, Text: `"Bern", "n": 1e400}`},
		} {
			if err := emit(e); err != nil {
				return elumenta.Completion{}, err
			}
		}
		return elumenta.Completion{Finish: elumenta.FinishToolCalls}, nil
	})})
	c := s.client()
	p := hello("scripted")
	p.System = []anthropic.TextBlockParam{{Text: "Be brief."}}
	p.Tools = []anthropic.ToolUnionParam{{OfTool: &anthropic.ToolParam{
		Name: "weather", Description: param.NewOpt("now"), Strict: param.NewOpt(true), InputSchema: anthropic.ToolInputSchemaParam{Properties: map[string]any{"city": map[string]any{"type": "string"}}, Required: []string{"city"}},
	}}}
	p.ToolChoice = anthropic.ToolChoiceUnionParam{OfAny: &anthropic.ToolChoiceAnyParam{DisableParallelToolUse: param.NewOpt(true)}}
	first := stream(t, &c, p)
	if n := len(first.Content); n != 1 || first.Content[0].ID != "functions.weather:0" || first.StopReason != "tool_use" {
		t.Fatalf("answer %s", first.RawJSON())
	}
	asked := s.prompt()
	wantTool := elumenta.Tool{Name: "weather", Description: "now", Strict: true, Parameters: json.RawMessage(`{"properties":{"city":{"type":"string"}},"required":["city"],"type":"object"}`)}
	if diff := cmp.Diff([]elumenta.Tool{wantTool}, asked.Tools, sameJSON); diff != "" {
		t.Error(diff)
	}
	if parallel := asked.ToolChoice.Parallel; asked.ToolChoice.Mode != elumenta.ToolAny || parallel == nil || *parallel || string(asked.System[0].Text) != "Be brief." {
		t.Errorf("choice %+v", asked.ToolChoice)
	}
	p.Messages = append(p.Messages, first.ToParam(), anthropic.NewUserMessage(anthropic.NewToolResultBlock(first.Content[0].ID, "no such city", true)))
	p.ToolChoice = anthropic.ToolChoiceUnionParam{OfTool: &anthropic.ToolChoiceToolParam{Name: "weather"}}
	second, err := c.Messages.New(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	p.Messages = append(p.Messages, second.ToParam(), anthropic.NewUserMessage(anthropic.ContentBlockParamUnion{OfToolResult: &anthropic.ToolResultBlockParam{
		ToolUseID: second.Content[0].ID, Content: []anthropic.ToolResultBlockParamContentUnion{
			{OfText: &anthropic.TextBlockParam{Text: "see"}},
			{OfImage: &anthropic.ImageBlockParam{Source: anthropic.ImageBlockParamSourceUnion{OfBase64: &anthropic.Base64ImageSourceParam{MediaType: "image/gif", Data: pixel}}}},
		},
	}}, anthropic.NewTextBlock("Well?")))
	p.ToolChoice = anthropic.ToolChoiceUnionParam{OfNone: &anthropic.ToolChoiceNoneParam{}}
	third := stream(t, &c, p)
	if len(third.Content) != 1 || third.Content[0].Text != "21 °C" || third.StopReason != "end_turn" {
		t.Errorf("answer %s", third.RawJSON())
	}
	call := func(id string) elumenta.Part {
		return elumenta.Part{Kind: elumenta.PartToolCall, ToolCall: &elumenta.ToolCall{ID: id, Name: "weather", Arguments: `{"city": "Bern", "n": 1e400}`}}
	}
	text := func(s elumenta.Text) elumenta.Part { return elumenta.Part{Kind: elumenta.PartText, Text: s} }
	result := func(r elumenta.ToolResult) elumenta.Part {
		r.Name = "weather"
		return elumenta.Part{Kind: elumenta.PartToolResult, ToolResult: &r}
	}
	last := text("Well?")
	last.CacheMark = true
	want := []elumenta.Turn{
		{Role: "user", Parts: []elumenta.Part{text("Hello")}},
		{Role: "assistant", Parts: []elumenta.Part{call("functions.weather:0")}},
		{Role: "user", Parts: []elumenta.Part{result(elumenta.ToolResult{CallID: "functions.weather:0", IsError: true, Content: []elumenta.Part{text("no such city")}})}},
		{Role: "assistant", Parts: []elumenta.Part{call("toolu_2")}},
		{Role: "user", Parts: []elumenta.Part{result(elumenta.ToolResult{CallID: "toolu_2", Content: []elumenta.Part{
			text("see"), {Kind: elumenta.PartImage, Image: &elumenta.Image{MediaType: "image/gif", Data: pixel}},
		}}), last}},
	}
	if diff := cmp.Diff(want, s.prompt().Turns, readable, withoutSpace); diff != "" {
		t.Error(diff)
	}
	if s.prompt().ToolChoice.Mode != elumenta.ToolNone {
		t.Errorf("choice %+v", s.prompt().ToolChoice)
	}
}

// readable compares texts as what they are.
var readable = cmp.Transformer("readable", func(t elumenta.Text) string { return string(t) })

// sameJSON compares schemas by what they say.
var sameJSON = cmp.Comparer(func(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && cmp.Equal(x, y)
})

// withoutSpace compares the arguments of calls, which clients may format anew.
var withoutSpace = cmp.Comparer(func(a, b elumenta.ToolCall) bool {
	plain := func(t elumenta.Text) string { return strings.ReplaceAll(string(t), " ", "") }
	return a.ID == b.ID && a.Name == b.Name && plain(a.Arguments) == plain(b.Arguments)
})

func TestImagesSettingsAndFormat(t *testing.T) {
	s := newServer(t, setup{provider: says("A cat.")})
	c := s.client()
	p := hello("scripted")
	p.Messages = []anthropic.MessageParam{anthropic.NewUserMessage(
		anthropic.NewImageBlockBase64("image/gif", pixel), anthropic.NewImageBlock(anthropic.URLImageSourceParam{URL: "https://example.com/cat.png"}), anthropic.NewTextBlock("What is it?"))}
	p.Temperature, p.TopP, p.StopSequences = param.NewOpt(0.5), param.NewOpt(0.25), []string{"END"}
	p.Metadata = anthropic.MetadataParam{UserID: param.NewOpt(strings.Repeat("u", 159))}
	p.OutputConfig = anthropic.OutputConfigParam{Format: anthropic.JSONOutputFormatParam{Schema: map[string]any{"type": "object"}}}
	if _, err := c.Messages.New(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	asked := s.prompt()
	parts := asked.Turns[0].Parts
	if len(parts) != 3 || parts[0].Image.Data != pixel || parts[0].Image.MediaType != "image/gif" || parts[1].Image.URL != "https://example.com/cat.png" || parts[2].Text != "What is it?" {
		t.Errorf("parts %+v", parts)
	}
	want := elumenta.Settings{
		Temperature: new(0.5), TopP: new(0.25), MaxTokens: new(100), Stop: []string{"END"},
		ResponseFormat: &elumenta.ResponseFormat{Type: "json_schema", Name: "output", Strict: true, Schema: json.RawMessage(`{"type":"object"}`)},
	}
	if diff := cmp.Diff(want, asked.Settings); diff != "" {
		t.Error(diff)
	}
	if asked.User == "" || strings.Contains(asked.User, "uu") {
		t.Errorf("user %q", asked.User)
	}
}

func TestAssistants(t *testing.T) {
	s := newServer(t, setup{provider: says("Arr.")})
	a, _, err := s.store.CreateAssistant(t.Context(), s.owner, elumenta.Fields{
		Name: "Pirate", Model: "scripted", Instructions: "You are {{who}}.", Variables: []elumenta.Variable{{Name: "who", Required: true}},
	}, elumenta.Private, nil)
	if err != nil {
		t.Fatal(err)
	}
	later := elumenta.Patch{Instructions: elumenta.Optional[elumenta.Text]{Set: true, Value: "Later, {{who}}."}}
	if _, err := s.store.UpdateAssistant(t.Context(), s.owner, a.ID, 0, &later); err != nil {
		t.Fatal(err)
	}
	c := s.client(option.WithJSONSet("variables", map[string]string{"who": "a pirate"}))
	for model, want := range map[string]string{string(a.ID): "Later, a pirate.", string(a.ID) + "@1": "You are a pirate."} {
		m := stream(t, &c, hello(model))
		ours := shape(t, m)["elumenta"].(map[string]any)
		if got := s.prompt().SystemText(); got != want || m.Model != "scripted" || ours["assistant_id"] != string(a.ID) {
			t.Errorf("%s: %q, %s", model, got, m.RawJSON())
		}
	}
	plain := s.client()
	_, err = plain.Messages.New(t.Context(), hello(string(a.ID)))
	wantError(t, err, 400, "invalid_request_error", "variables.who is required")
	_, err = plain.Messages.New(t.Context(), hello(string(a.ID)+"@9"))
	wantError(t, err, 404, "not_found_error", "")
	_, err = plain.Messages.New(t.Context(), hello("asst_x"))
	wantError(t, err, 404, "not_found_error", "")
}

// TestAnthropicToAnthropic sends a conversation on to a provider that speaks this very API: it gets what the client sent, reasoning included.
func TestAnthropicToAnthropic(t *testing.T) {
	var sent map[string]any
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(body, &sent) != nil {
			t.Errorf("the provider got %s (%v)", body, err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"type":"message","id":"msg_1","content":[{"type":"text","text":"Warm."}],"stop_reason":"refusal","usage":{"input_tokens":5,"output_tokens":2}}`)
	}))
	defer up.Close()
	s := newServer(t, setup{provider: upstream.Provider{}, baseURL: up.URL})
	messages := `[
		{"role":"user","content":[{"type":"text","text":"Is it warm?","cache_control":{"type":"ephemeral"}}]},
		{"role":"assistant","content":[
			{"type":"thinking","thinking":"I should look.","signature":"c2ln"},
			{"type":"redacted_thinking","data":"ZGF0YQ=="},
			{"type":"text","text":"I look."},
			{"type":"tool_use","id":"toolu_1","name":"weather","input":{"city":"Bern"}}]},
		{"role":"user","content":[
			{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"no"},{"type":"image","source":{"type":"base64","media_type":"image/gif","data":"` + pixel + `"}}],"is_error":true},
			{"type":"text","text":"Well?","cache_control":{"type":"ephemeral"}}]}]`
	var want any
	if err := json.Unmarshal([]byte(messages), &want); err != nil {
		t.Fatal(err)
	}
	c := s.client()
	m, err := c.Messages.New(t.Context(), hello("scripted"), option.WithJSONSet("messages", want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, sent["messages"]); diff != "" {
		t.Error(diff)
	}
	if m.StopReason != "refusal" || m.StopDetails.Type != "refusal" || m.Usage.InputTokens != 5 {
		t.Errorf("answer %s", m.RawJSON())
	}
}

// What ended an answer is told where the provider tells it, to the letter.
func TestStopSequence(t *testing.T) {
	s := newServer(t, setup{provider: script(func(_ context.Context, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		c := elumenta.Completion{Finish: elumenta.FinishStop}
		if len(p.Settings.Stop) > 0 {
			c.StopSequence = p.Settings.Stop[0]
		}
		return c, emit(elumenta.Event{Kind: elumenta.EventText, Text: "Hi"})
	})})
	c := s.client()
	p := anthropic.MessageNewParams{Model: "scripted", MaxTokens: 10, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("Hi"))}}
	for want, stops := range map[string][]string{"": nil, "\n\"END\"": {"\n\"END\""}} {
		p.StopSequences = stops
		whole, err := c.Messages.New(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		reason := anthropic.StopReasonEndTurn
		if want != "" {
			reason = anthropic.StopReasonStopSequence
		}
		for _, m := range []*anthropic.Message{whole, stream(t, &c, p)} {
			if m.StopReason != reason || m.StopSequence != want {
				t.Errorf("%q after %q, want %q after %q", m.StopReason, m.StopSequence, reason, want)
			}
		}
	}
}
