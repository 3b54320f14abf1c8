package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/assistantfile"
)

// stepKind is what a step of a plan does.
type stepKind int

const (
	stepCreate stepKind = iota
	stepUpdate
	stepDelete
	stepSame
	stepOlder    // the server has a newer version, and the file is as it was exported: nothing is done
	stepConflict // both have changed: nothing is done
)

// step is what a plan does with one assistant.
type step struct {
	kind    stepKind
	want    *wanted // nil for one that is deleted
	have    *saved  // nil for a new one
	changed map[string]any
	labels  labelChanges
	history int // how many versions a new one comes with
	about   []string
	behind  bool // the server has what the file says, as another version than the file says
}

// plan is what would be done, in the order in which it is done.
type plan struct {
	steps []step
	count map[stepKind]int
	had   map[string]bool // ids that the account had
}

// planner compares what is wanted with what the account has. Nothing is changed by it.
type planner struct {
	*remote
	root         *os.Root // nil if what is wanted does not come from a folder of files
	force, prune bool
	problems     assistantfile.Problems
}

// plan finds every step; everything that is wrong is an error.
func (pl *planner) plan(ctx context.Context, all []wanted, have []saved, catalog []string) (*plan, error) {
	pairs, problems := match(all, have)
	pl.problems = append(pl.problems, problems...)
	var steps []step
	kept := map[string]bool{}
	for i := range all {
		s, err := pl.step(ctx, &all[i], pairs[i])
		if err != nil {
			return nil, err
		}
		pl.checkModel(&s, catalog)
		steps = append(steps, s)
		if pairs[i] != nil {
			kept[pairs[i].ID] = true
		}
	}
	if pl.prune {
		for i := range have {
			if kept[have[i].ID] {
				continue
			}
			s, err := pl.deletion(ctx, &have[i])
			if err != nil {
				return nil, err
			}
			steps = append(steps, s)
		}
	}
	if len(pl.problems) > 0 {
		return nil, pl.problems
	}
	slices.SortStableFunc(steps, inOrder)
	p := &plan{steps, map[stepKind]int{}, map[string]bool{}}
	for i := range have {
		p.had[have[i].ID] = true
	}
	for _, s := range steps {
		p.count[s.kind]++
	}
	return p, nil
}

// inOrder is the order in which steps are done. New assistants are made in the order in which they once were: by their ids.
func inOrder(a, b step) int {
	if a.kind != stepCreate || b.kind != stepCreate {
		return cmp.Compare(a.kind, b.kind)
	}
	return cmp.Or(-cmp.Compare(len(a.want.ID), len(b.want.ID)), cmp.Compare(a.want.ID, b.want.ID))
}

func (pl *planner) step(ctx context.Context, w *wanted, have *saved) (step, error) {
	s := step{kind: stepCreate, want: w, have: have}
	if have == nil {
		if w.entry != nil {
			s.history = len(w.entry.Versions)
		}
		err := pl.labelSteps(ctx, &s)
		s.about = s.labels.about()
		return s, err
	}
	before := have.file()
	var err error
	if s.changed, err = changes(w.Assistant, before); err != nil {
		return s, err
	}
	known := string(w.ID) == have.ID && w.Version > 0
	s.kind = stepSame
	if len(s.changed) > 0 {
		s.kind, s.about = stepUpdate, describe(s.changed, w.Assistant, before)
		if known && w.Version < have.Version {
			if err = pl.compare(ctx, &s); err != nil || s.kind != stepUpdate {
				return s, err // passed over, with its labels
			}
		}
	}
	if err = pl.labelSteps(ctx, &s); err != nil {
		return s, err
	}
	if s.labels.any() {
		s.kind, s.about = stepUpdate, append(s.about, s.labels.about()...)
	}
	s.behind = len(s.changed) == 0 && w.entry != nil && known && w.Version != have.Version
	return s, nil
}

