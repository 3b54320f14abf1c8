//go:build unix

package http1

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// usable says that a connection's socket can be looked at.
const usable = true

const socketBuffer = 4 << 10

var socketBuffers = sync.Pool{New: func() any { b := make([]byte, socketBuffer); return &b }}

// socket reads a connection into a buffer that is held only while something is in it: a stream that waits for its next
// piece has none.
type socket struct {
	conn       net.Conn
	raw        syscall.RawConn
	look, read func(fd uintptr) bool // made once

	before   func() error // called when there is nothing to read, unless nil
	telling  bool         // read must not wait: before is to be called first
	quiet    bool         // what look saw
	buf      *[]byte
	from, to int
	err      error
}

// newSocket returns nil for a connection that has no socket.
func newSocket(nc net.Conn) *socket {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	s := &socket{conn: nc, raw: raw}
	s.look = func(fd uintptr) bool {
		var b [1]byte
		_, err := syscall.Read(int(fd), b[:])
		s.quiet = errors.Is(err, syscall.EAGAIN)
		return true // do not wait
	}
	s.read = func(fd uintptr) bool {
		buf := socketBuffers.Get().(*[]byte) //nolint:forcetypeassert // the pool holds nothing else
		var n int
		err := error(syscall.EINTR)
		for errors.Is(err, syscall.EINTR) {
			n, err = syscall.Read(int(fd), *buf)
		}
		if n > 0 {
			s.buf, s.from, s.to = buf, 0, n
			return true
		}
		socketBuffers.Put(buf)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			return s.telling // else wait, without the buffer
		case err == nil:
			s.err = io.EOF
		default:
			s.err = &net.OpError{
				Op: "read", Net: nc.LocalAddr().Network(), Source: nc.LocalAddr(), Addr: nc.RemoteAddr(), Err: os.NewSyscallError("read", err),
			}
		}
		return true
	}
	return s
}

// beforeWait has f called whenever there is nothing to read, until release. Its error is the connection's.
func (s *socket) beforeWait(f func() error) { s.before = f }

// silent looks without waiting, and is true if the server has neither sent anything nor closed the connection.
func (s *socket) silent() bool {
	s.quiet = false
	return s.raw.Read(s.look) == nil && s.quiet
}

// wait waits until Read need not.
func (s *socket) wait() {
	if s.from < s.to || s.err != nil {
		return
	}
	s.telling = s.before != nil
	s.fill()
	if s.telling && s.from == s.to && s.err == nil {
		s.telling = false
		if s.err = s.before(); s.err == nil { // the connection can be closed meanwhile
			s.fill()
		}
	}
}

func (s *socket) fill() {
	if err := s.raw.Read(s.read); err != nil {
		s.err = err
	}
}

// Read reads. An error stays.
func (s *socket) Read(p []byte) (int, error) {
	if s.from == s.to && s.err == nil && s.before == nil && len(p) >= socketBuffer {
		return s.conn.Read(p)
	}
	s.wait()
	if s.from == s.to {
		return 0, s.err
	}
	n := copy(p, (*s.buf)[s.from:s.to])
	if s.from += n; s.from == s.to {
		s.giveBuffer()
	}
	return n, nil
}

// buffered reports whether something was read that is not yet used.
func (s *socket) buffered() bool { return s.from < s.to }

// release ends a call.
func (s *socket) release() {
	s.giveBuffer()
	s.before = nil
}

func (s *socket) giveBuffer() {
	if s.buf != nil {
		socketBuffers.Put(s.buf)
	}
	s.buf, s.from, s.to = nil, 0, 0
}
