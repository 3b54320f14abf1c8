package anthropic

import (
	"strconv"
	"strings"

	"github.com/elumenta/elumenta"
)

// minBudget is the least that a model may be given to think.
const minBudget = 1024

// thinking says whether and how much the model thinks (https://platform.claude.com/docs/en/build-with-claude/extended-thinking).
type thinking struct {
	Type    string `json:"type"` // enabled, adaptive or disabled
	Budget  int    `json:"budget_tokens,omitzero"`
	Display string `json:"display,omitzero"`
}

// generation is a model's version: 405 for claude-sonnet-4-5-20250929, 307 for claude-3-7-sonnet-latest. It is 0 for a model that is not Anthropic's
// or does not tell.
func generation(model string) int {
	_, name, ok := strings.Cut(model, "claude-")
	if !ok {
		return 0
	}
	version, numbers := 0, 0
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '.' || r == '@' || r == ':' }) {
		n, err := strconv.Atoi(word)
		switch {
		case err != nil && numbers == 0:
		case err != nil || n > 99: // a date
			return version
		case numbers == 0:
			version, numbers = 100*n, 1
		default:
			return version + n
		}
	}
	return version
}

// What models take, by their generation.
const (
	firstThinking = 307 // thinking with a budget
	firstEffort   = 406 // any effort, and thinking as much as the model thinks fit; of the one before, Opus alone takes an effort
	onlyAdaptive  = 407 // no budget any more
)

// think fills in what the request says of reasoning, with a warning for what the model does not take.
func (r *request) think(model string, p *elumenta.Prompt) (warnings []elumenta.Warning) {
	in, version := p.Reasoning, generation(model)
	leave := func(why string) {
		warnings = append(warnings, elumenta.Warning{Code: elumenta.WarnUnsupported, Field: elumenta.ReasoningField, Message: why})
	}
	if in.Effort != "" {
		switch {
		case version >= firstEffort, version == firstEffort-1 && strings.Contains(model, "opus"):
			r.effort(effortFor(in, version))
		case in.Mode == "":
			leave("the model does not take an effort: left out")
		}
	}
	switch {
	case in.Mode == elumenta.ReasoningOff:
		if version == 0 {
			r.Thinking = &thinking{Type: "disabled"} // Anthropic's own models think only where they are told to
		}
		return warnings
	case in.Mode == "":
		if in.Effort == "" {
			leave("the model thinks only where it is told to: left out")
		}
		return warnings
	case version > 0 && version < firstThinking:
		leave("the model does not think: left out")
		return warnings
	case r.forced():
		leave("the model does not think where it must call a tool: left out")
		return warnings
	}
	t := &thinking{Type: "enabled", Budget: in.Tokens()}
	if version >= onlyAdaptive || version >= firstEffort && in.Budget == 0 || version == 0 && in.Budget == 0 {
		t = &thinking{Type: "adaptive"}
		if in.Budget > 0 {
			leave("the model itself decides how much it thinks: the budget is left out")
		}
	} else {
		if r.lostThinking() {
			leave("the last tool call came back without what the model had thought: it does not think on")
			return warnings
		}
		if t.Budget >= r.MaxTokens {
			if t.Budget = r.MaxTokens / 2; in.Budget > 0 && t.Budget >= minBudget {
				warnings = append(warnings, elumenta.Warning{
					Code: elumenta.WarnClamped, Field: elumenta.ReasoningField, Message: "the budget is brought to half of what the answer may have",
				})
			}
		}
		if t.Budget < minBudget {
			leave("the answer may have too few tokens to think: left out")
			return warnings
		}
	}
	switch in.Summary {
	case "":
	case elumenta.SummaryNone:
		t.Display = "omitted"
	default:
		t.Display = "summarized"
	}
	r.Thinking = t
	return append(warnings, r.calm()...)
}

// effortFor is the next effort that a model takes.
func effortFor(in elumenta.Reasoning, version int) string {
	switch {
	case in.Effort == "minimal":
		return "low"
	case in.Effort == "xhigh" && version < onlyAdaptive:
		return "high"
	case in.Effort == "max" && version < firstEffort:
		return "high"
	}
	return in.Effort
}

func (r *request) effort(effort string) {
	if r.OutputConfig == nil {
		r.OutputConfig = &outputConfig{}
	}
	r.OutputConfig.Effort = effort
}

// forced reports whether the model must call a tool, or goes on with words of its own: it does not think then.
func (r *request) forced() bool {
	return r.ToolChoice != nil && (r.ToolChoice.Type == "any" || r.ToolChoice.Type == "tool") ||
		r.Messages[len(r.Messages)-1].Role == elumenta.RoleOfAssistant
}

// lostThinking reports whether the assistant's last message calls a tool without what the model had thought before: it must think from the message's
// beginning on, or not at all.
func (r *request) lostThinking() bool {
	for i := len(r.Messages) - 1; i >= 0; i-- {
		m := &r.Messages[i]
		if m.Role != elumenta.RoleOfAssistant {
			continue
		}
		first := m.Content[0].Type
		if first == "thinking" || first == "redacted_thinking" {
			return false
		}
		for k := range m.Content {
			if m.Content[k].Type == "tool_use" {
				return true
			}
		}
		return false
	}
	return false
}

// calm leaves out what a model does not take while it thinks: every temperature but 1, and a top_p below 0.95.
func (r *request) calm() (warnings []elumenta.Warning) {
	leave := func(field string) {
		warnings = append(warnings, elumenta.Warning{Code: elumenta.WarnUnsupported, Field: field, Message: "the model does not take it while it thinks: left out"})
	}
	if r.Temperature != nil && *r.Temperature != 1 {
		r.Temperature = nil
		leave("temperature")
	}
	if r.TopP != nil && *r.TopP < 0.95 {
		r.TopP = nil
		leave("top_p")
	}
	return warnings
}
