package httpapi

import (
	"net/http"

	"github.com/elumenta/elumenta"
)

// stream answers a generation as server-sent events. What came in one read of the provider's stream goes out in one
// write. It is an elumenta.Sink.
type stream struct {
	a       *API
	c       *call
	encoder elumenta.Encoder
	flush   func() error
	buffer  *[]byte
	held    []byte
	started *elumenta.Started // nil before Open
	err     error             // of the first write that failed: the client is gone
}

func (a *API) newStream(c *call, encoder elumenta.Encoder) *stream {
	buffer, _ := a.buffers.Get().(*[]byte)
	s := &stream{a: a, c: c, encoder: encoder, buffer: buffer, held: (*buffer)[:0]}
	if f, ok := c.ResponseWriter.(interface{ FlushError() error }); ok {
		s.flush = f.FlushError
	} else {
		s.flush = http.NewResponseController(c.ResponseWriter).Flush
	}
	return s
}

// close gives the buffer back and ends the count of an open stream.
func (s *stream) close() {
	if s.started != nil {
		s.a.metrics.streams.Dec()
	}
	if s.err == nil && cap(s.held) <= keptBuffer { // HTTP/2 may still read what it could not write
		clear(s.held[:cap(s.held)])
		*s.buffer = s.held[:0]
		s.a.buffers.Put(s.buffer)
	}
}

// Open sets the headers and holds the first event, which goes out with what follows: a piece, a flush or the end.
func (s *stream) Open(started *elumenta.Started) error {
	s.started = started
	s.a.metrics.streams.Inc()
	h := s.c.Header()
	setStarted(h, started)
	h["Content-Type"] = eventType
	h["Cache-Control"] = noCache
	h["X-Accel-Buffering"] = noBuffer
	s.c.WriteHeader(http.StatusOK)
	s.held = s.encoder.Begin(s.held, started)
	return nil
}

// Event holds a piece back until Flush.
func (s *stream) Event(e elumenta.Event) error {
	if s.err != nil {
		return s.err
	}
	s.held = s.encoder.Event(s.held, e)
	return nil
}

// Flush sends what is held back. An encoder may have made nothing yet of the pieces that it was given.
func (s *stream) Flush() (written bool, err error) {
	if s.err != nil || len(s.held) == 0 {
		return false, s.err
	}
	return true, s.send()
}

// Restart is not called of a stream.
func (s *stream) Restart() {}

// KeepAlive sends something, so that no proxy takes the silence for an end.
func (s *stream) KeepAlive() error {
	if s.err != nil {
		return s.err
	}
	s.held = s.encoder.KeepAlive(s.held)
	return s.send()
}

// End writes the last events, which the server sends together with the end of the body.
func (s *stream) End(r *elumenta.Result) error {
	if s.err != nil {
		return s.err
	}
	s.held = s.encoder.End(s.held, r)
	return s.write()
}

// Fail answers an HTTP error before the stream has opened and an error event after.
func (s *stream) Fail(e *elumenta.Error, settled elumenta.Settled) error {
	if s.started == nil {
		s.a.failGeneration(s.c, e, nil)
		return nil
	}
	s.c.failure = e
	if s.err != nil {
		return s.err
	}
	s.held = s.encoder.Fail(s.held, e, s.c.id, &settled)
	return s.write()
}

// send writes what is held back and flushes it.
func (s *stream) send() error {
	if s.write() == nil {
		s.err = s.flush()
	}
	return s.err
}

func (s *stream) write() error {
	_, s.err = s.c.Write(s.held)
	s.held = s.held[:0]
	return s.err
}
