package anthropicapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/anthropicapi"
)

// encoderOf is a new answer's.
func encoderOf(t testing.TB) elumenta.Encoder {
	t.Helper()
	in, err := anthropicapi.Messages{}.Decode([]byte(with(``)))
	if err != nil {
		t.Fatal(err)
	}
	return in.Encoder
}

func TestStreamToTheLetter(t *testing.T) {
	e := encoderOf(t)
	var b []byte
	b = e.Begin(b, &elumenta.Started{ID: "gen_1", Model: "m"})
	for _, ev := range []elumenta.Event{
		{Kind: elumenta.EventReasoning, Text: "hm"}, {Kind: elumenta.EventText, Text: "a\n\u2028<"}, {Kind: elumenta.EventOpaque}, {Kind: elumenta.EventRefusal, Text: "\xff"},
		{Kind: elumenta.EventToolCall, ID: "1", Name: "t"}, {Kind: elumenta.EventToolInput, Text: `{"a":`},
		{Kind: elumenta.EventToolCall, Index: 1, ID: "2", Name: "u"}, {Kind: elumenta.EventToolInput, Index: 1, Text: `{}`},
		{Kind: elumenta.EventToolInput, Text: `1}`}, // a host that mixes calls
		{Kind: elumenta.EventText, Text: "b"},
	} {
		b = e.Event(b, ev)
	}
	b = e.KeepAlive(b)
	b = e.End(b, &elumenta.Result{Started: elumenta.Started{ID: "gen_1", Assistant: "asst_1", Version: 3}, Finish: elumenta.FinishLength, CacheStatus: elumenta.CacheMiss, Settled: elumenta.Settled{Balance: new(int64(9))}})
	want := `event: message_start
data: {"type":"message_start","message":{"id":"msg_1","model":"m","type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"a\n` + "\u2028" + `<"}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"` + "\ufffd" + `"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"1","name":"t","caller":{"type":"direct"},"input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"1}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":2}

event: content_block_start
data: {"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"2","name":"u","caller":{"type":"direct"},"input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":3}

event: content_block_start
data: {"type":"content_block_start","index":4,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":4,"delta":{"type":"text_delta","text":"b"}}

event: ping
data: {"type":"ping"}

event: content_block_stop
data: {"type":"content_block_stop","index":4}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"max_tokens","stop_sequence":null,"elumenta":{"generation_id":"gen_1","assistant_id":"asst_1","assistant_version":3,"tokens_spent":0,"balance_remaining":9,"cache":{"status":"miss","minimum":0},"attempts":[],"warnings":[]}},"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}

event: message_stop
data: {"type":"message_stop"}

`
	if diff := cmp.Diff(want, string(b)); diff != "" {
		t.Error(diff)
	}
	fail := string(encoderOf(t).Fail(nil, elumenta.Errorf(elumenta.CodeProvider, "it \"failed\""), "req_1", &elumenta.Settled{}))
	wantFail := "event: error\n" + `data: {"type":"error","error":{"type":"api_error","message":"it \"failed\""},"request_id":"req_1","elumenta":{"error":"provider_error","details":{},"tokens_spent":0}}` + "\n\n"
	if fail != wantFail {
		t.Errorf("%s, want %s", fail, wantFail)
	}
}

