//go:build unix

package http1_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/elumenta/elumenta/provider/http1"
)

const hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

// rawServer answers by a function that gets each request of each connection; false closes the connection.
type rawServer struct {
	url      string
	accepted chan net.Conn // as many as a test can have
	closed   chan net.Conn // connections that the client closed
	dialled  chan net.Conn // the client's side
}

func serve(t *testing.T, answer func(conn net.Conn, connection int, req *http.Request) bool) *rawServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rawServer{
		url: "http://" + l.Addr().String(), accepted: make(chan net.Conn, 1000), closed: make(chan net.Conn, 1000),
		dialled: make(chan net.Conn, 1000),
	}
	all := make(chan struct{})
	go func() {
		defer close(all)
		var ends []chan struct{}
		for n := 1; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				break
			}
			s.accepted <- conn
			end := make(chan struct{})
			ends = append(ends, end)
			go func() {
				defer close(end)
				defer func() { _ = conn.Close() }()
				br := bufio.NewReader(conn)
				for {
					req, err := http.ReadRequest(br)
					if err != nil {
						s.closed <- conn
						return
					}
					if !answer(conn, n, req) {
						return
					}
				}
			}()
		}
		for _, end := range ends {
			<-end
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-all
	})
	return s
}

// transport is one whose connections end with the test.
func (s *rawServer) transport(t *testing.T, change func(*http.Transport)) *http1.Transport {
	t.Helper()
	base := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 256, IdleConnTimeout: time.Minute}
	base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			s.dialled <- conn
		}
		return conn, err
	}
	if change != nil {
		change(base)
	}
	tr := http1.New(base)
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func (s *rawServer) connections() int { return len(s.accepted) }

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body == "" {
		req.Body = http.NoBody
	}
	return req
}

// get makes a call and reads its answer to the end.
func get(tr http.RoundTripper, req *http.Request) (string, error) {
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

func mustGet(t *testing.T, tr http.RoundTripper, req *http.Request, want string) {
	t.Helper()
	if got, err := get(tr, req); got != want || err != nil {
		t.Fatalf("answer = %q, %v, want %q", got, err, want)
	}
}

func always(answer string) func(net.Conn, int, *http.Request) bool {
	return func(conn net.Conn, _ int, req *http.Request) bool {
		_, _ = io.Copy(io.Discard, req.Body)
		_, err := io.WriteString(conn, answer)
		return err == nil
	}
}

func TestReuse(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	tests := []struct {
		name, method, answer, body string
		again                      bool
	}{
		{"length", "POST", hello, "hello", true},
		{"chunks", "POST", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello", true},
		{"trailer", "POST", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n", "hello", true},
		{"no body", "POST", ok + "Content-Length: 0\r\n\r\n", "", true},
		{"head", "HEAD", ok + "Content-Length: 5\r\n\r\n", "", true},
		{"204", "POST", "HTTP/1.1 204 No Content\r\n\r\n", "", true},
		{"1.0", "POST", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", false},
		{"1.0, keep-alive", "POST", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello", "hello", true},
		{"close", "POST", ok + "Connection: close\r\nContent-Length: 5\r\n\r\nhello", "hello", false},
		{"more than the length", "POST", hello + "!", "hello", false},
		{"more than no body", "POST", "HTTP/1.1 204 No Content\r\n\r\nabc", "", false},
		{"two answers", "POST", hello + hello, "hello", false},
		{"101", "POST", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, always(tt.answer))
			tr := s.transport(t, nil)
			for range 3 {
				mustGet(t, tr, request(t, tt.method, s.url, "{}"), tt.body)
			}
			want := 3
			if tt.again {
				want = 1
			}
			if got := s.connections(); got != want {
				t.Errorf("%d connections for three calls, want %d", got, want)
			}
		})
	}
}

// TestRequestClose: whoever asks for an end of the connection gets it.
func TestRequestClose(t *testing.T) {
	s := serve(t, func(conn net.Conn, n int, req *http.Request) bool {
		if !req.Close {
			t.Error("the server was not told")
		}
		return always(hello)(conn, n, req)
	})
	req := request(t, http.MethodPost, s.url, "{}")
	req.Close = true
	mustGet(t, s.transport(t, nil), req, "hello")
	<-s.closed
}

// TestCloseEarly: what was left of an answer must not come before the next one.
func TestCloseEarly(t *testing.T) {
	s := serve(t, always(hello))
	tr := s.transport(t, nil)
	resp, err := tr.RoundTrip(request(t, http.MethodPost, s.url, "{}"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadFull(resp.Body, make([]byte, 2))
	for range 2 {
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("a read after Close: %d, %v", n, err)
	}
	<-s.closed
	mustGet(t, tr, request(t, http.MethodPost, s.url, "{}"), "hello")
	if s.connections() != 2 {
		t.Errorf("%d connections", s.connections())
	}
}

// arrived waits until the client's side of a connection has something to read, an end included.
func arrived(t *testing.T, conn net.Conn) {
	t.Helper()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Read(func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK)
		return err != syscall.EAGAIN
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestIdleEnds: a connection whose server closed it or spoke unasked is noticed before a request goes out on it.
func TestIdleEnds(t *testing.T) {
	for name, disturb := range map[string]func(net.Conn){
		"closed":  func(c net.Conn) { _ = c.Close() },
		"reset":   func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0); _ = c.Close() },
		"unasked": func(c net.Conn) { _, _ = io.WriteString(c, hello) },
		"408":     func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\n\r\n"); _ = c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(conn net.Conn, n int, req *http.Request) bool {
				return always(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d", n))(conn, n, req)
			})
			tr := s.transport(t, nil)
			mustGet(t, tr, request(t, http.MethodPost, s.url, "{}"), "1")
			disturb(<-s.accepted)
			arrived(t, <-s.dialled)
			mustGet(t, tr, request(t, http.MethodPost, s.url, "{}"), "2")
		})
	}
}

// TestSentAgain: a connection that ends with a request on it, before any answer. What the server may have processed is
// sent again only where twice does no harm.
func TestSentAgain(t *testing.T) {
	tests := []struct {
		name, method, key string
		partly            string // what the server answers before it closes
		requests          int
	}{
		{"post", "POST", "", "", 1},
		{"post with a key", "POST", "k", "", 2},
		{"get", "GET", "", "", 2},
		{"get with half an answer", "GET", "", "HTTP/1.1 2", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			seen := make(chan string, 10)
			s := serve(t, func(conn net.Conn, n int, req *http.Request) bool {
				b, _ := io.ReadAll(req.Body)
				if req.URL.Path == "/first" {
					return always(hello)(conn, n, req)
				}
				seen <- string(b)
				if n == 1 {
					_, _ = io.WriteString(conn, tt.partly)
					return false
				}
				return always(hello)(conn, n, req)
			})
			tr := s.transport(t, nil)
			mustGet(t, tr, request(t, http.MethodPost, s.url+"/first", "{}"), "hello")
			req := request(t, tt.method, s.url+"/second", map[string]string{"POST": "text"}[tt.method])
			if tt.key != "" {
				req.Header.Set("Idempotency-Key", tt.key)
			}
			_, err := get(tr, req)
			if (err == nil) != (tt.requests == 2) || len(seen) != tt.requests {
				t.Errorf("sent %d times, %v", len(seen), err)
			}
			for len(seen) > 0 {
				if got := <-seen; tt.method == http.MethodPost && got != "text" {
					t.Errorf("body = %q", got)
				}
			}
		})
	}
}

