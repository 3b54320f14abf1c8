// Package anthropicapi serves generations in the shape of Anthropic's Messages API (https://platform.claude.com/docs/en/api/messages). Messages
// is an elumenta.Surface: it decodes requests and writes answers, and knows neither HTTP nor providers.
//
// What a request asks for and cannot have is refused, or left out and named in a warning: nothing is dropped in silence. Answers and errors
// have what this server alone says in a member elumenta.
package anthropicapi
