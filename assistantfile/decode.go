package assistantfile

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/elumenta/elumenta"
)

// decoder reads one file and gathers everything that is wrong with it.
type decoder struct {
	file       string
	at         places
	failed     map[string]bool // settings whose value was not understood
	problems   Problems
	unreadable bool // nothing of the file is known
}

// node is a value and the setting that it is of.
type node struct {
	ast.Node
	field string
}

// read takes a file apart. more reads the settings that are not fields.
func (d *decoder) read(b []byte, f *elumenta.Fields, more map[string]func(node)) {
	d.failed = map[string]bool{}
	settings, instructions, ok := d.split(b)
	if !ok {
		d.unreadable = true
		return
	}
	f.Instructions = elumenta.Text(instructions)
	readers := d.fields(f)
	maps.Copy(readers, more)
	root, ok := d.parse(settings)
	if !ok {
		d.unreadable = true
		return
	}
	if root == nil {
		return // no settings at all
	}
	d.unreadable = !d.object(node{root, ""}, func(key string, n node) {
		if read := readers[key]; read != nil {
			read(n)
			return
		}
		hint := "the settings are " + strings.Join(slices.Sorted(maps.Keys(readers)), ", ")
		if key == "instructions" {
			hint = "the instructions stand below the second line of ---"
		}
		d.wrong(n.field, "is not a setting: %s", hint)
	})
}

func (d *decoder) fields(f *elumenta.Fields) map[string]func(node) {
	return map[string]func(node){
		"name":            func(n node) { f.Name = d.text(n) },
		"model":           func(n node) { f.Model = d.text(n) },
		"description":     func(n node) { f.Description = d.text(n) },
		"category":        func(n node) { f.Category = d.text(n) },
		"temperature":     func(n node) { f.Temperature = d.number(n) },
		"max_tokens":      func(n node) { f.MaxTokens = d.integer(n) },
		"response_format": func(n node) { f.ResponseFormat = d.responseFormat(n) },
		"variables":       func(n node) { f.Variables = d.variables(n) },
		"metadata":        func(n node) { f.Metadata = d.metadata(n) },
		"copyable":        func(n node) { f.Copyable = d.boolean(n) },
	}
}

// check adds what the server would refuse, once for each setting.
func (d *decoder) check(f *elumenta.Fields, v elumenta.Visibility, note string) {
	errs := f.Check(v)
	elumenta.CheckText(&errs, "note", note, 0, elumenta.MaxNote)
	for _, e := range errs {
		if !d.failed[e.Field] {
			d.wrong(e.Field, "%s", e.Reason)
		}
	}
}

func (d *decoder) wrong(field, format string, args ...any) {
	line, column := d.at.find(field)
	d.failed[field] = true
	d.problems.add(d.file, line, column, field+" "+format, args...)
}

// parse reads the settings as YAML without anchors, aliases, tags and further documents, which a setting never needs and
// which could make a small file explode. It returns nil for settings that are empty.
func (d *decoder) parse(settings string) (ast.Node, bool) {
	tokens := lexer.Tokenize(settings)
	if !d.plain(tokens) {
		return nil, false
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.syntax(err)
		return nil, false
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil, true
	}
	if _, comment := file.Docs[0].Body.(*ast.CommentGroupNode); comment {
		return nil, true
	}
	return file.Docs[0].Body, true
}

// plain reports whether the tokens are those of plain YAML and not too many.
func (d *decoder) plain(tokens token.Tokens) bool {
	before := len(d.problems)
	nesting := 0
	var blocks blocks
	for i, t := range tokens {
		if nesting == 0 {
			blocks.take(t)
		}
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			d.refuse(t, "anchors, aliases and merge keys are not taken: write the value itself, in quotes if it begins with & or *")
		case token.TagType:
			d.refuse(t, "tags are not taken: write the value without it, in quotes if it begins with !")
		case token.DirectiveType, token.DocumentEndType, token.DocumentHeaderType:
			d.refuse(t, "the settings are a single YAML document without directives")
		case token.SequenceStartType, token.MappingStartType:
			nesting++
		case token.SequenceEndType, token.MappingEndType:
			nesting--
		case token.InvalidType:
			d.refuse(t, "%s", explain(t.Error))
		}
		if nesting+len(blocks.columns) > maxNesting || i >= maxTokens {
			d.refuse(t, "the settings are nested too deeply or hold too much")
			break
		}
		if len(d.problems)-before >= maxListed {
			break
		}
	}
	return len(d.problems) == before
}

// blocks are the lists and mappings without brackets that stand in one another at a token: each further to the right.
type blocks struct {
	columns []int
	before  *token.Token
}

func (b *blocks) take(t *token.Token) {
	first := t // what begins the item
	switch t.Type {
	case token.SequenceEntryType, token.MappingKeyType:
	case token.MappingValueType:
		if b.before != nil && b.before.Position.Line == t.Position.Line {
			first = b.before
		}
	default:
		b.before = t
		return
	}
	b.before = t
	column := first.Position.Column
	n := len(b.columns)
	for n > 0 && b.columns[n-1] > column {
		n--
	}
	if b.columns = b.columns[:n]; n == 0 || b.columns[n-1] < column {
		b.columns = append(b.columns, column)
	}
}

