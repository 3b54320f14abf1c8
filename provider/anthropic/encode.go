package anthropic

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

const (
	// maxMarks is how many cache_control marks a request may carry
	// (https://platform.claude.com/docs/en/build-with-claude/prompt-caching).
	maxMarks = 4
	// leastMaxTokens is sent where neither the caller nor the catalog says how long an answer may be: every model gives
	// that much, and the API insists on a value.
	leastMaxTokens = 4096
	// opening stands before a conversation that the assistant begins: the API wants a user's message first, with text
	// that is not blank.
	opening = "."
)

// request is the body of POST /v1/messages.
type request struct {
	Model         string        `json:"model"`
	MaxTokens     int           `json:"max_tokens"`
	System        []block       `json:"system,omitzero"`
	Messages      []message     `json:"messages"`
	Tools         []tool        `json:"tools,omitzero"`
	ToolChoice    *toolChoice   `json:"tool_choice,omitzero"`
	Temperature   *float64      `json:"temperature,omitzero"`
	TopP          *float64      `json:"top_p,omitzero"`
	StopSequences []string      `json:"stop_sequences,omitempty"`
	OutputConfig  *outputConfig `json:"output_config,omitzero"`
	Thinking      *thinking     `json:"thinking,omitzero"`
	Metadata      *metadata     `json:"metadata,omitzero"`
	Stream        bool          `json:"stream,omitzero"`
}

type message struct {
	Role    elumenta.TurnRole `json:"role"`
	Content []block           `json:"content"`
}

// block is a content block of a request; its type says which fields it has.
type block struct {
	Type         string         `json:"type"`
	Text         elumenta.Text  `json:"text,omitzero"`
	Source       *source        `json:"source,omitzero"`
	ID           string         `json:"id,omitzero"`
	Name         string         `json:"name,omitzero"`
	Input        jsontext.Value `json:"input,omitzero"`
	ToolUseID    string         `json:"tool_use_id,omitzero"`
	Content      []block        `json:"content,omitzero"`
	IsError      bool           `json:"is_error,omitzero"`
	Thinking     *elumenta.Text `json:"thinking,omitzero"`
	Signature    string         `json:"signature,omitzero"`
	Data         string         `json:"data,omitzero"`
	CacheControl *cacheControl  `json:"cache_control,omitzero"`
}

type source struct {
	Type      string        `json:"type"`
	MediaType string        `json:"media_type,omitzero"`
	Data      elumenta.Text `json:"data,omitzero"`
	URL       elumenta.Text `json:"url,omitzero"`
}

type cacheControl struct {
	Type string `json:"type"`
}

type tool struct {
	Name        string         `json:"name"`
	Description string         `json:"description,omitzero"`
	InputSchema jsontext.Value `json:"input_schema"`
	Strict      bool           `json:"strict,omitzero"`
}

type toolChoice struct {
	Type            string `json:"type"`
	Name            string `json:"name,omitzero"`
	DisableParallel *bool  `json:"disable_parallel_tool_use,omitzero"`
}

type outputConfig struct {
	Format *outputFormat `json:"format,omitzero"`
	Effort string        `json:"effort,omitzero"`
}

type outputFormat struct {
	Type   string         `json:"type"`
	Schema jsontext.Value `json:"schema"`
}

type metadata struct {
	UserID string `json:"user_id"`
}

