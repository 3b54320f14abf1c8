package telemetry

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0" // the one place that pins the conventions: 1.41.0 is the last release that has the GenAI ones
	"go.opentelemetry.io/otel/semconv/v1.41.0/genaiconv"
)

const schemaURL = semconv.SchemaURL

// Our own attributes. docs/monitoring.md lists them.
const (
	keyRequest    = attribute.Key("elumenta.request.id")
	keyGeneration = attribute.Key("elumenta.generation.id")
	keyAssistant  = attribute.Key("elumenta.assistant.id")
	keyVersion    = attribute.Key("elumenta.assistant.version")
	keyModel      = attribute.Key("elumenta.model")
	keyProvider   = attribute.Key("elumenta.provider")
	keyErrorCode  = attribute.Key("elumenta.error.code")
	keyState      = attribute.Key("elumenta.settlement")
)

func serviceAttributes(version, instance string) []attribute.KeyValue {
	return []attribute.KeyValue{semconv.ServiceName("elumenta"), semconv.ServiceVersion(version), semconv.ServiceInstanceID(instance)}
}

type instruments struct {
	duration   genaiconv.ClientOperationDuration
	firstChunk genaiconv.ClientOperationTimeToFirstChunk
	tokens     genaiconv.ClientTokenUsage
}

// newInstruments makes the metrics with the limits of buckets that the conventions ask for.
func newInstruments(m metric.Meter) (i instruments, err error) {
	times := metric.WithExplicitBucketBoundaries(.01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
	if i.duration, err = genaiconv.NewClientOperationDuration(m, times); err != nil {
		return i, err
	}
	if i.firstChunk, err = genaiconv.NewClientOperationTimeToFirstChunk(m, times); err != nil {
		return i, err
	}
	i.tokens, err = genaiconv.NewClientTokenUsage(m, metric.WithExplicitBucketBoundaries(1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864))
	return i, err
}

// targetKey is what distinguishes the places that serve models.
type targetKey struct{ name, baseURL, model string }

// target is what is said of every call of a place, made once.
type target struct {
	spanName      string
	attributes    []attribute.KeyValue // of a span
	set           attribute.Set        // of a metric
	input, output attribute.Set        // of the metric of tokens
}

func newTarget(k targetKey) *target {
	common := []attribute.KeyValue{semconv.GenAIOperationNameChat, semconv.GenAIRequestModel(k.model)}
	u, err := url.Parse(k.baseURL)
	known := false
	if err == nil && u.Hostname() != "" {
		var name attribute.KeyValue
		if name, known = wellKnown(u.Hostname()); known {
			common = append(common, name)
		}
		common = append(common, semconv.ServerAddress(u.Hostname()), semconv.ServerPort(port(u)))
	}
	if !known {
		common = append(common, semconv.GenAIProviderNameKey.String(k.name))
	}
	with := func(more attribute.KeyValue) []attribute.KeyValue {
		return append(slices.Clip(common), more)
	}
	return &target{
		spanName: "chat " + k.model, attributes: with(keyProvider.String(k.name)), set: attribute.NewSet(common...),
		input: attribute.NewSet(with(semconv.GenAITokenTypeInput)...), output: attribute.NewSet(with(semconv.GenAITokenTypeOutput)...),
	}
}

// wellKnown is the conventions' name of the provider that a host belongs to. Any other provider has the name of the configuration.
func wellKnown(host string) (attribute.KeyValue, bool) {
	for _, p := range [...]struct {
		domain string
		name   attribute.KeyValue
	}{
		{"api.openai.com", semconv.GenAIProviderNameOpenAI},
		{"openai.azure.com", semconv.GenAIProviderNameAzureAIOpenAI},
		{"api.anthropic.com", semconv.GenAIProviderNameAnthropic},
		{"generativelanguage.googleapis.com", semconv.GenAIProviderNameGCPGemini},
		{"aiplatform.googleapis.com", semconv.GenAIProviderNameGCPVertexAI},
		{"api.deepseek.com", semconv.GenAIProviderNameDeepseek},
		{"api.x.ai", semconv.GenAIProviderNameXAI},
		{"api.groq.com", semconv.GenAIProviderNameGroq},
		{"api.mistral.ai", semconv.GenAIProviderNameMistralAI},
		{"api.perplexity.ai", semconv.GenAIProviderNamePerplexity},
		{"api.cohere.com", semconv.GenAIProviderNameCohere},
	} {
		if host == p.domain || strings.HasSuffix(host, "."+p.domain) {
			return p.name, true
		}
	}
	return attribute.KeyValue{}, false
}

func port(u *url.URL) int {
	if n, err := strconv.Atoi(u.Port()); err == nil {
		return n
	}
	if u.Scheme == "http" {
		return 80
	}
	return 443
}
