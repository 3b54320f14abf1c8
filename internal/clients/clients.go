// Package clients has the clients of others that tests run against the server, and scripts that use them: for JavaScript OpenAI's, Anthropic's,
// Vercel's and LangChain's, as package-lock.json names them (*.mjs), for Python OpenAI's and Anthropic's (python/).
package clients

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

//go:embed package.json package-lock.json *.mjs python
var files embed.FS

// installTime is the most that an installation may take.
const installTime = 5 * time.Minute

// waitDelay is how long what a command has left behind may keep its output open once it has ended.
const waitDelay = 10 * time.Second

// set is clients that are installed together.
type set struct {
	name string
	// pinned are the files that say what is installed.
	pinned []string
	// scripts is the pattern of those that use the clients.
	scripts string
	// command installs into the folder that it is run in, which has the pinned files.
	command []string
}

var (
	javaScript = set{"javascript", []string{"package.json", "package-lock.json"}, "*.mjs", []string{"npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"}}
	python     = set{"python", []string{"python/install", "python/newest.txt", "python/older.txt"}, "python/*.py", []string{"bash", "install", "."}}
)

// JavaScript installs the clients from npm, once into the user's cache, and returns the folder that has them and the scripts. Where there is no
// npm the test is skipped.
func JavaScript(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("no npm: install Node.js, as scripts/test-deps does")
	}
	return javaScript.install(t)
}

// Python installs the clients, once into the user's cache, and returns the folder that has the scripts, and newest and older, each with a
// bin/python that has the clients of an age. Where there is no Python the test is skipped.
func Python(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("no python3: install it, as scripts/test-deps does")
	}
	return python.install(t)
}

func (s *set) install(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	for _, name := range s.pinned {
		b, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(b)
	}
	dir := filepath.Join(cache, "elumenta-test-clients", s.name+"-"+hex.EncodeToString(sum.Sum(nil)[:8]))
	if err := s.once(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// once installs where nobody has, and writes the scripts, which may have changed. Tests of other packages, which are processes of their own, wait.
func (s *set) once(ctx context.Context, dir string) (err error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o750); err != nil {
		return err
	}
	lock := flock.New(dir + ".lock")
	if err := lock.Lock(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	if _, err := os.Stat(dir); err != nil {
		if err := s.download(ctx, dir); err != nil {
			return err
		}
	}
	scripts, err := fs.Glob(files, s.scripts)
	if err != nil {
		return err
	}
	return write(dir, scripts)
}

// download installs beside the place and moves there, so that what is there is whole.
func (s *set) download(ctx context.Context, dir string) error {
	part, err := os.MkdirTemp(filepath.Dir(dir), "part-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(part) }()
	if err := write(part, s.pinned); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, installTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.command[0], s.command[1:]...) //nolint:gosec // one of the two above
	cmd.Dir = part
	cmd.WaitDelay = waitDelay
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%q: %w:\n%s", s.command, err, out)
	}
	return os.Rename(part, dir)
}

// write puts embedded files into a folder.
func write(dir string, names []string) error {
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, filepath.Base(name))
		if is, err := os.ReadFile(path); err == nil && bytes.Equal(is, b) { //nolint:gosec // a file of ours
			continue
		}
		if err := os.WriteFile(path+".part", b, 0o600); err != nil {
			return err
		}
		if err := os.Rename(path+".part", path); err != nil { // another test may be reading it
			return err
		}
	}
	return nil
}
