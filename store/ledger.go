package store

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/elumenta/elumenta"
)

var (
	errNoLease  = errors.New("this node has no lease at the moment")
	errReserved = errors.New("a generation with this id was reserved before")
)

// ledger reserves and settles. Its operations are queued, and those that wait at the same time are carried out
// together: on SQLite in the writer's next commit, on Postgres in transactions of their own, several at once, where an
// account's operations always go through the same queue.
type ledger struct {
	store  *Store
	queues []*queue
	seed   maphash.Seed
	ops    sync.Pool // of *ledgerOp
	// node names this process in its reservations; nil while it has no lease.
	node   atomic.Pointer[string]
	open   openGenerations
	unsure unsureReservations

	batch  *ledgerBatch  // SQLite: used by the writer alone
	sqlite *sqliteLedger // SQLite: its statements
	lease  *lease        // Postgres
	stop   context.CancelFunc
	owned  sync.WaitGroup
}

// ledgerOp is one Reserve or Settle on its way through a queue.
type ledgerOp struct {
	item        item
	reserve     bool
	reservation elumenta.Reservation
	account     elumenta.AccountID
	generation  elumenta.GenerationID
	outcome     elumenta.Outcome

	// What came of it, set anew by each attempt.
	node    *string
	grant   elumenta.Grant
	settled elumenta.Settled
	err     error
	row     *generationRow // of a reservation that was made
	// known is the row as Reserve left it, if it was this process. It is one settlement's alone, and need not be read in the epoch that it
	// is of.
	known *generationRow
	// used is what usage needs of a generation that this process reserved; SQLite.
	used *usedGeneration
	// again says that an earlier attempt may have been committed.
	again bool
}

// Reserve implements elumenta.Ledger.
func (s *Store) Reserve(ctx context.Context, r elumenta.Reservation) (elumenta.Grant, error) {
	l := &s.ledger
	if l.node.Load() == nil {
		return elumenta.Grant{}, elumenta.Unavailable(errNoLease)
	}
	op := l.newOp()
	op.reserve, op.reservation, op.account, op.generation = true, r, r.Account, r.Generation
	if err := l.do(ctx, op); err != nil {
		return elumenta.Grant{}, err
	}
	grant, node, err := op.grant, op.node, op.err
	row := op.row
	l.ops.Put(op)
	if err == nil && node != l.node.Load() {
		// The lease was lost meanwhile: others may take this reservation for a dead node's.
		l.unsure.add(generationKey{r.Account, r.Generation})
		return elumenta.Grant{}, elumenta.Unavailable(errNoLease)
	}
	if err == nil {
		var used *usedGeneration
		if l.sqlite != nil {
			used = reserved(&r)
		}
		l.open.put(&r, row, used)
		s.touchKey(r.Key, s.now())
	}
	return grant, err
}

// Settle implements elumenta.Ledger.
func (s *Store) Settle(ctx context.Context, account elumenta.AccountID, id elumenta.GenerationID, o elumenta.Outcome) (elumenta.Settled, error) {
	l := &s.ledger
	op := l.newOp()
	op.account, op.generation, op.outcome = account, id, o
	if l.sqlite != nil {
		op.known, op.used = l.open.take(id)
	}
	if err := l.do(ctx, op); err != nil {
		if op.item.state.Load() != itemTaken { // it can never be carried out
			l.open.restore(id, op.known, op.used)
		}
		return elumenta.Settled{}, err
	}
	settled, err := op.settled, op.err
	l.ops.Put(op)
	if err == nil {
		l.open.remove(id)
	}
	return settled, err
}

func (l *ledger) newOp() *ledgerOp {
	op, ok := l.ops.Get().(*ledgerOp)
	if !ok {
		op = &ledgerOp{}
		op.item.op, op.item.done = op, make(chan struct{}, 1)
		return op
	}
	done := op.item.done
	*op = ledgerOp{}
	op.item.op, op.item.done = op, done
	return op
}

