package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/elumenta/elumenta"
)

func testAssistant(t *testing.T, url string) {
	s := Open(t, url)
	owner := Account(t, s, "pro")
	a := create(t, s, owner, Fields("Alpha"), elumenta.Private)
	if a.Version != 1 || a.Owner != owner || a.Visibility != elumenta.Private || a.CreatedAt.IsZero() || !a.UpdatedAt.Equal(a.CreatedAt) {
		t.Fatalf("created: %+v", a)
	}
	same(t, s, a)

	unchanged := update(t, s, a, &elumenta.Patch{Name: elumenta.Some("Alpha"), Note: "nothing"})
	if !reflect.DeepEqual(unchanged, a) {
		t.Fatalf("a patch that changes nothing: %+v, want %+v", unchanged, a)
	}
	same(t, s, a)

	changed := update(t, s, a, &elumenta.Patch{Instructions: elumenta.Some(elumenta.Text("New")), Category: elumenta.Optional[string]{Set: true, Null: true}})
	if changed.Version != 2 || changed.Revision <= a.Revision || changed.Instructions != "New" || changed.Category != "" || changed.Name != "Alpha" {
		t.Fatalf("changed: %+v", changed)
	}
	same(t, s, changed)

	_, err := s.UpdateAssistant(t.Context(), owner, a.ID, 1, &elumenta.Patch{Name: elumenta.Some("Beta")})
	want(t, err, elumenta.CodeVersionConflict)
	_, err = s.UpdateAssistant(t.Context(), owner, a.ID, 1, &elumenta.Patch{})
	want(t, err, elumenta.CodeVersionConflict)
	third, err := s.UpdateAssistant(t.Context(), owner, a.ID, 2, &elumenta.Patch{Name: elumenta.Some("Beta")})
	wantOK(t, err)
	same(t, s, third)

	want(t, s.DeleteAssistant(t.Context(), owner, a.ID, 2), elumenta.CodeVersionConflict)
	same(t, s, third)
	wantOK(t, s.DeleteAssistant(t.Context(), owner, a.ID, 3))
	want(t, s.DeleteAssistant(t.Context(), owner, a.ID, 0), elumenta.CodeNotFound)
	_, err = s.Assistant(t.Context(), owner, a.ID)
	want(t, err, elumenta.CodeNotFound)
	_, err = s.Resolve(t.Context(), owner, elumenta.AssistantRef{ID: a.ID})
	want(t, err, elumenta.CodeNotFound)
	var left int
	wantOK(t, Raw(t, url).QueryRowContext(t.Context(), `SELECT (SELECT COUNT(*) FROM assistants) + (SELECT COUNT(*) FROM assistant_versions)`).Scan(&left))
	if left != 0 {
		t.Fatalf("%d rows of a deleted assistant are left", left)
	}
}

// same fails unless the store has exactly this assistant.
func same(t *testing.T, s elumenta.AssistantStore, a *elumenta.Assistant) {
	t.Helper()
	got, err := s.Assistant(t.Context(), a.Owner, a.ID)
	wantOK(t, err)
	if !reflect.DeepEqual(got, a) {
		t.Fatalf("stored %+v\nwant   %+v", got, a)
	}
	items, _, err := s.Assistants(t.Context(), a.Owner, elumenta.ListQuery{Limit: 100})
	wantOK(t, err)
	for _, item := range items {
		if item.ID == a.ID && reflect.DeepEqual(&item, a) {
			return
		}
	}
	t.Fatalf("not in the list as it is: %+v", a)
}

func ptr[T any](v T) *T { return &v }

