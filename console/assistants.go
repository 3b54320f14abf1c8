package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
)

func (c *Console) assistantRoutes() {
	c.page("assistants", (*page).listAssistants)
	c.page("assistants/new", func(p *page) error {
		return p.showEditor(http.StatusOK, &editor{Assistant: Assistant{Visibility: "private"}})
	})
	c.form("assistants/new", (*page).createAssistant)
	c.page("assistants/{id}", (*page).editAssistant)
	c.form("assistants/{id}", (*page).saveAssistant)
	c.page("assistants/{id}/publish", func(p *page) error { return p.showPublish(nil) })
	c.form("assistants/{id}/publish", (*page).publish)
	c.form("assistants/{id}/unpublish", (*page).unpublish)
	c.page("assistants/{id}/delete", (*page).confirmDelete)
	c.form("assistants/{id}/delete", (*page).deleteAssistant)
}

// ownAssistants is a page of the caller's own.
type ownAssistants struct {
	Query  string
	Cursor string
	List[Assistant]
	Starters []Listing // for whoever has none yet
}

func (p *page) listAssistants() error {
	q := p.r.URL.Query()
	own := &ownAssistants{Query: q.Get("q"), Cursor: q.Get("cursor")}
	ask := url.Values{"limit": {"50"}}
	for name, value := range map[string]string{"q": own.Query, "cursor": own.Cursor} {
		if value != "" {
			ask.Set(name, value)
		}
	}
	if err := p.get("/assistants?"+ask.Encode(), &own.List); err != nil {
		return err
	}
	if q.Get("part") == "results" {
		return p.fragment(ownResults(p, own))
	}
	if len(own.Items) == 0 && own.Query == "" && own.Cursor == "" {
		if err := p.firstSteps(own); err != nil {
			return err
		}
	}
	return p.render("assistants", p.T("own.title"), ownPage(p, own))
}

// firstSteps finds what leads a new account: assistants to begin with.
func (p *page) firstSteps(own *ownAssistants) error {
	var published List[Listing]
	if err := p.get("/assistants/marketplace?limit=100", &published); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, l := range published.Items {
		if l.Copyable && l.Author == elumenta.StarterAuthorName && !seen[l.Category] {
			seen[l.Category] = true
			own.Starters = append(own.Starters, l)
		}
	}
	return nil
}

// editor is an assistant as its form has it.
type editor struct {
	Assistant
	Format  string // response_format as text
	Note    string
	Models  []Model
	Errors  map[string]string
	Newer   *Assistant // what somebody else saved meanwhile
	Changes []diffLine // from that to what was typed
}

// rows are the variables with some empty rows to fill.
func (e *editor) rows() []Variable {
	return append(slices.Clone(e.Variables), make([]Variable, min(3, elumenta.MaxVariables-len(e.Variables)))...)
}

