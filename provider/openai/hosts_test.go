package openai_test

import (
	"cmp"
	"context"
	"encoding/json"
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
	piece := func(name, arguments string) string {
		return chunk(`"tool_calls":[{"index":0,"function":{"name":"` + name + `","arguments":"` + arguments + `"}}]`)
	}
	two, one := []string{`weather{"a":1}`, `time{"b":2}`}, []string{`weather{"a":1}`}
	for name, test := range map[string]struct {
		answer string
		want   []string
	}{
		"whole":  {`{"choices":[{"message":{` + calls("") + `},"finish_reason":"tool_calls"}]}`, two},
		"stream": {chunk(calls(`"index":0,"id":"",`)) + end, two},
		"stream in chunks": {chunk(`"tool_calls":[{"function":{"name":"weather","arguments":"{\"a\":\"}"}}]`) + chunk(`"tool_calls":[{"function":{"name":"weather","arguments":"\\\"\"}"}}]`) +
			chunk(`"tool_calls":[{"function":{"name":"time","arguments":"{\"b\":2}"}}]`) + end, []string{`weather{"a":"}\""}`, two[1]}},
		"no arguments before others": {piece("clock", "") + piece("weather", `{\"a\":1}`) + end, []string{"clock{}", one[0]}},
		"an empty piece at the end":  {piece("weather", `{\"a\":`) + piece("weather", "1}") + piece("weather", "") + end, one},
		"the same twice":             {piece("weather", "") + piece("", `{\"a\":`) + piece("", "1}") + piece("weather", "") + piece("", `{\"a\":`) + piece("", "3}") + end, []string{one[0], `weather{"a":3}`}},
		"a blank piece at the end":   {piece("weather", `{\"a\":1}`) + piece("weather", " ") + end, []string{one[0] + " "}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			providertest.CaptureAnswer(t, test.answer, func(server string, c *http.Client) {
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
			if !slices.Equal(got, test.want) {
				t.Errorf("calls %q, want %q", got, test.want)
			}
		})
	}
}

// TestHostsOwnWays: streams of Perplexity have all that came so far beside each piece, MiniMax's end with a whole answer, OpenRouter sends
// blank lines until a whole answer is there, and a throttled host speaks of tokens.
func TestHostsOwnWays(t *testing.T) {
	hello := providertest.Expectation{Text: "Hello", Finish: elumenta.FinishStop, UpstreamID: "c1"}
	call := `"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"weather","arguments":"{}"}}]`
	s := chatSuite()
	s.Cases = []providertest.Case{
		{Name: "Perplexity's stream", Stream: true, Want: hello, Body: events(
			choice(`"finish_reason":null,"message":{"role":"assistant","content":"Hel"},"delta":{"role":"assistant","content":"Hel"}`),
			choice(`"finish_reason":null,"message":{"role":"assistant","content":"Hello"},"delta":{"role":"assistant","content":"lo"}`),
			choice(`"finish_reason":"stop","message":{"role":"assistant","content":"Hello"},"delta":{"role":"assistant","content":""}`))},
		{Name: "Perplexity's whole answer", Want: hello,
			Body: choice(`"finish_reason":"stop","message":{"role":"assistant","content":"Hello"},"delta":{"role":"assistant","content":""}`)},
		{Name: "MiniMax's stream", Stream: true, Want: hello, Body: events(choice(`"delta":{"role":"assistant","content":"Hel"}`), choice(`"delta":{"content":"lo"}`),
			choice(`"finish_reason":"stop","message":{"content":"Hello","role":"assistant"}`), "[DONE]")},
		{Name: "MiniMax's tool call", Stream: true, Want: toolCalls(weatherCall("a", "{}")), Body: events(choice(`"delta":{"role":"assistant",`+call+`}`),
			choice(`"finish_reason":"tool_calls","message":{"role":"assistant","content":"",`+call+`}`), "[DONE]")},
		{Name: "OpenRouter's blank lines", Want: hello, Body: strings.Repeat("\n         \n", 2000) + choice(`"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"`)},
		{Name: "Bedrock's throttle behind LiteLLM", Status: 429, Kind: elumenta.KindRateLimited,
			Body: `{"error":{"message":"BedrockException - Too many tokens, please wait before trying again.","type":"throttling_error","param":null,"code":"429"}}`},
		{Name: "Bedrock's throttle in a stream", Stream: true, Kind: elumenta.KindRateLimited,
			Body: events(`{"error":{"message":"BedrockException - Too many tokens, please wait before trying again.","type":"throttling_error","param":null,"code":"429"}}`)},
	}
	providertest.RunCases(t, s)
}

// TestReasoningGoesBack: with tools, each message of the assistant has its reasoning again, and at DeepSeek's host one that had none says so, wherever it came from.
func TestReasoningGoesBack(t *testing.T) {
	thought := func(member, text elumenta.Text) elumenta.Part {
		return elumenta.Part{Kind: elumenta.PartReasoning, Text: text, Opaque: &elumenta.Opaque{Format: "openai", Data: `{"type":"` + member + `"}`}}
	}
	said := func(parts ...elumenta.Part) elumenta.Turn {
		return elumenta.Turn{Role: elumenta.RoleOfAssistant, Parts: parts}
	}
	words := func(text elumenta.Text) elumenta.Part { return elumenta.Part{Kind: elumenta.PartText, Text: text} }
	call := elumenta.Part{Kind: elumenta.PartToolCall, ToolCall: &elumenta.ToolCall{ID: "a", Name: "weather", Arguments: "{}"}}
	prompt := &elumenta.Prompt{Tools: []elumenta.Tool{{Name: "weather"}}, Turns: []elumenta.Turn{
		{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{words("Rome?")}}, said(thought("reasoning_content", "one"), call),
		{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{{Kind: elumenta.PartToolResult, ToolResult: &elumenta.ToolResult{CallID: "a"}}}}, said(thought("reasoning_content", "two"), words("Sunny.")),
		{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{words("Oslo?")}}, said(words("Wait."), call),
		{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{{Kind: elumenta.PartToolResult, ToolResult: &elumenta.ToolResult{CallID: "a"}}}}, said(thought("reasoning", "three"), words("Rain.")),
	}}
	for url, want := range map[string]string{"": "one two", "http://api.deepseek.com": "one two - three"} {
		sent := providertest.CaptureAnswer(t, `{"choices":[{"message":{"content":"Oi"},"finish_reason":"stop"}]}`, func(server string, c *http.Client) {
			target := elumenta.Target{BaseURL: cmp.Or(url, server), Model: "m", Client: c, Capabilities: everything()}
			c.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(server, "http://"))
			}
			if _, err := (openai.Chat{}).Generate(t.Context(), target, prompt, func(elumenta.Event) error { return nil }); err != nil {
				t.Error(err)
			}
		})
		var body struct {
			Messages []struct {
				Reasoning *string `json:"reasoning_content"`
			}
		}
		if err := json.Unmarshal([]byte(sent.Body), &body); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range body.Messages {
			if m.Reasoning != nil {
				got = append(got, cmp.Or(*m.Reasoning, "-"))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: reasoning %q, want %q", url, got, want)
		}
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
