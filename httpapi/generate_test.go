package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/generate"
	"github.com/elumenta/elumenta/httpapi"
)

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func TestGenerateWhole(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("free")
	a := s.do("POST", "/assistants", key, bot("name", "Helper")).want(201)
	r := s.do("POST", "/generate", key, object{"assistant_id": a["id"], "prompt": "hello <&>\u2028", "model": "paid", "extra": 1, "params": object{"more": []int{1}}})
	v := r.want(200)
	if v["assistant_id"] != a["id"] || v["assistant_version"] != 1.0 || v["model"] != "paid" || v["tokens_spent"] != 7.0 || v["balance_remaining"] != 43.0 {
		t.Errorf("answer %s", r.body)
	}
	if text, _ := v["content"].(string); !strings.Contains(text, "hello <&>\u2028") {
		t.Errorf("content %q", text)
	}
	if at, _ := v["created_at"].(string); !microseconds(at) {
		t.Errorf("created_at %q", at)
	}
	var named []string
	for _, w := range v["warnings"].([]any) {
		named = append(named, w.(object)["field"].(string))
	}
	if fmt.Sprint(named) != "[extra params.more]" {
		t.Errorf("warnings name %v", named)
	}
	if h := r.header; !strings.HasPrefix(h.Get("Server-Timing"), "gateway;dur=") || h.Get("X-RateLimit-Remaining-Hour") != "19" || h.Get("X-RateLimit-Limit-Day") != "150" {
		t.Errorf("headers %v", h)
	}
	bare := s.do("POST", "/generate", key, object{"model": "sandbox", "messages": []object{{"role": "user", "content": "hi"}}})
	if v := bare.want(200); v["assistant_id"] != nil || v["assistant_version"] != nil {
		t.Errorf("without an assistant: %s", bare.body)
	}
}

// microseconds reports whether a time is as exact as every other of the API, and no more: there are clients that read six
// digits at most.
func microseconds(s string) bool {
	at, err := time.Parse(time.RFC3339, s)
	return err == nil && at.Equal(at.Truncate(time.Microsecond))
}

func TestGenerateStream(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("unlimited")
	a := s.do("POST", "/assistants", key, bot()).want(201)
	r := s.do("POST", "/generate", key, object{"assistant_id": a["id"].(string) + "@1", "prompt": "hello \"world\"\n", "stream": true}, "Accept", "text/event-stream")
	if r.status != 200 || r.header.Get("Content-Type") != "text/event-stream; charset=utf-8" || r.header.Get("Cache-Control") != "no-cache, no-transform" || r.header.Get("X-Accel-Buffering") != "no" {
		t.Fatalf("%d %v", r.status, r.header)
	}
	if r.header.Get("X-RateLimit-Limit-Hour") != "" {
		t.Error("an unlimited plan has a limit's header")
	}
	events := r.events()
	var text strings.Builder
	for _, e := range events[1 : len(events)-1] {
		text.WriteString(e["delta"].(string))
	}
	first, last := events[0], events[len(events)-1]
	if first["type"] != "generation_start" || last["type"] != "generation_end" || first["id"] != last["id"] || last["balance_remaining"] != nil || !strings.Contains(text.String(), `hello "world"`) {
		t.Errorf("stream %s", r.body)
	}
	plain := s.do("POST", "/generate", key, object{"model": "sandbox", "prompt": "sandbox:error 429", "stream": true})
	plain.wantError(503, elumenta.CodeModelUnavailable)
	if plain.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	cut := s.do("POST", "/generate", key, object{"model": "sandbox", "prompt": "sandbox:cut", "stream": true}).events()
	if e := cut[len(cut)-1]; e["type"] != "error" || e["error"] != "provider_error" || e["tokens_spent"] != 0.0 {
		t.Errorf("cut off with %v", e)
	}
}

