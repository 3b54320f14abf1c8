package store

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// poller has the runtime's network poller run. runtime.Gosched does not: it is looked at when no goroutine is ready to run, as whoever
// yields is.
type poller struct {
	event *os.File // an eventfd
	raw   syscall.RawConn
	wrote bool
	write func(fd uintptr) bool // made once
}

// newPoller returns nil where the system gives none.
func newPoller() *poller {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil
	}
	p := &poller{event: os.NewFile(uintptr(fd), "eventfd")}
	if p.raw, err = p.event.SyscallConn(); err != nil {
		p.close()
		return nil
	}
	one := [8]byte{1} // each write is an event of its own: nobody needs to read
	p.write = func(fd uintptr) bool {
		if p.wrote {
			return true
		}
		_, err := unix.Write(int(fd), one[:])
		p.wrote = err == nil
		return err != nil
	}
	return p
}

// turn returns after whoever the network had something for was made ready to run, behind them.
func (p *poller) turn() {
	if p == nil {
		return
	}
	p.wrote = false
	_ = p.raw.Read(p.write) // fails where it is closed, and then there is nothing to wait for
}

func (p *poller) close() {
	if p != nil {
		_ = p.event.Close()
	}
}
