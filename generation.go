package elumenta

import (
	"context"
	"time"
)

// Limits of a generate request, by the contract.
const (
	MaxMessages            = 2_000
	MaxParts               = 100
	MaxStops               = 4
	MaxStop                = 64
	MaxUser                = 128
	MaxTools               = 128
	MaxToolName            = 64
	MaxResponseFormat      = 64 << 10
	MaxVariableValue       = 8_000
	MaxExpandedInstruction = 512_000
)

// Request is a generation that a client asks for, whichever surface it came through. It has been checked for form, not
// against an assistant or a model.
type Request struct {
	ID         GenerationID
	RequestID  RequestID
	Assistant  AssistantRef
	Model      string // slug; "" means the assistant's
	System     []Text // the request's own system text, in order
	Turns      []Turn
	Tools      []Tool
	ToolChoice ToolChoice
	Settings   Settings
	Reasoning  Reasoning
	Stream     bool
	// ShowsReasoning says that the answer's shape has a place for what a model thinks and for its provider's state. Without it neither reaches the Sink.
	ShowsReasoning bool
	Variables      map[string]string
	User           UserHash // zero if the caller named none
	Idempotency    *Idempotency
	Warnings       []Warning // what decoding left out
	ReceivedAt     time.Time
}

// Snapshot is one version of an assistant as a generation uses it. It never changes.
type Snapshot struct {
	ID           AssistantID
	Owner        AccountID
	Version      int
	Revision     int64 // of the assistant, when this was read
	Name         string
	Model        string
	Instructions Text
	Settings     Settings
	Variables    []Variable
}

// UserHash stands for a caller's end user: an HMAC under a secret of the installation. The zero value means none.
type UserHash [32]byte

// Assistants resolves a reference, in one place, to a snapshot. What the viewer may not use is CodeNotFound.
type Assistants interface {
	// Resolve reads the newest version, or the one that ref pins. Labels are not its business.
	Resolve(ctx context.Context, viewer AccountID, ref AssistantRef) (*Snapshot, error)
	// ResolveLabel reads what a label of the owner's assistant stands for, and the assistant's revision then.
	ResolveLabel(ctx context.Context, owner AccountID, id AssistantID, label string) (l *Label, revision int64, err error)
}

// Started is what is known when an answer begins.
type Started struct {
	ID        GenerationID
	Assistant AssistantID // "" without one
	Version   int
	Model     string
	CreatedAt time.Time
	Rate      RateState
	// Sunset is when the model retires; zero if that is not known.
	Sunset time.Time
}

// CacheStatus says what came of the provider's prompt cache.
type CacheStatus string

// The states, by the contract.
const (
	CacheHit          CacheStatus = "hit"
	CacheWritten      CacheStatus = "written"
	CacheMiss         CacheStatus = "miss"
	CacheBelowMinimum CacheStatus = "below_minimum"
	CacheUnsupported  CacheStatus = "unsupported"
)

// CacheReason says why nothing was read from a prompt cache: it goes with CacheMiss and CacheWritten.
type CacheReason string

// The reasons, by the contract.
const (
	// CacheFirst: this node has not seen this beginning before, so that no hit was due.
	CacheFirst CacheReason = "first"
	// CachePrefixBelowMinimum: what the calls of an assistant share is too short for the cache, so that no hit was due.
	CachePrefixBelowMinimum CacheReason = "prefix_below_minimum"
	CacheExpired            CacheReason = "expired"
	CachePrefixChanged      CacheReason = "prefix_changed"
	CacheOtherUpstream      CacheReason = "other_upstream"
	CacheReasonUnknown      CacheReason = "unknown"
)

// Due reports whether a hit could have been expected.
func (r CacheReason) Due() bool {
	return r != "" && r != CacheFirst && r != CachePrefixBelowMinimum
}

// CacheStatusOf compares usage with what the model's cache asks for. shape is the prompt's: a cache that wants marks holds
// nothing behind the last one.
func CacheStatusOf(u Usage, c Capabilities, shape PromptShape) CacheStatus {
	cacheable := u.PromptTokens
	if c.Cache == CacheMarks {
		cacheable = shape.tokens(shape.Marked, u)
	}
	switch {
	case u.CachedTokens > 0:
		return CacheHit
	case u.CacheWriteTokens > 0:
		return CacheWritten
	case c.Cache == CacheNone:
		return CacheUnsupported
	case cacheable == 0 || cacheable < int64(c.CacheMinimum):
		return CacheBelowMinimum
	}
	return CacheMiss
}

// Result is the end of an answer. It exists only once the charge is durable.
type Result struct {
	Started
	Finish       FinishReason
	StopSequence string // that of the Completion
	Usage        Usage
	CacheStatus  CacheStatus
	CacheReason  CacheReason // "" unless the status is CacheMiss or CacheWritten
	CacheMinimum int
	Settled      Settled
	Warnings     []Warning
	// Attempts are the calls of providers that the answer took, the one that gave it last.
	Attempts []Attempt
	// Gateway and Provider say where the time went.
	Gateway, Provider time.Duration
}

// Sink is one way of answering: whole, as a stream, or in another API's shape. Its methods are called one at a time.
// Exactly one of End and Fail is called, last. What Open and End are given is the sink's to read until then.
type Sink interface {
	// Open is called at the first piece of output, at the provider's end, or after a silence, whichever is first; a piece,
	// the end or Flush follows at once. It is not called for a request that fails before.
	Open(s *Started) error
	// Event passes one piece on, to be held back until Flush. It gets no EventPause.
	Event(Event) error
	// Restart is called of a request without Stream before another route is asked: what came so far is not the answer.
	Restart()
	// Flush writes what was held back, at every pause of the provider's and after some kilobytes without one, and reports whether
	// that was anything: not every event shows in every API, or shows at once.
	Flush() (written bool, err error)
	// KeepAlive is called after each silence once Open was called.
	KeepAlive() error
	// End finishes the answer. It is only called when the charge is durable.
	End(r *Result) error
	// Fail answers an error: an HTTP error before Open, an error event after it.
	Fail(e *Error, s Settled) error
}
