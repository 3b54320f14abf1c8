package config

import (
	_ "embed" // the catalog
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
)

//go:embed catalog.toml
var catalog []byte

// builtinCatalog reads the models that every server knows. Their file is part of the program: a mistake in it is a bug.
func (b *builder) builtinCatalog() {
	doc, problems := parse("catalog.toml", catalog)
	d := decoder{doc: doc, problems: problems}
	var f struct {
		Models []fileModel `key:"models"`
	}
	d.table("", doc.values, reflect.ValueOf(&f).Elem())
	if len(d.problems) > 0 {
		panic(d.problems)
	}
	b.doc = doc
	b.models(f.Models)
	if len(b.problems) > 0 {
		panic(b.problems)
	}
}

// models overrides the fields of built-in models by slug and adds new ones.
func (b *builder) models(list []fileModel) {
	seen := map[string]bool{}
	for i := range list {
		path := fmt.Sprintf("models[%d]", i)
		f := &list[i]
		switch {
		case f.Slug == nil:
			b.missing(path, "slug", "needs a slug")
			continue
		case !validSlug(*f.Slug):
			b.at(path+".slug", "must be 1 to 100 of A-Z a-z 0-9 . _ : -, begin with a letter or digit and not with asst_")
			continue
		case seen[*f.Slug]:
			b.at(path+".slug", "stands there twice: %s", *f.Slug)
			continue
		}
		seen[*f.Slug] = true
		b.model(path, f)
	}
	for i := range list {
		if r := list[i].ReplacedBy; r != nil && *r != "" && b.slug(*r) < 0 {
			b.at(fmt.Sprintf("models[%d].replaced_by", i), "is no model of the catalog: %q", *r)
		}
	}
}

func (b *builder) slug(slug string) int {
	return slices.IndexFunc(b.Models, func(m elumenta.Model) bool { return m.Slug == slug })
}

func (b *builder) model(path string, f *fileModel) {
	at := b.slug(*f.Slug)
	if at < 0 {
		if f.Provider == nil && len(f.Routes) > 0 {
			f.Provider = f.Routes[0].Provider
		}
		if f.Provider == nil {
			b.missing(path, "provider", "needs a provider; there are "+b.providerNames())
			return
		}
		fresh := elumenta.Model{Slug: *f.Slug, Name: *f.Slug, Category: "text", UpstreamID: *f.Slug, MinPlan: b.Plans[0].Name, TokenCost: 1}
		if p := b.provider(*f.Provider); p != nil {
			fresh.Capabilities = formatCapabilities(p.Format)
		}
		b.Models = append(b.Models, fresh)
		at = len(b.Models) - 1
	}
	m := &b.Models[at]
	b.modelNames(path, f, m)
	b.routes(path, f)
	b.hedging(path, f, m)
	b.modelNumbers(path, f, m)
	b.modelSettings(path, f, &m.Capabilities)
	if b.speaks(m, FormatAnthropic) && m.Capabilities.MaxTokens == 0 {
		b.missing(path, "max_output_tokens", "needs max_output_tokens: Anthropic's format insists on a limit in every request")
	}
}

// speaks reports whether any provider of a model speaks a format.
func (b *builder) speaks(m *elumenta.Model, format Format) bool {
	for _, r := range b.RoutesOf(m) {
		if p := b.provider(r.Provider); p != nil && p.Format == format {
			return true
		}
	}
	return false
}

func (b *builder) modelNames(path string, f *fileModel, m *elumenta.Model) {
	setString(&m.Name, f.Name, required(100), b.report(path+".name"))
	setString(&m.Description, f.Description, nil, nil)
	setString(&m.UpstreamID, f.UpstreamID, required(200), b.report(path+".upstream_id"))
	setString(&m.Provider, f.Provider, func(s string) string {
		if b.provider(s) == nil {
			return fmt.Sprintf("is no provider: %q; there are %s", s, b.providerNames())
		}
		return ""
	}, b.report(path+".provider"))
	setString(&m.MinPlan, f.MinPlan, func(s string) string {
		if _, ok := b.Plans.Get(s); !ok {
			return fmt.Sprintf("is no plan: %q; there are %s", s, strings.Join(b.Plans.Names(), ", "))
		}
		return ""
	}, b.report(path+".min_plan"))
	setString(&m.ReplacedBy, f.ReplacedBy, nil, nil)
	if f.RetiresAt != nil {
		m.RetiresAt = time.Time(*f.RetiresAt)
	}
}

