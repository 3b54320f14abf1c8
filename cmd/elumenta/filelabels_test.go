package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Labels of a file are those of the server once it is applied, there and on another server, and nobody's where the file says nothing.
func TestFilesKeepLabels(t *testing.T) {
	s := start(t, "", nil)
	one := s.api("POST", assistantsPath, map[string]any{"name": "One", "model": "sandbox", "instructions": "a"})
	path := assistantsPath + "/" + one.ID
	s.api("PUT", path, map[string]any{"instructions": "b"})
	s.api("PUT", path, map[string]any{"instructions": "c"})
	s.api("PUT", path+"/labels/production", map[string]any{"version": 2})
	s.api("PUT", path+"/labels/trial", map[string]any{"split": []map[string]int{{"version": 3, "weight": 1}, {"version": 2, "weight": 9}}})
	dir := t.TempDir()
	must(t, s.env(), "", "export", dir)
	const labels = "labels:\n  production: 2\n  trial:\n    - version: 2\n      weight: 9\n    - version: 3\n      weight: 1\n"
	exported := files(t, dir)
	if !strings.Contains(exported["one.md"], "version: 3\n"+labels+"---\n") || strings.Contains(exported["one.versions/2.md"], "labels") {
		t.Fatalf("%v", exported)
	}
	if r := invoke(t, s.env(), "", "apply", dir, "--dry-run"); r.code != 0 || !strings.Contains(r.out, "1 unchanged") {
		t.Errorf("%+v", r)
	}

	other := start(t, "", nil)
	if r := invoke(t, other.env(), "", "apply", dir, "--yes"); r.code != 0 || !strings.Contains(r.out, "label production to version 2, label trial to version 2 (weight 9) and 3 (weight 1), with 3 versions") {
		t.Fatalf("%+v", r)
	}
	dir2 := t.TempDir()
	must(t, other.env(), "", "export", dir2)
	if again := files(t, dir2); again["one.md"] != exported["one.md"] {
		t.Errorf("%s\nwant\n%s", again["one.md"], exported["one.md"])
	}

	// A label moves with the version that the same change makes; another one that the file has no more is deleted.
	replace(t, dir, "one.md", labels+"---\nc", "labels: {production: 4}\n---\nd")
	r := invoke(t, s.env(), "", "apply", dir, "--dry-run")
	if r.code != exitChanges || !strings.Contains(r.out, "instructions (+1 −1 lines), label production to version 4, label trial deleted") {
		t.Errorf("%+v", r)
	}
	must(t, s.env(), "", "apply", dir, "--yes")
	dir3 := t.TempDir()
	must(t, s.env(), "", "export", dir3)
	if now := files(t, dir3)["one.md"]; !strings.Contains(now, "version: 4\nlabels:\n  production: 4\n---\nd") {
		t.Errorf("%s", now)
	}

	// Labels alone make no version; a version that is not saved is found before anything is done.
	replace(t, dir, "one.md", "{production: 4}", "{production: 9}")
	if r := invoke(t, s.env(), "", "apply", dir, "--yes"); r.code == 0 || !strings.Contains(r.err, "labels.production names version 9, which is not saved") {
		t.Errorf("%+v", r)
	}
	replace(t, dir, "one.md", "{production: 9}", "{production: 1}")
	if r := invoke(t, s.env(), "", "apply", dir, "--yes"); r.code != 0 || !strings.Contains(r.out, "~ update   One (one.md): label production to version 1\n") {
		t.Errorf("%+v", r)
	}
	replace(t, dir, "one.md", "labels: {production: 1}\n", "")
	if r := invoke(t, s.env(), "", "apply", dir, "--yes"); r.code != 0 || !strings.Contains(r.out, "1 unchanged") {
		t.Errorf("%+v", r)
	}
	replace(t, dir, "one.md", "version: 4\n", "version: 4\nlabels: {}\n")
	if r := invoke(t, s.env(), "", "apply", dir, "--yes"); r.code != 0 || !strings.Contains(r.out, ": label production deleted\n") {
		t.Errorf("%+v", r)
	}
	if now := s.api("GET", path, nil); now.Version != 4 {
		t.Errorf("version %d", now.Version)
	}
}

// Labels stop nothing that has no use for them: a file that is passed over, one without its versions, and a history that is numbered anew.
func TestLabelsThatCannotBeKept(t *testing.T) {
	s := start(t, "", nil)
	path := assistantsPath + "/" + s.api("POST", assistantsPath, map[string]any{"name": "One", "model": "sandbox", "instructions": "a"}).ID
	s.api("PUT", path, map[string]any{"instructions": "b"})
	s.api("PUT", path+"/labels/production", map[string]any{"version": 1})
	dir, alone := t.TempDir(), t.TempDir()
	must(t, s.env(), "", "export", dir)
	must(t, s.env(), "", "export", alone, "--no-versions")
	if text := files(t, alone)["one.md"]; strings.Contains(text, "labels") {
		t.Errorf("%s", text)
	}
	other := start(t, "", nil)
	if r := invoke(t, other.env(), "", "apply", alone, "--yes"); r.code != 0 || len(other.all()) != 1 {
		t.Errorf("%+v", r)
	}

	s.api("PUT", path, map[string]any{"instructions": "c"})
	s.api("PUT", path+"/labels/production", map[string]any{"version": 3})
	s.api("DELETE", path+"/versions/1", nil)
	if r := invoke(t, s.env(), "", "apply", dir, "--dry-run"); r.code != 0 || !strings.Contains(r.out, "has not changed since") {
		t.Errorf("%+v", r)
	}

	replace(t, dir, "one.md", "version: 2\n", "version: 1000002\n")
	replace(t, dir, "one.md", "production: 1\n", "production: 1000001\n")
	for _, n := range []string{"1", "2"} {
		name := "one.versions/" + n + ".md"
		replace(t, dir, name, "version: "+n+"\n", "version: 100000"+n+"\n")
		if err := os.Rename(filepath.Join(dir, name), filepath.Join(dir, "one.versions", "100000"+n+".md")); err != nil {
			t.Fatal(err)
		}
	}
	third := start(t, "", nil)
	if r := invoke(t, third.env(), "", "apply", dir, "--yes"); r.code != 0 || !strings.Contains(r.out, "label production left out") || len(third.all()) != 1 {
		t.Errorf("%+v", r)
	}
}
