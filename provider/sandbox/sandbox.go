// Package sandbox answers without a model and without a network, so that a newcomer, a test or an offline laptop can use
// the whole API. The same prompt always gets the same answer:
//
//	This is the sandbox: no model was asked. It stands in for the assistant "NAME". Your last message was: TEXT
//
// Without an assistant the second sentence is left out. TEXT is the last user message, its parts joined by a blank, an
// image as [image/png, 1234 bytes] or [image by URL]; a message without either makes the last sentence "Your last message
// had no text." Instructions, system text and earlier messages are never shown. A streamed answer comes in pieces of one
// word with the white space behind it, each followed by a pause.
//
// A last user message that is one of these commands, with nothing else around it but white space, plays a case; any other
// text is echoed:
//
//	sandbox:error STATUS  fails as a provider does that answers 400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502,
//	                      503, 504 or 529; with 429, 503 and 529 it asks for a second's patience
//	sandbox:slow 3s       waits before it answers, 5m at most
//	sandbox:cut           breaks off: a stream behind the first half of its words, a whole answer before any
//	sandbox:long 2000     answers with that many words, 100000 at most: word1 word2 word3 …
//
// Usage counts words: those of the prompt, with 256 for each image, and those of the answer. max_tokens counts the
// answer's words too, and ends it with length; a stop sequence ends the answer before it; other settings change nothing.
package sandbox

import (
	"context"
	"encoding/base64"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

// imageTokens is what an image counts for.
const imageTokens = 256

// Provider is the sandbox. The zero value is ready for use.
type Provider struct{}

var _ elumenta.Provider = Provider{}

// Generate answers; see elumenta.Provider. Of the target it uses the name and the capabilities.
func (Provider) Generate(ctx context.Context, t elumenta.Target, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
	settings, warnings := t.Capabilities.Fit(p.Settings)
	done := elumenta.Completion{Warnings: warnings, Usage: elumenta.Usage{PromptTokens: promptTokens(p)}}
	message := lastMessage(p)
	cmd := parse(message)
	if cmd.status != 0 {
		return done, failure(t.Name, cmd.status)
	}
	if err := wait(ctx, t.Name, cmd.wait); err != nil {
		return done, err
	}
	text := echo(p.AssistantName, message)
	if cmd.words > 0 {
		text = long(cmd.words)
	}
	text, words, cut := limit(before(text, settings.Stop), settings.MaxTokens)
	if cmd.cut {
		text, words, _ = limit(text, new(words/2))
	}
	if p.Stream || !cmd.cut {
		if err := send(ctx, t.Name, text, p.Stream, emit); err != nil {
			return done, err
		}
	}
	if cmd.cut {
		return done, named(t.Name, (&wire.Answer{}).Truncated())
	}
	done.Usage.CompletionTokens = int64(words)
	done.Finish = elumenta.FinishStop
	if cut {
		done.Finish = elumenta.FinishLength
	}
	return done, nil
}

func echo(assistant, message string) string {
	var b strings.Builder
	b.WriteString("This is the sandbox: no model was asked. ")
	if assistant != "" {
		fmt.Fprintf(&b, "It stands in for the assistant \"%s\". ", assistant)
	}
	if strings.TrimSpace(message) == "" {
		b.WriteString("Your last message had no text.")
	} else {
		b.WriteString("Your last message was: ")
		b.WriteString(message)
	}
	return b.String()
}

// before returns what stands before the stop sequence that is complete first.
func before(text string, stops []string) string {
	left, end := text, len(text)+1
	for _, stop := range stops {
		if at := strings.Index(text, stop); stop != "" && at >= 0 && at+len(stop) < end {
			left, end = text[:at], at+len(stop)
		}
	}
	return left
}

func long(words int) string {
	b := make([]byte, 0, words*len("word12345 "))
	for i := range words {
		b = fmt.Appendf(b, "word%d ", i+1)
	}
	return string(b[:len(b)-1])
}

// lastMessage is the text of the last turn that is the user's, with its images named.
func lastMessage(p *elumenta.Prompt) string {
	for _, turn := range slices.Backward(p.Turns) {
		if turn.Role != elumenta.RoleOfUser {
			continue
		}
		var parts []string
		for _, part := range turn.Parts {
			switch part.Kind {
			case elumenta.PartText:
				parts = append(parts, string(part.Text))
			case elumenta.PartImage:
				parts = append(parts, describe(part.Image))
			}
		}
		return strings.Join(parts, " ")
	}
	return ""
}

func describe(image *elumenta.Image) string {
	if image.URL != "" {
		return "[image by URL]"
	}
	data := strings.TrimRight(string(image.Data), "=")
	return fmt.Sprintf("[%s, %d bytes]", image.MediaType, base64.RawStdEncoding.DecodedLen(len(data)))
}

// pieces cuts text into words, each with the white space behind it. White space at the beginning goes with the first.
func pieces(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		from, inWord, behind := 0, false, false
		for i, r := range text {
			space := unicode.IsSpace(r)
			if behind && !space {
				if !yield(text[from:i]) {
					return
				}
				from, behind = i, false
			}
			behind = space && (inWord || behind)
			inWord = !space
		}
		if from < len(text) {
			yield(text[from:])
		}
	}
}

// limit cuts text behind so many words, and says how many are left and whether any was lost.
func limit(text string, most *int) (left string, words int, cut bool) {
	end := 0
	for piece := range pieces(text) {
		if most != nil && words >= *most {
			return strings.TrimRightFunc(text[:end], unicode.IsSpace), words, true
		}
		words++
		end += len(piece)
	}
	return text, words, false
}

func send(ctx context.Context, name, text string, stream bool, emit func(elumenta.Event) error) error {
	out := wire.NewEmitter(emit)
	if !stream {
		return out.Text(elumenta.EventText, text)
	}
	for piece := range pieces(text) {
		if ctx.Err() != nil {
			return ended(ctx, name)
		}
		if err := out.Text(elumenta.EventText, piece); err != nil {
			return err
		}
		if err := out.Pause(); err != nil {
			return err
		}
	}
	return nil
}

// promptTokens counts the words of everything that a model would be sent.
func promptTokens(p *elumenta.Prompt) int64 {
	n := countParts(p.Instructions) + countParts(p.System)
	for _, turn := range p.Turns {
		n += countParts(turn.Parts)
	}
	return int64(n)
}

func countParts(parts []elumenta.Part) int {
	n := 0
	for _, part := range parts {
		if part.Kind == elumenta.PartImage {
			n += imageTokens
			continue
		}
		for range strings.FieldsSeq(string(part.Text)) {
			n++
		}
		if part.ToolResult != nil {
			n += countParts(part.ToolResult.Content)
		}
	}
	return n
}
