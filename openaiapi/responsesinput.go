package openaiapi

import "github.com/elumenta/elumenta"

// opener is said for the user where nobody says anything, as a request to a prompt object need not, or one that has system messages alone:
// providers ask for a message.
const opener = "Follow the instructions."

// pendingCall is a function call of the input.
type pendingCall struct {
	at       int // its item
	tool     *elumenta.ToolCall
	answered bool
}

// input reads the conversation.
func (r *responsesReader) input() {
	in := &r.body.Input
	switch {
	case in.isString && in.text != "":
		r.turn(elumenta.RoleOfUser, elumenta.Part{Kind: elumenta.PartText, Text: r.text("input", in.text)})
	case len(in.value) > elumenta.MaxMessages:
		r.bad("input", codeTooMany, "must have at most %d items, has %d", elumenta.MaxMessages, len(in.value))
	default:
		for i := range in.value {
			r.item(i, &in.value[i])
		}
		r.attachStates()
		r.unanswered()
		r.lastWord()
	}
	if len(r.out.Turns) > 0 || len(r.errs) > 0 {
		return
	}
	switch {
	case r.out.Assistant.ID != "" || len(r.out.System) > 0:
	case len(in.value) > 0:
		r.bad("input", codeInvalidValue, "must hold something that is said")
		return
	default:
		r.missing("input")
		return
	}
	r.turn(elumenta.RoleOfUser, elumenta.Part{Kind: elumenta.PartText, Text: opener})
}

// lastWord refuses an empty message of the user where an answer would be the last word: its model would go on with it.
func (r *responsesReader) lastWord() {
	last := len(r.body.Input.value) - 1
	if n := len(r.out.Turns); n > 0 && r.out.Turns[n-1].Role == elumenta.RoleOfAssistant && r.body.Input.value[last].Role == "user" && len(r.errs) == 0 {
		r.bad(item("input", last)+".content", codeInvalidValue, "must not be empty behind an answer")
	}
}

// state keeps what belongs to a function call, on whichever side of it that stands.
func (r *responsesReader) state(s *elumenta.State) {
	if r.states == nil {
		r.states, r.waiting = map[*elumenta.ToolCall]*elumenta.State{}, map[string]*elumenta.State{}
	}
	if c := r.calls[s.Call]; c != nil && !c.answered {
		r.states[c.tool] = s
	} else {
		r.waiting[s.Call] = s
	}
}

// attachStates gives function calls their states back.
func (r *responsesReader) attachStates() {
	if r.states == nil {
		return
	}
	for id, s := range r.waiting {
		if c := r.calls[id]; c != nil && r.states[c.tool] == nil {
			r.states[c.tool] = s
		}
	}
	for i := range r.out.Turns {
		for k := range r.out.Turns[i].Parts {
			p := &r.out.Turns[i].Parts[k]
			if p.Kind != elumenta.PartToolCall {
				continue
			}
			if s := r.states[p.ToolCall]; s != nil {
				p.Opaque = &s.Opaque
			}
		}
	}
}

func (r *responsesReader) item(i int, in *inputItem) {
	at, kind := item("input", i), in.Type
	if kind == "" && in.Role != "" {
		kind = "message" // https://platform.openai.com/docs/api-reference/responses/create: an easy message needs no type
	}
	r.others(at, in.Unknown, parsedRules)
	switch kind {
	case "message":
		r.message(at, in)
	case "function_call":
		r.functionCall(at, i, in)
	case "function_call_output":
		r.functionOutput(at, in)
	case "reasoning":
		r.reasoning(at, in)
	case "item_reference":
		r.bad(at, codeUnsupportedValue, "refers to an item, and none is kept here: send the item itself, as clients do that are told store: false")
	case "":
		r.missing(at + ".type")
	default:
		r.bad(at+".type", codeUnsupportedValue, "must be message, function_call, function_call_output or reasoning: leave out items of tools that only OpenAI runs")
	}
}

// message reads a message of any role.
func (r *responsesReader) message(at string, in *inputItem) {
	var parts []elumenta.Part
	switch in.Role {
	case "user", "assistant", "system", "developer":
		parts = r.content(at+".content", in.Role, &in.Content)
	case "":
		r.missing(at + ".role")
		return
	default:
		r.bad(at+".role", codeInvalidValue, "must be user, assistant, system or developer")
		return
	}
	switch {
	case len(parts) == 0:
		if len(r.errs) == 0 {
			r.warn(elumenta.WarnUnsupported, at, saysNothing)
		}
	case in.Role == "assistant":
		r.said(true, parts...)
	case in.Role == "user":
		r.turn(elumenta.RoleOfUser, parts...)
	default:
		if len(r.out.Turns) > 0 {
			r.warn(elumenta.WarnSystemMoved, at, "system and developer messages come before the conversation: moved there")
		}
		for i := range parts {
			r.out.System = append(r.out.System, parts[i].Text)
		}
	}
}

// content reads a text or a list of parts. Empty texts say nothing and are left out.
func (r *responsesReader) content(at, role string, in *stringOr[[]inputPart]) []elumenta.Part {
	switch {
	case !in.given:
		r.missing(at)
		return nil
	case in.isString:
		if in.text == "" {
			return nil
		}
		return []elumenta.Part{{Kind: elumenta.PartText, Text: r.text(at, in.text)}}
	case len(in.value) > elumenta.MaxParts:
		r.bad(at, codeTooMany, "must have at most %d items, has %d", elumenta.MaxParts, len(in.value))
		return nil
	}
	parts := make([]elumenta.Part, 0, len(in.value))
	for i := range in.value {
		if part, ok := r.part(item(at, i), role, &in.value[i]); ok {
			parts = append(parts, part)
		}
	}
	return parts
}

