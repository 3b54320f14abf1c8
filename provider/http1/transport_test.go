//go:build unix

package http1_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elumenta/elumenta/provider/http1"
)

var errEnough = errors.New("enough")

// TestContext ends a call at each of its stages.
func TestContext(t *testing.T) {
	silent := func(t *testing.T) *rawServer {
		return serve(t, func(conn net.Conn, _ int, req *http.Request) bool {
			_, _ = io.Copy(io.Discard, req.Body)
			if req.URL.Path == "/half" {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
			}
			return true
		})
	}
	t.Run("before", func(t *testing.T) {
		s := silent(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errEnough)
		_, err := get(s.transport(t, nil), request(t, http.MethodPost, s.url, "{}").WithContext(ctx))
		if !errors.Is(err, errEnough) || s.connections() != 0 {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("dial", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		tr := http1.New(&http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			cancel(errEnough)
			<-ctx.Done()
			return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
		}})
		if _, err := get(tr, request(t, http.MethodPost, "http://model.test", "{}").WithContext(ctx)); !errors.Is(err, errEnough) {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("write", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		client, server := net.Pipe() // takes nothing that is not read
		defer func() { _ = server.Close() }()
		tr := http1.New(&http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return client, nil }})
		go func() {
			_, _ = io.ReadFull(server, make([]byte, 10))
			cancel(errEnough)
		}()
		if _, err := get(tr, request(t, http.MethodPost, "http://model.test", "{}").WithContext(ctx)); !errors.Is(err, errEnough) {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("head", func(t *testing.T) {
		s := silent(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			<-s.accepted
			cancel(errEnough)
		}()
		if _, err := get(s.transport(t, nil), request(t, http.MethodPost, s.url, "{}").WithContext(ctx)); !errors.Is(err, errEnough) {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("body", func(t *testing.T) {
		s := silent(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		resp, err := s.transport(t, nil).RoundTrip(request(t, http.MethodPost, s.url+"/half", "{}").WithContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		_, _ = io.ReadFull(resp.Body, make([]byte, 2))
		time.AfterFunc(0, func() { cancel(errEnough) })
		for range 2 {
			if n, err := resp.Body.Read(make([]byte, 9)); n != 0 || !errors.Is(err, errEnough) {
				t.Errorf("read = %d, %v", n, err)
			}
		}
		<-s.closed
	})
	t.Run("unread", func(t *testing.T) {
		s := silent(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		resp, err := s.transport(t, nil).RoundTrip(request(t, http.MethodPost, s.url+"/half", "{}").WithContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		cancel(errEnough)
		<-s.closed // the provider learns of it though nobody reads
		resp.Body.Close()
	})
}

// TestCloseWhileReading: Close ends a read that waits.
func TestCloseWhileReading(t *testing.T) {
	s := serve(t, func(conn net.Conn, _ int, req *http.Request) bool {
		_, _ = io.Copy(io.Discard, req.Body)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
		return true
	})
	tr := s.transport(t, nil)
	for range 50 {
		resp, err := tr.RoundTrip(request(t, http.MethodPost, s.url, "{}"))
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if _, err := io.Copy(io.Discard, resp.Body); err == nil {
					t.Error("the body ended well")
				}
			})
			wg.Go(func() { resp.Body.Close() })
		}
		wg.Wait()
	}
}

// TestMany makes calls at once, some of which end early in every way: no answer may be another call's.
func TestMany(t *testing.T) {
	s := serve(t, func(conn net.Conn, _ int, req *http.Request) bool {
		b, _ := io.ReadAll(req.Body)
		format := "HTTP/1.1 200 OK\r\nContent-Length: %[1]d\r\n\r\n%[2]s"
		if len(b)%2 == 0 {
			format = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%[1]x\r\n%[2]s\r\n0\r\n\r\n"
		}
		_, err := fmt.Fprintf(conn, format, len(b), b)
		return err == nil
	})
	tr := s.transport(t, nil)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 200 {
				body := strings.Repeat(fmt.Sprintf("%d-%d ", worker, i), 1+rand.IntN(500))
				ctx, cancel := context.WithCancel(t.Context())
				if rand.IntN(4) == 0 {
					time.AfterFunc(time.Duration(rand.IntN(300))*time.Microsecond, cancel)
				}
				resp, err := tr.RoundTrip(request(t, http.MethodPost, s.url, body).WithContext(ctx))
				if err == nil {
					if rand.IntN(8) == 0 {
						go resp.Body.Close()
					}
					b, readErr := io.ReadAll(resp.Body)
					resp.Body.Close()
					if err = readErr; !strings.HasPrefix(body, string(b)) || err == nil && string(b) != body {
						t.Errorf("answer %.40q to %.40q", b, body)
					}
				}
				cancel()
			}
		})
	}
	wg.Wait()
}

// TestEarlyAnswer: a server may refuse a request before it has read it.
func TestEarlyAnswer(t *testing.T) {
	client, server := net.Pipe()
	go func() {
		_, _ = io.ReadFull(server, make([]byte, 10))
		_ = server.Close()
	}()
	// The answer is there to be read though the write fails.
	early := earlyConn{Conn: client, Reader: strings.NewReader("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")}
	tr := http1.New(&http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return early, nil }})
	resp, err := tr.RoundTrip(request(t, http.MethodPost, "http://model.test", "{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); resp.StatusCode != http.StatusRequestEntityTooLarge || string(b) != "no" || err != nil {
		t.Errorf("answer = %d %q, %v", resp.StatusCode, b, err)
	}
}

type earlyConn struct {
	net.Conn
	io.Reader
}

func (c earlyConn) Read(p []byte) (int, error) { return c.Reader.Read(p) }

// TestRequests sends what this transport is made for and what it leaves to net/http's, and looks at what arrives.
func TestRequests(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %s %s %s %d %s", r.Method, r.Host, r.URL, r.Header.Get("X-A"), r.ContentLength, b[:min(len(b), 5)])
	})
	plain, secure := httptest.NewServer(echo), httptest.NewTLSServer(echo)
	defer plain.Close()
	defer secure.Close()
	large := strings.Repeat("a", 200<<10)
	base := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: secure.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}}
	tr := http1.New(base)
	defer tr.CloseIdleConnections()
	host := strings.TrimPrefix(plain.URL, "http://")
	tests := []struct {
		name, want string
		req        *http.Request
	}{
		{"post", "POST " + host + " /v1?a=b  4 text", request(t, "POST", plain.URL+"/v1?a=b", "text")},
		{"get", "GET " + host + " /  0 ", request(t, "GET", plain.URL, "")},
		{"https", "POST " + strings.TrimPrefix(secure.URL, "https://") + " /  4 text", request(t, "POST", secure.URL, "text")},
		{"large", "POST " + host + fmt.Sprintf(" /  %d aaaaa", len(large)), request(t, "POST", plain.URL, large)},
		{"unknown length", "POST " + host + " /  -1 text", func() *http.Request {
			r := request(t, "POST", plain.URL, "text")
			r.ContentLength = -1
			return r
		}()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { mustGet(t, tr, tt.req, tt.want) })
	}
	t.Run("wrong length", func(t *testing.T) {
		r := request(t, "POST", plain.URL, "text")
		r.ContentLength = 9
		if _, err := get(tr, r); err == nil {
			t.Error("a request that is shorter than it says was sent")
		}
	})
	for _, h := range []http.Header{{"X-A": {"a\r\nX-B: c"}}, {"X-A": {"a\nb"}}, {"X-A\r\nX-B": {"c"}}, {"X A": {"c"}}, {"X-A": {"a\x00"}}} {
		r := request(t, "POST", plain.URL, "text")
		r.Header = h
		if _, err := get(tr, r); err == nil || !strings.Contains(err.Error(), "invalid header") {
			t.Errorf("%q: %v", h, err)
		}
	}
}

