package openai_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/providertest"
)

const (
	pixel    = "iVBORw0KGgo="
	imageURL = "https://example.com/a.png"
	schema   = `{"type":"object","properties":{"location":{"type":"string"}},"required":["location"]}`
)

func textPart(text string) elumenta.Part {
	return elumenta.Part{Kind: elumenta.PartText, Text: elumenta.Text(text)}
}

func user(parts ...elumenta.Part) elumenta.Turn {
	return elumenta.Turn{Role: elumenta.RoleOfUser, Parts: parts}
}

func assistant(parts ...elumenta.Part) elumenta.Turn {
	return elumenta.Turn{Role: elumenta.RoleOfAssistant, Parts: parts}
}

func everything() elumenta.Capabilities {
	return elumenta.Capabilities{
		Temperature: &elumenta.Range{Max: 2}, TopP: &elumenta.Range{Max: 1}, Stop: 4, MaxTokens: 1000,
		JSONObject: true, JSONSchema: true, Tools: true, Vision: true, FetchesURLs: true,
	}
}

// prompts are what both formats are asked to send.
func prompts() map[string]*elumenta.Prompt {
	images := []elumenta.Part{
		textPart("What is this?\n\"\u2028<é>\" \x00\t"),
		{Kind: elumenta.PartImage, Image: &elumenta.Image{MediaType: "image/png", Data: pixel}},
		{Kind: elumenta.PartImage, Image: &elumenta.Image{URL: imageURL}},
	}
	call := elumenta.ToolCall{ID: "call_1", Name: "weather", Arguments: `{"location":"Rome"}`}
	return map[string]*elumenta.Prompt{
		"history": {
			Instructions: []elumenta.Part{textPart("You are "), textPart("{{name}} & co.")},
			System:       []elumenta.Part{textPart("Be short."), textPart("Be kind.")},
			Turns:        []elumenta.Turn{user(textPart("Hi")), assistant(textPart("Hello")), user(textPart("Bye"))},
			CacheKey:     "cache-key", User: "user-hash", Stream: true,
		},
		"assistant first": {Turns: []elumenta.Turn{assistant(textPart("Hello")), user(textPart("Hi"))}},
		"images":          {Turns: []elumenta.Turn{user(images...)}},
		"settings": {
			Turns: []elumenta.Turn{user(textPart("Hi"))},
			Settings: elumenta.Settings{
				Temperature: new(0.3), TopP: new(1e-7), MaxTokens: new(100),
				ResponseFormat: &elumenta.ResponseFormat{Type: elumenta.FormatJSONSchema, Name: "place", Schema: json.RawMessage(schema), Strict: true},
			},
		},
		"JSON object": {
			Turns:    []elumenta.Turn{user(textPart("JSON please"))},
			Settings: elumenta.Settings{ResponseFormat: &elumenta.ResponseFormat{Type: elumenta.FormatJSONObject}},
		},
		"tools": {
			Turns: []elumenta.Turn{
				user(textPart("Weather?")),
				assistant(
					elumenta.Part{Kind: elumenta.PartReasoning, Opaque: &elumenta.Opaque{Format: "openai", Data: reasoningItem}},
					textPart("I look."),
					elumenta.Part{Kind: elumenta.PartToolCall, ToolCall: &call}),
				user(elumenta.Part{Kind: elumenta.PartToolResult, ToolResult: &elumenta.ToolResult{CallID: "call_1", Name: "weather", Content: []elumenta.Part{textPart("40 C")}}},
					textPart("And now?")),
			},
			Tools: []elumenta.Tool{
				{Name: "weather", Description: "Get the weather", Parameters: json.RawMessage(schema), Strict: true},
				{Name: "time", Parameters: json.RawMessage(`{"type":"object","properties":{}}`)},
			},
			ToolChoice: elumenta.ToolChoice{Mode: elumenta.ToolNamed, Name: "weather", Parallel: new(false)},
		},
	}
}

func decoded(text string) map[string]any {
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(err)
	}
	return v
}

