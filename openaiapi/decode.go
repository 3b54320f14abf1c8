package openaiapi

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
)

const (
	mostErrors   = 100 // of a request that are gathered
	mostWarnings = 100
	mostTwice    = 1 << 20 // bytes of a body that is decoded again for what else is wrong
	mostMistyped = 10      // members of it that are left out for that
	mostShown    = 64      // bytes of a client's own name that is repeated to it
)

// decoding gathers what is wrong with a request, and what of it is left out.
type decoding struct {
	errs     elumenta.FieldErrors
	code     string // of the first error
	warnings []elumenta.Warning
	once     map[string]bool // the warnings that were given and are given once
	without  []string        // members of the wrong type, of which no more is to be said
}

// bad adds a field error. The reason reads on from the field's name: "is required".
func (d *decoding) bad(field, code, format string, args ...any) {
	if slices.ContainsFunc(d.without, func(name string) bool { return elumenta.Within(field, name) }) {
		return
	}
	if len(d.errs) == 0 {
		d.code = code
	}
	if len(d.errs) < mostErrors {
		d.errs.Add(field, format, args...)
	}
}

// missing adds that a field is required.
func (d *decoding) missing(field string) { d.bad(field, codeMissing, "is required") }

// err is everything that is wrong, or nil.
func (d *decoding) err() error {
	err := d.errs.Err()
	if err == nil {
		return nil
	}
	e := elumenta.AsError(err)
	e.Details[detailCode] = d.code
	return e
}

// checked adds what a check of the domain finds.
func (d *decoding) checked(check func(errs *elumenta.FieldErrors)) {
	var errs elumenta.FieldErrors
	check(&errs)
	for _, e := range errs {
		code := codeInvalidValue
		if e.Reason == "is required" {
			code = codeMissing
		}
		d.bad(e.Field, code, "%s", e.Reason)
	}
}

// warn says that something is left out.
func (d *decoding) warn(code, field, message string) {
	if len(d.warnings) < mostWarnings {
		d.warnings = append(d.warnings, elumenta.Warning{Code: code, Field: field, Message: message})
	}
}

// warnOnce is for what would be said of every message.
func (d *decoding) warnOnce(code, field, message string) {
	if d.once[message] {
		return
	}
	if d.once == nil {
		d.once = make(map[string]bool)
	}
	d.once[message] = true
	d.warn(code, field, message)
}

// body decodes the body of a request into a struct. The error is of CodeBadRequest for what is no JSON object.
func (d *decoding) body(body []byte, into any) error {
	if k := jsontext.Value(body).Kind(); k != '{' && k != jsontext.KindInvalid {
		return elumenta.Errorf(elumenta.CodeBadRequest, "the body must be a JSON object")
	}
	err := json.Unmarshal(body, into)
	if s, ok := errors.AsType[*json.SemanticError](err); ok {
		return d.bodyWithout(s, body, into)
	}
	if err == nil {
		return nil
	}
	what, offset := "it is malformed", int64(0)
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		offset = s.ByteOffset
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		what = "an object has two members of the same name"
	}
	return elumenta.Errorf(elumenta.CodeBadRequest, "the body is not valid JSON: %s, at byte %d", what, offset)
}

// bodyWithout adds that a member is of the wrong type, and decodes the others: what else is wrong is told, too.
func (d *decoding) bodyWithout(s *json.SemanticError, body []byte, into any) error {
	var members map[string]jsontext.Value
	if len(body) > mostTwice || json.Unmarshal(body, &members) != nil {
		d.mistyped("", s)
		return d.err()
	}
	for range mostMistyped {
		d.mistyped("", s)
		name, _, _ := strings.Cut(string(s.JSONPointer[min(1, len(s.JSONPointer)):]), "/") // known members have no character that is escaped
		d.without = append(d.without, name)
		delete(members, name)
		rest, err := json.Marshal(members, json.Deterministic(true))
		if err != nil {
			return d.err()
		}
		var ok bool
		if s, ok = errors.AsType[*json.SemanticError](json.Unmarshal(rest, into)); !ok {
			return nil
		}
	}
	return d.err()
}

// into decodes a field's value, which is valid JSON, and reports whether it has the type.
func (d *decoding) into(field string, v jsontext.Value, into any) bool {
	err := json.Unmarshal(v, into)
	if err == nil {
		return true
	}
	if s, ok := errors.AsType[*json.SemanticError](err); ok {
		d.mistyped(field, s)
	} else {
		d.bad(field, codeInvalidValue, "is not valid")
	}
	return false
}