// testAssistantFields stores odd but allowed values, which come back as they were.
func testAssistantFields(t *testing.T, url string) {
	s := Open(t, url)
	owner := Account(t, s, "pro")
	full := elumenta.Fields{
		Name: "Ünï 名前 <&>'\"%_\\", Model: "m", Instructions: elumenta.Text(strings.Repeat("😀", 1000) + "\r\n\t\u2028\\u0000 {{x}}"),
		Description: strings.Repeat("界", 512), Category: "data", Temperature: ptr(0.1), MaxTokens: ptr(1),
		ResponseFormat: &elumenta.ResponseFormat{Type: elumenta.FormatJSONSchema, Name: "n", Strict: true, Schema: json.RawMessage("{ \"a\" : [1.0,\n\"<\u2028>\"] }")},
		Variables:      []elumenta.Variable{{Name: "x", Description: "<d>", Default: ptr("")}, {Name: "y", Required: true}},
		Metadata:       map[string]string{"k<": "v\u2028", "e": ""},
	}
	for name, change := range map[string]func(*elumenta.Fields){
		"everything":    func(*elumenta.Fields) {},
		"zero settings": func(f *elumenta.Fields) { f.Temperature = ptr(0.0) },
		"text format":   func(f *elumenta.Fields) { f.ResponseFormat = &elumenta.ResponseFormat{Type: elumenta.FormatText} },
		"nothing":       func(f *elumenta.Fields) { *f = elumenta.Fields{Name: "n", Model: "m", Instructions: "i"} },
		"precise":       func(f *elumenta.Fields) { f.Temperature = ptr(1.0 / 3) },
		"large":         func(f *elumenta.Fields) { f.MaxTokens = ptr(1 << 40) },
		"256,000 emojis": func(f *elumenta.Fields) {
			f.Instructions = elumenta.Text(strings.Repeat("🧪", elumenta.MaxInstructions))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := full
			change(&f)
			a := create(t, s, owner, f, elumenta.Private)
			same(t, s, a)
			if repeated := update(t, s, a, patchOf(f)); repeated.Version != 1 {
				t.Fatal("the same fields again made a version")
			}
			snapshot, err := s.Resolve(t.Context(), owner, elumenta.AssistantRef{ID: a.ID})
			wantOK(t, err)
			if snapshot.Instructions != f.Instructions || !reflect.DeepEqual(snapshot.Variables, f.Variables) || !reflect.DeepEqual(snapshot.Settings.ResponseFormat, f.ResponseFormat) ||
				!reflect.DeepEqual(snapshot.Settings.Temperature, f.Temperature) || !reflect.DeepEqual(snapshot.Settings.MaxTokens, f.MaxTokens) {
				t.Fatal("the snapshot differs from the fields")
			}
		})
	}
}

func patchOf(f elumenta.Fields) *elumenta.Patch {
	p := &elumenta.Patch{Name: elumenta.Some(f.Name), Model: elumenta.Some(f.Model), Instructions: elumenta.Some(f.Instructions),
		Description: elumenta.Some(f.Description), Category: elumenta.Some(f.Category), Variables: elumenta.Some(f.Variables), Metadata: elumenta.Some(f.Metadata)}
	if f.Temperature != nil {
		p.Temperature = elumenta.Some(*f.Temperature)
	}
	if f.MaxTokens != nil {
		p.MaxTokens = elumenta.Some(*f.MaxTokens)
	}
	if f.ResponseFormat != nil {
		p.ResponseFormat = elumenta.Some(*f.ResponseFormat)
	}
	return p
}