// TestNativeFinishReasons: a provider that names a tool though this API has none ends an answer as others do.
func TestNativeFinishReasons(t *testing.T) {
	s := newServer(t, setup{scripted: func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		return elumenta.Completion{Finish: elumenta.FinishToolCalls}, emit(elumenta.Event{Kind: elumenta.EventText, Text: "ok"})
	}})
	key, _ := s.account("unlimited")
	if v := s.do("POST", "/generate", key, object{"model": "scripted", "prompt": "x"}).want(200); v["finish_reason"] != "stop" {
		t.Errorf("whole: %v", v["finish_reason"])
	}
	events := s.do("POST", "/generate", key, object{"model": "scripted", "prompt": "x", "stream": true}).events()
	if e := events[len(events)-1]; e["finish_reason"] != "stop" {
		t.Errorf("stream: %v", e)
	}
}

// decoded sends a body and returns what reached the provider.
func decoded(t *testing.T, body any) (*elumenta.Prompt, object) {
	t.Helper()
	var got *elumenta.Prompt
	s := newServer(t, setup{scripted: func(_ context.Context, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		got = p
		return elumenta.Completion{Finish: elumenta.FinishStop}, emit(elumenta.Event{Kind: elumenta.EventText, Text: "ok"})
	}})
	key, _ := s.account("unlimited")
	v := s.do("POST", "/generate", key, body).want(200)
	return got, v
}

func TestGenerateDecodesEverything(t *testing.T) {
	p, v := decoded(t, `{"model":"scripted","system":"S2","params":{"system_prompt":"S1","temperature":0.1,"max_tokens":5,"messages":[{"role":"user","content":"not me"}]},
		"messages":[{"content":"one","role":"user"},{"role":"system","content":[{"type":"text","text":"S3"}]},
		{"role":"assistant","content":"two\u00e9\ud83d\ude00"},
		{"role":"user","content":[{"type":"text","text":"three"},{"type":"image_url","image_url":{"url":"data:image/png;base64,`+png+`","detail":"high"}}]}],
		"prompt":"four","temperature":0.5,"top_p":1,"stop":"x","user":"u","variables":null,"stream":false,
		"response_format":{"type":"json_schema","json_schema":{"name":"n","description":"dropped","schema":{"a":[1,{}]},"strict":true}}}`)
	var turns, system []string
	for _, turn := range p.Turns {
		for _, part := range turn.Parts {
			turns = append(turns, string(turn.Role)+":"+string(part.Text))
		}
	}
	for _, part := range p.System {
		system = append(system, string(part.Text))
	}
	if got := strings.Join(turns, " "); got != "user:one assistant:twoé😀 user:three user: user:four" {
		t.Errorf("turns %q", got)
	}
	if got := strings.Join(system, " "); got != "S1 S2 S3" {
		t.Errorf("system %q", got)
	}
	image := p.Turns[2].Parts[1].Image
	if image == nil || image.MediaType != "image/png" || string(image.Data) != png {
		t.Errorf("image %v", image)
	}
	set := p.Settings
	if *set.Temperature != 0.5 || *set.MaxTokens != 5 || set.Stop[0] != "x" || string(set.ResponseFormat.Schema) != `{"a":[1,{}]}` || !set.ResponseFormat.Strict {
		t.Errorf("settings %+v", set)
	}
	if p.User == "" || p.User == "u" {
		t.Errorf("user %q is not hashed", p.User)
	}
	codes := map[string]string{}
	for _, w := range v["warnings"].([]any) {
		codes[w.(object)["code"].(string)] = w.(object)["field"].(string)
	}
	if codes["system_message_moved"] != "messages[1]" || codes["image_detail_ignored"] != "messages[3].content[1].image_url.detail" ||
		codes["unknown_field"] != "response_format.json_schema.description" {
		t.Errorf("warnings %v", codes)
	}
}

