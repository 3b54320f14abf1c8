package providertest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/elumenta/elumenta"
)

// Thinker is a provider that thinks, calls a tool, thinks again, calls another one, answers, and answers once more. It speaks a format's own bytes, and
// each answer but the last has state that must come back with the next request. It is for the tests of APIs over that format.
type Thinker struct {
	// Target is where it answers.
	Target elumenta.Target
	format string

	mu     sync.Mutex
	bodies []map[string]any
}

// The answers of a Thinker, by format: content blocks of Anthropic's, output items of OpenAI's, parts of Gemini's.
var thinkerAnswers = map[string][]string{
	"anthropic": {
		`{"type":"thinking","thinking":"I \"should\"\n look: é","signature":"c2lnMQ==+/"}|{"type":"redacted_thinking","data":"cmVkMQ=="}|` +
			`{"type":"text","text":"I look."}|{"type":"tool_use","id":"toolu_1","name":"weather","input":{"city":"Bern"}}`,
		`{"type":"thinking","thinking":"","signature":"c2lnMg=="}|{"type":"tool_use","id":"toolu_2","name":"clock","input":{}}`,
		`{"type":"thinking","thinking":"Done.","signature":"c2lnMw=="}|{"type":"text","text":"Warm."}`,
		`{"type":"text","text":"Bye."}`,
	},
	"openai": {
		`{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"I \"should\"\n look: é"},{"type":"summary_text","text":"Yes."}],"encrypted_content":"gAAAA+/1=="}|` +
			`{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"I look."}]}|` +
			`{"type":"function_call","id":"fc_1","call_id":"call_1","name":"weather","arguments":"{\"city\":\"Bern\"}"}`,
		`{"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"gAAAA2"}|{"type":"function_call","id":"fc_2","call_id":"call_2","name":"clock","arguments":"{}"}`,
		`{"type":"reasoning","id":"rs_3","summary":[],"encrypted_content":"gAAAA3"}|{"type":"message","id":"msg_3","role":"assistant","content":[{"type":"output_text","text":"Warm."}]}`,
		`{"type":"message","id":"msg_4","role":"assistant","content":[{"type":"output_text","text":"Bye."}]}`,
	},
	"gemini": {
		`{"text":"I should look.","thought":true}|{"text":"I look."}|{"functionCall":{"id":"g1","name":"weather","args":{"city":"Bern"}},"thoughtSignature":"c2lnMQ==+/"}`,
		`{"functionCall":{"id":"g2","name":"clock","args":{}},"thoughtSignature":"c2lnMg=="}`,
		`{"text":"Warm.","thoughtSignature":"c2lnMw=="}`,
		`{"text":"Bye."}`,
	},
}

// NewThinker serves a Thinker of a format: anthropic, openai (the Responses API) or gemini.
func NewThinker(tb testing.TB, format string) *Thinker {
	tb.Helper()
	th := &Thinker{format: format}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var got map[string]any
		if err != nil || json.Unmarshal(body, &got) != nil {
			tb.Errorf("the provider got no JSON: %v", err)
			return
		}
		th.mu.Lock()
		n := len(th.bodies)
		th.bodies = append(th.bodies, got)
		th.mu.Unlock()
		if n >= len(thinkerAnswers[format]) {
			tb.Errorf("the provider was asked %d times", n+1)
			return
		}
		stream := got["stream"] == true || strings.Contains(r.URL.Path, ":streamGenerateContent")
		w.Header().Set("Content-Type", "application/json")
		if stream {
			w.Header().Set("Content-Type", "text/event-stream")
		}
		_, _ = io.WriteString(w, th.answer(strings.Split(thinkerAnswers[format][n], "|"), stream))
	}))
	client := &http.Client{Transport: &http.Transport{}}
	tb.Cleanup(func() {
		client.CloseIdleConnections()
		server.Close()
	})
	model := map[string]string{"anthropic": "claude-sonnet-4-5", "openai": "gpt-5.2", "gemini": "gemini-3-pro"}[format]
	th.Target = elumenta.Target{
		Name: format, Model: model, BaseURL: server.URL, Client: client, Credential: elumenta.NewSecret("secret"),
		Capabilities: elumenta.Capabilities{Tools: true, MaxTokens: 64000},
	}
	return th
}

// Requests is what was asked so far.
func (th *Thinker) Requests() []map[string]any {
	th.mu.Lock()
	defer th.mu.Unlock()
	return append([]map[string]any(nil), th.bodies...)
}

