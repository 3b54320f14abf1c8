package store

import (
	"encoding/binary"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// firstTurns is how long the first turns may take, which show that the system can do it: some that stand in for Linux tell of no
	// write to an eventfd that nobody has read.
	firstTurns = 100 * time.Millisecond
	// slowTurn is what a turn should not take. It does where some goroutine is always ready to run; then the next restTurns are left out.
	slowTurn  = time.Millisecond
	restTurns = 16
)

// poller has the runtime's network poller run. runtime.Gosched does not: it is looked at when no goroutine is ready to run, as whoever
// yields is.
type poller struct {
	event *os.File // an eventfd
	raw   syscall.RawConn
	wrote bool
	rest  int
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
	var one [8]byte // each write is an event of its own: nobody needs to read
	binary.NativeEndian.PutUint64(one[:], 1)
	p.write = func(fd uintptr) bool {
		if p.wrote {
			return true
		}
		_, err := unix.Write(int(fd), one[:])
		p.wrote = err == nil
		return err != nil
	}
	if p.event.SetReadDeadline(time.Now().Add(firstTurns)) != nil || p.wait() != nil || p.wait() != nil || p.event.SetReadDeadline(time.Time{}) != nil {
		p.close()
		return nil
	}
	return p
}

// turn returns after whoever the network had something for was made ready to run. They have not run yet: runtime.Gosched lets them.
func (p *poller) turn() {
	if p == nil {
		return
	}
	if p.rest > 0 {
		p.rest--
		return
	}
	began := time.Now()
	_ = p.wait() // fails where it is closed, and then there is nothing to wait for
	if time.Since(began) > slowTurn {
		p.rest = restTurns
	}
}

func (p *poller) wait() error {
	p.wrote = false
	return p.raw.Read(p.write)
}

func (p *poller) close() {
	if p != nil {
		_ = p.event.Close()
	}
}
