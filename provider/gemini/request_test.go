package gemini_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genai"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/gemini"
	"github.com/elumenta/elumenta/provider/providertest"
)

const model = "test-model"

func text(s string) elumenta.Part {
	return elumenta.Part{Kind: elumenta.PartText, Text: elumenta.Text(s)}
}

func signed(p elumenta.Part, format, data string) elumenta.Part {
	p.Opaque = &elumenta.Opaque{Format: format, Data: elumenta.Text(data)}
	return p
}

func call(id, name, arguments string) elumenta.Part {
	return elumenta.Part{Kind: elumenta.PartToolCall, ToolCall: &elumenta.ToolCall{ID: id, Name: name, Arguments: elumenta.Text(arguments)}}
}

func user(parts ...elumenta.Part) elumenta.Turn {
	return elumenta.Turn{Role: elumenta.RoleOfUser, Parts: parts}
}

func assistant(parts ...elumenta.Part) elumenta.Turn {
	return elumenta.Turn{Role: elumenta.RoleOfAssistant, Parts: parts}
}

type answer struct {
	status int
	body   string
}

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

func play(t *testing.T, status int, body string) providertest.Result {
	t.Helper()
	target := elumenta.Target{Name: "test", BaseURL: "http://provider.test", Model: model, Client: &http.Client{Transport: answer{status, body}}}
	return providertest.Collect(t.Context(), t, gemini.Provider{}, target, providertest.Ask(true))
}

// sdkTest compares what we send for a prompt with what Google's SDK sends.
type sdkTest struct {
	name     string
	prompt   elumenta.Prompt
	contents []*genai.Content
	config   *genai.GenerateContentConfig
}

func content(role string, parts ...*genai.Part) *genai.Content {
	return &genai.Content{Role: role, Parts: parts}
}

