package anthropic

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

// contentBlock turns a part into a block; ok is false for a part that the API cannot take and that says nothing to it.
func contentBlock(part elumenta.Part) (b block, ok bool, err error) {
	switch part.Kind {
	case elumenta.PartText, elumenta.PartRefusal:
		return block{Type: "text", Text: part.Text}, !isBlank(part.Text), nil
	case elumenta.PartImage:
		return block{Type: "image", Source: imageSource(part.Image)}, true, nil
	case elumenta.PartToolCall:
		input := jsontext.Value(wire.CallInput(part.ToolCall.Arguments))
		return block{Type: "tool_use", Name: part.ToolCall.Name, Input: input}, true, nil
	case elumenta.PartToolResult:
		return toolResult(part.ToolResult)
	case elumenta.PartReasoning:
		b, ok = thinkingBlock(part)
		return b, ok, nil
	}
	return block{}, false, nil
}

func imageSource(image *elumenta.Image) *source {
	if image.URL != "" {
		return &source{Type: "url", URL: image.URL}
	}
	return &source{Type: "base64", MediaType: image.MediaType, Data: image.Data}
}

func toolResult(r *elumenta.ToolResult) (block, bool, error) {
	b := block{Type: "tool_result", IsError: r.IsError}
	for _, part := range r.Content {
		content, ok, err := contentBlock(part)
		if err != nil {
			return block{}, false, err
		}
		if ok {
			b.Content = append(b.Content, content)
		}
	}
	return b, true, nil
}

// toolIDs gives calls ids that the API takes: each once, and of few characters. Histories that began at another provider hold ids such
// as functions.weather:0, or count each turn's calls from the start.
type toolIDs struct {
	given map[string]string // by the history's own, of the newest call
	next  map[string]int    // by the allowed text, what makes the next one that has it another
	used  map[string]bool
}

func (t *toolIDs) call(id string) string {
	if t.given == nil {
		t.given, t.next, t.used = make(map[string]string), make(map[string]int), make(map[string]bool)
	}
	clean := allowedID(id)
	unique := clean
	for t.used[unique] {
		t.next[clean]++
		unique = clean + "_" + strconv.Itoa(t.next[clean]+1)
	}
	t.given[id], t.used[unique] = unique, true
	return unique
}

// result is the id of the call that a result belongs to.
func (t *toolIDs) result(call string) string {
	if id, ok := t.given[call]; ok {
		return id
	}
	return allowedID(call)
}

func allowedID(id string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		}
		return '_'
	}, id)
}

// opaque is what Opaque.Data holds as JSON: the block that reasoning came in, without its text.
type opaque struct {
	Type      string `json:"type"`                // thinking or redacted_thinking
	Signature string `json:"signature,omitempty"` // of thinking
	Data      string `json:"data,omitempty"`      // of redacted_thinking
}

func newOpaque(o opaque) *elumenta.Opaque {
	data, err := json.Marshal(o, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return nil // strings alone always encode
	}
	return &elumenta.Opaque{Format: Format, Data: elumenta.Text(data)}
}

// thinkingBlock gives reasoning back as it came. Another format's, or reasoning without its signature, is refused by the
// API and is left out.
func thinkingBlock(part elumenta.Part) (block, bool) {
	if part.Opaque == nil || part.Opaque.Format != Format {
		return block{}, false
	}
	var o opaque
	if json.Unmarshal([]byte(part.Opaque.Data), &o) != nil {
		return block{}, false
	}
	switch {
	case o.Type == "thinking" && o.Signature != "":
		return block{Type: o.Type, Thinking: &part.Text, Signature: o.Signature}, true
	case o.Type == "redacted_thinking" && o.Data != "":
		return block{Type: o.Type, Data: o.Data}, true
	}
	return block{}, false
}
