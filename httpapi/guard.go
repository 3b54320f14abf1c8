package httpapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
)

// admit authenticates a request, holds it to the limits and reads its body. If it reports false the request is answered.
func (a *API) admit(c *call, r *http.Request, n need) bool {
	c.route = r.Pattern
	if err := a.check(c, r, n); err != nil {
		if n.generation {
			err = a.confirm(c, r, err)
		}
		a.setCallerRate(c)
		c.fail(err)
		return false
	}
	return true
}

// confirm returns an error of a request whose caller may be a cached copy, or what is wrong with the caller by now: a
// revoked key is told so, whatever else is wrong.
func (a *API) confirm(c *call, r *http.Request, err error) error {
	if c.caller == nil {
		return err
	}
	caller, revoked := a.Accounts.Authenticate(r.Context(), c.caller.Key.Hash)
	if revoked != nil {
		a.Generator.Forget(c.caller.Key.Hash)
		return revoked
	}
	c.caller = caller
	return err
}

func (a *API) check(c *call, r *http.Request, n need) error {
	if err := a.authenticate(c, r, n.generation); err != nil {
		return err
	}
	c.Header()["Cache-Control"] = noStore
	if !n.generation { // its answer says what the reservation counted
		if plan := a.setCallerRate(c); !plan.Unlimited {
			if wait, ok := a.pace.take(c.caller.Account.ID, c.started); !ok {
				return a.tooMany(wait, plan.Name)
			}
		}
	}
	if err := permit(&c.caller.Key.Limits, r.Method, n); err != nil {
		return err
	}
	if n.role != "" && c.caller.Account.Role != n.role {
		return elumenta.Errorf(elumenta.CodeForbidden, "this is for accounts with the role %s", n.role)
	}
	return a.negotiate(c, r, n)
}

// permit refuses a call that is beyond the limits of its key. A generation is left to the Generator, which knows what it
// is made with.
func permit(l *elumenta.KeyLimits, method string, n need) error {
	switch read := method == http.MethodGet || method == http.MethodHead; {
	case n.generation:
		return nil
	case l.ReadOnly && !read:
		return elumenta.BeyondLimit(l.First(), "this key is for reading only: use another to change something")
	case l.Scoped() && !n.scoped:
		return elumenta.BeyondLimit(l.First(), "this key is for generating only: use another of the account for anything else")
	case n.unlimited && l.First() != "":
		return elumenta.BeyondLimit(l.First(), "a limited key makes, changes and revokes no keys: use one without limits")
	}
	return nil
}

// negotiate checks what the client takes and reads what it sends.
func (a *API) negotiate(c *call, r *http.Request, n need) error {
	also := ""
	switch {
	case n.generation:
		also = "text/event-stream"
	case n.csv:
		also = csvType
	}
	if !acceptable(r.Header.Values("Accept"), also) {
		return &elumenta.Error{Code: elumenta.CodeBadRequest, Status: http.StatusNotAcceptable, Message: "the answer is application/json, which the Accept header refuses"}
	}
	if n.body == 0 {
		return nil
	}
	return a.readBody(c, r, n)
}

func (a *API) tooMany(wait time.Duration, plan string) error {
	return &elumenta.Error{
		Code: elumenta.CodeRateLimited, Message: "more than " + strconv.Itoa(a.settings().RequestsPerMinute) + " calls a minute: wait and try again",
		RetryAfter: wait, Limited: &elumenta.Limited{Plan: plan, RetryAfter: wait},
	}
}

func (a *API) authenticate(c *call, r *http.Request, cached bool) error {
	if caller, ok := r.Context().Value(callerKey{}).(*elumenta.Caller); ok {
		c.caller = caller
		return nil
	}
	values, where := r.Header.Values("Authorization"), "Authorization header does not hold a well-formed API key: Bearer nb_…"
	if key := r.Header.Values("X-Api-Key"); c.surface != nil && len(values) == 0 && len(key) > 0 { // as Anthropic's clients send it
		values, where = []string{"Bearer " + strings.Join(key, ",")}, "X-Api-Key header does not hold a well-formed API key: nb_…"
	}
	if len(values) == 0 {
		return elumenta.Errorf(elumenta.CodeNotAuthenticated, "send your API key as Authorization: Bearer nb_…")
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	secret, ok := elumenta.ParseKeySecret(strings.TrimSpace(token))
	if !ok || len(values) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return elumenta.Errorf(elumenta.CodeNotAuthenticated, "the %s with 48 characters; perhaps it was mistyped", where)
	}
	var err error
	if cached {
		c.caller, err = a.Generator.Authenticate(r.Context(), secret)
	} else {
		c.caller, err = a.Accounts.Authenticate(r.Context(), secret.Hash())
	}
	return err
}

