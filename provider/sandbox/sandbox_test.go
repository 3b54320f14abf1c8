package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/providertest"
	"github.com/elumenta/elumenta/provider/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const intro = "This is the sandbox: no model was asked. "

func text(s string) elumenta.Part {
	return elumenta.Part{Kind: elumenta.PartText, Text: elumenta.Text(s)}
}

func prompt(stream bool, parts ...elumenta.Part) *elumenta.Prompt {
	return &elumenta.Prompt{
		Instructions: []elumenta.Part{text("canary secret instructions")}, System: []elumenta.Part{text("canary system")},
		Turns: []elumenta.Turn{
			{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{text("canary earlier")}},
			{Role: elumenta.RoleOfAssistant, Parts: []elumenta.Part{text("canary answer")}},
			{Role: elumenta.RoleOfUser, Parts: parts},
		},
		AssistantName: "Ada", Stream: stream,
	}
}

func collect(t *testing.T, p *elumenta.Prompt) providertest.Result {
	t.Helper()
	return providertest.Collect(t.Context(), t, sandbox.Provider{}, elumenta.Target{Name: "sandbox"}, p)
}

func TestAnswer(t *testing.T) {
	const named = intro + `It stands in for the assistant "Ada". `
	image := elumenta.Part{Kind: elumenta.PartImage, Image: &elumenta.Image{MediaType: "image/png", Data: "aGVsbG8="}}
	byURL := elumenta.Part{Kind: elumenta.PartImage, Image: &elumenta.Image{URL: "https://example.com/canary.png"}}
	tests := []struct {
		name  string
		parts []elumenta.Part
		want  string
	}{
		{"text", []elumenta.Part{text("Say  hi\nin Portuguese ")}, named + "Your last message was: Say  hi\nin Portuguese "},
		{"images", []elumenta.Part{text("See"), image, byURL}, named + "Your last message was: See [image/png, 5 bytes] [image by URL]"},
		{"nothing", nil, named + "Your last message had no text."},
		{"blank", []elumenta.Part{text(" \n")}, named + "Your last message had no text."},
		{"tool result", []elumenta.Part{{Kind: elumenta.PartToolResult, ToolResult: &elumenta.ToolResult{Content: []elumenta.Part{text("canary")}}}}, named + "Your last message had no text."},
	}
	for _, message := range []string{
		"sandbox:error", "sandbox:error 200", "sandbox:error 4290", "sandbox:error x", "sandbox:error 429 now", "please sandbox:error 429",
		"sandbox:slow", "sandbox:slow soon", "sandbox:slow -1s", "sandbox:slow 0s", "sandbox:long 0", "sandbox:long -5", "sandbox:long 1.5",
		"sandbox:long 99999999999999999999", "sandbox:cut 3", "SANDBOX:CUT", "sandbox:other 1",
	} {
		tests = append(tests, struct {
			name  string
			parts []elumenta.Part
			want  string
		}{message, []elumenta.Part{text(message)}, named + "Your last message was: " + message})
	}
	for _, tt := range tests {
		for _, stream := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/%t", tt.name, stream), func(t *testing.T) {
				got := collect(t, prompt(stream, tt.parts...))
				if got.Err != nil || got.Text != tt.want || got.Finish != elumenta.FinishStop {
					t.Errorf("%q (%s), %v; want %q", got.Text, got.Finish, got.Err, tt.want)
				}
			})
		}
	}
	t.Run("no assistant", func(t *testing.T) {
		p := providertest.Ask(false)
		if got := collect(t, p); got.Text != intro+"Your last message was: Say hi in Portuguese" {
			t.Errorf("%q", got.Text)
		}
	})
}

func TestUsage(t *testing.T) {
	p := prompt(true, text("one two"), elumenta.Part{Kind: elumenta.PartImage, Image: &elumenta.Image{MediaType: "image/png"}})
	got := collect(t, p)
	want := elumenta.Usage{PromptTokens: 3 + 2 + 2 + 2 + 2 + 256, CompletionTokens: int64(len(strings.Fields(got.Text)))}
	if got.Usage != want {
		t.Errorf("usage = %+v, want %+v", got.Usage, want)
	}
}

