package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/internal/postgres"
	"github.com/elumenta/elumenta/store"
)

// The engines.
const (
	engineSQLite   = "sqlite"
	enginePostgres = "postgres"
)

const (
	startLimit = 30 * time.Second
	// restLimit is the most that reservations may stay open once the load has ended and all nodes run: the longest call, and
	// on Postgres the leases of the last nodes that were killed.
	restLimit = 30 * time.Second
	callers   = 48
	progress  = 3 * time.Second
)

// run is one run on one engine.
type run struct {
	plan   *plan
	out    io.Writer
	dir    string
	binary string

	database string // as this program opens it
	cluster  *postgres.Cluster
	gates    []*gate
	provider *provider
	nodes    []*node
	world    *world
	http     *http.Client
	probes   atomic.Int64
	record   record
	start    time.Time
	ended    time.Time
	rested   time.Duration
}

// torture makes the run and returns what it found.
func (r *run) torture(ctx context.Context) (found *report, err error) {
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return nil, err
	}
	r.http = newClient()
	defer r.http.CloseIdleConnections()
	if r.provider, err = startProvider(ctx); err != nil {
		return nil, err
	}
	defer r.provider.close()
	defer func() { err = errors.Join(err, r.close()) }()
	r.printf("%s, %d accounts, %d nodes, %d callers, %s, seed %d, plan %s\n", r.plan.engine, r.plan.accounts, r.plan.nodes, callers,
		r.plan.duration, r.plan.seed, r.plan.digest(callers))
	began := time.Now()
	if err := r.setUp(ctx); err != nil {
		return nil, err
	}
	r.printf("      the accounts are made and the nodes run after %.0fs\n", time.Since(began).Seconds())
	r.load(ctx)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return r.look(ctx)
}

func (r *run) printf(format string, args ...any) { _, _ = fmt.Fprintf(r.out, format, args...) }

