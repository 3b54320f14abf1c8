package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta/store/storetest"
)

// What keeps the program from starting is said in one clear line, and the program ends with 1.
func TestStartFaults(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	foreign := filepath.Join(t.TempDir(), "foreign.db")
	if err := os.WriteFile(foreign, []byte(strings.Repeat("this is no database ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		options startOptions
		want    []string
	}{
		"port in use":         {startOptions{addr: taken.Addr().String()}, []string{"address", "use"}},
		"no such folder":      {startOptions{database: "sqlite:/nonexistent/folder/elumenta.db"}, []string{"/nonexistent/folder"}},
		"not a database":      {startOptions{database: "sqlite:" + foreign}, []string{"foreign.db"}},
		"unknown scheme":      {startOptions{database: "mysql://localhost/x"}, []string{"sqlite:", "postgres://"}},
		"malformed first key": {startOptions{key: "nb_" + strings.Repeat("0", 45)}, []string{"ELUMENTA_BOOTSTRAP_KEY"}},
		"unreachable":         {startOptions{database: "postgres://u:hunter2secret@127.0.0.1:1/x?connect_timeout=2"}, []string{"127.0.0.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := launch(t, c.options)
			<-s.done
			log := s.log.String()
			if s.err == nil || strings.Contains(log, "goroutine ") || strings.Contains(log, "hunter2secret") {
				t.Errorf("ended with %v: %s", s.err, log)
			}
			for _, want := range c.want {
				if !strings.Contains(log, want) {
					t.Errorf("does not say %q: %s", want, log)
				}
			}
		})
	}
}

// A wrong password is said, and never shown.
func TestWrongPostgresPassword(t *testing.T) {
	url := storetest.Postgres(t)
	user, rest, ok := strings.Cut(strings.TrimPrefix(url, "postgres://"), "@")
	if !ok {
		t.Fatalf("no user in %s", url)
	}
	name, _, _ := strings.Cut(user, ":")
	s := launch(t, startOptions{database: "postgres://" + name + "_nobody:hunter2secret@" + rest})
	<-s.done
	if log := s.log.String(); s.err == nil || strings.Contains(log, "hunter2secret") || !strings.Contains(log, "_nobody") {
		t.Errorf("ended with %v: %s", s.err, log)
	}
}

// A full disk costs requests, not the data: what cannot be made durable is refused with 503, and all goes on once there
// is room. The disk is a small file system of the program's own.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	const mount = `mount -t tmpfs -o size=20m none "$0" && head -c 6m /dev/zero > "$0/ballast" && exec "$@"`
	s := start(t, startOptions{
		database: "sqlite:" + filepath.Join(dir, "elumenta.db"),
		wrap:     []string{"unshare", "--mount", "--map-root-user", "sh", "-c", mount, dir},
	})
	text := strings.Repeat("x", 200_000)
	var acknowledged []string
	var refused *response
	for range 100 {
		r, err := s.call("POST", "/api/v2/assistants", map[string]any{"name": "Bot", "model": "sandbox", "instructions": text})
		if err != nil {
			t.Fatal(err)
		}
		if r.status != http.StatusCreated {
			refused = r
			break
		}
		acknowledged = append(acknowledged, fmt.Sprint(r.json(t)["id"]))
	}
	if refused == nil {
		t.Fatal("the disk never filled")
	}
	if e := refused.json(t); refused.status != 503 || e["error"] != "service_unavailable" || refused.header.Get("Retry-After") == "" {
		t.Errorf("status %d: %v", refused.status, e)
	}
	check := func() {
		for _, id := range acknowledged {
			s.must(t, 200, "GET", "/api/v2/assistants/"+id, nil)
		}
	}
	check()
	// The program's own file system is reached through its process.
	if err := os.Remove(filepath.Join("/proc", strconv.Itoa(s.cmd.Process.Pid), "root", dir, "ballast")); err != nil {
		t.Fatal(err)
	}
	s.createAssistant(t, "sandbox", text)
	check()
}

// A client that sends its header or body a byte at a time is cut off, and the server goes on.
func TestSlowLoris(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as the server waits for a header")
	}
	t.Parallel()
	s := start(t, startOptions{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte("GET /healthz HTTP/1.1\r\nHost: x\r\n")); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() {
		_ = conn.SetReadDeadline(time.Now().Add(2 * time.Minute))
		_, err := conn.Read(make([]byte, 1))
		closed <- err
	}()
	if err := <-closed; err == nil || os.IsTimeout(err) {
		t.Errorf("the server did not close a connection without a whole header: %v", err)
	}
	s.must(t, 200, "GET", "/healthz", nil)
}

// One serve a file: the second says so.
func TestSecondServeOfAFile(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "elumenta.db")
	first := start(t, startOptions{database: database})
	second := launch(t, startOptions{database: database})
	<-second.done
	if second.err == nil || !strings.Contains(second.log.String(), "elumenta.db") {
		t.Errorf("%v: %s", second.err, second.log)
	}
	first.must(t, 200, "GET", "/api/v2/user/me", nil)
}
