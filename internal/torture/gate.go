package main

import (
	"context"
	"net"
	"sync"
	"time"
)

// gate stands between one node and Postgres: it can cut the node off, let the answers stall, or lose them.
type gate struct {
	listener net.Listener
	socket   string
	serving  sync.WaitGroup

	mu    sync.Mutex
	pairs map[*pair]struct{}
	shut  bool
	hold  chan struct{} // answers wait until it is closed; nil lets them pass
}

// pair is one connection of the node and the one to Postgres behind it.
type pair struct{ node, postgres net.Conn }

func (p *pair) close() {
	_ = p.node.Close()
	_ = p.postgres.Close()
}

func openGate(ctx context.Context, socket string) (*gate, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gate{listener: l, socket: socket, pairs: map[*pair]struct{}{}}
	g.serving.Go(func() { g.accept(ctx) })
	return g, nil
}

func (g *gate) accept(ctx context.Context) {
	for {
		conn, err := g.listener.Accept()
		if err != nil {
			return
		}
		g.serving.Go(func() { g.join(ctx, conn) })
	}
}

// join passes bytes both ways until one side is gone.
func (g *gate) join(ctx context.Context, conn net.Conn) {
	var d net.Dialer
	behind, err := d.DialContext(ctx, "unix", g.socket)
	if err != nil {
		_ = conn.Close()
		return
	}
	p := &pair{conn, behind}
	defer p.close()
	g.mu.Lock()
	if g.shut {
		g.mu.Unlock()
		return
	}
	g.pairs[p] = struct{}{}
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.pairs, p)
	}()
	var passing sync.WaitGroup
	passing.Go(func() { g.pass(p, p.node, p.postgres, false) })
	g.pass(p, p.postgres, p.node, true)
	passing.Wait()
}

// pass copies until either connection fails, then closes both.
func (g *gate) pass(p *pair, from, to net.Conn, answers bool) {
	defer p.close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if hold := g.held(); answers && hold != nil {
				<-hold
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (g *gate) held() chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.hold
}

// cut closes all connections, and with shut refuses new ones.
func (g *gate) cut(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
	for p := range g.pairs {
		p.close()
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = false
}

// stall keeps answers back for a while, then lets them pass, or loses them together with their connections.
func (g *gate) stall(ctx context.Context, d time.Duration, lose bool) {
	hold := make(chan struct{})
	g.mu.Lock()
	g.hold = hold
	g.mu.Unlock()
	pause(ctx, d)
	if lose {
		g.cut(false)
	}
	g.mu.Lock()
	g.hold = nil
	g.mu.Unlock()
	close(hold)
}

func (g *gate) close() {
	_ = g.listener.Close()
	g.cut(true)
	g.serving.Wait()
}
