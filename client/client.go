package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Client calls a server with a key. It is safe for concurrent use.
type Client struct {
	base string
	key  string
	http *http.Client
}

// New makes a client for a server's address, such as https://elumenta.example, and an API key.
func New(server, key string) *Client {
	return &Client{
		base: strings.TrimRight(server, "/"), key: key,
		http: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

// WithHTTPClient returns a client that makes its calls with h, for proxies, certificates or tests. A time limit of h ends streams, too.
func (c *Client) WithHTTPClient(h *http.Client) *Client {
	return &Client{base: c.base, key: c.key, http: h}
}

// Option changes one call.
type Option func(http.Header)

// IdempotencyKey makes a call that creates something, or a generation, safe to repeat: 1 to 255 visible ASCII characters, your own.
func IdempotencyKey(key string) Option {
	return func(h http.Header) { h.Set("Idempotency-Key", key) }
}

// IfMatch makes UpdateAssistant, RestoreVersion and DeleteAssistant fail with [ErrorCodeVersionConflict] where the assistant's newest version is another one.
func IfMatch(version int64) Option {
	return func(h http.Header) { h.Set("If-Match", strconv.Quote(strconv.FormatInt(version, 10))) }
}

// request is a call before it is made.
type request struct {
	method, path string
	query        url.Values
	body         any
	accept       string
	options      []Option
}

// fill puts a value into the path.
func (r *request) fill(name string, value any) {
	r.path = strings.Replace(r.path, "{"+name+"}", url.PathEscape(fmt.Sprint(value)), 1)
}

// query asks for something, unless it is the zero value.
func query[T comparable](r *request, name string, value T) {
	var zero T
	if value == zero {
		return
	}
	if r.query == nil {
		r.query = url.Values{}
	}
	r.query.Set(name, fmt.Sprint(value))
}

// do makes a call and decodes the answer.
func do[T any](ctx context.Context, c *Client, r *request) (*T, error) {
	out := new(T)
	if err := c.do(ctx, r, out); err != nil {
		return nil, err
	}
	return out, nil
}

func (c *Client) do(ctx context.Context, r *request, out any) error {
	resp, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", r.method, r.path, err)
	}
	return nil
}

// send makes a call. An answer that is none of success is an error.
func (c *Client) send(ctx context.Context, r *request) (*http.Response, error) {
	address := c.base + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	var body io.Reader
	if r.body != nil {
		raw, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Accept", "application/json")
	if r.accept != "" {
		req.Header.Set("Accept", r.accept)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, o := range r.options {
		o(req.Header)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		defer func() { _ = resp.Body.Close() }()
		return nil, readError(resp)
	}
	return resp, nil
}

// all yields the items of all pages.
func all[T any](cursor string, page func(cursor string) ([]T, *string, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for at := cursor; ; {
			items, next, err := page(at)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == nil {
				return
			}
			at = *next
		}
	}
}
