package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/elumenta/elumenta"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// transferSetting is a setting that a database has while another one is being moved into it: a hash that tells which.
const transferSetting = "transfer"

var errUnfinished = errors.New("another database is being moved into this one, and not all of it is there: run the same elumenta migrate again, and it goes on")

// refuseUnfinished keeps everybody from using what is only half a database.
func (s *Store) refuseUnfinished(ctx context.Context) error {
	var unfinished int
	err := s.read(ctx, func(ctx context.Context, q querier) error {
		return q.QueryRowContext(ctx, `SELECT count(*) FROM settings WHERE name = $1`, transferSetting).Scan(&unfinished)
	})
	if err == nil && unfinished > 0 {
		err = errUnfinished
	}
	return err
}

// side is one of the two databases of a transfer.
type side struct {
	place string // for messages; without a password
	store *Store
	conn  *sql.Conn // moves the rows
}

// failed says which database failed, at what and why, and never a value.
func (s *side) failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		err = withoutValues(pg)
		if pg.Code == "22021" { // character_not_in_repertoire
			err = errors.New("a text has a NUL character or is not UTF-8, which Postgres cannot store")
		}
		return fmt.Errorf("%s: %s: %w", s.place, doing, err)
	}
	return sqliteError(s.place+": "+doing, err)
}

// finding is what a database is before a transfer touches it.
type finding struct {
	secret, unfinished []byte
	filled             string // a table that has rows
}

// look reads what a database is, and changes nothing: a file that is not there stays so.
func look(ctx context.Context, url string, known *schema) (place string, f *finding, err error) {
	place, db, err := rawOpen(url)
	if err != nil || db == nil {
		return place, &finding{}, err
	}
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	f, err = lookInto(ctx, db, known)
	if config, parsed := postgresConfig(url); parsed == nil && !isSQLite(url) && err != nil {
		return place, nil, postgresOpenError(config, err)
	}
	return place, f, sqliteError("open "+place, err)
}

func lookInto(ctx context.Context, db *sql.DB, known *schema) (*finding, error) {
	f := &finding{}
	var version, oldest int64
	err := db.QueryRowContext(ctx, `SELECT (SELECT max(version_id) FROM goose_db_version), (SELECT oldest_binary FROM schema_info)`).Scan(&version, &oldest)
	if missingTable(err) {
		return f, nil
	}
	if err == nil && (oldest > SchemaNumber || version > known.version) {
		err = tooOld(oldest)
	}
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]*[]byte{"installation_secret": &f.secret, transferSetting: &f.unfinished} {
		if err := optional(db.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(value)); err != nil {
			return nil, err
		}
	}
	for _, t := range known.tables {
		var one int
		err := db.QueryRowContext(ctx, `SELECT 1 FROM `+t.name+` LIMIT 1`).Scan(&one)
		switch {
		case err == nil:
			f.filled = t.name
			return f, nil
		case !errors.Is(err, sql.ErrNoRows) && !missingTable(err):
			return nil, err
		}
	}
	return f, nil
}

func isSQLite(url string) bool { return strings.HasPrefix(url, "sqlite:") }

// rawOpen opens a database as it is; nil stands for a file that is not there or empty.
func rawOpen(url string) (place string, db *sql.DB, err error) {
	if !isSQLite(url) {
		if !strings.HasPrefix(url, "postgres://") && !strings.HasPrefix(url, "postgresql://") {
			return "", nil, errors.New("a database must be sqlite:PATH or postgres://USER@HOST/NAME")
		}
		config, err := postgresConfig(url)
		if err != nil {
			return "", nil, err
		}
		return fmt.Sprintf("the Postgres database %q at %s:%d", config.Database, config.Host, config.Port), stdlib.OpenDB(*config), nil
	}
	path, err := sqlitePath(strings.TrimPrefix(url, "sqlite:"))
	if err != nil {
		return "", nil, err
	}
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 {
		return path, nil, nil
	}
	if err == nil {
		db, err = sql.Open("sqlite", readDSN(path))
	}
	return path, db, sqliteOpenError(path, err)
}

