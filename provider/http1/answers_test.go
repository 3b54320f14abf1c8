package http1_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/elumenta/elumenta/provider/http1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answered is all that a caller sees of a call.
type answered struct {
	status  int
	proto   string
	length  int64
	header  http.Header
	trailer http.Header
	body    string
	failed  string // the class of the error, with head or body before it
}

// class is how package wire tells errors apart.
func class(err error) string {
	var timeout net.Error
	switch {
	case err == nil:
		return ""
	case strings.Contains(err.Error(), "malformed"):
		return "malformed"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "unexpected end"
	case errors.Is(err, io.EOF):
		return "end"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	}
	return "other"
}

// played makes one call whose server reads the request and answers with these bytes, in two writes, and then closes.
func played(t *testing.T, method string, first, second []byte, wrap func(*http.Transport) http.RoundTripper) answered {
	t.Helper()
	base := &http.Transport{DisableCompression: true, MaxResponseHeaderBytes: 64 << 10, ReadBufferSize: 1 << 10}
	done := make(chan struct{})
	base.DialContext = func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer close(done)
			defer func() { _ = server.Close() }()
			_, _ = http.ReadRequest(bufio.NewReader(server))
			_, _ = server.Write(first)
			_, _ = server.Write(second)
		}()
		return client, nil
	}
	transport := wrap(base)
	defer base.CloseIdleConnections()
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader("{}")
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://model.test/v1", body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		<-done
		return answered{failed: "head: " + class(err)}
	}
	data, err := io.ReadAll(resp.Body)
	a := answered{resp.StatusCode, resp.Proto, resp.ContentLength, resp.Header, resp.Trailer, string(data), ""}
	if err != nil {
		a.failed = "body: " + class(err)
	}
	if n, again := resp.Body.Read(make([]byte, 1)); n != 0 || again == nil {
		t.Errorf("a read after the end: %d, %v", n, again)
	}
	resp.Body.Close()
	<-done
	return a
}

func standard(base *http.Transport) http.RoundTripper { return base }
func lighter(base *http.Transport) http.RoundTripper  { return http1.New(base) }

func compare(t *testing.T, method string, first, second []byte) answered {
	t.Helper()
	want, got := played(t, method, first, second, standard), played(t, method, first, second, lighter)
	same := func(a, b http.Header) bool { return maps.EqualFunc(a, b, slices.Equal) }
	if got.status != want.status || got.proto != want.proto || got.length != want.length || got.body != want.body ||
		got.failed != want.failed || !same(got.header, want.header) || !same(got.trailer, want.trailer) {
		t.Errorf("%s %.200q %.200q:\nnet/http %+v\nhttp1    %+v", method, first, second, want, got)
	}
	return got
}

