package openaiapi

import (
	"strconv"

	"github.com/elumenta/elumenta"
)

// responsesEncoder writes one answer as a response, or as a stream of its events
// (https://platform.openai.com/docs/api-reference/responses-streaming). It is an elumenta.Encoder.
type responsesEncoder struct {
	model    string // as the request has it; "" where it names a prompt alone
	echo     []byte // the members of the response that repeat the request
	started  elumenta.Started
	sequence int64 // of the next event
	items    []outputItem
	message  int   // the item that text is added to, or -1
	thought  int   // the item that reasoning is added to, or -1
	calls    []int // the items of the answer's tool calls
	// textState is the state of the text that is open, which becomes an item when the message ends.
	textState string
}

// outputItem is an item of the output: a function call, reasoning or a message.
type outputItem struct {
	call         bool
	reasoning    bool
	summary      []byte // what the provider shows of the reasoning
	state        string // what comes back with the next request: encrypted_content
	callID, name string
	arguments    []byte
	parts        []outputPart
	open         bool // more may come
}

// outputPart is a part of a message.
type outputPart struct {
	refusal bool
	text    []byte
}

// kind is the part's type, and the name of its text.
func (p *outputPart) kind() (kind, member string) {
	if p.refusal {
		return "refusal", "refusal"
	}
	return "output_text", "text"
}

// The states of a response and its items.
const (
	statusInProgress = "in_progress"
	statusCompleted  = "completed"
	statusIncomplete = "incomplete"
	statusFailed     = "failed"
)

// Whole is the response.
func (e *responsesEncoder) Whole(b []byte, a *elumenta.Answer, r *elumenta.Result) []byte {
	e.started, e.message = r.Started, -1
	for i := range a.Parts {
		e.wholePart(a, &a.Parts[i])
	}
	return append(e.response(b, r, nil, nil), '\n')
}

// wholePart adds a part of a whole answer to the items. Text and refusal are one message, up to a tool call or reasoning.
func (e *responsesEncoder) wholePart(a *elumenta.Answer, p *elumenta.AnswerPart) {
	switch p.Kind {
	case elumenta.PartReasoning:
		e.message = -1
		e.items = append(e.items, outputItem{reasoning: true, summary: a.TextOf(p), state: stateOf(p.Kind, "", p.Opaque)})
		return
	case elumenta.PartToolCall:
		e.message = -1
		c := &a.ToolCalls[p.Call]
		e.items = append(e.items, outputItem{call: true, callID: c.ID, name: c.Name, arguments: []byte(c.Arguments)})
		if p.Opaque != nil {
			e.items = append(e.items, outputItem{reasoning: true, state: stateOf(p.Kind, c.ID, p.Opaque)})
		}
		return
	}
	if text := a.TextOf(p); len(text) > 0 {
		if e.message < 0 {
			e.message = len(e.items)
			e.items = append(e.items, outputItem{})
		}
		m := &e.items[e.message]
		refusal := p.Kind == elumenta.PartRefusal
		if n := len(m.parts); n > 0 && m.parts[n-1].refusal == refusal {
			m.parts[n-1].text = append(m.parts[n-1].text, text...)
		} else {
			m.parts = append(m.parts, outputPart{refusal: refusal, text: append([]byte(nil), text...)})
		}
	}
	if p.Opaque != nil {
		e.message = -1
		e.items = append(e.items, outputItem{reasoning: true, state: stateOf(p.Kind, "", p.Opaque)})
	}
}

// Begin is the events response.created and response.in_progress.
func (e *responsesEncoder) Begin(b []byte, s *elumenta.Started) []byte {
	e.started, e.message, e.thought = *s, -1, -1
	for _, name := range []string{"response.created", "response.in_progress"} {
		b = e.event(b, name)
		b = append(b, `,"response":`...)
		b = e.response(b, nil, nil, nil)
		b = append(b, eventEnd...)
	}
	return b
}

const eventEnd = "}\n\n"

