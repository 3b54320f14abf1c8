package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/assistantfile"
)

// labels are the labels of an assistant.
func (r *remote) labels(ctx context.Context, id string) (map[string][]elumenta.LabelShare, error) {
	var list struct {
		Items []struct {
			Label string
			Split []elumenta.LabelShare
		}
	}
	if err := r.call(ctx, http.MethodGet, labelsPath(id), nil, &list); err != nil {
		return nil, err
	}
	labels := make(map[string][]elumenta.LabelShare, len(list.Items))
	for _, l := range list.Items {
		if len(l.Split) == 1 {
			l.Split[0].Weight = 1 // all of its calls, whatever the number
		}
		labels[l.Label] = l.Split
	}
	return labels, nil
}

func labelsPath(id string) string { return assistantsPath + "/" + id + "/labels" }

// labelChanges is what happens to an assistant's labels.
type labelChanges struct {
	set     map[string][]elumenta.LabelShare
	deleted []string
	lost    []string // whose versions a shortened history does not have any more
}

func (c *labelChanges) any() bool { return len(c.set)+len(c.deleted) > 0 }

// about names them.
func (c *labelChanges) about() (about []string) {
	for _, name := range slices.Sorted(maps.Keys(c.set)) {
		to := make([]string, len(c.set[name]))
		for i, s := range c.set[name] {
			if to[i] = strconv.Itoa(s.Version); len(to) > 1 {
				to[i] = fmt.Sprintf("%d (weight %d)", s.Version, s.Weight)
			}
		}
		about = append(about, "label "+name+" to version "+strings.Join(to, " and "))
	}
	for _, name := range c.deleted {
		about = append(about, "label "+name+" deleted")
	}
	for _, name := range c.lost {
		about = append(about, "label "+name+" left out: the history is too long for the server, and loses its version")
	}
	return about
}

// labelSteps finds what the file says of labels and the server does not have, and checks that their versions are there or come with the change.
func (pl *planner) labelSteps(ctx context.Context, s *step) error {
	if s.want.Labels == nil {
		return nil
	}
	var had map[string][]elumenta.LabelShare
	if s.have != nil {
		var err error
		if had, err = pl.labels(ctx, s.have.ID); err != nil {
			return err
		}
	}
	for name, split := range s.want.Labels {
		if slices.Equal(had[name], split) {
			continue
		}
		if s.labels.set == nil {
			s.labels.set = map[string][]elumenta.LabelShare{}
		}
		s.labels.set[name] = split
	}
	for name := range had {
		if _, kept := s.want.Labels[name]; !kept {
			s.labels.deleted = append(s.labels.deleted, name)
		}
	}
	slices.Sort(s.labels.deleted)
	if len(s.labels.set) == 0 {
		return nil
	}
	versions, shortened, err := pl.versionsAfter(ctx, s)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(s.labels.set)) {
		missing := slices.IndexFunc(s.labels.set[name], func(l elumenta.LabelShare) bool { return !versions[l.Version] })
		switch {
		case missing < 0:
		case shortened:
			s.labels.lost = append(s.labels.lost, name)
			delete(s.labels.set, name)
		default:
			line, column := s.want.Where("labels." + name)
			pl.problems = append(pl.problems, assistantfile.Problem{File: s.want.source, Line: line, Column: column, Message: fmt.Sprintf(
				"labels.%s names version %d, which is not saved", name, s.labels.set[name][missing].Version)})
		}
	}
	return nil
}

// versionsAfter are the numbers of the versions that an assistant has once the rest of a step is done, and whether a history was shortened
// for that. Of one that is numbered anew none keeps its number.
func (pl *planner) versionsAfter(ctx context.Context, s *step) (numbers map[int]bool, shortened bool, err error) {
	numbers = map[int]bool{}
	if s.have == nil {
		body, dropped, err := imported(pl.root, s.want)
		if err != nil || body.renumbered {
			return numbers, true, err
		}
		for _, v := range body.Versions {
			if n, ok := v["version"].(int); ok {
				numbers[n] = true
			}
		}
		return numbers, dropped > 0, nil
	}
	saved, err := pl.versions(ctx, s.have.ID, s.have.Version)
	if err != nil {
		return nil, false, err
	}
	for i := range saved {
		numbers[saved[i].Version] = true
	}
	if len(s.changed) > 0 {
		numbers[s.have.Version+1] = true
	}
	return numbers, false, nil
}

// label does what a step says of labels. Deleting comes first, since their number is limited.
func (a *applier) label(ctx context.Context, id string, c *labelChanges) error {
	for _, name := range c.deleted {
		if err := a.call(ctx, http.MethodDelete, labelsPath(id)+"/"+name, nil, nil); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.set)) {
		if err := a.call(ctx, http.MethodPut, labelsPath(id)+"/"+name, map[string]any{"split": c.set[name]}, nil); err != nil {
			return err
		}
	}
	return nil
}
