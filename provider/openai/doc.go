// Package openai speaks OpenAI's two wire formats. [Responses] is for OpenAI's own models
// (https://platform.openai.com/docs/api-reference/responses); [Chat] is Chat Completions, which DeepSeek, xAI, Ollama,
// vLLM, OpenRouter, LM Studio, llama.cpp and many others speak, each with its own liberties
// (https://platform.openai.com/docs/api-reference/chat).
package openai

import (
	"context"
	"net/http"
	"sync"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

// opaqueFormat marks the state that this package emits.
const opaqueFormat = "openai"

// Responses is a Provider that posts to {BaseURL}/responses. It is stateless: nothing is stored at OpenAI.
type Responses struct{}

// Chat is a Provider that posts to {BaseURL}/chat/completions.
type Chat struct{}

var (
	_ elumenta.Provider = Responses{}
	_ elumenta.Provider = Chat{}
)

// Decoders are pooled empty: nothing of an answer is left in one.
var (
	responsesDecoders = sync.Pool{New: func() any { return new(responsesDecoder) }}
	chatDecoders      = sync.Pool{New: func() any { return new(chatDecoder) }}
)

func (d *responsesDecoder) release() {
	*d = responsesDecoder{}
	responsesDecoders.Put(d)
}

func (d *chatDecoder) release() {
	d.pattern.Forget()
	*d = chatDecoder{pattern: d.pattern}
	chatDecoders.Put(d)
}

var format = wire.Format{Header: header, Classify: classifyBody}

func header(credential elumenta.Secret) http.Header {
	if credential.IsZero() {
		return http.Header{}
	}
	return http.Header{"Authorization": {"Bearer " + credential.Reveal()}}
}

// Generate implements elumenta.Provider.
func (Responses) Generate(ctx context.Context, t elumenta.Target, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
	d := responsesDecoders.Get().(*responsesDecoder) //nolint:forcetypeassert // the pool holds nothing else
	defer d.release()
	d.out = wire.NewEmitter(emit)
	body, warnings := encodeResponses(t, p)
	d.done.Warnings = warnings
	err := run(ctx, t, "/responses", body, p.Stream, d)
	return d.done, err
}

// Generate implements elumenta.Provider.
func (Chat) Generate(ctx context.Context, t elumenta.Target, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
	d := chatDecoders.Get().(*chatDecoder) //nolint:forcetypeassert // the pool holds nothing else
	defer d.release()
	d.out, d.tools = wire.NewEmitter(emit), len(p.Tools) > 0
	body, warnings := encodeChat(t, p)
	d.done.Warnings = warnings
	err := run(ctx, t, "/chat/completions", body, p.Stream, d)
	return d.done, err
}

// decoder is what differs between the two formats once an answer is there.
type decoder interface {
	begin(a *wire.Answer) *wire.Emitter
	// event takes one event of a stream.
	event(name, data []byte) (done bool, err error)
	// whole takes a whole answer.
	whole(body []byte) error
	// end is called once, with the error of the stream or of whole, and says what came of it.
	end(err error) error
}

func run(ctx context.Context, t elumenta.Target, path string, body []byte, stream bool, d decoder) error {
	call := wire.Call{Format: &format, Target: t, Path: path, Body: body, Stream: stream}
	a, err := call.Send(ctx)
	if err != nil {
		return err
	}
	defer a.Close()
	out := d.begin(a)
	isStream, err := a.IsStream()
	if err != nil {
		return err
	}
	if isStream {
		return d.end(a.Events(out, d.event))
	}
	return d.end(a.Whole(d.whole))
}
