package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// The protocols.
const (
	protocolHTTP = "http/protobuf"
	protocolGRPC = "grpc"
)

// settings are the protocols by which traces and metrics are exported; "" means not at all. Everything else is read from the
// environment by OpenTelemetry's own code.
type settings struct{ traces, metrics string }

func (s settings) on() bool { return s.traces != "" || s.metrics != "" }

func readSettings(getenv func(string) string) (s settings, err error) {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		return settings{}, nil
	}
	if s.traces, err = protocol(getenv, "TRACES"); err == nil {
		s.metrics, err = protocol(getenv, "METRICS")
	}
	return s, err
}

// protocol is how a signal is exported.
func protocol(getenv func(string) string, signal string) (string, error) {
	endpoint, given := firstSet(getenv, "OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
	switch name := "OTEL_" + signal + "_EXPORTER"; getenv(name) {
	case "none":
		return "", nil
	case "":
		if given == "" {
			return "", nil
		}
	case "otlp":
	default:
		return "", fmt.Errorf("%s takes otlp or none", name)
	}
	chosen, name := firstSet(getenv, "OTEL_EXPORTER_OTLP_"+signal+"_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
	switch chosen {
	case "":
		chosen = protocolHTTP
	case protocolHTTP, protocolGRPC:
	default:
		return "", fmt.Errorf("%s takes %s or %s", name, protocolHTTP, protocolGRPC)
	}
	if endpoint != "" {
		if u, err := url.Parse(endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return "", fmt.Errorf("%s must be an address such as http://127.0.0.1:4318", given)
		}
	}
	return chosen, nil
}

// firstSet returns the value and the name of the first variable that is set.
func firstSet(getenv func(string) string, names ...string) (value, name string) {
	for _, name := range names {
		if value := strings.TrimSpace(getenv(name)); value != "" {
			return value, name
		}
	}
	return "", ""
}

func newSpanExporter(ctx context.Context, protocol string) (sdktrace.SpanExporter, error) {
	if protocol == protocolGRPC {
		return otlptrace.New(ctx, otlptracegrpc.NewClient())
	}
	return otlptrace.New(ctx, otlptracehttp.NewClient())
}

func newMetricExporter(ctx context.Context, protocol string) (sdkmetric.Exporter, error) {
	if protocol == protocolGRPC {
		return otlpmetricgrpc.New(ctx)
	}
	return otlpmetrichttp.New(ctx)
}

// plain is an error without the address, which may hold a credential.
func plain(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
