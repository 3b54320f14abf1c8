package gemini_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/gemini"
	"github.com/elumenta/elumenta/provider/providertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func capabilities() elumenta.Capabilities {
	return elumenta.Capabilities{
		Temperature: &elumenta.Range{Min: 0, Max: 2}, TopP: &elumenta.Range{Min: 0, Max: 1}, Stop: 5, MaxTokens: 8192,
		JSONObject: true, JSONSchema: true, Tools: true, Vision: true, FetchesURLs: true, Cache: elumenta.CachePrefix,
	}
}

func suite() providertest.Suite {
	return providertest.Suite{
		Provider:     gemini.Provider{},
		Serves:       func(path string) bool { return strings.HasPrefix(path, "/v1beta/models/") },
		Capabilities: capabilities(),
		Expect:       expect,
		ErrorBody: func(message string) string {
			text, _ := json.Marshal(message)
			return `{"error":{"code":499,"message":` + string(text) + `,"status":"SOME_STATUS"}}`
		},
		ErrorEvents: []string{
			"data: {\"error\":{\"code\":503,\"message\":\"%s\",\"status\":\"UNAVAILABLE\"}}\r\n\r\n",
			"data: {\"error\":{\"message\":\"%s\"}}\n\n",
			`[{"error":{"code":500,"message":"%s","status":"INTERNAL"}}]`,
		},
		Cases:      cases(),
		EitherMode: true,
	}
}

func TestSuite(t *testing.T) { providertest.Run(t, suite()) }

func FuzzStream(f *testing.F) { providertest.Fuzz(f, suite(), true) }

func FuzzWhole(f *testing.F) { providertest.Fuzz(f, suite(), false) }

// expect works out what a body stands for in the plainest way.
func expect(body []byte, stream bool) providertest.Expectation {
	data := []string{string(body)}
	if stream {
		data = providertest.Data(body)
	}
	var x providertest.Expectation
	for _, d := range data {
		var r plain
		if json.Unmarshal([]byte(d), &r) != nil {
			continue
		}
		x.UpstreamID, x.Model = r.ResponseID, r.ModelVersion
		u := r.UsageMetadata
		x.Usage = elumenta.Usage{PromptTokens: u["promptTokenCount"] + u["toolUsePromptTokenCount"], CachedTokens: u["cachedContentTokenCount"],
			CompletionTokens: u["candidatesTokenCount"] + u["thoughtsTokenCount"], ReasoningTokens: u["thoughtsTokenCount"]}
		if len(r.Candidates) == 0 {
			if r.PromptFeedback.BlockReason != "" {
				x.Finished, x.Finish = true, "content_filter"
			}
			continue
		}
		expectCandidate(&x, r.Candidates[0])
	}
	return x
}

func expectCandidate(x *providertest.Expectation, c plainCandidate) {
	for _, p := range c.Content.Parts {
		switch {
		case p.FunctionCall != nil:
			id := p.FunctionCall.ID
			if id == "" {
				id = "call_" + x.UpstreamID + "_" + strconv.Itoa(len(x.ToolCalls))
			}
			x.ToolCalls = append(x.ToolCalls, elumenta.ToolCall{ID: id, Name: p.FunctionCall.Name, Arguments: elumenta.Text(p.FunctionCall.Args)})
		case p.Thought:
			x.Reasoning += p.Text
		default:
			x.Text += p.Text
		}
	}
	if c.FinishReason != "" {
		x.Finished, x.Finish = true, finish[c.FinishReason]
		if x.Finish == "stop" && len(x.ToolCalls) > 0 {
			x.Finish = "tool_calls"
		}
	}
}

type plain struct {
	Candidates     []plainCandidate
	PromptFeedback struct{ BlockReason string }
	UsageMetadata  usageNumbers
	ResponseID     string
	ModelVersion   string
}

type plainCandidate struct {
	FinishReason string
	Content      struct {
		Parts []struct {
			Text         string
			Thought      bool
			FunctionCall *struct {
				ID, Name string
				Args     json.RawMessage
			}
		}
	}
}

// usageNumbers takes the counts and leaves the details out.
type usageNumbers map[string]int64

func (u *usageNumbers) UnmarshalJSON(data []byte) error {
	var all map[string]any
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	*u = usageNumbers{}
	for key, value := range all {
		if n, ok := value.(float64); ok {
			(*u)[key] = int64(n)
		}
	}
	return nil
}

var finish = map[string]elumenta.FinishReason{
	"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "content_filter", "RECITATION": "content_filter", "LANGUAGE": "content_filter",
	"BLOCKLIST": "content_filter", "PROHIBITED_CONTENT": "content_filter", "SPII": "content_filter", "MODEL_ARMOR": "content_filter",
	"IMAGE_SAFETY": "content_filter", "IMAGE_PROHIBITED_CONTENT": "content_filter", "IMAGE_RECITATION": "content_filter",
}
