package elumenta_test

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
)

func goodFields() elumenta.Fields {
	return elumenta.Fields{Name: "Bot", Model: "sandbox", Instructions: "Be kind."}
}

func TestCheckListsEveryBadField(t *testing.T) {
	for name, c := range map[string]struct {
		change     func(*elumenta.Fields)
		visibility elumenta.Visibility
		want       []string
	}{
		"good": {func(*elumenta.Fields) {}, elumenta.Private, nil},
		"longest": {func(f *elumenta.Fields) {
			f.Name = strings.Repeat("é", 100)
			f.Instructions = elumenta.Text(strings.Repeat("😀", 256_000))
		}, elumenta.Private, nil},
		"one too long": {func(f *elumenta.Fields) {
			f.Name = strings.Repeat("é", 101)
			f.Instructions = elumenta.Text(strings.Repeat("😀", 256_001))
		}, elumenta.Private, []string{"name", "instructions"}},
		"all missing":          {func(f *elumenta.Fields) { *f = elumenta.Fields{} }, elumenta.Private, []string{"name", "instructions", "model"}},
		"NUL and broken UTF-8": {func(f *elumenta.Fields) { f.Name = "a\x00"; f.Instructions = "\xff" }, elumenta.Private, []string{"name", "instructions"}},
		"a name of two lines":  {func(f *elumenta.Fields) { f.Name = "a\nb" }, elumenta.Private, []string{"name"}},
		"a name of blanks":     {func(f *elumenta.Fields) { f.Name = " \t\u3000" }, elumenta.Private, []string{"name"}},
		"publish without":      {func(*elumenta.Fields) {}, elumenta.Marketplace, []string{"category", "description"}},
		"publish blank":        {func(f *elumenta.Fields) { f.Category = "data"; f.Description = " \t" }, elumenta.Marketplace, []string{"description"}},
		"unknown category":     {func(f *elumenta.Fields) { f.Category = "cars" }, elumenta.Private, []string{"category"}},
		"unknown visibility":   {func(*elumenta.Fields) {}, "public", []string{"visibility"}},
		"numbers out of range": {func(f *elumenta.Fields) { f.Temperature = ptr(2.01); f.MaxTokens = ptr(0) }, elumenta.Private, []string{"temperature", "max_tokens"}},
		"not a number":         {func(f *elumenta.Fields) { f.Temperature = ptr(math.NaN()) }, elumenta.Private, []string{"temperature"}},
		"name of a schema": {func(f *elumenta.Fields) {
			f.ResponseFormat = &elumenta.ResponseFormat{Type: "json_schema", Name: "two words", Schema: []byte("{}")}
		}, elumenta.Private, []string{"response_format.json_schema.name"}},
		"schema without a name": {func(f *elumenta.Fields) { f.ResponseFormat = &elumenta.ResponseFormat{Type: "json_schema"} }, elumenta.Private, []string{"response_format.json_schema.name", "response_format.json_schema.schema"}},
		"unknown format":        {func(f *elumenta.Fields) { f.ResponseFormat = &elumenta.ResponseFormat{Type: "xml"} }, elumenta.Private, []string{"response_format.type"}},
		"metadata":              {func(f *elumenta.Fields) { f.Metadata = map[string]string{"": "v", "k": strings.Repeat("v", 513)} }, elumenta.Private, []string{"metadata", "metadata.k"}},
		"variables": {func(f *elumenta.Fields) {
			f.Variables = []elumenta.Variable{{Name: "A"}, {Name: "b"}, {Name: "b", Required: true, Default: ptr("")}}
		}, elumenta.Private, []string{"variables[0].name", "variables[2].name", "variables[2].default"}},
		"more variables than 32": {func(f *elumenta.Fields) { f.Variables = make([]elumenta.Variable, 33) }, elumenta.Private, []string{"variables"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := goodFields()
			c.change(&f)
			var got []string
			for _, e := range f.Check(c.visibility) {
				got = append(got, e.Field)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Names are one line, and nothing in them makes a denied word look whole that is parted.
func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"Bot": true, "👩\u200d💻 ☕\ufe0f": true, "می\u200cخواهم": true, "": false, "Open\u0001AI": false, "Open\x1b[0mAI": false, "Open\tAI": false, "Open\u0085AI": false,
		"Open\u2028AI": false, "Open\u2029AI": false, "Open\nAI": false, "Open\x00AI": false, "Open\x7fAI": false, strings.Repeat("x", elumenta.MaxName+1): false,
	} {
		var errs elumenta.FieldErrors
		if elumenta.CheckAssistantName(&errs, name); (len(errs) == 0) != ok {
			t.Errorf("an assistant named %q: %v", name, errs)
		}
		account := elumenta.NewAccount{DisplayName: name, Plan: "free"}
		if errs := account.Check(elumenta.DefaultPlans()); (len(errs) == 0) != ok {
			t.Errorf("an account named %q: %v", name, errs)
		}
	}
}

func TestFieldErrorsShortenWhatTheyList(t *testing.T) {
	var errs elumenta.FieldErrors
	for range 5000 {
		errs.Add("messages[0]", "is bad")
	}
	e := elumenta.AsError(errs.Err())
	if n := len(e.Details["fields"].([]elumenta.FieldError)); n != 100 || !strings.Contains(e.Message, "4999 more") {
		t.Errorf("%d listed, %s", n, e.Message)
	}
}

func TestPatch(t *testing.T) {
	f := goodFields()
	f.Temperature, f.Category, f.Metadata = ptr(0.5), "data", map[string]string{"k": "v"}
	f.ResponseFormat = &elumenta.ResponseFormat{Type: elumenta.FormatJSONSchema, Name: "n", Schema: json.RawMessage(`{"type":"object"}`)}
	for name, c := range map[string]struct {
		patch   elumenta.Patch
		changed bool
		check   func(elumenta.Fields, elumenta.Visibility) bool
	}{
		"nothing":           {elumenta.Patch{Note: "only a note"}, false, func(g elumenta.Fields, _ elumenta.Visibility) bool { return cmp.Equal(f, g) }},
		"the same":          {elumenta.Patch{Name: elumenta.Some("Bot"), Temperature: elumenta.Some(0.5), Metadata: elumenta.Some(maps.Clone(f.Metadata))}, false, func(g elumenta.Fields, _ elumenta.Visibility) bool { return cmp.Equal(f, g) }},
		"a schema's blanks": {elumenta.Patch{ResponseFormat: elumenta.Some(elumenta.ResponseFormat{Type: elumenta.FormatJSONSchema, Name: "n", Schema: json.RawMessage(`{"type": "object"}`)})}, false, func(elumenta.Fields, elumenta.Visibility) bool { return true }},
		"a name":            {elumenta.Patch{Name: elumenta.Some("Other")}, true, func(g elumenta.Fields, _ elumenta.Visibility) bool { return g.Name == "Other" && g.Category == "data" }},
		"null clears":       {elumenta.Patch{Temperature: elumenta.Optional[float64]{Set: true, Null: true}, Category: elumenta.Optional[string]{Set: true, Null: true}}, true, func(g elumenta.Fields, _ elumenta.Visibility) bool { return g.Temperature == nil && g.Category == "" }},
		"publish":           {elumenta.Patch{Visibility: elumenta.Some(elumenta.Marketplace)}, true, func(_ elumenta.Fields, v elumenta.Visibility) bool { return v == elumenta.Marketplace }},
		"null visibility":   {elumenta.Patch{Visibility: elumenta.Optional[elumenta.Visibility]{Set: true, Null: true}}, false, func(_ elumenta.Fields, v elumenta.Visibility) bool { return v == elumenta.Private }},
		"metadata":          {elumenta.Patch{Metadata: elumenta.Some(map[string]string{})}, true, func(g elumenta.Fields, _ elumenta.Visibility) bool { return len(g.Metadata) == 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			got, v, changed := c.patch.Apply(f, elumenta.Private)
			if changed != c.changed || !c.check(got, v) {
				t.Errorf("changed %t, visibility %s", changed, v)
			}
		})
	}
}

func TestPlans(t *testing.T) {
	plans := elumenta.DefaultPlans()
	for _, c := range []struct {
		have, need string
		want       bool
	}{{"free", "free", true}, {"free", "pro", false}, {"unlimited", "elite", true}, {"pro", "", true}, {"gone", "free", false}} {
		if got := plans.Includes(c.have, c.need); got != c.want {
			t.Errorf("%s includes %s: %t", c.have, c.need, got)
		}
	}
	if !slices.Equal(plans.Names(), []string{"free", "basic", "pro", "vip", "elite", "unlimited"}) {
		t.Error(plans.Names())
	}
}
