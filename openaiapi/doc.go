// Package openaiapi serves generations in the shapes of OpenAI's API: Chat Completions, Responses and the list of models
// (https://platform.openai.com/docs/api-reference). Its types are elumenta.Surfaces: they decode requests and write answers, and know neither
// HTTP nor providers.
//
// What a request asks for and cannot have is refused, or left out and named in a warning: nothing is dropped in silence.
package openaiapi
