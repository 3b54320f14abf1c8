package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/elumenta/elumenta/config"
	"github.com/elumenta/elumenta/store"
)

// isSQLite tells the two kinds of database URLs apart.
func isSQLite(database string) bool { return strings.HasPrefix(database, "sqlite:") }

// undone says that a command ended early on request and what that means, or returns what made it fail.
func undone(ctx context.Context, err error, meaning string) error {
	if err != nil && ctx.Err() != nil {
		return errors.New("interrupted: " + meaning)
	}
	return err
}

// bytesDone tells a terminal how much of a file is done.
func (l *progressLine) bytesDone(done, of int64) {
	l.say("%s of %s (%d%%)", humanize.Bytes(uint64(max(0, done))), humanize.Bytes(uint64(max(0, of))), percent(done, of))
}

type backupCommand struct {
	databaseFlags
	File  string `arg:"" help:"The file to write."`
	Force bool   `help:"Replace FILE if it exists."`
}

// Help shows examples.
func (backupCommand) Help() string {
	return `Examples:
  elumenta backup /backup/elumenta.db
  elumenta backup "/backup/$(date +%F).db" --database sqlite:/var/lib/elumenta/elumenta.db

Copies a SQLite database as it is at one moment, also while a server runs on it, which does not wait. The copy is checked
before it gets its name, and only its owner may read it: it holds instructions and the installation's secret. Nothing that was
deleted is in it. Meanwhile the database's write-ahead log grows by what is written. elumenta restore puts a copy back.

For Postgres use its own pg_dump, or its continuous archiving.`
}

// Run makes a backup.
func (c *backupCommand) Run(p *program) error {
	conf, err := config.Load(c.Config, config.Overrides{Database: c.Database}, p.getenv)
	if err != nil {
		return err
	}
	if !isSQLite(conf.Database) {
		return dumpInstead(conf.Database, c.File)
	}
	ctx, stop := interruptible()
	defer stop()
	progress := p.progress()
	contents, err := store.Backup(ctx, conf.Database, c.File, c.Force, progress.bytesDone)
	progress.clear()
	if err != nil {
		return undone(ctx, err, "nothing was written")
	}
	_, err = fmt.Fprintf(p.stdout, "%s: %s, %s\n", c.File, humanize.Bytes(uint64(contents.Bytes)), holds(contents))
	return err
}

// dumpInstead names the program that backs up Postgres, with all that it needs but the password.
func dumpInstead(database, file string) error {
	u, err := url.Parse(database)
	if err != nil {
		return usageError{"elumenta backup is for SQLite; use pg_dump for Postgres"}
	}
	password := ""
	if _, set := u.User.Password(); set {
		password = "PGPASSWORD=… "
		u.User = url.User(u.User.Username())
	}
	query := u.Query()
	if query.Has("password") {
		password = "PGPASSWORD=… "
		query.Del("password")
		u.RawQuery = query.Encode()
	}
	return usageError{fmt.Sprintf("elumenta backup is for SQLite. For Postgres:\n  %spg_dump --format=custom --no-owner --file=%s %s\nand pg_restore puts it back", password, quote(file), quote(u.String()))}
}

// quote makes a word of a POSIX shell's.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func holds(c *store.Contents) string {
	text := fmt.Sprintf("%s, %s, %s", plural(int(c.Accounts), "account"), plural(int(c.Assistants), "assistant"), plural(int(c.Generations), "generation"))
	if !c.NewestGeneration.IsZero() {
		text += ", the newest of " + c.NewestGeneration.Format(time.RFC3339)
	}
	return text
}

type restoreCommand struct {
	databaseFlags
	File  string `arg:"" help:"The backup: what elumenta backup wrote."`
	Force bool   `help:"Replace a database that is there. It is kept beside the new one."`
}

// Help shows examples.
func (restoreCommand) Help() string {
	return `Examples:
  elumenta restore /backup/elumenta.db --database sqlite:/var/lib/elumenta/elumenta.db
  elumenta restore /backup/elumenta.db --force

Stop the server first. The backup is copied, checked and only then put in place, and its ledger is verified. What is there
already is replaced with --force alone, and kept as PATH.before-restore-TIME.

What was done after the backup is lost: tokens that were charged since are in the balances again, a key that was revoked since is
good again, and a key made since is not known. Run it as the user that serves: the file is for its owner alone.

Exits with 1 also if all was restored but its ledger has differences.`
}

// Run restores.
func (c *restoreCommand) Run(p *program) error {
	conf, err := config.Load(c.Config, config.Overrides{Database: c.Database}, p.getenv)
	if err != nil {
		return err
	}
	if !isSQLite(conf.Database) {
		return usageError{"elumenta restore is for SQLite; use pg_restore for Postgres, or restore to sqlite:PATH and go on with elumenta migrate"}
	}
	ctx, stop := interruptible()
	defer stop()
	progress := p.progress()
	restored, err := store.Restore(ctx, c.File, conf.Database, c.Force, progress.bytesDone)
	progress.clear()
	if err != nil {
		return undone(ctx, err, "nothing was changed")
	}
	_, _ = fmt.Fprintf(p.stdout, "%s: restored %s\n", restored.Path, holds(restored.Contents))
	if restored.Kept != "" {
		_, _ = fmt.Fprintf(p.stdout, "%s: what was there before\n", restored.Kept)
	}
	return c.with(p, func(ctx context.Context, s *store.Store) error {
		return p.verify(ctx, s)
	})
}

// verify verifies a ledger and prints what it found.
func (p *program) verify(ctx context.Context, s *store.Store) error {
	start, progress := time.Now(), p.progress()
	found, err := s.Verify(ctx, store.VerifyOptions{Progress: progress.show})
	progress.clear()
	if err != nil {
		return err
	}
	return printVerified(p.stdout, found, time.Since(start))
}

// printVerified prints what a verification found, which is an error too if anything differs. took is not printed if it is zero.
func printVerified(w io.Writer, found *store.Verification, took time.Duration) error {
	view := viewVerification(found)
	err := printVerification(w, &view, took)
	if err == nil && !view.OK {
		err = differencesError(view.Found)
	}
	return err
}
