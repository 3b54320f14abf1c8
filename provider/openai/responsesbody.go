package openai

import (
	"fmt"
	"strings"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

// minOutputTokens is the least max_output_tokens that the Responses API takes.
const minOutputTokens = 16

// encodeResponses writes the body for the Responses API.
func encodeResponses(t elumenta.Target, p *elumenta.Prompt) ([]byte, []elumenta.Warning) {
	s, warnings := fitResponses(t.Capabilities, p.Settings)
	e := encoder{b: wire.NewBody(p), ids: responsesCallIDs}
	e.raw(`{`)
	e.string("model", t.Model)
	e.raw(`,"store":false`)
	if reasons(t.Model) {
		e.raw(`,"include":["reasoning.encrypted_content"]`)
	}
	if len(p.Instructions) > 0 {
		e.string("instructions", joined(p.Instructions))
	}
	e.key("input")
	e.raw(`[`)
	for i := range p.System {
		e.comma()
		e.raw(`{"role":"developer"`)
		e.text("content", p.System[i].Text)
		e.raw(`}`)
	}
	for i := range p.Turns {
		e.inputTurn(&p.Turns[i])
	}
	e.raw(`]`)
	e.responsesTools(p)
	e.float("temperature", s.Temperature)
	e.float("top_p", s.TopP)
	if s.MaxTokens != nil {
		e.int("max_output_tokens", *s.MaxTokens)
	}
	e.textFormat(s.ResponseFormat)
	warnings = append(warnings, e.reasoning(t.Model, p.Reasoning)...)
	if p.CacheKey != "" {
		e.string("prompt_cache_key", p.CacheKey)
	}
	if p.User != "" {
		e.string("safety_identifier", p.User)
	}
	if p.Stream {
		e.raw(`,"stream":true`)
	}
	e.raw(`}`)
	return e.b, warnings
}

// fitResponses knows that this API takes no stop sequences and no fewer than 16 tokens.
func fitResponses(c elumenta.Capabilities, s elumenta.Settings) (elumenta.Settings, []elumenta.Warning) {
	c.Stop = 0
	s, warnings := c.Fit(s)
	if s.MaxTokens != nil && *s.MaxTokens < minOutputTokens {
		least := minOutputTokens
		s.MaxTokens = &least
		warnings = append(warnings, elumenta.Warning{
			Code: elumenta.WarnClamped, Field: "max_tokens",
			Message: fmt.Sprintf("the model takes no limit below %d tokens", minOutputTokens),
		})
	}
	return s, warnings
}

// reasons reports whether a model of OpenAI's is a reasoning model, going by its id: the others refuse to be asked for
// encrypted reasoning (https://platform.openai.com/docs/models).
func reasons(model string) bool {
	model = model[strings.LastIndexByte(model, '/')+1:]
	model = strings.TrimPrefix(model, "ft:")
	if strings.Contains(model, "-chat") {
		return false
	}
	if rest, ok := strings.CutPrefix(model, "gpt-"); ok {
		return len(rest) > 0 && (rest[0] >= '5' && rest[0] <= '9' || strings.HasPrefix(rest, "oss"))
	}
	return len(model) > 1 && model[0] == 'o' && model[1] >= '1' && model[1] <= '9' || strings.HasPrefix(model, "codex-")
}

func (e *encoder) textFormat(f *elumenta.ResponseFormat) {
	if f == nil || f.Type == elumenta.FormatText {
		return
	}
	e.key("text")
	e.raw(`{"format":{`)
	e.string("type", f.Type)
	if f.Type == elumenta.FormatJSONSchema {
		e.schema(f)
	}
	e.raw(`}}`)
}

func (e *encoder) responsesTools(p *elumenta.Prompt) {
	if len(p.Tools) == 0 {
		return
	}
	e.key("tools")
	e.raw(`[`)
	for i := range p.Tools {
		tool := &p.Tools[i]
		e.comma()
		e.raw(`{"type":"function"`)
		e.string("name", tool.Name)
		if tool.Description != "" {
			e.string("description", tool.Description)
		}
		e.parameters(tool)
		e.bool("strict", tool.Strict) // left out, it would mean true
		e.raw(`}`)
	}
	e.raw(`]`)
	switch p.ToolChoice.Mode {
	case elumenta.ToolAuto, elumenta.ToolNone:
		e.string("tool_choice", string(p.ToolChoice.Mode))
	case elumenta.ToolAny:
		e.string("tool_choice", "required")
	case elumenta.ToolNamed:
		e.key("tool_choice")
		e.raw(`{"type":"function"`)
		e.string("name", p.ToolChoice.Name)
		e.raw(`}`)
	}
	if p.ToolChoice.Parallel != nil {
		e.bool("parallel_tool_calls", *p.ToolChoice.Parallel)
	}
}

// inputTurn writes a turn as input items, in the order of its parts: text, images and refusals that stand together are
// one message, everything else is an item of its own.
func (e *encoder) inputTurn(turn *elumenta.Turn) {
	open := false
	shut := func() {
		if open {
			e.raw(`]}`)
		}
		open = false
	}
	for i := range turn.Parts {
		part := &turn.Parts[i]
		switch part.Kind {
		case elumenta.PartText, elumenta.PartImage, elumenta.PartRefusal:
			if !open {
				e.comma()
				e.raw(`{`)
				e.string("role", string(turn.Role))
				e.raw(`,"content":[`)
				open = true
			}
			e.inputPart(turn.Role, part)
		case elumenta.PartToolCall:
			shut()
			e.functionCall(part.ToolCall)
		case elumenta.PartToolResult:
			shut()
			e.functionOutput(part.ToolResult)
		case elumenta.PartReasoning:
			shut()
			e.reasoningItem(part.Opaque)
		}
	}
	shut()
}

func (e *encoder) inputPart(role elumenta.TurnRole, part *elumenta.Part) {
	e.comma()
	switch {
	case part.Kind == elumenta.PartImage:
		e.raw(`{"type":"input_image","detail":"auto"`)
		e.imageURL("image_url", part.Image)
	case part.Kind == elumenta.PartRefusal:
		e.raw(`{"type":"refusal"`)
		e.text("refusal", part.Text)
	case role == elumenta.RoleOfAssistant:
		e.raw(`{"type":"output_text"`)
		e.text("text", part.Text)
	default:
		e.raw(`{"type":"input_text"`)
		e.text("text", part.Text)
	}
	e.raw(`}`)
}

func (e *encoder) functionCall(c *elumenta.ToolCall) {
	e.comma()
	e.raw(`{"type":"function_call"`)
	e.string("call_id", e.ids.fit(c.ID))
	e.string("name", c.Name)
	e.text("arguments", arguments(c))
	e.raw(`}`)
}

// functionOutput writes a result: a string, or parts if there are several or an image.
func (e *encoder) functionOutput(r *elumenta.ToolResult) {
	e.comma()
	e.raw(`{"type":"function_call_output"`)
	e.string("call_id", e.ids.fit(r.CallID))
	switch {
	case len(r.Content) == 0:
		e.string("output", "")
	case len(r.Content) == 1 && r.Content[0].Kind == elumenta.PartText:
		e.text("output", r.Content[0].Text)
	default:
		e.raw(`,"output":[`)
		for i := range r.Content {
			e.inputPart(elumenta.RoleOfUser, &r.Content[i])
		}
		e.raw(`]`)
	}
	e.raw(`}`)
}

// reasoningItem gives a reasoning item back. It is read and written anew: it may have come from a client.
func (e *encoder) reasoningItem(o *elumenta.Opaque) {
	if o == nil || o.Format != opaqueFormat {
		return
	}
	var d responsesDecoder
	var item responseItem
	d.j.Reset([]byte(o.Data))
	if d.j.Kind() != '{' {
		return
	}
	d.item(&item)
	if !d.j.End() || item.kind != "reasoning" || item.encrypted == "" {
		return
	}
	e.comma()
	e.b = appendReasoning(e.b, &item)
}
