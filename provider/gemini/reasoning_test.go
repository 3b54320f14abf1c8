package gemini_test

import (
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/gemini"
	"github.com/elumenta/elumenta/provider/providertest"
)

func TestReasoning(t *testing.T) {
	const on, off = elumenta.ReasoningOn, elumenta.ReasoningOff
	config := func(s string) string { return `generationConfig{"thinkingConfig":{` + s + `}}` }
	for name, c := range map[string]struct {
		model        string
		in           elumenta.Reasoning
		sent, warned string
	}{
		"nothing":             {"gemini-3-pro", elumenta.Reasoning{}, "", ""},
		"level":               {"gemini-3.1-pro-preview", elumenta.Reasoning{Mode: on, Effort: "minimal"}, config(`"includeThoughts":true,"thinkingLevel":"low"`), ""},
		"level of a budget":   {"models/gemini-3-pro", elumenta.Reasoning{Mode: on, Budget: 30000, Summary: "none"}, config(`"thinkingLevel":"high"`), ""},
		"budget":              {"gemini-2.5-flash", elumenta.Reasoning{Mode: on, Budget: 2000}, config(`"includeThoughts":true,"thinkingBudget":2000`), ""},
		"budget of an effort": {"gemini-2.5-pro", elumenta.Reasoning{Effort: "max"}, config(`"thinkingBudget":24576`), ""},
		"shown":               {"gemini-2.5-pro", elumenta.Reasoning{Summary: "auto"}, config(`"includeThoughts":true`), ""},
		"as it thinks fit":    {"gemini-3-pro", elumenta.Reasoning{Mode: on, Summary: "none"}, "", ""},
		"off":                 {"gemini-2.5-flash", elumenta.Reasoning{Mode: off}, config(`"thinkingBudget":0`), ""},
		"never off":           {"gemini-3-pro", elumenta.Reasoning{Mode: off}, "", "reasoning"},
		"a model that cannot": {"gemini-2.0-flash", elumenta.Reasoning{Mode: on}, "", "reasoning"},
		"nor has to":          {"gemini-2.0-flash", elumenta.Reasoning{Mode: off}, "", ""},
	} {
		p := elumenta.Prompt{Turns: []elumenta.Turn{{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{{Kind: elumenta.PartText, Text: "Hi"}}}}, Reasoning: c.in}
		if sent, warned := providertest.Reasoned(t, gemini.Provider{}, c.model, &p, "generationConfig"); sent != c.sent || warned != c.warned {
			t.Errorf("%s: sent %q, warned of %q; want %q, %q", name, sent, warned, c.sent, c.warned)
		}
	}
}
