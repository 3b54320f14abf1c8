package openaiapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
)

// chatMessage is a message of any role (https://platform.openai.com/docs/api-reference/chat/create#chat-create-messages).
type chatMessage struct {
	Role             string         `json:"role"`
	Content          jsontext.Value `json:"content"` // a text or a list of parts
	Name             string         `json:"name"`
	Refusal          string         `json:"refusal"`
	ToolCalls        []chatToolCall `json:"tool_calls"`
	ToolCallID       string         `json:"tool_call_id"`
	ReasoningContent string         `json:"reasoning_content"`
	ReasoningDetails jsontext.Value `json:"reasoning_details"`
	Others           jsontext.Value `json:",embed"`
}

type chatToolCall struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function *struct {
		Name      string         `json:"name"`
		Arguments string         `json:"arguments"`
		Others    jsontext.Value `json:",embed"`
	} `json:"function"`
	ExtraContent jsontext.Value `json:"extra_content"`
	Others       jsontext.Value `json:",embed"`
}

type chatPart struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Refusal  string `json:"refusal"`
	ImageURL *struct {
		URL    string         `json:"url"`
		Detail string         `json:"detail"`
		Others jsontext.Value `json:",embed"`
	} `json:"image_url"`
	Others jsontext.Value `json:",embed"`
}

// chatMessageRules are for what answers hold and clients send back.
var chatMessageRules = map[string]rule{
	"audio":         {refuse: true, reason: "is not supported: conversations are text and images"},
	"function_call": {refuse: true, reason: "is deprecated and not supported: send tool_calls"},
	"annotations":   {harmless: []string{"[]"}, reason: notPassedOn},
	"parsed":        {silent: true}, // as in parsedRules
}

// talk is a conversation as it is read.
type talk struct {
	*decoding
	out *elumenta.Request
	// open has the tool calls of the assistant's last message that wait for their result, with the names of their tools; calls is where
	// they stand.
	open  map[string]string
	calls string
}

// conversation reads the messages. Results of tools become a user's turn.
func (d *decoding) conversation(messages []chatMessage, out *elumenta.Request) {
	switch {
	case len(messages) == 0:
		d.missing("messages")
		return
	case len(messages) > elumenta.MaxMessages:
		d.bad("messages", codeTooMany, "must have at most %d items, has %d", elumenta.MaxMessages, len(messages))
		return
	}
	t := &talk{decoding: d, out: out}
	for i := range messages {
		t.message(item("messages", i), &messages[i])
	}
	t.answered()
	last := len(messages) - 1
	switch n := len(out.Turns); {
	case len(d.errs) > 0:
	case n > 0 && out.Turns[n-1].Role == elumenta.RoleOfAssistant && messages[last].Role == "user": // the model would go on with its answer
		d.bad(item("messages", last)+".content", codeInvalidValue, "must not be empty behind an answer")
	case n > 0:
	case len(out.System) > 0:
		out.Turns = append(out.Turns, elumenta.Turn{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{{Kind: elumenta.PartText, Text: opener}}})
	default:
		d.bad("messages", codeInvalidValue, "must hold a message of a user or an assistant that says something")
	}
}

func (t *talk) message(field string, m *chatMessage) {
	t.others(field, m.Others, chatMessageRules)
	if m.Name != "" {
		t.warnOnce(elumenta.WarnUnsupported, field+".name", "names of those who speak are not passed on: left out")
	}
	if m.Role != "assistant" && (len(m.ToolCalls) > 0 || m.Refusal != "") {
		t.bad(field, codeInvalidValue, "must be an assistant's to hold tool_calls or a refusal")
	}
	if m.Role != "tool" {
		t.answered()
		if m.ToolCallID != "" {
			t.bad(field+".tool_call_id", codeInvalidValue, "goes with the role tool only")
		}
	}
	switch m.Role {
	case "system", "developer":
		t.system(field, m)
	case "user":
		if parts := t.content(field+".content", m.Content, "text", "image_url"); len(parts) > 0 {
			t.out.Turns = append(t.out.Turns, elumenta.Turn{Role: elumenta.RoleOfUser, Parts: parts})
		} else {
			t.empty(field, m.Content)
		}
	case "assistant":
		t.assistant(field, m)
	case "tool":
		t.result(field, m)
	case "function":
		t.bad(field+".role", codeUnsupportedValue, "must be tool: function is deprecated and not supported")
	default:
		t.oneOf(field+".role", m.Role, "system, developer, user, assistant or tool")
	}
}

const saysNothing = "says nothing: left out"

// empty leaves a message out that says nothing.
func (t *talk) empty(field string, content jsontext.Value) {
	if !given(content) {
		t.missing(field + ".content")
	} else if len(t.errs) == 0 {
		t.warn(elumenta.WarnUnsupported, field, saysNothing)
	}
}

// system reads a text that comes before the conversation. An empty one says nothing and is passed over.
func (t *talk) system(field string, m *chatMessage) {
	if !given(m.Content) {
		t.missing(field + ".content")
	}
	if len(t.out.Turns) > 0 {
		t.warn(elumenta.WarnSystemMoved, field, "system messages come before the conversation: moved there")
	}
	for _, part := range t.content(field+".content", m.Content, "text") {
		t.out.System = append(t.out.System, part.Text)
	}
}

