package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/elumenta/elumenta"
)

const (
	queueLength = 4096
	batchLimit  = 256
	// yields is how often the collector lets other goroutines run, so that those about to queue a write can.
	yields = 8
	// fewItems is what a batch should rather not be smaller than: its commit costs as much as one of a hundred.
	fewItems = 4
)

var errClosed = errors.New("the database is closed")

// item is one queued piece of work: a write of its own, or an operation of the ledger, which are carried out together. One
// that is neither asks for the tables to be brought up to date.
type item struct {
	run   func(ctx context.Context, tx querier) error
	op    *ledgerOp
	state atomic.Uint32
	err   error         // set before done is sent to
	done  chan struct{} // holds one
}

func newItem(run func(ctx context.Context, tx querier) error) *item {
	return &item{run: run, done: make(chan struct{}, 1)}
}

// idle reports whether it only asks for the tables.
func (it *item) idle() bool { return it.run == nil && it.op == nil }

const (
	itemQueued uint32 = iota
	itemTaken
	itemWithdrawn
)

func (it *item) take() bool { return it.state.CompareAndSwap(itemQueued, itemTaken) }

func (it *item) answer(err error) {
	it.err = err
	it.done <- struct{}{}
}

// queue hands items to one collector.
type queue struct {
	items chan *item
	poll  *poller       // nil: a batch does not wait for the network to be looked at
	stop  chan struct{} // closed to end the collector
	ended chan struct{} // closed by the collector once it takes nothing more
}

func newQueue() *queue {
	return &queue{items: make(chan *item, queueLength), stop: make(chan struct{}), ended: make(chan struct{})}
}

// do queues an item and waits for its answer. If ctx ends, or the collector does, an item that was not taken is
// withdrawn; one that was taken is waited for, unless it writes nothing of its own. An error is thus never returned for what may
// have been committed.
func (q *queue) do(ctx context.Context, it *item) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case q.items <- it:
	case <-ctx.Done():
		return ctx.Err()
	case <-q.ended:
		return elumenta.Unavailable(errClosed)
	}
	cause := errClosed
	select {
	case <-it.done:
		return it.err
	case <-ctx.Done():
		cause = ctx.Err()
	case <-q.ended:
	}
	if it.state.CompareAndSwap(itemQueued, itemWithdrawn) || it.idle() {
		return elumenta.Unavailable(cause)
	}
	<-it.done
	return it.err
}

// collect waits for an item, lets runnable goroutines queue theirs, if there are few also those that the network has something for, and
// returns all that wait, up to batchLimit. It returns none once the queue was closed and is empty, or when rest fires.
func (q *queue) collect(buf []*item, rest <-chan time.Time) []*item {
	buf = buf[:0]
	select {
	case it := <-q.items:
		buf = q.add(buf, it)
	case <-rest:
		return buf
	case <-q.stop:
		return q.drain(buf)
	}
	if buf = q.drain(buf); len(buf) < fewItems {
		q.poll.turn()
	}
	for range yields {
		runtime.Gosched()
	}
	return q.drain(buf)
}

func (q *queue) drain(buf []*item) []*item {
	for len(buf) < batchLimit {
		select {
		case it := <-q.items:
			buf = q.add(buf, it)
		default:
			return buf
		}
	}
	return buf
}

func (q *queue) add(buf []*item, it *item) []*item {
	if it.take() {
		return append(buf, it)
	}
	return buf
}

// serve gives what is collected to commit until the queue is closed. commit answers every item. rest is called once nothing was
// queued for a while after that; a while of zero is never over.
func (q *queue) serve(commit func([]*item), while time.Duration, rest func()) {
	defer close(q.ended)
	defer q.poll.close()
	buf := make([]*item, 0, batchLimit)
	timer := time.NewTimer(0)
	defer timer.Stop()
	timer.Stop()
	for {
		buf = q.collect(buf, timer.C)
		if len(buf) > 0 {
			commit(buf)
			clear(buf)
			if while > 0 {
				timer.Reset(while)
			}
			continue
		}
		select {
		case <-q.stop:
			if len(q.items) == 0 {
				return
			}
		default:
			rest()
		}
	}
}

// close ends the collector and waits for it. What was queued before is carried out.
func (q *queue) close() {
	close(q.stop)
	<-q.ended
}

// guard turns a panic in a write into an error, so that it fails that write and not the writer.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = elumenta.Internal(fmt.Errorf("panic in a write: %T", p))
		}
	}()
	return f()
}
