package faultmatrix

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// surface is one of the APIs, and how its answers are read.
type surface struct {
	path, body string
	code       func(m map[string]any) string // of an error
	// answered and failed are how the last events of a stream begin. The error is the first of failed.
	answered, failed []string
}

func nested(m map[string]any, keys ...string) string {
	e, _ := m["error"].(map[string]any)
	for _, k := range keys {
		if s, ok := e[k].(string); ok {
			return s
		}
	}
	return "?"
}

func surfaces() []surface {
	const done = "data: [DONE]"
	return []surface{
		{
			path: "/api/v2/generate", body: `{"model":%q,"prompt":"hi","stream":%t}`, code: func(m map[string]any) string { s, _ := m["error"].(string); return s },
			answered: []string{`data: {"type":"generation_end"`, done}, failed: []string{`data: {"type":"error"`, done},
		}, {
			path: "/v1/chat/completions", body: `{"model":%q,"messages":[{"role":"user","content":"hi"}],"stream":%t}`, code: func(m map[string]any) string { return nested(m, "code", "type") },
			answered: []string{done}, failed: []string{`data: {"error"`, done},
		}, {
			path: "/v1/responses", body: `{"model":%q,"input":"hi","stream":%t}`, code: func(m map[string]any) string { return nested(m, "code", "type") },
			answered: []string{"event: response.completed"}, failed: []string{"event: error", "event: response.failed"},
		}, {
			path: "/v1/messages", body: `{"model":%q,"max_tokens":10,"messages":[{"role":"user","content":"hi"}],"stream":%t}`, code: func(m map[string]any) string { return nested(m, "type") },
			answered: []string{"event: message_delta", "event: message_stop"}, failed: []string{"event: error"},
		},
	}
}

const answer = "answer"

// outcome is what a client gets, in the words of the table. It begins with BROKEN where the answer is none of the API's.
func (s *surface) outcome(res *http.Response, stream bool) string {
	body, err := io.ReadAll(res.Body)
	text := string(body)
	switch {
	case err != nil:
		return "BROKEN: " + err.Error()
	case strings.Contains(text, "CANARY"):
		return "BROKEN: shows the provider's text"
	case res.StatusCode != http.StatusOK:
		return s.refusal(res, body)
	case stream:
		return s.streamed(text)
	case strings.Count(text, "Hello") == 1:
		return answer
	}
	return "BROKEN: " + text
}

func (s *surface) refusal(res *http.Response, body []byte) string {
	var m map[string]any
	if json.Unmarshal(body, &m) != nil {
		return "BROKEN: no JSON"
	}
	marks := ""
	if after := res.Header.Get("Retry-After"); after != "" {
		marks += " ↻" + after
	}
	if res.Header.Get("X-Should-Retry") == "false" {
		marks += " ✕"
	}
	return fmt.Sprintf("%d `%s`%s", res.StatusCode, s.code(m), marks)
}

// streamed reads a stream, which must end in one of its API's two ways, once, and in no other event.
func (s *surface) streamed(text string) string {
	whole, ended := strings.CutSuffix(text, "\n\n")
	events := strings.Split(whole, "\n\n")
	count := func(prefix string) (n int) {
		for _, e := range events {
			if strings.HasPrefix(e, prefix) {
				n++
			}
		}
		return n
	}
	last := func(prefixes []string) bool {
		tail := events[max(0, len(events)-len(prefixes)):]
		return ended && len(tail) == len(prefixes) && !slices.ContainsFunc(prefixes, func(p string) bool {
			return count(p) != 1 || !strings.HasPrefix(tail[slices.Index(prefixes, p)], p)
		})
	}
	if last(s.failed) {
		_, data, _ := strings.Cut(events[len(events)-len(s.failed)], "data: ")
		var m map[string]any
		if json.Unmarshal([]byte(data), &m) == nil {
			return "event `" + s.code(m) + "`"
		}
	}
	if last(s.answered) && count(s.failed[0]) == 0 && strings.Contains(text, "Hello") {
		return answer
	}
	return "BROKEN: " + text
}