// compare looks whether the file has changed, too, where the server has a newer version than the file came from.
func (pl *planner) compare(ctx context.Context, s *step) error {
	base, err := pl.version(ctx, s.have.ID, s.want.Version)
	if err != nil {
		return err
	}
	newer := fmt.Sprintf("the server has version %d, the file is from version %d", s.have.Version, s.want.Version)
	kind := stepConflict
	if base != nil {
		then := &assistantfile.Assistant{Visibility: elumenta.Private, Fields: base.fields()}
		switch {
		case s.have.TakenDown != nil: // which hides all versions
			then.Visibility = s.want.Visibility
		case base.Public:
			then.Visibility = elumenta.Marketplace
		}
		own, err := changes(s.want.Assistant, then)
		if err != nil {
			return err
		}
		if len(own) == 0 {
			kind = stepOlder
		}
	}
	if pl.force {
		s.about = append(s.about, newer)
		return nil
	}
	s.kind = kind
	s.about = []string{newer + ", and both have changed: export it elsewhere and merge, or give --force"}
	if kind == stepOlder {
		s.about = []string{newer + " and has not changed since: export brings the newer one, --force puts this one in its place"}
	}
	return nil
}

func (pl *planner) checkModel(s *step, catalog []string) {
	_, changed := s.changed["model"]
	if s.kind != stepCreate && !changed || slices.Contains(catalog, s.want.Model) {
		return
	}
	line, column := s.want.Where("model")
	if s.want.entry == nil {
		line, column = 0, 0
	}
	pl.problems = append(pl.problems, assistantfile.Problem{File: s.want.source, Line: line, Column: column, Message: fmt.Sprintf(
		"model %q is not in this server's catalog, which has %s", s.want.Model, strings.Join(catalog, ", "))})
}

func (pl *planner) deletion(ctx context.Context, have *saved) (step, error) {
	s := step{kind: stepDelete, have: have, about: []string{"all versions"}}
	if have.Visibility != string(elumenta.Marketplace) {
		return s, nil
	}
	uses, err := pl.uses(ctx, have)
	if err != nil {
		return s, err
	}
	about := "published"
	if uses >= 0 {
		about = fmt.Sprintf("published, used %d times by other accounts", uses)
	}
	s.about = append(s.about, about)
	return s, nil
}

// describe names what changes.
func describe(changed map[string]any, after, before *assistantfile.Assistant) (about []string) {
	for _, name := range settingNames {
		if _, ok := changed[name]; !ok {
			continue
		}
		switch name {
		case "instructions":
			added, removed := lineChanges(string(before.Instructions), string(after.Instructions))
			about = append(about, fmt.Sprintf("instructions (+%d −%d lines)", added, removed))
		case "visibility":
			about = append(about, map[elumenta.Visibility]string{elumenta.Private: "unpublished", elumenta.Marketplace: "published"}[after.Visibility])
		default:
			about = append(about, name)
		}
	}
	return about
}

// lineChanges counts the lines that only one of two texts has. Lines that moved are in both.
func lineChanges(before, after string) (added, removed int) {
	count := map[string]int{}
	for line := range strings.Lines(before) {
		count[line]++
	}
	for line := range strings.Lines(after) {
		if count[line] > 0 {
			count[line]--
		} else {
			added++
		}
	}
	for _, n := range count {
		removed += n
	}
	return added, removed
}

// changes reports whether there is anything to do.
func (p *plan) changes() bool {
	return p.count[stepCreate]+p.count[stepUpdate]+p.count[stepDelete] > 0
}

// print shows the plan.
func (p *plan) print(out *program) error {
	var b strings.Builder
	for _, s := range p.steps {
		s.print(&b)
	}
	fmt.Fprintf(&b, "%d to create, %d to update, %d to delete, %d unchanged", p.count[stepCreate], p.count[stepUpdate], p.count[stepDelete], p.count[stepSame])
	for kind, text := range map[stepKind]string{stepOlder: "%d newer on the server", stepConflict: "%d in conflict"} {
		if n := p.count[kind]; n > 0 {
			fmt.Fprintf(&b, ", "+text, n)
		}
	}
	_, err := fmt.Fprintln(out.stdout, b.String())
	return err
}

