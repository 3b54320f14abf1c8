package http1

import (
	"context"
	"errors"
	"io"
	"sync"
)

var errClosed = errors.New("http1: read of a closed body")

// body reads an answer's body. At its end the connection goes back to the pool; Close before closes it.
type body struct {
	ctx  context.Context //nolint:containedctx // the call's, which goes on as long as its body
	src  io.Reader       // of http.ReadResponse, which makes concurrent reads one after the other
	pool *pool
	stop func() bool // of the context's end
	keep bool        // the connection may be used for another call

	mu      sync.Mutex
	conn    *conn
	reading int
	done    bool  // the connection is given back or closed
	err     error // what reads return now
}

// Read reads. What it returns when the context has ended is the context's cause.
func (b *body) Read(p []byte) (int, error) {
	if err := b.enter(); err != nil {
		return 0, err
	}
	n, err := b.src.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reading--
	switch {
	case b.err != nil: // closed, or another read came to the end
		b.free()
		if err != nil {
			err = b.err
		}
	case err != nil:
		if !errors.Is(err, io.EOF) {
			err = ended(b.ctx, err)
		}
		b.err = err
		b.finish(errors.Is(err, io.EOF))
	}
	return n, err
}

// Wait returns when Read has something, an error perhaps. Who is about to read may wait so and hold no buffer meanwhile.
// It must not be called while Read runs.
func (b *body) Wait() {
	if b.enter() != nil {
		return
	}
	b.conn.wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reading--
	b.free()
}

// BeforeWait has f called whenever Read or Wait has nothing and is about to wait, until the body's end; nil for nothing. An error of f
// ends the call as one of the connection does. It reports whether that can be done, and must not be called while Read runs.
func (b *body) BeforeWait(f func() error) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn == nil || b.conn.socket == nil {
		return false
	}
	b.conn.socket.beforeWait(f)
	return true
}

func (b *body) enter() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.reading++
	}
	return b.err
}

// Close ends the call.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = errClosed
	b.finish(false)
	return nil
}

// finish ends what the call holds. whole says that the body was read to its end.
func (b *body) finish(whole bool) {
	if b.done {
		return
	}
	b.done = true
	keep := b.stop() && whole && b.keep && b.conn.empty() && b.reading == 0
	c := b.conn
	if !keep {
		_ = c.Close()
	}
	b.free()
	if keep {
		b.pool.put(c)
	}
}

// free gives the buffer back when the last read has left it.
func (b *body) free() {
	if b.done && b.reading == 0 && b.conn != nil {
		b.conn.release()
		b.conn = nil
	}
}