// maxListed is how many problems of the same kind are worth reading.
const maxListed = 20

func (d *decoder) refuse(t *token.Token, format string, args ...any) {
	d.problems.add(d.file, t.Position.Line+1, t.Position.Column, format, args...)
}

func (d *decoder) syntax(err error) {
	e, ok := errors.AsType[yaml.Error](err)
	if !ok {
		d.problems.add(d.file, 0, 0, "the settings are not YAML: %s", err)
		return
	}
	line, column := 0, 0
	if t := e.GetToken(); t != nil && t.Position != nil {
		line, column = t.Position.Line+1, t.Position.Column
	}
	d.problems.add(d.file, line, column, "%s", explain(e.GetMessage()))
}

// explain says what to do about the parser's message.
func explain(message string) string {
	message = "the settings are not YAML: " + message
	switch {
	case strings.Contains(message, `'	'`):
		return message + "; indent with blanks, not with tabs"
	case strings.Contains(message, "mapping value is not allowed"):
		return message + "; put a text that has a colon in quotes"
	}
	return message
}

// object reads a mapping and refuses a key that stands twice.
func (d *decoder) object(n node, member func(key string, n node)) bool {
	var values []*ast.MappingValueNode
	switch m := n.Node.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	case *ast.NullNode:
		return true
	default:
		d.mistyped(n, "must be settings, one a line, such as name: Support")
		return false
	}
	seen := map[string]bool{}
	for _, v := range values {
		key, ok := v.Key.(*ast.StringNode)
		if !ok {
			t := v.Key.GetToken()
			d.refuse(t, "the name of a setting must be a text: put %s in quotes", v.Key.String())
			continue
		}
		child := node{v.Value, join(n.field, key.Value)}
		t := key.GetToken()
		if seen[key.Value] {
			d.refuse(t, "%s is there twice: remove one", child.field)
			continue
		}
		seen[key.Value] = true
		d.at[child.field] = place{t.Position.Line + 1, t.Position.Column}
		member(key.Value, child)
	}
	return true
}

func join(parent, child string) string {
	if parent == "" {
		return child
	}
	return parent + "." + child
}

func (d *decoder) mistyped(n node, what string) {
	if n.field == "" {
		d.refuse(n.GetToken(), "the settings %s", what)
		return
	}
	d.wrong(n.field, "%s", what)
}

// text reads a string; null is the empty one.
func (d *decoder) text(n node) string {
	switch v := n.Node.(type) {
	case *ast.StringNode:
		return v.Value
	case *ast.LiteralNode:
		return v.Value.Value
	case *ast.NullNode:
	case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode:
		d.mistyped(n, "must be a text")
	default:
		d.mistyped(n, "must be a text: put it in quotes")
	}
	return ""
}

func (d *decoder) boolean(n node) bool {
	switch v := n.Node.(type) {
	case *ast.BoolNode:
		return v.Value
	case *ast.NullNode:
	default:
		d.mistyped(n, "must be true or false")
	}
	return false
}

// number reads one as JSON writes it, without quotes.
func (d *decoder) number(n node) *float64 {
	if _, null := n.Node.(*ast.NullNode); null {
		return nil
	}
	if text, ok := plainText(n.Node); ok {
		if f, err := strconv.ParseFloat(text, 64); err == nil && jsonNumber(text) {
			return &f
		}
	}
	d.mistyped(n, "must be a number, such as 0.7")
	return nil
}

func (d *decoder) integer(n node) *int {
	if _, null := n.Node.(*ast.NullNode); null {
		return nil
	}
	if text, ok := plainText(n.Node); ok {
		if i, err := strconv.Atoi(text); err == nil && jsonNumber(text) {
			return &i
		}
	}
	d.mistyped(n, "must be a whole number")
	return nil
}

// versionNumber reads one of a saved version, 0 for null.
func (d *decoder) versionNumber(n node) int {
	i := d.integer(n)
	if i == nil {
		return 0
	}
	if *i < 1 {
		d.mistyped(n, "must be at least 1")
	}
	return *i
}

func placeOf(n node) place {
	t := n.GetToken()
	return place{t.Position.Line + 1, t.Position.Column}
}

func (d *decoder) time(n node) time.Time {
	t, err := time.Parse(time.RFC3339, d.text(n))
	if err != nil && !d.failed[n.field] {
		d.mistyped(n, "must be a time, such as 2026-01-31T12:00:00Z")
	}
	return t.UTC()
}

func (d *decoder) assistantID(n node) elumenta.AssistantID {
	text := d.text(n)
	id, ok := elumenta.ParseAssistantID(text)
	if !ok && text != "" {
		d.mistyped(n, "is not an assistant's id, asst_ and 26 characters: remove the line to make a new assistant")
	}
	return id
}

// plainText is a scalar that stands without quotes, as it was written.
func plainText(n ast.Node) (string, bool) {
	t := n.GetToken()
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return t.Value, true
	case *ast.StringNode:
		return t.Value, t.Type == token.StringType
	}
	return "", false
}
