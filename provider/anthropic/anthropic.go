// Package anthropic speaks Anthropic's Messages API (https://platform.claude.com/docs/en/api/messages), whole and streamed.
//
// What a prompt may hold and the API does not take is brought into its form with the least change: neighbours of one
// role become one message, blank text is left out, tool results come first in their message, a conversation that the
// assistant begins gets a user's message of a single full stop before it, and one that ends with the assistant's words
// loses the white space at its end.
package anthropic

import (
	"context"
	"net/http"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

// Format names this package's state in elumenta.Opaque. Data is a JSON object: the block that reasoning came in, without
// its text: {"type":"thinking","signature":…} or {"type":"redacted_thinking","data":…}.
const Format = "anthropic"

// version is the API's, sent with every request (https://platform.claude.com/docs/en/api/versioning).
const version = "2023-06-01"

// Provider is the Messages API at any host that speaks it. The zero value is ready for use.
type Provider struct{}

var _ elumenta.Provider = Provider{}

// A rejection is a prompt that the API would refuse, found before it was asked. The text is for the client.
type rejection string

func (r rejection) Error() string { return string(r) }

const (
	errNoContent = rejection("the conversation holds nothing but white space")
	errNotJSON   = rejection("a tool's arguments or a schema is not a JSON object")
)

var format = wire.Format{Header: header, Classify: classify}

func header(credential elumenta.Secret) http.Header {
	return http.Header{"X-Api-Key": {credential.Reveal()}, "Anthropic-Version": {version}}
}

// Generate makes one attempt; see elumenta.Provider.
func (Provider) Generate(ctx context.Context, t elumenta.Target, p *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
	body, warnings, err := encode(t, p)
	if err != nil {
		return elumenta.Completion{}, &elumenta.ProviderError{
			Kind: elumenta.KindRejected, Provider: t.Name, Reason: elumenta.RejectOther, Message: err.Error(),
		}
	}
	call := wire.Call{Format: &format, Target: t, Path: "/v1/messages", Body: body, Stream: p.Stream}
	answer, err := call.Send(ctx)
	if err != nil {
		return elumenta.Completion{Warnings: warnings}, err
	}
	defer answer.Close()
	d := decoder{answer: answer, out: wire.NewEmitter(emit), stops: p.Settings.Stop}
	d.completion.Warnings = warnings
	err = d.decode()
	return d.completion, err
}
