package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"golang.org/x/term"
)

// Styles of a terminal that takes colours (ECMA-48).
const (
	boldStyle  = "\x1b[1m"
	dimStyle   = "\x1b[2m"
	plainStyle = "\x1b[0m"
	ctrlC      = 3
)

const chatHelp = `Ctrl-C  stops an answer
/reset  begins the conversation anew
/usage  shows what the last answer and the whole conversation took
/exit   ends, and so does Ctrl-D
`

// chatTerminal is a terminal that a conversation is held on. It is in raw mode only while a line is edited, so that Ctrl-C
// during an answer is a signal and not a character.
type chatTerminal struct {
	program  *program
	terminal *term.Terminal
	keys     *keyReader
	prompt   string
	dim      string // empty without colours
	plain    string
}

// keyReader notices Ctrl-C, which the line editor reports as the end of input.
type keyReader struct {
	in          io.Reader
	interrupted bool
}

func (k *keyReader) Read(b []byte) (int, error) {
	n, err := k.in.Read(b)
	for _, c := range b[:n] {
		if c == ctrlC {
			k.interrupted = true
		}
	}
	return n, err
}

func newChatTerminal(p *program) *chatTerminal {
	c := &chatTerminal{program: p, keys: &keyReader{in: p.stdin}, prompt: "> "}
	if p.colored(p.stdout) {
		c.prompt = boldStyle + "> " + plainStyle
		c.dim, c.plain = dimStyle, plainStyle
	}
	c.clear()
	return c
}

// clear begins an empty line. The editor cannot throw one away, so this is a new editor with the old one's history.
func (c *chatTerminal) clear() {
	fresh := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{c.keys, c.program.stdout}, c.prompt)
	if c.terminal != nil {
		fresh.History = c.terminal.History
	}
	c.terminal = fresh
}

// errCleared is a line that Ctrl-C threw away.
var errCleared = errors.New("line cleared")

// readLine edits one message. Lines that are pasted together are one message.
func (c *chatTerminal) readLine() (string, error) {
	in := int(c.program.stdin.Fd())
	state, err := term.MakeRaw(in)
	if err != nil {
		return "", fmt.Errorf("prepare the terminal: %w", err)
	}
	if width, height, err := term.GetSize(int(c.program.stdout.Fd())); err == nil && width > 0 {
		_ = c.terminal.SetSize(width, height)
	}
	c.terminal.SetBracketedPasteMode(true)
	defer func() {
		c.terminal.SetBracketedPasteMode(false)
		_ = term.Restore(in, state)
	}()
	c.keys.interrupted = false
	var lines []string
	for {
		line, err := c.terminal.ReadLine()
		lines = append(lines, line)
		switch {
		case errors.Is(err, term.ErrPasteIndicator):
			continue
		case errors.Is(err, io.EOF) && c.keys.interrupted:
			_, _ = c.program.stdout.WriteString("\r\n")
			c.clear()
			return "", errCleared
		case err != nil:
			_, _ = c.program.stdout.WriteString("\r\n")
			return "", err
		}
		return strings.TrimSpace(strings.Join(lines, "\n")), nil
	}
}

func (c *chatTerminal) note(format string, args ...any) {
	_, _ = fmt.Fprintf(c.program.stdout, c.dim+format+c.plain+"\n", args...)
}

// terminal talks until the end of input.
func (c *chatCommand) terminal(p *program, talk *conversation, path string) error {
	ctx, stop := interruptible()
	var about struct{ Name, Model string }
	var raw json.RawMessage
	_, err := talk.client.call(ctx, "GET", path, nil, &raw)
	stop()
	if err != nil {
		return err
	}
	_ = json.Unmarshal(raw, &about) // it only names the other side
	screen := newChatTerminal(p)
	screen.note("%s. Ctrl-C stops an answer, Ctrl-D ends, /help shows more.", printable(about.Name))
	for {
		line, err := screen.readLine()
		switch {
		case errors.Is(err, errCleared):
			screen.note("Ctrl-D or /exit ends.")
			continue
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if line == "/exit" {
			return nil
		}
		if !screen.command(talk, line) {
			screen.answer(talk, line)
		}
	}
}

// command runs a line that is one, and reports whether it was.
func (c *chatTerminal) command(talk *conversation, line string) bool {
	switch line {
	case "":
	case "/help":
		_, _ = c.program.stdout.WriteString(chatHelp)
	case "/reset":
		talk.turns = nil
		c.note("The conversation begins anew.")
	case "/usage":
		l := talk.last.Usage
		c.note("Last answer: %d prompt tokens (%d cached), %d completion tokens, price %d", l.Prompt, l.Cached, l.Completion, talk.last.TokensUsed)
		c.note("Altogether: %d prompt tokens (%d cached), %d completion tokens, price %d", talk.total.Prompt, talk.total.Cached, talk.total.Completion, talk.spent)
		if talk.last.Balance != nil {
			c.note("Balance: %d", *talk.last.Balance)
		}
	default:
		return false
	}
	return true
}

// answer asks and prints what comes. Ctrl-C stops the answer and not the program.
func (c *chatTerminal) answer(talk *conversation, question string) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := talk.ask(ctx, question, func(piece string) error {
		_, err := c.program.stdout.WriteString(forTerminal(piece))
		return err
	})
	if talk.last.text != "" {
		_, _ = fmt.Fprintln(c.program.stdout)
	}
	switch {
	case err != nil:
		_, _ = fmt.Fprintf(c.program.stderr, "elumenta: %v\n", err)
	case talk.last.interrupted:
		c.note("stopped")
	default:
		c.program.warn(talk.last, c.dim)
	}
}
