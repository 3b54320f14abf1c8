package elumenta

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Provider speaks one wire format. It holds no credential, route, retry or price, and is safe for concurrent use.
type Provider interface {
	// Generate makes one attempt. emit is called in order, from the calling goroutine; its error ends the call and is
	// returned as it is. A nil error means that the provider said it had finished: a body that merely ends is
	// KindTruncated. Completion is as complete as known, also beside an error. Every other error is a *ProviderError.
	Generate(ctx context.Context, t Target, p *Prompt, emit func(Event) error) (Completion, error)
}

// ModelLister is a Provider whose host says which models it has.
type ModelLister interface {
	Provider
	// ListModels returns the host's own ids of its models; of the target it uses the base URL, the credential and the client. Errors are those of Generate.
	ListModels(ctx context.Context, t Target) ([]string, error)
}

// Target is one place that serves a model.
type Target struct {
	Name         string // the route, as in the configuration: "anthropic"
	BaseURL      string // without a trailing slash, as the provider's SDKs have it
	Model        string // the provider's own model id
	Credential   Secret
	Capabilities Capabilities
	Client       *http.Client
}

// PartKind says which fields of a Part are used.
type PartKind uint8

// The kinds of a part.
const (
	PartText       PartKind = iota + 1 // Text
	PartImage                          // Image
	PartToolCall                       // ToolCall
	PartToolResult                     // ToolResult
	PartReasoning                      // Text, if the provider shows any, and Opaque
	PartRefusal                        // Text
)

// Part is one piece of a turn, in no provider's format.
type Part struct {
	Kind       PartKind
	Text       Text
	Image      *Image
	ToolCall   *ToolCall
	ToolResult *ToolResult
	// Opaque is what a provider wants back with this part (a thinking signature, thoughtSignature, encrypted_content).
	// A provider of another format drops it, and with it a reasoning part.
	Opaque *Opaque
	// CacheMark says that a prompt cache should hold everything up to the end of this part. Formats without marks ignore it.
	CacheMark bool
}

// Image is given inline or by URL, never both. A URL is only ever handed on: nobody here fetches it.
type Image struct {
	MediaType string // image/png, image/jpeg, image/gif or image/webp, for Data
	Data      Text   // base64, as it came
	URL       Text   // https
}

// ToolCall is the model's wish to call a tool.
type ToolCall struct {
	ID, Name  string
	Arguments Text // JSON object
}

// ToolResult answers a ToolCall.
type ToolResult struct {
	CallID, Name string
	Content      []Part // text and images
	IsError      bool
}

// Opaque is a provider's own state, in its own format.
type Opaque struct {
	Format string // the package of the format that made it: "anthropic", "openai", "gemini"
	Data   Text
}

// TurnRole is who speaks in a turn.
type TurnRole string

// The roles of a conversation. Tool results are parts of a user's turn.
const (
	RoleOfUser      TurnRole = "user"
	RoleOfAssistant TurnRole = "assistant"
)

// Turn is what one side says.
type Turn struct {
	Role  TurnRole
	Parts []Part
}

// Tool is a function that the model may call.
type Tool struct {
	Name, Description string
	Parameters        json.RawMessage // JSON Schema
	Strict            bool
}

// ToolChoice says whether the model must call a tool. The zero value leaves it to the provider.
type ToolChoice struct {
	Mode     ToolMode
	Name     string // with ToolNamed
	Parallel *bool  // nil: the provider's default
}

// ToolMode is how free the model is to call tools.
type ToolMode string

// The modes. The empty one is the provider's default.
const (
	ToolAuto  ToolMode = "auto"
	ToolNone  ToolMode = "none"
	ToolAny   ToolMode = "any"
	ToolNamed ToolMode = "named"
)

// Settings are what a caller may set of a generation. Nil and empty mean not set, and are not sent.
type Settings struct {
	Temperature    *float64
	TopP           *float64
	MaxTokens      *int
	Stop           []string
	ResponseFormat *ResponseFormat
}

// ResponseFormat is OpenAI's response_format, for every provider
// (https://platform.openai.com/docs/guides/structured-outputs).
type ResponseFormat struct {
	Type   string          // text, json_object or json_schema
	Name   string          // with json_schema
	Schema json.RawMessage // with json_schema
	Strict bool
}

// equal reports whether two say the same; white space in a schema says nothing.
func (r *ResponseFormat) equal(other *ResponseFormat) bool {
	if r == nil || other == nil {
		return r == other
	}
	return r.Type == other.Type && r.Name == other.Name && r.Strict == other.Strict && bytes.Equal(compacted(r.Schema), compacted(other.Schema))
}

func compacted(v json.RawMessage) []byte {
	var b bytes.Buffer
	if json.Compact(&b, v) != nil {
		return v
	}
	return b.Bytes()
}

