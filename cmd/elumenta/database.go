package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/config"
	"github.com/elumenta/elumenta/store"
)

// databaseFlags say which database a command works on.
type databaseFlags struct {
	Config   string `help:"Configuration file, TOML or YAML." placeholder:"FILE" env:"ELUMENTA_CONFIG"`
	Database string `help:"Where everything is kept: sqlite:PATH or postgres://…. [sqlite:elumenta.db]" placeholder:"URL" env:"ELUMENTA_DATABASE"`
}

// with opens the database, runs f and closes it. A server may be running on it. Only a server makes a database: whoever mistypes a path
// must not be told that all is well with an empty one.
func (d *databaseFlags) with(p *program, f func(ctx context.Context, s *store.Store) error) (err error) {
	conf, err := d.load(p)
	if err != nil {
		return err
	}
	if err := thereIs(conf.Database); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx = elumenta.WithActor(ctx, elumenta.Actor{CLI: true})
	s, err := store.Open(ctx, store.Options{URL: conf.Database, Plans: conf.Plans})
	if err != nil {
		return fmt.Errorf("cannot open the database: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return plain(f(ctx, s))
}

func (d *databaseFlags) load(p *program) (*config.Config, error) {
	return config.Load(d.Config, config.Overrides{Database: d.Database}, p.getenv)
}

// thereIs refuses a SQLite file that is not there, or has nothing in it. Postgres says itself which databases it has.
func thereIs(database string) error {
	path, ok := strings.CutPrefix(database, "sqlite:")
	if !ok {
		return nil
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs // which shows where a relative path leads
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		return fmt.Errorf("there is no database %s: give the path of the server's; a new one is made by elumenta serve", path)
	}
	return nil
}

// plain gives the store's errors the words for a terminal, where there is no details.fields to look at.
func plain(err error) error {
	e, ok := errors.AsType[*elumenta.Error](err)
	if !ok {
		return err
	}
	cause := ""
	if e.Cause != nil && e.Code == elumenta.CodeUnavailable {
		cause = ": " + e.Cause.Error()
	}
	return &storeError{text: fieldList(e) + cause, err: e}
}

// storeError prints without the code, which a terminal has no use for.
type storeError struct {
	text string
	err  *elumenta.Error
}

func (e *storeError) Error() string { return e.text }
func (e *storeError) Unwrap() error { return e.err }

func accountID(s string) (elumenta.AccountID, error) {
	id, ok := elumenta.ParseAccountID(s)
	if !ok {
		return "", usageError{fmt.Sprintf("%q is not an account's id: acct_ and 26 characters; `elumenta accounts list` shows them", s)}
	}
	return id, nil
}
