package wire

import (
	"errors"
	"io"
	"sync"

	"github.com/elumenta/elumenta"
)

const (
	leastBody = 1 << 10
	keptBody  = 64 << 10 // larger buffers are left to the garbage collector
)

var bodies sync.Pool // *[]byte

// NewBody returns an empty buffer to append the body of a prompt's request to, with about as much room as that takes, so
// that a large one is not copied while it grows. Call.Body takes it over.
func NewBody(p *elumenta.Prompt) []byte {
	size := bodySize(p)
	if size <= keptBody {
		if b, ok := bodies.Get().(*[]byte); ok && cap(*b) >= size {
			return (*b)[:0]
		}
	}
	return make([]byte, 0, size)
}

func keepBody(b []byte) {
	if cap(b) < leastBody || cap(b) > keptBody {
		return
	}
	clear(b)
	bodies.Put(&b)
}

func bodySize(p *elumenta.Prompt) int {
	n := leastBody
	add := func(parts []elumenta.Part) {
		for i := range parts {
			n += 64 + partSize(&parts[i])
		}
	}
	add(p.Instructions)
	add(p.System)
	for i := range p.Turns {
		add(p.Turns[i].Parts)
	}
	for i := range p.Tools {
		n += 128 + len(p.Tools[i].Description) + len(p.Tools[i].Parameters)
	}
	return n + n/16
}

func partSize(p *elumenta.Part) int {
	n := len(p.Text)
	if p.Image != nil {
		n += len(p.Image.Data) + len(p.Image.URL)
	}
	if p.ToolCall != nil {
		n += len(p.ToolCall.Arguments)
	}
	if p.Opaque != nil {
		n += len(p.Opaque.Data)
	}
	if p.ToolResult != nil {
		for i := range p.ToolResult.Content {
			n += 64 + partSize(&p.ToolResult.Content[i])
		}
	}
	return n
}

var (
	errBodyClosed = errors.New("wire: read of a request's body that is closed")
	errBodyGone   = errors.New("wire: the request is over, and so is its body")
)

// sending is a body on its way. A transport may read it when RoundTrip has returned, closes it while another of its
// goroutines reads, and asks for it again to repeat a request: the buffer serves another call once Send needs it no more
// and each of its readers is closed. A transport that closes none leaves it to the garbage collector.
type sending struct {
	mu    sync.Mutex
	body  []byte
	users int // Send, until RoundTrip has returned, and open readers
	first sendingReader
}

// send begins with one user, who calls done.
func send(body []byte) *sending { return &sending{body: body, users: 1} }

// reader is for a request's Body.
func (s *sending) reader() io.ReadCloser {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users++
	s.first.s = s
	return &s.first
}

// again is for a request's GetBody.
func (s *sending) again() (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users == 0 {
		return nil, errBodyGone
	}
	s.users++
	return &sendingReader{s: s}, nil
}

func (s *sending) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave()
}

// leave ends one use.
func (s *sending) leave() {
	if s.users--; s.users == 0 {
		keepBody(s.body)
		s.body = nil
	}
}

// sendingReader reads a body once.
type sendingReader struct {
	s      *sending
	at     int
	closed bool
}

// Read reads.
func (r *sendingReader) Read(p []byte) (int, error) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	switch {
	case r.closed:
		return 0, errBodyClosed
	case r.at == len(r.s.body):
		return 0, io.EOF
	}
	n := copy(p, r.s.body[r.at:])
	r.at += n
	return n, nil
}

// Close ends the use of the body. Later calls do nothing.
func (r *sendingReader) Close() error {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if !r.closed {
		r.closed = true
		r.s.leave()
	}
	return nil
}
