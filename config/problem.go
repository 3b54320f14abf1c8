package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxProblems bounds how many mistakes one report lists.
const maxProblems = 100

// Problem is one mistake and where it is. It never quotes a credential.
type Problem struct {
	// Source is the file's path, or the flag or environment variable that was wrong.
	Source string
	// Line counts from 1; zero where there is none: a flag, an environment variable.
	Line int
	// Key is the path of the setting, such as models[2].token_cost; empty for a mistake of syntax.
	Key string
	// Reason reads on from the key and says what to do.
	Reason string
}

// String gives "FILE:LINE: KEY REASON".
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.Source)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": ")
	if p.Key != "" {
		b.WriteString(p.Key + " ")
	}
	b.WriteString(p.Reason)
	return b.String()
}

// Problems are all mistakes of a configuration, in the order of their lines.
type Problems []Problem

// Error lists the mistakes, one a line.
func (p Problems) Error() string {
	lines := make([]string, 0, min(len(p), maxProblems)+1)
	for _, problem := range p[:min(len(p), maxProblems)] {
		lines = append(lines, problem.String())
	}
	if n := len(p) - maxProblems; n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(lines, "\n")
}

func (p Problems) sorted() Problems {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Line, b.Line))
	})
	return p
}