// chatSDK is the same in openai-go's words, as far as it differs from prompt to prompt.
func chatSDK() map[string]sdk.ChatCompletionNewParams {
	userText := func(text string) []sdk.ChatCompletionMessageParamUnion {
		return []sdk.ChatCompletionMessageParamUnion{sdk.UserMessage(text)}
	}
	toolMessage := sdk.ChatCompletionAssistantMessageParam{
		Content: sdk.ChatCompletionAssistantMessageParamContentUnion{OfString: sdk.String("I look.")},
		ToolCalls: []sdk.ChatCompletionMessageToolCallUnionParam{{OfFunction: &sdk.ChatCompletionMessageFunctionToolCallParam{
			ID: "call_1", Function: sdk.ChatCompletionMessageFunctionToolCallFunctionParam{Name: "weather", Arguments: `{"location":"Rome"}`},
		}}},
	}
	return map[string]sdk.ChatCompletionNewParams{
		"history": {
			Messages: []sdk.ChatCompletionMessageParamUnion{
				sdk.SystemMessage("You are {{name}} & co.\n\nBe short.\n\nBe kind."),
				sdk.UserMessage("Hi"), sdk.AssistantMessage("Hello"), sdk.UserMessage("Bye"),
			},
			StreamOptions: sdk.ChatCompletionStreamOptionsParam{IncludeUsage: sdk.Bool(true)},
		},
		"assistant first": {Messages: []sdk.ChatCompletionMessageParamUnion{sdk.AssistantMessage("Hello"), sdk.UserMessage("Hi")}},
		"images": {Messages: []sdk.ChatCompletionMessageParamUnion{sdk.UserMessage([]sdk.ChatCompletionContentPartUnionParam{
			sdk.TextContentPart("What is this?\n\"\u2028<é>\" \x00\t"),
			sdk.ImageContentPart(sdk.ChatCompletionContentPartImageImageURLParam{URL: "data:image/png;base64," + pixel}),
			sdk.ImageContentPart(sdk.ChatCompletionContentPartImageImageURLParam{URL: imageURL}),
		})}},
		"settings": {
			Messages: userText("Hi"), Temperature: sdk.Float(0.3), TopP: sdk.Float(1e-7), MaxTokens: sdk.Int(100),
			ResponseFormat: sdk.ChatCompletionNewParamsResponseFormatUnion{OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{
				JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "place", Schema: decoded(schema), Strict: sdk.Bool(true)},
			}},
		},
		"JSON object": {
			Messages:       userText("JSON please"),
			ResponseFormat: sdk.ChatCompletionNewParamsResponseFormatUnion{OfJSONObject: &shared.ResponseFormatJSONObjectParam{}},
		},
		"tools": {
			Messages: []sdk.ChatCompletionMessageParamUnion{
				sdk.UserMessage("Weather?"), {OfAssistant: &toolMessage}, sdk.ToolMessage("40 C", "call_1"), sdk.UserMessage("And now?"),
			},
			Tools: []sdk.ChatCompletionToolUnionParam{
				sdk.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{Name: "weather", Description: sdk.String("Get the weather"), Parameters: decoded(schema), Strict: sdk.Bool(true)}),
				sdk.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{Name: "time", Parameters: decoded(`{"type":"object","properties":{}}`)}),
			},
			ToolChoice:        sdk.ToolChoiceOptionFunctionToolChoice(sdk.ChatCompletionNamedToolChoiceFunctionParam{Name: "weather"}),
			ParallelToolCalls: sdk.Bool(false),
		},
	}
}

func client(server string, c *http.Client) sdk.Client {
	return sdk.NewClient(option.WithBaseURL(server+"/v1"), option.WithHTTPClient(c), option.WithAPIKey("canary-credential-5f1d"))
}

func sameHeaders(t *testing.T, ours, official providertest.Sent) {
	t.Helper()
	if ours.Path != official.Path {
		t.Errorf("path = %s, official %s", ours.Path, official.Path)
	}
	for _, name := range []string{"Authorization", "Content-Type"} {
		if ours.Header.Get(name) != official.Header.Get(name) {
			t.Errorf("%s = %q, official %q", name, ours.Header.Get(name), official.Header.Get(name))
		}
	}
}

func TestChatRequest(t *testing.T) {
	for name, p := range prompts() {
		t.Run(name, func(t *testing.T) {
			official := providertest.Capture(t, func(server string, c *http.Client) {
				api, params := client(server, c), chatSDK()[name]
				params.Model = "test-model"
				if p.Stream {
					_ = api.Chat.Completions.NewStreaming(t.Context(), params).Close()
					return
				}
				_, _ = api.Chat.Completions.New(t.Context(), params)
			})
			ours := chatSuite().Sent(t, everything(), p)
			sameHeaders(t, ours, official)
			providertest.SameRequest(t, ours.Body, official.Body)
		})
	}
}

