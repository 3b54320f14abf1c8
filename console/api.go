package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/elumenta/elumenta"
)

// apiBase is where the API has its calls.
const apiBase = "/api/v2"

// answer keeps what the API answers.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader keeps the status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write keeps the body.
func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// get reads from the API into a pointer; path stands under /api/v2 and may have a query.
func (p *page) get(path string, into any) error {
	return p.send(http.MethodGet, path, nil, into)
}

// send calls the API as the caller. body, if not nil, is sent as JSON; into, if not nil, is what the answer is decoded into; headers are
// names and values. An error answer is a *problem.
func (p *page) send(method, path string, body, into any, headers ...string) error {
	a, err := p.ask(method, path, body, headers...)
	if err != nil || into == nil {
		return err
	}
	if err := json.Unmarshal(a.body.Bytes(), into); err != nil {
		return fmt.Errorf("console: %s %s: %w", method, p.r.Pattern, err)
	}
	return nil
}

func (p *page) ask(method, path string, body any, headers ...string) (*answer, error) {
	a := &answer{header: http.Header{}}
	var reader io.Reader = http.NoBody
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return a, fmt.Errorf("console: encode a call: %w", err)
		}
		reader = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(p.r.Context(), method, apiBase+path, reader) //nolint:gosec // it is served in this process, and goes to no host
	if err != nil {
		return a, fmt.Errorf("console: make a call: %w", err)
	}
	r.RemoteAddr, r.TLS = p.r.RemoteAddr, p.r.TLS
	if forwarded := p.r.Header.Values("X-Forwarded-For"); forwarded != nil {
		r.Header["X-Forwarded-For"] = forwarded
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	p.c.API.ServeCaller(a, r, p.caller)
	if a.status/100 != 2 {
		err = a.problem()
	}
	return a, err
}

func (a *answer) problem() error {
	var body struct {
		Error     elumenta.Code `json:"error"`
		Message   string        `json:"message"`
		RequestID string        `json:"request_id"`
		Details   struct {
			Fields []elumenta.FieldError `json:"fields"`
		} `json:"details"`
	}
	if err := json.Unmarshal(a.body.Bytes(), &body); err != nil || body.Error == "" {
		return fmt.Errorf("console: the API answered with status %d and no error", a.status)
	}
	wait, _ := strconv.Atoi(a.header.Get("Retry-After"))
	return &problem{Status: a.status, Code: body.Error, Message: body.Message, Fields: body.Details.Fields, RequestID: body.RequestID, RetryAfter: wait}
}

// codeOf is the code of an error answer, empty for none.
func codeOf(err error) elumenta.Code {
	if err == nil {
		return ""
	}
	return problemOf(err).Code
}

// gone is the error of a deletion: none if there is nothing to delete, as where its form was sent twice.
func gone(err error) error {
	if codeOf(err) == elumenta.CodeNotFound {
		return nil
	}
	return err
}

// answerScript answers with a value, or with the status of an error, which a script needs no more of.
func (p *page) answerScript(value any, err error) error {
	status := http.StatusOK
	if err != nil {
		if _, ok := errors.AsType[*problem](err); !ok {
			return err
		}
		status, value = problemOf(err).Status, struct{}{}
	}
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	p.w.Header().Set("Content-Type", "application/json")
	p.w.WriteHeader(status)
	_, _ = p.w.Write(body) // a client that left
	return nil
}
