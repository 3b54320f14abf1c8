package openaiapi

import (
	"maps"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
)

// shape answers errors as OpenAI does. Every Surface of this package has it.
type shape struct{}

// Error is an error's status and body (https://platform.openai.com/docs/guides/error-codes). Our own code and details are in the member
// elumenta: OpenAI has fewer codes.
func (shape) Error(e *elumenta.Error, _ elumenta.RequestID) (status int, body []byte) {
	f := failureOf(e)
	b := append(make([]byte, 0, 512), `{"error":`...)
	b = f.append(b)
	b = append(b, `,"elumenta":{"error":`...)
	b = appendString(b, e.Code)
	b = append(b, `,"details":`...)
	details := maps.Clone(e.Details)
	delete(details, detailCode) // is the error's own code above
	if text, err := json.Marshal(details, json.Deterministic(true)); err == nil && len(details) > 0 {
		b = append(b, text...)
	} else {
		b = append(b, "{}"...) // details are plain values
	}
	return f.status, append(b, "}}\n"...)
}

// The types of OpenAI's errors.
const (
	typeInvalidRequest = "invalid_request_error"
	typeRequests       = "requests" // of a limit on how many
	typeQuota          = "insufficient_quota"
	typeServer         = "server_error"
)

// The codes of OpenAI's errors that decoding tells apart.
const (
	codeInvalidType      = "invalid_type"
	codeInvalidValue     = "invalid_value"
	codeMissing          = "missing_required_parameter"
	codeUnsupported      = "unsupported_parameter"
	codeUnsupportedValue = "unsupported_value"
	codeTooMany          = "array_above_max_length"
)

// failure is an error as OpenAI words it. An empty code or param is null.
type failure struct {
	status                     int
	kind, code, param, message string
}

// failureOf translates an error.
func failureOf(e *elumenta.Error) failure {
	f := failure{status: http.StatusBadRequest, kind: typeInvalidRequest, code: string(e.Code), message: e.Message}
	switch e.Code {
	case elumenta.CodeBadRequest:
		f.code = ""
		switch e.Status {
		case 0:
		case http.StatusMethodNotAllowed:
			f.status, f.code = e.Status, "method_not_supported"
		default:
			f.status = e.Status
		}
	case elumenta.CodeNotAuthenticated:
		f.status, f.code = http.StatusUnauthorized, "invalid_api_key"
	case elumenta.CodeInsufficientTokens:
		f.status, f.kind, f.code = http.StatusTooManyRequests, typeQuota, typeQuota
	case elumenta.CodeInsufficientPlan, elumenta.CodeForbidden, elumenta.CodeAccountSuspended:
		f.status = http.StatusForbidden
	case elumenta.CodeNotFound:
		f.status, f.code, f.param = http.StatusNotFound, "model_not_found", "model"
		if e.Details["address"] != nil {
			f.code, f.param = "unknown_url", ""
		}
	case elumenta.CodeConflict, elumenta.CodeVersionConflict:
		f.status = http.StatusConflict
	case elumenta.CodePayloadTooLarge:
		f.status = http.StatusRequestEntityTooLarge
	case elumenta.CodeValidation:
		f.fields(e)
	case elumenta.CodeProviderRejected:
		f.rejected(e)
	case elumenta.CodeRateLimited, elumenta.CodeTooManyStreams:
		f.status, f.kind, f.code = http.StatusTooManyRequests, typeRequests, string(elumenta.CodeRateLimited)
	case elumenta.CodeProvider:
		f.status, f.kind = http.StatusBadGateway, typeServer
	case elumenta.CodeModelUnavailable, elumenta.CodeUnavailable:
		f.status, f.kind = http.StatusServiceUnavailable, typeServer
	case elumenta.CodeProviderTimeout:
		f.status, f.kind = http.StatusGatewayTimeout, typeServer
	default:
		f.status, f.kind = http.StatusInternalServerError, typeServer
	}
	return f
}

// mostNamedFields is how many bad fields a message names.
const mostNamedFields = 10

// fields says what is wrong with a request: param is the first bad field, the message names them all.
func (f *failure) fields(e *elumenta.Error) {
	f.code, _ = e.Details[detailCode].(string)
	fields, _ := e.Details["fields"].([]elumenta.FieldError)
	if len(fields) == 0 {
		return
	}
	f.param = fields[0].Field
	if f.code == "" {
		f.code = codeInvalidValue
		if fields[0].Reason == "is required" {
			f.code = codeMissing
		}
	}
	var message strings.Builder
	for i, field := range fields {
		switch {
		case i == mostNamedFields:
			message.WriteString("; and more")
			f.message = message.String()
			return
		case i > 0:
			message.WriteString("; ")
		}
		message.WriteString(field.Field + " " + field.Reason)
	}
	f.message = message.String()
}

// detailCode is where an error of decoding keeps the code of its first field.
const detailCode = "code"

// rejected says what a provider refused.
func (f *failure) rejected(e *elumenta.Error) {
	reason, _ := e.Details["reason"].(elumenta.RejectReason)
	switch reason {
	case elumenta.RejectContext:
		f.code = "context_length_exceeded"
	case elumenta.RejectContent:
		f.code = "content_policy_violation"
	case elumenta.RejectImage:
		f.code = "invalid_image"
	case elumenta.RejectState:
		f.code = "invalid_encrypted_content"
	}
}

// append appends the error object.
func (f *failure) append(b []byte) []byte {
	b = append(b, `{"message":`...)
	b = appendString(b, f.message)
	b = append(b, `,"type":`...)
	b = appendString(b, f.kind)
	b = append(b, `,"param":`...)
	b = appendOptional(b, f.param)
	b = append(b, `,"code":`...)
	b = appendOptional(b, f.code)
	return append(b, '}')
}

// appendString appends a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendString[S ~string | ~[]byte](b []byte, s S) []byte {
	b, _ = jsontext.AppendQuote(b, s) // the error only says that something was replaced
	return b
}

// appendOptional appends a JSON string, or null for an empty one.
func appendOptional[S ~string | ~[]byte](b []byte, s S) []byte {
	if len(s) == 0 {
		return append(b, "null"...)
	}
	return appendString(b, s)
}
