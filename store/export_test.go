package store

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/elumenta/elumenta"
)

// SetLeaseTimes makes a node renew its lease at an interval and look for what is due as often, and judge others at once
// by whether they renewed within the last hour.
func (o *Options) SetLeaseTimes(interval time.Duration) {
	o.lease = defaultLeaseTimes()
	o.lease.renew, o.lease.retry, o.lease.sweep = interval, interval, interval
	o.lease.over, o.lease.patience = time.Hour, 0
}

// LoseLeaseAfter sets how long a node may go without renewing.
func (o *Options) LoseLeaseAfter(d time.Duration) { o.lease.lost = d }

// BoundSearch sets how many notes a search looks at, and how many names.
func (o *Options) BoundSearch(pending, names int) { o.search = searchBounds{pending, names} }

// LogAll has every operation of the ledger logged on SQLite, and the tables written for those alone who read or change them.
func (o *Options) LogAll() {
	o.log = logBounds{few: 1 << 30, max: 1 << 30, time: 1 << 60, rest: 1 << 60}
}

// StopBackground leaves the database to what a test does.
func (s *Store) StopBackground() {
	s.stop()
	s.background.Wait()
}

// Settling is a settlement that has begun, and knows its generation if it is the first, but is not queued yet.
type Settling struct{ op *ledgerOp }

// BeginSettle begins one.
func (s *Store) BeginSettle(account elumenta.AccountID, id elumenta.GenerationID, o elumenta.Outcome) Settling {
	op := s.ledger.newOp()
	op.account, op.generation, op.outcome = account, id, o
	op.known, op.used = s.ledger.open.take(id)
	return Settling{op}
}

// SettleTogether ends settlements in one batch, in their order.
func (s *Store) SettleTogether(ctx context.Context, all ...Settling) error {
	if err := s.write(ctx, func(context.Context, querier) error { // on the writer's goroutine, which collects them next
		for _, one := range all {
			s.ledger.queues[0].items <- &one.op.item
		}
		return nil
	}); err != nil {
		return err
	}
	var err error
	for _, one := range all {
		<-one.op.item.done
		err = errors.Join(err, one.op.item.err, one.op.err)
	}
	return err
}

// Settled is how one ended.
func (s Settling) Settled() elumenta.Settled { return s.op.settled }

// AddUnsure has a reservation given back as one whose commit was not answered.
func (s *Store) AddUnsure(account elumenta.AccountID, id elumenta.GenerationID) {
	s.ledger.unsure.add(generationKey{account, id})
}

// GiveBackUnsure does what a server does every ten seconds.
func (s *Store) GiveBackUnsure(ctx context.Context) error { return s.ledger.giveBackUnsure(ctx) }

// Commits is how many the store has counted.
func Commits(t *testing.T, registry *prometheus.Registry) uint64 { return commits(t, registry) }

// PurgeSessions removes what has ended at once, as a server does from time to time.
func (s *Store) PurgeSessions(ctx context.Context) error { return s.purgeSessions(ctx) }

// ForgetUsage has the notes that wait read from the database, as after a start.
func (s *Store) ForgetUsage() { s.fresh.forget() }

// BreakLog has every write to the log's file fail, once the log is in use.
func (s *Store) BreakLog(ctx context.Context, cause error, unsure bool) error {
	e, _ := s.engine.(*sqliteEngine)
	failing := brokenWriter{cause}
	if unsure {
		failing.error = errors.Join(errLogUnsure, failing.error)
	}
	return e.write(ctx, func(context.Context, querier) error {
		var err error
		if e.log.writer != nil {
			err = e.log.writer.close()
		}
		e.log.writer = failing
		return err
	})
}

type brokenWriter struct{ error }

func (w brokenWriter) buffer(n int) []byte       { return make([]byte, n) }
func (w brokenWriter) write([]byte, int64) error { return w.error }
func (w brokenWriter) close() error              { return nil }

// Logged returns the batches that stand in the log of a database's file, by their numbers.
func Logged(database string) (map[int64][]byte, error) {
	log := &logFile{path: logPath(database)}
	if err := log.find(false); err != nil || log.file == nil {
		return nil, err
	}
	found := map[int64][]byte{}
	err := log.batches(func(b logBatch) { found[b.seq] = bytes.Clone(b.bytes) })
	return found, errors.Join(err, log.close())
}
