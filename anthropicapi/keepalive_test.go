package anthropicapi_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/elumenta/elumenta"
)

// pipes are a listener whose connections stay in a test's bubble of time.
type pipes struct {
	conns  chan net.Conn
	closed context.Context
	close  context.CancelFunc
}

func newPipes() pipes {
	ctx, cancel := context.WithCancel(context.Background())
	return pipes{make(chan net.Conn), ctx, cancel}
}

func (p pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed.Done():
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error {
	p.close()
	return nil
}

func (pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A client is shown that the stream goes on while all that the provider sends has to wait for the end of a tool call.
func TestKeepAliveWhileToolCallsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newPipes()
		provider := script(func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
			read := func(events ...elumenta.Event) {
				for _, e := range append(events, elumenta.Event{Kind: elumenta.EventPause}) {
					if err := emit(e); err != nil {
						t.Error(err)
					}
				}
			}
			call := func(i int, id string) elumenta.Event {
				return elumenta.Event{Kind: elumenta.EventToolCall, Index: i, ID: id, Name: "t"}
			}
			input := func(i int, text elumenta.Text) elumenta.Event {
				return elumenta.Event{Kind: elumenta.EventToolInput, Index: i, Text: text}
			}
			read(call(0, "a"), input(0, `{"x":`))
			read(call(1, "b"), input(1, `[`))
			for range 40 {
				time.Sleep(time.Second)
				read(input(1, `1,`))
			}
			read(input(1, `2]`), input(0, `1}`))
			return elumenta.Completion{Finish: elumenta.FinishToolCalls}, nil
		})
		s := newServer(t, setup{provider: provider, silence: 15 * time.Second, listener: listener})
		transport := &http.Transport{DialContext: listener.dial}
		defer transport.CloseIdleConnections()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/messages", strings.NewReader(
			`{"model":"scripted","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"Hello"}],"tools":[{"name":"t","input_schema":{"type":"object"}}]}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Api-Key", s.key)
		req.Header.Set("Content-Type", "application/json")
		resp, err := (&http.Client{Transport: transport}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		var waiting string
		if _, after, ok := strings.Cut(string(body), `"partial_json":"{\"x\":"`); ok {
			waiting, _, _ = strings.Cut(after, "partial_json")
		}
		if n := strings.Count(waiting, "event: ping\n"); n != 2 {
			t.Errorf("%d keep-alives in 40 s: %s", n, body)
		}
		if !strings.Contains(string(body), `[`+strings.Repeat("1,", 40)+`2]`) {
			t.Errorf("the second call did not arrive: %s", body)
		}
	})
}
