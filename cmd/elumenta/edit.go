package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"github.com/elumenta/elumenta/assistantfile"
)

type assistantsEditCommand struct {
	serverFlags
	ID   string `arg:"" help:"The assistant's id."`
	Note string `help:"A note for the list of versions." placeholder:"TEXT"`
}

// Help shows examples.
func (assistantsEditCommand) Help() string {
	return `Examples:
  elumenta assistants edit asst_01j9x2…
  EDITOR="code --wait" elumenta assistants edit asst_01j9x2… --note "friendlier"

Opens $VISUAL, $EDITOR or vi. Only what you changed is sent, and only if nobody saved another version meanwhile. If it
is refused, the edited file is kept and its place is printed.`
}

// Run fetches, edits and sends.
func (c *assistantsEditCommand) Run(p *program) error {
	path, err := assistantPath(c.ID)
	if err != nil {
		return err
	}
	cl, err := c.client(p)
	if err != nil {
		return err
	}
	defer cl.close()
	ctx := context.Background() // Ctrl-C belongs to the editor
	var now saved
	if _, err := cl.call(ctx, "GET", path, nil, &now); err != nil {
		return err
	}
	if now.Visibility == "" {
		return errors.New("this assistant belongs to another account: only its owner can edit it")
	}
	before := now.file()
	file, err := writeDocument(before, c.ID)
	if err != nil {
		return err
	}
	changed, err := c.edited(ctx, p, file, before)
	if err == nil && len(changed) > 0 {
		_, err = c.save(ctx, cl, path, now.Version, changed)
	}
	if err != nil {
		return fmt.Errorf("%w\n  Your text is kept in %s", err, file)
	}
	if err := os.Remove(file); err != nil {
		return fmt.Errorf("remove the edited file: %w", err)
	}
	said := "saved"
	if len(changed) == 0 {
		said = "nothing was changed"
	}
	_, err = fmt.Fprintln(p.stderr, said)
	return err
}

func (c *assistantsEditCommand) save(ctx context.Context, cl *client, path string, version int, changed map[string]any) (json.RawMessage, error) {
	if c.Note != "" {
		changed["note"] = c.Note
	}
	var saved json.RawMessage
	_, err := cl.call(ctx, "PUT", path, changed, &saved, "If-Match", strconv.Quote(strconv.Itoa(version))) // a proxy may weaken the answer's ETag
	return saved, err
}

func writeDocument(a *assistantfile.Assistant, id string) (path string, err error) {
	f, err := os.CreateTemp("", "elumenta-*.md") // mode 0600
	if err != nil {
		return "", fmt.Errorf("make a file to edit: %w", err)
	}
	_, err = f.Write(toEdit(a, id+": settings up to the second ---, the instructions below it."))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("write the file to edit: %w", err)
	}
	return f.Name(), nil
}

// edited runs the editor and returns what was changed.
func (c *assistantsEditCommand) edited(ctx context.Context, p *program, path string, before *assistantfile.Assistant) (map[string]any, error) {
	editor := p.getenv("VISUAL")
	if editor == "" {
		editor = p.getenv("EDITOR")
	}
	if editor == "" {
		editor = "vi"
	}
	// As git does it: the variable may hold a command with arguments.
	cmd := exec.CommandContext(ctx, "sh", "-c", editor+` "$@"`, editor, path)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.stdin, p.stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("the editor %s failed: %w; set EDITOR to another", editor, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the edited file: %w", err)
	}
	after, err := edited(path, text, before)
	if err != nil {
		return nil, err
	}
	changed, err := changes(after, before)
	if err == nil && after.Note != "" && len(changed) > 0 {
		changed["note"] = after.Note
	}
	return changed, err
}
