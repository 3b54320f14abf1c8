package openaiapi_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/openaiapi"
)

// What a conversation of items becomes, and what is said of what is left out.
func TestResponsesInput(t *testing.T) {
	for name, c := range map[string]struct {
		body   string
		told   string
		system string
		warned string
	}{
		"easy messages": {
			`"input":[{"role":"system","content":"S"},{"role":"user","content":"Hi"},{"role":"assistant","content":"Oi"},{"role":"assistant","content":"?"},{"type":"message","role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_text","text":""},{"type":"input_text","text":"b"}]}]`,
			"user: Hi\nassistant: Oi\nassistant: ?\nuser: a b\n", "S", "",
		},
		"what was answered before": {
			`"instructions":"I","input":[{"role":"user","content":"Hi"},{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Oi","annotations":[],"logprobs":[]},{"type":"refusal","refusal":"no"}]},{"role":"developer","content":"D"}]`,
			"user: Hi\nassistant: Oi refusal no\n", "I|D", "input[2]",
		},
		"functions": {
			`"input":[{"role":"user","content":"Hi"},{"type":"function_call","call_id":"a","name":"f","arguments":""},{"type":"function_call_output","call_id":"a","output":[{"type":"input_text","text":"one"},{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo="}]},{"role":"user","content":"So?"}]`,
			"user: Hi\nassistant: call a f \nuser: result a f one \nuser: So?\n", "", "",
		},
		"reasoning of others, and what is new": {
			`"novel":1,"include":["novel"],"reasoning":{"effort":"low"},"service_tier":"flex","max_tool_calls":3,"stream_options":{"include_obfuscation":true},"input":[{"role":"user","content":"Hi","phase":"x"},{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"gAAA"},{"type":"reasoning","id":"rs_2","summary":[]}]`,
			"user: Hi\nassistant: hm\n", "", "novel service_tier max_tool_calls stream_options include[0] input[0].phase input[2]",
		},
		"a system message alone": {
			`"input":[{"role":"developer","content":"Greet me."},{"role":"user","content":""}]`,
			"user: Follow the instructions.\n", "Greet me.", "input[1]",
		},
		"instructions, and nothing said": {
			`"instructions":"Greet me.","input":[{"role":"user","content":""},{"role":"assistant","content":[]}]`,
			"user: Follow the instructions.\n", "Greet me.", "input[0] input[1]",
		},
		"instructions alone": {`"instructions":"Greet me."`, "user: Follow the instructions.\n", "Greet me.", ""},
		"ids that begin anew with each turn": {
			`"input":[{"role":"user","content":"Hi"},{"type":"function_call","call_id":"a","name":"f","arguments":"1"},{"type":"function_call_output","call_id":"a","output":"one"},{"type":"function_call","call_id":"a","name":"g","arguments":"2"},{"type":"function_call_output","call_id":"a","output":"two"}]`,
			"user: Hi\nassistant: call a f 1\nuser: result a f one\nassistant: call a g 2\nuser: result a g two\n", "", "",
		},
		"arguments that were cut off": {
			`"input":[{"role":"user","content":"Hi"},{"type":"function_call","call_id":"a","name":"f","arguments":"{\"x\": \"ab"},{"type":"function_call_output","call_id":"a","output":"cut off"}]`,
			"user: Hi\nassistant: call a f {\"x\": \"ab\nuser: result a f cut off\n", "", "",
		},
		"what a client adds to an answer": {
			`"input":[{"role":"user","content":"Hi"},{"type":"message","role":"assistant","phase":null,"content":[{"type":"output_text","text":"{}","annotations":[],"parsed":{}}]},{"type":"function_call","call_id":"a","name":"f","arguments":"{}","namespace":null,"parsed_arguments":{}},{"type":"function_call_output","call_id":"a","output":"x"}]`,
			"user: Hi\nassistant: {} call a f {}\nuser: result a f x\n", "", "",
		},
		"what asks for nothing": {
			`"store":null,"background":false,"previous_response_id":null,"conversation":null,"truncation":"disabled","top_logprobs":0,"service_tier":"auto","include":[],"reasoning":{"effort":null},"text":{"format":{"type":"text"},"verbosity":"medium"},"metadata":null,"novel":null,"tools":[],"tool_choice":"none","stream_options":{"include_obfuscation":false},"input":"Hi"`,
			"user: Hi\n", "", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := openaiapi.Responses{}.Decode([]byte(`{"model":"m",` + c.body + `}`))
			if err != nil {
				t.Fatal(err)
			}
			if got := told(&elumenta.Prompt{Turns: req.Turns}); got != c.told {
				t.Errorf("told:\n%s\nwant:\n%s", got, c.told)
			}
			var system []string
			for _, text := range req.System {
				system = append(system, string(text))
			}
			if got := strings.Join(system, "|"); got != c.system {
				t.Errorf("the system's text is %q; want %q", got, c.system)
			}
			if got := (own{Warnings: req.Warnings}).warned(); got != c.warned {
				t.Errorf("warned of %q; want %q", got, c.warned)
			}
		})
	}
}

