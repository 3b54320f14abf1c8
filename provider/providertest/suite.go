// Package providertest is the suite that every wire format passes. It plays recorded exchanges byte for byte, whole, in
// random pieces and broken off at every byte, and the failures that any provider can have. What a recording says is
// worked out by a simple decoder that shares nothing with the one under test.
package providertest

import (
	"encoding/json"
	"testing"

	"github.com/elumenta/elumenta"
)

// Suite describes a wire format to the tests.
type Suite struct {
	Provider elumenta.Provider
	// Serves reports whether a recording belongs to the format, by its URL's path.
	Serves func(path string) bool
	// BaseURL makes a Target.BaseURL from a server's URL, "http://127.0.0.1:1234". Nil takes it as it is.
	BaseURL func(server string) string
	// Model of the target; "test-model" if empty.
	Model string
	// Capabilities of the target. The zero value takes text only.
	Capabilities elumenta.Capabilities
	// Expect says what a body, perhaps cut short, stands for. Use Data to take a stream apart.
	Expect func(body []byte, stream bool) Expectation
	// ErrorBody is the body of an error response with this text where the provider writes its own.
	ErrorBody func(message string) string
	// ErrorEvents are streams that hold an error event; %s stands for the provider's text.
	ErrorEvents []string
	// Cases are exchanges that are special to the format. At least one is a whole stream with some text and one a whole
	// answer: the suite breaks those two in many ways.
	Cases []Case
	// EitherMode says that the format takes a stream where a whole answer was asked for, and the reverse.
	EitherMode bool
}

// Case is a made-up response and what should come of it.
type Case struct {
	Name   string
	Stream bool
	// ContentType is by default text/event-stream or application/json, as Stream has it.
	ContentType string
	// Status is 200 by default.
	Status int
	Body   string
	// Want is compared if Kind is zero.
	Want Expectation
	// Kind and Reason of the error that is wanted.
	Kind   elumenta.ErrorKind
	Reason elumenta.RejectReason
	// OneModel is wanted of the error if it is set.
	OneModel bool
}

// Expectation is what an answer should come to.
type Expectation struct {
	// Finished says that the body says so itself. All else is compared only then.
	Finished                 bool
	Text, Reasoning, Refusal string
	ToolCalls                []elumenta.ToolCall
	Finish                   elumenta.FinishReason
	Usage                    elumenta.Usage
	UpstreamID, Model        string
}

// Run plays everything.
func Run(t *testing.T, s Suite) {
	t.Helper()
	t.Run("Cases", func(t *testing.T) { runCases(t, s) })
	t.Run("Recordings", func(t *testing.T) { runRecordings(t, s) })
	t.Run("Broken", func(t *testing.T) { runBroken(t, s) })
	t.Run("Failures", func(t *testing.T) { runFailures(t, s) })
	t.Run("Cancel", func(t *testing.T) { runCancel(t, s) })
	t.Run("Emit", func(t *testing.T) { runEmit(t, s) })
	t.Run("Kept", func(t *testing.T) { runKept(t, s) })
}

// target is where a client finds the format's provider.
func (s Suite) target(server string) elumenta.Target {
	if s.BaseURL != nil {
		server = s.BaseURL(server)
	}
	model := s.Model
	if model == "" {
		model = "test-model"
	}
	return elumenta.Target{
		Name: "test", BaseURL: server, Model: model,
		Credential: elumenta.NewSecret(credential), Capabilities: s.Capabilities,
	}
}

const credential = "canary-credential-5f1d"

// Ask is a small prompt.
func Ask(stream bool) *elumenta.Prompt {
	return &elumenta.Prompt{
		Instructions: []elumenta.Part{{Kind: elumenta.PartText, Text: "You are a helpful assistant"}},
		Turns: []elumenta.Turn{{
			Role:  elumenta.RoleOfUser,
			Parts: []elumenta.Part{{Kind: elumenta.PartText, Text: "Say hi in Portuguese"}},
		}},
		Stream: stream,
	}
}

// withTools gives the prompt a tool: an exchange with tool calls answers a request that has some.
func withTools(p *elumenta.Prompt) *elumenta.Prompt {
	p.Tools = []elumenta.Tool{{
		Name: "weather", Description: "Get weather information for a location",
		Parameters: json.RawMessage(`{"type":"object","properties":{"location":{"type":"string"}},"required":["location"]}`),
	}}
	return p
}

// sample returns the first case of a mode that finishes.
func (s Suite) sample(t *testing.T, stream bool) Case {
	t.Helper()
	for _, c := range s.Cases {
		if c.Stream == stream && c.Kind == 0 && c.ContentType == "" && c.Want.Text != "" {
			return c
		}
	}
	t.Fatalf("Suite.Cases has no finished case with text and Stream %t", stream)
	return Case{}
}

// RunCases plays the suite's cases only.
func RunCases(t *testing.T, s Suite) {
	t.Helper()
	runCases(t, s)
}
