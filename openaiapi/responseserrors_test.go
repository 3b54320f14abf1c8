package openaiapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"

	"github.com/elumenta/elumenta"
)

// Errors are typed as the client's are, with the names of this API's fields.
func TestResponsesErrors(t *testing.T) {
	s := newServer(t, says("Hi"))
	client := s.client()
	for name, c := range map[string]struct {
		p           responses.ResponseNewParams
		status      int
		code, param string
		says        string
	}{
		"a stored response":      {responses.ResponseNewParams{Model: "scripted", Input: asks("Hi"), Store: openai.Bool(true)}, 400, "unsupported_value", "store", "send what was said before in input"},
		"an earlier response":    {responses.ResponseNewParams{Model: "scripted", Input: asks("Hi"), PreviousResponseID: openai.String("resp_1")}, 400, "unsupported_parameter", "previous_response_id", "send what was said before in input"},
		"in the background":      {responses.ResponseNewParams{Model: "scripted", Input: asks("Hi"), Background: openai.Bool(true)}, 400, "unsupported_value", "background", "stream"},
		"a tool of OpenAI's":     {responses.ResponseNewParams{Model: "scripted", Input: asks("Hi"), Tools: []responses.ToolUnionParam{{OfWebSearch: &responses.WebSearchToolParam{Type: "web_search"}}}}, 400, "unsupported_value", "tools[0].type", "web_search"},
		"an unknown model":       {responses.ResponseNewParams{Model: "gpt-0", Input: asks("Hi")}, 404, "model_not_found", "model", "no such model"},
		"an unknown assistant":   {responses.ResponseNewParams{Prompt: responses.ResponsePromptParam{ID: string(elumenta.NewAssistantID())}, Input: asks("Hi")}, 404, "model_not_found", "model", "no such assistant"},
		"a prompt of OpenAI's":   {responses.ResponseNewParams{Prompt: responses.ResponsePromptParam{ID: "pmpt_1"}, Input: asks("Hi")}, 400, "invalid_value", "prompt.id", "import"},
		"nothing":                {responses.ResponseNewParams{Model: "scripted"}, 400, "missing_required_parameter", "input", "required"},
		"a format it cannot do":  {responses.ResponseNewParams{Model: "poor", Input: asks("Hi"), Text: responses.ResponseTextConfigParam{Format: responses.ResponseFormatTextConfigUnionParam{OfJSONObject: &openai.ResponseFormatJSONObjectParam{}}}}, 400, "invalid_value", "text.format", "text.format of type json_object"},
		"a variable without use": {responses.ResponseNewParams{Model: "scripted", Prompt: responses.ResponsePromptParam{ID: string(s.assistant(elumenta.Fields{Name: "A", Model: "scripted", Instructions: "x"}).ID), Variables: map[string]responses.ResponsePromptVariableUnionParam{"x": {OfString: openai.String("y")}}}, Input: asks("Hi")}, 400, "invalid_value", "prompt.variables.x", "not declared"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.Responses.New(t.Context(), c.p)
			e, ok := errors.AsType[*openai.Error](err)
			if !ok {
				t.Fatalf("failed with %v", err)
			}
			if e.StatusCode != c.status || e.Code != c.code || e.Param != c.param || !strings.Contains(e.Message, c.says) {
				t.Errorf("failed with %d %s", e.StatusCode, e.RawJSON())
			}
		})
	}
}

// A stream that fails half-way says so in the ways that clients look for.
func TestResponsesFailInMidStream(t *testing.T) {
	s := newServer(t, func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		if err := emit(elumenta.Event{Kind: elumenta.EventText, Text: "Hel"}); err != nil {
			return elumenta.Completion{}, err
		}
		return elumenta.Completion{}, &elumenta.ProviderError{Kind: elumenta.KindTruncated, Message: "cut"}
	})
	before := s.balance()
	client := s.client()
	stream := client.Responses.NewStreaming(t.Context(), responses.ResponseNewParams{Model: "scripted", Input: asks("Hi")})
	for stream.Next() {
		if e := stream.Current(); e.Type == "response.completed" {
			t.Error("it is completed")
		}
	}
	if err := stream.Err(); err == nil || !strings.Contains(err.Error(), "provider_error") {
		t.Errorf("the client fails with %v", err)
	}
	_, body := s.post("/v1/responses", `{"model":"scripted","input":"Hi","stream":true}`)
	events := strings.Split(strings.TrimSpace(body), "\n\n")
	last := events[len(events)-2:]
	if !strings.HasPrefix(last[0], `event: error`+"\n"+`data: {"type":"error","sequence_number":5,"code":"provider_error","message":"`) {
		t.Errorf("the error is %s", last[0])
	}
	name, data, _ := strings.Cut(last[1], "\ndata: ")
	var failed responses.ResponseFailedEvent
	if err := json.Unmarshal([]byte(data), &failed); err != nil || name != "event: response.failed" {
		t.Fatalf("the last event is %s", last[1])
	}
	if r := failed.Response; r.Status != "failed" || r.Error.Code != "server_error" || r.Error.Message == "" || outline(r.Output) != "message incomplete output_text Hel" || *ownOf(t, &r).TokensSpent != 0 {
		t.Errorf("it failed with %s", r.RawJSON())
	}
	if spent := before - s.balance(); spent != 0 {
		t.Errorf("it cost %d", spent)
	}
}

// A client that leaves ends the provider's call.
func TestResponsesAbort(t *testing.T) {
	ended := make(chan error, 1)
	s := newServer(t, func(ctx context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		err := errors.Join(emit(elumenta.Event{Kind: elumenta.EventText, Text: "Hel"}), emit(elumenta.Event{Kind: elumenta.EventPause}))
		if err == nil {
			<-ctx.Done()
			err = ctx.Err()
		}
		ended <- err
		return elumenta.Completion{}, err
	})
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	client := s.client()
	stream := client.Responses.NewStreaming(ctx, responses.ResponseNewParams{Model: "scripted", Input: asks("Hi")})
	for stream.Next() {
		if stream.Current().Type == "response.output_text.delta" {
			leave()
		}
	}
	if err := stream.Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("the client fails with %v", err)
	}
	if err := <-ended; err == nil {
		t.Error("the provider's call went on")
	}
	_ = stream.Close()
	if status, body := s.post("/v1/responses", `{"model":"sandbox","input":"Hi"}`); status != http.StatusOK {
		t.Errorf("afterwards: %d %s", status, body)
	}
}