// do queues an operation and waits for it. With an error it was not carried out and must not be used again: the queue may
// still hold it.
func (l *ledger) do(ctx context.Context, op *ledgerOp) error {
	q := l.queues[0]
	if len(l.queues) > 1 {
		q = l.queues[maphash.String(l.seed, string(op.account))%uint64(len(l.queues))]
	}
	return failure(q.do(ctx, &op.item))
}

// beginBatch begins a batch of operations.
func (l *ledger) beginBatch(ops []*ledgerOp) *ledgerBatch {
	b := l.batch
	b.now, b.epoch = l.store.now(), l.sqlite.epoch
	b.begin(ops, l.node.Load())
	return b
}

// run carries out operations in a transaction of the SQLite writer. After an error it may be called for them again.
func (l *ledger) run(ctx context.Context, tx *conn, ops []*ledgerOp) error {
	b := l.beginBatch(ops)
	for _, op := range ops {
		if op.reserve && l.sqlite.mayExist(op.generation) {
			b.wantSettle(op.account, op.generation)
		}
	}
	if err := l.sqlite.read(ctx, tx, b); err != nil {
		return err
	}
	b.decide(ops)
	if b.overtaken { // whoever has the row of one knows nothing of it
		l.sqlite.epoch++
	}
	return l.sqlite.write(ctx, tx, b)
}

// forgetRows drops the accounts, keys and assistants that SQLite's writer has in memory.
func (l *ledger) forgetRows() {
	if l.sqlite != nil {
		l.sqlite.cache.forget()
	}
}

// forget drops what SQLite's writer has in memory, as it must after what is rolled back. It is the writer's to call, with the tables' lock.
func (l *ledger) forget() {
	if l.sqlite != nil {
		l.sqlite.forget()
		l.sqlite.added, l.sqlite.others = nil, true
	}
}

// committed gives the follower what SQLite's writer noted in the transaction that was committed.
func (l *ledger) committed() {
	if l.sqlite != nil {
		l.store.fresh.add(l.sqlite.added, l.sqlite.others)
		l.sqlite.added, l.sqlite.others = nil, false
	}
}

// openLedger starts what the ledger needs; it runs at the end of Open.
func (s *Store) openLedger(ctx context.Context) error {
	running, err := s.startLedger(ctx)
	if err != nil || !s.opts.Serve {
		return err
	}
	return s.ledger.startRecovery(ctx, running)
}

// startLedger returns the context of what runs until the ledger is closed. A server applies what an earlier process left in SQLite's
// log, a command once it reads or writes.
func (s *Store) startLedger(ctx context.Context) (context.Context, error) {
	l := &s.ledger
	l.store, l.seed = s, maphash.MakeSeed()
	l.open.rows = map[elumenta.GenerationID]openGeneration{}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	switch e := s.engine.(type) {
	case *sqliteEngine:
		l.queues = []*queue{e.queue}
		node := newNode()
		l.node.Store(&node)
		s.fresh.forget()
		l.batch, l.sqlite = newLedgerBatch(s.plans), newSQLiteLedger(s.opts.Logger, e.log)
		if s.opts.Serve {
			return running, e.startLog(ctx)
		}
	case *postgresEngine:
		for range postgresBatches {
			q := newQueue()
			l.queues = append(l.queues, q)
			p := newPostgresLedger(l, e)
			go q.serve(p.commit, 0, func() {})
		}
	}
	return running, nil
}

// closeLedger ends it; it runs in Close before the engine is closed.
func (s *Store) closeLedger() {
	l := &s.ledger
	if l.stop == nil {
		return
	}
	l.stop()
	l.owned.Wait()
	if _, shared := s.engine.(*sqliteEngine); !shared { // whose queue is the engine's own
		for _, q := range l.queues {
			q.close()
		}
	}
	l.giveUpLease()
}
