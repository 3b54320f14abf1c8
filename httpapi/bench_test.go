package httpapi

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/elumenta/elumenta"
)

// echo answers at once, so that only this package's own work is measured.
type echo struct {
	caller elumenta.Caller
	pieces []elumenta.Event
	result elumenta.Result
}

func (e *echo) Authenticate(context.Context, elumenta.KeySecret) (*elumenta.Caller, error) {
	return &e.caller, nil
}

func (e *echo) Generate(_ context.Context, _ *elumenta.Caller, r *elumenta.Request, sink elumenta.Sink) {
	e.result.Started = elumenta.Started{ID: r.ID, Model: r.Model, CreatedAt: r.ReceivedAt}
	_ = sink.Open(&e.result.Started)
	for _, p := range e.pieces {
		if p.Kind == elumenta.EventPause {
			_, _ = sink.Flush()
		} else {
			_ = sink.Event(p)
		}
	}
	_ = sink.End(&e.result)
}

func (e *echo) Forget(elumenta.KeyHash) {}

func (e *echo) Health(string) elumenta.ProviderHealth { return elumenta.ProviderHealth{} }

func benchAPI(tb testing.TB, pieces int) *API {
	tb.Helper()
	e := &echo{caller: elumenta.Caller{Account: elumenta.Account{ID: elumenta.NewAccountID(), Plan: "pro"}}}
	for i := range pieces {
		e.pieces = append(e.pieces, elumenta.Event{Kind: elumenta.EventText, Text: elumenta.Text("piece " + strconv.Itoa(i) + " of an answer\n")},
			elumenta.Event{Kind: elumenta.EventPause})
	}
	a, err := New(Options{
		Generator: e, Settings: Settings{Catalog: elumenta.NewCatalog([]elumenta.Model{{Slug: "m"}}), Plans: elumenta.DefaultPlans()}, Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

func benchBody(stream bool) []byte {
	turn := `{"role":"user","content":"` + strings.Repeat("What is the answer? ", 20) + `"},{"role":"assistant","content":"` + strings.Repeat("It is 42.\\n", 40) + `"},`
	return []byte(`{"model":"m","stream":` + strconv.FormatBool(stream) + `,"messages":[` + strings.Repeat(turn, 5) + `{"role":"user","content":"Go on."}],"temperature":0.5}`)
}

func BenchmarkDecodeGenerate(b *testing.B) {
	a := benchAPI(b, 0)
	body := benchBody(false)
	r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, generatePath, nil)
	c := &call{request: r, caller: &elumenta.Caller{}, body: body, id: elumenta.NewRequestID()}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.decodeGenerate(c); err != nil {
			b.Fatal(err)
		}
	}
}

// nowhere is a ResponseWriter that keeps nothing.
type nowhere struct{ h http.Header }

func (n *nowhere) Header() http.Header         { return n.h }
func (n *nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n *nowhere) WriteHeader(int)             {}

func BenchmarkHandler(b *testing.B) {
	for name, stream := range map[string]bool{"whole": false, "stream of 20": true} {
		b.Run(name, func(b *testing.B) {
			a := benchAPI(b, 20)
			body := benchBody(stream)
			key := "Bearer " + elumenta.NewKeySecret().Reveal()
			r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, generatePath, nil)
			r.Header.Set("Authorization", key)
			r.Header.Set("Content-Type", "application/json")
			r.ContentLength = int64(len(body))
			w := &nowhere{}
			b.ReportAllocs()
			for b.Loop() {
				r.Body = io.NopCloser(bytes.NewReader(body))
				w.h = http.Header{}
				a.ServeHTTP(w, r)
			}
		})
	}
}

func (n *nowhere) FlushError() error                { return nil }
func (n *nowhere) SetReadDeadline(time.Time) error  { return nil }
func (n *nowhere) SetWriteDeadline(time.Time) error { return nil }