// openSide opens a database as a server does, which nothing else may be at the same time on SQLite.
func openSide(ctx context.Context, place, url string, plans elumenta.Plans) (_ *side, err error) {
	s := &side{place: place}
	if s.store, err = open(ctx, Options{URL: url, Plans: plans, Serve: true, Timeout: pageTimeout}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.conn, err = s.pool().Conn(ctx); err != nil {
		return nil, s.failed("connect", err)
	}
	return s, nil
}

func (s *side) pool() *sql.DB {
	if e, ok := s.store.engine.(*sqliteEngine); ok {
		return e.db
	}
	return s.store.db
}

func (s *side) postgres() bool { return s.store.db != nil }

func (s *side) close() error {
	var err error
	if s.conn != nil {
		err = s.conn.Close()
	}
	return errors.Join(err, s.store.Close())
}

func (s *side) exec(ctx context.Context, statements ...string) error {
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	for _, statement := range statements {
		if _, err := s.conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (s *side) number(ctx context.Context, query string, args ...any) (n int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	err = s.conn.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, s.failed("read", err)
}

// prepareSource gives back what is reserved, so that no reservation travels, and keeps everybody from writing until it is
// closed.
func (s *side) prepareSource(ctx context.Context, known *schema) error {
	if err := s.refuseServers(ctx); err != nil {
		return err
	}
	if _, err := s.store.startLedger(ctx); err != nil {
		return s.failed("bring its ledger up to date", causeOf(err))
	}
	if err := s.store.ledger.giveBackAll(ctx); err != nil {
		return s.failed("give back what is reserved", causeOf(err))
	}
	if !s.postgres() {
		if err := s.store.write(ctx, splitBatches); err != nil {
			return s.failed("take usage notes out of their batches", causeOf(err))
		}
	}
	if err := s.lock(ctx, known); err != nil {
		return s.failed("keep others from writing", err)
	}
	// A node may have come and reserved until all was locked.
	if err := s.refuseServers(ctx); err != nil {
		return err
	}
	open, err := s.number(ctx, `SELECT count(*) FROM accounts WHERE open_generations > 0`)
	if err == nil && open > 0 {
		err = fmt.Errorf("%s: what is reserved of %d accounts cannot be given back: start and stop a server on it, whose log says why", s.place, open)
	}
	return err
}

// refuseServers looks for nodes on Postgres; a SQLite file's lock has kept them away already.
func (s *side) refuseServers(ctx context.Context) error {
	if !s.postgres() {
		return nil
	}
	nodes, err := s.number(ctx, `SELECT count(*) FROM nodes WHERE renewed_at > `+databaseNow+` - $1::bigint`, defaultLeaseTimes().over.Microseconds())
	if err == nil && nodes > 0 {
		err = fmt.Errorf("%s is served by %d of its nodes: stop them first; one that was killed counts for a minute more", s.place, nodes)
	}
	return err
}

// lock begins a transaction that nothing can be written beside.
func (s *side) lock(ctx context.Context, known *schema) error {
	if !s.postgres() {
		return s.exec(ctx, `BEGIN IMMEDIATE`)
	}
	names := []string{"nodes", "settings"}
	for _, t := range known.tables {
		names = append(names, t.name)
	}
	return s.exec(ctx, `BEGIN`, `SET LOCAL lock_timeout = '5s'`, `SET LOCAL idle_in_transaction_session_timeout = 0`, `SET LOCAL statement_timeout = 0`,
		`LOCK TABLE `+strings.Join(names, ", ")+` IN SHARE MODE`)
}

func (s *side) unlock() error { return s.exec(context.Background(), `ROLLBACK`) }

// identity tells one installation from all others.
func identity(secret []byte) []byte {
	sum := sha256.Sum256(append([]byte("elumenta transfer\n"), secret...))
	return sum[:]
}

// prepareTarget makes moved rows not wait for the disk; see write.
func (s *side) prepareTarget(ctx context.Context) error {
	if s.postgres() {
		return nil
	}
	return s.failed("prepare", s.exec(ctx, `PRAGMA synchronous = normal`))
}

// begin marks the target as one that a transfer is under way to.
func (s *side) begin(ctx context.Context, id []byte) error {
	err := s.store.write(ctx, func(ctx context.Context, tx querier) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2)`, transferSetting, id)
		return err
	})
	return s.failed("begin", causeOf(err))
}

// copySettings gives the target the source's settings, its secret among them.
func (s *side) copySettings(ctx context.Context, source *side) error {
	settings := map[string][]byte{}
	err := source.store.read(ctx, func(ctx context.Context, q querier) error {
		rows, err := q.QueryContext(ctx, `SELECT name, value FROM settings`)
		if err != nil {
			return err
		}
		return each(rows, func() error {
			var name string
			var value []byte
			err := rows.Scan(&name, &value)
			settings[name] = value
			return err
		})
	})
	if err != nil {
		return source.failed("read its settings", causeOf(err))
	}
	err = s.store.write(ctx, func(ctx context.Context, tx querier) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM settings WHERE name <> $1`, transferSetting); err != nil {
			return err
		}
		for _, name := range sortedKeys(settings) {
			if _, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2)`, name, settings[name]); err != nil {
				return err
			}
		}
		return nil
	})
	return s.failed("write its settings", causeOf(err))
}

// finish takes the mark away.
func (s *side) finish(ctx context.Context) error {
	err := s.store.write(ctx, func(ctx context.Context, tx querier) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM settings WHERE name = $1`, transferSetting)
		return err
	})
	return s.failed("finish", causeOf(err))
}

// causeOf is what is behind an error of the store's own.
func causeOf(err error) error {
	if e, ok := errors.AsType[*elumenta.Error](err); ok && e.Cause != nil {
		return e.Cause
	}
	return err
}
