package elumenta

import (
	"net/url"
	"time"
)

// Surface is an API of another shape over the same pipeline: OpenAI's, Anthropic's. It decodes requests and writes answers; who asks, what
// that costs and what becomes of it is the same for all of them. It is safe for concurrent use.
type Surface interface {
	// Decode reads the body of a generate call. Its errors are of CodeBadRequest for what is no JSON, and of CodeValidation with the
	// names that the fields have in that API. It keeps nothing of the body, which is used again.
	Decode(body []byte) (*SurfaceRequest, error)
	// Error is the status and the body of an answer that is an error, in place of our own.
	Error(e *Error, id RequestID) (status int, body []byte)
}

// SurfaceRequest is what a Surface decodes. ID, RequestID, User, Idempotency and ReceivedAt of the Request are left to the caller.
type SurfaceRequest struct {
	Request
	// EndUser is whom the caller names as its own end user, at most MaxUser characters.
	EndUser string
	// Encoder writes the answer.
	Encoder Encoder
}

// Encoder writes one answer in the shape of its API. Each method appends to b and returns it, as append does, and keeps nothing of its
// arguments. Whole serves a request without Stream, the others one with it, in the order of Sink's methods.
type Encoder interface {
	// Whole appends the body of an answer in one piece.
	Whole(b []byte, a *Answer, r *Result) []byte
	// Begin appends what a stream begins with.
	Begin(b []byte, s *Started) []byte
	// Event appends one piece. It gets no EventPause.
	Event(b []byte, e Event) []byte
	// KeepAlive appends what shows a client in a silence that the stream goes on.
	KeepAlive(b []byte) []byte
	// End appends the last events.
	End(b []byte, r *Result) []byte
	// Fail appends the events of an error in mid-stream, and the stream's end.
	Fail(b []byte, e *Error, id RequestID, s *Settled) []byte
}

// Answer is an answer in one piece.
type Answer struct {
	Text      []byte // what the model says
	Refusal   []byte // what it says where it refuses, as some providers tell apart
	Reasoning []byte // what a provider shows of it
	ToolCalls []ToolCall
	// Parts say in which order all that came, and which state of the provider's belongs to what.
	Parts []AnswerPart
}

// AnswerPart is a part of an answer. Neighbours of one kind are one part, unless one of them has state of its own.
type AnswerPart struct {
	Kind     PartKind // PartText, PartRefusal, PartReasoning or PartToolCall
	from, to int      // of the bytes of its kind
	Call     int      // of a PartToolCall: which of the ToolCalls
	Opaque   *Opaque  // what the provider wants back with it; nil for nothing
}

// Add takes one event in.
func (a *Answer) Add(e Event) {
	switch e.Kind {
	case EventText:
		a.Text = a.extend(PartText, a.Text, e.Text)
	case EventRefusal:
		a.Refusal = a.extend(PartRefusal, a.Refusal, e.Text)
	case EventReasoning:
		a.Reasoning = a.extend(PartReasoning, a.Reasoning, e.Text)
	case EventToolCall:
		a.Parts = append(a.Parts, AnswerPart{Kind: PartToolCall, Call: len(a.ToolCalls)})
		a.ToolCalls = append(a.ToolCalls, ToolCall{ID: e.ID, Name: e.Name})
	case EventToolInput:
		if e.Index < len(a.ToolCalls) {
			a.ToolCalls[e.Index].Arguments += e.Text
		}
	case EventOpaque:
		a.keep(e)
	}
}

// TextOf is the text of a part that is no tool call. It is valid until the next Add.
func (a *Answer) TextOf(p *AnswerPart) []byte {
	switch p.Kind {
	case PartText:
		return a.Text[p.from:p.to]
	case PartRefusal:
		return a.Refusal[p.from:p.to]
	case PartReasoning:
		return a.Reasoning[p.from:p.to]
	}
	return nil
}

// extend adds a piece of text to the last part, or begins one with it.
func (a *Answer) extend(kind PartKind, to []byte, piece Text) []byte {
	from := len(to)
	to = append(to, piece...)
	if n := len(a.Parts); n > 0 && a.Parts[n-1].Kind == kind && a.Parts[n-1].Opaque == nil {
		a.Parts[n-1].to = len(to)
	} else {
		a.Parts = append(a.Parts, AnswerPart{Kind: kind, from: from, to: len(to)})
	}
	return to
}

// keep gives state to its part: a tool call, or what came last. State of a part that showed nothing is a part of its own.
func (a *Answer) keep(e Event) {
	if e.Opaque == nil {
		return
	}
	if e.Part == PartToolCall {
		for i := range a.Parts {
			if p := &a.Parts[i]; p.Kind == PartToolCall && p.Call == e.Index {
				p.Opaque = e.Opaque
			}
		}
		return
	}
	if n := len(a.Parts); n > 0 && a.Parts[n-1].Kind == e.Part && a.Parts[n-1].Opaque == nil {
		a.Parts[n-1].Opaque = e.Opaque
		return
	}
	p := AnswerPart{Kind: e.Part, Opaque: e.Opaque}
	switch e.Part {
	case PartText:
		p.from = len(a.Text)
	case PartReasoning:
		p.from = len(a.Reasoning)
	}
	p.to = p.from
	a.Parts = append(a.Parts, p)
}

// ParseTarget reads what such APIs call a model: an assistant's id, with @ and a version or a label or without, or a model's slug.
func ParseTarget(s string) (ref AssistantRef, slug string) {
	if ref, ok := ParseAssistantRef(s); ok {
		return ref, ""
	}
	return AssistantRef{}, s
}

// SurfaceModel is a model, or one of the caller's assistants, in a Surface's list of models.
type SurfaceModel struct {
	ID        string // what a request calls it
	Name      string
	Owner     string // the provider's name, or the word assistant
	CreatedAt time.Time
}

// ModelSurface lists models in the shape of an API. It is safe for concurrent use.
type ModelSurface interface {
	Surface
	// Models appends the body of a list of models, or of the page of it that the query asks for. Its errors are of CodeValidation.
	Models(b []byte, models []SurfaceModel, query url.Values) ([]byte, error)
	// Model appends the body of one.
	Model(b []byte, m *SurfaceModel) []byte
}
