package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/elumenta/elumenta"
)

// editor is an assistant as its form has it. What was typed and is no value stays in the texts.
type editor struct {
	Assistant
	TemperatureText, MaxTokensText string
	Format                         string      // response_format as text
	Pairs                          [][2]string // metadata, in order
	Note, Once                     string
	Models                         []Model
	Errors                         map[string]string
	Newer                          *changes // from what somebody else saved meanwhile to what was typed
}

// newEditor is the form of an assistant as it is saved.
func newEditor(a *Assistant) (*editor, error) {
	e := &editor{Assistant: *a, Once: once(), TemperatureText: number(a.Temperature), MaxTokensText: whole(a.MaxTokens)}
	if hasValue(a.ResponseFormat) {
		var b bytes.Buffer
		if err := json.Indent(&b, a.ResponseFormat, "", "  "); err != nil {
			return nil, fmt.Errorf("console: a response format: %w", err)
		}
		e.Format = b.String()
	}
	for key, value := range a.Metadata {
		e.Pairs = append(e.Pairs, [2]string{key, value})
	}
	slices.SortFunc(e.Pairs, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return e, nil
}

// rows are the variables with some empty rows to fill.
func (e *editor) rows() []Variable {
	return append(slices.Clone(e.Variables), make([]Variable, max(0, min(3, elumenta.MaxVariables-len(e.Variables))))...)
}

// pairs are the metadata with some empty rows to fill.
func (e *editor) pairs() [][2]string {
	return append(slices.Clone(e.Pairs), make([][2]string, max(0, min(2, elumenta.MaxMetadata-len(e.Pairs))))...)
}

// model is the chosen model, or nil if the catalog does not have it.
func (e *editor) model() *Model {
	for i := range e.Models {
		if e.Models[i].Slug == e.Model {
			return &e.Models[i]
		}
	}
	return nil
}

// modelGroups are the models of each provider, in the catalog's order.
func (e *editor) modelGroups() (groups [][]Model) {
	at := map[string]int{}
	for _, m := range e.Models {
		i, ok := at[m.Provider]
		if !ok {
			i = len(groups)
			at[m.Provider], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], m)
	}
	return groups
}

// typed reads the form, and the body that the API gets for it. What cannot be sent at all is in the editor's errors.
func (p *page) typed() (*editor, map[string]any) {
	f := p.r.PostForm
	e := &editor{
		Errors: map[string]string{}, Format: strings.TrimSpace(f.Get("response_format")), Note: f.Get("note"), Once: f.Get("once"),
		TemperatureText: strings.TrimSpace(f.Get("temperature")), MaxTokensText: strings.TrimSpace(f.Get("max_tokens")),
	}
	e.ID = p.r.PathValue("id")
	e.Version, _ = strconv.Atoi(f.Get("version"))
	e.Name, e.Model, e.Description = f.Get("name"), f.Get("model"), lines(f.Get("description"))
	e.Instructions = lines(f.Get("instructions"))
	e.Copyable = f.Get("copyable") != ""
	body := map[string]any{
		"name": e.Name, "model": e.Model, "description": e.Description, "instructions": e.Instructions, "copyable": e.Copyable,
		"category": nil, "temperature": nil, "max_tokens": nil, "response_format": nil,
	}
	if category := f.Get("category"); category != "" {
		e.Category = &category
		body["category"] = category
	}
	if e.TemperatureText != "" {
		n, err := decimal(e.TemperatureText)
		if e.Temperature, body["temperature"] = &n, n; err != nil {
			e.Errors["temperature"] = p.T("own.not_a_number")
		}
	}
	if e.MaxTokensText != "" {
		n, err := integer(e.MaxTokensText)
		most := int(n)
		if e.MaxTokens, body["max_tokens"] = &most, n; err != nil {
			e.Errors["max_tokens"] = p.T("own.not_a_number")
		}
	}
	if e.Format != "" {
		if json.Valid([]byte(e.Format)) {
			e.ResponseFormat = json.RawMessage(e.Format)
			body["response_format"] = e.ResponseFormat
		} else {
			e.Errors["response_format"] = p.T("own.not_json")
		}
	}
	p.typedVariables(e, f)
	p.typedMetadata(e, f)
	body["variables"], body["metadata"] = e.Variables, e.Metadata
	return e, body
}

// decimal reads a number as people write it, with a comma perhaps.
func decimal(text string) (float64, error) {
	if strings.Trim(text, "+-0123456789.,") != "" {
		return 0, strconv.ErrSyntax // no inf, no exponents
	}
	return strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
}

// integer reads a number whose thousands may be set apart by blanks.
func integer(text string) (int64, error) {
	return strconv.ParseInt(strings.Join(strings.FieldsFunc(text, unicode.IsSpace), ""), 10, 64)
}

// lines is a text with the line breaks that it had before a form sent it (https://html.spec.whatwg.org/#constructing-the-form-data-set).
func lines(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

// typedVariables takes the rows that are not empty.
func (p *page) typedVariables(e *editor, f url.Values) {
	e.Variables = []Variable{}
	descriptions, defaults := f["variable_description"], f["variable_default"]
	required := map[string]bool{}
	for _, i := range f["variable_required"] {
		required[i] = true
	}
	for i, name := range f["variable_name"] {
		if i >= len(descriptions) || i >= len(defaults) {
			break
		}
		v := Variable{Name: strings.TrimSpace(name), Description: descriptions[i], Required: required[strconv.Itoa(i)]}
		if value := lines(defaults[i]); value != "" {
			v.Default = &value
		}
		if v == (Variable{}) {
			continue
		}
		if v.Name == "" {
			e.Errors[fmt.Sprintf("variables[%d].name", len(e.Variables))] = p.T("own.name_needed")
		}
		e.Variables = append(e.Variables, v)
	}
}

// typedMetadata takes the rows that are not empty.
func (p *page) typedMetadata(e *editor, f url.Values) {
	e.Metadata = map[string]string{}
	values := f["metadata_value"]
	for i, key := range f["metadata_key"] {
		if i >= len(values) || key == "" && values[i] == "" {
			continue
		}
		pair := [2]string{key, lines(values[i])}
		e.Pairs = append(e.Pairs, pair)
		if _, twice := e.Metadata[key]; twice {
			e.Errors["metadata."+key] = p.T("own.key_twice")
		} else if key == "" {
			e.Errors["metadata"] = p.T("own.key_needed")
		}
		e.Metadata[key] = pair[1]
	}
}

// hasValue reports whether the API gave a value that is not null.
func hasValue(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// sameJSON reports whether two values differ in nothing but spaces between tokens.
func sameJSON(a, b json.RawMessage) bool {
	if !hasValue(a) || !hasValue(b) {
		return hasValue(a) == hasValue(b)
	}
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}
