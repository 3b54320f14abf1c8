package elumenta

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
)

// State is a provider's state on its way through an API of another shape, to the client and back with the next request. That API's own member for
// state holds it as a text, which only the provider's format understands.
type State struct {
	Opaque
	Part PartKind // what it belongs to: PartReasoning, PartText or PartToolCall
	Call string   // the id of the tool call that it belongs to
}

// statePrefix tells our texts from a provider's own.
const statePrefix = "elumenta1."

// packed is a State as a text has it.
type packed struct {
	Format string   `json:"f"`
	Data   string   `json:"d"`
	Part   PartKind `json:"p"`
	Call   string   `json:"c,omitempty"`
}

// Pack makes a text of a state: letters, digits, dot, dash and underscore.
func (s *State) Pack() string {
	b, err := json.Marshal(packed{Format: s.Format, Data: string(s.Data), Part: s.Part, Call: s.Call})
	if err != nil {
		return "" // strings and a number encode
	}
	return statePrefix + base64.RawURLEncoding.EncodeToString(b)
}

// UnpackState reads what Pack made; ok is false for every other text.
func UnpackState(text string) (s State, ok bool) {
	text, ok = strings.CutPrefix(text, statePrefix)
	if !ok {
		return s, false
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	var p packed
	if err != nil || json.Unmarshal(b, &p) != nil || p.Format == "" || p.Data == "" || strings.Contains(p.Format+p.Data+p.Call, "\x00") {
		return s, false
	}
	switch p.Part {
	case PartReasoning, PartText, PartToolCall:
		return State{Opaque: Opaque{Format: p.Format, Data: Text(p.Data)}, Part: p.Part, Call: p.Call}, true
	}
	return s, false
}

// Attach gives the state back to what it belongs to among the parts of one message: the tool call that it names, or the last text. It reports
// whether that is there.
func (s *State) Attach(parts []Part) bool {
	for i := range slices.Backward(parts) {
		p := &parts[i]
		if p.Kind == s.Part && (p.Kind != PartToolCall || p.ToolCall.ID == s.Call) {
			p.Opaque = &s.Opaque
			return true
		}
	}
	return false
}
