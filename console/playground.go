package console

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"github.com/elumenta/elumenta"
)

func (c *Console) playgroundRoutes() {
	c.page("playground", (*page).showPlayground)
	c.form("playground", (*page).askOnce)
	c.mux.HandleFunc("POST "+generatePath, c.handle(signedIn((*page).generate))) // the API reads its body
	c.page("playground/target", (*page).showTarget)
	c.page("playground/versions", (*page).showTargetVersions)
	c.page("playground/search", (*page).searchTargets)
}

// playground is the page of conversations. They live in the page alone: nothing of one is ever sent back by the server.
type playground struct {
	Target     string // as it was named: see target
	Known      target // what is known of it
	Missing    bool   // it is neither an assistant nor a model
	Assistants []Assistant
	Models     []Model
	// What a form without a script asked, and what came of it.
	Asked   asked
	Answer  *answered
	Failure *problem
}

// named is the target without the version, which is chosen beside it.
func (g *playground) named() string {
	if g.Known.ID != "" {
		return g.Known.ID
	}
	return g.Target
}

// asked is what a form without a script says beside its target.
type asked struct {
	Prompt, System, Temperature, MaxTokens string
	Variables                              map[string]string
}

// unanswered is the message that is still to be sent.
func (g *playground) unanswered() string {
	if g.Failure == nil {
		return ""
	}
	return g.Asked.Prompt
}

// set reports whether settings were given.
func (a *asked) set() bool { return a.System != "" || a.Temperature != "" || a.MaxTokens != "" }

// texts are what the page's script says, as data- attributes.
func texts(p *page) templ.Attributes {
	attributes := templ.Attributes{}
	for _, name := range []string{
		"you", "retry", "edit", "delete", "copied", "stopped", "stopped_before", "broken", "cut", "cut_draft", "clear_all", "tokens", "spent", "left", "time", "remove", "wait", "not_copied", "too_large", "too_much", "no_image", "blind",
		"cache_hit", "cache_written", "cache_miss", "cache_below_minimum", "cache_unsupported",
		"cache_first", "cache_prefix_below_minimum", "cache_expired", "cache_prefix_changed", "cache_other_upstream", "cache_unknown", "newest", "older", "own", "market", "models", "found",
		"temperature", "max_tokens", "missing",
	} {
		attributes["data-text-"+strings.ReplaceAll(name, "_", "-")] = p.Raw("play." + name)
	}
	for name, key := range map[string]string{"copy": "market.copy_text", "ended": "signin.ended", "sign-in": "signin.title"} {
		attributes["data-text-"+name] = p.T(key)
	}
	return attributes
}

// answered is an answer of the API.
type answered struct {
	Content          string `json:"content"`
	TokensSpent      int64  `json:"tokens_spent"`
	BalanceRemaining *int64 `json:"balance_remaining"`
}

func (p *page) showPlayground() error {
	q := p.r.URL.Query()
	g := &playground{Target: strings.TrimSpace(q.Get("assistant"))}
	if g.Target == "" {
		g.Target = strings.TrimSpace(q.Get("model"))
	}
	return p.renderPlayground(http.StatusOK, g)
}

func (p *page) renderPlayground(status int, g *playground) error {
	var own List[Assistant]
	if err := p.get("/assistants?limit=100", &own); err != nil && codeOf(err) != elumenta.CodeForbidden { // a limited key lists nothing
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
	known, err := p.readTarget(g.Target)
	switch codeOf(err) {
	case "":
		g.Known = *known
	case elumenta.CodeNotFound:
		g.Missing = true
	case elumenta.CodeForbidden: // to ask it says what is wrong
	default:
		return err
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

// askOnce is the playground without a script: one question, one answer, nothing kept.
func (p *page) askOnce() error {
	f := p.r.PostForm
	g := &playground{Target: strings.TrimSpace(f.Get("target")), Asked: asked{
		Prompt: f.Get("prompt"), System: f.Get("system"), Temperature: strings.TrimSpace(f.Get("temperature")), MaxTokens: strings.TrimSpace(f.Get("max_tokens")),
		Variables: map[string]string{},
	}}
	if id, pin := splitTarget(g.Target); id == f.Get("of") { // its version and its variables, not those of another one
		if version := f.Get("version"); pin == "" && version != "" {
			g.Target = id + "@" + version
		}
		for name := range f {
			if variable, ok := strings.CutPrefix(name, "variable."); ok && f.Get(name) != "" {
				g.Asked.Variables[variable] = f.Get(name)
			}
		}
	}
	var a answered
	err := p.send(http.MethodPost, "/generate", g.request(), &a)
	if _, ok := fieldErrors(err); ok || err != nil && problemOf(err).Code != elumenta.CodeNotAuthenticated {
		g.Failure = problemOf(err)
		return p.renderPlayground(g.Failure.Status, g)
	}
	if err != nil {
		return err
	}
	g.Answer = &a
	return p.renderPlayground(http.StatusOK, g)
}

// request is the generate call for what was asked.
func (g *playground) request() map[string]any {
	r := map[string]any{"prompt": g.Asked.Prompt}
	if isAssistant(g.Target) {
		r["assistant_id"] = g.Target
	} else {
		r["model"] = g.Target
	}
	if len(g.Asked.Variables) > 0 {
		r["variables"] = g.Asked.Variables
	}
	if g.Asked.System != "" {
		r["system"] = g.Asked.System
	}
	for name, text := range map[string]string{"temperature": g.Asked.Temperature, "max_tokens": g.Asked.MaxTokens} {
		if text == "" {
			continue
		}
		if text = strings.ReplaceAll(text, ",", "."); json.Valid([]byte(text)) {
			r[name] = json.RawMessage(text)
		} else {
			r[name] = text // the API says what is wrong with it
		}
	}
	return r
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
