package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMessageReader(t *testing.T) {
	for name, c := range map[string]struct {
		in, start, body string
		err             error
	}{
		"length":         {"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "HTTP/1.1 200 OK", "hello", nil},
		"no body":        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1", "", nil},
		"chunked":        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "HTTP/1.1 200 OK", "hello!", nil},
		"clean end":      {"", "", "", io.EOF},
		"cut in head":    {"HTTP/1.1 200 OK\r\n", "", "", io.ErrUnexpectedEOF},
		"cut in body":    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", "", "", io.ErrUnexpectedEOF},
		"cut in chunks":  {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "", "", io.ErrUnexpectedEOF},
		"chunk of junk":  {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "", "", errChunk},
		"chunk too long": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nhello\r\n", "", "", errChunk},
	} {
		t.Run(name, func(t *testing.T) {
			start, body, err := newMessageReader(strings.NewReader(c.in), 1<<10).next()
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if err == nil && (start != c.start || string(body) != c.body) {
				t.Fatalf("%q %q, want %q %q", start, body, c.start, c.body)
			}
		})
	}
}

// The yardstick does what is claimed of it: answers and streams of 20 pieces pass through, and the load counts them.
func TestLoadThroughProxy(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, err := startProvider(ctx)
	if err != nil {
		t.Fatal(err)
	}
	addr, err := freeAddr(ctx)
	if err != nil {
		t.Fatal(err)
	}
	proxied := make(chan error, 1)
	go func() { proxied <- serveProxy(ctx, addr, p.addr()) }()
	defer func() {
		cancel()
		if err := <-proxied; err != nil {
			t.Error(err)
		}
		p.close()
	}()

	for _, stream := range []bool{false, true} {
		req := request("POST", "/v1/chat/completions", "key", fmt.Appendf(nil, `{"model":"bench","stream":%t}`, stream))
		if err := (&process{addr: addr}).answered(ctx, req); err != nil {
			t.Fatal(err)
		}
		answer, err := once(ctx, addr, req)
		if err != nil {
			t.Fatal(err)
		}
		// The first piece is empty and the last has no content.
		if n := strings.Count(string(answer), `"content":"`); stream && n != streamPieces+1 || !stream && n != 1 {
			t.Errorf("stream %t: %d pieces in %s", stream, n, answer)
		}
		j := job{addr: addr, requests: [][]byte{req}, want: []byte(`"total_tokens":1075`), conns: 4, duration: time.Second}
		got, err := j.run(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got.P50 <= 0 || got.P99 < got.P50 {
			t.Errorf("stream %t: measured %+v", stream, got)
		}
	}
}

// Each thing that a soak may leave behind is told.
func TestSoakCheck(t *testing.T) {
	flat := make([]int64, 60)
	for i := range flat {
		flat[i] = 100 << 20
	}
	good := soakFigures{Calls: 10_000, Answered: 9_500, HungUp: 500, Faults: 10, Resident: flat, Before: processState{20, 30, 1}, After: processState{22, 28, 1}}
	if err := good.check(); err != nil {
		t.Errorf("a healthy server: %v", err)
	}
	for want, spoil := range map[string]func(*soakFigures){
		"memory grows": func(f *soakFigures) {
			f.Resident = append(make([]int64, 0, 60), flat[:40]...)
			f.Resident = append(f.Resident, make([]int64, 20)...)
			for i := 40; i < 60; i++ {
				f.Resident[i] = 200 << 20
			}
		},
		"goroutines are left": func(f *soakFigures) { f.After.Goroutines = 40 },
		"files are left":      func(f *soakFigures) { f.After.Files = 40 },
		"reservations":        func(f *soakFigures) { f.OpenAtEnd = 1 },
		"calls failed":        func(f *soakFigures) { f.Failed = 12 },
		"no faults":           func(f *soakFigures) { f.Faults = 0 },
		"were answered":       func(f *soakFigures) { f.Answered = 8_000 },
	} {
		f := good
		spoil(&f)
		if err := f.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
