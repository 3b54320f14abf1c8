package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
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
