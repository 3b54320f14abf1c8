package httpapi

import (
	"io"
	"slices"
	"strings"

	"github.com/elumenta/elumenta"
)

const (
	maxWarnings = 100
	// maxGivenVariables is how many values a call may give: as many as an assistant may declare.
	maxGivenVariables = elumenta.MaxVariables
)

// generateReader decodes the body of a generate call in one pass. Texts are copied out of the body, which may be used
// again afterwards.
type generateReader struct {
	reader
	req   elumenta.Request
	parts []elumenta.Part // of all messages; they and the turns are copied out at the end

	assistant                      string
	user                           string
	system, paramsSystem           string
	prompt                         string
	hasPrompt, hasMessages         bool
	paramsMessages                 bool // params had messages
	top, nested                    conversation
	temperature, paramsTemperature *float64
	maxTokens, paramsMaxTokens     *int
	detailReported                 bool
}

// eof has nothing to read.
type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// conversation is what a list of messages holds.
type conversation struct {
	system []elumenta.Text
	turns  []elumenta.Turn
}

// decodeGenerate reads the body of a call and checks its form. Errors list everything that is wrong.
func (a *API) decodeGenerate(c *call) (*elumenta.Request, error) {
	if err := refuseQuery(c.request); err != nil {
		return nil, err
	}
	g, _ := a.decoders.Get().(*generateReader)
	defer func() {
		g.reset()
		a.decoders.Put(g)
	}()
	g.read(c.body, g.member)
	if g.broken != nil {
		return nil, g.broken
	}
	g.finish()
	a.checkModel(g)
	g.req.Idempotency = a.idempotency(c, "generate", &g.reader)
	if err := g.err(); err != nil {
		return nil, err
	}
	if g.user != "" {
		g.req.User = a.Secret.User(c.caller.Account.ID, g.user)
	}
	req := g.req
	req.ID, req.RequestID, req.ReceivedAt = elumenta.NewGenerationID(), c.id, c.started
	return &req, nil
}

// reset keeps the memory for another body, but nothing of the conversation.
func (g *generateReader) reset() {
	dec, unquoted, parts, turns := g.dec, g.unquoted, g.parts, g.top.turns
	dec.Reset(eof{})
	clear(unquoted[:cap(unquoted)])
	clear(parts)
	clear(turns)
	*g = generateReader{}
	g.dec = dec
	if cap(unquoted) <= keptBuffer {
		g.unquoted = unquoted
	}
	if cap(parts) <= keptParts {
		g.parts, g.top.turns = parts[:0], turns[:0]
	}
}

// keptParts is how many parts a reader keeps room for. Every turn has one at least, so that it bounds both.
const keptParts = 512

func (a *API) checkModel(g *generateReader) {
	at := fieldPath{name: "model"}
	if g.req.Model == "" {
		if g.assistant == "" {
			g.bad(&at, "is required without an assistant_id")
		}
		return
	}
	if _, ok := a.settings().Catalog.Get(g.req.Model); !ok {
		g.bad(&at, "is not in the catalog; GET %s/models lists it", Base)
	}
}

func (g *generateReader) member(name []byte) {
	at := fieldPath{name: string(name)}
	if !g.topLevel(&at, name) {
		g.dropUnknown(nil, name)
	}
}

// topLevel reads a field of the request. A null is as good as no field.
func (g *generateReader) topLevel(at *fieldPath, name []byte) (ok bool) {
	switch string(name) {
	case "assistant_id", "model", "messages", "prompt", "system", "stream", "temperature", "max_tokens", "top_p", "stop",
		"response_format", "variables", "user", "params":
	default:
		return false
	}
	if g.null() {
		return true
	}
	switch string(name) {
	case "assistant_id":
		g.assistantID(at)
	case "model":
		g.req.Model, _ = g.text(at)
	case "messages":
		g.hasMessages = true
		g.messages(at, &g.top)
	case "prompt":
		g.hasPrompt = true
		if s, ok := g.content(at); ok {
			g.prompt = s
		}
	case "system":
		g.system = g.plain(at)
	case "stream":
		g.req.Stream = g.boolean(at)
	case "temperature":
		g.temperature = g.float(at)
	case "max_tokens":
		g.maxTokens = g.positive(at)
	case "top_p":
		if g.req.Settings.TopP = g.float(at); g.req.Settings.TopP != nil && (*g.req.Settings.TopP < 0 || *g.req.Settings.TopP > 1) {
			g.bad(at, "must be between 0 and 1")
		}
	case "stop":
		g.stop(at)
	case "response_format":
		if f, ok := g.responseFormat(at, func(field string) { g.warn(elumenta.WarnUnknownField, field, "is not passed on: left out") }); ok {
			f.Check("response_format", &g.errs)
			g.req.Settings.ResponseFormat = &f
		}
	case "variables":
		g.variables(at)
	case "user":
		if s, ok := g.text(at); ok {
			elumenta.CheckText(&g.errs, "user", s, 0, elumenta.MaxUser)
			g.user = s
		}
	case "params":
		g.object(at, func(name []byte) { g.param(at, name) })
	}
	return true
}

// param reads a field of params, which the top level's own beats.
func (g *generateReader) param(at *fieldPath, name []byte) {
	field := at.child(string(name))
	switch string(name) {
	case "system_prompt", "temperature", "max_tokens", "messages":
	default:
		g.dropUnknown(at, name)
		return
	}
	if g.null() {
		return
	}
	switch string(name) {
	case "system_prompt":
		g.paramsSystem = g.plain(&field)
	case "temperature":
		g.paramsTemperature = g.float(&field)
	case "max_tokens":
		g.paramsMaxTokens = g.positive(&field)
	case "messages":
		g.paramsMessages = true
		g.messages(&field, &g.nested)
	}
}