func (t *talk) assistant(field string, m *chatMessage) {
	parts, states := t.reasoning(field, m)
	thoughts := len(parts)
	parts = append(parts, t.content(field+".content", m.Content, "text", "refusal")...)
	if m.Refusal != "" {
		parts = append(parts, elumenta.Part{Kind: elumenta.PartRefusal, Text: t.text(field+".refusal", m.Refusal)})
	}
	t.calls = field + ".tool_calls"
	for i := range m.ToolCalls {
		if call := t.call(item(t.calls, i), &m.ToolCalls[i]); call != nil {
			parts = append(parts, elumenta.Part{
				Kind: elumenta.PartToolCall, ToolCall: call, Opaque: t.signature(item(t.calls, i)+".extra_content", m.ToolCalls[i].ExtraContent),
			})
		}
	}
	switch {
	case len(parts) > thoughts:
		for i := range states {
			states[i].Attach(parts)
		}
		t.out.Turns = append(t.out.Turns, elumenta.Turn{Role: elumenta.RoleOfAssistant, Parts: parts})
	case len(t.errs) == 0: // an answer that a limit ended before it said anything
		t.warn(elumenta.WarnUnsupported, field, saysNothing)
	}
}

func (t *talk) call(field string, c *chatToolCall) *elumenta.ToolCall {
	t.unknown(field, c.Others)
	switch {
	case c.Type != "function":
		t.oneOf(field+".type", c.Type, "function: other tools are not supported")
		return nil
	case c.Function == nil:
		t.missing(field + ".function")
		return nil
	case c.ID == "":
		t.missing(field + ".id")
		return nil
	case c.Function.Name == "":
		t.missing(field + ".function.name")
		return nil
	}
	t.others(field+".function", c.Function.Others, parsedRules)
	if _, twice := t.open[c.ID]; twice {
		t.bad(field+".id", codeInvalidValue, "is another call's as well")
	}
	if t.open == nil {
		t.open = make(map[string]string)
	}
	t.open[c.ID] = c.Function.Name
	t.text(field+".id", c.ID)
	t.text(field+".function.name", c.Function.Name)
	return &elumenta.ToolCall{ID: c.ID, Name: c.Function.Name, Arguments: t.text(field+".function.arguments", c.Function.Arguments)}
}

// result reads what a tool answered. Neighbours are one turn.
func (t *talk) result(field string, m *chatMessage) {
	if m.ToolCallID == "" {
		t.missing(field + ".tool_call_id")
		return
	}
	if !given(m.Content) {
		t.missing(field + ".content")
	}
	name, open := t.open[m.ToolCallID]
	if !open {
		t.bad(field+".tool_call_id", codeInvalidValue, "must be the id of a call in the assistant's message before it, which is not answered yet")
		return
	}
	delete(t.open, m.ToolCallID)
	result := &elumenta.ToolResult{CallID: m.ToolCallID, Name: name, Content: t.content(field+".content", m.Content, "text")}
	part := elumenta.Part{Kind: elumenta.PartToolResult, ToolResult: result}
	if n := len(t.out.Turns) - 1; t.out.Turns[n].Role == elumenta.RoleOfUser {
		t.out.Turns[n].Parts = append(t.out.Turns[n].Parts, part)
	} else {
		t.out.Turns = append(t.out.Turns, elumenta.Turn{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{part}})
	}
}

// answered checks that no tool call is left without its result, which providers refuse.
func (t *talk) answered() {
	if len(t.open) == 0 {
		return
	}
	ids := slices.Sorted(maps.Keys(t.open))
	t.bad(t.calls, codeInvalidValue, "must each be answered by a message of the role tool right after it; there is none for %s", shown(strings.Join(ids, ", ")))
	t.open = nil
}

// content reads a text or a list of parts of the kinds that a role may send. An empty text is no part.
func (t *talk) content(field string, v jsontext.Value, kinds ...string) (parts []elumenta.Part) {
	switch {
	case !given(v):
		return nil
	case v.Kind() == '"':
		var s string
		if t.into(field, v, &s); s != "" {
			parts = append(parts, elumenta.Part{Kind: elumenta.PartText, Text: t.text(field, s)})
		}
		return parts
	case v.Kind() != '[':
		t.bad(field, codeInvalidType, "must be a string or a list of parts")
		return nil
	}
	for i, v := range t.items(field, v, elumenta.MaxParts) {
		var in chatPart
		at := item(field, i)
		if !t.into(at, v, &in) {
			continue
		}
		if !slices.Contains(kinds, in.Type) {
			t.oneOf(at+".type", in.Type, strings.Join(kinds, " or ")+" in a message of this role")
			continue
		}
		t.unknown(at, in.Others)
		if part, ok := t.part(at, &in); ok {
			parts = append(parts, part)
		}
	}
	return parts
}

func (t *talk) part(field string, in *chatPart) (part elumenta.Part, ok bool) {
	switch in.Type {
	case "text":
		return elumenta.Part{Kind: elumenta.PartText, Text: t.text(field+".text", in.Text)}, in.Text != ""
	case "refusal":
		return elumenta.Part{Kind: elumenta.PartRefusal, Text: t.text(field+".refusal", in.Refusal)}, in.Refusal != ""
	}
	if in.ImageURL == nil || in.ImageURL.URL == "" {
		t.missing(field + ".image_url.url")
		return part, false
	}
	t.unknown(field+".image_url", in.ImageURL.Others)
	if in.ImageURL.Detail != "" && in.ImageURL.Detail != "auto" {
		t.warnOnce(elumenta.WarnImageDetail, field+".image_url.detail", "the detail of images is not passed on: left out")
	}
	return elumenta.Part{Kind: elumenta.PartImage, Image: t.image(field+".image_url.url", in.ImageURL.URL)}, true
}