// responsesSDK is the same in openai-go's words.
func responsesSDK() map[string]responses.ResponseNewParams {
	message := func(role responses.EasyInputMessageRole, text string) responses.ResponseInputItemUnionParam {
		return responses.ResponseInputItemParamOfMessage(text, role)
	}
	input := func(items ...responses.ResponseInputItemUnionParam) responses.ResponseNewParamsInputUnion {
		return responses.ResponseNewParamsInputUnion{OfInputItemList: items}
	}
	image := func(url string) responses.ResponseInputContentUnionParam {
		part := responses.ResponseInputContentParamOfInputImage(responses.ResponseInputImageDetailAuto)
		part.OfInputImage.ImageURL = sdk.String(url)
		return part
	}
	reasoning := responses.ResponseInputItemParamOfReasoning("rs_1", []responses.ResponseReasoningItemSummaryParam{{Text: "hm"}, {Text: "so"}})
	reasoning.OfReasoning.EncryptedContent = sdk.String("gAAA")
	output := responses.ResponseInputItemParamOfFunctionCallOutput("40 C")
	output.OfFunctionCallOutput.CallID = sdk.String("call_1")
	return map[string]responses.ResponseNewParams{
		"history": {
			Instructions:   sdk.String("You are {{name}} & co."),
			Input:          input(message("developer", "Be short."), message("developer", "Be kind."), message("user", "Hi"), message("assistant", "Hello"), message("user", "Bye")),
			PromptCacheKey: sdk.String("cache-key"), SafetyIdentifier: sdk.String("user-hash"),
		},
		"assistant first": {Input: input(message("assistant", "Hello"), message("user", "Hi"))},
		"images": {Input: input(responses.ResponseInputItemParamOfMessage(responses.ResponseInputMessageContentListParam{
			responses.ResponseInputContentParamOfInputText("What is this?\n\"\u2028<é>\" \x00\t"),
			image("data:image/png;base64," + pixel), image(imageURL),
		}, "user"))},
		"settings": {
			Input: input(message("user", "Hi")), Temperature: sdk.Float(0.3), TopP: sdk.Float(1e-7), MaxOutputTokens: sdk.Int(100),
			Text: responses.ResponseTextConfigParam{Format: responses.ResponseFormatTextConfigUnionParam{
				OfJSONSchema: &responses.ResponseFormatTextJSONSchemaConfigParam{Name: "place", Schema: decoded(schema), Strict: sdk.Bool(true)},
			}},
		},
		"JSON object": {
			Input: input(message("user", "JSON please")),
			Text:  responses.ResponseTextConfigParam{Format: responses.ResponseFormatTextConfigUnionParam{OfJSONObject: &shared.ResponseFormatJSONObjectParam{}}},
		},
		"tools": {
			Input: input(message("user", "Weather?"), reasoning, message("assistant", "I look."),
				responses.ResponseInputItemParamOfFunctionCall(`{"location":"Rome"}`, "call_1", "weather"), output, message("user", "And now?")),
			Tools: []responses.ToolUnionParam{
				{OfFunction: &responses.FunctionToolParam{Name: "weather", Description: sdk.String("Get the weather"), Parameters: decoded(schema), Strict: sdk.Bool(true)}},
				{OfFunction: &responses.FunctionToolParam{Name: "time", Parameters: decoded(`{"type":"object","properties":{}}`), Strict: sdk.Bool(false)}},
			},
			ToolChoice:        responses.ResponseNewParamsToolChoiceUnion{OfFunctionTool: &responses.ToolChoiceFunctionParam{Name: "weather"}},
			ParallelToolCalls: sdk.Bool(false),
		},
	}
}

// oneForm writes a message's content as a list, with the type that its role has, as ours do.
func oneForm() providertest.Normalisation {
	return providertest.Normalisation{
		Why: "an input message's content may be a string, which stands for a list of one text part",
		Apply: func(body map[string]any) {
			items, _ := body["input"].([]any)
			for _, item := range items {
				message, _ := item.(map[string]any)
				text, ok := message["content"].(string)
				if !ok || message["role"] == "developer" {
					continue
				}
				kind := "input_text"
				if message["role"] == "assistant" {
					kind = "output_text"
				}
				message["content"] = []any{map[string]any{"type": kind, "text": text}}
			}
		},
	}
}

func TestResponsesRequest(t *testing.T) {
	for name, p := range prompts() {
		for _, model := range []string{"gpt-4o", "gpt-5", "gpt-5.2-pro", "o3", "gpt-5-chat-latest"} {
			t.Run(name+"/"+model, func(t *testing.T) {
				official := providertest.Capture(t, func(server string, c *http.Client) {
					api, params := client(server, c), responsesSDK()[name]
					params.Model, params.Store = model, sdk.Bool(false)
					if model != "gpt-4o" && !strings.Contains(model, "chat") {
						params.Include = []responses.ResponseIncludable{responses.ResponseIncludableReasoningEncryptedContent}
					}
					if p.Stream {
						_ = api.Responses.NewStreaming(t.Context(), params).Close()
						return
					}
					_, _ = api.Responses.New(t.Context(), params)
				})
				s := responsesSuite()
				s.Model = model
				ours := s.Sent(t, everything(), p)
				sameHeaders(t, ours, official)
				providertest.SameRequest(t, ours.Body, official.Body, oneForm())
			})
		}
	}
}
