package openaiapi

import (
	"maps"
	"slices"
	"strconv"

	"github.com/elumenta/elumenta"
)

// ended is the status of a response that has ended, and why it is incomplete. A refusal in the model's own words is an answer; else a
// provider's filter spoke.
func (e *responsesEncoder) ended(f elumenta.FinishReason) (status, reason string) {
	switch f {
	case elumenta.FinishLength:
		return statusIncomplete, "max_output_tokens"
	case elumenta.FinishContentFilter:
		return statusIncomplete, filtered
	case elumenta.FinishRefusal:
		for i := range e.items {
			if slices.ContainsFunc(e.items[i].parts, func(p outputPart) bool { return p.refusal }) {
				return statusCompleted, ""
			}
		}
		return statusIncomplete, filtered
	}
	return statusCompleted, ""
}

const filtered = "content_filter"

// response appends the response as it stands: with its result once it has ended, or with what failed and what was paid for it.
func (e *responsesEncoder) response(b []byte, r *elumenta.Result, f *failure, s *elumenta.Settled) []byte {
	status, reason := statusInProgress, ""
	switch {
	case r != nil:
		status, reason = e.ended(r.Finish)
	case f != nil:
		status = statusFailed
	}
	b = append(b, `{"id":"resp_`...)
	b = append(b, bareID(e.started.ID)...)
	b = append(b, `","object":"response","created_at":`...)
	b = strconv.AppendInt(b, e.started.CreatedAt.Unix(), 10)
	b = append(b, `,"completed_at":`...)
	if status == statusCompleted {
		b = strconv.AppendInt(b, r.CreatedAt.Add(r.Gateway+r.Provider).Unix(), 10)
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"status":"`...)
	b = append(b, status...)
	b = append(b, `","error":`...)
	b = appendResponseError(b, f)
	b = append(b, `,"incomplete_details":`...)
	if reason == "" {
		b = append(b, "null"...)
	} else {
		b = append(b, `{"reason":"`...)
		b = append(b, reason...)
		b = append(b, `"}`...)
	}
	b = append(b, `,"model":`...)
	if e.model == "" {
		b = appendString(b, e.started.Model)
	} else {
		b = appendString(b, e.model)
	}
	b = append(b, `,"output":[`...)
	if status != statusInProgress {
		b = e.appendOutput(b, status)
	}
	b = append(b, `],"usage":`...)
	if r == nil {
		b = append(b, "null"...)
	} else {
		b = appendResponsesUsage(b, &r.Usage)
	}
	b = append(b, e.echo...)
	if r != nil {
		return append(appendOwn(b, r, responsesField), '}')
	}
	return append(e.appendOrigin(b, s), '}')
}

// appendOrigin appends the member elumenta of a response that has no result: whose answer it is, and what was paid where it failed.
func (e *responsesEncoder) appendOrigin(b []byte, s *elumenta.Settled) []byte {
	b = append(b, `,"elumenta":{"generation_id":`...)
	b = appendString(b, e.started.ID)
	b = append(b, `,"assistant_id":`...)
	b = appendOptional(b, e.started.Assistant)
	b = append(b, `,"assistant_version":`...)
	if e.started.Assistant == "" {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, int64(e.started.Version), 10)
	}
	b = append(b, `,"model":`...)
	b = appendString(b, e.started.Model)
	if s != nil {
		b = append(b, `,"tokens_spent":`...)
		b = strconv.AppendInt(b, s.TokensSpent, 10)
	}
	return append(b, '}')
}

// appendResponseError appends what failed, with the nearest of the codes that the API has for it.
func appendResponseError(b []byte, f *failure) []byte {
	if f == nil {
		return append(b, "null"...)
	}
	code := "server_error"
	switch f.kind {
	case typeRequests, typeQuota:
		code = "rate_limit_exceeded"
	case typeInvalidRequest:
		code = "invalid_prompt"
	}
	b = append(b, `{"code":"`...)
	b = append(b, code...)
	b = append(b, `","message":`...)
	b = appendString(b, f.message)
	return append(b, '}')
}