func TestGenerateIdempotency(t *testing.T) {
	s := newServer(t, setup{})
	key, _ := s.account("free")
	body := object{"model": "paid", "prompt": "hi"}
	first := s.do("POST", "/generate", key, body, "Idempotency-Key", "k").want(200)
	again := s.do("POST", "/generate", key, body, "Idempotency-Key", "k")
	again.wantError(409, elumenta.CodeConflict)
	if d := again.json()["details"].(object); d["generation_id"] != first["id"] || d["tokens_spent"] != 7.0 {
		t.Errorf("details %v", d)
	}
	s.do("POST", "/generate", key, object{"model": "paid", "prompt": "ho"}, "Idempotency-Key", "k").wantError(409, elumenta.CodeConflict)
	if b := s.do("GET", "/balance", key, nil).want(200); b["token_balance"] != 43.0 {
		t.Errorf("balance %v", b)
	}
}

func TestRateLimitOfThePlan(t *testing.T) {
	plans := elumenta.Plans{{Name: "tiny", OnceTokens: 100, PerHour: 2, PerDay: 10, OpenGenerations: 5}}
	s := newServer(t, setup{plans: plans})
	key, _ := s.account("tiny")
	body := object{"model": "sandbox", "prompt": "hi"}
	for want := 1; want >= 0; want-- {
		r := s.do("POST", "/generate", key, body)
		r.want(200)
		if got := r.header.Get("X-RateLimit-Remaining-Hour"); got != strconv.Itoa(want) {
			t.Errorf("%s left, want %d", got, want)
		}
	}
	r := s.do("POST", "/generate", key, body)
	r.wantError(429, elumenta.CodeRateLimited)
	v := r.json()
	if v["plan"] != "tiny" || v["limit_hour"] != 2.0 || v["limit_day"] != 10.0 || v["retry_after"].(float64) < 1 || r.header.Get("Retry-After") == "" {
		t.Errorf("error %s", r.body)
	}
	if h := r.header; h.Get("X-RateLimit-Remaining-Hour") != "0" || h.Get("X-RateLimit-Remaining-Day") != "8" {
		t.Errorf("headers %v", h)
	}
	poor := s.do("POST", "/generate", key, object{"model": "away", "prompt": "hi"})
	poor.wantError(503, elumenta.CodeModelUnavailable)
}

func TestInsufficientTokens(t *testing.T) {
	s := newServer(t, setup{plans: elumenta.Plans{{Name: "poor", OnceTokens: 6, OpenGenerations: 5}}})
	key, _ := s.account("poor")
	r := s.do("POST", "/generate", key, object{"model": "paid", "prompt": "hi"})
	r.wantError(402, elumenta.CodeInsufficientTokens)
	if d := r.json()["details"].(object); d["balance"] != 6.0 || d["cost"] != 7.0 {
		t.Errorf("details %v", d)
	}
}

// A piece must reach the client while the provider still runs, and a client that leaves must end the provider's call.
func TestStreamIsFlushedAndCancelled(t *testing.T) {
	ended := make(chan error, 1)
	s := newServer(t, setup{scripted: func(ctx context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		for _, e := range []elumenta.Event{{Kind: elumenta.EventReasoning, Text: "hidden"}, {Kind: elumenta.EventRefusal, Text: "No."}, {Kind: elumenta.EventText, Text: "More"}, {Kind: elumenta.EventPause}} {
			if err := emit(e); err != nil {
				return elumenta.Completion{}, err
			}
		}
		<-ctx.Done()
		ended <- ctx.Err()
		return elumenta.Completion{}, ctx.Err()
	}})
	key, _ := s.account("free")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, s.url+httpapi.Base+"/generate", strings.NewReader(`{"model":"scripted","prompt":"x","stream":true}`))
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(res.Body)
	var got []string
	for len(got) < 3 && lines.Scan() {
		if lines.Text() != "" {
			got = append(got, lines.Text())
		}
	}
	if len(got) != 3 || !strings.Contains(got[0], "generation_start") || got[1] != `data: {"type":"content_delta","delta":"No."}` || got[2] != `data: {"type":"content_delta","delta":"More"}` {
		t.Errorf("got %q", got)
	}
	cancel()
	_ = res.Body.Close()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

