package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/assistantfile"
)

// maxInstructionsFile is what the server takes in one body, roughly.
const maxInstructionsFile = 4 << 20

type assistantsCommand struct {
	Create assistantsCreateCommand `cmd:"" help:"Create an assistant and print its id."`
	List   assistantsListCommand   `cmd:"" help:"List your assistants, newest first."`
	Show   assistantsShowCommand   `cmd:"" help:"Print an assistant: its settings, then its instructions."`
	Edit   assistantsEditCommand   `cmd:"" help:"Change an assistant in your editor."`
	Delete assistantsDeleteCommand `cmd:"" help:"Delete an assistant with all its versions."`

	Takedown assistantsTakedownCommand `cmd:"" help:"Take anyone's assistant from the marketplace, in the database."`
	Allow    assistantsAllowCommand    `cmd:"" help:"Let a taken-down assistant be published again, in the database."`
}

// Help shows examples.
func (assistantsCommand) Help() string {
	return `Examples:
  export ELUMENTA_API_KEY=nb_…
  elumenta assistants create --name Support --model sandbox -f support.md
  elumenta assistants list
  elumenta assistants edit asst_01j9x2…
  elumenta chat asst_01j9x2…`
}

// assistantsPath is where the API has assistants.
const assistantsPath = "/api/v2/assistants"

func assistantPath(id string) (string, error) {
	if _, ok := elumenta.ParseAssistantID(id); !ok {
		return "", usageError{fmt.Sprintf("%q is not an assistant's id: asst_ and 26 characters; `elumenta assistants list` shows them", id)}
	}
	return assistantsPath + "/" + id, nil
}

// interruptible is a context that ends with Ctrl-C.
func interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
}

type assistantsCreateCommand struct {
	serverFlags
	Name             string   `required:"" help:"The assistant's name."`
	Model            string   `required:"" help:"The model's slug; sandbox needs no provider."`
	Instructions     string   `xor:"instructions" required:"" help:"The instructions."`
	InstructionsFile string   `short:"f" xor:"instructions" required:"" help:"Read the instructions from a file; - is standard input." placeholder:"FILE"`
	Description      string   `help:"What it is for."`
	Temperature      *float64 `help:"0 to 2."`
	MaxTokens        *int     `help:"The largest answer, in the model's tokens."`
	JSON             bool     `name:"json" help:"Print the assistant as JSON."`
}

// Help shows examples.
func (assistantsCreateCommand) Help() string {
	return `Examples:
  elumenta assistants create --name Pirate --model sandbox --instructions 'You are a pirate.'
  elumenta assistants create --name Support --model claude-haiku-4.5 -f support.md
  generate-instructions | elumenta assistants create --name Daily --model gpt-5 -f - --json

Prints the id alone, for scripts.`
}

// Run creates the assistant.
func (c *assistantsCreateCommand) Run(p *program) error {
	cl, err := c.client(p)
	if err != nil {
		return err
	}
	defer cl.close()
	instructions := c.Instructions
	if c.InstructionsFile != "" {
		if instructions, err = readText(p, c.InstructionsFile); err != nil {
			return err
		}
	}
	body := map[string]any{"name": c.Name, "model": c.Model, "instructions": instructions}
	if c.Description != "" {
		body["description"] = c.Description
	}
	if c.Temperature != nil {
		body["temperature"] = *c.Temperature
	}
	if c.MaxTokens != nil {
		body["max_tokens"] = *c.MaxTokens
	}
	ctx, stop := interruptible()
	defer stop()
	var created json.RawMessage
	if _, err := cl.call(ctx, "POST", assistantsPath, body, &created); err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(created)
	}
	var short struct{ ID string }
	if err := json.Unmarshal(created, &short); err != nil {
		return fmt.Errorf("the answer is not understood: %w", err)
	}
	_, err = fmt.Fprintln(p.stdout, short.ID)
	return err
}

func readText(p *program, path string) (string, error) {
	f := p.stdin
	if path != "-" {
		var err error
		if f, err = os.Open(path); err != nil {
			return "", fmt.Errorf("cannot read the instructions: %w", err)
		}
		defer func() { _ = f.Close() }()
	}
	b, err := io.ReadAll(io.LimitReader(f, maxInstructionsFile+1))
	if err != nil {
		return "", fmt.Errorf("cannot read the instructions: %w", err)
	}
	if len(b) > maxInstructionsFile {
		return "", usageError{fmt.Sprintf("the instructions have more than %d bytes", maxInstructionsFile)}
	}
	return textOf(b)
}

