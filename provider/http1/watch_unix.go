//go:build unix

package http1

import (
	"net"
	"syscall"
)

// watchable says that an idle connection's end can be noticed.
const watchable = true

// watch returns a function that looks at an idle connection without waiting, and is true if the server has neither sent
// anything nor closed it. It is nil for a connection that cannot be looked at.
func watch(nc net.Conn) func() bool {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	var quiet bool
	var b [1]byte
	look := func(fd uintptr) bool {
		_, err := syscall.Read(int(fd), b[:])
		quiet = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		return true // do not wait
	}
	return func() bool {
		quiet = false
		return raw.Read(look) == nil && quiet
	}
}
