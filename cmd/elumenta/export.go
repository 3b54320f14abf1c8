package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/assistantfile"
)

type exportCommand struct {
	serverFlags
	Dir        string   `arg:"" help:"The folder; it is made if it is not there."`
	IDs        []string `arg:"" optional:"" name:"id" help:"Only these assistants."`
	NoVersions bool     `help:"Leave out the saved versions."`
	Prune      bool     `help:"Remove files of assistants and versions that the account does not have."`
	Yes        bool     `short:"y" help:"Do not ask before files are removed."`
}

// Help shows examples.
func (exportCommand) Help() string {
	return `Examples:
  elumenta export assistants
  elumenta export assistants asst_01j9x2… --no-versions
  elumenta export assistants --prune --yes && git -C assistants commit -am "Assistants of today"

Each assistant becomes a Markdown file named after it, with its settings at the head, and its saved versions a folder
beside the file. A file that holds an assistant's id is rewritten where it is; no other file is touched, and none removed
without --prune. elumenta apply brings the folder back to a server.`
}

// Run writes the files.
func (c *exportCommand) Run(p *program) error {
	if c.Prune && len(c.IDs) > 0 {
		return usageError{"--prune goes with all assistants of the account, not with some"}
	}
	r, err := c.remote(p)
	if err != nil {
		return err
	}
	defer r.close()
	ctx, stop := interruptible()
	defer stop()
	all, err := c.wanted(ctx, r)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Dir, 0o750); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	root, err := os.OpenRoot(c.Dir)
	if err != nil {
		return fmt.Errorf("open the folder: %w", err)
	}
	defer func() { _ = root.Close() }()
	e := &exporter{remote: r, program: p, root: root, versions: !c.NoVersions, all: len(c.IDs) == 0}
	if err := e.place(all); err != nil {
		return err
	}
	for i := range all {
		if err := e.write(ctx, &all[i]); err != nil {
			return err
		}
		r.line.say("%d of %s exported", i+1, plural(len(all), "assistant"))
	}
	r.line.clear()
	if c.Prune {
		if err := e.prune(c.Yes); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(p.stderr, "%s written, %d unchanged, %d removed in %s\n", plural(e.written, "file"), e.unchanged, e.removed, c.Dir)
	return err
}

func (c *exportCommand) wanted(ctx context.Context, r *remote) ([]saved, error) {
	if len(c.IDs) == 0 {
		return r.assistants(ctx)
	}
	all := make([]saved, 0, len(c.IDs))
	for _, id := range c.IDs {
		a, err := r.assistant(ctx, id)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(all, func(other saved) bool { return other.ID == a.ID }) {
			all = append(all, *a)
		}
	}
	return all, nil
}

// exporter writes assistants to a folder.
type exporter struct {
	*remote
	program                     *program
	root                        *os.Root
	versions                    bool
	all                         bool                  // that the account has
	entries                     []assistantfile.Entry // what the folder had
	paths                       map[string]string     // files by ids
	stale                       []string              // files that --prune removes
	written, unchanged, removed int
}

// place finds a file for each assistant: the one that holds its id, else the only one without an id that has its name,
// else a new one.
func (e *exporter) place(all []saved) error {
	entries, err := assistantfile.ReadTree(e.root.FS())
	if _, problems := errors.AsType[assistantfile.Problems](err); err != nil && !problems {
		return err
	}
	e.entries = entries // a file with a mistake is nobody's: it stays as it is
	var names assistantfile.Names
	items, err := fs.ReadDir(e.root.FS(), ".")
	if err != nil {
		return fmt.Errorf("read the folder: %w", err)
	}
	for _, item := range items {
		for _, extension := range []string{assistantfile.Extension, assistantfile.VersionsExtension} {
			if name, ok := strings.CutSuffix(item.Name(), extension); ok {
				names.Take(name)
			}
		}
	}
	pairs, _ := match(entriesWanted(entries), all) // what is ambiguous gets a file of its own
	e.paths = map[string]string{}
	for i, have := range pairs {
		switch id := string(entries[i].ID); {
		case have != nil && (id == "" || id == have.ID):
			e.paths[have.ID] = entries[i].Path
		case id != "":
			e.stale = append(e.stale, entries[i].Path) // of another account, or of one that was deleted
		}
	}
	for i := range all {
		if a := &all[i]; e.paths[a.ID] == "" {
			e.paths[a.ID] = names.For(a.Name, elumenta.AssistantID(a.ID)) + assistantfile.Extension
		}
	}
	if e.all {
		e.warnOfDoubles(all)
	}
	return nil
}