// TestSend shares a request: each call has a context and a body of its own.
func TestSend(t *testing.T) {
	s := serve(t, func(conn net.Conn, _ int, req *http.Request) bool {
		b, _ := io.ReadAll(req.Body)
		if string(b) == "wait" {
			return true
		}
		_, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(b), b)
		return err == nil
	})
	tr := s.transport(t, nil)
	shared := request(t, http.MethodPost, s.url, "").WithContext(context.Background())
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 50 {
				body := fmt.Appendf(nil, "%d-%d", worker, i)
				want := string(body)
				resp, taken, err := tr.Send(t.Context(), shared, body)
				if err != nil || !taken {
					t.Errorf("taken = %t, %v", taken, err)
					return
				}
				clear(body) // its memory is the caller's again
				b, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if string(b) != want || err != nil {
					t.Errorf("answer = %q, %v, want %q", b, err, want)
				}
			}
		})
	}
	wg.Wait()
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(0, func() { cancel(errEnough) })
	if _, taken, err := tr.Send(ctx, shared, []byte("wait")); !taken || !errors.Is(err, errEnough) {
		t.Errorf("taken = %t, %v", taken, err)
	}
	for name, body := range map[string]string{"none": "", "too large": strings.Repeat("a", 65<<10)} {
		if _, taken, err := tr.Send(t.Context(), shared, []byte(body)); taken || err != nil {
			t.Errorf("%s: taken = %t, %v", name, taken, err)
		}
	}
	if _, taken, err := tr.Send(t.Context(), request(t, http.MethodPost, "https://model.test", ""), []byte("{}")); taken || err != nil {
		t.Errorf("https: taken = %t, %v", taken, err)
	}
}

func TestProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, "for ", r.URL.Host) }))
	defer proxy.Close()
	s := serve(t, always(hello))
	at, _ := url.Parse(proxy.URL)
	tr := s.transport(t, func(base *http.Transport) {
		base.Proxy = func(r *http.Request) (*url.URL, error) {
			if r.URL.Hostname() == "model.test" {
				return at, nil
			}
			return nil, nil
		}
	})
	mustGet(t, tr, request(t, http.MethodPost, "http://model.test/", "{}"), "for model.test")
	mustGet(t, tr, request(t, http.MethodPost, s.url, "{}"), "hello")
}

func TestDialFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	_, err = get(http1.New(&http.Transport{}), request(t, http.MethodPost, "http://"+address, "{}"))
	if op := new(net.OpError); !errors.As(err, &op) || op.Op != "dial" {
		t.Errorf("error = %v", err)
	}
}
