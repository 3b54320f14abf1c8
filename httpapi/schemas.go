package httpapi

import (
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/elumenta/elumenta"
)

// The types of this file that end in Doc describe bodies in the OpenAPI document; the readers in assistantbody.go and
// generatebody.go decode them, and a test holds the two together.

type createAssistantDoc struct {
	Name           string              `json:"name" minLength:"1" maxLength:"100" doc:"A single line without control characters."`
	Model          string              `json:"model" doc:"A slug of the catalog."`
	Instructions   string              `json:"instructions" minLength:"1" maxLength:"256000"`
	Description    *string             `json:"description,omitempty" maxLength:"512" nullable:"true" doc:"Not empty to publish."`
	Category       *string             `json:"category,omitempty" nullable:"true" doc:"A category's slug; required to publish."`
	Visibility     *string             `json:"visibility,omitempty" enum:"private,marketplace" nullable:"true"`
	Temperature    *float64            `json:"temperature,omitempty" minimum:"0" maximum:"2" nullable:"true"`
	MaxTokens      *int                `json:"max_tokens,omitempty" minimum:"1" nullable:"true"`
	ResponseFormat *responseFormatView `json:"response_format,omitempty"`
	Variables      []newVariableDoc    `json:"variables,omitempty" maxItems:"32" nullable:"true"`
	Metadata       map[string]string   `json:"metadata,omitempty" nullable:"true" doc:"At most 16 pairs; keys of 64 and values of 512 characters."`
	Copyable       *bool               `json:"copyable,omitempty" nullable:"true" default:"false" doc:"Whether others may copy it once it is published, and so read its instructions."`
}

type updateAssistantDoc struct {
	Name           string              `json:"name,omitempty" minLength:"1" maxLength:"100" doc:"A single line without control characters."`
	Model          string              `json:"model,omitempty" doc:"A slug of the catalog."`
	Instructions   string              `json:"instructions,omitempty" minLength:"1" maxLength:"256000"`
	Description    *string             `json:"description,omitempty" maxLength:"512" nullable:"true"`
	Category       *string             `json:"category,omitempty" nullable:"true"`
	Visibility     *string             `json:"visibility,omitempty" enum:"private,marketplace" nullable:"true"`
	Temperature    *float64            `json:"temperature,omitempty" minimum:"0" maximum:"2" nullable:"true"`
	MaxTokens      *int                `json:"max_tokens,omitempty" minimum:"1" nullable:"true"`
	ResponseFormat *responseFormatView `json:"response_format,omitempty"`
	Variables      []newVariableDoc    `json:"variables,omitempty" maxItems:"32" nullable:"true"`
	Metadata       map[string]string   `json:"metadata,omitempty" nullable:"true"`
	Copyable       *bool               `json:"copyable,omitempty" nullable:"true"`
	Note           *string             `json:"note,omitempty" maxLength:"200" nullable:"true" doc:"The new version's line in the list of versions."`
}

type importAssistantDoc struct {
	Visibility *string            `json:"visibility,omitempty" enum:"private,marketplace" nullable:"true"`
	Versions   []importVersionDoc `json:"versions" minItems:"1" maxItems:"10000" nullable:"false" doc:"The oldest first; the last one is the newest. At most 1,000 beside those that change nothing but visibility."`
}

type importVersionDoc struct {
	Version        int                 `json:"version" minimum:"1" maximum:"1000000" doc:"Its number, higher than that of the version before; where one was withdrawn there is a gap."`
	CreatedAt      *time.Time          `json:"created_at,omitempty" nullable:"true" doc:"When it was saved; required for all but the newest, and never before that of the version before."`
	Note           *string             `json:"note,omitempty" maxLength:"200" nullable:"true"`
	Public         *bool               `json:"public,omitempty" nullable:"true" default:"false" doc:"Whether others may pin it; it needs what publishing needs. The newest is public if the assistant is published."`
	Name           string              `json:"name" minLength:"1" maxLength:"100" doc:"A single line without control characters."`
	Model          string              `json:"model" doc:"A slug; that of the newest version must be in the catalog."`
	Instructions   string              `json:"instructions" minLength:"1" maxLength:"256000"`
	Description    *string             `json:"description,omitempty" maxLength:"512" nullable:"true"`
	Category       *string             `json:"category,omitempty" nullable:"true"`
	Temperature    *float64            `json:"temperature,omitempty" minimum:"0" maximum:"2" nullable:"true"`
	MaxTokens      *int                `json:"max_tokens,omitempty" minimum:"1" nullable:"true"`
	ResponseFormat *responseFormatView `json:"response_format,omitempty"`
	Variables      []newVariableDoc    `json:"variables,omitempty" maxItems:"32" nullable:"true"`
	Metadata       map[string]string   `json:"metadata,omitempty" nullable:"true"`
	Copyable       *bool               `json:"copyable,omitempty" nullable:"true"`
}

