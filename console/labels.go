package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
)

// Label is a name for versions of an assistant.
type Label struct {
	Name      string    `json:"label"`
	Split     []Share   `json:"split"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Share is a version and its share of a label's calls.
type Share struct {
	Version int `json:"version"`
	Weight  int `json:"weight"`
}

// text is what a label stands for: 3, or 3 (90 %), 4 (10 %).
func (l *Label) text(p *page) string {
	if len(l.Split) == 1 {
		return strconv.Itoa(l.Split[0].Version)
	}
	total := 0
	for _, s := range l.Split {
		total += s.Weight
	}
	parts := make([]string, len(l.Split))
	for i, s := range l.Split {
		parts[i] = strconv.Itoa(s.Version) + " (" + p.Percent(float64(s.Weight)/float64(total)) + ")"
	}
	return strings.Join(parts, ", ")
}

// typedSplit reads the rows of a label's form that are not empty; ok is false where a share has no version.
func (p *page) typedSplit() (split []map[string]any, ok bool) {
	split, ok = []map[string]any{}, true
	weights := p.r.PostForm["weight"]
	for i, version := range p.r.PostForm["version"] {
		if version == "" || i >= len(weights) {
			ok = ok && (i >= len(weights) || strings.TrimSpace(weights[i]) == "")
			continue
		}
		share := map[string]any{"version": version, "weight": 1}
		if n, err := strconv.Atoi(strings.TrimSpace(version)); err == nil {
			share["version"] = n
		}
		if weights[i] != "" {
			share["weight"] = weights[i]
			if n, err := strconv.Atoi(strings.TrimSpace(weights[i])); err == nil {
				share["weight"] = n
			}
		}
		split = append(split, share)
	}
	return split, ok
}

func labelPath(id, label string) string {
	return assistantPath(id) + "/labels/" + url.PathEscape(label)
}

func (p *page) setLabel() error {
	id, label := p.r.PathValue("id"), strings.TrimSpace(p.r.PostForm.Get("label"))
	if label == "" {
		return p.showVersions(map[string]string{"label": p.T("labels.needed")})
	}
	split, ok := p.typedSplit()
	if !ok {
		return p.showVersions(map[string]string{"version": p.T("labels.share_without_version")})
	}
	err := p.send(http.MethodPut, labelPath(id, label), map[string]any{"split": split}, nil)
	if errs, ok := fieldErrors(err); ok && codeOf(err) != elumenta.CodeForbidden {
		return p.showVersions(errs)
	}
	if err != nil {
		return err
	}
	return p.redirect(Base+"assistants/"+id+"/versions", "saved")
}

// confirmDeleteLabel asks again: calls of the label fail.
func (p *page) confirmDeleteLabel() error {
	a, err := p.readOwn()
	if err != nil {
		return err
	}
	title := p.T("labels.delete_title", "label", p.r.PathValue("label"))
	return p.render("assistants", title, askAgain(p, a, title, p.T("labels.delete_what"), p.T("labels.delete"), Base+"assistants/"+a.ID+"/versions"))
}

func (p *page) deleteLabel() error {
	if err := gone(p.send(http.MethodDelete, labelPath(p.r.PathValue("id"), p.r.PathValue("label")), nil, nil)); err != nil {
		return err
	}
	return p.redirect(Base+"assistants/"+p.r.PathValue("id")+"/versions", "label_deleted")
}

// typedAgain is what was typed into one of several fields of a name, to be shown again.
func (p *page) typedAgain(name string, i int) string {
	if values := p.r.PostForm[name]; i < len(values) {
		return values[i]
	}
	return ""
}
