package openaiapi

import "github.com/elumenta/elumenta"

// openAIFormat names the format of OpenAI's own state: provider/openai's, whose Data is the item as it goes back.
const openAIFormat = "openai"

// stateOf packs a state; "" for none.
func stateOf(part elumenta.PartKind, call string, o *elumenta.Opaque) string {
	if o == nil {
		return ""
	}
	return (&elumenta.State{Opaque: *o, Part: part, Call: call}).Pack()
}
