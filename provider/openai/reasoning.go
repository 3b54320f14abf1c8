package openai

import (
	"strings"

	"github.com/elumenta/elumenta"
)

// reasoning writes whether and how much the model thinks, and whether that is shown (https://platform.openai.com/docs/guides/reasoning).
func (e *encoder) reasoning(model string, in elumenta.Reasoning) (warnings []elumenta.Warning) {
	leave := func(why string) {
		warnings = append(warnings, elumenta.Warning{Code: elumenta.WarnUnsupported, Field: elumenta.ReasoningField, Message: why})
	}
	switch {
	case !in.Asked():
		return nil
	case !reasons(model):
		if in.Mode != elumenta.ReasoningOff {
			leave("the model does not reason: left out")
		}
		return warnings
	}
	effort := in.Effort
	switch {
	case in.Mode == elumenta.ReasoningOff && pausable(model):
		effort = "none"
	case in.Mode == elumenta.ReasoningOff:
		leave("the model always reasons: left out")
	case effort == "":
		effort = in.Level()
	default:
		if effort = effortFor(model, in.Effort); effort != in.Effort && in.Effort != "max" {
			warnings = append(warnings, elumenta.Warning{Code: elumenta.WarnClamped, Field: elumenta.ReasoningField, Message: "the model does not take this effort: brought to " + effort})
		}
	}
	summary := in.Summary
	if summary == elumenta.SummaryNone {
		summary = ""
	}
	if effort == "" && summary == "" {
		return warnings
	}
	e.key("reasoning")
	e.raw(`{`)
	if effort != "" {
		e.string("effort", effort)
	}
	if summary != "" {
		e.string("summary", summary)
	}
	e.raw(`}`)
	return warnings
}

// effortFor is the nearest effort that a model takes: minimal is GPT-5's own, xhigh came with GPT-5.1-Codex-Max and GPT-5.2
// (https://platform.openai.com/docs/guides/latest-model), and max is the highest that there is.
func effortFor(model, effort string) string {
	switch {
	case effort == "minimal" && release(model) != 0:
		return "low"
	case effort != "max" && effort != "xhigh":
		return effort
	case release(model) >= 2 || strings.Contains(model, "gpt-5.1-codex-max"):
		return "xhigh"
	}
	return "high"
}

// pausable reports whether a model answers without reasoning if it is told to: from GPT-5.1 on.
func pausable(model string) bool { return release(model) >= 1 }

// release is the n of GPT-5.n: 0 for GPT-5 itself, a high one for later generations, -1 for everything else.
func release(model string) int {
	_, version, ok := strings.Cut(model, "gpt-")
	if !ok || version == "" || version[0] < '5' || version[0] > '9' {
		return -1
	}
	minor, dotted := strings.CutPrefix(version, "5.")
	switch {
	case version[0] > '5':
		return later
	case !dotted:
		return 0
	case len(minor) > 1 && minor[1] >= '0' && minor[1] <= '9': // GPT-5.10, if it comes
		return later
	case minor == "" || minor[0] < '0' || minor[0] > '9':
		return 0
	}
	return int(minor[0] - '0')
}

const later = 10

// chatReasoning warns of reasoning settings, for which hosts of Chat Completions have no common name.
func chatReasoning(in elumenta.Reasoning) []elumenta.Warning {
	if !in.Asked() {
		return nil
	}
	return []elumenta.Warning{{
		Code: elumenta.WarnUnsupported, Field: elumenta.ReasoningField, Message: "hosts of this kind take it under different names or not at all: left out",
	}}
}
