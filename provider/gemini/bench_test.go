package gemini_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/gemini"
	"github.com/elumenta/elumenta/provider/providertest"
)

// BenchmarkStream decodes a stream of 200 pieces.
func BenchmarkStream(b *testing.B) {
	var pieces []string
	for i := range 200 {
		pieces = append(pieces, strings.ReplaceAll(hello, "Hello", fmt.Sprintf(" a few words, %d", i)))
	}
	body := events(append(pieces, ending("STOP"))...)
	bench(b, body, providertest.Ask(true))
}

func BenchmarkWhole(b *testing.B) {
	text := strings.Repeat("a few words ", 200)
	bench(b, `{"candidates":[{"content":{"parts":[{"text":"`+text+`"}]},"finishReason":"STOP"}],`+counted+`}`, providertest.Ask(false))
}

// BenchmarkRequest encodes a prompt with 256 KB of instructions.
func BenchmarkRequest(b *testing.B) {
	p := providertest.Ask(false)
	p.Instructions[0].Text = elumenta.Text(strings.Repeat("Be kind. ", 28_000))
	bench(b, `{"candidates":[{"finishReason":"STOP"}]}`, p)
}

func bench(b *testing.B, body string, p *elumenta.Prompt) {
	b.Helper()
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	target := elumenta.Target{Name: "test", BaseURL: "http://provider.test", Capabilities: capabilities(), Client: &http.Client{Transport: discarding(body)}}
	emit := func(elumenta.Event) error { return nil }
	for b.Loop() {
		if _, err := (gemini.Provider{}).Generate(b.Context(), target, p, emit); err != nil {
			b.Fatal(err)
		}
	}
}

// discarding answers without a network.
type discarding string

func (d discarding) RoundTrip(r *http.Request) (*http.Response, error) {
	_ = r.Body.Close()
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(d))), Request: r}, nil
}