func sdkTests() []sdkTest {
	schema := map[string]any{"type": "object", "properties": map[string]any{"a": map[string]any{"type": "string"}}, "required": []any{"a"}}
	schemaJSON, _ := json.Marshal(schema)
	tool := elumenta.Tool{Name: "weather", Description: "Weather of a city", Parameters: schemaJSON}
	officialTools := []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{{Name: "weather", Description: "Weather of a city", ParametersJsonSchema: schema}}}}
	tests := []sdkTest{
		{
			name: "system and history",
			prompt: elumenta.Prompt{
				Instructions: []elumenta.Part{{Kind: elumenta.PartText, Text: "You are Ada, <b>&</b> \u2028 né.\n", CacheMark: true}, text("Her name is Eve.")},
				System:       []elumenta.Part{text("Be brief."), text("")}, User: "u-1", CacheKey: "k",
				Turns: []elumenta.Turn{user(text("Hi")), assistant(text("Hello!"), text("")), user(text("And?")), user(text("Well?"))}, Stream: true,
			},
			contents: []*genai.Content{content("user", genai.NewPartFromText("Hi")), content("model", genai.NewPartFromText("Hello!")),
				content("user", genai.NewPartFromText("And?"), genai.NewPartFromText("Well?"))},
			config: &genai.GenerateContentConfig{SystemInstruction: content("", genai.NewPartFromText("You are Ada, <b>&</b> \u2028 né.\n"),
				genai.NewPartFromText("Her name is Eve."), genai.NewPartFromText("Be brief."))},
		},
		{
			name: "settings",
			prompt: elumenta.Prompt{Turns: []elumenta.Turn{user(text("Hi"))}, Settings: elumenta.Settings{Temperature: new(0.25), TopP: new(0.5),
				MaxTokens: new(300), Stop: []string{"END"}, ResponseFormat: &elumenta.ResponseFormat{Type: elumenta.FormatJSONSchema, Schema: schemaJSON}}},
			contents: []*genai.Content{content("user", genai.NewPartFromText("Hi"))},
			config: &genai.GenerateContentConfig{Temperature: new(float32(0.25)), TopP: new(float32(0.5)), MaxOutputTokens: 300, StopSequences: []string{"END"},
				ResponseMIMEType: "application/json", ResponseJsonSchema: schema},
		},
		{
			name:     "a JSON object",
			prompt:   elumenta.Prompt{Turns: []elumenta.Turn{user(text("Hi"))}, Settings: elumenta.Settings{ResponseFormat: &elumenta.ResponseFormat{Type: elumenta.FormatJSONObject}}},
			contents: []*genai.Content{content("user", genai.NewPartFromText("Hi"))}, config: &genai.GenerateContentConfig{ResponseMIMEType: "application/json"},
		},
		{
			name: "images",
			prompt: elumenta.Prompt{Turns: []elumenta.Turn{user(text("What is this?"),
				elumenta.Part{Kind: elumenta.PartImage, Image: &elumenta.Image{MediaType: "image/png", Data: "aGVsbG8="}},
				elumenta.Part{Kind: elumenta.PartImage, Image: &elumenta.Image{URL: "https://example.com/A.JPG?x=.png"}},
				elumenta.Part{Kind: elumenta.PartImage, Image: &elumenta.Image{URL: "https://example.com/a"}})}},
			contents: []*genai.Content{content("user", genai.NewPartFromText("What is this?"), genai.NewPartFromBytes([]byte("hello"), "image/png"),
				genai.NewPartFromURI("https://example.com/A.JPG?x=.png", "image/jpeg"), &genai.Part{FileData: &genai.FileData{FileURI: "https://example.com/a"}})},
		},
		{
			name: "tools, calls and results",
			prompt: elumenta.Prompt{
				Tools: []elumenta.Tool{tool}, ToolChoice: elumenta.ToolChoice{Mode: elumenta.ToolNamed, Name: "weather"},
				Turns: []elumenta.Turn{
					user(text("Weather?")),
					assistant(
						signed(elumenta.Part{Kind: elumenta.PartReasoning, Text: "Hm."}, "gemini", "dGhpbms="),
						signed(elumenta.Part{Kind: elumenta.PartReasoning, Text: "foreign"}, "anthropic", `{}`), elumenta.Part{Kind: elumenta.PartReasoning, Text: "unsigned"},
						signed(call("c1", "weather", `{"a":"Rome"}`), "gemini", "c2ln"), signed(call("c2", "now", ""), "openai", "x"),
						signed(text("So"), "gemini", "bGFzdA==")),
					user(elumenta.Part{Kind: elumenta.PartToolResult, ToolResult: &elumenta.ToolResult{CallID: "c1", Content: []elumenta.Part{
						text("sunny"), {Kind: elumenta.PartImage, Image: &elumenta.Image{MediaType: "image/gif", Data: "R0lG"}}}}},
						elumenta.Part{Kind: elumenta.PartToolResult, ToolResult: &elumenta.ToolResult{CallID: "c2", Name: "now", IsError: true, Content: []elumenta.Part{text("no clock")}}}),
				},
			},
			contents: []*genai.Content{
				content("user", genai.NewPartFromText("Weather?")),
				content("model", &genai.Part{Text: "Hm.", Thought: true, ThoughtSignature: []byte("think")},
					&genai.Part{FunctionCall: &genai.FunctionCall{ID: "c1", Name: "weather", Args: map[string]any{"a": "Rome"}}, ThoughtSignature: []byte("sig")},
					&genai.Part{FunctionCall: &genai.FunctionCall{ID: "c2", Name: "now"}}, &genai.Part{Text: "So", ThoughtSignature: []byte("last")}),
				content("user", &genai.Part{FunctionResponse: &genai.FunctionResponse{ID: "c1", Name: "weather", Response: map[string]any{"output": "sunny"}}},
					genai.NewPartFromBytes([]byte("GIF"), "image/gif"),
					&genai.Part{FunctionResponse: &genai.FunctionResponse{ID: "c2", Name: "now", Response: map[string]any{"error": "no clock"}}}),
			},
			config: &genai.GenerateContentConfig{Tools: officialTools, ToolConfig: &genai.ToolConfig{FunctionCallingConfig: &genai.FunctionCallingConfig{
				Mode: genai.FunctionCallingConfigModeAny, AllowedFunctionNames: []string{"weather"}}}},
		},
	}
	for mode, official := range map[elumenta.ToolMode]genai.FunctionCallingConfigMode{
		"": "", elumenta.ToolAuto: genai.FunctionCallingConfigModeAuto, elumenta.ToolAny: genai.FunctionCallingConfigModeAny, elumenta.ToolNone: genai.FunctionCallingConfigModeNone,
	} {
		config := &genai.GenerateContentConfig{Tools: officialTools}
		if official != "" {
			config.ToolConfig = &genai.ToolConfig{FunctionCallingConfig: &genai.FunctionCallingConfig{Mode: official}}
		}
		tests = append(tests, sdkTest{name: "choice " + string(mode), config: config, contents: []*genai.Content{content("user", genai.NewPartFromText("Hi"))},
			prompt: elumenta.Prompt{Turns: []elumenta.Turn{user(text("Hi"))}, Tools: []elumenta.Tool{tool}, ToolChoice: elumenta.ToolChoice{Mode: mode}}})
	}
	return tests
}

