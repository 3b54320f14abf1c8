package elumenta_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/elumenta/elumenta"
)

func ptr[T any](v T) *T { return &v }

var textModel = &elumenta.Model{Slug: "m", Capabilities: elumenta.Capabilities{JSONObject: true}}

func userTurn(text elumenta.Text) elumenta.Turn {
	return elumenta.Turn{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{{Kind: elumenta.PartText, Text: text}}}
}

func TestComposeInstructions(t *testing.T) {
	declared := []elumenta.Variable{{Name: "city", Required: true}, {Name: "tone", Default: ptr("kind")}, {Name: "opt"}}
	values := map[string]string{"city": "Porto {{tone}}"}
	for name, c := range map[string]struct {
		instructions string
		variables    []elumenta.Variable
		values       map[string]string
		want         []string // a part each; the first carries the mark where it is fixed text
		marked       bool
	}{
		"no variables":          {"Be {{kind}}.", nil, nil, []string{"Be {{kind}}."}, true},
		"declared, not used":    {"Be kind.", declared, values, []string{"Be kind."}, true},
		"one pass":              {"In {{city}}, be {{tone}}.", declared, values, []string{"In ", "Porto {{tone}}, be kind."}, true},
		"undeclared stay":       {"{{nope}} {{city}} {{ city }} {{City}}", declared, values, []string{"{{nope}} ", "Porto {{tone}} {{ city }} {{City}}"}, true},
		"begins with one":       {"{{city}}!", declared, values, []string{"Porto {{tone}}!"}, false},
		"blank before":          {" \n{{city}}!", declared, values, []string{" \nPorto {{tone}}!"}, false},
		"empty optional":        {"a{{opt}}b", declared, values, []string{"a", "b"}, true},
		"extra braces":          {"a{{{tone}}}", declared, values, []string{"a{", "kind}"}, true},
		"unclosed":              {"a{{tone}} {{city", declared, values, []string{"a", "kind {{city"}, true},
		"the same twice":        {"a{{tone}}{{tone}}", declared, values, []string{"a", "kindkind"}, true},
		"value beats default":   {"a{{tone}}", declared, map[string]string{"city": "", "tone": "dry"}, []string{"a", "dry"}, true},
		"longest possible name": {"a{{" + strings.Repeat("x", 32) + "}}", []elumenta.Variable{{Name: strings.Repeat("x", 32), Default: ptr("v")}}, nil, []string{"a", "v"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &elumenta.Snapshot{Instructions: elumenta.Text(c.instructions), Variables: c.variables}
			p, err := elumenta.Compose(s, &elumenta.Request{Variables: c.values, Turns: []elumenta.Turn{userTurn("hi")}}, textModel)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, part := range p.Instructions {
				got = append(got, string(part.Text))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if p.Instructions[0].CacheMark != c.marked {
				t.Errorf("marked: %t", p.Instructions[0].CacheMark)
			}
		})
	}
}

func TestComposeRefuses(t *testing.T) {
	image := elumenta.Turn{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{{Kind: elumenta.PartImage, Image: &elumenta.Image{URL: "https://example.com/a.png"}}}}
	vision := &elumenta.Model{Slug: "v", Capabilities: elumenta.Capabilities{Vision: true}}
	city := &elumenta.Snapshot{Instructions: "{{city}}", Variables: []elumenta.Variable{{Name: "city", Required: true}}}
	many := &elumenta.Snapshot{Instructions: elumenta.Text(strings.Repeat("{{v}}", 100)), Variables: []elumenta.Variable{{Name: "v"}}}
	for name, c := range map[string]struct {
		snapshot *elumenta.Snapshot
		req      elumenta.Request
		model    *elumenta.Model
		fields   []string
	}{
		"required and undeclared": {city, elumenta.Request{Variables: map[string]string{"x": "1"}}, textModel, []string{"variables.city", "variables.x"}},
		"without an assistant":    {nil, elumenta.Request{Variables: map[string]string{"x": "1"}}, textModel, []string{"variables"}},
		"too long":                {many, elumenta.Request{Variables: map[string]string{"v": strings.Repeat("é", 8000)}}, textModel, []string{"variables"}},
		"image":                   {nil, elumenta.Request{Turns: []elumenta.Turn{image}}, textModel, []string{"messages"}},
		"image of a tool":         {nil, elumenta.Request{Turns: []elumenta.Turn{{Role: elumenta.RoleOfUser, Parts: []elumenta.Part{{Kind: elumenta.PartToolResult, ToolResult: &elumenta.ToolResult{Content: image.Parts}}}}}}, textModel, []string{"messages"}},
		"image by URL":            {nil, elumenta.Request{Turns: []elumenta.Turn{image}}, vision, []string{"messages"}},
		"schema":                  {nil, elumenta.Request{Settings: elumenta.Settings{ResponseFormat: &elumenta.ResponseFormat{Type: "json_schema"}}}, textModel, []string{"response_format"}},
		"tools":                   {nil, elumenta.Request{Tools: []elumenta.Tool{{Name: "t"}}}, textModel, []string{"tools"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := elumenta.Compose(c.snapshot, &c.req, c.model)
			if !elumenta.HasCode(err, elumenta.CodeValidation) {
				t.Fatalf("got %v", err)
			}
			var got []string
			for _, f := range elumenta.AsError(err).Details["fields"].([]elumenta.FieldError) {
				got = append(got, f.Field)
			}
			if diff := cmp.Diff(c.fields, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestComposeSettingsAndHistory(t *testing.T) {
	s := &elumenta.Snapshot{ID: "asst_x", Version: 2, Name: "Bot", Instructions: "Be kind.", Settings: elumenta.Settings{Temperature: ptr(0.2), MaxTokens: ptr(10)}}
	turns := []elumenta.Turn{userTurn("one"), {Role: elumenta.RoleOfAssistant, Parts: []elumenta.Part{{Kind: elumenta.PartText, Text: "two"}}}, userTurn("three")}
	req := &elumenta.Request{System: []elumenta.Text{"own"}, Turns: turns, Settings: elumenta.Settings{Temperature: ptr(0.0)}, User: elumenta.UserHash{1}}
	p, err := elumenta.Compose(s, req, textModel)
	if err != nil {
		t.Fatal(err)
	}
	if *p.Settings.Temperature != 0 || *p.Settings.MaxTokens != 10 {
		t.Error("the request's own value beats the assistant's, and only where it is set")
	}
	if !p.Turns[2].Parts[0].CacheMark || turns[2].Parts[0].CacheMark {
		t.Error("the last message of a history carries a mark, and the request's own turns are left alone")
	}
	if p.SystemText() != "Be kind.\n\nown" {
		t.Errorf("system text of %d bytes", len(p.SystemText()))
	}
	again, _ := elumenta.Compose(s, req, textModel)
	if p.CacheKey == "" || p.CacheKey != again.CacheKey || len(p.User) != 32 {
		t.Error("cache key and user are stable hashes")
	}
	single, _ := elumenta.Compose(s, &elumenta.Request{Turns: turns[:1]}, textModel)
	if single.Turns[0].Parts[0].CacheMark {
		t.Error("without a history the message carries no mark")
	}
	turns[0].Parts = slices.Repeat([]elumenta.Part{{Kind: elumenta.PartText, Text: "one", CacheMark: true}}, 2)
	if two, _ := elumenta.Compose(s, req, textModel); !two.Turns[2].Parts[0].CacheMark {
		t.Error("beside two marks of the caller the last message carries one")
	}
	turns[1].Parts[0].CacheMark = true
	if three, _ := elumenta.Compose(s, req, textModel); three.Turns[2].Parts[0].CacheMark {
		t.Error("beside three marks of the caller the last message carries none: the fourth is that of the instructions")
	}
}

// Without declared variables the instructions come out byte for byte; with them, expanding is what a plain reading of
// the rule gives.
func TestComposeProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("{}ab é\n"))).Draw(t, "text")
		value := rapid.StringOf(rapid.SampledFrom([]rune("{}ab"))).Draw(t, "value")
		if text == "" {
			text = "x"
		}
		s := &elumenta.Snapshot{Instructions: elumenta.Text(text), Variables: []elumenta.Variable{{Name: "a"}}}
		p, err := elumenta.Compose(s, &elumenta.Request{Variables: map[string]string{"a": value}}, textModel)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := p.SystemText(), strings.ReplaceAll(text, "{{a}}", value); got != want {
			t.Errorf("%q with %q: got %q, want %q", text, value, got, want)
		}
	})
}

func TestFit(t *testing.T) {
	c := elumenta.Capabilities{Temperature: &elumenta.Range{Min: 0, Max: 1}, Stop: 1, MaxTokens: 100}
	s := elumenta.Settings{Temperature: ptr(1.5), TopP: ptr(0.5), MaxTokens: ptr(1000), Stop: []string{"a", "b"}}
	got, warnings := c.Fit(s)
	want := elumenta.Settings{Temperature: ptr(1.0), MaxTokens: ptr(100), Stop: []string{"a"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var fields []string
	for _, w := range warnings {
		fields = append(fields, w.Code+" "+w.Field)
	}
	if diff := cmp.Diff([]string{"clamped_setting temperature", "unsupported_setting top_p", "clamped_setting max_tokens", "unsupported_setting stop"}, fields); diff != "" {
		t.Error(diff)
	}
}
