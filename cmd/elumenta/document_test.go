package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/assistantfile"
)

// Whatever an assistant holds, a file that nobody edited changes nothing.
func TestUneditedDocumentChangesNothing(t *testing.T) {
	text := rapid.StringMatching(`(?s)[ -~äß中🙂\n\t'"#:|>-]{1,60}`)
	name := rapid.Map(text, strings.NewReplacer("\n", " ", "\t", " ").Replace).Filter(func(s string) bool { return strings.TrimSpace(s) != "" })
	rapid.Check(t, func(t *rapid.T) {
		before := &assistantfile.Assistant{ID: elumenta.NewAssistantID(), Visibility: elumenta.Private, Version: 3, Fields: elumenta.Fields{
			Name: name.Draw(t, "name"), Model: "sandbox", Description: text.Draw(t, "description"),
			Instructions: elumenta.Text(text.Draw(t, "instructions")),
		}}
		if rapid.Bool().Draw(t, "more") {
			value := text.Draw(t, "default")
			temperature := rapid.Float64Range(0, 2).Draw(t, "temperature")
			before.Temperature = &temperature
			before.Variables = []elumenta.Variable{{Name: "v", Default: &value}}
			before.Metadata = map[string]string{"k": text.Draw(t, "value")}
			before.ResponseFormat = &elumenta.ResponseFormat{Type: elumenta.FormatJSONObject}
		}
		file := toEdit(before, "comment")
		if rapid.Bool().Draw(t, "Windows") {
			file = bytes.ReplaceAll(file, []byte("\n"), []byte("\r\n"))
		}
		after, err := edited("a.md", file, before)
		if err != nil {
			t.Fatalf("%v\n%s", err, file)
		}
		changed, err := changes(after, before)
		if err != nil || len(changed) > 0 {
			t.Fatalf("%v %v\n%s", err, changed, file)
		}
	})
}

func TestDocumentChanges(t *testing.T) {
	before := &assistantfile.Assistant{Visibility: elumenta.Private, Fields: elumenta.Fields{Name: "A", Model: "sandbox", Category: "writing", Instructions: "text"}}
	for _, c := range []struct {
		name, file string
		want       map[string]string
		err        string
	}{
		{"instructions", "---\nname: A\nmodel: sandbox\ndescription: \"\"\ncategory: writing\nvisibility: private\n---\nother\n", map[string]string{"instructions": `"other"`}, ""},
		{"a fence inside", "---\nname: A\nmodel: sandbox\ncategory: writing\n---\ntext\n---\nmore\n", map[string]string{"instructions": `"text\n---\nmore"`}, ""},
		{"cleared", "---\nname: A\nmodel: sandbox\nvisibility: private\n---\ntext\n", map[string]string{"category": "null"}, ""},
		{"line ends of Windows", "---\r\nname: A\r\nmodel: sandbox\r\ncategory: writing\r\n---\r\ntext\r\n", map[string]string{}, ""},
		{"byte order mark", "\ufeff---\nname: B\nmodel: sandbox\ncategory: writing\n---\ntext\n", map[string]string{"name": `"B"`}, ""},
		{"all problems", "---\nname: A\ntemperature: hot\n---\n", nil, "a.md:1: model is required\na.md:3:1: temperature must be a number, such as 0.7\na.md:5:1: instructions is required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			after, err := edited("a.md", []byte(c.file), before)
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Fatalf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			changed, err := changes(after, before)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for k, v := range changed {
				got[k] = string(v.(json.RawMessage))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzReadStream(f *testing.F) {
	f.Add("data: {\"type\":\"content_delta\",\"delta\":\"a\"}\n\ndata: {\"type\":\"generation_end\",\"finish_reason\":\"stop\"}\n\ndata: [DONE]\n\n")
	f.Add("data: {\"type\":\"error\",\"error\":\"provider_error\",\"message\":\"m\"}\n\n")
	f.Add(": keep-alive\n\ndata:\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := readStream(strings.NewReader(text), func(string) error { return nil })
		if err == nil && !strings.Contains(text, "generation_end") && !strings.Contains(text, `\u`) {
			t.Fatalf("an end that was not said: %+v", a)
		}
		if _, ok := errors.AsType[*apiError](err); ok && !strings.Contains(text, "error") && !strings.Contains(text, `\u`) {
			t.Fatal("an error that was not said")
		}
	})
}

func TestNothingSteersTheTerminal(t *testing.T) {
	in := "a\x1b[2Jb\x07\u009bc\r\nd\te"
	if got := forTerminal(in); got != "a[2Jbc\nd\te" {
		t.Errorf("%q", got)
	}
	if got := printable("a\x1b\nb"); got != "a··b" {
		t.Errorf("%q", got)
	}
}
