package openaiapi

import (
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// responsesBody is a request of the Responses API.
type responsesBody struct {
	Model             string                         `json:"model"`
	Prompt            *promptReference               `json:"prompt"`
	Input             stringOr[[]inputItem]          `json:"input"`
	Instructions      string                         `json:"instructions"`
	Tools             []responsesTool                `json:"tools"`
	ToolChoice        stringOr[*responsesToolChoice] `json:"tool_choice"`
	ParallelToolCalls *bool                          `json:"parallel_tool_calls"`
	Text              *textConfig                    `json:"text"`
	Temperature       *float64                       `json:"temperature"`
	TopP              *float64                       `json:"top_p"`
	MaxOutputTokens   *int                           `json:"max_output_tokens"`
	Reasoning         *reasoningConfig               `json:"reasoning"`
	Stream            bool                           `json:"stream"`
	User              string                         `json:"user"`
	SafetyIdentifier  string                         `json:"safety_identifier"`
	PromptCacheKey    string                         `json:"prompt_cache_key"`
	Metadata          map[string]string              `json:"metadata"`
	Include           []string                       `json:"include"`
	Unknown           jsontext.Value                 `json:",embed"`
}

// promptReference names an assistant (https://platform.openai.com/docs/api-reference/responses/create#responses-create-prompt).
type promptReference struct {
	ID        string                         `json:"id"`
	Version   string                         `json:"version"`
	Variables map[string]stringOr[inputPart] `json:"variables"`
	Unknown   jsontext.Value                 `json:",embed"`
}

// inputItem is an item of a conversation; its type says which fields it has.
type inputItem struct {
	Type             string                `json:"type"`
	ID               string                `json:"id"`
	Status           string                `json:"status"`
	Role             string                `json:"role"`
	Content          stringOr[[]inputPart] `json:"content"`
	CallID           string                `json:"call_id"`
	Name             string                `json:"name"`
	Arguments        string                `json:"arguments"`
	Output           stringOr[[]inputPart] `json:"output"`
	Summary          []inputPart           `json:"summary"`
	EncryptedContent string                `json:"encrypted_content"`
	Unknown          jsontext.Value        `json:",embed"`
}

// inputPart is a part of a message, of a tool's output or of a summary.
type inputPart struct {
	Type                  string         `json:"type"`
	Text                  string         `json:"text"`
	Refusal               string         `json:"refusal"`
	ImageURL              string         `json:"image_url"`
	FileID                string         `json:"file_id"`
	Detail                string         `json:"detail"`
	Annotations           jsontext.Value `json:"annotations"`
	Logprobs              jsontext.Value `json:"logprobs"`
	PromptCacheBreakpoint jsontext.Value `json:"prompt_cache_breakpoint"`
	Unknown               jsontext.Value `json:",embed"`
}

type responsesTool struct {
	Type        string         `json:"type"`
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Parameters  jsontext.Value `json:"parameters"`
	Strict      *bool          `json:"strict"`
	Unknown     jsontext.Value `json:",embed"`
}

// responsesToolChoice is a function, or the tools that are allowed.
type responsesToolChoice struct {
	Type  string          `json:"type"`
	Name  string          `json:"name"`
	Mode  string          `json:"mode"`
	Tools []responsesTool `json:"tools"`
}

// reasoningConfig says how much the model thinks, and whether it is shown (https://platform.openai.com/docs/guides/reasoning).
type reasoningConfig struct {
	Effort          string         `json:"effort"`
	Summary         string         `json:"summary"`
	GenerateSummary string         `json:"generate_summary"` // as it was called before
	Unknown         jsontext.Value `json:",embed"`
}

type textConfig struct {
	Format  *textFormat    `json:"format"`
	Unknown jsontext.Value `json:",embed"`
}

type textFormat struct {
	Type    string         `json:"type"`
	Name    string         `json:"name"`
	Schema  jsontext.Value `json:"schema"`
	Strict  bool           `json:"strict"`
	Unknown jsontext.Value `json:",embed"`
}

// stringOr is a string or a value of another type. Null is neither.
type stringOr[T any] struct {
	text     string
	isString bool
	value    T
	given    bool // either
}

// stringOrList is the type that errors name for a stringOr of a list.
type stringOrList struct{}

// UnmarshalJSONFrom reads either. It is a json.UnmarshalerFrom.
func (s *stringOr[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case 'n':
		return dec.SkipValue()
	case '"':
		s.isString, s.given = true, true
		return json.UnmarshalDecode(dec, &s.text)
	}
	if dec.PeekKind() != '[' && reflect.TypeFor[T]().Kind() == reflect.Slice {
		return &json.SemanticError{GoType: reflect.TypeFor[stringOrList](), JSONPointer: dec.StackPointer(), ByteOffset: dec.InputOffset()}
	}
	s.given = true
	return json.UnmarshalDecode(dec, &s.value)
}
