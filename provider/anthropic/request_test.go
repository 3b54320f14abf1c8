package anthropic_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	sdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/anthropics/anthropic-sdk-go/packages/param"
	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/anthropic"
	"github.com/elumenta/elumenta/provider/providertest"
)

const model = "test-model"

func text(s string) elumenta.Part {
	return elumenta.Part{Kind: elumenta.PartText, Text: elumenta.Text(s)}
}

func marked(p elumenta.Part) elumenta.Part {
	p.CacheMark = true
	return p
}

func user(parts ...elumenta.Part) elumenta.Turn {
	return elumenta.Turn{Role: elumenta.RoleOfUser, Parts: parts}
}

func assistant(parts ...elumenta.Part) elumenta.Turn {
	return elumenta.Turn{Role: elumenta.RoleOfAssistant, Parts: parts}
}

type answering string

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(a))), Request: r}, nil
}

func play(t *testing.T, body string, stops ...string) providertest.Result {
	t.Helper()
	target := elumenta.Target{Name: "test", BaseURL: "http://provider.test", Model: model, Client: &http.Client{Transport: answering(body)}}
	prompt := providertest.Ask(true)
	prompt.Settings.Stop = stops
	return providertest.Collect(t.Context(), t, anthropic.Provider{}, target, prompt)
}

// sdkTest compares what we send for a prompt with what Anthropic's SDK sends.
type sdkTest struct {
	name   string
	prompt elumenta.Prompt
	params sdk.MessageNewParams
}

func textBlocks(texts ...string) []sdk.TextBlockParam {
	var blocks []sdk.TextBlockParam
	for _, s := range texts {
		blocks = append(blocks, sdk.TextBlockParam{Text: s})
	}
	return blocks
}

func markedBlock(s string) sdk.TextBlockParam {
	return sdk.TextBlockParam{Text: s, CacheControl: sdk.NewCacheControlEphemeralParam()}
}

