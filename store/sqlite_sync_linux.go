//go:build linux && (amd64 || arm64)

package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// asyncIO is the kernel's asynchronous I/O (io_submit(2)), one operation at a time, so that the writer waits for the disk as others wait
// for a socket. In a system call that blocks it keeps its processor until the scheduler's monitor notices, which with one core is a
// fifth of the time between two commits.
type asyncIO struct {
	context uintptr  // aio_context_t
	done    *os.File // an eventfd
	request *aioRequest
}

// aioRequest is struct iocb, as it is where the lowest byte is first: elsewhere the kernel would take rwFlags for the key beside it.
type aioRequest struct {
	_       [12]byte
	rwFlags uint32
	opcode  uint16
	_       int16
	file    uint32
	buf     uint64
	n       uint64
	at      int64
	_       [8]byte
	flags   uint32
	eventFD uint32
}

// aioEvent is struct io_event.
type aioEvent struct {
	_      [2]uint64
	result int64
	_      int64
}

const (
	aioWrite     = 1 // IOCB_CMD_PWRITE
	aioDataSync  = 3 // IOCB_CMD_FDSYNC
	aioToEventFD = 1 // IOCB_FLAG_RESFD
)

// newAsyncIO returns nil where the kernel has no such calls, or allows none.
func newAsyncIO(opcode uint16) *asyncIO {
	a := &asyncIO{}
	if _, _, e := unix.Syscall(unix.SYS_IO_SETUP, 1, uintptr(unsafe.Pointer(&a.context)), 0); e != 0 { //nolint:gosec // a system call's
		return nil
	}
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = a.close()
		return nil
	}
	a.done = os.NewFile(uintptr(fd), "eventfd")
	a.request = &aioRequest{opcode: opcode, flags: aioToEventFD, eventFD: uint32(fd)}
	return a
}

// do carries the request out. submitted says that the kernel had taken it when it failed.
func (a *asyncIO) do() (n int64, submitted bool, err error) {
	r := a.request
	if _, _, e := unix.Syscall(unix.SYS_IO_SUBMIT, a.context, 1, uintptr(unsafe.Pointer(&r))); e != 0 { //nolint:gosec // a system call's
		return 0, false, fmt.Errorf("io_submit: %w", e)
	}
	var finished [8]byte
	if _, err := a.done.Read(finished[:]); err != nil {
		return 0, true, err
	}
	var event aioEvent
	got, _, e := unix.Syscall6(unix.SYS_IO_GETEVENTS, a.context, 1, 1, uintptr(unsafe.Pointer(&event)), 0, 0) //nolint:gosec // a system call's
	if got != 1 {
		return 0, true, fmt.Errorf("io_getevents: %w", e)
	}
	if event.result < 0 {
		return 0, true, unix.Errno(-event.result)
	}
	return event.result, true, nil
}

// close waits for what the kernel has taken.
func (a *asyncIO) close() error {
	var err error
	if _, _, e := unix.Syscall(unix.SYS_IO_DESTROY, a.context, 0, 0); e != 0 {
		err = fmt.Errorf("io_destroy: %w", e)
	}
	if a.done != nil {
		err = errors.Join(err, a.done.Close())
	}
	return err
}

// asyncSync syncs a file.
type asyncSync struct {
	*asyncIO
	path string
	log  *os.File // nil until there is one
}

// newLogSync returns nil where the system cannot.
func newLogSync(log string) logSync {
	a := newAsyncIO(aioDataSync)
	if a == nil {
		return nil
	}
	return &asyncSync{asyncIO: a, path: log}
}

func (s *asyncSync) sync() error {
	if s.log == nil {
		log, err := os.OpenFile(s.path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		s.log, s.request.file = log, uint32(log.Fd())
	}
	_, _, err := s.do()
	return err
}

func (s *asyncSync) begin() {
	if s.log != nil {
		_ = unix.SyncFileRange(int(s.log.Fd()), 0, 0, unix.SYNC_FILE_RANGE_WRITE) // the sync says what fails
	}
}

func (s *asyncSync) close() error {
	err := s.asyncIO.close()
	if s.log != nil {
		err = errors.Join(err, s.log.Close())
	}
	return err
}

// directWriter writes past the page cache (O_DIRECT), and each write is on the disk when it ends (RWF_DSYNC): a third of the processor's
// time that a write and a sync take.
type directWriter struct {
	*asyncIO
	log   *os.File
	unit  int
	frame []byte // begins at a multiple of unit in memory, too
}

// newLogWriter returns nil where the system cannot write so. It tries by writing zeros.
func newLogWriter(log string, at int64) logWriter {
	a := newAsyncIO(aioWrite)
	if a == nil {
		return nil
	}
	w := &directWriter{asyncIO: a}
	err := w.open(log)
	if err == nil {
		err = w.write(w.buffer(1), at)
	}
	if err != nil {
		_ = w.close()
		return nil
	}
	return w
}

func (w *directWriter) open(path string) (err error) {
	if w.log, err = os.OpenFile(filepath.Clean(path), os.O_RDWR|unix.O_DIRECT, 0); err != nil {
		return err
	}
	w.request.file, w.request.rwFlags = uint32(w.log.Fd()), unix.RWF_DSYNC
	w.unit = 4096 // no disk wants more
	var has unix.Statx_t
	if unix.Statx(int(w.log.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_DIOALIGN, &has) == nil && has.Mask&unix.STATX_DIOALIGN != 0 {
		if has.Dio_offset_align == 0 {
			return errors.ErrUnsupported
		}
		w.unit = int(max(has.Dio_offset_align, has.Dio_mem_align, 512))
	}
	return nil
}

func (w *directWriter) buffer(n int) []byte {
	n = (n + w.unit - 1) / w.unit * w.unit
	if len(w.frame) < n {
		space := make([]byte, 2*n+w.unit)
		skip := -uintptr(unsafe.Pointer(&space[0])) % uintptr(w.unit) //nolint:gosec // its address alone
		w.frame = space[skip:][:2*n]
	}
	clear(w.frame[:n])
	return w.frame[:n]
}

func (w *directWriter) write(frame []byte, at int64) error {
	unsure, err := w.writeOnce(frame, at)
	if err == nil || !unsure {
		return err
	}
	clear(frame[:w.unit]) // or what of it is there could be read
	if _, scrubbed := w.writeOnce(frame[:w.unit], at); scrubbed != nil {
		return logUnsure(err, scrubbed)
	}
	return err
}

// writeOnce says, if it fails, whether some of it may be on the disk.
func (w *directWriter) writeOnce(frame []byte, at int64) (unsure bool, err error) {
	r := w.request
	r.buf, r.n, r.at = uint64(uintptr(unsafe.Pointer(&frame[0]))), uint64(len(frame)), at //nolint:gosec // a system call's; it is w's
	n, submitted, err := w.do()
	if err == nil && n < int64(len(frame)) {
		err = io.ErrShortWrite
	}
	return submitted, err
}

func (w *directWriter) close() error {
	err := w.asyncIO.close()
	if w.log != nil {
		err = errors.Join(err, w.log.Close())
	}
	return err
}

// readDisk has what is read next come from the disk. Who reads a page while it is written past the page cache may have it kept there as
// it was.
func readDisk(f *os.File) error {
	return os.NewSyscallError("posix_fadvise", unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED))
}

// readSingly keeps the kernel from reading ahead: who reads the header must not share pages with what is written past the page cache.
func readSingly(f *os.File) error {
	return os.NewSyscallError("posix_fadvise", unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_RANDOM))
}
