package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/elumenta/elumenta/internal/postgres"
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
	if errors.Is(err, postgres.ErrNoBinaries) && os.Getenv("CI") == "" {
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

// server is one a process: starting one takes seconds.
var server privateServer //nolint:gochecknoglobals // shared by all tests of a process, stopped by Main

type privateServer struct {
	mu      sync.Mutex
	cluster *postgres.Cluster
	err     error
}

func (p *privateServer) url() (string, error) {
	if given := os.Getenv("ELUMENTA_TEST_POSTGRES"); given != "" {
		return given, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cluster == nil && p.err == nil {
		p.cluster, p.err = postgres.Start(0, "max_connections=200")
	}
	if p.err != nil {
		return "", p.err
	}
	return p.cluster.URL("postgres"), nil
}

func (p *privateServer) stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cluster == nil {
		return nil
	}
	err := p.cluster.Remove()
	p.cluster = nil
	return err
}
