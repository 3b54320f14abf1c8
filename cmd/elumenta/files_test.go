package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/assistantfile"
)

// api calls the server as its own account and fails the test if it is refused.
func (s *server) api(method, path string, body any) saved {
	s.t.Helper()
	f := serverFlags{URL: s.url}
	c, err := f.client(&program{getenv: func(name string) string { return map[string]string{"ELUMENTA_API_KEY": s.key}[name] }})
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.close()
	var a saved
	var into any
	if method != http.MethodDelete {
		into = &a
	}
	if _, err := c.call(s.t.Context(), method, path, body, into); err != nil {
		s.t.Fatal(err)
	}
	return a
}

func (s *server) all() []saved {
	s.t.Helper()
	return unmarshal[[]saved](s.t, must(s.t, s.env(), "", "assistants", "list", "--json"))
}

// files reads a folder, without the ids and with its paths made comparable.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		name = regexp.MustCompile(`-[0-9a-z]{8}(\.md|\.versions)`).ReplaceAllString(name, "-ID$1")
		all[name] = regexp.MustCompile(`(?m)^id: .*\n`).ReplaceAllString(string(b), "")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, []byte(content), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func replace(t *testing.T, dir, name, before, after string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil || !strings.Contains(string(b), before) {
		t.Fatalf("%v: %s", err, b)
	}
	write(t, dir, name, strings.Replace(string(b), before, after, 1))
}

// What is exported from one server and applied to another is the same there: versions, notes, dates and gaps included.
func TestFilesRoundTrip(t *testing.T) {
	a := start(t, "", nil)
	rich := a.api("POST", assistantsPath, map[string]any{
		"name": "写作 助手", "model": "sandbox", "instructions": "Du bist {{mood}}.\r\n---\r\n\ttab  ", "description": "Schreibt: \"Texte\"", "category": "writing", "visibility": "marketplace",
		"temperature": 0.3, "max_tokens": 100, "variables": []elumenta.Variable{{Name: "mood", Required: true}}, "metadata": map[string]string{"Team": "a: b"}, "copyable": true,
		"response_format": map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": "n", "schema": map[string]any{"type": "object", "properties": map[string]any{"b<": 1e3, "a": nil}}, "strict": true}},
	})
	path := assistantsPath + "/" + rich.ID
	a.api("PUT", path, map[string]any{"visibility": "private", "note": "not for all"})
	a.api("PUT", path, map[string]any{"instructions": "no line break at the end", "note": "shorter: better"})
	a.api("PUT", path, map[string]any{"instructions": "\n\n---\n", "response_format": nil, "variables": nil})
	a.api("DELETE", path+"/versions/2", nil)
	for range 2 {
		a.api("POST", assistantsPath, map[string]any{"name": "Twin", "model": "sandbox", "instructions": "the same"})
	}
	dir, dir2 := t.TempDir(), t.TempDir()
	if out := must(t, a.env(), "", "export", dir); out != "" {
		t.Error(out)
	}
	exported := files(t, dir)
	if len(exported) != 3+3+2 || exported["写作-助手.versions/2.md"] != "" || !strings.Contains(exported["写作-助手.versions/3.md"], "\nnote: \"shorter: better\"\n") ||
		!strings.HasSuffix(exported["写作-助手.versions/1.md"], "---\nDu bist {{mood}}.\r\n---\r\n\ttab  ") || exported["twin-ID.md"] == "" {
		t.Errorf("%v", exported)
	}
	if r := invoke(t, a.env(), "", "apply", dir); r.code != 0 || !strings.Contains(r.out, "0 to create, 0 to update, 0 to delete, 3 unchanged") {
		t.Errorf("%+v", r)
	}

	b := start(t, "", nil)
	if r := invoke(t, b.env(), "", "apply", dir, "--dry-run"); r.code != exitChanges || strings.Count(r.out, "+ create") != 3 || !strings.Contains(r.out, "with 3 versions") || len(b.all()) > 0 {
		t.Errorf("%+v", r)
	}
	if r := invoke(t, b.env(), "", "apply", dir, "--yes"); r.code != 0 || !strings.Contains(r.err, "3 of 3 done") {
		t.Fatalf("%+v", r)
	}
	if r := invoke(t, b.env(), "", "apply", dir, "--yes"); r.code != 0 || !strings.Contains(r.out, "0 to create, 0 to update, 0 to delete, 3 unchanged") {
		t.Errorf("%+v", r)
	}
	must(t, b.env(), "", "export", dir2)
	again := files(t, dir2)
	for _, set := range []map[string]string{exported, again} {
		for name, content := range set {
			if strings.HasPrefix(name, "twin") { // which of the two is which does not matter
				set[name] = regexp.MustCompile(`created_at: \S+`).ReplaceAllString(content, "created_at: then")
			}
		}
	}
	if diff := cmp.Diff(exported, again); diff != "" {
		t.Error(diff)
	}
	// What was interrupted in the middle is finished.
	b.api("DELETE", assistantsPath+"/"+b.all()[0].ID, nil)
	if r := invoke(t, b.env(), "", "apply", dir, "--yes"); r.code != 0 || !strings.Contains(r.out, "1 to create, 0 to update, 0 to delete, 2 unchanged") {
		t.Errorf("%+v", r)
	}
}

