package elumenta

import (
	"fmt"
	"sort"
	"time"
)

// Model is an entry of the catalog.
type Model struct {
	Slug, Name, Category, Provider, Description string
	// MinPlan is the least plan that includes the model.
	MinPlan string
	// TokenCost is the price of one generation, in tokens (Elumenta's own unit).
	TokenCost     int64
	ContextWindow int // the provider's tokens
	// UpstreamID is the provider's own model id.
	UpstreamID   string
	Capabilities Capabilities
	// RetiresAt, if not zero, is announced with every generation; ReplacedBy is the slug to move to.
	RetiresAt  time.Time
	ReplacedBy string
	// Routes are the places that serve the model, sorted by Order, at most MaxRoutes. None: not available.
	Routes []Route
	// HedgeAfter is how long a request's first call may be silent before another route is called beside it; zero: never.
	HedgeAfter time.Duration
}

// The most routes of a model, and the most keys of a provider.
const (
	MaxRoutes       = 8
	MaxProviderKeys = 8
)

// Route is a wire format and a place that speaks it.
type Route struct {
	Provider Provider
	Target   Target
	// Format is the Provider's wire format, as the configuration names it.
	Format string
	// Credentials, at most MaxProviderKeys, are used instead of the target's, in turn; empty: the target's alone.
	Credentials []Secret
	// Order says when the route is tried: the lowest first. Routes of the same order share requests by Weight; less than 1 is 1.
	Order, Weight int
	// Region is a name for people, shown in attempts; may be empty.
	Region string
	// Unguarded routes are called whatever became of earlier calls: no circuit breaker, no Retry-After, no key left out.
	Unguarded bool
}

// Available reports whether any route serves the model.
func (m *Model) Available() bool { return len(m.Routes) > 0 }

// Catalog finds models by slug. It does not change.
type Catalog struct {
	bySlug map[string]*Model
	models []*Model
}

// NewCatalog makes a catalog; a later model replaces an earlier one of the same slug.
func NewCatalog(models []Model) *Catalog {
	c := &Catalog{bySlug: make(map[string]*Model, len(models))}
	for i := range models {
		c.bySlug[models[i].Slug] = &models[i]
	}
	for _, m := range c.bySlug {
		c.models = append(c.models, m)
	}
	sort.Slice(c.models, func(i, j int) bool { return c.models[i].Slug < c.models[j].Slug })
	return c
}

// Get finds a model by its slug.
func (c *Catalog) Get(slug string) (*Model, bool) {
	m, ok := c.bySlug[slug]
	return m, ok
}

// Models lists all models in the order of their slugs. The list is shared: do not change it.
func (c *Catalog) Models() []*Model { return c.models }

// Range is the closed range of a setting that a model takes.
type Range struct{ Min, Max float64 }

// CacheKind says how a provider's prompt cache works.
type CacheKind uint8

// The kinds of a cache.
const (
	CacheNone   CacheKind = iota
	CachePrefix           // keys on the prompt's beginning, by itself
	CacheMarks            // wants marks
)

// Capabilities say what a model takes at a target. The zero value takes text and nothing else.
type Capabilities struct {
	Temperature, TopP *Range // nil: not taken
	Stop              int    // how many stop sequences are taken
	MaxTokens         int    // the largest answer, in the provider's tokens; zero: unknown
	JSONObject        bool
	JSONSchema        bool
	Tools             bool
	Vision            bool
	FetchesURLs       bool // takes an image by https URL
	Cache             CacheKind
	CacheMinimum      int // the smallest prompt that is cached, in the provider's tokens
	// CacheTTL is for how long after its last use the provider promises to keep, or at most keeps, a prompt; zero: unknown.
	CacheTTL time.Duration
	// NoStreamOptions says that a host of Chat Completions refuses stream_options; it counts a stream's tokens without, or nobody does.
	NoStreamOptions bool
	// ChatMaxTokensField names the Chat Completions field for MaxTokens: "max_completion_tokens" where the host takes no
	// other; empty means "max_tokens".
	ChatMaxTokensField string
}

// Fit returns the settings that a model takes: what it does not take is left out, what is out of its range is brought to
// the limit, and a warning names each. A response format is checked before, not here.
func (c Capabilities) Fit(s Settings) (Settings, []Warning) {
	var warnings []Warning
	s.Temperature = fitRange("temperature", s.Temperature, c.Temperature, &warnings)
	s.TopP = fitRange("top_p", s.TopP, c.TopP, &warnings)
	if s.MaxTokens != nil && c.MaxTokens > 0 && *s.MaxTokens > c.MaxTokens {
		limit := c.MaxTokens // a pointer into c would have every call allocate all of it
		warnings = append(warnings, Warning{WarnClamped, "max_tokens", fmt.Sprintf("the model gives at most %d tokens", limit)})
		s.MaxTokens = &limit
	}
	if len(s.Stop) > c.Stop {
		message := "the model takes no stop sequences: left out"
		if c.Stop > 0 {
			message = fmt.Sprintf("the model takes at most %d stop sequences: the rest is left out", c.Stop)
		}
		warnings = append(warnings, Warning{WarnUnsupported, "stop", message})
		s.Stop = s.Stop[:c.Stop]
	}
	return s, warnings
}

func fitRange(field string, v *float64, r *Range, warnings *[]Warning) *float64 {
	switch {
	case v == nil:
		return nil
	case r == nil:
		*warnings = append(*warnings, Warning{WarnUnsupported, field, "the model does not take " + field + ": left out"})
		return nil
	case *v < r.Min || *v > r.Max:
		limit := min(max(*v, r.Min), r.Max)
		*warnings = append(*warnings, Warning{WarnClamped, field, fmt.Sprintf("brought to %g, the limit of what the model takes", limit)})
		return &limit
	}
	return v
}
