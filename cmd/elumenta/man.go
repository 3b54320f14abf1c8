package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// manCommand is for the build of a release, which ships what it prints.
type manCommand struct{}

// Help shows an example.
func (manCommand) Help() string {
	return `Example:
  elumenta man > elumenta.1`
}

// Run prints the page.
func (manCommand) Run(p *program) error {
	m := &manPage{}
	m.write(p.parser.Model)
	_, err := p.stdout.WriteString(m.b.String())
	return err
}

// manPage makes a page for man(1) of what --help says: of all commands, in the order of the program's own help.
type manPage struct {
	b   strings.Builder
	env []*kong.Flag // those that a variable sets, each variable once
}

func (m *manPage) write(app *kong.Application) {
	summary, description, _ := strings.Cut(app.Help, "\n\n")
	m.line(`.TH %s 1 "" "%s %s"`, strings.ToUpper(app.Name), app.Name, roff(version))
	m.line(".nh\n.ad l") // a name that is broken at the end of a line cannot be copied
	m.line(".SH NAME")
	m.line(`%s \- %s`, app.Name, roff(strings.TrimSuffix(summary, ".")))
	m.line(".SH SYNOPSIS")
	m.line(`.B %s`, app.Name)
	m.line(`.RI < command >`)
	m.line(`.RI [ flags ]`)
	m.line(".SH DESCRIPTION")
	m.prose(description)
	m.line(".SH COMMANDS")
	m.line("Every command has the flag")
	m.line(`.BR \-h ", " \-\-help .`)
	m.commands(app.Node)
	m.line(".SH ENVIRONMENT")
	m.line("A flag stands above its variable, and a variable above the configuration file.")
	for _, f := range m.env {
		m.term(`.B %s`, f.Envs[0])
		m.line("The same as")
		m.line(`.BR %s .`, roff("--"+f.Name))
	}
}

func (m *manPage) commands(n *kong.Node) {
	for _, child := range n.Children {
		if child.Hidden || child.Type != kong.CommandNode {
			continue
		}
		m.command(child)
		m.commands(child)
	}
}

func (m *manPage) command(n *kong.Node) {
	m.line(".SS %s", roff(n.Summary()))
	m.prose(n.Help)
	for _, a := range n.Positional {
		m.term(`.I %s`, roff(a.Summary()))
		m.prose(a.Help)
	}
	for _, f := range n.Flags {
		if f.Hidden || f.Name == "help" {
			continue
		}
		m.flag(f)
		m.prose(f.Help)
	}
	if n.Detail != "" {
		m.line(".PP")
		m.prose(n.Detail)
	}
}

func (m *manPage) flag(f *kong.Flag) {
	name := roff("--" + f.Name)
	if f.Short != 0 {
		name = roff("-"+string(f.Short)) + `\fR, \fB` + name
	}
	value := ""
	if !f.IsBool() {
		value = `\fR=\fI` + roff(f.FormatPlaceHolder())
	}
	m.term(`\fB%s%s\fR`, name, value)
	if len(f.Envs) > 0 && !m.hasEnv(f.Envs[0]) {
		m.env = append(m.env, f)
	}
}

func (m *manPage) hasEnv(name string) bool {
	for _, f := range m.env {
		if f.Envs[0] == name {
			return true
		}
	}
	return false
}

// prose sets text as --help has it: paragraphs are apart by an empty line, and indented lines are examples.
func (m *manPage) prose(text string) {
	example, apart := false, false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if indented := strings.HasPrefix(line, "  "); indented != example && line != "" {
			if indented {
				m.line(".PP\n.RS 4\n.EX")
			} else {
				m.line(".EE\n.RE\n.PP")
			}
			example, apart = indented, false
		}
		if line == "" {
			apart = true
			continue
		}
		if apart {
			m.line(map[bool]string{true: "", false: ".PP"}[example])
			apart = false
		}
		m.line("%s", roff(strings.TrimPrefix(line, "  ")))
	}
	if example {
		m.line(".EE\n.RE")
	}
}

// term begins a paragraph whose term stands outside of its text.
func (m *manPage) term(format string, args ...any) { m.line(".TP\n"+format, args...) }

func (m *manPage) line(format string, args ...any) { fmt.Fprintf(&m.b, format+"\n", args...) }

// roff writes text so that troff takes none of it for a request, and keeps hyphens as the ASCII that a shell wants.
func roff(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == '\\':
			b.WriteString(`\e`)
		case r == '-':
			b.WriteString(`\-`)
		case (r == '.' || r == '\'') && i == 0:
			b.WriteString(`\&` + string(r))
		case r == '\'':
			b.WriteString(`\(aq`)
		case r == '`':
			b.WriteString(`\(ga`)
		case r == '^':
			b.WriteString(`\(ha`)
		case r == '~':
			b.WriteString(`\(ti`)
		case r == '"':
			b.WriteString(`\(dq`)
		case r > '~':
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
