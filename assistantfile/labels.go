package assistantfile

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/elumenta/elumenta"
)

// labels reads names for versions: a number, or a list of versions and their weights. Null says nothing of labels, {} that there are none.
func (d *decoder) labels(n node) map[string][]elumenta.LabelShare {
	if _, null := n.Node.(*ast.NullNode); null {
		return nil
	}
	labels := map[string][]elumenta.LabelShare{}
	d.object(n, func(name string, n node) {
		var split []elumenta.LabelShare
		_, listed := n.Node.(*ast.SequenceNode)
		switch {
		case listed:
			d.list(n, func(n node) { split = append(split, d.share(n)) })
		default:
			if i := d.integer(n); i != nil {
				split = []elumenta.LabelShare{{Version: *i, Weight: 1}}
			}
		}
		labels[name] = ordered(split)
		switch {
		case !elumenta.ValidLabel(name):
			d.wrong(n.field, "is not a label: it has 1 to 32 characters of a-z, 0-9 and -, the first one a letter")
		case !d.failedWithin(n.field):
			for _, e := range elumenta.CheckSplit(split) {
				field := n.field
				if listed {
					field += strings.TrimPrefix(e.Field, "split")
				}
				d.wrong(field, "%s", e.Reason)
			}
		}
	})
	if len(labels) > elumenta.MaxLabels {
		d.wrong(n.field, "must be at most %d", elumenta.MaxLabels)
	}
	return labels
}

// failedWithin reports whether a setting or a part of it was not understood.
func (d *decoder) failedWithin(field string) bool {
	for failed := range d.failed {
		if elumenta.Within(failed, field) {
			return true
		}
	}
	return false
}

func (d *decoder) share(n node) (s elumenta.LabelShare) {
	s.Weight = 1
	d.object(n, func(key string, n node) {
		into := map[string]*int{"version": &s.Version, "weight": &s.Weight}[key]
		if into == nil {
			d.wrong(n.field, "is not known: a label's part has version and weight")
		} else if i := d.integer(n); i != nil {
			*into = *i
		}
	})
	return s
}

// ordered is a split as a server keeps it: the lowest version first, and the weight of a single one is 1.
func ordered(split []elumenta.LabelShare) []elumenta.LabelShare {
	split = slices.SortedFunc(slices.Values(split), func(a, b elumenta.LabelShare) int { return cmp.Compare(a.Version, b.Version) })
	if len(split) == 1 {
		split[0].Weight = 1
	}
	return split
}

// labels writes them in the order of their names.
func (w *writer) labels(labels map[string][]elumenta.LabelShare) {
	switch {
	case labels == nil:
		return
	case len(labels) == 0:
		w.line("labels", "{}")
		return
	}
	w.WriteString("labels:\n")
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		split := labels[label]
		if len(split) == 1 {
			w.line("  "+name(label), strconv.Itoa(split[0].Version))
			continue
		}
		w.WriteString("  " + name(label) + ":\n")
		for _, s := range split {
			w.line("    - version", strconv.Itoa(s.Version))
			w.line("      weight", strconv.Itoa(s.Weight))
		}
	}
}