// appendOutput appends the items. The last one is as far as the response came.
func (e *responsesEncoder) appendOutput(b []byte, status string) []byte {
	if status == statusFailed {
		status = statusIncomplete
	}
	last := e.last()
	for at := range e.items {
		state := statusCompleted
		if at > 0 {
			b = append(b, ',')
		}
		if at == last || e.items[at].open {
			state = status
		}
		b = e.appendItem(b, at, state)
	}
	return b
}

// last is the item that the response came as far as: reasoning and state behind it tell nothing of that.
func (e *responsesEncoder) last() int {
	at := len(e.items) - 1
	for at > 0 && e.items[at].reasoning {
		at--
	}
	return at
}

// appendItem appends an item. While it is in progress it is empty.
func (e *responsesEncoder) appendItem(b []byte, at int, status string) []byte {
	item := &e.items[at]
	b = append(b, `{"id":"`...)
	b = e.appendItemID(b, at)
	if item.reasoning {
		return appendReasoning(b, item)
	}
	if item.call {
		b = append(b, `","type":"function_call","status":"`...)
		b = append(b, status...)
		b = append(b, `","call_id":`...)
		b = appendString(b, item.callID)
		b = append(b, `,"name":`...)
		b = appendString(b, item.name)
		b = append(b, `,"arguments":`...)
		b = appendString(b, item.arguments)
		return append(b, '}')
	}
	b = append(b, `","type":"message","status":"`...)
	b = append(b, status...)
	b = append(b, `","role":"assistant","content":[`...)
	for i := range item.parts {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendPart(b, &item.parts[i])
	}
	return append(b, `]}`...)
}

func appendPart(b []byte, p *outputPart) []byte {
	if p.refusal {
		b = append(b, `{"type":"refusal","refusal":`...)
		b = appendString(b, p.text)
		return append(b, '}')
	}
	b = append(b, `{"type":"output_text","annotations":[],"logprobs":[],"text":`...)
	b = appendString(b, p.text)
	return append(b, '}')
}

func (e *responsesEncoder) appendItemID(b []byte, at int) []byte {
	prefix := "msg_"
	switch {
	case e.items[at].call:
		prefix = "fc_"
	case e.items[at].reasoning:
		prefix = "rs_"
	}
	b = append(b, prefix...)
	b = append(b, bareID(e.started.ID)...)
	b = append(b, '_')
	return strconv.AppendInt(b, int64(at), 10)
}

func appendResponsesUsage(b []byte, u *elumenta.Usage) []byte {
	b = append(b, `{"input_tokens":`...)
	b = strconv.AppendInt(b, u.PromptTokens, 10)
	b = append(b, `,"input_tokens_details":{"cached_tokens":`...)
	b = strconv.AppendInt(b, u.CachedTokens, 10)
	b = append(b, `,"cache_write_tokens":`...)
	b = strconv.AppendInt(b, u.CacheWriteTokens, 10)
	b = append(b, `},"output_tokens":`...)
	b = strconv.AppendInt(b, u.CompletionTokens, 10)
	b = append(b, `,"output_tokens_details":{"reasoning_tokens":`...)
	b = strconv.AppendInt(b, u.ReasoningTokens, 10)
	b = append(b, `},"total_tokens":`...)
	b = strconv.AppendInt(b, u.TotalTokens(), 10)
	return append(b, '}')
}

// encoder writes the answer to the request. What the response repeats of it is written out once.
func (r *responsesReader) encoder() *responsesEncoder {
	body := &r.body
	b := append([]byte(nil), `,"instructions":`...)
	b = appendOptional(b, body.Instructions)
	b = append(b, `,"max_output_tokens":`...)
	b = appendNumber(b, body.MaxOutputTokens)
	b = append(b, `,"max_tool_calls":null,"access_programs":{"cyber":"standard"},"metadata":`...)
	b = appendTexts(b, body.Metadata)
	b = append(b, `,"background":false,"conversation":null,"parallel_tool_calls":`...)
	b = strconv.AppendBool(b, body.ParallelToolCalls == nil || *body.ParallelToolCalls)
	b = append(b, `,"previous_response_id":null,"prompt":`...)
	b = appendPrompt(b, body.Prompt, r.out.Variables)
	b = append(b, `,"prompt_cache_key":`...)
	b = appendOptional(b, body.PromptCacheKey)
	b = append(b, `,"reasoning":`...)
	b = appendHowToThink(b, body.Reasoning)
	b = append(b, `,"safety_identifier":`...)
	b = appendOptional(b, body.SafetyIdentifier)
	b = append(b, `,"service_tier":"default","store":false,"temperature":`...)
	b = appendFloat(b, body.Temperature)
	b = append(b, `,"text":{"format":`...)
	b = appendFormat(b, body.Text)
	b = append(b, `},"tool_choice":`...)
	b = appendToolChoice(b, &body.ToolChoice)
	b = append(b, `,"tools":[`...)
	for i := range body.Tools {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendFunction(b, &body.Tools[i])
	}
	b = append(b, `],"top_logprobs":0,"top_p":`...)
	b = appendFloat(b, body.TopP)
	b = append(b, `,"truncation":"disabled","user":`...)
	b = appendOptional(b, body.User)
	return &responsesEncoder{model: body.Model, echo: b, message: -1, thought: -1}
}

