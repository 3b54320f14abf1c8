package openai_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/openai"
	"github.com/elumenta/elumenta/provider/providertest"
)

// canned answers at once, without a network: what is measured is the format.
type canned string

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	_ = r.Body.Close()
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(c))), Request: r}, nil
}

const chunks = 200

func chatStream() string {
	var b strings.Builder
	for i := range chunks {
		fmt.Fprintf(&b, `data: {"id":"chatcmpl-DuLdJCsSSbBBJ5FZPFMNj2owr3Fhr","object":"chat.completion.chunk","created":1782321897,"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_e6c46296c9","choices":[{"index":0,"delta":{"content":" word%d"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"zjz08dUTfZUpMy"}`+"\n\n", i)
	}
	return b.String() + events(stop, "[DONE]")
}

func responsesStream() string {
	var b strings.Builder
	for i := range chunks {
		fmt.Fprintf(&b, "event: response.output_text.delta\n"+`data: {"type":"response.output_text.delta","content_index":0,"delta":" word%d","item_id":"msg_0f80f320b6d3bc2b016a3c121b2bf481929859fbd5c84b5199","logprobs":[],"obfuscation":"KEwvbZ8DkmOMJkB","output_index":1,"sequence_number":7}`+"\n\n", i)
	}
	return b.String() + events(`{"type":"response.completed","response":`+wholeResponse("completed", "null", messageItem)+`}`)
}

// BenchmarkStream has the time of one of 200 chunks, the call included.
func BenchmarkStream(b *testing.B) {
	for name, bench := range map[string]struct {
		provider elumenta.Provider
		stream   string
	}{"chat": {openai.Chat{}, chatStream()}, "responses": {openai.Responses{}, responsesStream()}} {
		b.Run(name, func(b *testing.B) {
			target := elumenta.Target{BaseURL: "http://provider.test", Model: "m", Client: &http.Client{Transport: canned(bench.stream)}}
			p := providertest.Ask(true)
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				_, err := bench.provider.Generate(b.Context(), target, p, func(elumenta.Event) error {
					n++
					return nil
				})
				if err != nil || n < chunks {
					b.Fatal(err, n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/chunks, "ns/chunk")
		})
	}
}

// BenchmarkWhole has the time of a whole call with 4 KB of instructions.
func BenchmarkWhole(b *testing.B) {
	answer := `{"id":"c1","status":"completed","output":[` + messageItem + `],"choices":[{"message":{"content":"Oi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":2}}`
	for name, provider := range map[string]elumenta.Provider{"chat": openai.Chat{}, "responses": openai.Responses{}} {
		b.Run(name, func(b *testing.B) {
			target := elumenta.Target{BaseURL: "http://provider.test", Model: "m", Client: &http.Client{Transport: canned(answer)}}
			p := providertest.Ask(false)
			p.Instructions[0].Text = elumenta.Text(strings.Repeat("You are a helpful assistant.\n", 150))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := provider.Generate(b.Context(), target, p, func(elumenta.Event) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