func TestExport(t *testing.T) {
	s := start(t, "", nil)
	one := s.api("POST", assistantsPath, map[string]any{"name": "Support", "model": "sandbox", "instructions": "x"})
	s.api("POST", assistantsPath, map[string]any{"name": "CON", "model": "sandbox", "instructions": "y"})
	dir := filepath.Join(t.TempDir(), "made", "here")
	write(t, dir, "support.md", "# a page of somebody else\n")
	write(t, dir, "notes/keep.txt", "keep")
	write(t, dir, "old.md", "---\nid: "+string(elumenta.NewAssistantID())+"\nname: Old\nmodel: sandbox\n---\nx")
	must(t, s.env(), "", "export", dir, "--no-versions")
	got := files(t, dir)
	if got["support.md"] != "# a page of somebody else\n" || !strings.Contains(got["support-ID.md"], "name: Support") || !strings.Contains(got["con-ID.md"], "name: CON") || len(got) != 5 {
		t.Errorf("%v", got)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".elumenta*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}

	// A file is found by its id wherever it is, and a written one of the same name is taken.
	s.api("PUT", assistantsPath+"/"+one.ID, map[string]any{"name": "Renamed"})
	file := "support-" + one.ID[len(one.ID)-8:] + ".md"
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "team"), 0o750), os.Rename(filepath.Join(dir, file), filepath.Join(dir, "team", "bot.md"))); err != nil {
		t.Fatal(err)
	}
	s.api("POST", assistantsPath, map[string]any{"name": "By hand", "model": "sandbox", "instructions": "z"})
	write(t, dir, "mine.md", "---\nname: By hand\nmodel: sandbox\n---\nolder")
	if r := invoke(t, s.env(), "", "export", dir); r.code != 0 || !strings.Contains(r.err, "files written, 1 unchanged, 0 removed") {
		t.Errorf("%+v", r)
	}
	got = files(t, dir)
	if !strings.Contains(got["team/bot.md"], "name: Renamed") || got["team/bot.versions/2.md"] == "" || !strings.HasSuffix(got["mine.md"], "---\nz") || got[file] != "" || got["old.md"] == "" {
		t.Errorf("%v", got)
	}
	s.api("DELETE", assistantsPath+"/"+one.ID+"/versions/1", nil)
	if r := invoke(t, s.env(), "", "export", dir, "--prune"); r.code != exitUsage || !strings.Contains(r.out, "- old.md\n") || !strings.Contains(r.out, "- team/bot.versions/1.md\n") {
		t.Errorf("%+v", r)
	}
	must(t, s.env(), "", "export", dir, "--prune", "--yes")
	if got := files(t, dir); got["old.md"] != "" || got["team/bot.versions/1.md"] != "" || got["support.md"] == "" || got["notes/keep.txt"] == "" {
		t.Errorf("%v", got)
	}
	// A file of another account that has the name of one here would become a second one.
	write(t, dir, "foreign.md", "---\nid: "+string(elumenta.NewAssistantID())+"\nname: Renamed\nmodel: sandbox\n---\nx")
	if r := invoke(t, s.env(), "", "export", dir); r.code != 0 || !strings.Contains(r.err, "foreign.md has an id that this account does not have, and the name of team/bot.md: apply would make a second assistant of it; --prune removes it") {
		t.Errorf("%+v", r)
	}
	must(t, s.env(), "", "export", dir, "--prune", "--yes")
	// However long a file's name is, it is rewritten.
	if err := os.Rename(filepath.Join(dir, "mine.md"), filepath.Join(dir, strings.Repeat("m", 242)+".md")); err != nil {
		t.Fatal(err)
	}
	s.api("PUT", assistantsPath+"/"+s.all()[0].ID, map[string]any{"description": "new"})
	must(t, s.env(), "", "export", dir, "--no-versions")
	if got := files(t, dir)[strings.Repeat("m", 242)+".md"]; !strings.Contains(got, "description: new") {
		t.Error(got)
	}
	only := t.TempDir()
	must(t, s.env(), "", "export", only, one.ID)
	if got := files(t, only); len(got) != 2 || got["renamed.md"] == "" {
		t.Errorf("%v", got)
	}
	for args, want := range map[string]string{"x": "asst_ and 26", "--prune " + one.ID: "--prune goes with all"} {
		if r := invoke(t, s.env(), "", append([]string{"export", only}, strings.Fields(args)...)...); r.code != exitUsage || !strings.Contains(r.err, want) {
			t.Errorf("%+v", r)
		}
	}
}

