package assistantfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/elumenta/elumenta"
)

// openAIAssistant is an assistant of OpenAI's Assistants API
// (https://platform.openai.com/docs/api-reference/assistants/object), or a prompt object, which has messages beside or
// instead of instructions, and variables.
type openAIAssistant struct {
	Object, ID, Name, Description, Model string
	Instructions                         promptText
	Messages, Input                      []openAIMessage
	Variables                            json.RawMessage
	Temperature                          *float64
	MaxOutputTokens                      *int            `json:"max_output_tokens"`
	ResponseFormat                       json.RawMessage `json:"response_format"`
	Text                                 struct{ Format json.RawMessage }
	Tools                                []struct {
		Type     string
		Function struct{ Name string }
	}
	ToolResources map[string]json.RawMessage `json:"tool_resources"`
	Metadata      map[string]string
	Data          json.RawMessage // of a list
	HasMore       bool            `json:"has_more"`
	LastID        string          `json:"last_id"`
}

// openAIPlaced are the settings that are taken or spoken of, and those that say when something was made.
var openAIPlaced = []string{
	"object", "id", "name", "description", "model", "instructions", "messages", "input", "variables", "temperature", "max_output_tokens", "response_format", "text.format",
	"tools", "tool_resources", "metadata", "created_at", "created", "updated_at",
}

type openAIMessage struct {
	Role    string
	Content promptText
}

// promptText is a string, or a list of parts with texts.
type promptText struct {
	text  string
	other bool // parts that are no text
}

// UnmarshalJSON reads either.
func (p *promptText) UnmarshalJSON(b []byte) error {
	var parts []struct {
		Text    string
		Content string
	}
	if len(b) == 0 || b[0] != '[' {
		return json.Unmarshal(b, &p.text)
	}
	if err := json.Unmarshal(b, &parts); err != nil {
		return err
	}
	var texts []string
	for _, part := range parts {
		if t := part.Text + part.Content; t != "" {
			texts = append(texts, t)
		} else {
			p.other = true
		}
	}
	p.text = strings.Join(texts, "\n\n")
	return nil
}

// ReadOpenAI reads assistants as OpenAI's Assistants API lists them, and prompt objects: a file with one or more, or a
// folder. Errors are Problems.
func (c *Conversion) ReadOpenAI(fsys fs.FS, name string) ([]Foreign, error) {
	all, problems := records(fsys, name)
	var found []Foreign
	for len(all) > 0 {
		r := all[0]
		all = all[1:]
		var a openAIAssistant
		if !r.decode(&a, &problems) {
			continue
		}
		if a.Object == "list" {
			if a.HasMore {
				c.Warnings = append(c.Warnings, fmt.Sprintf("%s: the list goes on after %s (has_more is true): what follows is not here", r, a.LastID))
			}
			all = append(elements(r, a.Data, &problems), all...)
			continue
		}
		if a.ID == "" {
			problems.add(r.file, r.line, 0, "id is required: is this an assistant or a prompt of OpenAI's?")
			continue
		}
		f := c.openAI(r, &a)
		if f.Model == "" && f.Skip == "" {
			problems.add(r.file, r.line, 0, "model %q is not in this server's catalog: say with --model which one to use instead", a.Model)
			continue
		}
		found = append(found, f)
	}
	return finish(found, problems)
}

// elements are the objects of a list, with their lines.
func elements(list record, data json.RawMessage, problems *Problems) []record {
	before := list.line
	if i := bytes.Index(list.raw, data); i > 0 {
		before += strings.Count(string(list.raw[:i]), "\n")
	}
	items := splitJSON(list.file, data, problems)
	for i := range items {
		items[i].line += before - 1
	}
	return items
}