func appendHowToThink(b []byte, in *reasoningConfig) []byte {
	if in == nil {
		in = &reasoningConfig{}
	}
	b = append(b, `{"effort":`...)
	b = appendOptional(b, in.Effort)
	b = append(b, `,"summary":`...)
	b = appendOptional(b, in.Summary)
	return append(b, '}')
}

func appendPrompt(b []byte, p *promptReference, variables map[string]string) []byte {
	if p == nil {
		return append(b, "null"...)
	}
	b = append(b, `{"id":`...)
	b = appendString(b, p.ID)
	b = append(b, `,"variables":`...)
	b = appendTexts(b, variables)
	b = append(b, `,"version":`...)
	b = appendOptional(b, p.Version)
	return append(b, '}')
}

func appendFormat(b []byte, t *textConfig) []byte {
	if t == nil || t.Format == nil {
		return append(b, `{"type":"text"}`...)
	}
	f := t.Format
	b = append(b, `{"type":`...)
	b = appendString(b, f.Type)
	if f.Type == elumenta.FormatJSONSchema {
		b = append(b, `,"name":`...)
		b = appendString(b, f.Name)
		b = append(b, `,"description":null,"schema":`...)
		b = append(b, compact(f.Schema)...)
		b = append(b, `,"strict":`...)
		b = strconv.AppendBool(b, f.Strict)
	}
	return append(b, '}')
}

func appendFunction(b []byte, t *responsesTool) []byte {
	b = append(b, `{"type":"function","name":`...)
	b = appendString(b, t.Name)
	b = append(b, `,"description":`...)
	b = appendOptional(b, t.Description)
	b = append(b, `,"parameters":`...)
	if given(t.Parameters) {
		b = append(b, compact(t.Parameters)...)
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"strict":`...)
	b = strconv.AppendBool(b, t.Strict != nil && *t.Strict)
	return append(b, '}')
}

func appendToolChoice(b []byte, c *stringOr[*responsesToolChoice]) []byte {
	switch {
	case !c.given:
		return append(b, `"auto"`...)
	case c.isString:
		return appendString(b, c.text)
	}
	b = append(b, `{"type":`...)
	b = appendString(b, c.value.Type)
	if c.value.Type == "function" {
		b = append(b, `,"name":`...)
		b = appendString(b, c.value.Name)
		return append(b, '}')
	}
	b = append(b, `,"mode":`...)
	b = appendString(b, c.value.Mode)
	b = append(b, `,"tools":[`...)
	for i := range c.value.Tools {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"type":"function","name":`...)
		b = appendString(b, c.value.Tools[i].Name)
		b = append(b, '}')
	}
	return append(b, `]}`...)
}

// appendTexts appends an object of strings.
func appendTexts(b []byte, texts map[string]string) []byte {
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(texts)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, name)
		b = append(b, ':')
		b = appendString(b, texts[name])
	}
	return append(b, '}')
}

func appendNumber(b []byte, n *int) []byte {
	if n == nil {
		return append(b, "null"...)
	}
	return strconv.AppendInt(b, int64(*n), 10)
}

func appendFloat(b []byte, f *float64) []byte {
	if f == nil {
		return append(b, "null"...)
	}
	return strconv.AppendFloat(b, *f, 'g', -1, 64)
}
