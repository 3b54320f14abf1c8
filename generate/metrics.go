package generate

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/elumenta/elumenta"
)

// metrics count what operators watch. Labels are names from the configuration and codes, never a client's text.
type metrics struct {
	generations *prometheus.CounterVec
	tokens      *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	firstPiece  *prometheus.HistogramVec
	failures    *prometheus.CounterVec
	moved       *prometheus.CounterVec
	hedges      *prometheus.CounterVec
	unbudgeted  *prometheus.CounterVec
	refusedKeys *prometheus.CounterVec
	prompts     *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	seconds := []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}
	m := &metrics{
		generations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "elumenta_generations_total", Help: "Generations settled, by model, outcome (charged, given_back) and error code.",
		}, []string{"model", "outcome", "error"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "elumenta_provider_tokens_total", Help: "Provider tokens by model and type (prompt, cached, cache_write, completion, reasoning).",
		}, []string{"model", "type"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "elumenta_provider_duration_seconds", Help: "Time of a provider's call from beginning to end.", Buckets: seconds,
		}, []string{"provider", "model"}),
		firstPiece: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "elumenta_provider_first_piece_seconds", Help: "Time to the first piece of a provider's output.", Buckets: seconds,
		}, []string{"provider", "model"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "elumenta_provider_failures_total", Help: "Provider calls that failed, by provider, model and kind.",
		}, []string{"provider", "model", "kind"}),
		prompts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "elumenta_prompt_cache_requests_total", Help: "Answers by what came of the provider's prompt cache, and why nothing was read from it.",
		}, []string{"model", "status", "reason"}),
	}
	m.moved = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "elumenta_provider_fallbacks_total", Help: "Generations that moved on to another route or key, by the provider, model and kind of failure they left.",
	}, []string{"provider", "model", "kind"})
	m.hedges = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "elumenta_provider_hedges_total", Help: "Calls of another route beside a silent one, by that other's provider, model and outcome (won: it began to answer first; lost).",
	}, []string{"provider", "model", "outcome"})
	m.unbudgeted = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "elumenta_retry_budget_exhausted_total", Help: "Generations that failed with another route left, since the model's retry budget was spent.",
	}, []string{"model"})
	m.refusedKeys = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "elumenta_provider_keys_refused_total", Help: "Times that a provider's key was left out, since the provider refused it or its account is empty, by the key's place in the configuration.",
	}, []string{"provider", "key"})
	if reg != nil {
		reg.MustRegister(m.generations, m.tokens, m.duration, m.firstPiece, m.failures, m.moved, m.hedges, m.unbudgeted, m.refusedKeys, m.prompts)
	}
	return m
}

// begin has counters of rare events at 0, so that the first one shows as an increase.
func (m *metrics) begin(r *routing) {
	for model := range r.models {
		m.unbudgeted.WithLabelValues(model.Slug)
		if model.HedgeAfter <= 0 {
			continue
		}
		for i := range model.Routes {
			m.hedges.WithLabelValues(model.Routes[i].Target.Name, model.Slug, hedgeWon)
			m.hedges.WithLabelValues(model.Routes[i].Target.Name, model.Slug, hedgeLost)
		}
	}
	for provider, ring := range r.rings {
		for key := range ring.keys {
			m.refusedKeys.WithLabelValues(provider, strconv.Itoa(key+1))
		}
	}
}

func (m *metrics) settledOutcome(model *elumenta.Model, o elumenta.Outcome) {
	outcome := "charged"
	if o.State != elumenta.Charged {
		outcome = "given_back"
	}
	m.generations.WithLabelValues(model.Slug, outcome, string(o.Error)).Inc()
}

func (m *metrics) providerCall(provider string, model *elumenta.Model, l *lane, u elumenta.Usage) {
	m.duration.WithLabelValues(provider, model.Slug).Observe(seconds(l.ended.Sub(l.called)))
	if !l.firstPiece.IsZero() {
		m.firstPiece.WithLabelValues(provider, model.Slug).Observe(seconds(l.firstPiece.Sub(l.called)))
	}
	for _, t := range [...]struct {
		name string
		n    int64
	}{{"prompt", u.PromptTokens}, {"cached", u.CachedTokens}, {"cache_write", u.CacheWriteTokens}, {"completion", u.CompletionTokens}, {"reasoning", u.ReasoningTokens}} {
		if t.n > 0 {
			m.tokens.WithLabelValues(model.Slug, t.name).Add(float64(t.n))
		}
	}
}

func seconds(d time.Duration) float64 { return max(d, 0).Seconds() }
