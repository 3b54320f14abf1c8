package openaiapi

import (
	"maps"
	"slices"

	"github.com/elumenta/elumenta"
)

// responsesReader makes a request of a body.
type responsesReader struct {
	decoding
	body responsesBody
	out  elumenta.SurfaceRequest

	calls   map[string]*pendingCall // by call_id, the newest
	results bool                    // the last turn holds outputs of functions alone
	spoken  bool                    // the last turn has a message of the assistant

	states  map[*elumenta.ToolCall]*elumenta.State // of function calls
	waiting map[string]*elumenta.State             // whose call has not come, by its id
}

// responsesRules are the fields that ask for what is not done here.
var responsesRules = map[string]rule{
	"previous_response_id":   {refuse: true, reason: "is not taken: no response is kept here; send what was said before in input"},
	"conversation":           {refuse: true, reason: "is not taken: no conversation is kept here; send what was said before in input"},
	"store":                  {refuse: true, harmless: []string{"false"}, reason: "must be false: no response is kept here; send what was said before in input"},
	"background":             {refuse: true, harmless: []string{"false"}, reason: "must be false: no response is kept here to be fetched later; stream an answer that takes long"},
	"truncation":             {refuse: true, harmless: []string{`"disabled"`}, reason: "must be disabled: nothing of input is left out here; send less of it"},
	"top_logprobs":           {refuse: true, harmless: []string{"0"}, reason: "must be 0: not every provider has log probabilities"},
	"moderation":             {refuse: true, reason: "is not taken: nothing is moderated here"},
	"context_management":     {refuse: true, harmless: []string{"[]"}, reason: "is not taken: nothing of input is left out here; send less of it"},
	"max_tool_calls":         {reason: "is for tools that OpenAI runs, and there are none: left out"},
	"service_tier":           {harmless: []string{`"auto"`, `"default"`}, reason: notPassedOn},
	"prompt_cache_retention": {reason: notPassedOn},
	"prompt_cache_options":   {reason: notPassedOn},
	"stream_options":         {harmless: []string{"{}", `{"include_obfuscation":false}`}, reason: "is left out: events are not padded"},
}

// includeRules are the values of include. One that is refused has no log probabilities.
var includeRules = map[string]rule{
	"message.output_text.logprobs":          {refuse: true, reason: "asks for log probabilities, which not every provider has"},
	"message.input_image.image_url":         {reason: "is part of no answer here: left out"},
	"file_search_call.results":              {reason: "is part of no answer here: left out"},
	"web_search_call.results":               {reason: "is part of no answer here: left out"},
	"web_search_call.action.sources":        {reason: "is part of no answer here: left out"},
	"code_interpreter_call.outputs":         {reason: "is part of no answer here: left out"},
	"computer_call_output.output.image_url": {reason: "is part of no answer here: left out"},
}

// read makes the request.
func (r *responsesReader) read() error {
	b := &r.body
	r.others("", b.Unknown, responsesRules)
	r.include()
	r.recipient()
	r.variables()
	r.instructions()
	r.input()
	r.settings()
	r.functions()
	r.out.Stream, r.out.ShowsReasoning = b.Stream, true
	r.out.EndUser = r.endUser(b.SafetyIdentifier, b.User)
	if b.PromptCacheKey != "" {
		r.warn(elumenta.WarnUnsupported, "prompt_cache_key", "is left out: what is cached goes by the assistant and its version")
	}
	r.metadata()
	r.out.Warnings = r.warnings
	return r.err()
}

func (r *responsesReader) include() {
	for i, value := range r.body.Include {
		field := item("include", i)
		switch rule, known := includeRules[value]; {
		case value == "reasoning.encrypted_content": // always is
		case !known:
			r.warn(elumenta.WarnUnknownField, field, "is not known here: left out")
		case rule.refuse:
			r.bad(field, codeUnsupportedValue, "%s", rule.reason)
		default:
			r.warn(elumenta.WarnUnsupported, field, rule.reason)
		}
	}
}

// recipient finds whom the request is for.
func (r *responsesReader) recipient() {
	p := r.body.Prompt
	if p == nil {
		r.target(r.body.Model, &r.out.Request)
		return
	}
	r.unknown("prompt", p.Unknown)
	var ref elumenta.AssistantRef
	if ref, r.out.Model = elumenta.ParseTarget(r.body.Model); ref.ID != "" {
		r.bad("model", codeInvalidValue, "must be a model's slug beside a prompt, which names the assistant")
	}
	full := p.ID
	if p.Version != "" {
		full += "@" + p.Version
	}
	var ok bool
	switch _, ok = elumenta.ParseAssistantRef(p.ID); {
	case p.ID == "":
		r.missing("prompt.id")
	case !ok:
		r.bad("prompt.id", codeInvalidValue, "must be an assistant's id, asst_ and 26 characters: elumenta import --format openai makes assistants of OpenAI's prompts and assistants")
	default:
		if r.out.Assistant, ok = elumenta.ParseAssistantRef(full); !ok {
			r.bad("prompt.version", codeInvalidValue, "must be a version, such as 3, or a label, and only be given where the id has neither")
		}
	}
}

// variables reads the values of a prompt's variables.
func (r *responsesReader) variables() {
	p := r.body.Prompt
	if p == nil || len(p.Variables) == 0 {
		return
	}
	if len(p.Variables) > elumenta.MaxVariables {
		r.bad("prompt.variables", codeInvalidValue, "must be at most %d", elumenta.MaxVariables)
		return
	}
	r.out.Variables = make(map[string]string, len(p.Variables))
	for _, name := range slices.Sorted(maps.Keys(p.Variables)) {
		value, field := p.Variables[name], child("prompt.variables", name)
		switch {
		case !value.given:
			continue
		case value.isString:
		case value.value.Type == "input_text":
			value.text = value.value.Text
		default:
			r.bad(field, codeUnsupportedValue, "must be a text: send images in input")
		}
		r.checked(func(errs *elumenta.FieldErrors) {
			elumenta.CheckText(errs, field, value.text, 0, elumenta.MaxVariableValue)
		})
		r.out.Variables[name] = value.text
	}
}

// instructions are the request's own system text: those of the assistant come before it.
func (r *responsesReader) instructions() {
	if text := r.body.Instructions; text != "" {
		r.out.System = append(r.out.System, r.text("instructions", text))
	}
}

// The limits of metadata (https://platform.openai.com/docs/api-reference/responses/create#responses-create-metadata).
const (
	mostMetadata      = 16
	mostMetadataKey   = 64
	mostMetadataValue = 512
)

// metadata is echoed, and kept nowhere.
func (r *responsesReader) metadata() {
	if n := len(r.body.Metadata); n > mostMetadata {
		r.bad("metadata", codeInvalidValue, "must have at most %d pairs, has %d", mostMetadata, n)
		return
	}
	r.checked(func(errs *elumenta.FieldErrors) {
		for name, value := range r.body.Metadata {
			elumenta.CheckText(errs, "metadata", name, 1, mostMetadataKey)
			elumenta.CheckText(errs, child("metadata", name), value, 0, mostMetadataValue)
		}
	})
}