// encode builds the body, with a warning for each setting that was left out or changed.
func encode(t elumenta.Target, p *elumenta.Prompt) ([]byte, []elumenta.Warning, error) {
	settings, warnings := fit(t.Capabilities, p.Settings)
	b := builder{marks: t.Capabilities.Cache == elumenta.CacheMarks}
	b.instructions(p.Instructions)
	b.system(p.System)
	for _, turn := range p.Turns {
		if err := b.turn(turn); err != nil {
			return nil, nil, err
		}
	}
	if err := b.finish(); err != nil {
		return nil, nil, err
	}
	if b.tooMany {
		warnings = append(warnings, elumenta.Warning{Code: elumenta.WarnUnsupported, Field: "cache_control",
			Message: fmt.Sprintf("the provider takes %d marks: the last ones are kept", maxMarks)})
	}
	r := request{
		Model: t.Model, MaxTokens: leastMaxTokens, System: b.systemBlocks, Messages: b.messages,
		Temperature: settings.Temperature, TopP: settings.TopP, StopSequences: settings.Stop, Stream: p.Stream,
	}
	if settings.MaxTokens != nil {
		r.MaxTokens = *settings.MaxTokens
	} else if t.Capabilities.MaxTokens > 0 {
		r.MaxTokens = t.Capabilities.MaxTokens
	}
	if p.User != "" {
		r.Metadata = &metadata{UserID: p.User}
	}
	if f := settings.ResponseFormat; f != nil && f.Type == elumenta.FormatJSONSchema {
		r.OutputConfig = &outputConfig{Format: &outputFormat{Type: "json_schema", Schema: jsontext.Value(f.Schema)}}
	}
	r.Tools, r.ToolChoice = tools(p)
	if p.Reasoning.Asked() {
		warnings = append(warnings, r.think(t.Model, p)...)
	}
	body := bytes.NewBuffer(wire.NewBody(p))
	if err := json.MarshalWrite(body, &r, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return nil, nil, errNotJSON
	}
	return body.Bytes(), warnings, nil
}

// fit leaves out what the API refuses whatever the model: temperature beside top_p, which its newer models do not take
// together, and stop sequences of white space.
func fit(c elumenta.Capabilities, s elumenta.Settings) (elumenta.Settings, []elumenta.Warning) {
	settings, warnings := c.Fit(s)
	if settings.Temperature != nil && settings.TopP != nil {
		settings.TopP = nil
		warnings = append(warnings, elumenta.Warning{Code: elumenta.WarnUnsupported, Field: "top_p",
			Message: "the provider takes temperature or top_p, not both: top_p is left out"})
	}
	stops := slices.DeleteFunc(slices.Clone(settings.Stop), func(stop string) bool { return strings.TrimSpace(stop) == "" })
	if len(stops) < len(settings.Stop) {
		warnings = append(warnings, elumenta.Warning{Code: elumenta.WarnUnsupported, Field: "stop",
			Message: "the provider takes no stop sequence of white space: left out"})
	}
	settings.Stop = stops
	return settings, warnings
}

func tools(p *elumenta.Prompt) ([]tool, *toolChoice) {
	if len(p.Tools) == 0 {
		return nil, nil
	}
	list := make([]tool, len(p.Tools))
	for i, t := range p.Tools {
		list[i] = tool{Name: t.Name, Description: t.Description, InputSchema: jsontext.Value(t.Parameters), Strict: t.Strict}
		if len(t.Parameters) == 0 {
			list[i].InputSchema = jsontext.Value(`{"type":"object"}`)
		}
	}
	choice := toolChoice{Type: string(p.ToolChoice.Mode), Name: p.ToolChoice.Name}
	if parallel := p.ToolChoice.Parallel; parallel != nil {
		disable := !*parallel
		choice.DisableParallel = &disable
	}
	switch p.ToolChoice.Mode {
	case elumenta.ToolNone:
		return list, &toolChoice{Type: "none"}
	case elumenta.ToolNamed:
		choice.Type = "tool"
		return list, &choice
	case elumenta.ToolAny:
	default:
		if p.ToolChoice.Mode == "" && choice.DisableParallel == nil {
			return list, nil
		}
		choice.Type = "auto"
	}
	choice.Name = ""
	return list, &choice
}

// builder gathers the blocks of a request in order. Blank text is never sent, since the API refuses it.
type builder struct {
	ids          toolIDs
	marks        bool
	systemBlocks []block
	messages     []message
	own          int // of systemBlocks, the instructions'
	marked       int
	tooMany      bool // marks of the caller
}

