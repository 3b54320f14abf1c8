package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/elumenta/elumenta"
)

func (c *Console) assistantRoutes() {
	c.page("assistants", (*page).listAssistants)
	c.page("assistants/new", func(p *page) error {
		e, err := newEditor(&Assistant{Visibility: "private"})
		if err != nil {
			return err
		}
		return p.showEditor(http.StatusOK, e)
	})
	c.form("assistants/new", (*page).createAssistant)
	c.form("first-steps", (*page).hideSteps)
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
	Steps *firstSteps // of a new account, or nil
}

// ownSearch is the address of what is found, from the page that a cursor names.
func ownSearch(query, cursor string) string {
	values := url.Values{}
	for name, value := range map[string]string{"q": query, "cursor": cursor} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return strings.TrimSuffix(Base+"assistants?"+values.Encode(), "?")
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
	if own.Query == "" && own.Cursor == "" {
		var err error
		if own.Steps, err = p.firstSteps(own.Items); err != nil {
			return err
		}
	}
	return p.render("assistants", p.T("own.title"), ownPage(p, own))
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
	e, err := newEditor(a)
	if err != nil {
		return err
	}
	return p.showEditor(http.StatusOK, e)
}

func (p *page) createAssistant() error {
	e, body := p.typed()
	if len(e.Errors) > 0 {
		return p.showEditor(http.StatusUnprocessableEntity, e)
	}
	var made Assistant
	err := p.send(http.MethodPost, "/assistants", body, &made, onceOnly(e.Once)...)
	if errs, ok := fieldErrors(err); ok {
		e.Errors, e.Once = errs, once() // another attempt is another request
		return p.showEditor(http.StatusUnprocessableEntity, e)
	}
	if err != nil {
		return err
	}
	return p.redirect(Base+"assistants/"+made.ID, "created")
}

func (p *page) saveAssistant() error {
	e, body := p.typed()
	now, err := p.readOwn()
	if err != nil {
		return err
	}
	e.Visibility, e.TakenDown, e.UpdatedAt = now.Visibility, now.TakenDown, now.UpdatedAt
	if len(e.Errors) > 0 {
		return p.showEditor(http.StatusUnprocessableEntity, e)
	}
	if sameJSON(e.ResponseFormat, now.ResponseFormat) {
		delete(body, "response_format") // its spaces are the form's
	}
	for name, texts := range map[string][2]string{"description": {e.Description, now.Description}, "instructions": {e.Instructions, now.Instructions}} {
		if texts[0] == lines(texts[1]) {
			delete(body, name) // its line breaks are the form's
		}
	}
	if e.Note != "" {
		body["note"] = e.Note
	}
	err = p.send(http.MethodPut, assistantPath(e.ID), body, nil, ifMatch(e.Version)...)
	if codeOf(err) == elumenta.CodeVersionConflict {
		if now, err = p.readOwn(); err != nil {
			return err
		}
		if e.Newer = compare(&now.Fields, &e.Fields); e.Newer.none() { // it was sent twice
			return p.redirect(Base+"assistants/"+e.ID, "saved")
		}
		e.Version = now.Version
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

// ifMatch makes a change depend on the version that the person saw.
func ifMatch(version int) []string { return []string{"If-Match", `"` + strconv.Itoa(version) + `"`} }

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

// publish publishes what the person was shown, and nothing that was saved meanwhile.
func (p *page) publish() error {
	shown, err := strconv.Atoi(p.r.PostFormValue("version"))
	if err != nil {
		return elumenta.Errorf(elumenta.CodeBadRequest, "version must be the one that the page showed")
	}
	return p.setVisibility("marketplace", "published", ifMatch(shown)...)
}

func (p *page) unpublish() error { return p.setVisibility("private", "unpublished") }

func (p *page) setVisibility(visibility, flash string, headers ...string) error {
	a, err := p.readOwn()
	if err != nil {
		return err
	}
	if a.Visibility == visibility {
		return p.redirect(Base+"assistants/"+a.ID, flash) // it was sent twice
	}
	err = p.send(http.MethodPut, assistantPath(a.ID), map[string]any{"visibility": visibility}, nil, headers...)
	if codeOf(err) == elumenta.CodeVersionConflict {
		return p.showPublish(map[string]string{"": p.T("publish.changed")})
	}
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
	if err := gone(p.send(http.MethodDelete, assistantPath(p.r.PathValue("id")), nil, nil)); err != nil {
		return err
	}
	return p.redirect(Base+"assistants", "deleted")
}
