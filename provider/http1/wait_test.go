//go:build unix

package http1_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestWait: Wait returns once there is something to read, be it an end, and takes nothing of it.
func TestWait(t *testing.T) {
	next := make(chan string)
	s := serve(t, func(conn net.Conn, _ int, req *http.Request) bool {
		_, _ = io.Copy(io.Discard, req.Body)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for piece := range next {
			if piece == "" {
				return false
			}
			_, _ = io.WriteString(conn, piece)
		}
		return true
	})
	tr := s.transport(t, nil)
	open := func(ctx context.Context) (io.ReadCloser, func()) {
		resp, err := tr.RoundTrip(request(t, http.MethodPost, s.url, "{}").WithContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		return resp.Body, resp.Body.(interface{ Wait() }).Wait
	}
	read := func(body io.Reader, want string, failed bool) {
		t.Helper()
		b := make([]byte, 100)
		if n, err := body.Read(b); string(b[:n]) != want || (err != nil) != failed {
			t.Errorf("read %q, %v, want %q", b[:n], err, want)
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	body, wait := open(ctx)
	for _, piece := range []string{"one", "two"} {
		go func() { next <- fmt.Sprintf("%x\r\n%s\r\n", len(piece), piece) }()
		wait()
		wait()
		read(body, piece, false)
	}
	time.AfterFunc(time.Millisecond, cancel)
	wait()
	read(body, "", true)
	wait()
	_ = body.Close()
	wait()
	next <- ""

	body, wait = open(t.Context())
	go func() { next <- "" }()
	wait()
	read(body, "", true)
	_ = body.Close()

	body, wait = open(t.Context())
	time.AfterFunc(time.Millisecond, func() { _ = body.Close() })
	wait()
	read(body, "", true)
	next <- ""
}

// TestBeforeWait: the function is called when a read has to wait, also in the middle of a chunk, and not while there is something.
func TestBeforeWait(t *testing.T) {
	next := make(chan string)
	s := serve(t, func(conn net.Conn, _ int, req *http.Request) bool {
		_, _ = io.Copy(io.Discard, req.Body)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n5\r\nth")
		for piece := range next {
			_, _ = io.WriteString(conn, piece)
			if piece == "" || strings.HasSuffix(piece, "0\r\n\r\n") {
				break
			}
		}
		return true
	})
	tr := s.transport(t, nil)
	open := func() io.ReadCloser {
		resp, err := tr.RoundTrip(request(t, http.MethodPost, s.url, "{}"))
		if err != nil {
			t.Fatal(err)
		}
		return resp.Body
	}
	for _, size := range []int{2, 100, 8 << 10} {
		body := open()
		pieces := []string{"r", "ee\r\n4", "\r\nfour\r\n0\r\n\r\n"}
		waits, want := 0, "onetwothreefour"
		before := func() error {
			if waits < len(pieces) {
				next <- pieces[waits]
			}
			waits++
			return nil
		}
		if !body.(interface{ BeforeWait(f func() error) bool }).BeforeWait(before) {
			t.Fatal("a body that cannot say when it waits")
		}
		var got strings.Builder
		for b := make([]byte, size); ; {
			n, err := body.Read(b)
			got.Write(b[:n])
			if err != nil {
				if err != io.EOF {
					t.Error(err)
				}
				break
			}
		}
		if got.String() != want || waits < len(pieces) {
			t.Errorf("%d bytes at once: read %q after %d waits", size, got.String(), waits)
		}
		if body.(interface{ BeforeWait(f func() error) bool }).BeforeWait(before) {
			t.Error("a body that is over says when it waits")
		}
	}

	// A call can be ended while the function runs.
	ctx, cancel := context.WithCancel(t.Context())
	resp, err := tr.RoundTrip(request(t, http.MethodPost, s.url, "{}").WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.(interface{ BeforeWait(f func() error) bool }).BeforeWait(func() error {
		cancel()
		next <- ""
		<-s.closed
		return nil
	})
	if b, err := io.ReadAll(resp.Body); string(b) != "onetwoth" || !errors.Is(err, context.Canceled) {
		t.Errorf("read %q, %v", b, err)
	}
	_ = resp.Body.Close()

	// Nothing of the calls before is left. An error ends the call, and the connection with it.
	body := open()
	stop := errors.New("stop")
	body.(interface{ BeforeWait(f func() error) bool }).BeforeWait(func() error { return stop })
	body.(interface{ Wait() }).Wait()
	b, err := io.ReadAll(body)
	if string(b) != "onetwoth" || !errors.Is(err, stop) {
		t.Errorf("read %q, %v", b, err)
	}
	_ = body.Close()
	next <- ""
	<-s.closed
	if len(s.accepted) != 2 {
		t.Errorf("%d connections", len(s.accepted))
	}
}
