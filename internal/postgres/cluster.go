// Package postgres runs private Postgres servers from Debian's binaries, for tests and benchmarks.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// ErrNoBinaries says that Postgres is not installed as Debian and Ubuntu do.
var ErrNoBinaries = errors.New("no initdb in /usr/lib/postgresql/*/bin")

// Cluster is a server of its own: files in a temporary directory, where its Unix socket is too. It listens on nothing else
// unless Start was given a port. fsync is on: durability is what some tests are about.
type Cluster struct {
	bin, dir, settings string
	port               int
}

// Start makes a cluster and starts it. With a port, it listens on 127.0.0.1 too. Settings are Postgres's own, such as
// "max_connections=200". ErrNoBinaries means that there is nothing to start.
func Start(port int, settings ...string) (*Cluster, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return nil, ErrNoBinaries
	}
	slices.Sort(found)
	dir, err := os.MkdirTemp("", "elumenta-pg-") // short: a socket's path has at most 107 bytes
	if err != nil {
		return nil, err
	}
	c := &Cluster{bin: filepath.Dir(found[len(found)-1]), dir: dir, port: port}
	listen := "''"
	if port != 0 {
		listen = fmt.Sprintf("127.0.0.1 -c port=%d", port)
	}
	c.settings = fmt.Sprintf("-c listen_addresses=%s -c unix_socket_directories='%s' -c fsync=on", listen, dir)
	for _, s := range settings {
		c.settings += " -c " + s
	}
	if err := c.create(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return c, nil
}

func (c *Cluster) create() error {
	if os.Getuid() == 0 {
		postgres, err := user.Lookup("postgres")
		if err != nil {
			return err
		}
		uid, _ := strconv.Atoi(postgres.Uid)
		if err := os.Chown(c.dir, uid, -1); err != nil {
			return err
		}
	}
	if err := c.run("initdb", "-D", c.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"); err != nil {
		return err
	}
	// Whoever is not the superuser needs a password, so that a wrong one is refused.
	if err := prepend(filepath.Join(c.data(), "pg_hba.conf"), "local all postgres trust\nlocal all all scram-sha-256\n"); err != nil { //nolint:dupword // as the file has it
		return err
	}
	return c.Start()
}

func prepend(path, text string) error {
	rest, err := os.ReadFile(path) //nolint:gosec // our own file
	if err != nil {
		return err
	}
	return os.WriteFile(path, append([]byte(text), rest...), 0o600) //nolint:gosec // our own file
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// URL is that of a database, through the Unix socket, as the superuser.
func (c *Cluster) URL(database string) string {
	query := url.Values{"host": {c.dir}}
	if c.port != 0 {
		query.Set("port", strconv.Itoa(c.port))
	}
	return "postgres://postgres@/" + database + "?" + query.Encode()
}

// Start starts a cluster that was stopped, and waits until it takes connections.
func (c *Cluster) Start() error {
	return c.run("pg_ctl", "-D", c.data(), "-w", "-t", "60", "-l", filepath.Join(c.dir, "log"), "-o", c.settings, "start")
}

// Kill stops it as a crash would.
func (c *Cluster) Kill() error {
	return c.run("pg_ctl", "-D", c.data(), "-w", "-m", "immediate", "stop")
}

// Remove stops it and deletes its files.
func (c *Cluster) Remove() error {
	var err error
	if _, missing := os.Stat(filepath.Join(c.data(), "postmaster.pid")); missing == nil {
		err = c.Kill()
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}

// run runs one of Postgres's programs, which refuse to run as root.
func (c *Cluster) run(program string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	argv := append([]string{filepath.Join(c.bin, program)}, args...)
	if os.Getuid() == 0 {
		argv = append([]string{"runuser", "-u", "postgres", "--"}, argv...)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // Postgres's own programs
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
