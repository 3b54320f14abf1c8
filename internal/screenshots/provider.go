package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

// model is what answers in the pictures: startProvider stands in for its host.
const model = "deepseek-v3"

const (
	supportInstructions = `You answer customers of {{shop}}, an online shop for outdoor gear.

Answer in the customer's language, in at most five sentences, and only from what the customer and the order data in the conversation say. Never invent an order's state, a price or a date.

- Where is my order: ask for the order number if it is missing, and give the carrier's own words.
- Returns: within {{days}} days, unused, with the label from the customer's account.
- Anything about payment, law or health: say that a colleague will answer within one working day.

When a customer is upset, say once that you are sorry for what happened, and then what happens next.
`
	reviewInstructions = `You review changes to Go code. Name what is wrong, the worst first: data races, lost errors, leaks of goroutines, then clarity. Quote the line that you mean. If nothing is wrong, say so in one sentence.`
	terse              = `

At most 80 words, then the corrected code and nothing else.`
)

// The answers of the older and of the newer version of the reviewer.
const (
	longAnswer = "There are two problems here.\n\n1. **A data race.** `hits` is written by every request's goroutine without a lock. " +
		"`go test -race` will find it as soon as two requests overlap, and the counts will be too low in production.\n" +
		"2. **A lost error.** `json.NewEncoder(w).Encode(...)` can fail, and nobody would know.\n\nUse `atomic.Int64` for the counter, and log what `Encode` returns. " +
		"I would also give the handler a name that says what it counts."
	shortAnswer = "A **data race**: `hits` is written by every request without a lock. `Encode`'s error is lost, too.\n\n```go\nvar hits atomic.Int64\n\n" +
		"func count(w http.ResponseWriter, _ *http.Request) {\n\tn := hits.Add(1)\n\tif err := json.NewEncoder(w).Encode(n); err != nil {\n\t\tslog.Warn(\"count\", \"error\", err)\n\t}\n}\n```"
)

// startProvider serves answers in the format of OpenAI's Chat Completions, as DeepSeek does.
func startProvider() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		var asked struct {
			Stream bool `json:"stream"`
		}
		if err != nil || json.Unmarshal(body, &asked) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		text := longAnswer
		if strings.Contains(string(body), "At most 80 words") {
			text = shortAnswer
		}
		usage := `{"prompt_tokens":` + fmt.Sprint(len(body)/4) + `,"completion_tokens":` + fmt.Sprint(len(text)/4) + `,"prompt_cache_hit_tokens":` + fmt.Sprint(len(body)/8/64*64) + `}`
		if !asked.Stream {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"id":"1","model":"deepseek-flash","choices":[{"index":0,"message":{"role":"assistant","content":%s},"finish_reason":"stop"}],"usage":%s}`, quote(text), usage)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for word := range strings.SplitAfterSeq(text, " ") {
			_, _ = fmt.Fprintf(w, "data: {\"id\":\"1\",\"model\":\"deepseek-flash\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%s}}]}\n\n", quote(word))
		}
		_, _ = fmt.Fprintf(w, "data: {\"id\":\"1\",\"model\":\"deepseek-flash\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":%s}\n\ndata: [DONE]\n\n", usage)
	}))
}

func quote(s string) string {
	b, _ := json.Marshal(s) // strings can be marshalled
	return string(b)
}
