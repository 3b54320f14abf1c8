package assistantfile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/assistantfile"
)

func conversion() *assistantfile.Conversion {
	return &assistantfile.Conversion{Model: "sandbox", Known: func(slug string) bool { return slug == "sandbox" || slug == "gpt-5" }}
}

const lobeAgent = `{"author": "ada", "homepage": "https://github.com/ada", "identifier": "poet", "createdAt": "2024-01-02", "schemaVersion": 1,
 "meta": {"title": "Poet", "description": "Writes poems", "category": "copywriting", "tags": ["verse", "rhyme"], "avatar": "x"},
 "config": {"systemRole": "Write {{text}}.\r\n", "openingMessage": "Hello", "openingQuestions": ["a"], "model": "gpt-4", "plugins": ["p"], "params": {"temperature": 0.6, "max_tokens": 100}},
 "examples": [{"role": "user", "content": "x"}]}`

func TestReadLobe(t *testing.T) {
	c := conversion()
	c.License = "MIT"
	found, err := c.ReadLobe(folder(map[string]string{"a.json": lobeAgent}), "a.json")
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	f := found[0]
	temperature, tokens := 0.6, 100
	want := elumenta.Fields{
		Name: "Poet", Model: "sandbox", Description: "Writes poems", Category: "writing", Instructions: "Write {{text}}.\r\n", Temperature: &temperature, MaxTokens: &tokens,
		Metadata: map[string]string{"author": "ada", "homepage": "https://github.com/ada", "identifier": "poet", "license": "MIT", "tags": "verse, rhyme", "created_at": "2024-01-02"},
	}
	if diff := cmp.Diff(want, f.Fields); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		"model gpt-4 is sandbox now", "category copywriting is writing now", "{{…}} in the instructions stays plain text: no variable is declared",
		"left out: avatar, examples, openingMessage, openingQuestions, plugins",
	}, f.Notes); diff != "" {
		t.Error(diff)
	}
	if f.Source != "a.json:1" || f.IDKey != "identifier" || f.Visibility != elumenta.Private || f.Skip != "" {
		t.Errorf("%+v", f)
	}
}

func TestForeignIsCutToFit(t *testing.T) {
	c := conversion()
	c.Publish = true
	agent := `{"identifier": "a", "author": "` + strings.Repeat("ü", 600) + `", "meta": {"title": "` + strings.Repeat("名", 120) + `\n", "description": "` + strings.Repeat("d", 600) + `", "category": "magic", "tags": ["` +
		strings.Repeat("t", 300) + `", "` + strings.Repeat("u", 300) + `"]}, "config": {"systemRole": "x"}}`
	empty := `{"identifier": "b", "meta": {"title": "B"}, "config": {"systemRole": ""}}`
	again := strings.Replace(agent, "magic", "life", 1)
	long := `{"identifier": "c", "meta": {"title": "C"}, "config": {"systemRole": "` + strings.Repeat("x", elumenta.MaxInstructions+1) + `"}}`
	private := `{"identifier": "d", "meta": {"title": " ", "category": "life"}, "config": {"systemRole": "x"}}`
	found, err := c.ReadLobe(folder(map[string]string{"a.jsonl": agent + "\n" + empty + "\n" + again + "\n" + long + "\n" + private}), "a.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	f := found[0]
	if utf8.RuneCountInString(f.Name) != 100 || !strings.HasSuffix(f.Name, "名…") || len(f.Description) != 511+len("…") || f.Category != "general" || utf8.RuneCountInString(f.Metadata["author"]) != 512 ||
		f.Metadata["tags"] != strings.Repeat("t", 300) || f.Visibility != elumenta.Marketplace {
		t.Errorf("%+v", f.Fields)
	}
	if diff := cmp.Diff([]string{
		"name cut from 120 to 100 characters", "description cut from 600 to 512 characters", `category "magic" is general now`, "metadata author cut from 600 to 512 characters", "1 of 2 tags kept",
	}, f.Notes); diff != "" {
		t.Error(diff)
	}
	for i, want := range []string{"", "it has no instructions", "it has the same id as a.jsonl:1", "its instructions have 256001 characters, and 256000 is the limit", ""} {
		if found[i].Skip != want {
			t.Errorf("%d: %q, want %q", i, found[i].Skip, want)
		}
	}
	if p := found[4]; p.Visibility != elumenta.Private || p.Name != "d" || !strings.Contains(strings.Join(p.Notes, "\n"), "stays private") {
		t.Errorf("%+v", p)
	}
}

// Whatever an agent or assistant has that has no place here is named, and what means nothing is not.
func TestNothingIsLeftOutSilently(t *testing.T) {
	agent := `{"identifier": "a", "summary": "S", "locale": "en", "knowledgeCount": 0, "tokenUsage": 590, "schemaVersion": 1, "meta": {"title": "A", "category": "life"},
	 "config": {"systemRole": "x", "model": "", "historyCount": 1, "enableHistoryCount": true, "displayMode": "docs", "chatConfig": {"searchMode": "auto"}, "plugins": [], "other": {"a": null},
	 "params": {"temperature": 3, "max_tokens": -1, "top_p": 0.5, "frequency_penalty": 0, "presence_penalty": 0.1}}}`
	found, err := conversion().ReadLobe(folder(map[string]string{"a.json": agent}), "a.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"temperature 3 left out: it must be between 0 and 2", "max_tokens -1 left out: it must be at least 1",
		"left out: chatConfig, displayMode, enableHistoryCount, historyCount, locale, params.presence_penalty, params.top_p, summary",
	}, found[0].Notes); diff != "" {
		t.Error(diff)
	}
	assistant := `{"object": "list", "has_more": true, "last_id": "asst_1", "data": [{"id": "asst_1", "object": "assistant", "created_at": 1, "name": "A", "model": "gpt-5", "instructions": "x", "tools": [], "top_p": 1.0,
	 "file_ids": ["file-1"], "reasoning": {"effort": "low", "summary": null}, "tool_choice": "required", "text": {"verbosity": "low"}, "temperature": 2.5, "response_format": [], "metadata": {"": "v"}}]}`
	c := conversion()
	found, err = c.ReadOpenAI(folder(map[string]string{"a.json": assistant}), "a.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"temperature 2.5 left out: it must be between 0 and 2", "response_format left out: it is not understood", `metadata "" left out: a key has 1 to 64 characters`,
		"left out: file_ids, reasoning, text.verbosity, tool_choice",
	}, found[0].Notes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a.json:1: the list goes on after asst_1 (has_more is true): what follows is not here"}, c.Warnings); diff != "" {
		t.Error(diff)
	}
}