// Event is one piece.
func (e *responsesEncoder) Event(b []byte, ev elumenta.Event) []byte {
	switch ev.Kind {
	case elumenta.EventText:
		return e.said(b, false, ev.Text)
	case elumenta.EventRefusal:
		return e.said(b, true, ev.Text)
	case elumenta.EventToolCall:
		b = e.closeMessage(e.closeThought(b), statusCompleted)
		e.calls = append(e.calls, len(e.items))
		return e.openItem(b, outputItem{call: true, callID: ev.ID, name: ev.Name})
	case elumenta.EventToolInput:
		if ev.Index >= len(e.calls) {
			return b
		}
		at := e.calls[ev.Index]
		e.items[at].arguments = append(e.items[at].arguments, ev.Text...)
		b = e.itemEvent(b, "response.function_call_arguments.delta", at)
		return appendDelta(b, ev.Text, "")
	case elumenta.EventReasoning:
		return e.think(b, ev.Text)
	case elumenta.EventOpaque:
		return e.keep(b, &ev)
	}
	return b
}

// KeepAlive is a comment.
func (*responsesEncoder) KeepAlive(b []byte) []byte { return append(b, keepAlive...) }

// End closes what is open and has the event response.completed or response.incomplete.
func (e *responsesEncoder) End(b []byte, r *elumenta.Result) []byte {
	b = e.closeThought(b)
	status, _ := e.ended(r.Finish)
	last := e.last()
	for at := range e.items {
		if !e.items[at].open {
			continue
		}
		state := statusCompleted
		if at == last {
			state = status
		}
		if e.items[at].call {
			b = e.closeCall(b, at, state)
		} else {
			b = e.closeMessage(b, state)
		}
	}
	b = e.event(b, "response."+status)
	b = append(b, `,"response":`...)
	b = e.response(b, r, nil, nil)
	return append(b, eventEnd...)
}

// Fail is the events error and response.failed. The error stands in the event as documented, and as an object besides, by which OpenAI's
// clients tell that a stream has failed.
func (e *responsesEncoder) Fail(b []byte, failed *elumenta.Error, _ elumenta.RequestID, s *elumenta.Settled) []byte {
	f := failureOf(renamed(failed))
	b = e.event(b, "error")
	b = append(b, `,"code":`...)
	b = appendOptional(b, f.code)
	b = append(b, `,"message":`...)
	b = appendString(b, f.message)
	b = append(b, `,"param":`...)
	b = appendOptional(b, f.param)
	b = append(b, `,"error":`...)
	b = f.append(b)
	b = append(b, eventEnd...)
	b = e.event(b, "response.failed")
	b = append(b, `,"response":`...)
	b = e.response(b, nil, &f, s)
	return append(b, eventEnd...)
}

// said adds a piece to the message, and to its last part if that is of the same kind.
func (e *responsesEncoder) said(b []byte, refusal bool, text elumenta.Text) []byte {
	b = e.closeThought(b)
	if e.textState != "" {
		b = e.closeMessage(b, statusCompleted) // the state is of what was said so far
	}
	if e.message < 0 {
		e.message = len(e.items)
		b = e.openItem(b, outputItem{})
	}
	m := &e.items[e.message]
	if n := len(m.parts); n == 0 || m.parts[n-1].refusal != refusal {
		b = e.closePart(b)
		m.parts = append(m.parts, outputPart{refusal: refusal})
		b = e.partEvent(b, "response.content_part.added")
		b = append(b, `,"part":`...)
		b = appendPart(b, &m.parts[n])
		b = append(b, eventEnd...)
	}
	part := &m.parts[len(m.parts)-1]
	part.text = append(part.text, text...)
	if refusal {
		b = e.partEvent(b, "response.refusal.delta")
		return appendDelta(b, text, "")
	}
	b = e.partEvent(b, "response.output_text.delta")
	return appendDelta(b, text, noLogprobs)
}