func (b *builder) modelNumbers(path string, f *fileModel, m *elumenta.Model) {
	b.setTokens(&m.TokenCost, f.TokenCost, path+".token_cost")
	b.setInt(&m.ContextWindow, f.ContextWindow, path+".context_window")
	b.setInt(&m.Capabilities.MaxTokens, f.MaxOutputTokens, path+".max_output_tokens")
	b.setInt(&m.Capabilities.Stop, f.Stop, path+".stop")
	b.setInt(&m.Capabilities.CacheMinimum, f.CacheMinimum, path+".cache_minimum")
}

func (b *builder) modelSettings(path string, f *fileModel, c *elumenta.Capabilities) {
	b.setRange(&c.Temperature, f.Temperature, elumenta.MaxTemperature, path+".temperature")
	b.setRange(&c.TopP, f.TopP, 1, path+".top_p")
	for field, v := range map[*bool]*bool{
		&c.JSONObject: f.JSONObject, &c.JSONSchema: f.JSONSchema, &c.Tools: f.Tools, &c.Vision: f.Vision,
		&c.FetchesURLs: f.FetchesURLs,
	} {
		if v != nil {
			*field = *v
		}
	}
	if f.ChatStreamOptions != nil {
		c.NoStreamOptions = !*f.ChatStreamOptions
	}
	kinds := map[string]elumenta.CacheKind{"none": elumenta.CacheNone, "prefix": elumenta.CachePrefix, "marks": elumenta.CacheMarks}
	if f.Cache != nil {
		kind, ok := kinds[*f.Cache]
		if !ok {
			b.at(path+".cache", "must be one of %s", strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
		}
		c.Cache = kind
	}
	if f.CacheTTL != nil {
		c.CacheTTL = time.Duration(*f.CacheTTL)
	}
	setString(&c.ChatMaxTokensField, f.ChatMaxTokensField, func(s string) string {
		if s != "max_tokens" && s != "max_completion_tokens" {
			return "must be max_tokens or max_completion_tokens"
		}
		return ""
	}, b.report(path+".chat_max_tokens_field"))
}

// formatCapabilities are what a host of a format can be expected to take, for a model that says nothing else.
func formatCapabilities(format Format) elumenta.Capabilities {
	c := elumenta.Capabilities{
		Temperature: &elumenta.Range{Max: elumenta.MaxTemperature}, TopP: &elumenta.Range{Max: 1}, Stop: elumenta.MaxStops,
		JSONObject: true, JSONSchema: true, Tools: true,
	}
	switch format {
	case FormatResponses:
		c.Stop = 0
	case FormatAnthropic:
		c.Temperature.Max, c.JSONObject, c.Cache, c.CacheMinimum, c.CacheTTL = 1, false, elumenta.CacheMarks, 1024, 5*time.Minute
	}
	return c
}

func (b *builder) setInt(field *int, v *int, path string) {
	switch {
	case v == nil:
	case *v < 0:
		b.at(path, "must not be negative")
	default:
		*field = *v
	}
}

func (b *builder) setRange(field **elumenta.Range, v *[]float64, limit float64, path string) {
	switch {
	case v == nil:
	case len(*v) == 0:
		*field = nil
	case len(*v) != 2 || (*v)[0] < 0 || (*v)[0] > (*v)[1] || (*v)[1] > limit:
		b.at(path, "must be a range [least, most] within 0 and %g, or [] if the model takes none", limit)
	default:
		*field = &elumenta.Range{Min: (*v)[0], Max: (*v)[1]}
	}
}

func required(most int) func(string) string {
	return func(s string) string {
		if s == "" || len(s) > most || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }) {
			return fmt.Sprintf("must have 1 to %d bytes, none of them a control character", most)
		}
		return ""
	}
}

func validSlug(s string) bool {
	if len(s) == 0 || len(s) > 100 || strings.HasPrefix(s, "asst_") {
		return false
	}
	for i, c := range []byte(s) {
		letter := (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
		if !letter && (i == 0 || !strings.ContainsRune("._:-", rune(c))) {
			return false
		}
	}
	return true
}