func testAssistantRefused(t *testing.T, url string) {
	s := Open(t, url)
	owner := Account(t, s, "pro")
	bad := Fields("x")
	bad.Name = ""
	_, _, err := s.CreateAssistant(t.Context(), owner, bad, elumenta.Private, nil)
	want(t, err, elumenta.CodeValidation)
	bare := Fields("x")
	bare.Category = ""
	_, _, err = s.CreateAssistant(t.Context(), owner, bare, elumenta.Marketplace, nil)
	want(t, err, elumenta.CodeValidation)
	_, _, err = s.CreateAssistant(t.Context(), elumenta.NewAccountID(), Fields("x"), elumenta.Private, nil)
	want(t, err, elumenta.CodeNotFound)

	a := create(t, s, owner, Fields("x"), elumenta.Marketplace)
	for name, p := range map[string]*elumenta.Patch{
		"name cleared":          {Name: elumenta.Optional[string]{Set: true, Null: true}},
		"description cleared":   {Description: elumenta.Optional[string]{Set: true, Null: true}},
		"category of none":      {Category: elumenta.Some("sorcery")},
		"unknown visibility":    {Visibility: elumenta.Some(elumenta.Visibility("secret"))},
		"note too long":         {Name: elumenta.Some("y"), Note: strings.Repeat("n", elumenta.MaxNote+1)},
		"instructions too long": {Instructions: elumenta.Some(elumenta.Text(strings.Repeat("i", elumenta.MaxInstructions+1)))},
		"NUL":                   {Description: elumenta.Some("a\x00b")},
	} {
		_, err := s.UpdateAssistant(t.Context(), owner, a.ID, 0, p)
		if !elumenta.HasCode(err, elumenta.CodeValidation) {
			t.Errorf("%s: %v", name, err)
		}
	}
	same(t, s, a)
}

