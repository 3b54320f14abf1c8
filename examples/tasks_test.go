package examples

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/elumenta/elumenta/internal/postgres"
)

var (
	blockPattern = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
)

// Every task of the documentation works as it stands there, but for ports and the database's host.
func TestTasks(t *testing.T) {
	page, err := os.ReadFile("../docs/tasks.md")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	build(t, filepath.Join(bin, "elumenta"), "../cmd/elumenta")
	sections := strings.Split(string(page), "\n## ")[1:]
	if len(sections) != 10 {
		t.Fatalf("%d tasks", len(sections))
	}
	for _, section := range sections {
		title, text, _ := strings.Cut(section, "\n")
		t.Run(title, func(t *testing.T) {
			blocks := blockPattern.FindAllStringSubmatch(text, -1)
			if len(blocks) != 1 {
				t.Fatalf("%d blocks", len(blocks))
			}
			runTask(t, bin, blocks[0][1])
		})
	}
}

func runTask(t *testing.T, bin, script string) {
	t.Helper()
	var wanted []string
	for line := range strings.Lines(script) {
		if want, ok := strings.CutPrefix(line, "#> "); ok {
			wanted = append(wanted, strings.TrimSpace(want))
		}
	}
	if len(wanted) == 0 {
		t.Fatal("it says nothing of what is printed")
	}
	first, second := freePort(t), freePort(t)
	script = strings.NewReplacer("127.0.0.1:8080", "127.0.0.1:"+first, "127.0.0.1:8081", "127.0.0.1:"+second).Replace(script)
	if strings.Contains(script, "db.internal") {
		script = strings.ReplaceAll(script, "postgres://elumenta@db.internal/elumenta", "'"+database(t)+"'")
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "ELUMENTA_ADDR=127.0.0.1:"+first, "ELUMENTA_URL=http://127.0.0.1:"+first, "GOTRACEBACK=single")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the servers that it leaves behind end with it
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	cmd.Stdout, cmd.Stderr = out, out
	failed := cmd.Run()
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	if failed != nil {
		t.Errorf("%v\n%s", failed, text)
	}
	for _, want := range wanted {
		if !strings.Contains(string(text), want) {
			t.Errorf("nothing printed has %q:\n%s", want, text)
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// database makes an empty one in a private Postgres.
func database(t *testing.T) string {
	t.Helper()
	cluster, err := postgres.Start(0)
	if err != nil {
		t.Fatalf("start Postgres (make test installs it on Debian and Ubuntu): %v", err)
	}
	t.Cleanup(func() {
		if err := cluster.Remove(); err != nil {
			t.Error(err)
		}
	})
	conn, err := pgx.Connect(t.Context(), cluster.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE tasks"); err != nil {
		t.Fatal(err)
	}
	return cluster.URL("tasks")
}
