package wire

import (
	"context"
	"net/http"
	"sync"

	"github.com/elumenta/elumenta"
)

// Format is what the calls of one wire format have in common.
type Format struct {
	// Header makes the format's headers for a target's credential; Send adds Content-Type and Accept. Names are in canonical form.
	Header func(credential elumenta.Secret) http.Header
	// Classify reads the error of a response with a status of 400 or more: at most 64 KiB of body, perhaps not JSON.
	Classify func(status int, body []byte) Fault
}

// Transport remembers what the requests of a configuration have in common, their URL and headers, so that calls to the same place
// share them. A new configuration needs a new one: credentials stay in memory as long as it does. It may be used concurrently.
type Transport struct {
	http.RoundTripper

	mu        sync.RWMutex
	templates map[place]*http.Request
}

// place is what decides on a request but for its body.
type place struct {
	format     *Format
	base, path string
	credential elumenta.Secret
	stream     bool
}

// NewTransport makes the transport of a Target's client: base, with a memory.
func NewTransport(base http.RoundTripper) *Transport {
	return &Transport{RoundTripper: base, templates: map[place]*http.Request{}}
}

// CloseIdleConnections is for http.Client.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// template returns the request without context and body. Calls to the same place share it, and no transport may change it.
func (t *Transport) template(c *Call) (*http.Request, error) {
	p := place{c.Format, c.Target.BaseURL, c.Path, c.Target.Credential, c.Stream}
	t.mu.RLock()
	r := t.templates[p]
	t.mu.RUnlock()
	if r != nil {
		return r, nil
	}
	r, err := c.request(http.MethodPost)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.templates[p] = r
	return r, nil
}

func (c *Call) request(method string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(context.Background(), method, c.Target.BaseURL+c.Path, http.NoBody)
	if err != nil {
		return nil, err
	}
	if c.Format.Header != nil {
		r.Header = c.Format.Header(c.Target.Credential)
	}
	r.Header["Accept"] = []string{"application/json"}
	if method == http.MethodPost {
		r.Header["Content-Type"] = []string{"application/json"}
	}
	if c.Stream {
		r.Header["Accept"] = []string{"text/event-stream"}
		// A compressed stream could be held back by whoever compresses it.
		r.Header["Accept-Encoding"] = []string{"identity"}
	}
	return r, nil
}