// pairs are the metadata in order, with some empty rows to fill.
func (e *editor) pairs() (pairs [][2]string) {
	for key, value := range e.Metadata {
		pairs = append(pairs, [2]string{key, value})
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return append(pairs, make([][2]string, min(2, elumenta.MaxMetadata-len(pairs)))...)
}

// model is the chosen model, or nil if the catalog does not have it.
func (e *editor) model() *Model {
	for i := range e.Models {
		if e.Models[i].Slug == e.Model {
			return &e.Models[i]
		}
	}
	return nil
}

func (p *page) showEditor(status int, e *editor) error {
	var models List[Model]
	if err := p.get("/models?category=text", &models); err != nil {
		return err
	}
	e.Models = models.Items
	if e.Model == "" {
		for _, m := range e.Models {
			if m.Available {
				e.Model = m.Slug
				break
			}
		}
	}
	title := p.T("own.new")
	if e.ID != "" {
		title = e.Name
	}
	return p.renderStatus(status, "assistants", title, editorPage(p, e))
}

func (p *page) readOwn() (*Assistant, error) {
	var a Assistant
	if err := p.get(assistantPath(p.r.PathValue("id")), &a); err != nil {
		return nil, err
	}
	if a.Visibility == "" { // the public view of somebody else's
		return nil, elumenta.NotFound("assistant")
	}
	return &a, nil
}

func (p *page) editAssistant() error {
	a, err := p.readOwn()
	if err != nil {
		return err
	}
	e := &editor{Assistant: *a}
	if a.ResponseFormat != nil {
		text, err := json.MarshalIndent(a.ResponseFormat, "", "  ")
		if err != nil {
			return err
		}
		e.Format = string(text)
	}
	return p.showEditor(http.StatusOK, e)
}

// typed reads the form, and the body that the API gets for it. What cannot be sent at all is in the editor's errors.
func (p *page) typed() (*editor, map[string]any, error) {
	if err := p.r.ParseForm(); err != nil {
		return nil, nil, err
	}
	f := p.r.PostForm
	e := &editor{Errors: map[string]string{}, Format: strings.TrimSpace(f.Get("response_format")), Note: f.Get("note")}
	e.ID = p.r.PathValue("id")
	e.Version, _ = strconv.Atoi(f.Get("version"))
	e.Name, e.Model, e.Description = f.Get("name"), f.Get("model"), f.Get("description")
	e.Instructions = strings.ReplaceAll(f.Get("instructions"), "\r\n", "\n") // as forms have line breaks (HTML, 4.10.21.4)
	e.Copyable = f.Get("copyable") != ""
	body := map[string]any{
		"name": e.Name, "model": e.Model, "description": e.Description, "instructions": e.Instructions, "copyable": e.Copyable,
		"category": nil, "temperature": nil, "max_tokens": nil, "response_format": nil,
	}
	if category := f.Get("category"); category != "" {
		e.Category = &category
		body["category"] = category
	}
	if text := strings.TrimSpace(f.Get("temperature")); text != "" {
		n, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
		if e.Temperature, body["temperature"] = &n, n; err != nil {
			e.Errors["temperature"] = p.T("own.not_a_number")
		}
	}
	if text := strings.TrimSpace(f.Get("max_tokens")); text != "" {
		n, err := strconv.Atoi(text)
		if e.MaxTokens, body["max_tokens"] = &n, n; err != nil {
			e.Errors["max_tokens"] = p.T("own.not_a_number")
		}
	}
	if e.Format != "" {
		if body["response_format"] = json.RawMessage(e.Format); !json.Valid([]byte(e.Format)) {
			e.Errors["response_format"] = p.T("own.not_json")
		}
	}
	e.Variables, e.Metadata = typedVariables(f), typedMetadata(f)
	body["variables"], body["metadata"] = e.Variables, e.Metadata
	return e, body, nil
}

func typedVariables(f url.Values) []Variable {
	variables := []Variable{}
	names, descriptions, defaults := f["variable_name"], f["variable_description"], f["variable_default"]
	for i, name := range names {
		if strings.TrimSpace(name) == "" || i >= len(descriptions) || i >= len(defaults) {
			continue
		}
		v := Variable{Name: strings.TrimSpace(name), Description: descriptions[i], Required: slices.Contains(f["variable_required"], strconv.Itoa(i))}
		if value := strings.ReplaceAll(defaults[i], "\r\n", "\n"); value != "" {
			v.Default = &value
		}
		variables = append(variables, v)
	}
	return variables
}

func typedMetadata(f url.Values) map[string]string {
	metadata := map[string]string{}
	values := f["metadata_value"]
	for i, key := range f["metadata_key"] {
		if key != "" && i < len(values) {
			metadata[key] = values[i]
		}
	}
	return metadata
}

func (p *page) createAssistant() error {
	e, body, err := p.typed()
	if err != nil {
		return err
	}
	if len(e.Errors) > 0 {
		return p.showEditor(http.StatusUnprocessableEntity, e)
	}
	var made Assistant
	err = p.send(http.MethodPost, "/assistants", body, &made)
	if errs, ok := fieldErrors(err); ok {
		e.Errors = errs
		return p.showEditor(http.StatusUnprocessableEntity, e)
	}
	if err != nil {
		return err
	}
	return p.redirect(Base+"assistants/"+made.ID, "created")
}

func (p *page) saveAssistant() error {
	e, body, err := p.typed()
	if err != nil {
		return err
	}
	now, err := p.readOwn()
	if err != nil {
		return err
	}
	e.Visibility, e.TakenDown, e.UpdatedAt = now.Visibility, now.TakenDown, now.UpdatedAt
	if len(e.Errors) > 0 {
		return p.showEditor(http.StatusUnprocessableEntity, e)
	}
	if e.Note != "" {
		body["note"] = e.Note
	}
	err = p.send(http.MethodPut, assistantPath(e.ID), body, nil, "If-Match", `"`+strconv.Itoa(e.Version)+`"`)
	if codeOf(err) == elumenta.CodeVersionConflict {
		e.Newer, e.Version = now, now.Version
		e.Changes = diff(now.Instructions, e.Instructions)
		return p.showEditor(http.StatusPreconditionFailed, e)
	}
	if errs, ok := fieldErrors(err); ok {
		e.Errors = errs
		return p.showEditor(http.StatusUnprocessableEntity, e)
	}
	if err != nil {
		return err
	}
	return p.redirect(Base+"assistants/"+e.ID, "saved")
}

func (p *page) showPublish(errs map[string]string) error {
	a, err := p.readOwn()
	if err != nil {
		return err
	}
	status := http.StatusOK
	if errs != nil {
		status = http.StatusUnprocessableEntity
	}
	return p.renderStatus(status, "assistants", p.T("publish.title"), publishPage(p, a, errs))
}

func (p *page) publish() error { return p.setVisibility("marketplace", "published") }

func (p *page) unpublish() error { return p.setVisibility("private", "unpublished") }

func (p *page) setVisibility(visibility, flash string) error {
	a, err := p.readOwn()
	if err != nil {
		return err
	}
	err = p.send(http.MethodPut, assistantPath(a.ID), map[string]any{"visibility": visibility}, nil)
	if errs, ok := fieldErrors(err); ok {
		return p.showPublish(errs)
	}
	if err != nil {
		return err
	}
	return p.redirect(Base+"assistants/"+a.ID, flash)
}

func (p *page) confirmDelete() error {
	a, err := p.readOwn()
	if err != nil {
		return err
	}
	var uses Uses
	if err := p.get(assistantPath(a.ID)+"/uses", &uses); err != nil {
		return err
	}
	return p.render("assistants", p.T("delete.title"), deletePage(p, a, &uses))
}

func (p *page) deleteAssistant() error {
	if err := p.send(http.MethodDelete, assistantPath(p.r.PathValue("id")), nil, nil); err != nil {
		return err
	}
	return p.redirect(Base+"assistants", "deleted")
}

// Version is a saved version.
type Version struct {
	Number    int       `json:"version"`
	CreatedAt time.Time `json:"created_at"`
	Note      string    `json:"note"`
	Public    bool      `json:"public"`
	Fields
}
