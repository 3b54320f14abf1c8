package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/elumenta/elumenta/httpapi"
)

type document struct {
	OpenAPI    string                           `json:"openapi"`
	Info       map[string]any                   `json:"info"`
	Paths      map[string]map[string]*operation `json:"paths"`
	Components struct {
		Schemas map[string]*schema `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	OperationID string               `json:"operationId"`
	Summary     string               `json:"summary,omitempty"`
	Description string               `json:"description,omitempty"`
	Tags        []string             `json:"tags,omitempty"`
	Parameters  []*parameter         `json:"parameters,omitempty"`
	RequestBody *body                `json:"requestBody,omitempty"`
	Responses   map[string]*response `json:"responses"`

	Snake  string `json:"x-snake"`            // its name in Python
	Body   string `json:"x-body,omitempty"`   // the schema of its body
	Result string `json:"x-result,omitempty"` // the schema of what it answers
	Item   string `json:"x-item,omitempty"`   // the schema of an item, where that is a page of several
}

type parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Description string  `json:"description,omitempty"`
	Required    bool    `json:"required,omitempty"`
	Schema      *schema `json:"schema"`
	Snake       string  `json:"x-snake"`
}

type body struct {
	Required bool             `json:"required,omitempty"`
	Content  map[string]media `json:"content"`
}

type response struct {
	Description string           `json:"description"`
	Content     map[string]media `json:"content,omitempty"`
}

type media struct {
	Schema *schema `json:"schema"`
}

const (
	jsonType = "application/json"
	refBase  = "#/components/schemas/"

	streamEvent = "StreamEvent"
	// what the reduced document names.
	assistantOrListing = "AssistantOrListing"
	errorCode          = "ErrorCode"
)

// left are parameters that the clients have no use for: they read JSON, and keep nothing that could be asked for conditionally.
var left = []string{"format", "If-None-Match"}

// csv is what descriptions say of files of comma-separated values.
var csv = regexp.MustCompile(` ?With Accept: text/csv[^.]*\.`)

func (d *document) reduce() error {
	for path, item := range d.Paths {
		if !strings.HasPrefix(path, httpapi.Base) {
			delete(d.Paths, path)
			continue
		}
		for _, op := range item {
			if err := d.operation(op); err != nil {
				return fmt.Errorf("%s: %w", op.OperationID, err)
			}
		}
	}
	schemas := d.Components.Schemas
	for _, s := range schemas {
		if len(s.Properties) > 0 {
			s.AdditionalProperties = nil // what is not known is of no use in a type
		}
	}
	delete(schemas["GenerateRequest"].Properties, "stream") // the client's method says
	schemas[errorCode] = schemas["Error"].Properties["error"]
	events := schemas[streamEvent]
	events.OneOf = slices.DeleteFunc(events.OneOf, func(s *schema) bool { return s.name() == "StreamError" }) // is thrown
	events.Description = "One of a stream: a GenerationStart first, a ContentDelta for each piece, a GenerationEnd last."
	d.prune(streamEvent, errorCode)
	d.forGo()
	return nil
}

func (d *document) operation(op *operation) error {
	op.Snake = snake(op.OperationID)
	op.Description = csv.ReplaceAllString(op.Description, "")
	op.Parameters = slices.DeleteFunc(op.Parameters, func(p *parameter) bool { return slices.Contains(left, p.Name) })
	for _, p := range op.Parameters {
		p.Snake = snake(p.Name)
		switch p.Name {
		case "n": // a version: the server takes any text, since what is no number is not found
			p.Schema.Type = types{"integer"}
		case "If-Match": // quoted by the client
			p.Schema.Type = types{"integer"}
			p.Description = "The version that the change is meant for."
		}
	}
	if op.RequestBody != nil {
		op.Body = op.RequestBody.Content[jsonType].Schema.name()
		if op.Body == "" {
			return fmt.Errorf("the body is no component")
		}
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if !strings.HasPrefix(status, "2") || op.Result != "" { // two statuses may answer the same
			delete(op.Responses, status)
			continue
		}
		answer, ok := op.Responses[status].Content[jsonType]
		if !ok {
			continue
		}
		op.Responses[status].Content = map[string]media{jsonType: answer}
		if len(answer.Schema.OneOf) > 0 {
			d.Components.Schemas[assistantOrListing] = &schema{Description: "One's own assistant, or what others see of it.", OneOf: answer.Schema.OneOf}
			answer.Schema.OneOf, answer.Schema.Ref = nil, refBase+assistantOrListing
		}
		if op.Result = answer.Schema.name(); op.Result == "" {
			return fmt.Errorf("the answer is no component")
		}
		if page := d.Components.Schemas[op.Result].Properties; page["next_cursor"] != nil {
			op.Item = page["items"].Items.name()
		}
	}
	if len(op.Responses) != 1 {
		return fmt.Errorf("%d answers are left", len(op.Responses))
	}
	return nil
}

// snake writes a name as Python does. A reserved word gets an underscore.
func snake(s string) string {
	s = strings.ToLower(strings.ReplaceAll(s, "-", "_"))
	if s == "from" {
		s += "_"
	}
	return s
}

// prune leaves the schemas that operations need, and these.
func (d *document) prune(names ...string) {
	needed := map[string]bool{}
	var need func(name string)
	need = func(name string) {
		if name == "" || needed[name] {
			return
		}
		needed[name] = true
		d.Components.Schemas[name].walk(func(s *schema) { need(s.name()) })
	}
	for _, item := range d.Paths {
		for _, op := range item {
			need(op.Body)
			need(op.Result)
		}
	}
	for _, name := range names {
		need(name)
	}
	maps.DeleteFunc(d.Components.Schemas, func(name string, _ *schema) bool { return !needed[name] })
}