// textOf takes UTF-8 only: JSON would carry other bytes changed.
func textOf(b []byte) (string, error) {
	if !utf8.Valid(b) {
		return "", usageError{"the file is not in UTF-8: convert it first"}
	}
	return string(b), nil
}

type assistantsListCommand struct {
	serverFlags
	Query string `short:"q" help:"Only those whose name or description contains this." placeholder:"TEXT"`
	JSON  bool   `name:"json" help:"Print a JSON array."`
}

// Help shows examples.
func (assistantsListCommand) Help() string {
	return `Examples:
  elumenta assistants list
  elumenta assistants list --json | jq -r '.[] | select(.model == "gpt-5.2") | .id'`
}

// listed is what a list shows of an assistant.
type listed struct {
	ID, Name, Model, Visibility string
	Version                     int
	UpdatedAt                   time.Time `json:"updated_at"`
}

// Run lists all pages.
func (c *assistantsListCommand) Run(p *program) error {
	cl, err := c.client(p)
	if err != nil {
		return err
	}
	defer cl.close()
	ctx, stop := interruptible()
	defer stop()
	items := []json.RawMessage{}
	for cursor := ""; ; {
		query := url.Values{"limit": {"100"}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		if c.Query != "" {
			query.Set("q", c.Query)
		}
		var page struct {
			Items      []json.RawMessage
			NextCursor string `json:"next_cursor"`
		}
		if _, err := cl.call(ctx, "GET", assistantsPath+"?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		items = append(items, page.Items...)
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if c.JSON {
		return p.printJSON(items)
	}
	return p.table(func(w *tabwriter.Writer) {
		_, _ = fmt.Fprintln(w, "ID\tNAME\tMODEL\tVERSION\tVISIBILITY\tUPDATED")
		for _, raw := range items {
			var a listed
			_ = json.Unmarshal(raw, &a) // what a newer server may have changed is left empty
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", a.ID, printable(a.Name), a.Model, a.Version, a.Visibility, a.UpdatedAt.Format(time.DateOnly))
		}
	})
}

type assistantsShowCommand struct {
	serverFlags
	ID   string `arg:"" help:"The assistant's id."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Help shows examples.
func (assistantsShowCommand) Help() string {
	return `Examples:
  elumenta assistants show asst_01j9x2…
  elumenta assistants show asst_01j9x2… --json | jq -r .instructions`
}

// Run prints the assistant.
func (c *assistantsShowCommand) Run(p *program) error {
	path, err := assistantPath(c.ID)
	if err != nil {
		return err
	}
	cl, err := c.client(p)
	if err != nil {
		return err
	}
	defer cl.close()
	ctx, stop := interruptible()
	defer stop()
	var raw json.RawMessage
	if _, err := cl.call(ctx, "GET", path, nil, &raw); err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(raw)
	}
	var shown saved
	if err := json.Unmarshal(raw, &shown); err != nil {
		return fmt.Errorf("the answer is not understood: %w", err)
	}
	if shown.Visibility == "" { // the public view of another account's
		return p.printJSON(raw)
	}
	return p.printText(string(assistantfile.Format(shown.file())))
}

type assistantsDeleteCommand struct {
	serverFlags
	ID  string `arg:"" help:"The assistant's id."`
	Yes bool   `short:"y" help:"Do not ask."`
}

// Run asks, then deletes.
func (c *assistantsDeleteCommand) Run(p *program) error {
	path, err := assistantPath(c.ID)
	if err != nil {
		return err
	}
	cl, err := c.client(p)
	if err != nil {
		return err
	}
	defer cl.close()
	ctx, stop := interruptible()
	defer stop()
	if !c.Yes {
		var a listed
		if _, err := cl.call(ctx, "GET", path, nil, &a); err != nil {
			return err
		}
		if err := p.confirm(fmt.Sprintf("Delete %s (%s) with its %s? [y/N] ", strconv.Quote(printable(a.Name)), c.ID, plural(a.Version, "version"))); err != nil {
			return err
		}
	}
	_, err = cl.call(ctx, "DELETE", path, nil, nil)
	return err
}

func plural(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// confirm asks on a terminal. Where nobody can answer it refuses.
func (p *program) confirm(question string) error {
	if !isTerminal(p.stdin) {
		return usageError{"nobody can be asked here: give --yes"}
	}
	_, _ = fmt.Fprint(p.stderr, question)
	answer, err := bufio.NewReader(p.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the answer: %w", err)
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return errors.New("nothing was done")
	}
	return nil
}
