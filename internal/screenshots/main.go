// Command screenshots takes the pictures of the console that README.md shows: of the real program with a database of its own, in
// Chromium. What the models say in them is written down in provider.go.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// limit is how long all of it may take.
const limit = 3 * time.Minute

func main() {
	binary := flag.String("elumenta", "bin/elumenta", "the program")
	out := flag.String("out", "docs/images", "where the pictures go")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, limit)
	err := take(ctx, *binary, *out, os.Stdout)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "screenshots:", err)
		os.Exit(1)
	}
}

func take(ctx context.Context, binary, out string, progress io.Writer) error {
	dir, err := os.MkdirTemp("", "elumenta-screenshots")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	models := startProvider()
	defer models.Close()
	s, err := serve(ctx, binary, dir, models.URL)
	if err != nil {
		return err
	}
	defer s.stop()
	if err := s.furnish(ctx); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil { //nolint:gosec // pictures for everyone
		return err
	}
	return s.take(ctx, func(name string, image []byte) error {
		path := filepath.Join(out, name+".webp")
		_, _ = fmt.Fprintf(progress, "%s, %d KB\n", path, len(image)>>10)
		return os.WriteFile(path, image, 0o644) //nolint:gosec // pictures for everyone
	})
}

// findChromium names a Chromium or Chrome.
func findChromium() (string, error) {
	for _, name := range []string{"chromium", "google-chrome", "google-chrome-stable", "chromium-browser"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no Chromium: install it, as scripts/test-deps does on Debian")
}