// TestWordByWord wants each word in an event of its own, with a pause behind it.
func TestWordByWord(t *testing.T) {
	var pieces []string
	_, err := sandbox.Provider{}.Generate(t.Context(), elumenta.Target{}, prompt(true, text("a  b\nc")), func(e elumenta.Event) error {
		if e.Kind == elumenta.EventPause {
			pieces = append(pieces, "|")
		} else {
			pieces = append(pieces, string(e.Text))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"was: ", "|", "a  ", "|", "b\n", "|", "c", "|"}; !slices.Equal(pieces[len(pieces)-len(want):], want) {
		t.Errorf("pieces = %q", pieces)
	}
}

func TestEchoIsWhole(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		message := rapid.String().Draw(r, "message")
		p := &elumenta.Prompt{Turns: []elumenta.Turn{{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{text(message)}}}, Stream: true}
		var b strings.Builder
		_, err := sandbox.Provider{}.Generate(t.Context(), elumenta.Target{}, p, func(e elumenta.Event) error {
			b.WriteString(string(e.Text))
			return nil
		})
		want := intro + "Your last message was: " + message
		if strings.TrimSpace(message) == "" {
			want = intro + "Your last message had no text."
		}
		if err != nil || b.String() != want {
			r.Fatalf("%q, %v", b.String(), err)
		}
	})
}

func TestSettings(t *testing.T) {
	p := prompt(true, text("a b c"))
	p.Settings = elumenta.Settings{MaxTokens: new(3), Temperature: new(1.0)}
	got := collect(t, p)
	if got.Text != "This is the" || got.Finish != elumenta.FinishLength || got.Usage.CompletionTokens != 3 {
		t.Errorf("%q, %s, %+v", got.Text, got.Finish, got.Usage)
	}
	if w := got.Completion.Warnings; len(w) != 1 || w[0].Field != "temperature" {
		t.Errorf("warnings = %v", w)
	}
}

func TestStop(t *testing.T) {
	p := prompt(true, text("a b c"))
	p.Settings = elumenta.Settings{Stop: []string{"", "b c", " b", "zz"}}
	target := elumenta.Target{Name: "sandbox", Capabilities: elumenta.Capabilities{Stop: 4}}
	got := providertest.Collect(t.Context(), t, sandbox.Provider{}, target, p)
	if got.Err != nil || got.Text != "This is the sandbox: no model was asked. It stands in for the assistant \"Ada\". Your last message was: a" || got.Finish != elumenta.FinishStop {
		t.Errorf("%q, %s, %v", got.Text, got.Finish, got.Err)
	}
}

func TestErrorCommand(t *testing.T) {
	kinds := map[int]elumenta.ErrorKind{
		400: elumenta.KindRejected, 401: elumenta.KindAuth, 402: elumenta.KindAuth, 403: elumenta.KindAuth, 404: elumenta.KindFailed,
		408: elumenta.KindTimeout, 413: elumenta.KindRejected, 422: elumenta.KindRejected, 429: elumenta.KindRateLimited, 500: elumenta.KindFailed,
		502: elumenta.KindFailed, 503: elumenta.KindOverloaded, 504: elumenta.KindTimeout, 529: elumenta.KindOverloaded,
	}
	for status, kind := range kinds {
		got := collect(t, prompt(true, text(fmt.Sprintf(" sandbox:error %d\n", status))))
		e, ok := errors.AsType[*elumenta.ProviderError](got.Err)
		if !ok || e.Kind != kind || e.Status != status || e.Provider != "sandbox" || got.Events != 0 {
			t.Errorf("%d: %v", status, got.Err)
			continue
		}
		wait := kind == elumenta.KindRateLimited || kind == elumenta.KindOverloaded
		if (e.RetryAfter == time.Second) != wait || (e.Reason == elumenta.RejectOther) != (kind == elumenta.KindRejected) {
			t.Errorf("%d: RetryAfter %s, reason %q", status, e.RetryAfter, e.Reason)
		}
	}
}

