package openai

import (
	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

// encodeChat writes the body for Chat Completions, with nothing that hosts other than OpenAI may not know.
func encodeChat(t elumenta.Target, p *elumenta.Prompt) ([]byte, []elumenta.Warning) {
	s, warnings := t.Capabilities.Fit(p.Settings)
	e := encoder{b: wire.NewBody(p), ids: chatCallIDsOf(t.Model), plain: atMistral(t), tools: len(p.Tools) > 0}
	e.empty = e.tools && atDeepSeek(t)
	e.raw(`{`)
	e.string("model", t.Model)
	e.key("messages")
	e.raw(`[`)
	if system := p.SystemText(); system != "" {
		e.comma()
		e.raw(`{"role":"system"`)
		e.string("content", system)
		e.raw(`}`)
	}
	e.chatTurns(p.Turns)
	e.raw(`]`)
	e.chatTools(p)
	e.float("temperature", s.Temperature)
	e.float("top_p", s.TopP)
	if s.MaxTokens != nil {
		field := t.Capabilities.ChatMaxTokensField
		if field == "" {
			field = "max_tokens"
		}
		e.int(field, *s.MaxTokens)
	}
	e.stop(s.Stop)
	e.responseFormat(s.ResponseFormat)
	if p.Stream {
		e.raw(`,"stream":true`)
	}
	if p.Stream && !e.plain && !t.Capabilities.NoStreamOptions {
		e.raw(`,"stream_options":{"include_usage":true}`)
	}
	e.raw(`}`)
	return e.b, append(warnings, chatReasoning(p.Reasoning)...)
}

func (e *encoder) stop(stop []string) {
	if len(stop) == 0 {
		return
	}
	e.key("stop")
	e.raw(`[`)
	for _, s := range stop {
		e.comma()
		e.b = wire.AppendString(e.b, s)
	}
	e.raw(`]`)
}

func (e *encoder) responseFormat(f *elumenta.ResponseFormat) {
	if f == nil || f.Type == elumenta.FormatText {
		return
	}
	e.key("response_format")
	e.raw(`{`)
	e.string("type", f.Type)
	if f.Type == elumenta.FormatJSONSchema {
		e.key("json_schema")
		e.raw(`{`)
		e.schema(f)
		e.raw(`}`)
	}
	e.raw(`}`)
}

// schema appends the members of a json_schema format.
func (e *encoder) schema(f *elumenta.ResponseFormat) {
	e.string("name", f.Name)
	if len(f.Schema) > 0 {
		e.key("schema")
		e.b = append(e.b, f.Schema...)
	}
	if f.Strict {
		e.bool("strict", true)
	}
}

func (e *encoder) chatTools(p *elumenta.Prompt) {
	if len(p.Tools) == 0 {
		return
	}
	e.key("tools")
	e.raw(`[`)
	for i := range p.Tools {
		tool := &p.Tools[i]
		e.comma()
		e.raw(`{"type":"function","function":{`)
		e.string("name", tool.Name)
		if tool.Description != "" {
			e.string("description", tool.Description)
		}
		e.parameters(tool)
		if tool.Strict {
			e.bool("strict", true)
		}
		e.raw(`}}`)
	}
	e.raw(`]`)
	switch p.ToolChoice.Mode {
	case elumenta.ToolAuto, elumenta.ToolNone:
		e.string("tool_choice", string(p.ToolChoice.Mode))
	case elumenta.ToolAny:
		e.string("tool_choice", "required")
	case elumenta.ToolNamed:
		e.key("tool_choice")
		e.raw(`{"type":"function","function":{`)
		e.string("name", p.ToolChoice.Name)
		e.raw(`}}`)
	}
	if p.ToolChoice.Parallel != nil {
		e.bool("parallel_tool_calls", *p.ToolChoice.Parallel)
	}
}

// chatMessage gathers what goes into one message.
type chatMessage struct {
	content   []*elumenta.Part // text and images
	gap       bool             // a blank line is due between two turns
	calls     []*elumenta.ToolCall
	reasoning elumenta.Text
	field     string // where the host wants reasoning back
}

// chatTurns writes the conversation. Neighbours of one role become one message, since some hosts refuse two running
// (deepseek-reasoner, and chat templates that alternate roles).
func (e *encoder) chatTurns(turns []elumenta.Turn) {
	var m chatMessage
	for i := range turns {
		turn := &turns[i]
		if i > 0 && turns[i-1].Role != turn.Role || len(m.calls) > 0 {
			e.chatMessage(turns[i-1].Role, &m)
		}
		m.gap = len(m.content) > 0
		for k := range turn.Parts {
			e.chatPart(&m, &turn.Parts[k])
		}
		if i == len(turns)-1 {
			e.chatMessage(turn.Role, &m)
		}
	}
}

func (e *encoder) chatPart(m *chatMessage, part *elumenta.Part) {
	switch part.Kind {
	case elumenta.PartText, elumenta.PartImage, elumenta.PartRefusal:
		if m.gap {
			m.content = append(m.content, &elumenta.Part{Kind: elumenta.PartText})
			m.gap = false
		}
		m.content = append(m.content, part)
	case elumenta.PartToolCall:
		m.calls = append(m.calls, part.ToolCall)
	case elumenta.PartReasoning:
		if field := reasoningField(part.Opaque); field != "" && !e.plain {
			m.field, m.reasoning = field, m.reasoning+part.Text
		}
	case elumenta.PartToolResult:
		e.chatResult(m, part.ToolResult)
	}
}

// chatResult writes a tool's message, which holds text only: its images go into the user's message behind it.
func (e *encoder) chatResult(m *chatMessage, r *elumenta.ToolResult) {
	var text string
	for i := range r.Content {
		switch c := &r.Content[i]; {
		case c.Kind == elumenta.PartImage:
			m.content = append(m.content, c)
		case text == "":
			text = string(c.Text)
		default:
			text += "\n" + string(c.Text)
		}
	}
	e.comma()
	e.raw(`{"role":"tool"`)
	e.string("tool_call_id", e.ids.fit(r.CallID))
	e.string("content", text)
	e.raw(`}`)
}

// chatMessage writes what was gathered, if anything, and empties it.
func (e *encoder) chatMessage(role elumenta.TurnRole, m *chatMessage) {
	defer func() { *m = chatMessage{content: m.content[:0], calls: m.calls[:0]} }()
	if len(m.content) == 0 && len(m.calls) == 0 {
		return
	}
	e.comma()
	e.raw(`{`)
	e.string("role", string(role))
	e.key("content")
	e.chatContent(m.content)
	switch {
	case m.reasoning != "" && (len(m.calls) > 0 || e.tools):
		field := m.field
		if e.empty { // it may have come from another host
			field = "reasoning_content"
		}
		e.text(field, m.reasoning)
	case e.empty && role == elumenta.RoleOfAssistant:
		e.string("reasoning_content", "")
	}
	if len(m.calls) > 0 {
		e.chatCalls(m.calls)
	}
	e.raw(`}`)
}

// chatContent writes null, a string, or an array of parts if there is an image: several hosts take no array of text.
func (e *encoder) chatContent(parts []*elumenta.Part) {
	images := false
	for _, part := range parts {
		images = images || part.Kind == elumenta.PartImage
	}
	switch {
	case images:
		e.chatParts(parts)
	case len(parts) == 0:
		e.raw(`null`)
	default:
		e.raw(`"`)
		for i, part := range parts {
			if i > 0 {
				e.raw(`\n`)
			}
			e.inner(part.Text)
		}
		e.raw(`"`)
	}
}

func (e *encoder) chatParts(parts []*elumenta.Part) {
	e.raw(`[`)
	for _, part := range parts {
		switch {
		case part.Kind == elumenta.PartImage:
			e.comma()
			e.raw(`{"type":"image_url","image_url":{`)
			e.imageURL("url", part.Image)
			e.raw(`}}`)
		case part.Text != "":
			e.comma()
			e.raw(`{"type":"text"`)
			e.text("text", part.Text)
			e.raw(`}`)
		}
	}
	e.raw(`]`)
}

func (e *encoder) chatCalls(calls []*elumenta.ToolCall) {
	e.key("tool_calls")
	e.raw(`[`)
	for _, c := range calls {
		e.comma()
		e.raw(`{"type":"function"`)
		e.string("id", e.ids.fit(c.ID))
		e.key("function")
		e.raw(`{`)
		e.string("name", c.Name)
		e.text("arguments", arguments(c))
		e.raw(`}}`)
	}
	e.raw(`]`)
}

// arguments of a call without any are an empty object.
func arguments(c *elumenta.ToolCall) elumenta.Text {
	if c.Arguments == "" {
		return "{}"
	}
	return c.Arguments
}

// reasoningField reads the state that Chat emitted with a piece of reasoning: where the host had it.
func reasoningField(o *elumenta.Opaque) string {
	if o == nil || o.Format != opaqueFormat {
		return ""
	}
	switch o.Data {
	case `{"type":"reasoning_content"}`:
		return "reasoning_content"
	case `{"type":"reasoning"}`:
		return "reasoning"
	}
	return ""
}