// The types of a ResponseFormat.
const (
	FormatText       = "text"
	FormatJSONObject = "json_object"
	FormatJSONSchema = "json_schema"
)

// Reasoning says whether and how much a model thinks before it answers. The zero value leaves all of that to its provider.
type Reasoning struct {
	Mode   ReasoningMode
	Effort string // minimal, low, medium, high, xhigh or max, as providers call it; empty for none given
	Budget int    // most of the provider's tokens for it; zero for none given
	// Summary asks to be shown what the model thinks: auto, concise or detailed, and SummaryNone for not; empty for the provider's default.
	Summary string
}

// ReasoningMode is whether a model thinks.
type ReasoningMode string

// The modes. The empty one is the provider's default.
const (
	ReasoningOn  ReasoningMode = "on"
	ReasoningOff ReasoningMode = "off"
)

// What Summary may ask for beside the names that are OpenAI's.
const (
	SummaryAuto = "auto"
	SummaryNone = "none"
)

// Asked reports whether anything is asked for.
func (r Reasoning) Asked() bool { return r != (Reasoning{}) }

// Tokens is how many of its tokens a model may think that takes no effort: the Budget, or what Google gives to an effort
// (https://ai.google.dev/gemini-api/docs/openai#thinking). Without either it is that of a medium effort.
func (r Reasoning) Tokens() int {
	switch {
	case r.Budget > 0:
		return r.Budget
	case r.Effort == "minimal", r.Effort == "low":
		return 1024
	case r.Effort == "high", r.Effort == "xhigh", r.Effort == "max":
		return 24576
	}
	return 8192
}

// Level is the effort, low, medium or high, of a model that takes no more; empty if neither an effort nor a budget is given.
func (r Reasoning) Level() string {
	switch {
	case r.Effort == "" && r.Budget == 0:
		return ""
	case r.Effort == "medium":
		return r.Effort
	case r.Effort == "minimal", r.Effort == "low", r.Effort == "" && r.Budget < 4096:
		return "low"
	case r.Effort == "" && r.Budget < 16384:
		return "medium"
	}
	return "high"
}

// ReasoningField is what warnings call Reasoning.
const ReasoningField = "reasoning"

// Prompt is a request in no provider's format. It is built once, never changed by a provider and used for every attempt.
type Prompt struct {
	// Instructions are the assistant's, in one or two parts that read as one text: where a variable occurs, the first
	// part ends before it and carries the cache mark. Empty for a generation without an assistant.
	Instructions []Part
	// System is the request's own system text. A provider that takes a single string gets it behind a blank line.
	System     []Part
	Turns      []Turn
	Tools      []Tool
	ToolChoice ToolChoice
	Settings   Settings
	Reasoning  Reasoning
	// CacheKey is the same for all prompts that begin with the same instructions; empty if none do.
	CacheKey string
	// User is a hash that stands for the caller's own end user; empty if the caller named none.
	User string
	// AssistantName is for the sandbox, which says whom it stands in for; other providers do not send it.
	AssistantName string
	// Stream asks the provider for a stream rather than a whole answer. Both come out as the same events.
	Stream bool
}

// WithoutState returns the prompt without what providers want back of their own, and whether there was any.
func (p *Prompt) WithoutState() (*Prompt, bool) {
	out, had := *p, false
	out.Turns = slices.Clone(p.Turns)
	for i := range out.Turns {
		t := &out.Turns[i]
		t.Parts = slices.Clone(t.Parts)
		for j := range t.Parts {
			had = had || t.Parts[j].Opaque != nil
			t.Parts[j].Opaque = nil
		}
	}
	return &out, had
}

// SystemText joins instructions and system text for providers that take a single string: the instructions byte for
// byte, then each system part behind a blank line.
func (p *Prompt) SystemText() string {
	if len(p.Instructions) == 1 && len(p.System) == 0 {
		return string(p.Instructions[0].Text)
	}
	n := 0
	for _, part := range p.Instructions {
		n += len(part.Text)
	}
	for _, part := range p.System {
		n += len(part.Text) + 2
	}
	b := make([]byte, 0, n)
	for _, part := range p.Instructions {
		b = append(b, part.Text...)
	}
	for _, part := range p.System {
		if len(b) > 0 {
			b = append(b, "\n\n"...)
		}
		b = append(b, part.Text...)
	}
	return string(b)
}

// EventKind says which fields of an Event are used.
type EventKind uint8

// The kinds of an event.
const (
	EventText      EventKind = iota + 1 // Text, never empty
	EventRefusal                        // Text, never empty
	EventReasoning                      // Text, never empty, if the provider shows any
	EventToolCall                       // Index, ID, Name: a tool call begins
	EventToolInput                      // Index, Text: a piece of its arguments, JSON
	EventOpaque                         // Part, Opaque, of a tool call Index: state of the part just sent, or of one that shows nothing
	// EventPause says that the provider's bytes so far are used up and that the next read may wait: whoever holds
	// events back to write several at once sends them now. It is emitted after other events only, and never twice running.
	EventPause
)

