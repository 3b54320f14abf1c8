package openai

import (
	"slices"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

// responsesDecoder turns a response's events, or a whole response, into events.
type responsesDecoder struct {
	a    *wire.Answer
	out  *wire.Emitter
	j    wire.JSON
	done elumenta.Completion

	calls    []responseCall
	refused  bool
	finished bool
	ev       responseEvent
	before   string // the kind of the event before
}

// responseCall is a tool call under way.
type responseCall struct {
	output int64 // output_index of its item
	input  bool  // some of its arguments were emitted
}

// responseEvent is what one event, or a whole response, holds.
type responseEvent struct {
	kind, delta, arguments string
	output, summary        int64
	item                   responseItem
	problem                problem // an error event's
	response               response
}

type response struct {
	status, incomplete string
	failed             *problem
	output             []responseItem
}

// responseItem is an item of a response's output.
type responseItem struct {
	kind, id, callID, name, arguments string
	text, refusal, reasoning          string
	summary, encrypted                string // as written
}

func (d *responsesDecoder) begin(a *wire.Answer) *wire.Emitter {
	d.a = a
	return d.out
}

func (d *responsesDecoder) event(name, data []byte) (bool, error) {
	switch string(name) {
	case "response.in_progress", "response.queued", "response.content_part.added", "response.content_part.done",
		"response.output_text.done", "response.output_text.annotation.added", "response.reasoning_summary_text.done",
		"response.reasoning_summary_part.done", "response.reasoning_text.done", "response.refusal.done":
		return false, nil // these say nothing that is not said elsewhere, and some echo the instructions
	}
	if string(data) == "[DONE]" {
		return d.finished, nil
	}
	d.before, d.ev = d.ev.kind, responseEvent{}
	if err := d.parse(data); err != nil {
		return false, err
	}
	if d.ev.kind == "" {
		d.ev.kind = string(name)
	}
	return d.take()
}

// take emits what an event holds (https://platform.openai.com/docs/api-reference/responses-streaming).
func (d *responsesDecoder) take() (bool, error) {
	ev := &d.ev
	switch ev.kind {
	case "response.output_text.delta":
		return false, d.out.Text(elumenta.EventText, ev.delta)
	case "response.refusal.delta":
		d.refused = true
		return false, d.out.Text(elumenta.EventRefusal, ev.delta)
	case "response.reasoning_summary_text.delta", "response.reasoning_text.delta":
		return false, d.out.Text(elumenta.EventReasoning, ev.delta)
	case "response.reasoning_summary_part.added":
		if ev.summary > 0 {
			return false, d.out.Text(elumenta.EventReasoning, summaryGap)
		}
	case "response.output_item.added":
		return false, d.itemAdded(&ev.item)
	case "response.function_call_arguments.delta":
		return false, d.input(ev.output, ev.delta)
	case "response.function_call_arguments.done":
		return false, d.wholeInput(ev.output, ev.arguments)
	case "response.output_item.done":
		return false, d.itemDone(&ev.item)
	case "response.completed", "response.incomplete", "response.failed":
		return true, d.finish(&ev.response)
	case "error":
		return false, d.a.Fail(ev.problem.event())
	}
	return false, nil
}

// summaryGap stands between two parts of a reasoning summary.
const summaryGap = "\n\n"

func (d *responsesDecoder) itemAdded(item *responseItem) error {
	if item.kind != "function_call" {
		return nil
	}
	if item.callID == "" || item.name == "" {
		return d.a.Malformed("a tool call of the provider has no name", nil)
	}
	d.calls = append(d.calls, responseCall{output: d.ev.output})
	return d.out.Emit(elumenta.Event{Kind: elumenta.EventToolCall, Index: len(d.calls) - 1, ID: item.callID, Name: item.name})
}

func (d *responsesDecoder) itemDone(item *responseItem) error {
	switch item.kind {
	case "function_call":
		return d.wholeInput(d.ev.output, item.arguments)
	case "reasoning":
		return d.opaque(item)
	}
	return nil
}

// opaque emits a reasoning item as it goes back with the next turn. Without its encrypted content it is worth nothing:
// nothing of it is stored at OpenAI (https://platform.openai.com/docs/guides/reasoning#encrypted-reasoning-items).
func (d *responsesDecoder) opaque(item *responseItem) error {
	if item.encrypted == "" {
		return nil
	}
	return d.out.Emit(elumenta.Event{Kind: elumenta.EventOpaque, Part: elumenta.PartReasoning, Opaque: &elumenta.Opaque{
		Format: opaqueFormat, Data: elumenta.Text(appendReasoning(nil, item)),
	}})
}

func (d *responsesDecoder) callAt(output int64) int {
	for i, c := range slices.Backward(d.calls) {
		if c.output == output {
			return i
		}
	}
	return -1
}

func (d *responsesDecoder) input(output int64, piece string) error {
	at := d.callAt(output)
	if at < 0 {
		return d.a.Malformed("arguments of a tool call that did not begin", nil)
	}
	d.calls[at].input = d.calls[at].input || piece != ""
	return d.out.Emit(elumenta.Event{Kind: elumenta.EventToolInput, Index: at, Text: elumenta.Text(piece)})
}

// wholeInput takes the arguments of a call that came at once.
func (d *responsesDecoder) wholeInput(output int64, arguments string) error {
	if at := d.callAt(output); at < 0 || d.calls[at].input {
		return nil
	}
	return d.input(output, arguments)
}

// finish takes the response as it stands at its end.
func (d *responsesDecoder) finish(r *response) error {
	switch r.status {
	case "completed":
		d.done.Finish = elumenta.FinishStop
		switch {
		case d.refused:
			d.done.Finish = elumenta.FinishRefusal
		case len(d.calls) > 0:
			d.done.Finish = elumenta.FinishToolCalls
		}
	case "incomplete":
		d.done.Finish = elumenta.FinishLength
		if r.incomplete == "content_filter" {
			d.done.Finish = elumenta.FinishContentFilter
		}
	case "failed", "cancelled":
		if r.failed == nil {
			r.failed = &problem{}
		}
		return d.a.Fail(r.failed.event())
	default:
		return d.a.Truncated()
	}
	d.finished = true
	return nil
}

func (d *responsesDecoder) whole(body []byte) error {
	d.ev = responseEvent{}
	if err := d.parse(body); err != nil {
		return err
	}
	r := &d.ev.response
	switch {
	case d.ev.problem != (problem{}):
		return d.a.Fail(d.ev.problem.event())
	case r.status == "":
		return d.a.Malformed("", nil)
	case r.status == "failed" || r.status == "cancelled":
		return d.finish(r)
	}
	for i := range r.output {
		if err := d.wholeItem(int64(i), &r.output[i]); err != nil {
			return err
		}
	}
	return d.finish(r)
}

func (d *responsesDecoder) wholeItem(at int64, item *responseItem) error {
	d.ev.output = at
	if err := d.out.Text(elumenta.EventReasoning, item.reasoning); err != nil {
		return err
	}
	if err := d.out.Text(elumenta.EventText, item.text); err != nil {
		return err
	}
	d.refused = d.refused || item.refusal != ""
	if err := d.out.Text(elumenta.EventRefusal, item.refusal); err != nil {
		return err
	}
	if err := d.itemAdded(item); err != nil {
		return err
	}
	return d.itemDone(item)
}

// end passes on what the answer came to: the last event says all.
func (d *responsesDecoder) end(err error) error {
	if d.out.Err() != nil {
		return d.out.Err()
	}
	return err
}
