package openaiapi

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
)

// Chat is POST /v1/chat/completions and the list of models (https://platform.openai.com/docs/api-reference/chat/create). It is an
// elumenta.ModelSurface.
type Chat struct{ shape }

// chatBody is a request. What has a value of several types is decoded later, and what has no place here is in Others.
type chatBody struct {
	Messages            []chatMessage      `json:"messages"`
	Model               string             `json:"model"`
	Tools               []chatTool         `json:"tools"`
	ToolChoice          jsontext.Value     `json:"tool_choice"`
	ParallelToolCalls   *bool              `json:"parallel_tool_calls"`
	ResponseFormat      *chatFormat        `json:"response_format"`
	Stop                jsontext.Value     `json:"stop"`
	Temperature         *float64           `json:"temperature"`
	TopP                *float64           `json:"top_p"`
	MaxTokens           *int               `json:"max_tokens"`
	MaxCompletionTokens *int               `json:"max_completion_tokens"`
	Stream              bool               `json:"stream"`
	StreamOptions       *chatStreamOptions `json:"stream_options"`
	ReasoningEffort     string             `json:"reasoning_effort"`
	User                string             `json:"user"`
	SafetyIdentifier    string             `json:"safety_identifier"`
	Variables           map[string]string  `json:"variables"`
	Others              jsontext.Value     `json:",embed"`
}

type chatTool struct {
	Type     string         `json:"type"`
	Function *chatFunction  `json:"function"`
	Others   jsontext.Value `json:",embed"`
}

type chatFunction struct {
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Parameters  jsontext.Value `json:"parameters"`
	Strict      *bool          `json:"strict"`
	Others      jsontext.Value `json:",embed"`
}

// chatNamed names a function, in tool_choice.
type chatNamed struct {
	Type     string `json:"type"`
	Function struct {
		Name   string         `json:"name"`
		Others jsontext.Value `json:",embed"`
	} `json:"function"`
	Others jsontext.Value `json:",embed"`
}

type chatFormat struct {
	Type       string          `json:"type"`
	JSONSchema *chatJSONSchema `json:"json_schema"`
	Others     jsontext.Value  `json:",embed"`
}

type chatJSONSchema struct {
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Schema      jsontext.Value `json:"schema"`
	Strict      *bool          `json:"strict"`
	Others      jsontext.Value `json:",embed"`
}

type chatStreamOptions struct {
	IncludeUsage bool           `json:"include_usage"`
	Others       jsontext.Value `json:",embed"`
}

const notPassedOn = "is not passed on to models here: left out"

// chatRules are for what Chat Completions has and we do not.
var chatRules = map[string]rule{
	"audio":              {refuse: true, reason: "is not supported: answers are text"},
	"modalities":         {refuse: true, harmless: []string{`["text"]`, `[]`}, reason: `must be ["text"]: answers are text`},
	"n":                  {refuse: true, harmless: []string{"1"}, reason: "must be 1: send a request for each answer"},
	"logprobs":           {refuse: true, harmless: []string{"false"}, reason: "must be false: log-probabilities are not passed on"},
	"top_logprobs":       {refuse: true, harmless: []string{"0"}, reason: "must be 0: log-probabilities are not passed on"},
	"logit_bias":         {refuse: true, harmless: []string{"{}"}, reason: "must be empty: token ids differ from model to model"},
	"functions":          {refuse: true, reason: "is deprecated and not supported: send tools"},
	"function_call":      {refuse: true, reason: "is deprecated and not supported: send tool_choice"},
	"store":              {refuse: true, harmless: []string{"false"}, reason: "must be false: nothing of a conversation is stored"},
	"web_search_options": {refuse: true, reason: "is not supported: models do not search the web here; send tools of your own"},
	"moderation":         {refuse: true, reason: "is not supported"},

	"frequency_penalty":      {harmless: []string{"0"}, reason: notPassedOn},
	"presence_penalty":       {harmless: []string{"0"}, reason: notPassedOn},
	"seed":                   {reason: notPassedOn},
	"prediction":             {reason: notPassedOn},
	"verbosity":              {harmless: []string{`"medium"`}, reason: notPassedOn},
	"service_tier":           {harmless: []string{`"auto"`, `"default"`}, reason: notPassedOn},
	"metadata":               {harmless: []string{"{}"}, reason: "is left out: nothing of a conversation is stored"},
	"prompt_cache_key":       {reason: "is left out: an assistant and its version make the key of the prompt cache"},
	"prompt_cache_retention": {reason: notPassedOn},
	"prompt_cache_options":   {reason: notPassedOn},
}

// streamOptionRules are for stream_options. Obfuscation pads events, so that their length does not tell what they hold.
var streamOptionRules = map[string]rule{
	"include_obfuscation": {harmless: []string{"false"}, reason: "is left out: events are not padded"},
}