// mistyped adds that a value is of the wrong type.
func (d *decoding) mistyped(field string, e *json.SemanticError) {
	for token := range e.JSONPointer.Tokens() {
		if n, err := strconv.ParseUint(token, 10, 32); err == nil {
			field += "[" + strconv.FormatUint(n, 10) + "]"
			continue
		}
		field = child(field, token)
	}
	d.bad(field, codeInvalidType, "must be %s", typeName(e.GoType))
}

// typeName says what JSON a Go type is decoded from.
func typeName(t reflect.Type) string {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil {
		return "of another type"
	}
	if t == reflect.TypeFor[stringOrList]() {
		return "a string or a list"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "an integer"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	default:
		return "an object"
	}
}

// child is the name of a field's field, whose own name is the client's.
func child(field, name string) string {
	if field == "" {
		return shown(name)
	}
	return field + "." + shown(name)
}

// shown is a client's own text for a message: short, one line, without control characters.
func shown(s string) string {
	return strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return unicode.ReplacementChar
		}
		return c
	}, strings.ToValidUTF8(s[:min(len(s), mostShown)], ""))
}

func item(field string, i int) string { return field + "[" + strconv.Itoa(i) + "]" }

// given reports whether a field has a value: a null is as good as none.
func given(v jsontext.Value) bool { return len(v) > 0 && v.Kind() != 'n' }

// text checks that a text has no U+0000, which no provider and no database takes.
func (d *decoding) text(field, s string) elumenta.Text {
	if strings.IndexByte(s, 0) >= 0 {
		d.bad(field, codeInvalidValue, "must not contain the character U+0000")
	}
	return elumenta.Text(s)
}

// image reads an image's address.
func (d *decoding) image(field, url string) *elumenta.Image {
	image, wrong := elumenta.ParseImage(url)
	if wrong != "" {
		d.bad(field, codeInvalidValue, "%s", wrong)
	}
	return image
}

// rule is for a field that this API has and we do not: it is refused, or left out with a warning.
type rule struct {
	silent   bool // it asks for nothing, whatever its value
	refuse   bool
	harmless []string // the values, in canonical JSON, that ask for nothing
	reason   string   // reads on from the field's name
}

// parsedRules are for what OpenAI's clients add to an answer that they parsed for their program, and send back with it.
var parsedRules = map[string]rule{"parsed": {silent: true}, "parsed_arguments": {silent: true}}

// others applies rules to the fields that a struct does not have. What no rule knows is left out with a warning, but for a null.
func (d *decoding) others(parent string, members jsontext.Value, rules map[string]rule) {
	eachMember(members, func(name string, v jsontext.Value) {
		r, known := rules[name]
		field := child(parent, name)
		switch {
		case !given(v), r.silent, r.permits(v):
		case !known:
			d.warn(elumenta.WarnUnknownField, field, "is not known here: left out")
		case !r.refuse:
			d.warn(elumenta.WarnUnsupported, field, r.reason)
		case len(r.harmless) > 0:
			d.bad(field, codeUnsupportedValue, "%s", r.reason)
		default:
			d.bad(field, codeUnsupported, "%s", r.reason)
		}
	})
}

func (r *rule) permits(v jsontext.Value) bool {
	if len(r.harmless) == 0 || len(v) > mostShown {
		return false
	}
	v = slices.Clone(v)
	return v.Canonicalize() == nil && slices.Contains(r.harmless, string(v))
}

// unknown says of each member that it is left out.
func (d *decoding) unknown(parent string, members jsontext.Value) { d.others(parent, members, nil) }

// eachMember passes the members of an object on, which is valid.
func eachMember(object jsontext.Value, member func(name string, v jsontext.Value)) {
	if len(object) == 0 {
		return
	}
	dec := jsontext.NewDecoder(strings.NewReader(string(object)))
	if _, err := dec.ReadToken(); err != nil {
		return
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return
		}
		key := name.String()
		v, err := dec.ReadValue()
		if err != nil {
			return
		}
		member(key, v)
	}
}

// items decodes a list of at most a number of values.
func (d *decoding) items(field string, v jsontext.Value, most int) (items []jsontext.Value) {
	if d.into(field, v, &items) && len(items) > most {
		d.bad(field, codeTooMany, "must have at most %d items, has %d", most, len(items))
		return nil
	}
	return items
}

