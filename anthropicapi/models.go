package anthropicapi

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/elumenta/elumenta"
)

// The limits of a page of models (https://platform.claude.com/docs/en/api/models/list).
const (
	defaultModels = 20
	mostModels    = 1000
)

// Models appends the page of a list of models that the query asks for: the first ones, or those right behind or right before one of them.
func (Messages) Models(b []byte, models []elumenta.SurfaceModel, query url.Values) ([]byte, error) {
	var errs elumenta.FieldErrors
	limit := defaultModels
	if s := query.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if limit = n; err != nil || n < 1 || n > mostModels {
			errs.Add("limit", "must be a number from 1 to %d", mostModels)
		}
	}
	place := func(name string) int {
		id := query.Get(name)
		if id == "" {
			return -1
		}
		at := slices.IndexFunc(models, func(m elumenta.SurfaceModel) bool { return m.ID == id })
		if at < 0 {
			errs.Add(name, "is not the id of a model of this list")
		}
		return at
	}
	after, before := place("after_id"), place("before_id")
	if after >= 0 && before >= 0 {
		errs.Add("before_id", "is not allowed beside after_id")
	}
	if err := errs.Err(); err != nil {
		return nil, err
	}
	from, to := after+1, len(models)
	var more bool
	if before >= 0 {
		to = before
		from = max(0, to-limit)
		more = from > 0
	} else {
		to = min(to, from+limit)
		more = to < len(models)
	}
	page := models[from:to]
	b = append(b, `{"data":[`...)
	for i := range page {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendModel(b, &page[i])
	}
	b = append(b, `],"has_more":`...)
	b = strconv.AppendBool(b, more)
	if len(page) == 0 {
		return append(b, `,"first_id":null,"last_id":null}`+"\n"...), nil
	}
	b = append(b, `,"first_id":`...)
	b = appendString(b, page[0].ID)
	b = append(b, `,"last_id":`...)
	b = appendString(b, page[len(page)-1].ID)
	return append(b, "}\n"...), nil
}

// Model appends one model (https://platform.claude.com/docs/en/api/models/retrieve).
func (Messages) Model(b []byte, m *elumenta.SurfaceModel) []byte {
	return append(appendModel(b, m), '\n')
}

func appendModel(b []byte, m *elumenta.SurfaceModel) []byte {
	b = append(b, `{"type":"model","id":`...)
	b = appendString(b, m.ID)
	b = append(b, `,"display_name":`...)
	b = appendString(b, m.Name)
	b = append(b, `,"created_at":"`...)
	b = m.CreatedAt.UTC().AppendFormat(b, time.RFC3339)
	return append(b, `"}`...)
}
