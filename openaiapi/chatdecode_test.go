package openaiapi_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/openaiapi"
)

// chat is a request with one message and what else a test asks for.
func chat(members string) string {
	if members != "" {
		members = "," + members
	}
	return `{"model":"m","messages":[{"role":"user","content":"Hi"}]` + members + `}`
}

// said is a request with these messages.
func said(messages string) string { return `{"model":"m","messages":[` + messages + `]}` }

const callsWeather = `{"role":"user","content":"Hi"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{}"}}]}`

// What is refused, with the field and the code that OpenAI's clients get.
func TestChatRefuses(t *testing.T) {
	for body, want := range map[string]string{
		`{"messages":[{"role":"user","content":"Hi"}]}`: "missing_required_parameter model",
		`{"model":"m"}`:                 "missing_required_parameter messages",
		`{"model":"m","messages":"Hi"}`: "invalid_type messages",
		`{"model":7}`:                   "invalid_type model",
		`{"model":"m","messages":[{"role":"user","content":"Hi"},{"role":7}]}`: "invalid_type messages[1].role",

		chat(`"n":2`):                                     "unsupported_value n",
		chat(`"logprobs":true`):                           "unsupported_value logprobs",
		chat(`"top_logprobs":3`):                          "unsupported_value top_logprobs",
		chat(`"logit_bias":{"50256":-100}`):               "unsupported_value logit_bias",
		chat(`"store":true`):                              "unsupported_value store",
		chat(`"modalities":["text","audio"]`):             "unsupported_value modalities",
		chat(`"audio":{"voice":"alloy"}`):                 "unsupported_parameter audio",
		chat(`"functions":[]`):                            "unsupported_parameter functions",
		chat(`"function_call":"auto"`):                    "unsupported_parameter function_call",
		chat(`"web_search_options":{}`):                   "unsupported_parameter web_search_options",
		chat(`"stream_options":{"include_usage":true}`):   "invalid_value stream_options",
		chat(`"temperature":2.5`):                         "invalid_value temperature",
		chat(`"temperature":"hot"`):                       "invalid_type temperature",
		chat(`"top_p":-1`):                                "invalid_value top_p",
		chat(`"max_tokens":0`):                            "invalid_value max_tokens",
		chat(`"max_tokens":1.5`):                          "invalid_type max_tokens",
		chat(`"max_completion_tokens":0`):                 "invalid_value max_completion_tokens",
		chat(`"max_tokens":1,"max_completion_tokens":1`):  "invalid_value max_tokens",
		chat(`"stop":["a","b","c","d","e"]`):              "array_above_max_length stop",
		chat(`"stop":["a",""]`):                           "missing_required_parameter stop[1]",
		chat(`"stop":7`):                                  "invalid_type stop",
		chat(`"user":"` + strings.Repeat("a", 129) + `"`): "invalid_value user",
		chat(`"safety_identifier":"a\u0000"`):             "invalid_value safety_identifier",
		chat(`"variables":{"a":7}`):                       "invalid_type variables.a",
		chat(`"variables":{"a":"\u0000"}`):                "invalid_value variables.a",
		chat(`"response_format":{"type":"xml"}`):          "invalid_value response_format.type",
		chat(`"response_format":{"type":"json_schema"}`):  "missing_required_parameter response_format.json_schema.name",
		chat(`"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":[]}}`): "invalid_type response_format.json_schema.schema",

		chat(`"tools":[{"type":"custom","custom":{"name":"a"}}]`):                                                 "invalid_value tools[0].type",
		chat(`"tools":[{"type":"function"}]`):                                                                     "missing_required_parameter tools[0].function",
		chat(`"tools":[{"type":"function","function":{}}]`):                                                       "missing_required_parameter tools[0].function.name",
		chat(`"tools":[{"type":"function","function":{"name":"a b"}}]`):                                           "invalid_value tools[0].function.name",
		chat(`"tools":[{"type":"function","function":{"name":"a","parameters":"{}"}}]`):                           "invalid_type tools[0].function.parameters",
		chat(`"tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"a"}}]`): "invalid_value tools[1]",
		chat(`"tools":[` + strings.Repeat(`{},`, 128) + `{}]`):                                                    "array_above_max_length tools",
		chat(`"tool_choice":"required"`):                                                                          "invalid_value tool_choice",
		chat(`"tool_choice":"some"`):                                                                              "invalid_value tool_choice",
		chat(`"tool_choice":7`):                                                                                   "invalid_type tool_choice",
		chat(`"tool_choice":{"type":"function","function":{"name":"a"}}`):                                         "invalid_value tool_choice",
		chat(`"tool_choice":{"type":"allowed_tools"}`):                                                            "unsupported_value tool_choice",
		chat(`"tool_choice":{"type":"custom"}`):                                                                   "invalid_value tool_choice.type",

		said(`{"content":"Hi"}`):                   "missing_required_parameter messages[0].role",
		said(`{"role":"pirate","content":"Hi"}`):   "invalid_value messages[0].role",
		said(`{"role":"function","content":"Hi"}`): "unsupported_value messages[0].role",
		said(`{"role":"user"}`):                    "missing_required_parameter messages[0].content",
		said(`{"role":"system"}`):                  "missing_required_parameter messages[0].content",
		said(`{"role":"user","content":""}`):       "invalid_value messages",
		said(`{"role":"user","content":[]}`):       "invalid_value messages",
		said(`{"role":"user","content":"Hi"},{"role":"assistant","content":"Ho"},{"role":"user","content":""}`): "invalid_value messages[2].content",
		said(`{"role":"user","content":{}}`):                                                                    "invalid_type messages[0].content",
		said(`{"role":"user","content":"a\u0000b"}`):                                                            "invalid_value messages[0].content",
		said(`{"role":"user","content":[{"text":"Hi"}]}`):                                                       "missing_required_parameter messages[0].content[0].type",
		said(`{"role":"user","content":[{"type":"text","text":7}]}`):                                            "invalid_type messages[0].content[0].text",
		said(`{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}`):                         "invalid_value messages[0].content[0].type",
		said(`{"role":"user","content":[{"type":"input_audio"}]}`):                                              "invalid_value messages[0].content[0].type",
		said(`{"role":"user","content":[{"type":"image_url"}]}`):                                                "missing_required_parameter messages[0].content[0].image_url.url",
		said(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"file-1"}}]}`):                   "invalid_value messages[0].content[0].image_url.url",
		said(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://10.0.0.1/a.png"}}]}`):   "invalid_value messages[0].content[0].image_url.url",
		said(`{"role":"system","content":[{"type":"image_url","image_url":{"url":"https://example.com/a"}}]}`):  "invalid_value messages[0].content[0].type",
		said(`{"role":"user","content":"Hi","tool_calls":[{"id":"a"}]}`):                                        "invalid_value messages[0]",
		said(`{"role":"user","content":"Hi"},{"role":"assistant","function_call":{"name":"a","arguments":""}}`): "unsupported_parameter messages[1].function_call",
		said(`{"role":"user","content":"Hi"},{"role":"assistant","audio":{"id":"a"}}`):                          "unsupported_parameter messages[1].audio",
		said(`{"role":"user","content":"Hi"},{"role":"assistant","tool_calls":[{"id":"a"}]}`):                   "missing_required_parameter messages[1].tool_calls[0].type",
		said(`{"role":"user","content":"Hi"},{"role":"assistant","tool_calls":[{"id":"a","type":"custom"}]}`):   "invalid_value messages[1].tool_calls[0].type",
		said(`{"role":"tool","tool_call_id":"c1","content":"20"}`):                                              "invalid_value messages[0].tool_call_id",
		said(callsWeather): "invalid_value messages[1].tool_calls",
		said(callsWeather + `,{"role":"user","content":"And?"}`):                                         "invalid_value messages[1].tool_calls",
		said(callsWeather + `,{"role":"tool","content":"20"}`):                                           "missing_required_parameter messages[2].tool_call_id",
		said(callsWeather + `,{"role":"tool","tool_call_id":"c2","content":""}`):                         "invalid_value messages[2].tool_call_id",
		said(callsWeather + `,{"role":"tool","tool_call_id":"c1"}`):                                      "missing_required_parameter messages[2].content",
		said(callsWeather + strings.Repeat(`,{"role":"tool","tool_call_id":"c1","content":"20"}`, 2)):    "invalid_value messages[3].tool_call_id",
		said(strings.Repeat(`{"role":"user","content":"Hi"},`, 2000) + `{"role":"user","content":"Hi"}`): "array_above_max_length messages",
	} {
		_, err := openaiapi.Chat{}.Decode([]byte(body))
		status, code, param := answered(t, err)
		if got := code + " " + param; got != want || status != 400 {
			t.Errorf("%.300s: %d %s, want %s", body, status, got, want)
		}
	}
}