// Tools are narrowed to those that a choice allows.
func TestResponsesToolChoice(t *testing.T) {
	const tools = `"model":"m","input":"Hi","tools":[{"type":"function","name":"a","parameters":null},{"type":"function","name":"b","parameters":{"type":"object"},"strict":true}]`
	for choice, want := range map[string]elumenta.ToolChoice{
		`"auto"`:                         {Mode: elumenta.ToolAuto},
		`"none"`:                         {Mode: elumenta.ToolNone},
		`"required"`:                     {Mode: elumenta.ToolAny},
		`{"type":"function","name":"b"}`: {Mode: elumenta.ToolNamed, Name: "b"},
		`{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"b"}]}`: {Mode: elumenta.ToolAny},
	} {
		req, err := openaiapi.Responses{}.Decode([]byte(`{` + tools + `,"tool_choice":` + choice + `}`))
		if err != nil {
			t.Fatalf("%s: %v", choice, err)
		}
		if req.ToolChoice != want {
			t.Errorf("%s: %+v", choice, req.ToolChoice)
		}
		if n := len(req.Tools); n != 2 && !strings.Contains(choice, "allowed") || n != 1 && strings.Contains(choice, "allowed") || !req.Tools[n-1].Strict {
			t.Errorf("%s: %d tools", choice, n)
		}
	}
}

// A prompt's version is a number or a label.
func TestResponsesPromptVersions(t *testing.T) {
	const id = "asst_01h455vb4pex5vsknk084sn02q"
	for prompt, want := range map[string]elumenta.AssistantRef{
		`{"id":"` + id + `"}`:                        {ID: id},
		`{"id":"` + id + `","version":null}`:         {ID: id},
		`{"id":"` + id + `","version":"3"}`:          {ID: id, Version: 3},
		`{"id":"` + id + `@3"}`:                      {ID: id, Version: 3},
		`{"id":"` + id + `","version":"production"}`: {ID: id, Label: "production"},
	} {
		req, err := openaiapi.Responses{}.Decode([]byte(`{"prompt":` + prompt + `}`))
		if err != nil || req.Assistant != want || req.Model != "" {
			t.Errorf("%s: %+v, %v", prompt, req, err)
		}
	}
}