func TestSameRequestAsSDK(t *testing.T) {
	for _, tt := range sdkTests() {
		t.Run(tt.name, func(t *testing.T) {
			ours := suite().Sent(t, capabilities(), &tt.prompt)
			official := providertest.Capture(t, func(server string, client *http.Client) {
				c, err := genai.NewClient(t.Context(), &genai.ClientConfig{APIKey: "k", Backend: genai.BackendGeminiAPI, HTTPClient: client, HTTPOptions: genai.HTTPOptions{BaseURL: server}})
				if err != nil {
					t.Fatal(err)
				}
				if !tt.prompt.Stream {
					_, _ = c.Models.GenerateContent(t.Context(), model, tt.contents, tt.config)
					return
				}
				for _, err := range c.Models.GenerateContentStream(t.Context(), model, tt.contents, tt.config) {
					if err == nil {
						t.Error("an answer from a server that refuses")
					}
				}
			})
			providertest.SameRequest(t, ours.Body, official.Body,
				providertest.Normalisation{Why: "a call without args has none", Apply: dropEmptyArgs},
				providertest.Normalisation{Why: "an empty configuration is none", Apply: dropEmptyConfig})
			if ours.Path != official.Path || ours.Query != official.Query {
				t.Errorf("%s?%s, the SDK's is %s?%s", ours.Path, ours.Query, official.Path, official.Query)
			}
			if ours.Header.Get("X-Goog-Api-Key") == "" || official.Header.Get("X-Goog-Api-Key") != "k" {
				t.Error("the credential is not where the API looks for it")
			}
		})
	}
}

func dropEmptyConfig(body map[string]any) {
	if config, ok := body["generationConfig"].(map[string]any); ok && len(config) == 0 {
		delete(body, "generationConfig")
	}
}

func dropEmptyArgs(body map[string]any) {
	for _, c := range body["contents"].([]any) {
		for _, p := range c.(map[string]any)["parts"].([]any) {
			if call, ok := p.(map[string]any)["functionCall"].(map[string]any); ok {
				if args, ok := call["args"].(map[string]any); ok && len(args) == 0 {
					delete(call, "args")
				}
			}
		}
	}
}

