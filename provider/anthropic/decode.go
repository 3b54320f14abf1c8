package anthropic

import (
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

// kind is a type of event, block or delta that is understood. Others are zero and passed over: the API adds new ones.
type kind uint8

const (
	messageStart kind = iota + 1
	blockStart
	blockDelta
	blockStop
	messageDelta
	messageStop
	errorEvent
	textBlock
	thinkingBlockKind
	redactedBlock
	toolBlock
	textDelta
	thinkingDelta
	signatureDelta
	inputDelta
)

// UnmarshalJSONFrom reads a type without making a string of it.
func (k *kind) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	v, err := d.ReadValue()
	if err != nil {
		return err
	}
	*k = kindOf(string(v))
	return nil
}

func kindOf(quoted string) kind {
	switch quoted {
	case `"message_start"`:
		return messageStart
	case `"content_block_start"`:
		return blockStart
	case `"content_block_delta"`:
		return blockDelta
	case `"content_block_stop"`:
		return blockStop
	case `"message_delta"`:
		return messageDelta
	case `"message_stop"`:
		return messageStop
	case `"error"`:
		return errorEvent
	case `"text"`:
		return textBlock
	case `"thinking"`:
		return thinkingBlockKind
	case `"redacted_thinking"`:
		return redactedBlock
	case `"tool_use"`:
		return toolBlock
	case `"text_delta"`:
		return textDelta
	case `"thinking_delta"`:
		return thinkingDelta
	case `"signature_delta"`:
		return signatureDelta
	case `"input_json_delta"`:
		return inputDelta
	}
	return 0
}

// event is any event of the stream.
type event struct {
	Type    kind           `json:"type"`
	Index   int            `json:"index"`
	Message *answerMessage `json:"message"`
	Block   *answerBlock   `json:"content_block"`
	Delta   delta          `json:"delta"`
	Usage   *usage         `json:"usage"`
	Error   *apiError      `json:"error"`
}

type delta struct {
	Type        kind          `json:"type"`
	Text        elumenta.Text `json:"text"`
	Thinking    elumenta.Text `json:"thinking"`
	Signature   string        `json:"signature"`
	PartialJSON elumenta.Text `json:"partial_json"`
	ending
}

// ending is why an answer ended.
type ending struct {
	Reason   string `json:"stop_reason"`
	Sequence string `json:"stop_sequence"`
}

// answerMessage is a whole answer, or the beginning of a streamed one.
type answerMessage struct {
	Type    kind          `json:"type"`
	ID      string        `json:"id"`
	Model   string        `json:"model"`
	Content []answerBlock `json:"content"`
	ending
	Usage *usage    `json:"usage"`
	Error *apiError `json:"error"`
}

type answerBlock struct {
	Type      kind           `json:"type"`
	Text      elumenta.Text  `json:"text"`
	Thinking  elumenta.Text  `json:"thinking"`
	Signature string         `json:"signature"`
	Data      string         `json:"data"`
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	Input     jsontext.Value `json:"input"`
}

// usage counts tokens; what is nil was not said.
type usage struct {
	Input      *wire.Tokens `json:"input_tokens"`
	CacheWrite *wire.Tokens `json:"cache_creation_input_tokens"`
	CacheRead  *wire.Tokens `json:"cache_read_input_tokens"`
	Output     *wire.Tokens `json:"output_tokens"`
	Details    struct {
		Thinking *wire.Tokens `json:"thinking_tokens"`
	} `json:"output_tokens_details"`
}

// decoder turns one answer into events.
type decoder struct {
	answer     *wire.Answer
	out        *wire.Emitter
	stops      []string // the request's
	completion elumenta.Completion
	ended      bool // a stop reason came
	event      event
	block      openBlock
	calls      int
	input      int64 // tokens of the prompt that no cache had to do with
}

// openBlock is the content block under way.
type openBlock struct {
	kind      kind
	index     int
	call      int
	signature []byte
	data      string
	input     jsontext.Value // given at the block's start
	hasInput  bool           // a piece of the input was passed on
}

func (d *decoder) decode() error {
	stream, err := d.answer.IsStream()
	if err != nil {
		return err
	}
	if stream {
		return d.answer.Events(d.out, d.handle)
	}
	return d.answer.Whole(d.whole)
}