type newVariableDoc struct {
	Name        string  `json:"name" pattern:"^[a-z][a-z0-9_]{0,31}$" doc:"Written {{name}} in the instructions."`
	Description *string `json:"description,omitempty" maxLength:"512" nullable:"true"`
	Default     *string `json:"default,omitempty" maxLength:"8000" nullable:"true" doc:"Not together with required."`
	Required    *bool   `json:"required,omitempty" nullable:"true"`
}

type createKeyDoc struct {
	Name string `json:"name" minLength:"1" maxLength:"100"`
	KeyLimitsDoc
}

type updateKeyDoc struct {
	Name string `json:"name,omitempty" minLength:"1" maxLength:"100"`
	KeyLimitsDoc
}

// KeyLimitsDoc is what a key may be limited to.
type KeyLimitsDoc struct {
	ReadOnly   *bool      `json:"read_only,omitempty" nullable:"true" default:"false" doc:"Not together with assistants, models or budget."`
	Assistants []string   `json:"assistants,omitempty" minItems:"1" maxItems:"100" uniqueItems:"true" nullable:"true" doc:"Ids of what it may generate with, and then with nothing else."`
	Models     []string   `json:"models,omitempty" minItems:"1" maxItems:"100" uniqueItems:"true" nullable:"true" doc:"Slugs of what it may generate with."`
	Budget     *int64     `json:"budget,omitempty" minimum:"0" maximum:"1000000000000" nullable:"true" doc:"How many tokens it may spend in all, counted while it has a budget. What was counted is never set back: raise the budget to allow more."`
	ExpiresAt  *time.Time `json:"expires_at,omitempty" nullable:"true" doc:"In the future."`
}

type displayNameDoc struct {
	DisplayName string `json:"display_name" minLength:"1" maxLength:"100"`
}

type newAccountDoc struct {
	DisplayName string  `json:"display_name" minLength:"1" maxLength:"100"`
	Plan        string  `json:"plan"`
	Role        *string `json:"role,omitempty" enum:"user,admin" nullable:"true" doc:"user by default."`
}

type updateAccountDoc struct {
	DisplayName string `json:"display_name,omitempty" minLength:"1" maxLength:"100"`
	Role        string `json:"role,omitempty" enum:"user,admin"`
}

type setPlanDoc struct {
	Plan      string     `json:"plan"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" nullable:"true" doc:"When the account falls back to the least plan, in the future; null for never."`
	Reason    *string    `json:"reason,omitempty" maxLength:"200" nullable:"true" doc:"Your own words for the audit trail; a single line."`
}

type topupDoc struct {
	Tokens int64   `json:"tokens" minimum:"1" maximum:"1000000000000"`
	Reason *string `json:"reason,omitempty" maxLength:"200" nullable:"true" doc:"Your own words for the journal and the audit trail; a single line."`
}

type reasonDoc struct {
	Reason *string `json:"reason,omitempty" maxLength:"200" nullable:"true" doc:"Your own words for the audit trail; a single line."`
}

type unpublishDoc struct {
	Reason string `json:"reason" minLength:"1" maxLength:"200" doc:"Your own words, which the author reads; a single line."`
}

type copyAssistantDoc struct {
	Version *int    `json:"version,omitempty" minimum:"1" nullable:"true" doc:"Which version to copy, one that you may pin; the newest if it is left out."`
	Name    *string `json:"name,omitempty" minLength:"1" maxLength:"100" nullable:"true" doc:"The copy's name; the original's if it is left out."`
}

type newLabelDoc struct {
	Version int         `json:"version,omitempty" minimum:"1" doc:"The one version that the label stands for; or else split."`
	Split   []shareView `json:"split,omitempty" minItems:"1" maxItems:"10" nullable:"false"`
}

type newReportDoc struct {
	Reason  string  `json:"reason" enum:"spam,harmful,illegal,impersonation,copyright,sexual,other"`
	Comment *string `json:"comment,omitempty" maxLength:"1000" nullable:"true" doc:"Your own words; only operators read them."`
}

// responseFormatView is OpenAI's response_format.
type responseFormatView struct {
	Type       string          `json:"type"`
	JSONSchema *jsonSchemaView `json:"json_schema,omitempty"`
}

type jsonSchemaView struct {
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema"`
	Strict bool            `json:"strict"`
}

