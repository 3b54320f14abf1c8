package assistantfile

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/goccy/go-yaml/ast"

	"github.com/elumenta/elumenta"
)

// list reads a sequence.
func (d *decoder) list(n node, item func(n node)) {
	switch s := n.Node.(type) {
	case *ast.SequenceNode:
		for i, v := range s.Values {
			child := node{v, fmt.Sprintf("%s[%d]", n.field, i)}
			t := v.GetToken()
			d.at[child.field] = place{t.Position.Line + 1, t.Position.Column}
			item(child)
		}
	case *ast.NullNode:
	default:
		d.mistyped(n, "must be a list, each item on a line that begins with -")
	}
}

func (d *decoder) variables(n node) (vars []elumenta.Variable) {
	d.list(n, func(n node) {
		var v elumenta.Variable
		d.object(n, func(key string, n node) {
			switch key {
			case "name":
				v.Name = d.text(n)
			case "description":
				v.Description = d.text(n)
			case "default":
				if _, null := n.Node.(*ast.NullNode); !null {
					s := d.text(n)
					v.Default = &s
				}
			case "required":
				v.Required = d.boolean(n)
			default:
				d.wrong(n.field, "is not known: a variable has name, description, default and required")
			}
		})
		vars = append(vars, v)
	})
	return vars
}

func (d *decoder) metadata(n node) map[string]string {
	m := map[string]string{}
	d.object(n, func(key string, n node) { m[key] = d.text(n) })
	if len(m) == 0 {
		return nil
	}
	return m
}

func (d *decoder) responseFormat(n node) *elumenta.ResponseFormat {
	if _, null := n.Node.(*ast.NullNode); null {
		return nil
	}
	f := new(elumenta.ResponseFormat)
	d.object(n, func(key string, n node) {
		switch key {
		case "type":
			f.Type = d.text(n)
		case "json_schema":
			d.jsonSchema(n, f)
		default:
			d.wrong(n.field, "is not known: a response format has type and json_schema")
		}
	})
	return f
}

func (d *decoder) jsonSchema(n node, f *elumenta.ResponseFormat) {
	d.object(n, func(key string, n node) {
		switch key {
		case "name":
			f.Name = d.text(n)
		case "strict":
			f.Strict = d.boolean(n)
		case "schema":
			f.Schema = d.schema(n)
		default:
			d.wrong(n.field, "is not known: it has name, schema and strict")
		}
	})
}

// schema reads a JSON schema, written as YAML or as a text that holds the JSON.
func (d *decoder) schema(n node) json.RawMessage {
	var schema jsontext.Value
	switch n.Node.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		schema = jsontext.Value(d.text(n))
	default:
		var ok bool
		if schema, ok = d.appendJSON(nil, n, 0); !ok {
			return nil
		}
	}
	if !schema.IsValid() || schema.Kind() != '{' {
		d.mistyped(n, "must be a JSON schema: an object")
		return nil
	}
	return CompactJSON(json.RawMessage(schema))
}

// CompactJSON is JSON in one form of the many that mean the same. The order of names stays: models answer in it. What is
// not JSON stays as it is.
func CompactJSON(raw json.RawMessage) json.RawMessage {
	v := jsontext.Value(raw).Clone()
	if err := v.Format(jsontext.PreserveRawStrings(false)); err != nil {
		return raw
	}
	return json.RawMessage(v)
}

// appendJSON writes a value as JSON, in the order in which it stands.
func (d *decoder) appendJSON(b []byte, n node, depth int) ([]byte, bool) {
	if depth > maxNesting {
		d.mistyped(n, "is nested too deeply: give the schema as a text of JSON")
		return nil, false
	}
	ok := true
	element := func(n node) {
		var fine bool
		if b, fine = d.appendJSON(b, n, depth+1); !fine {
			ok = false
		}
	}
	switch v := n.Node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		b = append(b, '{')
		first := true
		fine := d.object(n, func(key string, n node) {
			if !first {
				b = append(b, ',')
			}
			first = false
			b = append(quote(b, key), ':')
			element(n)
		})
		return append(b, '}'), ok && fine
	case *ast.SequenceNode:
		b = append(b, '[')
		for i, item := range v.Values {
			if i > 0 {
				b = append(b, ',')
			}
			element(node{item, n.field})
		}
		return append(b, ']'), ok
	case *ast.NullNode:
		return append(b, "null"...), true
	case *ast.BoolNode:
		return strconv.AppendBool(b, v.Value), true
	}
	if text, plain := plainText(n.Node); plain && jsonNumber(text) {
		return append(b, text...), true
	}
	text := d.text(n)
	return quote(b, text), !d.failed[n.field]
}

func quote(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s) // the file was checked to be UTF-8
	return b
}

// jsonNumber reports whether a text is a number as JSON writes it.
func jsonNumber(s string) bool {
	v := jsontext.Value(s)
	return v.Kind() == '0' && v.IsValid()
}
