package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestImportOpenAI(t *testing.T) {
	s := start(t, "", nil)
	file := filepath.Join(t.TempDir(), "list.json")
	list := `{"object": "list", "data": [{"id": "asst_abc", "object": "assistant", "name": "Tutor", "model": "gpt-4o", "instructions": "Teach.", "tools": [{"type": "file_search"}]}, {"id": "asst_x", "object": "assistant", "name": "Empty", "model": "gpt-4o", "instructions": null}], "has_more": true, "last_id": "asst_x"}`
	if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := invoke(t, s.env(), "", "import", "--format", "openai", file, "--yes"); r.code != exitUsage || !strings.Contains(r.err, `list.json:1: model "gpt-4o" is not in this server's catalog: say with --model`) {
		t.Errorf("%+v", r)
	}
	r := invoke(t, s.env(), "", "import", "--format", "openai", file, "--model", "sandbox", "--yes")
	want := "x skip     Empty (list.json:1): it has no instructions\n+ create   Tutor (list.json:1)\n    model gpt-4o is sandbox now\n    left out: tool file_search\n1 to create, 0 to update, 0 to delete, 0 unchanged\n"
	if r.code != 0 || r.out != want || !strings.Contains(r.err, "list.json:1: the list goes on after asst_x") {
		t.Errorf("%d %s%s", r.code, r.out, r.err)
	}
	if r := invoke(t, s.env(), "", "import", "--format", "openai", file, "--model", "sandbox"); r.code != 0 || !strings.Contains(r.out, "0 to create, 0 to update, 0 to delete, 1 unchanged") {
		t.Errorf("%+v", r)
	}
	for args, want := range map[string]string{
		"--format lobe " + file: "--model is required", "--format openai --model nothing " + file: "not in the server's catalog", "--format other " + file: "must be one of", "--format openai /nonexistent": "cannot read what to import",
	} {
		if r := invoke(t, s.env(), "", append([]string{"import"}, strings.Fields(args)...)...); r.code != exitUsage || !strings.Contains(r.err, want) {
			t.Errorf("%s: %+v", args, r)
		}
	}
}

// The collection is imported as a whole, an account's limit of calls a minute notwithstanding, and a second time nothing
// changes.
func TestImportLobeCollection(t *testing.T) {
	dir := os.Getenv("ELUMENTA_FIXTURES")
	if dir == "" {
		dir = "../../../shared/fixtures"
	}
	file, err := filepath.Abs(filepath.Join(dir, "lobe-assistants.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Skipf("the collection is not here: %v", err)
	}
	s := start(t, "", nil)
	acct := must(t, []string{"ELUMENTA_DATABASE=" + s.database}, "", "accounts", "create", "--name", "Ada", "--plan", "free")
	s.key = must(t, []string{"ELUMENTA_DATABASE=" + s.database}, "", "keys", "create", "--account", acct, "--name", "k")
	args := []string{"import", "--format", "lobe", file, "--model", "sandbox", "--publish", "--yes"}
	if r := invoke(t, s.env(), "", args...); r.code != 0 || !strings.Contains(r.err, "505 of 505 done") || !strings.Contains(r.err, "505 assistants without a licence") {
		t.Fatalf("%d: %s", r.code, r.err)
	}
	if r := invoke(t, s.env(), "", args...); r.code != 0 || !strings.Contains(r.out, "0 to create, 0 to update, 0 to delete, 505 unchanged") {
		t.Errorf("%d: %s", r.code, r.err)
	}
	all := s.all()
	if len(all) != 505 || all[0].Metadata["identifier"] == "" || all[0].Visibility != "marketplace" {
		t.Errorf("%d assistants, the last %+v", len(all), all[0])
	}
}