// Decode reads a request.
func (Chat) Decode(body []byte) (*elumenta.SurfaceRequest, error) {
	var in chatBody
	d := &decoding{}
	if err := d.body(body, &in); err != nil {
		return nil, err
	}
	out := &elumenta.SurfaceRequest{}
	d.target(in.Model, &out.Request)
	d.conversation(in.Messages, &out.Request)
	d.chatTools(&in, &out.Request)
	d.chatSettings(&in, &out.Settings)
	out.Variables = d.variables(in.Variables)
	out.EndUser = d.endUser(in.SafetyIdentifier, in.User)
	encoder := &chatEncoder{model: in.Model, maxTokens: "max_tokens"}
	if in.MaxCompletionTokens != nil {
		encoder.maxTokens = "max_completion_tokens"
	}
	out.ShowsReasoning = true
	out.Reasoning = d.effort("reasoning_effort", in.ReasoningEffort)
	if out.Stream = in.Stream; in.StreamOptions != nil {
		if !in.Stream {
			d.bad("stream_options", codeInvalidValue, "is only allowed with stream")
		}
		encoder.includeUsage = in.StreamOptions.IncludeUsage
		d.others("stream_options", in.StreamOptions.Others, streamOptionRules)
	}
	d.others("", in.Others, chatRules)
	if err := d.err(); err != nil {
		return nil, err
	}
	out.Warnings, out.Encoder = d.warnings, encoder
	return out, nil
}

// chatSettings reads what says how to answer.
func (d *decoding) chatSettings(in *chatBody, out *elumenta.Settings) {
	d.atMost("temperature", in.Temperature, elumenta.MaxTemperature)
	d.atMost("top_p", in.TopP, 1)
	out.Temperature, out.TopP = in.Temperature, in.TopP
	field := "max_completion_tokens"
	if out.MaxTokens = in.MaxCompletionTokens; in.MaxTokens != nil {
		if out.MaxTokens != nil {
			d.bad("max_tokens", codeInvalidValue, "is not allowed beside max_completion_tokens")
		}
		field, out.MaxTokens = "max_tokens", in.MaxTokens
	}
	if out.MaxTokens != nil && *out.MaxTokens < 1 {
		d.bad(field, codeInvalidValue, "must be at least 1")
	}
	if given(in.Stop) {
		out.Stop = d.texts("stop", in.Stop, elumenta.MaxStops)
		d.checked(func(errs *elumenta.FieldErrors) {
			for i, s := range out.Stop {
				field := "stop"
				if in.Stop.Kind() == '[' {
					field = item(field, i)
				}
				elumenta.CheckText(errs, field, s, 1, elumenta.MaxStop)
			}
		})
	}
	if in.ResponseFormat != nil {
		out.ResponseFormat = d.chatFormat(in.ResponseFormat)
	}
}

func (d *decoding) chatFormat(in *chatFormat) *elumenta.ResponseFormat {
	const field = "response_format"
	d.unknown(field, in.Others)
	f := &elumenta.ResponseFormat{Type: in.Type}
	if s := in.JSONSchema; s != nil {
		d.unknown(field+".json_schema", s.Others)
		if s.Description != "" {
			d.warn(elumenta.WarnUnsupported, field+".json_schema.description", notPassedOn)
		}
		f.Name, f.Strict = s.Name, s.Strict != nil && *s.Strict
		if given(s.Schema) {
			if s.Schema.Kind() != '{' {
				d.bad(field+".json_schema.schema", codeInvalidType, "must be an object")
			}
			f.Schema = []byte(s.Schema)
		}
	}
	d.checked(func(errs *elumenta.FieldErrors) { f.Check(field, errs) })
	return f
}

// chatTools reads the tools and how free the model is to call them.
func (d *decoding) chatTools(in *chatBody, out *elumenta.Request) {
	if len(in.Tools) > elumenta.MaxTools {
		d.bad("tools", codeTooMany, "must have at most %d items, has %d", elumenta.MaxTools, len(in.Tools))
		return
	}
	out.ToolChoice.Parallel = in.ParallelToolCalls
	for i := range in.Tools {
		t, field := &in.Tools[i], item("tools", i)
		d.unknown(field, t.Others)
		switch {
		case t.Type != "function":
			d.oneOf(field+".type", t.Type, "function: other tools are not supported")
		case t.Function == nil:
			d.missing(field + ".function")
		default:
			f := t.Function
			d.unknown(field+".function", f.Others)
			out.Tools = append(out.Tools, d.tool(field+".function", f.Name, f.Description, f.Parameters, f.Strict))
		}
	}
	if len(d.errs) > 0 {
		return
	}
	if given(in.ToolChoice) {
		d.chatToolChoice(in.ToolChoice, &out.ToolChoice)
	}
	d.tools(out.Tools, out.ToolChoice)
}

func (d *decoding) chatToolChoice(v jsontext.Value, out *elumenta.ToolChoice) {
	const field, taken = "tool_choice", "none, auto, required or an object that names a function"
	if v.Kind() == '"' {
		var mode string
		d.into(field, v, &mode)
		switch mode {
		case "none", "auto":
			out.Mode = elumenta.ToolMode(mode)
		case "required":
			out.Mode = elumenta.ToolAny
		default:
			d.bad(field, codeInvalidValue, "must be "+taken)
		}
		return
	}
	var named chatNamed
	if v.Kind() != '{' {
		d.bad(field, codeInvalidType, "must be "+taken)
		return
	}
	if !d.into(field, v, &named) {
		return
	}
	switch named.Type {
	case "function":
		d.unknown(field, named.Others)
		d.unknown(field+".function", named.Function.Others)
		out.Mode, out.Name = elumenta.ToolNamed, named.Function.Name
	case "allowed_tools":
		d.bad(field, codeUnsupportedValue, "of the type allowed_tools is not supported: send only the tools that are allowed")
	default:
		d.oneOf(field+".type", named.Type, "function")
	}
}