// answered is the status, the code and the param of what an error is answered with.
func answered(t *testing.T, err error) (status int, code, param string) {
	t.Helper()
	status, _, code, param = answer(t, err)
	return status, code, param
}

// wording is what an error is answered with, on one line.
func wording(t *testing.T, err error) string {
	t.Helper()
	status, kind, code, param := answer(t, err)
	return strings.Join(strings.Fields(strings.Join([]string{strconv.Itoa(status), kind, code, param}, " ")), " ")
}

func answer(t *testing.T, err error) (status int, kind, code, param string) {
	t.Helper()
	e, ok := errors.AsType[*elumenta.Error](err)
	if !ok {
		t.Fatalf("not one of ours: %v", err)
	}
	status, body := openaiapi.Chat{}.Error(e, "req_1")
	var v struct {
		Error struct{ Message, Type, Param, Code *string }
	}
	if err := json.Unmarshal(body, &v); err != nil || v.Error.Message == nil || v.Error.Type == nil {
		t.Fatalf("%v: %s", err, body)
	}
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	return status, *v.Error.Type, text(v.Error.Code), text(v.Error.Param)
}

// TestWrongTypesHideNothing: members of the wrong type are told with all else that is wrong, and once each.
func TestWrongTypesHideNothing(t *testing.T) {
	for _, c := range []struct {
		surface    elumenta.Surface
		body, want string
	}{
		{openaiapi.Chat{}, `{"model":"m","messages":[{"role":"user","content":"Hi"}],"temperature":"hot","top_p":9,"stop":5,"n":2}`, "temperature stop top_p n"},
		{openaiapi.Chat{}, `{"model":"m","messages":"x","temperature":9}`, "messages temperature"},
		{openaiapi.Responses{}, `{"model":"m","input":3,"temperature":"hot","max_output_tokens":0,"store":true}`, "input temperature max_output_tokens store"},
		{openaiapi.Responses{}, `{"model":"m","input":[{"role":"user","content":1}],"top_p":9}`, "input[0].content top_p"},
		{openaiapi.Chat{}, `{"model":7,"messages":3,"variables":4}`, "model messages variables"},
	} {
		_, err := c.surface.Decode([]byte(c.body))
		e, ok := errors.AsType[*elumenta.Error](err)
		if !ok {
			t.Fatalf("%s: %v", c.body, err)
		}
		fields, _ := e.Details["fields"].([]elumenta.FieldError)
		var got []string
		for _, f := range fields {
			got = append(got, f.Field)
		}
		want := strings.Fields(c.want)
		if len(got) > 0 && got[0] != want[0] {
			t.Errorf("%s: the first is %s", c.body, got[0])
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", c.body, got, want)
		}
		if i := slices.IndexFunc(fields, func(f elumenta.FieldError) bool { return strings.HasPrefix(f.Field, "input") }); i >= 0 && fields[i].Reason != "must be a string or a list" {
			t.Errorf("input %s", fields[i].Reason)
		}
	}
}

