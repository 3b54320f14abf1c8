package wire_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/http1"
	"github.com/elumenta/elumenta/provider/wire"
)

func call(url string, client *http.Client) *wire.Call {
	return &wire.Call{Format: &wire.Format{}, Target: elumenta.Target{Name: "t", BaseURL: url, Client: client}, Body: []byte("{}"), Stream: true}
}

func whole(a *wire.Answer) (body string, err error) {
	err = a.Whole(func(b []byte) error {
		body = string(b)
		return nil
	})
	return body, err
}

func kindOf(err error) elumenta.ErrorKind {
	if e, ok := errors.AsType[*elumenta.ProviderError](err); ok {
		return e.Kind
	}
	return 0
}

// raw serves one connection with bytes that are no HTTP, or HTTP as a test wants it.
func raw(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			_, _ = io.Copy(io.Discard, r.Body) // or what it closes is reset, with the answer
		}
		_, _ = io.WriteString(conn, answer)
		_ = conn.Close()
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return "http://" + l.Addr().String()
}

func TestSendFailures(t *testing.T) {
	const secret = "canary"
	tests := []struct {
		name, answer string
		kind         elumenta.ErrorKind
	}{
		{"nothing", "", elumenta.KindUnreachable},
		{"no HTTP", secret + "\r\n\r\n", elumenta.KindMalformed},
		{"broken status", "HTTP/1.1 " + secret + "\r\n\r\n", elumenta.KindMalformed},
		{"broken header", "HTTP/1.1 200 OK\r\n" + secret + "\r\n\r\n", elumenta.KindMalformed},
		{"half a header", "HTTP/1.1 200 OK\r\nContent-", elumenta.KindMalformed},
		{"gzip nobody asked for", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", elumenta.KindMalformed},
		{"web page", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", elumenta.KindMalformed},
		{"redirect", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", elumenta.KindMalformed},
		{"teapot", "HTTP/1.1 418 I'm a teapot\r\n\r\n" + secret, elumenta.KindFailed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			_, err := call(raw(t, tt.answer), &http.Client{Transport: transport}).Send(t.Context())
			if kindOf(err) != tt.kind {
				t.Errorf("error = %v, want kind %s", err, tt.kind)
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				if strings.Contains(fmt.Sprintf("%v %+v", e, e), secret) {
					t.Errorf("the error quotes the server: %v", e)
				}
			}
		})
	}
}

func TestSendContext(t *testing.T) {
	limit := &elumenta.ProviderError{Kind: elumenta.KindTimeout, Message: "limit"}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(limit)
	if _, err := call("http://127.0.0.1:1", nil).Send(ctx); err != error(limit) { //nolint:errorlint // it must be the very same
		t.Errorf("error = %v, want the cause", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, err := call("http://127.0.0.1:1", nil).Send(ctx)
	if kindOf(err) != elumenta.KindTimeout || !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want a timeout that is context.Canceled", err)
	}
}

func TestWholeLimit(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		block := strings.Repeat("[", 1<<20)
		for range 40 {
			if _, err := io.WriteString(w, block); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	a, err := call(server.URL, server.Client()).Send(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if stream, err := a.IsStream(); stream || err != nil {
		t.Errorf("IsStream = %t, %v", stream, err)
	}
	if _, err := whole(a); kindOf(err) != elumenta.KindMalformed {
		t.Errorf("error = %v", err)
	}
}

// TestEndlessStream has providers that never stop: what their events say is limited like a whole answer, and what they send too.
func TestEndlessStream(t *testing.T) {
	for _, test := range []struct {
		name, block string
		most        int // bytes that may be read of it
	}{
		{"text", "data: " + strings.Repeat("a", 1<<20) + "\n\n", wire.WholeLimit + 2<<20},
		{"comments", ":" + strings.Repeat("a", 1<<20) + "\n", wire.StreamLimit + 2<<20},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := &endless{block: test.block}
			client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				header := http.Header{"Content-Type": {"text/event-stream"}}
				return &http.Response{StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(body), Request: r}, nil
			})}
			a, err := call("http://provider", client).Send(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			out := wire.NewEmitter(func(elumenta.Event) error { return nil })
			err = a.Events(out, func(_, data []byte) (bool, error) {
				return false, out.Text(elumenta.EventText, string(data))
			})
			if kindOf(err) != elumenta.KindMalformed || body.read > test.most {
				t.Errorf("error = %v after %d bytes", err, body.read)
			}
		})
	}
}

// endless is a body that repeats a block, until it is long past every limit.
type endless struct {
	block    string
	at, read int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.read > 2*wire.StreamLimit {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, e.block[e.at:])
	e.at, e.read = (e.at+n)%len(e.block), e.read+n
	return n, nil
}

// TestConnectionIsUsedAgain reads streams up to the provider's last word, with the body's end behind it in a write of its
// own. A slow machine may miss it now and then.
func TestConnectionIsUsedAgain(t *testing.T) {
	var connections atomic.Int32
	seen := make(chan struct{}, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "data: a\n\ndata: [DONE]\n\n")
		_ = http.NewResponseController(w).Flush()
		<-seen
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	for range 20 {
		a, err := call(server.URL, server.Client()).Send(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out := wire.NewEmitter(func(elumenta.Event) error { return nil })
		err = a.Events(out, func(_, data []byte) (bool, error) {
			if string(data) != "[DONE]" {
				return false, nil
			}
			seen <- struct{}{}
			return true, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		a.Close()
	}
	if n := connections.Load(); n >= 20 {
		t.Errorf("%d connections for 20 calls", n)
	}
}

// TestFinishedStreamThatStaysOpen must not wait for the server to close.
func TestFinishedStreamThatStaysOpen(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "data: [DONE]\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	a, err := call(server.URL, server.Client()).Send(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := wire.NewEmitter(func(elumenta.Event) error { return nil })
	if err := a.Events(out, func([]byte, []byte) (bool, error) { return true, nil }); err != nil {
		t.Fatal(err)
	}
	a.Close()
}

func TestEmitter(t *testing.T) {
	var got []elumenta.EventKind
	stop := errors.New("stop")
	var fail error
	out := wire.NewEmitter(func(e elumenta.Event) error {
		got = append(got, e.Kind)
		return fail
	})
	for _, err := range []error{
		out.Pause(), out.Text(elumenta.EventText, ""), out.Pause(),
		out.Text(elumenta.EventText, "a"), out.Pause(), out.Pause(), out.Emit(elumenta.Event{Kind: elumenta.EventPause}),
		out.Emit(elumenta.Event{Kind: elumenta.EventToolInput}), out.Pause(),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if len(got) != 2 || got[0] != elumenta.EventText || got[1] != elumenta.EventPause {
		t.Errorf("events = %v", got)
	}
	fail = stop
	if err := out.Text(elumenta.EventText, "b"); !errors.Is(err, stop) || !errors.Is(out.Err(), stop) {
		t.Errorf("error = %v", err)
	}
	if err := out.Pause(); !errors.Is(err, stop) || len(got) != 3 {
		t.Errorf("after an error: %v, %d events", err, len(got))
	}
}

// TestPauseBeforeWaiting: what came is followed by a pause before the stream waits for more, wherever the provider's bytes stop.
func TestPauseBeforeWaiting(t *testing.T) {
	paused := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		for _, part := range []string{
			"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n9\r\ndata: b\n\n\r\n",
			"9\r\ndata: c\n\n\r\n1", "2\r\ndata: d\n\ndata: e\n\n\r\n5\r\ndata:\r\n", "4\r\n f\n\n\r\n0\r\n\r\n",
		} {
			_, _ = io.WriteString(conn, part)
			select {
			case <-paused:
			case <-t.Context().Done():
			}
		}
	}))
	t.Cleanup(server.Close)
	transport := http1.New(&http.Transport{})
	defer transport.CloseIdleConnections()
	a, err := call(server.URL, &http.Client{Transport: transport}).Send(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	var got strings.Builder
	out := wire.NewEmitter(func(e elumenta.Event) error {
		if e.Kind == elumenta.EventPause {
			got.WriteByte('|')
			paused <- struct{}{}
			return nil
		}
		got.WriteString(string(e.Text))
		return nil
	})
	err = a.Events(out, func(_, data []byte) (bool, error) {
		return string(data) == "f", out.Text(elumenta.EventText, string(data))
	})
	paused <- struct{}{}
	if err != nil || got.String() != "ab|c|de|f" {
		t.Errorf("%q, %v", got.String(), err)
	}
}
