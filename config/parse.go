package config

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Limits of a configuration file.
const (
	maxFileSize = 1 << 20
	maxDepth    = 16
)

// document is a parsed file: its values, whichever the format, and the line of each by its path.
type document struct {
	source string
	values map[string]any
	lines  map[string]int
}

// line finds where a path is, or where the nearest thing around it is.
func (d *document) line(path string) int {
	for path != "" {
		if n, ok := d.lines[path]; ok {
			return n
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 0
}

// parse reads a file by its extension: .toml, .yaml or .yml.
func parse(source string, data []byte) (*document, Problems) {
	d := &document{source: source, values: map[string]any{}, lines: map[string]int{}}
	if len(data) > maxFileSize {
		return d, Problems{{Source: source, Reason: fmt.Sprintf("is larger than %d bytes", maxFileSize)}}
	}
	if i := firstInvalid(data); i >= 0 {
		return d, Problems{{Source: source, Line: 1 + bytes.Count(data[:i], []byte("\n")), Reason: "is not valid UTF-8"}}
	}
	switch strings.ToLower(filepath.Ext(source)) {
	case ".toml":
		problems := d.parseTOML(data)
		return d, problems
	case ".yaml", ".yml":
		problems := d.parseYAML(data)
		return d, problems
	}
	return d, Problems{{Source: source, Reason: "must end in .toml, .yaml or .yml, so that its format is known"}}
}

func firstInvalid(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

func (d *document) parseTOML(data []byte) Problems {
	if err := toml.Unmarshal(data, &d.values); err != nil {
		problem := Problem{Source: d.source, Reason: err.Error()}
		// The longer text of a DecodeError quotes the lines around the mistake, which may hold a credential.
		if e, ok := errors.AsType[*toml.DecodeError](err); ok {
			problem.Line, _ = e.Position()
		}
		return Problems{problem}
	}
	p := unstable.Parser{}
	p.Reset(data)
	t := tomlLines{doc: d, parser: &p, elements: map[string]int{}}
	for p.NextExpression() {
		t.expression(p.Expression())
	}
	return nil
}

// tomlLines notes the line of every key.
type tomlLines struct {
	doc      *document
	parser   *unstable.Parser
	prefix   string
	elements map[string]int // path of an array of tables → its newest element
}

func (t *tomlLines) expression(n *unstable.Node) {
	switch n.Kind {
	case unstable.Table:
		t.prefix = t.key("", n.Key())
	case unstable.ArrayTable:
		path, line := t.keyOpen("", n.Key())
		if i, ok := t.elements[path]; ok {
			t.elements[path] = i + 1
		} else {
			t.elements[path] = 0
		}
		t.prefix = fmt.Sprintf("%s[%d]", path, t.elements[path])
		t.doc.lines[t.prefix] = line
	case unstable.KeyValue:
		t.keyValue(t.prefix, n)
	}
}

func (t *tomlLines) keyValue(prefix string, n *unstable.Node) {
	t.value(t.key(prefix, n.Key()), n.Value())
}

func (t *tomlLines) value(path string, n *unstable.Node) {
	switch n.Kind {
	case unstable.Array:
		i := 0
		for it := n.Children(); it.Next(); {
			if it.Node().Kind == unstable.Comment {
				continue
			}
			element := fmt.Sprintf("%s[%d]", path, i)
			if raw := it.Node().Raw; raw.Length > 0 {
				t.doc.lines[element] = t.parser.Shape(raw).Start.Line
			}
			t.value(element, it.Node())
			i++
		}
	case unstable.InlineTable:
		for it := n.Children(); it.Next(); {
			if it.Node().Kind == unstable.KeyValue {
				t.keyValue(path, it.Node())
			}
		}
	}
}

// key resolves a dotted key below prefix; the name of an array of tables stands for its newest element.
func (t *tomlLines) key(prefix string, it unstable.Iterator) string {
	path, _ := t.keyOpen(prefix, it)
	if i, ok := t.elements[path]; ok {
		path += "[" + strconv.Itoa(i) + "]"
	}
	return path
}

// keyOpen is key, but leaves the last part as it is written.
func (t *tomlLines) keyOpen(prefix string, it unstable.Iterator) (path string, line int) {
	path = prefix
	for it.Next() {
		if i, ok := t.elements[path]; ok && path != prefix {
			path += "[" + strconv.Itoa(i) + "]"
		}
		path = join(path, string(it.Node().Data))
		line = t.parser.Shape(it.Node().Raw).Start.Line
		if _, ok := t.doc.lines[path]; !ok {
			t.doc.lines[path] = line
		}
	}
	return path, line
}

func (d *document) parseYAML(data []byte) Problems {
	file, err := parser.ParseBytes(data, 0)
	if err == nil && len(file.Docs) > 1 {
		return Problems{{Source: d.source, Reason: "must hold one document, not several"}}
	}
	if err == nil {
		err = yaml.UnmarshalWithOptions(data, &d.values)
	}
	if err != nil {
		problem := Problem{Source: d.source, Reason: err.Error()}
		if e, ok := errors.AsType[yaml.Error](err); ok {
			// Error quotes the lines around the mistake, which may hold a credential; the message alone does not.
			problem.Reason = e.GetMessage()
			if strings.Contains(problem.Reason, "alias") {
				problem.Reason = "refers to an alias that is not defined" // the library quotes it
			}
			if tk := e.GetToken(); tk != nil && tk.Position != nil {
				problem.Line = tk.Position.Line
			}
		} else {
			problem.Reason = "is not valid YAML"
		}
		return Problems{problem}
	}
	for _, doc := range file.Docs {
		d.yamlLines("", doc.Body, 0)
	}
	return nil
}

func (d *document) yamlLines(path string, n ast.Node, depth int) {
	if depth > maxDepth {
		return
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			d.yamlLines(path, v, depth+1)
		}
	case *ast.MappingValueNode:
		key := n.Key.GetToken()
		if key == nil {
			return
		}
		child := join(path, key.Value)
		d.lines[child] = key.Position.Line
		d.yamlLines(child, n.Value, depth+1)
	case *ast.SequenceNode:
		for i, v := range n.Values {
			element := fmt.Sprintf("%s[%d]", path, i)
			if tk := v.GetToken(); tk != nil {
				d.lines[element] = tk.Position.Line
			}
			d.yamlLines(element, v, depth+1)
		}
	case *ast.AnchorNode:
		d.yamlLines(path, n.Value, depth+1)
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
