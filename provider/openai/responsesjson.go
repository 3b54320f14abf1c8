package openai

import (
	"github.com/elumenta/elumenta/provider/wire"
)

// parse reads an event, or a whole response: its members stand at the top where an event has them under "response".
func (d *responsesDecoder) parse(text []byte) error {
	j := &d.j
	j.Reset(text)
	if j.Kind() != '{' {
		return d.a.Malformed("", nil)
	}
	j.Object(d.member)
	if !j.End() {
		return d.a.Malformed("", j.Err())
	}
	return nil
}

func (d *responsesDecoder) member(key []byte) {
	j, ev := &d.j, &d.ev
	switch string(key) {
	case "type":
		ev.kind = j.Repeated(d.before)
	case "delta":
		if j.Kind() != '"' {
			j.Skip()
			return
		}
		ev.delta = j.String()
	case "arguments":
		ev.arguments = j.String()
	case "output_index":
		ev.output = j.Int()
	case "summary_index":
		ev.summary = j.Int()
	case "item":
		d.item(&ev.item)
	case "response":
		j.Object(d.responseMember)
	case "code":
		ev.problem.code = j.Scalar()
	case "message":
		ev.problem.message = j.Scalar()
	case "error":
		if j.Kind() == 'n' {
			j.Skip()
			return
		}
		ev.problem.read(j)
		ev.response.failed = &ev.problem
	default:
		d.responseMember(key)
	}
}

func (d *responsesDecoder) responseMember(key []byte) {
	j, r := &d.j, &d.ev.response
	switch string(key) {
	case "id":
		d.done.UpstreamID = j.String()
	case "model":
		d.done.Model = j.Scalar()
	case "status":
		r.status = j.String()
	case "error":
		if j.Kind() == 'n' {
			j.Skip()
			return
		}
		r.failed = &problem{}
		r.failed.read(j)
	case "incomplete_details":
		j.Object(func(key []byte) {
			if string(key) == "reason" {
				r.incomplete = j.String()
				return
			}
			j.Skip()
		})
	case "output":
		if d.ev.kind != "" { // a stream has sent it already
			j.Skip()
			return
		}
		j.Array(func() {
			r.output = append(r.output, responseItem{})
			d.item(&r.output[len(r.output)-1])
		})
	case "usage":
		j.Object(d.usage)
	default:
		j.Skip()
	}
}

func (d *responsesDecoder) usage(key []byte) {
	j, u := &d.j, &d.done.Usage
	switch string(key) {
	case "input_tokens":
		u.PromptTokens = j.Int()
	case "output_tokens":
		u.CompletionTokens = j.Int()
	case "input_tokens_details", "output_tokens_details":
		j.Object(func(key []byte) {
			switch string(key) {
			case "cached_tokens":
				u.CachedTokens = j.Int()
			case "cache_write_tokens":
				u.CacheWriteTokens = j.Int()
			case "reasoning_tokens":
				u.ReasoningTokens = j.Int()
			default:
				j.Skip()
			}
		})
	default:
		j.Skip()
	}
}

func (d *responsesDecoder) item(item *responseItem) {
	j := &d.j
	j.Object(func(key []byte) {
		switch string(key) {
		case "type":
			item.kind = j.String()
		case "id":
			item.id = j.String()
		case "call_id":
			item.callID = j.String()
		case "name":
			item.name = j.String()
		case "arguments":
			item.arguments = j.String()
		case "encrypted_content":
			item.encrypted = j.String()
		case "summary":
			if j.Kind() != '[' {
				j.Skip()
				return
			}
			item.summary = string(j.Raw())
		case "content":
			if j.Kind() != '[' {
				j.Skip()
				return
			}
			j.Array(func() { d.content(item) })
		default:
			j.Skip()
		}
	})
	d.summary(item)
}

// content reads a part of a message or, for open models, of a reasoning item.
func (d *responsesDecoder) content(item *responseItem) {
	j := &d.j
	var kind, text string
	j.Object(func(key []byte) {
		switch string(key) {
		case "type":
			kind = j.String()
		case "text":
			text = j.String()
		case "refusal":
			item.refusal += j.String()
		default:
			j.Skip()
		}
	})
	if kind == "reasoning_text" {
		item.reasoning += text
		return
	}
	item.text += text
}

// summary reads the text of a reasoning item's summary.
func (d *responsesDecoder) summary(item *responseItem) {
	if len(item.summary) <= len("[]") {
		return
	}
	var j wire.JSON
	var all string
	j.Reset([]byte(item.summary))
	j.Array(func() {
		if all != "" {
			all += summaryGap
		}
		j.Object(func(key []byte) {
			if string(key) == "text" {
				all += j.String()
				return
			}
			j.Skip()
		})
	})
	item.reasoning = all + item.reasoning
}

// appendReasoning writes a reasoning item as an input item.
func appendReasoning(b []byte, item *responseItem) []byte {
	b = append(b, `{"type":"reasoning"`...)
	if item.id != "" {
		b = append(b, `,"id":`...)
		b = wire.AppendString(b, item.id)
	}
	b = append(b, `,"summary":`...)
	if item.summary == "" {
		b = append(b, `[]`...)
	} else {
		b = append(b, item.summary...)
	}
	b = append(b, `,"encrypted_content":`...)
	b = wire.AppendString(b, item.encrypted)
	return append(b, '}')
}
