package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/elumenta/elumenta"
)

// maxQuestion bounds what is read from a pipe.
const maxQuestion = 8 << 20

type chatCommand struct {
	serverFlags
	Target string            `arg:"" name:"assistant-or-model" help:"An assistant's id (asst_…, asst_…@3, asst_…@production) or a model's slug."`
	System string            `help:"System text of your own, after the assistant's instructions." placeholder:"TEXT"`
	Var    map[string]string `help:"Values of the assistant's variables." placeholder:"NAME=VALUE" mapsep:"none"`
}

// Help shows examples.
func (chatCommand) Help() string {
	return `Examples:
  elumenta chat asst_01j9x2…
  elumenta chat claude-haiku-4.5 --system "Answer in French."
  elumenta chat asst_01j9x2… --var city=Lyon
  git diff | elumenta chat asst_01j9x2… > review.md

On a terminal: Ctrl-C stops an answer, Ctrl-D or /exit ends, /reset begins anew, /usage shows what it took. Paste as many
lines as you like. From a pipe, what is read is one question and the answer goes to standard output.

The conversation is in this program's memory and nowhere else.`
}

// conversation is what a chat has so far.
type conversation struct {
	client *client
	fixed  map[string]any // the request's other fields
	turns  []turn
	last   answer
	total  counted
	spent  int64
}

// Run talks.
func (c *chatCommand) Run(p *program) error {
	cl, err := c.client(p)
	if err != nil {
		return err
	}
	defer cl.close()
	talk := &conversation{client: cl, fixed: map[string]any{}}
	path := "/api/v2/models/" + url.PathEscape(c.Target)
	if ref, ok := elumenta.ParseAssistantRef(c.Target); ok {
		talk.fixed["assistant_id"] = c.Target
		path = assistantsPath + "/" + string(ref.ID)
	} else {
		talk.fixed["model"] = c.Target
	}
	if c.System != "" {
		talk.fixed["system"] = c.System
	}
	if len(c.Var) > 0 {
		talk.fixed["variables"] = c.Var
	}
	if isTerminal(p.stdin) && isTerminal(p.stdout) {
		return c.terminal(p, talk, path)
	}
	return c.pipe(p, talk)
}

// ask sends a question with all that was said before. A question that got no answer at all is taken back.
func (t *conversation) ask(ctx context.Context, question string, piece func(string) error) error {
	body := maps.Clone(t.fixed)
	turns := slices.Concat(t.turns, []turn{{Role: "user", Content: question}})
	body["messages"] = turns
	a, err := t.client.generate(ctx, body, piece)
	a.interrupted = err != nil && ctx.Err() != nil
	if a.text != "" && (err == nil || a.interrupted) {
		turns = append(turns, turn{Role: "assistant", Content: a.text})
		t.turns = turns
	}
	t.last = a
	t.total.Prompt += a.Usage.Prompt
	t.total.Completion += a.Usage.Completion
	t.total.Cached += a.Usage.Cached
	t.spent += a.TokensUsed
	if a.interrupted {
		return nil
	}
	return err
}

// pipe answers one question, as a filter does.
func (c *chatCommand) pipe(p *program, talk *conversation) error {
	b, err := io.ReadAll(io.LimitReader(p.stdin, maxQuestion+1))
	if err != nil {
		return fmt.Errorf("read the question: %w", err)
	}
	question := strings.TrimRight(string(b), "\r\n")
	switch {
	case strings.TrimSpace(question) == "":
		return usageError{"there is no question on standard input"}
	case len(b) > maxQuestion:
		return usageError{fmt.Sprintf("the question has more than %d bytes", maxQuestion)}
	}
	ctx, stop := interruptible()
	defer stop()
	clean := func(s string) string { return s }
	if isTerminal(p.stdout) {
		clean = forTerminal
	}
	err = talk.ask(ctx, question, func(piece string) error {
		_, err := p.stdout.WriteString(clean(piece))
		return err
	})
	if err == nil && talk.last.interrupted {
		err = errors.New("interrupted")
	}
	if talk.last.text != "" && !strings.HasSuffix(talk.last.text, "\n") {
		_, _ = fmt.Fprintln(p.stdout)
	}
	if err == nil {
		p.warn(talk.last, "")
	}
	return err
}

// warn prints what the server left out or changed, and an end that is not the usual one.
func (p *program) warn(a answer, style string) {
	reset := ""
	if style != "" {
		reset = plainStyle
	}
	for _, w := range a.Warnings {
		_, _ = fmt.Fprintf(p.stderr, "%swarning: %s%s\n", style, printable(w.Message), reset)
	}
	switch a.Finish {
	case string(elumenta.FinishLength):
		_, _ = fmt.Fprintf(p.stderr, "%sthe answer was cut at its largest length%s\n", style, reset)
	case string(elumenta.FinishContentFilter):
		_, _ = fmt.Fprintf(p.stderr, "%sthe provider's content filter ended the answer%s\n", style, reset)
	}
}
