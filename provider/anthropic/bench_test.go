package anthropic_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/anthropic"
	"github.com/elumenta/elumenta/provider/providertest"
)

// BenchmarkStream decodes a stream of 200 pieces.
func BenchmarkStream(b *testing.B) {
	pieces := []string{started, textBegin}
	for i := range 200 {
		pieces = append(pieces, fmt.Sprintf(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" a few words, %d"}      }`, i))
	}
	body := events(append(pieces, blockEnd, ending("end_turn"), stopped)...)
	bench(b, body, providertest.Ask(true))
}

func BenchmarkWhole(b *testing.B) {
	text := strings.Repeat("a few words ", 200)
	bench(b, `{"id":"msg_2","type":"message","content":[{"type":"text","text":"`+text+`"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2}}`, providertest.Ask(false))
}

// BenchmarkRequest encodes a prompt with 256 KB of instructions.
func BenchmarkRequest(b *testing.B) {
	p := providertest.Ask(false)
	p.Instructions[0].Text = elumenta.Text(strings.Repeat("Be kind. ", 28_000))
	bench(b, `{"stop_reason":"end_turn"}`, p)
}

func bench(b *testing.B, body string, p *elumenta.Prompt) {
	b.Helper()
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	target := elumenta.Target{Name: "test", BaseURL: "http://provider.test", Capabilities: capabilities(), Client: &http.Client{Transport: discarding(body)}}
	emit := func(elumenta.Event) error { return nil }
	for b.Loop() {
		if _, err := (anthropic.Provider{}).Generate(b.Context(), target, p, emit); err != nil {
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
