package openai

import (
	"crypto/rand"
	"strings"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

// chatDecoder turns chunks, or a whole answer, into events.
type chatDecoder struct {
	a     *wire.Answer
	out   *wire.Emitter
	j     wire.JSON
	done  elumenta.Completion
	tools bool // the prompt has tools: reasoning may have to be given back

	usage   chatUsage
	calls   []chatCall
	opened  int  // how many of them were emitted
	deltas  bool // there were some with output: a message is what they add up to
	refused bool
	// reasoned is the member that reasoning came under, as long as nothing else came behind it.
	reasoned string

	chunk chatChunk
	// pattern is a chunk with nothing but a piece of text, whose place is text, and perhaps OpenAI's padding.
	pattern       wire.Pattern
	patterns      int
	text, padding wire.Span
	texts         int
}

// maxPatterns is how many chunks of a stream may serve as the pattern of those behind them: where each is different, looking
// for what they have in common is of no use.
const maxPatterns = 8

// chatChunk is what one chunk holds. It is used again for the next one.
type chatChunk struct {
	choice bool // there is a choice with a message or a delta
	finish string
	chatOutput
	problem *problem
	// isError, code and text are an error that is the chunk itself, as vLLM writes it.
	isError    bool
	code, text string
}

// chatOutput is what a message or a delta has.
type chatOutput struct {
	reasoned           string
	reasoning, content string
	refusal            string
	calls              []chatCallPiece
}

func (o *chatOutput) isEmpty() bool {
	return o.content == "" && o.reasoning == "" && o.refusal == "" && len(o.calls) == 0
}

// chatCall is a tool call under way.
type chatCall struct {
	index   int64 // the provider's; -1 if it gives none
	id      string
	name    string
	pending []byte // arguments that came before the name
	open    bool   // the call was emitted, as this number
	said    bool   // it has arguments
	number  int
	extent  *jsonExtent // of its arguments, where the host gives no id
	again   bool        // its name came again behind them
}

// jsonExtent finds the end of a JSON object that comes in pieces.
type jsonExtent struct {
	depth           int
	text, backslash bool // within a text, behind a backslash in it
	complete        bool
}

func (e *jsonExtent) add(piece string) {
	for _, b := range []byte(piece) {
		switch {
		case e.backslash:
			e.backslash = false
		case e.text:
			e.text, e.backslash = b != '"', b == '\\'
		case b == '"':
			e.text = true
		case b == '{' || b == '[':
			e.depth++
		case b == '}' || b == ']':
			e.depth--
			e.complete = e.depth == 0
		}
	}
}

type chatCallPiece struct {
	index           int64
	id, name, input string
}

func (d *chatDecoder) begin(a *wire.Answer) *wire.Emitter {
	d.a = a
	return d.out
}

func (d *chatDecoder) event(name, data []byte) (bool, error) {
	if string(data) == "[DONE]" {
		return true, nil
	}
	if err := d.parse(data); err != nil {
		return false, err
	}
	if string(name) == "error" && d.chunk.problem == nil {
		d.chunk.problem = &problem{}
	}
	return false, d.take()
}

func (d *chatDecoder) whole(body []byte) error {
	if err := d.parse(body); err != nil {
		return err
	}
	if !d.chunk.choice && d.chunk.problem == nil {
		return d.a.Malformed("", nil)
	}
	if err := d.take(); err != nil {
		return err
	}
	// A whole message is complete, also where a host gives no reason.
	if d.done.Finish == "" {
		d.done.Finish = elumenta.FinishStop
	}
	return nil
}

// end decides what an answer came to. A stream that ends without [DONE] had finished if it gave a reason.
func (d *chatDecoder) end(err error) error {
	d.done.Usage = d.usage.normal()
	switch {
	case d.out.Err() != nil:
		return d.out.Err()
	case err != nil && (!wire.IsEnd(err) || d.done.Finish == ""):
		return err
	case d.done.Finish == "":
		return d.a.Truncated()
	}
	for _, c := range d.calls {
		if !c.open {
			return d.a.Malformed("a tool call of the provider has no name", nil)
		}
	}
	switch {
	case d.done.Finish == elumenta.FinishStop && d.refused:
		d.done.Finish = elumenta.FinishRefusal
	case d.done.Finish == elumenta.FinishStop && len(d.calls) > 0:
		d.done.Finish = elumenta.FinishToolCalls
	case d.done.Finish == elumenta.FinishToolCalls && len(d.calls) == 0:
		d.done.Finish = elumenta.FinishStop
	}
	if err := d.endCalls(); err != nil {
		return err
	}
	return d.endReasoning()
}

// endCalls gives calls whose arguments some hosts leave empty those that OpenAI itself sends for none. One that a limit cut off keeps nothing.
func (d *chatDecoder) endCalls() error {
	if d.done.Finish != elumenta.FinishToolCalls {
		return nil
	}
	for _, c := range d.calls {
		if c.said {
			continue
		}
		if err := d.out.Emit(elumenta.Event{Kind: elumenta.EventToolInput, Index: c.number, Text: "{}"}); err != nil {
			return err
		}
	}
	return nil
}

// take emits what the chunk holds.
func (d *chatDecoder) take() error {
	c := &d.chunk
	if c.problem != nil {
		return d.a.Fail(c.problem.event())
	}
	if c.reasoning != "" {
		d.reasoned = c.reasoned
		if err := d.out.Text(elumenta.EventReasoning, c.reasoning); err != nil {
			return err
		}
	}
	if c.content != "" || c.refusal != "" || len(c.calls) > 0 {
		if err := d.endReasoning(); err != nil {
			return err
		}
	}
	if err := d.out.Text(elumenta.EventText, c.content); err != nil {
		return err
	}
	d.refused = d.refused || c.refusal != ""
	if err := d.out.Text(elumenta.EventRefusal, c.refusal); err != nil {
		return err
	}
	for i := range c.calls {
		another := i > 0 && c.calls[i].name != "" && c.calls[i].id == "" && c.calls[i].index == c.calls[i-1].index
		if err := d.call(&c.calls[i], another); err != nil {
			return err
		}
	}
	return d.finish(c.finish)
}

// endReasoning emits what a later turn needs to give the reasoning back. Only prompts with tools need that
// (https://api-docs.deepseek.com/guides/thinking_mode).
func (d *chatDecoder) endReasoning() error {
	if d.reasoned == "" || !d.tools {
		return nil
	}
	field := d.reasoned
	d.reasoned = ""
	return d.out.Emit(elumenta.Event{Kind: elumenta.EventOpaque, Part: elumenta.PartReasoning, Opaque: &elumenta.Opaque{
		Format: opaqueFormat, Data: elumenta.Text(`{"type":"` + field + `"}`),
	}})
}

// call takes a piece of a tool call. Pieces belong together by their index; hosts that give none, or the same one for
// all, begin another call with another id and a name, or without ids with another name, with a name in the same chunk as the one before it,
// or with a name, and arguments then or later, behind one that is complete.
func (d *chatDecoder) call(p *chatCallPiece, another bool) error {
	at := len(d.calls) - 1
	for at >= 0 && p.index >= 0 && d.calls[at].index != p.index {
		at--
	}
	if at >= 0 && p.id == "" && d.calls[at].extent != nil {
		last, says := &d.calls[at], strings.TrimSpace(p.input) != ""
		switch {
		case p.name != "":
			another = another || p.name != last.name || last.extent.complete && says
			last.again = last.extent.complete
		case last.again && says:
			another, p.name = true, last.name
		}
	}
	if at < 0 || another || p.name != "" && p.id != "" && d.calls[at].id != "" && d.calls[at].id != p.id {
		at = len(d.calls)
		d.calls = append(d.calls, chatCall{index: p.index})
	}
	c := &d.calls[at]
	if c.id == "" {
		c.id = p.id
	}
	if c.name == "" {
		c.name = p.name
	}
	if !c.open && c.name == "" {
		c.pending = append(c.pending, p.input...)
		return nil
	}
	if !c.open {
		c.open, c.number = true, d.opened
		d.opened++
		if c.id == "" {
			c.id, c.extent = "call_"+rand.Text(), &jsonExtent{}
		}
		if err := d.out.Emit(elumenta.Event{Kind: elumenta.EventToolCall, Index: c.number, ID: c.id, Name: c.name}); err != nil {
			return err
		}
	}
	input := string(c.pending) + p.input
	c.pending = nil
	if c.extent != nil {
		c.extent.add(input)
	}
	c.said = c.said || input != ""
	return d.out.Emit(elumenta.Event{Kind: elumenta.EventToolInput, Index: c.number, Text: elumenta.Text(input)})
}

// finish takes a finish_reason, in any host's words. The first one counts: some hosts repeat it.
func (d *chatDecoder) finish(reason string) error {
	var f elumenta.FinishReason
	switch reason {
	case "", "null":
		return nil
	case "length", "max_tokens", "MAX_TOKENS", "model_length", "max_output_tokens":
		f = elumenta.FinishLength
	case "content_filter", "content_filtered", "safety", "SAFETY", "recitation", "RECITATION", "guardrail_intervened", "sensitive":
		f = elumenta.FinishContentFilter
	case "refusal":
		f = elumenta.FinishRefusal
	case "tool_calls", "tool_call", "tool_use", "function_call":
		f = elumenta.FinishToolCalls
	case "error", "abort", "network_error":
		return d.a.Fail(wire.Fault{})
	case "insufficient_system_resource": // DeepSeek broke off
		return d.a.Fail(wire.Fault{Kind: elumenta.KindOverloaded})
	default:
		f = elumenta.FinishStop
	}
	if d.done.Finish == "" {
		d.done.Finish = f
	}
	return nil
}
