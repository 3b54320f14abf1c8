package openaiapi

// Chat is POST /v1/chat/completions and the list of models (https://platform.openai.com/docs/api-reference/chat/create). It is an
// elumenta.ModelSurface.
type Chat struct{ shape }
