package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/assistantfile"
)

// Nothing is deleted once the server has refused something: what was renamed to a name that is refused would be lost.
func TestPruneStopsAtARefusal(t *testing.T) {
	config := filepath.Join(t.TempDir(), "elumenta.toml")
	write(t, filepath.Dir(config), filepath.Base(config), "[marketplace]\ndenied_names = [\"acme\"]\n")
	s := start(t, "", []string{"ELUMENTA_CONFIG=" + config})
	published := map[string]any{"name": "Helper", "model": "sandbox", "instructions": "x", "visibility": "marketplace", "category": "life", "description": "d"}
	s.api("POST", assistantsPath, published)
	s.api("POST", assistantsPath, map[string]any{"name": "Other", "model": "sandbox", "instructions": "x"})
	const head = "---\nmodel: sandbox\nvisibility: marketplace\ncategory: life\ndescription: d\n"
	for _, dir := range []string{"create", "update"} {
		t.Run(dir, func(t *testing.T) {
			path := t.TempDir()
			if dir == "create" { // a new name makes it a new assistant
				write(t, path, "helper.md", head+"name: Acme helper\n---\nx")
			} else {
				write(t, path, "helper.md", head+"name: Acme helper\nid: "+s.all()[1].ID+"\n---\nx")
			}
			r := invoke(t, s.env(), "", "apply", path, "--prune", "--yes")
			if r.code != exitRefused || !strings.Contains(r.err, "name is not allowed here") || !strings.Contains(r.err, "nothing was deleted, since the server refused something: apply again once that is mended") {
				t.Errorf("%+v", r)
			}
			if all := s.all(); len(all) != 2 || all[1].Name != "Helper" {
				t.Errorf("%+v", all)
			}
		})
	}
}

// A change whose file was not rewritten (the answer was lost, or somebody applied the same) is no conflict later.
func TestApplyRaisesVersionsThatWereLeftBehind(t *testing.T) {
	s := start(t, "", nil)
	path := assistantsPath + "/" + s.api("POST", assistantsPath, map[string]any{"name": "One", "model": "sandbox", "instructions": "a"}).ID
	dir := t.TempDir()
	must(t, s.env(), "", "export", dir, "--no-versions")
	replace(t, dir, "one.md", "---\na", "---\nb")
	s.api("PUT", path, map[string]any{"instructions": "b"})
	if r := invoke(t, s.env(), "", "apply", dir, "--dry-run"); r.code != 0 || files(t, dir)["one.md"] != "---\nname: One\nmodel: sandbox\nvisibility: private\nversion: 1\n---\nb" {
		t.Errorf("%+v %v", r, files(t, dir))
	}
	if r := invoke(t, s.env(), "", "apply", dir); r.code != 0 || !strings.Contains(r.out, "0 to update, 0 to delete, 1 unchanged") || !strings.Contains(r.err, "one file says now which version the server has") {
		t.Errorf("%+v", r)
	}
	replace(t, dir, "one.md", "---\nb", "---\nc")
	must(t, s.env(), "", "apply", dir, "--yes")
	if v := s.versions(path[len(assistantsPath)+1:]); v[0].Version != 3 || v[0].Instructions != "c" {
		t.Errorf("%+v", v[0])
	}

	// However the line is written, it is raised.
	for _, settings := range []string{
		"name: One\nmodel: sandbox\nid: ID\n\"version\": 3 # from the server\n", "name: One\r\nmodel: sandbox\r\nid: ID\r\nversion:\r\n  3\r\n",
		"{name: One, \"model\": sandbox, id: ID, version: 3}\n", "{name: One, \"model\": sandbox, description: 写作, id: ID, version: 3}\n",
	} {
		t.Run(settings, func(t *testing.T) {
			now := s.api("GET", path, nil)
			file := func(version int) string {
				return "---\n" + strings.NewReplacer("ID", now.ID, "3", strconv.Itoa(version)).Replace(settings) + "---\n" + settings
			}
			dir := t.TempDir()
			write(t, dir, "a.md", file(now.Version))
			must(t, s.env(), "", "apply", dir, "--yes")
			b, err := os.ReadFile(filepath.Join(dir, "a.md"))
			want := file(now.Version + 1)
			if err != nil || string(b) != want {
				t.Errorf("%v: %q, want %q", err, b, want)
			}
		})
	}
}

