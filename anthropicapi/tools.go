package anthropicapi

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/elumenta/elumenta"
)

// tool reads a tool that the client calls itself. Those of Anthropic's servers, and those that its models know by a type, are not to be had
// from other providers.
func (d *decoding) tool() {
	kind, mark := "custom", false
	var t elumenta.Tool
	ok := d.object(func(name string) {
		if d.null() {
			return
		}
		switch name {
		case "type":
			kind = d.text()
		case "name":
			t.Name = d.text()
		case "description":
			if t.Description = d.text(); utf8.RuneCountInString(t.Description) > maxToolDescription {
				d.bad("must have at most %d characters", maxToolDescription)
			}
		case "input_schema":
			t.Parameters = json.RawMessage(d.raw())
		case "strict":
			t.Strict = d.boolean()
		case "cache_control":
			d.cacheControl()
			mark = true
		default:
			d.unknown()
		}
	})
	switch {
	case !ok:
		return
	case kind != "custom":
		d.badMember("type", "must be custom: this server has no tools of its own, and passes on those that you describe and call yourself")
		return
	case !toolName.MatchString(t.Name):
		d.badMember("name", "must have 1 to 128 of the characters a-z, A-Z, 0-9, _ and -")
	case t.Parameters == nil:
		d.badMember("input_schema", "is required")
	}
	if mark {
		d.marksElsewhere()
	}
	for i := range d.req.Tools {
		if d.req.Tools[i].Name == t.Name {
			d.badMember("name", "is that of another tool, too")
			return
		}
	}
	d.req.Tools = append(d.req.Tools, t)
}

// toolChoice reads https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools#controlling-claudes-output.
func (d *decoding) toolChoice() {
	var kind, name string
	var parallel *bool
	ok := d.object(func(member string) {
		if d.null() {
			return
		}
		switch member {
		case "type":
			kind = d.text()
		case "name":
			name = d.text()
		case "disable_parallel_tool_use":
			enabled := !d.boolean()
			parallel = &enabled
		default:
			d.unknown()
		}
	})
	if !ok {
		return
	}
	choice := elumenta.ToolChoice{Parallel: parallel}
	switch kind {
	case "auto":
		choice.Mode = elumenta.ToolAuto
	case "any":
		choice.Mode = elumenta.ToolAny
	case "tool":
		choice.Mode, choice.Name = elumenta.ToolNamed, name
	case "none":
		choice.Mode = elumenta.ToolNone
	default:
		d.badMember("type", "must be auto, any, tool or none")
		return
	}
	d.req.ToolChoice = choice
}
