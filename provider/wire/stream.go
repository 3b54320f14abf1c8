package wire

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// DefaultEventLimit is the largest event that a stream may hold, in bytes.
const DefaultEventLimit = 4 << 20

// ErrEventTooLarge says that an event, or a line without an end, is over the limit.
var ErrEventTooLarge = errors.New("event is over the limit")

const (
	firstBuffer = 4 << 10
	pooledLimit = 64 << 10 // a buffer that grew beyond this is not kept
	emptyReads  = 100
)

var (
	buffers       = sync.Pool{New: func() any { b := make([]byte, firstBuffer); return &b }}
	byteOrderMark = []byte("\xef\xbb\xbf")
)

func takeBuffer() *[]byte {
	return buffers.Get().(*[]byte) //nolint:forcetypeassert // the pool holds nothing else
}

func giveBuffer(b *[]byte) {
	if len(*b) <= pooledLimit {
		clear(*b)
		buffers.Put(b)
	}
}

// Stream reads events from a body of text/event-stream
// (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream): lines end in LF, CR or CRLF,
// comments and unknown fields are passed over, the data lines of an event are joined by LF. It differs in one point: an
// event that the body's clean end cuts before its blank line is given out too, since some hosts leave that line away.
// A Stream is for one goroutine.
type Stream struct {
	r          io.Reader
	waiter     waiter       // r, if that calls beforeRead
	beforeRead func() error // nil: nothing is to be called here
	limit      int

	buf     *[]byte
	pos     int // where the line under way begins
	scan    int // no line ends in [pos, scan)
	lf      int // the next LF, if lfFound, else up to where there is none
	end     int // what was read
	lfFound bool

	name     []byte
	lines    int    // data lines of the event so far
	from, to int    // the first of them, in buf
	joined   []byte // all of them, if there are several

	started bool // a byte order mark was looked for
	skipLF  bool // the last line ended in CR: an LF next to it belongs to it
	cut     bool
	err     error
}

// NewStream reads events of up to limit bytes, DefaultEventLimit for zero. beforeRead, if not nil, is called before each
// read that may wait, whenever the buffer holds no whole event; its error ends the stream. Close gives the buffer back.
func NewStream(r io.Reader, limit int, beforeRead func() error) *Stream {
	s := new(Stream)
	s.open(r, limit, beforeRead)
	return s
}

func (s *Stream) open(r io.Reader, limit int, beforeRead func() error) {
	if limit <= 0 {
		limit = DefaultEventLimit
	}
	*s = Stream{r: r, limit: limit, beforeRead: beforeRead, buf: takeBuffer()}
	if w, ok := r.(waiter); ok && w.BeforeWait(beforeRead) {
		s.beforeRead, s.waiter = nil, w
	}
}

// Close gives the buffer back. What Next returned is no longer valid.
func (s *Stream) Close() {
	if s.buf == nil {
		return
	}
	s.release()
	s.err = io.ErrClosedPipe
	if s.waiter != nil {
		s.waiter.BeforeWait(nil)
	}
}

// Cut reports whether the last event lacked its blank line because the body ended.
func (s *Stream) Cut() bool { return s.cut }

// Next returns the next event that has data. Both slices are valid until the next call. The error is io.EOF at the
// body's end, ErrEventTooLarge, what beforeRead returned, or the reader's own.
func (s *Stream) Next() (name, data []byte, err error) {
	if s.buf == nil {
		return nil, nil, s.err
	}
	s.begin()
	for {
		from, to, ok := s.line()
		switch {
		case !ok && s.err == nil:
			s.fill()
		case !ok && errors.Is(s.err, io.EOF):
			if data := s.rest(); len(data) > 0 {
				s.cut = true
				return s.name, data, nil
			}
			return nil, nil, s.err
		case !ok:
			return nil, nil, s.err
		case from < to:
			s.field(from, to)
			if len(s.joined) > s.limit {
				s.err = ErrEventTooLarge
				return nil, nil, s.err
			}
		default:
			if data := s.data(); len(data) > 0 {
				return s.name, data, nil
			}
			s.begin()
		}
	}
}

func (s *Stream) begin() {
	s.name, s.joined, s.lines = s.name[:0], s.joined[:0], 0
}

func (s *Stream) data() []byte {
	switch s.lines {
	case 0:
		return nil
	case 1:
		return (*s.buf)[s.from:s.to]
	}
	return s.joined
}

