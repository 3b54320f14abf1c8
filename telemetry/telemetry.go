// Package telemetry exports traces and metrics by OpenTelemetry's protocol: a span for each request, one for each call of a
// provider and those of the ledger, and the GenAI conventions' metrics. Nothing of a conversation, no key and no user is in
// them. It is configured by OpenTelemetry's own environment variables and off until one of them names where to export to.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// scope names what makes the spans and metrics.
const scope = "github.com/elumenta/elumenta/telemetry"

// Telemetry makes spans and metrics. A nil *Telemetry is one that is off: what it wraps comes back as it is.
type Telemetry struct {
	tracer      trace.Tracer
	instruments instruments
	propagator  propagation.TraceContext
	targets     sync.Map // targetKey → *target: what is said of each place that serves a model
	closers     []func(context.Context) error
}

// Start begins to export as the environment says; nil if it names no exporter. Errors name a variable, never its value.
// It sets OpenTelemetry's error handler for the whole program. Close ends it.
func Start(ctx context.Context, version string, getenv func(string) string, log *slog.Logger) (*Telemetry, error) {
	s, err := readSettings(getenv)
	if err != nil || !s.on() {
		return nil, err
	}
	r := newReporter(log)
	otel.SetErrorHandler(r)
	otel.SetLogger(r.logger())
	res, err := newResource(ctx, version)
	if err != nil {
		return nil, err
	}
	t := &Telemetry{tracer: tracenoop.NewTracerProvider().Tracer(scope)}
	var meter metric.Meter = metricnoop.Meter{}
	if s.traces != "" {
		exporter, err := newSpanExporter(ctx, s.traces)
		if err != nil {
			return nil, fmt.Errorf("cannot export traces by the OTEL_ variables: %w", plain(err))
		}
		provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(res))
		t.closers = append(t.closers, provider.Shutdown)
		t.tracer = provider.Tracer(scope, trace.WithInstrumentationVersion(version), trace.WithSchemaURL(schemaURL))
	}
	if s.metrics != "" {
		exporter, err := newMetricExporter(ctx, s.metrics)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("cannot export metrics by the OTEL_ variables: %w", plain(err)), t.Close(ctx))
		}
		provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter)), sdkmetric.WithResource(res))
		t.closers = append(t.closers, provider.Shutdown)
		meter = provider.Meter(scope, metric.WithInstrumentationVersion(version), metric.WithSchemaURL(schemaURL))
	}
	if t.instruments, err = newInstruments(meter); err != nil {
		return nil, errors.Join(err, t.Close(ctx))
	}
	return t, nil
}

// Check finds the mistakes in the environment that Start would, and starts nothing.
func Check(ctx context.Context, version string, getenv func(string) string) error {
	s, err := readSettings(getenv)
	if err == nil && s.on() {
		_, err = newResource(ctx, version)
	}
	return err
}

// newResource says which process this is. What the environment says of it goes first.
func newResource(ctx context.Context, version string) (*resource.Resource, error) {
	res, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(serviceAttributes(version, uuid.NewString())...), resource.WithFromEnv())
	if err != nil {
		return nil, errors.New("OTEL_RESOURCE_ATTRIBUTES is not key=value,key=value with percent-encoding")
	}
	return res, nil
}

// Close exports what is left, until ctx ends.
func (t *Telemetry) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	var errs []error
	for _, closer := range t.closers {
		errs = append(errs, closer(ctx))
	}
	return plain(errors.Join(errs...))
}
