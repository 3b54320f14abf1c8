package main

import (
	"encoding/json"
	"slices"
	"strings"
)

// schema is what the clients' types are made from: limits are the server's to check.
type schema struct {
	Ref                  string             `json:"$ref,omitempty"`
	Type                 types              `json:"type,omitempty"`
	Description          string             `json:"description,omitempty"`
	Format               string             `json:"format,omitempty"`
	Enum                 []any              `json:"enum,omitempty"`
	Items                *schema            `json:"items,omitempty"`
	Properties           map[string]*schema `json:"properties,omitempty"`
	Required             []string           `json:"required,omitempty"`
	AdditionalProperties any                `json:"additionalProperties,omitempty"`
	OneOf                []*schema          `json:"oneOf,omitempty"`
	Minimum              *float64           `json:"minimum,omitempty"`

	GoType      string `json:"x-go-type,omitempty"`
	NoPointer   bool   `json:"x-go-type-skip-optional-pointer,omitempty"`
	OmitZero    bool   `json:"x-omitzero,omitempty"`
	NoOmitEmpty *bool  `json:"x-omitempty,omitempty"`
}

// types is one type, or several.
type types []string

// UnmarshalJSON reads a string or a list of strings.
func (t *types) UnmarshalJSON(b []byte) error {
	if b[0] == '[' {
		return json.Unmarshal(b, (*[]string)(t))
	}
	*t = types{""}
	return json.Unmarshal(b, &(*t)[0])
}

// MarshalJSON writes one as a string.
func (t types) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

func (s *schema) name() string { return strings.TrimPrefix(s.Ref, refBase) }

func (s *schema) nullable() bool {
	return slices.Contains(s.Type, "null") || slices.ContainsFunc(s.OneOf, func(one *schema) bool { return one.nullable() })
}

// is reports whether a schema is of a type, or null.
func (s *schema) is(name string) bool { return len(s.Type) > 0 && s.Type[0] == name }

// walk calls visit with every schema below.
func (s *schema) walk(visit func(*schema)) {
	below := slices.Clone(s.OneOf)
	if s.Items != nil {
		below = append(below, s.Items)
	}
	for _, p := range s.Properties {
		below = append(below, p)
	}
	for _, b := range below {
		visit(b)
		b.walk(visit)
	}
}

// goType is the type of a value of a schema in Go.
func (s *schema) goType() string {
	switch {
	case s.Ref != "":
		return s.name()
	case len(s.OneOf) > 0:
		return s.OneOf[0].goType()
	case s.is("array"):
		return "[]" + s.Items.goType()
	case s.is("object"):
		return "map[string]string"
	case s.is("integer"):
		return "int64"
	case s.is("number"):
		return "float64"
	case s.is("boolean"):
		return "bool"
	case s.Format == "date-time":
		return "time.Time"
	}
	return "string"
}

// forGo says how the fields of Go's structs are written. What an update leaves out, sets to null or to a value are three things; everywhere else a
// field that is left out is its zero value, where that says nothing, or a nil pointer.
func (d *document) forGo() {
	d.Components.Schemas["Message"].Properties["content"].GoType = "Content"
	for name, s := range d.Components.Schemas {
		for field, p := range s.Properties {
			optional := !slices.Contains(s.Required, field)
			switch {
			case optional && strings.HasPrefix(name, "Update") && p.nullable():
				p.GoType, p.NoPointer, p.OmitZero, p.NoOmitEmpty = "Optional["+p.goType()+"]", true, true, new(bool)
			case optional && p.is("array"), optional && p.is("object"):
				p.NoPointer, p.OmitZero, p.NoOmitEmpty = true, true, new(bool)
			case optional && field == "stop":
				p.GoType, p.NoPointer = "[]string", true
			case optional && p.zeroSaysNothing(field):
				p.NoPointer = true
				if !p.is("string") || p.Enum == nil {
					p.GoType = p.goType()
				}
			}
		}
	}
	for _, item := range d.Paths {
		for _, op := range item {
			for _, p := range op.Parameters {
				p.Schema.NoPointer = true
			}
		}
	}
}

// zeroSaysNothing reports whether the zero value of a field that may be left out means the same as leaving it out.
func (s *schema) zeroSaysNothing(field string) bool {
	switch {
	case s.is("string"):
		return s.Format == "" && field != "default" // a variable's default may be empty
	case s.is("integer"):
		return s.Minimum != nil && *s.Minimum > 0
	}
	return s.is("boolean")
}
