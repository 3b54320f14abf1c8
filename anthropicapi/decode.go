package anthropicapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"unicode/utf8"

	"github.com/elumenta/elumenta"
)

const (
	maxTools           = 128
	maxToolDescription = 64 << 10 // characters
	maxUserID          = 256      // characters of metadata.user_id
	// schemaName stands for the name that other APIs want of a schema and this one does not ask for.
	schemaName = "output"
)

// leftOut are members that ask for less than the answer itself, with what a warning says of them.
var leftOut = map[string]string{
	"top_k":              "is not passed on: left out",
	"service_tier":       "is the operator's to choose: left out",
	"speed":              "is the operator's to choose: left out",
	"context_management": "is not done here: the whole conversation goes to the model",
	"diagnostics":        "are not kept here: left out",
}

// refused are members that a client relies on where it sends them.
var refused = map[string]string{
	"container":     "is not something that this server has: it runs no code",
	"mcp_servers":   "are not called from here: give their tools as tools, and call them yourself",
	"inference_geo": "is the operator's to choose: ask where the models of this server run, and leave it out",
}

// toolName is what a tool may be called (https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools).
var toolName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)

// decoding is one body on its way to a request.
type decoding struct {
	reader
	req         elumenta.Request
	endUser     string
	calls       map[string]string // the names of the tools that were called so far, by the calls' ids
	states      []elumenta.State  // of tool calls of the message that is read
	textState   *elumenta.Opaque  // of the text before the block that is read
	marksWarned bool
	ttlWarned   bool
	model       bool // given, right or wrong, as the others
	maxTokens   bool
	hasMessages bool
}

// member reads a field of the request.
func (d *decoding) member(name string) {
	if d.null() {
		return
	}
	switch name {
	case "model":
		d.model = true
		d.target()
	case "max_tokens":
		d.maxTokens = true
		if n := d.whole(); n != nil && *n < 1 {
			d.bad("must be at least 1")
		} else {
			d.req.Settings.MaxTokens = n
		}
	case "messages":
		d.hasMessages = true
		d.array(elumenta.MaxMessages, d.message)
	case "system":
		d.system()
	case "stream":
		d.req.Stream = d.boolean()
	case "temperature":
		if d.req.Settings.Temperature = d.number(); d.req.Settings.Temperature != nil && (*d.req.Settings.Temperature < 0 || *d.req.Settings.Temperature > 1) {
			d.bad("must be between 0 and 1")
		}
	case "top_p":
		if d.req.Settings.TopP = d.number(); d.req.Settings.TopP != nil && (*d.req.Settings.TopP < 0 || *d.req.Settings.TopP > 1) {
			d.bad("must be between 0 and 1")
		}
	case "stop_sequences":
		d.array(elumenta.MaxStops, d.stop)
	case "tools":
		d.array(maxTools, d.tool)
	case "tool_choice":
		d.toolChoice()
	case "metadata":
		d.object(d.metadata)
	case "output_config":
		d.object(d.outputConfig)
	case "thinking":
		d.thinking()
	case "output_format": // as it was called in beta
		d.outputFormat()
	case "variables":
		d.variables()
	case "cache_control":
		d.cacheControl()
		d.marksElsewhere()
	default:
		d.elsewhere(name)
	}
}

// elsewhere is a member that cannot be had.
func (d *decoding) elsewhere(name string) {
	if why, ok := refused[name]; ok {
		d.skip()
		d.bad("%s", why)
	} else if why, ok := leftOut[name]; ok {
		d.skip()
		d.warn(elumenta.WarnUnsupported, why)
	} else {
		d.unknown()
	}
}

// finish checks what only the whole body shows.
func (d *decoding) finish() {
	for _, f := range []struct {
		name  string
		given bool
	}{{"model", d.model}, {"max_tokens", d.maxTokens}, {"messages", d.hasMessages}} {
		if !f.given {
			d.errs.Add(f.name, "is required")
		}
	}
	if d.hasMessages && len(d.req.Turns) == 0 && len(d.errs) == 0 {
		d.errs.Add("messages", "must hold a message of a user or an assistant")
	}
	switch choice := d.req.ToolChoice; choice.Mode {
	case elumenta.ToolAny:
		if len(d.req.Tools) == 0 {
			d.errs.Add("tool_choice", "of type any needs tools")
		}
	case elumenta.ToolNamed:
		for _, t := range d.req.Tools {
			if t.Name == choice.Name {
				return
			}
		}
		d.errs.Add("tool_choice.name", "is not the name of one of the tools")
	}
}

