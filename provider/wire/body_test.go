package wire_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

const bodySize = 48 << 10 // kept to be used again, and more than the transports below take at once

// bodyOf is a body in memory that is used again.
func bodyOf(letter string) []byte {
	text := strings.Repeat(letter, bodySize)
	return append(wire.NewBody(&elumenta.Prompt{Instructions: []elumenta.Part{{Text: elumenta.Text(text)}}}), text...)
}

func callWith(t *testing.T, ctx context.Context, url string, transport http.RoundTripper, body []byte) *wire.Answer { //nolint:revive // t first
	t.Helper()
	c := &wire.Call{Format: &wire.Format{}, Target: elumenta.Target{BaseURL: url, Client: &http.Client{Transport: transport}}, Body: body}
	a, err := c.Send(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// bodyOnly closes what it is sent, and answers.
type bodyOnly struct{}

func (bodyOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	for range 3 {
		_ = r.Body.Close() // which must count once
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// useAgain makes calls whose bodies would be written over one that was given back too early.
func useAgain(t *testing.T) {
	t.Helper()
	for range 32 {
		callWith(t, t.Context(), "http://provider.test", bodyOnly{}, bodyOf("x")).Close()
	}
}

// slow is a transport whose connections take no byte before the other side reads it. The other side is served with serve.
func slow(t *testing.T, serve func(net.Conn)) *http.Transport {
	t.Helper()
	var served sync.WaitGroup
	t.Cleanup(served.Wait)
	return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		t.Cleanup(func() { _ = client.Close() })
		served.Go(func() {
			defer func() { _ = server.Close() }()
			serve(server)
		})
		return client, nil
	}}
}

func readHead(r *bufio.Reader) {
	for {
		if line, err := r.ReadString('\n'); err != nil || line == "\r\n" {
			return
		}
	}
}

func TestBodyIsReadAfterTheAnswer(t *testing.T) {
	again, got := make(chan struct{}), make(chan []byte, 1)
	transport := slow(t, func(conn net.Conn) {
		r := bufio.NewReader(conn)
		readHead(r)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata: \r\n")
		<-again
		body := make([]byte, bodySize)
		_, _ = io.ReadFull(r, body)
		got <- body
		_, _ = io.WriteString(conn, "0\r\n\r\n")
	})
	a := callWith(t, t.Context(), "http://provider.test", transport, bodyOf("a"))
	defer a.Close()
	useAgain(t)
	close(again)
	if body := <-got; string(body) != strings.Repeat("a", bodySize) {
		t.Errorf("the body was changed while it was sent: %.20q…%q", body, body[bodySize-20:])
	}
}

// TestBodyOfHTTP2 answers before the body is read, of which the protocol lets through a third at a time, and drops every other
// call in the middle.
func TestBodyOfHTTP2(t *testing.T) {
	again := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			return
		}
		_ = http.NewResponseController(w).Flush()
		<-again
		body, err := io.ReadAll(r.Body)
		if r.Context().Err() == nil && (err != nil || string(body) != strings.Repeat(r.URL.Path[1:], bodySize)) {
			t.Errorf("%s: the body was changed while it was sent: %d bytes, %.20q, %v", r.URL.Path, len(body), body, err)
		}
		_, _ = io.WriteString(w, "ok")
	}))
	server.EnableHTTP2 = true
	server.Config.HTTP2 = &http.HTTP2Config{MaxReadFrameSize: 16 << 10, MaxReceiveBufferPerStream: 16 << 10}
	server.StartTLS()
	defer server.Close()
	callWith(t, t.Context(), server.URL, server.Client().Transport, nil).Close() // the client knows the settings
	var answers []*wire.Answer
	for i, letter := range strings.Split("abcdefgh", "") {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		a := callWith(t, ctx, server.URL+"/"+letter, server.Client().Transport, bodyOf(letter))
		defer a.Close()
		if i%2 == 1 {
			cancel()
			continue
		}
		answers = append(answers, a)
	}
	useAgain(t)
	close(again)
	for _, a := range answers {
		if body, err := whole(a); err != nil || body != "ok" {
			t.Errorf("answer = %q, %v", body, err)
		}
	}
}

// stale is a connection whose server has closed it while it was idle: its second request cannot be written.
type stale struct {
	net.Conn
	requests atomic.Int32
}

