package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store/storetest"
)

// programVariable makes the test binary be the program itself, so that signals, exit codes and terminals are real.
const programVariable = "TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(programVariable) != "" {
		os.Exit(run(os.Args[1:]))
	}
	dir, err := os.MkdirTemp("", "elumenta-cli")
	if err != nil {
		panic(err)
	}
	commandBinary = filepath.Join(dir, "elumenta")
	build := exec.Command("go", "build", "-o", commandBinary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("building the program: %v\n%s", err, out))
	}
	goleak.VerifyTestMain(tests{m}, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// tests are the package's, and stop the Postgres that they started.
type tests struct{ *testing.M }

func (t tests) Run() int { return storetest.Main(t.M) }

// commandBinary is the program as it is built. Commands that run to their end use it: with the race detector, which servers
// are watched by, each would take a second to begin.
var commandBinary string

// testLimit is when a test that waits for the program gives up.
const testLimit = time.Minute

func programCommand(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), testLimit) // it outlives the test until its clean-up
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	if len(args) == 0 || args[0] != "serve" {
		cmd = exec.CommandContext(ctx, commandBinary, args...)
	}
	cmd.Env = append([]string{programVariable + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir()}, env...)
	cmd.Dir = t.TempDir()
	return cmd
}

// result is how a run of the program ended.
type result struct {
	out, err string
	code     int
}

// invoke runs the program to its end.
func invoke(t *testing.T, env []string, stdin string, args ...string) result {
	t.Helper()
	cmd := programCommand(t, env, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	code := 0
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		code = e.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), code}
}

// must is invoke for what has to succeed; it returns standard output without the last line break.
func must(t *testing.T, env []string, stdin string, args ...string) string {
	t.Helper()
	r := invoke(t, env, stdin, args...)
	if r.code != 0 {
		t.Fatalf("%v ended with %d: %s", args, r.code, r.err)
	}
	return strings.TrimSuffix(r.out, "\n")
}

// server is a running program.
type server struct {
	t        *testing.T
	cmd      *exec.Cmd
	url, key string
	database string
	printed  string // the file that takes standard output
	log      *lockedBuffer
	ended    chan struct{} // closed when the process has ended
	code     int           // once ended is closed
}

// lockedBuffer is text that one goroutine writes and others wait for.
type lockedBuffer struct {
	mu      sync.Mutex
	b       bytes.Buffer
	written chan struct{} // closed by the next Write; nil: nobody waits
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.written != nil {
		close(l.written)
		l.written = nil
	}
	return l.b.Write(p)
}

// await waits until the text has what.
func (l *lockedBuffer) await(t *testing.T, what string) {
	t.Helper()
	late := time.After(testLimit)
	for {
		l.mu.Lock()
		there := strings.Contains(l.b.String(), what)
		if l.written == nil {
			l.written = make(chan struct{})
		}
		written := l.written
		l.mu.Unlock()
		if there {
			return
		}
		select {
		case <-written:
		case <-late:
			t.Fatalf("nothing says %q:\n%s", what, l)
		}
	}
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start serves on a free port and waits until the program says where. Without ELUMENTA_BOOTSTRAP_KEY in env, the key is
// the printed one.
func start(t *testing.T, database string, env []string, args ...string) *server {
	t.Helper()
	if database == "" {
		database = "sqlite:" + filepath.Join(t.TempDir(), "elumenta.db")
	}
	s := &server{t: t, database: database, log: &lockedBuffer{}, ended: make(chan struct{})}
	s.cmd = programCommand(t, env, append([]string{"serve", "--addr", "127.0.0.1:0", "--database", database}, args...)...)
	out, err := os.Create(filepath.Join(t.TempDir(), "out")) // a file, so that it is written when the log says so
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	s.cmd.Stdout, s.printed = out, out.Name()
	pipe, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	serving := make(chan string, 1)
	go s.follow(pipe, serving)
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.ended
		if t.Failed() {
			t.Logf("the program's log:\n%s", s.log)
		}
	})
	select {
	case s.url = <-serving:
	case <-s.ended:
		t.Fatalf("the program ended with %d: %s", s.code, s.log)
	}
	if _, after, ok := strings.Cut(s.out(), "Bearer "); ok {
		s.key, _, _ = strings.Cut(after, "'")
	}
	return s
}

func (s *server) out() string {
	b, err := os.ReadFile(s.printed)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

// follow keeps the log, finds the address in it and waits for the end.
func (s *server) follow(log io.Reader, serving chan<- string) {
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		_, _ = fmt.Fprintln(s.log, lines.Text())
		if _, after, ok := strings.Cut(lines.Text(), "msg=serving "); ok {
			_, after, _ = strings.Cut(after, "url=")
			address, _, _ := strings.Cut(after, " ")
			serving <- address
		}
	}
	err := s.cmd.Wait()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		s.code = e.ExitCode()
	}
	close(s.ended)
}

func (s *server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// stop ends the program as a service manager does, and checks that it ends well.
func (s *server) stop() {
	s.t.Helper()
	s.signal(syscall.SIGTERM)
	<-s.ended
	if s.code != 0 {
		s.t.Errorf("ended with %d", s.code)
	}
}

// env is what a client of this server has in its environment.
func (s *server) env() []string {
	return []string{"ELUMENTA_URL=" + s.url, "ELUMENTA_API_KEY=" + s.key}
}

// get asks as the server's first account.
func (s *server) get(path string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: testLimit}
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// generate begins a generation; the caller closes the body.
func (s *server) generate(body string) *http.Response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/api/v2/generate", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp
}

// upstream is a provider that speaks Chat Completions and answers a stream in two halves, the second when it is told to.
type upstream struct {
	*httptest.Server
	arrived chan struct{} // one for each call, after the first half was sent
	release chan struct{} // one for each second half
	key     atomic.Value  // string: the header Authorization of the last call
}

func newUpstream(t *testing.T) *upstream {
	t.Helper()
	u := &upstream{arrived: make(chan struct{}, 10), release: make(chan struct{}, 10)}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		u.key.Store(r.Header.Get("Authorization"))
		w.Header().Set("Content-Type", "text/event-stream")
		piece := func(text, finish string) {
			choice := map[string]any{"index": 0, "delta": map[string]any{"content": text}, "finish_reason": nil}
			if finish != "" {
				choice["finish_reason"] = finish
			}
			b, _ := json.Marshal(map[string]any{"id": "c", "object": "chat.completion.chunk", "choices": []any{choice}})
			_, _ = fmt.Fprintf(w, "data: %s\n\n", b)
			w.(http.Flusher).Flush()
		}
		piece("first half,", "")
		u.arrived <- struct{}{}
		select {
		case <-u.release:
			piece(" second half", "stop")
			_, _ = io.WriteString(w, "data: [DONE]\n\n")
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() {
		u.CloseClientConnections()
		u.Close()
	})
	return u
}

// env points a provider of the program here; its model is deepseek-v3.
func (u *upstream) env() []string {
	return []string{"DEEPSEEK_API_KEY=sk-test", "DEEPSEEK_BASE_URL=" + u.URL}
}

func newKey() string { return elumenta.NewKeySecret().Reveal() }
