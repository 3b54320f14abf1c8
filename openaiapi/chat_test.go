package openaiapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/shared"

	"github.com/elumenta/elumenta"
)

// extension is the member elumenta of an answer.
type extension struct {
	GenerationID     string `json:"generation_id"`
	AssistantID      *string
	AssistantVersion *int   `json:"assistant_version"`
	TokensSpent      int64  `json:"tokens_spent"`
	BalanceRemaining *int64 `json:"balance_remaining"`
	Cache            struct{ Status string }
	Warnings         []elumenta.Warning
}

// extensionOf reads the member elumenta from an answer's JSON.
func extensionOf(t *testing.T, raw string) extension {
	t.Helper()
	var v struct{ Elumenta *extension }
	if err := json.Unmarshal([]byte(raw), &v); err != nil || v.Elumenta == nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return *v.Elumenta
}

func TestChat(t *testing.T) {
	s := newServer(t, says("Ahoy", ", matey."))
	client := s.client()
	before := s.balance()
	c, err := client.Chat.Completions.New(t.Context(), openai.ChatCompletionNewParams{
		Model: "scripted", Temperature: param.NewOpt(0.5), TopP: param.NewOpt(0.9), MaxCompletionTokens: param.NewOpt[int64](100), Seed: param.NewOpt[int64](7),
		Stop: openai.ChatCompletionNewParamsStopUnion{OfStringArray: []string{"END"}},
		Messages: []openai.ChatCompletionMessageParamUnion{
			openai.SystemMessage("Be short."), openai.UserMessage("Hello"), openai.AssistantMessage("Hi."), openai.DeveloperMessage("Be merry."), openai.UserMessage("Again"),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if m := c.Choices[0].Message; m.Content != "Ahoy, matey." || c.Choices[0].FinishReason != "stop" || string(m.Role) != "assistant" || m.Refusal != "" || m.ToolCalls != nil {
		t.Errorf("%s", c.RawJSON())
	}
	if c.Model != "scripted" || !strings.HasPrefix(c.ID, "chatcmpl-") || string(c.Object) != "chat.completion" || c.Created == 0 {
		t.Errorf("%s", c.RawJSON())
	}
	if u := c.Usage; u.PromptTokens != 30 || u.CompletionTokens != 12 || u.TotalTokens != 42 || u.PromptTokensDetails.CachedTokens != 20 || u.CompletionTokensDetails.ReasoningTokens != 5 {
		t.Errorf("%s", c.RawJSON())
	}
	own := extensionOf(t, c.RawJSON())
	if own.TokensSpent != 4 || *own.BalanceRemaining != before-4 || s.balance() != before-4 || own.Cache.Status != "hit" || "chatcmpl-"+strings.TrimPrefix(own.GenerationID, "gen_") != c.ID {
		t.Errorf("%+v", own)
	}
	if got := warned(own); !slices.Equal(got, []string{"system_message_moved messages[3]", "unsupported_setting seed"}) {
		t.Error(got)
	}
	p := s.prompt()
	if got := texts(p.System); !slices.Equal(got, []string{"Be short.", "Be merry."}) {
		t.Error(got)
	}
	if len(p.Turns) != 3 || p.Turns[1].Role != elumenta.RoleOfAssistant || texts(p.Turns[2].Parts)[0] != "Again" {
		t.Errorf("%d turns", len(p.Turns))
	}
	if *p.Settings.Temperature != 0.5 || *p.Settings.TopP != 0.9 || *p.Settings.MaxTokens != 100 || !slices.Equal(p.Settings.Stop, []string{"END"}) || p.Stream {
		t.Errorf("%+v", p.Settings)
	}
}

func texts(parts []elumenta.Part) (texts []string) {
	for _, p := range parts {
		texts = append(texts, string(p.Text))
	}
	return texts
}

func warned(e extension) (list []string) {
	for _, w := range e.Warnings {
		list = append(list, w.Code+" "+w.Field)
	}
	return list
}

func TestChatStream(t *testing.T) {
	s := newServer(t, says("Ahoy", ", matey."))
	client := s.client()
	stream := client.Chat.Completions.NewStreaming(t.Context(), openai.ChatCompletionNewParams{
		Model: "scripted", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hello")},
		StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: param.NewOpt(true)},
	})
	var all openai.ChatCompletionAccumulator
	var deltas []string
	var own extension
	for stream.Next() {
		chunk := stream.Current()
		if !all.AddChunk(chunk) {
			t.Errorf("not accumulated: %s", chunk.RawJSON())
		}
		switch {
		case len(chunk.Choices) == 0:
			if chunk.Usage.TotalTokens != 42 || chunk.Usage.PromptTokensDetails.CachedTokens != 20 {
				t.Errorf("usage: %s", chunk.RawJSON())
			}
		case chunk.Choices[0].FinishReason != "":
			own = extensionOf(t, chunk.RawJSON())
		default:
			deltas = append(deltas, chunk.Choices[0].Delta.Role+chunk.Choices[0].Delta.Content)
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if want := []string{"assistant", "Ahoy", ", matey."}; !slices.Equal(deltas, want) {
		t.Errorf("%q", deltas)
	}
	if all.Choices[0].Message.Content != "Ahoy, matey." || all.Choices[0].FinishReason != "stop" || all.Usage.TotalTokens != 42 {
		t.Errorf("%+v", all.ChatCompletion)
	}
	if own.TokensSpent != 4 || *own.BalanceRemaining != s.balance() {
		t.Errorf("%+v", own)
	}
	if _, body := s.post("/v1/chat/completions", `{"model":"scripted","messages":[{"role":"user","content":"Hi"}],"stream":true}`); strings.Contains(body, `"usage"`) ||
		!strings.HasSuffix(body, "data: [DONE]\n\n") {
		t.Errorf("without usage: %s", body)
	}
}

// agent plays a model that calls tools twice and answers then, by how much of the conversation it has seen.
func agent(_ context.Context, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
	type event = elumenta.Event
	end := done
	end.Finish = elumenta.FinishToolCalls
	var events []event
	switch len(p.Turns) {
	case 1:
		events = []event{
			{Kind: elumenta.EventToolCall, ID: "call_a", Name: "weather"},
			{Kind: elumenta.EventToolInput, Text: `{"city":`}, {Kind: elumenta.EventToolInput, Text: `"Berlin"}`},
			{Kind: elumenta.EventToolCall, Index: 1, ID: "call_b", Name: "clock"}, {Kind: elumenta.EventToolInput, Index: 1, Text: `{}`},
		}
	case 3:
		events = []event{
			{Kind: elumenta.EventText, Text: "One moment."},
			{Kind: elumenta.EventToolCall, ID: "call_c", Name: "weather"}, {Kind: elumenta.EventToolInput, Text: `{"city":"Rome"}`},
		}
	default:
		end.Finish = elumenta.FinishStop
		events = []event{{Kind: elumenta.EventText, Text: "Rome is warmer."}}
	}
	for _, e := range events {
		if err := emit(e); err != nil {
			return elumenta.Completion{}, err
		}
	}
	return end, nil
}

// A conversation in which tools are called twice, streamed and whole: ids and arguments are the same all the way.
func TestChatTools(t *testing.T) {
	s := newServer(t, agent)
	client := s.client()
	whole := func(p openai.ChatCompletionNewParams) (openai.ChatCompletion, error) {
		c, err := client.Chat.Completions.New(t.Context(), p)
		if err != nil {
			return openai.ChatCompletion{}, err
		}
		return *c, nil
	}
	streamed := func(p openai.ChatCompletionNewParams) (openai.ChatCompletion, error) {
		stream := client.Chat.Completions.NewStreaming(t.Context(), p)
		var all openai.ChatCompletionAccumulator
		for stream.Next() {
			if !all.AddChunk(stream.Current()) {
				t.Errorf("not accumulated: %s", stream.Current().RawJSON())
			}
		}
		return all.ChatCompletion, stream.Err()
	}
	for name, ask := range map[string]func(openai.ChatCompletionNewParams) (openai.ChatCompletion, error){"whole": whole, "streamed": streamed} {
		t.Run(name, func(t *testing.T) {
			city := shared.FunctionParameters{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}}
			params := openai.ChatCompletionNewParams{
				Model: "scripted", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Where is it warmer?")}, ParallelToolCalls: param.NewOpt(true),
				Tools: []openai.ChatCompletionToolUnionParam{
					openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{Name: "weather", Description: param.NewOpt("Weather of a city"), Parameters: city, Strict: param.NewOpt(true)}),
					openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{Name: "clock"}),
				},
				ToolChoice: openai.ChatCompletionToolChoiceOptionUnionParam{OfAuto: param.NewOpt("required")},
			}
			var calls []string
			for range 3 {
				c, err := ask(params)
				if err != nil {
					t.Fatal(err)
				}
				choice := c.Choices[0]
				params.Messages = append(params.Messages, choice.Message.ToParam())
				for _, call := range choice.Message.ToolCalls {
					calls = append(calls, call.ID+" "+call.Function.Name+call.Function.Arguments)
					params.Messages = append(params.Messages, openai.ToolMessage("result of "+call.ID, call.ID))
				}
				if (len(choice.Message.ToolCalls) > 0) != (choice.FinishReason == "tool_calls") {
					t.Errorf("finish_reason %s", choice.FinishReason)
				}
			}
			if want := []string{`call_a weather{"city":"Berlin"}`, `call_b clock{}`, `call_c weather{"city":"Rome"}`}; !slices.Equal(calls, want) {
				t.Errorf("%q", calls)
			}
			p := s.prompt()
			if p.ToolChoice.Mode != elumenta.ToolAny || !*p.ToolChoice.Parallel || p.Tools[0].Name != "weather" || !p.Tools[0].Strict || p.Tools[1].Parameters != nil {
				t.Errorf("%+v %+v", p.ToolChoice, p.Tools)
			}
			var said []string
			for _, turn := range p.Turns {
				for _, part := range turn.Parts {
					switch part.Kind {
					case elumenta.PartToolCall:
						said = append(said, string(turn.Role)+" calls "+part.ToolCall.ID+" "+part.ToolCall.Name+string(part.ToolCall.Arguments))
					case elumenta.PartToolResult:
						said = append(said, string(turn.Role)+" has "+part.ToolResult.CallID+" "+part.ToolResult.Name+" "+string(part.ToolResult.Content[0].Text))
					default:
						said = append(said, string(turn.Role)+" "+string(part.Text))
					}
				}
			}
			want := []string{
				"user Where is it warmer?", `assistant calls call_a weather{"city":"Berlin"}`, `assistant calls call_b clock{}`,
				"user has call_a weather result of call_a", "user has call_b clock result of call_b",
				"assistant One moment.", `assistant calls call_c weather{"city":"Rome"}`, "user has call_c weather result of call_c",
			}
			if diff := cmp.Diff(want, said); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestChatStructuredOutputAndImages(t *testing.T) {
	s := newServer(t, says(`{"city":"Rome"}`))
	client := s.client()
	const png = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	schema := map[string]any{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"}, "additionalProperties": false}
	params := openai.ChatCompletionNewParams{
		Model: "scripted",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
			openai.TextContentPart("Which city?"), openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: png, Detail: "high"}),
		})},
		ResponseFormat: openai.ChatCompletionNewParamsResponseFormatUnion{OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{
			JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "city", Strict: param.NewOpt(true), Schema: schema, Description: param.NewOpt("A city")},
		}},
	}
	c, err := client.Chat.Completions.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	if got := warned(extensionOf(t, c.RawJSON())); !slices.Equal(got, []string{"image_detail_ignored messages[0].content[1].image_url.detail", "unsupported_setting response_format.json_schema.description"}) {
		t.Error(got)
	}
	p := s.prompt()
	var sent map[string]any
	if f := p.Settings.ResponseFormat; f.Type != "json_schema" || f.Name != "city" || !f.Strict || json.Unmarshal(f.Schema, &sent) != nil || sent["type"] != "object" {
		t.Errorf("%+v", f)
	}
	if image := p.Turns[0].Parts[1].Image; image == nil || image.MediaType != "image/png" || "data:image/png;base64,"+string(image.Data) != png {
		t.Errorf("%+v", image)
	}
	params.Model = "poor"
	if e := failure(t, client, params); e.StatusCode != http.StatusBadRequest || e.Param != "response_format" || !strings.Contains(e.Message, "json_schema") || !strings.Contains(e.Message, "image") {
		t.Errorf("%s", e.RawJSON())
	}
	params.Model, params.Messages = "scripted", []openai.ChatCompletionMessageParamUnion{openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
		openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: "https://example.com/a.png"}),
	})}
	if e := failure(t, client, params); e.StatusCode != http.StatusBadRequest || e.Param != "messages" || e.Type != "invalid_request_error" {
		t.Errorf("%s", e.RawJSON())
	}
}

