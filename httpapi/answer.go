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
	encoder elumenta.Encoder
	answer  elumenta.Answer
	started *elumenta.Started // nil before Open
}

func (a *API) newWhole(c *call, encoder elumenta.Encoder) *whole {
	w := a.answers.Get().(*whole) //nolint:forcetypeassert // the pool holds nothing else
	w.a, w.c, w.encoder = a, c, encoder
	return w
}

// close keeps the answer's memory, to be used again.
func (w *whole) close() {
	a, answer := w.a, w.answer
	answer.Reset(keptBuffer)
	*w = whole{answer: answer}
	a.answers.Put(w)
}

// Open notes what the answer's headers say.
func (w *whole) Open(s *elumenta.Started) error {
	w.started = s
	return nil
}

// Event collects the answer.
func (w *whole) Event(e elumenta.Event) error {
	w.answer.Add(e)
	return nil
}

// Restart drops what was collected.
func (w *whole) Restart() { w.answer.Reset(keptBuffer) }

// Flush does nothing: an answer in one piece is written at its end.
func (w *whole) Flush() (written bool, err error) { return false, nil }

// KeepAlive does nothing: an answer in one piece has nothing to send before its end.
func (w *whole) KeepAlive() error { return nil }

// End writes the answer.
func (w *whole) End(r *elumenta.Result) error {
	buffer, _ := w.a.buffers.Get().(*[]byte)
	b := w.encoder.Whole((*buffer)[:0], &w.answer, r)
	h := w.c.Header()
	setStarted(h, &r.Started)
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	h["Server-Timing"] = []string{serverTiming(r.Gateway, r.Provider)}
	_, err := w.c.Write(b)
	if err == nil && cap(b) <= keptBuffer { // HTTP/2 may still read what it could not write
		clear(b)
		*buffer = b[:0]
		w.a.buffers.Put(buffer)
	}
	return err
}

// Fail answers an error.
func (w *whole) Fail(e *elumenta.Error, _ elumenta.Settled) error {
	w.a.failGeneration(w.c, e, w.started)
	return nil
}

// statusClientGone is for the log and the metrics only, as nginx has it.
const statusClientGone = 499

// Header values that many answers share; nobody changes them.
var (
	jsonType  = []string{"application/json"}
	eventType = []string{"text/event-stream; charset=utf-8"}
	noStore   = []string{"no-store"}
	noCache   = []string{"no-cache, no-transform"}
	noBuffer  = []string{"no"}
	nosniff   = []string{"nosniff"}
)

// failGeneration answers a generation's error as an HTTP error, with the rate counts as they are now; s is nil before Open.
func (a *API) failGeneration(c *call, e *elumenta.Error, s *elumenta.Started) {
	if c.request.Context().Err() != nil && e.Code != elumenta.CodeUnavailable {
		c.status, c.failure = statusClientGone, e // nobody is there to read it
		return
	}
	if s != nil {
		setStarted(c.Header(), s)
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
	plan, _ = a.settings().Plans.Get(acct.Plan)
	setRate(c.Header(), acct.Rate.State(plan, time.Now()))
}

// setStarted sets the headers that say what is known when an answer begins.
func setStarted(h http.Header, s *elumenta.Started) {
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