func sdkTests() []sdkTest {
	schema := map[string]any{"type": "object", "properties": map[string]any{"a": map[string]any{"type": "string"}}, "required": []any{"a"}, "additionalProperties": false}
	schemaJSON, _ := json.Marshal(schema)
	toolParam := sdk.ToolUnionParam{OfTool: &sdk.ToolParam{
		Name: "weather", Description: param.NewOpt("Weather of a city"), Strict: param.NewOpt(true),
		InputSchema: sdk.ToolInputSchemaParam{Properties: schema["properties"], Required: []string{"a"}, ExtraFields: map[string]any{"additionalProperties": false}},
	}}
	tool := elumenta.Tool{Name: "weather", Description: "Weather of a city", Parameters: schemaJSON, Strict: true}
	no := false
	return append([]sdkTest{
		{
			name: "system and history",
			prompt: elumenta.Prompt{
				Instructions: []elumenta.Part{marked(text("You are Ada, <b>&</b> \u2028 né.\n")), text("Her name is Eve.")},
				System:       []elumenta.Part{text("Be brief."), text("  ")},
				Turns:        []elumenta.Turn{user(text("Hi")), assistant(text("Hello!")), user(text("And?")), user(marked(text("Well?")))},
				User:         "u-123", Stream: true,
			},
			params: sdk.MessageNewParams{
				MaxTokens: 8192, Model: model, Metadata: sdk.MetadataParam{UserID: param.NewOpt("u-123")},
				System: append([]sdk.TextBlockParam{markedBlock("You are Ada, <b>&</b> \u2028 né.\n")}, textBlocks("Her name is Eve.", "Be brief.")...),
				Messages: []sdk.MessageParam{
					sdk.NewUserMessage(sdk.NewTextBlock("Hi")), sdk.NewAssistantMessage(sdk.NewTextBlock("Hello!")),
					sdk.NewUserMessage(sdk.NewTextBlock("And?"), sdk.ContentBlockParamUnion{OfText: new(markedBlock("Well?"))}),
				},
			},
		},
		{
			name: "settings",
			prompt: elumenta.Prompt{
				Turns: []elumenta.Turn{user(text("Hi"))},
				Settings: elumenta.Settings{Temperature: new(0.25), MaxTokens: new(300), Stop: []string{"END", "STOP"},
					ResponseFormat: &elumenta.ResponseFormat{Type: elumenta.FormatJSONSchema, Name: "a", Schema: schemaJSON}},
			},
			params: sdk.MessageNewParams{
				MaxTokens: 300, Model: model, Temperature: param.NewOpt(0.25), StopSequences: []string{"END", "STOP"},
				OutputConfig: sdk.OutputConfigParam{Format: sdk.JSONOutputFormatParam{Schema: schema}},
				Messages:     []sdk.MessageParam{sdk.NewUserMessage(sdk.NewTextBlock("Hi"))},
			},
		},
		{
			name: "images",
			prompt: elumenta.Prompt{Turns: []elumenta.Turn{user(text("What is this?"),
				elumenta.Part{Kind: elumenta.PartImage, Image: &elumenta.Image{MediaType: "image/png", Data: "aGVsbG8="}},
				elumenta.Part{Kind: elumenta.PartImage, Image: &elumenta.Image{URL: "https://example.com/a.png"}})}},
			params: sdk.MessageNewParams{
				MaxTokens: 8192, Model: model,
				Messages: []sdk.MessageParam{sdk.NewUserMessage(sdk.NewTextBlock("What is this?"),
					sdk.NewImageBlockBase64("image/png", "aGVsbG8="), sdk.NewImageBlock(sdk.URLImageSourceParam{URL: "https://example.com/a.png"}))},
			},
		},
		{
			name: "tools, calls and results",
			prompt: elumenta.Prompt{
				Tools: []elumenta.Tool{tool}, ToolChoice: elumenta.ToolChoice{Mode: elumenta.ToolNamed, Name: "weather", Parallel: &no},
				Turns: []elumenta.Turn{
					user(text("Weather?")),
					assistant(
						elumenta.Part{Kind: elumenta.PartReasoning, Text: "Hm.", Opaque: &elumenta.Opaque{Format: "anthropic", Data: `{"type":"thinking","signature":"c2ln"}`}},
						elumenta.Part{Kind: elumenta.PartReasoning, Opaque: &elumenta.Opaque{Format: "anthropic", Data: `{"type":"redacted_thinking","data":"cmVk"}`}},
						elumenta.Part{Kind: elumenta.PartReasoning, Text: "foreign", Opaque: &elumenta.Opaque{Format: "gemini", Data: "xyz"}},
						elumenta.Part{Kind: elumenta.PartReasoning, Text: "unsigned"},
						elumenta.Part{Kind: elumenta.PartToolCall, Opaque: &elumenta.Opaque{Format: "gemini", Data: "xyz"}, ToolCall: &elumenta.ToolCall{ID: "toolu_1", Name: "weather", Arguments: `{"a":"Rome"}`}},
						elumenta.Part{Kind: elumenta.PartToolCall, ToolCall: &elumenta.ToolCall{ID: "functions.now:0", Name: "now"}}),
					user(text("There:"),
						elumenta.Part{Kind: elumenta.PartToolResult, ToolResult: &elumenta.ToolResult{CallID: "toolu_1", Content: []elumenta.Part{
							text("sunny"), {Kind: elumenta.PartImage, Image: &elumenta.Image{MediaType: "image/gif", Data: "R0lG"}}}}},
						elumenta.Part{Kind: elumenta.PartToolResult, ToolResult: &elumenta.ToolResult{CallID: "functions.now:0", IsError: true, Content: []elumenta.Part{text("no clock")}}}),
				},
			},
			params: sdk.MessageNewParams{
				MaxTokens: 8192, Model: model, Tools: []sdk.ToolUnionParam{toolParam},
				ToolChoice: sdk.ToolChoiceUnionParam{OfTool: &sdk.ToolChoiceToolParam{Name: "weather", DisableParallelToolUse: param.NewOpt(true)}},
				Messages: []sdk.MessageParam{
					sdk.NewUserMessage(sdk.NewTextBlock("Weather?")),
					sdk.NewAssistantMessage(sdk.NewThinkingBlock("c2ln", "Hm."), sdk.NewRedactedThinkingBlock("cmVk"),
						sdk.NewToolUseBlock("toolu_1", map[string]any{"a": "Rome"}, "weather"), sdk.NewToolUseBlock("functions_now_0", map[string]any{}, "now")),
					sdk.NewUserMessage(
						sdk.ContentBlockParamUnion{OfToolResult: &sdk.ToolResultBlockParam{ToolUseID: "toolu_1", Content: []sdk.ToolResultBlockParamContentUnion{
							{OfText: &sdk.TextBlockParam{Text: "sunny"}}, {OfImage: sdk.NewImageBlockBase64("image/gif", "R0lG").OfImage}}}},
						sdk.NewToolResultBlock("functions_now_0", "no clock", true), sdk.NewTextBlock("There:")),
				},
			},
		},
	}, choices(tool, toolParam)...)
}

