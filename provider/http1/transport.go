package http1

import (
	"bytes"
	"cmp"
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

const (
	maxBody        = 64 << 10 // sockets' buffers take as much, so that no early answer waits behind the write
	defaultHead    = 10 << 20 // as net/http's
	defaultPort    = "80"
	pooledRequests = 128 << 10
)

// Transport sends requests. It takes over those that are plain HTTP/1.1, go through no proxy and have a body of known
// length of up to 64 KiB, or none; all others go to the transport that it wraps. Of an answer, the trailer and the line before a
// chunk have up to 1 KiB each, where net/http takes 4 unless it is told otherwise.
//
// As net/http does, it sends a request again only where the server cannot have processed it (nothing of it was written)
// or may process it twice (a GET and the like, or a request with an Idempotency-Key, whose connection had been idle
// and ended before a byte of an answer). A call holds no goroutine but its caller's, and ends with its request's context.
type Transport struct {
	base      *http.Transport
	dial      func(ctx context.Context, network, address string) (net.Conn, error)
	headLimit int64
	pool      pool
}

// New returns a transport that wraps base and takes from it the proxy's function, how to dial, the limits of idle
// connections to one host and of a response's head, and the time until an idle connection is closed. base must not be
// changed afterwards. New asks for no compression where a request does not.
func New(base *http.Transport) *Transport {
	t := &Transport{base: base, dial: base.DialContext, headLimit: cmp.Or(base.MaxResponseHeaderBytes, defaultHead)}
	if t.dial == nil {
		t.dial = new(net.Dialer).DialContext
	}
	t.pool.perHost = cmp.Or(base.MaxIdleConnsPerHost, http.DefaultMaxIdleConnsPerHost)
	t.pool.timeout = base.IdleConnTimeout
	return t
}

// CloseIdleConnections closes the connections that no call uses, also those of the wrapped transport.
func (t *Transport) CloseIdleConnections() {
	t.pool.closeIdle()
	t.base.CloseIdleConnections()
}

var requests = sync.Pool{New: func() any { return new([]byte) }}

func giveRequest(b *[]byte) {
	if cap(*b) <= pooledRequests {
		clear(*b)
		requests.Put(b)
	}
}

// RoundTrip sends a request and returns its answer once the head is there. The body must be closed; read to its end, it
// gives the connection back to be used again.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if !t.takes(ctx, req) {
		return t.base.RoundTrip(req)
	}
	var out bytes.Buffer
	if err := req.Write(&out); err != nil { // closes the request's body
		return nil, err
	}
	return t.send(ctx, req, out.Bytes())
}

// Send is RoundTrip for a request whose context and body are given beside it: it has none of its own, so that calls may share it.
// taken is false, and nothing was done, for what this transport does not take over. The body is not used afterwards.
func (t *Transport) Send(ctx context.Context, req *http.Request, body []byte) (resp *http.Response, taken bool, err error) {
	if len(body) == 0 || len(body) > maxBody || hasBody(req) || !t.takes(ctx, req) {
		return nil, false, nil
	}
	out := requests.Get().(*[]byte) //nolint:forcetypeassert // the pool holds nothing else
	defer giveRequest(out)
	*out = append(appendHead((*out)[:0], req, int64(len(body))), body...)
	resp, err = t.send(ctx, req, *out)
	return resp, true, err
}

// send makes the call. request is as it goes over the wire, its context another than req's perhaps.
func (t *Transport) send(ctx context.Context, req *http.Request, request []byte) (*http.Response, error) {
	host := address(req.URL)
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		c, err := t.connect(ctx, host)
		if err != nil {
			return nil, ended(ctx, err)
		}
		resp, again, err := t.exchange(ctx, req, c, request)
		if err == nil {
			return resp, nil
		}
		if !again || ctx.Err() != nil {
			return nil, ended(ctx, err)
		}
	}
}

// ended returns why the context ended, if it did: that explains whatever failed then.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (t *Transport) connect(ctx context.Context, host string) (*conn, error) {
	if c := t.pool.take(host); c != nil {
		return c, nil
	}
	nc, err := t.dial(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	return newConn(nc, host), nil
}

// exchange writes a request and reads the head of its answer. Where it fails, again says that the request may be sent
// once more.
func (t *Transport) exchange(ctx context.Context, req *http.Request, c *conn, request []byte) (resp *http.Response, again bool, err error) {
	stop := context.AfterFunc(ctx, c.end)
	c.begin(t.headLimit)
	written, writeErr := c.Write(request)
	if writeErr == nil || written > 0 {
		// A server may have answered and closed before it read everything.
		resp, err = c.response(req)
	}
	if resp == nil {
		stop()
		c.discard()
		again = c.reused && (written == 0 || !c.answered && replayable(req))
		return nil, again, cmp.Or(writeErr, err)
	}
	keep := writeErr == nil && !resp.Close && !req.Close && resp.StatusCode >= http.StatusOK
	b := &body{ctx: ctx, src: resp.Body, pool: &t.pool, conn: c, stop: stop, keep: keep}
	if req.Method == http.MethodHead || resp.ContentLength == 0 {
		b.finish(true)
		return resp, false, nil
	}
	resp.Body = b
	return resp, false, nil
}

// replayable reports whether a server may process the request twice, by net/http's rules.
func replayable(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return req.Header["Idempotency-Key"] != nil || req.Header["X-Idempotency-Key"] != nil
}

// address is what a URL's connections are dialled by and kept under.
func address(u *url.URL) string {
	if port := u.Port(); port != "" && !strings.HasPrefix(u.Host, "[") {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), defaultPort))
}
