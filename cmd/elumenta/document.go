package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/assistantfile"
)

// saved is an assistant, or a version of one, in an answer of the API.
type saved struct {
	ID             string              `json:"id"`
	Visibility     string              `json:"visibility"`
	Version        int                 `json:"version"`
	Note           string              `json:"note"`
	Public         bool                `json:"public"`
	CreatedAt      time.Time           `json:"created_at"`
	Name           string              `json:"name"`
	Model          string              `json:"model"`
	Instructions   string              `json:"instructions"`
	Description    string              `json:"description"`
	Category       string              `json:"category"` // "" for null
	Temperature    *float64            `json:"temperature"`
	MaxTokens      *int                `json:"max_tokens"`
	ResponseFormat *formatBody         `json:"response_format"`
	Variables      []elumenta.Variable `json:"variables"`
	Metadata       map[string]string   `json:"metadata"`
	Copyable       bool                `json:"copyable"`
	TakenDown      *struct{}           `json:"taken_down"` // by an operator
}

// formatBody is a response format as the API has it.
type formatBody struct {
	Type       string      `json:"type"`
	JSONSchema *schemaBody `json:"json_schema,omitempty"`
}

type schemaBody struct {
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema"`
	Strict bool            `json:"strict"`
}

func (s *saved) fields() elumenta.Fields {
	f := elumenta.Fields{
		Name: s.Name, Model: s.Model, Instructions: elumenta.Text(s.Instructions), Description: s.Description, Category: s.Category,
		Temperature: s.Temperature, MaxTokens: s.MaxTokens, Variables: s.Variables, Metadata: s.Metadata, Copyable: s.Copyable,
	}
	if r := s.ResponseFormat; r != nil {
		f.ResponseFormat = &elumenta.ResponseFormat{Type: r.Type}
		if j := r.JSONSchema; j != nil {
			f.ResponseFormat.Name, f.ResponseFormat.Schema, f.ResponseFormat.Strict = j.Name, assistantfile.CompactJSON(j.Schema), j.Strict
		}
	}
	return f
}

// file is the assistant as a file holds it.
func (s *saved) file() *assistantfile.Assistant {
	return &assistantfile.Assistant{ID: elumenta.AssistantID(s.ID), Visibility: elumenta.Visibility(s.Visibility), Version: s.Version, Note: s.Note, Fields: s.fields()}
}

// savedVersion is the version as a file holds it.
func (s *saved) savedVersion() *elumenta.Version {
	return &elumenta.Version{Version: s.Version, CreatedAt: s.CreatedAt, Note: s.Note, Public: s.Public, Fields: s.fields()}
}

// settingNames are the settings of an assistant in the order in which a person is told of them.
var settingNames = []string{
	"name", "model", "description", "category", "visibility", "temperature", "max_tokens", "response_format", "variables", "metadata", "copyable", "instructions",
}

// bodyOf is all fields as the API takes them.
func bodyOf(f *elumenta.Fields) map[string]any {
	body := map[string]any{
		"name": f.Name, "model": f.Model, "instructions": string(f.Instructions), "description": f.Description, "category": nil,
		"temperature": f.Temperature, "max_tokens": f.MaxTokens, "response_format": nil, "variables": []elumenta.Variable{}, "metadata": map[string]string{}, "copyable": f.Copyable,
	}
	if f.Category != "" {
		body["category"] = f.Category
	}
	if len(f.Variables) > 0 {
		body["variables"] = f.Variables
	}
	if len(f.Metadata) > 0 {
		body["metadata"] = f.Metadata
	}
	if r := f.ResponseFormat; r != nil {
		format := formatBody{Type: r.Type}
		if r.Type == elumenta.FormatJSONSchema {
			format.JSONSchema = &schemaBody{r.Name, r.Schema, r.Strict}
		}
		body["response_format"] = format
	}
	return body
}

// changes are the fields that differ, as a PUT sends them.
func changes(after, before *assistantfile.Assistant) (map[string]any, error) {
	now, then := bodyOf(&after.Fields), bodyOf(&before.Fields)
	now["visibility"], then["visibility"] = after.Visibility, before.Visibility
	changed := map[string]any{}
	for _, name := range settingNames {
		a, err := json.Marshal(now[name])
		if err != nil {
			return nil, fmt.Errorf("the setting %s: %w", name, err)
		}
		b, err := json.Marshal(then[name])
		if err != nil {
			return nil, fmt.Errorf("the setting %s: %w", name, err)
		}
		if !bytes.Equal(a, b) {
			changed[name] = json.RawMessage(a)
		}
	}
	return changed, nil
}

// toEdit writes an assistant for a person to edit. It ends in a line break even if the instructions do not, as editors
// have it.
func toEdit(a *assistantfile.Assistant, comment string) []byte {
	settings := *a
	settings.ID, settings.Version, settings.Note = "", 0, "" // what an edit does not change
	file := assistantfile.FormatForEdit(&settings, comment)
	if !strings.HasSuffix(string(a.Instructions), "\n") {
		file = append(file, '\n')
	}
	return file
}

// edited reads what toEdit wrote and someone edited. Instructions that had no line break at their end do not get the one
// that toEdit added, and an editor that writes line ends of Windows changes nothing by that.
func edited(path string, file []byte, before *assistantfile.Assistant) (*assistantfile.Assistant, error) {
	crlf, lf := []byte("\r\n"), []byte("\n")
	if first, _, _ := bytes.Cut(file, lf); bytes.HasSuffix(first, []byte("\r")) {
		file = bytes.ReplaceAll(file, crlf, lf)
	}
	after, err := assistantfile.Parse(path, file)
	if err != nil {
		return nil, err
	}
	if after.Labels != nil {
		line, column := after.Where("labels")
		return nil, assistantfile.Problems{{File: path, Line: line, Column: column, Message: "labels are not edited here: elumenta apply sets those of a file"}}
	}
	if !strings.HasSuffix(string(before.Instructions), "\n") {
		after.Instructions = elumenta.Text(strings.TrimSuffix(string(after.Instructions), "\n"))
	}
	return after, nil
}