// setUp makes the database, fills it and starts the nodes.
func (r *run) setUp(ctx context.Context) error {
	urls, err := r.databases(ctx)
	if err != nil {
		return err
	}
	for i, url := range urls {
		n, err := newNode(ctx, r.dir, r.binary, url, i, settings(r.provider.url(i), r.plan.duration), &r.record)
		if err != nil {
			return err
		}
		r.nodes = append(r.nodes, n)
	}
	filled := r.database
	if r.cluster != nil {
		filled += "&synchronous_commit=off" // what the nodes commit afterwards makes it durable
	}
	if r.world, err = create(ctx, filled, r.nodes[0].config, r.plan.accounts); err != nil {
		return fmt.Errorf("make the accounts: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for _, n := range r.nodes {
		if err := n.start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// databases returns each node's URL of the database.
func (r *run) databases(ctx context.Context) ([]string, error) {
	if r.plan.engine == engineSQLite {
		r.database = "sqlite:" + filepath.Join(r.dir, "elumenta.db")
		return []string{r.database}, nil
	}
	var err error
	if r.cluster, err = postgres.Start(0, "max_connections=200"); err != nil {
		return nil, fmt.Errorf("start Postgres: %w", err)
	}
	if err := r.exec(ctx, r.cluster.URL("postgres"), `CREATE DATABASE torture`); err != nil {
		return nil, err
	}
	r.database = r.cluster.URL("torture")
	u, err := url.Parse(r.database)
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432")
	var urls []string
	for range r.plan.nodes {
		g, err := openGate(ctx, socket)
		if err != nil {
			return nil, err
		}
		r.gates = append(r.gates, g)
		urls = append(urls, fmt.Sprintf("postgres://postgres@%s/torture?sslmode=disable", g.listener.Addr()))
	}
	return urls, nil
}

func (r *run) exec(ctx context.Context, url, query string) error {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(ctx, query)
	return err
}

// close ends everything that the run started.
func (r *run) close() (err error) {
	for _, n := range r.nodes {
		n.kill("")
	}
	for _, g := range r.gates {
		g.close()
	}
	if r.cluster != nil {
		err = r.cluster.Remove()
	}
	return err
}

// load lets callers call, changes change and events happen for the plan's time, and waits for all of them.
func (r *run) load(ctx context.Context) {
	r.start = time.Now()
	load, cancel := context.WithTimeout(ctx, r.plan.duration)
	defer cancel()
	var working sync.WaitGroup
	for i := range callers {
		working.Go(func() { r.caller(load, i) })
	}
	working.Go(func() { r.revokeKeys(load) })
	for i := range sharedModels {
		working.Go(func() { r.editAssistant(load, i) })
	}
	for _, track := range r.plan.tracks() {
		working.Go(func() { r.play(load, track) })
	}
	done := make(chan struct{})
	var showing sync.WaitGroup
	showing.Go(func() { r.show(done) })
	working.Wait()
	close(done)
	showing.Wait()
	r.ended = time.Now()
}

// show prints a line every few seconds until done.
func (r *run) show(done <-chan struct{}) {
	ticker := time.NewTicker(progress)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.printf("%4.0fs  %s\n", time.Since(r.start).Seconds(), r.figures())
		case <-done:
			return
		}
	}
}

func (r *run) figures() string {
	c := &r.record
	return fmt.Sprintf("%d calls: %d answered, %d told of an error, %d left, %d broken off; provider %d; kills %d, outages %d, clocks set %d; %d revoked, %d edited",
		c.begun.Load(), c.ends[complete].Load(), c.ends[told].Load(), c.ends[left].Load(), c.ends[broken].Load(), len(r.provider.all()),
		c.count(killNow, killAtAnswer), c.count(restartDB, shutOut, stallDB, loseAnswers, cutConnections), c.count(jumpClock, jumpMonth),
		c.revoked.Load(), c.edited.Load())
}

// look waits until nothing is open any more, stops the nodes and checks.
func (r *run) look(ctx context.Context) (*report, error) {
	db, err := r.open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	r.rest(ctx, db)
	stopping, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for _, n := range r.nodes {
		if err := n.stop(stopping); err != nil {
			r.record.fault(checkProgram, "%v", err)
		}
	}
	b, err := readBooks(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("read the database: %w", err)
	}
	found := newChecker(r, b).check()
	r.verify(ctx, found)
	return found, nil
}

// open opens the database beside the program.
func (r *run) open() (*sql.DB, error) {
	if path, ok := strings.CutPrefix(r.database, "sqlite:"); ok {
		return sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)")
	}
	return sql.Open("pgx", r.database)
}

// rest waits until every reservation is final and every use is counted, for restLimit at most: the checks say what is left.
func (r *run) rest(ctx context.Context, db *sql.DB) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, restLimit)
	defer cancel()
	var err error
	for {
		var open int
		err = r.catchUp(ctx)
		if err == nil {
			err = db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM generations WHERE state = 0) + (SELECT count(*) FROM usage_notes)`).Scan(&open)
		}
		if err == nil && open == 0 {
			break
		}
		if !pause(ctx, 100*time.Millisecond) {
			break
		}
	}
	r.rested = time.Since(began)
	if err != nil {
		r.record.fault(checkProgram, "wait for what is open: %v", err)
	}
}

// catchUp has SQLite's log of the ledger written to the tables, as whoever reads them through a store does.
func (r *run) catchUp(ctx context.Context) error {
	if !strings.HasPrefix(r.database, "sqlite:") {
		return nil
	}
	s, err := store.Open(ctx, store.Options{URL: r.database})
	if err != nil {
		return err
	}
	_, err = s.Account(ctx, elumenta.NewAccountID())
	if elumenta.HasCode(err, elumenta.CodeNotFound) {
		err = nil
	}
	return errors.Join(err, s.Close())
}

// verify lets the program check its own books.
func (r *run) verify(ctx context.Context, found *report) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := r.nodes[0].command(ctx, "ledger", "verify")
	out, err := cmd.CombinedOutput()
	found.count(checkVerify, 1)
	if err != nil {
		found.violate(checkVerify, "elumenta ledger verify: %v\n%s", err, strings.TrimSpace(string(out)))
	}
}