// dropUnknown leaves a field out and says so.
func (g *generateReader) dropUnknown(parent *fieldPath, name []byte) {
	at := parent.child(shown(name))
	g.warn(elumenta.WarnUnknownField, at.String(), "is not known here: left out")
	g.skip()
}

func (g *generateReader) warn(code, field, message string) {
	if len(g.req.Warnings) < maxWarnings {
		g.req.Warnings = append(g.req.Warnings, elumenta.Warning{Code: code, Field: field, Message: message})
	}
}

// plain reads a text that may be empty.
func (g *generateReader) plain(at *fieldPath) string {
	s, ok := g.text(at)
	if ok && strings.IndexByte(s, 0) >= 0 {
		g.bad(at, "must not contain the character U+0000")
	}
	return s
}

// content reads a text that says something.
func (g *generateReader) content(at *fieldPath) (string, bool) {
	s, ok := g.text(at)
	switch {
	case !ok:
	case s == "":
		g.bad(at, "must not be empty")
	case strings.IndexByte(s, 0) >= 0:
		g.bad(at, "must not contain the character U+0000")
	default:
		return s, true
	}
	return "", false
}

func (g *generateReader) float(at *fieldPath) *float64 {
	if f, ok := g.number(at); ok {
		return &f
	}
	return nil
}

// mostTokens is what a number may be exactly in every JSON reader (RFC 8259, 6); what a model takes less of is brought to its limit.
const mostTokens = 1<<53 - 1

func (g *generateReader) positive(at *fieldPath) *int {
	whole, ok := g.whole(at, -mostTokens, mostTokens)
	if !ok {
		return nil
	}
	if whole < 1 {
		g.bad(at, "must be at least 1")
	}
	n := int(whole)
	return &n
}

func (g *generateReader) assistantID(at *fieldPath) {
	s, ok := g.text(at)
	if !ok {
		return
	}
	g.assistant = s
	if g.req.Assistant, ok = elumenta.ParseAssistantRef(s); !ok {
		g.assistant = "?" // given, so that no model is asked for besides
		g.bad(at, "must be an assistant's id: asst_ and 26 characters, with @ and a version to pin one")
	}
}

func (g *generateReader) stop(at *fieldPath) {
	one := func(at *fieldPath) {
		if s, ok := g.text(at); ok {
			elumenta.CheckText(&g.errs, at.String(), s, 1, elumenta.MaxStop)
			g.req.Settings.Stop = append(g.req.Settings.Stop, s)
		}
	}
	if g.broken == nil && g.dec.PeekKind() == '"' {
		one(at)
		return
	}
	if !g.is(at, '[', "a string or a list of strings") {
		return
	}
	g.array(at, elumenta.MaxStops, func(i int) {
		item := at.item(i)
		one(&item)
	})
}

func (g *generateReader) variables(at *fieldPath) {
	count := 0
	values := make(map[string]string)
	g.object(at, func(name []byte) {
		field := at.child(shown(name))
		count++
		if count > maxGivenVariables {
			g.skip()
			return
		}
		key := string(name)
		if s, ok := g.text(&field); ok {
			elumenta.CheckText(&g.errs, field.String(), s, 0, elumenta.MaxVariableValue)
			values[key] = s
		}
	})
	if count > maxGivenVariables {
		g.bad(at, "must be at most %d", maxGivenVariables)
	}
	if len(values) > 0 {
		g.req.Variables = values
	}
}

// finish brings together what stood in different places.
func (g *generateReader) finish() {
	if g.req.Settings.Temperature = g.temperature; g.temperature == nil {
		g.req.Settings.Temperature = g.paramsTemperature
	}
	if g.req.Settings.MaxTokens = g.maxTokens; g.maxTokens == nil {
		g.req.Settings.MaxTokens = g.paramsMaxTokens
	}
	said := &g.top
	if !g.hasMessages {
		said = &g.nested
	}
	for _, s := range []string{g.paramsSystem, g.system} {
		if s != "" {
			g.req.System = append(g.req.System, elumenta.Text(s))
		}
	}
	g.req.System = append(g.req.System, said.system...)
	if g.prompt != "" {
		g.parts = append(g.parts, elumenta.Part{Kind: elumenta.PartText, Text: elumenta.Text(g.prompt)})
		said.turns = append(said.turns, elumenta.Turn{Role: elumenta.RoleOfUser, Parts: g.taken(len(g.parts) - 1)})
	}
	g.req.Turns = copied(said.turns)
	at := fieldPath{name: "messages"}
	switch given := g.hasMessages || g.paramsMessages; {
	case len(g.req.Turns) > 0:
	case !given && !g.hasPrompt:
		g.bad(&at, "is required, or else prompt")
	case given && len(g.errs) == 0:
		g.bad(&at, "must hold a message of a user or an assistant, or else prompt must be given")
	}
}

// copied returns the turns with parts of their own, in two allocations.
func copied(turns []elumenta.Turn) []elumenta.Turn {
	size := 0
	for i := range turns {
		size += len(turns[i].Parts)
	}
	parts := make([]elumenta.Part, 0, size)
	turns = slices.Clone(turns)
	for i := range turns {
		from := len(parts)
		parts = append(parts, turns[i].Parts...)
		turns[i].Parts = parts[from:len(parts):len(parts)]
	}
	return turns
}

// taken is the shared parts from one on, cut off from what will be appended.
func (g *generateReader) taken(from int) []elumenta.Part {
	return g.parts[from:len(g.parts):len(g.parts)]
}
