package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// provider is a model host that speaks Chat Completions and does what the last message asks of it. Each of its calls has a
// number, which it reports as the prompt's tokens, from the first piece on: so every charge in the ledger names the call
// that it is for.
type provider struct {
	server   *http.Server
	listener net.Listener
	serving  sync.WaitGroup

	mu    sync.Mutex
	calls []*provided // by number, from 1
}

// provided is one call as the provider saw it. What changes is read once the load has ended.
type provided struct {
	number int64
	marker int64
	node   int
	stream bool
	does   behaviour
	edit   int // of the assistant, as its instructions say; 0 without
	start  time.Time
	end    atomic.Pointer[time.Time]
	over   chan struct{} // closed once end is known
	sent   atomic.Int64  // pieces, each counted before it is written
	// finishing is set before what ends the answer is written, finished once it was.
	finishing, finished atomic.Bool
}

// ended is when the provider had done with the call.
func (c *provided) ended() time.Time {
	if end := c.end.Load(); end != nil {
		return *end
	}
	return time.Now()
}

func startProvider(ctx context.Context) (*provider, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &provider{listener: l}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	p.serving.Go(func() { _ = p.server.Serve(l) }) // says that it was closed
	return p, nil
}

func (p *provider) close() {
	_ = p.server.Close()
	p.serving.Wait()
}

// url is the base URL that a node is given, so that the provider knows who calls.
func (p *provider) url(node int) string {
	return fmt.Sprintf("http://%s/%d/v1", p.listener.Addr(), node)
}

// all returns the calls so far.
func (p *provider) all() []*provided {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clip(p.calls)
}

// wish is what a client's message asks of the provider.
type wish struct {
	marker int64
	does   behaviour
	pieces int
	pause  time.Duration
}

func (w wish) String() string {
	return fmt.Sprintf("%d %s %d %d", w.marker, w.does, w.pieces, w.pause.Milliseconds())
}

func parseWish(text string) (w wish, err error) {
	var pause int64
	_, err = fmt.Sscanf(text, "%d %s %d %d", &w.marker, &w.does, &w.pieces, &pause)
	w.pause = time.Duration(pause) * time.Millisecond
	return w, err
}

// instructions of a shared assistant name its edit, which is its version too.
func instructions(edit int) string { return "edit " + strconv.Itoa(edit) }

// ServeHTTP answers one call.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Stream   bool
		Messages []struct{ Role, Content string }
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil {
		err = json.Unmarshal(body, &req)
	}
	if err != nil || len(req.Messages) == 0 {
		http.Error(w, `{"error":{"message":"not a request"}}`, http.StatusBadRequest)
		return
	}
	wants, err := parseWish(req.Messages[len(req.Messages)-1].Content)
	if err != nil {
		http.Error(w, `{"error":{"message":"not a wish"}}`, http.StatusBadRequest)
		return
	}
	c := &provided{marker: wants.marker, stream: req.Stream, does: wants.does, start: time.Now(), over: make(chan struct{})}
	node, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	c.node, _ = strconv.Atoi(node)
	if first := req.Messages[0]; first.Role == "system" {
		_, _ = fmt.Sscanf(first.Content, "edit %d", &c.edit)
	}
	p.mu.Lock()
	p.calls = append(p.calls, c)
	c.number = int64(len(p.calls))
	p.mu.Unlock()
	defer func() {
		now := time.Now()
		c.end.Store(&now)
		close(c.over)
	}()
	if req.Stream {
		(&answer{w, r, c, wants}).stream()
	} else {
		(&answer{w, r, c, wants}).whole()
	}
}

// answer is a call being answered.
type answer struct {
	http.ResponseWriter
	r *http.Request
	*provided
	wish wish
}

func (a *answer) usage() string {
	return fmt.Sprintf(`"usage":{"prompt_tokens":%d,"completion_tokens":1,"total_tokens":%d}`, a.number, a.number+1)
}

// begins plays what happens before an answer begins, and reports whether it does.
func (a *answer) begins() bool {
	switch a.does {
	case limits:
		a.Header().Set("Retry-After", "1")
		http.Error(a, `{"error":{"message":"slow down","type":"rate_limit_error"}}`, http.StatusTooManyRequests)
	case fails:
		http.Error(a, `{"error":{"message":"no","type":"server_error"}}`, http.StatusInternalServerError)
	case resets:
		a.reset()
	default:
		return true
	}
	return false
}

func (a *answer) whole() {
	if !a.begins() || !a.wait(time.Duration(a.wish.pieces)*a.wish.pause) {
		return
	}
	body := fmt.Sprintf(`{"id":"c","object":"chat.completion",%s,"choices":[{"index":0,"message":{"role":"assistant","content":"word"},"finish_reason":"stop"}]}`, a.usage())
	a.Header().Set("Content-Type", "application/json")
	a.Header().Set("Content-Length", strconv.Itoa(len(body)))
	switch a.does {
	case breaks:
		a.reset()
	case cuts, reports:
		_, _ = io.WriteString(a, body[:len(body)/2]) // the server closes the connection: the rest is missing
	case stalls, neverEnds:
		_, _ = io.WriteString(a, body[:len(body)/2])
		a.flush()
		<-a.r.Context().Done()
	default:
		a.finishing.Store(true)
		_, err := io.WriteString(a, body)
		a.finished.Store(err == nil)
	}
}

func (a *answer) stream() {
	if !a.begins() {
		return
	}
	a.Header().Set("Content-Type", "text/event-stream")
	if !a.event(`{"role":"assistant","content":""}`, "null") {
		return
	}
	between := a.wish.pause
	if a.does == neverEnds {
		between = max(between, 20*time.Millisecond)
	}
	for n := 0; n < a.wish.pieces || a.does == neverEnds; n++ {
		if !a.wait(between) {
			return
		}
		a.sent.Add(1)
		if !a.event(`{"content":"word "}`, "null") {
			return
		}
	}
	switch a.does {
	case breaks:
		a.reset()
	case cuts:
	case reports:
		_, _ = io.WriteString(a, "data: {\"error\":{\"message\":\"no\",\"type\":\"server_error\"}}\n\n")
		a.flush()
	case stalls:
		<-a.r.Context().Done()
	default:
		a.finishing.Store(true)
		ok := a.event(`{}`, `"stop"`)
		if ok && a.does != unmarked {
			_, err := io.WriteString(a, "data: [DONE]\n\n")
			ok = err == nil && a.flush()
		}
		a.finished.Store(ok)
	}
}

// event writes one chunk. The usage stands before the piece, so that whoever has the piece has the call's number.
func (a *answer) event(delta, finish string) bool {
	_, err := fmt.Fprintf(a, "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",%s,\"choices\":[{\"index\":0,\"delta\":%s,\"finish_reason\":%s}]}\n\n", a.usage(), delta, finish)
	return err == nil && a.flush()
}

func (a *answer) flush() bool { return http.NewResponseController(a.ResponseWriter).Flush() == nil }

// reset ends the connection as a crashed host does.
func (a *answer) reset() {
	conn, _, err := http.NewResponseController(a.ResponseWriter).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// wait reports whether the caller is still there afterwards.
func (a *answer) wait(d time.Duration) bool { return pause(a.r.Context(), d) }

// pause waits and reports whether ctx has not ended meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
