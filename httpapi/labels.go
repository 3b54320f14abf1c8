package httpapi

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/elumenta/elumenta"
)

func (a *API) labelRoutes() {
	const tag = "Assistants"
	register(a, huma.Operation{
		OperationID: "list-labels", Method: http.MethodGet, Path: "/assistants/{id}/labels", Tags: []string{tag}, Summary: "List an assistant's labels by name",
	}, need{}, a.listLabels)
	register(a, huma.Operation{
		OperationID: "set-label", Method: http.MethodPut, Path: "/assistants/{id}/labels/{label}", Tags: []string{tag},
		Summary: "Make or move a label",
		Description: "asst_…@LABEL then calls that version, on every node, from the next request on. A split divides calls by weight: by a hash of user, so that one person " +
			"stays on one version, and by chance without.",
	}, need{body: otherBody}, a.setLabel)
	register(a, huma.Operation{
		OperationID: "delete-label", Method: http.MethodDelete, Path: "/assistants/{id}/labels/{label}", Tags: []string{tag}, Summary: "Delete a label: calls of it stop at once",
	}, need{}, a.deleteLabel)
}

type labelView struct {
	Label     string      `json:"label"`
	Split     []shareView `json:"split" nullable:"false" doc:"The lowest version first; a label of one version has one item."`
	UpdatedAt time.Time   `json:"updated_at"`
}

type shareView struct {
	Version int `json:"version" minimum:"1"`
	Weight  int `json:"weight" minimum:"1" maximum:"10000" doc:"Relative to the sum of all."`
}

func viewLabel(l *elumenta.Label) labelView {
	v := labelView{Label: l.Name, Split: make([]shareView, len(l.Split)), UpdatedAt: l.UpdatedAt.UTC()}
	for i, s := range l.Split {
		v.Split[i] = shareView(s)
	}
	return v
}

func (a *API) listLabels(ctx context.Context, c *call, in *oneAssistantIn) (*bodyOf[items[labelView]], error) {
	id, err := assistantID(in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := a.own(ctx, c, id); err != nil {
		return nil, err
	}
	labels, err := a.Assistants.Labels(ctx, c.caller.Account.ID, id)
	if err != nil {
		return nil, err
	}
	out := &bodyOf[items[labelView]]{items[labelView]{Items: make([]labelView, len(labels))}}
	for i := range labels {
		out.Body.Items[i] = viewLabel(&labels[i])
	}
	return out, nil
}

type oneLabelIn struct {
	PathID
	Label string `path:"label"`
	known
}

func (a *API) setLabel(ctx context.Context, c *call, in *oneLabelIn) (*bodyOf[labelView], error) {
	id, err := assistantID(in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := a.own(ctx, c, id); err != nil {
		return nil, err
	}
	split, err := decodeLabel(in.Label, c.body)
	if err != nil {
		return nil, err
	}
	set, err := a.Assistants.SetLabel(ctx, c.caller.Account.ID, id, in.Label, split)
	if err != nil {
		return nil, err
	}
	return &bodyOf[labelView]{viewLabel(set)}, nil
}

func (a *API) deleteLabel(ctx context.Context, c *call, in *oneLabelIn) (*noBody, error) {
	id, err := assistantID(in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := a.own(ctx, c, id); err != nil {
		return nil, err
	}
	return nil, a.Assistants.DeleteLabel(ctx, c.caller.Account.ID, id, in.Label)
}

// decodeLabel reads what a label shall stand for: a version, or a split.
func decodeLabel(label string, body []byte) ([]elumenta.LabelShare, error) {
	var r reader
	var version *int
	var split []elumenta.LabelShare
	hasSplit := false
	r.fields(body, map[string]func(*fieldPath){
		"version": func(p *fieldPath) {
			if n, ok := r.integer(p); ok {
				version = &n
			}
		},
		"split": func(p *fieldPath) {
			hasSplit = true
			r.array(p, elumenta.MaxSplit, func(i int) {
				at := p.item(i)
				split = append(split, r.share(&at))
			})
		},
	})
	if version != nil && hasSplit || version == nil && !hasSplit && len(r.errs) == 0 && r.broken == nil {
		at := fieldPath{name: "version"}
		r.bad(&at, "is required, or else split, and not both")
	}
	switch {
	case version != nil && *version < 1:
		r.errs.Add("version", "must be the number of a saved version")
	case version != nil:
		split = []elumenta.LabelShare{{Version: *version, Weight: 1}}
	case hasSplit:
		mistyped := r.errs
		for _, e := range elumenta.CheckSplit(split) {
			if !slices.ContainsFunc(mistyped, func(m elumenta.FieldError) bool { return elumenta.Within(e.Field, m.Field) }) {
				r.errs.Add(e.Field, "%s", e.Reason)
			}
		}
	}
	if !elumenta.ValidLabel(label) {
		r.errs.Add("label", "must have 1 to 32 characters of a-z, 0-9 and -, the first one a letter")
	}
	return split, r.err()
}

func (r *reader) share(p *fieldPath) (s elumenta.LabelShare) {
	r.object(p, func(name []byte) {
		at := p.child(shown(name))
		switch string(name) {
		case "version":
			s.Version, _ = r.integer(&at)
		case "weight":
			s.Weight, _ = r.integer(&at)
		default:
			r.unknown(p, name)
		}
	})
	return s
}
