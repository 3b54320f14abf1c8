package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/elumenta/elumenta"
)

const keyColumns = `keys.id, keys.account_id, keys.name, keys.hash, keys.prefix, keys.revision, keys.created_at, keys.last_used_at,
	keys.read_only <> 0, keys.assistants, keys.models, keys.budget, keys.spent, keys.expires_at`

func keyFields(k *elumenta.Key) []any {
	return []any{&k.ID, &k.AccountID, &k.Name, storedHash{&k.Hash}, &k.Prefix, &k.Revision, storedTime{&k.CreatedAt}, storedTime{&k.LastUsedAt},
		&k.Limits.ReadOnly, storedList[elumenta.AssistantID]{&k.Limits.Assistants}, storedList[string]{&k.Limits.Models}, &k.Limits.Budget, &k.Spent,
		storedTime{&k.Limits.ExpiresAt}}
}

// limitValues are the limits in the order of the columns read_only, assistants, models, budget, expires_at.
func limitValues(l *elumenta.KeyLimits) []any {
	return []any{flag(l.ReadOnly), listValue(l.Assistants), listValue(l.Models), l.Budget, micros(l.ExpiresAt)}
}

// listValue is a list as it is stored: JSON, or NULL for no list.
func listValue[T ~string](items []T) any {
	if items == nil {
		return nil
	}
	b, err := json.Marshal(items)
	if err != nil {
		panic(err) // strings can be marshalled
	}
	return string(b)
}

// storedList scans a list that is stored as listValue.
type storedList[T ~string] struct{ to *[]T }

// Scan implements sql.Scanner.
func (l storedList[T]) Scan(src any) error {
	*l.to = nil
	switch text := src.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(text), l.to)
	}
	return fmt.Errorf("a list is stored as %T", src)
}

// storedHash scans a key's hash.
type storedHash struct{ to *elumenta.KeyHash }

// Scan implements sql.Scanner.
func (h storedHash) Scan(src any) error {
	b, ok := src.([]byte)
	if !ok || len(b) != len(h.to) {
		return fmt.Errorf("a key's hash is stored as %T", src)
	}
	copy(h.to[:], b)
	return nil
}

// CreateKey implements elumenta.Accounts. An account that has elumenta.MaxKeys is a CodeValidation error, elumenta.StarterAuthor a
// CodeConflict one.
func (s *Store) CreateKey(ctx context.Context, account elumenta.AccountID, n elumenta.NewKey, secret elumenta.KeySecret, idem *elumenta.Idempotency) (key *elumenta.Key, replayed bool, err error) {
	if err := n.Check(s.now()).Err(); err != nil {
		return nil, false, err
	}
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		id := elumenta.NewKeyID()
		first, err := s.claim(ctx, tx, account, "keys", idem, string(id))
		if err != nil {
			return err
		}
		if replayed = first != ""; replayed {
			key, err = readKey(ctx, tx, account, elumenta.KeyID(first))
			if elumenta.HasCode(err, elumenta.CodeNotFound) {
				return elumenta.Errorf(elumenta.CodeConflict, "this Idempotency-Key made a key that has been revoked since: use a new one")
			}
			return err
		}
		key, err = s.insertKey(ctx, tx, account, &n, secret, id)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return key, replayed, nil
}

func (s *Store) insertKey(ctx context.Context, tx querier, account elumenta.AccountID, n *elumenta.NewKey, secret elumenta.KeySecret, id elumenta.KeyID) (*elumenta.Key, error) {
	if err := refuseStarterAuthor(account, "it has no keys"); err != nil {
		return nil, err
	}
	counted, err := affected(tx.ExecContext(ctx, `UPDATE accounts SET keys = keys + 1 WHERE id = $1 AND keys < $2`, string(account), elumenta.MaxKeys))
	if err != nil {
		return nil, err
	}
	if counted == 0 {
		return nil, limitOrNotFound(ctx, tx, account, "an account may have at most %d keys: revoke one first", elumenta.MaxKeys)
	}
	key := &elumenta.Key{
		ID: id, AccountID: account, Name: n.Name, Hash: secret.Hash(), Prefix: secret.Prefix(), Revision: 1, CreatedAt: s.now(), Limits: n.Limits,
	}
	key.Limits.ExpiresAt = fromMicros(micros(n.Limits.ExpiresAt))
	made, err := affected(tx.ExecContext(ctx, `INSERT INTO keys (id, account_id, hash, name, prefix, revision, created_at,
			read_only, assistants, models, budget, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (hash) DO NOTHING`,
		append([]any{string(id), string(account), key.Hash[:], n.Name, key.Prefix, key.Revision, micros(key.CreatedAt)}, limitValues(&key.Limits)...)...))
	if err == nil && made == 0 {
		err = elumenta.Errorf(elumenta.CodeConflict, "this API key exists already")
	}
	if err != nil {
		return nil, err
	}
	return key, s.record(ctx, elumenta.AuditKeyCreated, account, string(id), limitDetails(&key.Limits))
}

