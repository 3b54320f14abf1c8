package httpapi

import (
	"context"
	"fmt"

	"github.com/elumenta/elumenta"
)

// historyBody is what a client sends to import an assistant.
type historyBody struct {
	reader
	history elumenta.History
}

func decodeHistory(body []byte) *historyBody {
	b := &historyBody{history: elumenta.History{Visibility: elumenta.Private}}
	b.fields(body, map[string]func(p *fieldPath){
		"visibility": func(p *fieldPath) {
			if s, ok := b.text(p); ok {
				b.history.Visibility = elumenta.Visibility(s)
			}
		},
		"versions": func(p *fieldPath) {
			b.array(p, elumenta.MaxHistory, func(i int) {
				at := p.item(i)
				if raw, ok := b.raw(&at); ok {
					b.version(&at, raw)
				}
			})
		},
	})
	return b
}

// version reads one version: all its fields, as one creates an assistant, and what is the version's own.
func (b *historyBody) version(at *fieldPath, raw []byte) {
	var v elumenta.Version
	var body assistantBody
	body.read(raw, func(name []byte) {
		own := fieldPath{name: string(name)}
		switch string(name) {
		case "version":
			v.Version, _ = body.integer(&own)
		case "created_at":
			if !body.null() {
				v.CreatedAt, _ = body.time(&own)
			}
		case "public":
			if !body.null() {
				v.Public = body.boolean(&own)
			}
		case "visibility":
			body.unknown(nil, name)
		default:
			body.member(name, true)
		}
	})
	v.Note = body.patch.Note
	v.Fields, _, _ = body.patch.Apply(elumenta.Fields{}, elumenta.Private)
	b.history.Versions = append(b.history.Versions, v)
	prefix := at.String() + "."
	for _, e := range body.errs {
		if len(b.errs) < maxFieldErrors {
			b.errs.Add(prefix+e.Field, "%s", e.Reason)
		}
	}
}

func (a *API) importAssistant(ctx context.Context, c *call, _ *createIn) (*createdAssistant, error) {
	b := decodeHistory(c.body)
	idem := a.idempotency(c, "imports", &b.reader)
	if err := a.checkedHistory(b); err != nil {
		return nil, err
	}
	return created(a.Assistants.ImportAssistant(ctx, c.caller.Account.ID, &b.history, idem))
}

// checkedHistory returns everything that is wrong with a history. Only the newest version's model must be in the catalog:
// the others are not called by the bare id.
func (a *API) checkedHistory(b *historyBody) error {
	if b.broken != nil {
		return b.broken
	}
	errs := b.history.Check()
	if n := len(b.history.Versions); n > 0 {
		model := b.history.Newest().Model
		if _, ok := a.settings().Catalog.Get(model); !ok && model != "" {
			errs.Add(fmt.Sprintf("versions[%d].model", n-1), "is not in the catalog; GET %s/models lists it", Base)
		}
	}
	for _, i := range b.history.Public() {
		a.settings().DeniedNames.Check(&errs, fmt.Sprintf("versions[%d].name", i), b.history.Versions[i].Name)
	}
	return b.also(errs)
}