// What is no JSON object says so, and never quotes the body.
func TestChatRefusesBrokenJSON(t *testing.T) {
	for _, body := range []string{"", "null", "[]", `"canary"`, `{"canary"`, `{"model":"canary"}}`, `{"canary":1,"canary":2}`, "{\"model\":\"canary\xff\"}", strings.Repeat(`{"canary":`, 20_000)} {
		_, err := openaiapi.Chat{}.Decode([]byte(body))
		if status, _, _ := answered(t, err); status != 400 || !elumenta.HasCode(err, elumenta.CodeBadRequest) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%.40q: %v", body, err)
		}
	}
}

// What is left out is named; what asks for nothing is not.
func TestChatLeavesOut(t *testing.T) {
	for body, want := range map[string][]string{
		chat(`"n":1,"logprobs":false,"top_logprobs":0,"logit_bias":{},"store":false,"modalities":["text"],"frequency_penalty":0.0,"metadata":{},"service_tier":"auto"`): nil,
		chat(`"n":null,"audio":null,"functions":null,"tools":null,"tool_choice":null,"stop":null,"stream":null,"temperature":null,"seed":null,"new":null`):              nil,
		chat(`"seed":1,"frequency_penalty":0.5,"presence_penalty":-1,"verbosity":"low"`): {
			"unsupported_setting seed", "unsupported_setting frequency_penalty", "unsupported_setting presence_penalty", "unsupported_setting verbosity",
		},
		chat(`"metadata":{"a":"b"},"service_tier":"flex","prompt_cache_key":"k","prompt_cache_retention":"24h","prediction":{"type":"content","content":"x"}`): {
			"unsupported_setting metadata", "unsupported_setting service_tier", "unsupported_setting prompt_cache_key", "unsupported_setting prompt_cache_retention", "unsupported_setting prediction",
		},
		chat(`"user":"a","safety_identifier":"b"`):                                    {"unsupported_setting user"},
		chat(`"user":"a","safety_identifier":"a"`):                                    nil,
		chat(`"stream":true,"stream_options":{"include_obfuscation":true,"new":1}`):   {"unsupported_setting stream_options.include_obfuscation", "unknown_field stream_options.new"},
		chat(`"tools":[{"type":"function","new":1,"function":{"name":"a","new":1}}]`): {"unknown_field tools[0].new", "unknown_field tools[0].function.new"},
		said(`{"role":"user","content":"Hi"},{"role":"assistant","content":"{}","parsed":{},"new":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"a","arguments":"{}","parsed_arguments":{}}}]},{"role":"tool","tool_call_id":"c1","content":"x"}`): nil,
		chat(`"a\u0000\nb":1`): {"unknown_field a\uFFFD\uFFFDb"},
		said(`{"role":"user","content":"Hi","name":"Ann"},{"role":"assistant","content":"","name":"Bob","annotations":[],"new":1},{"role":"user","content":"Hi","name":"Ann"}`): {
			"unsupported_setting messages[0].name", "unknown_field messages[1].new", "unsupported_setting messages[1]",
		},
		said(`{"role":"system","content":"Greet me."}`):                                                                   nil,
		said(`{"role":"system","content":"Greet me."},{"role":"user","content":""}`):                                      {"unsupported_setting messages[1]"},
		said(`{"role":"user","content":[]},{"role":"assistant","content":"Ho"},{"role":"user","content":"Hi"}`):           {"unsupported_setting messages[0]"},
		said(`{"role":"user","content":"Hi"},{"role":"system","content":"Be kind."}`):                                     {"system_message_moved messages[1]"},
		said(`{"role":"system","content":""},{"role":"user","content":[{"type":"text","text":"Hi","cache_control":{}}]}`): {"unknown_field messages[1].content[0].cache_control"},
		chat(strings.TrimSuffix(strings.Repeat(`"x":1,`, 1), ",")):                                                        {"unknown_field x"},
	} {
		req, err := openaiapi.Chat{}.Decode([]byte(body))
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		var got []string
		for _, w := range req.Warnings {
			got = append(got, w.Code+" "+w.Field)
			if w.Message == "" {
				t.Errorf("%s has no message", w.Field)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%q, want\n%q", body, got, want)
		}
	}
}

// What reaches the pipeline, where the official client does not send it as others do.
func TestChatDecodes(t *testing.T) {
	id := elumenta.NewAssistantID()
	body := []byte(`{"model":"` + string(id) + `@3","stream":true,"user":"u","stop":"END","max_tokens":5,
		"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object"}}}],"tool_choice":{"type":"function","function":{"name":"weather"}},
		"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
			{"role":"assistant","content":[{"type":"refusal","refusal":"No."}]},{"role":"user","content":"Hi"},
			{"role":"assistant","content":"","refusal":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":""}}]},
			{"role":"tool","tool_call_id":"c1","content":""},{"role":"user","content":"Well?"}]}`)
	req, err := openaiapi.Chat{}.Decode(body)
	if err != nil {
		t.Fatal(err)
	}
	clear(body) // it is used again
	if req.Assistant.ID != id || req.Assistant.Version != 3 || req.Model != "" || !req.Stream || req.EndUser != "u" || req.Settings.Stop[0] != "END" || *req.Settings.MaxTokens != 5 {
		t.Errorf("%+v", req)
	}
	if req.ToolChoice.Mode != elumenta.ToolNamed || req.ToolChoice.Name != "weather" || string(req.Tools[0].Parameters) != `{"type":"object"}` {
		t.Errorf("%+v %s", req.ToolChoice, req.Tools[0].Parameters)
	}
	if got := texts(req.Turns[0].Parts); !slices.Equal(got, []string{"a", "b"}) {
		t.Error(got)
	}
	if p := req.Turns[1].Parts[0]; p.Kind != elumenta.PartRefusal || p.Text != "No." {
		t.Errorf("%+v", p)
	}
	if p := req.Turns[3].Parts; len(p) != 1 || p[0].ToolCall.ID != "c1" {
		t.Errorf("%+v", p)
	}
	if p := req.Turns[4].Parts; len(req.Turns) != 6 || p[0].ToolResult.Name != "weather" || len(p[0].ToolResult.Content) != 0 {
		t.Errorf("%+v", p)
	}
}

func FuzzChat(f *testing.F) {
	f.Add([]byte(chat(`"tools":[{"type":"function","function":{"name":"a","parameters":{}}}],"tool_choice":"auto","stop":["a"],"variables":{"a":"b"}`)))
	f.Add([]byte(said(callsWeather + `,{"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"20"}]}`)))
	f.Add([]byte(chat(`"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{}}},"stream":true,"stream_options":{"include_usage":true}`)))
	f.Add([]byte(said(`{"role":"assistant","content":"a","reasoning_content":"t","reasoning_details":[{"type":"reasoning.text","text":"t","signature":"elumenta1.eyJmIjoiZ2VtaW5pIiwiZCI6ImMybG5NZz09IiwicCI6MywiYyI6ImcyIn0"}],"tool_calls":[{"id":"g2","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"s"}}}]},{"role":"tool","tool_call_id":"g2","content":"x"}`)))
	f.Add([]byte(said(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.com/a.png","detail":"low"}}]}`)))
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := openaiapi.Chat{}.Decode(body)
		if err != nil {
			if status, _, _ := answered(t, err); status != 400 {
				t.Errorf("%d: %v", status, err)
			}
			return
		}
		if req.Model == "" && req.Assistant.ID == "" || len(req.Turns) == 0 || len(req.Turns) > elumenta.MaxMessages || req.Encoder == nil || len(req.Warnings) > 100 {
			t.Errorf("%+v", req)
		}
		for _, turn := range req.Turns {
			if len(turn.Parts) == 0 {
				t.Error("a turn that says nothing")
			}
		}
	})
}
