//go:build unix

package assistantfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/elumenta/elumenta/assistantfile"
)

// A named pipe in a stranger's folder would be waited for without end.
func TestNamedPipesAreRefused(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.md", "b.versions/1.md", "c.json"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Skipf("no named pipes here: %v", err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "b.md"), []byte(head+"---\nx"), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	_, err = assistantfile.ReadTree(root.FS())
	for _, want := range []string{"a.md: is not a regular file", "b.versions/1.md: is not a regular file"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	if _, err := conversion().ReadLobe(root.FS(), "c.json"); err == nil || !strings.Contains(err.Error(), "c.json: is not a regular file") {
		t.Error(err)
	}
}
