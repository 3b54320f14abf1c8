package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/elumenta/elumenta"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// failure turns an error into what callers may see: what has a meaning of its own stays, a database that is away, full
// or busy is CodeUnavailable, and the rest is CodeInternal.
func failure(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*elumenta.Error](err); ok {
		return err
	}
	if _, ok := errors.AsType[*elumenta.StaleError](err); ok {
		return err
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		if pgUnavailable(pg.Code) {
			return elumenta.Unavailable(withoutValues(pg))
		}
		return elumenta.Internal(withoutValues(pg))
	}
	if unavailable(err) {
		return elumenta.Unavailable(err)
	}
	return elumenta.Internal(err)
}

// withoutValues leaves the server's message out, which may quote a value.
func withoutValues(pg *pgconn.PgError) error {
	return fmt.Errorf("postgres error %s, table %q, constraint %q", pg.Code, pg.TableName, pg.ConstraintName)
}

func unavailable(err error) bool {
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_MISUSE, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_TOOBIG:
			return false
		}
		return true
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || isConnectionLoss(err)
}

// pgUnavailable reports whether a retry or an operator can mend it: no connection, no login, no room, shutting down, lost
// against another transaction, read-only.
func pgUnavailable(code string) bool {
	switch code[:min(2, len(code))] {
	case "08", "25", "28", "3D", "40", "53", "55", "57", "58":
		return true
	}
	return false
}

func isConnectionLoss(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "database is closed")
}

func missingTable(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "42P01" // undefined_table
	}
	lite, ok := errors.AsType[*sqlite.Error](err)
	return ok && lite.Code() == sqlite3.SQLITE_ERROR && strings.Contains(lite.Error(), "no such table")
}

// sqliteOpenError says what to do about a file that cannot be used.
func sqliteOpenError(path string, err error) error {
	return sqliteError("open the database "+path, err)
}

// sqliteError adds to the error of a database file what was being done, and what to do about it.
func sqliteError(doing string, err error) error {
	if err == nil {
		return nil
	}
	var advice string
	code, extended := 0, 0
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		code, extended = lite.Code()&0xff, lite.Code()
	}
	switch {
	case code == sqlite3.SQLITE_NOTADB || code == sqlite3.SQLITE_CORRUPT:
		advice = "the file is not a SQLite database, or is damaged: name another file, or restore it from a backup"
	case code == sqlite3.SQLITE_FULL || errors.Is(err, syscall.ENOSPC) || extended == sqlite3.SQLITE_IOERR_SHMSIZE:
		advice = "the disk is full: make room" // also for the log's index, which opening makes
	case code == sqlite3.SQLITE_BUSY:
		advice = "another program holds the write lock: end it, or try again"
	case code == sqlite3.SQLITE_READONLY || errors.Is(err, syscall.EROFS):
		advice = "the file or its file system is read-only: make it writable, or name another file"
	case errors.Is(err, fs.ErrPermission):
		advice = "this user may not write the file or its directory: change their permissions, or name another file"
	case errors.Is(err, syscall.EISDIR):
		advice = "that is a directory: name a file in it"
	case errors.Is(err, fs.ErrNotExist):
		advice = "its directory does not exist: make it first"
	case code == sqlite3.SQLITE_CANTOPEN:
		advice = "the file cannot be opened: check that this user may write it and its directory"
	default:
		return fmt.Errorf("%s: %w", doing, err)
	}
	return fmt.Errorf("%s: %s (%w)", doing, advice, err)
}

// postgresOpenError says what to do about a server that cannot be used. It names the place and never the password.
func postgresOpenError(config *pgx.ConnConfig, err error) error {
	place := fmt.Sprintf("open the Postgres database %q at %s:%d as user %q", config.Database, config.Host, config.Port, config.User)
	var advice string
	pg, _ := errors.AsType[*pgconn.PgError](err)
	switch {
	case pg != nil && (pg.Code == "28P01" || pg.Code == "28000"):
		advice = "the server refuses the login: check user, password and pg_hba.conf"
	case pg != nil && pg.Code == "3D000":
		advice = "there is no such database: create it"
	case pg != nil && pg.Code == "42501":
		advice = "the user may not create tables there: grant it CREATE on the schema"
	case pg != nil && pg.Code == "53300":
		advice = "the server has no connections left: raise max_connections or lower this server's pool"
	case pg != nil && pg.Code == "25006":
		advice = "the server is read-only: name its primary"
	case pg != nil && pg.Code[:min(2, len(pg.Code))] == "53":
		advice = "the server has no room left: make room on its disk"
	case pg != nil:
		return fmt.Errorf("%s: %w", place, err)
	case isConnectionLoss(err) || errors.Is(err, context.DeadlineExceeded):
		advice = "the server cannot be reached: check that it runs, host and port"
	default:
		return fmt.Errorf("%s: %w", place, err)
	}
	return fmt.Errorf("%s: %s (%w)", place, advice, err)
}
