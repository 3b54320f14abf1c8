package httpapi

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
)

// call is one request on its way: what the layers around its handler know of it. It is the handler's ResponseWriter.
type call struct {
	http.ResponseWriter
	id      elumenta.RequestID
	request *http.Request
	route   string // the pattern, for metrics and the log
	started time.Time
	caller  *elumenta.Caller
	failure *elumenta.Error // what was answered
	body    []byte
	buffer  *[]byte // body's, to be used again
	rest    int64   // of a body that is too large: what may be passed over once that is answered
	status  int
	bytes   int64
	surface elumenta.Surface                                      // in whose shape errors are answered; nil for our own
	quiet   bool                                                  // logged at debug level unless it failed
	timeout time.Duration                                         // of a write
	timed   time.Time                                             // when the deadline of writes was set
	traced  func(route string, status int, failure elumenta.Code) // nil: not recorded
}

// callKey is where huma's handlers, which see no ResponseWriter, find the call in their context.
type callKey struct{}

// handle adds a route that huma does not serve.
func (a *API) handle(pattern string, h func(*call, *http.Request)) {
	a.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { h(w.(*call), r) }) //nolint:forcetypeassert // by ServeHTTP
}

// WriteHeader notes the status.
func (c *call) WriteHeader(status int) {
	if c.status == 0 {
		c.limitWrite()
		c.status = status
		c.ResponseWriter.WriteHeader(status)
	}
}

// mostAtOnce is how many bytes a client must take within the time of a write.
const mostAtOnce = 256 << 10

// Write notes how much was written. A client that does not read fails it in the end.
func (c *call) Write(b []byte) (written int, err error) {
	if c.status == 0 {
		c.WriteHeader(http.StatusOK)
	}
	for more := true; more && err == nil; more = written < len(b) {
		c.limitWrite()
		var n int
		n, err = c.ResponseWriter.Write(b[written:min(len(b), written+mostAtOnce)]) //nolint:gosec // JSON and event streams, sent with nosniff
		written += n
	}
	c.bytes += int64(written)
	return written, err
}

// limitWrite sets the deadline of writes anew, unless that was done a moment ago: setting it costs more than asking the time. A write has
// its time at least, and an eighth more at most.
func (c *call) limitWrite() {
	if now := time.Now(); now.Sub(c.timed) >= c.timeout/8 {
		c.timed = now
		_ = http.NewResponseController(c.ResponseWriter).SetWriteDeadline(now.Add(c.timeout + c.timeout/8)) // not every writer has one
	}
}

// Unwrap is for http.ResponseController.
func (c *call) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// ServeHTTP answers one request: an id, a panic's end, figures and a log line for each.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.serve(w, r, elumenta.NewRequestID(), a.answer)
}

// Keys of what a request's context has.
type (
	callerKey struct{}
	pageKey   struct{} // the id of a page's request
)

// ServeCaller answers a request as a caller who is authenticated already: whatever its Authorization header says, it has the caller's
// limits. What a page asks for has the id of the page's request.
func (a *API) ServeCaller(w http.ResponseWriter, r *http.Request, caller *elumenta.Caller) {
	id, ok := r.Context().Value(pageKey{}).(elumenta.RequestID)
	if !ok {
		id = elumenta.NewRequestID()
	}
	a.serve(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)), id, a.answer)
}

// Pages gives a handler of pages beside the API what every request has: an id, a panic's end, figures, and a log line, at debug level for
// files that never change.
func (a *API) Pages(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := elumenta.NewRequestID()
		a.serve(w, r.WithContext(context.WithValue(r.Context(), pageKey{}, id)), id, func(c *call, r *http.Request) {
			c.route = "page"
			defer func() {
				c.route = cmp.Or(r.Pattern, c.route)
				c.quiet = strings.Contains(c.Header().Get("Cache-Control"), "immutable")
			}()
			pages.ServeHTTP(c, r)
		})
	})
}

func (a *API) serve(w http.ResponseWriter, r *http.Request, id elumenta.RequestID, answer func(*call, *http.Request)) {
	c := &call{ResponseWriter: w, id: id, request: r, route: "none", started: time.Now(), timeout: a.WriteTimeout}
	h := w.Header()
	h["X-Request-Id"] = []string{string(c.id)}
	h["X-Content-Type-Options"] = nosniff
	if a.Tracer != nil && !isProbe(r.URL.Path) {
		var ctx context.Context
		ctx, c.traced = a.Tracer.Request(r, c.id)
		r = r.WithContext(ctx)
	}
	a.metrics.inFlight.Inc()
	defer func() {
		p := recover()
		aborted := p == any(http.ErrAbortHandler)
		if p != nil && !aborted {
			a.panicked(r.Context(), c, p)
		}
		a.release(c)
		a.metrics.inFlight.Dec()
		a.finish(r, c)
		if aborted {
			panic(p)
		}
		a.passOver(c, r)
	}()
	answer(c, r)
}

func (a *API) answer(c *call, r *http.Request) {
	if !a.cors(c, r) {
		return
	}
	if path.Clean(r.URL.Path) != r.URL.Path {
		a.noRoute(c, r) // the mux would redirect, in HTML
		return
	}
	a.mux.ServeHTTP(c, r)
}

