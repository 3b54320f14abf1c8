package httpapi

import (
	"net/http"
	"strconv"
	"time"

	"github.com/elumenta/elumenta"
)

// whole answers a generation in one piece. It is an elumenta.Sink.
type whole struct {
	a       *API
	c       *call
	text    []byte
	started elumenta.Started
	buffer  *[]byte // text's, to be used again
}

func (a *API) newWhole(c *call) *whole {
	buffer, _ := a.buffers.Get().(*[]byte)
	return &whole{a: a, c: c, buffer: buffer, text: (*buffer)[:0]}
}

// close gives the buffer back.
func (w *whole) close() {
	if cap(w.text) <= keptBuffer {
		clear(w.text)
		*w.buffer = w.text[:0]
		w.a.buffers.Put(w.buffer)
	}
}

// Open notes what the answer's headers say.
func (w *whole) Open(s elumenta.Started) error {
	w.started = s
	return nil
}

// Event collects what the client will see.
func (w *whole) Event(e elumenta.Event) error {
	if e.Kind == elumenta.EventText || e.Kind == elumenta.EventRefusal {
		w.text = append(w.text, e.Text...)
	}
	return nil
}

// KeepAlive does nothing: an answer in one piece has nothing to send before its end.
func (w *whole) KeepAlive() error { return nil }

// End writes the answer.
func (w *whole) End(r elumenta.Result) error {
	buffer, _ := w.a.buffers.Get().(*[]byte)
	b := appendAnswer((*buffer)[:0], w.text, &r)
	h := w.c.Header()
	setStarted(h, r.Started)
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	h["Server-Timing"] = []string{serverTiming(r.Gateway, r.Provider)}
	_ = http.NewResponseController(w.c.ResponseWriter).SetWriteDeadline(time.Now().Add(w.a.WriteTimeout)) // not every writer has one
	_, err := w.c.Write(b)
	if cap(b) <= keptBuffer {
		clear(b)
		*buffer = b[:0]
		w.a.buffers.Put(buffer)
	}
	return err
}

// Fail answers an error.
func (w *whole) Fail(e *elumenta.Error, _ elumenta.Settled) error {
	w.a.failGeneration(w.c, e, &w.started)
	return nil
}

// statusClientGone is for the log and the metrics only, as nginx has it.
const statusClientGone = 499

// Header values that many answers share; nobody changes them.
var (
	jsonType = []string{"application/json"}
	noStore  = []string{"no-store"}
)

// failGeneration answers a generation's error as an HTTP error, with the rate counts as they are now.
func (a *API) failGeneration(c *call, e *elumenta.Error, s *elumenta.Started) {
	if c.request.Context().Err() != nil && e.Code != elumenta.CodeUnavailable {
		c.status, c.failure = statusClientGone, e // nobody is there to read it
		return
	}
	if s.ID != "" {
		setStarted(c.Header(), *s)
	} else {
		a.refreshRate(c, e)
	}
	c.fail(e)
}

// refreshRate reads the account's counts: the caller may be a cached one. Without a database the cached ones stay.
func (a *API) refreshRate(c *call, e *elumenta.Error) {
	plan := a.setCallerRate(c)
	if e.Code == elumenta.CodeUnavailable || plan.PerHour == 0 && plan.PerDay == 0 {
		return
	}
	acct, err := a.Accounts.Account(c.request.Context(), c.caller.Account.ID)
	if err != nil {
		return
	}
	plan, _ = a.Plans.Get(acct.Plan)
	setRate(c.Header(), acct.Rate.State(plan, time.Now()))
}

// setStarted sets the headers that say what is known when an answer begins.
func setStarted(h http.Header, s elumenta.Started) {
	setRate(h, s.Rate)
	if !s.Sunset.IsZero() {
		h.Set("Sunset", s.Sunset.UTC().Format(http.TimeFormat)) // RFC 8594
	}
}

func serverTiming(gateway, provider time.Duration) string {
	b := append(make([]byte, 0, 48), "gateway;dur="...)
	b = strconv.AppendFloat(b, milliseconds(gateway), 'f', -1, 64)
	b = append(b, ", provider;dur="...)
	return string(strconv.AppendFloat(b, milliseconds(provider), 'f', -1, 64))
}

func appendAnswer(b, text []byte, r *elumenta.Result) []byte {
	b = append(b, `{"id":`...)
	b = appendString(b, r.ID)
	b = append(b, `,"status":"completed"`...)
	b = appendOrigin(b, &r.Started)
	b = append(b, `,"content":`...)
	b = appendString(b, text)
	b = append(b, `,"finish_reason":`...)
	b = appendString(b, r.Finish)
	b = append(b, `,"tokens_spent":`...)
	b = strconv.AppendInt(b, r.Settled.TokensSpent, 10)
	b = appendEnd(b, r)
	b = append(b, `,"created_at":`...)
	b = appendTime(b, r.CreatedAt)
	return append(b, "}\n"...)
}

// appendOrigin says what the answer comes from.
func appendOrigin(b []byte, s *elumenta.Started) []byte {
	if s.Assistant == "" {
		b = append(b, `,"assistant_id":null,"assistant_version":null`...)
	} else {
		b = append(b, `,"assistant_id":`...)
		b = appendString(b, s.Assistant)
		b = append(b, `,"assistant_version":`...)
		b = strconv.AppendInt(b, int64(s.Version), 10)
	}
	b = append(b, `,"model":`...)
	return appendString(b, s.Model)
}

// appendEnd says what both ways of answering say at their end.
func appendEnd(b []byte, r *elumenta.Result) []byte {
	b = append(b, `,"balance_remaining":`...)
	b = appendNullable(b, r.Settled.Balance)
	b = append(b, `,"usage":{"prompt_tokens":`...)
	b = strconv.AppendInt(b, r.Usage.PromptTokens, 10)
	b = append(b, `,"completion_tokens":`...)
	b = strconv.AppendInt(b, r.Usage.CompletionTokens, 10)
	b = append(b, `,"total_tokens":`...)
	b = strconv.AppendInt(b, r.Usage.TotalTokens(), 10)
	b = append(b, `,"cached_tokens":`...)
	b = strconv.AppendInt(b, r.Usage.CachedTokens, 10)
	b = append(b, `,"cache_write_tokens":`...)
	b = strconv.AppendInt(b, r.Usage.CacheWriteTokens, 10)
	b = append(b, `,"reasoning_tokens":`...)
	b = strconv.AppendInt(b, r.Usage.ReasoningTokens, 10)
	b = append(b, `,"cache":{"status":`...)
	b = appendString(b, r.CacheStatus)
	b = append(b, `,"minimum":`...)
	b = strconv.AppendInt(b, int64(r.CacheMinimum), 10)
	b = append(b, `}},"warnings":[`...)
	for i, w := range r.Warnings {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"code":`...)
		b = appendString(b, w.Code)
		b = append(b, `,"field":`...)
		b = appendString(b, w.Field)
		b = append(b, `,"message":`...)
		b = appendString(b, w.Message)
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().Truncate(time.Microsecond).AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}
