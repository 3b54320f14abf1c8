package openai_test

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/openai"
	"github.com/elumenta/elumenta/provider/providertest"
)

// TestCallIDs: each host gets ids that it takes, a call and its result the same one, and two calls two.
func TestCallIDs(t *testing.T) {
	vllm, long, nine := "chatcmpl-tool-0123456789abcdef0123456789abcdef", "call_"+strings.Repeat("x", 70), "a1B2c3D4e"
	answer := `{"id":"c1","status":"completed","output":[],"choices":[{"message":{"content":"Oi"},"finish_reason":"stop"}]}`
	chatID, responsesID := regexp.MustCompile(`"(?:tool_call_id|id)":"([^"]+)"`), regexp.MustCompile(`"call_id":"([^"]+)"`)
	for name, test := range map[string]struct {
		provider elumenta.Provider
		model    string
		id       *regexp.Regexp
		taken    string // by the host
		kept     []string
	}{
		"chat":                    {openai.Chat{}, "gpt-4.1", chatID, `^.{1,40}$`, []string{"functions.weather:0", nine}},
		"responses":               {openai.Responses{}, "gpt-5", responsesID, `^.{1,64}$`, []string{vllm, "functions.weather:0", nine}},
		"Mistral":                 {openai.Chat{}, "mistral-large-latest", chatID, `^[a-zA-Z0-9]{9}$`, []string{nine}},
		"Mistral's at OpenRouter": {openai.Chat{}, "mistralai/Mixtral-8x22B", chatID, `^[a-zA-Z0-9]{9}$`, []string{nine}},
	} {
		t.Run(name, func(t *testing.T) {
			ids := []string{vllm, long, long + "y", nine, "functions.weather:0", "call_12345"}
			var turns []elumenta.Turn
			for _, id := range ids {
				turns = append(turns,
					elumenta.Turn{Role: elumenta.RoleOfAssistant, Parts: []elumenta.Part{{Kind: elumenta.PartToolCall, ToolCall: &elumenta.ToolCall{ID: id, Name: "weather", Arguments: "{}"}}}},
					elumenta.Turn{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{{Kind: elumenta.PartToolResult, ToolResult: &elumenta.ToolResult{CallID: id}}}})
			}
			sent := providertest.CaptureAnswer(t, answer, func(server string, c *http.Client) {
				target := elumenta.Target{BaseURL: server, Model: test.model, Client: c, Capabilities: everything()}
				if _, err := test.provider.Generate(t.Context(), target, &elumenta.Prompt{Turns: turns}, func(elumenta.Event) error { return nil }); err != nil {
					t.Error(err)
				}
			})
			found := test.id.FindAllStringSubmatch(sent.Body, -1)
			if len(found) != 2*len(ids) {
				t.Fatalf("%d ids in %s", len(found), sent.Body)
			}
			taken, seen := regexp.MustCompile(test.taken), map[string]bool{}
			for i, id := range ids {
				call, result := found[2*i][1], found[2*i+1][1]
				if call != result || !taken.MatchString(call) || seen[call] {
					t.Errorf("%s became %s and %s", id, call, result)
				}
				seen[call] = true
			}
			for _, id := range test.kept {
				if !seen[id] {
					t.Errorf("%s was not kept", id)
				}
			}
		})
	}
}

// TestCallsWithoutIDs: calls that have neither ids nor indices of their own are as many as they have names, each with its own arguments.
func TestCallsWithoutIDs(t *testing.T) {
	calls := func(extra string) string {
		return `"tool_calls":[{` + extra + `"function":{"name":"weather","arguments":"{\"a\":1}"}},{` + extra + `"function":{"name":"time","arguments":"{\"b\":2}"}}]`
	}
	chunk := func(delta string) string { return `data: {"choices":[{"delta":{` + delta + `}}]}` + "\n\n" }
	const end = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n"
	for name, answer := range map[string]string{
		"whole":  `{"choices":[{"message":{` + calls("") + `},"finish_reason":"tool_calls"}]}`,
		"stream": chunk(calls(`"index":0,"id":"",`)) + end,
		"stream in chunks": chunk(`"tool_calls":[{"function":{"name":"weather","arguments":"{\"a\":\"}"}}]`) + chunk(`"tool_calls":[{"function":{"name":"weather","arguments":"\\\"\"}"}}]`) +
			chunk(`"tool_calls":[{"function":{"name":"time","arguments":"{\"b\":2}"}}]`) + end,
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			providertest.CaptureAnswer(t, answer, func(server string, c *http.Client) {
				target := elumenta.Target{BaseURL: server, Model: "m", Client: c, Capabilities: everything()}
				prompt := &elumenta.Prompt{Stream: name != "whole", Turns: []elumenta.Turn{{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{{Kind: elumenta.PartText, Text: "Rome?"}}}}}
				if _, err := (openai.Chat{}).Generate(t.Context(), target, prompt, func(e elumenta.Event) error {
					switch e.Kind {
					case elumenta.EventToolCall:
						got = append(got, e.Name)
					case elumenta.EventToolInput:
						got[e.Index] += string(e.Text)
					}
					return nil
				}); err != nil {
					t.Error(err)
				}
			})
			want := []string{`weather{"a":1}`, `time{"b":2}`}
			if name == "stream in chunks" {
				want[0] = `weather{"a":"}\""}`
			}
			if !slices.Equal(got, want) {
				t.Errorf("calls %q, want %q", got, want)
			}
		})
	}
}

// TestPlainHosts: who refuses stream_options or reasoning_content gets none.
func TestPlainHosts(t *testing.T) {
	prompt := &elumenta.Prompt{Stream: true, Turns: []elumenta.Turn{
		{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{{Kind: elumenta.PartText, Text: "Rome?"}}},
		{Role: elumenta.RoleOfAssistant, Parts: []elumenta.Part{
			{Kind: elumenta.PartReasoning, Text: "Hm.", Opaque: &elumenta.Opaque{Format: "openai", Data: `{"type":"reasoning_content"}`}},
			{Kind: elumenta.PartToolCall, ToolCall: &elumenta.ToolCall{ID: "a1B2c3D4e", Name: "weather", Arguments: "{}"}},
		}},
		{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{{Kind: elumenta.PartToolResult, ToolResult: &elumenta.ToolResult{CallID: "a1B2c3D4e"}}}},
	}}
	for name, test := range map[string]struct {
		url            string // empty: the server's
		none           bool
		options, hmmed bool
	}{
		"others":             {options: true, hmmed: true},
		"without by setting": {none: true, hmmed: true},
		"Mistral":            {url: "http://api.mistral.ai/v1"},
	} {
		t.Run(name, func(t *testing.T) {
			sent := providertest.CaptureAnswer(t, "data: {\"choices\":[{\"delta\":{\"content\":\"Oi\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n", func(server string, c *http.Client) {
				caps := everything()
				caps.NoStreamOptions = test.none
				target := elumenta.Target{BaseURL: cmp.Or(test.url, server), Model: "m", Client: c, Capabilities: caps}
				c.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(server, "http://"))
				}
				if _, err := (openai.Chat{}).Generate(t.Context(), target, prompt, func(elumenta.Event) error { return nil }); err != nil {
					t.Error(err)
				}
			})
			if got := strings.Contains(sent.Body, "stream_options"); got != test.options || !strings.Contains(sent.Body, `"stream":true`) {
				t.Errorf("stream_options: %s", sent.Body)
			}
			if got := strings.Contains(sent.Body, "reasoning_content"); got != test.hmmed {
				t.Errorf("reasoning_content: %s", sent.Body)
			}
		})
	}
}
