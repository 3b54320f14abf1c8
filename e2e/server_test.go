package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store/storetest"
)

// binary is built once, by TestMain.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "elumenta-e2e")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		binary = filepath.Join(dir, "elumenta")
		build := exec.Command("go", "build", "-o", binary, "../cmd/elumenta")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
			return 1
		}
		if err := flag.Set("test.parallel", strconv.Itoa(max(6, runtime.GOMAXPROCS(0)))); err != nil { // they mostly wait: for leases, keep-alives, deadlines
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return storetest.Main(m)
	}())
}

// server is one running program.
type server struct {
	t    *testing.T
	url  string
	key  string
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	err  error         // how it ended, once done is closed
	log  *lockedBuffer // standard error
	out  *lockedBuffer // standard output
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// startOptions say how to start a program. Zero values take a fresh SQLite file, a free port and a new key.
type startOptions struct {
	binary   string // another build of the program
	database string
	key      string
	addr     string
	args     []string
	env      []string
	wrap     []string // command before the program, such as prlimit
}

// launch starts the program without waiting for it to serve.
func launch(t *testing.T, o startOptions) *server {
	t.Helper()
	if o.database == "" {
		o.database = "sqlite:" + filepath.Join(t.TempDir(), "elumenta.db")
	}
	if o.key == "" {
		o.key = elumenta.NewKeySecret().Reveal()
	}
	if o.addr == "" {
		o.addr = freeAddr(t)
	}
	if o.binary == "" {
		o.binary = binary
	}
	args := append([]string{}, o.wrap...)
	args = append(args, o.binary, "serve", "--addr", o.addr, "--database", o.database, "--no-starters")
	args = append(args, o.args...)
	s := &server{t: t, url: "http://" + o.addr, key: o.key, cmd: exec.Command(args[0], args[1:]...), done: make(chan struct{}), log: &lockedBuffer{}, out: &lockedBuffer{}}
	s.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "ELUMENTA_BOOTSTRAP_KEY=" + o.key}, o.env...)
	s.cmd.Stderr, s.cmd.Stdout = s.log, s.out
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.done)
	}()
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the program's log:\n%s", tail(s.log.String(), 8000))
		}
	})
	return s
}

// start launches the program and waits until it is ready.
func start(t *testing.T, o startOptions) *server {
	t.Helper()
	s := launch(t, o)
	if err := s.ready(30 * time.Second); err != nil {
		t.Fatalf("%v; log:\n%s", err, s.log)
	}
	return s
}

func (s *server) ready(within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	for {
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/readyz", nil)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-s.done:
			return fmt.Errorf("the program ended: %w", s.err)
		case <-ctx.Done():
			return errors.New("the program is not ready")
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// kill ends the program at once, as kill -9 does, and waits for its end.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// response is an answer read to its end.
type response struct {
	status int
	header http.Header
	body   []byte
}

func (r *response) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(r.body, &v); err != nil {
		t.Fatalf("status %d, not JSON: %v: %s", r.status, err, tail(string(r.body), 500))
	}
	return v
}

// call makes one request with the server's own key. body may be nil, a string or anything that marshals.
func (s *server) call(method, path string, body any, headers ...string) (*response, error) {
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, s.url+path, reader)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	if reader != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	return &response{resp.StatusCode, resp.Header, raw}, err
}

// must makes a request that has to end with this status.
func (s *server) must(t *testing.T, status int, method, path string, body any, headers ...string) *response {
	t.Helper()
	r, err := s.call(method, path, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if r.status != status {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, r.status, status, tail(string(r.body), 1000))
	}
	return r
}

// createAssistant makes an assistant and returns its id.
func (s *server) createAssistant(t *testing.T, model, instructions string, more ...map[string]any) string {
	t.Helper()
	body := map[string]any{"name": "Bot", "model": model, "instructions": instructions}
	for _, m := range more {
		maps.Copy(body, m)
	}
	return s.must(t, http.StatusCreated, "POST", "/api/v2/assistants", body).json(t)["id"].(string)
}

// client has connections enough for every test and no time limit of its own.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}

// events reads an event stream to its end. The last event is "[DONE]", as a string under "done".
func events(r io.Reader) (all []map[string]any, comments int, err error) {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 8<<20)
	for scanner.Scan() {
		line := scanner.Text()
		switch {
		case strings.HasPrefix(line, ":"):
			comments++
		case line == "data: [DONE]":
			all = append(all, map[string]any{"done": true})
		case strings.HasPrefix(line, "data: "):
			var ev map[string]any
			if err := json.Unmarshal([]byte(line[len("data: "):]), &ev); err != nil {
				return all, comments, fmt.Errorf("%w in %q", err, line)
			}
			all = append(all, ev)
		case line != "":
			return all, comments, fmt.Errorf("unexpected line %q", line)
		}
	}
	return all, comments, scanner.Err()
}

// cli runs a command of the program and returns what it printed.
func cli(t *testing.T, database string, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "ELUMENTA_DATABASE=" + database}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, &stderr)
	}
	return strings.TrimSpace(string(out))
}

func decode(raw []byte) map[string]any {
	var v map[string]any
	_ = json.Unmarshal(raw, &v)
	return v
}

// endsWell reports whether a stream was seen to its end: generation_end, then [DONE].
func endsWell(raw []byte) bool {
	all, _, err := events(bytes.NewReader(raw))
	return err == nil && len(all) >= 2 && all[len(all)-1]["done"] == true && all[len(all)-2]["type"] == "generation_end"
}

// stop ends the program as a service manager does, and waits for its end.
func stop(t *testing.T, s *server) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-s.done
	if s.err != nil {
		t.Fatalf("the program ended with %v", s.err)
	}
}
