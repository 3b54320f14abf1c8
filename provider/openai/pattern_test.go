package openai_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/openai"
	"github.com/elumenta/elumenta/provider/providertest"
)

// chunk is one as OpenAI writes them; text, padding and the rest of its choice are JSON.
func chunk(text, padding, rest string) string {
	return `{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":` + text + `}` + rest + `}],"usage":null,"obfuscation":` + padding + `}`
}

// unlike writes a stream so that no chunk begins as another one does, with the same meaning.
func unlike(body string) string {
	lines := strings.SplitAfter(body, "\n")
	for i, line := range lines {
		if rest, ok := strings.CutPrefix(line, "data: {"); ok {
			lines[i] = "data: {" + strings.Repeat(" ", i+1) + rest
		}
	}
	return strings.Join(lines, "")
}

func collectChat(tb testing.TB, body string) providertest.Result {
	tb.Helper()
	target := elumenta.Target{BaseURL: "http://provider.test", Model: "m", Client: &http.Client{Transport: canned(body)}}
	return providertest.Collect(tb.Context(), tb, openai.Chat{}, target, providertest.Ask(true))
}

// Chunks that are like the ones before them are read faster, and mean what they mean elsewhere.
func TestChatChunksAlike(t *testing.T) {
	null := `,"finish_reason":null`
	got := collectChat(t, events(chunk(`""`, `"x"`, null), chunk(`"a"`, `"x"`, null), chunk(`"\n\"\u00e9"`, `"xy"`, null), chunk(`"c"`, `7`, null), chunk(`"d"`, `""`, null),
		chunk(`["e",{"type":"text","text":"f"}]`, `""`, null), chunk(`"g"`, `""`, null), chunk(`"h"`, `""`, `,"finish_reason":"stop"`), chunk(`""`, `""`, null), "[DONE]"))
	if got.Err != nil || got.Text != "a\n\"écdefgh" || got.Finish != elumenta.FinishStop {
		t.Errorf("%q, %q, %v", got.Text, got.Finish, got.Err)
	}
	for name, broken := range map[string]string{
		"a text that does not end": chunk(`"b`, `"x"`, null), "another text behind it": chunk(`"b""c"`, `"x"`, null), "a control character": chunk("\"\x01\"", `"x"`, null),
		"no such escape": chunk(`"\x"`, `"x"`, null), "more behind it": chunk(`"b"`, `"x"`, null) + "}",
	} {
		if got := collectChat(t, events(chunk(`"a"`, `"x"`, null), broken, stop, "[DONE]")); got.Err == nil {
			t.Errorf("%s: read as %q", name, got.Text)
		}
	}
	if got := collectChat(t, events(chunk(`"a"`, `"x"`, null), chunk(`"b"`, `"x"`, `,"error":{"message":"no","code":502}`), "[DONE]")); got.Err == nil || got.Text != "a" {
		t.Errorf("an error in a chunk: %q, %v", got.Text, got.Err)
	}
}

// A chunk means the same whether one like it came before or not.
func FuzzChatChunksAlike(f *testing.F) {
	for _, c := range chatCases() {
		if c.Stream {
			f.Add(c.Body)
		}
	}
	null := `,"finish_reason":null`
	f.Add(events(chunk(`"a"`, `"x"`, null), chunk(`"b"`, `"xyz"`, null), chunk(`"c\n"`, `"x"`, `,"finish_reason":"stop"`), "[DONE]"))
	f.Add(events(`{"choices":[{"delta":{"content":"a"}}]}`, `{"choices":[{"delta":{"content":"b"}}]}`, `{"choices":[{"delta":{"content":"b"}}],"usage":{"prompt_tokens":1}}`, stop))
	f.Fuzz(func(t *testing.T, body string) {
		if len(body) > 1<<20 {
			return
		}
		got, want := collectChat(t, body), collectChat(t, unlike(body))
		if (got.Err == nil) != (want.Err == nil) {
			t.Fatalf("%v, and %v where no chunk is like another", got.Err, want.Err)
		}
		if is, alone := whatCame(&got), whatCame(&want); !reflect.DeepEqual(is, alone) {
			t.Errorf("%+v, and %+v where no chunk is like another", is, alone)
		}
	})
}

func whatCame(r *providertest.Result) []any {
	for i := range r.ToolCalls {
		r.ToolCalls[i].ID = "" // made up where the provider gives none
	}
	return []any{r.Expectation, r.Completion, r.Opaque} // how many pauses there are depends on where reads end
}
