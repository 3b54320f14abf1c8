package providertest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
)

// Result is what came of a call.
type Result struct {
	Expectation
	Completion elumenta.Completion
	Opaque     []elumenta.Opaque
	Events     int
	Err        error
}

// collector gathers events and checks the rules that hold for them.
type collector struct {
	t      testing.TB
	res    Result
	last   elumenta.EventKind
	onRead bool // a read before a pause is a fault
}

// Collect calls the provider and gathers what it emits. It fails the test for an event that breaks the rules: an empty
// piece, a pause that follows nothing or another pause, a piece of a tool call that did not begin, an error that is no
// *elumenta.ProviderError or holds the credential.
func Collect(ctx context.Context, tb testing.TB, p elumenta.Provider, target elumenta.Target, prompt *elumenta.Prompt) Result {
	tb.Helper()
	c := &collector{t: tb}
	return c.run(ctx, p, target, prompt)
}

func (c *collector) run(ctx context.Context, p elumenta.Provider, target elumenta.Target, prompt *elumenta.Prompt) Result {
	c.t.Helper()
	done, err := p.Generate(ctx, target, prompt, c.event)
	c.res.Completion, c.res.Err = done, err
	c.res.Finished, c.res.Finish, c.res.Usage, c.res.UpstreamID, c.res.Model = err == nil, done.Finish, done.Usage, done.UpstreamID, done.Model
	if err == nil && done.Finish == "" {
		c.t.Error("no error, and no finish reason")
	}
	if err != nil {
		if _, ok := errors.AsType[*elumenta.ProviderError](err); !ok {
			c.t.Errorf("error is %T, no *ProviderError", err)
		}
		checkPrivate(c.t, err)
	}
	return c.res
}

func (c *collector) event(ev elumenta.Event) error {
	r := &c.res
	switch ev.Kind {
	case elumenta.EventText:
		r.Text += string(ev.Text)
	case elumenta.EventRefusal:
		r.Refusal += string(ev.Text)
	case elumenta.EventReasoning:
		r.Reasoning += string(ev.Text)
	case elumenta.EventToolCall:
		if ev.Index != len(r.ToolCalls) || ev.Name == "" || ev.ID == "" {
			c.t.Errorf("tool call %d begins as number %d with id %q and name %q", len(r.ToolCalls), ev.Index, ev.ID, ev.Name)
		}
		r.ToolCalls = append(r.ToolCalls, elumenta.ToolCall{ID: ev.ID, Name: ev.Name})
	case elumenta.EventToolInput:
		if ev.Index >= len(r.ToolCalls) {
			c.t.Fatalf("input for tool call %d, which did not begin", ev.Index)
		}
		r.ToolCalls[ev.Index].Arguments += ev.Text
	case elumenta.EventOpaque:
		if ev.Opaque == nil || ev.Opaque.Format == "" || ev.Opaque.Data == "" {
			c.t.Error("opaque state without a format or data")
			break
		}
		if ev.Part != elumenta.PartReasoning && ev.Part != elumenta.PartText && ev.Part != elumenta.PartToolCall {
			c.t.Errorf("opaque state of a part of kind %d", ev.Part)
		}
		r.Opaque = append(r.Opaque, *ev.Opaque)
	case elumenta.EventPause:
		if c.last == 0 || c.last == elumenta.EventPause {
			c.t.Error("a pause that follows nothing")
		}
	default:
		c.t.Errorf("event of kind %d", ev.Kind)
	}
	if ev.Text == "" && (ev.Kind <= elumenta.EventReasoning || ev.Kind == elumenta.EventToolInput) {
		c.t.Errorf("an empty piece of kind %d", ev.Kind)
	}
	c.last = ev.Kind
	r.Events++
	return nil
}

// reading is called when the provider reads its body: everything emitted must have been followed by a pause.
func (c *collector) reading() {
	if c.onRead && c.last != 0 && c.last != elumenta.EventPause {
		c.t.Error("a read that may wait, and events before it without a pause")
	}
}

// memory is a transport that answers from memory, in exactly these reads.
type memory struct {
	status int
	header http.Header
	pieces []string
	end    error // io.EOF, or how the connection breaks
	onRead func(served int)
}

// RoundTrip answers from memory.
func (m *memory) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	return &http.Response{
		StatusCode: m.status, Header: m.header, Request: r, ContentLength: -1,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: &memoryBody{ctx: r.Context(), memory: m, left: m.pieces},
	}, nil
}

type memoryBody struct {
	ctx    context.Context
	memory *memory
	left   []string
	served int
}

func (b *memoryBody) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	if b.memory.onRead != nil {
		b.memory.onRead(b.served)
	}
	for len(b.left) > 0 && b.left[0] == "" {
		b.left = b.left[1:]
	}
	if len(b.left) == 0 {
		return 0, b.memory.end
	}
	n := copy(p, b.left[0])
	b.left[0] = b.left[0][n:]
	b.served += n
	return n, nil
}

// Close does nothing.
func (b *memoryBody) Close() error { return nil }

// answering makes a client whose every request is answered with this.
func answering(c Case, end error, pieces ...string) (*http.Client, *memory) {
	m := &memory{status: c.status(), header: http.Header{"Content-Type": {c.contentType()}}, end: end}
	m.pieces = append(m.pieces, pieces...)
	return &http.Client{Transport: m}, m
}

func (c Case) contentType() string {
	switch {
	case c.ContentType != "":
		return c.ContentType
	case c.Stream:
		return "text/event-stream; charset=utf-8"
	}
	return "application/json"
}

func (c Case) status() int {
	if c.Status == 0 {
		return http.StatusOK
	}
	return c.Status
}

// canary stands for what a provider's text may quote.
const canary = "canary-text-9c27"

// checkPrivate fails the test if an error shows what must not be shown.
func checkPrivate(tb testing.TB, err error) {
	tb.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		shown := e.Error() + sprint(e)
		for _, secret := range []string{canary, credential} {
			if strings.Contains(shown, secret) {
				tb.Errorf("the error shows %s", secret)
			}
		}
	}
}