func choices(tool elumenta.Tool, toolParam sdk.ToolUnionParam) []sdkTest {
	yes := true
	base := sdk.MessageNewParams{MaxTokens: 8192, Model: model, Tools: []sdk.ToolUnionParam{toolParam}, Messages: []sdk.MessageParam{sdk.NewUserMessage(sdk.NewTextBlock("Hi"))}}
	var tests []sdkTest
	add := func(name string, choice elumenta.ToolChoice, official sdk.ToolChoiceUnionParam) {
		params := base
		params.ToolChoice = official
		tests = append(tests, sdkTest{name: name, params: params, prompt: elumenta.Prompt{
			Turns: []elumenta.Turn{user(text("Hi"))}, Tools: []elumenta.Tool{tool}, ToolChoice: choice}})
	}
	add("choice by default", elumenta.ToolChoice{}, sdk.ToolChoiceUnionParam{})
	add("choice auto", elumenta.ToolChoice{Mode: elumenta.ToolAuto}, sdk.ToolChoiceUnionParam{OfAuto: &sdk.ToolChoiceAutoParam{}})
	add("choice parallel", elumenta.ToolChoice{Parallel: &yes}, sdk.ToolChoiceUnionParam{OfAuto: &sdk.ToolChoiceAutoParam{DisableParallelToolUse: param.NewOpt(false)}})
	add("choice any", elumenta.ToolChoice{Mode: elumenta.ToolAny}, sdk.ToolChoiceUnionParam{OfAny: &sdk.ToolChoiceAnyParam{}})
	add("choice none", elumenta.ToolChoice{Mode: elumenta.ToolNone, Parallel: &yes}, sdk.ToolChoiceUnionParam{OfNone: &sdk.ToolChoiceNoneParam{}})
	return tests
}

func TestSameRequestAsSDK(t *testing.T) {
	for _, tt := range sdkTests() {
		t.Run(tt.name, func(t *testing.T) {
			ours := suite().Sent(t, capabilities(), &tt.prompt)
			official := providertest.Capture(t, func(server string, client *http.Client) {
				c := sdk.NewClient(option.WithBaseURL(server), option.WithAPIKey("k"), option.WithHTTPClient(client), option.WithMaxRetries(0))
				if !tt.prompt.Stream {
					_, _ = c.Messages.New(t.Context(), tt.params)
					return
				}
				stream := c.Messages.NewStreaming(t.Context(), tt.params)
				for stream.Next() {
				}
				_ = stream.Close()
			})
			providertest.SameRequest(t, ours.Body, official.Body, providertest.Normalisation{
				Why: "false is the default of is_error", Apply: dropFalseErrors,
			})
			if ours.Path != official.Path {
				t.Errorf("path %s, the SDK's is %s", ours.Path, official.Path)
			}
			if got, want := ours.Header.Get("Anthropic-Version"), official.Header.Get("Anthropic-Version"); got != want || got == "" {
				t.Errorf("version %s, the SDK's is %s", got, want)
			}
			if ours.Header.Get("X-Api-Key") == "" || ours.Header.Get("Authorization") != "" {
				t.Error("the credential is not where the API looks for it")
			}
		})
	}
}

func dropFalseErrors(body map[string]any) {
	for _, m := range body["messages"].([]any) {
		for _, b := range m.(map[string]any)["content"].([]any) {
			if b := b.(map[string]any); b["is_error"] == false {
				delete(b, "is_error")
			}
		}
	}
}