// instructions keeps the text byte for byte: a blank part joins its neighbour.
func (b *builder) instructions(parts []elumenta.Part) {
	var before elumenta.Text
	for _, part := range parts {
		switch n := len(b.systemBlocks); {
		case !isBlank(part.Text):
			b.systemBlocks = append(b.systemBlocks, block{Type: "text", Text: before + part.Text})
			before = ""
		case n > 0:
			b.systemBlocks[n-1].Text += part.Text
		default:
			before += part.Text
		}
		if part.CacheMark {
			b.mark()
		}
	}
	b.own = len(b.systemBlocks)
}

func (b *builder) system(parts []elumenta.Part) {
	for _, part := range parts {
		if !isBlank(part.Text) {
			b.systemBlocks = append(b.systemBlocks, block{Type: "text", Text: part.Text})
		}
		if part.CacheMark {
			b.mark()
		}
	}
}

// turn adds a turn to the last message if that has the same role. A turn without content adds nothing.
func (b *builder) turn(turn elumenta.Turn) error {
	for _, part := range turn.Parts {
		blk, ok, err := contentBlock(part)
		if err != nil {
			return err
		}
		switch part.Kind {
		case elumenta.PartToolCall:
			blk.ID = b.ids.call(part.ToolCall.ID)
		case elumenta.PartToolResult:
			blk.ToolUseID = b.ids.result(part.ToolResult.CallID)
		}
		if ok {
			b.add(turn.Role, blk)
		}
		if part.CacheMark {
			b.mark()
		}
	}
	return nil
}

func (b *builder) add(role elumenta.TurnRole, blk block) {
	if len(b.messages) == 0 && role == elumenta.RoleOfAssistant {
		b.messages = append(b.messages, message{Role: elumenta.RoleOfUser, Content: []block{{Type: "text", Text: opening}}})
	}
	if n := len(b.messages); n == 0 || b.messages[n-1].Role != role {
		b.messages = append(b.messages, message{Role: role})
	}
	last := &b.messages[len(b.messages)-1]
	last.Content = append(last.Content, blk)
}

// mark sets a cache mark at the end of what was added so far. Thinking cannot carry one.
func (b *builder) mark() {
	if !b.marks {
		return
	}
	for _, m := range slices.Backward(b.messages) {
		if markLast(m.Content) {
			return
		}
	}
	markLast(b.systemBlocks)
}

func markLast(blocks []block) bool {
	for i, b := range slices.Backward(blocks) {
		if b.Type != "thinking" && b.Type != "redacted_thinking" {
			blocks[i].CacheControl = &cacheControl{Type: "ephemeral"}
			return true
		}
	}
	return false
}

// finish brings the messages into the order and form that the API takes.
func (b *builder) finish() error {
	b.trimPrefill()
	if len(b.messages) == 0 {
		return errNoContent
	}
	for i := range slices.Backward(b.messages) {
		content := b.messages[i].Content
		slices.SortStableFunc(content, resultsFirst)
		b.limitMarks(content)
	}
	b.limitMarks(b.systemBlocks[b.own:])
	b.tooMany = b.marked > maxMarks
	b.limitMarks(b.systemBlocks[:b.own])
	return nil
}

// trimPrefill removes the white space that a conversation which ends with the assistant's own words must not end with.
func (b *builder) trimPrefill() {
	n := len(b.messages)
	if n == 0 || b.messages[n-1].Role != elumenta.RoleOfAssistant {
		return
	}
	content := b.messages[n-1].Content
	if last := &content[len(content)-1]; last.Type == "text" {
		last.Text = elumenta.Text(strings.TrimRightFunc(string(last.Text), unicode.IsSpace))
	}
}

// resultsFirst orders a user's message as the API wants it: tool results, then the rest.
func resultsFirst(x, y block) int {
	return rank(x) - rank(y)
}

func rank(b block) int {
	if b.Type == "tool_result" {
		return 0
	}
	return 1
}

// limitMarks goes from the end to the beginning: each mark covers what those before it do.
func (b *builder) limitMarks(blocks []block) {
	for i := range slices.Backward(blocks) {
		if blocks[i].CacheControl == nil {
			continue
		}
		if b.marked++; b.marked > maxMarks {
			blocks[i].CacheControl = nil
		}
	}
}

func isBlank(t elumenta.Text) bool { return strings.TrimSpace(string(t)) == "" }
