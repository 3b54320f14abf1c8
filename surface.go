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
