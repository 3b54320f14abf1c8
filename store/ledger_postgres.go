package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresLedger carries out the batches of one queue, each in a transaction of two round trips: one that begins, locks
// and reads, one that writes and commits. It is used by one goroutine.
type postgresLedger struct {
	ledger *ledger
	engine *postgresEngine
	batch  *ledgerBatch
}

func newPostgresLedger(l *ledger, e *postgresEngine) *postgresLedger {
	return &postgresLedger{l, e, newLedgerBatch(l.store.plans)}
}

// commit carries out what was collected and answers it.
func (p *postgresLedger) commit(items []*item) {
	ops := make([]*ledgerOp, len(items))
	for i, it := range items {
		ops[i] = it.op
	}
	start := time.Now()
	p.runAll(ops)
	p.ledger.store.metrics.commit(len(items), time.Since(start))
	for _, it := range items {
		it.answer(nil)
	}
}

// runAll carries out operations together, or one by one if that fails for a reason of theirs, so that only the one fails
// that is to blame.
func (p *postgresLedger) runAll(ops []*ledgerOp) {
	err := p.run(ops)
	if err == nil {
		return
	}
	err = failure(err)
	if len(ops) > 1 && isInternal(err) {
		for i := range ops {
			p.runAll(ops[i : i+1])
		}
		return
	}
	for _, op := range ops {
		if op.reserve && op.again {
			p.ledger.unsure.add(generationKey{op.account, op.generation})
		}
		op.err = err
	}
}

// unsureFor is how long a batch is repeated that may have been committed. Whoever asked is told then that the database is
// away: a reservation is given back later, and a settlement is repeated by its caller.
const unsureFor = time.Second

// run repeats the transaction while another attempt may do better: a few times where nothing was committed, and for
// unsureFor where that is not known.
func (p *postgresLedger) run(ops []*ledgerOp) error {
	ctx, cancel := context.WithTimeout(context.Background(), unsureFor)
	defer cancel()
	unsure := false
	for attempt := 0; ; attempt++ {
		again, maybe, err := p.attempt(ops)
		if err == nil || !again {
			return err
		}
		if maybe {
			unsure = true
			for _, op := range ops {
				op.again = true
			}
		}
		if !unsure && attempt+1 >= postgresAttempts || ctx.Err() != nil {
			return err
		}
		select {
		case <-time.After(min(time.Millisecond<<min(attempt, 10), time.Second)):
		case <-ctx.Done():
			return err
		}
	}
}

// attempt makes one transaction. With an error, again says whether another may do better, and maybe whether this one may
// have been committed.
func (p *postgresLedger) attempt(ops []*ledgerOp) (again, maybe bool, err error) {
	wait, cancel := context.WithTimeout(context.Background(), p.ledger.store.opts.Timeout)
	defer cancel()
	conn, err := p.engine.ledger.Conn(wait)
	if err != nil {
		return lostBeforeCommit(err), false, err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), p.ledger.store.opts.Timeout)
	defer cancel()
	committing := false
	defer p.engine.watch(ctx, &err)()
	err = conn.Raw(func(dc any) error {
		pg, ok := dc.(*stdlib.Conn)
		if !ok {
			return errors.New("not a connection of pgx")
		}
		err := guard(func() error { return p.transact(ctx, pg.Conn(), ops, &committing) })
		if err != nil && abandon(pg.Conn()) {
			return errors.Join(err, driver.ErrBadConn)
		}
		return err
	})
	// pgconn.SafeToRetry says nothing here: after a connection broke it reports the state of the closed one.
	maybe = committing
	switch {
	case err == nil:
		return false, false, nil
	case retryable(err):
		return true, false, err
	case lostBeforeCommit(err) || fatal(err):
		return true, maybe, err
	case ctx.Err() != nil:
		return maybe, maybe, err
	}
	return false, false, err
}

// fatal reports whether the server ended the connection: what came before may have been carried out.
func fatal(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.SeverityUnlocalized == "FATAL" || pg.SeverityUnlocalized == "PANIC" || pg.Code == "40003")
}

// abandon rolls back what is open and reports whether the connection is of no more use.
func abandon(conn *pgx.Conn) bool {
	if conn.IsClosed() {
		return true
	}
	if conn.PgConn().TxStatus() == 'I' {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, err := conn.Exec(ctx, `ROLLBACK`); err != nil {
		_ = conn.Close(ctx)
		return true
	}
	return false
}

func (p *postgresLedger) transact(ctx context.Context, conn *pgx.Conn, ops []*ledgerOp, committing *bool) error {
	b := p.batch
	b.begin(ops, p.ledger.node.Load())
	if err := b.readPostgres(ctx, conn); err != nil {
		return fmt.Errorf("read a batch of the ledger: %w", err)
	}
	if p.ledger.store.opts.clock {
		b.now = p.ledger.store.now()
	}
	b.decide(ops)
	writes := b.writesPostgres()
	writes.Queue(`COMMIT`)
	*committing = true
	results := conn.SendBatch(ctx, writes)
	for range writes.Len() {
		if _, err := results.Exec(); err != nil {
			_ = results.Close() // the error is known
			return fmt.Errorf("write a batch of the ledger: %w", err)
		}
	}
	return results.Close()
}