func TestSilenceOpensTheStream(t *testing.T) {
	release := make(chan struct{})
	s := newServer(t, setup{
		scripted: func(context.Context, *elumenta.Prompt, func(elumenta.Event) error) (elumenta.Completion, error) {
			<-release
			return elumenta.Completion{}, &elumenta.ProviderError{Kind: elumenta.KindFailed, Provider: "test", Status: 500, Message: "It failed."}
		},
		generate: func(o *generate.Options) { o.Silence = 400 * time.Millisecond },
	})
	key, _ := s.account("unlimited")
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+httpapi.Base+"/generate", strings.NewReader(`{"model":"scripted","prompt":"x","stream":true}`))
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewScanner(res.Body)
	var got []string
	for lines.Scan() {
		if lines.Text() == "" {
			continue
		}
		got = append(got, lines.Text())
		if lines.Text() == ": keep-alive" {
			close(release)
			break
		}
	}
	for lines.Scan() {
		if lines.Text() != "" {
			got = append(got, lines.Text())
		}
	}
	if len(got) != 4 || !strings.Contains(got[0], "generation_start") || !strings.Contains(got[2], `"error":"provider_error"`) ||
		!strings.Contains(got[2], `"tokens_spent":0`) || got[3] != "data: [DONE]" {
		t.Errorf("got %q", got)
	}
}

func TestRetiringModelIsAnnounced(t *testing.T) {
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	s := newServer(t, setup{retires: at})
	key, _ := s.account("unlimited")
	for _, stream := range []bool{false, true} {
		r := s.do("POST", "/generate", key, object{"model": "away-soon", "prompt": "x", "stream": stream})
		if got := r.header.Get("Sunset"); got != "Wed, 02 Jan 2030 03:04:05 GMT" || !strings.Contains(string(r.body), "model_retiring") {
			t.Errorf("Sunset %q: %s", got, r.body)
		}
	}
}

// A client that does not read cannot hold the provider's call for ever.
func TestClientThatDoesNotRead(t *testing.T) {
	ended := make(chan error, 1)
	s := newServer(t, setup{
		options: func(o *httpapi.Options) { o.WriteTimeout = 50 * time.Millisecond },
		scripted: func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
			piece := elumenta.Event{Kind: elumenta.EventText, Text: elumenta.Text(strings.Repeat("x", 64<<10))}
			for {
				if err := emit(piece); err != nil {
					ended <- err
					return elumenta.Completion{}, err
				}
			}
		},
	})
	key, _ := s.account("unlimited")
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	body := `{"model":"scripted","prompt":"x","stream":true}`
	_, err = fmt.Fprintf(conn, "POST %s/generate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		httpapi.Base, key, len(body), body)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("ended with %v", err)
	}
	_ = conn.Close()
}

// broken is a generator with a bug: it panics in the middle of an answer.
type broken struct{ httpapi.Generator }

func (broken) Generate(_ context.Context, _ *elumenta.Caller, r *elumenta.Request, sink elumenta.Sink) {
	_ = sink.Open(&elumenta.Started{ID: r.ID, Model: r.Model, CreatedAt: r.ReceivedAt})
	_ = sink.Event(elumenta.Event{Kind: elumenta.EventText, Text: "CANARY"})
	panic("CANARY")
}

func TestPanicInAStreamIsAnError(t *testing.T) {
	s := newServer(t, setup{options: func(o *httpapi.Options) { o.Generator = broken{o.Generator} }})
	key, _ := s.account("unlimited")
	r := s.do("POST", "/generate", key, object{"model": "sandbox", "prompt": "x", "stream": true})
	events := r.events()
	if e := events[len(events)-1]; e["error"] != "internal_error" {
		t.Errorf("ended with %v", e)
	}
	if logs := s.log.String(); strings.Contains(logs, "CANARY") || !strings.Contains(logs, "broken.Generate") {
		t.Errorf("log %s", logs)
	}
	s.do("POST", "/generate", key, object{"model": "sandbox", "prompt": "x", "stream": true}).events()
}
