package wire

import (
	"net/http"
	"sync"

	"github.com/elumenta/elumenta"
)

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
