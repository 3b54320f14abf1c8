package assistantfile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/assistantfile"
)

func versionFile(n int, at string) string {
	return fmt.Sprintf("---\nversion: %d\ncreated_at: %s\npublic: false\nname: A\nmodel: m\n---\nx", n, at)
}

func folder(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func TestReadTree(t *testing.T) {
	fsys := folder(map[string]string{
		"b.md": head + "---\nb", "team/a.md": head + "---\na", "README.md": "# Hello", ".git/x.md": "no", "notes.txt": "no",
		"b.versions/2.md": versionFile(2, "2026-01-02T00:00:00Z"), "b.versions/10.md": versionFile(10, "2026-01-03T00:00:00Z"), "b.versions/.keep": "",
	})
	entries, err := assistantfile.ReadTree(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 || entries[0].Path != "b.md" || entries[1].Path != "team/a.md" || entries[1].Instructions != "a" {
		t.Fatalf("%+v", entries)
	}
	if diff := cmp.Diff([]string{"b.versions/2.md", "b.versions/10.md"}, entries[0].Versions); diff != "" {
		t.Error(diff)
	}
	versions, err := assistantfile.ReadVersions(fsys, &entries[0])
	if err != nil || len(versions) != 2 || versions[1].Version.Version != 10 {
		t.Errorf("%v, %v", versions, err)
	}
}

func TestTreeProblems(t *testing.T) {
	entries, err := assistantfile.ReadTree(folder(map[string]string{
		"good.md": head + "---\nx", "bad.md": "---\nname: A\nmodel: m\ncolour: red\n---\nx", "latin.md": "caf\xe9", "dir.md/x.txt": "",
		"gone.versions/1.md": versionFile(1, "2026-01-01T00:00:00Z"),
		"good.versions/1.md": versionFile(2, "2026-01-02T00:00:00Z"), "good.versions/2.md": versionFile(2, "2026-01-01T00:00:00Z"), "good.versions/03.md": "", "good.versions/x": "",
		"1/2/3/4/5/6/7/8/deep.md": head + "---\nx",
	}))
	if len(entries) != 1 || entries[0].Path != "good.md" {
		t.Errorf("%+v", entries)
	}
	want := []string{
		"good.versions/03.md: is not a version", "good.versions/x: is not a version",
		"good.versions/1.md:2:1: version is 2, and the file is named 1", "good.versions/2.md:3:1: created_at is before that of version 2",
		"1/2/3/4/5/6/7/8: stands deeper than 8 folders",
		"bad.md:4:1: colour is not a setting", "dir.md: is a folder", "latin.md:1:4: has the byte 0xE9",
		"gone.versions: holds versions of an assistant that is not beside it: remove it, or put gone.md back",
	}
	if err == nil {
		t.Fatal("no error")
	}
	for _, w := range want {
		if !strings.Contains("\n"+err.Error(), "\n"+w) {
			t.Errorf("no %q in\n%v", w, err)
		}
	}
	if n := strings.Count(err.Error(), "\n") + 1; n != len(want) {
		t.Errorf("%d problems, want %d:\n%v", n, len(want), err)
	}
}

// A link that climbs out of the folder is not followed, and neither is one that does not.
func TestLinksAreRefused(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret.md")
	dir := t.TempDir()
	for _, err := range []error{
		os.WriteFile(secret, []byte(head+"---\nsecret"), 0o600), os.Symlink(secret, filepath.Join(dir, "a.md")), os.Symlink(filepath.Dir(secret), filepath.Join(dir, "b")),
		os.WriteFile(filepath.Join(dir, "unreadable.md"), []byte(head+"---\nx"), 0), os.Symlink(".", filepath.Join(dir, "c")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	_, err = assistantfile.ReadTree(root.FS())
	for _, want := range []string{"a.md: is a symbolic link", "b: is a symbolic link", "c: is a symbolic link"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	if os.Getuid() != 0 && !strings.Contains(err.Error(), "unreadable.md: cannot be read: permission denied") {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	var names assistantfile.Names
	const id = elumenta.AssistantID("asst_01j9x2m4k6e8r0t2v4x6z8a0b2")
	for _, c := range [][2]string{
		{"Customer Support (v2)", "customer-support-v2"}, {"customer support V2!", "customer-support-v2-x6z8a0b2"}, {"写作 助手", "写作-助手"}, {"Ещё помощник", "ещё-помощник"},
		{"日本語がんばる", "日本語がんばる"}, {"हिन्दी", "हिन्दी"}, {"../../etc/passwd", "etc-passwd"}, {"C:\\x", "c-x"}, {"CON", "con-x6z8a0b2"}, {"readme", "readme-x6z8a0b2"}, {"🙂", "assistant"}, {"!!", "assistant-x6z8a0b2"},
		{"Éclair", "éclair"}, {"E\u0301clair", "éclair-x6z8a0b2"}, {"ﬁne…", "fine"},
	} {
		if got := names.For(c[0], id); got != c[1] {
			t.Errorf("%q: %q, want %q", c[0], got, c[1])
		}
	}
}

// Whatever the names are, files never collide, not even where case does not count.
func TestNamesAreSafe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var names assistantfile.Names
		seen := map[string]bool{}
		for range rapid.IntRange(1, 10).Draw(t, "count") {
			name := names.For(rapid.OneOf(rapid.SampledFrom([]string{"a", "A", "con", ""}), rapid.StringN(0, 60, -1)).Draw(t, "name"), elumenta.NewAssistantID())
			key := strings.ToUpper(name)
			if seen[key] || strings.ContainsAny(name, "./\\:*?\"<>| ") || len(name) > 160 || !utf8.ValidString(name) {
				t.Fatalf("%q", name)
			}
			seen[key] = true
		}
	})
}