// setCallerRate sets the X-RateLimit headers by the caller as it was read.
func (a *API) setCallerRate(c *call) elumenta.Plan {
	if c.caller == nil {
		return elumenta.Plan{}
	}
	plan, _ := a.settings().Plans.Get(c.caller.Account.Plan)
	setRate(c.Header(), c.caller.Account.Rate.State(plan, c.started))
	return plan
}

// setRate sets the X-RateLimit headers of the limits that there are.
func setRate(h http.Header, s elumenta.RateState) {
	if s.LimitHour <= 0 && s.LimitDay <= 0 {
		return
	}
	values := make([]string, 0, 6)
	put := func(name string, n int64) {
		values = append(values, strconv.FormatInt(n, 10))
		h[name] = values[len(values)-1 : len(values) : len(values)]
	}
	if s.LimitHour > 0 {
		put("X-Ratelimit-Limit-Hour", s.LimitHour)
		put("X-Ratelimit-Remaining-Hour", s.RemainingHour)
		put("X-Ratelimit-Reset-Hour", s.ResetHour.Unix())
	}
	if s.LimitDay > 0 {
		put("X-Ratelimit-Limit-Day", s.LimitDay)
		put("X-Ratelimit-Remaining-Day", s.RemainingDay)
		put("X-Ratelimit-Reset-Day", s.ResetDay.Unix())
	}
}

// acceptable reports whether an Accept header takes JSON, or a text that may be asked for instead.
func acceptable(values []string, also string) bool {
	if len(values) == 0 {
		return true
	}
	accept := strings.Join(values, ",")
	return takes(accept, "application/json") || also != "" && takes(accept, also)
}

// takes reports whether an Accept header takes a media type: the range that names it most closely decides (RFC 9110, 12.5.1).
func takes(accept, media string) bool {
	kind, _, _ := strings.Cut(media, "/")
	closest, ok := 0, false
	for item := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(item, ";")
		closeness := 0
		switch name = strings.ToLower(strings.TrimSpace(name)); name {
		case media:
			closeness = 3
		case kind + "/*":
			closeness = 2
		case "", "*/*":
			closeness = 1
		}
		if closeness > 0 && closeness >= closest {
			ok = ok && closeness == closest || !refused(params)
			closest = closeness
		}
	}
	return ok
}

// refused reports whether a quality is zero (RFC 9110, 12.4.2).
func refused(params string) bool {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "q") {
			q, err := strconv.ParseFloat(value, 64)
			return err == nil && q == 0
		}
	}
	return false
}

// readBody reads the whole body within its limits, into a buffer that is used again.
func (a *API) readBody(c *call, r *http.Request, n need) error {
	most, leftOut := a.settings().most(n.body), n.optional && len(r.Header.Values("Content-Type")) == 0
	media := checkMedia(r.Header)
	if media != nil && !leftOut {
		return media
	}
	if r.ContentLength > most {
		return c.tooLarge(most)
	}
	control := http.NewResponseController(c.ResponseWriter)
	_ = control.SetReadDeadline(time.Now().Add(a.BodyTimeout)) // not every writer has one
	c.buffer, _ = a.buffers.Get().(*[]byte)
	var in io.Reader = http.MaxBytesReader(c.ResponseWriter, r.Body, most)
	if r.ContentLength < 0 || r.ContentLength > freeUpload {
		counted := &upload{Reader: in, all: &a.uploads, account: c.caller.Account.ID, plan: c.caller.Account.Plan}
		defer counted.done()
		in = counted
	}
	body, err := readAll((*c.buffer)[:0], in, r.ContentLength)
	*c.buffer, c.body = body, body
	if err == nil {
		_ = control.SetReadDeadline(time.Time{}) // else the server takes it for the client's going
		if len(body) == 0 && n.optional {
			c.body = []byte("{}") // no field is there
			return nil
		}
		return media
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return c.tooLarge(most)
	}
	c.Header().Set("Connection", "close")
	if limited, ok := errors.AsType[*elumenta.Error](err); ok {
		return limited
	}
	e := elumenta.Errorf(elumenta.CodeBadRequest, "the body could not be read to its end")
	if errors.Is(err, os.ErrDeadlineExceeded) {
		e.Message, e.Status = "the body did not come in time", http.StatusRequestTimeout
	}
	return e
}

