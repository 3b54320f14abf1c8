package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/elumenta/elumenta"
)

// Whatever an assistant holds, a file that nobody edited changes nothing.
func TestUneditedDocumentChangesNothing(t *testing.T) {
	text := rapid.StringMatching(`(?s)[ -~äß中🙂\n\t'"#:|>-]{0,60}`)
	rapid.Check(t, func(t *rapid.T) {
		before := &document{
			Name: text.Draw(t, "name"), Model: "sandbox", Description: text.Draw(t, "description"), Visibility: "private",
			Instructions: text.Draw(t, "instructions"),
		}
		if rapid.Bool().Draw(t, "more") {
			value := text.Draw(t, "default")
			temperature := rapid.Float64Range(0, 2).Draw(t, "temperature")
			before.Temperature = &temperature
			before.Variables = []elumenta.Variable{{Name: "v", Default: &value}}
			before.Metadata = map[string]string{"k": text.Draw(t, "value")}
			before.ResponseFormat = map[string]any{"type": "json_object"}
		}
		file, err := before.format("# comment\n")
		if err != nil {
			t.Fatal(err)
		}
		after, err := parseDocument(file, before)
		if err != nil {
			t.Fatalf("%v\n%s", err, file)
		}
		changed, err := after.changes(before)
		if err != nil || len(changed) > 0 {
			t.Fatalf("%v %v\n%s", err, changed, file)
		}
	})
}

func TestDocumentChanges(t *testing.T) {
	category := "writing"
	before := &document{Name: "A", Model: "sandbox", Visibility: "private", Category: &category, Instructions: "text"}
	for _, c := range []struct {
		name, file string
		want       []string
		err        string
	}{
		{"instructions", "---\nname: A\nmodel: sandbox\ndescription: \"\"\ncategory: writing\nvisibility: private\n---\nother\n", []string{"instructions"}, ""},
		{"a fence inside", "---\nname: A\nmodel: sandbox\ncategory: writing\nvisibility: private\n---\ntext\n---\nmore\n", []string{"instructions"}, ""},
		{"cleared", "---\nname: A\nmodel: sandbox\nvisibility: private\n---\ntext\n", []string{"category"}, ""},
		{"line ends of Windows", "---\r\nname: A\r\nmodel: sandbox\r\ncategory: writing\r\nvisibility: private\r\n---\r\ntext\r\n", nil, ""},
		{"byte order mark", "\ufeff---\nname: B\nmodel: sandbox\ncategory: writing\nvisibility: private\n---\ntext\n", []string{"name"}, ""},
		{"no fence", "name: A\n", nil, "two lines of ---"},
		{"open", "---\nname: A\n", nil, "two lines of ---"},
		{"unknown", "---\nname: A\ncolour: red\n---\n", nil, "line 3: "},
		{"type", "---\nname: A\ntemperature: hot\n---\n", nil, "line 3: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			after, err := parseDocument(c.file, before)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			changed, err := after.changes(before)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for k := range changed {
				got = append(got, k)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzParseDocument(f *testing.F) {
	f.Add("---\nname: A\n---\ntext\n")
	f.Add("---\n---\n")
	f.Add("---\nvariables: [{name: a, default: b}]\nmetadata: {a: b}\n---\n")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseDocument(text, &document{})
		if (d == nil) == (err == nil) {
			t.Fatal("neither or both")
		}
	})
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
