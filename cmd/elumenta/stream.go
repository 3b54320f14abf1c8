package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/elumenta/elumenta"
)

// Limits of an answer. The server has its own, which are shorter.
const (
	answerTimeout = 15 * time.Minute
	maxEventLine  = 16 << 20
)

// turn is one message of a conversation.
type turn struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// answer is what is known of a generation at its end.
type answer struct {
	Finish      string  `json:"finish_reason"`
	TokensUsed  int64   `json:"tokens_used"`
	Balance     *int64  `json:"balance_remaining"`
	Usage       counted `json:"usage"`
	Warnings    []elumenta.Warning
	text        string
	interrupted bool
}

// counted is the usage that a provider reported.
type counted struct {
	Prompt     int64 `json:"prompt_tokens"`
	Completion int64 `json:"completion_tokens"`
	Cached     int64 `json:"cached_tokens"`
}

// generate asks for an answer and passes each piece on. The answer is as complete as it came, also beside an error.
func (c *client) generate(ctx context.Context, body map[string]any, piece func(string) error) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	body["stream"] = true
	resp, err := c.send(ctx, "POST", "/api/v2/generate", body, "Accept", "text/event-stream")
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	a, err := readStream(resp.Body, piece)
	if err != nil && ctx.Err() != nil {
		err = c.unreachable(ctx, err)
	}
	return a, err
}

// errCut is a stream that ended before the server said so.
var errCut = errors.New("the connection ended before the answer did")

func readStream(r io.Reader, piece func(string) error) (answer, error) {
	var a answer
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxEventLine)
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data:"))
		if !ok {
			continue // comments and blank lines
		}
		done, err := a.event(bytes.TrimSpace(data), piece)
		if done || err != nil {
			return a, err
		}
	}
	if err := lines.Err(); err != nil {
		return a, fmt.Errorf("%w: %w", errCut, err)
	}
	return a, errCut
}

func (a *answer) event(data []byte, piece func(string) error) (done bool, err error) {
	var e struct {
		Type  string
		Delta string
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return false, errors.New("the server's stream is not understood")
	}
	switch e.Type {
	case "content_delta":
		a.text += e.Delta
		return false, piece(e.Delta)
	case "generation_end":
		if err := json.Unmarshal(data, a); err != nil {
			return false, errors.New("the server's stream is not understood")
		}
		return true, nil
	case "error":
		failed := &apiError{}
		if err := json.Unmarshal(data, failed); err != nil {
			return false, errors.New("the server's stream is not understood")
		}
		return false, failed
	}
	return false, nil
}
