package assistantfile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/assistantfile"
)

func TestLabels(t *testing.T) {
	file := func(labels string) []byte { return []byte("---\nname: A\nmodel: m\n" + labels + "---\nx") }
	for labels, want := range map[string]map[string][]elumenta.LabelShare{
		"": nil, "labels:\n": nil, "labels: {}\n": {},
		"labels: {a: 2}\n": {"a": {{Version: 2, Weight: 1}}},
		"labels:\n  b-1:\n  - {version: 3, weight: 1}\n  - version: 2\n    weight: 9\n": {"b-1": {{Version: 2, Weight: 9}, {Version: 3, Weight: 1}}},
		"labels:\n  c:\n  - {version: 3, weight: 7}\n":                                  {"c": {{Version: 3, Weight: 1}}},
	} {
		a, err := assistantfile.Parse("a.md", file(labels))
		if err != nil {
			t.Errorf("%q: %v", labels, err)
			continue
		}
		if diff := cmp.Diff(want, a.Labels); diff != "" {
			t.Errorf("%q: %s", labels, diff)
		}
	}
	for labels, want := range map[string]string{
		"labels: 3\n":                         "a.md:4:1: labels must be settings",
		"labels: {Prod: 1}\n":                 "a.md:4:10: labels.Prod is not a label",
		"labels: {a: x}\n":                    "a.md:4:10: labels.a must be a whole number",
		"labels: {a: 0}\n":                    "a.md:4:10: labels.a must be the number of a saved version",
		"labels: {a: null}\n":                 "a.md:4:10: labels.a must name 1 to 10 versions",
		"labels: {a: [{version: 1, w: 2}]}\n": "labels.a[0].w is not known",
		"labels: {a: [{version: 1, weight: 0}, {version: 2}]}\n": "labels.a[0].weight must be between 1 and 10000",
		"labels: {a: 1, a: 2}\n":                                 "labels.a is there twice",
	} {
		_, err := assistantfile.Parse("a.md", file(labels))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %s", labels, err, want)
		}
	}
}
