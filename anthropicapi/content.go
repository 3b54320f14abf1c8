package anthropicapi

import (
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
)

// roleSystem is the role of a message that takes the place of system in mid-conversation.
const roleSystem = "system"

// placed is a part with the place of its block.
type placed struct {
	elumenta.Part
	index int
}

// message reads a turn. Its role may come behind its content.
func (d *decoding) message() {
	var role string
	var content []placed
	hasContent, whole := false, true
	d.states = nil
	ok := d.object(func(name string) {
		switch name {
		case "role":
			role = d.text()
		case "content":
			before := len(d.errs)
			hasContent = true
			content = d.content()
			whole = len(d.errs) == before
		default:
			d.unknown()
		}
	})
	switch {
	case !ok:
		return
	case role != string(elumenta.RoleOfUser) && role != string(elumenta.RoleOfAssistant) && role != roleSystem:
		d.badMember("role", "must be user or assistant")
		return
	case !hasContent:
		d.badMember("content", "is required")
		return
	case !whole:
		return // said already
	}
	parts := make([]elumenta.Part, 0, len(content))
	for i := range content {
		if d.goesWith(role, &content[i]) {
			parts = append(parts, content[i].Part)
		}
	}
	switch {
	case role == roleSystem:
		if len(d.req.Turns) > 0 {
			d.warn(elumenta.WarnSystemMoved, "system messages come before the conversation: moved there")
		}
		for i := range parts {
			d.req.System = append(d.req.System, parts[i].Text)
		}
	case len(parts) > 0:
		for i := range d.states {
			d.states[i].Attach(parts)
		}
		d.req.Turns = append(d.req.Turns, elumenta.Turn{Role: elumenta.TurnRole(role), Parts: parts})
	case role == string(elumenta.RoleOfUser):
		d.badMember("content", "must not be empty")
	}
}

// goesWith checks that a part is one of its role's, and that a tool's result has its call before it.
func (d *decoding) goesWith(role string, p *placed) bool {
	at := "content." + itoa(p.index)
	switch p.Kind {
	case elumenta.PartText:
		return true
	case elumenta.PartImage:
		if role == string(elumenta.RoleOfUser) {
			return true
		}
	case elumenta.PartToolResult:
		if role != string(elumenta.RoleOfUser) {
			break
		}
		name, ok := d.calls[p.ToolResult.CallID]
		if !ok {
			d.badMember(at+".tool_use_id", "is not the id of a tool_use block before it")
			return false
		}
		p.ToolResult.Name = name
		return true
	case elumenta.PartToolCall:
		if role != string(elumenta.RoleOfAssistant) {
			break
		}
		if d.calls == nil {
			d.calls = make(map[string]string)
		}
		d.calls[p.ToolCall.ID] = p.ToolCall.Name
		return true
	case elumenta.PartReasoning:
		if role == string(elumenta.RoleOfAssistant) {
			return true
		}
	}
	d.badMember(at+".type", "does not go with the role %s", role)
	return false
}

// content reads a text or a list of blocks.
func (d *decoding) content() (parts []placed) {
	if d.next('"') {
		if s := d.text(); s != "" {
			parts = append(parts, placed{Part: elumenta.Part{Kind: elumenta.PartText, Text: elumenta.Text(s)}})
		}
		return parts
	}
	if !d.next('[') {
		d.token('[', "a string or a list of blocks")
		return nil
	}
	index := 0
	d.array(elumenta.MaxParts, func() {
		if part, ok := d.block(); ok {
			parts = append(parts, placed{part, index})
		}
		if n := len(parts); d.textState != nil && n > 0 && parts[n-1].Kind == elumenta.PartText {
			parts[n-1].Opaque = d.textState
		}
		d.textState = nil
		index++
	})
	return parts
}

// block is a content block (https://platform.claude.com/docs/en/api/messages/create); its type says which of its members count.
type block struct {
	kind, text                    string
	id, name, toolUseID           string
	thinking, signature, redacted string
	input                         jsontext.Value
	image                         *elumenta.Image
	content                       []placed
	isError, mark, signed         bool
}

// blockTypes are those that are taken.
const blockTypes = "text, image, tool_use, tool_result, thinking or redacted_thinking"

// block reads a content block; ok is false for one that is wrong or left out.
func (d *decoding) block() (part elumenta.Part, ok bool) {
	var b block
	before := len(d.errs)
	if !d.object(func(name string) { d.blockMember(&b, name) }) {
		return part, false
	}
	switch b.kind {
	case "text", "image", "tool_use", "tool_result", "thinking", "redacted_thinking":
	default:
		d.errs = d.errs[:before] // its members are not known either
		d.badMember("type", "must be "+blockTypes)
		return part, false
	}
	if len(d.errs) > before {
		return part, false
	}
	if part, ok = d.part(&b); ok {
		part.CacheMark = b.mark
	}
	return part, ok
}

