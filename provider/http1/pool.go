package http1

import (
	"slices"
	"sync"
	"time"
)

// pool keeps the connections that no call uses. The one that was used last is taken first, so that the others grow old.
type pool struct {
	perHost int
	timeout time.Duration // zero keeps them until the server closes them

	mu     sync.Mutex
	idle   map[string][]*conn
	timer  *time.Timer // set while connections are idle
	armed  bool
	closed bool // since when nothing was asked for: what comes back is not kept
}

// take returns a connection that the server has not closed, or nil.
func (p *pool) take(host string) *conn {
	for {
		p.mu.Lock()
		p.closed = false
		list := p.idle[host]
		if len(list) == 0 {
			p.mu.Unlock()
			return nil
		}
		c := list[len(list)-1]
		list[len(list)-1] = nil
		p.idle[host] = list[:len(list)-1]
		p.mu.Unlock()
		if !expired(c.idle, time.Now(), p.timeout) && c.socket.silent() {
			c.reused = true
			return c
		}
		_ = c.Close()
	}
}

func (p *pool) put(c *conn) {
	if !p.add(c) {
		_ = c.Close()
	}
}

func (p *pool) add(c *conn) bool {
	if c.socket == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle[c.host]) >= p.perHost {
		return false
	}
	if p.idle == nil {
		p.idle = map[string][]*conn{}
	}
	c.idle = time.Now()
	p.idle[c.host] = append(p.idle[c.host], c)
	if !p.armed && p.timeout > 0 {
		p.arm(p.timeout)
	}
	return true
}

func (p *pool) arm(after time.Duration) {
	p.armed = true
	if p.timer == nil {
		p.timer = time.AfterFunc(after, p.expire)
		return
	}
	p.timer.Reset(after)
}

// expire closes what was idle for too long, and comes again when the next will have been.
func (p *pool) expire() {
	now := time.Now()
	var old []*conn
	var first time.Time
	p.mu.Lock()
	p.armed = false
	for host, list := range p.idle {
		fresh := slices.IndexFunc(list, func(c *conn) bool { return !expired(c.idle, now, p.timeout) })
		if fresh < 0 {
			old = append(old, list...)
			delete(p.idle, host)
			continue
		}
		old = append(old, list[:fresh]...)
		list = slices.Delete(list, 0, fresh)
		p.idle[host] = list
		if first.IsZero() || list[0].idle.Before(first) {
			first = list[0].idle
		}
	}
	if !first.IsZero() {
		p.arm(first.Add(p.timeout).Sub(now))
	}
	p.mu.Unlock()
	closeAll(old)
}

func (p *pool) closeIdle() {
	var all []*conn
	p.mu.Lock()
	for _, list := range p.idle {
		all = append(all, list...)
	}
	p.idle, p.closed = nil, true
	if p.timer != nil {
		p.timer.Stop()
	}
	p.armed = false
	p.mu.Unlock()
	closeAll(all)
}

func closeAll(list []*conn) {
	for _, c := range list {
		_ = c.Close()
	}
}

func expired(since, now time.Time, timeout time.Duration) bool {
	return timeout > 0 && now.Sub(since) >= timeout
}
