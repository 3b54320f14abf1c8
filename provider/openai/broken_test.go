package openai_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/openai"
	"github.com/elumenta/elumenta/provider/providertest"
)

// A host may leave [DONE] away, but a connection that breaks before it is a broken stream: usage may be missing.
func TestChatWithoutDone(t *testing.T) {
	for name, breaks := range map[string]bool{"the body ends": false, "the connection breaks": true} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, `data: {"id":"c","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}`+"\n\n")
				_ = http.NewResponseController(w).Flush()
				if breaks {
					panic(http.ErrAbortHandler)
				}
			}))
			defer server.Close()
			target := elumenta.Target{Name: "test", BaseURL: server.URL, Model: "m", Client: server.Client()}
			got := providertest.Collect(t.Context(), t, openai.Chat{}, target, providertest.Ask(true))
			if got.Text != "Hi" || (got.Err != nil) != breaks {
				t.Errorf("%q, %v", got.Text, got.Err)
			}
		})
	}
}
