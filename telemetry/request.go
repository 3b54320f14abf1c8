package telemetry

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/elumenta/elumenta"
)

// request is what is known of a recorded request, for the spans below its own. It is written before a provider is called, by the
// goroutine that serves the request.
type request struct{ attributes []attribute.KeyValue }

type requestKey struct{}

// Request begins a request's span, below the one that the client names in traceparent. It returns the context that goes with the
// request, and what ends the span, with the pattern of the route, the status and the code of what failed; nil if nothing is recorded.
func (t *Telemetry) Request(r *http.Request, id elumenta.RequestID) (context.Context, func(route string, status int, failure elumenta.Code)) {
	ctx := r.Context()
	if len(r.Header["Traceparent"]) > 0 {
		parent := trace.SpanContextFromContext(t.propagator.Extract(ctx, propagation.HeaderCarrier(r.Header)))
		ctx = trace.ContextWithRemoteSpanContext(ctx, parent.WithTraceState(trace.TraceState{})) // tracestate is free text
	}
	ctx, span := t.tracer.Start(ctx, "HTTP", trace.WithSpanKind(trace.SpanKindServer))
	if !span.IsRecording() {
		return r.Context(), nil
	}
	method, scheme := method(r.Method), "http"
	if r.TLS != nil {
		scheme = "https"
	}
	span.SetAttributes(keyRequest.String(string(id)), semconv.HTTPRequestMethodKey.String(method), semconv.URLScheme(scheme),
		semconv.NetworkProtocolVersion(strings.TrimSuffix(strings.TrimPrefix(r.Proto, "HTTP/"), ".0")))
	return context.WithValue(ctx, requestKey{}, &request{}), func(route string, status int, failure elumenta.Code) {
		name := method
		if method == otherMethod {
			name = "HTTP"
		}
		if _, path, ok := strings.Cut(route, " "); ok {
			name += " " + path
			span.SetAttributes(semconv.HTTPRoute(path))
		}
		span.SetName(name)
		span.SetAttributes(semconv.HTTPResponseStatusCode(status))
		if failure != "" {
			span.SetAttributes(keyErrorCode.String(string(failure)))
		}
		switch {
		case status >= http.StatusInternalServerError:
			span.SetAttributes(semconv.ErrorTypeKey.String(strconv.Itoa(status)))
			span.SetStatus(codes.Error, "")
		case failure != "" && status < http.StatusBadRequest: // a stream that broke off after its status was sent
			span.SetAttributes(semconv.ErrorTypeKey.String(string(failure)))
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

const otherMethod = "_OTHER"

// method is a method that there is: a client's own word must not become a name.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return m
	}
	return otherMethod
}

// child begins a span below a recorded one; nil without.
func (t *Telemetry) child(ctx context.Context, name string, kind trace.SpanKind) (context.Context, trace.Span) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, nil
	}
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(kind))
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		span.SetAttributes(r.attributes...)
	}
	return ctx, span
}