func (s *step) print(b *strings.Builder) {
	verb, ok := map[stepKind]string{
		stepCreate: "+ create  ", stepUpdate: "~ update  ", stepDelete: "- delete  ", stepOlder: "< older   ", stepConflict: "! conflict",
	}[s.kind]
	if !ok {
		return
	}
	var name, source string
	if s.want != nil {
		name, source = s.want.Name, s.want.source
	} else {
		name, source = s.have.Name, s.have.ID
	}
	fmt.Fprintf(b, "%s %s (%s)", verb, printable(name), printable(source))
	about := s.about
	if s.history > 0 {
		about = append(about, "with "+plural(s.history, "version"))
	}
	if s.kind == stepCreate && s.want.Visibility == elumenta.Marketplace {
		about = append(about, "published")
	}
	if len(about) > 0 {
		b.WriteString(": " + strings.Join(about, ", "))
	}
	b.WriteByte('\n')
	if s.want != nil && s.kind != stepSame {
		for _, note := range s.want.notes {
			b.WriteString("    " + printable(note) + "\n")
		}
	}
}

// importBody is a new assistant with its history, the oldest version first. The last is the newest.
type importBody struct {
	Visibility elumenta.Visibility `json:"visibility"`
	Versions   []map[string]any    `json:"versions"`
	fields     []*elumenta.Fields  // of the versions
	renumbered bool
}

// newImport is the history, and what the file has beyond it as a further version.
func newImport(w *wanted, history []assistantfile.Version) (*importBody, error) {
	body := &importBody{Visibility: w.Visibility}
	number := 0
	current := false // the last version is what the file has
	for i := range history {
		v := &history[i]
		number = v.Version.Version
		body.Versions = append(body.Versions, versionBody(v))
		body.fields = append(body.fields, &v.Fields)
		if i+1 < len(history) {
			continue
		}
		changed, err := changes(w.Assistant, &assistantfile.Assistant{Visibility: w.Visibility, Fields: v.Fields})
		if err != nil {
			return nil, err
		}
		current = len(changed) == 0 && (v.Public || w.Visibility == elumenta.Private)
	}
	if !current {
		last := bodyOf(&w.Fields)
		last["version"] = number + 1
		if w.Note != "" {
			last["note"] = w.Note
		}
		body.Versions = append(body.Versions, last)
		body.fields = append(body.fields, &w.Fields)
	}
	return body, nil
}

func versionBody(v *assistantfile.Version) map[string]any {
	body := bodyOf(&v.Fields)
	body["version"], body["created_at"], body["public"] = v.Version.Version, v.CreatedAt, v.Public
	if v.Note != "" {
		body["note"] = v.Note
	}
	return body
}

// largestImport is the server's default limit for the body of an import.
const largestImport = 20 << 20

// fit leaves out the oldest versions until the server takes the others and the body fits into one call, and returns how many
// that were. Numbers that are too high begin anew.
func (b *importBody) fit() (dropped int, err error) {
	size := 200
	sizes := make([]int, len(b.Versions))
	for i, v := range b.Versions {
		raw, err := json.Marshal(v)
		if err != nil {
			return 0, fmt.Errorf("encode a version: %w", err)
		}
		sizes[i] = len(raw) + 1
		size += sizes[i]
	}
	least := b.surplus()
	for ; (size > largestImport || dropped < least) && dropped+1 < len(b.Versions); dropped++ {
		size -= sizes[dropped]
	}
	b.Versions = b.Versions[dropped:]
	if last, _ := b.Versions[len(b.Versions)-1]["version"].(int); last > elumenta.MaxVersionNumber {
		b.renumbered = true
		for i, v := range b.Versions {
			v["version"] = i + 1
		}
	}
	return dropped, nil
}

// surplus is how many of the oldest versions are more than the server takes. Those that change nothing but visibility hardly
// count.
func (b *importBody) surplus() int {
	changes := 0
	for i, fields := range slices.Backward(b.fields) {
		if i+1 == len(b.fields) || !fields.Equal(*b.fields[i+1]) {
			changes++
		}
		if changes > elumenta.MaxVersions || len(b.fields)-i > elumenta.MaxHistory {
			return i + 1
		}
	}
	return 0
}
