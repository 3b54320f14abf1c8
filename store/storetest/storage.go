package storetest

import (
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
)

// limitStorage lets accounts store so many bytes from now on.
func limitStorage(s *store.Store, bytes int64) { s.Reload(nil, elumenta.DeniedNames{}, 0, bytes) }

// stored is what an account's assistants store, as the store has counted it.
func stored(t testing.TB, s *store.Store, owner elumenta.AccountID) int64 {
	t.Helper()
	storage, err := s.AssistantStorage(t.Context(), owner)
	wantOK(t, err)
	return storage.Used
}

// recount adds the same up from the texts themselves.
func recount(t testing.TB, db *sql.DB, owner elumenta.AccountID) (bytes int64) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT v.note, v.name, v.model, v.description, v.category, v.instructions,
		coalesce(v.response_format, ''), coalesce(v.variables, ''), coalesce(v.metadata, '')
		FROM assistant_versions AS v JOIN assistants AS a ON a.id = v.assistant_id WHERE a.account_id = $1`, string(owner))
	wantOK(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var texts [9]string
		to := make([]any, len(texts))
		for i := range texts {
			to[i] = &texts[i]
		}
		wantOK(t, rows.Scan(to...))
		for _, text := range texts {
			bytes += int64(len(text))
		}
	}
	wantOK(t, rows.Err())
	return bytes
}

// fullFields have something in every field that counts, in more bytes than characters.
func fullFields(name string) elumenta.Fields {
	f := Fields(name + " – für Zürich")
	f.Instructions = "Антворт {{tone}} 🙂"
	f.ResponseFormat = &elumenta.ResponseFormat{Type: "json_schema", Name: "answer", Schema: []byte(`{"type": "object", "title": "Größe"}`)}
	f.Variables = []elumenta.Variable{{Name: "tone", Description: "wie es klingt: «so»", Required: true}}
	f.Metadata = map[string]string{"Straße": "<ä>"}
	return f
}

// testStorage goes through every way of making a version, with room for none.
func testStorage(t *testing.T, url string) {
	s := Open(t, url)
	db := Raw(t, url)
	owner, reader := Account(t, s, "unlimited"), Account(t, s, "free")
	if n := stored(t, s, owner); n != 0 {
		t.Fatalf("%d bytes are stored of nothing", n)
	}
	a := create(t, s, owner, fullFields("one"), elumenta.Private)
	first := stored(t, s, owner)
	update(t, s, a, &elumenta.Patch{Name: elumenta.Some("two"), Note: "another nåme"})
	shown := create(t, s, owner, fullFields("shown"), elumenta.Marketplace)
	update(t, s, shown, &elumenta.Patch{Copyable: elumenta.Some(true)})
	taken := create(t, s, owner, fullFields("taken"), elumenta.Marketplace)
	used := stored(t, s, owner)
	if want := recount(t, db, owner); used != want || first == 0 || first >= used {
		t.Fatalf("counted %d, after one assistant %d; there are %d", used, first, want)
	}

	limitStorage(s, used)
	storage, err := s.AssistantStorage(t.Context(), owner)
	wantOK(t, err)
	if storage.Limit != used {
		t.Errorf("the limit is %d, want %d", storage.Limit, used)
	}
	_, _, err = s.CreateAssistant(t.Context(), owner, Fields("more"), elumenta.Private, nil)
	for _, part := range []string{fmt.Sprintf("store %d bytes", used), fmt.Sprintf("may have %d:", used), "delete assistants"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the message lacks %q: %v", part, err)
		}
	}
	refused := map[string]func() error{
		"create": func() error {
			_, _, err := s.CreateAssistant(t.Context(), owner, Fields("more"), elumenta.Private, nil)
			return err
		},
		"import": func() error {
			_, _, err := s.ImportAssistant(t.Context(), owner, history(elumenta.Private, 1, 2), nil)
			return err
		},
		"copy": func() error {
			_, _, err := s.CopyAssistant(t.Context(), owner, elumenta.AssistantRef{ID: a.ID}, "", nil)
			return err
		},
		"update": func() error {
			_, err := s.UpdateAssistant(t.Context(), owner, a.ID, 0, &elumenta.Patch{Name: elumenta.Some("3")})
			return err
		},
		"restore": func() error { _, err := s.RestoreVersion(t.Context(), owner, a.ID, 0, 1); return err },
		"publish": func() error {
			_, err := s.UpdateAssistant(t.Context(), owner, a.ID, 0, publish(elumenta.Marketplace))
			return err
		},
		"unpublish and rename": func() error {
			_, err := s.UpdateAssistant(t.Context(), owner, shown.ID, 0, &elumenta.Patch{Visibility: elumenta.Some(elumenta.Private), Name: elumenta.Some("3")})
			return err
		},
	}
	for name, f := range refused {
		if err := f(); !elumenta.HasCode(err, elumenta.CodeValidation) {
			t.Errorf("%s without room: %v", name, err)
		}
	}
	update(t, s, a, &elumenta.Patch{Name: elumenta.Some("two")}) // changes nothing
	if n := stored(t, s, owner); n != used {
		t.Fatalf("what was refused is counted: %d, want %d", n, used)
	}
	if _, _, err := s.CopyAssistant(t.Context(), reader, elumenta.AssistantRef{ID: shown.ID}, "", nil); err != nil {
		t.Errorf("another account's room: %v", err)
	}
	limitStorage(s, 1)
	if _, _, err := s.CopyAssistant(t.Context(), reader, elumenta.AssistantRef{ID: shown.ID}, "", nil); !elumenta.HasCode(err, elumenta.CodeValidation) {
		t.Errorf("a copy without room: %v", err)
	}

	// What is public can be withdrawn for all that, by its author and by operators.
	wantOK(t, s.Unpublish(t.Context(), taken.ID, "spam"))
	wantOK(t, s.AllowAssistant(t.Context(), taken.ID, ""))
	update(t, s, shown, publish(elumenta.Private))
	if n, want := stored(t, s, owner), recount(t, db, owner); n != want || n <= used {
		t.Errorf("counted %d, there are %d, before %d", n, want, used)
	}

	wantOK(t, s.WithdrawVersion(t.Context(), owner, a.ID, 1))
	if n, want := stored(t, s, owner), recount(t, db, owner); n != want {
		t.Errorf("after a version was withdrawn: counted %d, there are %d", n, want)
	}
	for _, id := range []elumenta.AssistantID{taken.ID, shown.ID, a.ID} {
		wantOK(t, s.DeleteAssistant(t.Context(), owner, id, 0))
	}
	if n := stored(t, s, owner); n != 0 {
		t.Errorf("%d bytes are stored of nothing", n)
	}
	limitStorage(s, first-1)
	_, _, err = s.CreateAssistant(t.Context(), owner, fullFields("one"), elumenta.Private, nil)
	want(t, err, elumenta.CodeValidation)
	limitStorage(s, first)
	create(t, s, owner, fullFields("one"), elumenta.Private)
}

// testStorageStarters: what the program brings is counted, and no limit keeps a server from starting.
func testStorageStarters(t *testing.T, url string) {
	s := OpenWith(t, store.Options{URL: url, Serve: true, AssistantStorage: 1})
	starter := newStarter("First")
	publishStarters(t, s, starterSet("a", starter), elumenta.StarterOptions{})
	starter.Instructions = "Other instructions"
	publishStarters(t, s, starterSet("b", starter), elumenta.StarterOptions{Note: "newer"})
	wantStarters(t, s, map[string]int{"First": 2})
	storage, err := s.AssistantStorage(t.Context(), elumenta.StarterAuthor)
	wantOK(t, err)
	if n := recount(t, Raw(t, url), elumenta.StarterAuthor); storage != (elumenta.Storage{Used: n}) || n == 0 {
		t.Errorf("counted %+v, there are %d", storage, n)
	}
}

// testStorageAtOnce has many want the room that there is for one, on two nodes where there may be two.
func testStorageAtOnce(t *testing.T, url string) {
	nodes := []*store.Store{Open(t, url)}
	if shared(url) {
		nodes = append(nodes, Open(t, url))
	}
	s, owner := nodes[0], Account(t, nodes[0], "pro")
	const n = 8
	made := make([]*elumenta.Assistant, n)
	for i := range made {
		made[i] = create(t, s, owner, Fields("same"), elumenta.Private)
	}
	one := stored(t, s, owner) / n
	for round := range 5 {
		for what, f := range map[string]func(i int) error{
			"create": func(i int) error {
				_, _, err := nodes[i%len(nodes)].CreateAssistant(t.Context(), owner, Fields("same"), elumenta.Private, nil)
				return err
			},
			"update": func(i int) error {
				name := fmt.Sprint("no", round)
				if round%2 == 1 {
					name = fmt.Sprint("on", round)
				}
				_, err := nodes[i%len(nodes)].UpdateAssistant(t.Context(), owner, made[i].ID, 0, &elumenta.Patch{Name: elumenta.Some(name)})
				return err
			},
		} {
			for _, node := range nodes {
				limitStorage(node, stored(t, s, owner)+one)
			}
			errs := make([]error, n)
			var group sync.WaitGroup
			for i := range n {
				group.Go(func() { errs[i] = f(i) })
			}
			group.Wait()
			fitted := 0
			for _, err := range errs {
				if err == nil {
					fitted++
				} else {
					want(t, err, elumenta.CodeValidation)
				}
			}
			if fitted != 1 {
				t.Fatalf("%s: %d found the room for one", what, fitted)
			}
		}
	}
}

// testStorageMigrated opens a database that a program made which did not count.
func testStorageMigrated(t *testing.T, url string) {
	s, err := store.Open(t.Context(), store.Options{URL: url, Serve: true})
	wantOK(t, err)
	owner, other := Account(t, s, "pro"), Account(t, s, "pro")
	a := create(t, s, owner, fullFields("one"), elumenta.Marketplace)
	update(t, s, a, &elumenta.Patch{Name: elumenta.Some("zwölf"), Note: "notiz"})
	create(t, s, owner, Fields("bare"), elumenta.Private)
	create(t, s, other, Fields("of another"), elumenta.Private)
	used, others := stored(t, s, owner), stored(t, s, other)
	wantOK(t, s.Close())
	for _, text := range []string{`DROP INDEX assistants_bytes`, `ALTER TABLE assistants DROP COLUMN bytes`, `DROP TABLE deleted_assistants`, `DELETE FROM goose_db_version WHERE version_id >= 5`} {
		rawExec(t, url, text)
	}

	s = OpenWith(t, store.Options{URL: url, Serve: true, AssistantStorage: used})
	if n, m := stored(t, s, owner), stored(t, s, other); n != used || m != others || used == others {
		t.Fatalf("counted %d and %d of what was there, want %d and %d", n, m, used, others)
	}
	_, _, err = s.CreateAssistant(t.Context(), owner, Fields("more"), elumenta.Private, nil)
	want(t, err, elumenta.CodeValidation)

	// An older program saves on in the newer schema, and counts nothing of it: that is put right where a version is withdrawn.
	rawExec(t, url, `UPDATE assistants SET bytes = 1 WHERE id = $1`, string(a.ID))
	wantOK(t, s.WithdrawVersion(t.Context(), owner, a.ID, 1))
	if n, want := stored(t, s, owner), recount(t, Raw(t, url), owner); n != want {
		t.Errorf("counted %d, there are %d", n, want)
	}
}
