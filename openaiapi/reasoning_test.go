package openaiapi_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/anthropic"
	"github.com/elumenta/elumenta/provider/gemini"
	provider "github.com/elumenta/elumenta/provider/openai"
	"github.com/elumenta/elumenta/provider/providertest"
)

// thinks is a server whose model thinks between calls of tools.
func thinks(t *testing.T, format string) (*server, *providertest.Thinker) {
	t.Helper()
	thinker := providertest.NewThinker(t, format)
	up := map[string]elumenta.Provider{"anthropic": anthropic.Provider{}, "openai": provider.Responses{}, "gemini": gemini.Provider{}}[format]
	return newServer(t, func(ctx context.Context, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		return up.Generate(ctx, thinker.Target, p, emit)
	}), thinker
}

var formats = []string{"anthropic", "openai", "gemini"}

// A model that thinks between calls of tools gets its own state back, whichever format its provider speaks: items go back as they came.
func TestResponsesStateComesBack(t *testing.T) {
	for _, format := range formats {
		for _, name := range []string{"whole", "stream"} {
			t.Run(format+" "+name, func(t *testing.T) {
				s, thinker := thinks(t, format)
				client := s.client()
				items := []responses.ResponseInputItemUnionParam{responses.ResponseInputItemParamOfMessage("Is it warm?", "user")}
				p := responses.ResponseNewParams{
					Model: "scripted", Reasoning: shared.ReasoningParam{Effort: "low", Summary: "auto"}, MaxOutputTokens: openai.Int(4096),
					Include: []responses.ResponseIncludable{responses.ResponseIncludableReasoningEncryptedContent},
				}
				for _, tool := range []string{"weather", "clock"} {
					p.Tools = append(p.Tools, responses.ToolParamOfFunction(tool, map[string]any{"type": "object"}, false))
				}
				shown := ""
				for range 4 {
					p.Input = input(items...)
					var r *responses.Response
					if name == "whole" {
						var err error
						if r, err = client.Responses.New(t.Context(), p); err != nil {
							t.Fatal(err)
						}
					} else {
						_, _, last := streamed(t, s, p)
						r = &last.Response
					}
					if strings.Contains(r.RawJSON(), "unsupported_setting") {
						t.Errorf("warned: %s", r.RawJSON())
					}
					if r.Reasoning.Effort != "low" || r.Reasoning.Summary != "auto" {
						t.Errorf("the request is echoed as %s", r.Reasoning.RawJSON())
					}
					answered := false
					for _, item := range r.Output {
						items = append(items, param.Override[responses.ResponseInputItemUnionParam](json.RawMessage(item.RawJSON())))
						for _, summary := range item.Summary {
							shown += summary.Text + "|"
						}
						answered = answered || item.Type == "function_call"
					}
					for _, item := range r.Output {
						if item.Type == "function_call" {
							items = append(items, outputs(item.CallID, "18"))
						}
					}
					if !answered {
						items = append(items, responses.ResponseInputItemParamOfMessage("Thanks", "user"))
					}
				}
				thinker.Check(t)
				if want := shownBy[format]; shown != want {
					t.Errorf("it shows %q of what the model thinks; want %q", shown, want)
				}
			})
		}
	}
}

// shownBy is what the models of providertest show of what they think.
var shownBy = map[string]string{"anthropic": "I \"should\"\n look: é|Done.|", "openai": "I \"should\"\n look: é\n\nYes.|", "gemini": "I should look.|"}

// Chat Completions bring it back in the members that others added: a client sends the messages back as they came.
func TestChatStateComesBack(t *testing.T) {
	for _, format := range formats {
		for _, name := range []string{"whole", "stream"} {
			t.Run(format+" "+name, func(t *testing.T) {
				s, thinker := thinks(t, format)
				client := s.client()
				p := openai.ChatCompletionNewParams{
					Model: "scripted", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Is it warm?")}, ReasoningEffort: "low", MaxCompletionTokens: openai.Int(4096),
				}
				for _, tool := range []string{"weather", "clock"} {
					p.Tools = append(p.Tools, openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{Name: tool}))
				}
				shown := ""
				for range 4 {
					var message string
					if name == "whole" {
						c, err := client.Chat.Completions.New(t.Context(), p)
						if err != nil {
							t.Fatal(err)
						}
						message = c.Choices[0].Message.RawJSON()
					} else {
						message = gathered(t, &client, p)
					}
					var m struct {
						ReasoningContent string                `json:"reasoning_content"`
						ToolCalls        []struct{ ID string } `json:"tool_calls"`
					}
					if err := json.Unmarshal([]byte(message), &m); err != nil {
						t.Fatal(err)
					}
					if m.ReasoningContent != "" {
						shown += m.ReasoningContent + "|"
					}
					p.Messages = append(p.Messages, param.Override[openai.ChatCompletionMessageParamUnion](json.RawMessage(message)))
					for _, call := range m.ToolCalls {
						p.Messages = append(p.Messages, openai.ToolMessage("18", call.ID))
					}
					if m.ToolCalls == nil {
						p.Messages = append(p.Messages, openai.UserMessage("Thanks"))
					}
				}
				thinker.Check(t)
				if want := shownBy[format]; format != "openai" && shown != want {
					t.Errorf("it shows %q of what the model thinks; want %q", shown, want)
				}
			})
		}
	}
}

// gathered puts a stream's deltas together as clients do: texts and lists grow, a tool call's members are merged by its index.
func gathered(t *testing.T, client *openai.Client, p openai.ChatCompletionNewParams) string {
	t.Helper()
	stream := client.Chat.Completions.NewStreaming(t.Context(), p)
	defer func() { _ = stream.Close() }()
	message := map[string]any{}
	for stream.Next() {
		for _, choice := range stream.Current().Choices {
			var delta map[string]any
			if err := json.Unmarshal([]byte(choice.Delta.RawJSON()), &delta); err != nil {
				t.Fatal(err)
			}
			grow(message, delta)
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func grow(into, delta map[string]any) {
	for name, value := range delta {
		old, known := into[name]
		switch v := value.(type) {
		case string:
			if text, _ := old.(string); known && name != "id" && name != "type" && name != "role" {
				v = text + v
			}
			into[name] = v
		case map[string]any:
			if !known {
				into[name] = map[string]any{}
			}
			grow(into[name].(map[string]any), v)
		case []any:
			list, _ := old.([]any)
			for _, item := range v {
				i := int(item.(map[string]any)["index"].(float64))
				for len(list) <= i {
					list = append(list, map[string]any{})
				}
				grow(list[i].(map[string]any), item.(map[string]any))
				if name == "tool_calls" {
					delete(list[i].(map[string]any), "index")
				}
			}
			into[name] = list
		case nil:
		default:
			into[name] = v
		}
	}
}