// panicked logs where, and never what: a panic's value may hold what the request held.
func (a *API) panicked(ctx context.Context, c *call, p any) {
	a.Logger.LogAttrs(ctx, slog.LevelError, "panic", slog.String("request_id", string(c.id)), slog.String("route", c.route),
		slog.String("panic", fmt.Sprintf("%T", p)), slog.String("stack", elumenta.Stack()))
	if c.status == 0 {
		c.fail(elumenta.Internal(nil))
	}
}

// finish counts and logs a request. Neither holds a query, a body or a key.
func (a *API) finish(r *http.Request, c *call) {
	ended := time.Now()
	took := ended.Sub(c.started)
	status := c.status
	if status == 0 {
		status = http.StatusOK
	}
	a.metrics.observe(c.route, c.request.Method, status, took)
	if c.traced != nil {
		failure := elumenta.Code("")
		if c.failure != nil {
			failure = c.failure.Code
		}
		c.traced(c.route, status, failure)
	}
	level := slog.LevelInfo
	switch {
	case status >= http.StatusInternalServerError && r.Context().Err() == nil: // nobody waits for the answer of a client that left
		level = slog.LevelError
	case c.quiet:
		level = slog.LevelDebug
	}
	log := a.Logger.Handler()
	if !log.Enabled(r.Context(), level) {
		return
	}
	attrs := make([]slog.Attr, 0, 10)
	attrs = append(attrs, slog.String("request_id", string(c.id)), slog.String("route", c.route), slog.Int("status", status),
		slog.Duration("duration", took), slog.Int64("bytes", c.bytes), slog.String("client", shownClient(a.client(r))))
	if c.caller != nil {
		attrs = append(attrs, slog.String("account", string(c.caller.Account.ID)))
	}
	if c.failure != nil {
		attrs = append(attrs, slog.String("error", string(c.failure.Code)))
		if c.failure.Cause != nil && status >= http.StatusInternalServerError {
			attrs = append(attrs, slog.String("cause", c.failure.Cause.Error()))
		}
	}
	line := slog.NewRecord(ended, level, "request", 0) // the log names no place in the code, which Logger would look up
	line.AddAttrs(attrs...)
	_ = log.Handle(r.Context(), line)
}

// actor is who makes a call, for what it changes.
func (a *API) actor(c *call) elumenta.Actor {
	return elumenta.Actor{Account: c.caller.Account.ID, Key: c.caller.Key.ID, Address: a.client(c.request)}
}

func shownClient(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	return addr.String()
}

// ClientAddr is the address of a request's client, by X-Forwarded-For where a trusted proxy says so; invalid if that is not known.
func (a *API) ClientAddr(r *http.Request) netip.Addr { return a.client(r) }

// Secure reports whether the client speaks TLS, to this server or to a trusted proxy, which says so in X-Forwarded-Proto.
func (a *API) Secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && a.trusted(peer.Addr().Unmap()) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// client is the address of the client: the nearest one that is not a trusted proxy. It is invalid if that is not known.
func (a *API) client(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := peer.Addr().Unmap()
	if len(a.settings().TrustedProxies) == 0 {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !a.trusted(addr) {
			break
		}
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			withPort, err := netip.ParseAddrPort(strings.TrimSpace(hop)) // as Azure's Application Gateway writes it
			if err != nil {
				break
			}
			next = withPort.Addr()
		}
		addr = next.Unmap()
	}
	return addr
}

func (a *API) trusted(addr netip.Addr) bool {
	return slices.ContainsFunc(a.settings().TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

const (
	corsMethods = "GET, HEAD, POST, PUT, PATCH, DELETE"
	corsHeaders = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, " +
		"X-Api-Key, Anthropic-Version, Anthropic-Beta, Anthropic-Dangerous-Direct-Browser-Access, OpenAI-Organization, OpenAI-Project, OpenAI-Beta, User-Agent"
	corsExposed = "ETag, Idempotency-Replayed, Location, Request-Id, Retry-After, Server-Timing, Sunset, X-Request-Id, X-Should-Retry, " +
		"X-RateLimit-Limit-Hour, X-RateLimit-Remaining-Hour, X-RateLimit-Reset-Hour, " +
		"X-RateLimit-Limit-Day, X-RateLimit-Remaining-Day, X-RateLimit-Reset-Day"
)

// cors answers a preflight of a known origin and reports whether the request goes on. Keys travel in a header, so
// no credentials of the browser are ever asked for.
func (a *API) cors(c *call, r *http.Request) bool {
	origins := a.settings().CORSOrigins
	if len(origins) == 0 {
		return true
	}
	h := c.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.Contains(origins, origin) && !slices.Contains(origins, "*") {
		return true
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", corsExposed)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return true
	}
	c.route = "preflight"
	h.Set("Access-Control-Allow-Methods", corsMethods)
	h.Set("Access-Control-Allow-Headers", corsHeaders+telemetryHeaders(r))
	h.Set("Access-Control-Max-Age", "600")
	c.WriteHeader(http.StatusNoContent)
	return false
}

// telemetryHeaders are those of a preflight in which the clients of OpenAI and Anthropic say what they run on. Nobody reads them here, and
// their names differ from one version to the next.
func telemetryHeaders(r *http.Request) string {
	var b strings.Builder
	for name := range strings.SplitSeq(r.Header.Get("Access-Control-Request-Headers"), ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		rest, ok := strings.CutPrefix(name, "x-stainless-")
		if ok && len(rest) <= maxTelemetryName && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" {
			b.WriteString(", " + name)
		}
	}
	return b.String()
}

const maxTelemetryName = 32
