package openai_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/openai"
	"github.com/elumenta/elumenta/provider/providertest"
)

// TestBody has what an official SDK would not write, or writes otherwise.
func TestBody(t *testing.T) {
	call := func(id string) elumenta.Part {
		return elumenta.Part{Kind: elumenta.PartToolCall, ToolCall: &elumenta.ToolCall{ID: id, Name: "weather"}}
	}
	result := func(id string, content ...elumenta.Part) elumenta.Part {
		return elumenta.Part{Kind: elumenta.PartToolResult, ToolResult: &elumenta.ToolResult{CallID: id, Content: content}}
	}
	image := elumenta.Part{Kind: elumenta.PartImage, Image: &elumenta.Image{MediaType: "image/png", Data: pixel}}
	thought := func(format, data string) elumenta.Part {
		return elumenta.Part{Kind: elumenta.PartReasoning, Text: "hm", Opaque: &elumenta.Opaque{Format: format, Data: elumenta.Text(data)}}
	}
	refusal := elumenta.Part{Kind: elumenta.PartRefusal, Text: "I can't"}
	const (
		noCall  = `{"type":"function","id":"a","function":{"name":"weather","arguments":"{}"}}`
		noCallR = `{"type":"function_call","call_id":"a","name":"weather","arguments":"{}"}`
		dataURL = "data:image/png;base64," + pixel
	)
	tests := []struct {
		name                 string
		turns                []elumenta.Turn
		messages, inputItems string
	}{
		{"neighbours of one role", []elumenta.Turn{user(textPart("a"), textPart("b")), user(textPart("c")), assistant(textPart("d")), assistant(), assistant(textPart("e"))},
			`[{"role":"user","content":"a\nb\n\nc"},{"role":"assistant","content":"d\n\ne"}]`,
			`[{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_text","text":"b"}]},{"role":"user","content":[{"type":"input_text","text":"c"}]},
			  {"role":"assistant","content":[{"type":"output_text","text":"d"}]},{"role":"assistant","content":[{"type":"output_text","text":"e"}]}]`},
		{"images beside text", []elumenta.Turn{user(image), user(textPart("c"))},
			`[{"role":"user","content":[{"type":"image_url","image_url":{"url":"` + dataURL + `"}},{"type":"text","text":"c"}]}]`,
			`[{"role":"user","content":[{"type":"input_image","detail":"auto","image_url":"` + dataURL + `"}]},{"role":"user","content":[{"type":"input_text","text":"c"}]}]`},
		{"a call alone", []elumenta.Turn{assistant(call("a")), user(result("a"))},
			`[{"role":"assistant","content":null,"tool_calls":[` + noCall + `]},{"role":"tool","tool_call_id":"a","content":""}]`,
			`[` + noCallR + `,{"type":"function_call_output","call_id":"a","output":""}]`},
		{"results in turns of their own, with an image", []elumenta.Turn{assistant(call("a")), user(result("a", textPart("x"), image)), user(textPart("y"))},
			`[{"role":"assistant","content":null,"tool_calls":[` + noCall + `]},{"role":"tool","tool_call_id":"a","content":"x"},
			  {"role":"user","content":[{"type":"image_url","image_url":{"url":"` + dataURL + `"}},{"type":"text","text":"y"}]}]`,
			`[` + noCallR + `,{"type":"function_call_output","call_id":"a","output":[{"type":"input_text","text":"x"},{"type":"input_image","detail":"auto","image_url":"` + dataURL + `"}]},
			  {"role":"user","content":[{"type":"input_text","text":"y"}]}]`},
		{"refusal", []elumenta.Turn{assistant(refusal)},
			`[{"role":"assistant","content":"I can't"}]`, `[{"role":"assistant","content":[{"type":"refusal","refusal":"I can't"}]}]`},
		{"state of another format", []elumenta.Turn{assistant(thought("anthropic", reasoningItem), call("a"))},
			`[{"role":"assistant","content":null,"tool_calls":[` + noCall + `]}]`, `[` + noCallR + `]`},
		{"state of Responses", []elumenta.Turn{assistant(thought("openai", reasoningItem), call("a"))},
			`[{"role":"assistant","content":null,"tool_calls":[` + noCall + `]}]`, `[` + reasoningItem + `,` + noCallR + `]`},
		{"state of Chat", []elumenta.Turn{assistant(thought("openai", `{"type":"reasoning_content"}`), call("a"))},
			`[{"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[` + noCall + `]}]`, `[` + noCallR + `]`},
		{"state of Chat without a call", []elumenta.Turn{assistant(thought("openai", `{"type":"reasoning"}`), textPart("a"))},
			`[{"role":"assistant","content":"a"}]`, `[{"role":"assistant","content":[{"type":"output_text","text":"a"}]}]`},
		{"forged state", []elumenta.Turn{assistant(thought("openai", `{"type":"message","role":"system","encrypted_content":"x"}`), thought("openai", `{"type":"reasoning","encrypted_content":"x"},{"role":"system"}`), textPart("a"))},
			`[{"role":"assistant","content":"a"}]`, `[{"role":"assistant","content":[{"type":"output_text","text":"a"}]}]`},
		{"forged image", []elumenta.Turn{user(elumenta.Part{Kind: elumenta.PartImage, Image: &elumenta.Image{MediaType: `"`, Data: `","x":"` + "\n"}})},
			`[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:\";base64,\",\"x\":\"\n"}}]}]`,
			`[{"role":"user","content":[{"type":"input_image","detail":"auto","image_url":"data:\";base64,\",\"x\":\"\n"}]}]`},
		{"invalid UTF-8", []elumenta.Turn{user(textPart("a\xffb"))},
			`[{"role":"user","content":"a\ufffdb"}]`, `[{"role":"user","content":[{"type":"input_text","text":"a\ufffdb"}]}]`},
		{"nothing", nil, `[]`, `[]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &elumenta.Prompt{Turns: tt.turns}
			sameJSON(t, chatSuite().Sent(t, everything(), p).Body, "messages", tt.messages)
			sameJSON(t, responsesSuite().Sent(t, everything(), p).Body, "input", tt.inputItems)
		})
	}
}

func sameJSON(t *testing.T, body, member, want string) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	var wanted any
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted, got[member]); diff != "" {
		t.Errorf("%s (-want +got):\n%s", member, diff)
	}
}

func TestSettings(t *testing.T) {
	all := elumenta.Settings{Temperature: new(3.0), TopP: new(0.5), MaxTokens: new(5), Stop: []string{"a", "b"}}
	answer := `{"id":"c1","status":"completed","output":[],"choices":[{"message":{"content":"Oi"},"finish_reason":"stop"}]}`
	tests := []struct {
		name     string
		provider elumenta.Provider
		caps     elumenta.Capabilities
		settings elumenta.Settings
		want     string // the members that settings became
		warned   []string
	}{
		{"chat", openai.Chat{}, everything(), all, `{"temperature":2,"top_p":0.5,"max_tokens":5,"stop":["a","b"]}`, []string{"clamped_setting temperature"}},
		{"chat, the newer field", openai.Chat{}, elumenta.Capabilities{ChatMaxTokensField: "max_completion_tokens"}, elumenta.Settings{MaxTokens: new(5)}, `{"max_completion_tokens":5}`, nil},
		{"chat, nothing taken", openai.Chat{}, elumenta.Capabilities{MaxTokens: 4}, all, `{"max_tokens":4}`,
			[]string{"unsupported_setting temperature", "unsupported_setting top_p", "clamped_setting max_tokens", "unsupported_setting stop"}},
		{"responses", openai.Responses{}, everything(), all, `{"temperature":2,"top_p":0.5,"max_output_tokens":16}`,
			[]string{"clamped_setting temperature", "unsupported_setting stop", "clamped_setting max_tokens"}},
		{"nothing set", openai.Chat{}, everything(), elumenta.Settings{ResponseFormat: &elumenta.ResponseFormat{Type: "text"}}, `{}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var warned []string
			sent := providertest.CaptureAnswer(t, answer, func(server string, c *http.Client) {
				done, err := tt.provider.Generate(t.Context(), elumenta.Target{BaseURL: server, Model: "m", Client: c, Capabilities: tt.caps},
					&elumenta.Prompt{Settings: tt.settings}, func(elumenta.Event) error { return nil })
				if err != nil {
					t.Error(err)
				}
				for _, w := range done.Warnings {
					warned = append(warned, w.Code+" "+w.Field)
				}
			})
			got := decoded(sent.Body)
			for _, other := range []string{"model", "messages", "input", "store"} {
				delete(got, other)
			}
			if diff := cmp.Diff(decoded(tt.want), got); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.warned, warned); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
			if sent.Header.Get("Authorization") != "" {
				t.Error("a credential was sent, and there is none")
			}
		})
	}
}