// planned is an apply that has made its plan and not begun.
func (s *server) planned(dir string) (*applier, *plan) {
	s.t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		s.t.Fatal(err)
	}
	p := &program{stdin: null, stdout: null, stderr: null, getenv: func(name string) string { return map[string]string{"ELUMENTA_API_KEY": s.key}[name] }}
	f := serverFlags{URL: s.url}
	r, err := f.remote(p)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		r.close()
		_ = root.Close()
		_ = null.Close()
	})
	entries, err := assistantfile.ReadTree(root.FS())
	if err != nil {
		s.t.Fatal(err)
	}
	have, err := r.assistants(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	todo, err := (&planner{remote: r}).plan(s.t.Context(), entriesWanted(entries), have, []string{"sandbox"})
	if err != nil {
		s.t.Fatal(err)
	}
	return &applier{remote: r, program: p, root: root}, todo
}

// Two that apply the same at once make every assistant once. What was made and is gone, or has another name by now, is made
// again.
func TestTwoAppliesMakeNothingTwice(t *testing.T) {
	s := start(t, "", nil)
	dir := t.TempDir()
	for i := range 3 {
		write(t, dir, fmt.Sprintf("%d.md", i), "---\nname: Same\nmodel: sandbox\n---\nx")
	}
	one, plan1 := s.planned(dir)
	two, plan2 := s.planned(dir)
	for _, a := range []struct {
		applier *applier
		plan    *plan
	}{{one, plan1}, {two, plan2}} {
		if err := a.applier.apply(t.Context(), a.plan); err != nil {
			t.Fatal(err)
		}
	}
	all := s.all()
	if len(all) != 3 {
		t.Fatalf("%d assistants", len(all))
	}
	s.api("DELETE", assistantsPath+"/"+all[0].ID, nil)
	s.api("PUT", assistantsPath+"/"+all[1].ID, map[string]any{"name": "Renamed"})
	must(t, s.env(), "", "apply", dir, "--yes")
	if r := invoke(t, s.env(), "", "apply", dir); r.code != 0 || !strings.Contains(r.out, "3 unchanged") || len(s.all()) != 4 {
		t.Errorf("%+v, %d assistants", r, len(s.all()))
	}
}

// Visibility is a change like any other.
func TestApplyComparesVisibility(t *testing.T) {
	s := start(t, "", nil)
	id := s.api("POST", assistantsPath, map[string]any{"name": "One", "model": "sandbox", "instructions": "a", "category": "life", "description": "d"}).ID
	dir := t.TempDir()
	must(t, s.env(), "", "export", dir)
	s.api("PUT", assistantsPath+"/"+id, map[string]any{"instructions": "b"})
	replace(t, dir, "one.md", "visibility: private", "visibility: marketplace")
	if r := invoke(t, s.env(), "", "apply", dir, "--yes"); r.code != exitRefused || !strings.Contains(r.out, "! conflict One") {
		t.Errorf("%+v", r)
	}
	// A take-down hides all versions, and that is no change of the file.
	s.api("PUT", assistantsPath+"/"+id, map[string]any{"visibility": "marketplace"})
	must(t, s.env(), "", "export", dir)
	must(t, []string{"ELUMENTA_DATABASE=" + s.database}, "", "assistants", "takedown", id, "--reason", "r")
	if r := invoke(t, s.env(), "", "apply", dir, "--yes"); r.code != 0 || !strings.Contains(r.out, "< older    One") {
		t.Errorf("%+v", r)
	}
}

// A history that the server would not take is renumbered, or loses its oldest versions.
func TestImportFitsTheServer(t *testing.T) {
	fields := elumenta.Fields{Name: "A", Model: "sandbox", Instructions: "x"}
	history := func(count, first int) (all []assistantfile.Version) {
		for i := range count {
			v := elumenta.Version{Version: first + i, Fields: fields}
			v.Description = strconv.Itoa(i / 2) // each second version changes nothing but visibility
			all = append(all, assistantfile.Version{Version: v})
		}
		return all
	}
	for _, c := range []struct {
		name                 string
		count, first         int
		dropped, from, until int
	}{
		{"as it is", 3, 7, 0, 7, 10},
		{"high numbers", 3, elumenta.MaxVersionNumber - 2, 0, 1, 4},
		{"too many", 2*elumenta.MaxVersions + 2, 1, 4, 5, 2*elumenta.MaxVersions + 3},
		{"one too many with the file's own", 2 * elumenta.MaxVersions, 1, 2, 3, 2*elumenta.MaxVersions + 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			body, err := newImport(&wanted{Assistant: &assistantfile.Assistant{Visibility: elumenta.Private, Fields: fields}}, history(c.count, c.first))
			if err != nil {
				t.Fatal(err)
			}
			dropped, err := body.fit()
			first, last := body.Versions[0]["version"], body.Versions[len(body.Versions)-1]["version"]
			if err != nil || dropped != c.dropped || first != c.from || last != c.until {
				t.Errorf("%d dropped, %v to %v: %v", dropped, first, last, err)
			}
		})
	}
}
