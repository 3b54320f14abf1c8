//go:build unix

package examples

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
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
	blockPattern  = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	notRunPattern = regexp.MustCompile(`<!-- not run: (.*?) -->`)
)

// tasks is what stands in for the hosts that the page names.
type tasks struct {
	bin, ollama, database string
}

// Every task of the documentation works as it stands there, but for ports and hosts, and stops what it started.
func TestTasks(t *testing.T) {
	page, err := os.ReadFile("../docs/tasks.md")
	if err != nil {
		t.Fatal(err)
	}
	run := tasks{bin: t.TempDir(), ollama: fakeOllama(t), database: database(t)}
	build(t, filepath.Join(run.bin, "elumenta"), "../cmd/elumenta")
	sections := strings.Split(string(page), "\n## ")[1:]
	if len(sections) != 10 {
		t.Fatalf("%d tasks", len(sections))
	}
	for _, section := range sections {
		title, text, _ := strings.Cut(section, "\n")
		t.Run(title, func(t *testing.T) {
			for _, m := range notRunPattern.FindAllStringSubmatch(text, -1) {
				t.Logf("not run: %s", m[1])
			}
			blocks := blockPattern.FindAllStringSubmatch(text, -1)
			if len(blocks) != 1 {
				t.Fatalf("%d blocks", len(blocks))
			}
			run.task(t, blocks[0][1])
		})
	}
}

func (run *tasks) task(t *testing.T, script string) {
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
	script = strings.NewReplacer("127.0.0.1:8080", "127.0.0.1:"+first, "127.0.0.1:8081", "127.0.0.1:"+second, "127.0.0.1:11434", run.ollama,
		"postgres://elumenta@db.internal/elumenta", "'"+run.database+"'").Replace(script)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "PATH="+run.bin+":"+os.Getenv("PATH"), "ELUMENTA_ADDR=127.0.0.1:"+first, "ELUMENTA_URL=http://127.0.0.1:"+first)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // whatever it leaves behind ends with it
	var out, log strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &log
	cmd.WaitDelay = limit
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }()
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s%s", err, &out, &log)
	}
	for _, want := range wanted {
		if !strings.Contains(out.String(), want) {
			t.Errorf("nothing printed has %q:\n%s%s", want, &out, &log)
		}
	}
	for _, port := range []string{first, second} {
		var d net.Dialer
		if conn, err := d.DialContext(t.Context(), "tcp", "127.0.0.1:"+port); err == nil {
			_ = conn.Close()
			t.Error("a server still runs")
		}
	}
}

// fakeOllama answers a chat as Ollama does over its OpenAI-compatible API, and returns its address.
func fakeOllama(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/chat/completions" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"llama3.2","system_fingerprint":"fp_ollama",`+
			`"choices":[{"index":0,"message":{"role":"assistant","content":"Hello there"},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":2,"total_tokens":13}}`)
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
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
