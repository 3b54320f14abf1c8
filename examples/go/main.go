// Command go shows the life of an assistant with nothing but the standard library: create it, stream an answer, delete it.
//
//	ELUMENTA_API_KEY=nb_… go run ./examples/go
//
// ELUMENTA_URL names another server than http://127.0.0.1:8080, ELUMENTA_MODEL another model than the built-in sandbox.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	c := &client{
		base: cmp.Or(os.Getenv("ELUMENTA_URL"), "http://127.0.0.1:8080") + "/api/v2",
		key:  os.Getenv("ELUMENTA_API_KEY"),
		http: &http.Client{Timeout: 2 * time.Minute},
	}
	err := run(ctx, c, cmp.Or(os.Getenv("ELUMENTA_MODEL"), "sandbox"), os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, c *client, model string, out io.Writer) error {
	var assistant struct {
		ID      string `json:"id"`
		Version int    `json:"version"`
	}
	err := c.call(ctx, "POST", "/assistants", map[string]any{
		"name":         "Customer Support Bot",
		"model":        model,
		"instructions": "You answer for the support desk of a shop. Be short and friendly.",
		"description":  "Handles customer support queries",
	}, &assistant)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "created %s, version %d\n", assistant.ID, assistant.Version)

	err = c.stream(ctx, assistant.ID, "Where is my parcel?", func(piece string) { fmt.Fprint(out, piece) })
	if err != nil {
		return err
	}
	fmt.Fprintln(out)

	if err := c.call(ctx, "DELETE", "/assistants/"+assistant.ID, nil, nil); err != nil {
		return err
	}
	fmt.Fprintln(out, "deleted", assistant.ID)
	return nil
}

type client struct {
	base, key string
	http      *http.Client
}

// call sends body as JSON and decodes the answer into into, if that is not nil.
func (c *client) call(ctx context.Context, method, path string, body, into any) error {
	resp, err := c.do(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// stream passes on each piece of an answer as it comes.
func (c *client) stream(ctx context.Context, assistant, prompt string, piece func(string)) error {
	resp, err := c.do(ctx, "POST", "/generate", map[string]any{"assistant_id": assistant, "prompt": prompt, "stream": true})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue // a blank line between events, or a keep-alive comment
		}
		if data == "[DONE]" {
			return nil
		}
		var event struct{ Type, Delta, Message string }
		if err := json.Unmarshal([]byte(data), &event); err != nil {
			return err
		}
		switch event.Type {
		case "content_delta":
			piece(event.Delta)
		case "error":
			return errors.New(event.Message)
		}
	}
	return cmp.Or(lines.Err(), io.ErrUnexpectedEOF)
}

// do returns a successful answer, whose body the caller closes. Anything else is an error with the server's own words.
func (c *client) do(ctx context.Context, method, path string, body any) (*http.Response, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	if body == nil {
		req.Body, req.ContentLength = http.NoBody, 0
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	var failure struct{ Error, Message string }
	if err := json.NewDecoder(resp.Body).Decode(&failure); err != nil {
		return nil, fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	return nil, fmt.Errorf("%s %s: %s: %s", method, path, failure.Error, failure.Message)
}