// passedOver is how much more than may be in a body is read behind the answer that it is too large.
const passedOver = 4

func (c *call) tooLarge(most int64) error {
	c.Header().Set("Connection", "close")
	c.rest = passedOver * most
	return elumenta.Errorf(elumenta.CodePayloadTooLarge, "the body has more than %d bytes, the limit of this call", most)
}

// passOver reads the rest of a body that was too large once that is answered: a client that still sends when the connection is closed
// loses the answer (RFC 9112, 9.6). One that waits to be told to go on sends nothing.
func (a *API) passOver(c *call, r *http.Request) {
	if c.rest == 0 || r.ProtoMajor > 1 || r.ContentLength > c.rest || r.Header.Get("Expect") != "" {
		return
	}
	control := http.NewResponseController(c.ResponseWriter)
	if control.Flush() != nil {
		return
	}
	_ = control.SetReadDeadline(time.Now().Add(a.BodyTimeout))
	_, _ = io.CopyN(io.Discard, r.Body, c.rest)
}

const keptBuffer = 256 << 10 // larger buffers are left to the garbage collector

func readAll(b []byte, r io.Reader, length int64) ([]byte, error) {
	b = slices.Grow(b, int(min(max(length, 511), 1<<20))+1) // what a client says of the length is no reason to trust it
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return b, err
		}
		if len(b) == cap(b) {
			b = slices.Grow(b, len(b))
		}
	}
}

// release gives a call's buffer back. Nothing may refer to the body any more.
func (a *API) release(c *call) {
	if c.buffer == nil {
		return
	}
	if cap(*c.buffer) <= keptBuffer {
		clear((*c.buffer)[:cap(*c.buffer)])
		a.buffers.Put(c.buffer)
	}
	c.buffer, c.body = nil, nil
}

// checkMedia takes JSON in UTF-8, as it is: a compressed body could be any size.
func checkMedia(h http.Header) error {
	unsupported := func(message string) error {
		return &elumenta.Error{Code: elumenta.CodeBadRequest, Status: http.StatusUnsupportedMediaType, Message: message}
	}
	if e := strings.Join(h.Values("Content-Encoding"), ","); e != "" && !strings.EqualFold(e, "identity") {
		return unsupported("the body must be sent as it is, without a Content-Encoding")
	}
	t := h.Values("Content-Type")
	if len(t) == 1 && t[0] == "application/json" {
		return nil
	}
	const want = "the body must be JSON: send Content-Type: application/json"
	if len(t) != 1 {
		return unsupported(want)
	}
	media, params, err := mime.ParseMediaType(t[0])
	if err != nil || media != "application/json" {
		return unsupported(want)
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return unsupported("the body must be in UTF-8")
	}
	return nil
}

var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// noRoute answers what no route takes: 405 where another method would do, else 404.
func (a *API) noRoute(c *call, r *http.Request) {
	if a.ModelSurface != nil && strings.HasPrefix(r.URL.Path, surfaceBase) {
		a.modelSurface(c, r)
	}
	missing := "there is nothing at this address; /docs lists what there is"
	for i := range a.Surfaces {
		if route := &a.Surfaces[i]; strings.HasPrefix(r.URL.Path+"/", route.Path+"/") {
			c.answerAs(route)
		}
		for address, message := range a.Surfaces[i].Absent {
			if strings.HasPrefix(r.URL.Path+"/", address+"/") {
				missing = message
			}
		}
	}
	var allowed []string
	for _, m := range methods {
		if _, pattern := a.mux.Handler(&http.Request{Method: m, URL: r.URL, Host: r.Host}); pattern != "/" && path.Clean(r.URL.Path) == r.URL.Path {
			allowed = append(allowed, m)
		}
	}
	if len(allowed) == 0 {
		e := elumenta.Errorf(elumenta.CodeNotFound, "%s", missing)
		e.Details = map[string]any{"address": "unknown"} // so that another API's shape does not take it for a model
		c.fail(e)
		return
	}
	c.Header().Set("Allow", strings.Join(allowed, ", "))
	c.fail(&elumenta.Error{Code: elumenta.CodeBadRequest, Status: http.StatusMethodNotAllowed, Message: "this address takes " + strings.Join(allowed, ", ")})
}

// answerAs makes errors, and the request's id, what the clients of a route expect.
func (c *call) answerAs(route *SurfaceRoute) {
	c.surface = route.Surface
	if route.RequestIDHeader != "" {
		c.Header().Set(route.RequestIDHeader, string(c.id))
	}
}
