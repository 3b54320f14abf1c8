package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// maxBody bounds what one message may bring: far more than any message of the benchmark.
const maxBody = 4 << 20

var errChunk = errors.New("broken chunk")

// messageReader reads HTTP/1.1 messages of a connection that is kept alive. It knows Content-Length and chunked bodies and
// nothing else, so that the load side costs a fraction of the server that it measures.
type messageReader struct {
	br   *bufio.Reader
	body []byte
}

func newMessageReader(r io.Reader, size int) *messageReader {
	return &messageReader{br: bufio.NewReaderSize(r, size)}
}

// framing says how a message's body is delimited.
type framing struct {
	length  int
	chunked bool
}

// next reads one message. Start line and body are valid until the next call. io.EOF means a clean end.
func (r *messageReader) next() (start string, body []byte, err error) {
	start, f, err := r.head()
	if err != nil {
		return "", nil, err
	}
	r.body = r.body[:0]
	if !f.chunked {
		err := r.read(f.length)
		return start, r.body, err
	}
	for {
		n, err := r.chunk()
		if n == 0 || err != nil {
			return start, r.body, err
		}
	}
}

// head reads the start line and the header fields.
func (r *messageReader) head() (string, framing, error) {
	line, err := r.br.ReadSlice('\n')
	if err != nil {
		return "", framing{}, err
	}
	start := string(bytes.TrimRight(line, "\r\n"))
	var f framing
	for {
		line, err := r.br.ReadSlice('\n')
		if err != nil {
			return "", framing{}, noEOF(err)
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return start, f, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if f.length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil || f.length < 0 || f.length > maxBody {
				return "", framing{}, fmt.Errorf("content length %q", value)
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			f.chunked = true
		}
	}
}

// chunk appends one chunk to the body and returns its size; zero is the last.
func (r *messageReader) chunk() (int, error) {
	line, err := r.br.ReadSlice('\n')
	if err != nil {
		return 0, noEOF(err)
	}
	n, err := strconv.ParseUint(string(bytes.TrimRight(line, "\r\n")), 16, 31)
	if err != nil || len(r.body)+int(n) > maxBody {
		return 0, errChunk
	}
	if err := r.read(int(n)); err != nil {
		return 0, err
	}
	if end, err := r.br.ReadSlice('\n'); err != nil || len(bytes.TrimRight(end, "\r\n")) != 0 {
		return 0, errChunk
	}
	return int(n), nil
}

func (r *messageReader) read(n int) error {
	old := len(r.body)
	r.body = append(r.body, make([]byte, n)...)
	_, err := io.ReadFull(r.br, r.body[old:])
	return noEOF(err)
}

// noEOF marks an end in the middle of a message.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// request is a whole HTTP/1.1 request with a JSON body, ready to be written again and again.
func request(method, path, key string, body []byte) []byte {
	auth := ""
	if key != "" {
		auth = "Authorization: Bearer " + key + "\r\n"
	}
	return fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: bench\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		method, path, auth, len(body), body)
}

// withHeaders is a request with more header fields.
func withHeaders(req []byte, fields ...string) []byte {
	start, rest, _ := bytes.Cut(req, []byte("\r\n"))
	return fmt.Appendf(nil, "%s\r\n%s\r\n%s", start, strings.Join(fields, "\r\n"), rest)
}

// client is one connection that is kept alive.
type client struct {
	conn   net.Conn
	reader *messageReader
}

func newClient(conn net.Conn, buffer int) *client {
	return &client{conn: conn, reader: newMessageReader(conn, buffer)}
}

// do writes a request, reads the whole answer and checks its status. The body is valid until the next call.
func (c *client) do(req []byte) ([]byte, error) {
	if _, err := c.conn.Write(req); err != nil {
		return nil, err
	}
	start, body, err := c.reader.next()
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return body, checkStatus(start, body)
}

func checkStatus(start string, body []byte) error {
	const prefix = "HTTP/1.1 "
	if len(start) < len(prefix)+3 || start[:len(prefix)] != prefix {
		return fmt.Errorf("not HTTP/1.1: %.40q", start)
	}
	if start[len(prefix)] != '2' {
		return fmt.Errorf("answered %s: %.300s", start[len(prefix):], body)
	}
	return nil
}
