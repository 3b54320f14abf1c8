package telemetry

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/elumenta/elumenta"
)

// Provider makes a span and metrics of each call of a provider, which is one attempt of a generation.
func (t *Telemetry) Provider(p elumenta.Provider) elumenta.Provider {
	if t == nil {
		return p
	}
	return &provider{Provider: p, t: t}
}

type provider struct {
	elumenta.Provider
	t *Telemetry
}

// attempt is one call on its way.
type attempt struct {
	t          *Telemetry
	target     *target
	began      time.Time
	firstChunk time.Duration // zero until then
	emit       func(elumenta.Event) error
	left       error // of emit: nobody takes the answer any more
}

// Generate calls the provider.
func (p *provider) Generate(ctx context.Context, to elumenta.Target, prompt *elumenta.Prompt, emit func(elumenta.Event) error) (c elumenta.Completion, err error) {
	a := &attempt{t: p.t, target: p.t.target(to), began: time.Now(), emit: emit}
	ctx, span := p.t.child(ctx, a.target.spanName, trace.SpanKindClient)
	if span != nil {
		span.SetAttributes(a.target.attributes...)
		span.SetAttributes(requestAttributes(prompt)...)
	}
	returned := false
	defer func() {
		if !returned {
			err = errPanic // which goes on
		}
		a.end(ctx, span, prompt.Stream, c, err)
	}()
	c, err = p.Provider.Generate(ctx, to, prompt, a.pass)
	returned = true
	return c, err
}

var errPanic = errors.New("panic")

// pass hands an event on and notes when the first one came.
func (a *attempt) pass(e elumenta.Event) error {
	if a.firstChunk == 0 && e.Kind != elumenta.EventPause {
		a.firstChunk = time.Since(a.began)
	}
	err := a.emit(e)
	if a.left == nil {
		a.left = err
	}
	return err
}

func (a *attempt) end(ctx context.Context, span trace.Span, stream bool, c elumenta.Completion, err error) {
	took := time.Since(a.began).Seconds()
	failure := ""
	set := a.target.set
	if err != nil {
		failure = a.errorType(ctx, err)
		set = attribute.NewSet(append(set.ToSlice(), semconv.ErrorTypeKey.String(failure))...)
	}
	i := &a.t.instruments
	i.duration.RecordSet(ctx, took, set)
	if stream && a.firstChunk > 0 {
		i.firstChunk.RecordSet(ctx, a.firstChunk.Seconds(), a.target.set)
	}
	if n := c.Usage.PromptTokens; n > 0 {
		i.tokens.RecordSet(ctx, n, a.target.input)
	}
	if n := c.Usage.CompletionTokens; n > 0 {
		i.tokens.RecordSet(ctx, n, a.target.output)
	}
	if span == nil {
		return
	}
	if stream && a.firstChunk > 0 {
		span.SetAttributes(semconv.GenAIResponseTimeToFirstChunk(a.firstChunk.Seconds()))
	}
	span.SetAttributes(responseAttributes(c)...)
	if failure != "" {
		span.SetAttributes(semconv.ErrorTypeKey.String(failure))
		if e, ok := errors.AsType[*elumenta.ProviderError](err); ok && e.Status > 0 {
			span.SetAttributes(semconv.HTTPResponseStatusCode(e.Status))
		}
		if failure != clientLeft && failure != cancelled {
			span.SetStatus(codes.Error, "")
		}
	}
	span.End()
}

// The error.types of calls that did not fail: nobody waited for it any more, or another one was faster.
const clientLeft = "client_left"

var cancelled = elumenta.KindCancelled.String()

// errorType is a provider's kind of failure, a code of the contract, or a word of ours: never an error's text.
func (a *attempt) errorType(ctx context.Context, err error) string {
	if errors.Is(err, errPanic) {
		return "panic"
	}
	// Why we ended it, rather than what that looked like to the provider.
	left := a.left != nil
	switch {
	case left:
		err = a.left
	case ctx.Err() != nil:
		err = context.Cause(ctx)
		left = errors.Is(err, context.Canceled)
	}
	e, ok := errors.AsType[*elumenta.ProviderError](err)
	switch {
	case left && (!ok || e.Kind != elumenta.KindCancelled):
		return clientLeft
	case ok:
		return e.Kind.String()
	}
	if e, ok := errors.AsType[*elumenta.Error](err); ok {
		return string(e.Code)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return elumenta.KindTimeout.String()
	}
	return "_OTHER"
}

func (t *Telemetry) target(to elumenta.Target) *target {
	key := targetKey{to.Name, to.BaseURL, to.Model}
	if known, ok := t.targets.Load(key); ok {
		return known.(*target) //nolint:forcetypeassert // nothing else is stored
	}
	made, _ := t.targets.LoadOrStore(key, newTarget(key))
	return made.(*target) //nolint:forcetypeassert // nothing else is stored
}

func requestAttributes(p *elumenta.Prompt) []attribute.KeyValue {
	list := []attribute.KeyValue{semconv.GenAIRequestStream(p.Stream)}
	if v := p.Settings.MaxTokens; v != nil {
		list = append(list, semconv.GenAIRequestMaxTokens(*v))
	}
	if v := p.Settings.Temperature; v != nil {
		list = append(list, semconv.GenAIRequestTemperature(*v))
	}
	if v := p.Settings.TopP; v != nil {
		list = append(list, semconv.GenAIRequestTopP(*v))
	}
	return list
}

// mostName bounds a model's name and an id that are a provider's words, in bytes.
const mostName = 200

func responseAttributes(c elumenta.Completion) []attribute.KeyValue {
	var list []attribute.KeyValue
	if c.UpstreamID != "" && len(c.UpstreamID) <= mostName {
		list = append(list, semconv.GenAIResponseID(c.UpstreamID))
	}
	if c.Model != "" && len(c.Model) <= mostName {
		list = append(list, semconv.GenAIResponseModel(c.Model))
	}
	if c.Finish != "" {
		list = append(list, semconv.GenAIResponseFinishReasons(string(c.Finish)))
	}
	for _, n := range [...]struct {
		key   attribute.Key
		value int64
	}{
		{semconv.GenAIUsageInputTokensKey, c.Usage.PromptTokens}, {semconv.GenAIUsageOutputTokensKey, c.Usage.CompletionTokens},
		{semconv.GenAIUsageCacheReadInputTokensKey, c.Usage.CachedTokens}, {semconv.GenAIUsageCacheCreationInputTokensKey, c.Usage.CacheWriteTokens},
		{semconv.GenAIUsageReasoningOutputTokensKey, c.Usage.ReasoningTokens},
	} {
		if n.value > 0 {
			list = append(list, n.key.Int64(n.value))
		}
	}
	return list
}

// Transport tells a provider the trace that a call belongs to, in the header traceparent. A call without a span tells nothing.
func (t *Telemetry) Transport(base http.RoundTripper) http.RoundTripper {
	if t == nil {
		return base
	}
	return &transport{base, t}
}

type transport struct {
	http.RoundTripper
	t *Telemetry
}

// RoundTrip sends a request.
func (p *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if trace.SpanFromContext(r.Context()).IsRecording() {
		r = r.Clone(r.Context())
		p.t.propagator.Inject(r.Context(), propagation.HeaderCarrier(r.Header))
	}
	return p.RoundTripper.RoundTrip(r)
}

// CloseIdleConnections is for http.Client.
func (p *transport) CloseIdleConnections() {
	if c, ok := p.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
