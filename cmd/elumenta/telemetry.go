package main

import (
	"context"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/generate"
	"github.com/elumenta/elumenta/store"
)

// telemetryWait is how long traces and metrics that are left may take to be exported when a node stops.
const telemetryWait = 5 * time.Second

func (n *node) endTelemetry() {
	ctx, cancel := context.WithTimeout(context.Background(), telemetryWait)
	defer cancel()
	if err := n.telemetry.Close(ctx); err != nil {
		n.log.Warn("some traces or metrics were not exported", "error", err)
	}
}

// ledgerStore is the store with a ledger that is followed, if anything is.
func (n *node) ledgerStore() generate.Store {
	if n.telemetry == nil {
		return n.store
	}
	return followedStore{n.store, n.telemetry.Ledger(n.store)}
}

// followedStore is a store whose reservations and settlements are in traces.
type followedStore struct {
	*store.Store
	ledger elumenta.Ledger
}

// Reserve reserves.
func (s followedStore) Reserve(ctx context.Context, r elumenta.Reservation) (elumenta.Grant, error) {
	return s.ledger.Reserve(ctx, r)
}

// Settle settles.
func (s followedStore) Settle(ctx context.Context, account elumenta.AccountID, id elumenta.GenerationID, o elumenta.Outcome) (elumenta.Settled, error) {
	return s.ledger.Settle(ctx, account, id, o)
}
