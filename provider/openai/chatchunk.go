package openai

import (
	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

// parse reads a chunk, or a whole answer, which differs in that its choice has a message instead of a delta.
func (d *chatDecoder) parse(text []byte) error {
	calls := d.chunk.calls[:0]
	clear(calls[:cap(calls)]) // so that no text outlives its chunk
	d.chunk = chatChunk{chatOutput: chatOutput{calls: calls}}
	j := &d.j
	if at, ok := d.pattern.Match(text); ok {
		j.Reset(text[at.From:at.To])
		d.chunk.choice, d.chunk.content = true, j.String()
		return nil
	}
	d.texts, d.padding = 0, wire.Span{}
	j.Reset(text)
	if j.Kind() != '{' {
		return d.a.Malformed("", nil)
	}
	j.Object(d.member)
	if !j.End() {
		return d.a.Malformed("", j.Err())
	}
	if d.chunk.isError && d.chunk.problem == nil {
		d.chunk.problem = &problem{code: d.chunk.code, message: d.chunk.text}
	}
	d.learn(text)
	return nil
}

// learn keeps a chunk with nothing but a piece of text as the pattern of the next ones: whatever else it has would add nothing if it
// were read again.
func (d *chatDecoder) learn(text []byte) {
	c := &d.chunk
	plain := c.content != "" && c.finish == "" && c.reasoning == "" && c.refusal == "" && len(c.calls) == 0 && c.problem == nil
	switch {
	case !plain || d.texts != 1 || d.patterns == maxPatterns:
		return
	case d.padding.From < d.text.To:
		d.pattern.Learn(text, d.text)
	default:
		d.pattern.Learn(text, d.text, d.padding)
	}
	d.patterns++
}

func (d *chatDecoder) member(key []byte) {
	j := &d.j
	switch string(key) {
	case "id":
		d.first(&d.done.UpstreamID)
	case "model":
		d.first(&d.done.Model)
	case "choices":
		j.Array(d.choice)
	case "usage":
		d.usage.read(j)
	case "timings":
		d.usage.timings(j)
	case "x_groq":
		j.Object(d.groq)
	case "error":
		d.error()
	case "object":
		d.chunk.isError = string(j.Raw()) == `"error"`
	case "code":
		d.chunk.code = j.Scalar()
	case "message":
		d.chunk.text = j.Scalar()
	case "obfuscation":
		if j.Kind() == '"' {
			d.padding.From = j.Offset()
			j.Skip()
			d.padding.To = j.Offset()
			return
		}
		j.Skip()
	default:
		j.Skip()
	}
}

// first reads what all chunks repeat.
func (d *chatDecoder) first(text *string) {
	if *text != "" {
		d.j.Skip()
		return
	}
	*text = d.j.Scalar()
}

func (d *chatDecoder) error() {
	if d.j.Kind() == 'n' {
		d.j.Skip()
		return
	}
	d.chunk.problem = &problem{}
	d.chunk.problem.read(&d.j)
}

// groq reads where Groq put usage before it had a member of its own.
func (d *chatDecoder) groq(key []byte) {
	switch string(key) {
	case "usage":
		d.usage.read(&d.j)
	case "error":
		d.error()
	default:
		d.j.Skip()
	}
}

func (d *chatDecoder) choice() {
	if d.chunk.choice { // only one was asked for
		d.j.Skip()
		return
	}
	c := &d.chunk
	d.j.Object(func(key []byte) {
		switch string(key) {
		case "delta":
			c.choice = c.choice || d.j.Kind() == '{'
			message := c.chatOutput
			c.chatOutput = chatOutput{calls: c.calls[:0]}
			if d.j.Object(d.message); c.isEmpty() {
				c.chatOutput = message
			} else {
				d.deltas = true
			}
		case "message":
			c.choice = c.choice || d.j.Kind() == '{'
			if d.deltas {
				d.j.Skip()
				return
			}
			d.j.Object(d.message)
		case "finish_reason":
			d.chunk.finish = d.j.String()
		case "usage": // Moonshot
			d.usage.read(&d.j)
		case "error": // OpenRouter
			d.error()
		default:
			d.j.Skip()
		}
	})
}

func (d *chatDecoder) message(key []byte) {
	c := &d.chunk
	switch string(key) {
	case "content":
		d.content()
	case "reasoning_content":
		d.reasoning("reasoning_content")
	case "reasoning":
		d.reasoning("reasoning")
	case "refusal":
		c.refusal += d.j.String()
	case "tool_calls":
		d.j.Array(d.toolCall)
	default:
		d.j.Skip()
	}
}

// reasoning reads one of the two members that hosts have for it; some send the same text under both.
func (d *chatDecoder) reasoning(field string) {
	if d.j.Kind() != '"' {
		d.j.Skip()
		return
	}
	if text := d.j.String(); d.chunk.reasoning == "" {
		d.chunk.reasoned, d.chunk.reasoning = field, text
	}
}

// content reads a string or, as Mistral and others write it, an array of parts.
func (d *chatDecoder) content() {
	if d.j.Kind() != '[' {
		d.text.From = d.j.Offset()
		d.chunk.content += d.j.String()
		d.text.To = d.j.Offset()
		d.texts++
		return
	}
	d.texts += 2 // no single one
	d.j.Array(func() {
		if d.j.Kind() == '"' {
			d.chunk.content += d.j.String()
			return
		}
		d.part()
	})
}

func (d *chatDecoder) part() {
	var kind, text, thinking, refusal string
	d.j.Object(func(key []byte) {
		switch string(key) {
		case "type":
			kind = d.j.String()
		case "text":
			text = d.j.String()
		case "refusal":
			refusal = d.j.String()
		case "thinking":
			thinking = d.thinking()
		default:
			d.j.Skip()
		}
	})
	switch kind {
	case "refusal":
		d.chunk.refusal += refusal
	case "thinking", "reasoning":
		d.chunk.reasoned = "reasoning_content"
		d.chunk.reasoning += thinking + text
	default:
		d.chunk.content += text
	}
}

// thinking reads a string, or an array of text parts.
func (d *chatDecoder) thinking() string {
	if d.j.Kind() != '[' {
		return d.j.String()
	}
	var all string
	d.j.Array(func() {
		d.j.Object(func(key []byte) {
			if string(key) == "text" {
				all += d.j.String()
				return
			}
			d.j.Skip()
		})
	})
	return all
}

func (d *chatDecoder) toolCall() {
	p := chatCallPiece{index: -1}
	d.j.Object(func(key []byte) {
		switch string(key) {
		case "index":
			if d.j.Kind() == '0' {
				p.index = d.j.Int()
				return
			}
			d.j.Skip()
		case "id":
			p.id = d.j.Scalar()
		case "function":
			d.j.Object(func(key []byte) {
				switch string(key) {
				case "name":
					p.name = d.j.String()
				case "arguments":
					p.input = d.arguments()
				default:
					d.j.Skip()
				}
			})
		default:
			d.j.Skip()
		}
	})
	d.chunk.calls = append(d.chunk.calls, p)
}

// arguments reads a string, or an object as some hosts send it.
func (d *chatDecoder) arguments() string {
	if d.j.Kind() == '{' {
		return string(d.j.Raw())
	}
	return d.j.String()
}

// chatUsage is usage as hosts count it. Several reports of one answer are running totals: the largest figures count.
type chatUsage struct {
	prompt, completion, total, cached, written, reasoning int64
}

func (u *chatUsage) read(j *wire.JSON) {
	j.Object(func(key []byte) {
		switch string(key) {
		case "prompt_tokens":
			most(&u.prompt, j)
		case "completion_tokens":
			most(&u.completion, j)
		case "total_tokens":
			most(&u.total, j)
		case "prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens": // DeepSeek's, Moonshot's, LiteLLM's
			most(&u.cached, j)
		case "cache_creation_input_tokens": // LiteLLM's
			most(&u.written, j)
		case "reasoning_tokens":
			most(&u.reasoning, j)
		case "prompt_tokens_details", "completion_tokens_details":
			j.Object(func(key []byte) {
				switch string(key) {
				case "cached_tokens":
					most(&u.cached, j)
				case "cache_write_tokens":
					most(&u.written, j)
				case "reasoning_tokens":
					most(&u.reasoning, j)
				default:
					j.Skip()
				}
			})
		default:
			j.Skip()
		}
	})
}

// timings is where llama.cpp says how much of the prompt it had from before.
func (u *chatUsage) timings(j *wire.JSON) {
	if j.Kind() != '{' {
		j.Skip()
		return
	}
	j.Object(func(key []byte) {
		if string(key) == "cache_n" {
			most(&u.cached, j)
			return
		}
		j.Skip()
	})
}

func most(n *int64, j *wire.JSON) { *n = max(*n, j.Int()) }

// normal puts the reasoning tokens into the completion where a host leaves them out, as xAI does: its total is the sum
// of all three.
func (u chatUsage) normal() elumenta.Usage {
	completion := u.completion
	apart := u.total == u.prompt+u.completion+u.reasoning
	if u.reasoning > 0 && (apart || u.reasoning > u.completion) {
		completion += u.reasoning
	}
	prompt := u.prompt
	if read := u.cached + u.written; read > prompt {
		prompt += read
	}
	return elumenta.Usage{
		PromptTokens: prompt, CompletionTokens: completion,
		CachedTokens: u.cached, CacheWriteTokens: u.written, ReasoningTokens: u.reasoning,
	}
}
