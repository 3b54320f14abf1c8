package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/elumenta/elumenta"
)

// versionBytes is versionRow.bytes of a row of assistant_versions.
const versionBytes = `octet_length(note) + octet_length(name) + octet_length(model) + octet_length(description) + octet_length(category)
	+ octet_length(coalesce(response_format, '')) + octet_length(coalesce(variables, '')) + octet_length(coalesce(metadata, '')) + octet_length(instructions)`

// versionRow is what a version stores that may be of any length.
type versionRow struct {
	elumenta.Fields
	note                                string
	responseFormat, variables, metadata sql.NullString
}

func newVersionRow(f *elumenta.Fields, note string) (*versionRow, error) {
	var r format
	if f.ResponseFormat != nil {
		r = format{f.ResponseFormat.Type, f.ResponseFormat.Name, string(f.ResponseFormat.Schema), f.ResponseFormat.Strict}
	}
	responseFormat, err1 := nullJSON(r, f.ResponseFormat == nil)
	variables, err2 := nullJSON(f.Variables, len(f.Variables) == 0)
	metadata, err3 := nullJSON(f.Metadata, len(f.Metadata) == 0)
	return &versionRow{*f, note, responseFormat, variables, metadata}, errors.Join(err1, err2, err3)
}

// nullJSON is v as a column, NULL if it is empty.
func nullJSON(v any, empty bool) (sql.NullString, error) {
	if empty {
		return sql.NullString{}, nil
	}
	b, err := json.Marshal(v)
	return sql.NullString{String: string(b), Valid: true}, err
}

// bytes is what the version's texts have: what elumenta.Storage counts, and migration 6 counted.
func (r *versionRow) bytes() int64 {
	return int64(len(r.note) + len(r.Name) + len(r.Model) + len(r.Description) + len(r.Category) +
		len(r.responseFormat.String) + len(r.variables.String) + len(r.metadata.String) + len(r.Instructions))
}

// insert saves a version, whose bytes the caller adds to the assistant's.
func (r *versionRow) insert(ctx context.Context, tx querier, id elumenta.AssistantID, version int, at time.Time, public bool) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO assistant_versions (assistant_id, version, public, created_at, note, name, model, description,
		category, temperature, max_tokens, response_format, variables, metadata, copyable, instructions)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		string(id), version, flag(public), micros(at), r.note, r.Name, r.Model, r.Description,
		r.Category, r.Temperature, r.MaxTokens, r.responseFormat, r.variables, r.metadata, flag(r.Copyable), string(r.Instructions))
	return err
}

// AssistantStorage implements elumenta.AssistantStore.
func (s *Store) AssistantStorage(ctx context.Context, owner elumenta.AccountID) (elumenta.Storage, error) {
	storage := elumenta.Storage{Limit: s.storageLimit(owner)}
	err := s.readUnlogged(ctx, func(ctx context.Context, q querier) (err error) {
		storage.Used, err = storedBytes(ctx, q, owner)
		return err
	})
	return storage, err
}

// storageLimit is zero for none. The built-in author has what this program brings, which must not keep a server from starting.
func (s *Store) storageLimit(owner elumenta.AccountID) int64 {
	if owner == elumenta.StarterAuthor {
		return 0
	}
	return s.rules.Load().assistantStorage
}

func storedBytes(ctx context.Context, q querier, owner elumenta.AccountID) (n int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM assistants WHERE account_id = $1`, string(owner)).Scan(&n)
	return n, err
}

// lockStorage comes before all else in a transaction that may add a version, so that what an account stores is added up and exceeded by one
// at a time. It is a lock of its own: the account's row is the ledger's, and would be held while the marketplace's index is waited for.
func (s *Store) lockStorage(ctx context.Context, tx querier, owner elumenta.AccountID) error {
	lock := s.engine.lockStorage()
	if lock == "" || s.storageLimit(owner) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, lock, string(owner))
	return err
}

// checkStorage refuses what an account has no room for. lockStorage was called before.
func (s *Store) checkStorage(ctx context.Context, tx querier, owner elumenta.AccountID, more int64) error {
	limit := s.storageLimit(owner)
	if limit == 0 {
		return nil
	}
	// The largest assistant mostly tells that there is room: adding up ten thousand takes milliseconds, and others wait for SQLite's writer.
	var largest int64
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(bytes), 0) FROM assistants WHERE account_id = $1`, string(owner)).Scan(&largest); err != nil {
		return err
	}
	if largest*elumenta.MaxAssistants+more <= limit {
		return nil
	}
	used, err := storedBytes(ctx, tx, owner)
	if err != nil || used+more <= limit {
		return err
	}
	return elumenta.Errorf(elumenta.CodeValidation, "the account's assistants store %d bytes in all their versions, this would add %d, and an account may have %d: "+
		"delete assistants or withdraw versions first, or ask the operator for more", used, more, limit)
}