const noLogprobs = `,"logprobs":[]`

func appendDelta(b []byte, text elumenta.Text, more string) []byte {
	b = append(b, `,"delta":`...)
	b = appendString(b, text)
	b = append(b, more...)
	return append(b, eventEnd...)
}

// openItem begins an item.
func (e *responsesEncoder) openItem(b []byte, item outputItem) []byte {
	item.open = true
	e.items = append(e.items, item)
	b = e.event(b, "response.output_item.added")
	return e.appendWholeItem(b, len(e.items)-1, statusInProgress)
}

// closePart ends the last part of the message.
func (e *responsesEncoder) closePart(b []byte) []byte {
	parts := e.items[e.message].parts
	if len(parts) == 0 {
		return b
	}
	part := &parts[len(parts)-1]
	kind, member := part.kind()
	b = e.partEvent(b, "response."+kind+".done")
	b = append(b, `,"`...)
	b = append(b, member...)
	b = append(b, `":`...)
	b = appendString(b, part.text)
	if !part.refusal {
		b = append(b, noLogprobs...)
	}
	b = append(b, eventEnd...)
	b = e.partEvent(b, "response.content_part.done")
	b = append(b, `,"part":`...)
	b = appendPart(b, part)
	return append(b, eventEnd...)
}

// closeMessage ends the message that text is added to, if there is one.
func (e *responsesEncoder) closeMessage(b []byte, status string) []byte {
	if e.message < 0 {
		return b
	}
	b = e.closePart(b)
	b = e.closeItem(b, e.message, status)
	e.message = -1
	if e.textState == "" {
		return b
	}
	at := len(e.items)
	b = e.openItem(b, outputItem{reasoning: true})
	e.items[at].state, e.textState = e.textState, ""
	return e.closeItem(b, at, statusCompleted)
}

// closeCall ends a call. Calls are open to the end: some providers send the pieces of several by turns.
func (e *responsesEncoder) closeCall(b []byte, at int, status string) []byte {
	b = e.itemEvent(b, "response.function_call_arguments.done", at)
	b = append(b, `,"name":`...)
	b = appendString(b, e.items[at].name)
	b = append(b, `,"arguments":`...)
	b = appendString(b, e.items[at].arguments)
	b = append(b, eventEnd...)
	return e.closeItem(b, at, status)
}

func (e *responsesEncoder) closeItem(b []byte, at int, status string) []byte {
	e.items[at].open = false
	b = e.event(b, "response.output_item.done")
	return e.appendWholeItem(b, at, status)
}

// event begins an event.
func (e *responsesEncoder) event(b []byte, name string) []byte {
	b = append(b, "event: "...)
	b = append(b, name...)
	b = append(b, "\ndata: {\"type\":\""...)
	b = append(b, name...)
	b = append(b, `","sequence_number":`...)
	b = strconv.AppendInt(b, e.sequence, 10)
	e.sequence++
	return b
}

// itemEvent begins an event of an item.
func (e *responsesEncoder) itemEvent(b []byte, name string, at int) []byte {
	b = e.event(b, name)
	b = append(b, `,"item_id":"`...)
	b = e.appendItemID(b, at)
	b = append(b, `","output_index":`...)
	return strconv.AppendInt(b, int64(at), 10)
}

// partEvent begins an event of the message's last part.
func (e *responsesEncoder) partEvent(b []byte, name string) []byte {
	b = e.itemEvent(b, name, e.message)
	b = append(b, `,"content_index":`...)
	return strconv.AppendInt(b, int64(len(e.items[e.message].parts)-1), 10)
}

// appendWholeItem ends an event with an item.
func (e *responsesEncoder) appendWholeItem(b []byte, at int, status string) []byte {
	b = append(b, `,"output_index":`...)
	b = strconv.AppendInt(b, int64(at), 10)
	b = append(b, `,"item":`...)
	b = e.appendItem(b, at, status)
	return append(b, eventEnd...)
}
