package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/elumenta/elumenta"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The conventions' names of providers go by host; another one's is that of the configuration.
func TestTargets(t *testing.T) {
	for base, want := range map[string]string{
		"https://api.openai.com/v1": "openai api.openai.com 443", "https://eu.api.openai.com/v1": "openai eu.api.openai.com 443",
		"https://generativelanguage.googleapis.com": "gcp.gemini generativelanguage.googleapis.com 443",
		"http://127.0.0.1:11434/v1":                 "mine 127.0.0.1 11434", "http://gpu": "mine gpu 80", "https://notapi.openai.com.example": "mine notapi.openai.com.example 443",
		"": "mine  ",
	} {
		set := newTarget(targetKey{"mine", base, "m"}).set
		get := func(key string) string {
			for _, kv := range set.ToSlice() {
				if string(kv.Key) == key {
					return kv.Value.String()
				}
			}
			return ""
		}
		if got := get("gen_ai.provider.name") + " " + get("server.address") + " " + get("server.port"); got != want {
			t.Errorf("%q is %q, want %q", base, got, want)
		}
	}
}

// Complaints are logged once a minute, without an address, a value or what the collector answered.
func TestReporter(t *testing.T) {
	var log strings.Builder
	r := newReporter(slog.New(slog.NewTextHandler(&log, nil)))
	now := time.Now()
	r.now = func() time.Time { return now }
	for range 3 {
		r.Handle(errors.New("away"))
	}
	r.logger().Error(errors.New("secret"), "parse headers", "input", "secret")
	now = now.Add(reportPause)
	r.logger().WithName("n").WithValues("k", "secret").Error(errors.New("secret"), "parse headers", "input", "secret")
	r.logger().Info("secret")
	if got := log.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "error=away not_logged_before=0") ||
		!strings.Contains(got, `error="parse headers" not_logged_before=3`) || strings.Contains(got, "secret") {
		t.Errorf("logged\n%s", got)
	}
}

type answering struct{}

func (answering) Generate(_ context.Context, _ elumenta.Target, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
	for range 20 {
		if err := emit(elumenta.Event{Kind: elumenta.EventText, Text: "piece"}); err != nil {
			return elumenta.Completion{}, err
		}
	}
	return elumenta.Completion{Finish: elumenta.FinishStop, Usage: elumenta.Usage{PromptTokens: 100, CompletionTokens: 20}, UpstreamID: "up", Model: "m-2026-01-01"}, nil
}

type booking struct{}

func (booking) Reserve(context.Context, elumenta.Reservation) (elumenta.Grant, error) {
	return elumenta.Grant{}, nil
}

func (booking) Settle(context.Context, elumenta.AccountID, elumenta.GenerationID, elumenta.Outcome) (elumenta.Settled, error) {
	return elumenta.Settled{State: elumenta.Charged}, nil
}

func sampled(t testing.TB, share float64) *Telemetry {
	traces := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.TraceIDRatioBased(share)), sdktrace.WithBatcher(tracetest.NewNoopExporter()))
	metrics := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	t.Cleanup(func() { _ = errors.Join(traces.Shutdown(context.Background()), metrics.Shutdown(context.Background())) })
	i, err := newInstruments(metrics.Meter(scope))
	if err != nil {
		t.Fatal(err)
	}
	return &Telemetry{tracer: traces.Tracer(scope), instruments: i}
}

// follow is all that a streamed generation asks of telemetry.
func follow(t *Telemetry) func() {
	provider, book := t.Provider(answering{}), t.Ledger(booking{})
	to, prompt := elumenta.Target{Name: "p", BaseURL: "https://api.openai.com/v1", Model: "m"}, &elumenta.Prompt{Stream: true}
	reservation := elumenta.Reservation{Generation: "gen_1", Assistant: "asst_1", Version: 1, Model: "m"}
	r := httptest.NewRequestWithContext(context.Background(), "POST", "/api/v2/generate", nil)
	emit := func(elumenta.Event) error { return nil }
	return func() {
		ctx, end := r.Context(), (func(string, int, elumenta.Code))(nil)
		if t != nil {
			ctx, end = t.Request(r, "req_1")
		}
		_, _ = book.Reserve(ctx, reservation)
		_, _ = provider.Generate(ctx, to, prompt, emit)
		_, _ = book.Settle(ctx, "acct_1", "gen_1", elumenta.Outcome{})
		if end != nil {
			end("POST /api/v2/generate", 200, "")
		}
	}
}

// What is not recorded costs next to nothing: no attribute is made, and nothing per piece.
func TestCost(t *testing.T) {
	if n := testing.AllocsPerRun(100, follow(nil)); n != 0 {
		t.Errorf("telemetry that is off allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, follow(sampled(t, 0))); n > 20 {
		t.Errorf("a generation that is not recorded allocates %v times", n)
	}
}

func BenchmarkGeneration(b *testing.B) {
	for _, c := range []struct {
		name      string
		telemetry *Telemetry
	}{{"off", nil}, {"unsampled", sampled(b, 0)}, {"sampled", sampled(b, 1)}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			one := follow(c.telemetry)
			for b.Loop() {
				one()
			}
		})
	}
}

// Off means that nothing is made or wrapped.
func TestOff(t *testing.T) {
	none, err := Start(t.Context(), "v", func(string) string { return "" }, slog.New(slog.DiscardHandler))
	if none != nil || err != nil {
		t.Fatalf("without variables: %v, %v", none, err)
	}
	if _, same := none.Provider(answering{}).(answering); !same {
		t.Error("a provider is wrapped")
	}
	if err := none.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
