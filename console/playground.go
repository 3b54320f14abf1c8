package console

import (
	"net/http"
	"strings"

	"github.com/elumenta/elumenta"
)

func (c *Console) playgroundRoutes() {
	c.page("playground", (*page).showPlayground)
	c.form("playground", (*page).askOnce)
	c.mux.HandleFunc("POST "+generatePath, c.handle(signedIn((*page).generate))) // the API reads its body
	c.page("playground/target", (*page).showTarget)
}

// playground is the page of conversations. They live in the page alone: nothing of one is ever sent back by the server.
type playground struct {
	Target     string // an assistant's id, with @ and a version or without, or a model
	Assistants []Assistant
	Models     []Model
	// What a form without a script asked, and what came of it.
	Prompt, Answer string
	Failure        *problem
}

func (p *page) showPlayground() error {
	q := p.r.URL.Query()
	g := &playground{Target: q.Get("assistant")}
	if g.Target == "" {
		g.Target = q.Get("model")
	}
	return p.renderPlayground(http.StatusOK, g)
}

func (p *page) renderPlayground(status int, g *playground) error {
	var own List[Assistant]
	if err := p.get("/assistants?limit=100", &own); err != nil {
		return err
	}
	var models List[Model]
	if err := p.get("/models?category=text", &models); err != nil {
		return err
	}
	g.Assistants, g.Models = own.Items, models.Items
	if g.Target == "" {
		g.Target = firstTarget(g)
	}
	return p.renderStatus(status, "playground", p.T("play.title"), playgroundPage(p, g))
}

// firstTarget is what a conversation begins with: the newest assistant, or a model that is available.
func firstTarget(g *playground) string {
	if len(g.Assistants) > 0 {
		return g.Assistants[0].ID
	}
	for _, m := range g.Models {
		if m.Available {
			return m.Slug
		}
	}
	return ""
}

// target is the member of a generate call that names what answers.
func target(text string) (member string) {
	if strings.HasPrefix(text, "asst_") {
		return "assistant_id"
	}
	return "model"
}

// askOnce is the playground without a script: one question, one answer, nothing kept.
func (p *page) askOnce() error {
	if err := p.r.ParseForm(); err != nil {
		return err
	}
	g := &playground{Target: strings.TrimSpace(p.r.PostForm.Get("target")), Prompt: p.r.PostForm.Get("prompt")}
	var answer struct{ Content string }
	err := p.send(http.MethodPost, "/generate", map[string]any{target(g.Target): g.Target, "prompt": g.Prompt}, &answer)
	g.Answer = answer.Content
	if _, ok := fieldErrors(err); ok || err != nil && problemOf(err).Code != elumenta.CodeNotAuthenticated {
		g.Failure = problemOf(err)
		return p.renderPlayground(g.Failure.Status, g)
	}
	if err != nil {
		return err
	}
	return p.renderPlayground(http.StatusOK, g)
}

// generate hands a request on to the API as the session's caller, and the answer, piece by piece, back.
func (p *page) generate() error {
	r := p.r.Clone(p.r.Context())
	r.URL.Path, r.URL.RawPath, r.RequestURI = apiBase+"/generate", "", ""
	for _, name := range []string{"Cookie", "Authorization"} {
		r.Header.Del(name)
	}
	p.c.API.ServeCaller(p.w, r, p.caller)
	return nil
}

// showTarget tells a script what an assistant is called and which variables it takes.
func (p *page) showTarget() error {
	id, _, _ := strings.Cut(p.r.URL.Query().Get("id"), "@")
	a, err := p.ask(http.MethodGet, assistantPath(id), nil)
	if err != nil {
		e := problemOf(err)
		p.w.Header().Set("Content-Type", "application/json")
		p.w.WriteHeader(e.Status)
		_, err = p.w.Write([]byte(`{}`))
		return err
	}
	var known struct {
		Name      string     `json:"name"`
		Model     string     `json:"model"`
		Variables []Variable `json:"variables"`
	}
	return p.json(a.body.Bytes(), &known)
}
