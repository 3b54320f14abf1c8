package openaiapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"

	"github.com/elumenta/elumenta"
)

// input is a conversation of items.
func input(items ...responses.ResponseInputItemUnionParam) responses.ResponseNewParamsInputUnion {
	return responses.ResponseNewParamsInputUnion{OfInputItemList: items}
}

// outputs is what a function answered.
func outputs(callID, text string) responses.ResponseInputItemUnionParam {
	item := responses.ResponseInputItemParamOfFunctionCallOutput(text)
	item.OfFunctionCallOutput.CallID = openai.String(callID)
	return item
}

// asks is an input of one text.
func asks(text string) responses.ResponseNewParamsInputUnion {
	return responses.ResponseNewParamsInputUnion{OfString: openai.String(text)}
}

// emits is a provider that answers with events.
func emits(finish elumenta.FinishReason, events ...elumenta.Event) script {
	return func(_ context.Context, _ *elumenta.Prompt, emit func(elumenta.Event) error) (elumenta.Completion, error) {
		for _, e := range events {
			if err := emit(e); err != nil {
				return elumenta.Completion{}, err
			}
		}
		end := done
		end.Finish = finish
		return end, nil
	}
}

// callsTool is a call of a function whose arguments come in two pieces.
func callsTool(index int, id, name string, arguments ...elumenta.Text) []elumenta.Event {
	events := []elumenta.Event{{Kind: elumenta.EventToolCall, Index: index, ID: id, Name: name}}
	for _, piece := range arguments {
		events = append(events, elumenta.Event{Kind: elumenta.EventToolInput, Index: index, Text: piece})
	}
	return events
}

// own is the member elumenta of a response.
type own struct {
	GenerationID     string             `json:"generation_id"`
	AssistantID      *string            `json:"assistant_id"`
	AssistantVersion *int               `json:"assistant_version"`
	Model            string             `json:"model"`
	TokensSpent      *int               `json:"tokens_spent"`
	Warnings         []elumenta.Warning `json:"warnings"`
}

func ownOf(t *testing.T, r *responses.Response) own {
	t.Helper()
	var o struct {
		Elumenta own `json:"elumenta"`
	}
	if err := json.Unmarshal([]byte(r.RawJSON()), &o); err != nil {
		t.Fatal(err)
	}
	return o.Elumenta
}

// warned are the fields that warnings name.
func (o own) warned() string {
	fields := make([]string, len(o.Warnings))
	for i, w := range o.Warnings {
		fields[i] = w.Field
	}
	return strings.Join(fields, " ")
}

// told is a prompt's text, a line each turn.
func told(p *elumenta.Prompt) string {
	var b strings.Builder
	for _, turn := range p.Turns {
		fmt.Fprintf(&b, "%s:", turn.Role)
		for _, part := range turn.Parts {
			switch part.Kind {
			case elumenta.PartToolCall:
				fmt.Fprintf(&b, " call %s %s %s", part.ToolCall.ID, part.ToolCall.Name, string(part.ToolCall.Arguments))
			case elumenta.PartToolResult:
				fmt.Fprintf(&b, " result %s %s", part.ToolResult.CallID, part.ToolResult.Name)
				for _, c := range part.ToolResult.Content {
					fmt.Fprintf(&b, " %s", string(c.Text))
				}
			case elumenta.PartImage:
				fmt.Fprintf(&b, " image %s%s", part.Image.MediaType, string(part.Image.URL))
			case elumenta.PartRefusal:
				fmt.Fprintf(&b, " refusal %s", string(part.Text))
			default:
				fmt.Fprintf(&b, " %s", string(part.Text))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
