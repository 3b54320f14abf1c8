package openaiapi

import (
	"net/url"
	"strconv"

	"github.com/elumenta/elumenta"
)

// Models appends a list of models (https://platform.openai.com/docs/api-reference/models/list), which has no pages.
func (Chat) Models(b []byte, models []elumenta.SurfaceModel, _ url.Values) ([]byte, error) {
	b = append(b, `{"object":"list","data":[`...)
	for i := range models {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendModel(b, &models[i])
	}
	return append(b, "]}\n"...), nil
}

// Model appends one model (https://platform.openai.com/docs/api-reference/models/object).
func (Chat) Model(b []byte, m *elumenta.SurfaceModel) []byte { return append(appendModel(b, m), '\n') }

// appendModel appends a model. Its name is a member of ours: an assistant's id says little to whoever picks from a list.
func appendModel(b []byte, m *elumenta.SurfaceModel) []byte {
	b = append(b, `{"id":`...)
	b = appendString(b, m.ID)
	b = append(b, `,"object":"model","created":`...)
	b = strconv.AppendInt(b, m.CreatedAt.Unix(), 10)
	b = append(b, `,"owned_by":`...)
	b = appendString(b, m.Owner)
	b = append(b, `,"name":`...)
	b = appendString(b, m.Name)
	return append(b, '}')
}
