package client

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxError is the most that is read of an error's body.
const maxError = 1 << 20

// Error is what a server answers when a call fails, or when an answer breaks off in mid-stream.
type Error struct {
	Code       ErrorCode      // for programs; empty where a proxy answered, and not the server
	Message    string         // for people
	Details    map[string]any // with ErrorCodeValidationError: fields, each with field and reason
	Status     int            // of HTTP; 200 where the stream had begun
	RequestID  string         // finds the call in the server's log
	RetryAfter time.Duration  // how long to wait before the next try; zero if the server did not say

	TokensSpent int64 // what the part of an answer cost that came before a stream broke off
}

// Error says what happened.
func (e *Error) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("elumenta: %d %s", e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("elumenta: %s: %s (%s)", e.Code, e.Message, e.RequestID)
}

// errorBody is an error as the server writes it.
type errorBody struct {
	Code        ErrorCode      `json:"error"`
	Message     string         `json:"message"`
	Details     map[string]any `json:"details"`
	RequestID   string         `json:"request_id"`
	TokensSpent int64          `json:"tokens_spent"`
}

func (b *errorBody) error(status int) *Error {
	return &Error{Code: b.Code, Message: b.Message, Details: b.Details, Status: status, RequestID: b.RequestID, TokensSpent: b.TokensSpent}
}

func readError(resp *http.Response) error {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxError))
	if err != nil {
		return err
	}
	var body errorBody
	if json.Unmarshal(raw, &body) != nil {
		body = errorBody{} // a proxy's page
	}
	e := body.error(resp.StatusCode)
	if e.RequestID == "" {
		e.RequestID = resp.Header.Get("X-Request-Id")
	}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}
