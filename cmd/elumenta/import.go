package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/elumenta/elumenta/assistantfile"
)

type importCommand struct {
	serverFlags
	planFlags
	Path    string `arg:"" name:"file" help:"The file, or a folder of .json files." placeholder:"FILE"`
	Format  string `required:"" enum:"lobe,openai" help:"lobe (LobeHub's collection of agents) or openai (assistants and prompt objects)."`
	Model   string `help:"The model of those whose own the server does not have; sandbox needs no provider." placeholder:"SLUG"`
	License string `help:"The licence of those that name none, kept in their metadata." placeholder:"NAME"`
	Publish bool   `help:"Publish them, where they have a description and a category."`
}

// Help shows examples.
func (importCommand) Help() string {
	return `Examples:
  elumenta import --format lobe agents.jsonl --model gpt-5 --license "MIT, Copyright (c) 2023 LobeHub" --dry-run
  elumenta import --format lobe lobe-chat-agents --model sandbox
  elumenta import --format openai assistants.json --model gpt-5

lobe reads agents as https://github.com/lobehub/lobe-chat-agents has them, one or more in a file, or a clone of it. openai
reads what GET /v1/assistants answered, single assistants and prompt objects. Author, homepage, licence and the id at the
source are kept as metadata; a second import finds the assistants by that id and updates them. What is cut, mapped or left
out is said for each. Nothing is published without --publish.`
}

// Run converts, plans, asks and applies.
func (c *importCommand) Run(p *program) error {
	r, err := c.remote(p)
	if err != nil {
		return err
	}
	defer r.close()
	ctx, stop := interruptible()
	defer stop()
	a := &applier{remote: r, program: p}
	catalog, err := a.catalog(ctx)
	if err != nil {
		return err
	}
	if c.Format == "lobe" && c.Model == "" {
		return usageError{"--model is required: the agents of this collection name none, or one of another program"}
	}
	if c.Model != "" && !slices.Contains(catalog, c.Model) {
		return usageError{fmt.Sprintf("--model %s is not in the server's catalog; GET /api/v2/models lists it", c.Model)}
	}
	found, err := c.read(p, catalog)
	if err != nil {
		return err
	}
	all, err := c.wanted(p, found)
	if err != nil {
		return err
	}
	return c.apply(ctx, a, all, catalog)
}

func (c *importCommand) apply(ctx context.Context, a *applier, all []wanted, catalog []string) error {
	have, err := a.assistants(ctx)
	if err != nil {
		return err
	}
	pl := &planner{remote: a.remote}
	todo, err := pl.plan(ctx, all, have, catalog)
	if err != nil {
		return err
	}
	return a.run(ctx, todo, c.planFlags)
}

// read converts what the path holds.
func (c *importCommand) read(p *program, catalog []string) ([]assistantfile.Foreign, error) {
	dir, name := c.Path, "."
	if info, err := os.Stat(c.Path); err != nil {
		return nil, usageError{fmt.Sprintf("cannot read what to import: %v", err)}
	} else if !info.IsDir() {
		dir, name = filepath.Split(c.Path)
	}
	if dir == "" {
		dir = "."
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot read what to import: %w", err)
	}
	defer func() { _ = root.Close() }()
	conversion := &assistantfile.Conversion{
		Model: c.Model, License: c.License, Publish: c.Publish, Known: func(slug string) bool { return slices.Contains(catalog, slug) },
	}
	read := map[string]func(fs.FS, string) ([]assistantfile.Foreign, error){"lobe": conversion.ReadLobe, "openai": conversion.ReadOpenAI}[c.Format]
	found, err := read(root.FS(), name)
	for _, warning := range conversion.Warnings {
		_, _ = fmt.Fprintln(p.stderr, printable(warning))
	}
	if err == nil && len(found) == 0 {
		err = errors.New("there is nothing to import in " + c.Path)
	}
	return found, err
}

// wanted are those that can be imported; why the others cannot is said.
func (c *importCommand) wanted(p *program, found []assistantfile.Foreign) ([]wanted, error) {
	var all []wanted
	unlicensed := 0
	for i := range found {
		f := &found[i]
		if f.Skip != "" {
			if _, err := fmt.Fprintf(p.stdout, "x skip     %s (%s): %s\n", printable(f.Name), printable(f.Source), printable(f.Skip)); err != nil {
				return nil, err
			}
			continue
		}
		if c.Format == "lobe" && f.Metadata["license"] == "" {
			unlicensed++
		}
		all = append(all, wanted{source: f.Source, Assistant: f.Assistant, idKey: f.IDKey, notes: f.Notes})
	}
	if unlicensed > 0 {
		_, _ = fmt.Fprintf(p.stderr, "%s without a licence: the files name none, and --license gives none\n", plural(unlicensed, "assistant"))
	}
	return all, nil
}
