package main

import (
	"github.com/elumenta/elumenta/anthropicapi"
	"github.com/elumenta/elumenta/httpapi"
	"github.com/elumenta/elumenta/openaiapi"
)

// surfaces are the APIs of other shapes.
func surfaces() []httpapi.SurfaceRoute {
	return []httpapi.SurfaceRoute{
		{
			Path: "/v1/chat/completions", Surface: openaiapi.Chat{}, ID: "create-chat-completion",
			Summary: "Generate as OpenAI's Chat Completions", Reference: "https://platform.openai.com/docs/api-reference/chat/create",
		},
		{
			Path: "/v1/responses", Surface: openaiapi.Responses{}, ID: "create-response",
			Absent: map[string]string{
				"/v1/responses":     "no response is kept here: send what was said before in input",
				"/v1/conversations": "no conversation is kept here: send what was said before in input",
				"/v1/threads":       "there are no threads and runs: send what was said before to /v1/responses, in input",
				"/v1/assistants":    "assistants are at /api/v2/assistants; elumenta import --format openai makes them of OpenAI's",
			},
			Summary: "Generate as OpenAI's Responses", Reference: "https://platform.openai.com/docs/api-reference/responses/create",
		},
		{
			Path: "/v1/messages", Surface: anthropicapi.Messages{}, RequestIDHeader: "Request-Id", ModelsHeader: "Anthropic-Version", ID: "create-message",
			Absent: map[string]string{
				"/v1/messages/count_tokens": "tokens are not counted before a call: each provider counts in its own way, with an assistant's instructions; an answer's usage says how many there were",
				"/v1/messages/batches":      "there are no batches: send a request for each answer",
			},
			Summary: "Generate as Anthropic's Messages", Reference: "https://platform.claude.com/docs/en/api/messages/create",
		},
	}
}