// Everything that is wrong is named by its field.
func TestResponsesRefuses(t *testing.T) {
	const id = "asst_01h455vb4pex5vsknk084sn02q"
	for body, field := range map[string]string{
		``:                               "",
		`[]`:                             "",
		`{"model":"m","model":"m"}`:      "",
		`{"model":"m","input":"Hi"`:      "",
		`{"input":"Hi"}`:                 "model",
		`{"model":7,"input":"Hi"}`:       "model",
		`{"model":"m","input":7}`:        "input",
		`{"model":"m","input":[]}`:       "input",
		`{"model":"m","input":""}`:       "input",
		`{"model":"m","input":"\u0000"}`: "input",
		`{"model":"m","input":[7]}`:      "input[0]",
		`{"model":"m","input":[{}]}`:     "input[0].type",
		`{"model":"m","input":[{"role":"tool","content":"x"}]}`: "input[0].role",
		`{"model":"m","input":[{"role":"user"}]}`:               "input[0].content",
		`{"model":"m","input":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Ho"},{"role":"user","content":""}]}`:  "input[2].content",
		`{"model":"m","input":[{"role":"user","content":[]}]}`:                                                                     "input",
		`{"model":"m","input":[{"role":"user","content":[{"type":"input_file","file_id":"f"}]}]}`:                                  "input[0].content[0].type",
		`{"model":"m","input":[{"role":"user","content":[{"type":"input_image","file_id":"f"}]}]}`:                                 "input[0].content[0].file_id",
		`{"model":"m","input":[{"role":"user","content":[{"type":"input_image","image_url":"http://x.example/a.png"}]}]}`:          "input[0].content[0].image_url",
		`{"model":"m","input":[{"role":"user","content":[{"type":"input_image","image_url":{"url":"https://x.example/a.png"}}]}]}`: "input[0].content[0].image_url",
		`{"model":"m","input":[{"role":"user","content":[{"type":"output_text","text":"x"}]}]}`:                                    "input[0].content[0].type",
		`{"model":"m","input":[{"type":"item_reference","id":"msg_1"}]}`:                                                           "input[0]",
		`{"model":"m","input":[{"type":"web_search_call","id":"ws_1"}]}`:                                                           "input[0].type",
		`{"model":"m","input":[{"type":"function_call_output","call_id":"a","output":"x"}]}`:                                       "input[0].call_id",
		`{"model":"m","input":[{"type":"function_call","call_id":"a","name":"f","arguments":"{}"}]}`:                               "input[0]",
		`{"model":"m","input":"Hi","temperature":3}`:                                                                               "temperature",
		`{"model":"m","input":"Hi","top_p":2}`:                                                                                     "top_p",
		`{"model":"m","input":"Hi","max_output_tokens":0}`:                                                                         "max_output_tokens",
		`{"model":"m","input":"Hi","truncation":"auto"}`:                                                                           "truncation",
		`{"model":"m","input":"Hi","conversation":"conv_1"}`:                                                                       "conversation",
		`{"model":"m","input":"Hi","top_logprobs":2}`:                                                                              "top_logprobs",
		`{"model":"m","input":"Hi","include":["message.output_text.logprobs"]}`:                                                    "include[0]",
		`{"model":"m","input":"Hi","text":{"format":{"type":"grammar"}}}`:                                                          "text.format.type",
		`{"model":"m","input":"Hi","text":{"format":{"type":"json_schema","schema":{}}}}`:                                          "text.format.name",
		`{"model":"m","input":"Hi","text":{"format":{"type":"json_schema","name":"n"}}}`:                                           "text.format.schema",
		`{"model":"m","input":"Hi","tools":[{"type":"mcp"}]}`:                                                                      "tools[0].type",
		`{"model":"m","input":"Hi","tools":[{"type":"function","name":"a b"}]}`:                                                    "tools[0].name",
		`{"model":"m","input":"Hi","tool_choice":"required"}`:                                                                      "tool_choice",
		`{"model":"m","input":"Hi","tool_choice":{"type":"function","name":"a"}}`:                                                  "tool_choice",
		`{"model":"m","input":"Hi","tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"a"}]}}`: "tool_choice.tools[0].name",
		`{"model":"m","input":"Hi","metadata":{"a":7}}`:                                                                            "metadata.a",
		`{"model":"m","input":"Hi","metadata":{"":"x"}}`:                                                                           "metadata",
		`{"model":"m","input":"Hi","user":"` + strings.Repeat("u", 200) + `"}`:                                                     "user",
		`{"prompt":{"version":"1"},"input":"Hi"}`:                                                                                  "prompt.id",
		`{"prompt":{"id":"x"},"input":"Hi"}`:                                                                                       "prompt.id",
		`{"prompt":{"id":"` + id + `","version":"0"},"input":"Hi"}`:                                                                "prompt.version",
		`{"prompt":{"id":"` + id + `@2","version":"1"},"input":"Hi"}`:                                                              "prompt.version",
		`{"prompt":{"id":"` + id + `","variables":{"a":{"type":"input_image","image_url":"https://x.example/a.png"}}}}`:            "prompt.variables.a",
		`{"model":"` + id + `","prompt":{"id":"` + id + `"},"input":"Hi"}`:                                                         "model",
	} {
		_, err := openaiapi.Responses{}.Decode([]byte(body))
		e, ok := errors.AsType[*elumenta.Error](err)
		if !ok {
			t.Errorf("%s: %v", body, err)
			continue
		}
		fields, _ := e.Details["fields"].([]elumenta.FieldError)
		switch {
		case field == "":
			if e.Code != elumenta.CodeBadRequest {
				t.Errorf("%s: %v", body, err)
			}
		case e.Code != elumenta.CodeValidation || len(fields) == 0 || fields[0].Field != field:
			t.Errorf("%s: %v; want it to name %s", body, err, field)
		}
	}
}