func TestApply(t *testing.T) {
	s := start(t, "", nil)
	one := s.api("POST", assistantsPath, map[string]any{"name": "One", "model": "sandbox", "instructions": "a\nb\nc\n"})
	two := s.api("POST", assistantsPath, map[string]any{"name": "Two", "model": "sandbox", "instructions": "two", "visibility": "marketplace", "category": "life", "description": "d"})
	dir := t.TempDir()
	must(t, s.env(), "", "export", dir)
	replace(t, dir, "one.md", "b\nc\n", "B\nc\nd\n")
	replace(t, dir, "one.md", "model: sandbox\n", "model: sandbox\ntemperature: 1\nnote: why\n")
	write(t, dir, "new.md", "---\nname: New\nmodel: sandbox\nnote: from a file\n---\nhello")
	if err := errors.Join(os.Remove(filepath.Join(dir, "two.md")), os.RemoveAll(filepath.Join(dir, "two.versions"))); err != nil {
		t.Fatal(err)
	}
	r := invoke(t, s.env(), "", "apply", dir, "--plan", "--prune")
	want := fmt.Sprintf("+ create   New (new.md)\n~ update   One (one.md): temperature, instructions (+2 −1 lines)\n- delete   Two (%s): all versions, published, used 0 times by other accounts\n1 to create, 1 to update, 1 to delete, 0 unchanged\n", two.ID)
	if r.code != exitChanges || r.out != want {
		t.Errorf("%d: %s\nwant: %s", r.code, r.out+r.err, want)
	}
	if r := invoke(t, s.env(), "", "apply", dir); r.code != exitUsage || !strings.Contains(r.err, "--yes") || len(s.all()) != 2 {
		t.Errorf("%+v", r)
	}
	must(t, s.env(), "", "apply", dir, "--yes", "--prune")
	all := s.all()
	if len(all) != 2 || all[0].Name != "New" || all[1].Instructions != "a\nB\nc\nd\n" || all[1].Version != 2 {
		t.Errorf("%+v", all)
	}
	for id, note := range map[string]string{all[0].ID: "from a file", one.ID: "why"} {
		versions := s.versions(id)
		if versions[0].Note != note {
			t.Errorf("%+v", versions[0])
		}
	}
	// The file knows its new version, so that the next change is no conflict; the note is not said again.
	replace(t, dir, "one.md", "version: 2\n", "version: 2\n")
	replace(t, dir, "one.md", "---\na\n", "---\nA\n")
	must(t, s.env(), "", "apply", dir, "--yes")
	if v := s.versions(one.ID); v[0].Version != 3 || v[0].Note != "" {
		t.Errorf("%+v", v[0])
	}

	// Someone else saves a version: a file that was not changed is older, one that was is in conflict.
	s.api("PUT", assistantsPath+"/"+one.ID, map[string]any{"description": "theirs"})
	if r := invoke(t, s.env(), "", "apply", dir, "--yes"); r.code != 0 || !strings.Contains(r.out, "< older    One (one.md): the server has version 4, the file is from version 3 and has not changed since") {
		t.Errorf("%+v", r)
	}
	replace(t, dir, "one.md", "temperature: 1\n", "temperature: 0\n")
	write(t, dir, "another.md", "---\nname: Another\nmodel: sandbox\n---\nhello")
	if r := invoke(t, s.env(), "", "apply", dir, "--yes"); r.code != exitRefused || !strings.Contains(r.out, "! conflict One (one.md): the server has version 4, the file is from version 3, and both have changed") || len(s.all()) != 2 {
		t.Errorf("%+v", r)
	}
	must(t, s.env(), "", "apply", dir, "--yes", "--force")
	if v := s.versions(one.ID); v[0].Version != 5 || v[0].Description != "" || *v[0].Temperature != 0 {
		t.Errorf("%+v", v[0])
	}
	if r := invoke(t, s.env(), "", "apply", t.TempDir(), "--prune", "--yes"); r.code != exitUsage || !strings.Contains(r.err, "holds no assistants") || len(s.all()) != 3 {
		t.Errorf("%+v", r)
	}
}