// Names that become the same are told apart, and one that is a variable's name already keeps it.
func TestVariablesOfPrompts(t *testing.T) {
	many := ""
	for i := range elumenta.MaxVariables {
		many += fmt.Sprintf("{{v%d}}", i)
	}
	prompts := `[{"id": "pmpt_1", "name": "A", "model": "gpt-5", "instructions": "{{User}} {{user}} {{USER}} {{n}} {{b}} {{o}} {{l}}",
	  "variables": {"User": "Bob", "n": 5, "b": true, "o": {"type": "input_image"}, "l": "` + strings.Repeat("x", elumenta.MaxVariableValue+1) + `", "gone": "x", "user": null}},
	 {"id": "pmpt_2", "name": "B", "model": "gpt-5", "instructions": "` + many + `{{v0}}{{more}}{{more}}{{V0}}"}]`
	found, err := conversion().ReadOpenAI(folder(map[string]string{"p.json": prompts}), "p.json")
	if err != nil {
		t.Fatal(err)
	}
	bob, five, yes := "Bob", "5", "true"
	want := []elumenta.Variable{
		{Name: "user_2", Default: &bob}, {Name: "user", Required: true}, {Name: "user_3", Required: true}, {Name: "n", Default: &five}, {Name: "b", Default: &yes}, {Name: "o", Required: true}, {Name: "l", Required: true},
	}
	if diff := cmp.Diff(want, found[0].Variables); diff != "" || found[0].Instructions != "{{user_2}} {{user}} {{user_3}} {{n}} {{b}} {{o}} {{l}}" {
		t.Error(diff, found[0].Instructions)
	}
	if diff := cmp.Diff([]string{
		"the default of variable o left out: it is no text", "the default of variable l left out: it has more than 8000 characters",
		"variable USER is user_3 now", "variable User is user_2 now", "variable gone left out: the instructions do not have it",
	}, found[0].Notes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"3 of {{…}} stay plain text: there is room for 32 variables"}, found[1].Notes); diff != "" || string(found[1].Instructions) != many+"{{v0}}{{more}}{{more}}{{V0}}" {
		t.Error(diff, found[1].Instructions)
	}
}