// texts reads a string or a list of strings.
func (d *decoding) texts(field string, v jsontext.Value, most int) (texts []string) {
	if v.Kind() == '"' {
		var s string
		if d.into(field, v, &s) {
			texts = []string{s}
		}
		return texts
	}
	for i, v := range d.items(field, v, most) {
		var s string
		if d.into(item(field, i), v, &s) {
			texts = append(texts, s)
		}
	}
	return texts
}

// atMost checks that a number is between 0 and another.
func (d *decoding) atMost(field string, n *float64, most float64) {
	if n != nil && (*n < 0 || *n > most) {
		d.bad(field, codeInvalidValue, "must be between 0 and %v", most)
	}
}

// variables checks values for an assistant's variables, which are an extension of ours.
func (d *decoding) variables(values map[string]string) map[string]string {
	if len(values) > elumenta.MaxVariables {
		d.bad("variables", codeInvalidValue, "must be at most %d", elumenta.MaxVariables)
		return nil
	}
	d.checked(func(errs *elumenta.FieldErrors) {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			elumenta.CheckText(errs, child("variables", name), values[name], 0, elumenta.MaxVariableValue)
		}
	})
	return values
}

// target reads what a request calls its model.
func (d *decoding) target(model string, into *elumenta.Request) {
	if model == "" {
		d.missing("model")
		return
	}
	into.Assistant, into.Model = elumenta.ParseTarget(model)
}

// endUser reads who asks, in the fields that OpenAI has for it: user is the older one.
func (d *decoding) endUser(identifier, user string) string {
	field := "safety_identifier"
	switch {
	case identifier == "":
		field, identifier = "user", user
	case user != "" && user != identifier:
		d.warn(elumenta.WarnUnsupported, "user", "is left out: safety_identifier says who asks")
	}
	d.checked(func(errs *elumenta.FieldErrors) { elumenta.CheckText(errs, field, identifier, 0, elumenta.MaxUser) })
	return identifier
}

// effort reads how much a model is to think.
func (d *decoding) effort(field, effort string) (r elumenta.Reasoning) {
	switch effort {
	case "":
	case "none":
		r.Mode = elumenta.ReasoningOff
	case "minimal", "low", "medium", "high", "xhigh", "max":
		r.Mode, r.Effort = elumenta.ReasoningOn, effort
	default:
		d.bad(field, codeInvalidValue, "must be none, minimal, low, medium, high, xhigh or max")
	}
	return r
}

// tool reads a function.
func (d *decoding) tool(field, name, description string, parameters jsontext.Value, strict *bool) elumenta.Tool {
	switch {
	case name == "":
		d.missing(child(field, "name"))
	case !validToolName(name):
		d.bad(child(field, "name"), codeInvalidValue, "must have at most %d characters of a-z, A-Z, 0-9, _ and -", elumenta.MaxToolName)
	}
	tool := elumenta.Tool{Name: name, Description: string(d.text(child(field, "description"), description)), Strict: strict != nil && *strict}
	if given(parameters) {
		if parameters.Kind() != '{' {
			d.bad(child(field, "parameters"), codeInvalidType, "must be an object")
		}
		tool.Parameters = []byte(parameters)
	}
	return tool
}

func validToolName(name string) bool {
	return name != "" && len(name) <= elumenta.MaxToolName &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

// tools checks the functions together, and that what must be called is one of them.
func (d *decoding) tools(tools []elumenta.Tool, choice elumenta.ToolChoice) {
	names := make(map[string]bool, len(tools))
	for i := range tools {
		if name := tools[i].Name; names[name] && name != "" {
			d.bad(item("tools", i), codeInvalidValue, "has the name of another tool")
		}
		names[tools[i].Name] = true
	}
	switch {
	case choice.Mode == elumenta.ToolNamed && !names[choice.Name]:
		d.bad("tool_choice", codeInvalidValue, "must name one of the tools")
	case choice.Mode == elumenta.ToolAny && len(tools) == 0:
		d.bad("tool_choice", codeInvalidValue, "asks for a call, but there are no tools")
	}
}

// oneOf says which values of a field are taken.
func (d *decoding) oneOf(field, value, taken string) {
	if value == "" {
		d.missing(field)
		return
	}
	d.bad(field, codeInvalidValue, "must be %s", taken)
}
