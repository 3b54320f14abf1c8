package faultmatrix

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/anthropic"
	"github.com/elumenta/elumenta/provider/gemini"
	"github.com/elumenta/elumenta/provider/openai"
)

// format is a wire format with a good answer in it, and its parts for bad ones.
type format struct {
	name     string
	provider elumenta.Provider
	whole    string
	piece    string // the stream up to the first piece
	final    string // the rest of it
	failure  string // an error event
	unknown  string // an event that nobody knows
	wrong    string // an event with wrong types
	usage    string // what counts the tokens, in whole and final, to be spoilt
}

func event(name, data string) string {
	if name == "" {
		return "data: " + data + "\n\n"
	}
	return "event: " + name + "\ndata: " + data + "\n\n"
}

func chatChunk(delta, finish string) string {
	return event("", `{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":`+delta+`,"finish_reason":`+finish+`}]}`)
}

const (
	responsesUsage   = `"usage":{"input_tokens":3,"output_tokens":2,"total_tokens":5,"input_tokens_details":{"cached_tokens":0},"output_tokens_details":{"reasoning_tokens":0}}`
	responsesMessage = `{"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hello","annotations":[]}]}`
	responsesWhole   = `{"id":"resp_1","object":"response","created_at":1,"status":"completed","model":"m","output":[` + responsesMessage + `],` + responsesUsage + `}`
	chatUsage        = `"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}`
	geminiUsage      = `"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"totalTokenCount":5}`
	anthropicUsage   = `"usage":{"input_tokens":3,"output_tokens":2}`
)

func formats() []format {
	return []format{
		{
			name: "anthropic", provider: anthropic.Provider{}, usage: anthropicUsage,
			whole: `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn","stop_sequence":null,` + anthropicUsage + `}`,
			piece: event("message_start", `{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}}`) +
				event("content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`) +
				event("content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}`),
			final: event("content_block_stop", `{"type":"content_block_stop","index":0}`) +
				event("message_delta", `{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},`+anthropicUsage+`}`) +
				event("message_stop", `{"type":"message_stop"}`),
			failure: event("error", `{"type":"error","error":{"type":"api_error","message":"CANARY"}}`),
			unknown: event("moon_phase", `{"type":"moon_phase","moon":1}`),
			wrong:   event("content_block_delta", `{"type":"content_block_delta","index":"x","delta":7}`),
		},
		{
			name: "responses", provider: openai.Responses{}, usage: responsesUsage, whole: responsesWhole,
			piece: event("response.created", `{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1,"status":"in_progress","model":"m","output":[]}}`) +
				event("response.output_item.added", `{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"type":"message","id":"msg_1","status":"in_progress","role":"assistant","content":[]}}`) +
				event("response.output_text.delta", `{"type":"response.output_text.delta","sequence_number":2,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"Hello"}`),
			final: event("response.output_item.done", `{"type":"response.output_item.done","sequence_number":3,"output_index":0,"item":`+responsesMessage+`}`) +
				event("response.completed", `{"type":"response.completed","sequence_number":4,"response":`+responsesWhole+`}`),
			failure: event("error", `{"type":"error","code":"server_error","message":"CANARY","sequence_number":3}`),
			unknown: event("response.moon", `{"type":"response.moon","sequence_number":3}`),
			wrong:   event("response.output_text.delta", `{"type":"response.output_text.delta","output_index":"x","delta":7}`),
		},
		{
			name: "chat", provider: openai.Chat{}, usage: chatUsage,
			whole:   `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],` + chatUsage + `}`,
			piece:   chatChunk(`{"role":"assistant","content":""}`, "null") + chatChunk(`{"content":"Hello"}`, "null"),
			final:   chatChunk(`{}`, `"stop"`) + event("", `{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],`+chatUsage+`}`) + event("", "[DONE]"),
			failure: event("", `{"error":{"message":"CANARY","type":"server_error","code":null}}`),
			unknown: ": a comment\n\n" + event("moon", `{"id":"c","object":"moon","choices":[]}`),
			wrong:   event("", `{"id":"c","choices":[{"index":"x","delta":7}]}`),
		},
		{
			name: "gemini", provider: gemini.Provider{}, usage: geminiUsage,
			whole:   `{"candidates":[{"content":{"role":"model","parts":[{"text":"Hello"}]},"finishReason":"STOP","index":0}],` + geminiUsage + `,"modelVersion":"m","responseId":"r"}`,
			piece:   event("", `{"candidates":[{"content":{"role":"model","parts":[{"text":"Hello"}]},"index":0}],"modelVersion":"m"}`),
			final:   event("", `{"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP","index":0}],`+geminiUsage+`,"modelVersion":"m"}`),
			failure: event("", `{"error":{"code":500,"message":"CANARY","status":"INTERNAL"}}`),
			unknown: event("moon", `{"moon":1}`),
			wrong:   event("", `{"candidates":[{"content":{"parts":7}}]}`),
		},
	}
}

// fault is one way to fail.
type fault struct {
	name   string
	stream bool // needs a stream
	final  bool // no other route is asked
	// base is where the host is, for what fails before it is reached; answer writes what comes over the connection, or nothing, and ends
	// when that may be closed.
	base   func(h *hosts) string
	answer func(c *connection, f *format)
}

// hosts are the addresses of the fake provider.
type hosts struct{ plain, secure string }

// connection is a hijacked one of the fake provider.
type connection struct {
	net.Conn
	stream bool
	seen   <-chan struct{} // closed once the client has the beginning of its answer
}

func (c *connection) write(s string) { _, _ = io.WriteString(c.Conn, s) }

func (c *connection) head(status int, kind, more string) {
	c.write(fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: %s\r\n%sConnection: close\r\n\r\n", status, http.StatusText(status), kind, more))
}

func (c *connection) begin() {
	c.head(200, map[bool]string{true: "text/event-stream", false: "application/json"}[c.stream], "")
}

func (c *connection) reset() {
	if t, ok := c.Conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
}

// gone waits until the other side hangs up.
func (c *connection) gone() { _, _ = c.Read(make([]byte, 1)) }

// good answers well.
func good(c *connection, f *format) {
	c.begin()
	if c.stream {
		c.write(f.piece + f.final)
	} else {
		c.write(f.whole)
	}
}

// upstream serves all cases: the path begins with the number of one, and of the route.
type upstream struct {
	formats []format
	faults  []fault
	cases   []played
}

// played is a case at the fake provider.
type played struct {
	place
	calls [2]atomic.Int64
	seen  chan struct{} // closed once the client has the beginning of its answer
}

func (u *upstream) prepare(places []place) {
	u.cases = make([]played, len(places))
	for i, p := range places {
		u.cases[i].place, u.cases[i].seen = p, make(chan struct{})
	}
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var number, route int
	if _, err := fmt.Sscanf(r.URL.Path, "/%d/%d/", &number, &route); err != nil {
		http.Error(w, "no case", http.StatusTeapot)
		return
	}
	p := &u.cases[number]
	p.calls[route].Add(1)
	body, _ := io.ReadAll(r.Body)
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	c := &connection{conn, bytes.Contains(body, []byte(`"stream":true`)) || strings.Contains(r.URL.Path, "streamGenerateContent"), p.seen}
	if route == 1 {
		good(c, &u.formats[p.format])
		return
	}
	u.faults[p.fault].answer(c, &u.formats[p.format])
}

func discard() *log.Logger { return log.New(io.Discard, "", 0) }
