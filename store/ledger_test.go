package store_test

import (
	"path/filepath"
	"testing"

	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

func sqliteURL(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "elumenta.db") }

func TestLedgerSQLite(t *testing.T) { storetest.Ledger(t, sqliteURL) }

// TestLedgerLogged: whatever is in the log counts as if it were in the tables.
func TestLedgerLogged(t *testing.T) { storetest.Ledger(t, sqliteURL, (*store.Options).LogAll) }

func TestLedgerPostgres(t *testing.T) { storetest.Ledger(t, storetest.Postgres) }
