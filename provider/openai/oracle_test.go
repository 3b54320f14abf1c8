package openai_test

import (
	"encoding/json"
	"strings"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/providertest"
)

// object is JSON as the simple decoders read it.
type object map[string]any

func parse(text string) object {
	var o object
	_ = json.Unmarshal([]byte(text), &o)
	return o
}

func (o object) obj(key string) object {
	m, _ := o[key].(map[string]any)
	return m
}

func (o object) list(key string) []object {
	var all []object
	items, _ := o[key].([]any)
	for _, item := range items {
		m, _ := item.(map[string]any)
		all = append(all, m)
	}
	return all
}

func (o object) str(key string) string {
	s, _ := o[key].(string)
	return s
}

func (o object) int(key string) int64 {
	f, _ := o[key].(float64)
	return int64(f)
}

// expectChat is what a Chat Completions body stands for, decoded simply.
func expectChat(body []byte, stream bool) (want providertest.Expectation) {
	chunks := []string{string(body)}
	if stream {
		chunks = providertest.Data(body)
	}
	usage, timings := object{}, object{}
	for _, text := range chunks {
		chunk := parse(text)
		if want.UpstreamID == "" {
			want.UpstreamID = chunk.str("id")
		}
		if want.Model == "" {
			want.Model = chunk.str("model")
		}
		for _, u := range []object{chunk.obj("usage"), chunk.obj("x_groq").obj("usage")} {
			if u != nil {
				usage = u
			}
		}
		if t := chunk.obj("timings"); t != nil {
			timings = t
		}
		for _, choice := range chunk.list("choices") {
			message := choice.obj("delta")
			if message == nil {
				message = choice.obj("message")
			}
			want.Text += message.str("content")
			want.Refusal += message.str("refusal")
			if r := message.str("reasoning_content"); r != "" {
				want.Reasoning += r
			} else {
				want.Reasoning += message.str("reasoning")
			}
			for i, call := range message.list("tool_calls") {
				at := i
				if _, ok := call["index"]; ok {
					at = int(call.int("index"))
				}
				for len(want.ToolCalls) <= at {
					want.ToolCalls = append(want.ToolCalls, elumenta.ToolCall{})
				}
				c, f := &want.ToolCalls[at], call.obj("function")
				if c.ID == "" {
					c.ID, c.Name = call.str("id"), f.str("name")
				}
				c.Arguments += elumenta.Text(f.str("arguments"))
			}
			if reason := choice.str("finish_reason"); reason != "" {
				want.Finished = true
				want.Finish = elumenta.FinishReason(reason)
			}
		}
	}
	want.Usage = simpleUsage(usage)
	want.Usage.CachedTokens = max(want.Usage.CachedTokens, timings.int("cache_n"))
	if want.Finish == elumenta.FinishStop && want.Refusal != "" {
		want.Finish = elumenta.FinishRefusal
	}
	return want
}

func simpleUsage(u object) elumenta.Usage {
	in, out := u.obj("prompt_tokens_details"), u.obj("completion_tokens_details")
	usage := elumenta.Usage{
		PromptTokens: u.int("prompt_tokens"), CompletionTokens: u.int("completion_tokens"),
		CachedTokens: max(in.int("cached_tokens"), u.int("prompt_cache_hit_tokens")), CacheWriteTokens: in.int("cache_write_tokens"),
		ReasoningTokens: out.int("reasoning_tokens"),
	}
	if usage.TotalTokens()+usage.ReasoningTokens == u.int("total_tokens") {
		usage.CompletionTokens += usage.ReasoningTokens
	}
	return usage
}

// expectResponses is what a Responses body stands for, decoded simply: the response that the last event carries.
func expectResponses(body []byte, stream bool) (want providertest.Expectation) {
	var r object
	if stream {
		for _, text := range providertest.Data(body) {
			switch event := parse(text); event.str("type") {
			case "response.completed", "response.incomplete":
				r = event.obj("response")
			}
		}
	} else {
		r = parse(string(body))
	}
	want.UpstreamID, want.Model = r.str("id"), r.str("model")
	for _, item := range r.list("output") {
		switch item.str("type") {
		case "message":
			for _, part := range item.list("content") {
				want.Text += part.str("text")
				want.Refusal += part.str("refusal")
			}
		case "reasoning":
			var parts []string
			for _, part := range item.list("summary") {
				parts = append(parts, part.str("text"))
			}
			want.Reasoning += strings.Join(parts, "\n\n")
		case "function_call":
			want.ToolCalls = append(want.ToolCalls, elumenta.ToolCall{
				ID: item.str("call_id"), Name: item.str("name"), Arguments: elumenta.Text(item.str("arguments")),
			})
		}
	}
	want.Finished = r.str("status") == "completed" || r.str("status") == "incomplete"
	switch {
	case r.obj("incomplete_details").str("reason") == "content_filter":
		want.Finish = elumenta.FinishContentFilter
	case r.str("status") == "incomplete":
		want.Finish = elumenta.FinishLength
	case want.Refusal != "":
		want.Finish = elumenta.FinishRefusal
	case len(want.ToolCalls) > 0:
		want.Finish = elumenta.FinishToolCalls
	default:
		want.Finish = elumenta.FinishStop
	}
	u := r.obj("usage")
	want.Usage = elumenta.Usage{
		PromptTokens: u.int("input_tokens"), CompletionTokens: u.int("output_tokens"),
		CachedTokens:    u.obj("input_tokens_details").int("cached_tokens"),
		ReasoningTokens: u.obj("output_tokens_details").int("reasoning_tokens"),
	}
	return want
}