// part reads a part of a message, or with the role tool of a tool's output.
func (r *responsesReader) part(at, role string, in *inputPart) (part elumenta.Part, ok bool) {
	r.others(at, in.Unknown, parsedRules)
	part.CacheMark = given(in.PromptCacheBreakpoint)
	switch {
	case in.Type == "input_text", in.Type == "output_text" && role == "assistant":
		part.Kind, part.Text = elumenta.PartText, r.text(at+".text", in.Text)
		return part, in.Text != ""
	case in.Type == "refusal" && role == "assistant":
		part.Kind, part.Text = elumenta.PartRefusal, r.text(at+".refusal", in.Refusal)
		return part, in.Refusal != ""
	case in.Type == "input_image" && (role == "user" || role == "tool"):
		part.Kind, part.Image = elumenta.PartImage, r.inputImage(at, in)
		return part, part.Image != nil
	case in.Type == "":
		r.missing(at + ".type")
	case in.Type == "input_file", in.Type == "input_audio":
		r.bad(at+".type", codeUnsupportedValue, "must be a text or an image: files and audio are not taken")
	case role == "assistant":
		r.bad(at+".type", codeInvalidValue, "must be output_text or refusal in a message of the assistant")
	case role == "user", role == "tool":
		r.bad(at+".type", codeInvalidValue, "must be input_text or input_image")
	default:
		r.bad(at+".type", codeInvalidValue, "must be input_text in a message of the system")
	}
	return part, false
}

func (r *responsesReader) inputImage(at string, in *inputPart) *elumenta.Image {
	if in.FileID != "" {
		r.bad(at+".file_id", codeUnsupported, "is not taken: no files are kept here; send image_url with data:image/png;base64,… or https://…")
		return nil
	}
	if in.Detail != "" && in.Detail != "auto" {
		r.warnOnce(elumenta.WarnImageDetail, at+".detail", "the detail of images is not passed on: left out")
	}
	if in.ImageURL == "" {
		r.missing(at + ".image_url")
		return nil
	}
	return r.image(at+".image_url", in.ImageURL)
}

// functionCall reads a call that the model made.
func (r *responsesReader) functionCall(at string, i int, in *inputItem) {
	switch {
	case in.CallID == "":
		r.missing(at + ".call_id")
	case in.Name == "":
		r.missing(at + ".name")
	case r.calls[in.CallID] != nil && !r.calls[in.CallID].answered: // some hosts count each turn's calls from the start
		r.bad(at+".call_id", codeInvalidValue, "is that of an earlier function_call that has no output yet")
	default:
		r.checked(func(errs *elumenta.FieldErrors) {
			elumenta.CheckText(errs, at+".call_id", in.CallID, 1, mostCallID)
			elumenta.CheckText(errs, at+".name", in.Name, 1, elumenta.MaxToolName)
		})
		call := &elumenta.ToolCall{ID: in.CallID, Name: in.Name, Arguments: elumenta.Text(in.Arguments)}
		r.calls[in.CallID] = &pendingCall{at: i, tool: call}
		if s := r.waiting[in.CallID]; s != nil {
			delete(r.waiting, in.CallID)
			r.states[call] = s
		}
		r.said(false, elumenta.Part{Kind: elumenta.PartToolCall, ToolCall: call})
	}
}

// mostCallID is how many characters the id of a call has at most.
const mostCallID = 512

// functionOutput reads what a function answered.
func (r *responsesReader) functionOutput(at string, in *inputItem) {
	call := r.calls[in.CallID]
	switch {
	case in.CallID == "":
		r.missing(at + ".call_id")
		return
	case call == nil:
		r.bad(at+".call_id", codeInvalidValue, "is that of no function_call before it: send the call along")
		return
	case call.answered:
		r.bad(at+".call_id", codeInvalidValue, "has an output already")
		return
	}
	call.answered = true
	part := elumenta.Part{Kind: elumenta.PartToolResult, ToolResult: &elumenta.ToolResult{
		CallID: in.CallID, Name: call.tool.Name, Content: r.content(at+".output", "tool", &in.Output),
	}}
	if n := len(r.out.Turns); n > 0 && r.results {
		r.out.Turns[n-1].Parts = append(r.out.Turns[n-1].Parts, part)
		return
	}
	r.turn(elumenta.RoleOfUser, part)
	r.results = true
}

// unanswered refuses a call without its output, as every provider does.
func (r *responsesReader) unanswered() {
	first := -1
	for _, call := range r.calls {
		if !call.answered && (first < 0 || call.at < first) {
			first = call.at
		}
	}
	if first >= 0 {
		r.bad(item("input", first), codeInvalidValue, "has no function_call_output with its call_id")
	}
}

// turn begins a turn.
func (r *responsesReader) turn(role elumenta.TurnRole, parts ...elumenta.Part) {
	r.out.Turns = append(r.out.Turns, elumenta.Turn{Role: role, Parts: parts})
	r.results, r.spoken = false, false
}

// said adds what the assistant said: what one answer held, a message at most and what stands beside it, is one turn.
func (r *responsesReader) said(message bool, parts ...elumenta.Part) {
	n := len(r.out.Turns)
	if n == 0 || r.out.Turns[n-1].Role != elumenta.RoleOfAssistant || message && r.spoken {
		r.turn(elumenta.RoleOfAssistant, parts...)
	} else {
		r.out.Turns[n-1].Parts = append(r.out.Turns[n-1].Parts, parts...)
	}
	r.spoken = r.spoken || message
}