func (d *decoding) target() {
	s := d.text()
	if s == "" {
		d.bad("must be a model's slug or an assistant's id")
		return
	}
	d.req.Assistant, d.req.Model = elumenta.ParseTarget(s)
}

// system reads a text or a list of text blocks.
func (d *decoding) system() {
	if d.next('"') {
		if s := d.text(); s != "" {
			d.req.System = append(d.req.System, elumenta.Text(s))
		}
		return
	}
	if !d.next('[') {
		d.token('[', "a string or a list of text blocks")
		return
	}
	d.array(elumenta.MaxParts, func() {
		part, _ := d.block()
		switch {
		case part.Kind == elumenta.PartText:
			d.req.System = append(d.req.System, part.Text)
			if part.CacheMark {
				d.marksElsewhere()
			}
		case part.Kind != 0:
			d.bad("must be a text block")
		}
	})
}

// marksElsewhere says, once, that marks outside of messages are not passed on.
func (d *decoding) marksElsewhere() {
	if !d.marksWarned {
		d.marksWarned = true
		d.warn(elumenta.WarnUnsupported, "cache_control is passed on in messages only: what stands before them, and the conversation, are marked by this server itself")
	}
}

// cacheControl reads a mark, of which there is one kind.
func (d *decoding) cacheControl() {
	long := false
	ok := d.object(func(name string) {
		if name == "ttl" && d.next('"') {
			long = d.text() == "1h"
			return
		}
		d.skip()
	})
	if ok && long && !d.ttlWarned {
		d.ttlWarned = true
		d.warn(elumenta.WarnUnsupported, "ttl is not passed on: caches hold for five minutes")
	}
}

func (d *decoding) stop() {
	s := d.text()
	if n := utf8.RuneCountInString(s); n == 0 || n > elumenta.MaxStop {
		d.bad("must have 1 to %d characters", elumenta.MaxStop)
		return
	}
	d.req.Settings.Stop = append(d.req.Settings.Stop, s)
}

// metadata reads whom the caller names as its own user. More characters than other APIs allow are hashed: they only have to be told apart.
func (d *decoding) metadata(name string) {
	if name != "user_id" {
		d.unknown()
		return
	}
	if d.null() {
		return
	}
	s := d.text()
	n := utf8.RuneCountInString(s)
	if n > maxUserID {
		d.bad("must have at most %d characters, has %d", maxUserID, n)
		return
	}
	if d.endUser = s; n > elumenta.MaxUser {
		sum := sha256.Sum256([]byte(s))
		d.endUser = hex.EncodeToString(sum[:])
	}
}

// outputConfig reads https://platform.claude.com/docs/en/build-with-claude/structured-outputs.
func (d *decoding) outputConfig(name string) {
	switch {
	case d.null():
	case name == "format":
		d.outputFormat()
	case name == "effort":
		switch s := d.text(); s {
		case "low", "medium", "high", "xhigh", "max":
			d.req.Reasoning.Effort = s
		default:
			d.bad("must be low, medium, high, xhigh or max")
		}
	default:
		d.unknown()
	}
}

func (d *decoding) outputFormat() {
	var kind string
	f := elumenta.ResponseFormat{Type: elumenta.FormatJSONSchema, Name: schemaName, Strict: true}
	ok := d.object(func(name string) {
		switch name {
		case "type":
			kind = d.text()
		case "schema":
			f.Schema = json.RawMessage(d.raw())
		default:
			d.unknown()
		}
	})
	switch {
	case !ok:
	case kind != elumenta.FormatJSONSchema:
		d.badMember("type", "must be json_schema")
	case f.Schema == nil:
		d.badMember("schema", "is required")
	case len(f.Schema) > elumenta.MaxResponseFormat:
		d.badMember("schema", "must have at most %d bytes", elumenta.MaxResponseFormat)
	default:
		d.req.Settings.ResponseFormat = &f
	}
}

// variables are the values of an assistant's variables, which Anthropic's API does not have.
func (d *decoding) variables() {
	values := make(map[string]string)
	n := 0
	d.object(func(name string) {
		if n++; n > elumenta.MaxVariables {
			d.skip()
			return
		}
		s := d.text()
		if utf8.RuneCountInString(s) > elumenta.MaxVariableValue {
			d.bad("must have at most %d characters", elumenta.MaxVariableValue)
		}
		values[name] = s
	})
	if n > elumenta.MaxVariables {
		d.bad("must be at most %d", elumenta.MaxVariables)
	}
	if len(values) > 0 {
		d.req.Variables = values
	}
}
