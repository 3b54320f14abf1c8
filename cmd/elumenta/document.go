package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/elumenta/elumenta"
)

// document is an assistant as a person edits it: settings in YAML between two lines of ---, below them the instructions.
type document struct {
	Name           string              `json:"name" yaml:"name"`
	Model          string              `json:"model" yaml:"model"`
	Description    string              `json:"description" yaml:"description"`
	Category       *string             `json:"category" yaml:"category"`
	Visibility     string              `json:"visibility" yaml:"visibility"`
	Temperature    *float64            `json:"temperature" yaml:"temperature"`
	MaxTokens      *int                `json:"max_tokens" yaml:"max_tokens"`
	ResponseFormat map[string]any      `json:"response_format" yaml:"response_format"`
	Variables      []elumenta.Variable `json:"variables" yaml:"variables"`
	Metadata       map[string]string   `json:"metadata" yaml:"metadata"`
	Instructions   string              `json:"instructions" yaml:"-"`
}

const fence = "---\n"

func documentOf(raw json.RawMessage) (*document, error) {
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, fmt.Errorf("the answer is not understood: %w", err)
	}
	return &d, nil
}

// format writes the document, with a comment at its head if comment is not empty. It ends in a line break even if the
// instructions do not, as editors have it. The values are JSON, which YAML reads without surprises.
func (d *document) format(comment string) (string, error) {
	var b strings.Builder
	b.WriteString(fence + comment)
	v := reflect.ValueOf(d).Elem()
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if key == "-" || (key == "response_format" && d.ResponseFormat == nil) {
			continue
		}
		value, err := marshal(v.Field(i).Interface())
		if err != nil {
			return "", fmt.Errorf("write the setting %s: %w", key, err)
		}
		fmt.Fprintf(&b, "%s: %s\n", key, value)
	}
	b.WriteString(fence + d.Instructions)
	if !strings.HasSuffix(b.String(), "\n") {
		b.WriteString("\n")
	}
	return b.String(), nil
}

// marshal is JSON as people write it, with < and & as they are.
func marshal(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// parseDocument reads what format wrote and someone edited. Instructions that had no line break at their end do not get
// the one that format added.
func parseDocument(text string, before *document) (*document, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	if strings.HasPrefix(text, "---\r\n") {
		text = strings.ReplaceAll(text, "\r\n", "\n")
	}
	rest, ok := strings.CutPrefix(text, fence)
	settings, instructions, closed := strings.Cut("\n"+rest, "\n"+fence)
	if !ok || !closed {
		return nil, errors.New("the settings must stand between two lines of ---, with the instructions below")
	}
	var d document
	if err := yaml.UnmarshalWithOptions([]byte(settings), &d, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("the settings are not right: %s", settingsError(err))
	}
	d.Instructions = instructions
	if !strings.HasSuffix(before.Instructions, "\n") {
		d.Instructions = strings.TrimSuffix(instructions, "\n")
	}
	return &d, nil
}

// settingsError is the message with its line in the file: the fence above the settings stands for the blank line that
// they were read with.
func settingsError(err error) string {
	if e, ok := errors.AsType[yaml.Error](err); ok {
		if tk := e.GetToken(); tk != nil && tk.Position != nil {
			return fmt.Sprintf("line %d: %s", tk.Position.Line, e.GetMessage())
		}
		return e.GetMessage()
	}
	return err.Error()
}

// changes are the fields that differ, as a PUT sends them.
func (d *document) changes(before *document) (map[string]any, error) {
	changed := map[string]any{}
	now, then := reflect.ValueOf(d).Elem(), reflect.ValueOf(before).Elem()
	for i := range now.NumField() {
		a, err := json.Marshal(now.Field(i).Interface())
		if err != nil {
			return nil, fmt.Errorf("the setting %s: %w", now.Type().Field(i).Tag.Get("json"), err)
		}
		b, err := json.Marshal(then.Field(i).Interface())
		if err != nil {
			return nil, fmt.Errorf("the setting %s: %w", now.Type().Field(i).Tag.Get("json"), err)
		}
		if !bytes.Equal(a, b) && (!emptyList(a) || !emptyList(b)) {
			changed[now.Type().Field(i).Tag.Get("json")] = json.RawMessage(a)
		}
	}
	return changed, nil
}

// emptyList reports whether a value is one of the ways to write no variables and no metadata.
func emptyList(b []byte) bool { return string(b) == "null" || string(b) == "[]" || string(b) == "{}" }
