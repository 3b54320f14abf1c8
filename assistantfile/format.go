package assistantfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
)

// Format writes an assistant, without the settings that it does not have. Parse reads it back as it was.
func Format(a *Assistant) []byte { return format(a, "", false) }

// FormatForEdit writes an assistant for a person to edit: below a comment, with every setting that it could have.
func FormatForEdit(a *Assistant, comment string) []byte { return format(a, comment, true) }

func format(a *Assistant, comment string, all bool) []byte {
	w := writer{all: all}
	w.begin(comment)
	w.optional("id", string(a.ID), a.ID == "")
	w.fields(&a.Fields, func() { w.line("visibility", text(string(a.Visibility))) })
	if a.Version > 0 {
		w.line("version", strconv.Itoa(a.Version))
	}
	w.optional("note", text(a.Note), a.Note == "")
	w.labels(a.Labels)
	return w.end(a.Instructions)
}

// FormatVersion writes a saved version. ParseVersion reads it back as it was.
func FormatVersion(v *elumenta.Version) []byte {
	var w writer
	w.begin("")
	w.line("version", strconv.Itoa(v.Version))
	w.line("created_at", v.CreatedAt.UTC().Format(timeFormat))
	w.optional("note", text(v.Note), v.Note == "")
	w.line("public", strconv.FormatBool(v.Public))
	w.fields(&v.Fields, func() {})
	return w.end(v.Instructions)
}

// writer writes the settings of a file.
type writer struct {
	bytes.Buffer
	all bool // what is not set, too
}

func (w *writer) begin(comment string) {
	w.WriteString(fence + "\n")
	if comment != "" {
		w.WriteString("# " + strings.ReplaceAll(comment, "\n", "\n# ") + "\n")
	}
}

func (w *writer) end(instructions elumenta.Text) []byte {
	w.WriteString(fence + "\n")
	w.WriteString(string(instructions))
	return w.Bytes()
}

func (w *writer) line(key, value string) { w.WriteString(key + ": " + value + "\n") }

// optional writes a setting that may be left out where it is not set.
func (w *writer) optional(key, value string, unset bool) {
	switch {
	case !unset:
		w.line(key, value)
	case w.all && key != "id" && key != "note":
		w.line(key, "null")
	}
}

func (w *writer) fields(f *elumenta.Fields, visibility func()) {
	w.line("name", text(f.Name))
	w.line("model", text(f.Model))
	w.optional("description", text(f.Description), f.Description == "")
	w.optional("category", text(f.Category), f.Category == "")
	visibility()
	temperature, maxTokens := "", ""
	if f.Temperature != nil {
		temperature = strconv.FormatFloat(*f.Temperature, 'f', -1, 64)
	}
	if f.MaxTokens != nil {
		maxTokens = strconv.Itoa(*f.MaxTokens)
	}
	w.optional("temperature", temperature, f.Temperature == nil)
	w.optional("max_tokens", maxTokens, f.MaxTokens == nil)
	w.responseFormat(f.ResponseFormat)
	w.variables(f.Variables)
	w.metadata(f.Metadata)
	if f.Copyable || w.all {
		w.line("copyable", strconv.FormatBool(f.Copyable))
	}
}

func (w *writer) variables(vars []elumenta.Variable) {
	if len(vars) == 0 {
		w.optional("variables", "", true)
		return
	}
	w.WriteString("variables:\n")
	for _, v := range vars {
		w.line("  - name", text(v.Name))
		if v.Description != "" {
			w.line("    description", text(v.Description))
		}
		if v.Default != nil {
			w.line("    default", text(*v.Default))
		}
		if v.Required {
			w.line("    required", "true")
		}
	}
}

func (w *writer) metadata(m map[string]string) {
	if len(m) == 0 {
		w.optional("metadata", "", true)
		return
	}
	w.WriteString("metadata:\n")
	for _, k := range slices.Sorted(maps.Keys(m)) {
		w.line("  "+name(k), text(m[k]))
	}
}

func (w *writer) responseFormat(f *elumenta.ResponseFormat) {
	if f == nil {
		w.optional("response_format", "", true)
		return
	}
	w.WriteString("response_format:\n")
	w.line("  type", text(f.Type))
	if f.Type != elumenta.FormatJSONSchema {
		return
	}
	w.WriteString("  json_schema:\n")
	w.line("    name", text(f.Name))
	if f.Strict {
		w.line("    strict", "true")
	}
	schema := CompactJSON(f.Schema)
	if yaml, ok := blockOf(schema); ok {
		w.WriteString("    schema:" + yaml + "\n")
		return
	}
	w.line("    schema", quoted(string(schema)))
}

// A schema that is larger than this, or nested deeper, is written as a text of JSON.
const (
	mostBlock    = 16 << 10
	deepestBlock = 24
)

// blockOf writes a JSON object as indented YAML, behind the colon of its setting.
func blockOf(schema json.RawMessage) (string, bool) {
	if len(schema) > mostBlock {
		return "", false
	}
	b := block{decoder: jsontext.NewDecoder(bytes.NewReader(schema))}
	if err := b.value(6); err != nil {
		return "", false
	}
	return b.String(), true
}

type block struct {
	strings.Builder
	decoder *jsontext.Decoder
}

// value writes the next value of the decoder behind a colon or a dash, with its lines indented by some blanks.
func (b *block) value(indent int) error {
	t, err := b.decoder.ReadToken()
	if err != nil {
		return err
	}
	if b.decoder.StackDepth() > deepestBlock {
		return fmt.Errorf("nested deeper than %d", deepestBlock)
	}
	begin := "\n" + strings.Repeat(" ", indent)
	switch t.Kind() {
	case '{':
		return b.elements("{}", func() error {
			key, err := b.decoder.ReadToken()
			if err != nil {
				return err
			}
			b.WriteString(begin + name(key.String()) + ":")
			return b.value(indent + 2)
		})
	case '[':
		return b.elements("[]", func() error {
			b.WriteString(begin + "-")
			return b.value(indent + 2)
		})
	case '"':
		b.WriteString(" " + text(t.String()))
	default:
		b.WriteString(" " + t.String())
	}
	return nil
}

func (b *block) elements(empty string, element func() error) error {
	count := 0
	for ; b.decoder.PeekKind() != '}' && b.decoder.PeekKind() != ']'; count++ {
		if err := element(); err != nil {
			return err
		}
	}
	if count == 0 {
		b.WriteString(" " + empty)
	}
	_, err := b.decoder.ReadToken()
	return err
}

// plainStyle is what YAML takes without quotes, wherever it stands and whoever reads it.
var (
	plainStyle = regexp.MustCompile(`^\p{L}(?:[\p{L}\p{Nd} _.,'()/+-]*[\p{L}\p{Nd}_.)])?$`)
	nameStyle  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
	// reserved means something else in YAML 1.1 or 1.2.
	reserved = regexp.MustCompile(`(?i)^(?:y|n|yes|no|on|off|true|false|null|nan|inf)$`)
)

// text writes a string, in quotes where it needs them.
func text(s string) string {
	if plainStyle.MatchString(s) && !reserved.MatchString(s) {
		return s
	}
	return quoted(s)
}

// name writes a key.
func name(s string) string {
	if nameStyle.MatchString(s) && !reserved.MatchString(s) {
		return s
	}
	return quoted(s)
}

// quoted writes a string on one line, with escapes for what cannot be seen.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == ' ' || unicode.IsGraphic(r) && !unicode.IsSpace(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
