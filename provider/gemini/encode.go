package gemini

import (
	"bytes"
	"path"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

const (
	// opening stands before a conversation that the model begins: a function call must follow a user's turn, and a
	// conversation of the model alone is refused.
	opening = "."
	// noSignature stands for the signature of a function call that came without one, from another provider or through a
	// client that lost it. Models from Gemini 3 on refuse a call without any
	// (https://ai.google.dev/gemini-api/docs/thought-signatures).
	noSignature = "skip_thought_signature_validator"
)

// The roles of a conversation.
const (
	roleUser  = "user"
	roleModel = "model"
)

// request is the body of generateContent and streamGenerateContent.
type request struct {
	SystemInstruction *content          `json:"systemInstruction,omitzero"`
	Contents          []content         `json:"contents"`
	GenerationConfig  *generationConfig `json:"generationConfig,omitzero"`
	Tools             []tool            `json:"tools,omitzero"`
	ToolConfig        *toolConfig       `json:"toolConfig,omitzero"`
}

type content struct {
	Role  string `json:"role,omitzero"`
	Parts []part `json:"parts"`
}

// part is a piece of a request's content: one of its kinds, and what goes with it.
type part struct {
	Text             *elumenta.Text    `json:"text,omitzero"`
	Thought          bool              `json:"thought,omitzero"`
	ThoughtSignature elumenta.Text     `json:"thoughtSignature,omitzero"`
	InlineData       *inlineData       `json:"inlineData,omitzero"`
	FileData         *fileData         `json:"fileData,omitzero"`
	FunctionCall     *functionCall     `json:"functionCall,omitzero"`
	FunctionResponse *functionResponse `json:"functionResponse,omitzero"`
}

type inlineData struct {
	MIMEType string        `json:"mimeType"`
	Data     elumenta.Text `json:"data"`
}

type fileData struct {
	MIMEType string        `json:"mimeType,omitzero"`
	FileURI  elumenta.Text `json:"fileUri"`
}

type functionCall struct {
	ID   string         `json:"id,omitzero"`
	Name string         `json:"name"`
	Args jsontext.Value `json:"args,omitzero"`
}

type functionResponse struct {
	ID       string         `json:"id,omitzero"`
	Name     string         `json:"name"`
	Response functionResult `json:"response"`
}

// functionResult has the keys that the API reads as a function's output or its failure.
type functionResult struct {
	Output *string `json:"output,omitzero"`
	Error  *string `json:"error,omitzero"`
}

type generationConfig struct {
	Temperature        *float64        `json:"temperature,omitzero"`
	TopP               *float64        `json:"topP,omitzero"`
	MaxOutputTokens    *int            `json:"maxOutputTokens,omitzero"`
	StopSequences      []string        `json:"stopSequences,omitzero"`
	ResponseMIMEType   string          `json:"responseMimeType,omitzero"`
	ResponseJSONSchema jsontext.Value  `json:"responseJsonSchema,omitzero"`
	ThinkingConfig     *thinkingConfig `json:"thinkingConfig,omitzero"`
}

type tool struct {
	FunctionDeclarations []functionDeclaration `json:"functionDeclarations"`
}

type functionDeclaration struct {
	Name                 string         `json:"name"`
	Description          string         `json:"description,omitzero"`
	ParametersJSONSchema jsontext.Value `json:"parametersJsonSchema,omitzero"`
}

type toolConfig struct {
	FunctionCallingConfig functionCallingConfig `json:"functionCallingConfig"`
}

type functionCallingConfig struct {
	Mode                 string   `json:"mode"`
	AllowedFunctionNames []string `json:"allowedFunctionNames,omitzero"`
}

// encode builds the body, with a warning for each setting that was left out or changed.
func encode(t elumenta.Target, p *elumenta.Prompt) ([]byte, []elumenta.Warning, error) {
	settings, warnings := t.Capabilities.Fit(p.Settings)
	b := builder{signCalls: signsCalls(t.Model), names: map[string]string{}}
	for _, turn := range p.Turns {
		b.turn(turn)
	}
	if len(b.contents) == 0 {
		return nil, nil, errNoContent
	}
	r := request{SystemInstruction: systemInstruction(p), Contents: b.contents, GenerationConfig: config(settings)}
	thinking, told := think(t.Model, p.Reasoning)
	if warnings = append(warnings, told...); thinking != nil {
		if r.GenerationConfig == nil {
			r.GenerationConfig = &generationConfig{}
		}
		r.GenerationConfig.ThinkingConfig = thinking
	}
	if len(p.Tools) > 0 {
		r.Tools, r.ToolConfig = tools(p)
		if p.ToolChoice.Parallel != nil && !*p.ToolChoice.Parallel {
			warnings = append(warnings, elumenta.Warning{Code: elumenta.WarnUnsupported, Field: "parallel_tool_calls",
				Message: "the provider decides itself how many tools to call at once: left out"})
		}
	}
	body := bytes.NewBuffer(wire.NewBody(p))
	if err := json.MarshalWrite(body, &r, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return nil, nil, errNotJSON
	}
	return body.Bytes(), warnings, nil
}

// signsCalls reports whether a model insists on a signature for each step of function calls: Gemini 3 and later.
func signsCalls(model string) bool {
	version, ok := strings.CutPrefix(path.Base(model), "gemini-")
	return ok && !strings.HasPrefix(version, "1") && !strings.HasPrefix(version, "2")
}

func systemInstruction(p *elumenta.Prompt) *content {
	c := &content{Role: roleUser} // as Google's own libraries send it
	for _, list := range [...][]elumenta.Part{p.Instructions, p.System} {
		for _, in := range list {
			if in.Text != "" {
				c.Parts = append(c.Parts, part{Text: &in.Text})
			}
		}
	}
	if len(c.Parts) == 0 {
		return nil
	}
	return c
}

func config(s elumenta.Settings) *generationConfig {
	c := &generationConfig{Temperature: s.Temperature, TopP: s.TopP, MaxOutputTokens: s.MaxTokens, StopSequences: s.Stop}
	if len(s.Stop) == 0 {
		c.StopSequences = nil
	}
	if f := s.ResponseFormat; f != nil && f.Type != elumenta.FormatText {
		c.ResponseMIMEType = "application/json"
		if f.Type == elumenta.FormatJSONSchema {
			c.ResponseJSONSchema = jsontext.Value(f.Schema)
		}
	} else if c.Temperature == nil && c.TopP == nil && c.MaxOutputTokens == nil && c.StopSequences == nil {
		return nil
	}
	return c
}

func tools(p *elumenta.Prompt) ([]tool, *toolConfig) {
	declarations := make([]functionDeclaration, len(p.Tools))
	for i, t := range p.Tools {
		declarations[i] = functionDeclaration{Name: t.Name, Description: t.Description, ParametersJSONSchema: jsontext.Value(t.Parameters)}
	}
	list := []tool{{FunctionDeclarations: declarations}}
	var c functionCallingConfig
	switch p.ToolChoice.Mode {
	case elumenta.ToolAuto:
		c.Mode = "AUTO"
	case elumenta.ToolNone:
		c.Mode = "NONE"
	case elumenta.ToolAny:
		c.Mode = "ANY"
	case elumenta.ToolNamed:
		c.Mode, c.AllowedFunctionNames = "ANY", []string{p.ToolChoice.Name}
	default:
		return list, nil
	}
	return list, &toolConfig{FunctionCallingConfig: c}
}

// builder gathers the contents of a conversation; neighbours of one role become one.
type builder struct {
	signCalls bool
	contents  []content
	names     map[string]string // of functions, by the id of their call: a result may lack it, and the API wants it
}

func (b *builder) turn(turn elumenta.Turn) {
	role := roleUser
	if turn.Role == elumenta.RoleOfAssistant {
		role = roleModel
	}
	called := false
	for _, in := range turn.Parts {
		parts := b.parts(in)
		if len(parts) == 0 {
			continue
		}
		if in.Kind == elumenta.PartToolCall && !called {
			called = true // the first call of a step carries the signature, for those beside it too
			if parts[0].ThoughtSignature == "" && b.signCalls {
				parts[0].ThoughtSignature = noSignature
			}
		}
		b.add(role, parts)
	}
}

func (b *builder) add(role string, parts []part) {
	if len(b.contents) == 0 && role == roleModel {
		first := elumenta.Text(opening)
		b.contents = append(b.contents, content{Role: roleUser, Parts: []part{{Text: &first}}})
	}
	if n := len(b.contents); n > 0 && b.contents[n-1].Role == role {
		b.contents[n-1].Parts = append(b.contents[n-1].Parts, parts...)
		return
	}
	b.contents = append(b.contents, content{Role: role, Parts: parts})
}

// parts turns a part of the prompt into those of the API: none for one that it does not take and that says nothing to it.
func (b *builder) parts(in elumenta.Part) []part {
	signature := signatureOf(in.Opaque)
	switch in.Kind {
	case elumenta.PartText, elumenta.PartRefusal:
		if in.Text == "" && signature == "" {
			return nil
		}
		return []part{{Text: &in.Text, ThoughtSignature: signature}}
	case elumenta.PartReasoning:
		if signature == "" {
			return nil
		}
		return []part{{Text: &in.Text, Thought: true, ThoughtSignature: signature}}
	case elumenta.PartImage:
		return []part{image(in.Image)}
	case elumenta.PartToolCall:
		args := jsontext.Value(wire.CallInput(in.ToolCall.Arguments))
		b.names[in.ToolCall.ID] = in.ToolCall.Name
		return []part{{FunctionCall: &functionCall{ID: in.ToolCall.ID, Name: in.ToolCall.Name, Args: args}, ThoughtSignature: signature}}
	case elumenta.PartToolResult:
		return b.result(in.ToolResult)
	}
	return nil
}

// signatureOf returns a signature of our own format. Another format's state is dropped.
func signatureOf(o *elumenta.Opaque) elumenta.Text {
	if o == nil || o.Format != Format {
		return ""
	}
	return o.Data
}

var mediaTypes = [...][2]string{
	{".png", "image/png"}, {".jpg", "image/jpeg"}, {".jpeg", "image/jpeg"}, {".gif", "image/gif"}, {".webp", "image/webp"},
}

func image(in *elumenta.Image) part {
	if in.URL == "" {
		return part{InlineData: &inlineData{MIMEType: in.MediaType, Data: in.Data}}
	}
	file := &fileData{MIMEType: in.MediaType, FileURI: in.URL}
	if file.MIMEType == "" {
		address, _, _ := strings.Cut(strings.ToLower(string(in.URL)), "?")
		for _, m := range mediaTypes {
			if strings.HasSuffix(address, m[0]) {
				file.MIMEType = m[1]
			}
		}
	}
	return part{FileData: file}
}

// result gives a tool's text as the function's response; its images follow as parts of their own, which every model takes.
func (b *builder) result(r *elumenta.ToolResult) []part {
	response := &functionResponse{ID: r.CallID, Name: r.Name}
	if response.Name == "" {
		response.Name = b.names[r.CallID]
	}
	parts := []part{{FunctionResponse: response}}
	var text strings.Builder
	for _, in := range r.Content {
		switch in.Kind {
		case elumenta.PartText:
			text.WriteString(string(in.Text))
		case elumenta.PartImage:
			parts = append(parts, image(in.Image))
		}
	}
	s := text.String()
	if r.IsError {
		response.Response.Error = &s
	} else {
		response.Response.Output = &s
	}
	return parts
}
