package faultmatrix

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

func status(code int, retryAfter string) fault {
	name := fmt.Sprint(code)
	more := ""
	if retryAfter != "" {
		name += ", Retry-After: " + retryAfter
		more = "Retry-After: " + retryAfter + "\r\n"
	}
	return fault{name: name, final: code == 400 || code == 413 || code == 422, answer: func(c *connection, _ *format) {
		c.head(code, "application/json", more)
		c.write(`{"error":{"message":"CANARY","type":"an_error","code":null}}`)
	}}
}

// trickle sends something again and again until the other side hangs up.
func (c *connection) trickle(s string, pause time.Duration) {
	for {
		if _, err := c.Write([]byte(s)); err != nil {
			return
		}
		time.Sleep(pause)
	}
}

// gigantic begins a line that is far longer than any event may be.
func (c *connection) gigantic() {
	c.write(`data: {"x":"`)
	for range 40 {
		if _, err := c.Write([]byte(strings.Repeat("x", 1<<20))); err != nil {
			return
		}
	}
	c.write("\"}\n\n")
}

// before are faults before the first piece of output.
func before() []fault {
	all := []fault{
		{name: "refused connection", base: func(*hosts) string { return "http://127.0.0.1:1" }},
		{name: "no TLS where it is expected", base: func(h *hosts) string { return strings.Replace(h.plain, "http:", "https:", 1) }},
		{name: "a certificate of nobody's", base: func(h *hosts) string { return h.secure }},
		{name: "connection reset", answer: func(c *connection, _ *format) { c.reset() }},
		{name: "connection closed without an answer", answer: func(*connection, *format) {}},
		{name: "no answer", answer: func(c *connection, _ *format) { c.gone() }},
		{name: "no body", answer: func(c *connection, _ *format) { c.begin(); c.gone() }},
		{name: "a head that trickles", answer: func(c *connection, _ *format) { c.write("HTTP/1.1 200 OK\r\nX: "); c.trickle("x", 10*time.Millisecond) }},
		{name: "bytes that trickle and make no event", answer: func(c *connection, _ *format) { c.begin(); c.trickle(" ", 10*time.Millisecond) }},
		{name: "endless unknown events", stream: true, answer: func(c *connection, f *format) { c.begin(); c.trickle(f.unknown, 5*time.Millisecond) }},
	}
	for _, code := range []int{400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 529} {
		all = append(all, status(code, ""))
	}
	for _, code := range []int{422, 429, 500, 502, 503, 529} {
		all = append(all, status(code, "7"))
	}
	return append(all,
		fault{name: "redirect", answer: func(c *connection, _ *format) { c.head(302, "text/html", "Location: http://127.0.0.1:1/\r\n") }},
		fault{name: "HTML instead of JSON", answer: func(c *connection, _ *format) { c.head(200, "text/html", ""); c.write("<html>CANARY</html>") }},
		fault{name: "empty body", answer: func(c *connection, _ *format) { c.begin() }},
		fault{name: "truncated JSON", answer: func(c *connection, f *format) {
			c.begin()
			if c.stream {
				c.write(f.piece[:strings.Index(f.piece, "data:")+20])
			} else {
				c.write(f.whole[:len(f.whole)/2])
			}
		}},
		fault{name: "wrong types", answer: func(c *connection, f *format) {
			c.begin()
			if c.stream {
				c.write(f.wrong + f.final)
			} else {
				c.write(`{"id":7,"content":7,"choices":7,"output":7,"candidates":7,"usage":"x"}`)
			}
		}},
		fault{name: "error event first", stream: true, answer: func(c *connection, f *format) { c.begin(); c.write(f.failure) }},
		fault{name: "gigantic line", answer: func(c *connection, _ *format) { c.begin(); c.gigantic() }},
	)
}

func midStream(name string, f func(c *connection, f *format)) fault {
	return fault{name: name, stream: true, final: true, answer: func(c *connection, form *format) {
		c.begin()
		c.write(form.piece)
		f(c, form)
	}}
}

// middle are faults after the first piece, which has reached the client.
func middle() []fault {
	return []fault{
		midStream("connection reset", func(c *connection, _ *format) { <-c.seen; c.reset() }),
		midStream("end without a final event", func(*connection, *format) {}),
		midStream("stall", func(c *connection, _ *format) { c.gone() }),
		midStream("bytes that trickle and make no event", func(c *connection, _ *format) { c.trickle(":", 10*time.Millisecond) }),
		midStream("endless", func(c *connection, f *format) {
			c.trickle(f.piece[strings.LastIndex(strings.TrimSuffix(f.piece, "\n\n"), "\n\n")+2:], 5*time.Millisecond)
		}),
		midStream("error event", func(c *connection, f *format) { c.write(f.failure) }),
		midStream("truncated JSON", func(c *connection, f *format) { c.write(f.final[:strings.Index(f.final, "data:")+20]) }),
		midStream("wrong types", func(c *connection, f *format) { c.write(f.wrong + f.final) }),
		midStream("HTML", func(c *connection, _ *format) { c.write("data: <html>CANARY</html>\n\n") }),
		midStream("gigantic line", func(c *connection, _ *format) { c.gigantic() }),
	}
}

var usageNumber = regexp.MustCompile(`:[0-9]+`)

// spoilt is a complete answer with its usage changed.
func spoilt(name string, change func(usage string) string) fault {
	return fault{name: name, answer: func(c *connection, f *format) {
		c.begin()
		text := f.whole
		if c.stream {
			text = f.piece + f.final
		}
		c.write(strings.ReplaceAll(text, ","+f.usage, change(f.usage)))
	}}
}

// complete are oddities of answers that are complete.
func complete() []fault {
	numbers := func(n string) func(string) string {
		return func(usage string) string { return "," + usageNumber.ReplaceAllString(usage, ":"+n) }
	}
	return []fault{
		midStream("two final events", func(c *connection, f *format) { c.write(f.final + f.final) }),
		midStream("unknown events", func(c *connection, f *format) { c.write(f.unknown + f.final) }),
		midStream("slow, within the limits", func(c *connection, f *format) { time.Sleep(100 * time.Millisecond); c.write(f.final) }),
		spoilt("no usage", func(string) string { return "" }),
		spoilt("usage of a wrong type", func(usage string) string { return "," + usage[:strings.Index(usage, ":")] + `:"many"` }),
		spoilt("negative usage", numbers("-5")),
		spoilt("usage beyond all bounds", numbers("99999999999999999999999")),
	}
}