// rest takes the last line of a body that ended without a line end, and returns the data of the event under way.
func (s *Stream) rest() []byte {
	if s.pos < s.end {
		from := s.pos
		s.pos, s.scan = s.end, s.end
		s.field(from, s.end)
	}
	data := s.data()
	s.lines = 0
	return data
}

// line takes the next whole line from the buffer and returns where it is, without its end.
func (s *Stream) line() (from, to int, ok bool) {
	if !s.start() {
		return 0, 0, false
	}
	if s.skipLF && s.pos < s.end {
		if s.skipLF = false; (*s.buf)[s.pos] == '\n' {
			s.pos++
		}
	}
	s.scan = max(s.scan, s.pos)
	// Where the next LF is gets remembered, so that a body of CR line ends is not searched again for every line.
	if !s.lfFound || s.lf < s.scan {
		s.lf = s.find('\n', max(s.scan, s.lf), s.end)
		s.lfFound = s.lf < s.end
	}
	at := s.find('\r', s.scan, s.lf)
	if at == s.lf && !s.lfFound {
		s.scan = s.end
		return 0, 0, false
	}
	from = s.pos
	s.skipLF = at < s.lf
	s.pos, s.scan = at+1, at+1
	return from, at, true
}

// start passes over a byte order mark; it reports false while there may be more of one to come.
func (s *Stream) start() bool {
	if s.started {
		return true
	}
	head := (*s.buf)[s.pos:s.end]
	if len(head) < len(byteOrderMark) && bytes.HasPrefix(byteOrderMark, head) {
		return false
	}
	s.started = true
	if bytes.HasPrefix(head, byteOrderMark) {
		s.pos += len(byteOrderMark)
	}
	return true
}

// find returns where c is in [from, to), or to.
func (s *Stream) find(c byte, from, to int) int {
	if i := bytes.IndexByte((*s.buf)[from:to], c); i >= 0 {
		return from + i
	}
	return to
}

func (s *Stream) field(from, to int) {
	line := (*s.buf)[from:to]
	name, value, _ := bytes.Cut(line, []byte{':'})
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	switch string(name) {
	case "event":
		s.name = append(s.name[:0], value...)
	case "data":
		s.lines++
		switch s.lines {
		case 1:
			s.from, s.to = to-len(value), to
			return
		case 2:
			s.joined = append(s.joined, (*s.buf)[s.from:s.to]...)
		}
		s.joined = append(append(s.joined, '\n'), value...)
	}
}

// fill reads more, after moving what is still needed to the front of the buffer.
func (s *Stream) fill() {
	if s.beforeRead != nil {
		if s.err = s.beforeRead(); s.err != nil {
			return
		}
	}
	s.compact()
	s.wait()
	buf := *s.buf
	if s.end >= s.limit {
		s.err = ErrEventTooLarge
		return
	}
	if s.end == len(buf) {
		grown := make([]byte, min(2*len(buf), s.limit))
		copy(grown, buf)
		*s.buf, buf = grown, grown
	}
	for range emptyReads {
		n, err := s.r.Read(buf[s.end:])
		s.end += n
		s.err = err
		if n > 0 || err != nil {
			return
		}
	}
	s.err = io.ErrNoProgress
}

// waiter is a body whose transport knows when a read would wait.
type waiter interface {
	// Wait returns when Read has something, an error perhaps.
	Wait()
	// BeforeWait has f called whenever a read, or Wait, has nothing and is about to wait, nil for nothing. Its error ends the
	// read. It reports whether that can be done.
	BeforeWait(f func() error) bool
}

// wait gives an empty buffer to others until there is something to read: most streams wait most of the time.
func (s *Stream) wait() {
	if s.waiter == nil || s.end > 0 {
		return
	}
	s.release()
	s.waiter.Wait()
	s.buf = takeBuffer()
}

func (s *Stream) release() {
	giveBuffer(s.buf)
	s.buf = nil
}

func (s *Stream) compact() {
	keep := s.pos
	if s.lines == 1 {
		keep = min(keep, s.from)
	}
	if keep == 0 {
		return
	}
	copy(*s.buf, (*s.buf)[keep:s.end])
	s.pos, s.end = s.pos-keep, s.end-keep
	s.scan, s.lf = s.scan-keep, s.lf-keep // both are at the end: no whole line is left
	s.from, s.to = s.from-keep, s.to-keep
}