// A host may mix the pieces of several tool calls, and say something between them: each block is written to its end before the next, as
// clients expect that add the pieces up, and what is whole is written at once.
func TestMixedToolCalls(t *testing.T) {
	call := func(i int) elumenta.Event {
		return elumenta.Event{Kind: elumenta.EventToolCall, Index: i, ID: strconv.Itoa(i), Name: "t"}
	}
	in := func(i int, text elumenta.Text) elumenta.Event {
		return elumenta.Event{Kind: elumenta.EventToolInput, Index: i, Text: text}
	}
	say := func(text elumenta.Text) elumenta.Event { return elumenta.Event{Kind: elumenta.EventText, Text: text} }
	state := elumenta.Event{Kind: elumenta.EventOpaque, Part: elumenta.PartToolCall, Index: 1, Opaque: &elumenta.Opaque{Format: "anthropic", Data: `{"type":"redacted_thinking","data":"s"}`}}
	for name, c := range map[string]struct {
		events []elumenta.Event
		want   string
		before int // how many blocks have begun before the end
	}{
		"one after the other":     {[]elumenta.Event{call(0), in(0, `{"a":`), in(0, `"}{\\\""}`), call(1), in(1, `{}`)}, `0 {"a":"}{\\\""}, 1 {}`, 2},
		"mixed":                   {[]elumenta.Event{call(0), call(1), in(0, `{"a"`), in(1, `{"b"`), in(0, `:[{}]}`), in(1, `:1}`)}, `0 {"a":[{}]}, 1 {"b":1}`, 2},
		"three, and text":         {[]elumenta.Event{call(0), in(0, `{`), call(1), in(1, `{`), say("x"), call(2), say("y"), in(2, `{}`), in(1, `}`), say("z"), in(0, `}`)}, `0 {}, 1 {}, x, 2 {}, yz`, 5},
		"state of one that waits": {[]elumenta.Event{call(0), in(0, `{`), call(1), in(1, `{}`), state, in(0, `}`)}, `0 {}, 1 {}, s`, 3},
		"no arguments":            {[]elumenta.Event{call(0), in(0, ``), call(1), in(1, `{"b":1}`), say("x")}, `0, 1 {"b":1}, x`, 1},
		"cut off":                 {[]elumenta.Event{call(0), in(0, `{"a`), call(1), in(1, `{"b`), call(2), in(0, `b`)}, `0 {"ab, 1 {"b, 2`, 1},
		"no object":               {[]elumenta.Event{call(0), in(0, `"a"`), call(1), in(1, `1`), in(0, ` `)}, `0 "a" , 1 1`, 1},
		"more than a value":       {[]elumenta.Event{call(0), in(0, `{}`), call(1), in(0, ` `), in(1, `{}`), in(7, `x`)}, `0 {}, 1 {}`, 2},
		"of a call that is none":  {[]elumenta.Event{call(0), in(0, `{`), in(3, `x`), in(0, `}`)}, `0 {}`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			e := encoderOf(t)
			var b []byte
			for _, ev := range c.events {
				b = e.Event(b, ev)
			}
			if n := strings.Count(string(b), "event: content_block_start"); n != c.before {
				t.Errorf("%d blocks had begun before the end, want %d: %s", n, c.before, b)
			}
			b = e.End(b, &elumenta.Result{})
			if got := addedUp(t, b); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// What waits for a tool call is bounded.
func TestMixedToolCallsWithoutEnd(t *testing.T) {
	e := encoderOf(t)
	b := e.Event(nil, elumenta.Event{Kind: elumenta.EventToolCall, ID: "0", Name: "t"})
	text := elumenta.Event{Kind: elumenta.EventText, Text: elumenta.Text(strings.Repeat("x", 1<<20))}
	for range 5 {
		b = e.Event(b, text)
	}
	if got := addedUp(t, e.End(b, &elumenta.Result{})); got != "0, "+strings.Repeat("x", 5<<20) {
		t.Errorf("%d bytes arrived", len(got))
	}
}

// addedUp adds a stream up as clients do that take a piece for one of the last block, and insists on the order of its events.
func addedUp(t *testing.T, stream []byte) string {
	t.Helper()
	var blocks []string
	open := false
	for line := range strings.Lines(string(stream)) {
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var ev struct {
			Type  string
			Index int
			Block struct{ Type, ID, Data string } `json:"content_block"`
			Delta struct {
				Text, Thinking string
				Input          string `json:"partial_json"`
			}
		}
		if err := json.Unmarshal([]byte(data), &ev); err != nil {
			t.Fatal(err)
		}
		switch ev.Type {
		case "content_block_start":
			if open || ev.Index != len(blocks) {
				t.Fatalf("block %d begins, the last was %d, open: %t", ev.Index, len(blocks)-1, open)
			}
			open, blocks = true, append(blocks, ev.Block.ID+ev.Block.Data)
			if ev.Block.Type == "tool_use" {
				blocks[ev.Index] += " "
			}
		case "content_block_delta":
			if !open || ev.Index != len(blocks)-1 {
				t.Fatalf("a piece of block %d, the last is %d, open: %t", ev.Index, len(blocks)-1, open)
			}
			blocks[ev.Index] += ev.Delta.Text + ev.Delta.Thinking + ev.Delta.Input
		case "content_block_stop":
			open = false
		}
	}
	for i := range blocks {
		if len(blocks[i]) == 2 { // a tool call without arguments
			blocks[i] = strings.TrimSuffix(blocks[i], " ")
		}
	}
	return strings.Join(blocks, ", ")
}

func TestWhole(t *testing.T) {
	answer := &elumenta.Answer{}
	answer.Add(elumenta.Event{Kind: elumenta.EventText, Text: "a"})
	answer.Add(elumenta.Event{Kind: elumenta.EventRefusal, Text: "b"})
	for i, arguments := range []elumenta.Text{"{\"x\":1,\n\"x\":2}", " ", `{"cut`, `[1]`} {
		answer.Add(elumenta.Event{Kind: elumenta.EventToolCall, Index: i, ID: strconv.Itoa(i), Name: "t"})
		answer.Add(elumenta.Event{Kind: elumenta.EventToolInput, Index: i, Text: arguments})
	}
	result := &elumenta.Result{Started: elumenta.Started{ID: "gen_1"}, Finish: elumenta.FinishContentFilter, Warnings: []elumenta.Warning{{Code: elumenta.WarnUnsupported, Field: "stop"}}}
	b := encoderOf(t).Whole(nil, answer, result)
	var got struct {
		Content    []map[string]any
		StopReason string `json:"stop_reason"`
		Elumenta   struct{ Warnings []elumenta.Warning }
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	if got.StopReason != "refusal" || len(got.Content) != 5 || got.Content[0]["text"] != "ab" || got.Elumenta.Warnings[0].Field != "stop_sequences" {
		t.Errorf("%s", b)
	}
	for i, want := range []string{`{"x":1,"x":2}`, `{}`, `{"INVALID_JSON":"{\"cut"}`, `{"INVALID_JSON":"[1]"}`} {
		if !strings.Contains(string(b), `"input":`+want+`}`) {
			t.Errorf("tool_use %d: %s", i, b)
		}
	}
}

// No piece of a stream costs an allocation.
func TestPiecesDoNotAllocate(t *testing.T) {
	e := encoderOf(t)
	b := make([]byte, 0, 4096)
	piece := elumenta.Event{Kind: elumenta.EventText, Text: "a piece of a \"text\"\n"}
	b = e.Event(b, piece)
	if n := testing.AllocsPerRun(100, func() { b = e.Event(b[:0], piece) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestPing(t *testing.T) {
	release := make(chan struct{})
	s := newServer(t, setup{silence: time.Millisecond, provider: script(func(ctx context.Context, _ *elumenta.Prompt, _ func(elumenta.Event) error) (elumenta.Completion, error) {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return elumenta.Completion{Finish: elumenta.FinishStop}, nil
	})})
	body := `{"model":"scripted","max_tokens":1,"stream":true,"messages":[{"role":"user","content":"x"}]}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/messages?beta=true", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "X-Api-Key": s.key, "Anthropic-Version": "2023-06-01", "Anthropic-Beta": "context-1m-2025-08-07"} {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var events []string
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		name, ok := strings.CutPrefix(lines.Text(), "event: ")
		if !ok || len(events) > 0 && events[len(events)-1] == name {
			continue
		}
		if events = append(events, name); name == "ping" {
			close(release)
		}
	}
	if diff := cmp.Diff([]string{"message_start", "ping", "message_delta", "message_stop"}, events); diff != "" {
		t.Error(diff)
	}
}
