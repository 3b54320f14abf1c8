package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	streamPieces = 20
	slowModel    = "bench-slow"
	slowPause    = 5 * time.Second
)

// provider is a model host that speaks Chat Completions and answers at once: whole answers in one write, streams of
// 20 pieces with a write each. A stream of slowModel sends a piece, then one every slowPause until released.
type provider struct {
	listener net.Listener
	whole    []byte
	open     []byte   // the response head and the first, empty piece
	pieces   [][]byte // a chunk each
	end      []byte
	faulty   bool // one of eight calls fails, in a way drawn by chance
	faults   atomic.Int64
	capture  atomic.Pointer[captured]
	release  chan struct{}
	cancel   context.CancelFunc
	serving  sync.WaitGroup
}

// captured receives one request as the provider got it.
type captured struct {
	body chan []byte
}

func startProvider(ctx context.Context) (*provider, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &provider{listener: l, release: make(chan struct{})}
	p.prepare()
	ctx, p.cancel = context.WithCancel(ctx)
	p.serving.Go(func() { p.accept(ctx) })
	return p, nil
}

func (p *provider) addr() string { return p.listener.Addr().String() }

// close ends the listener and all connections, and waits for them.
func (p *provider) close() {
	_ = p.listener.Close()
	p.cancel()
	p.serving.Wait()
}

const words = "The answer of the model comes in twenty pieces of about the size that a real one sends, more or less the same. "

func (p *provider) prepare() {
	body := fmt.Sprintf(`{"id":"chatcmpl-bench","object":"chat.completion","created":1767225600,"model":"bench",`+
		`"choices":[{"index":0,"message":{"role":"assistant","content":%q,"refusal":null},"logprobs":null,"finish_reason":"stop"}],`+
		`"usage":{"prompt_tokens":1050,"completion_tokens":25,"total_tokens":1075}}`, words)
	p.whole = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"+
		"Content-Length: %d\r\n\r\n%s", len(body), body)

	p.open = []byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n" +
		"Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nTransfer-Encoding: chunked\r\n\r\n")
	p.open = append(p.open, chunk(delta(`{"role":"assistant","content":""}`, "null"))...)
	pieces := strings.SplitAfter(words, " ")
	for i := range streamPieces {
		p.pieces = append(p.pieces, chunk(delta(fmt.Sprintf(`{"content":%q}`, pieces[i]), "null")))
	}
	p.end = append(chunk(delta(`{}`, `"stop"`)+
		event(`"choices":[],"usage":{"prompt_tokens":1050,"completion_tokens":25,"total_tokens":1075}`)+"data: [DONE]\n\n"), "0\r\n\r\n"...)
}

func delta(delta, finish string) string {
	return event(fmt.Sprintf(`"choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}],"usage":null`, delta, finish))
}

func event(fields string) string {
	return `data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1767225600,"model":"bench",` + fields + "}\n\n"
}

func chunk(s string) []byte { return fmt.Appendf(nil, "%x\r\n%s\r\n", len(s), s) }

func (p *provider) accept(ctx context.Context) {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.serving.Go(func() {
			defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
			p.serve(conn)
			_ = conn.Close()
		})
	}
}

// serve answers a connection's requests one after the other until its client goes away.
func (p *provider) serve(conn net.Conn) {
	r := newMessageReader(conn, 4<<10)
	for {
		_, body, err := r.next()
		if err != nil {
			return
		}
		if c := p.capture.Swap(nil); c != nil {
			c.body <- bytes.Clone(body)
		}
		if err := p.answer(conn, body); err != nil {
			return
		}
	}
}

func (p *provider) answer(conn net.Conn, body []byte) error {
	stream := bytes.Contains(body, []byte(`"stream":true`))
	if p.faulty && rand.IntN(8) == 0 {
		if end, err := p.fault(conn, stream); end || err != nil {
			return errors.Join(err, io.EOF)
		}
		return nil
	}
	if !stream {
		_, err := conn.Write(p.whole)
		return err
	}
	if bytes.Contains(body, []byte(`"model":"`+slowModel+`"`)) {
		return p.slow(conn)
	}
	_, err := conn.Write(p.open)
	for _, piece := range p.pieces {
		if err != nil {
			return err
		}
		_, err = conn.Write(piece)
	}
	if err != nil {
		return err
	}
	_, err = conn.Write(p.end)
	return err
}

// slow streams until it is released or its client is gone.
func (p *provider) slow(conn net.Conn) error {
	if _, err := conn.Write(p.open); err != nil {
		return err
	}
	ticker := time.NewTicker(slowPause)
	defer ticker.Stop()
	for {
		if _, err := conn.Write(p.pieces[0]); err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-p.release:
			_, err := conn.Write(p.end)
			return err
		}
	}
}

// received runs call and returns the body of the request that it made the provider receive.
func (p *provider) received(call func() error) ([]byte, error) {
	c := &captured{body: make(chan []byte, 1)}
	p.capture.Store(c)
	if err := call(); err != nil {
		return nil, err
	}
	select {
	case body := <-c.body:
		return body, nil
	default:
		return nil, errors.New("the provider was not called")
	}
}
