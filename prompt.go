package elumenta

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Compose builds the prompt of a generation: the assistant's instructions first, byte for byte the same in every call,
// then the request's own system text, then the conversation. snapshot is nil for a request without an assistant. It
// returns CodeValidation for variables that do not fit the declaration and for what the model cannot do at all.
func Compose(snapshot *Snapshot, req *Request, model *Model) (*Prompt, error) {
	var errs FieldErrors
	p := &Prompt{Turns: req.Turns, Tools: req.Tools, ToolChoice: req.ToolChoice, Settings: req.Settings, Reasoning: req.Reasoning, Stream: req.Stream}
	if snapshot != nil {
		p.AssistantName = snapshot.Name
		p.Settings = req.Settings.over(snapshot.Settings)
		p.CacheKey = cacheKey(snapshot)
		p.Instructions = snapshot.expand(req.Variables, &errs)
	} else if len(req.Variables) > 0 {
		errs.Add("variables", "need an assistant that declares them")
	}
	for _, text := range req.System {
		p.System = append(p.System, Part{Kind: PartText, Text: text})
	}
	if req.User != (UserHash{}) {
		p.User = hex.EncodeToString(req.User[:16])
	}
	model.checkTakes(p, &errs)
	if err := errs.Err(); err != nil {
		return nil, err
	}
	p.markHistory()
	return p, nil
}

// over returns the settings, and where one is not set the one below it.
func (s Settings) over(below Settings) Settings {
	if s.Temperature == nil {
		s.Temperature = below.Temperature
	}
	if s.TopP == nil {
		s.TopP = below.TopP
	}
	if s.MaxTokens == nil {
		s.MaxTokens = below.MaxTokens
	}
	if s.Stop == nil {
		s.Stop = below.Stop
	}
	if s.ResponseFormat == nil {
		s.ResponseFormat = below.ResponseFormat
	}
	return s
}

func cacheKey(s *Snapshot) string {
	sum := sha256.Sum256(strconv.AppendInt([]byte(s.ID+"@"), int64(s.Version), 10))
	return hex.EncodeToString(sum[:16])
}

// expand puts values into the instructions, in one pass: what a value contains is not looked at again. The text before
// the first variable is a part of its own, since it is the same in every call.
func (s *Snapshot) expand(values map[string]string, errs *FieldErrors) []Part {
	whole := []Part{{Kind: PartText, Text: s.Instructions, CacheMark: true}}
	if len(s.Variables) == 0 && len(values) == 0 {
		return whole
	}
	declared := make(map[string]string, len(s.Variables))
	for _, v := range s.Variables {
		value, given := values[v.Name]
		switch {
		case given:
		case v.Required:
			errs.Add("variables."+v.Name, "is required by the assistant")
		case v.Default != nil:
			value = *v.Default
		}
		declared[v.Name] = value
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if _, ok := declared[name]; !ok {
			errs.Add("variables."+name, "is not declared by the assistant")
		}
	}
	text := string(s.Instructions)
	if len(declared) == 0 {
		return whole
	}
	first, size := -1, 0
	placeholders(text, declared, func(start, end int, value string) {
		if first < 0 {
			first = start
		}
		size += utf8.RuneCountInString(value) - (end - start)
	})
	if first < 0 {
		return whole
	}
	if size += utf8.RuneCountInString(text); size > MaxExpandedInstruction {
		errs.Add("variables", "make the instructions %d characters long; the most is %d", size, MaxExpandedInstruction)
		return nil
	}
	var b strings.Builder
	from := first
	placeholders(text, declared, func(start, end int, value string) {
		b.WriteString(text[from:start])
		b.WriteString(value)
		from = end
	})
	b.WriteString(text[from:])
	rest := Part{Kind: PartText, Text: Text(b.String())}
	if strings.TrimSpace(text[:first]) == "" {
		rest.Text = Text(text[:first]) + rest.Text // no cache holds, and some providers refuse, a blank block
		return []Part{rest}
	}
	return []Part{{Kind: PartText, Text: Text(text[:first]), CacheMark: true}, rest}
}

// Constant is what the instructions of every call begin with: all up to the first variable. Nothing but blanks is empty.
func (s *Snapshot) Constant() Text {
	declared := make(map[string]string, len(s.Variables))
	for _, v := range s.Variables {
		declared[v.Name] = ""
	}
	end := len(s.Instructions)
	placeholders(string(s.Instructions), declared, func(start, _ int, _ string) { end = min(end, start) })
	if strings.TrimSpace(string(s.Instructions[:end])) == "" {
		return ""
	}
	return s.Instructions[:end]
}

// PromptShape says how a prompt's size is spread, in bytes: all of it, what stands before the last cache mark, and the
// beginning that it shares with other calls, which is tools and instructions up to the first variable.
type PromptShape struct {
	Size, Marked, Constant int
	ConstantMarked         bool // a mark stands at the end of the beginning
}

// imageSize stands for an image, whose tokens have nothing to do with its bytes: about a thousand.
const imageSize = 4_000

