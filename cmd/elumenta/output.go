package main

import (
	"encoding/json"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"

	"golang.org/x/term"
)

func (p *program) printJSON(v any) error {
	e := json.NewEncoder(p.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (p *program) table(write func(w *tabwriter.Writer)) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	write(w)
	return w.Flush()
}

// printable replaces what could steer a terminal, and line breaks, which would break a table.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '·'
		}
		return r
	}, s)
}

// forTerminal drops what could steer a terminal and leaves the text's own lines and tabs.
func forTerminal(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || !unicode.IsControl(r) {
			return r
		}
		return -1
	}, s)
}

// printText prints a text of several lines: as it is, or for a terminal.
func (p *program) printText(text string) error {
	if isTerminal(p.stdout) {
		text = strings.TrimSuffix(forTerminal(text), "\n") + "\n"
	}
	_, err := p.stdout.WriteString(text)
	return err
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// colored reports whether a file takes colours: a terminal, and nobody said otherwise (https://no-color.org).
func (p *program) colored(f *os.File) bool {
	return isTerminal(f) && p.getenv("NO_COLOR") == "" && p.getenv("TERM") != "dumb"
}
