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
	case effort == "max":
		effort = "high"
		if pausable(model) {
			effort = "xhigh"
		}
	case effort == "":
		effort = in.Level()
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

// pausable reports whether a model answers without reasoning if it is told to: from GPT-5.1 on.
func pausable(model string) bool {
	_, version, ok := strings.Cut(model, "gpt-")
	if !ok || version == "" || version[0] < '5' || version[0] > '9' {
		return false
	}
	return version[0] > '5' || strings.HasPrefix(version, "5.")
}

// chatReasoning warns of reasoning settings, for which hosts of Chat Completions have no common name.
func chatReasoning(in elumenta.Reasoning) []elumenta.Warning {
	if !in.Asked() {
		return nil
	}
	return []elumenta.Warning{{
		Code: elumenta.WarnUnsupported, Field: elumenta.ReasoningField, Message: "hosts of this kind take it under different names or not at all: left out",
	}}
}