func (d *decoding) blockMember(b *block, name string) {
	if d.null() {
		return
	}
	switch name {
	case "type":
		b.kind = d.text()
	case "text":
		b.text = d.text()
	case "source":
		b.image = d.source()
	case "id":
		b.id = d.text()
	case "name":
		b.name = d.text()
	case "input":
		b.input = d.raw()
	case "tool_use_id":
		b.toolUseID = d.text()
	case "content":
		b.content = d.content()
	case "is_error":
		b.isError = d.boolean()
	case "thinking":
		b.thinking = d.text()
	case "signature":
		b.signature, b.signed = d.text(), true
	case "data":
		b.redacted = d.text()
	case "cache_control":
		d.cacheControl()
		b.mark = true
	case "caller", "parsed_output": // says that the model made a call; what Anthropic's clients add to an answer that they parsed for their program
		d.skip()
	case "citations":
		d.skip()
		d.warn(elumenta.WarnUnsupported, "are not passed on: left out")
	default:
		d.unknown()
	}
}

// part makes a part of a block.
func (d *decoding) part(b *block) (part elumenta.Part, ok bool) {
	switch b.kind {
	case "text":
		if b.text == "" {
			d.badMember("text", "must not be empty")
			return part, false
		}
		return elumenta.Part{Kind: elumenta.PartText, Text: elumenta.Text(b.text)}, true
	case "image":
		if b.image == nil {
			d.badMember("source", "is required")
			return part, false
		}
		return elumenta.Part{Kind: elumenta.PartImage, Image: b.image}, true
	case "tool_use":
		return d.toolUse(b)
	case "tool_result":
		return d.toolResult(b)
	}
	return d.thought(b)
}

func (d *decoding) toolUse(b *block) (part elumenta.Part, ok bool) {
	switch {
	case b.id == "":
		d.badMember("id", "is required")
	case b.name == "":
		d.badMember("name", "is required")
	case b.input == nil:
		d.badMember("input", "is required")
	default:
		call := &elumenta.ToolCall{ID: b.id, Name: b.name, Arguments: elumenta.Text(b.input)}
		return elumenta.Part{Kind: elumenta.PartToolCall, ToolCall: call}, true
	}
	return part, false
}

func (d *decoding) toolResult(b *block) (part elumenta.Part, ok bool) {
	if b.toolUseID == "" {
		d.badMember("tool_use_id", "is required")
		return part, false
	}
	result := &elumenta.ToolResult{CallID: b.toolUseID, IsError: b.isError}
	for _, p := range b.content {
		if p.Kind != elumenta.PartText && p.Kind != elumenta.PartImage {
			d.badMember("content."+itoa(p.index)+".type", "must be text or image")
			return part, false
		}
		result.Content = append(result.Content, p.Part)
	}
	return elumenta.Part{Kind: elumenta.PartToolResult, ToolResult: result}, true
}

// thought gives reasoning back to its provider's format, with the state that it came with. Other formats leave it out. State of a text or a tool call
// is no part of its own.
func (d *decoding) thought(b *block) (part elumenta.Part, ok bool) {
	text := b.signature
	if b.kind == redactedType {
		text = b.redacted
	}
	if text == "" {
		if b.kind == redactedType || !b.signed {
			d.warn(elumenta.WarnUnsupported, "has no signature, without which no provider takes it: left out")
		} // an empty one is ours: its provider gave no state
		return part, false
	}
	part = elumenta.Part{Kind: elumenta.PartReasoning, Text: elumenta.Text(b.thinking)}
	switch s, packed := elumenta.UnpackState(text); {
	case packed && s.Part == elumenta.PartText:
		d.textState = &s.Opaque
		return part, false
	case packed && s.Part == elumenta.PartToolCall:
		d.states = append(d.states, s)
		return part, false
	case packed:
		part.Opaque = &s.Opaque
	case b.kind == redactedType:
		part.Opaque = opaque{Type: b.kind, Data: text}.part()
	default:
		part.Opaque = opaque{Type: b.kind, Signature: text}.part()
	}
	return part, true
}

// source reads an image.
func (d *decoding) source() (image *elumenta.Image) {
	var kind, media, data, url string
	ok := d.object(func(name string) {
		switch name {
		case "type":
			kind = d.text()
		case "media_type":
			media = d.text()
		case "data":
			data = d.text()
		case "url":
			url = d.text()
		default:
			d.unknown()
		}
	})
	if !ok {
		return nil
	}
	var wrong string
	switch kind {
	case "base64":
		if image, wrong = elumenta.NewImage(media, data); wrong != "" {
			d.bad("%s", wrong)
		}
	case "url":
		if image, wrong = elumenta.ParseImage(url); wrong != "" {
			d.badMember("url", "%s", wrong)
		}
	default:
		d.badMember("type", "must be base64 or url: this server keeps no files")
	}
	return image
}

func (o opaque) part() *elumenta.Opaque {
	data, err := json.Marshal(o)
	if err != nil {
		return nil // strings that were JSON encode
	}
	return &elumenta.Opaque{Format: opaqueFormat, Data: elumenta.Text(data)}
}

func itoa(n int) string { return strconv.Itoa(n) }
