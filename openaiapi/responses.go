package openaiapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/elumenta/elumenta"
)

// Responses is POST /v1/responses (https://platform.openai.com/docs/api-reference/responses/create). A prompt names an assistant by its id.
// It is an elumenta.Surface.
type Responses struct{ shape }

// Decode reads a request. Nothing is kept between requests, so that what refers to an earlier one is refused.
func (Responses) Decode(body []byte) (*elumenta.SurfaceRequest, error) {
	r := responsesReader{calls: map[string]*pendingCall{}}
	if err := r.decoding.body(body, &r.body); err != nil {
		return nil, err
	}
	if err := r.read(); err != nil {
		return nil, err
	}
	r.out.Encoder = r.encoder()
	return &r.out, nil
}

// Error is an error's status and body, with the names that fields have in this API.
func (s Responses) Error(e *elumenta.Error, id elumenta.RequestID) (status int, body []byte) {
	return s.shape.Error(renamed(e), id)
}

// fieldNames are this API's names of what the pipeline names otherwise.
var fieldNames = map[string]string{
	"messages": "input", "response_format": "text.format", "max_tokens": "max_output_tokens", "variables": "prompt.variables",
}

func responsesField(field string) string {
	head, rest, nested := strings.Cut(field, ".")
	if name, ok := fieldNames[head]; ok {
		head = name
	}
	if nested {
		return head + "." + rest
	}
	return head
}

// renamed is an error with this API's names of fields.
func renamed(e *elumenta.Error) *elumenta.Error {
	fields, ok := e.Details["fields"].([]elumenta.FieldError)
	if !ok {
		return e
	}
	fields = slices.Clone(fields)
	for i := range fields {
		fields[i].Field = responsesField(fields[i].Field)
	}
	renamed := *e
	renamed.Details = maps.Clone(e.Details)
	renamed.Details["fields"] = fields
	return &renamed
}
