// Package store keeps accounts, keys, assistants and the ledger in SQLite or Postgres. Both engines run the same SQL text;
// what differs is in the migrations, in the error codes and in how writes reach the database: SQLite has one writer that
// commits in groups, Postgres a transaction for each write and for each batch of the ledger.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/maypok86/otter/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// SchemaNumber is compared with the schema's own record of the oldest binary that may use it. It rises when a migration
// makes a schema that earlier binaries would misuse.
const SchemaNumber = 4

// Options say which database to open and how.
type Options struct {
	// URL is sqlite:PATH, postgres://… or postgresql://….
	URL string
	// Plans are the plans that accounts may be on, the least first; empty means elumenta.DefaultPlans.
	Plans elumenta.Plans
	// DeniedNames may be neither names of published assistants nor what accounts call themselves.
	DeniedNames elumenta.DeniedNames
	// Logger takes what happens in the background; nil discards it.
	Logger *slog.Logger
	// Metrics, if not nil, registers commit sizes and latencies and the pool's waits.
	Metrics prometheus.Registerer
	// Serve says that this process is the server: it holds SQLite's lock file, follows the settled generations and gives
	// back what a node that died had reserved.
	Serve bool
	// Readers is how many connections read from SQLite; zero means 4.
	Readers int
	// MaxConns is how many connections to Postgres there may be; zero means 16. Up to five, but no more than half, are kept for the
	// ledger, at least one. Of the others as many as MaxIdle may idle; zero means 8.
	MaxConns, MaxIdle int
	// Timeout bounds each statement or transaction on Postgres, and as long again the wait for a connection: with them how long a
	// request waits for a database that is silent. Zero means 5 s.
	Timeout time.Duration
	// Now is the clock; nil means time.Now, and on Postgres the database's own for all that nodes must agree on.
	Now func() time.Time
	// KeepRecords is how long the records of settled generations are kept by a server, in whole days; zero means forever.
	KeepRecords time.Duration
	// AssistantStorage is how many bytes an account's assistants may store (elumenta.Storage); zero means no limit.
	AssistantStorage int64
	// IndexRows is about how many rows of the marketplace's index a server writes in one transaction, which other writes on
	// SQLite wait for; zero means 1,000. With more, a database that nobody uses yet is indexed sooner.
	IndexRows int
	// OnLeaseLost, if not nil, is called when this node could not renew its lease on Postgres: it must cancel its running
	// generations within 10 seconds, since other nodes will give their reservations back. It must not block.
	OnLeaseLost func()
	// OnDiskFailed, if not nil, is called once if the disk under SQLite did not confirm what was committed. Nothing is written
	// after that. The process should end at once, as after kill -9: what the disk has is seen when it starts again.
	OnDiskFailed func()

	clock  bool // Now was given
	lease  leaseTimes
	search searchBounds
	log    logBounds
}

func (o *Options) fill() {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.clock = o.Now != nil
	if o.Now == nil {
		o.Now = clock()
	}
	if o.lease == (leaseTimes{}) {
		o.lease = defaultLeaseTimes()
	}
	if o.search == (searchBounds{}) {
		o.search = defaultSearchBounds()
	}
	if o.log == (logBounds{}) {
		o.log = defaultLogBounds()
	}
	setDefault(&o.Readers, 4)
	setDefault(&o.MaxConns, 16)
	setDefault(&o.MaxIdle, min(8, o.MaxConns))
	setDefault(&o.Timeout, 5*time.Second)
	setDefault(&o.IndexRows, indexRows)
}