// TestFreshConnectionEnds: a new connection that ends without an answer is not tried again.
func TestFreshConnectionEnds(t *testing.T) {
	s := serve(t, func(net.Conn, int, *http.Request) bool { return false })
	if _, err := get(s.transport(t, nil), request(t, http.MethodGet, s.url, "")); err == nil || s.connections() != 1 {
		t.Errorf("%d connections, %v", s.connections(), err)
	}
}

func TestIdleLimits(t *testing.T) {
	t.Run("time", func(t *testing.T) {
		s := serve(t, always(hello))
		tr := s.transport(t, func(base *http.Transport) { base.IdleConnTimeout = time.Millisecond })
		for range 3 {
			mustGet(t, tr, request(t, http.MethodPost, s.url, "{}"), "hello")
			<-s.closed
		}
	})
	t.Run("number", func(t *testing.T) {
		s := serve(t, always(hello))
		tr := s.transport(t, func(base *http.Transport) { base.MaxIdleConnsPerHost = 1 })
		var open []*http.Response
		for range 3 {
			resp, err := tr.RoundTrip(request(t, http.MethodPost, s.url, "{}"))
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, resp)
		}
		for _, resp := range open {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		<-s.closed
		<-s.closed
		mustGet(t, tr, request(t, http.MethodPost, s.url, "{}"), "hello")
		if s.connections() != 3 {
			t.Errorf("%d connections", s.connections())
		}
	})
	t.Run("close", func(t *testing.T) {
		s := serve(t, always(hello))
		tr := s.transport(t, nil)
		mustGet(t, tr, request(t, http.MethodPost, s.url, "{}"), "hello")
		tr.CloseIdleConnections()
		<-s.closed
		resp, err := tr.RoundTrip(request(t, http.MethodPost, s.url, "{}"))
		if err != nil {
			t.Fatal(err)
		}
		tr.CloseIdleConnections()
		if b, err := io.ReadAll(resp.Body); string(b) != "hello" || err != nil {
			t.Errorf("an answer under way: %q, %v", b, err)
		}
		<-s.closed
	})
}
