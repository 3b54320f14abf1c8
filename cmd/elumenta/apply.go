package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/assistantfile"
)

// planFlags say what becomes of a plan.
type planFlags struct {
	Yes    bool `short:"y" help:"Do not ask."`
	DryRun bool `aliases:"plan" help:"Show the plan and change nothing. Exits with 4 if there is something to change."`
}

type applyCommand struct {
	serverFlags
	planFlags
	Dir   string `arg:"" help:"The folder."`
	Prune bool   `help:"Delete assistants of the account that no file has."`
	Force bool   `help:"Put files in the place of newer versions that the server has."`
}

// Help shows examples.
func (applyCommand) Help() string {
	return `Examples:
  elumenta apply assistants --dry-run
  elumenta apply assistants
  elumenta apply assistants --yes --prune

Makes the account's assistants what the files say. All files are read first, and nothing is sent if one of them has a
mistake. An assistant is found by its id, else by its name. A new one gets the saved versions that stand beside its file,
with their numbers, notes and dates. Where file and server have both changed since the file was exported, nothing is done
without --force. Whatever was interrupted is finished by a second apply.

Exit codes, beside those of all commands: with --dry-run 4 if something would change.`
}

// errChanges is a plan that would change something, for --dry-run.
var errChanges = errors.New("there is something to change")

// Run plans, asks and applies.
func (c *applyCommand) Run(p *program) error {
	root, err := os.OpenRoot(c.Dir)
	if err != nil {
		return usageError{fmt.Sprintf("cannot open the folder: %v", err)}
	}
	defer func() { _ = root.Close() }()
	entries, err := assistantfile.ReadTree(root.FS())
	if err != nil {
		return err
	}
	if len(entries) == 0 && c.Prune {
		return usageError{fmt.Sprintf("%s holds no assistants, and --prune would delete all of the account: is it the folder that you meant?", c.Dir)}
	}
	r, err := c.remote(p)
	if err != nil {
		return err
	}
	defer r.close()
	ctx, stop := interruptible()
	defer stop()
	a := &applier{remote: r, program: p, root: root}
	have, err := a.assistants(ctx)
	if err != nil {
		return err
	}
	catalog, err := a.catalog(ctx)
	if err != nil {
		return err
	}
	pl := &planner{remote: a.remote, root: root, force: c.Force, prune: c.Prune}
	todo, err := pl.plan(ctx, entriesWanted(entries), have, catalog)
	if err != nil {
		return err
	}
	return a.run(ctx, todo, c.planFlags)
}

// applier does what a plan says.
type applier struct {
	*remote
	program *program
	root    *os.Root // nil if what is wanted does not come from a folder of files
}

// run shows a plan, asks, and does it.
func (a *applier) run(ctx context.Context, todo *plan, flags planFlags) error {
	a.line.clear()
	if err := todo.print(a.program); err != nil {
		return err
	}
	conflicts := todo.count[stepConflict]
	switch {
	case conflicts > 0:
		return &refusal{plural(conflicts, "conflict") + ": nothing was done"}
	case flags.DryRun && todo.changes():
		return errChanges
	case flags.DryRun:
		return nil
	case todo.changes() && !flags.Yes:
		if err := a.program.confirm("Apply? [y/N] "); err != nil {
			return err
		}
	}
	if err := a.raise(todo); err != nil || !todo.changes() {
		return err
	}
	return a.apply(ctx, todo)
}

// refusal is a plan that cannot be done.
type refusal struct{ message string }

func (r *refusal) Error() string { return r.message }

// apply goes on after an assistant that the server refuses, and ends with what makes everything fail. Nothing is deleted once
// anything else was refused: under its old name the server may have what could not be made under a new one.
func (a *applier) apply(ctx context.Context, todo *plan) error {
	total := todo.count[stepCreate] + todo.count[stepUpdate] + todo.count[stepDelete]
	var refused []error
	done := 0
	keep := false
	for i := range todo.steps {
		s := &todo.steps[i]
		if s.kind == stepDelete && keep {
			refused = append(refused, errors.New("nothing was deleted, since the server refused something: apply again once that is mended"))
			break // what is deleted comes last
		}
		err := a.do(ctx, s, todo.had)
		if e, ok := errors.AsType[*apiError](err); ok && e.exitCode() == exitRefused && e.status != http.StatusUnauthorized {
			refused = append(refused, fmt.Errorf("%s: %w", s.subject(), err))
			keep = keep || s.kind != stepDelete
			continue
		}
		if err != nil {
			return errors.Join(append(refused, fmt.Errorf("%s: %w\n  %d of %d were done; apply again to finish", s.subject(), err, done, total))...)
		}
		if s.kind < stepSame {
			done++
			a.line.say("%d of %d done", done, total)
		}
	}
	a.line.clear()
	_, _ = fmt.Fprintf(a.program.stderr, "%d of %d done\n", done, total)
	return errors.Join(refused...)
}

func (s *step) subject() string {
	if s.want != nil {
		return printable(s.want.source)
	}
	return s.have.ID
}

func (a *applier) do(ctx context.Context, s *step, had map[string]bool) error {
	switch s.kind {
	case stepCreate:
		return a.create(ctx, s, had)
	case stepUpdate:
		return a.update(ctx, s)
	case stepDelete:
		return a.call(ctx, http.MethodDelete, assistantsPath+"/"+s.have.ID, nil, nil)
	}
	return nil
}

