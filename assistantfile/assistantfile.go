// Package assistantfile reads and writes assistants as files: settings in YAML between two lines of ---, below them the
// instructions, byte for byte. docs/files.md describes the format.
package assistantfile

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/elumenta/elumenta"
)

// Limits of a file. They hold every assistant that the server takes, even where all of it is written as escapes, with room for
// comments.
const (
	// MaxFile is the size of a file in bytes, the same as the body of a call that saves an assistant.
	MaxFile = 4 << 20
	// MaxSettings is the size of the settings in bytes.
	MaxSettings = 3 << 20
	// maxTokens and maxNesting bound what the YAML parser is given: beyond them it takes seconds.
	maxTokens  = 50_000
	maxNesting = 64
)

// Assistant is an assistant as a file holds it.
type Assistant struct {
	// ID is empty for one that no server has made yet.
	ID         elumenta.AssistantID
	Visibility elumenta.Visibility
	// Version is the newest version that the server had when the file was written, 0 if that is not known.
	Version int
	// Note is the line of that version in the list of versions.
	Note string
	// Labels are names for versions, nil where the file says nothing of them. A label of one version has the weight 1.
	Labels map[string][]elumenta.LabelShare
	elumenta.Fields
	at        places
	versionAt place // where the number stands
}

// Version is a saved version of an assistant as a file holds it.
type Version struct {
	elumenta.Version
	at places
}

// Where says in which line and column of its file a setting stands, by the name that field errors use. What stands nowhere
// is at the first line, column 0.
func (a *Assistant) Where(field string) (line, column int) { return a.at.find(field) }

// Where is Assistant.Where.
func (v *Version) Where(field string) (line, column int) { return v.at.find(field) }

// places are where settings stand.
type places map[string]place

type place struct{ line, column int }

// find looks for a setting, or else for the one that it is a part of.
func (p places) find(field string) (line, column int) {
	for field != "" {
		if at, ok := p[field]; ok {
			return at.line, at.column
		}
		field = field[:max(strings.LastIndexAny(field, ".["), 0)]
	}
	return 1, 0
}

// Problem is one mistake in a file.
type Problem struct {
	File string
	// Line and Column count from 1; 0 is not known.
	Line, Column int
	Message      string
}

// String is FILE:LINE:COLUMN: MESSAGE on one line, as compilers write it. A file's name and what stands in it may be a
// stranger's: what a terminal would obey is replaced.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	for _, n := range []int{p.Line, p.Column} {
		if n == 0 {
			break
		}
		fmt.Fprintf(&b, ":%d", n)
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) && r != '\t' {
			return '·'
		}
		return r
	}, b.String()+": "+p.Message)
}

// Problems is an error that names every mistake.
type Problems []Problem

// Error has one problem a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}

func (p *Problems) add(file string, line, column int, format string, args ...any) {
	*p = append(*p, Problem{file, line, column, fmt.Sprintf(format, args...)})
}

// err is the problems in the order of their lines, nil if there are none.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	slices.SortStableFunc(p, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return p
}

// Parse reads an assistant and checks it as the server would, but for its model, which must be in the server's catalog.
// file names it in errors, which are Problems.
func Parse(file string, b []byte) (*Assistant, error) {
	a := &Assistant{Visibility: elumenta.Private}
	d := decoder{file: file, at: places{}}
	d.read(b, &a.Fields, map[string]func(node){
		"id":         func(n node) { a.ID = d.assistantID(n) },
		"visibility": func(n node) { a.Visibility = elumenta.Visibility(d.text(n)) },
		"version":    func(n node) { a.Version, a.versionAt = d.versionNumber(n), placeOf(n) },
		"note":       func(n node) { a.Note = d.text(n) },
		"labels":     func(n node) { a.Labels = d.labels(n) },
	})
	if d.unreadable {
		return nil, d.problems.err()
	}
	d.check(&a.Fields, a.Visibility, a.Note)
	if err := d.problems.err(); err != nil {
		return nil, err
	}
	a.at = d.at
	return a, nil
}

// WithVersion returns the file of an assistant that has a version with another one, and all else of it byte for byte.
func WithVersion(file string, b []byte, version int) ([]byte, error) {
	a, err := Parse(file, b)
	if err != nil {
		return nil, err
	}
	lines := bytes.SplitAfter(b, []byte("\n"))
	at := a.versionAt
	if at.line > 0 && at.line <= len(lines) {
		line := []rune(string(lines[at.line-1]))
		before, number := string(line[:min(at.column-1, len(line))]), strconv.Itoa(a.Version)
		if after, ok := bytes.CutPrefix(lines[at.line-1][len(before):], []byte(number)); ok {
			lines[at.line-1] = append([]byte(before+strconv.Itoa(version)), after...)
		}
	}
	changed := bytes.Join(lines, nil)
	if now, err := Parse(file, changed); err != nil || now.Version != version {
		var problems Problems
		line, column := a.Where("version")
		problems.add(file, line, column, "version cannot be raised: write it on a line of its own, as version: %d", version)
		return nil, problems
	}
	return changed, nil
}

// ParseVersion reads a saved version and checks it, as Parse does.
func ParseVersion(file string, b []byte) (*Version, error) {
	v := new(Version)
	d := decoder{file: file, at: places{}}
	d.read(b, &v.Fields, map[string]func(node){
		"version":    func(n node) { v.Version.Version = d.versionNumber(n) },
		"note":       func(n node) { v.Note = d.text(n) },
		"created_at": func(n node) { v.CreatedAt = d.time(n) },
		"public":     func(n node) { v.Public = d.boolean(n) },
	})
	if d.unreadable {
		return nil, d.problems.err()
	}
	visibility := elumenta.Private
	if v.Public {
		visibility = elumenta.Marketplace
	}
	d.check(&v.Fields, visibility, v.Note)
	if v.Version.Version == 0 && !d.failed["version"] {
		d.wrong("version", "is required: the number of the version")
	}
	if v.CreatedAt.IsZero() && !d.failed["created_at"] {
		d.wrong("created_at", "is required, such as 2026-01-31T12:00:00Z")
	}
	if err := d.problems.err(); err != nil {
		return nil, err
	}
	v.at = d.at
	return v, nil
}

// timeFormat keeps what the server keeps of a time.
const timeFormat = time.RFC3339Nano