// Event is one piece of an answer.
type Event struct {
	Kind     EventKind
	Part     PartKind // whose state an Opaque is: PartReasoning, PartText or PartToolCall
	Index    int      // counts an answer's tool calls, from 0
	ID, Name string
	Text     Text
	Opaque   *Opaque
}

// FinishReason says why a model stopped.
type FinishReason string

// The reasons.
const (
	FinishStop          FinishReason = "stop"
	FinishLength        FinishReason = "length"
	FinishContentFilter FinishReason = "content_filter"
	FinishRefusal       FinishReason = "refusal"
	FinishToolCalls     FinishReason = "tool_calls"
)

// Usage counts a provider's tokens, normalised: PromptTokens includes the cached and written ones, CompletionTokens the
// reasoning ones, whichever way the provider counts.
type Usage struct {
	PromptTokens, CompletionTokens                  int64
	CachedTokens, CacheWriteTokens, ReasoningTokens int64
}

// TotalTokens is the sum of both sides.
func (u Usage) TotalTokens() int64 { return u.PromptTokens + u.CompletionTokens }

// Completion is what is known of an answer at its end, beside its pieces.
type Completion struct {
	Finish FinishReason
	// StopSequence is which of the prompt's ended the answer; empty where none did or the provider does not say.
	StopSequence string
	Usage        Usage
	Warnings     []Warning
	UpstreamID   string // the provider's id of the answer
	Model        string // the provider's own name of the model that answered, such as a dated one; empty where it does not say
}

// Warning names something that was left out or changed.
type Warning struct {
	Code    string `json:"code"`
	Field   string `json:"field"`
	Message string `json:"message"`
}

// The codes of a warning.
const (
	WarnUnknownField  = "unknown_field"
	WarnUnsupported   = "unsupported_setting"
	WarnClamped       = "clamped_setting"
	WarnSystemMoved   = "system_message_moved"
	WarnModelRetiring = "model_retiring"
	WarnImageDetail   = "image_detail_ignored"
	WarnStateRefused  = "reasoning_state_refused"
)

// ErrorKind tells what a retry or another route could mend.
type ErrorKind uint8

// The kinds of a provider's failure.
const (
	KindRejected    ErrorKind = iota + 1 // this input: 400, 413, 422; a retry cannot help
	KindAuth                             // our credential or account: 401, 402, 403
	KindRateLimited                      // 429
	KindOverloaded                       // 529, 503
	KindUnreachable                      // no connection, TLS failure, reset before an answer
	KindTimeout                          // 408, 504, or our own limit
	KindTruncated                        // the body ended before the provider said so
	KindMalformed                        // not the wire format: HTML, broken JSON, wrong types, a line too long
	KindFailed                           // any other failure: 500, an error event
	KindCancelled                        // none of its own: a call beside it answered first
)

var errorKinds = [...]string{"", "rejected", "auth", "rate_limited", "overloaded", "unreachable", "timeout", "truncated", "malformed", "failed", "cancelled"}

// String is the kind's name, for logs and metrics.
func (k ErrorKind) String() string {
	if int(k) < len(errorKinds) {
		return errorKinds[k]
	}
	return "unknown"
}

// RejectReason says what a provider refused.
type RejectReason string

// The reasons of KindRejected.
const (
	RejectContext RejectReason = "context_too_long"
	RejectContent RejectReason = "content"
	RejectImage   RejectReason = "image"
	RejectState   RejectReason = "state" // of an earlier answer, which another account or model of the provider gave
	RejectOther   RejectReason = "other"
)

// ProviderError is a provider's failure. It never holds the provider's text, which may quote the input.
type ProviderError struct {
	Kind     ErrorKind
	Provider string // the target's name
	Status   int    // the HTTP status, zero if there was none
	Reason   RejectReason
	// Message is our own sentence for the provider's error code.
	Message    string
	RetryAfter time.Duration
	// OneModel says that the provider refused our key, perhaps for this model alone, where Status does not: in an answer of status 200.
	OneModel bool
	// Cause is a transport's error, for the log: it holds no body.
	Cause error
}

// Error has the kind, the status and our sentence.
func (e *ProviderError) Error() string {
	return fmt.Sprintf("%s: %s (status %d): %s", e.Provider, e.Kind, e.Status, e.Message)
}

// Forbidden reports whether the provider refused our key with a 403, which may be of one model alone.
func (e *ProviderError) Forbidden() bool { return e.Status == http.StatusForbidden || e.OneModel }

// Unwrap returns the transport's error.
func (e *ProviderError) Unwrap() error { return e.Cause }