// An assistant answers by its id, pinned to a version or not, with variables.
func TestChatAssistant(t *testing.T) {
	s := newServer(t, says("Ahoy"))
	client := s.client()
	a := s.assistant(elumenta.Fields{
		Name: "Pirate", Model: "scripted", Instructions: "You are {{name}}, a pirate.", Variables: []elumenta.Variable{{Name: "name", Required: true}},
	})
	s.edit(a, "You are {{name}}, an old pirate.")
	params := openai.ChatCompletionNewParams{Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("Be short."), openai.UserMessage("Hello")}}
	for id, want := range map[string]struct {
		instructions string
		version      int
	}{string(a.ID): {"You are Ann, an old pirate.", 2}, string(a.ID) + "@1": {"You are Ann, a pirate.", 1}} {
		params.Model = id
		c, err := client.Chat.Completions.New(t.Context(), params, option.WithJSONSet("variables", map[string]string{"name": "Ann"}))
		if err != nil {
			t.Fatal(err)
		}
		own := extensionOf(t, c.RawJSON())
		if got := strings.Join(texts(s.prompt().Instructions), ""); got != want.instructions || *own.AssistantVersion != want.version || c.Model != id {
			t.Errorf("%s: %q, version %d", c.Model, got, *own.AssistantVersion)
		}
		if strings.Contains(c.RawJSON(), "pirate") {
			t.Errorf("the answer shows instructions: %s", c.RawJSON())
		}
	}
	if e := failure(t, client, params); e.StatusCode != http.StatusBadRequest || e.Param != "variables.name" {
		t.Errorf("%s", e.RawJSON())
	}
	params.Model = string(a.ID) + "@9"
	if e := failure(t, client, params); e.StatusCode != http.StatusNotFound || e.Code != "model_not_found" {
		t.Errorf("%s", e.RawJSON())
	}
	if strings.Contains(s.log.String(), "pirate") || strings.Contains(s.log.String(), "Ann") {
		t.Error("the log has something of a conversation")
	}
}
