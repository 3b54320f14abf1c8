package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/aymanbagabas/go-udiff/lcs"

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

// Bounds of a difference on a page: all of two long texts in short lines made one of 35 MB, and took several times that to render.
const (
	maxDiffLines = 2000
	maxDiffText  = 1 << 20 // bytes
)

// textDiff is what differs between two texts.
type textDiff struct {
	Lines []diffLine
	Cut   bool // there are more lines than these
}

// none reports whether nothing differs.
func (d *textDiff) none() bool { return len(d.Lines) == 0 && !d.Cut }

// diff is what differs between two texts, by lines, as far as a page shows it.
func diff(before, after string) (d textDiff) {
	was, is := splitLines(before), splitLines(after)
	size := 0
	for _, r := range runs(was, is) {
		for i := range r.lines {
			line := r.line(i, was, is)
			if size += len(line.Text); len(d.Lines) == maxDiffLines || size > maxDiffText {
				d.Cut = true
				return d
			}
			d.Lines = append(d.Lines, line)
		}
	}
	return d
}

// splitLines are the lines of a text, each with its line break: a last one without differs from one with.
func splitLines(text string) []string {
	split := strings.SplitAfter(text, "\n")
	if last := len(split) - 1; split[last] == "" {
		return split[:last]
	}
	return split
}

// run is lines one after the other of which the same has become.
type run struct {
	kind            udiff.OpKind
	old, new, lines int // where they begin in either text, and how many they are
	gap             bool
}

// line is the diffLine of one of the run's.
func (r *run) line(i int, was, is []string) (line diffLine) {
	line.Kind, line.Gap = r.kind, r.gap && i == 0
	if r.kind != udiff.Insert {
		line.Old, line.Text = r.old+i+1, was[r.old+i]
	}
	if r.kind != udiff.Delete {
		line.New, line.Text = r.new+i+1, is[r.new+i]
	}
	line.Text = strings.TrimSuffix(line.Text, "\n")
	return line
}

// runs are the lines that differ, with some around them. DiffLines gives up looking for the fewest after a hundred differences, which
// bounds its time and memory, and how many runs there are.
func runs(was, is []string) (list []run) {
	edits, next := lcs.DiffLines(was, is), 0 // the first line of was that is in no run yet
	for i, e := range edits {
		from := max(next, e.Start-udiff.DefaultContextLines)
		end := min(len(was), e.End+udiff.DefaultContextLines)
		if i+1 < len(edits) {
			end = min(end, edits[i+1].Start)
		}
		list = append(list,
			run{kind: udiff.Equal, old: from, new: from + e.ReplStart - e.Start, lines: e.Start - from, gap: i > 0 && from > next},
			run{kind: udiff.Delete, old: e.Start, lines: e.End - e.Start},
			run{kind: udiff.Insert, new: e.ReplStart, lines: e.ReplEnd - e.ReplStart},
			run{kind: udiff.Equal, old: e.End, new: e.ReplEnd, lines: end - e.End})
		next = end
	}
	return list
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
	Instructions textDiff
}

// none reports whether nothing does.
func (c *changes) none() bool { return len(c.Settings) == 0 && c.Instructions.none() }

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
	if err = gone(err); err != nil {
		return err
	}
	return p.redirect(Base+"assistants/"+p.r.PathValue("id")+"/versions", "withdrawn")
}
