package elumenta

import "strings"

// Answer is an answer in one piece.
type Answer struct {
	Text      []byte // what the model says
	Refusal   []byte // what it says where it refuses, as some providers tell apart
	Reasoning []byte // what a provider shows of it
	ToolCalls []ToolCall
	// Parts say in which order all that came, and which state of the provider's belongs to what.
	Parts []AnswerPart

	inputs []*strings.Builder // the arguments of the ToolCalls, which grow by their pieces
}

// AnswerPart is a part of an answer. Neighbours of one kind are one part, unless one of them has state of its own.
type AnswerPart struct {
	Kind     PartKind // PartText, PartRefusal, PartReasoning or PartToolCall
	from, to int      // of the bytes of its kind
	Call     int      // of a PartToolCall: which of the ToolCalls
	Opaque   *Opaque  // what the provider wants back with it; nil for nothing
}

// Add takes one event in.
func (a *Answer) Add(e Event) {
	switch e.Kind {
	case EventText:
		a.Text = a.extend(PartText, a.Text, e.Text)
	case EventRefusal:
		a.Refusal = a.extend(PartRefusal, a.Refusal, e.Text)
	case EventReasoning:
		a.Reasoning = a.extend(PartReasoning, a.Reasoning, e.Text)
	case EventToolCall:
		a.Parts = append(a.Parts, AnswerPart{Kind: PartToolCall, Call: len(a.ToolCalls)})
		a.ToolCalls = append(a.ToolCalls, ToolCall{ID: e.ID, Name: e.Name})
		a.inputs = append(a.inputs, new(strings.Builder))
	case EventToolInput:
		if e.Index < len(a.ToolCalls) {
			_, _ = a.inputs[e.Index].WriteString(string(e.Text))
			a.ToolCalls[e.Index].Arguments = Text(a.inputs[e.Index].String())
		}
	case EventOpaque:
		a.keep(e)
	}
}

// keptAnswerParts bounds what Reset keeps of an answer in many parts.
const keptAnswerParts = 256

// Reset empties the answer and keeps its memory for another one, if its texts take no more than limit bytes, but nothing of what
// stood there.
func (a *Answer) Reset(limit int) {
	if cap(a.Text)+cap(a.Refusal)+cap(a.Reasoning) > limit || cap(a.Parts) > keptAnswerParts {
		*a = Answer{}
		return
	}
	clear(a.Text)
	clear(a.Refusal)
	clear(a.Reasoning)
	clear(a.Parts)
	*a = Answer{Text: a.Text[:0], Refusal: a.Refusal[:0], Reasoning: a.Reasoning[:0], Parts: a.Parts[:0]}
}

// TextOf is the text of a part that is no tool call. It is valid until the next Add.
func (a *Answer) TextOf(p *AnswerPart) []byte {
	switch p.Kind {
	case PartText:
		return a.Text[p.from:p.to]
	case PartRefusal:
		return a.Refusal[p.from:p.to]
	case PartReasoning:
		return a.Reasoning[p.from:p.to]
	}
	return nil
}

// extend adds a piece of text to the last part, or begins one with it.
func (a *Answer) extend(kind PartKind, to []byte, piece Text) []byte {
	from := len(to)
	to = append(to, piece...)
	if n := len(a.Parts); n > 0 && a.Parts[n-1].Kind == kind && a.Parts[n-1].Opaque == nil {
		a.Parts[n-1].to = len(to)
	} else {
		a.Parts = append(a.Parts, AnswerPart{Kind: kind, from: from, to: len(to)})
	}
	return to
}

// keep gives state to its part: a tool call, or what came last. State of a part that showed nothing is a part of its own.
func (a *Answer) keep(e Event) {
	if e.Opaque == nil {
		return
	}
	if e.Part == PartToolCall {
		for i := range a.Parts {
			if p := &a.Parts[i]; p.Kind == PartToolCall && p.Call == e.Index {
				p.Opaque = e.Opaque
			}
		}
		return
	}
	if n := len(a.Parts); n > 0 && a.Parts[n-1].Kind == e.Part && a.Parts[n-1].Opaque == nil {
		a.Parts[n-1].Opaque = e.Opaque
		return
	}
	p := AnswerPart{Kind: e.Part, Opaque: e.Opaque}
	switch e.Part {
	case PartText:
		p.from = len(a.Text)
	case PartReasoning:
		p.from = len(a.Reasoning)
	}
	p.to = p.from
	a.Parts = append(a.Parts, p)
}
