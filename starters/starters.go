// Package starters holds the assistants that a new server publishes, one file each in the format of docs/files.md.
package starters

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"path"
	"slices"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/assistantfile"
)

//go:embed assistants/*.md
var files embed.FS

const folder = "assistants"

// preferred are the models that a starter gets whose own is not available, the first that is.
var preferred = []string{"claude-sonnet-4.5", "gpt-5", "gemini-2.5-flash", "claude-haiku-4.5", "gpt-5-nano", "deepseek-v3", "grok-4-fast"} //nolint:gochecknoglobals // a constant

// offline answers without a provider.
const offline = "sandbox"

// Set is the starters for a server. available are the slugs of the models that it has a provider for, in the catalog's order: a starter whose own model is
// not among them gets another one, and the sandbox where there is no provider at all, so that it answers everywhere.
func Set(available []string) elumenta.StarterSet {
	return elumenta.StarterSet{Digest: digest(available), Load: func() ([]elumenta.Starter, error) { return load(available) }}
}

func digest(available []string) string {
	hash := sha256.New()
	_, _ = fmt.Fprintf(hash, "%q", slices.Sorted(slices.Values(available)))
	for _, name := range names() {
		_, _ = fmt.Fprintf(hash, "%q%q", name, read(name))
	}
	return hex.EncodeToString(hash.Sum(nil))
}

func names() []string {
	entries, err := files.ReadDir(folder)
	if err != nil {
		panic(err) // it is part of the program
	}
	all := make([]string, len(entries))
	for i, e := range entries {
		all[i] = e.Name()
	}
	return all
}

func read(name string) []byte {
	b, err := files.ReadFile(path.Join(folder, name))
	if err != nil {
		panic(err) // it is part of the program
	}
	return b
}

func load(available []string) ([]elumenta.Starter, error) {
	var starters []elumenta.Starter
	for _, name := range names() {
		a, err := assistantfile.Parse(name, read(name))
		if err != nil {
			return nil, err
		}
		if a.ID == "" || a.Visibility != elumenta.Marketplace {
			return nil, fmt.Errorf("%s: a starter needs an id and the visibility marketplace", name)
		}
		a.Model = model(a.Model, available)
		starters = append(starters, elumenta.Starter{ID: a.ID, Fields: a.Fields})
	}
	return starters, nil
}

func model(own string, available []string) string {
	if slices.Contains(available, own) {
		return own
	}
	for _, slug := range preferred {
		if slices.Contains(available, slug) {
			return slug
		}
	}
	for _, slug := range available {
		if slug != offline {
			return slug
		}
	}
	return offline
}
