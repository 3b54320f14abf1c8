package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestingM is what Main needs of *testing.M.
type TestingM interface{ Run() int }

// Main runs a package's tests and stops the Postgres server that Postgres may have started. Call it from TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
func Main(m TestingM) int {
	code := m.Run()
	if err := server.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop Postgres:", err)
		code = max(code, 1)
	}
	return code
}

// Postgres returns the URL of a new, empty database, dropped when the test ends. The server is the one that
// ELUMENTA_TEST_POSTGRES names, where the user may create databases; without that a private one is started from Debian's
// binaries, once a process, which Main stops. Without either the test is skipped, but fails where CI is set.
func Postgres(t testing.TB) string {
	t.Helper()
	base, err := server.url()
	if errors.Is(err, errNoBinaries) && os.Getenv("CI") == "" {
		t.Skipf("no Postgres: set ELUMENTA_TEST_POSTGRES or install it (%v)", err)
	}
	if err != nil {
		t.Fatalf("start Postgres: %v", err)
	}
	name := "test_" + strings.ToLower(rand.Text())
	command(t, base, "CREATE DATABASE "+name)
	t.Cleanup(func() { command(t, base, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal("ELUMENTA_TEST_POSTGRES is not a URL")
	}
	u.Path = "/" + name
	return u.String()
}

func command(t testing.TB, base, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, base)
	if err != nil {
		t.Fatalf("connect to Postgres: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Errorf("%s: %v", sql, err)
	}
}

var errNoBinaries = errors.New("no initdb in /usr/lib/postgresql/*/bin")

// server is one a process: starting one takes seconds.
var server privateServer //nolint:gochecknoglobals // shared by all tests of a process, stopped by Main

type privateServer struct {
	mu  sync.Mutex
	dir string // while it runs
	bin string
	err error
}

func (p *privateServer) url() (string, error) {
	if given := os.Getenv("ELUMENTA_TEST_POSTGRES"); given != "" {
		return given, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dir == "" && p.err == nil {
		p.err = p.start()
	}
	return "postgres://postgres@/postgres?" + url.Values{"host": {p.dir}}.Encode(), p.err
}

// start makes a cluster that listens on a Unix socket alone. fsync stays on: durability is what some tests are about.
func (p *privateServer) start() error {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return errNoBinaries
	}
	slices.Sort(found)
	p.bin = filepath.Dir(found[len(found)-1])
	dir, err := os.MkdirTemp("", "elumenta-pg-") // short: a socket's path has at most 107 bytes
	if err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	if os.Getuid() == 0 {
		if out, err := exec.Command("chown", "postgres", dir).CombinedOutput(); err != nil {
			return errors.Join(fmt.Errorf("chown: %w: %s", err, out), os.RemoveAll(dir))
		}
	}
	if err := p.run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	// Whoever is not the superuser needs a password, so that a wrong one is refused.
	if err := prepend(filepath.Join(data, "pg_hba.conf"), "local all postgres trust\nlocal all all scram-sha-256\n"); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	settings := fmt.Sprintf("-c listen_addresses='' -c unix_socket_directories='%s' -c max_connections=200 -c fsync=on", dir)
	if err := p.run("pg_ctl", "-D", data, "-w", "-t", "60", "-l", filepath.Join(dir, "log"), "-o", settings, "start"); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	p.dir = dir
	return nil
}

func prepend(path, text string) error {
	rest, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append([]byte(text), rest...), 0o600)
}

func (p *privateServer) stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dir == "" {
		return nil
	}
	err := p.run("pg_ctl", "-D", filepath.Join(p.dir, "data"), "-w", "-m", "immediate", "stop")
	err = errors.Join(err, os.RemoveAll(p.dir))
	p.dir = ""
	return err
}

// run runs one of Postgres's programs, which refuse to run as root.
func (p *privateServer) run(program string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	argv := append([]string{filepath.Join(p.bin, program)}, args...)
	if os.Getuid() == 0 {
		argv = append([]string{"runuser", "-u", "postgres", "--"}, argv...)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = "/"
	// A server that outlives pg_ctl must not inherit a pipe: Wait would wait for it.
	out, err := os.CreateTemp("", "elumenta-pg-out-")
	if err != nil {
		return err
	}
	defer func() { _ = errors.Join(out.Close(), os.Remove(out.Name())) }()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s: %w: %s", program, err, text)
	}
	return nil
}