const openAIList = `{"object": "list", "data": [
  {"id": "asst_abc", "object": "assistant", "name": "Math Tutor", "description": null, "model": "gpt-5-2025-08-07", "instructions": "Teach {{topic}}.", "temperature": 0.2, "top_p": 0.5,
   "response_format": "auto", "tools": [{"type": "code_interpreter"}, {"type": "file_search"}, {"type": "function", "function": {"name": "plot"}}], "tool_resources": {"file_search": {"vector_store_ids": ["vs_1"]}}, "metadata": {"team": "a"}},
  {"id": "asst_def", "object": "assistant", "name": null, "model": "gpt-4o", "instructions": null, "tools": []},
  {"id": "asst_ghi", "object": "assistant", "name": "JSON", "model": "gpt-4o", "instructions": "x", "response_format": {"type": "json_schema", "json_schema": {"name": "n", "strict": true, "schema": {"type": "object", "properties": {"b": {}, "a": {}}}}}}
], "first_id": "asst_abc", "has_more": false}`

func TestReadOpenAI(t *testing.T) {
	found, err := conversion().ReadOpenAI(folder(map[string]string{"a.json": openAIList}), "a.json")
	if err != nil || len(found) != 3 {
		t.Fatalf("%v, %v", found, err)
	}
	temperature := 0.2
	if diff := cmp.Diff(elumenta.Fields{
		Name: "Math Tutor", Model: "gpt-5", Instructions: "Teach {{topic}}.", Temperature: &temperature, Metadata: map[string]string{"openai_id": "asst_abc", "team": "a"},
	}, found[0].Fields); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		"model gpt-5-2025-08-07 is gpt-5 now", "{{…}} in the instructions stays plain text: no variable is declared",
		"left out: tool code_interpreter, tool file_search, tool function plot, files of file_search, top_p",
	}, found[0].Notes); diff != "" {
		t.Error(diff)
	}
	if found[0].Source != "a.json:2" || found[1].Source != "a.json:4" || found[1].Skip != "it has no instructions" || found[1].Name != "asst_def" {
		t.Errorf("%+v", found)
	}
	if r := found[2].ResponseFormat; r == nil || string(r.Schema) != `{"type":"object","properties":{"b":{},"a":{}}}` || !r.Strict || r.Name != "n" {
		t.Errorf("%+v", r)
	}
	c := conversion()
	c.Model = ""
	if _, err := c.ReadOpenAI(folder(map[string]string{"a.json": openAIList}), "a.json"); err == nil || !strings.Contains(err.Error(), `a.json:5: model "gpt-4o" is not in this server's catalog: say with --model`) {
		t.Error(err)
	}
}

func TestReadPrompts(t *testing.T) {
	prompts := `[{"id": "pmpt_1", "object": "prompt", "name": "Letter", "model": "gpt-5", "instructions": "To {{customerName}} in {{ city }}, {{tone}}; {{not a name}}.",
	  "variables": {"tone": "kind"}, "max_output_tokens": 50, "text": {"format": {"type": "json_object"}}},
	 {"id": "pmpt_2", "name": "Chat", "model": "gpt-5", "messages": [{"role": "system", "content": "Be brief."}, {"role": "developer", "content": [{"type": "input_text", "text": "Be {{how}}."}]}, {"role": "user", "content": "Hi"}]}]`
	found, err := conversion().ReadOpenAI(folder(map[string]string{"p.json": prompts}), "p.json")
	if err != nil || len(found) != 2 {
		t.Fatalf("%v, %v", found, err)
	}
	kind, tokens := "kind", 50
	if diff := cmp.Diff(elumenta.Fields{
		Name: "Letter", Model: "gpt-5", Instructions: "To {{customername}} in {{city}}, {{tone}}; {{not a name}}.", MaxTokens: &tokens,
		Variables:      []elumenta.Variable{{Name: "customername", Required: true}, {Name: "city", Required: true}, {Name: "tone", Default: &kind}},
		ResponseFormat: &elumenta.ResponseFormat{Type: elumenta.FormatJSONObject}, Metadata: map[string]string{"openai_id": "pmpt_1"},
	}, found[0].Fields); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"variable customerName is customername now"}, found[0].Notes); diff != "" {
		t.Error(diff)
	}
	if found[1].Instructions != "Be brief.\n\nBe {{how}}." || len(found[1].Variables) != 1 || !strings.Contains(strings.Join(found[1].Notes, ""), "messages and parts") {
		t.Errorf("%+v", found[1])
	}
}

