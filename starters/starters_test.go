package starters_test

import (
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/starters"
)

func load(t *testing.T, available ...string) []elumenta.Starter {
	t.Helper()
	all, err := starters.Set(available).Load()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Every starter can be published, is found by its own name, may be copied, and says what its variables are for.
func TestStarters(t *testing.T) {
	all := load(t, "sandbox")
	ids, names, categories := map[elumenta.AssistantID]bool{}, map[string]bool{}, map[string]int{}
	var variables int
	for _, s := range all {
		if _, ok := elumenta.ParseAssistantID(string(s.ID)); !ok || ids[s.ID] {
			t.Errorf("%s: the id %s is malformed, or another's too", s.Name, s.ID)
		}
		if name := elumenta.Fold(s.Name); names[name] {
			t.Errorf("two starters are called %s", s.Name)
		}
		ids[s.ID], names[elumenta.Fold(s.Name)] = true, true
		categories[s.Category]++
		if err := s.Check(elumenta.Marketplace).Err(); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		if !s.Copyable {
			t.Errorf("%s is not copyable", s.Name)
		}
		if n := len(strings.Fields(string(s.Instructions))); n < 150 || n > 700 {
			t.Errorf("%s: the instructions have %d words", s.Name, n)
		}
		for _, v := range s.Variables {
			variables++
			if v.Description == "" {
				t.Errorf("%s: %s has no description", s.Name, v.Name)
			}
			if !strings.Contains(string(s.Instructions), "{{"+v.Name+"}}") {
				t.Errorf("%s: %s is declared and never used", s.Name, v.Name)
			}
			if v.Required {
				t.Errorf("%s: %s is required: a starter answers without any preparation", s.Name, v.Name)
			}
		}
		if strings.Count(string(s.Instructions), "{{") != strings.Count(string(s.Instructions), "}}") {
			t.Errorf("%s: braces that are left open", s.Name)
		}
	}
	for _, c := range elumenta.Categories() {
		if categories[c.Slug] < 3 {
			t.Errorf("the category %s has %d starters", c.Slug, categories[c.Slug])
		}
	}
	if len(all) < 36 || variables < 5 {
		t.Errorf("%d starters with %d variables", len(all), variables)
	}
}

// A paragraph that two starters share was written for neither.
func TestOwnWords(t *testing.T) {
	seen := map[string]string{}
	for _, s := range load(t, "sandbox") {
		for paragraph := range strings.SplitSeq(string(s.Instructions), "\n") {
			if paragraph = strings.TrimSpace(paragraph); len(paragraph) < 80 {
				continue
			}
			if other := seen[paragraph]; other != "" {
				t.Errorf("%s and %s share a paragraph: %s", s.Name, other, paragraph)
			}
			seen[paragraph] = s.Name
		}
	}
}

func TestModels(t *testing.T) {
	one := func(available ...string) string {
		model := ""
		for _, s := range load(t, available...) {
			if model == "" {
				model = s.Model
			}
			if s.Model != model {
				return "several"
			}
		}
		return model
	}
	for want, available := range map[string][]string{
		"sandbox": {"sandbox"}, "gpt-5": {"gpt-5", "gpt-5-nano", "sandbox"}, "llama": {"llama", "sandbox"},
	} {
		if got := one(available...); got != want {
			t.Errorf("with %v starters get %s", available, got)
		}
	}
	if a, b := starters.Set([]string{"sandbox", "gpt-5"}), starters.Set([]string{"gpt-5", "sandbox"}); a.Digest != b.Digest {
		t.Error("the order of the models changes the starters")
	}
	if a, b := starters.Set([]string{"sandbox"}), starters.Set([]string{"gpt-5", "sandbox"}); a.Digest == b.Digest {
		t.Error("other models do not change the starters")
	}
}
