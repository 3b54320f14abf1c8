package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/elumenta/elumenta/store/migrations"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

const (
	// migrationLease is how long the lock row of a process that died keeps others from migrating.
	migrationLease = 15 * time.Second
	// migrationWait is how long a process waits while another one migrates, or for the tables that it must change.
	migrationWait = 10 * time.Minute
	migrationPoll = 100 * time.Millisecond
	// migrationPause lets those run who queued behind a migration that waited for a table.
	migrationPause = 2 * time.Second
)

// migrate brings a SQLite schema up to date. A command that finds work to do holds the server's lock file meanwhile, so
// that a running server's schema does not change beneath it.
func (e *sqliteEngine) migrate(ctx context.Context, path string) error {
	provider, err := newProvider(goose.DialectSQLite3, e.db, migrations.SQLite())
	if err != nil {
		return err
	}
	if e.store.opts.Serve {
		return sqliteOpenError(path, upgrade(ctx, e.db, provider))
	}
	deadline := time.Now().Add(lockWait)
	for {
		pending, err := checkSchema(ctx, e.db, provider)
		if err != nil || !pending {
			return sqliteOpenError(path, err)
		}
		if locked, err := e.lock.TryLock(); err != nil || locked {
			if err == nil {
				err = errors.Join(giveOwner(path, e.lock.Path()), upgrade(ctx, e.db, provider), e.lock.Unlock())
			}
			return sqliteOpenError(path, err)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the schema of %s must be brought up to date and a server is using it: stop the server first", path)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// migrate brings a Postgres schema up to date, under a lock row with a lease.
func (e *postgresEngine) migrate(ctx context.Context) error {
	locker, err := lock.NewPostgresTableLocker(lock.WithTableName("migration_lock"), lock.WithTableLogger(e.store.opts.Logger),
		lock.WithTableLeaseDuration(migrationLease), lock.WithTableHeartbeatInterval(migrationLease/5),
		lock.WithTableLockTimeout(migrationPoll, uint64(migrationWait/migrationPoll)))
	if err != nil {
		return err
	}
	provider, err := newProvider(goose.DialectPostgres, e.db, migrations.Postgres(), goose.WithLocker(locker))
	if err != nil {
		return err
	}
	if pending, err := checkSchema(ctx, e.db, provider); err != nil || !pending {
		return err
	}
	deadline := time.Now().Add(migrationWait)
	for {
		err := upgrade(ctx, e.db, provider)
		if !lostToOthers(err) || time.Now().After(deadline) {
			return err
		}
		e.store.opts.Logger.Warn("the schema cannot be brought up to date while others use its tables: trying again", "pause", migrationPause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(migrationPause):
		}
	}
}

// lostToOthers reports whether a migration gave up waiting for a table, or lost against another transaction, and was rolled back.
func lostToOthers(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == "55P03" || retryable(err)
}

func newProvider(dialect goose.Dialect, db *sql.DB, files fs.FS, options ...goose.ProviderOption) (*goose.Provider, error) {
	provider, err := goose.NewProvider(dialect, db, files, append(options, goose.WithLogger(goose.NopLogger()))...)
	if err != nil {
		return nil, fmt.Errorf("prepare the migrations: %w", err)
	}
	return provider, nil
}

func upgrade(ctx context.Context, db *sql.DB, provider *goose.Provider) error {
	if _, err := checkSchema(ctx, db, provider); err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bring the schema up to date: %w", err)
	}
	_, err := checkSchema(ctx, db, provider)
	return err
}

func tooOld(needed int64) error {
	return fmt.Errorf("the database was brought up to date by a newer elumenta, and this one (schema %d, the database needs %d) is too old for it: install the newer one", SchemaNumber, needed)
}

// checkSchema refuses a schema that excludes this binary, and reports whether migrations of this binary are missing.
func checkSchema(ctx context.Context, db *sql.DB, provider *goose.Provider) (pending bool, err error) {
	var oldest int64
	err = db.QueryRowContext(ctx, `SELECT oldest_binary FROM schema_info`).Scan(&oldest)
	if missingTable(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if oldest > SchemaNumber {
		return false, tooOld(oldest)
	}
	current, target, err := provider.GetVersions(ctx)
	return current < target, err
}
