// Package starters holds the assistants that a new server publishes, one file each in the format of docs/files.md.
package starters

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/assistantfile"
)

//go:embed assistants/*.md
var files embed.FS

const folder = "assistants"

// preferred are the models that a starter gets whose own is not available, the first that is.
var preferred = []string{"claude-haiku-4.5", "gpt-5.2", "gemini-3-pro", "deepseek-v3", "grok-4-fast"} //nolint:gochecknoglobals // a constant

// offline answers without a provider.
const offline = "sandbox"

// Set is the starters for a server with these models, each with one that answers there and without what that one does not take.
//
// A starter gets its own model. If that is not available it keeps the one that it has, or gets a preferred one, or the first that is
// available; one that retires only where no other is left. If none is available but the sandbox, a starter keeps the model that it has as
// long as the catalog has it, since a provider's key that is missing comes back: the sandbox is for those that never had another.
func Set(models []elumenta.Model) elumenta.StarterSet {
	c := make(catalog, len(models))
	for i := range models {
		m := &models[i]
		c[i] = model{m.Slug, m.Available(), !m.RetiresAt.IsZero(), m.Capabilities}
	}
	return elumenta.StarterSet{Digest: c.digest(), Load: c.load}
}

// model is what matters to starters.
type model struct {
	Slug               string
	Available, Retires bool
	Takes              elumenta.Capabilities
}

type catalog []model

func (c catalog) digest() string {
	hash := sha256.New()
	sorted := slices.SortedFunc(slices.Values(c), func(a, b model) int { return strings.Compare(a.Slug, b.Slug) })
	if err := json.NewEncoder(hash).Encode(sorted); err != nil {
		panic(err) // numbers and strings can be marshalled
	}
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

func (c catalog) load(models map[elumenta.AssistantID]string) ([]elumenta.Starter, error) {
	var starters []elumenta.Starter
	for _, name := range names() {
		a, err := assistantfile.Parse(name, read(name))
		if err != nil {
			return nil, err
		}
		if a.ID == "" || a.Visibility != elumenta.Marketplace {
			return nil, fmt.Errorf("%s: a starter needs an id and the visibility marketplace", name)
		}
		a.Model = c.choose(a.Model, models[a.ID])
		if i := c.index(a.Model); i >= 0 {
			fit(&a.Fields, c[i].Takes)
		}
		starters = append(starters, elumenta.Starter{ID: a.ID, Fields: a.Fields})
	}
	return starters, nil
}

// Suggested are starters for someone who makes a first assistant: one of each category.
func Suggested() []elumenta.AssistantID {
	all, err := catalog(nil).load(nil)
	if err != nil {
		panic(err) // they are part of the program
	}
	var ids []elumenta.AssistantID
	for _, category := range elumenta.CategorySlugs() {
		if i := slices.IndexFunc(all, func(s elumenta.Starter) bool { return s.Category == category }); i >= 0 {
			ids = append(ids, all[i].ID)
		}
	}
	return ids
}

func (c catalog) index(slug string) int {
	return slices.IndexFunc(c, func(m model) bool { return m.Slug == slug })
}

// choose finds the model of a starter by the rule that Set states. present is "" for a starter that has none yet.
func (c catalog) choose(own, present string) string {
	var lasting, all []string
	for _, m := range c {
		if !m.Available || m.Slug == offline {
			continue
		}
		all = append(all, m.Slug)
		if !m.Retires {
			lasting = append(lasting, m.Slug)
		}
	}
	for _, available := range [][]string{lasting, all} {
		for _, slug := range slices.Concat([]string{own, present}, preferred, available) {
			if slices.Contains(available, slug) {
				return slug
			}
		}
	}
	if c.index(present) >= 0 {
		return present
	}
	return offline
}

// fit takes from a starter what its model does not take. A schema that the model cannot be held to becomes JSON of any shape where
// it can do that: the instructions say which shape is meant.
func fit(f *elumenta.Fields, takes elumenta.Capabilities) {
	s, _ := takes.Fit(elumenta.Settings{Temperature: f.Temperature, MaxTokens: f.MaxTokens})
	f.Temperature, f.MaxTokens = s.Temperature, s.MaxTokens
	if f.ResponseFormat == nil {
		return
	}
	if f.ResponseFormat.Type == elumenta.FormatJSONSchema && !takes.JSONSchema {
		f.ResponseFormat = &elumenta.ResponseFormat{Type: elumenta.FormatJSONObject}
	}
	if f.ResponseFormat.Type == elumenta.FormatJSONObject && !takes.JSONObject {
		f.ResponseFormat = nil
	}
}
