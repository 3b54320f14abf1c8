package openai_test

import (
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/openai"
	"github.com/elumenta/elumenta/provider/providertest"
)

func TestReasoning(t *testing.T) {
	const on, off = elumenta.ReasoningOn, elumenta.ReasoningOff
	for name, c := range map[string]struct {
		model        string
		in           elumenta.Reasoning
		sent, warned string
	}{
		"nothing":             {"gpt-5", elumenta.Reasoning{}, "", ""},
		"effort":              {"gpt-5", elumenta.Reasoning{Mode: on, Effort: "minimal", Summary: "detailed"}, `reasoning{"effort":"minimal","summary":"detailed"}`, ""},
		"the most":            {"gpt-5", elumenta.Reasoning{Mode: on, Effort: "max"}, `reasoning{"effort":"high"}`, ""},
		"the most of 5.2":     {"gpt-5.2", elumenta.Reasoning{Mode: on, Effort: "max"}, `reasoning{"effort":"xhigh"}`, ""},
		"least of 5.2":        {"gpt-5.2", elumenta.Reasoning{Mode: on, Effort: "minimal"}, `reasoning{"effort":"low"}`, "reasoning"},
		"least of o3":         {"o3", elumenta.Reasoning{Mode: on, Effort: "minimal"}, `reasoning{"effort":"low"}`, "reasoning"},
		"least of nano":       {"gpt-5-nano", elumenta.Reasoning{Mode: on, Effort: "minimal"}, `reasoning{"effort":"minimal"}`, ""},
		"more than 5 has":     {"gpt-5-2025-08-07", elumenta.Reasoning{Mode: on, Effort: "xhigh"}, `reasoning{"effort":"high"}`, "reasoning"},
		"more than 5.1 has":   {"gpt-5.1", elumenta.Reasoning{Mode: on, Effort: "xhigh"}, `reasoning{"effort":"high"}`, "reasoning"},
		"the most of 5.1":     {"gpt-5.1", elumenta.Reasoning{Mode: on, Effort: "max"}, `reasoning{"effort":"high"}`, ""},
		"the most of codex":   {"gpt-5.1-codex-max", elumenta.Reasoning{Mode: on, Effort: "max"}, `reasoning{"effort":"xhigh"}`, ""},
		"5.2 has it":          {"gpt-5.2-pro", elumenta.Reasoning{Mode: on, Effort: "xhigh"}, `reasoning{"effort":"xhigh"}`, ""},
		"more than o3 has":    {"o3", elumenta.Reasoning{Mode: on, Effort: "xhigh"}, `reasoning{"effort":"high"}`, "reasoning"},
		"those to come":       {"gpt-6", elumenta.Reasoning{Mode: on, Effort: "max"}, `reasoning{"effort":"xhigh"}`, ""},
		"small budget":        {"o3", elumenta.Reasoning{Mode: on, Budget: 2000}, `reasoning{"effort":"low"}`, ""},
		"budget":              {"o3", elumenta.Reasoning{Mode: on, Budget: 5000}, `reasoning{"effort":"medium"}`, ""},
		"large budget":        {"o3", elumenta.Reasoning{Mode: on, Budget: 20000, Summary: "none"}, `reasoning{"effort":"high"}`, ""},
		"as it thinks fit":    {"gpt-5", elumenta.Reasoning{Mode: on}, "", ""},
		"off":                 {"gpt-5.1", elumenta.Reasoning{Mode: off}, `reasoning{"effort":"none"}`, ""},
		"never off":           {"gpt-5", elumenta.Reasoning{Mode: off}, "", "reasoning"},
		"a model that cannot": {"gpt-4o", elumenta.Reasoning{Mode: on, Effort: "low"}, "", "reasoning"},
		"nor has to":          {"gpt-4o", elumenta.Reasoning{Mode: off}, "", ""},
	} {
		p := elumenta.Prompt{Turns: []elumenta.Turn{{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{{Kind: elumenta.PartText, Text: "Hi"}}}}, Reasoning: c.in}
		if sent, warned := providertest.Reasoned(t, openai.Responses{}, c.model, &p, "reasoning"); sent != c.sent || warned != c.warned {
			t.Errorf("%s: sent %q, warned of %q; want %q, %q", name, sent, warned, c.sent, c.warned)
		}
		want := ""
		if c.in.Asked() {
			want = "reasoning"
		}
		if sent, warned := providertest.Reasoned(t, openai.Chat{}, c.model, &p, "reasoning", "reasoning_effort", "thinking"); sent != "" || warned != want {
			t.Errorf("%s by Chat Completions: sent %q, warned of %q; want %q", name, sent, warned, want)
		}
	}
}
