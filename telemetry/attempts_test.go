package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/elumenta/elumenta"
)

type scripted func(context.Context) error

func (s scripted) Generate(ctx context.Context, _ elumenta.Target, _ *elumenta.Prompt, _ func(elumenta.Event) error) (elumenta.Completion, error) {
	return elumenta.Completion{}, s(ctx)
}

// Each attempt of a generation is a span of its own, which says why it failed: also where we ended it, or the code panicked.
func TestAttempts(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	traces := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	i, err := newInstruments(sdkmetric.NewMeterProvider().Meter(scope))
	if err != nil {
		t.Fatal(err)
	}
	tel := &Telemetry{tracer: traces.Tracer(scope), instruments: i}
	ctx, end := tel.Request(httptest.NewRequestWithContext(t.Context(), "POST", "/v1/responses", nil), "req_1")
	if _, err := tel.Ledger(booking{}).Reserve(ctx, elumenta.Reservation{Generation: "gen_1", Model: "slug"}); err != nil {
		t.Fatal(err)
	}
	ended := func(cause error) func(context.Context) error {
		return func(ctx context.Context) error {
			<-ctx.Done()
			return &elumenta.ProviderError{Kind: elumenta.KindUnreachable, Cause: cause}
		}
	}
	var want []string
	for _, c := range []struct {
		provider string
		cause    error // why we end the call
		do       scripted
		want     string
	}{
		{"first", nil, func(context.Context) error {
			return &elumenta.ProviderError{Kind: elumenta.KindOverloaded, Status: 529, Message: "secret"}
		}, "overloaded Error 529"},
		{"second", nil, func(context.Context) error { panic("secret") }, "panic Error "},
		{"third", &elumenta.ProviderError{Kind: elumenta.KindTimeout}, ended(nil), "timeout Error "},
		{"fourth", elumenta.Unavailable(nil), ended(nil), "service_unavailable Error "},
		{"fifth", context.Canceled, ended(nil), "client_left Unset "},
		{"hedged", &elumenta.ProviderError{Kind: elumenta.KindCancelled}, ended(nil), "cancelled Unset "},
		{"sixth", nil, func(context.Context) error { return errors.New("secret") }, "_OTHER Error "},
		{"seventh", nil, func(context.Context) error { return nil }, " Unset "},
	} {
		want = append(want, c.provider+" gen_1 slug "+c.want)
		func() {
			call, cancel := context.WithCancelCause(ctx)
			defer cancel(nil)
			if c.cause != nil {
				cancel(c.cause)
			}
			defer func() { _ = recover() }()
			_, _ = tel.Provider(c.do).Generate(call, elumenta.Target{Name: c.provider, Model: "m"}, &elumenta.Prompt{}, nil)
		}()
	}
	end("POST /v1/responses", 200, "")
	var got []string
	for _, s := range spans.GetSpans() {
		if s.Name != "chat m" {
			continue
		}
		v := map[string]string{}
		for _, kv := range s.Attributes {
			v[string(kv.Key)] = kv.Value.String()
		}
		got = append(got, strings.Join([]string{v["elumenta.provider"], v["elumenta.generation.id"], v["elumenta.model"], v["error.type"], s.Status.Code.String(), v["http.response.status_code"]}, " "))
		if strings.Contains(fmt.Sprint(s), "secret") {
			t.Errorf("a span has an error's text: %v", s)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the attempts are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

type named string

func (n named) Generate(context.Context, elumenta.Target, *elumenta.Prompt, func(elumenta.Event) error) (elumenta.Completion, error) {
	return elumenta.Completion{Finish: elumenta.FinishStop, Model: string(n), UpstreamID: string(n)}, nil
}

// The model that answered and the answer's id are as the provider has them, unless that is no name.
func TestModelThatAnswered(t *testing.T) {
	for name, want := range map[string]string{"gpt-5-2025-08-07": "gpt-5-2025-08-07", "": "", strings.Repeat("x", mostName+1): ""} {
		spans := tracetest.NewInMemoryExporter()
		i, err := newInstruments(sdkmetric.NewMeterProvider().Meter(scope))
		if err != nil {
			t.Fatal(err)
		}
		tel := &Telemetry{tracer: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)).Tracer(scope), instruments: i}
		ctx, end := tel.Request(httptest.NewRequestWithContext(t.Context(), "POST", "/v1/responses", nil), "req_1")
		if _, err := tel.Provider(named(name)).Generate(ctx, elumenta.Target{Name: "p", Model: "gpt-5"}, &elumenta.Prompt{}, nil); err != nil {
			t.Fatal(err)
		}
		end("POST /v1/responses", 200, "")
		got := map[string]string{}
		for _, s := range spans.GetSpans() {
			for _, kv := range s.Attributes {
				got[string(kv.Key)] = kv.Value.String()
			}
		}
		if got["gen_ai.response.model"] != want || got["gen_ai.response.id"] != want || got["gen_ai.request.model"] != "gpt-5" {
			t.Errorf("%.40s: %v", name, got)
		}
	}
}
