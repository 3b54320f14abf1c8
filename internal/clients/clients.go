// Package clients has the JavaScript clients of others that tests run against the server: OpenAI's, Anthropic's, Vercel's and LangChain's, as
// package-lock.json names them, and scripts (*.mjs) that use them.
package clients

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

//go:embed package.json package-lock.json *.mjs
var files embed.FS

// installTime is the most that npm may take.
const installTime = 5 * time.Minute

// Install installs the clients from npm, once into the user's cache, and returns the folder that has them and the scripts. Where there is no
// npm the test is skipped.
func Install(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("no npm: install Node.js, as scripts/test-deps does")
	}
	dir, err := install(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func install(ctx context.Context) (string, error) {
	lock, err := files.ReadFile("package-lock.json")
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(lock)
	dir := filepath.Join(cache, "elumenta-test-clients", hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(dir); err != nil {
		if err := download(ctx, dir); err != nil {
			return "", err
		}
	}
	return dir, write(dir, "*.mjs") // they may have changed
}

// download installs beside the place and moves there, so that what is there is whole.
func download(ctx context.Context, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o750); err != nil {
		return err
	}
	part, err := os.MkdirTemp(filepath.Dir(dir), "part-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(part) }()
	if err := write(part, "*.json"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, installTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = part
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w:\n%s", err, out)
	}
	if err := os.Rename(part, dir); err != nil {
		if _, there := os.Stat(dir); there == nil { // another test was faster
			return nil
		}
		return err
	}
	return nil
}

func write(dir, pattern string) error {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return err
	}
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, name)
		if is, err := os.ReadFile(path); err == nil && bytes.Equal(is, b) { //nolint:gosec // a file of ours; another test may be reading it
			continue
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			return err
		}
	}
	return nil
}
