package openai_test

import (
	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/providertest"
)

const (
	reasoningItem = `{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"},{"type":"summary_text","text":"so"}],"encrypted_content":"gAAA"}`
	messageItem   = `{"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],"text":"Oi!"}]}`
	callItem      = `{"type":"function_call","id":"fc_1","status":"completed","call_id":"call_1","name":"weather","arguments":"{\"location\":\"Rome\"}"}`
	refusalItem   = `{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"refusal","refusal":"I can't"}]}`
)

func wholeResponse(status, details, output string) string {
	return `{"id":"r1","object":"response","model":"gpt-dated","status":"` + status + `","error":null,"incomplete_details":` + details + `,"instructions":"long","output":[` + output +
		`],"text":{"format":{"type":"text"}},"usage":{"input_tokens":19,"input_tokens_details":{"cached_tokens":4},"output_tokens":86,"output_tokens_details":{"reasoning_tokens":64},"total_tokens":105}}`
}

func responsesCases() []providertest.Case {
	counted := elumenta.Usage{PromptTokens: 19, CompletionTokens: 86, CachedTokens: 4, ReasoningTokens: 64}
	want := providertest.Expectation{Text: "Oi!", Reasoning: "hm\n\nso", Finish: elumenta.FinishStop, Usage: counted, UpstreamID: "r1", Model: "gpt-dated"}
	with := func(change func(*providertest.Expectation)) providertest.Expectation {
		w := want
		change(&w)
		return w
	}
	begin := events(`{"type":"response.created","response":{"id":"r1","status":"in_progress","output":[]}}`)
	thought := events(
		`{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[]}}`,
		`{"type":"response.reasoning_summary_part.added","summary_index":0,"part":{"type":"summary_text","text":""}}`,
		`{"type":"response.reasoning_summary_text.delta","summary_index":0,"delta":"hm"}`,
		`{"type":"response.reasoning_summary_part.added","summary_index":1,"part":{"type":"summary_text","text":""}}`,
		`{"type":"response.reasoning_summary_text.delta","summary_index":1,"delta":"so"}`,
		`{"type":"response.output_item.done","output_index":0,"item":`+reasoningItem+`}`)
	text := events(
		`{"type":"response.output_item.added","output_index":1,"item":{"type":"message","id":"msg_1","content":[]}}`,
		`{"type":"response.output_text.delta","output_index":1,"delta":""}`,
		`{"type":"response.output_text.delta","output_index":1,"delta":"Oi"}`,
		`{"type":"response.output_text.delta","output_index":1,"delta":"!"}`,
		`{"type":"response.some_new_event","delta":{"a":1}}`,
		`{"type":"response.output_item.done","output_index":1,"item":`+messageItem+`}`)
	end := func(kind, status, details, output string) string {
		return events(`{"type":"response.` + kind + `","response":` + wholeResponse(status, details, output) + `}`)
	}
	completed := end("completed", "completed", "null", reasoningItem+","+messageItem)
	none := func(w *providertest.Expectation) { w.Text, w.Reasoning = "", "" }
	called := with(func(w *providertest.Expectation) {
		none(w)
		w.ToolCalls, w.Finish = []elumenta.ToolCall{weatherCall("call_1", `{"location":"Rome"}`)}, elumenta.FinishToolCalls
	})
	refused := with(func(w *providertest.Expectation) {
		none(w)
		w.Refusal, w.Finish = "I can't", elumenta.FinishRefusal
	})
	callAdded := `{"type":"response.output_item.added","output_index":3,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"weather","arguments":""}}`
	return []providertest.Case{
		{Name: "stream", Stream: true, Body: begin + thought + text + completed, Want: want},
		{Name: "whole", Body: wholeResponse("completed", "null", reasoningItem+","+messageItem), Want: want},
		{Name: "named events", Stream: true, Body: "event: response.output_text.delta\ndata: {\"delta\":\"Oi!\"}\n\nevent: response.in_progress\ndata: {\"big\":1}\n\n" + completed,
			Want: with(func(w *providertest.Expectation) { w.Reasoning = "" })},
		{Name: "no end", Stream: true, Body: begin + text, Kind: elumenta.KindTruncated},
		{Name: "[DONE] without an end", Stream: true, Body: begin + text + events("[DONE]"), Kind: elumenta.KindTruncated},
		{Name: "[DONE] behind the end", Stream: true, Body: begin + thought + text + completed + events("[DONE]"), Want: want},
		{Name: "length", Stream: true, Body: begin + text + end("incomplete", "incomplete", `{"reason":"max_output_tokens"}`, messageItem),
			Want: with(func(w *providertest.Expectation) { w.Reasoning, w.Finish = "", elumenta.FinishLength })},
		{Name: "content filter", Body: wholeResponse("incomplete", `{"reason":"content_filter"}`, messageItem),
			Want: with(func(w *providertest.Expectation) { w.Reasoning, w.Finish = "", elumenta.FinishContentFilter })},
		{Name: "tool call", Stream: true, Body: begin + events(callAdded,
			`{"type":"response.function_call_arguments.delta","output_index":3,"delta":"{\"location\":"}`,
			`{"type":"response.function_call_arguments.delta","output_index":3,"delta":"\"Rome\"}"}`,
			`{"type":"response.function_call_arguments.done","output_index":3,"arguments":"{\"location\":\"Rome\"}"}`,
			`{"type":"response.output_item.done","output_index":3,"item":`+callItem+`}`) + end("completed", "completed", "null", callItem), Want: called},
		{Name: "tool call at once", Stream: true, Body: begin + events(callAdded, `{"type":"response.output_item.done","output_index":3,"item":`+callItem+`}`) +
			end("completed", "completed", "null", callItem), Want: called},
		{Name: "tool call, whole", Body: wholeResponse("completed", "null", callItem), Want: called},
		{Name: "arguments of no call", Stream: true, Body: begin + events(`{"type":"response.function_call_arguments.delta","output_index":3,"delta":"{"}`), Kind: elumenta.KindMalformed},
		{Name: "refusal", Stream: true, Body: begin + events(`{"type":"response.refusal.delta","delta":"I "}`, `{"type":"response.refusal.delta","delta":"can't"}`) +
			end("completed", "completed", "null", refusalItem), Want: refused},
		{Name: "refusal, whole", Body: wholeResponse("completed", "null", refusalItem), Want: refused},
		{Name: "failed", Body: `{"id":"r1","status":"failed","error":{"code":"server_error","message":"m"},"output":[]}`, Kind: elumenta.KindFailed},
		{Name: "failed by rate", Stream: true, Body: begin + events(`{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"m"}}}`), Kind: elumenta.KindRateLimited},
		{Name: "failed by policy", Stream: true, Body: begin + events(`{"type":"response.failed","response":{"status":"failed","error":{"code":"invalid_prompt","message":"m"}}}`), Kind: elumenta.KindRejected, Reason: elumenta.RejectContent},
		{Name: "failed without an error", Body: `{"id":"r1","status":"cancelled","output":[]}`, Kind: elumenta.KindFailed},
		{Name: "still running", Body: `{"id":"r1","status":"in_progress","output":[]}`, Kind: elumenta.KindTruncated},
		{Name: "no status", Body: `{"id":"r1","output":[]}`, Kind: elumenta.KindMalformed},
		{Name: "error for an answer", Body: `{"error":{"code":"invalid_base64_image","message":"m"}}`, Kind: elumenta.KindRejected, Reason: elumenta.RejectImage},
		{Name: "delta of a wrong type", Stream: true, Body: begin + events(`{"type":"response.completed","response":7}`), Kind: elumenta.KindMalformed},
	}
}
