package starters_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/config"
	"github.com/elumenta/elumenta/starters"
)

// builtin are the models that every server knows. Those of available have a provider.
func builtin(t *testing.T, available ...string) []elumenta.Model {
	t.Helper()
	conf, err := config.Load("", config.Overrides{}, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	for i := range conf.Models {
		if slices.Contains(available, conf.Models[i].Slug) {
			conf.Models[i].Routes = make([]elumenta.Route, 1)
		}
	}
	return conf.Models
}

func load(t *testing.T, models []elumenta.Model, present map[elumenta.AssistantID]string) []elumenta.Starter {
	t.Helper()
	all, err := starters.Set(models).Load(present)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Every starter can be published, is found by its own name, may be copied, and says what its variables are for.
func TestStarters(t *testing.T) {
	all := load(t, builtin(t, "sandbox"), nil)
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

func TestSuggested(t *testing.T) {
	ids := starters.Suggested()
	if len(ids) != len(elumenta.Categories()) || len(slices.Compact(slices.Sorted(slices.Values(ids)))) != len(ids) {
		t.Errorf("suggested are %v", ids)
	}
}

// A paragraph that two starters share was written for neither.
func TestOwnWords(t *testing.T) {
	seen := map[string]string{}
	for _, s := range load(t, builtin(t, "sandbox"), nil) {
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

// Whatever model a server has, it takes all of each starter, by the check that generations go through.
func TestStartersFitEveryModel(t *testing.T) {
	formats := map[string]bool{}
	for _, m := range builtin(t) {
		for _, s := range load(t, builtin(t, m.Slug), nil) {
			if s.Model != m.Slug {
				t.Errorf("%s gets the model %s on a server that has %s", s.Name, s.Model, m.Slug)
			}
			settings := elumenta.Settings{Temperature: s.Temperature, MaxTokens: s.MaxTokens, ResponseFormat: s.ResponseFormat}
			snapshot := elumenta.Snapshot{ID: s.ID, Version: 1, Name: s.Name, Model: s.Model, Instructions: s.Instructions, Settings: settings, Variables: s.Variables}
			if _, err := elumenta.Compose(&snapshot, &elumenta.Request{}, &m); err != nil {
				t.Errorf("%s with %s: %v", s.Name, m.Slug, err)
			}
			if _, warnings := m.Capabilities.Fit(settings); len(warnings) > 0 {
				t.Errorf("%s with %s: %v", s.Name, m.Slug, warnings)
			}
			if err := s.Check(elumenta.Marketplace).Err(); err != nil {
				t.Errorf("%s with %s: %v", s.Name, m.Slug, err)
			}
			if s.ResponseFormat != nil {
				formats[m.Slug+" "+s.ResponseFormat.Type] = true
			}
		}
	}
	for _, want := range []string{"gpt-5.2 json_schema", "deepseek-v3 json_object"} {
		if !formats[want] {
			t.Errorf("no starter asks %s", want)
		}
	}
}

// A starter's own model and those that it may get instead are here to stay.
func TestModelsThatStay(t *testing.T) {
	models := builtin(t)
	wanted, err := starters.Wanted()
	if err != nil {
		t.Fatal(err)
	}
	for by, slug := range wanted {
		i := slices.IndexFunc(models, func(m elumenta.Model) bool { return m.Slug == slug })
		if i < 0 || !models[i].RetiresAt.IsZero() {
			t.Errorf("%s: %s is unknown, or retires", by, slug)
		}
	}
}

func TestModels(t *testing.T) {
	const translator = elumenta.AssistantID("asst_01m88ms36nfwttfm8z1z0x3yev") // its own model is gpt-5.2
	for _, c := range []struct {
		available     []string
		present, want string
	}{
		{[]string{"sandbox"}, "", "sandbox"},
		{[]string{"claude-haiku-4.5", "gpt-5.2", "sandbox"}, "", "gpt-5.2"},
		{[]string{"claude-opus-4.5", "claude-haiku-4.5", "sandbox"}, "", "claude-haiku-4.5"},
		{[]string{"gpt-5", "gpt-5.2-pro", "sandbox"}, "", "gpt-5.2-pro"},
		{[]string{"gpt-5", "sandbox"}, "", "gpt-5"},
		// Its own model comes before the one that it has, and that before any other, unless it retires.
		{[]string{"claude-haiku-4.5", "gpt-5.2", "sandbox"}, "claude-haiku-4.5", "gpt-5.2"},
		{[]string{"claude-haiku-4.5", "grok-4-fast", "sandbox"}, "grok-4-fast", "grok-4-fast"},
		{[]string{"gemini-2.5-flash", "grok-4-fast", "sandbox"}, "gemini-2.5-flash", "grok-4-fast"},
		{[]string{"deepseek-v3", "sandbox"}, "sandbox", "deepseek-v3"},
		{[]string{"deepseek-v3", "sandbox"}, "grok-4-fast", "deepseek-v3"},
		// Without any provider it stays with the model that it has.
		{[]string{"sandbox"}, "gpt-5.2", "gpt-5.2"},
		{[]string{"sandbox"}, "deepseek-v3", "deepseek-v3"},
		{[]string{"sandbox"}, "gone", "sandbox"},
		{[]string{"sandbox"}, "sandbox", "sandbox"},
	} {
		all := load(t, builtin(t, c.available...), map[elumenta.AssistantID]string{translator: c.present})
		i := slices.IndexFunc(all, func(s elumenta.Starter) bool { return s.ID == translator })
		if got := all[i].Model; got != c.want {
			t.Errorf("with %v a starter that has %q gets %s, want %s", c.available, c.present, got, c.want)
		}
	}
}

func TestDigest(t *testing.T) {
	models := builtin(t, "sandbox", "gpt-5.2")
	digest := starters.Set(models).Digest
	slices.Reverse(models)
	if starters.Set(models).Digest != digest {
		t.Error("the order of the models changes the starters")
	}
	if starters.Set(builtin(t, "sandbox")).Digest == digest {
		t.Error("a provider less does not change the starters")
	}
	models[0].Capabilities.JSONSchema = !models[0].Capabilities.JSONSchema
	if starters.Set(models).Digest == digest {
		t.Error("what a model takes does not change the starters")
	}
}
