package httpapi

import (
	"github.com/elumenta/elumenta"
)

// assistantBody is what a client sends of an assistant: all of it to create one, a part to update.
type assistantBody struct {
	reader
	patch elumenta.Patch
}

// decodeAssistant reads a body. A note goes with an update only.
func decodeAssistant(body []byte, update bool) *assistantBody {
	b := new(assistantBody)
	b.read(body, func(name []byte) { b.member(name, update) })
	return b
}

func (b *assistantBody) member(name []byte, update bool) {
	p := &b.patch
	switch string(name) {
	case "name":
		b.string(&p.Name, "name")
	case "model":
		b.string(&p.Model, "model")
	case "instructions":
		at := fieldPath{name: "instructions"}
		optional(&b.reader, &p.Instructions, func() (elumenta.Text, bool) {
			s, ok := b.text(&at)
			return elumenta.Text(s), ok
		})
	case "description":
		b.string(&p.Description, "description")
	case "category":
		b.string(&p.Category, "category")
	case "visibility":
		at := fieldPath{name: "visibility"}
		optional(&b.reader, &p.Visibility, func() (elumenta.Visibility, bool) {
			s, ok := b.text(&at)
			return elumenta.Visibility(s), ok
		})
	case "temperature":
		at := fieldPath{name: "temperature"}
		optional(&b.reader, &p.Temperature, func() (float64, bool) { return b.number(&at) })
	case "max_tokens":
		at := fieldPath{name: "max_tokens"}
		optional(&b.reader, &p.MaxTokens, func() (int, bool) { return b.integer(&at) })
	case "response_format":
		at := fieldPath{name: "response_format"}
		optional(&b.reader, &p.ResponseFormat, func() (elumenta.ResponseFormat, bool) { return b.responseFormat(&at, nil) })
	case "variables":
		optional(&b.reader, &p.Variables, b.variables)
	case "metadata":
		optional(&b.reader, &p.Metadata, b.metadata)
	case "copyable":
		at := fieldPath{name: "copyable"}
		optional(&b.reader, &p.Copyable, func() (bool, bool) { return b.boolean(&at), true })
	case "note":
		if !update {
			b.unknown(nil, name)
			return
		}
		b.note()
	case "id", "version", "taken_down", "created_at", "updated_at":
		at := fieldPath{name: string(name)}
		b.bad(&at, "cannot be set")
		b.skip()
	default:
		b.unknown(nil, name)
	}
}

func (b *assistantBody) string(o *elumenta.Optional[string], name string) {
	at := fieldPath{name: name}
	optional(&b.reader, o, func() (string, bool) { return b.text(&at) })
}

// optional reads a value or a null.
func optional[T any](r *reader, o *elumenta.Optional[T], read func() (T, bool)) {
	if r.null() {
		*o = elumenta.Optional[T]{Set: true, Null: true}
		return
	}
	if v, ok := read(); ok {
		*o = elumenta.Some(v)
	}
}

func (b *assistantBody) note() {
	if b.null() {
		return
	}
	at := fieldPath{name: "note"}
	if s, ok := b.text(&at); ok {
		elumenta.CheckText(&b.errs, "note", s, 0, elumenta.MaxNote)
		b.patch.Note = s
	}
}

func (b *assistantBody) metadata() (map[string]string, bool) {
	at := fieldPath{name: "metadata"}
	m := map[string]string{}
	ok := b.object(&at, func(name []byte) {
		value := at.child(shown(name))
		key := string(name)
		if s, ok := b.text(&value); ok {
			m[key] = s
		}
	})
	return m, ok
}

func (b *assistantBody) variables() ([]elumenta.Variable, bool) {
	at := fieldPath{name: "variables"}
	vars := []elumenta.Variable{}
	ok := b.array(&at, elumenta.MaxVariables, func(i int) {
		item := at.item(i)
		vars = append(vars, b.variable(&item))
	})
	return vars, ok
}

func (b *assistantBody) variable(at *fieldPath) (v elumenta.Variable) {
	b.object(at, func(name []byte) {
		switch string(name) {
		case "name":
			field := at.child("name")
			v.Name, _ = b.text(&field)
		case "description":
			if field := at.child("description"); !b.null() {
				v.Description, _ = b.text(&field)
			}
		case "default":
			if field := at.child("default"); !b.null() {
				if s, ok := b.text(&field); ok {
					v.Default = &s
				}
			}
		case "required":
			if field := at.child("required"); !b.null() {
				v.Required = b.boolean(&field)
			}
		default:
			b.unknown(at, name)
		}
	})
	return v
}

// responseFormat reads OpenAI's response_format. dropped, if not nil, is told of what is left out.
func (r *reader) responseFormat(at *fieldPath, dropped func(field string)) (f elumenta.ResponseFormat, ok bool) {
	ok = r.object(at, func(name []byte) {
		switch field := at.child(string(name)); string(name) {
		case "type":
			f.Type, _ = r.text(&field)
		case "json_schema":
			r.jsonSchema(&field, &f, dropped)
		default:
			r.unknown(at, name)
		}
	})
	return f, ok
}

func (r *reader) jsonSchema(at *fieldPath, f *elumenta.ResponseFormat, dropped func(field string)) {
	r.object(at, func(name []byte) {
		field := at.child(shown(name))
		switch string(name) {
		case "name":
			f.Name, _ = r.text(&field)
		case "schema":
			f.Schema, _ = r.raw(&field)
		case "strict":
			if !r.null() {
				f.Strict = r.boolean(&field)
			}
		case "description":
			if dropped == nil {
				r.unknown(at, name)
				return
			}
			dropped(field.String())
			r.skip()
		default:
			r.unknown(at, name)
		}
	})
}

// checked returns everything that is wrong with a body and with the assistant that it leads to.
func (a *API) checked(b *assistantBody, f elumenta.Fields, v elumenta.Visibility) error {
	if b.broken != nil {
		return b.broken
	}
	b.errs = append(b.errs, f.Check(v)...)
	if v == elumenta.Marketplace {
		a.settings().DeniedNames.Check(&b.errs, "name", f.Name)
	}
	if b.patch.Model.Set && f.Model != "" {
		if _, ok := a.settings().Catalog.Get(f.Model); !ok {
			b.errs.Add("model", "is not in the catalog; GET %s/models lists it", Base)
		}
	}
	return b.err()
}