func TestCutCommand(t *testing.T) {
	for _, stream := range []bool{true, false} {
		got := collect(t, prompt(stream, text("sandbox:cut")))
		e, ok := errors.AsType[*elumenta.ProviderError](got.Err)
		if !ok || e.Kind != elumenta.KindTruncated || e.Provider != "sandbox" {
			t.Errorf("stream %t: %v", stream, got.Err)
		}
		if want := "This is the sandbox: no model was asked. It stands"; stream && got.Text != want || !stream && got.Events != 0 {
			t.Errorf("stream %t: %q in %d events", stream, got.Text, got.Events)
		}
	}
}

func TestLongCommand(t *testing.T) {
	for message, words := range map[string]int{"sandbox:long 1": 1, "sandbox:long 2000": 2000, "sandbox:long 1000000": 100_000} {
		for _, stream := range []bool{true, false} {
			var answer strings.Builder
			done, err := sandbox.Provider{}.Generate(t.Context(), elumenta.Target{}, prompt(stream, text(message)), func(e elumenta.Event) error {
				answer.WriteString(string(e.Text))
				return nil
			})
			fields := strings.Fields(answer.String())
			if err != nil || len(fields) != words || fields[words-1] != fmt.Sprintf("word%d", words) || done.Usage.CompletionTokens != int64(words) {
				t.Errorf("%s: %d words, usage %+v, %v", message, len(fields), done.Usage, err)
			}
		}
	}
}

func TestSlowCommand(t *testing.T) {
	for message, want := range map[string]time.Duration{"sandbox:slow 3s": 3 * time.Second, "sandbox:slow 1.5m": 90 * time.Second, "sandbox:slow 100h": 5 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			got := collect(t, prompt(true, text(message)))
			if waited := time.Since(start); got.Err != nil || waited != want || !strings.HasSuffix(got.Text, message) {
				t.Errorf("%s: %q after %s, %v", message, got.Text, waited, got.Err)
			}
		})
	}
}

func TestContextEnds(t *testing.T) {
	limit := &elumenta.ProviderError{Kind: elumenta.KindTimeout, Message: "our own limit"}
	for _, message := range []string{"sandbox:slow 1h", "hello", "sandbox:long 100"} {
		for _, cause := range []error{nil, limit} {
			ctx, cancel := context.WithCancelCause(t.Context())
			if !strings.HasPrefix(message, "sandbox:slow") {
				cancel(cause)
			} else {
				go cancel(cause)
			}
			got := providertest.Collect(ctx, t, sandbox.Provider{}, elumenta.Target{Name: "sandbox"}, prompt(true, text(message)))
			e, ok := errors.AsType[*elumenta.ProviderError](got.Err)
			if !ok || e.Kind != elumenta.KindTimeout || cause != nil && e != limit || cause == nil && e.Provider != "sandbox" {
				t.Errorf("%s: %v", message, got.Err)
			}
		}
	}
}

// TestEmitEnds wants an error of emit back as it was, at every event.
func TestEmitEnds(t *testing.T) {
	stop := errors.New("stop")
	for at := range 2 * 12 {
		n := 0
		_, err := sandbox.Provider{}.Generate(t.Context(), elumenta.Target{}, prompt(true, text("hello")), func(elumenta.Event) error {
			n++
			if n == at+1 {
				return stop
			}
			return nil
		})
		if !errors.Is(err, stop) || n != at+1 {
			t.Errorf("event %d: %v after %d", at, err, n)
		}
	}
}

func FuzzMessage(f *testing.F) {
	for _, seed := range []string{"", "hello", "sandbox:error 429", "sandbox:cut", "sandbox:long 3", "\xff\xfe", "　a　"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		if strings.Contains(message, "sandbox:slow") {
			return
		}
		p := providertest.Ask(true)
		p.Turns[0].Parts[0].Text = elumenta.Text(message)
		first, second := collect(t, p), collect(t, p)
		if first.Text != second.Text {
			t.Error("two answers to one prompt")
		}
	})
}
