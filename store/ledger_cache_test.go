package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// TestChangesBesideTheLedger: what the server itself or a command beside it changes counts for the next reservation, though
// the ledger has the rows in memory.
func TestChangesBesideTheLedger(t *testing.T) {
	url := sqliteURL(t)
	server := storetest.Open(t, url)
	command := storetest.OpenWith(t, store.Options{URL: url})
	for name, s := range map[string]*store.Store{"the server": server, "a command": command} {
		t.Run(name, func(t *testing.T) {
			r := composed(t, server, "basic", time.Hour)
			reserve := func() error {
				r.Generation = elumenta.NewGenerationID()
				_, err := server.Reserve(t.Context(), r)
				return err
			}
			stale := func(err error, want elumenta.StaleError) {
				t.Helper()
				if got, ok := errors.AsType[*elumenta.StaleError](err); !ok || *got != want {
					t.Errorf("got %v, want %v", err, &want)
				}
			}
			if err := reserve(); err != nil {
				t.Fatal(err)
			}
			if _, _, err := s.Topup(t.Context(), r.Account, elumenta.Topup{Tokens: 100}); err != nil {
				t.Fatal(err)
			}
			r.Price = 396
			if err := reserve(); err != nil {
				t.Errorf("the top-up is not seen: %v", err)
			}
			if err := reserve(); !elumenta.HasCode(err, elumenta.CodeInsufficientTokens) {
				t.Errorf("got %v: nothing is left", err)
			}
			a, err := s.SetPlan(t.Context(), r.Account, elumenta.PlanChange{Plan: "pro"})
			if err != nil {
				t.Fatal(err)
			}
			stale(reserve(), elumenta.StaleError{Account: true})
			r.AccountRevision = a.Revision
			if err := reserve(); err != nil {
				t.Errorf("on the new plan: %v", err)
			}
			if err := s.RevokeKey(t.Context(), r.Account, r.Key); err != nil {
				t.Fatal(err)
			}
			stale(reserve(), elumenta.StaleError{Key: true})
		})
	}
}
