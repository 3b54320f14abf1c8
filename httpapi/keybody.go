package httpapi

import (
	"time"

	"github.com/elumenta/elumenta"
)

// keyBody is what a client sends of a key: its name and limits to create one, a part of them to change one.
type keyBody struct {
	reader
	patch elumenta.KeyPatch
}

func decodeKey(body []byte) *keyBody {
	b := new(keyBody)
	b.read(body, b.member)
	return b
}

func (b *keyBody) member(name []byte) {
	p, at := &b.patch, fieldPath{name: string(name)}
	switch string(name) {
	case "name":
		optional(&b.reader, &p.Name, func() (string, bool) { return b.text(&at) })
	case "read_only":
		optional(&b.reader, &p.ReadOnly, func() (bool, bool) { return b.boolean(&at), true })
	case "assistants":
		optional(&b.reader, &p.Assistants, func() ([]elumenta.AssistantID, bool) { return texts[elumenta.AssistantID](&b.reader, &at) })
	case "models":
		optional(&b.reader, &p.Models, func() ([]string, bool) { return texts[string](&b.reader, &at) })
	case "budget":
		optional(&b.reader, &p.Budget, func() (int64, bool) { return b.whole(&at, 0, elumenta.MaxKeyBudget) })
	case "expires_at":
		optional(&b.reader, &p.ExpiresAt, func() (time.Time, bool) { return b.time(&at) })
	default:
		b.unknown(nil, name)
	}
}

// texts reads a list of strings. One that is something else is an empty string and a bad field.
func texts[T ~string](r *reader, p *fieldPath) ([]T, bool) {
	items := []T{}
	ok := r.array(p, elumenta.MaxKeyScope, func(i int) {
		at := p.item(i)
		s, _ := r.text(&at)
		items = append(items, T(s))
	})
	return items, ok
}

// checkedKey returns everything that is wrong with a body, errs included, and with the models that it names.
func (a *API) checkedKey(b *keyBody, errs elumenta.FieldErrors) error {
	if b.broken != nil {
		return b.broken
	}
	b.errs = append(b.errs, errs...)
	models := fieldPath{name: "models"}
	for i, slug := range b.patch.Models.Value {
		if _, ok := a.settings().Catalog.Get(slug); !ok {
			at := models.item(i)
			b.bad(&at, "is not in the catalog; GET %s/models lists it", Base)
		}
	}
	return b.err()
}
