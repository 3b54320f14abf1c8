package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// shown is how many violations of one check are printed in full. The rest are counted.
const shown = 50

// report is what the checks found.
type report struct {
	counts     map[string]int64
	violations map[string][]string
	lines      []string // calls that were lost for a reason
}

func newReport() *report {
	return &report{counts: map[string]int64{}, violations: map[string][]string{}}
}

// count says how much a check has looked at.
func (f *report) count(check string, n int64) { f.counts[check] += n }

func (f *report) violate(check, format string, args ...any) {
	f.violations[check] = append(f.violations[check], fmt.Sprintf(format, args...))
}

func (f *report) failed() bool { return len(f.violations) > 0 }

// foundBy names the checks that failed.
func (f *report) foundBy() string { return strings.Join(slices.Sorted(maps.Keys(f.violations)), ", ") }

// since is a moment of the run.
func (c *checker) since(t time.Time) string {
	return fmt.Sprintf("%.2fs", t.Sub(c.run.start).Seconds())
}

// listLost lists each call that the provider finished and that is not charged, by what explains it.
func (c *checker) listLost() {
	total := len(c.leavers)
	for _, at := range slices.Sorted(maps.Keys(c.lost)) {
		i := c.run.record.incidents[at]
		where := "all nodes"
		if i.node >= 0 {
			where = fmt.Sprintf("node %d", i.node)
		}
		c.lines = append(c.lines, fmt.Sprintf("%s, %s, %s to %s: %s", i.kind, where, c.since(i.from), c.since(i.to), c.list(c.lost[at])))
		total += len(c.lost[at])
	}
	if len(c.leavers) > 0 {
		c.lines = append(c.lines, "clients that had left before their answer, and pay nothing: "+c.list(c.leavers))
	}
	charged := c.counts[checkCause]
	c.lines = append([]string{fmt.Sprintf("the provider finished %d calls, the ledger charged %d; %d finished and not charged, each in flight when", c.counts[checkLost], charged, total)}, c.lines...)
}

// list names calls by number and, where the ledger knows it, generation.
func (c *checker) list(calls []*provided) string {
	slices.SortFunc(calls, func(a, b *provided) int { return cmp.Compare(a.number, b.number) })
	names := make([]string, len(calls))
	for i, p := range calls {
		names[i] = fmt.Sprint(p.number)
		if g := c.books.byCall[p.number]; len(g) > 0 {
			names[i] += " " + g[0].id
		}
	}
	return strings.Join(names, ", ")
}

// write prints the report.
func (f *report) write(w io.Writer) {
	for _, line := range f.lines {
		_, _ = fmt.Fprintf(w, "  %s\n", line)
	}
	for _, c := range checks {
		result := "ok"
		switch n := len(f.violations[c.name]); {
		case n > 0:
			result = fmt.Sprintf("%d VIOLATIONS", n)
		case f.counts[c.name] == 0:
			result = "nothing to look at in this run"
		}
		_, _ = fmt.Fprintf(w, "  %-12s %7d  %s: %s\n", c.name, f.counts[c.name], c.means, result)
	}
	for _, c := range checks {
		for i, v := range f.violations[c.name] {
			if i == shown {
				_, _ = fmt.Fprintf(w, "VIOLATION %s: and %d more\n", c.name, len(f.violations[c.name])-shown)
				break
			}
			_, _ = fmt.Fprintf(w, "VIOLATION %s: %s\n", c.name, v)
		}
	}
}
