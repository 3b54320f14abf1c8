package openaiapi

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
)

// settings reads how to answer.
func (r *responsesReader) settings() {
	b, s := &r.body, &r.out.Settings
	s.Temperature, s.TopP, s.MaxTokens = b.Temperature, b.TopP, b.MaxOutputTokens
	r.atMost("temperature", s.Temperature, elumenta.MaxTemperature)
	r.atMost("top_p", s.TopP, 1)
	if s.MaxTokens != nil && *s.MaxTokens < 1 {
		r.bad("max_output_tokens", codeInvalidValue, "must be at least 1")
	}
	if b.Reasoning != nil {
		r.howToThink(b.Reasoning)
	}
	if b.Text == nil {
		return
	}
	r.others("text", b.Text.Unknown, textRules)
	if f := b.Text.Format; f != nil {
		s.ResponseFormat = r.format(f)
	}
}

// howToThink reads how much the model thinks, and whether that is shown.
func (r *responsesReader) howToThink(in *reasoningConfig) {
	r.unknown("reasoning", in.Unknown)
	r.out.Reasoning = r.effort("reasoning.effort", in.Effort)
	field, summary := "reasoning.summary", in.Summary
	if summary == "" {
		field, summary = "reasoning.generate_summary", in.GenerateSummary
	}
	switch summary {
	case "", "auto", "concise", "detailed":
		r.out.Reasoning.Summary, in.Summary = summary, summary // the response repeats it under the newer name
	default:
		r.bad(field, codeInvalidValue, "must be auto, concise or detailed")
	}
}

var (
	textRules   = map[string]rule{"verbosity": {harmless: []string{`"medium"`}, reason: notPassedOn}}
	formatRules = map[string]rule{"description": {reason: notPassedOn}}
)

// format reads text.format (https://platform.openai.com/docs/guides/structured-outputs).
func (r *responsesReader) format(f *textFormat) *elumenta.ResponseFormat {
	r.others("text.format", f.Unknown, formatRules)
	out := &elumenta.ResponseFormat{Type: f.Type}
	switch f.Type {
	case elumenta.FormatText, elumenta.FormatJSONObject:
	case elumenta.FormatJSONSchema:
		out.Name, out.Strict = f.Name, f.Strict
		switch {
		case f.Name == "":
			r.missing("text.format.name")
		case len(f.Name) > elumenta.MaxSchemaName || !validToolName(f.Name):
			r.bad("text.format.name", codeInvalidValue, "must have at most %d characters of a-z, A-Z, 0-9, _ and -", elumenta.MaxSchemaName)
		}
		switch {
		case !given(f.Schema):
			r.missing("text.format.schema")
		case f.Schema.Kind() != '{':
			r.bad("text.format.schema", codeInvalidType, "must be an object")
		case len(f.Schema) > elumenta.MaxResponseFormat:
			r.bad("text.format.schema", codeInvalidValue, "must have at most %d bytes", elumenta.MaxResponseFormat)
		}
		out.Schema = []byte(f.Schema)
	default:
		r.oneOf("text.format.type", f.Type, "text, json_object or json_schema")
	}
	return out
}

// functions reads the tools, and which of them the model may or must call.
func (r *responsesReader) functions() {
	b := &r.body
	if len(b.Tools) > elumenta.MaxTools {
		r.bad("tools", codeTooMany, "must have at most %d items, has %d", elumenta.MaxTools, len(b.Tools))
		return
	}
	for i := range b.Tools {
		t, field := &b.Tools[i], item("tools", i)
		if !r.isFunction(field, t.Type) {
			continue
		}
		r.unknown(field, t.Unknown)
		r.out.Tools = append(r.out.Tools, r.tool(field, t.Name, t.Description, t.Parameters, t.Strict))
	}
	choice := &r.out.ToolChoice
	choice.Parallel = b.ParallelToolCalls
	switch c := &b.ToolChoice; {
	case !c.given:
	case c.isString:
		choice.Mode = r.toolMode("tool_choice", c.text, "none, auto, required or an object that names a function")
	case c.value.Type == "allowed_tools":
		choice.Mode = r.toolMode("tool_choice.mode", c.value.Mode, "auto or required")
		r.allow(c.value.Tools)
	case r.isFunction("tool_choice", c.value.Type):
		choice.Mode, choice.Name = elumenta.ToolNamed, c.value.Name
	}
	r.tools(r.out.Tools, *choice)
}

// isFunction refuses the tools that OpenAI runs itself.
func (r *responsesReader) isFunction(field, kind string) bool {
	switch kind {
	case "function":
		return true
	case "":
		r.missing(field + ".type")
	default:
		r.bad(field+".type", codeUnsupportedValue, "must be function: what OpenAI runs itself, such as web_search, file_search, code_interpreter and mcp, is not done here")
	}
	return false
}

// toolMode reads how free the model is.
func (r *responsesReader) toolMode(field, mode, taken string) elumenta.ToolMode {
	switch mode {
	case "auto":
		return elumenta.ToolAuto
	case "required":
		return elumenta.ToolAny
	case "none":
		return elumenta.ToolNone
	}
	r.oneOf(field, mode, taken)
	return ""
}

// allow leaves only the tools that a choice names: a model that does not get the others cannot call them.
func (r *responsesReader) allow(allowed []responsesTool) {
	names := make([]string, 0, len(allowed))
	for i := range allowed {
		field := item("tool_choice.tools", i)
		if !r.isFunction(field, allowed[i].Type) {
			continue
		}
		name := allowed[i].Name
		if !slices.ContainsFunc(r.out.Tools, func(t elumenta.Tool) bool { return t.Name == name }) {
			r.bad(field+".name", codeInvalidValue, "must name one of the tools")
		}
		names = append(names, name)
	}
	r.out.Tools = slices.DeleteFunc(r.out.Tools, func(t elumenta.Tool) bool { return !slices.Contains(names, t.Name) })
}

// compact is a JSON value without the white space of its author, which an event stream would take for the ends of lines.
func compact(v jsontext.Value) jsontext.Value {
	v = v.Clone()
	_ = v.Compact() // it was decoded already
	return v
}