// limitOrNotFound says why an account's count could not be raised.
func limitOrNotFound(ctx context.Context, tx querier, account elumenta.AccountID, message string, limit int) error {
	var exists bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM accounts WHERE id = $1)`, string(account)).Scan(&exists); err != nil {
		return err
	}
	if !exists {
		return elumenta.NotFound("account")
	}
	return elumenta.Errorf(elumenta.CodeValidation, message, limit)
}

func readKey(ctx context.Context, q querier, account elumenta.AccountID, id elumenta.KeyID) (*elumenta.Key, error) {
	var key elumenta.Key
	err := q.QueryRowContext(ctx, `SELECT `+keyColumns+` FROM keys WHERE id = $1 AND account_id = $2`, string(id), string(account)).Scan(keyFields(&key)...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, elumenta.NotFound("key")
	}
	return &key, err
}

// Keys implements elumenta.Accounts.
func (s *Store) Keys(ctx context.Context, account elumenta.AccountID, before elumenta.KeyID, limit int) (keys []elumenta.Key, more bool, err error) {
	return s.listKeys(ctx, `account_id = $1`, string(account), before, limit)
}

func (s *Store) listKeys(ctx context.Context, where, value string, before elumenta.KeyID, limit int) (keys []elumenta.Key, more bool, err error) {
	err = s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		keys = nil
		rows, err := q.QueryContext(ctx, `SELECT `+keyColumns+` FROM keys WHERE `+where+` AND id < $2 ORDER BY id DESC LIMIT $3`,
			value, below(string(before)), limit+1)
		if err != nil {
			return err
		}
		return each(rows, func() error {
			var key elumenta.Key
			err := rows.Scan(keyFields(&key)...)
			keys = append(keys, key)
			return err
		})
	})
	keys, more = page(keys, limit)
	return keys, more, err
}

// ChangeKey implements elumenta.Accounts. The account's lock keeps it apart from reservations, which count what is spent.
func (s *Store) ChangeKey(ctx context.Context, account elumenta.AccountID, id elumenta.KeyID, p *elumenta.KeyPatch) (key *elumenta.Key, err error) {
	if err := p.Check(s.now()).Err(); err != nil {
		return nil, err
	}
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		if _, err := s.lockAccount(ctx, tx, account); err != nil {
			return err
		}
		if key, err = readKey(ctx, tx, account, id); err != nil {
			return err
		}
		next, changed := p.Apply(key)
		if err := next.Limits.Check().Err(); err != nil || !changed {
			return err
		}
		key.Name, key.Limits = next.Name, next.Limits
		key.Revision++
		if _, err := tx.ExecContext(ctx, `UPDATE keys SET name = $2, revision = $3, read_only = $4, assistants = $5, models = $6, budget = $7, expires_at = $8
			WHERE id = $1`, append([]any{string(id), key.Name, key.Revision}, limitValues(&key.Limits)...)...); err != nil {
			return err
		}
		return s.record(ctx, elumenta.AuditKeyChanged, account, string(id), limitDetails(&key.Limits))
	})
	if err != nil {
		return nil, err
	}
	return key, nil
}

// RevokeKey implements elumenta.Accounts.
func (s *Store) RevokeKey(ctx context.Context, account elumenta.AccountID, id elumenta.KeyID) error {
	return s.write(ctx, func(ctx context.Context, tx querier) error { return s.revokeKey(ctx, tx, account, id) })
}

func (s *Store) revokeKey(ctx context.Context, tx querier, account elumenta.AccountID, id elumenta.KeyID) error {
	if _, err := tx.ExecContext(ctx, `UPDATE accounts SET keys = keys - 1 WHERE id = $1 AND keys > 0`, string(account)); err != nil {
		return err
	}
	gone, err := affected(tx.ExecContext(ctx, `DELETE FROM keys WHERE id = $1 AND account_id = $2`, string(id), string(account)))
	if err == nil && gone == 0 {
		err = elumenta.NotFound("key")
	}
	if err != nil {
		return err
	}
	return s.record(ctx, elumenta.AuditKeyRevoked, account, string(id), nil)
}

// limitDetails are a key's limits for the audit trail: numbers, ids and slugs.
func limitDetails(l *elumenta.KeyLimits) auditDetails {
	d := auditDetails{}
	if l.ReadOnly {
		d["read_only"] = true
	}
	if l.Assistants != nil {
		d["assistants"] = l.Assistants
	}
	if l.Models != nil {
		d["models"] = l.Models
	}
	if l.Budget != nil {
		d["budget"] = *l.Budget
	}
	if !l.ExpiresAt.IsZero() {
		d["expires_at"] = l.ExpiresAt
	}
	return d
}

// claim takes an Idempotency-Key for a resource. If a request took it before, claim returns that one's resource, or
// CodeConflict if its body was another. Of two requests at once the later waits for the earlier.
func (s *Store) claim(ctx context.Context, tx querier, account elumenta.AccountID, call string, idem *elumenta.Idempotency, resource string) (first string, err error) {
	if idem == nil {
		return "", nil
	}
	now := s.now()
	if _, err := tx.ExecContext(ctx, `DELETE FROM idempotency_keys WHERE account_id = $1 AND hash = $2 AND expires_at <= $3`,
		string(account), idem.Key[:], micros(now)); err != nil {
		return "", err
	}
	claimed, err := affected(tx.ExecContext(ctx, `INSERT INTO idempotency_keys (account_id, hash, call, body_hash, resource_id, state, expires_at)
		VALUES ($1, $2, $3, $4, $5, 1, $6) ON CONFLICT (account_id, hash) DO NOTHING`,
		string(account), idem.Key[:], call, idem.Body[:], resource, micros(now.Add(idempotencyLifetime))))
	if err != nil || claimed == 1 {
		return "", err
	}
	var body []byte
	if err := tx.QueryRowContext(ctx, `SELECT body_hash, resource_id FROM idempotency_keys WHERE account_id = $1 AND hash = $2`,
		string(account), idem.Key[:]).Scan(&body, &first); err != nil {
		return "", err
	}
	if [sha256.Size]byte(body) != idem.Body {
		return "", elumenta.Errorf(elumenta.CodeConflict, "this Idempotency-Key was used with another body: use a new key for a new request")
	}
	return first, nil
}
