package e2e_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/jackc/pgx/v5"
)

// tool finds a program of another project. Without it the test is skipped, but fails where CI is set.
func tool(t *testing.T, name string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "" {
		t.Skipf("%s is not installed: scripts/test-deps does it on Debian and Ubuntu", name)
	}
	t.Fatalf("%s is not installed", name)
	return ""
}

// daemon runs another project's program until the test ends, and shows what it said if the test failed.
func daemon(t *testing.T, argv ...string) {
	t.Helper()
	out := &lockedBuffer{}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		end := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		end.Stop()
		if t.Failed() {
			t.Logf("the log of %s:\n%s", argv[0], tail(out.String(), 4000))
		}
	})
}

// startAll starts nodes on one database, all at once, and waits until all are ready.
func startAll(t *testing.T, n int, o startOptions) []*server {
	t.Helper()
	if o.key == "" {
		o.key = elumenta.NewKeySecret().Reveal()
	}
	nodes := make([]*server, n)
	for i := range nodes {
		nodes[i] = launch(t, o)
	}
	for _, s := range nodes {
		if err := s.ready(time.Minute); err != nil {
			t.Fatalf("%v; log:\n%s", err, s.log)
		}
	}
	return nodes
}

// as is the same server called with another key.
func (s *server) as(key string) *server {
	other := *s
	other.key = key
	return &other
}

// newCaller makes an account on a plan and returns its id and a key.
func newCaller(t *testing.T, database, plan string) (account, key string) {
	t.Helper()
	account = cli(t, database, "accounts", "create", "--name", "caller", "--plan", plan)
	return account, cli(t, database, "keys", "create", "--account", account, "--name", "k")
}

// network says what becomes of the connections to the database.
type network int

const (
	networkWhole  network = iota
	networkSilent         // nothing arrives any more, and nobody is told
	networkClosed         // connections are reset and refused
)

// wire carries connections to a database server and can be cut.
type wire struct {
	target  func() (net.Conn, error)
	address string

	mu       sync.Mutex
	state    network
	changed  chan struct{} // closed with the next change
	listener net.Listener
	conns    map[net.Conn]struct{}
	serving  sync.WaitGroup
}

// newWire returns a wire to a database and the database's URL through it.
func newWire(t *testing.T, database string) (*wire, string) {
	t.Helper()
	config, err := pgx.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	kind, address := "tcp", net.JoinHostPort(config.Host, fmt.Sprint(config.Port))
	if filepath.IsAbs(config.Host) {
		kind, address = "unix", filepath.Join(config.Host, fmt.Sprintf(".s.PGSQL.%d", config.Port))
	}
	w := &wire{
		target:  func() (net.Conn, error) { return net.Dial(kind, address) },
		address: freeAddr(t), changed: make(chan struct{}), conns: map[net.Conn]struct{}{},
	}
	if err := w.listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = w.set(networkClosed)
		w.serving.Wait()
	})
	u := url.URL{Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Host: w.address, Path: "/" + config.Database, RawQuery: "sslmode=disable"}
	return w, u.String()
}

func (w *wire) listen() (err error) {
	if w.listener, err = net.Listen("tcp", w.address); err != nil {
		return err
	}
	l := w.listener
	w.serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			w.serving.Go(func() { w.carry(conn) })
		}
	})
	return nil
}

// set changes the network's state.
func (w *wire) set(state network) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.state
	w.state = state
	close(w.changed)
	w.changed = make(chan struct{})
	if state == networkClosed {
		_ = w.listener.Close()
	}
	if state == networkClosed || before == networkSilent { // what was lost in a silent network stays lost
		for conn := range w.conns {
			_ = conn.(*net.TCPConn).SetLinger(0) // resets it
			_ = conn.Close()
		}
	}
	if before == networkClosed && state == networkWhole {
		return w.listen()
	}
	return nil
}

// carry passes bytes in both directions while the network is whole.
func (w *wire) carry(client net.Conn) {
	defer func() { _ = client.Close() }()
	w.mu.Lock()
	w.conns[client] = struct{}{}
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		delete(w.conns, client)
		w.mu.Unlock()
	}()
	if !w.pass() {
		return
	}
	server, err := w.target()
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var both sync.WaitGroup
	for _, way := range [2][2]net.Conn{{client, server}, {server, client}} {
		both.Go(func() {
			defer func() { _ = way[0].Close(); _ = way[1].Close() }()
			buf := make([]byte, 32<<10)
			for {
				n, err := way[0].Read(buf)
				if err != nil || !w.pass() {
					return
				}
				if _, err := way[1].Write(buf[:n]); err != nil {
					return
				}
			}
		})
	}
	both.Wait()
}

// pass waits while the network is silent, and reports whether the connection has outlived that.
func (w *wire) pass() bool {
	w.mu.Lock()
	state, changed := w.state, w.changed
	w.mu.Unlock()
	if state == networkSilent {
		<-changed
		return false
	}
	return state == networkWhole
}

// haproxy starts the load balancer with the configuration that docs/deployment.md shows, whose addresses are replaced, and
// returns where it listens.
func haproxy(t *testing.T, nodes ...string) string {
	t.Helper()
	program := tool(t, "haproxy")
	raw, err := os.ReadFile("../examples/haproxy/haproxy.cfg")
	if err != nil {
		t.Fatal(err)
	}
	addr, text := freeAddr(t), string(raw)
	if page, err := os.ReadFile("../docs/deployment.md"); err != nil || !strings.Contains(string(page), "```haproxy\n"+text+"```\n") {
		t.Errorf("docs/deployment.md does not show examples/haproxy/haproxy.cfg as it is: %v", err)
	}
	for i, actual := range append([]string{addr}, nodes...) {
		documented := fmt.Sprintf("127.0.0.1:808%d", i)
		if i == 0 {
			documented = "127.0.0.1:8000"
		}
		if strings.Count(text, documented) != 1 {
			t.Fatalf("%s is not once in haproxy.cfg", documented)
		}
		text = strings.Replace(text, documented, actual, 1)
	}
	path := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	daemon(t, program, "-db", "-f", path)
	return "http://" + addr
}

// pgbouncer starts a pooler in transaction mode before a database and returns the database's URL through it.
func pgbouncer(t *testing.T, database string, pool int) string {
	t.Helper()
	program := tool(t, "pgbouncer")
	config, err := pgx.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "elumenta-pgb-") //nolint:usetesting // TempDir is in a directory that another user cannot enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	_, port, _ := net.SplitHostPort(freeAddr(t))
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	users := write("users.txt", fmt.Sprintf("%q %q\n", config.User, config.Password))
	ini := write("pgbouncer.ini", fmt.Sprintf(`[databases]
%s = host=%s port=%d
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = transaction
default_pool_size = %d
max_client_conn = 200
`, config.Database, config.Host, config.Port, port, users, pool))
	argv := []string{program, ini}
	if os.Getuid() == 0 { // it refuses to run as root
		account, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(account.Uid)
		if err := os.Chown(dir, uid, -1); err != nil {
			t.Fatal(err)
		}
		argv = []string{"runuser", "-u", "postgres", "--", program, ini}
	}
	daemon(t, argv...)
	u := url.URL{Scheme: "postgres", User: url.User(config.User), Host: "127.0.0.1:" + port, Path: "/" + config.Database, RawQuery: "sslmode=disable"}
	eventually(t, "pgbouncer answers", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		conn, err := pgx.Connect(ctx, u.String())
		if err != nil {
			return false
		}
		return conn.Close(ctx) == nil
	})
	return u.String()
}
