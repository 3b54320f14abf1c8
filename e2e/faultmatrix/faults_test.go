package faultmatrix

import (
	"fmt"
	"strings"
	"time"
)

func status(code int, retryAfter string) fault {
	name := fmt.Sprint(code)
	more := ""
	if retryAfter != "" {
		name += " with Retry-After"
		more = "Retry-After: " + retryAfter + "\r\n"
	}
	return fault{name: name, answer: func(c *connection, _ *format) {
		c.head(code, "application/json", more)
		c.write(`{"error":{"message":"CANARY","type":"an_error","code":null}}`)
	}}
}

func midStream(name string, f func(c *connection, f *format)) fault {
	return fault{name: name, stream: true, answer: func(c *connection, form *format) {
		c.begin()
		c.write(form.piece)
		f(c, form)
	}}
}

// before are faults before the first piece of output.
func before() []fault {
	all := []fault{
		{name: "refused connection", base: func(string) string { return "http://127.0.0.1:1" }},
		{name: "TLS failure", base: func(server string) string { return strings.Replace(server, "http:", "https:", 1) }},
		{name: "connection reset", answer: func(c *connection, _ *format) { c.reset() }},
		{name: "connection closed without an answer", answer: func(*connection, *format) {}},
		{name: "no answer", answer: func(c *connection, _ *format) { c.gone() }},
		{name: "no body", answer: func(c *connection, _ *format) { c.begin(); c.gone() }},
	}
	for _, code := range []int{400, 401, 402, 403, 404, 408, 413, 422} {
		all = append(all, status(code, ""))
	}
	all = append(all, status(429, ""), status(429, "7"), status(500, ""), status(502, ""), status(503, ""), status(503, "7"), status(529, ""), status(529, "7"))
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
		fault{name: "gigantic line", answer: func(c *connection, _ *format) {
			c.begin()
			c.write(`data: {"x":"`)
			for range 40 {
				c.write(strings.Repeat("x", 1<<20))
			}
			c.write("\"}\n\n")
		}},
	)
}

// middle are faults after the first piece, which has reached the client, and what is none.
func middle() []fault {
	return []fault{
		midStream("connection reset", func(c *connection, _ *format) { <-c.seen; c.reset() }),
		midStream("end without a final event", func(*connection, *format) {}),
		midStream("stall", func(c *connection, _ *format) { c.gone() }),
		midStream("bytes that trickle and make no event", func(c *connection, _ *format) {
			for range 1000 {
				if _, err := c.Write([]byte(":")); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		}),
		midStream("endless", func(c *connection, f *format) {
			again := f.piece[strings.LastIndex(strings.TrimSuffix(f.piece, "\n\n"), "\n\n")+2:]
			for {
				if _, err := c.Write([]byte(again)); err != nil {
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
		}),
		midStream("error event", func(c *connection, f *format) { c.write(f.failure) }),
		midStream("truncated JSON", func(c *connection, f *format) { c.write(f.final[:strings.Index(f.final, "data:")+20]) }),
		midStream("wrong types", func(c *connection, f *format) { c.write(f.wrong + f.final) }),
		midStream("HTML", func(c *connection, _ *format) { c.write("data: <html>CANARY</html>\n\n") }),
		midStream("gigantic line", func(c *connection, _ *format) {
			c.write(`data: {"x":"`)
			for range 40 {
				if _, err := c.Write([]byte(strings.Repeat("x", 1<<20))); err != nil {
					return
				}
			}
		}),
		midStream("two final events", func(c *connection, f *format) { c.write(f.final + f.final) }),
		midStream("unknown events", func(c *connection, f *format) { c.write(f.unknown + f.final) }),
		midStream("wrong usage", func(c *connection, f *format) {
			c.write(strings.ReplaceAll(f.final, f.usage, f.usage[:strings.Index(f.usage, ":")]+`:"many"`))
		}),
		midStream("slow, within the limits", func(c *connection, f *format) { time.Sleep(100 * time.Millisecond); c.write(f.final) }),
	}
}
