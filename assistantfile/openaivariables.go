package assistantfile

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/elumenta/elumenta"
)

// placeholder is a variable of a prompt object.
var placeholder = regexp.MustCompile(`\{\{\s*([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}`)

// declare makes variables of the placeholders. A name that is no variable's name here is changed in the instructions, too.
// given is the prompt's own declaration, if it has one: names with their defaults.
func (f *Foreign) declare(given json.RawMessage) {
	var defaults map[string]json.RawMessage
	_ = json.Unmarshal(given, &defaults) // a list of names says no more than the text
	found := placeholder.FindAllStringSubmatch(string(f.Instructions), -1)
	taken := map[string]bool{} // names here
	for _, match := range found {
		if theirs := match[1]; variableName(theirs) == theirs {
			taken[theirs] = true // it keeps its name, wherever it stands
		}
	}
	names := map[string]string{} // ours by theirs
	rest := 0
	for _, match := range found {
		theirs := match[1]
		if _, known := names[theirs]; known {
			continue
		}
		if len(names) == elumenta.MaxVariables {
			rest++
			continue
		}
		ours := variableName(theirs)
		if ours != theirs {
			ours = freeName(ours, taken)
		}
		names[theirs] = ours
		f.Variables = append(f.Variables, f.variable(ours, defaults[theirs]))
	}
	if rest > 0 {
		f.note("%d of {{…}} stay plain text: there is room for %d variables", rest, elumenta.MaxVariables)
	}
	for _, theirs := range slices.Sorted(maps.Keys(names)) {
		if ours := names[theirs]; ours != theirs {
			f.note("variable %s is %s now", theirs, ours)
		}
	}
	for _, theirs := range slices.Sorted(maps.Keys(defaults)) {
		if !slices.ContainsFunc(found, func(match []string) bool { return match[1] == theirs }) {
			f.note("variable %s left out: the instructions do not have it", theirs)
		}
	}
	f.Instructions = elumenta.Text(placeholder.ReplaceAllStringFunc(string(f.Instructions), func(text string) string {
		if ours, known := names[placeholder.FindStringSubmatch(text)[1]]; known {
			return "{{" + ours + "}}"
		}
		return text
	}))
}

// variable has the default that a prompt gives it, if that is a text or can be one.
func (f *Foreign) variable(name string, given json.RawMessage) elumenta.Variable {
	required := elumenta.Variable{Name: name, Required: true}
	var value any
	if len(given) == 0 || json.Unmarshal(given, &value) != nil || value == nil {
		return required
	}
	text, ok := value.(string)
	if !ok {
		text = string(given) // a number, true or false
	}
	switch value.(type) {
	case []any, map[string]any:
		f.note("the default of variable %s left out: it is no text", name)
		return required
	}
	if len([]rune(text)) > elumenta.MaxVariableValue {
		f.note("the default of variable %s left out: it has more than %d characters", name, elumenta.MaxVariableValue)
		return required
	}
	return elumenta.Variable{Name: name, Default: &text}
}

// maxVariableName is how long a variable's name may be.
const maxVariableName = 32

// variableName makes a name that a variable may have.
func variableName(s string) string {
	s = strings.TrimLeft(strings.ReplaceAll(strings.ToLower(s), "-", "_"), "_")
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		s = "v_" + s
	}
	return s[:min(len(s), maxVariableName)]
}

// freeName takes a name that is not taken: with a number behind it, if it has to be.
func freeName(name string, taken map[string]bool) string {
	free := name
	for n := 2; taken[free]; n++ {
		tail := fmt.Sprintf("_%d", n)
		free = name[:min(len(name), maxVariableName-len(tail))] + tail
	}
	taken[free] = true
	return free
}
