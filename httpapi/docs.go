package httpapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page's template and style
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

var (
	//go:embed docs.html.tmpl
	docsTemplate string
	//go:embed docs.css
	docsStyle string
)

type docsPage struct {
	Title, Version string
	Style          template.CSS
	About          []string
	Tags           []docsTag
	Schemas        []docsSchema
}

type docsTag struct {
	Name       string
	Operations []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary, Description string
	Key                                    bool
	Parameters                             []docsField
	Body                                   template.HTML
	Responses                              []docsResponse
}

type docsField struct {
	Name, In, Text string
	Required       bool
	Type           template.HTML
}

type docsResponse struct {
	Status, Text string
	Type         template.HTML
}

type docsSchema struct {
	Name, Text string
	Either     template.HTML
	Fields     []docsField
}

// renderDocs writes the page once, when the server starts. It has no script and asks no other host for anything.
func renderDocs(doc *huma.OpenAPI) ([]byte, error) {
	page := docsPage{
		Title: doc.Info.Title, Version: doc.Info.Version, Style: template.CSS(docsStyle), //nolint:gosec // our own file
		About: strings.Split(doc.Info.Description, "\n\n"),
	}
	for _, op := range operations(doc) {
		i := slices.IndexFunc(page.Tags, func(t docsTag) bool { return t.Name == op.Tags[0] })
		if i < 0 {
			i = len(page.Tags)
			page.Tags = append(page.Tags, docsTag{Name: op.Tags[0]})
		}
		page.Tags[i].Operations = append(page.Tags[i].Operations, showOperation(doc, op))
	}
	schemas := doc.Components.Schemas.Map()
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		page.Schemas = append(page.Schemas, showSchema(name, schemas[name]))
	}
	t, err := template.New("docs").Parse(docsTemplate)
	if err != nil {
		return nil, fmt.Errorf("read the template of /docs: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, page); err != nil {
		return nil, fmt.Errorf("write /docs: %w", err)
	}
	return b.Bytes(), nil
}

func showOperation(doc *huma.OpenAPI, op *huma.Operation) docsOperation {
	o := docsOperation{
		ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, Description: op.Description, Key: len(op.Security) > 0,
	}
	for _, p := range op.Parameters {
		o.Parameters = append(o.Parameters, docsField{Name: p.Name, In: p.In, Text: p.Description, Required: p.Required, Type: showType(p.Schema)})
	}
	if op.RequestBody != nil {
		o.Body = showContent(op.RequestBody.Content)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		r := shared(doc, op.Responses[status])
		o.Responses = append(o.Responses, docsResponse{Status: status, Text: r.Description, Type: showContent(r.Content)})
	}
	return o
}

func showContent(content map[string]*huma.MediaType) template.HTML {
	var lines []string
	for _, media := range slices.Sorted(maps.Keys(content)) {
		lines = append(lines, string(escaped(media))+": "+string(showType(content[media].Schema)))
	}
	return template.HTML(strings.Join(lines, "<br>")) //nolint:gosec // made of escaped parts
}

func showSchema(name string, s *huma.Schema) docsSchema {
	shown := docsSchema{Name: name, Text: s.Description}
	if len(s.OneOf) > 0 {
		shown.Either = showType(&huma.Schema{OneOf: s.OneOf})
	}
	for _, field := range slices.Sorted(maps.Keys(s.Properties)) {
		if field == "$schema" {
			continue
		}
		p := s.Properties[field]
		shown.Fields = append(shown.Fields, docsField{Name: field, Required: slices.Contains(s.Required, field), Type: showType(p), Text: p.Description})
	}
	return shown
}

// showType names a type in a line, with its limits, and links to what it refers to.
func showType(s *huma.Schema) template.HTML {
	if s == nil {
		return ""
	}
	var text template.HTML
	switch {
	case s.Ref != "":
		name := escaped(s.Ref[strings.LastIndexByte(s.Ref, '/')+1:])
		return `<a href="#schema-` + name + `">` + name + `</a>`
	case len(s.OneOf) > 0:
		for i, one := range s.OneOf {
			if i > 0 {
				text += " or "
			}
			text += showType(one)
		}
		return text
	case s.Type == huma.TypeArray:
		text = "list of " + showType(s.Items)
	case s.Type == huma.TypeObject && len(s.Properties) > 0:
		text = "{ "
		for i, field := range slices.Sorted(maps.Keys(s.Properties)) {
			if i > 0 {
				text += ", "
			}
			text += "<code>" + escaped(field) + "</code>: " + showType(s.Properties[field])
		}
		text += " }"
	default:
		text = escaped(s.Type)
	}
	if s.Nullable {
		text += " or null"
	}
	return text + escaped(showLimits(s))
}

func showLimits(s *huma.Schema) string {
	var limits []string
	add := func(format string, v ...any) { limits = append(limits, fmt.Sprintf(format, v...)) }
	if len(s.Enum) > 0 {
		add("%v", strings.Trim(fmt.Sprint(s.Enum), "[]"))
	}
	if s.MinLength != nil && *s.MinLength > 0 {
		add("at least %d characters", *s.MinLength)
	}
	if s.MaxLength != nil {
		add("at most %d characters", *s.MaxLength)
	}
	if s.MaxItems != nil {
		add("at most %d", *s.MaxItems)
	}
	if s.Minimum != nil {
		add("from %g", *s.Minimum)
	}
	if s.Maximum != nil {
		add("to %g", *s.Maximum)
	}
	if s.Default != nil {
		add("default %v", s.Default)
	}
	if len(limits) == 0 {
		return ""
	}
	return " (" + strings.Join(limits, ", ") + ")"
}

func escaped(s string) template.HTML { return template.HTML(template.HTMLEscapeString(s)) } //nolint:gosec // escaped

func (a *API) serveDocs(c *call, _ *http.Request) {
	sum := sha256.Sum256([]byte(docsStyle))
	h := c.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Type", "text/html; charset=utf-8")
	_, _ = c.Write(a.docs) // the client may be gone
}
