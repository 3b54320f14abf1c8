package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// completeCommand is what the scripts call: the words of the command line behind the program's name, the last one being
// completed.
const completeCommand = "__complete"

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help shows examples.
func (completionCommand) Help() string {
	return `Examples:
  bash: echo 'source <(elumenta completion bash)' >> ~/.bashrc
  zsh:  echo 'source <(elumenta completion zsh)' >> ~/.zshrc
  fish: elumenta completion fish > ~/.config/fish/completions/elumenta.fish`
}

// The scripts leave file names to the shell wherever the program has nothing to offer.
var completionScripts = map[string]string{
	"bash": `_elumenta() {
  local IFS=$'\n'
  COMPREPLY=($(elumenta ` + completeCommand + ` "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _elumenta elumenta
`,
	"zsh": `#compdef elumenta
_elumenta() {
  local -a candidates
  candidates=(${(f)"$(elumenta ` + completeCommand + ` "${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( $#candidates )); then compadd -a candidates; else _files; fi
}
if [ "$funcstack[1]" = "_elumenta" ]; then _elumenta "$@"; else compdef _elumenta elumenta; fi
`,
	"fish": `function __elumenta_complete
  set -l words (commandline -opc) (commandline -ct)
  elumenta ` + completeCommand + ` $words[2..-1] 2>/dev/null
end
complete -c elumenta -a '(__elumenta_complete)'
`,
}

// Run prints the script.
func (c *completionCommand) Run(p *program) error {
	_, err := fmt.Fprint(p.stdout, completionScripts[c.Shell])
	return err
}

// complete prints what the last word may become, one a line.
func complete(p *program, words []string) int {
	if len(words) == 0 {
		words = []string{""}
	}
	for _, candidate := range candidates(p.parser.Model.Node, words[:len(words)-1], words[len(words)-1]) {
		_, _ = fmt.Fprintln(p.stdout, candidate)
	}
	return exitOK
}

// candidates walks the command line down to the command that it names.
func candidates(node *kong.Node, before []string, last string) []string {
	var open *kong.Flag // the flag whose value comes next
	positional := 0
	for _, word := range before {
		switch {
		case open != nil:
			open = nil
		case strings.HasPrefix(word, "-"):
			if f := findFlag(node, word); f != nil && !f.IsBool() && !strings.Contains(word, "=") {
				open = f
			}
		default:
			if child := findCommand(node, word); child != nil {
				node = child
			} else {
				positional++
			}
		}
	}
	var out []string
	add := func(candidate string) {
		if strings.HasPrefix(candidate, last) {
			out = append(out, candidate)
		}
	}
	switch {
	case open != nil:
		enumerate(open.Value, add)
	case strings.HasPrefix(last, "-"):
		for _, group := range node.AllFlags(true) {
			for _, f := range group {
				add("--" + f.Name)
			}
		}
	default:
		for _, child := range node.Children {
			if !child.Hidden && child.Type == kong.CommandNode {
				add(child.Name)
			}
		}
		if positional < len(node.Positional) {
			enumerate(node.Positional[positional], add)
		}
	}
	return out
}

func enumerate(v *kong.Value, add func(string)) {
	for _, choice := range v.EnumSlice() {
		add(choice)
	}
}

func findFlag(node *kong.Node, word string) *kong.Flag {
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	for _, group := range node.AllFlags(false) {
		for _, f := range group {
			if f.Name == name || (len(name) == 1 && f.Short == rune(name[0])) {
				return f
			}
		}
	}
	return nil
}

func findCommand(node *kong.Node, word string) *kong.Node {
	for _, child := range node.Children {
		if child.Type == kong.CommandNode && child.Name == word {
			return child
		}
	}
	return nil
}
