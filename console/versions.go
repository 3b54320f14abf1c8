package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/elumenta/elumenta"
)

func (c *Console) versionRoutes() {
	c.page("assistants/{id}/versions", func(p *page) error { return p.showVersions(nil) })
	c.form("assistants/{id}/labels", (*page).setLabel)
	c.page("assistants/{id}/labels/{label}/delete", (*page).confirmDeleteLabel)
	c.form("assistants/{id}/labels/{label}/delete", (*page).deleteLabel)
	c.page("assistants/{id}/versions/{n}", (*page).showVersion)
	c.form("assistants/{id}/versions/{n}/restore", (*page).restoreVersion)
	c.page("assistants/{id}/versions/{n}/withdraw", (*page).confirmWithdraw)
	c.form("assistants/{id}/versions/{n}/withdraw", (*page).withdrawVersion)
}

// diffLine is a line of a difference: added, removed, or there in both.
type diffLine struct {
	Kind     udiff.OpKind
	Old, New int // numbers, 0 for none
	Text     string
	Gap      bool // lines that are the same are left out before it
}

// diff is what differs between two texts, by lines, with three around each.
func diff(before, after string) (lines []diffLine) {
	unified, err := udiff.ToUnifiedDiff("", "", before, udiff.Lines(before, after), udiff.DefaultContextLines)
	if err != nil {
		return nil // the edits are of this text
	}
	for i, hunk := range unified.Hunks {
		was, is := hunk.FromLine, hunk.ToLine
		for j, l := range hunk.Lines {
			line := diffLine{Kind: l.Kind, Text: strings.TrimSuffix(l.Content, "\n"), Gap: i > 0 && j == 0}
			if l.Kind != udiff.Insert {
				line.Old = was
				was++
			}
			if l.Kind != udiff.Delete {
				line.New = is
				is++
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func (p *page) showVersions(errs map[string]string) error {
	a, err := p.readOwn()
	if err != nil {
		return err
	}
	path := assistantPath(a.ID) + "/versions?limit=50"
	if cursor := p.r.URL.Query().Get("cursor"); cursor != "" {
		path += "&cursor=" + queryEscape(cursor)
	}
	var versions List[Version]
	if err := p.get(path, &versions); err != nil {
		return err
	}
	var labels List[Label]
	if err := p.get(assistantPath(a.ID)+"/labels", &labels); err != nil {
		return err
	}
	status := http.StatusOK
	if errs != nil {
		status = http.StatusUnprocessableEntity
	}
	return p.renderStatus(status, "assistants", p.T("versions.title"), versionsPage(p, a, &versions, labels.Items, errs))
}

func (p *page) readVersion(a *Assistant, n int) (*Version, error) {
	var v Version
	if err := p.get(assistantPath(a.ID)+"/versions/"+strconv.Itoa(n), &v); err != nil {
		return nil, err
	}
	return &v, nil
}

// change is a setting that differs.
type change struct{ Field, Before, After string }

// changes are what differs between two states of an assistant.
type changes struct {
	Settings     []change
	Instructions []diffLine
}

// none reports whether nothing does.
func (c *changes) none() bool { return len(c.Settings)+len(c.Instructions) == 0 }

// compare tells what differs.
func compare(before, after *Fields) *changes {
	c := &changes{Instructions: diff(before.Instructions, after.Instructions)}
	for i, was := range before.settings() {
		if is := after.settings()[i]; was != is {
			c.Settings = append(c.Settings, change{settingNames[i], was, is})
		}
	}
	return c
}

// compared is a version beside another one.
type compared struct {
	Version, Other *Version
	*changes
}

// pathVersion reads the assistant and the version that the address names.
func (p *page) pathVersion() (*Assistant, *Version, error) {
	a, err := p.readOwn()
	if err != nil {
		return nil, nil, err
	}
	n, err := strconv.Atoi(p.r.PathValue("n"))
	if err != nil {
		return nil, nil, elumenta.NotFound("version")
	}
	v, err := p.readVersion(a, n)
	return a, v, err
}

func (p *page) showVersion() error {
	a, v, err := p.pathVersion()
	if err != nil {
		return err
	}
	with := a.Version
	if text := p.r.URL.Query().Get("with"); text != "" {
		if with, err = strconv.Atoi(text); err != nil {
			return elumenta.NotFound("version")
		}
	}
	other, err := p.readVersion(a, with)
	if err != nil {
		return err
	}
	c := &compared{Version: v, Other: other, changes: compare(&v.Fields, &other.Fields)}
	return p.render("assistants", p.T("versions.one", "n", v.Number), versionPage(p, a, c))
}

// settingNames are the settings that versions are compared by; each has a text own.NAME.
var settingNames = []string{"name", "model", "description", "category", "temperature", "max_tokens", "response_format", "variables", "metadata", "copyable"} //nolint:gochecknoglobals // a constant

// settings are what settingNames names, as text.
func (f *Fields) settings() []string {
	texts := []string{f.Name, f.Model, f.Description}
	for _, value := range []any{f.Category, f.Temperature, f.MaxTokens, f.ResponseFormat, f.Variables, f.Metadata, f.Copyable} {
		b, err := json.Marshal(value)
		if err != nil {
			b = fmt.Append(nil, err)
		}
		texts = append(texts, strings.Trim(strings.Replace(string(b), "null", "—", 1), `"`))
	}
	return texts
}

func (p *page) restoreVersion() error {
	err := p.send(http.MethodPost, assistantPath(p.r.PathValue("id"))+"/versions/"+p.r.PathValue("n")+"/restore", nil, nil)
	if err != nil {
		return err
	}
	return p.redirect(Base+"assistants/"+p.r.PathValue("id"), "restored")
}

// confirmWithdraw asks again: calls that pin the version fail.
func (p *page) confirmWithdraw() error {
	a, v, err := p.pathVersion()
	if err != nil {
		return err
	}
	return p.render("assistants", p.T("versions.withdraw"), askAgain(p, a, p.T("versions.withdraw_title", "n", v.Number), p.T("versions.withdraw_hint"),
		p.T("versions.withdraw"), versionAddress(a, v.Number)))
}

func (p *page) withdrawVersion() error {
	err := p.send(http.MethodDelete, assistantPath(p.r.PathValue("id"))+"/versions/"+p.r.PathValue("n"), nil, nil)
	if err != nil {
		return err
	}
	return p.redirect(Base+"assistants/"+p.r.PathValue("id")+"/versions", "withdrawn")
}
