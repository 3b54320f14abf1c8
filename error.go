package elumenta

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Code says to a program what went wrong. A code never changes its meaning; the contract lists them with their HTTP
// status.
type Code string

// The codes of the HTTP contract.
const (
	CodeBadRequest         Code = "bad_request"
	CodeNotAuthenticated   Code = "not_authenticated"
	CodeInsufficientTokens Code = "insufficient_tokens"
	CodeInsufficientPlan   Code = "insufficient_plan"
	CodeForbidden          Code = "forbidden"
	CodeAccountSuspended   Code = "account_suspended"
	CodeNotFound           Code = "not_found"
	CodeConflict           Code = "conflict"
	CodeVersionConflict    Code = "version_conflict"
	CodePayloadTooLarge    Code = "payload_too_large"
	CodeValidation         Code = "validation_error"
	CodeProviderRejected   Code = "provider_rejected"
	CodeRateLimited        Code = "rate_limit_exceeded"
	CodeTooManyStreams     Code = "too_many_streams"
	CodeInternal           Code = "internal_error"
	CodeProvider           Code = "provider_error"
	CodeModelUnavailable   Code = "model_unavailable"
	CodeUnavailable        Code = "service_unavailable"
	CodeProviderTimeout    Code = "provider_timeout"
)

// Error is every failure that a client may see. Message is for people and says what to do; it never holds instructions,
// conversation text, a key, a credential or SQL. Cause is for the log only.
type Error struct {
	Code    Code
	Message string
	// Details holds what a program may want to know beside the code; nil stands for an empty object.
	Details map[string]any
	// RetryAfter, when positive, is sent as the Retry-After header in whole seconds, rounded up.
	RetryAfter time.Duration
	// Limited is set with CodeRateLimited.
	Limited *Limited
	// Status overrides the code's HTTP status: 405, 406 and 415 share CodeBadRequest. Zero means the code's own.
	Status int
	// Cause is logged and never shown to a client.
	Cause error
}

// Limited says which limits a refused request ran into. A nil limit means that the plan has none of that kind.
type Limited struct {
	Plan       string
	Hour, Day  *int64
	RetryAfter time.Duration
}

// Error has the code and the message, and never the cause: it may reach a client.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Errorf makes an Error with a formatted message.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// NotFound is the one answer for what does not exist and for what the caller may not see. The two cannot be told apart.
func NotFound(kind string) *Error {
	return Errorf(CodeNotFound, "no such %s, or it is not visible to you", kind)
}

// Internal wraps a failure that is a fault of the server. Its message reveals nothing.
func Internal(cause error) *Error {
	return &Error{Code: CodeInternal, Message: "something went wrong on our side; the request id finds it in the server's log", Cause: cause}
}

// Unavailable says that the database is away or that the node is stopping.
func Unavailable(cause error) *Error {
	return &Error{Code: CodeUnavailable, Message: "the service is not available at the moment; try again", RetryAfter: time.Second, Cause: cause}
}

// AsError returns err as an *Error. Anything else becomes Internal, so that no foreign text reaches a client.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return Internal(err)
}

// HasCode reports whether err is an *Error with this code.
func HasCode(err error, code Code) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == code
}

// FieldError names one bad field by its path in the request, such as messages[2].content, and why it is bad.
type FieldError struct {
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

// Within reports whether a field is another one or a part of it: messages[1].role is within messages.
func Within(field, whole string) bool {
	rest, ok := strings.CutPrefix(field, whole)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// FieldErrors gathers every bad field of a request, so that all are listed and not only the first.
type FieldErrors []FieldError

// Add appends a field with a formatted reason, which reads on from the field's name: "is required".
func (f *FieldErrors) Add(field, format string, args ...any) {
	*f = append(*f, FieldError{Field: field, Reason: fmt.Sprintf(format, args...)})
}

// Err returns a CodeValidation error that lists the fields, or nil if there are none. At most 100 are listed.
func (f FieldErrors) Err() error {
	if len(f) == 0 {
		return nil
	}
	message := f[0].Field + " " + f[0].Reason
	if n := len(f) - 1; n > 0 {
		message += fmt.Sprintf(" (and %d more, see details.fields)", n)
	}
	return &Error{Code: CodeValidation, Message: message, Details: map[string]any{"fields": []FieldError(f[:min(len(f), 100)])}}
}
