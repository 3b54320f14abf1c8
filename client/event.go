package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
)

// Event is one of a stream: a [*GenerationStart] first, a [*ContentDelta] for each piece, a [*GenerationEnd] last.
type Event interface{ event() }

func (*GenerationStart) event() {}
func (*ContentDelta) event()    {}
func (*GenerationEnd) event()   {}

// maxEvent is the longest line of a stream that is read, in bytes.
const maxEvent = 16 << 20

// GenerateStream generates an answer and yields its events as they come. The call is made when the loop begins; an error is the last that is yielded,
// with a nil event: an [*Error] of the server, or what broke the connection. A loop that is left, and a context that ends, end the generation.
//
//	for event, err := range c.GenerateStream(ctx, request) {
//		if err != nil {
//			return err
//		}
//		if piece, ok := event.(*client.ContentDelta); ok {
//			fmt.Print(piece.Delta)
//		}
//	}
func (c *Client) GenerateStream(ctx context.Context, body GenerateRequest, options ...Option) iter.Seq2[Event, error] {
	streamed := struct {
		GenerateRequest
		Stream bool `json:"stream"`
	}{body, true}
	return func(yield func(Event, error) bool) {
		r := request{method: http.MethodPost, path: "/api/v2/generate", body: streamed, accept: "text/event-stream", options: options}
		resp, err := c.send(ctx, &r)
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(nil, maxEvent)
		lines.Split(wholeLine)
		for lines.Scan() {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok {
				continue // an empty line, or a comment that keeps the connection open
			}
			if data == "[DONE]" {
				return
			}
			event, err := readEvent([]byte(data))
			if event == nil && err == nil {
				continue
			}
			if !yield(event, err) || err != nil {
				return
			}
		}
		err = lines.Err()
		if err == nil {
			err = fmt.Errorf("the stream broke off: %w", io.ErrUnexpectedEOF)
		}
		yield(nil, errors.Join(ctx.Err(), err))
	}
}

// wholeLine is bufio.ScanLines without a last line that nothing ends: what broke it off says more than the rest of an event.
func wholeLine(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if atEOF && bytes.IndexByte(data, '\n') < 0 {
		return len(data), nil, nil
	}
	return bufio.ScanLines(data, atEOF)
}

// readEvent decodes one event; nil is one of a kind that is not known.
func readEvent(data []byte) (Event, error) {
	var kind struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(data, &kind); err != nil {
		return nil, fmt.Errorf("read an event: %w", err)
	}
	var event Event
	switch kind.Type {
	case string(GenerationStartTypeGenerationStart):
		event = new(GenerationStart)
	case string(ContentDeltaTypeContentDelta):
		event = new(ContentDelta)
	case string(GenerationEndTypeGenerationEnd):
		event = new(GenerationEnd)
	case "error":
		var body errorBody
		if err := json.Unmarshal(data, &body); err != nil {
			return nil, fmt.Errorf("read an error: %w", err)
		}
		return nil, body.error(http.StatusOK)
	default:
		return nil, nil
	}
	if err := json.Unmarshal(data, event); err != nil {
		return nil, fmt.Errorf("read an event: %w", err)
	}
	return event, nil
}
