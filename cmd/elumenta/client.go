package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
)

// Limits of the client.
const (
	callTimeout = 60 * time.Second
	patience    = 5 * time.Second // until who waits is told what for
	maxAnswer   = 64 << 20
	maxKeyFile  = 4 << 10
)

// serverFlags say which server a command works on.
type serverFlags struct {
	URL        string `name:"url" help:"The server's address. [${default}]" default:"http://127.0.0.1:8080" placeholder:"URL" env:"ELUMENTA_URL"`
	APIKeyFile string `help:"File that holds the API key. [ELUMENTA_API_KEY]" placeholder:"FILE"`
}

// client speaks to one server.
type client struct {
	base     string
	key      elumenta.KeySecret
	http     *http.Client
	notices  io.Writer     // nil: none
	patience time.Duration // before a notice that the server has not answered
}

func (f *serverFlags) client(p *program) (*client, error) {
	u, err := url.Parse(f.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, usageError{"--url (ELUMENTA_URL) must be the server's address, such as http://127.0.0.1:8080"}
	}
	text, from := p.getenv("ELUMENTA_API_KEY"), "ELUMENTA_API_KEY"
	if f.APIKeyFile != "" {
		if text, err = readKey(f.APIKeyFile); err != nil {
			return nil, err
		}
		from = f.APIKeyFile
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, usageError{"no API key: set ELUMENTA_API_KEY or give --api-key-file FILE"}
	}
	key, ok := elumenta.ParseKeySecret(text)
	if !ok {
		return nil, usageError{from + " does not hold a well-formed API key: nb_ and 45 characters, with a checksum at the end"}
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: time.Minute,
	}
	return &client{base: strings.TrimRight(f.URL, "/"), key: key, notices: p.stderr, patience: patience, http: &http.Client{
		Transport: transport,
		// A redirect would carry the key elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func readKey(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("cannot read the API key: %w", err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return "", fmt.Errorf("cannot read the API key: %w", err)
	}
	return string(b), nil
}

func (c *client) close() { c.http.CloseIdleConnections() }

// apiError is a server's error answer.
type apiError struct {
	status     int
	Code       elumenta.Code   `json:"error"`
	Message    string          `json:"message"`
	Details    json.RawMessage `json:"details"`
	RequestID  string          `json:"request_id"`
	retryAfter string
}

// Error has the message, the request's id, and what to do.
func (e *apiError) Error() string {
	var b strings.Builder
	if e.Message == "" {
		fmt.Fprintf(&b, "the server answered with status %d and no message: is it an Elumenta server?", e.status)
	} else {
		b.WriteString(e.Message)
	}
	var details struct{ Fields []elumenta.FieldError }
	if json.Unmarshal(e.Details, &details) == nil && len(details.Fields) > 1 {
		for _, f := range details.Fields {
			fmt.Fprintf(&b, "\n  %s %s", f.Field, f.Reason)
		}
	}
	if hint := e.hint(); hint != "" {
		b.WriteString("\n  " + hint)
	}
	if e.RequestID != "" {
		b.WriteString("\n  request " + e.RequestID)
	}
	return forTerminal(b.String())
}

func (e *apiError) hint() string {
	switch e.Code {
	case elumenta.CodeNotAuthenticated:
		return "Check ELUMENTA_API_KEY or --api-key-file, and that ELUMENTA_URL is the server that the key belongs to."
	case elumenta.CodeNotFound:
		return "`elumenta assistants list` shows your own assistants."
	case elumenta.CodeInsufficientTokens:
		return "An operator can add tokens: elumenta accounts topup."
	case elumenta.CodeVersionConflict:
		return "Someone saved a newer version since: look at it with `elumenta assistants show`, then edit again."
	case elumenta.CodeInternal:
		return "The server's log has more, under the request's id."
	}
	if e.retryAfter != "" {
		return "Try again in " + e.retryAfter + " s."
	}
	return ""
}

func (e *apiError) exitCode() int {
	if e.Code == "" && e.status < http.StatusInternalServerError {
		return exitRefused
	}
	return codeExit(e.Code)
}

// send makes a request and returns an answer whose status is a success. The caller closes its body.
func (c *client) send(ctx context.Context, method, path string, body any, headers ...string) (*http.Response, error) {
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, reader)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.key.Reveal())
	req.Header.Set("User-Agent", "elumenta/"+version)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	answered := c.waiting(ctx)
	resp, err := c.http.Do(req)
	answered()
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	e := &apiError{status: resp.StatusCode, retryAfter: resp.Header.Get("Retry-After")}
	if raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20)); err == nil {
		_ = json.Unmarshal(raw, e) // what is not our JSON has no message
	}
	return nil, e
}

// waiting says what is waited for if that takes long; call the returned function once there is an answer.
func (c *client) waiting(ctx context.Context) (answered func()) {
	if c.notices == nil {
		return func() {}
	}
	said := make(chan struct{})
	timer := time.AfterFunc(c.patience, func() {
		defer close(said)
		limit := ""
		if end, ok := ctx.Deadline(); ok {
			limit = fmt.Sprintf("; giving up in %v", time.Until(end).Round(time.Second))
		}
		_, _ = fmt.Fprintf(c.notices, "elumenta: waiting: %s has not answered yet%s\n", c.base, limit)
	})
	return func() {
		if !timer.Stop() {
			<-said
		}
	}
}

func (c *client) unreachable(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s did not answer in time", c.base)
	}
	return fmt.Errorf("cannot reach %s: %w\n  Is the server running there? --url or ELUMENTA_URL names another", c.base, err)
}

// call makes a request that answers with JSON, or with nothing.
func (c *client) call(ctx context.Context, method, path string, body, into any, headers ...string) (http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	resp, err := c.send(ctx, method, path, body, headers...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if into == nil {
		return resp.Header, nil
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		return nil, fmt.Errorf("the answer of %s is not understood: %w", c.base, err)
	}
	return resp.Header, nil
}
