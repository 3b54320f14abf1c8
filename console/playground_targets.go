package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/elumenta/elumenta"
)

// target is what one talks with: an assistant, named by its id with @ and a version or without, or a model, named by its slug.
type target struct {
	ID        string     `json:"id"`
	Pin       string     `json:"pin"` // the version, or a label, empty for the newest version
	Name      string     `json:"name"`
	Model     string     `json:"model"`
	Author    string     `json:"author"` // empty for the caller's own
	Vision    bool       `json:"vision"`
	Variables []Variable `json:"variables"`
	// Versions are those that may be pinned, the newest first; More is the cursor of further ones, or empty.
	Versions []targetVersion `json:"versions"`
	More     string          `json:"more"`
}

// targetVersion is a version as a list of choices shows it.
type targetVersion struct {
	Number int    `json:"version"`
	Note   string `json:"note"`
}

// lists reports whether a version is among the choices.
func (t *target) lists(pin string) bool {
	return pin == "" || slices.ContainsFunc(t.Versions, func(v targetVersion) bool { return strconv.Itoa(v.Number) == pin })
}

func versionLabel(v targetVersion) string {
	if v.Note == "" {
		return strconv.Itoa(v.Number)
	}
	return strconv.Itoa(v.Number) + " — " + v.Note
}

func variableLabel(v Variable) string {
	if v.Description == "" {
		return v.Name
	}
	return v.Name + " — " + v.Description
}

func isAssistant(text string) bool { return strings.HasPrefix(text, "asst_") }

// splitTarget cuts a target into id or slug, and pin.
func splitTarget(text string) (id, pin string) {
	if !isAssistant(text) {
		return text, ""
	}
	id, pin, _ = strings.Cut(text, "@")
	return id, pin
}

// readTarget finds what the caller may know of a target.
func (p *page) readTarget(text string) (*target, error) {
	id, pin := splitTarget(text)
	t := &target{ID: id, Pin: pin, Model: id, Vision: true} // unless something else is known
	if id == "" {
		return t, nil
	}
	if isAssistant(id) {
		if err := p.readTargetAssistant(t); err != nil {
			return nil, err
		}
	}
	var m Model
	switch err := p.get("/models/"+url.PathEscape(t.Model), &m); codeOf(err) {
	case "":
		t.Vision = m.SupportsVision
		if !isAssistant(id) {
			t.Name = m.Name
		}
	case elumenta.CodeNotFound:
		if !isAssistant(id) {
			return nil, err
		}
	default:
		return nil, err
	}
	return t, nil
}

func (p *page) readTargetAssistant(t *target) error {
	var a struct {
		Name       string     `json:"name"`
		Model      string     `json:"model"`
		Variables  []Variable `json:"variables"`
		Version    int        `json:"version"`
		Author     string     `json:"author"`
		Visibility string     `json:"visibility"` // of the caller's own
	}
	if err := p.get(assistantPath(t.ID), &a); err != nil {
		return err
	}
	t.Name, t.Model, t.Variables, t.Author = a.Name, a.Model, a.Variables, a.Author
	if a.Visibility == "" {
		t.Versions = []targetVersion{{Number: a.Version}} // nobody but the author is shown the others
		return nil
	}
	var err error
	if t.Versions, t.More, err = p.targetVersions(t.ID, ""); err != nil {
		return err
	}
	n, err := strconv.Atoi(t.Pin)
	if err != nil || n == a.Version {
		return nil //nolint:nilerr // a label, or nothing, and then the newest version shows what to fill in
	}
	v, err := p.readVersion(&Assistant{ID: t.ID}, n)
	if codeOf(err) == elumenta.CodeNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	t.Name, t.Model, t.Variables = v.Name, v.Model, v.Variables
	return nil
}

// targetVersions is a page of the versions of an assistant of the caller's own, with the cursor of the next one.
func (p *page) targetVersions(id, cursor string) (versions []targetVersion, more string, err error) {
	path := assistantPath(id) + "/versions?limit=20"
	if cursor != "" {
		path += "&cursor=" + queryEscape(cursor)
	}
	var list List[targetVersion]
	err = p.get(path, &list)
	if list.NextCursor != nil {
		more = *list.NextCursor
	}
	return list.Items, more, err
}

// showTarget tells a script what is known of a target.
func (p *page) showTarget() error {
	t, err := p.readTarget(p.r.URL.Query().Get("id"))
	return p.answerScript(t, err)
}

// showTargetVersions tells a script older versions of an assistant.
func (p *page) showTargetVersions() error {
	var t target
	var err error
	t.Versions, t.More, err = p.targetVersions(p.r.URL.Query().Get("id"), p.r.URL.Query().Get("cursor"))
	return p.answerScript(&t, err)
}

// found is an assistant that somebody looked for.
type found struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Author string `json:"author"` // empty for the caller's own
}

// searchTargets finds assistants for a script: the caller's own, then those of the marketplace.
func (p *page) searchTargets() error {
	query := "?limit=10"
	if q := strings.TrimSpace(p.r.URL.Query().Get("q")); q != "" {
		query += "&q=" + queryEscape(q)
	}
	items := []found{}
	seen := map[string]bool{}
	for _, path := range []string{"/assistants", "/assistants/marketplace"} {
		var list List[found]
		if err := p.get(path+query, &list); err != nil && codeOf(err) != elumenta.CodeForbidden { // a limited key lists nothing
			return p.answerScript(nil, err)
		}
		for _, f := range list.Items {
			if !seen[f.ID] {
				items = append(items, f)
			}
			seen[f.ID] = true
		}
	}
	return p.answerScript(&List[found]{Items: items}, nil)
}
