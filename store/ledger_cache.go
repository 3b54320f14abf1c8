package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/elumenta/elumenta"
)

// maxCached bounds how many rows of one kind a ledgerCache keeps.
const maxCached = 4096

// ledgerCache keeps the accounts, keys and assistants of earlier batches on SQLite, where this process's writer is the only
// one but for a command now and then. They stay until anything else writes: SQLite counts what other connections committed,
// and the writer forgets them before it runs what is not the ledger's, and after what it rolls back.
type ledgerCache struct {
	accounts   map[elumenta.AccountID]*accountRow
	keys       map[elumenta.KeyID]*keyRow
	assistants map[elumenta.AssistantID]*int64
	// version is SQLite's count when they were read.
	version int64
}

func (c *ledgerCache) forget() {
	c.accounts, c.keys, c.assistants = map[elumenta.AccountID]*accountRow{}, map[elumenta.KeyID]*keyRow{}, map[elumenta.AssistantID]*int64{}
}

// changed reports whether another connection has committed anything since it was asked last.
func (c *ledgerCache) changed(tx *conn) (bool, error) {
	before := c.version
	var err error
	if c.version, err = tx.readInt(`PRAGMA data_version`); err != nil {
		return false, fmt.Errorf("read the version of the data: %w", err)
	}
	return c.version != before, nil
}

func (c *ledgerCache) full() bool {
	return len(c.accounts) > maxCached || len(c.keys) > maxCached || len(c.assistants) > maxCached
}

// fill completes the wanted rows, from those that are cached or else by read, which reports whether there is such a row. Those
// that do not exist stay nil.
func fill[K ~string, V any](wanted, cached map[K]*V, read func(id K, row *V) error) error {
	for id := range wanted {
		row := cached[id]
		if row == nil {
			row = new(V)
			ok, err := found(read(id, row))
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			cached[id] = row
		}
		wanted[id] = row
	}
	return nil
}

// readRows fills in the accounts, keys and assistants that a batch names.
func (c *ledgerCache) readRows(ctx context.Context, tx querier, b *ledgerBatch) error {
	one := func(query, id string) *sql.Row { return tx.QueryRowContext(ctx, query, id) }
	if err := fill(b.accounts, c.accounts, func(id elumenta.AccountID, a *accountRow) error {
		return one(`SELECT `+accountColumns+` FROM accounts WHERE id = $1`, string(id)).Scan(a.fields()...)
	}); err != nil {
		return fmt.Errorf("read an account: %w", err)
	}
	for _, a := range b.accounts {
		if a != nil {
			a.changed = false
		}
	}
	if err := fill(b.keys, c.keys, func(id elumenta.KeyID, k *keyRow) error {
		return one(`SELECT `+ledgerKeyColumns+` FROM keys WHERE id = $1`, string(id)).Scan(k.fields()...)
	}); err != nil {
		return fmt.Errorf("read a key: %w", err)
	}
	if err := fill(b.assistants, c.assistants, func(id elumenta.AssistantID, revision *int64) error {
		return one(`SELECT revision FROM assistants WHERE id = $1`, string(id)).Scan(revision)
	}); err != nil {
		return fmt.Errorf("read an assistant: %w", err)
	}
	return nil
}