// TestContents checks what is done to a conversation that the API would not take as it is.
func TestContents(t *testing.T) {
	tests := []struct {
		name, model string
		prompt      elumenta.Prompt
		want        string
	}{
		{
			name: "the assistant begins", prompt: elumenta.Prompt{Turns: []elumenta.Turn{assistant(text("Hi")), user(text("Yes"))}},
			want: `[{"role":"user","parts":[{"text":"."}]},{"role":"model","parts":[{"text":"Hi"}]},{"role":"user","parts":[{"text":"Yes"}]}]`,
		},
		{
			name: "an empty turn between", prompt: elumenta.Prompt{Turns: []elumenta.Turn{user(text("a")), assistant(text("")), user(text("b"))}},
			want: `[{"role":"user","parts":[{"text":"a"},{"text":"b"}]}]`,
		},
		{
			name: "a signature beside an empty text", prompt: elumenta.Prompt{Turns: []elumenta.Turn{user(text("a")), assistant(signed(text(""), "gemini", "eA==")), user(text("b"))}},
			want: `[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"","thoughtSignature":"eA=="}]},{"role":"user","parts":[{"text":"b"}]}]`,
		},
		{
			name: "calls without signatures", model: "gemini-3-pro-preview",
			prompt: elumenta.Prompt{Turns: []elumenta.Turn{user(text("a")), assistant(text("b"), call("1", "f", "{}"), call("2", "f", "{}")), user(text("c"))}},
			want: `[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"b"},{"functionCall":{"id":"1","name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"},` +
				`{"functionCall":{"id":"2","name":"f","args":{}}}]},{"role":"user","parts":[{"text":"c"}]}]`,
		},
		{
			name: "calls without signatures, an older model", model: "gemini-2.5-flash",
			prompt: elumenta.Prompt{Turns: []elumenta.Turn{user(text("a")), assistant(call("1", "f", "{}")), user(text("c"))}},
			want:   `[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"functionCall":{"id":"1","name":"f","args":{}}}]},{"role":"user","parts":[{"text":"c"}]}]`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sent := providertest.Capture(t, func(server string, client *http.Client) {
				target := elumenta.Target{Name: "test", BaseURL: server, Model: tt.model, Client: client}
				providertest.Collect(t.Context(), t, gemini.Provider{}, target, &tt.prompt)
			})
			var got, want map[string]any
			decode(t, sent.Body, &got)
			decode(t, `{"contents":`+tt.want+`}`, &want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

func decode(t *testing.T, body string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), into); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
}

func TestModelWithCollection(t *testing.T) {
	sent := providertest.Capture(t, func(server string, client *http.Client) {
		target := elumenta.Target{BaseURL: server, Model: "tunedModels/mine", Client: client}
		_, _ = gemini.Provider{}.Generate(t.Context(), target, providertest.Ask(false), func(elumenta.Event) error { return nil })
	})
	if sent.Path != "/v1beta/tunedModels/mine:generateContent" {
		t.Error(sent.Path)
	}
}

func TestWarnings(t *testing.T) {
	p := providertest.Ask(false)
	p.Settings = elumenta.Settings{Temperature: new(2.5)}
	p.Tools = []elumenta.Tool{{Name: "f"}}
	p.ToolChoice.Parallel = new(false)
	target := elumenta.Target{Name: "test", BaseURL: "http://provider.test", Capabilities: capabilities(),
		Client: &http.Client{Transport: answer{http.StatusOK, `{"candidates":[{"finishReason":"STOP"}]}`}}}
	got := providertest.Collect(t.Context(), t, gemini.Provider{}, target, p)
	var fields []string
	for _, w := range got.Completion.Warnings {
		fields = append(fields, w.Code+" "+w.Field)
	}
	if diff := cmp.Diff([]string{"clamped_setting temperature", "unsupported_setting parallel_tool_calls"}, fields); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// TestRefusedBeforeSending lists prompts that are refused without a request.
func TestRefusedBeforeSending(t *testing.T) {
	prompts := map[string]elumenta.Prompt{
		"empty":  {Turns: []elumenta.Turn{user(text(""))}},
		"schema": {Turns: []elumenta.Turn{user(text("a"))}, Tools: []elumenta.Tool{{Name: "a", Parameters: json.RawMessage(`{`)}}},
	}
	for name, p := range prompts {
		got := providertest.Collect(t.Context(), t, gemini.Provider{}, elumenta.Target{Name: "test", BaseURL: "http://provider.invalid"}, &p)
		e, ok := errors.AsType[*elumenta.ProviderError](got.Err)
		if !ok || e.Kind != elumenta.KindRejected || e.Reason != elumenta.RejectOther || e.Status != 0 {
			t.Errorf("%s: error = %v", name, got.Err)
		}
	}
}
