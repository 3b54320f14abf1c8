package e2e_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// goModule is that of a program that uses the client.
const goModule = "module x\n\ngo 1.24\n\nrequire github.com/elumenta/elumenta/client v0.0.0\n\nreplace github.com/elumenta/elumenta/client => "

// ownClient is one of our own clients, generated from the OpenAPI document.
type ownClient struct {
	dir  string   // from the repository's root
	test []string // the command that runs its tests, there
	// program is the command that runs docs/clients.md's program in a folder, where it is the named file.
	file    string
	program func(t *testing.T, folder, client string) []string
	needs   string
}

var ownClients = map[string]ownClient{
	"go": {
		dir: "client", test: []string{"go", "test", "-count=1", "."}, file: "main.go", needs: "go",
		program: func(t *testing.T, folder, client string) []string {
			write(t, filepath.Join(folder, "go.mod"), goModule+client+"\n")
			return []string{"go", "run", "."}
		},
	},
	"js": {
		dir: "clients/javascript", test: []string{"node", "--test", "--test-reporter=spec"}, file: "main.mjs", needs: "npm",
		program: func(t *testing.T, folder, client string) []string {
			write(t, filepath.Join(folder, "package.json"), "{}")
			command(t, folder, nil, "npm", "install", "--offline", "--no-audit", "--no-fund", client)
			return []string{"node", "main.mjs"}
		},
	},
	"python": {
		dir: "clients/python", test: []string{"python3", "-W", "error", "-m", "unittest", "discover", "-s", "tests"}, file: "main.py", needs: "python3",
		program: func(*testing.T, string, string) []string { return []string{"python3", "-W", "error", "main.py"} },
	},
}

// Our own clients work against the program: their tests stand with them, and docs/clients.md has a program for each.
func TestOwnClients(t *testing.T) {
	page, err := os.ReadFile("../docs/clients.md")
	if err != nil {
		t.Fatal(err)
	}
	for language, c := range ownClients {
		t.Run(language, func(t *testing.T) {
			if _, err := exec.LookPath(c.needs); err != nil {
				t.Skip(err, ": scripts/test-deps installs it")
			}
			dir, err := filepath.Abs("../" + c.dir)
			if err != nil {
				t.Fatal(err)
			}
			readAll(t, dir)
			s := start(t, startOptions{})
			env := []string{"GOWORK=off", "BASE_URL=" + s.url, "API_KEY=" + s.key, "ELUMENTA_API_KEY=" + s.key, "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH=" + dir + "/src"}
			command(t, dir, env, c.test...)
			programs := regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(page), -1)
			if len(programs) != 1 {
				t.Fatalf("docs/clients.md has %d programs", len(programs))
			}
			folder := t.TempDir()
			write(t, filepath.Join(folder, c.file), strings.Replace(programs[0][1], "http://127.0.0.1:8080", s.url, 1))
			if out := command(t, folder, env, c.program(t, folder, dir)...); !strings.HasSuffix(out, "Your last message was: Where is my parcel?") {
				t.Errorf("the program of docs/clients.md prints %q", out)
			}
		})
	}
}

// command runs one to its end and returns what it printed.
func command(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v:\n%s", args, err, out)
	}
	return string(out)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// readAll tells the go command what the test depends on: what another process reads it does not see, and a cached result would stand.
func readAll(t *testing.T, dir string) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		_, err = os.ReadFile(path)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
