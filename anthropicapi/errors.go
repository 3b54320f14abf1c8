package anthropicapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"

	"github.com/elumenta/elumenta"
)

// statusOverloaded is Anthropic's own.
const statusOverloaded = 529

// mostNamedFields is how many bad fields a message names.
const mostNamedFields = 10

// Error is an error's status and body (https://platform.claude.com/docs/en/api/errors).
func (Messages) Error(e *elumenta.Error, id elumenta.RequestID) (status int, body []byte) {
	status, _ = failure(e)
	return status, append(appendError(nil, e, id, nil), '\n')
}

// failure is the status and the type of an error.
func failure(e *elumenta.Error) (status int, kind string) {
	switch e.Code {
	case elumenta.CodeNotAuthenticated:
		return http.StatusUnauthorized, "authentication_error"
	case elumenta.CodeInsufficientTokens:
		return http.StatusPaymentRequired, "billing_error"
	case elumenta.CodeInsufficientPlan, elumenta.CodeForbidden, elumenta.CodeAccountSuspended:
		return http.StatusForbidden, "permission_error"
	case elumenta.CodeNotFound:
		return http.StatusNotFound, "not_found_error"
	case elumenta.CodePayloadTooLarge:
		return http.StatusRequestEntityTooLarge, "request_too_large"
	case elumenta.CodeRateLimited, elumenta.CodeTooManyStreams:
		return http.StatusTooManyRequests, "rate_limit_error"
	case elumenta.CodeModelUnavailable, elumenta.CodeUnavailable:
		return statusOverloaded, "overloaded_error"
	case elumenta.CodeProviderTimeout:
		return http.StatusGatewayTimeout, "timeout_error"
	case elumenta.CodeBadRequest:
		if e.Status != 0 {
			return e.Status, "invalid_request_error"
		}
		return http.StatusBadRequest, "invalid_request_error"
	case elumenta.CodeValidation, elumenta.CodeProviderRejected:
		return http.StatusBadRequest, "invalid_request_error"
	case elumenta.CodeConflict, elumenta.CodeVersionConflict:
		return http.StatusConflict, "invalid_request_error"
	}
	return http.StatusInternalServerError, "api_error"
}

// appendError appends an error with our own code and details; s is nil before an answer began.
func appendError(b []byte, e *elumenta.Error, id elumenta.RequestID, s *elumenta.Settled) []byte {
	_, kind := failure(e)
	b = append(b, `{"type":"error","error":{"type":"`...)
	b = append(b, kind...)
	b = append(b, `","message":`...)
	b = appendString(b, message(e))
	b = append(b, `},"request_id":`...)
	b = appendString(b, id)
	b = append(b, `,"elumenta":{"error":`...)
	b = appendString(b, e.Code)
	b = append(b, `,"details":`...)
	b = appendDetails(b, e)
	if s != nil {
		b = appendInt(b, `,"tokens_spent":`, s.TokensSpent)
	}
	return append(b, "}}"...)
}

// message names every bad field, since this API has no other place for them.
func message(e *elumenta.Error) string {
	fields := fieldsOf(e)
	if len(fields) == 0 {
		return e.Message
	}
	var b strings.Builder
	for i, f := range fields {
		if i == mostNamedFields {
			b.WriteString("; and more")
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(fieldName(f.Field) + " " + f.Reason)
	}
	return b.String()
}

func fieldsOf(e *elumenta.Error) []elumenta.FieldError {
	fields, _ := e.Details["fields"].([]elumenta.FieldError)
	return fields
}

func appendDetails(b []byte, e *elumenta.Error) []byte {
	details := e.Details
	if fields := fieldsOf(e); len(fields) > 0 {
		named := make([]elumenta.FieldError, len(fields))
		for i, f := range fields {
			named[i] = elumenta.FieldError{Field: fieldName(f.Field), Reason: f.Reason}
		}
		details = maps.Clone(details)
		details["fields"] = named
	}
	if len(details) == 0 {
		return append(b, "{}"...)
	}
	d, err := json.Marshal(details)
	if err != nil {
		return append(b, "{}"...) // details are plain values
	}
	return append(b, d...)
}

// fieldName is what this API calls a field that the domain has another name for.
func fieldName(field string) string {
	switch field {
	case "stop":
		return "stop_sequences"
	case "response_format":
		return "output_config.format"
	case elumenta.ReasoningField:
		return "thinking"
	case "assistant_id":
		return "model"
	}
	return field
}