func (th *Thinker) answer(parts []string, stream bool) string {
	list := strings.Join(parts, ",")
	calls := strings.Contains(list, "tool_use") || strings.Contains(list, "call_id") || strings.Contains(list, "functionCall")
	switch {
	case th.format == "gemini" && stream:
		var b strings.Builder
		for _, p := range parts {
			fmt.Fprintf(&b, "data: {\"candidates\":[{\"content\":{\"parts\":[%s]}}]}\n\n", p)
		}
		return b.String() + "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}]},\"finishReason\":\"STOP\"}]}\n\n"
	case th.format == "gemini":
		return `{"candidates":[{"content":{"parts":[` + list + `]},"finishReason":"STOP"}]}`
	case th.format == "openai" && stream:
		return openAIStream(parts)
	case th.format == "openai":
		return `{"id":"resp_1","status":"completed","output":[` + list + `]}`
	}
	reason := "end_turn"
	if calls {
		reason = "tool_use"
	}
	if !stream {
		return `{"type":"message","id":"msg_1","content":[` + list + `],"stop_reason":"` + reason + `"}`
	}
	var b strings.Builder
	event := func(format string, args ...any) { fmt.Fprintf(&b, "data: "+format+"\n\n", args...) }
	event(`{"type":"message_start","message":{"id":"msg_1"}}`)
	for i, p := range parts {
		var block map[string]json.RawMessage
		_ = json.Unmarshal([]byte(p), &block)
		deltas := map[string]string{"thinking": "thinking_delta", "signature": "signature_delta", "text": "text_delta", "input": "input_json_delta"}
		start := map[string]json.RawMessage{}
		for name, value := range block {
			if deltas[name] == "" {
				start[name] = value
			}
		}
		head, _ := json.Marshal(start)
		event(`{"type":"content_block_start","index":%d,"content_block":%s}`, i, head)
		for _, name := range []string{"thinking", "signature", "text", "input"} {
			value, ok := block[name]
			switch {
			case !ok:
			case name == "input":
				text, _ := json.Marshal(string(value))
				event(`{"type":"content_block_delta","index":%d,"delta":{"type":"input_json_delta","partial_json":%s}}`, i, text)
			default:
				event(`{"type":"content_block_delta","index":%d,"delta":{"type":"%s","%s":%s}}`, i, deltas[name], name, value)
			}
		}
		event(`{"type":"content_block_stop","index":%d}`, i)
	}
	event(`{"type":"message_delta","delta":{"stop_reason":"%s"}}`, reason)
	event(`{"type":"message_stop"}`)
	return b.String()
}

func openAIStream(items []string) string {
	var b strings.Builder
	event := func(format string, args ...any) { fmt.Fprintf(&b, "data: "+format+"\n\n", args...) }
	for i, raw := range items {
		var item struct {
			Type, Arguments string
			Summary         []struct{ Text string }
			Content         []struct{ Text string }
		}
		_ = json.Unmarshal([]byte(raw), &item)
		event(`{"type":"response.output_item.added","output_index":%d,"item":%s}`, i, raw)
		for k, s := range item.Summary {
			text, _ := json.Marshal(s.Text)
			event(`{"type":"response.reasoning_summary_part.added","output_index":%d,"summary_index":%d}`, i, k)
			event(`{"type":"response.reasoning_summary_text.delta","output_index":%d,"summary_index":%d,"delta":%s}`, i, k, text)
		}
		for _, c := range item.Content {
			text, _ := json.Marshal(c.Text)
			event(`{"type":"response.output_text.delta","output_index":%d,"delta":%s}`, i, text)
		}
		event(`{"type":"response.output_item.done","output_index":%d,"item":%s}`, i, raw)
	}
	event(`{"type":"response.completed","response":{"id":"resp_1","status":"completed"}}`)
	return b.String()
}

// Check fails the test unless each request had the state of every answer before it, to the byte and in its place.
func (th *Thinker) Check(tb testing.TB) {
	tb.Helper()
	requests := th.Requests()
	if len(requests) != len(thinkerAnswers[th.format]) {
		tb.Fatalf("the provider was asked %d times", len(requests))
	}
	for n, body := range requests {
		var want []any
		for _, answer := range thinkerAnswers[th.format][:n] {
			for part := range strings.SplitSeq(answer, "|") {
				var v map[string]any
				if err := json.Unmarshal([]byte(part), &v); err != nil {
					tb.Fatal(err)
				}
				if v["thought"] == nil { // without a signature it says nothing to the model
					want = append(want, repeated(v))
				}
			}
		}
		got, _ := json.MarshalIndent(th.said(body), "", " ")
		wanted, _ := json.MarshalIndent(want, "", " ")
		if string(got) != string(wanted) {
			tb.Errorf("request %d has of the answers before it\n%s\nwant\n%s", n+1, got, wanted)
		}
	}
}

// said is what the model said, as a request repeats it.
func (th *Thinker) said(body map[string]any) (said []any) {
	switch th.format {
	case "openai":
		list, _ := body["input"].([]any)
		for _, v := range list {
			if item, _ := v.(map[string]any); item["role"] != "user" && item["type"] != "function_call_output" {
				said = append(said, repeated(item))
			}
		}
		return said
	case "gemini":
		list, _ := body["contents"].([]any)
		for _, v := range list {
			if c, _ := v.(map[string]any); c["role"] == "model" {
				parts, _ := c["parts"].([]any)
				said = append(said, parts...)
			}
		}
		return said
	}
	list, _ := body["messages"].([]any)
	for _, v := range list {
		if m, _ := v.(map[string]any); m["role"] == "assistant" {
			content, _ := m["content"].([]any)
			said = append(said, content...)
		}
	}
	return said
}

// repeated is an item without what OpenAI's input items do not repeat.
func repeated(item map[string]any) map[string]any {
	if item["type"] == "function_call" {
		delete(item, "id")
	}
	if item["role"] == "assistant" {
		return map[string]any{"content": item["content"], "role": "assistant"}
	}
	return item
}
