package wire

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
)

const (
	errorBodyLimit = 64 << 10
	drainLimit     = 64 << 10
	drainTime      = 50 * time.Millisecond
)

// Format is what the calls of one wire format have in common.
type Format struct {
	// Header makes the format's headers for a target's credential; Send adds Content-Type and Accept. Names are in canonical form.
	Header func(credential elumenta.Secret) http.Header
	// Classify reads the error of a response with a status of 400 or more: at most 64 KiB of body, perhaps not JSON.
	Classify func(status int, body []byte) Fault
}

// Fault is what a format makes of a provider's error code. The zero value leaves all to the HTTP status.
type Fault struct {
	// Kind overrides the kind that the HTTP status stands for.
	Kind elumenta.ErrorKind
	// Reason counts with KindRejected only; empty means RejectOther.
	Reason elumenta.RejectReason
	// Message is our own sentence, never the provider's text. Empty means the kind's own sentence.
	Message string
	// RetryAfter counts where the response's headers have none.
	RetryAfter time.Duration
	// OneModel says that a refused key may be refused for this model alone, where the HTTP status is not a 403.
	OneModel bool
}

// Call is one request to a provider.
type Call struct {
	Format *Format
	Target elumenta.Target
	// Path behind the target's base URL is where the body is posted to, or without a body what is asked for. Paths with a body
	// must be few: a Transport remembers them.
	Path string
	// Body is JSON. Send takes it over: once the transport has read it, which may be when Send has returned, its memory serves
	// other calls. Nobody else may hold it. NewBody has such memory.
	Body []byte
	// Stream says that an event stream was asked for.
	Stream bool
}

// Send makes the request and returns the answer once its headers are there. Every error is a *elumenta.ProviderError:
// a transport's failure, a status of 300 or more, or a content type that is no answer. Redirects are not followed, so
// that a credential goes to no other host. If ctx ends with a *elumenta.ProviderError as its cause, that is returned.
// A nil error obliges the caller to close the answer.
func (c *Call) Send(ctx context.Context) (*Answer, error) {
	a := &Answer{target: c.Target.Name, parent: ctx}
	base, kept := c.transport()
	req, err := c.template(kept)
	if err != nil {
		return nil, a.Fail(Fault{Kind: elumenta.KindFailed, Message: "the provider's base URL is not valid"})
	}
	resp, err := c.roundTrip(ctx, base, req) //nolint:bodyclose // Answer.Close closes it, and so does Send where it fails
	if err != nil {
		return nil, a.transportError(err)
	}
	a.body.ReadCloser, a.Status = resp.Body, resp.StatusCode
	header := resp.Header
	resp.Request, resp.Header = nil, nil // the body refers to the response: what a stream needs no more would be kept until its end
	if err := c.check(a, header); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// sender is a transport that takes context and body by themselves, so that a template need not be copied, and no longer uses the
// body when it returns. Where it did not take the call, it has done nothing.
type sender interface {
	Send(ctx context.Context, template *http.Request, body []byte) (resp *http.Response, taken bool, err error)
}

// transport is what sends, and what remembers for it; nil: nothing does. It is the client's: a whole http.Client follows redirects and
// keeps cookies, and costs as much as the transport does.
func (c *Call) transport() (base http.RoundTripper, kept *Transport) {
	if c.Target.Client == nil || c.Target.Client.Transport == nil {
		return http.DefaultTransport, nil
	}
	if t, ok := c.Target.Client.Transport.(*Transport); ok {
		return t.RoundTripper, t
	}
	return c.Target.Client.Transport, nil
}

func (c *Call) template(kept *Transport) (*http.Request, error) {
	switch {
	case c.Body == nil: // rare, and each page of a list has a path of its own
		return c.request(http.MethodGet)
	case kept == nil:
		return c.request(http.MethodPost)
	}
	return kept.template(c)
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

// roundTrip is the transport's, with context and body.
func (c *Call) roundTrip(ctx context.Context, base http.RoundTripper, template *http.Request) (*http.Response, error) {
	if c.Body == nil {
		return base.RoundTrip(template.WithContext(ctx))
	}
	if t, ok := base.(sender); ok {
		if resp, taken, err := t.Send(ctx, template, c.Body); taken {
			keepBody(c.Body)
			return resp, err
		}
	}
	req, s := template.WithContext(ctx), send(c.Body)
	defer s.done()
	req.Body, req.GetBody, req.ContentLength = s.reader(), s.again, int64(len(c.Body))
	return base.RoundTrip(req)
}

func (c *Call) check(a *Answer, h http.Header) error {
	switch {
	case a.Status >= 400:
		return c.statusError(a, h)
	case a.Status >= 300:
		return a.Malformed("the provider answered with a redirect, which is not followed", nil)
	case strings.HasPrefix(h.Get("Content-Type"), "text/html"):
		return a.Malformed("the provider answered with a web page", nil)
	}
	if e := h.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return a.Malformed("the provider's answer has an encoding that was not asked for", nil)
	}
	return nil
}

func (c *Call) statusError(a *Answer, h http.Header) error {
	// What could not be read of an error's body changes only how well it can be told apart.
	body, _ := io.ReadAll(io.LimitReader(&a.body, errorBodyLimit))
	if a.parent.Err() != nil {
		return a.contextError()
	}
	var fault Fault
	if c.Format.Classify != nil {
		fault = c.Format.Classify(a.Status, body)
	}
	if fault.Kind == 0 {
		fault.Kind = KindOfStatus(a.Status)
	}
	if after, ok := retryAfter(h, time.Now()); ok {
		fault.RetryAfter = after
	}
	return a.Fail(fault)
}

// KindOfStatus says which kind of failure an HTTP status of 400 or more stands for.
func KindOfStatus(status int) elumenta.ErrorKind {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return elumenta.KindRejected
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden:
		return elumenta.KindAuth
	case http.StatusTooManyRequests:
		return elumenta.KindRateLimited
	case http.StatusServiceUnavailable, 529: // 529 is Anthropic's overloaded_error
		return elumenta.KindOverloaded
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return elumenta.KindTimeout
	}
	return elumenta.KindFailed
}