// testAssistantConcurrent changes one assistant from many sides: every change that is acknowledged is a version.
func testAssistantConcurrent(t *testing.T, url string) {
	s := Open(t, url)
	a := create(t, s, Account(t, s, "pro"), Fields("x"), elumenta.Private)
	const n = 16
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			if _, err := s.UpdateAssistant(t.Context(), a.Owner, a.ID, 0, &elumenta.Patch{Name: elumenta.Some(fmt.Sprint("name ", i))}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	got, err := s.Assistant(t.Context(), a.Owner, a.ID)
	wantOK(t, err)
	if got.Version != n+1 || got.Revision != a.Revision+n {
		t.Fatalf("version %d, revision %d after %d changes", got.Version, got.Revision, n)
	}

	conflicts := make([]error, n)
	for i := range n {
		group.Go(func() {
			_, conflicts[i] = s.UpdateAssistant(t.Context(), a.Owner, a.ID, got.Version, &elumenta.Patch{Description: elumenta.Some(fmt.Sprint("d ", i))})
		})
	}
	group.Wait()
	won := 0
	for _, err := range conflicts {
		if err == nil {
			won++
			continue
		}
		want(t, err, elumenta.CodeVersionConflict)
	}
	if won != 1 {
		t.Fatalf("%d conditional changes of one version succeeded", won)
	}
}

func testVersions(t *testing.T, url string) {
	s := Open(t, url)
	a := create(t, s, Account(t, s, "pro"), Fields("one"), elumenta.Private)
	for i, name := range []string{"two", "three", "four"} {
		update(t, s, a, &elumenta.Patch{Name: elumenta.Some(name), Note: fmt.Sprint("note ", i+2)})
	}
	items, more, err := s.Versions(t.Context(), a.Owner, a.ID, 0, 3)
	wantOK(t, err)
	if len(items) != 3 || !more || items[0].Version != 4 || items[0].Name != "four" || items[0].Note != "note 4" || items[0].Instructions != a.Instructions {
		t.Fatalf("first page: %+v, more %t", items, more)
	}
	items, more, err = s.Versions(t.Context(), a.Owner, a.ID, 2, 3)
	wantOK(t, err)
	if len(items) != 1 || more || items[0].Name != "one" || items[0].Note != "" {
		t.Fatalf("last page: %+v, more %t", items, more)
	}

	_, err = s.RestoreVersion(t.Context(), a.Owner, a.ID, 3, 2)
	want(t, err, elumenta.CodeVersionConflict)
	restored, err := s.RestoreVersion(t.Context(), a.Owner, a.ID, 4, 2)
	wantOK(t, err)
	if restored.Version != 5 || restored.Name != "two" || restored.Visibility != elumenta.Private {
		t.Fatalf("restored: %+v", restored)
	}
	same(t, s, restored)
	_, err = s.RestoreVersion(t.Context(), a.Owner, a.ID, 0, 99)
	want(t, err, elumenta.CodeNotFound)
	same5, err := s.RestoreVersion(t.Context(), a.Owner, a.ID, 0, 5)
	wantOK(t, err)
	if !reflect.DeepEqual(same5, restored) {
		t.Fatalf("restoring the newest: %+v", same5)
	}

	want(t, s.WithdrawVersion(t.Context(), a.Owner, a.ID, 5), elumenta.CodeValidation)
	want(t, s.WithdrawVersion(t.Context(), a.Owner, a.ID, 99), elumenta.CodeNotFound)
	wantOK(t, s.WithdrawVersion(t.Context(), a.Owner, a.ID, 3))
	want(t, s.WithdrawVersion(t.Context(), a.Owner, a.ID, 3), elumenta.CodeNotFound)
	_, err = s.Resolve(t.Context(), a.Owner, elumenta.AssistantRef{ID: a.ID, Version: 3})
	want(t, err, elumenta.CodeNotFound)
	items, _, err = s.Versions(t.Context(), a.Owner, a.ID, 0, 10)
	wantOK(t, err)
	var numbers []int
	for _, v := range items {
		numbers = append(numbers, v.Version)
	}
	if !reflect.DeepEqual(numbers, []int{5, 4, 2, 1}) {
		t.Fatalf("versions %v", numbers)
	}

	// A version that cannot be published is not restored to a published assistant.
	bare := update(t, s, a, &elumenta.Patch{Category: elumenta.Some("")})
	update(t, s, a, &elumenta.Patch{Category: elumenta.Some("data"), Visibility: elumenta.Some(elumenta.Marketplace)})
	_, err = s.RestoreVersion(t.Context(), a.Owner, a.ID, 0, bare.Version)
	want(t, err, elumenta.CodeValidation)
}

func testVersionsLimit(t *testing.T, url string) {
	s := Open(t, url)
	a := create(t, s, Account(t, s, "pro"), Fields("one"), elumenta.Private)
	rawExec(t, url, `UPDATE assistants SET versions = $1`, elumenta.MaxVersions-1)
	update(t, s, a, &elumenta.Patch{Name: elumenta.Some("two")})
	_, err := s.UpdateAssistant(t.Context(), a.Owner, a.ID, 0, &elumenta.Patch{Name: elumenta.Some("three")})
	want(t, err, elumenta.CodeValidation)
	_, err = s.RestoreVersion(t.Context(), a.Owner, a.ID, 0, 1)
	want(t, err, elumenta.CodeValidation)
	wantOK(t, s.WithdrawVersion(t.Context(), a.Owner, a.ID, 1))
	update(t, s, a, &elumenta.Patch{Name: elumenta.Some("three")})

	// Visibility alone may change for all that: an author must be able to unpublish.
	for _, v := range []elumenta.Visibility{elumenta.Marketplace, elumenta.Private, elumenta.Marketplace} {
		update(t, s, a, publish(v))
	}
	wantOK(t, s.Unpublish(t.Context(), a.ID, "spam"))
	wantOK(t, s.AllowAssistant(t.Context(), a.ID, ""))
	update(t, s, a, publish(elumenta.Marketplace))
	_, err = s.UpdateAssistant(t.Context(), a.Owner, a.ID, 0, &elumenta.Patch{Visibility: elumenta.Some(elumenta.Private), Name: elumenta.Some("four")})
	want(t, err, elumenta.CodeValidation)

	rawExec(t, url, `UPDATE accounts SET assistants = $1`, elumenta.MaxAssistants)
	_, _, err = s.CreateAssistant(t.Context(), a.Owner, Fields("more"), elumenta.Private, nil)
	want(t, err, elumenta.CodeValidation)
	wantOK(t, s.DeleteAssistant(t.Context(), a.Owner, a.ID, 0))
	create(t, s, a.Owner, Fields("more"), elumenta.Private)
}

func testIdempotent(t *testing.T, url string) {
	s := Open(t, url)
	owner, other := Account(t, s, "pro"), Account(t, s, "pro")
	idem := func(owner elumenta.AccountID, key, body string) *elumenta.Idempotency {
		return s.InstallationSecret().Idempotency(owner, "assistants", key, []byte(body))
	}
	first, replayed, err := s.CreateAssistant(t.Context(), owner, Fields("one"), elumenta.Marketplace, idem(owner, "k", "b"))
	wantOK(t, err)
	if replayed {
		t.Fatal("the first request is a replay")
	}
	update(t, s, first, &elumenta.Patch{Name: elumenta.Some("two"), Visibility: elumenta.Some(elumenta.Private)})
	again, replayed, err := s.CreateAssistant(t.Context(), owner, Fields("one"), elumenta.Marketplace, idem(owner, "k", "b"))
	wantOK(t, err)
	if !replayed || again.ID != first.ID || again.Version != 1 || again.Name != "one" || again.Visibility != elumenta.Marketplace || !again.UpdatedAt.Equal(first.UpdatedAt) {
		t.Fatalf("replayed %t: %+v, want version 1 of %+v", replayed, again, first)
	}
	_, _, err = s.CreateAssistant(t.Context(), owner, Fields("one"), elumenta.Private, idem(owner, "k", "c"))
	want(t, err, elumenta.CodeConflict)
	_, replayed, err = s.CreateAssistant(t.Context(), other, Fields("one"), elumenta.Private, idem(other, "k", "b"))
	wantOK(t, err)
	if replayed {
		t.Fatal("another account's key was found")
	}
	wantOK(t, s.DeleteAssistant(t.Context(), owner, first.ID, 0))
	_, _, err = s.CreateAssistant(t.Context(), owner, Fields("one"), elumenta.Marketplace, idem(owner, "k", "b"))
	want(t, err, elumenta.CodeConflict)
}

func testIdempotentAtOnce(t *testing.T, url string) {
	s := Open(t, url)
	owner := Account(t, s, "pro")
	for round := range 5 {
		const n = 8
		made, replays := make([]*elumenta.Assistant, n), make([]bool, n)
		var group sync.WaitGroup
		for i := range n {
			group.Go(func() {
				var err error
				made[i], replays[i], err = s.CreateAssistant(t.Context(), owner, Fields("one"), elumenta.Private, s.InstallationSecret().Idempotency(owner, "assistants", fmt.Sprint(round), nil))
				if err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if t.Failed() {
			return
		}
		first := 0
		for i := range n {
			if made[i].ID != made[0].ID {
				t.Fatal("two assistants")
			}
			if !replays[i] {
				first++
			}
		}
		if first != 1 {
			t.Fatalf("%d requests were the first", first)
		}
	}
}

func testTextFilter(t *testing.T, url string) {
	s := Open(t, url)
	owner := Account(t, s, "pro")
	for _, name := range []string{"Élan vital", "STRASSE", "100% sure_thing", "back\\slash", "日本語の助手", "ﬁne ligature"} {
		f := Fields(name)
		f.Description = "about " + name
		create(t, s, owner, f, elumenta.Private)
	}
	for text, found := range map[string]int{
		"elan": 1, "ÉLAN": 1, "straße": 1, "%": 1, "_": 1, "100% SURE": 1, `\`: 1, "本語": 1, "fine": 1, "about": 6, "": 6,
		"nothing": 0, "a%t": 0, "e\u0301lan": 1, strings.Repeat("x", 100_000): 0,
	} {
		items, _, err := s.Assistants(t.Context(), owner, elumenta.ListQuery{Limit: 100, Text: text})
		wantOK(t, err)
		if len(items) != found {
			t.Errorf("%.20q finds %d, want %d", text, len(items), found)
		}
	}
}
