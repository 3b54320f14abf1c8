// Package examples holds programs that use the API as a newcomer would. Its tests run each against the real server.
package examples

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
)

const limit = time.Minute

func TestExamples(t *testing.T) {
	dir := t.TempDir()
	server := build(t, filepath.Join(dir, "elumenta"), "../cmd/elumenta")
	client := build(t, filepath.Join(dir, "example"), "./go")
	key := elumenta.NewKeySecret().Reveal()
	url := serve(t, server, dir, key)

	sandbox := "This is the sandbox"
	for _, c := range []struct {
		program, file string
		want          []string
	}{
		{"bash", "curl.sh", []string{
			"asst_", `"status":"completed"`, sandbox, `"type":"content_delta"`, "data: [DONE]", `"version":2`, "Handles parcels", "deleted asst_",
		}},
		{"python3", "python/quickstart.py", []string{
			"asst_", sandbox, "Your last message was: How do I reset my password?", "tokens spent: 0 finish reason: stop",
			"Your last message was: And my user name?", "version 2 of Customer Support Bot", "deleted asst_",
		}},
		{client, "", []string{"created asst_", sandbox, "Where is my parcel?", "deleted asst_"}},
	} {
		t.Run(filepath.Base(c.program), func(t *testing.T) {
			command := []string{look(t, c.program), c.file}
			out, err := run(t, url, key, command)
			if err != nil {
				t.Fatalf("%v:\n%s", err, out)
			}
			for _, want := range c.want {
				if !strings.Contains(out, want) {
					t.Errorf("the output lacks %q:\n%s", want, out)
				}
			}
			// What is wrong is said, and ends the program with a failure.
			out, err = run(t, url, elumenta.NewKeySecret().Reveal(), command)
			if err == nil || !strings.Contains(out, "not_authenticated") {
				t.Errorf("with an unknown key: %v:\n%s", err, out)
			}
		})
	}
}

func run(t *testing.T, url, key string, command []string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "ELUMENTA_URL="+url, "ELUMENTA_API_KEY="+key, "ELUMENTA_MODEL=sandbox")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func build(t *testing.T, to, pkg string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", to, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	return to
}

// serve starts the program on a port of its own choice and returns its URL, which the log's first lines tell.
func serve(t *testing.T, binary, dir, key string) string {
	t.Helper()
	cmd := exec.Command(binary, "serve", "--addr", "127.0.0.1:0", "--database", "sqlite:"+filepath.Join(dir, "elumenta.db"), "--log-format", "json")
	cmd.Env = append(os.Environ(), "ELUMENTA_BOOTSTRAP_KEY="+key)
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	started := make(chan string, 1)
	read := make(chan struct{})
	go func() {
		defer close(read)
		lines := bufio.NewScanner(log)
		for lines.Scan() {
			var line struct{ Msg, URL string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
				started <- line.URL
			}
		}
		close(started)
	}()
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		<-read
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	select {
	case url := <-started:
		if url != "" {
			return url
		}
		t.Fatal("the server ended before it served")
	case <-time.After(limit):
		t.Fatal("the server did not start")
	}
	return ""
}

// look finds a program; of Pythons, one that has requests.
func look(t *testing.T, program string) string {
	t.Helper()
	candidates := []string{program}
	if program == "python3" {
		candidates = append(candidates, "/usr/bin/python3")
	}
	for _, name := range candidates {
		path, err := exec.LookPath(name)
		if err == nil && (program != "python3" || exec.CommandContext(t.Context(), path, "-c", "import requests").Run() == nil) {
			return path
		}
	}
	t.Skipf("no %s here, or none with requests: make test installs it on Debian and Ubuntu", program)
	return ""
}