// warnOfDoubles names the files of other accounts that have the names of assistants that have their own files: apply finds
// the latter by their ids, and would make a second assistant of each of the former.
func (e *exporter) warnOfDoubles(all []saved) {
	byName := map[string]string{}
	for i := range all {
		byName[all[i].Name] = e.paths[all[i].ID]
	}
	for i := range e.entries {
		entry := &e.entries[i]
		if file := byName[entry.Name]; file != "" && slices.Contains(e.stale, entry.Path) {
			e.line.clear()
			_, _ = fmt.Fprintf(e.program.stderr, "%s has an id that this account does not have, and the name of %s: apply would make a second assistant of it; --prune removes it\n",
				printable(entry.Path), printable(file))
		}
	}
}

func (e *exporter) write(ctx context.Context, a *saved) error {
	file := e.paths[a.ID]
	var versions []saved
	if e.versions {
		var err error
		if versions, err = e.remote.versions(ctx, a.ID, a.Version); err != nil {
			return err
		}
		if n := len(versions); n > 0 {
			a.Note = versions[n-1].Note
		}
	}
	content := a.file()
	if e.versions { // labels name them
		labels, err := e.labels(ctx, a.ID)
		if err != nil {
			return err
		}
		if len(labels) > 0 {
			content.Labels = labels
		}
	}
	if err := e.put(file, assistantfile.Format(content)); err != nil {
		return err
	}
	if !e.versions {
		return nil
	}
	dir := assistantfile.VersionsPath(file)
	if err := e.root.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	kept := map[string]bool{}
	for i := range versions {
		name := path.Join(dir, strconv.Itoa(versions[i].Version)+assistantfile.Extension)
		kept[name] = true
		if err := e.put(name, assistantfile.FormatVersion(versions[i].savedVersion())); err != nil {
			return err
		}
	}
	for _, entry := range e.entries {
		if entry.Path == file {
			e.stale = append(e.stale, slices.DeleteFunc(slices.Clone(entry.Versions), func(name string) bool { return kept[name] })...)
		}
	}
	return nil
}

// put writes a file of the export.
func (e *exporter) put(name string, content []byte) error {
	written, err := putFile(e.root, name, content)
	switch {
	case err != nil:
		return err
	case written:
		e.written++
	default:
		e.unchanged++
	}
	return nil
}

// putFile writes a file as a whole or not at all, unless it is already so.
func putFile(root *os.Root, name string, content []byte) (written bool, err error) {
	mode := fs.FileMode(0o600)
	if info, err := root.Stat(name); err == nil {
		if !info.Mode().IsRegular() {
			return false, fmt.Errorf("write %s: it is there and not a regular file", name)
		}
		mode = info.Mode().Perm()
		if before, err := root.ReadFile(name); err == nil && bytes.Equal(before, content) {
			return false, nil
		}
	}
	sum := sha256.Sum256([]byte(path.Base(name))) // a name of its own, which is not longer than a name may be
	temporary := path.Join(path.Dir(name), fmt.Sprintf(".elumenta-%x.tmp", sum[:8]))
	if err = root.WriteFile(temporary, content, mode); err == nil {
		err = root.Rename(temporary, name)
	}
	if err != nil {
		_ = root.Remove(temporary)
		return false, fmt.Errorf("write %s: %w", name, err)
	}
	return true, nil
}

// prune removes the files of assistants and versions that the account does not have.
func (e *exporter) prune(yes bool) error {
	if len(e.stale) == 0 {
		return nil
	}
	for _, name := range e.stale {
		if _, err := fmt.Fprintf(e.program.stdout, "- %s\n", printable(name)); err != nil {
			return err
		}
	}
	if !yes {
		if err := e.program.confirm(fmt.Sprintf("Remove %s? [y/N] ", plural(len(e.stale), "file"))); err != nil {
			return err
		}
	}
	for _, name := range e.stale {
		if err := e.root.Remove(name); err != nil {
			return fmt.Errorf("remove %s: %w", name, err)
		}
		e.removed++
		for _, entry := range e.entries {
			if entry.Path != name {
				continue
			}
			for _, version := range entry.Versions {
				if err := e.root.Remove(version); err != nil {
					return fmt.Errorf("remove %s: %w", version, err)
				}
				e.removed++
			}
			_ = e.root.Remove(assistantfile.VersionsPath(name)) // what else it holds stays
		}
	}
	return nil
}
