package storetest

import (
	"maps"
	"sync"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

// starterSet has an assistant of each name.
func starterSet(digest string, starters ...elumenta.Starter) elumenta.StarterSet {
	return elumenta.StarterSet{Digest: digest, Load: func(map[elumenta.AssistantID]string) ([]elumenta.Starter, error) { return starters, nil }}
}

func newStarter(name string) elumenta.Starter {
	f := Fields(name)
	f.Category, f.Description, f.Copyable = "general", "Does what "+name+" does.", true
	return elumenta.Starter{ID: elumenta.NewAssistantID(), Fields: f}
}

func publishStarters(t *testing.T, s *store.Store, set elumenta.StarterSet, o elumenta.StarterOptions) {
	t.Helper()
	wantOK(t, s.PublishStarters(t.Context(), set, o))
}

// wantStarters fails unless just these starters are published, each in a version.
func wantStarters(t *testing.T, s *store.Store, want map[string]int) {
	t.Helper()
	items, _, err := s.Listings(t.Context(), elumenta.ListingQuery{Sort: elumenta.SortByName, Limit: 100})
	wantOK(t, err)
	versions := map[string]int{}
	for _, l := range items {
		if l.Author != elumenta.StarterAuthorName {
			t.Errorf("%s is by %q", l.Name, l.Author)
		}
		versions[l.Name] = l.Version
	}
	if !maps.Equal(versions, want) {
		t.Errorf("published are %v, want %v", versions, want)
	}
}

func testStarters(t *testing.T, url string) {
	s := Open(t, url)
	first, second, third := newStarter("First"), newStarter("Second"), newStarter("Third")
	publishStarters(t, s, starterSet("a", first, second, third), elumenta.StarterOptions{})
	wantStarters(t, s, map[string]int{"First": 1, "Second": 1, "Third": 1})
	publishStarters(t, s, elumenta.StarterSet{Digest: "a", Load: func(map[elumenta.AssistantID]string) ([]elumenta.Starter, error) {
		t.Error("an unchanged set is loaded")
		return nil, nil
	}}, elumenta.StarterOptions{})

	created, err := s.Bootstrap(t.Context(), elumenta.NewKeySecret(), elumenta.NewAccount{DisplayName: "Ada", Plan: "free"}, "First key")
	if wantOK(t, err); !created {
		t.Error("the built-in author counts as the first account")
	}
	wantOK(t, s.Unpublish(t.Context(), second.ID, "not here"))
	wantOK(t, s.DeleteAssistant(t.Context(), elumenta.StarterAuthor, third.ID, 0))
	kept := starterSet("b", first, newStarter("Fourth"))
	publishStarters(t, s, kept, elumenta.StarterOptions{Keep: true})
	wantStarters(t, s, map[string]int{"First": 1})

	// Load learns which models they have.
	set := starterSet("b2", first, second)
	set.Load = func(models map[elumenta.AssistantID]string) ([]elumenta.Starter, error) {
		if want := map[elumenta.AssistantID]string{first.ID: first.Model, second.ID: second.Model}; !maps.Equal(models, want) {
			t.Errorf("starters have the models %v, want %v", models, want)
		}
		return []elumenta.Starter{first, second}, nil
	}
	publishStarters(t, s, set, elumenta.StarterOptions{})

	first.Instructions, second.Instructions = "Do it better.", "Do it better."
	publishStarters(t, s, starterSet("c", first, second, third, newStarter("Fifth")), elumenta.StarterOptions{Note: "updated"})
	wantStarters(t, s, map[string]int{"First": 2, "Fifth": 1})
	publishStarters(t, s, starterSet("d", first, second), elumenta.StarterOptions{})
	wantStarters(t, s, map[string]int{"First": 2, "Fifth": 1})
	down, err := s.Assistant(t.Context(), elumenta.StarterAuthor, second.ID)
	if wantOK(t, err); down.Visibility != elumenta.Private || down.TakenDown == nil || down.Instructions != second.Instructions {
		t.Errorf("taken down and updated since: %+v", down)
	}
	// Nobody could publish it but the operator who allows it.
	wantOK(t, s.AllowAssistant(t.Context(), second.ID, "harmless"))
	wantStarters(t, s, map[string]int{"First": 2, "Second": 4, "Fifth": 1})
	again, err := s.Assistant(t.Context(), elumenta.StarterAuthor, second.ID)
	if wantOK(t, err); again.TakenDown != nil || again.Instructions != second.Instructions {
		t.Errorf("allowed: %+v", again)
	}
	versions, _, err := s.Versions(t.Context(), elumenta.StarterAuthor, first.ID, 0, 1)
	if wantOK(t, err); versions[0].Note != "updated" || !versions[0].Public {
		t.Errorf("the newest version is %+v", versions[0])
	}
	found, _, err := s.Listings(t.Context(), elumenta.ListingQuery{Text: "fift", Limit: 10})
	if wantOK(t, err); len(found) != 1 {
		t.Errorf("a search finds %d", len(found))
	}
}

// testDeniedStarter allows a starter whose name was denied meanwhile: it is not published.
func testDeniedStarter(t *testing.T, url string) {
	first, second := newStarter("First"), newStarter("Second")
	s := Open(t, url)
	publishStarters(t, s, starterSet("a", first, second), elumenta.StarterOptions{})
	wantOK(t, s.Unpublish(t.Context(), first.ID, "not here"))
	wantOK(t, s.Close())
	denied, _ := elumenta.NewDeniedNames([]string{"first"})
	s = OpenWith(t, store.Options{URL: url, DeniedNames: denied})
	wantOK(t, s.AllowAssistant(t.Context(), first.ID, ""))
	wantStarters(t, s, map[string]int{"Second": 1})
	wantOK(t, s.Close())

	// Once its name is not denied any more the same program publishes it, and one that was left out at first.
	third := newStarter("First aid")
	set := starterSet("b", first, second, third)
	s = OpenWith(t, store.Options{URL: url, DeniedNames: denied})
	publishStarters(t, s, set, elumenta.StarterOptions{})
	publishStarters(t, s, elumenta.StarterSet{Digest: "b", Load: func(map[elumenta.AssistantID]string) ([]elumenta.Starter, error) {
		t.Error("a set whose rest is still denied is loaded")
		return nil, nil
	}}, elumenta.StarterOptions{})
	wantStarters(t, s, map[string]int{"Second": 1})
	wantOK(t, s.Close())
	s = OpenWith(t, store.Options{URL: url})
	publishStarters(t, s, set, elumenta.StarterOptions{Keep: true})
	wantStarters(t, s, map[string]int{"Second": 1})
	publishStarters(t, s, set, elumenta.StarterOptions{})
	wantStarters(t, s, map[string]int{"First": 4, "Second": 1, "First aid": 1})
	publishStarters(t, s, elumenta.StarterSet{Digest: "b"}, elumenta.StarterOptions{}) // nothing is left to be loaded
}

// testStarterAuthor does to the built-in author what operators do to accounts.
func testStarterAuthor(t *testing.T, url string) {
	s := Open(t, url)
	publishStarters(t, s, starterSet("a", newStarter("First")), elumenta.StarterOptions{})
	_, _, err := s.CreateKey(t.Context(), elumenta.StarterAuthor, elumenta.NewKey{Name: "k"}, elumenta.NewKeySecret(), nil)
	want(t, err, elumenta.CodeConflict)
	keys, _, err := s.Keys(t.Context(), elumenta.StarterAuthor, "", 10)
	if wantOK(t, err); len(keys) != 0 {
		t.Errorf("it has %d keys", len(keys))
	}
	_, err = s.ChangeAccount(t.Context(), elumenta.StarterAuthor, &elumenta.AccountPatch{Role: elumenta.Some(elumenta.RoleAdmin)})
	want(t, err, elumenta.CodeConflict)
	a, err := s.ChangeAccount(t.Context(), elumenta.StarterAuthor, &elumenta.AccountPatch{Role: elumenta.Some(elumenta.RoleUser)})
	if wantOK(t, err); a.Role != elumenta.RoleUser {
		t.Errorf("it is %s", a.Role)
	}
	// To suspend it hides all starters at once, over updates, until it is resumed.
	_, err = s.SetSuspended(t.Context(), elumenta.StarterAuthor, true, "we have our own")
	wantOK(t, err)
	wantStarters(t, s, map[string]int{})
	publishStarters(t, s, starterSet("b", newStarter("Second")), elumenta.StarterOptions{})
	wantStarters(t, s, map[string]int{})
	_, err = s.SetSuspended(t.Context(), elumenta.StarterAuthor, false, "")
	wantOK(t, err)
	wantStarters(t, s, map[string]int{"First": 1, "Second": 1})
}

func testStartersAtOnce(t *testing.T, url string) {
	s := Open(t, url)
	set := starterSet("a", newStarter("First"), newStarter("Second"))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := s.PublishStarters(t.Context(), set, elumenta.StarterOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	wantStarters(t, s, map[string]int{"First": 1, "Second": 1})
}