func (s *server) versions(id string) []saved {
	s.t.Helper()
	f := serverFlags{URL: s.url}
	r, err := f.remote(&program{stderr: os.Stderr, getenv: func(name string) string { return map[string]string{"ELUMENTA_API_KEY": s.key}[name] }})
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.close()
	all, err := r.versions(s.t.Context(), id, 1<<30)
	if err != nil || len(all) == 0 {
		s.t.Fatal(all, err)
	}
	newestFirst := make([]saved, 0, len(all))
	for i := range all {
		newestFirst = append(newestFirst, all[len(all)-1-i])
	}
	return newestFirst
}

// A folder with a mistake is refused as a whole, with the place of every mistake.
func TestApplyRefusesBadFiles(t *testing.T) {
	s := start(t, "", nil)
	s.api("POST", assistantsPath, map[string]any{"name": "Same", "model": "sandbox", "instructions": "1"})
	s.api("POST", assistantsPath, map[string]any{"name": "Same", "model": "sandbox", "instructions": "2"})
	s.api("POST", assistantsPath, map[string]any{"name": "Single", "model": "sandbox", "instructions": "3"})
	const head = "---\nname: A\nmodel: sandbox\n"
	id := s.all()[0].ID
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"broken":        {map[string]string{"a.md": "---\nname: \"A\n---\n", "b.md": head + "colour: red\n---\nx"}, []string{"a.md:2:7: the settings are not YAML", "b.md:4:1: colour is not a setting"}},
		"bomb":          {map[string]string{"a.md": "---\na: &a [x]\nb: &b [*a,*a,*a]\n---\n"}, []string{"a.md:3:8: anchors, aliases"}},
		"cycle":         {map[string]string{"a.md": "---\nmetadata: &a {x: *a}\n---\n"}, []string{"a.md:2:18: anchors, aliases"}},
		"terminal":      {map[string]string{"\x1b[2J\nx.md": "---\n---\n", "a.md": head + "\x1b[31m: red\n---\nx"}, []string{"·[2J·x.md:1: name is required", "a.md:4:1: ·[31m is not a setting"}},
		"huge":          {map[string]string{"a.md": head + "---\n" + strings.Repeat("x", assistantfile.MaxFile)}, []string{"a.md: has more than 4194304 bytes"}},
		"Latin-1":       {map[string]string{"a.md": head + "---\ncaf\xe9"}, []string{"a.md:5:4: has the byte 0xE9"}},
		"version":       {map[string]string{"a.md": head + "---\nx", "a.versions/1.md": head + "version: 1\n---\nx"}, []string{"a.versions/1.md:1: created_at is required"}},
		"model":         {map[string]string{"a.md": "---\nname: A\nmodel: nothing\n---\nx"}, []string{`a.md:3:1: model "nothing" is not in this server's catalog, which has `}},
		"two of a id":   {map[string]string{"a.md": head + "id: " + id + "\n---\nx", "b.md": head + "id: " + id + "\n---\ny"}, []string{"b.md:4:1: has the same id as a.md"}},
		"ambiguous":     {map[string]string{"a.md": "---\nname: Same\nmodel: sandbox\n---\nx"}, []string{"a.md:2:1: the account has several assistants of this name: say with id"}},
		"two of a name": {map[string]string{"a.md": "---\nname: Single\nmodel: sandbox\n---\nx", "b.md": "---\nname: Single\nmodel: sandbox\n---\ny"}, []string{"b.md:2:1: has the same name as a.md"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "good.md", "---\nname: Good\nmodel: sandbox\n---\nx")
			for file, text := range c.files {
				write(t, dir, file, text)
			}
			r := invoke(t, s.env(), "", "apply", dir, "--yes", "--prune")
			if r.code != exitUsage || r.out != "" || strings.Contains(r.err, "\x1b") {
				t.Errorf("%d, %s%q", r.code, r.out, r.err)
			}
			for _, want := range c.want {
				if !strings.Contains(r.err, want) {
					t.Errorf("no %q in %s", want, r.err)
				}
			}
		})
	}
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret.md")
	if err := errors.Join(os.WriteFile(outside, []byte("---\nname: Secret\nmodel: sandbox\n---\nx"), 0o600), os.Symlink(outside, filepath.Join(dir, "link.md")), os.Symlink("/", filepath.Join(dir, "root"))); err != nil {
		t.Fatal(err)
	}
	if r := invoke(t, s.env(), "", "apply", dir, "--yes"); r.code != exitUsage || !strings.Contains(r.err, "link.md: is a symbolic link") || !strings.Contains(r.err, "root: is a symbolic link") {
		t.Errorf("%+v", r)
	}
	if r := invoke(t, s.env(), "", "apply", filepath.Join(dir, "nowhere")); r.code != exitUsage || !strings.Contains(r.err, "cannot open the folder") {
		t.Errorf("%+v", r)
	}
	if all := s.all(); len(all) != 3 || all[0].Version != 1 {
		t.Errorf("%+v", all)
	}
}

