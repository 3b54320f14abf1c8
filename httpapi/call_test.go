package httpapi

import (
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener that has accepted one connection, without any buffer.
type pipes struct{ accept chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p.accept; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error   { close(p.accept); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A client that does not read holds nothing for long, whatever it asked for, and one that reads slowly gets all.
func TestWriteLimit(t *testing.T) {
	a := benchAPI(t, 0)
	const large = 8 * mostAtOnce
	a.handle("GET /large", func(c *call, _ *http.Request) { _, _ = c.Write(make([]byte, large)) })
	for _, test := range []struct {
		name, path string
		pause      time.Duration // before each 64 KiB that is read
		most       time.Duration
		complete   bool
	}{
		{"a small answer that is not read", "/api/v2/openapi.json", 2 * time.Minute, time.Minute, false},
		{"a large one that is read slowly", "/large", 5 * time.Second, 10 * time.Minute, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, closed := pipes{make(chan net.Conn, 1)}, make(chan time.Time, 1)
				server := &http.Server{Handler: a, ReadHeaderTimeout: time.Second, ConnState: func(_ net.Conn, s http.ConnState) {
					if s == http.StateClosed {
						closed <- time.Now()
					}
				}}
				go func() { _ = server.Serve(l) }()
				defer func() { _ = server.Close() }()
				conn, theirs := net.Pipe()
				l.accept <- theirs
				began := time.Now()
				_, _ = io.WriteString(conn, "GET "+test.path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
				read := 0
				for b := make([]byte, 64<<10); ; {
					time.Sleep(test.pause)
					n, err := io.ReadFull(conn, b)
					if read += n; err != nil {
						break
					}
				}
				if took := (<-closed).Sub(began); took > test.most || (read > large) != test.complete {
					t.Errorf("closed after %v, %d bytes read", took, read)
				}
			})
		})
	}
}