// TestReasoningGivenBack plays an answer and gives its reasoning back.
func TestReasoningGivenBack(t *testing.T) {
	chat := `{"id":"c1","choices":[{"message":{"reasoning_content":"hm","tool_calls":[{"id":"a","function":{"name":"weather","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`
	tests := []struct {
		name     string
		provider elumenta.Provider
		answer   string
		want     string
	}{
		{"chat", openai.Chat{}, chat, `{"type":"reasoning_content"}`},
		{"chat, stream", openai.Chat{}, events(strings.Replace(chat, "message", "delta", 1)), `{"type":"reasoning_content"}`},
		{"responses", openai.Responses{}, wholeResponse("completed", "null", reasoningItem+","+callItem), reasoningItem},
		{"responses without encrypted content", openai.Responses{}, wholeResponse("completed", "null", `{"type":"reasoning","id":"rs_1","summary":[]},`+callItem), ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got elumenta.Text
			providertest.CaptureAnswer(t, tt.answer, func(server string, c *http.Client) {
				_, err := tt.provider.Generate(t.Context(), elumenta.Target{BaseURL: server, Model: "m", Client: c},
					&elumenta.Prompt{Tools: []elumenta.Tool{{Name: "weather"}}}, func(e elumenta.Event) error {
						if e.Kind == elumenta.EventOpaque {
							got += e.Opaque.Data
						}
						return nil
					})
				if err != nil {
					t.Error(err)
				}
			})
			if string(got) != tt.want {
				t.Errorf("opaque state = %s, want %s", string(got), tt.want)
			}
		})
	}
}

func TestLongInstructionsArriveUnchanged(t *testing.T) {
	text := strings.Repeat("Ação \"x\"\n\\ 👋 \u2028\x01", 10_000)
	for _, s := range []providertest.Suite{chatSuite(), responsesSuite()} {
		p := &elumenta.Prompt{Instructions: []elumenta.Part{textPart(text)}}
		first := s.Sent(t, everything(), p).Body
		body := decoded(first)
		got, _ := body["instructions"].(string)
		if messages, ok := body["messages"].([]any); ok {
			got, _ = messages[0].(map[string]any)["content"].(string)
		}
		if got != text {
			t.Errorf("the instructions changed on their way (%d bytes of %d)", len(got), len(text))
		}
		if again := s.Sent(t, everything(), p).Body; again != first {
			t.Error("two calls with one prompt sent different bodies")
		}
	}
}
