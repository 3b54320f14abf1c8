package gemini

import (
	"path"
	"strings"

	"github.com/elumenta/elumenta"
)

// thinkingConfig says how much the model thinks, and whether that is shown (https://ai.google.dev/gemini-api/docs/thinking).
type thinkingConfig struct {
	IncludeThoughts bool   `json:"includeThoughts,omitzero"`
	ThinkingLevel   string `json:"thinkingLevel,omitzero"`
	ThinkingBudget  *int   `json:"thinkingBudget,omitzero"`
}

// think makes the configuration of what is asked for, with a warning for what the model does not take. Gemini 3 and later take a level, 2.5 a budget.
func think(model string, in elumenta.Reasoning) (*thinkingConfig, []elumenta.Warning) {
	leave := func(why string) (*thinkingConfig, []elumenta.Warning) {
		return nil, []elumenta.Warning{{Code: elumenta.WarnUnsupported, Field: elumenta.ReasoningField, Message: why}}
	}
	name := path.Base(model)
	budgets := strings.HasPrefix(name, "gemini-2.5")
	switch {
	case !in.Asked():
		return nil, nil
	case !budgets && !signsCalls(model) && in.Mode == elumenta.ReasoningOff:
		return nil, nil
	case !budgets && !signsCalls(model):
		return leave("the model does not think: left out")
	case in.Mode == elumenta.ReasoningOff && budgets && strings.Contains(name, "flash"):
		return &thinkingConfig{ThinkingBudget: new(int)}, nil
	case in.Mode == elumenta.ReasoningOff:
		return leave("the model always thinks: left out")
	}
	c := &thinkingConfig{IncludeThoughts: (in.Mode == elumenta.ReasoningOn || in.Summary != "") && in.Summary != elumenta.SummaryNone}
	switch {
	case in.Effort == "" && in.Budget == 0:
	case budgets:
		n := min(in.Tokens(), maxBudget)
		c.ThinkingBudget = &n
	default:
		c.ThinkingLevel = in.Level()
	}
	if *c == (thinkingConfig{}) {
		return nil, nil
	}
	return c, nil
}

// maxBudget is the most that every model of the 2.5 series may be given to think.
const maxBudget = 24576