// Shape measures a prompt. Providers put tools first.
func (p *Prompt) Shape() PromptShape {
	var s PromptShape
	for i := range p.Tools {
		s.Size += len(p.Tools[i].Name) + len(p.Tools[i].Description) + len(p.Tools[i].Parameters)
	}
	s.Constant = s.Size
	s.add(p.Instructions)
	if s.Marked > 0 {
		s.Constant, s.ConstantMarked = s.Marked, true
	}
	s.add(p.System)
	if len(p.Instructions) == 0 {
		s.Constant = s.Size
	}
	for i := range p.Turns {
		s.add(p.Turns[i].Parts)
	}
	return s
}

func (s *PromptShape) add(parts []Part) {
	for i := range parts {
		s.Size += parts[i].size()
		if parts[i].CacheMark {
			s.Marked = s.Size
		}
	}
}

func (p *Part) size() int {
	n := len(p.Text)
	switch {
	case p.Kind == PartImage:
		n += imageSize
	case p.ToolCall != nil:
		n += len(p.ToolCall.Name) + len(p.ToolCall.Arguments)
	case p.ToolResult != nil:
		for i := range p.ToolResult.Content {
			n += p.ToolResult.Content[i].size()
		}
	}
	return n
}

// tokens estimates how many of a prompt's tokens are in its first bytes.
func (s PromptShape) tokens(bytes int, u Usage) int64 {
	if s.Size == 0 {
		return 0
	}
	return int64(float64(u.PromptTokens) * float64(bytes) / float64(s.Size))
}

// CachesConstant reports whether the beginning that a prompt shares with others is by itself long enough for a cache.
func (s PromptShape) CachesConstant(u Usage, c Capabilities) bool {
	tokens := s.tokens(s.Constant, u)
	return tokens > 0 && tokens >= int64(c.CacheMinimum) && (c.Cache == CachePrefix || s.ConstantMarked)
}

// placeholders calls found for each {{name}} of a declared name, in order.
func placeholders(text string, declared map[string]string, found func(start, end int, value string)) {
	for at := 0; ; {
		open := strings.Index(text[at:], "{{")
		if open < 0 {
			return
		}
		start := at + open
		name := start + 2
		end := name
		for end < len(text) && end-name <= 32 && isVariableByte(text[end]) {
			end++
		}
		if strings.HasPrefix(text[end:], "}}") {
			if value, ok := declared[text[name:end]]; ok {
				found(start, end+2, value)
				at = end + 2
				continue
			}
		}
		at = start + 1
	}
}

func isVariableByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_'
}

// checkTakes adds what no route of the model can do. What can be left out is left out later, with a warning.
func (m *Model) checkTakes(p *Prompt, errs *FieldErrors) {
	c := m.Capabilities
	if f := p.Settings.ResponseFormat; f != nil {
		if f.Type == FormatJSONObject && !c.JSONObject || f.Type == FormatJSONSchema && !c.JSONSchema {
			errs.Add("response_format", "of type %s is not something that the model %s can do", f.Type, m.Slug)
		}
	}
	if len(p.Tools) > 0 && !c.Tools {
		errs.Add("tools", "are not something that the model %s takes", m.Slug)
	}
	images, urls := countImages(p.Turns)
	if images > 0 && !c.Vision {
		errs.Add("messages", "hold an image, which the model %s does not take", m.Slug)
	} else if urls > 0 && !c.FetchesURLs {
		errs.Add("messages", "hold an image by URL, which the provider of %s does not fetch: send it as a data: URL", m.Slug)
	}
}

func countImages(turns []Turn) (images, urls int) {
	count := func(parts []Part) {
		for i := range parts {
			if parts[i].Kind == PartImage {
				images++
				if parts[i].Image.URL != "" {
					urls++
				}
			}
		}
	}
	for i := range turns {
		count(turns[i].Parts)
		for k := range turns[i].Parts {
			if result := turns[i].Parts[k].ToolResult; result != nil {
				count(result.Content)
			}
		}
	}
	return images, urls
}

// mostMarks is how many marks a prompt may have with the format that takes the fewest, Anthropic's.
const mostMarks = 4

// markHistory puts a cache mark on the last message of a conversation that has a history, so that the next call of the
// same conversation reads it from the cache. The request's own turns are left as they are, as is a conversation that its caller marks
// so often that the mark of the instructions, which other conversations share, would have to go.
func (p *Prompt) markHistory() {
	n, marks := len(p.Turns), 0
	for i := range p.Turns {
		for k := range p.Turns[i].Parts {
			if p.Turns[i].Parts[k].CacheMark {
				marks++
			}
		}
	}
	if n < 2 || len(p.Turns[n-1].Parts) == 0 || marks > mostMarks-2 {
		return
	}
	last := p.Turns[n-1]
	last.Parts = slices.Clone(last.Parts)
	last.Parts[len(last.Parts)-1].CacheMark = true
	p.Turns = append(slices.Clone(p.Turns[:n-1]), last)
}
