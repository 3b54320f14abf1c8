package gemini

import (
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

// response is a whole answer, or one event of a streamed one.
type response struct {
	Candidates     []candidate `json:"candidates"`
	PromptFeedback struct {
		BlockReason string `json:"blockReason"`
	} `json:"promptFeedback"`
	Usage      usage   `json:"usageMetadata"`
	ResponseID string  `json:"responseId"`
	Model      string  `json:"modelVersion"`
	Error      *status `json:"error"`
}

type candidate struct {
	Index   int `json:"index"`
	Content struct {
		Parts []answerPart `json:"parts"`
	} `json:"content"`
	FinishReason string `json:"finishReason"`
}

type answerPart struct {
	Text             elumenta.Text `json:"text"`
	Thought          bool          `json:"thought"`
	ThoughtSignature elumenta.Text `json:"thoughtSignature"`
	FunctionCall     *struct {
		ID   string         `json:"id"`
		Name string         `json:"name"`
		Args jsontext.Value `json:"args"`
	} `json:"functionCall"`
}

// usage counts tokens. The prompt's include the cached ones; thoughts stand beside the candidates' tokens.
type usage struct {
	Prompt     wire.Tokens `json:"promptTokenCount"`
	ToolPrompt wire.Tokens `json:"toolUsePromptTokenCount"`
	Cached     wire.Tokens `json:"cachedContentTokenCount"`
	Candidates wire.Tokens `json:"candidatesTokenCount"`
	Thoughts   wire.Tokens `json:"thoughtsTokenCount"`
}

// decoder turns one answer into events.
type decoder struct {
	answer     *wire.Answer
	out        *wire.Emitter
	completion elumenta.Completion
	response   response
	ended      bool // a finish reason came, or the prompt was blocked
	calls      int
}

func (d *decoder) decode() error {
	stream, err := d.answer.IsStream()
	if err != nil {
		return err
	}
	if stream {
		// An event with a finish reason is not always the last one, so the body's end is what ends the answer.
		err = d.answer.Events(d.out, func(_, data []byte) (bool, error) { return false, d.event(data) })
		if d.ended && wire.IsEnd(err) {
			return nil
		}
		return err
	}
	if err := d.answer.Whole(d.whole); err != nil {
		return err
	}
	if !d.ended {
		return d.answer.Malformed("", nil)
	}
	return nil
}

func unmarshal(data []byte, into any) error {
	return json.Unmarshal(data, into, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// whole takes a response, or the array of them that a host sends which does not know alt=sse.
func (d *decoder) whole(body []byte) error {
	if jsontext.Value(body).Kind() != '[' {
		return d.event(body)
	}
	var list []response
	if unmarshal(body, &list) != nil {
		return d.answer.Malformed("", nil)
	}
	for i := range list {
		if err := d.take(&list[i]); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) event(data []byte) error {
	d.response = response{Candidates: d.response.Candidates[:0]}
	if unmarshal(data, &d.response) != nil {
		return d.answer.Malformed("", nil)
	}
	return d.take(&d.response)
}

func (d *decoder) take(r *response) error {
	if r.Error != nil {
		return d.answer.Fail(r.Error.fault(0))
	}
	if r.ResponseID != "" {
		d.completion.UpstreamID = r.ResponseID
	}
	if r.Model != "" {
		d.completion.Model = r.Model
	}
	d.count(&r.Usage)
	if len(r.Candidates) == 0 {
		if r.PromptFeedback.BlockReason != "" {
			d.ended, d.completion.Finish = true, elumenta.FinishContentFilter
		}
		return nil
	}
	for i := range r.Candidates {
		c := &r.Candidates[i]
		if c.Index != 0 {
			continue // only one is asked for
		}
		for j := range c.Content.Parts {
			if err := d.part(&c.Content.Parts[j]); err != nil {
				return err
			}
		}
		if err := d.finish(c.FinishReason); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) part(p *answerPart) error {
	index, kind := 0, elumenta.PartText
	if p.Thought {
		kind = elumenta.PartReasoning
	}
	switch {
	case p.FunctionCall != nil:
		index, kind = d.calls, elumenta.PartToolCall
		if err := d.call(p); err != nil {
			return err
		}
	case p.Text == "":
	case p.Thought:
		if err := d.out.Emit(elumenta.Event{Kind: elumenta.EventReasoning, Text: p.Text}); err != nil {
			return err
		}
	default:
		if err := d.out.Emit(elumenta.Event{Kind: elumenta.EventText, Text: p.Text}); err != nil {
			return err
		}
	}
	if p.ThoughtSignature == "" {
		return nil
	}
	return d.out.Emit(elumenta.Event{
		Kind: elumenta.EventOpaque, Part: kind, Index: index, Opaque: &elumenta.Opaque{Format: Format, Data: p.ThoughtSignature},
	})
}

func (d *decoder) call(p *answerPart) error {
	f := p.FunctionCall
	if f.Name == "" {
		return d.answer.Malformed("", nil)
	}
	id := f.ID
	if id == "" {
		id = "call_" + d.completion.UpstreamID + "_" + strconv.Itoa(d.calls)
	}
	if err := d.out.Emit(elumenta.Event{Kind: elumenta.EventToolCall, Index: d.calls, ID: id, Name: f.Name}); err != nil {
		return err
	}
	args := elumenta.Text("{}")
	if f.Args.Kind() == '{' {
		args = elumenta.Text(f.Args)
	}
	d.calls++
	return d.out.Emit(elumenta.Event{Kind: elumenta.EventToolInput, Index: d.calls - 1, Text: args})
}

// count takes figures over; each event's are sums so far, and an event may have none.
func (d *decoder) count(u *usage) {
	if *u == (usage{}) {
		return
	}
	d.completion.Usage = elumenta.Usage{
		PromptTokens:     int64(u.Prompt + u.ToolPrompt),
		CompletionTokens: int64(u.Candidates + u.Thoughts),
		CachedTokens:     int64(u.Cached),
		ReasoningTokens:  int64(u.Thoughts),
	}
}

// finish maps a finish reason (https://ai.google.dev/api/generate-content#FinishReason). What is neither an end nor a
// filter is a failure: MALFORMED_FUNCTION_CALL, UNEXPECTED_TOOL_CALL, OTHER and those to come.
func (d *decoder) finish(reason string) error {
	switch reason {
	case "", "FINISH_REASON_UNSPECIFIED":
		return nil
	case "STOP":
		d.completion.Finish = elumenta.FinishStop
		if d.calls > 0 {
			d.completion.Finish = elumenta.FinishToolCalls
		}
	case "MAX_TOKENS":
		d.completion.Finish = elumenta.FinishLength
	case "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII",
		"MODEL_ARMOR", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION":
		d.completion.Finish = elumenta.FinishContentFilter
	default:
		return d.answer.Fail(wire.Fault{Kind: elumenta.KindFailed, Message: "the model could not finish its answer"})
	}
	d.ended = true
	return nil
}
