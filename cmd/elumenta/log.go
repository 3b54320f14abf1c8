package main

import (
	"io"
	"log/slog"
	"sync"
)

// mostLogBytes is how much of the log waits to be written at most.
const mostLogBytes = 1 << 20

// newLogger makes the log of a server. close writes what is left of it; what is logged after that is written at once.
func newLogger(format string, level slog.Leveler, out io.Writer) (log *slog.Logger, closeLog func()) {
	w := newLogWriter(out)
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), w.close
	}
	return slog.New(slog.NewTextHandler(w, options)), w.close
}

// logWriter writes in the background, and all that waits at once: slog's handlers hold a lock while they write, on which
// every request would wait for a slow disk or pipe. Where too much waits, Write does.
type logWriter struct {
	out   io.Writer
	wake  chan struct{} // holds one
	ended chan struct{}

	mu      sync.Mutex
	room    *sync.Cond // of mu: waiting was taken
	waiting []byte
	closed  bool
}

func newLogWriter(out io.Writer) *logWriter {
	w := &logWriter{out: out, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	w.room = sync.NewCond(&w.mu)
	go w.run()
	return w
}

// Write implements io.Writer. It fails only once the log is closed: slog has nobody to tell.
func (w *logWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.waiting) >= mostLogBytes && !w.closed {
		w.room.Wait()
	}
	if w.closed {
		return w.out.Write(line)
	}
	w.waiting = append(w.waiting, line...)
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return len(line), nil
}

func (w *logWriter) run() {
	defer close(w.ended)
	var taken []byte
	for range w.wake {
		w.mu.Lock()
		taken, w.waiting = w.waiting, taken[:0]
		w.room.Broadcast()
		w.mu.Unlock()
		w.write(taken)
	}
}

// write writes lines, if there are any: what was woken for may have been taken with what was there before.
func (w *logWriter) write(lines []byte) {
	if len(lines) > 0 {
		_, _ = w.out.Write(lines)
	}
}

// close writes what waits, and ends the goroutine.
func (w *logWriter) close() {
	w.mu.Lock()
	closed := w.closed
	w.closed = true
	w.room.Broadcast()
	w.mu.Unlock()
	if closed {
		return
	}
	close(w.wake)
	<-w.ended
	w.write(w.waiting)
}