// Schema describes the type to huma, which would not let a reference be null.
func (responseFormatView) Schema(r huma.Registry) *huma.Schema {
	schema := component(r, "JSONSchema", []string{"name", "schema"}, map[string]*huma.Schema{
		"name":   {Type: huma.TypeString, Pattern: "^[a-zA-Z0-9_-]{1,64}$"},
		"schema": {Type: huma.TypeObject, Description: "JSON Schema, of at most 64 KiB.", AdditionalProperties: true},
		"strict": {Type: huma.TypeBoolean, Nullable: true},
	})
	return orNull(component(r, "ResponseFormat", []string{"type"}, map[string]*huma.Schema{
		"type":        {Type: huma.TypeString, Enum: []any{elumenta.FormatText, elumenta.FormatJSONObject, elumenta.FormatJSONSchema}},
		"json_schema": schema,
	}))
}

// component keeps an object as a component and refers to it.
func component(r huma.Registry, name string, required []string, properties map[string]*huma.Schema) *huma.Schema {
	r.Map()[name] = &huma.Schema{Type: huma.TypeObject, Required: required, Properties: properties, AdditionalProperties: false}
	return &huma.Schema{Ref: "#/components/schemas/" + name}
}

func orNull(s *huma.Schema) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{s, {Type: "null"}}}
}

type generateRequestDoc struct {
	_              struct{}            `additionalProperties:"true"` // left out, with a warning
	AssistantID    *string             `json:"assistant_id,omitempty" nullable:"true" doc:"Whose instructions to use: asst_…, or asst_…@3 to pin version 3."`
	Model          *string             `json:"model,omitempty" nullable:"true" doc:"A slug of the catalog; required without an assistant, overrides the assistant's with one."`
	Messages       []messageDoc        `json:"messages,omitempty" maxItems:"2000" nullable:"true"`
	Prompt         *string             `json:"prompt,omitempty" minLength:"1" nullable:"true" doc:"One user message, after messages if both are given."`
	System         *string             `json:"system,omitempty" nullable:"true" doc:"A first system message."`
	Stream         *bool               `json:"stream,omitempty" nullable:"true" default:"false"`
	Temperature    *float64            `json:"temperature,omitempty" nullable:"true" doc:"Brought to the model's limits, with a warning."`
	MaxTokens      *int                `json:"max_tokens,omitempty" minimum:"1" nullable:"true"`
	TopP           *float64            `json:"top_p,omitempty" minimum:"0" maximum:"1" nullable:"true"`
	Stop           *stopDoc            `json:"stop,omitempty"`
	ResponseFormat *responseFormatView `json:"response_format,omitempty"`
	Variables      map[string]string   `json:"variables,omitempty" nullable:"true" doc:"Values, of at most 8,000 characters, for the variables that the assistant declares."`
	User           *string             `json:"user,omitempty" maxLength:"128" nullable:"true" doc:"An opaque id of your own end user, only ever used hashed."`
	Params         *paramsDoc          `json:"params,omitempty"`
}

type paramsDoc struct {
	_            struct{}     `additionalProperties:"true"` // as above
	SystemPrompt *string      `json:"system_prompt,omitempty" nullable:"true"`
	Temperature  *float64     `json:"temperature,omitempty" nullable:"true"`
	MaxTokens    *int         `json:"max_tokens,omitempty" minimum:"1" nullable:"true"`
	Messages     []messageDoc `json:"messages,omitempty" maxItems:"2000" nullable:"true"`
}

type messageDoc struct {
	Role    string     `json:"role" enum:"system,user,assistant"`
	Content contentDoc `json:"content"`
}

type stopDoc struct{}

// Schema describes a string or a list of them.
func (stopDoc) Schema(huma.Registry) *huma.Schema {
	least, most, items := 1, elumenta.MaxStop, elumenta.MaxStops
	one := &huma.Schema{Type: huma.TypeString, MinLength: &least, MaxLength: &most}
	return &huma.Schema{OneOf: []*huma.Schema{one, {Type: huma.TypeArray, MaxItems: &items, Items: one}, {Type: "null"}}}
}

type contentDoc struct{}

// Schema describes a text or a list of parts.
func (contentDoc) Schema(r huma.Registry) *huma.Schema {
	least, most := 1, elumenta.MaxParts
	text := &huma.Schema{Type: huma.TypeString, MinLength: &least}
	url := &huma.Schema{Type: huma.TypeString, Description: "data:image/png;base64,… (PNG, JPEG, GIF or WebP) or https://… of a public host, which is only handed on to a provider that fetches by itself."}
	image := component(r, "Image", []string{"url"}, map[string]*huma.Schema{
		"url": url, "detail": {Type: huma.TypeString, Nullable: true, Description: "Left out, with a warning."},
	})
	part := func(name, field string, value *huma.Schema) *huma.Schema {
		kind := &huma.Schema{Type: huma.TypeString, Enum: []any{field}}
		return component(r, name, []string{"type", field}, map[string]*huma.Schema{"type": kind, field: value})
	}
	parts := &huma.Schema{OneOf: []*huma.Schema{part("TextPart", "text", text), part("ImagePart", "image_url", image)}}
	return &huma.Schema{OneOf: []*huma.Schema{text, {Type: huma.TypeArray, MinItems: &least, MaxItems: &most, Items: parts}}}
}