func unmarshal(data []byte, into any) error {
	return json.Unmarshal(data, into, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

func (d *decoder) whole(body []byte) error {
	var m answerMessage
	if unmarshal(body, &m) != nil {
		return d.answer.Malformed("", nil)
	}
	if m.Type == errorEvent && m.Error != nil {
		return d.answer.Fail(m.Error.fault(0))
	}
	d.completion.UpstreamID, d.completion.Model = m.ID, m.Model
	d.count(m.Usage)
	for i := range m.Content {
		if err := d.start(i, &m.Content[i]); err != nil {
			return err
		}
		if err := d.stop(); err != nil {
			return err
		}
	}
	d.finish(&m.ending)
	if !d.ended {
		return d.answer.Malformed("", nil)
	}
	return nil
}

// handle takes one event of the stream and reports whether it was the last.
func (d *decoder) handle(name, data []byte) (bool, error) {
	if string(name) == "ping" {
		return false, nil
	}
	d.event = event{}
	if unmarshal(data, &d.event) != nil {
		return false, d.answer.Malformed("", nil)
	}
	switch e := &d.event; e.Type {
	case messageStart:
		if e.Message != nil {
			d.completion.UpstreamID, d.completion.Model = e.Message.ID, e.Message.Model
			d.count(e.Message.Usage)
		}
	case blockStart:
		if e.Block != nil {
			return false, d.start(e.Index, e.Block)
		}
	case blockDelta:
		return false, d.delta(e.Index, &e.Delta)
	case blockStop:
		if e.Index == d.block.index {
			return false, d.stop()
		}
	case messageDelta:
		d.count(e.Usage)
		d.finish(&e.Delta.ending)
	case messageStop:
		if !d.ended {
			return false, d.answer.Malformed("", nil)
		}
		return true, nil
	case errorEvent:
		if e.Error == nil {
			e.Error = &apiError{}
		}
		return false, d.answer.Fail(e.Error.fault(0))
	}
	return false, nil
}

// start opens a content block and passes on what it already holds.
func (d *decoder) start(index int, b *answerBlock) error {
	d.block = openBlock{kind: b.Type, index: index, signature: []byte(b.Signature), data: b.Data}
	switch b.Type {
	case textBlock:
		return d.out.Emit(elumenta.Event{Kind: elumenta.EventText, Text: b.Text})
	case thinkingBlockKind:
		return d.out.Emit(elumenta.Event{Kind: elumenta.EventReasoning, Text: b.Thinking})
	case toolBlock:
		if b.ID == "" || b.Name == "" {
			return d.answer.Malformed("", nil)
		}
		d.block.call = d.calls
		d.calls++
		d.block.input = b.Input
		return d.out.Emit(elumenta.Event{Kind: elumenta.EventToolCall, Index: d.block.call, ID: b.ID, Name: b.Name})
	}
	return nil
}

func (d *decoder) delta(index int, in *delta) error {
	b := &d.block
	if index != b.index {
		return nil
	}
	switch {
	case in.Type == textDelta && b.kind == textBlock:
		return d.out.Emit(elumenta.Event{Kind: elumenta.EventText, Text: in.Text})
	case in.Type == thinkingDelta && b.kind == thinkingBlockKind:
		return d.out.Emit(elumenta.Event{Kind: elumenta.EventReasoning, Text: in.Thinking})
	case in.Type == signatureDelta && b.kind == thinkingBlockKind:
		b.signature = append(b.signature, in.Signature...)
	case in.Type == inputDelta && b.kind == toolBlock:
		b.hasInput = b.hasInput || in.PartialJSON != ""
		return d.out.Emit(elumenta.Event{Kind: elumenta.EventToolInput, Index: b.call, Text: in.PartialJSON})
	}
	return nil
}

// stop closes the block: reasoning is followed by its state, and a call without pieces by the input that it began with.
func (d *decoder) stop() error {
	b := d.block
	d.block = openBlock{index: -1}
	switch {
	case b.kind == thinkingBlockKind && len(b.signature) > 0:
		return d.opaque(opaque{Type: "thinking", Signature: string(b.signature)})
	case b.kind == redactedBlock && b.data != "":
		return d.opaque(opaque{Type: "redacted_thinking", Data: b.data})
	case b.kind == toolBlock && !b.hasInput:
		input := "{}"
		if b.input.Kind() == '{' {
			input = string(b.input)
		}
		return d.out.Emit(elumenta.Event{Kind: elumenta.EventToolInput, Index: b.call, Text: elumenta.Text(input)})
	}
	return nil
}

func (d *decoder) opaque(o opaque) error {
	return d.out.Emit(elumenta.Event{Kind: elumenta.EventOpaque, Part: elumenta.PartReasoning, Opaque: newOpaque(o)})
}

// count takes figures over. Those of the end are sums and replace those of the beginning, but for an input of none, which is what some hosts
// of this format write there.
func (d *decoder) count(u *usage) {
	if u == nil {
		return
	}
	c := &d.completion.Usage
	if u.Input != nil && *u.Input > 0 {
		take(&d.input, u.Input)
	}
	take(&c.CacheWriteTokens, u.CacheWrite)
	take(&c.CachedTokens, u.CacheRead)
	take(&c.CompletionTokens, u.Output)
	take(&c.ReasoningTokens, u.Details.Thinking)
	c.PromptTokens = d.input + c.CacheWriteTokens + c.CachedTokens
}

func take(into *int64, n *wire.Tokens) {
	if n != nil {
		*into = int64(*n)
	}
}

// finish maps a stop reason (https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons). One that is
// not known ended the answer all the same.
func (d *decoder) finish(e *ending) {
	if e.Reason == "" {
		return
	}
	d.ended = true
	if slices.Contains(d.stops, e.Sequence) {
		d.completion.StopSequence = e.Sequence
	}
	switch e.Reason {
	case "max_tokens", "model_context_window_exceeded":
		d.completion.Finish = elumenta.FinishLength
	case "tool_use":
		d.completion.Finish = elumenta.FinishToolCalls
	case "refusal":
		d.completion.Finish = elumenta.FinishRefusal
	default: // end_turn, stop_sequence, pause_turn
		d.completion.Finish = elumenta.FinishStop
	}
}
