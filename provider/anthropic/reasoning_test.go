package anthropic_test

import (
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/anthropic"
	"github.com/elumenta/elumenta/provider/providertest"
)

func TestReasoning(t *testing.T) {
	const on, off = elumenta.ReasoningOn, elumenta.ReasoningOff
	call := elumenta.Part{Kind: elumenta.PartToolCall, ToolCall: &elumenta.ToolCall{ID: "1", Name: "t", Arguments: "{}"}}
	result := elumenta.Part{Kind: elumenta.PartToolResult, ToolResult: &elumenta.ToolResult{CallID: "1", Name: "t"}}
	thought := elumenta.Part{Kind: elumenta.PartReasoning, Text: "t", Opaque: &elumenta.Opaque{Format: "anthropic", Data: `{"type":"thinking","signature":"s"}`}}
	tools := func(mode elumenta.ToolMode) func(*elumenta.Prompt) {
		return func(p *elumenta.Prompt) {
			p.Tools, p.ToolChoice = []elumenta.Tool{{Name: "t"}}, elumenta.ToolChoice{Mode: mode, Name: "t"}
		}
	}
	turns := func(turns ...elumenta.Turn) func(*elumenta.Prompt) {
		return func(p *elumenta.Prompt) { p.Turns = append(p.Turns, turns...) }
	}
	for name, c := range map[string]struct {
		model  string
		in     elumenta.Reasoning
		change func(*elumenta.Prompt)
		sent   string
		warned string
	}{
		"nothing":                  {"claude-sonnet-4-5", elumenta.Reasoning{}, nil, "", ""},
		"budget":                   {"claude-sonnet-4-5-20250929", elumenta.Reasoning{Mode: on, Budget: 2000, Summary: "none"}, nil, `thinking{"budget_tokens":2000,"display":"omitted","type":"enabled"}`, ""},
		"budget of an effort":      {"claude-3-7-sonnet-latest", elumenta.Reasoning{Mode: on, Effort: "low"}, nil, `thinking{"budget_tokens":1024,"type":"enabled"}`, ""},
		"adaptive before 4.6":      {"claude-haiku-4-5", elumenta.Reasoning{Mode: on, Summary: "auto"}, nil, `thinking{"budget_tokens":2048,"display":"summarized","type":"enabled"}`, ""},
		"budget too large":         {"claude-opus-4-20250514", elumenta.Reasoning{Mode: on, Budget: 5000}, nil, `thinking{"budget_tokens":2048,"type":"enabled"}`, "reasoning"},
		"effort of Opus 4.5":       {"claude-opus-4-5", elumenta.Reasoning{Effort: "max"}, nil, `output_config{"effort":"high"}`, ""},
		"effort of Sonnet 4.5":     {"claude-sonnet-4-5", elumenta.Reasoning{Effort: "low"}, nil, "", "reasoning"},
		"4.6 with an effort":       {"claude-opus-4-6", elumenta.Reasoning{Mode: on, Effort: "xhigh"}, nil, `thinking{"type":"adaptive"}output_config{"effort":"high"}`, ""},
		"4.6 with a budget":        {"claude-opus-4-6", elumenta.Reasoning{Mode: on, Budget: 2000}, nil, `thinking{"budget_tokens":2000,"type":"enabled"}`, ""},
		"4.7 with a budget":        {"claude-opus-4-7", elumenta.Reasoning{Mode: on, Budget: 2000, Effort: "xhigh"}, nil, `thinking{"type":"adaptive"}output_config{"effort":"xhigh"}`, "reasoning"},
		"5":                        {"claude-sonnet-5", elumenta.Reasoning{Mode: on, Effort: "minimal"}, nil, `thinking{"type":"adaptive"}output_config{"effort":"low"}`, ""},
		"off":                      {"claude-sonnet-4-5", elumenta.Reasoning{Mode: off}, nil, "", ""},
		"off at another's":         {"kimi-k2", elumenta.Reasoning{Mode: off}, nil, `thinking{"type":"disabled"}`, ""},
		"budget at another's":      {"kimi-k2", elumenta.Reasoning{Mode: on, Budget: 2000}, nil, `thinking{"budget_tokens":2000,"type":"enabled"}`, ""},
		"a model that cannot":      {"claude-3-5-haiku-20241022", elumenta.Reasoning{Mode: on, Effort: "low"}, nil, "", "reasoning"},
		"shown, but not asked for": {"claude-sonnet-4-5", elumenta.Reasoning{Summary: "auto"}, nil, "", "reasoning"},
		"forced call":              {"claude-opus-4-6", elumenta.Reasoning{Mode: on}, tools(elumenta.ToolAny), "", "reasoning"},
		"a call that it may make":  {"claude-opus-4-6", elumenta.Reasoning{Mode: on}, tools(elumenta.ToolAuto), `thinking{"type":"adaptive"}`, ""},
		"its own last words":       {"claude-opus-4-6", elumenta.Reasoning{Mode: on}, turns(assistant(text("So"))), "", "reasoning"},
		"lost":                     {"claude-sonnet-4-5", elumenta.Reasoning{Mode: on, Budget: 2000}, turns(assistant(text("I look."), call), user(result)), "", "reasoning"},
		"kept":                     {"claude-sonnet-4-5", elumenta.Reasoning{Mode: on, Budget: 2000}, turns(assistant(thought, call), user(result)), `thinking{"budget_tokens":2000,"type":"enabled"}`, ""},
		"too few tokens":           {"claude-sonnet-4-5", elumenta.Reasoning{Mode: on, Effort: "high"}, func(p *elumenta.Prompt) { p.Settings.MaxTokens = new(1500) }, "", "reasoning"},
		"hot":                      {"claude-opus-4-6", elumenta.Reasoning{Mode: on}, func(p *elumenta.Prompt) { p.Settings.Temperature = new(0.5) }, `thinking{"type":"adaptive"}`, "temperature"},
		"narrow":                   {"claude-opus-4-6", elumenta.Reasoning{Mode: on}, func(p *elumenta.Prompt) { p.Settings.TopP = new(0.5) }, `thinking{"type":"adaptive"}`, "top_p"},
	} {
		p := elumenta.Prompt{Turns: []elumenta.Turn{user(text("Hi"))}, Reasoning: c.in}
		if c.change != nil {
			c.change(&p)
		}
		sent, warned := providertest.Reasoned(t, anthropic.Provider{}, c.model, &p, "thinking", "output_config", "temperature", "top_p")
		if sent != c.sent || warned != c.warned {
			t.Errorf("%s: sent %q, warned of %q; want %q, %q", name, sent, warned, c.sent, c.warned)
		}
	}
}
