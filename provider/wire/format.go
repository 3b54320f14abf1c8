package wire

import (
	"context"
	"net/http"
	"sync"

	"github.com/elumenta/elumenta"
)

// Format is what the calls of one wire format have in common. It must not be copied.
type Format struct {
	// Header makes the format's headers for a target's credential; Send adds Content-Type and Accept. Names are in canonical form.
	// It is called once for many calls.
	Header func(credential elumenta.Secret) http.Header
	// Classify reads the error of a response with a status of 400 or more: at most 64 KiB of body, perhaps not JSON.
	Classify func(status int, body []byte) Fault

	mu        sync.RWMutex
	templates map[place]*http.Request
}

// place is what decides on a request but for its body.
type place struct {
	base, path string
	credential elumenta.Secret
	stream     bool
}

// mostTemplates is far more than a configuration has targets. What one that was replaced had is forgotten when they are that many.
const mostTemplates = 1 << 10

// template returns the request without context and body. Calls to the same target share it, and no transport may change it.
func (c *Call) template() (*http.Request, error) {
	if c.Body == nil { // rare, and each page of a list has a path of its own
		return c.request(http.MethodGet)
	}
	f, p := c.Format, place{c.Target.BaseURL, c.Path, c.Target.Credential, c.Stream}
	f.mu.RLock()
	r := f.templates[p]
	f.mu.RUnlock()
	if r != nil {
		return r, nil
	}
	r, err := c.request(http.MethodPost)
	if err == nil {
		f.keep(p, r)
	}
	return r, err
}

func (f *Format) keep(p place, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.templates == nil || len(f.templates) >= mostTemplates {
		f.templates = map[place]*http.Request{}
	}
	f.templates[p] = r
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