func TestForeignProblems(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		path  string
		want  string
	}{
		"missing":     {nil, "a.json", "a.json: cannot be read: file does not exist"},
		"no files":    {map[string]string{"d/x.txt": ""}, "d", "d: has no .json files"},
		"not JSON":    {map[string]string{"a.json": "{\"identifier\": \"a\",\n oops}"}, "a.json", "a.json:2:2: is not JSON"},
		"cut off":     {map[string]string{"a.json": `[{"identifier": "a"`}, "a.json", "is not JSON: unexpected EOF"},
		"Latin-1":     {map[string]string{"a.json": "{\n\"author\": \"caf\xe9\"}"}, "a.json", "a.json:2:15: has the byte 0xE9"},
		"other shape": {map[string]string{"a.json": `{"name": "x"}`}, "a.json", "a.json:1: identifier is required"},
		"not objects": {map[string]string{"a.json": `["a",` + "\n" + `1]`}, "a.json", "a.json:1:2: must be an object\na.json:2:1: must be an object"},
		"wrong types": {map[string]string{"a.json": "\n" + `{"identifier": "a", "meta": {"title": 1}}`}, "a.json", "a.json:2: meta.title must not be a number"},
		"deep":        {map[string]string{"a.json": strings.Repeat("[", 20_000)}, "a.json", "is not JSON: exceeded max depth"},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := conversion().ReadLobe(folder(c.files), c.path)
			if err == nil || found != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestLobeRepository(t *testing.T) {
	found, err := conversion().ReadLobe(folder(map[string]string{
		"src/a.json": lobeAgent, "src/b.json": strings.Replace(lobeAgent, "poet", "bard", 1), "package.json": "{}", "src/.x.json": "{", "locales/a/index.json": "{}",
	}), ".")
	if err != nil || len(found) != 2 || found[1].Source != "src/b.json:1" {
		t.Errorf("%v, %v", found, err)
	}
}

// All 505 agents of the collection are taken.
func TestReadLobeCollection(t *testing.T) {
	dir := os.Getenv("ELUMENTA_FIXTURES")
	if dir == "" {
		dir = "../../shared/fixtures"
	}
	const file = "lobe-assistants.jsonl"
	b, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Skipf("the collection is not here: %v", err)
	}
	c := conversion()
	c.Publish = true
	found, err := c.ReadLobe(fstest.MapFS{file: &fstest.MapFile{Data: b}}, file)
	if err != nil || len(found) != 505 {
		t.Fatalf("%d, %v", len(found), err)
	}
	for _, f := range found {
		if f.Skip != "" || f.Visibility != elumenta.Marketplace || f.Metadata["author"] == "" || f.Metadata["homepage"] == "" {
			t.Errorf("%s: %+v", f.Source, f.Fields)
		}
	}
}

func FuzzForeign(f *testing.F) {
	f.Add([]byte(lobeAgent))
	f.Add([]byte(openAIList))
	f.Add([]byte(`{"id": "pmpt_1", "instructions": "{{a}} {{A}} {{ b-c }}", "messages": [{"role": "system", "content": [{"text": "x"}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		fsys := fstest.MapFS{"a.json": &fstest.MapFile{Data: b}}
		for _, read := range []func() ([]assistantfile.Foreign, error){
			func() ([]assistantfile.Foreign, error) { return conversion().ReadLobe(fsys, "a.json") },
			func() ([]assistantfile.Foreign, error) { return conversion().ReadOpenAI(fsys, "a.json") },
		} {
			found, err := read()
			if err != nil {
				continue
			}
			for _, a := range found {
				if err := a.Check(a.Visibility).Err(); a.Skip == "" && err != nil {
					t.Fatalf("%s: %v", a.Source, err)
				}
			}
		}
	})
}

// TestForeignNames makes names of what was called in several lines, or with what steers a terminal.
func TestForeignNames(t *testing.T) {
	c := conversion()
	agent := `{"identifier": "a", "meta": {"title": "Two\r\nlines\u0001 and\u2028a third\u001b[0m"}, "config": {"systemRole": "Help."}}`
	found, err := c.ReadLobe(folder(map[string]string{"a.json": agent}), "a.json")
	if err != nil || len(found) != 1 {
		t.Fatalf("%d found, %v", len(found), err)
	}
	if got := found[0].Name; got != "Two lines  and a third [0m" {
		t.Errorf("it is called %q", got)
	}
	if errs := found[0].Check(elumenta.Private); len(errs) > 0 {
		t.Errorf("what was made of it: %v", errs)
	}
}
