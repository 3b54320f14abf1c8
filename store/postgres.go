package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// postgresBatches is how many of a node's batches of one kind are under way at once.
	postgresBatches = 4
	// postgresAttempts is how often a transaction that lost against another is begun.
	postgresAttempts = 6
)

// postgresEngine has two pools: slow reads that use up theirs hold up neither the ledger nor the lease.
type postgresEngine struct {
	store      *Store
	db, ledger *sql.DB
	connector  *connector
}

// postgresConfig uses the exec mode, which prepares nothing that outlives a statement, so that PgBouncer may hand each
// transaction another connection (https://pkg.go.dev/github.com/jackc/pgx/v5#QueryExecMode).
func postgresConfig(url string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the database's URL is malformed: it must be postgres://USER:PASSWORD@HOST:PORT/NAME, and special characters in the password must be percent-encoded")
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.StatementCacheCapacity, config.DescriptionCacheCapacity = 0, 0
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	return config, nil
}

func (s *Store) openPostgres(ctx context.Context) (engine, error) {
	config, err := postgresConfig(s.opts.URL)
	if err != nil {
		return nil, err
	}
	connector := newConnector(*config)
	pool := func(conns, idle int) *sql.DB {
		db := sql.OpenDB(connector)
		db.SetMaxOpenConns(conns)
		db.SetMaxIdleConns(idle)
		db.SetConnMaxIdleTime(5 * time.Minute)
		return db
	}
	ledger := max(1, min(postgresBatches+1, s.opts.MaxConns/2)) // one is the lease's
	others := max(1, s.opts.MaxConns-ledger)
	e := &postgresEngine{store: s, db: pool(others, min(others, s.opts.MaxIdle)), ledger: pool(ledger, ledger), connector: connector}
	s.db = e.db
	if err := e.migrate(ctx); err != nil {
		return nil, errors.Join(postgresOpenError(config, err), e.close())
	}
	if err := errors.Join(s.metrics.pool(e.db, "elumenta"), s.metrics.pool(e.ledger, "elumenta_ledger")); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

func (e *postgresEngine) forUpdate() string { return " FOR UPDATE" }

func (e *postgresEngine) lockStorage() string {
	return `SELECT pg_advisory_xact_lock(hashtextextended('assistant storage ' || $1, 0))`
}

func (e *postgresEngine) close() error { return errors.Join(e.db.Close(), e.ledger.Close()) }

func (e *postgresEngine) checkpoint(context.Context) (bool, error) { return true, nil }

func (e *postgresEngine) readAs(ctx context.Context, _ freshness, f func(ctx context.Context, q querier) error) error {
	return e.borrow(ctx, e.db, f)
}

// borrow lends a connection of one of the pools.
func (e *postgresEngine) borrow(ctx context.Context, pool *sql.DB, f func(ctx context.Context, q querier) error) (err error) {
	wait, cancel := context.WithTimeout(ctx, e.store.opts.Timeout)
	defer cancel()
	conn, err := pool.Conn(wait)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel = context.WithTimeout(ctx, e.store.opts.Timeout)
	defer cancel()
	defer e.watch(ctx, &err)()
	return f(ctx, conn)
}

func (e *postgresEngine) snapshotAs(ctx context.Context, _ freshness, f func(ctx context.Context, q querier) error) (err error) {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	defer e.watch(ctx, &err)()
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // there is nothing to commit
	return f(ctx, tx)
}

// watch returns what to call at the end of what runs on a connection under ctx: it tells the connector whether the database answered, or
// was silent for as long as it may be. Neither who waits for a connection nor a caller in a hurry knows.
func (e *postgresEngine) watch(ctx context.Context, err *error) (end func()) {
	began := time.Now()
	return func() {
		switch {
		case *err == nil:
			e.connector.answered()
		case errors.Is(ctx.Err(), context.DeadlineExceeded) && time.Since(began) >= e.store.opts.Timeout:
			e.connector.unansweredSince(began)
		}
	}
}

func (e *postgresEngine) write(ctx context.Context, f func(ctx context.Context, tx querier) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var err error
	for attempt := range postgresAttempts {
		if attempt > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Millisecond << attempt):
			}
		}
		var again bool
		if again, err = e.transact(ctx, f); !again {
			return err
		}
	}
	return err
}

// transact reports with an error whether nothing was written and another attempt may do better.
func (e *postgresEngine) transact(ctx context.Context, f func(ctx context.Context, tx querier) error) (again bool, err error) {
	wait, cancel := context.WithTimeout(ctx, e.store.opts.Timeout)
	defer cancel()
	conn, err := e.db.Conn(wait)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), e.store.opts.Timeout)
	defer cancel()
	defer e.watch(ctx, &err)()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return ctx.Err() == nil && lostBeforeCommit(err), err
	}
	if err := guard(func() error { return f(ctx, tx) }); err != nil {
		_ = tx.Rollback()
		return ctx.Err() == nil && (lostBeforeCommit(err) || retryable(err)), err
	}
	if err := tx.Commit(); err != nil {
		return retryable(err), fmt.Errorf("commit: %w", err)
	}
	return false, nil
}

// retryable reports whether a transaction lost against another: serialization_failure, deadlock_detected
// (https://www.postgresql.org/docs/current/errcodes-appendix.html). It has been rolled back.
func retryable(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == "40001" || pg.Code == "40P01")
}

// lostBeforeCommit reports whether the connection broke while the transaction was open: it cannot have been committed.
func lostBeforeCommit(err error) bool {
	if _, ok := errors.AsType[*pgconn.PgError](err); ok {
		return false
	}
	return pgconn.SafeToRetry(err) || isConnectionLoss(err)
}