func (c *Conversion) openAI(r record, a *openAIAssistant) Foreign {
	prompt := a.Object != "assistant" && strings.HasPrefix(a.ID, "pmpt_") || a.Object == "prompt"
	instructions, other := a.system()
	f := c.begin(r, "openai_id", a.ID, a.Name, a.Description, elumenta.Text(instructions))
	c.openAIModel(&f, a.Model)
	if prompt {
		f.declare(a.Variables)
	} else if strings.Contains(instructions, "{{") {
		f.note("{{…}} in the instructions stays plain text: no variable is declared")
	}
	f.settings(a.Temperature, a.MaxOutputTokens)
	f.openAIFormat(a)
	for _, k := range slices.Sorted(maps.Keys(a.Metadata)) {
		switch {
		case k == f.IDKey:
		case k == "" || len([]rune(k)) > elumenta.MaxMetadataKey:
			f.note("metadata %q left out: a key has 1 to %d characters", k, elumenta.MaxMetadataKey)
		default:
			f.keep(k, a.Metadata[k])
		}
	}
	f.dropped(append(a.leftOut(other), r.unplaced(openAIPlaced)...))
	c.publish(&f)
	return f
}

// system is what the model is told first: the instructions and the system and developer messages. other is whether there
// is more that is no such text.
func (a *openAIAssistant) system() (instructions string, other bool) {
	var texts []string
	other = a.Instructions.other
	if a.Instructions.text != "" {
		texts = append(texts, a.Instructions.text)
	}
	for _, m := range slices.Concat(a.Messages, a.Input) {
		if m.Role == "system" || m.Role == "developer" {
			texts = append(texts, m.Content.text)
			other = other || m.Content.other
		} else {
			other = true
		}
	}
	return strings.Join(texts, "\n\n"), other
}

// dated is the date that OpenAI puts behind a model's name.
var dated = regexp.MustCompile(`-(?:\d{4}-\d{2}-\d{2}|latest)$`)

// openAIModel takes the model itself, or what it is without its date, or else the one for all others.
func (c *Conversion) openAIModel(f *Foreign, name string) {
	bare := dated.ReplaceAllString(name, "")
	switch {
	case c.Known(name):
		f.Model = name
	case c.Known(bare):
		f.Model = bare
		f.note("model %s is %s now", name, bare)
	default:
		f.Model = c.Model
		if name != "" {
			f.note("model %s is %s now", name, c.Model)
		}
	}
}

func (f *Foreign) openAIFormat(a *openAIAssistant) {
	raw := a.ResponseFormat
	if len(raw) == 0 {
		raw = a.Text.Format
	}
	if s := string(raw); s == "" || s == "null" || s == `"auto"` {
		return
	}
	var format struct {
		Type       string
		JSONSchema *struct {
			Name   string
			Schema json.RawMessage
			Strict bool
		} `json:"json_schema"`
		// The Responses API has them here.
		Name   string
		Schema json.RawMessage
		Strict bool
	}
	switch err := json.Unmarshal(raw, &format); {
	case err != nil:
		f.note("response_format left out: it is not understood")
		return
	case format.Type == elumenta.FormatText:
		return
	}
	r := &elumenta.ResponseFormat{Type: format.Type}
	if s := format.JSONSchema; s != nil {
		r.Name, r.Schema, r.Strict = s.Name, CompactJSON(s.Schema), s.Strict
	} else if format.Type == elumenta.FormatJSONSchema {
		r.Name, r.Schema, r.Strict = format.Name, CompactJSON(format.Schema), format.Strict
	}
	var errs elumenta.FieldErrors
	if r.Check("response_format", &errs); len(errs) > 0 {
		f.note("response_format left out: %s %s", errs[0].Field, errs[0].Reason)
		return
	}
	f.ResponseFormat = r
}

// leftOut names what an assistant has no place for here.
func (a *openAIAssistant) leftOut(other bool) (names []string) {
	for _, t := range a.Tools {
		name := "tool " + t.Type
		if t.Function.Name != "" {
			name += " " + t.Function.Name
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, r := range slices.Sorted(maps.Keys(a.ToolResources)) {
		names = append(names, "files of "+r)
	}
	if other {
		names = append(names, "messages and parts that are not instructions")
	}
	return names
}
