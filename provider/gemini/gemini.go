// Package gemini speaks Google's Gemini API (https://ai.google.dev/api/generate-content): generateContent and
// streamGenerateContent.
//
// What a prompt may hold and the API does not take is brought into its form with the least change: neighbours of one
// role become one content, empty text is left out, and a conversation that the assistant begins gets a user's content of a
// single full stop before it. Where the API names a function call by no id, one is made of the answer's id and the
// call's number.
package gemini

import (
	"context"
	"net/http"
	"strings"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

// Format names this package's state in elumenta.Opaque. Data is a thoughtSignature as it came.
const Format = "gemini"

// Provider is the Gemini API at any host that speaks it. The zero value is ready for use.
type Provider struct{}

var _ elumenta.Provider = Provider{}

// A rejection is a prompt that the API would refuse, found before it was asked. The text is for the client.
type rejection string

func (r rejection) Error() string { return string(r) }

const (
	errNoContent = rejection("the conversation is empty")
	errNotJSON   = rejection("a tool's arguments or a schema is not a JSON object")
)

var format = wire.Format{Header: header, Classify: classify}

func header(credential elumenta.Secret) http.Header {
	return http.Header{"X-Goog-Api-Key": {credential.Reveal()}}
}

// Generate makes one attempt; see elumenta.Provider.
func (Provider) Generate(ctx context.Context, t elumenta.Target, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
	body, warnings, err := encode(t, p)
	if err != nil {
		return elumenta.Completion{}, &elumenta.ProviderError{
			Kind: elumenta.KindRejected, Provider: t.Name, Reason: elumenta.RejectOther, Message: err.Error(),
		}
	}
	call := wire.Call{Format: &format, Target: t, Path: pathOf(t.Model, p.Stream), Body: body, Stream: p.Stream}
	answer, err := call.Send(ctx)
	if err != nil {
		return elumenta.Completion{Warnings: warnings}, err
	}
	defer answer.Close()
	d := decoder{answer: answer, out: wire.NewEmitter(emit)}
	d.completion.Warnings = warnings
	err = d.decode()
	return d.completion, err
}

// pathOf is the model's. An id may name its collection itself: tunedModels/name.
func pathOf(model string, stream bool) string {
	if !strings.Contains(model, "/") {
		model = "models/" + model
	}
	if stream {
		return "/v1beta/" + model + ":streamGenerateContent?alt=sse"
	}
	return "/v1beta/" + model + ":generateContent"
}
