package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/elumenta/elumenta"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

func openFile(t *testing.T, o Options) (*Store, *sqliteEngine) {
	t.Helper()
	o.URL = "sqlite:" + filepath.Join(t.TempDir(), "a.db")
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	e, ok := s.engine.(*sqliteEngine)
	if !ok {
		t.Fatal("not SQLite")
	}
	return s, e
}

// hold keeps the writer in a transaction until release is called, so that what is queued meanwhile is one batch.
func hold(t *testing.T, s *Store) (release func()) {
	t.Helper()
	begun, end := make(chan struct{}), make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		if err := s.write(context.Background(), func(context.Context, querier) error {
			close(begun)
			<-end
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	<-begun
	return func() {
		close(end)
		group.Wait()
	}
}

func put(name string) func(context.Context, querier) error {
	return func(ctx context.Context, tx querier) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2)`, name, []byte{1})
		return err
	}
}

// queued starts writes that wait behind what holds the writer, in their order.
func queued(t *testing.T, s *Store, e *sqliteEngine, writes ...func(context.Context, querier) error) (wait func() []error) {
	t.Helper()
	errs := make([]error, len(writes))
	var group sync.WaitGroup
	for i, f := range writes {
		group.Go(func() { errs[i] = s.write(context.Background(), f) })
		for len(e.queue.items) <= i {
			runtime.Gosched() // nothing tells when it is queued
		}
	}
	return func() []error {
		group.Wait()
		return errs
	}
}

func names(t *testing.T, s *Store) (names []string) {
	t.Helper()
	if err := s.read(t.Context(), func(ctx context.Context, q querier) error {
		rows, err := q.QueryContext(ctx, `SELECT name FROM settings WHERE name LIKE 'test %' ORDER BY name`)
		if err != nil {
			return err
		}
		return each(rows, func() error {
			var name string
			err := rows.Scan(&name)
			names = append(names, strings.TrimPrefix(name, "test "))
			return err
		})
	}); err != nil {
		t.Fatal(err)
	}
	return names
}

// TestWriterBatch fails some writes of a batch in several ways: the others are committed, all in one commit.
func TestWriterBatch(t *testing.T) {
	registry := prometheus.NewRegistry()
	s, e := openFile(t, Options{Metrics: registry})
	before := commits(t, registry)
	own := elumenta.Errorf(elumenta.CodeConflict, "mine")
	release := hold(t, s)
	wait := queued(t, s, e,
		put("test a"),
		func(ctx context.Context, tx querier) error { return errors.Join(put("test b")(ctx, tx), own) },
		func(ctx context.Context, tx querier) error {
			_ = put("test c")(ctx, tx)
			panic("c")
		},
		put("test a"),
		func(ctx context.Context, tx querier) error {
			_, err := tx.ExecContext(ctx, `UPDATE accounts SET monthly = nonsense`)
			return err
		},
		put("test d"),
	)
	release()
	errs := wait()
	for i, code := range []elumenta.Code{"", elumenta.CodeConflict, elumenta.CodeInternal, elumenta.CodeInternal, elumenta.CodeInternal, ""} {
		if code == "" && errs[i] != nil || code != "" && !elumenta.HasCode(errs[i], code) {
			t.Errorf("write %d: %v, want code %q", i, errs[i], code)
		}
	}
	if got := names(t, s); !slices.Equal(got, []string{"a", "d"}) {
		t.Fatalf("committed %v", got)
	}
	if n := commits(t, registry) - before; n != 2 {
		t.Fatalf("%d commits", n)
	}
}

func commits(t *testing.T, registry *prometheus.Registry) uint64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == "elumenta_store_commit_operations" })
	return families[i].GetMetric()[0].GetHistogram().GetSampleCount()
}

// TestWriterFull lets the disk run full in the middle of a batch: nothing of it is acknowledged, and later writes work.
func TestWriterFull(t *testing.T) {
	s, e := openFile(t, Options{})
	var pages int64
	if err := e.writer.QueryRowContext(t.Context(), `PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit := func(n int64) {
		t.Helper()
		var got int64
		if err := e.writer.QueryRowContext(t.Context(), fmt.Sprintf(`PRAGMA max_page_count = %d`, n)).Scan(&got); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages + 2)
	release := hold(t, s)
	wait := queued(t, s, e, put("test a"), func(ctx context.Context, tx querier) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ('test large', zeroblob(1000000))`)
		return err
	}, put("test b"))
	release()
	errs := wait()
	got := names(t, s)
	for i, name := range []string{"a", "large", "b"} {
		if acknowledged := errs[i] == nil; acknowledged != slices.Contains(got, name) {
			t.Errorf("%s: acknowledged %t, stored %v", name, acknowledged, got)
		}
		if errs[i] != nil && !elumenta.HasCode(errs[i], elumenta.CodeUnavailable) {
			t.Errorf("%s: %v", name, errs[i])
		}
	}
	if !elumenta.HasCode(errs[1], elumenta.CodeUnavailable) {
		t.Fatalf("a full disk: %v", errs[1])
	}
	limit(1 << 20)
	if err := s.write(t.Context(), put("test later")); err != nil {
		t.Fatal(err)
	}
}

// TestWriterCommandFails: a command whose write failed writes nothing more when it ends.
func TestWriterCommandFails(t *testing.T) {
	registry := prometheus.NewRegistry()
	s, e := openFile(t, Options{Metrics: registry})
	other, err := Open(t.Context(), Options{URL: s.opts.URL})
	if err != nil {
		t.Fatal(err)
	}
	release := hold(t, other)
	if _, err := e.writer.readInt(`PRAGMA busy_timeout = 0`); err != nil {
		t.Fatal(err)
	}
	if err := s.write(t.Context(), put("test a")); !elumenta.HasCode(err, elumenta.CodeUnavailable) {
		t.Errorf("written beside another: %v", err)
	}
	before := commits(t, registry)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if n := commits(t, registry) - before; n != 0 {
		t.Errorf("%d commits", n)
	}
	release()
	if err := other.Close(); err != nil {
		t.Error(err)
	}
}

// TestWriterContext ends the contexts of a write that waits and of one that has begun.
func TestWriterContext(t *testing.T) {
	s, e := openFile(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	begun := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		if err := s.write(ctx, func(inner context.Context, tx querier) error {
			close(begun)
			<-ctx.Done()
			return put("test begun")(inner, tx)
		}); err != nil {
			t.Errorf("a write that had begun: %v", err)
		}
	})
	<-begun
	waiting, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() { left <- s.write(waiting, put("test waiting")) }()
	for len(e.queue.items) == 0 {
		runtime.Gosched() // nothing tells when it is queued
	}
	leave()
	if err := <-left; !elumenta.HasCode(err, elumenta.CodeUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("a write that waited: %v", err)
	}
	cancel()
	group.Wait()
	if err := s.write(t.Context(), put("test next")); err != nil {
		t.Fatal(err)
	}
	if got := names(t, s); !slices.Equal(got, []string{"begun", "next"}) {
		t.Fatalf("committed %v", got)
	}
}

// TestWriterCloses closes the store while writes are queued: each is carried out or refused, and says so.
func TestWriterCloses(t *testing.T) {
	for range 5 {
		s, _ := openFile(t, Options{})
		const n = 50
		errs := make([]error, n)
		var group sync.WaitGroup
		for i := range n {
			group.Go(func() { errs[i] = s.write(context.Background(), put(fmt.Sprintf("test %02d", i))) })
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		group.Wait()
		again, err := Open(t.Context(), Options{URL: s.opts.URL})
		if err != nil {
			t.Fatal(err)
		}
		stored := names(t, again)
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
		for i, err := range errs {
			if (err == nil) != slices.Contains(stored, fmt.Sprintf("%02d", i)) {
				t.Fatalf("write %d: %v, stored %v", i, err, stored)
			}
		}
	}
}

// TestSettlementOvertaken: a settlement that knows the reservation from memory, and is overtaken by another one on its way to the writer,
// does not settle it again.
func TestSettlementOvertaken(t *testing.T) {
	for name, bounds := range map[string]logBounds{"logged": {few: 1 << 30, max: 1 << 30, time: 1 << 60, rest: 1 << 60}, "written at once": {max: 1}} {
		t.Run(name, func(t *testing.T) {
			s, _ := openFile(t, Options{Serve: true, log: bounds})
			account, _, err := s.CreateAccount(t.Context(), elumenta.NewAccount{DisplayName: "A", Role: elumenta.RoleUser, Plan: "free"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			key, _, err := s.CreateKey(t.Context(), account.ID, elumenta.NewKey{Name: "k"}, elumenta.NewKeySecret(), nil)
			if err != nil {
				t.Fatal(err)
			}
			r := elumenta.Reservation{
				Generation: elumenta.NewGenerationID(), Account: account.ID, Key: key.ID, AccountRevision: account.Revision, KeyRevision: key.Revision, Model: "m", Price: 3,
			}
			if _, err := s.Reserve(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			late := s.ledger.newOp()
			late.account, late.generation, late.outcome = r.Account, r.Generation, elumenta.Outcome{State: elumenta.GivenBack}
			late.known, _ = s.ledger.open.take(r.Generation)
			if settled, err := s.Settle(t.Context(), r.Account, r.Generation, elumenta.Outcome{State: elumenta.Charged}); err != nil || settled.State != elumenta.Charged {
				t.Fatal(settled, err)
			}
			if err := s.ledger.do(t.Context(), late); err != nil || late.settled.State != elumenta.Charged {
				t.Errorf("settled once more: %+v, %v", late.settled, err)
			}
			if a, err := s.Account(t.Context(), r.Account); err != nil || a.Balance.Total() != account.Balance.Total()-3 {
				t.Errorf("got %+v, %v", a, err)
			}
		})
	}
}

// TestWriteLogGently: whoever writes the log when nobody waits for it pauses between accounts too, which have a statement each.
func TestWriteLogGently(t *testing.T) {
	s, e := openFile(t, Options{})
	log := newLedgerLog()
	for i := range 3*applyRows - 1 {
		row := make(arguments, logColumns[logAccount])
		for column := range row {
			row[column].Value = int64(0)
		}
		row[len(row)-1].Value = fmt.Sprint("nobody ", i)
		log.add(logAccount, row)
	}
	for want, rows := range map[int]int{2: applyRows, 0: math.MaxInt} {
		pauses := 0
		if err := s.write(t.Context(), func(context.Context, querier) error {
			return s.ledger.sqlite.writeLog(e.writer, log, pace{rows, func() { pauses++ }})
		}); err != nil || pauses != want {
			t.Errorf("%d pauses instead of %d with %d rows, %v", pauses, want, rows, err)
		}
	}
}