// What the server refuses stops nothing else, and is said.
func TestApplyGoesOnAfterARefusal(t *testing.T) {
	s := start(t, "", nil)
	acct := must(t, []string{"ELUMENTA_DATABASE=" + s.database}, "", "accounts", "create", "--name", "Ada", "--plan", "free")
	s.key = must(t, []string{"ELUMENTA_DATABASE=" + s.database}, "", "keys", "create", "--account", acct, "--name", "k")
	dir := t.TempDir()
	write(t, dir, "a.md", "---\nname: A\nmodel: sandbox\nmax_tokens: 2147483647\n---\nx")
	write(t, dir, "b.md", "---\nname: B\nmodel: sandbox\n---\nx")
	write(t, dir, "a.versions/1.md", "---\nname: A\nmodel: sandbox\nversion: 1\ncreated_at: 1960-01-01T00:00:00Z\npublic: false\n---\nx")
	r := invoke(t, s.env(), "", "apply", dir, "--yes")
	if r.code != exitRefused || !strings.Contains(r.err, "1 of 2 done") || !strings.Contains(r.err, "a.md: versions[0].created_at must not be before") {
		t.Errorf("%+v", r)
	}
	if all := s.all(); len(all) != 1 || all[0].Name != "B" {
		t.Errorf("%+v", all)
	}
}

// Too many calls are waited for, as long as the server asks and not for ever.
func TestRemoteWaits(t *testing.T) {
	calls := 0
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls++
		switch calls {
		case 1:
			w.Header().Set("Retry-After", "1")
		case 2:
			_, _ = w.Write([]byte(`{"id": "x"}`))
			return
		default:
			w.Header().Set("Retry-After", "3600")
		}
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"error": "rate_limit_exceeded", "message": "wait"}`))
	}))
	defer h.Close()
	f := serverFlags{URL: h.URL}
	r, err := f.remote(&program{stderr: os.Stderr, getenv: func(string) string { return newKey() }})
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	var a saved
	if err := r.call(t.Context(), "GET", "/", nil, &a); err != nil || a.ID != "x" || calls != 2 {
		t.Errorf("%+v after %d calls: %v", a, calls, err)
	}
	if err := r.call(t.Context(), "GET", "/", nil, &a); err == nil || calls != 3 {
		t.Errorf("%d calls: %v", calls, err)
	}
}
