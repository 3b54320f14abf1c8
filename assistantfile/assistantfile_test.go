package assistantfile_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/assistantfile"
)

var ignoreWhere = cmpopts.IgnoreUnexported(assistantfile.Assistant{}, assistantfile.Version{})

// anyText draws texts that a format could trip over.
func anyText(least, most int) *rapid.Generator[string] {
	special := rapid.SampledFrom([]string{"\n", "\r\n", "\t", " ", "---", "---\n", "\n---\n", ": ", " #", "- ", "'", `"`, `\`, "{{v}}", "&a", "*a", "!t", "%", "@", "|", ">", "中文", "ß", "🙂",
		"\ufeff", "\u2028", "\u0085", "\u200b", "\u202e", "\x01", "\x7f", "null", "true", "yes", "1e3", "0x1f", "~", "[", "]", "{", "}", ",", "<<", "1_000", "2026-01-01", "a"})
	pieces := rapid.SliceOfN(rapid.OneOf(special, rapid.StringN(1, 4, -1)), least, most)
	return rapid.Custom(func(t *rapid.T) string {
		s := strings.ReplaceAll(strings.Join(pieces.Draw(t, "pieces"), ""), "\x00", "0")
		return strings.ToValidUTF8(s, "?")
	})
}

func optionalText(t *rapid.T, most int, label string) string {
	if rapid.Bool().Draw(t, "has "+label) {
		return anyText(1, most).Draw(t, label)
	}
	return ""
}

// anyName is a line that is not of blanks alone.
func anyName() *rapid.Generator[string] {
	line := rapid.Map(anyText(1, 8), strings.NewReplacer("\n", " ", "\r", " ").Replace)
	return line.Filter(func(s string) bool { return strings.TrimSpace(s) != "" })
}

func anyFields(t *rapid.T) elumenta.Fields {
	f := elumenta.Fields{
		Name: anyName().Draw(t, "name"), Model: anyText(1, 2).Draw(t, "model"),
		Instructions: elumenta.Text(anyText(1, 20).Draw(t, "instructions")),
		Description:  optionalText(t, 10, "description"), Category: rapid.SampledFrom(append(elumenta.CategorySlugs(), "")).Draw(t, "category"),
		Copyable: rapid.Bool().Draw(t, "copyable"),
	}
	if rapid.Bool().Draw(t, "settings") {
		temperature, tokens := rapid.Float64Range(0, 2).Draw(t, "temperature"), rapid.IntRange(1, 1<<40).Draw(t, "max_tokens")
		f.Temperature, f.MaxTokens = &temperature, &tokens
		f.ResponseFormat = &elumenta.ResponseFormat{Type: elumenta.FormatJSONObject}
	}
	if rapid.Bool().Draw(t, "schema") {
		f.ResponseFormat = &elumenta.ResponseFormat{Type: elumenta.FormatJSONSchema, Name: "a-b_C", Strict: rapid.Bool().Draw(t, "strict"), Schema: anySchema(t)}
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "variables") {
		v := elumenta.Variable{Name: fmt.Sprintf("v%d_", i), Description: optionalText(t, 5, "about"), Required: rapid.Bool().Draw(t, "required")}
		if !v.Required && rapid.Bool().Draw(t, "has default") {
			s := anyText(0, 5).Draw(t, "default")
			v.Default = &s
		}
		f.Variables = append(f.Variables, v)
	}
	for range rapid.IntRange(0, 3).Draw(t, "pairs") {
		if f.Metadata == nil {
			f.Metadata = map[string]string{}
		}
		f.Metadata[anyText(1, 3).Draw(t, "key")] = anyText(0, 5).Draw(t, "value")
	}
	return f
}

// anySchema is JSON as encoding/json has it, which a file keeps to the letter.
func anySchema(t *rapid.T) json.RawMessage {
	var value func(depth int) any
	value = func(depth int) any {
		kind := rapid.IntRange(0, 6).Draw(t, "kind")
		if depth > 4 && kind > 4 {
			kind = 0
		}
		switch kind {
		case 0:
			return anyText(0, 3).Draw(t, "string")
		case 1:
			return json.Number(rapid.SampledFrom([]string{"0", "-1", "1e3", "0.5", "-0.0", "1E400", "123456789012345678901234567890"}).Draw(t, "number"))
		case 2:
			return rapid.Bool().Draw(t, "bool")
		case 3, 4:
			return nil
		case 5:
			list := []any{}
			for range rapid.IntRange(0, 3).Draw(t, "items") {
				list = append(list, value(depth+1))
			}
			return list
		}
		m := map[string]any{}
		for range rapid.IntRange(0, 3).Draw(t, "members") {
			m[anyText(0, 2).Draw(t, "member")] = value(depth + 1)
		}
		return m
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(map[string]any{"type": "object", "more": value(0)}); err != nil {
		t.Fatal(err)
	}
	return json.RawMessage(strings.NewReplacer(`\u2028`, "\u2028", `\u2029`, "\u2029").Replace(strings.TrimSpace(b.String())))
}

func anyLabels(t *rapid.T) map[string][]elumenta.LabelShare {
	labels := map[string][]elumenta.LabelShare{}
	for range rapid.IntRange(0, 3).Draw(t, "how many labels") {
		split := []elumenta.LabelShare{{Version: 1, Weight: 1}}
		for n := range rapid.IntRange(0, 3).Draw(t, "more versions") {
			split = append(split, elumenta.LabelShare{Version: n + 2, Weight: rapid.IntRange(1, elumenta.MaxWeight).Draw(t, "weight")})
		}
		labels[rapid.StringMatching(`(?:yes|no|null|on|[a-z][a-z0-9-]{0,5})`).Draw(t, "label")] = split
	}
	return labels
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := &assistantfile.Assistant{Visibility: elumenta.Private, Fields: anyFields(t), Note: optionalText(t, 3, "note"), Version: rapid.IntRange(0, 1000).Draw(t, "version")}
		if rapid.Bool().Draw(t, "id") {
			a.ID = elumenta.NewAssistantID()
		}
		if rapid.Bool().Draw(t, "labels") {
			a.Labels = anyLabels(t)
		}
		if a.Category != "" && strings.TrimSpace(a.Description) != "" {
			a.Visibility = elumenta.Marketplace
		}
		if err := a.Check(a.Visibility).Err(); err != nil {
			t.Skip(err) // longer than the server takes
		}
		for _, file := range [][]byte{assistantfile.Format(a), assistantfile.FormatForEdit(a, "a comment\nof two lines")} {
			read, err := assistantfile.Parse("a.md", file)
			if err != nil {
				t.Fatalf("%v\n%s", err, file)
			}
			if diff := cmp.Diff(a, read, ignoreWhere); diff != "" {
				t.Fatalf("%s\n%s", diff, file)
			}
		}
	})
}

func TestVersionIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := elumenta.Version{
			Version: rapid.IntRange(1, 1000).Draw(t, "version"), Note: optionalText(t, 3, "note"), Fields: anyFields(t),
			CreatedAt: time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "created_at")).UTC(),
		}
		v.Public = v.Category != "" && strings.TrimSpace(v.Description) != ""
		if err := v.Check(elumenta.Private).Err(); err != nil {
			t.Skip(err)
		}
		file := assistantfile.FormatVersion(&v)
		read, err := assistantfile.ParseVersion("1.md", file)
		if err != nil {
			t.Fatalf("%v\n%s", err, file)
		}
		if diff := cmp.Diff(v, read.Version); diff != "" {
			t.Fatalf("%s\n%s", diff, file)
		}
	})
}

// The largest assistant that the server takes fits into a file.
func TestLargestAssistant(t *testing.T) {
	a := &assistantfile.Assistant{Visibility: elumenta.Private, Fields: elumenta.Fields{
		Name: strings.Repeat("\U0001d173", elumenta.MaxName), Model: "m", Description: strings.Repeat("🙂", elumenta.MaxDescription),
		Instructions: elumenta.Text(strings.Repeat("🙂", elumenta.MaxInstructions)), Metadata: map[string]string{},
		ResponseFormat: &elumenta.ResponseFormat{
			Type: elumenta.FormatJSONSchema, Name: "n",
			Schema: json.RawMessage(`{"a":` + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + `,"b":"` + strings.Repeat("\u0080", 23_000) + `"}`),
		},
	}}
	for i := range elumenta.MaxVariables {
		value := strings.Repeat("\U000f0000", elumenta.MaxVariableValue) // of what is written as an escape, the longest
		a.Variables = append(a.Variables, elumenta.Variable{Name: fmt.Sprintf("v%d", i), Description: strings.Repeat("\U000f0000", elumenta.MaxDescription), Default: &value})
	}
	for i := range elumenta.MaxMetadata {
		a.Metadata[strings.Repeat("\U000f0000", elumenta.MaxMetadataKey-1)+string(rune('a'+i))] = strings.Repeat("\U000f0000", elumenta.MaxMetadataValue)
	}
	read, err := assistantfile.Parse("a.md", assistantfile.Format(a))
	if err != nil {
		t.Fatal(err)
	}
	if !cmp.Equal(a, read, ignoreWhere) {
		t.Error("it is not the same")
	}
}

const head = "---\nname: A\nmodel: m\n"

func TestPlainFile(t *testing.T) {
	file := assistantfile.Format(&assistantfile.Assistant{
		ID: "asst_01j9x2m4k6e8r0t2v4x6z8a0b2", Visibility: elumenta.Private, Version: 3,
		Fields: elumenta.Fields{
			Name: "Support Bot", Model: "claude-sonnet-4.5", Description: "Answers: kindly", Instructions: "You help.\n---\nend  ",
			Variables:      []elumenta.Variable{{Name: "tone", Required: true}},
			ResponseFormat: &elumenta.ResponseFormat{Type: "json_schema", Name: "n", Schema: json.RawMessage(`{"type":"object","required":["b","a"],"anyOf":[{"type":"string"}],"x":{}}`)},
			Metadata:       map[string]string{"year": "2026", "no": "on"},
		},
	})
	want := `---
id: asst_01j9x2m4k6e8r0t2v4x6z8a0b2
name: Support Bot
model: claude-sonnet-4.5
description: "Answers: kindly"
visibility: private
response_format:
  type: json_schema
  json_schema:
    name: "n"
    schema:
      type: object
      required:
        - b
        - a
      anyOf:
        -
          type: string
      x: {}
variables:
  - name: tone
    required: true
metadata:
  "no": "on"
  year: "2026"
version: 3
---
You help.
---
end  `
	if diff := cmp.Diff(want, string(file)); diff != "" {
		t.Error(diff)
	}
}

func TestReading(t *testing.T) {
	for _, c := range []struct {
		name, file   string
		instructions string
	}{
		{"line ends of Windows", "---\r\nname: A\r\nmodel: m\r\n---\r\na\r\nb\r\n", "a\r\nb\r\n"},
		{"byte order mark", "\ufeff" + head + "---\nx", "x"},
		{"fence inside", head + "---\nx\n---\ny\n", "x\n---\ny\n"},
		{"fence first", head + "---\n---\ny", "---\ny"},
		{"blanks behind the fence", "--- \nname: A\nmodel: m\n---\t\n  x  \n\n", "  x  \n\n"},
		{"comments", "---\n# c\nname: A # d\nmodel: m\n\n# e\n---\nx", "x"},
		{"quotes and nulls", "---\nname: 'A'\n\"model\": m\ncategory:\nmax_tokens: null\nmetadata: {}\nvariables: []\n---\nx", "x"},
		{"flow", "---\n{name: A, model: m}\n---\nx", "x"},
		{"block text", "---\nname: A\nmodel: >-\n  m\n---\nx", "x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := assistantfile.Parse("a.md", []byte(c.file))
			if err != nil {
				t.Fatal(err)
			}
			want := &assistantfile.Assistant{Visibility: elumenta.Private, Fields: elumenta.Fields{Name: "A", Model: "m", Instructions: elumenta.Text(c.instructions)}}
			if diff := cmp.Diff(want, a, ignoreWhere, cmpopts.EquateEmpty(), cmp.Transformer("zero", func(i *int) int {
				if i == nil {
					return 0
				}
				return *i
			})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	deep := strings.Repeat("[", 10_000)
	for _, c := range []struct {
		name, file string
		want       []string
	}{
		{"empty", "", []string{"a.md:1:1: must begin with a line of ---"}},
		{"no settings", "Hello\n", []string{"a.md:1:1: must begin with a line of ---"}},
		{"no end", "---\nname: A\n", []string{"a.md:1:1: has no second line of ---"}},
		{"Latin-1", "---\nname: caf\xe9\n---\n", []string{"a.md:2:10: has the byte 0xE9, which is not UTF-8"}},
		{"Latin-1 below", head + "---\nx\ncaf\xe9", []string{"a.md:6:4: has the byte 0xE9"}},
		{"UTF-16", "\xff\xfe-\x00", []string{"a.md:1:1: is in UTF-16"}},
		{"NUL", head + "---\nx\x00", []string{"a.md:5:2: has the character U+0000"}},
		{"too large", head + "---\n" + strings.Repeat("x", assistantfile.MaxFile), []string{"a.md: has more than 4194304 bytes"}},
		{"too long", head + "---\n" + strings.Repeat("x", elumenta.MaxInstructions+1), []string{"a.md:5:1: instructions must have at most 256000 characters, has 256001"}},
		{"huge settings", "---\nname: " + strings.Repeat("x", assistantfile.MaxSettings) + "\n---\n", []string{"a.md: has settings of more than"}},
		{"huge scalar", "---\nname: " + strings.Repeat("x", 1_000_000) + "\nmodel: m\n---\nx", []string{"a.md:2:1: name must have at most 100 characters, has 1000000"}},
		{"tab", "---\nmetadata:\n\ta: b\n---\n", []string{"a.md:3:1: the settings are not YAML: found character '\t' that cannot start any token; indent with blanks"}},
		{"colon", "---\nname: a: b\n---\n", []string{"a.md:2:7: the settings are not YAML: mapping value is not allowed in this context; put a text"}},
		{"open quote", "---\nname: \"a\nmodel: m\n---\n", []string{"a.md:2:7: the settings are not YAML: could not find end character"}},
		{"open list", "---\nname: [a\nmodel: m\n---\n", []string{"the settings are not YAML: "}},
		{"bomb", "---\na: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n---\n", []string{"a.md:2:4: anchors", "a.md:3:4: anchors", "a.md:3:8: anchors", "a.md:3:12: anchors", "a.md:4:4: anchors", "a.md:4:8", "a.md:4:12"}},
		{"cycle", "---\nmetadata: &a\n  b: *a\n---\n", []string{"a.md:2:11: anchors", "a.md:3:6: anchors"}},
		{"merge", "---\n<<: {name: A}\n---\n", []string{"a.md:2:1: anchors, aliases and merge keys"}},
		{"tag", "---\nname: !!binary aGk=\n---\n", []string{"a.md:2:7: tags are not taken"}},
		{"two documents", "---\nname: A\n...\nmodel: m\n---\n", []string{"a.md:3:1: the settings are a single YAML document"}},
		{"deep", "---\nname: " + deep + "\n---\n", []string{"a.md:2:70: the settings are nested too deeply"}},
		{"deep in blocks", "---\nvariables:\n  " + strings.Repeat("- ", 1000) + "\n---\n", []string{"a.md:3:129: the settings are nested too deeply"}},
		{"deep by lines", "---\n" + deepLines(100) + "---\n", []string{"a.md:66:66: the settings are nested too deeply"}},
		{"deep keys", "---\n" + strings.Repeat("? - ", 100) + "\n---\n", []string{"a.md:2:129: the settings are nested too deeply"}},
		{"escapes of terminals", "---\nname: A\nmodel: m\n\x1b[31m: red\n---\nx", []string{"a.md:4:1: ·[31m is not a setting"}},
		{"many", "---\n" + strings.Repeat("a:\n", 60_000) + "---\n", []string{"hold too much"}},
		{"list", "---\n- a\n---\n", []string{"a.md:2:1: the settings must be settings, one a line"}},
		{"unknown", head + "colour: red\nInstructions: x\n---\nx", []string{
			"a.md:4:1: colour is not a setting: the settings are category, copyable, description, id, labels, max_tokens, metadata, model, name, note, response_format, temperature, variables, version, visibility",
			"a.md:5:1: Instructions is not a setting",
		}},
		{"instructions", head + "instructions: x\n---\nx", []string{"a.md:4:1: instructions is not a setting: the instructions stand below"}},
		{"twice", head + "name: B\nmetadata: {a: b, a: c}\n---\nx", []string{"a.md:4:1: name is there twice: remove one", "a.md:5:18: metadata.a is there twice"}},
		{"types", "---\nname: 2026\nmodel: true\ntemperature: hot\nmax_tokens: 1.5\ncopyable: 1\nmetadata: {a: 1, 2: b}\nvariables: x\nresponse_format: {type: text, x: y}\nversion: no\n---\nx", []string{
			"a.md:2:1: name must be a text: put it in quotes", "a.md:3:1: model must be a text", "a.md:4:1: temperature must be a number", "a.md:5:1: max_tokens must be a whole number",
			"a.md:6:1: copyable must be true or false", "a.md:7:12: metadata.a must be a text", "a.md:7:18: the name of a setting must be a text: put 2 in quotes",
			"a.md:8:1: variables must be a list", "a.md:9:31: response_format.x is not known", "a.md:10:1: version must be a whole number",
		}},
		{"values", "---\nid: asst_1\nname: \"a\\nb\"\nmodel: m\ntemperature: 3\nmax_tokens: 0\ncategory: magic\nvisibility: public\nversion: 0\nvariables:\n  - name: A\n  - name: b\n    default: x\n    required: true\n---\n", []string{
			"a.md:2:1: id is not an assistant's id", "a.md:3:1: name must be a single line", "a.md:5:1: temperature must be between 0 and 2", "a.md:6:1: max_tokens must be at least 1",
			"a.md:7:1: category is not known; the categories are productivity,", "a.md:8:1: visibility must be private or marketplace", "a.md:9:1: version must be at least 1",
			"a.md:11:5: variables[0].name must match", "a.md:13:5: variables[1].default does not go together with required", "a.md:16:1: instructions is required",
		}},
		{"nothing", "---\n---\n", []string{"a.md:1: name is required", "a.md:1: model is required", "a.md:3:1: instructions is required"}},
		{"publishing", head + "visibility: marketplace\n---\nx", []string{"a.md:1: category is required to publish", "a.md:1: description must not be empty to publish"}},
		{"schema", head + "response_format:\n  type: json_schema\n  json_schema:\n    name: n\n    schema: [1]\n---\nx", []string{"a.md:8:5: response_format.json_schema.schema must be a JSON schema"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := assistantfile.Parse("a.md", []byte(c.file))
			problems, ok := errors.AsType[assistantfile.Problems](err)
			if !ok || a != nil {
				t.Fatalf("%v", err)
			}
			if len(problems) != len(c.want) {
				t.Errorf("%d problems, want %d: %v", len(problems), len(c.want), err)
			}
			for i := range min(len(problems), len(c.want)) {
				if got := problems[i].String(); !strings.Contains(got, c.want[i]) {
					t.Errorf("%s\n  want %s", got, c.want[i])
				}
			}
		})
	}
}

// deepLines are settings that stand in one another.
func deepLines(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestVersionProblems(t *testing.T) {
	_, err := assistantfile.ParseVersion("1.md", []byte(head+"version: 0\npublic: true\nvisibility: private\n---\nx"))
	for _, want := range []string{"1.md:4:1: version must be at least 1", "created_at is required", "category is required to publish", "1.md:6:1: visibility is not a setting"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\n  want %s", err, want)
		}
	}
	_, err = assistantfile.ParseVersion("1.md", []byte(head+"version: 1\ncreated_at: yesterday\n---\nx"))
	if err == nil || err.Error() != "1.md:5:1: created_at must be a time, such as 2026-01-31T12:00:00Z" {
		t.Error(err)
	}
}

func TestWhere(t *testing.T) {
	a, err := assistantfile.Parse("a.md", []byte("---\nname: A\nmodel: m\n---\nx"))
	if err != nil {
		t.Fatal(err)
	}
	if line, column := a.Where("model"); line != 3 || column != 1 {
		t.Error(line, column)
	}
	if line, column := a.Where("category"); line != 1 || column != 0 {
		t.Error(line, column)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(head + "---\ntext\n"))
	f.Add([]byte("---\n---\n"))
	f.Add([]byte(head + "variables: [{name: a, default: b}]\nmetadata: {a: b}\nresponse_format: {type: json_schema, json_schema: {name: a, schema: {a: [1, .5, ~]}}}\n---\n\r\n---"))
	f.Add([]byte(head + "\"version\":\n  3\n---\nx"))
	f.Add([]byte("---\r\n{é: 1, name: é, model: m, version: 3}\r\n---\nx"))
	f.Add([]byte(head + "description: |\n  a\n   b\nmetadata:\n  ? a\n  : b\n---\nx"))
	f.Fuzz(func(t *testing.T, file []byte) {
		a, err := assistantfile.Parse("a.md", file)
		if (a == nil) == (err == nil) {
			t.Fatal("neither or both")
		}
		if err != nil {
			return
		}
		written := assistantfile.Format(a)
		again, err := assistantfile.Parse("a.md", written)
		if err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		if diff := cmp.Diff(a, again, ignoreWhere); diff != "" {
			t.Fatalf("%s\n%s", diff, written)
		}
		raised, err := assistantfile.WithVersion("a.md", file, a.Version+1)
		if err != nil {
			return // there is no version, or it stands strangely
		}
		again, err = assistantfile.Parse("a.md", raised)
		if a.Version++; err != nil || a.Version == 1 || !cmp.Equal(a, again, ignoreWhere) {
			t.Fatalf("%v\n%q\n%q", err, file, raised)
		}
	})
}
