package anthropic_test

import (
	"encoding/json"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/anthropic"
	"github.com/elumenta/elumenta/provider/providertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func capabilities() elumenta.Capabilities {
	return elumenta.Capabilities{
		Temperature: &elumenta.Range{Min: 0, Max: 1}, TopP: &elumenta.Range{Min: 0, Max: 1}, Stop: 4, MaxTokens: 8192,
		JSONSchema: true, Tools: true, Vision: true, FetchesURLs: true, Cache: elumenta.CacheMarks, CacheMinimum: 1024,
	}
}

func suite() providertest.Suite {
	return providertest.Suite{
		Provider:     anthropic.Provider{},
		Serves:       func(path string) bool { return strings.HasSuffix(path, "/v1/messages") },
		Capabilities: capabilities(),
		Expect:       expect,
		ErrorBody: func(message string) string {
			text, _ := json.Marshal(message)
			return `{"type":"error","error":{"type":"some_error","message":` + string(text) + `},"request_id":"req_1"}`
		},
		ErrorEvents: []string{
			"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"%s\"}}\n\n",
			"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"never_seen\",\"message\":\"%s\"}}\n\n",
			"event: error\ndata: {\"type\":\"error\"}\n\n",
			`{"type":"error","error":{"type":"api_error","message":"%s"}}`,
		},
		Cases:      cases(),
		EitherMode: true,
	}
}

func TestSuite(t *testing.T) { providertest.Run(t, suite()) }

func FuzzStream(f *testing.F) { providertest.Fuzz(f, suite(), true) }

func FuzzWhole(f *testing.F) { providertest.Fuzz(f, suite(), false) }

// expect works out what a body stands for in the plainest way.
func expect(body []byte, stream bool) providertest.Expectation {
	var x providertest.Expectation
	if !stream {
		var whole object
		if json.Unmarshal(body, &whole) == nil {
			expectBlocks(&x, whole.list("content"))
			expectUsage(&x, whole.object("usage"))
			x.UpstreamID, x.Model = whole.text("id"), whole.text("model")
			x.Finish, x.Finished = finish[whole.text("stop_reason")], true
		}
		return x
	}
	var blocks []object
	for _, data := range providertest.Data(body) {
		var e object
		if json.Unmarshal([]byte(data), &e) != nil {
			continue
		}
		switch e.text("type") {
		case "message_start":
			x.UpstreamID, x.Model = e.object("message").text("id"), e.object("message").text("model")
			expectUsage(&x, e.object("message").object("usage"))
		case "content_block_start":
			blocks = append(blocks, e.object("content_block"))
		case "content_block_delta":
			last := blocks[len(blocks)-1]
			d := e.object("delta")
			last["text"] = last.text("text") + d.text("text")
			last["thinking"] = last.text("thinking") + d.text("thinking")
			last["json"] = last.text("json") + d.text("partial_json")
		case "message_delta":
			x.Finish = finish[e.object("delta").text("stop_reason")]
			expectUsage(&x, e.object("usage"))
		case "message_stop":
			x.Finished = true
		}
	}
	expectBlocks(&x, blocks)
	return x
}

var finish = map[string]elumenta.FinishReason{
	"end_turn": "stop", "stop_sequence": "stop", "pause_turn": "stop", "refusal": "refusal", "tool_use": "tool_calls",
	"max_tokens": "length", "model_context_window_exceeded": "length",
}

func expectBlocks(x *providertest.Expectation, blocks []object) {
	for _, b := range blocks {
		switch b.text("type") {
		case "text":
			x.Text += b.text("text")
		case "thinking":
			x.Reasoning += b.text("thinking")
		case "tool_use":
			arguments := b.text("json")
			if arguments == "" {
				input, _ := json.Marshal(b["input"])
				arguments = string(input)
			}
			x.ToolCalls = append(x.ToolCalls, elumenta.ToolCall{ID: b.text("id"), Name: b.text("name"), Arguments: elumenta.Text(arguments)})
		}
	}
}

func expectUsage(x *providertest.Expectation, u object) {
	x.Usage = elumenta.Usage{
		PromptTokens:     u.number("input_tokens") + u.number("cache_creation_input_tokens") + u.number("cache_read_input_tokens"),
		CompletionTokens: u.number("output_tokens"),
		CachedTokens:     u.number("cache_read_input_tokens"), CacheWriteTokens: u.number("cache_creation_input_tokens"),
		ReasoningTokens: u.object("output_tokens_details").number("thinking_tokens"),
	}
}

type object map[string]any

func (o object) text(key string) string { s, _ := o[key].(string); return s }

func (o object) number(key string) int64 { n, _ := o[key].(float64); return int64(n) }

func (o object) object(key string) object { m, _ := o[key].(map[string]any); return m }

func (o object) list(key string) []object {
	var all []object
	items, _ := o[key].([]any)
	for _, item := range items {
		m, _ := item.(map[string]any)
		all = append(all, m)
	}
	return all
}
