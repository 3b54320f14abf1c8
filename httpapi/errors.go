package httpapi

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
)

// statusOf is the HTTP status of each code, by the contract.
func statusOf(e *elumenta.Error) int {
	if e.Status != 0 {
		return e.Status
	}
	switch e.Code {
	case elumenta.CodeBadRequest:
		return http.StatusBadRequest
	case elumenta.CodeNotAuthenticated:
		return http.StatusUnauthorized
	case elumenta.CodeInsufficientTokens:
		return http.StatusPaymentRequired
	case elumenta.CodeInsufficientPlan, elumenta.CodeForbidden, elumenta.CodeAccountSuspended:
		return http.StatusForbidden
	case elumenta.CodeNotFound:
		return http.StatusNotFound
	case elumenta.CodeConflict:
		return http.StatusConflict
	case elumenta.CodeVersionConflict:
		return http.StatusPreconditionFailed
	case elumenta.CodePayloadTooLarge:
		return http.StatusRequestEntityTooLarge
	case elumenta.CodeValidation, elumenta.CodeProviderRejected:
		return http.StatusUnprocessableEntity
	case elumenta.CodeRateLimited, elumenta.CodeTooManyStreams:
		return http.StatusTooManyRequests
	case elumenta.CodeProvider:
		return http.StatusBadGateway
	case elumenta.CodeModelUnavailable, elumenta.CodeUnavailable:
		return http.StatusServiceUnavailable
	case elumenta.CodeProviderTimeout:
		return http.StatusGatewayTimeout
	}
	return http.StatusInternalServerError
}

// appendError appends the JSON of an error.
func appendError(b []byte, e *elumenta.Error, id elumenta.RequestID) []byte {
	b = append(b, `{"error":`...)
	b = appendString(b, string(e.Code))
	b = append(b, `,"message":`...)
	b = appendString(b, e.Message)
	b = append(b, `,"details":`...)
	b = appendDetails(b, e.Details)
	b = append(b, `,"request_id":`...)
	b = appendString(b, string(id))
	if l := e.Limited; l != nil {
		b = append(b, `,"retry_after":`...)
		b = strconv.AppendInt(b, seconds(max(l.RetryAfter, e.RetryAfter)), 10)
		b = append(b, `,"plan":`...)
		b = appendString(b, l.Plan)
		b = append(b, `,"limit_hour":`...)
		b = appendNullable(b, l.Hour)
		b = append(b, `,"limit_day":`...)
		b = appendNullable(b, l.Day)
	}
	return append(b, '}')
}

func appendDetails(b []byte, details map[string]any) []byte {
	if len(details) == 0 {
		return append(b, "{}"...)
	}
	d, err := json.Marshal(details)
	if err != nil {
		return append(b, "{}"...) // details are plain values
	}
	return append(b, d...)
}

func appendNullable(b []byte, n *int64) []byte {
	if n == nil {
		return append(b, "null"...)
	}
	return strconv.AppendInt(b, *n, 10)
}

// appendString appends a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendString[S ~string | ~[]byte](b []byte, s S) []byte {
	b, _ = jsontext.AppendQuote(b, s) // the error only says that something was replaced
	return b
}

// seconds rounds up, to 1 at least, for Retry-After.
func seconds(d time.Duration) int64 { return max(1, int64(math.Ceil(d.Seconds()))) }

// setErrorHeaders sets what an error's response carries beside its body.
func setErrorHeaders(h http.Header, e *elumenta.Error) {
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(seconds(e.RetryAfter), 10))
	} else if e.Limited != nil && e.Limited.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(seconds(e.Limited.RetryAfter), 10))
	}
	if e.Code == elumenta.CodeNotAuthenticated {
		h.Set("WWW-Authenticate", "Bearer")
	}
	h.Set("Content-Type", "application/json")
}

// fail answers an error. It is the only place that writes one.
func (c *call) fail(err error) {
	e := elumenta.AsError(err)
	c.failure = e
	h := c.Header()
	for _, name := range []string{"Content-Length", "ETag", "Location", "Cache-Control", "Idempotency-Replayed"} {
		h.Del(name) // a handler that failed half-way may have set them
	}
	setErrorHeaders(h, e)
	h.Set("Cache-Control", "no-store")
	status, body := c.errorBody(e)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.WriteHeader(status)
	if c.request.Method != http.MethodHead {
		_, _ = c.Write(body) // the client may be gone
	}
}

// errorBody is an error in the shape of the API that was asked.
func (c *call) errorBody(e *elumenta.Error) (status int, body []byte) {
	if c.surface == nil {
		return statusOf(e), append(appendError(make([]byte, 0, 512), e, c.id), '\n')
	}
	if !retryHelps(e) {
		c.Header().Set("X-Should-Retry", "false")
	}
	return c.surface.Error(e, c.id)
}

// failed carries an error of the domain through huma, which answers it by its status and our transformer's body.
type failed struct{ err *elumenta.Error }

// Error has the code and the message.
func (f *failed) Error() string { return f.err.Error() }

// GetStatus is the HTTP status.
func (f *failed) GetStatus() int { return statusOf(f.err) }

// transform gives huma's own errors, and ours on their way through it, the contract's shape. It is a huma.Transformer.
func (a *API) transform(ctx huma.Context, _ string, v any) (any, error) {
	var e *elumenta.Error
	switch v := v.(type) {
	case *failed:
		e = v.err
	case *huma.ErrorModel:
		e = fromHuma(v)
	default:
		return v, nil
	}
	_, w := humago.Unwrap(ctx)
	c := w.(*call) //nolint:forcetypeassert // by ServeHTTP
	c.failure = e
	setErrorHeaders(c.Header(), e)
	c.Header().Set("Cache-Control", "no-store")
	return rendered(appendError(nil, e, c.id)), nil
}

// rendered is JSON that is written as it is.
type rendered []byte

// fromHuma translates what huma says about parameters. Values are never repeated.
func fromHuma(m *huma.ErrorModel) *elumenta.Error {
	if m.Status != http.StatusUnprocessableEntity {
		return elumenta.Internal(fmt.Errorf("huma: status %d: %s", m.Status, m.Detail))
	}
	var errs elumenta.FieldErrors
	for _, d := range m.Errors {
		_, field, _ := strings.Cut(d.Location, ".")
		errs.Add(field, "%s", paramReason(d.Message))
	}
	return elumenta.AsError(firstOfEach(errs).Err())
}

var reasons = strings.NewReplacer(
	"expected number >= ", "must be at least ", "expected number <= ", "must be at most ",
	"expected value to be one of ", "must be one of ", "invalid integer", "must be an integer",
	"expected length <= ", "must not be longer than ", "expected length >= ", "must not be shorter than ",
)

func paramReason(message string) string { return reasons.Replace(message) }

// firstOfEach keeps the first error of each field, ordered by field: a field of the wrong type is not also missing.
func firstOfEach(errs elumenta.FieldErrors) elumenta.FieldErrors {
	slices.SortStableFunc(errs, func(a, b elumenta.FieldError) int { return strings.Compare(a.Field, b.Field) })
	return slices.CompactFunc(errs, func(a, b elumenta.FieldError) bool { return a.Field == b.Field })
}

// paramErrors hands errors of a query's parameters to huma, which answers them with its own.
func paramErrors(bad elumenta.FieldErrors) []error {
	errs := make([]error, len(bad))
	for i, b := range bad {
		errs[i] = &huma.ErrorDetail{Location: "query." + b.Field, Message: b.Reason}
	}
	return errs
}
