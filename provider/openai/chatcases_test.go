package openai_test

import (
	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/providertest"
)

func usage(prompt, completion int64) elumenta.Usage {
	return elumenta.Usage{PromptTokens: prompt, CompletionTokens: completion}
}

// choice is a chunk with one choice.
func choice(body string) string { return `{"id":"c1","choices":[{"index":0,` + body + `}]}` }

const stop = `{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`

func weatherCall(id, arguments string) elumenta.ToolCall {
	return elumenta.ToolCall{ID: id, Name: "weather", Arguments: elumenta.Text(arguments)}
}

func chatCases() []providertest.Case {
	say := choice(`"delta":{"role":"assistant","content":"Oi"}`)
	plain := providertest.Expectation{Text: "Oi", Finish: elumenta.FinishStop, UpstreamID: "c1"}
	with := func(change func(*providertest.Expectation)) providertest.Expectation {
		w := plain
		change(&w)
		return w
	}
	counted := with(func(w *providertest.Expectation) { w.Usage = usage(7, 2) })
	return []providertest.Case{
		{
			Name: "the model that answered", Stream: true,
			Body: events(`{"id":"c1","model":"gpt-dated","choices":[{"index":0,"delta":{"content":"Oi"}}]}`, `{"model":"other","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`),
			Want: with(func(w *providertest.Expectation) { w.Model = "gpt-dated" }),
		},
		{Name: "stream", Stream: true, Body: events(say, choice(`"delta":{"content":", tudo\u00a0bem? \ud83d\udc4b"}`), stop,
			`{"id":"c1","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}`, `[DONE]`),
			Want: with(func(w *providertest.Expectation) { w.Text, w.Usage = "Oi, tudo\u00a0bem? 👋", usage(7, 2) })},
		{Name: "whole", Body: `{"id":"c1","choices":[{"index":0,"message":{"role":"assistant","content":"Oi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":2}}`, Want: counted},
		{Name: "CRLF and comments", Stream: true, Body: ": hi\r\n\r\ndata: " + say + "\r\n\r\n: ping\r\n\r\ndata:" + stop + "\r\n\r\ndata: [DONE]\r\n\r\n", Want: plain},
		{Name: "CR", Stream: true, Body: "\xef\xbb\xbfdata: " + say + "\r\rdata: " + stop + "\r\rdata: [DONE]\r\r", Want: plain},
		{Name: "several data lines", Stream: true, Body: "id: 1\ndata: {\"id\":\"c1\",\ndata: \"choices\":[{\"index\":0,\"delta\":{\"content\":\"Oi\"},\ndata: \"finish_reason\":\"stop\"}]}\n\n", Want: plain},
		{Name: "no [DONE]", Stream: true, Body: events(say, stop), Want: plain},
		{Name: "no blank line at the end", Stream: true, Body: events(say, stop) + "data: [DONE]", Want: plain},
		{Name: "no finish", Stream: true, Body: events(say), Kind: elumenta.KindTruncated},
		{Name: "[DONE] without a finish", Stream: true, Body: events(say, "[DONE]"), Kind: elumenta.KindTruncated},
		{Name: "a stream named JSON", Stream: true, ContentType: "application/json", Body: events(say, stop, "[DONE]"), Want: plain},
		{Name: "a whole answer named a stream", ContentType: "text/event-stream", Body: "\n " + `{"id":"c1","choices":[{"message":{"content":"Oi"},"finish_reason":"stop"}]}`, Want: plain},
		{Name: "whole without a reason", Body: `{"id":"c1","choices":[{"message":{"content":"Oi"},"finish_reason":null}]}`, Want: plain},
		{Name: "null everywhere", Stream: true, Body: events(choice(`"delta":{"role":"assistant","content":null,"refusal":null,"tool_calls":null,"reasoning":null},"finish_reason":null,"logprobs":null`),
			say, `{"id":null,"choices":null,"usage":null,"error":null}`, choice(`"delta":null,"finish_reason":"stop"`), "[DONE]"), Want: plain},
		{Name: "no content at all", Stream: true, Body: events(choice(`"delta":{}`), stop, "[DONE]"), Want: with(func(w *providertest.Expectation) { w.Text = "" })},
		{Name: "content in parts", Body: `{"id":"c1","choices":[{"message":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"O"},"i"]},"finish_reason":"stop"}]}`,
			Want: with(func(w *providertest.Expectation) { w.Reasoning = "hm" })},
		{Name: "two finish chunks, usage twice", Stream: true, Body: events(say, stop, `{"id":"c1","choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":1,"total_tokens":8}}`,
			`{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}`, "[DONE]"), Want: counted},
		{Name: "usage in every chunk", Stream: true, Body: events(`{"id":"c1","choices":[{"index":0,"delta":{"content":"O"}}],"usage":{"prompt_tokens":7,"completion_tokens":1}}`,
			`{"id":"c1","choices":[{"index":0,"delta":{"content":"i"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":2}}`, "[DONE]"), Want: counted},
		{Name: "usage in the choice", Stream: true, Body: events(say, choice(`"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":7,"completion_tokens":2}`), "[DONE]"), Want: counted},
		{Name: "usage of Groq", Stream: true, Body: events(say, `{"choices":[{"delta":{},"finish_reason":"stop"}],"x_groq":{"usage":{"prompt_tokens":7,"completion_tokens":2}}}`, "[DONE]"), Want: counted},
		{Name: "usage of DeepSeek", Body: `{"id":"c1","choices":[{"message":{"content":"Oi","reasoning_content":"hm"},"finish_reason":"stop"}],"usage":{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,"prompt_cache_hit_tokens":64,"prompt_cache_miss_tokens":36,"completion_tokens_details":{"reasoning_tokens":15}}}`,
			Want: with(func(w *providertest.Expectation) {
				w.Reasoning = "hm"
				w.Usage = elumenta.Usage{PromptTokens: 100, CompletionTokens: 20, CachedTokens: 64, ReasoningTokens: 15}
			})},
		{Name: "reasoning tokens apart", Body: `{"id":"c1","choices":[{"message":{"content":"Oi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":2,"completion_tokens_details":{"reasoning_tokens":15}}}`,
			Want: with(func(w *providertest.Expectation) {
				w.Usage = elumenta.Usage{PromptTokens: 10, CompletionTokens: 17, ReasoningTokens: 15}
			})},
		{Name: "usage of llama.cpp", Stream: true, Body: events(say, stop, `{"choices":[],"usage":{"prompt_tokens":84,"completion_tokens":2,"total_tokens":86},"timings":{"cache_n":83,"prompt_n":1,"prompt_ms":8.996}}`, "[DONE]"),
			Want: with(func(w *providertest.Expectation) {
				w.Usage = elumenta.Usage{PromptTokens: 84, CompletionTokens: 2, CachedTokens: 83}
			})},
		{Name: "usage of LiteLLM", Body: `{"id":"c1","choices":[{"message":{"content":"Oi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":2006,"completion_tokens":2,"total_tokens":2008,"prompt_tokens_details":{"cached_tokens":1000},"cache_creation_input_tokens":900,"cache_read_input_tokens":1000}}`,
			Want: with(func(w *providertest.Expectation) {
				w.Usage = elumenta.Usage{PromptTokens: 2006, CompletionTokens: 2, CachedTokens: 1000, CacheWriteTokens: 900}
			})},
		{Name: "cache written", Body: `{"id":"c1","choices":[{"message":{"content":"Oi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":3,"cache_write_tokens":5}}}`,
			Want: with(func(w *providertest.Expectation) {
				w.Usage = elumenta.Usage{PromptTokens: 10, CompletionTokens: 2, CachedTokens: 3, CacheWriteTokens: 5}
			})},
		{Name: "reasoning under both names", Stream: true, Body: events(choice(`"delta":{"reasoning":"hm","reasoning_content":"hm"}`), say, stop, "[DONE]"),
			Want: with(func(w *providertest.Expectation) { w.Reasoning = "hm" })},
		{Name: "refusal", Stream: true, Body: events(choice(`"delta":{"refusal":"I "}`), choice(`"delta":{"refusal":"can't"}`), stop, "[DONE]"),
			Want: with(func(w *providertest.Expectation) { w.Text, w.Refusal, w.Finish = "", "I can't", elumenta.FinishRefusal })},
		{Name: "length", Stream: true, Body: events(say, choice(`"delta":{},"finish_reason":"length"`), "[DONE]"), Want: with(func(w *providertest.Expectation) { w.Finish = elumenta.FinishLength })},
		{Name: "content filter", Stream: true, Body: events(say, choice(`"delta":{},"finish_reason":"content_filter"`), "[DONE]"), Want: with(func(w *providertest.Expectation) { w.Finish = elumenta.FinishContentFilter })},
		{Name: "odd reason", Stream: true, Body: events(say, choice(`"delta":{},"finish_reason":"eos"`), "[DONE]"), Want: plain},
		{Name: "no resources", Stream: true, Body: events(say, choice(`"delta":{},"finish_reason":"insufficient_system_resource"`)), Kind: elumenta.KindOverloaded},
		{Name: "error code 403", Stream: true, Body: events(say, `{"error":{"message":"m","code":403}}`), Kind: elumenta.KindAuth, OneModel: true},
		{Name: "error code as status", Stream: true, Body: events(say, `{"error":{"message":"m","code":429}}`), Kind: elumenta.KindRateLimited},
		{Name: "error in a whole answer", Body: `{"error":{"message":"m","code":"context_length_exceeded"}}`, Kind: elumenta.KindRejected, Reason: elumenta.RejectContext},
		{Name: "no choices", Body: `{"id":"c1","choices":[]}`, Kind: elumenta.KindMalformed},
		{Name: "content of a wrong type", Stream: true, Body: events(choice(`"delta":{"content":{"a":1}}`)), Kind: elumenta.KindMalformed},
		{Name: "two values", Body: `{"id":"c1","choices":[{"message":{"content":"Oi"},"finish_reason":"stop"}]}{}`, Kind: elumenta.KindMalformed},
		{Name: "tool calls in pieces", Stream: true, Body: events(
			choice(`"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"weather","arguments":""}}]}`),
			choice(`"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"location\":"}}]}`),
			choice(`"delta":{"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"weather","arguments":"{}"}},{"index":0,"function":{"arguments":"\"Rome\"}"}}]}`),
			choice(`"delta":{},"finish_reason":"tool_calls"`), "[DONE]"),
			Want: toolCalls(weatherCall("a", `{"location":"Rome"}`), weatherCall("b", `{}`))},
		{Name: "tool calls without an index", Stream: true, Body: events(
			choice(`"delta":{"tool_calls":[{"id":"a","function":{"name":"weather","arguments":"{"}}]}`),
			choice(`"delta":{"tool_calls":[{"function":{"arguments":"}"}}]}`),
			choice(`"delta":{"tool_calls":[{"id":"b","function":{"name":"weather","arguments":{"location":"Rome"}}}]}`), stop, "[DONE]"),
			Want: toolCalls(weatherCall("a", `{}`), weatherCall("b", `{"location":"Rome"}`))},
		{Name: "tool calls of one index", Stream: true, Body: events(
			choice(`"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"weather","arguments":"{}"}}]}`),
			choice(`"delta":{"tool_calls":[{"index":0,"id":"b","function":{"name":"weather","arguments":"{}"}}]}`), stop, "[DONE]"),
			Want: toolCalls(weatherCall("a", `{}`), weatherCall("b", `{}`))},
		{Name: "tool call with its id in every piece", Stream: true, Body: events(
			choice(`"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"weather","arguments":"{"}}]}`),
			choice(`"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"weather","arguments":"}"}}]}`), stop, "[DONE]"),
			Want: toolCalls(weatherCall("a", `{}`))},
		{Name: "tool call without a name", Stream: true, Body: events(
			choice(`"delta":{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{}"}}]}`), stop, "[DONE]"), Kind: elumenta.KindMalformed},
		{Name: "tool call without a name before another", Body: `{"id":"c1","choices":[{"message":{"tool_calls":[{"id":"a"},{"id":"b","function":{"name":"weather"}}]},"finish_reason":"tool_calls"}]}`,
			Kind: elumenta.KindMalformed},
		{Name: "tool calls, whole", Body: `{"id":"c1","choices":[{"message":{"content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"weather","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"weather","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`,
			Want: toolCalls(weatherCall("a", `{}`), weatherCall("b", `{}`))},
		{Name: "tool calls without arguments", Stream: true, Body: events(
			choice(`"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"weather","arguments":""}},{"index":1,"id":"b","function":{"name":"weather"}}]}`), stop, "[DONE]"),
			Want: toolCalls(weatherCall("a", `{}`), weatherCall("b", `{}`))},
		{Name: "tool call without arguments, whole", Body: `{"id":"c1","choices":[{"message":{"tool_calls":[{"id":"a","function":{"name":"weather","arguments":""}}]},"finish_reason":"stop"}]}`,
			Want: toolCalls(weatherCall("a", `{}`))},
		{Name: "tool call that was cut off before its arguments", Stream: true, Body: events(
			choice(`"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"weather","arguments":""}}]}`), choice(`"delta":{},"finish_reason":"length"`), "[DONE]"),
			Want: providertest.Expectation{ToolCalls: []elumenta.ToolCall{weatherCall("a", ``)}, Finish: elumenta.FinishLength, UpstreamID: "c1"}},
		{Name: "tool_calls as a reason without any", Stream: true, Body: events(say, choice(`"delta":{},"finish_reason":"tool_calls"`), "[DONE]"), Want: plain},
	}
}

func toolCalls(calls ...elumenta.ToolCall) providertest.Expectation {
	return providertest.Expectation{ToolCalls: calls, Finish: elumenta.FinishToolCalls, UpstreamID: "c1"}
}