func (a *applier) create(ctx context.Context, s *step, had map[string]bool) error {
	body, dropped, err := imported(a.root, s.want)
	if err != nil {
		return err
	}
	if dropped > 0 {
		a.line.clear()
		_, _ = fmt.Fprintf(a.program.stderr, "%s: the oldest %s left out: a server takes %d, and %d bytes of them\n", s.subject(), plural(dropped, "version"), elumenta.MaxVersions, largestImport)
	}
	if body.renumbered {
		a.line.clear()
		_, _ = fmt.Fprintf(a.program.stderr, "%s: its versions are numbered anew: a server takes numbers up to %d\n", s.subject(), elumenta.MaxVersionNumber)
	}
	made, err := a.importOnce(ctx, s.want, body, had)
	if err != nil {
		return err
	}
	return a.label(ctx, made, &s.labels)
}

// imported is the body that makes a new assistant, and how many of its oldest versions are left out.
func imported(root *os.Root, w *wanted) (body *importBody, dropped int, err error) {
	var history []assistantfile.Version
	if w.entry != nil {
		if history, err = assistantfile.ReadVersions(root.FS(), w.entry); err != nil {
			return nil, 0, err
		}
	}
	if body, err = newImport(w, history); err != nil {
		return nil, 0, err
	}
	dropped, err = body.fit()
	return body, dropped, err
}

// mostRepeats is how often the same may have been made and removed again within the time for which the server knows a key.
const mostRepeats = 50

// importOnce makes an assistant that nobody who applies the same at this time makes as well: both use the same
// Idempotency-Key. One under which something was made that is deleted by now, or that the account had before and that is not
// what the file says any more, is used up, and the next one is taken.
func (a *applier) importOnce(ctx context.Context, w *wanted, body *importBody, had map[string]bool) (id string, err error) {
	source := w.source
	if w.idKey != "" {
		source = w.idKey + " " + w.Metadata[w.idKey]
	}
	content, err := json.Marshal([]any{source, body})
	if err != nil {
		return "", fmt.Errorf("encode an assistant: %w", err)
	}
	sum := sha256.Sum256(content)
	for n := 0; ; n++ {
		var made saved
		header, err := a.request(ctx, http.MethodPost, assistantsPath+"/import", body, &made, "Idempotency-Key", fmt.Sprintf("%x-%d", sum[:16], n))
		e, refused := errors.AsType[*apiError](err)
		deleted := refused && e.Code == elumenta.CodeConflict
		used := err == nil && header.Get("Idempotency-Replayed") != "" && had[made.ID]
		if !deleted && !used || n == mostRepeats {
			return made.ID, err
		}
	}
}

func (a *applier) update(ctx context.Context, s *step) error {
	if len(s.changed) > 0 {
		if err := a.change(ctx, s); err != nil {
			return err
		}
	}
	return a.label(ctx, s.have.ID, &s.labels)
}

// change makes a new version.
func (a *applier) change(ctx context.Context, s *step) error {
	note, err := a.newNote(ctx, s)
	if err != nil {
		return err
	}
	if note != "" {
		s.changed["note"] = note
	}
	var now saved
	if err := a.call(ctx, http.MethodPut, assistantsPath+"/"+s.have.ID, s.changed, &now, "If-Match", strconv.Quote(strconv.Itoa(s.have.Version))); err != nil {
		return err
	}
	if s.want.entry != nil && string(s.want.ID) == s.have.ID && s.want.Version > 0 {
		return a.setVersion(s.want, now.Version)
	}
	return nil
}

// newNote is the file's note, unless it is that of the version that the server has.
func (a *applier) newNote(ctx context.Context, s *step) (string, error) {
	if s.want.Note == "" {
		return "", nil
	}
	newest, err := a.version(ctx, s.have.ID, s.have.Version)
	if err != nil || newest == nil || newest.Note == s.want.Note {
		return "", err
	}
	return s.want.Note, nil
}

// setVersion writes into the file which version the server has of it now, so that the next apply knows. Nothing else of
// the file changes, and a file that was changed meanwhile stays as it is.
func (a *applier) setVersion(w *wanted, version int) error {
	file, err := a.root.ReadFile(w.entry.Path)
	if err != nil {
		return fmt.Errorf("read %s again: %w", w.source, err)
	}
	if now, err := assistantfile.Parse(w.source, file); err != nil || now.Version != w.Version {
		return nil //nolint:nilerr // whoever changed it meanwhile will apply it again
	}
	changed, err := assistantfile.WithVersion(w.source, file, version)
	if err != nil {
		return err
	}
	_, err = putFile(a.root, w.entry.Path, changed)
	return err
}

// raise does what an earlier apply was kept from: its change is on the server, and its file does not know the version yet.
func (a *applier) raise(todo *plan) error {
	raised := 0
	for i := range todo.steps {
		if s := &todo.steps[i]; s.behind {
			if err := a.setVersion(s.want, s.have.Version); err != nil {
				return err
			}
			raised++
		}
	}
	if raised == 0 {
		return nil
	}
	say := "say"
	if raised == 1 {
		say = "says"
	}
	_, err := fmt.Fprintf(a.program.stderr, "%s %s now which version the server has\n", plural(raised, "file"), say)
	return err
}