// TestAnswers plays the same bytes to net/http's transport and to this one.
func TestAnswers(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	tests := []struct{ name, method, answer, failed string }{
		{"length", "POST", ok + "Content-Length: 5\r\nX-A: b\r\nX-A: c\r\n\r\nhello", ""},
		{"chunks", "POST", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\n!!!\r\n0\r\n\r\n", ""},
		{"trailer", "POST", ok + "Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n1\r\na\r\n0\r\nX-T: v\r\n\r\n", ""},
		{"broken trailer", "POST", ok + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-T", "body: other"},
		{"long trailer", "POST", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + strings.Repeat("v", 900) + "\r\n\r\n", ""},
		{"longer trailer", "POST", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + strings.Repeat("v", 2000) + "\r\n\r\n", "body: other"},
		{"until the end", "POST", ok + "\r\nhello", ""},
		{"length zero", "POST", ok + "Content-Length: 0\r\n\r\n", ""},
		{"no content", "POST", "HTTP/1.1 204 No Content\r\n\r\n", ""},
		{"no content with some", "POST", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc", ""},
		{"not modified", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", ""},
		{"head", "HEAD", ok + "Content-Length: 7\r\n\r\n", ""},
		{"head, chunked", "HEAD", ok + "Transfer-Encoding: chunked\r\n\r\n", ""},
		{"get", "GET", ok + "Content-Length: 2\r\n\r\nab", ""},
		{"more than the length", "POST", ok + "Content-Length: 2\r\n\r\nabcdef", ""},
		{"less than the length", "POST", ok + "Content-Length: 9\r\n\r\nabc", "body: unexpected end"},
		{"nothing of the length", "POST", ok + "Content-Length: 9\r\n\r\n", "body: unexpected end"},
		{"chunk cut", "POST", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", "body: unexpected end"},
		{"no last chunk", "POST", ok + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n", "body: unexpected end"},
		{"bad chunk", "POST", ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "body: other"},
		{"chunk line without end", "POST", ok + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("0", 9000), "body: other"},
		{"1.0", "POST", "HTTP/1.0 200 OK\r\n\r\nold", ""},
		{"1.0, keep-alive", "POST", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nold", ""},
		{"close", "POST", ok + "Connection: close\r\nContent-Length: 3\r\n\r\nend", ""},
		{"100", "POST", "HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nab", ""},
		{"103 twice", "POST", strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 2) + ok + "Content-Length: 2\r\n\r\nab", ""},
		{"100 and no more", "POST", "HTTP/1.1 100 Continue\r\n\r\n", "head: unexpected end"},
		{"100 without end", "POST", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 9000) + ok + "\r\n", "head: other"},
		{"101", "POST", "HTTP/1.1 101 Switching Protocols\r\n\r\nraw", ""},
		{"500", "POST", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops", ""},
		{"no reason", "POST", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na", ""},
		{"nothing", "POST", "", "head: end"},
		{"a byte", "POST", "H", "head: malformed"},
		{"no HTTP", "POST", "hello\r\n\r\n", "head: malformed"},
		{"bad status", "POST", "HTTP/1.1 20 OK\r\n\r\n", "head: malformed"},
		{"bad version", "POST", "HTTP/x 200 OK\r\n\r\n", "head: malformed"},
		{"bad header", "POST", ok + "what\r\n\r\n", "head: malformed"},
		{"half a head", "POST", ok + "Content-Len", "head: malformed"},
		{"head without end", "POST", ok + "X: y\r\n", "head: unexpected end"},
		{"bad length", "POST", ok + "Content-Length: -1\r\n\r\n", "head: other"},
		{"two lengths", "POST", ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "head: other"},
		{"length and chunks", "POST", ok + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", ""},
		{"unknown coding", "POST", ok + "Transfer-Encoding: gzip\r\n\r\n", "head: other"},
		{"long line", "POST", ok + "X-A: " + strings.Repeat("a", 20_000) + "\r\nContent-Length: 1\r\n\r\na", ""},
		{"large head", "POST", ok + strings.Repeat("X-A: "+strings.Repeat("a", 1000)+"\r\n", 100) + "\r\n", "head: other"},
		{"large body", "POST", ok + "Content-Length: 300000\r\n\r\n" + strings.Repeat("b", 300_000), ""},
		{"large chunk", "POST", ok + "Transfer-Encoding: chunked\r\n\r\n30000\r\n" + strings.Repeat("c", 0x30000) + "\r\n0\r\n\r\n", ""},
		{"compressed", "POST", ok + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := compare(t, tt.method, []byte(tt.answer), nil); got.failed != tt.failed {
				t.Errorf("failed = %q, want %q", got.failed, tt.failed)
			}
			compare(t, tt.method, []byte(tt.answer[:len(tt.answer)/2]), []byte(tt.answer[len(tt.answer)/2:]))
		})
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), 20, uint8(0))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n"), 70, uint8(0))
	f.Add([]byte("HTTP/1.1 103 Early\r\n\r\nHTTP/1.0 200 OK\r\n\r\nhello"), 3, uint8(1))
	f.Add([]byte("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello"), 9, uint8(2))
	f.Fuzz(func(t *testing.T, answer []byte, cut int, method uint8) {
		if strings.Contains(string(answer), " 101") {
			t.Skip("net/http hands a connection over that switches protocols; this transport asks for none")
		}
		cut = min(max(cut, 0), len(answer))
		methods := [...]string{http.MethodPost, http.MethodGet, http.MethodHead}
		compare(t, methods[int(method)%len(methods)], answer[:cut], answer[cut:])
	})
}

// TestTimeout: what a connection's own time limit ends is a timeout, as with net/http.
func TestTimeout(t *testing.T) {
	for _, wrap := range []func(*http.Transport) http.RoundTripper{standard, lighter} {
		base := &http.Transport{}
		client, server := net.Pipe()
		base.DialContext = func(context.Context, string, string) (net.Conn, error) {
			return client, client.SetReadDeadline(time.Unix(1, 0))
		}
		go func() { _, _ = io.Copy(io.Discard, server) }()
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://model.test/", http.NoBody)
		_, err := wrap(base).RoundTrip(req)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("error = %v", err)
		}
		_ = server.Close()
	}
}