type generationDoc struct {
	ID               string                 `json:"id" pattern:"^gen_[0-9a-hjkmnp-tv-z]{26}$"`
	Status           string                 `json:"status" enum:"completed"`
	AssistantID      *string                `json:"assistant_id" doc:"null without an assistant."`
	AssistantVersion *int                   `json:"assistant_version"`
	Model            string                 `json:"model"`
	Content          string                 `json:"content"`
	FinishReason     string                 `json:"finish_reason" enum:"stop,length,content_filter,refusal"`
	TokensSpent      int64                  `json:"tokens_spent" doc:"The price, in tokens of your balance."`
	BalanceRemaining *int64                 `json:"balance_remaining" doc:"null on an unlimited plan, and for a key that is limited to assistants, models or a budget."`
	Usage            generationUsageDoc     `json:"usage"`
	Attempts         []attemptDoc           `json:"attempts" nullable:"false" doc:"The calls of providers that the answer took, the one that gave it last."`
	Warnings         []generationWarningDoc `json:"warnings" nullable:"false"`
	CreatedAt        time.Time              `json:"created_at"`
}

type generationUsageDoc struct {
	PromptTokens     int64    `json:"prompt_tokens" doc:"The provider's tokens, the cached ones included."`
	CompletionTokens int64    `json:"completion_tokens"`
	TotalTokens      int64    `json:"total_tokens"`
	CachedTokens     int64    `json:"cached_tokens"`
	CacheWriteTokens int64    `json:"cache_write_tokens"`
	ReasoningTokens  int64    `json:"reasoning_tokens"`
	Cache            cacheDoc `json:"cache"`
}

type cacheDoc struct {
	Status  string `json:"status" enum:"hit,written,miss,below_minimum,unsupported"`
	Reason  string `json:"reason,omitempty" enum:"first,prefix_below_minimum,expired,prefix_changed,other_upstream,unknown" doc:"Why nothing was read, with miss and written, as far as the node that answered can know. A hit was due with all but the first two."`
	Minimum int    `json:"minimum" doc:"The smallest prompt that the provider caches."`
}

type attemptDoc struct {
	Provider   string  `json:"provider"`
	Region     string  `json:"region,omitempty"`
	Error      *string `json:"error" doc:"Why it failed (auth, rate_limited, overloaded, unreachable, timeout, truncated, malformed, failed; rejected where the state of an earlier answer was; cancelled, where another call began to answer first); null for the one that gave the answer."`
	DurationMS int64   `json:"duration_ms"`
}

type generationWarningDoc struct {
	Code    string `json:"code" enum:"unknown_field,unsupported_setting,clamped_setting,system_message_moved,model_retiring,image_detail_ignored,reasoning_state_refused"`
	Field   string `json:"field"`
	Message string `json:"message"`
}

type generationStartDoc struct {
	Type             string    `json:"type" enum:"generation_start"`
	ID               string    `json:"id"`
	AssistantID      *string   `json:"assistant_id"`
	AssistantVersion *int      `json:"assistant_version"`
	Model            string    `json:"model"`
	CreatedAt        time.Time `json:"created_at"`
}

type contentDeltaDoc struct {
	Type  string `json:"type" enum:"content_delta"`
	Delta string `json:"delta" minLength:"1"`
}

type generationEndDoc struct {
	Type             string                 `json:"type" enum:"generation_end"`
	ID               string                 `json:"id"`
	FinishReason     string                 `json:"finish_reason" enum:"stop,length,content_filter,refusal"`
	TokensUsed       int64                  `json:"tokens_used"`
	BalanceRemaining *int64                 `json:"balance_remaining"`
	Usage            generationUsageDoc     `json:"usage"`
	Attempts         []attemptDoc           `json:"attempts" nullable:"false" doc:"The calls of providers that the answer took, the one that gave it last."`
	Warnings         []generationWarningDoc `json:"warnings" nullable:"false"`
}

type streamErrorDoc struct {
	Type        string         `json:"type" enum:"error"`
	Error       string         `json:"error"`
	Message     string         `json:"message"`
	Details     map[string]any `json:"details"`
	RequestID   string         `json:"request_id"`
	TokensSpent int64          `json:"tokens_spent"`
}

type streamEventDoc struct{}

// Schema describes the JSON of one data: line.
func (streamEventDoc) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{
		Description: "The JSON of one data: line. The last line is data: [DONE]. Lines that begin with a colon are comments that keep the connection open.",
		OneOf:       []*huma.Schema{schemaOf[generationStartDoc](r), schemaOf[contentDeltaDoc](r), schemaOf[generationEndDoc](r), schemaOf[streamErrorDoc](r)},
	}
}
