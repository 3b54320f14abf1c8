package anthropicapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/anthropicapi"
)

// with is the body of a request with more members.
func with(members string) string {
	return `{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}]` + members + `}`
}

// saying is the body of a request with these messages.
func saying(messages string) string {
	return `{"model":"m","max_tokens":5,"messages":[` + messages + `]}`
}

func TestDecode(t *testing.T) {
	assistant := string(elumenta.NewAssistantID())
	text := func(s elumenta.Text) elumenta.Part { return elumenta.Part{Kind: elumenta.PartText, Text: s} }
	base := func(change func(*elumenta.SurfaceRequest)) *elumenta.SurfaceRequest {
		r := &elumenta.SurfaceRequest{Request: elumenta.Request{
			Model: "m", Settings: elumenta.Settings{MaxTokens: new(5)}, Turns: []elumenta.Turn{{Role: "user", Parts: []elumenta.Part{text("x")}}},
		}}
		change(r)
		return r
	}
	warn := func(code, field string) elumenta.Warning { return elumenta.Warning{Code: code, Field: field} }
	for name, test := range map[string]struct {
		body string
		want func(*elumenta.SurfaceRequest)
	}{
		"least": {with(``), func(*elumenta.SurfaceRequest) {}},
		"assistant": {strings.Replace(with(``), `"m"`, `"`+assistant+`@3"`, 1), func(r *elumenta.SurfaceRequest) {
			r.Model, r.Assistant = "", elumenta.AssistantRef{ID: elumenta.AssistantID(assistant), Version: 3}
		}},
		"nulls": {with(`,"system":null,"tools":null,"tool_choice":null,"thinking":null,"container":null,"metadata":{"user_id":null},"temperature":null,"new":null`), func(*elumenta.SurfaceRequest) {}},
		"settings": {with(`,"temperature":0,"top_p":1,"stop_sequences":["a","b"],"stream":true,"metadata":{"user_id":"u"},"variables":{"a":"b"}`), func(r *elumenta.SurfaceRequest) {
			r.Settings.Temperature, r.Settings.TopP, r.Settings.Stop, r.Stream, r.EndUser, r.Variables = new(0.0), new(1.0), []string{"a", "b"}, true, "u", map[string]string{"a": "b"}
		}},
		"system": {with(`,"system":"s"`), func(r *elumenta.SurfaceRequest) { r.System = []elumenta.Text{"s"} }},
		"system of blocks": {with(`,"system":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}},{"type":"text","text":"b","cache_control":{"type":"ephemeral"}}]`), func(r *elumenta.SurfaceRequest) {
			r.System = []elumenta.Text{"a", "b"}
			r.Warnings = []elumenta.Warning{warn("unsupported_setting", "system.0.cache_control"), warn("unsupported_setting", "system.0")}
		}},
		"empty system": {with(`,"system":""`), func(*elumenta.SurfaceRequest) {}},
		"moved system": {saying(`{"role":"system","content":"a"},{"role":"user","content":"x"},{"role":"system","content":[{"type":"text","text":"b"}]}`), func(r *elumenta.SurfaceRequest) {
			r.System = []elumenta.Text{"a", "b"}
			r.Warnings = []elumenta.Warning{warn("system_message_moved", "messages.2")}
		}},
		"left out": {with(`,"top_k":3,"thinking":{"type":"adaptive"},"service_tier":"auto","output_config":{"effort":"low","new":1},"context_management":{},"x":[1]`), func(r *elumenta.SurfaceRequest) {
			r.Reasoning, r.ShowsReasoning = elumenta.Reasoning{Mode: elumenta.ReasoningOn, Effort: "low"}, true
			r.Warnings = []elumenta.Warning{
				warn("unsupported_setting", "top_k"), warn("unsupported_setting", "service_tier"),
				warn("unknown_field", "output_config.new"), warn("unsupported_setting", "context_management"), warn("unknown_field", "x"),
			}
		}},
		"content before role, prefill": {saying(`{"content":[{"text":"x","type":"text","citations":null}],"role":"user"},{"content":"","role":"assistant"},{"role":"assistant","content":[{"type":"text","text":"y","parsed_output":{"word":"y"}}]}`), func(r *elumenta.SurfaceRequest) {
			r.Turns = append(r.Turns, elumenta.Turn{Role: "assistant", Parts: []elumenta.Part{text("y")}})
		}},
		"reasoning": {saying(`{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"thinking","thinking":"u","signature":""},{"type":"thinking","thinking":"v"},{"type":"text","text":"y"}]}`), func(r *elumenta.SurfaceRequest) {
			r.Turns = append(r.Turns, elumenta.Turn{Role: "assistant", Parts: []elumenta.Part{
				{Kind: elumenta.PartReasoning, Text: "t", Opaque: &elumenta.Opaque{Format: "anthropic", Data: `{"type":"thinking","signature":"s"}`}}, text("y"),
			}})
			r.Warnings = []elumenta.Warning{warn("unsupported_setting", "messages.1.content.2")}
		}},
		"thinking": {with(`,"thinking":{"type":"enabled","budget_tokens":2048,"display":"omitted"}`), func(r *elumenta.SurfaceRequest) {
			r.Reasoning, r.ShowsReasoning = elumenta.Reasoning{Mode: elumenta.ReasoningOn, Budget: 2048, Summary: elumenta.SummaryNone}, true
		}},
		"no thinking": {with(`,"thinking":{"type":"disabled"}`), func(r *elumenta.SurfaceRequest) { r.Reasoning.Mode = elumenta.ReasoningOff }},
		"tools": {with(`,"tools":[{"name":"t","input_schema":{"type":"object"},"type":"custom","input_examples":[]}],"tool_choice":{"type":"tool","name":"t","disable_parallel_tool_use":false}`), func(r *elumenta.SurfaceRequest) {
			r.ShowsReasoning = true
			r.Tools = []elumenta.Tool{{Name: "t", Parameters: json.RawMessage(`{"type":"object"}`)}}
			r.ToolChoice = elumenta.ToolChoice{Mode: elumenta.ToolNamed, Name: "t", Parallel: new(true)}
			r.Warnings = []elumenta.Warning{warn("unknown_field", "tools.0.input_examples")}
		}},
		"format of the beta": {with(`,"output_format":{"type":"json_schema","schema":{}}`), func(r *elumenta.SurfaceRequest) {
			r.Settings.ResponseFormat = &elumenta.ResponseFormat{Type: "json_schema", Name: "output", Strict: true, Schema: json.RawMessage(`{}`)}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := anthropicapi.Messages{}.Decode([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if got.Encoder == nil {
				t.Error("no encoder")
			}
			got.Encoder = nil
			for i := range got.Warnings {
				if got.Warnings[i].Message == "" {
					t.Errorf("warning %+v", got.Warnings[i])
				}
				got.Warnings[i].Message = ""
			}
			if diff := cmp.Diff(base(test.want), got, readable); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	result := func(rest string) string {
		return saying(`{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"t","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"1"` + rest + `}]}`)
	}
	block := func(b string) string { return saying(`{"role":"user","content":[` + b + `]}`) }
	for name, test := range map[string]struct{ body, field, reason string }{
		"nothing":              {`{}`, "model", "is required"},
		"no max_tokens":        {`{"model":"m","messages":[{"role":"user","content":"x"}]}`, "max_tokens", "is required"},
		"no tokens":            {`{"model":"m","max_tokens":0,"messages":[]}`, "max_tokens", "at least 1"},
		"half a token":         {`{"model":"m","max_tokens":1.5,"messages":[]}`, "max_tokens", "integer"},
		"many tokens":          {`{"model":"m","max_tokens":3e9,"messages":[]}`, "max_tokens", "at most"},
		"no messages":          {`{"model":"m","max_tokens":5,"messages":[]}`, "messages", "must hold"},
		"only system":          {saying(`{"role":"system","content":"x"}`), "messages", "must hold"},
		"model":                {strings.Replace(with(``), `"m"`, `7`, 1), "model", "must be a string"},
		"role":                 {saying(`{"role":"tool","content":"x"}`), "messages.0.role", "must be user or assistant"},
		"no content":           {saying(`{"role":"user"}`), "messages.0.content", "is required"},
		"empty content":        {saying(`{"role":"user","content":[]}`), "messages.0.content", "must not be empty"},
		"empty string":         {saying(`{"role":"user","content":""}`), "messages.0.content", "must not be empty"},
		"content":              {saying(`{"role":"user","content":7}`), "messages.0.content", "must be a string or a list"},
		"empty text":           {block(`{"type":"text","text":""}`), "messages.0.content.0.text", "must not be empty"},
		"NUL":                  {saying(`{"role":"user","content":"\u0000"}`), "messages.0.content", "U+0000"},
		"no type":              {block(`{"text":"x"}`), "messages.0.content.0.type", "must be text"},
		"document":             {block(`{"type":"document","source":{"type":"file","file_id":"f"},"content":{}}`), "messages.0.content.0.type", "must be text"},
		"call of a user":       {block(`{"type":"tool_use","id":"1","name":"t","input":{}}`), "messages.0.content.0.type", "does not go with the role user"},
		"image of a model":     {saying(`{"role":"assistant","content":[{"type":"text","text":"x"},{"type":"image","source":{"type":"url","url":"https://example.com/x"}}]}`), "messages.0.content.1.type", "does not go with the role assistant"},
		"result of nothing":    {block(`{"type":"tool_result","tool_use_id":"1","content":"x"}`), "messages.0.content.0.tool_use_id", "is not the id"},
		"document in a result": {result(`,"content":[{"type":"document"}]`), "messages.2.content.0.content.0.type", "must be text"},
		"call in a result":     {result(`,"content":[{"type":"text","text":"x"},{"type":"tool_use","id":"1","name":"t","input":{}}]`), "messages.2.content.0.content.1.type", "must be text or image"},
		"error":                {result(`,"is_error":"no"`), "messages.2.content.0.is_error", "true or false"},
		"no image":             {block(`{"type":"image"}`), "messages.0.content.0.source", "is required"},
		"image file":           {block(`{"type":"image","source":{"type":"file","file_id":"f"}}`), "messages.0.content.0.source.type", "must be base64 or url"},
		"image type":           {block(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + pixel + `"}}`), "messages.0.content.0.source", "image/png"},
		"image at home":        {block(`{"type":"image","source":{"type":"url","url":"http://127.0.0.1/x"}}`), "messages.0.content.0.source.url", "https"},
		"input":                {saying(`{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"t","input":"{}"}]}`), "messages.0.content.0.input", "must be an object"},
		"no input":             {saying(`{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"t"}]}`), "messages.0.content.0.input", "is required"},
		"system":               {with(`,"system":[{"type":"image","source":{"type":"url","url":"https://example.com/x"}}]`), "system.0", "must be a text block"},
		"stop":                 {with(`,"stop_sequences":[""]`), "stop_sequences.0", "1 to 64"},
		"stops":                {with(`,"stop_sequences":["1","2","3","4","5"]`), "stop_sequences", "at most 4 items, has 5"},
		"top_p":                {with(`,"top_p":2`), "top_p", "between 0 and 1"},
		"temperature":          {with(`,"temperature":1e999`), "temperature", "too large"},
		"a hotter temperature": {with(`,"temperature":1.1`), "temperature", "between 0 and 1"},
		"stream":               {with(`,"stream":1`), "stream", "true or false"},
		"server tool":          {with(`,"tools":[{"type":"web_search_20250305","name":"web_search"}]`), "tools.0.type", "must be custom"},
		"tool's name":          {with(`,"tools":[{"name":"a b","input_schema":{}}]`), "tools.0.name", "must have 1 to 128"},
		"no schema":            {with(`,"tools":[{"name":"a"}]`), "tools.0.input_schema", "is required"},
		"two tools":            {with(`,"tools":[{"name":"a","input_schema":{}},{"name":"a","input_schema":{}}]`), "tools.1.name", "another tool"},
		"choice":               {with(`,"tool_choice":{"type":"some"}`), "tool_choice.type", "must be auto"},
		"any of none":          {with(`,"tool_choice":{"type":"any"}`), "tool_choice", "needs tools"},
		"choice of none":       {with(`,"tool_choice":{"type":"tool","name":"a"}`), "tool_choice.name", "one of the tools"},
		"container":            {with(`,"container":"c"`), "container", "runs no code"},
		"servers":              {with(`,"mcp_servers":[]`), "mcp_servers", "not called"},
		"place":                {with(`,"inference_geo":"us"`), "inference_geo", "operator"},
		"format":               {with(`,"output_config":{"format":{"type":"xml"}}`), "output_config.format.type", "json_schema"},
		"format's schema":      {with(`,"output_config":{"format":{"type":"json_schema"}}`), "output_config.format.schema", "is required"},
		"user":                 {with(`,"metadata":{"user_id":"` + strings.Repeat("u", 257) + `"}`), "metadata.user_id", "at most 256"},
		"variable":             {with(`,"variables":{"a":1}`), "variables.a", "must be a string"},
		"array":                {`[]`, "", "must be a JSON object"},
		"no JSON":              {`{"model"`, "", "not valid JSON"},
		"twice":                {`{"model":"m","model":"m"}`, "", "two members of the same name"},
		"more":                 {with(``) + `{}`, "", "something follows"},
		"not UTF-8":            {saying("{\"role\":\"user\",\"content\":\"\xff\"}"), "", "not valid JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := anthropicapi.Messages{}.Decode([]byte(test.body))
			e := elumenta.AsError(err)
			if test.field == "" {
				if e.Code != elumenta.CodeBadRequest || !strings.Contains(e.Message, test.reason) {
					t.Errorf("error %v", e)
				}
				return
			}
			fields, _ := e.Details["fields"].([]elumenta.FieldError)
			if e.Code != elumenta.CodeValidation || len(fields) == 0 {
				t.Fatalf("error %v", e)
			}
			if fields[0].Field != test.field || !strings.Contains(fields[0].Reason, test.reason) {
				t.Errorf("%+v, want %s %s", fields, test.field, test.reason)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		with(`,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],"tools":[{"name":"t","input_schema":{}}],"tool_choice":{"type":"any"}`),
		with(`,"variables":{"a":"b"},"metadata":{"user_id":"u"},"output_config":{"format":{"type":"json_schema","schema":{}}},"thinking":{},"stop_sequences":["x"]`),
		saying(`{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"g2","name":"t","input":{}},{"type":"redacted_thinking","data":"elumenta1.eyJmIjoiZ2VtaW5pIiwiZCI6ImMybG5NZz09IiwicCI6MywiYyI6ImcyIn0"}]}`),
		saying(`{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"tool_use","id":"1","name":"t","input":{"a":[1]}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":[{"type":"image","source":{"type":"base64","media_type":"image/gif","data":"` + pixel + `"}}]}]}`),
		`{"":[[[{}]]],"messages":[{"content":[{"content":[{"content":[{}]}]}]}]}`, `[]`, `{"x":1,"x":2}`, "{\"\xff\":1}", `{"a":{"`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		own := bytes.Clone(body)
		in, err := anthropicapi.Messages{}.Decode(own)
		if err != nil {
			status, answer := anthropicapi.Messages{}.Error(elumenta.AsError(err), "req_x")
			if status != http.StatusBadRequest || !json.Valid(answer) || !utf8.Valid(answer) || len(answer) > 100<<10 {
				t.Fatalf("status %d, %.300q", status, answer)
			}
			return
		}
		clear(own) // the request must not share it
		if !json.Valid(body) || len(in.Turns) == 0 || in.Model == "" && in.Assistant.ID == "" || in.Settings.MaxTokens == nil || len(in.Warnings) > 100 {
			t.Fatalf("incomplete request: %+v", in)
		}
		for _, turn := range in.Turns {
			for _, p := range turn.Parts {
				checkPart(t, p)
			}
		}
		for _, tool := range in.Tools {
			if !json.Valid(tool.Parameters) {
				t.Fatal("a schema that is no JSON")
			}
		}
	})
}

// checkPart holds for every part that is taken.
func checkPart(t *testing.T, p elumenta.Part) {
	t.Helper()
	ok := false
	switch p.Kind {
	case elumenta.PartText:
		ok = p.Text != "" && utf8.ValidString(string(p.Text)) && !strings.Contains(string(p.Text), "\x00")
	case elumenta.PartImage:
		ok = (p.Image.Data == "") != (p.Image.URL == "")
	case elumenta.PartToolCall:
		ok = p.ToolCall.ID != "" && p.ToolCall.Name != "" && json.Valid([]byte(p.ToolCall.Arguments)) && p.ToolCall.Arguments[0] == '{'
	case elumenta.PartToolResult:
		ok = p.ToolResult.CallID != "" && p.ToolResult.Name != ""
		for _, c := range p.ToolResult.Content {
			checkPart(t, c)
		}
	case elumenta.PartReasoning:
		ok = json.Valid([]byte(p.Opaque.Data))
	}
	if !ok {
		t.Fatalf("a part that no provider takes: %+v", p)
	}
}