// TestMessages checks what is done to a conversation that the API would not take as it is.
func TestMessages(t *testing.T) {
	const mark = `,"cache_control":{"type":"ephemeral"}`
	used := func(id string) string { return `{"type":"tool_use","id":"` + id + `","name":"t","input":{}}` }
	toolCall := func(id string) elumenta.Part {
		return elumenta.Part{Kind: elumenta.PartToolCall, ToolCall: &elumenta.ToolCall{ID: id, Name: "t", Arguments: "{}"}}
	}
	toolResult := func(id string) elumenta.Part {
		return elumenta.Part{Kind: elumenta.PartToolResult, ToolResult: &elumenta.ToolResult{CallID: id, Name: "t"}}
	}
	block := func(s string) string { return `{"type":"text","text":` + s + `}` }
	tests := []struct {
		name         string
		prompt       elumenta.Prompt
		system, want string
	}{
		{
			name: "the assistant begins", prompt: elumenta.Prompt{Turns: []elumenta.Turn{assistant(text("Hi")), user(text("Yes"))}},
			want: `[{"role":"user","content":[` + block(`"."`) + `]},{"role":"assistant","content":[` + block(`"Hi"`) + `]},{"role":"user","content":[` + block(`"Yes"`) + `]}]`,
		},
		{
			name: "the assistant's words end it", prompt: elumenta.Prompt{Turns: []elumenta.Turn{user(text("Go ")), assistant(text("Once \n\u00a0"))}},
			want: `[{"role":"user","content":[` + block(`"Go "`) + `]},{"role":"assistant","content":[` + block(`"Once"`) + `]}]`,
		},
		{
			name: "a blank turn between", prompt: elumenta.Prompt{Turns: []elumenta.Turn{user(text("a")), assistant(text(" \n")), user(text(""), text("b"))}},
			want: `[{"role":"user","content":[` + block(`"a"`) + `,` + block(`"b"`) + `]}]`,
		},
		{
			name: "marks of blank parts move back",
			prompt: elumenta.Prompt{Instructions: []elumenta.Part{text("x")}, System: []elumenta.Part{marked(text(" "))},
				Turns: []elumenta.Turn{user(text("a")), assistant(text("b"), elumenta.Part{Kind: elumenta.PartReasoning, Opaque: &elumenta.Opaque{Format: "anthropic", Data: `{"type":"redacted_thinking","data":"cmVk"}`}}), user(marked(text("")))}},
			system: `[{"type":"text","text":"x"` + mark + `}]`,
			want:   `[{"role":"user","content":[` + block(`"a"`) + `]},{"role":"assistant","content":[{"type":"text","text":"b"` + mark + `},{"type":"redacted_thinking","data":"cmVk"}]}]`,
		},
		{
			name:   "blank instructions are not sent",
			prompt: elumenta.Prompt{Instructions: []elumenta.Part{marked(text("\n"))}, Turns: []elumenta.Turn{user(text("a"))}},
			want:   `[{"role":"user","content":[` + block(`"a"`) + `]}]`,
		},
		{
			name:   "instructions stay byte for byte around a blank part",
			prompt: elumenta.Prompt{Instructions: []elumenta.Part{marked(text("\n")), text("a "), text(" ")}, Turns: []elumenta.Turn{user(text("a"))}},
			system: `[` + block(`"\na  "`) + `]`,
			want:   `[{"role":"user","content":[` + block(`"a"`) + `]}]`,
		},
		{
			name: "four marks at most, the last ones",
			prompt: elumenta.Prompt{Instructions: []elumenta.Part{marked(text("x"))}, System: []elumenta.Part{marked(text("y"))},
				Turns: []elumenta.Turn{user(marked(text("a")), marked(text("b")), marked(text("c")))}},
			system: `[` + block(`"x"`) + `,{"type":"text","text":"y"` + mark + `}]`,
			want:   `[{"role":"user","content":[{"type":"text","text":"a"` + mark + `},{"type":"text","text":"b"` + mark + `},{"type":"text","text":"c"` + mark + `}]}]`,
		},
		{
			name: "ids that it does not take, and one that is there twice",
			prompt: elumenta.Prompt{Turns: []elumenta.Turn{
				user(text("a")), assistant(toolCall("f:0"), toolCall("f.0")), user(toolResult("f.0"), toolResult("f:0")), assistant(toolCall("f:0")), user(toolResult("f:0")),
			}},
			want: `[{"role":"user","content":[` + block(`"a"`) + `]},{"role":"assistant","content":[` + used("f_0") + `,` + used("f_0_2") + `]},
				{"role":"user","content":[{"type":"tool_result","tool_use_id":"f_0_2"},{"type":"tool_result","tool_use_id":"f_0"}]},
				{"role":"assistant","content":[` + used("f_0_3") + `]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"f_0_3"}]}]`,
		},
		{
			name: "a refusal is text", prompt: elumenta.Prompt{Turns: []elumenta.Turn{user(text("a")), assistant(elumenta.Part{Kind: elumenta.PartRefusal, Text: "No."}), user(text("b"))}},
			want: `[{"role":"user","content":[` + block(`"a"`) + `]},{"role":"assistant","content":[` + block(`"No."`) + `]},{"role":"user","content":[` + block(`"b"`) + `]}]`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got, want map[string]any
			decode(t, suite().Sent(t, capabilities(), &tt.prompt).Body, &got)
			decode(t, `{"messages":`+tt.want+`}`, &want)
			if diff := cmp.Diff(want["messages"], got["messages"]); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
			if tt.system != "" {
				decode(t, `{"system":`+tt.system+`}`, &want)
			}
			if diff := cmp.Diff(want["system"], got["system"]); diff != "" {
				t.Errorf("system (-want +got):\n%s", diff)
			}
		})
	}
}