func FuzzResponsesDecode(f *testing.F) {
	for _, seed := range []string{
		`{"model":"m","input":"Hi","tools":[{"type":"function","name":"a","parameters":{}}],"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[]}}`,
		`{"prompt":{"id":"asst_01h455vb4pex5vsknk084sn02q","version":"3","variables":{"a":"b","c":{"type":"input_text","text":"d"}}},"stream":true}`,
		`{"model":"m","input":[{"role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo="}]},{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":"x"}],"text":{"format":{"type":"json_schema","name":"n","schema":{}}}}`,
		`{"model":"m","reasoning":{"effort":"low","summary":"auto"},"input":[{"role":"user","content":"Hi"},{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"t"}],"encrypted_content":"gAAA"},{"type":"function_call","call_id":"g2","name":"f","arguments":"{}"},{"type":"reasoning","summary":[],"encrypted_content":"elumenta1.eyJmIjoiZ2VtaW5pIiwiZCI6ImMybG5NZz09IiwicCI6MywiYyI6ImcyIn0"},{"type":"function_call_output","call_id":"g2","output":"x"}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := openaiapi.Responses{}.Decode(body)
		if err != nil {
			e, ok := errors.AsType[*elumenta.Error](err)
			if !ok || e.Code != elumenta.CodeBadRequest && e.Code != elumenta.CodeValidation {
				t.Fatalf("failed with %v", err)
			}
			if status, _ := (openaiapi.Responses{}).Error(e, "req_1"); status != 400 {
				t.Fatalf("status %d of %v", status, err)
			}
			return
		}
		if len(req.Turns) == 0 || req.Encoder == nil || req.Model == "" && req.Assistant.ID == "" {
			t.Fatalf("decoded %+v", req)
		}
		r := elumenta.Result{Started: elumenta.Started{ID: elumenta.NewGenerationID()}}
		out := req.Encoder.Begin(nil, &r.Started)
		out = req.Encoder.Event(out, elumenta.Event{Kind: elumenta.EventText, Text: "a"})
		for event := range strings.SplitSeq(strings.TrimSuffix(string(req.Encoder.End(out, &r)), "\n\n"), "\n\n") {
			name, data, ok := strings.Cut(event, "\ndata: ")
			if !ok || !strings.HasPrefix(name, "event: response.") || !json.Valid([]byte(data)) {
				t.Fatalf("the event %q", event)
			}
		}
	})
}
