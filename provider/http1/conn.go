package http1

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"sync"
	"time"
)

// headBuffer is small: a stream holds it as long as it is open, and behind it is the socket's. A trailer and the line
// before a chunk must fit into it, as they must into net/http's, whose ReadBufferSize the comparison in the tests sets to it.
const headBuffer = 1 << 10

var errHeadTooLarge = errors.New("http1: the answer's head is too large")

var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, headBuffer) }}

// conn is one connection. It belongs to one call at a time, or to the pool; only end may be called by others.
type conn struct {
	net.Conn
	host   string
	socket *socket // nil for a connection that has none, which is used for one call only
	end    func()  // closes: made once, for every call's context

	br       *bufio.Reader // nil while idle
	limit    int64         // bytes that may still be read
	answered bool          // a byte of this call's answer came
	reused   bool
	idle     time.Time // since when
}

func newConn(nc net.Conn, host string) *conn {
	return &conn{Conn: nc, host: host, socket: newSocket(nc), end: func() { _ = nc.Close() }}
}

func (c *conn) begin(headLimit int64) {
	c.br = readers.Get().(*bufio.Reader) //nolint:forcetypeassert // the pool holds nothing else
	c.br.Reset(c)
	c.limit, c.answered = headLimit, false
}

// Read is for the buffer.
func (c *conn) Read(p []byte) (int, error) {
	if c.limit <= 0 {
		return 0, errHeadTooLarge
	}
	if int64(len(p)) > c.limit {
		p = p[:c.limit]
	}
	var n int
	var err error
	if c.socket != nil {
		n, err = c.socket.Read(p)
	} else {
		n, err = c.Conn.Read(p)
	}
	c.limit -= int64(n)
	return n, err
}

// response reads the head of an answer and passes over those before it (1xx), which the same limit counts.
func (c *conn) response(req *http.Request) (*http.Response, error) {
	if _, err := c.br.Peek(1); err != nil {
		return nil, err
	}
	c.answered = true
	for {
		resp, err := http.ReadResponse(c.br, req)
		switch {
		case err != nil && c.limit <= 0: // the limit cut it, whatever that looks like
			return nil, errHeadTooLarge
		case err != nil:
			return nil, fmt.Errorf("http1: the answer broke off: %w", err)
		}
		if resp.StatusCode >= http.StatusOK || resp.StatusCode < 100 || resp.StatusCode == http.StatusSwitchingProtocols {
			c.limit = math.MaxInt64
			return resp, nil
		}
	}
}

// wait waits until Read need not, and holds no large buffer.
func (c *conn) wait() {
	if c.socket != nil && c.br.Buffered() == 0 {
		c.socket.wait()
	}
}

// empty reports whether all that was read is used.
func (c *conn) empty() bool {
	return c.br.Buffered() == 0 && (c.socket == nil || !c.socket.buffered())
}

// release gives the buffers back. Nobody may read any more.
func (c *conn) release() {
	c.br.Reset(nil)
	readers.Put(c.br)
	c.br = nil
	if c.socket != nil {
		c.socket.release()
	}
}

func (c *conn) discard() {
	_ = c.Close()
	c.release()
}