func (c *stale) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte("POST")) && c.requests.Add(1) == 2 {
		return 0, errors.New("closed")
	}
	return c.Conn.Write(p)
}

func TestBodyIsSentAgain(t *testing.T) {
	var bodies atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err != nil || string(body) != strings.Repeat(r.URL.Path[1:], bodySize) {
			t.Errorf("body = %d bytes, %.20q, %v", len(body), body, err)
		}
		bodies.Add(1)
	}))
	defer server.Close()
	var dials atomic.Int32
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		dials.Add(1)
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return &stale{Conn: conn}, err
	}}
	defer transport.CloseIdleConnections()
	for _, letter := range []string{"a", "b", "c"} {
		a := callWith(t, t.Context(), server.URL+"/"+letter, transport, bodyOf(letter))
		if _, err := whole(a); err != nil {
			t.Error(err)
		}
		a.Close()
		useAgain(t)
	}
	if bodies.Load() != 3 || dials.Load() < 2 {
		t.Errorf("%d bodies over %d connections", bodies.Load(), dials.Load())
	}
}

// TestBodyIsSentAgainOverHTTP2 has the server refuse the stream once part of the body has come.
func TestBodyIsSentAgainOverHTTP2(t *testing.T) {
	got := make(chan string, 1)
	transport := slow(t, func(conn net.Conn) { refuseFirst(conn, got) })
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetUnencryptedHTTP2(true)
	callWith(t, t.Context(), "http://provider.test", transport, bodyOf("a")).Close()
	if body := <-got; body != strings.Repeat("a", bodySize) {
		t.Errorf("body = %d bytes, %.20q", len(body), body)
	}
}

// refuseFirst speaks as much HTTP/2 as refuses stream 1 and answers the next, whose body it sends to got.
func refuseFirst(conn net.Conn, got chan<- string) {
	const (
		data, headers, reset, settings, update = 0, 1, 3, 4, 8
		refused                                = 7
	)
	out := make(chan []byte, 64) // a pipe's two sides may both write
	defer close(out)
	go func() {
		for b := range out {
			_, _ = conn.Write(b)
		}
	}()
	frame := func(kind, flags byte, stream uint32, payload []byte) {
		b := append([]byte{0, 0, byte(len(payload)), kind, flags}, binary.BigEndian.AppendUint32(nil, stream)...)
		out <- append(b, payload...)
	}
	number := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	r := bufio.NewReader(conn)
	_, _ = r.Discard(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	frame(settings, 0, 0, nil)
	frame(update, 0, 0, number(2*bodySize))
	var body []byte
	for {
		var head [9]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		_, _ = io.ReadFull(r, payload)
		stream := binary.BigEndian.Uint32(head[5:])
		switch {
		case head[3] == settings && head[4] == 0:
			frame(settings, 1, 0, nil)
		case head[3] == data && stream == 1:
			frame(reset, 0, 1, number(refused))
		case head[3] == data:
			body = append(body, payload...)
			if head[4]&1 != 0 {
				frame(headers, 1|4, stream, []byte{0x88}) // :status: 200, and the end
				got <- string(body)
			}
		}
	}
}

func TestLargeBodiesAreNotKept(t *testing.T) {
	const large = 1 << 20
	p := &elumenta.Prompt{Instructions: []elumenta.Part{{Text: elumenta.Text(strings.Repeat("x", large))}}}
	for range 32 {
		body := append(wire.NewBody(p), p.Instructions[0].Text...)
		if cap(body) < large {
			t.Fatalf("room for %d bytes", cap(body))
		}
		callWith(t, t.Context(), "http://provider.test", bodyOnly{}, body).Close()
		if b := wire.NewBody(&elumenta.Prompt{}); len(b) != 0 || cap(b) >= large {
			t.Fatalf("a buffer of %d bytes was kept", cap(b))
		}
	}
}

// TestBodyOfATransportThatForgets asks for a body when the request is over: it gets an error, and no other request's.
func TestBodyOfATransportThatForgets(t *testing.T) {
	var late func() (io.ReadCloser, error)
	transport := roundTrip(func(r *http.Request) (*http.Response, error) {
		late = r.GetBody
		return bodyOnly{}.RoundTrip(r)
	})
	callWith(t, t.Context(), "http://provider.test", transport, bodyOf("a")).Close()
	if body, err := late(); err == nil {
		t.Errorf("a body of a request that is over: %v", body)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