// TestManyCallIDs has ids of which the API allows no character: each stays another.
func TestManyCallIDs(t *testing.T) {
	turn := assistant()
	for range 20_000 {
		turn.Parts = append(turn.Parts, elumenta.Part{Kind: elumenta.PartToolCall, ToolCall: &elumenta.ToolCall{ID: string(rune(0x4e00 + len(turn.Parts))), Name: "t"}})
	}
	var got struct {
		Messages []struct{ Content []struct{ ID string } }
	}
	decode(t, suite().Sent(t, capabilities(), &elumenta.Prompt{Turns: []elumenta.Turn{user(text("a")), turn, user(text("b"))}}).Body, &got)
	seen := map[string]bool{}
	for _, b := range got.Messages[1].Content {
		seen[b.ID] = true
	}
	if len(seen) != len(turn.Parts) {
		t.Errorf("%d ids of %d calls", len(seen), len(turn.Parts))
	}
}

func decode(t *testing.T, body string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), into); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
}

// TestInstructionsStayTheSame sends the longest instructions many times.
func TestInstructionsStayTheSame(t *testing.T) {
	instructions := strings.Repeat("é\u2028\"<\\\x01\U0001F600 ", elumenta.MaxInstructions/8)
	p := elumenta.Prompt{Instructions: []elumenta.Part{marked(text(instructions))}, Turns: []elumenta.Turn{user(text("Hi"))}}
	var first string
	for range 100 {
		body := suite().Sent(t, capabilities(), &p).Body
		if first == "" {
			first = body
			var got struct{ System []struct{ Text string } }
			decode(t, body, &got)
			if got.System[0].Text != instructions {
				t.Fatal("the instructions changed")
			}
		}
		if body != first {
			t.Fatal("the body changed between calls")
		}
	}
}

func TestWarnings(t *testing.T) {
	p := providertest.Ask(false)
	p.Settings = elumenta.Settings{Temperature: new(1.5), TopP: new(0.5), MaxTokens: new(9000), Stop: []string{"\n", "END"}}
	target := elumenta.Target{Name: "test", BaseURL: "http://provider.test", Capabilities: capabilities(),
		Client: &http.Client{Transport: answering(`{"stop_reason":"end_turn"}`)}}
	got := providertest.Collect(t.Context(), t, anthropic.Provider{}, target, p)
	var fields []string
	for _, w := range got.Completion.Warnings {
		fields = append(fields, w.Code+" "+w.Field)
	}
	want := []string{"clamped_setting temperature", "clamped_setting max_tokens", "unsupported_setting top_p", "unsupported_setting stop"}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	var body map[string]any
	decode(t, suite().Sent(t, capabilities(), p).Body, &body)
	if body["temperature"] != 1.0 || body["top_p"] != nil || body["max_tokens"] != 8192.0 || !cmp.Equal(body["stop_sequences"], []any{"END"}) {
		t.Errorf("settings sent: %v", body)
	}
	p.Settings.Stop = []string{"\n"}
	if body := suite().Sent(t, capabilities(), p).Body; strings.Contains(body, "stop_sequences") {
		t.Errorf("an empty list was sent: %s", body)
	}

	marks := func(n int) (warnings []elumenta.Warning) {
		p := elumenta.Prompt{Instructions: []elumenta.Part{marked(text("x"))}, Turns: []elumenta.Turn{user()}}
		for range n {
			p.Turns[0].Parts = append(p.Turns[0].Parts, marked(text("a")))
		}
		return providertest.Collect(t.Context(), t, anthropic.Provider{}, target, &p).Completion.Warnings
	}
	if got := marks(4); len(got) != 0 {
		t.Errorf("four marks: %v", got)
	}
	if got := marks(5); len(got) != 1 || got[0].Field != "cache_control" {
		t.Errorf("five marks: %v", got)
	}
}

// TestRefusedBeforeSending lists prompts that are refused without a request.
func TestRefusedBeforeSending(t *testing.T) {
	prompts := map[string]elumenta.Prompt{
		"blank": {Turns: []elumenta.Turn{user(text(" "))}},
		"empty": {},
		"schema": {Turns: []elumenta.Turn{user(text("a"))}, Settings: elumenta.Settings{
			ResponseFormat: &elumenta.ResponseFormat{Type: elumenta.FormatJSONSchema, Schema: json.RawMessage(`{`)}}},
	}
	for name, p := range prompts {
		got := providertest.Collect(t.Context(), t, anthropic.Provider{}, elumenta.Target{Name: "test", BaseURL: "http://provider.invalid"}, &p)
		e, ok := errors.AsType[*elumenta.ProviderError](got.Err)
		if !ok || e.Kind != elumenta.KindRejected || e.Reason != elumenta.RejectOther || e.Status != 0 {
			t.Errorf("%s: error = %v", name, got.Err)
		}
	}
}