func setDefault[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// querier runs statements in a transaction or on a reading connection. *sql.Tx and *sql.DB are queriers; on SQLite each
// statement text is prepared once a connection.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// engine is what differs between the two databases while they run.
type engine interface {
	// readAs lends a querier; see Store.read.
	readAs(ctx context.Context, fresh freshness, f func(ctx context.Context, q querier) error) error
	// snapshotAs lends a querier for reading, for as long as ctx lasts; see Store.snapshot.
	snapshotAs(ctx context.Context, fresh freshness, f func(ctx context.Context, q querier) error) error
	// write runs f in a transaction; see Store.write.
	write(ctx context.Context, f func(ctx context.Context, tx querier) error) error
	// checkpoint moves what was committed, and what was deleted, into the database file. It reports whether it is done.
	checkpoint(ctx context.Context) (done bool, err error)
	// forUpdate ends a SELECT whose rows are to be locked until the transaction ends.
	forUpdate() string
	// lockStorage is a statement that locks what the account $1 stores until the transaction ends; empty where there is one writer.
	lockStorage() string
	close() error
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	opts     Options               // but for what is in rules
	rules    atomic.Pointer[rules] // never nil
	db       *sql.DB               // Postgres's pool; for SQLite only the migrations use it
	engine   engine
	metrics  *metrics
	secret   elumenta.InstallationSecret
	touched  touchedKeys
	shared   sharedClock // of Postgres, unless Options.Now was given
	ledger   ledger
	follower *follower
	fresh    freshNotes // SQLite
	indexer  *indexer
	rankings *otter.Cache[int64, *ranking]
	// categories are counts of a moment, or nil.
	categories atomic.Pointer[categoryCounts]
	retired    time.Time // since when retire, which alone uses it, has left the records

	background sync.WaitGroup
	stop       context.CancelFunc
	closeOnce  sync.Once
	closeErr   error
}

// Open opens a database, brings its schema up to date under a lock, and makes the installation's secret if there is
// none. Its errors say what to do and never hold the URL's password.
func Open(ctx context.Context, opts Options) (*Store, error) {
	s, err := open(ctx, opts)
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// open is Open without all that works by itself: no secret is made, and nothing runs in the background.
func open(ctx context.Context, opts Options) (*Store, error) {
	opts.fill()
	s := &Store{
		opts: opts, follower: newFollower(opts.Logger), indexer: newIndexer(opts.IndexRows),
		rankings: otter.Must(&otter.Options[int64, *ranking]{MaximumSize: rankingsInUse}),
	}
	s.Reload(opts.Plans, opts.DeniedNames, opts.KeepRecords, opts.AssistantStorage)
	var err error
	if s.metrics, err = newMetrics(opts.Metrics); err != nil {
		return nil, err
	}
	scheme, rest, _ := strings.Cut(opts.URL, ":")
	switch scheme {
	case "sqlite":
		s.engine, err = s.openSQLite(ctx, rest)
	case "postgres", "postgresql":
		s.engine, err = s.openPostgres(ctx)
	default:
		return nil, errors.New("the database must be sqlite:PATH or postgres://USER@HOST/NAME")
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Store) start(ctx context.Context) error {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	if err := s.refuseUnfinished(ctx); err != nil {
		return err
	}
	if err := s.readClock(ctx); err != nil {
		return fmt.Errorf("read the database's clock: %w", err)
	}
	if err := s.loadSecret(ctx); err != nil {
		return fmt.Errorf("read the installation's secret: %w", err)
	}
	if err := s.openLedger(ctx); err != nil {
		return fmt.Errorf("open the ledger: %w", err)
	}
	s.maintain(running)
	return nil
}

// Close ends the background work, writes what is held in memory, waits for queued writes and closes the database.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		if s.stop != nil {
			s.stop()
		}
		s.background.Wait()
		err := s.flushTouched(context.Background())
		s.closeLedger()
		s.closeErr = errors.Join(err, s.engine.close())
	})
	return s.closeErr
}

// Ping reports whether the database answers and, in a server, whether it may reserve, as a CodeUnavailable error if not.
func (s *Store) Ping(ctx context.Context) error {
	if s.opts.Serve && s.ledger.node.Load() == nil {
		return elumenta.Unavailable(errNoLease)
	}
	return s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		var oldest int
		return q.QueryRowContext(ctx, `SELECT oldest_binary FROM schema_info`).Scan(&oldest)
	})
}

// Checkpoint moves all that was committed into the database file and empties SQLite's write-ahead log, so that deleted
// text is in neither. It waits for readers until ctx ends. On Postgres, whose own vacuum does this, it does nothing.
func (s *Store) Checkpoint(ctx context.Context) error {
	for {
		done, err := s.engine.checkpoint(ctx)
		if done || err != nil {
			return failure(err)
		}
		select {
		case <-ctx.Done():
			return failure(ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// read lends a querier for reading. What f reads with several statements need not be of one moment.
func (s *Store) read(ctx context.Context, f func(ctx context.Context, q querier) error) error {
	return failure(s.engine.readAs(ctx, caughtUp, f))
}

// readNearly is read for who does without the last charges where SQLite cannot be written.
func (s *Store) readNearly(ctx context.Context, f func(ctx context.Context, q querier) error) error {
	return failure(s.engine.readAs(ctx, nearly, f))
}

// readUnlogged is read for what no reservation and no settlement changes: it never waits for SQLite's writer.
func (s *Store) readUnlogged(ctx context.Context, f func(ctx context.Context, q querier) error) error {
	return failure(s.engine.readAs(ctx, unlogged, f))
}

// snapshot is read, and all that f reads is of one moment.
func (s *Store) snapshot(ctx context.Context, f func(ctx context.Context, q querier) error) error {
	return s.snapshotAs(ctx, caughtUp, f)
}

func (s *Store) snapshotAs(ctx context.Context, fresh freshness, f func(ctx context.Context, q querier) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	return failure(s.engine.snapshotAs(ctx, fresh, f))
}

// write runs f in a transaction and returns once it is durable. f's error undoes what f did and nothing else, and is
// returned. f may run more than once: it sets its results anew each time. f runs under a context of its own: once begun,
// a write goes on though the caller leaves, so that an error means that nothing was written; the one exception is a
// database that is lost while it commits. A ctx that ends before f began is a CodeUnavailable error. f's context has the
// caller's actor; what f records is written behind all else.
func (s *Store) write(ctx context.Context, f func(ctx context.Context, tx querier) error) error {
	actor := elumenta.ActorOf(ctx)
	return failure(s.engine.write(ctx, func(ctx context.Context, tx querier) error {
		return s.recording(elumenta.WithActor(ctx, actor), tx, f)
	}))
}

// writeAside is write for what the ledger does not decide by and nobody is told of: on SQLite no reservation waits for it, and it may be
// lost with the power.
func (s *Store) writeAside(ctx context.Context, f func(ctx context.Context, tx querier) error) error {
	if e, ok := s.engine.(*sqliteEngine); ok && s.opts.Serve {
		return failure(e.aside(ctx, f))
	}
	return s.write(ctx, f)
}

// now is the clock that counts, as the database keeps it, to the microsecond.
func (s *Store) now() time.Time {
	now, shared := s.shared.now()
	if !shared {
		now = s.opts.Now()
	}
	return now.UTC().Truncate(time.Microsecond)
}

// micros is how times are stored: microseconds since 1970, zero for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
