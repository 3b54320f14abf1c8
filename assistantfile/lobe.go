package assistantfile

import (
	"io/fs"
	"slices"
	"strings"

	"github.com/elumenta/elumenta"
)

// lobeAgent is an agent of LobeHub's collection (https://github.com/lobehub/lobe-chat-agents).
type lobeAgent struct {
	Author, Homepage, Identifier, License, CreatedAt string
	Meta                                             struct {
		Title, Description, Category string
		Tags                         []string
	}
	Config struct {
		SystemRole elumenta.Text
		Model      string
		Params     struct {
			Temperature *float64
			MaxTokens   *int `json:"max_tokens"`
		}
	}
}

// lobePlaced are the settings of an agent that are taken, and those that say something of its file alone.
var lobePlaced = []string{
	"author", "homepage", "identifier", "license", "createdAt", "meta.title", "meta.description", "meta.category", "meta.tags",
	"config.systemRole", "config.model", "config.params.temperature", "config.params.max_tokens",
	"_file", "createAt", "schemaVersion", "tokenUsage",
}

// lobeCategories are the collection's categories by what they are called here.
var lobeCategories = map[string]string{
	"academic": "education", "career": "career", "copywriting": "writing", "design": "design", "education": "education", "emotions": "life",
	"entertainment": "entertainment", "games": "entertainment", "general": "general", "life": "life", "marketing": "marketing", "office": "productivity",
	"programming": "programming", "translation": "translation",
}

// ReadLobe reads agents as LobeHub's collection has them: a file with one or more, or a folder. Errors are Problems.
func (c *Conversion) ReadLobe(fsys fs.FS, name string) ([]Foreign, error) {
	all, problems := records(fsys, name)
	var found []Foreign
	for _, r := range all {
		var a lobeAgent
		if !r.decode(&a, &problems) {
			continue
		}
		if a.Identifier == "" {
			problems.add(r.file, r.line, 0, "identifier is required: is this an agent of LobeHub's collection?")
			continue
		}
		found = append(found, c.lobe(r, &a))
	}
	return finish(found, problems)
}

func (c *Conversion) lobe(r record, a *lobeAgent) Foreign {
	f := c.begin(r, "identifier", a.Identifier, a.Meta.Title, a.Meta.Description, a.Config.SystemRole)
	f.Model = c.Model
	if m := a.Config.Model; m != "" {
		if c.Known(m) {
			f.Model = m
		} else {
			f.note("model %s is %s now", m, c.Model)
		}
	}
	c.lobeCategory(&f, a.Meta.Category)
	f.keep("author", a.Author)
	f.keep("homepage", a.Homepage)
	license := a.License
	if license == "" {
		license = c.License
	}
	f.keep("license", license)
	f.keep("tags", joinTags(&f, a.Meta.Tags))
	f.keep("created_at", a.CreatedAt)
	f.settings(a.Config.Params.Temperature, a.Config.Params.MaxTokens)
	if strings.Contains(string(f.Instructions), "{{") {
		f.note("{{…}} in the instructions stays plain text: no variable is declared")
	}
	leftOut := r.unplaced(lobePlaced)
	for i, name := range leftOut {
		leftOut[i] = strings.TrimPrefix(strings.TrimPrefix(name, "config."), "meta.")
	}
	slices.Sort(leftOut)
	f.dropped(leftOut)
	c.publish(&f)
	return f
}

func (c *Conversion) lobeCategory(f *Foreign, category string) {
	f.Category = lobeCategories[category]
	switch {
	case f.Category == "":
		f.Category = "general"
		f.note("category %q is general now", category)
	case f.Category != category:
		f.note("category %s is %s now", category, f.Category)
	}
}

// joinTags makes one value of as many tags as fit.
func joinTags(f *Foreign, tags []string) string {
	joined := strings.Join(tags, ", ")
	kept := len(tags)
	for len([]rune(joined)) > elumenta.MaxMetadataValue {
		kept--
		joined = strings.Join(tags[:kept], ", ")
	}
	if kept < len(tags) {
		f.note("%d of %d tags kept", kept, len(tags))
	}
	return joined
}
