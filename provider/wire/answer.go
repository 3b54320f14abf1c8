package wire

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/elumenta/elumenta"
)

// Limits of an answer, in bytes. No model's longest answer comes near them.
const (
	WholeLimit  = 32 << 20  // a whole answer's body, and what the events of a stream say
	StreamLimit = 256 << 20 // a stream's body: events repeat ids and names with each piece
)

var errStreamTooLarge = errors.New("stream is over the limit")

// Answer is a provider's response with a status of 200 to 299. It is for one goroutine and must be closed.
type Answer struct {
	Status int

	target   string
	parent   context.Context // the caller's
	body     body
	finished bool // the provider said so: the connection may be used again
}

// body reads a response's body, with one byte that may be looked at before.
type body struct {
	io.ReadCloser
	first  [1]byte
	peeked bool // first is to be read again
	ended  bool
	read   int // bytes so far
}

func (b *body) Read(p []byte) (int, error) {
	switch {
	case len(p) == 0:
		return 0, nil
	case b.peeked:
		b.peeked = false
		p[0] = b.first[0]
		return 1, nil
	case b.ended:
		return 0, io.EOF
	}
	n, err := b.ReadCloser.Read(p)
	if b.read += n; b.read > StreamLimit {
		return 0, errStreamTooLarge
	}
	b.ended = err != nil
	return n, err
}

// Wait returns when Read has something, if the transport can tell: a stream that waits needs no buffer.
func (b *body) Wait() {
	if w, ok := b.ReadCloser.(waiter); ok && !b.peeked && !b.ended {
		w.Wait()
	}
}

// BeforeWait has f called before reads that wait, if the transport can tell which do.
func (b *body) BeforeWait(f func() error) bool {
	w, ok := b.ReadCloser.(waiter)
	return ok && w.BeforeWait(f)
}

// IsStream waits for the first byte that is no blank and reports whether it begins an event stream rather than a JSON
// value: some hosts send one where the other was asked for, and name it wrongly. A body that begins like a web page is
// KindMalformed, an empty one KindTruncated.
func (a *Answer) IsStream() (bool, error) {
	for { // OpenRouter sends blank lines for as long as a whole answer takes
		n, err := a.body.Read(a.body.first[:])
		switch {
		case n == 0 && err != nil:
			return false, a.readError(err)
		case n == 0:
			continue
		}
		switch first := a.body.first[0]; first {
		case ' ', '\t', '\r', '\n':
			continue
		case '<':
			return false, a.Malformed("the provider answered with a web page", nil)
		default:
			a.body.peeked = true
			return first != '{' && first != '[', nil
		}
	}
}

// Whole reads the rest of a body that is one JSON value, of up to WholeLimit bytes, and passes it to handle, whose error it returns.
// The slice is valid during the call only.
func (a *Answer) Whole(handle func(body []byte) error) error {
	buf := takeBuffer()
	defer giveBuffer(buf)
	body := (*buf)[:0]
	for {
		n, err := a.body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case len(body) > WholeLimit:
			return a.tooLarge()
		case errors.Is(err, io.EOF):
			return handle(body)
		case err != nil:
			return a.readError(err)
		case len(body) == cap(body):
			body = append(body, 0)[:len(body)]
			*buf = body[:cap(body)]
		}
	}
}

// Events reads the body as an event stream and passes each event to handle, until handle says that the provider has
// finished or returns an error. Before every read that may wait it lets out emit a pause. The slices are valid during the
// call only. A body that ends before is KindTruncated, also where the end cuts an event that handle then finds malformed; one of
// more than StreamLimit bytes, or whose events come to more than WholeLimit bytes of text, is KindMalformed.
// What the wrapped emit function returned comes back unchanged.
func (a *Answer) Events(out *Emitter, handle func(name, data []byte) (done bool, err error)) error {
	var s Stream
	s.open(&a.body, 0, out.Pause)
	defer s.Close()
	for {
		name, data, err := s.Next()
		if out.Err() != nil {
			return out.Err()
		}
		if err != nil {
			return a.readError(err)
		}
		done, err := handle(name, data)
		switch {
		case out.Err() != nil:
			return out.Err()
		case err == nil && done:
			a.finished = true
			return nil
		case err == nil && out.Size() > WholeLimit:
			return a.tooLarge()
		case err == nil:
		case s.Cut() && malformed(err):
			return a.Truncated()
		default:
			return err
		}
	}
}

func malformed(err error) bool {
	e, ok := errors.AsType[*elumenta.ProviderError](err)
	return ok && e.Kind == elumenta.KindMalformed
}

// Close ends the call. Where the provider had finished, it gives the body's last bytes a moment to come, so that the
// connection can be used again.
func (a *Answer) Close() {
	if a.finished && !a.body.ended {
		stop := time.AfterFunc(drainTime, func() { _ = a.body.Close() }) // ends the read
		_, _ = io.CopyN(io.Discard, &a.body, drainLimit)
		stop.Stop()
	}
	_ = a.body.Close()
}
