//go:build unix

package http1_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/elumenta/elumenta/provider/http1"
)

// sent makes a call and returns what its server got, in full if the request could be read.
func sent(t *testing.T, req *http.Request, wrap func(*http.Transport) http.RoundTripper) (got string, failed bool) {
	t.Helper()
	var all bytes.Buffer
	base := &http.Transport{DisableCompression: true}
	served := make(chan struct{})
	dialled := false
	base.DialContext = func(context.Context, string, string) (net.Conn, error) {
		dialled = true
		client, server := net.Pipe()
		go func() {
			defer close(served)
			defer func() { _ = server.Close() }()
			read, err := http.ReadRequest(bufio.NewReader(io.TeeReader(server, &all)))
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, read.Body); err != nil {
				return
			}
			_, _ = io.WriteString(server, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
		}()
		return client, nil
	}
	_, err := get(wrap(base), req)
	base.CloseIdleConnections()
	if dialled {
		<-served
	}
	return all.String(), err != nil
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

const netHTTPBuffer = 4 << 10 // http.Transport.WriteBufferSize

// FuzzRequest compares what is sent, and whether it is, with net/http's transport.
func FuzzRequest(f *testing.F) {
	f.Add("POST", "/v1/chat?a=b", "", "X-A", " text\t", "{}", 2, false)
	f.Add("", "", "other.test:81", "User-Agent", "mine", "", 0, true)
	f.Add("GET", "/?a\tb", "", "", "", "", 0, false)
	f.Add("GET", "/a b?c d", "", "User-Agent", "", "", 0, false)
	f.Add("PUT", "/%zz", "host~", "Content-Length", "7", "", 0, false)
	f.Add("DELETE", "*", "[::1%25eth0]", "Host", "x", "text", 4, false)
	f.Add("post", "//a//", "", "accept", "a\x7f", "text", 4, false)
	f.Add("POST", "/", "höst", "X-A", "a\r\nb: c", "text", 4, false)
	f.Add("POST", "/", "a\r\nb", "X\r\nA", "b", "text", 9, false)
	f.Add("POST", "/", "", "Trailer", "X-B", "text", 3, false)
	f.Add("POST", "/", "", "Transfer-Encoding", "chunked", "text", 4, false)
	f.Add("PATCH", "/é", "", "Connection", "close", "text", -1, true)
	f.Add("POST", "/"+strings.Repeat("é", 800)+"?a=b", "", "X-A", "", "text", 9, false) // more than net/http's buffer
	f.Add("POST", "/"+strings.Repeat("é", 800)+"?a=b", "I\xfd", "X-A", "", "text", 9, false)
	f.Add("POST", "/"+strings.Repeat("é", 650), "", "X-A", "", strings.Repeat("text", 150), 900, false)
	f.Fuzz(func(t *testing.T, method, path, host, name, value, body string, length int, closing bool) {
		if len(method)+len(path)+len(host)+len(name)+len(value)+len(body) > 2000 {
			t.Skip("both sides of a pipe would wait")
		}
		path, query, _ := strings.Cut(path, "?")
		request := func() *http.Request {
			req := (&http.Request{
				Method: method, URL: &url.URL{Scheme: "http", Host: "model.test", Path: path, RawQuery: query}, Host: host, Close: closing,
				Header: http.Header{name: {value, "b"}, "Authorization": {"Bearer key"}}, ContentLength: int64(length),
			}).WithContext(t.Context())
			if body != "" {
				req.Body = io.NopCloser(strings.NewReader(body))
			}
			return req
		}
		want, wantFailed := sent(t, request(), func(base *http.Transport) http.RoundTripper { return base })
		got, failed := sent(t, request(), func(base *http.Transport) http.RoundTripper { return http1.New(base) })
		// Of a call that fails, net/http has sent what its buffer could not hold, and a server that gives up has read as much as came at once.
		alike := got == want || failed && want != "" && (got != "" || len(want) >= netHTTPBuffer) && (strings.HasPrefix(want, got) || strings.HasPrefix(got, want))
		if failed != wantFailed || !alike {
			t.Errorf("sent %q, failed %t; net/http sent %q, failed %t", got, failed, want, wantFailed)
		}
		if length != len(body) {
			return
		}
		shared := request().WithContext(context.Background())
		shared.Body, shared.ContentLength = http.NoBody, 0
		taken := false
		got, failed = sent(t, shared, func(base *http.Transport) http.RoundTripper {
			return roundTrip(func(req *http.Request) (resp *http.Response, err error) {
				tr := http1.New(base)
				resp, taken, err = tr.Send(t.Context(), req, []byte(body))
				if !taken && (resp != nil || err != nil) {
					t.Errorf("a call that was not taken came to %v, %v", resp, err)
				}
				if err == nil && !taken {
					err = errEnough
				}
				return resp, err
			})
		})
		if taken && (failed != wantFailed || !failed && got != want) || !taken && got != "" {
			t.Errorf("with a body beside it, sent %q, failed %t; net/http sent %q, failed %t", got, failed, want, wantFailed)
		}
	})
}
