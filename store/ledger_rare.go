package store

import "iter"

// rare yields the statements for what few generations need, the same on both engines: corrections, keys with a budget and
// Idempotency-Keys. Keys are in the order of their ids, as in all transactions that change several.
func (b *ledgerBatch) rare() iter.Seq2[string, []any] {
	return func(yield func(text string, args []any) bool) {
		for i := range b.corrected {
			account, id := string(b.corrected[i].account), string(b.corrected[i].id)
			if !yield(`UPDATE generations SET state = 2, corrected = 1, error = $3 WHERE account_id = $1 AND id = $2`,
				[]any{account, id, string(b.corrected[i].failure)}) ||
				!yield(`INSERT INTO usage_pending (account_id, generation_id, correction) VALUES ($1, $2, 1)`, []any{account, id}) {
				return
			}
		}
		for _, id := range sortedKeys(b.spent) {
			if spent := b.spent[id]; spent != 0 && !yield(`UPDATE keys SET spent = CASE WHEN spent + $2 > 0 THEN spent + $2 ELSE 0 END WHERE id = $1`,
				[]any{string(id), spent}) {
				return
			}
		}
		for i := range b.claimed {
			if !yield(b.claimed[i].statement()) {
				return
			}
		}
	}
}

func (c *claimChange) statement() (text string, args []any) {
	args = []any{string(c.account), c.hash[:], string(c.generation)}
	switch c.to {
	case claimHeld:
		return `INSERT INTO idempotency_keys (account_id, hash, resource_id, call, body_hash, state, tokens_spent, expires_at)
			VALUES ($1, $2, $3, 'generate', $4, 0, 0, $5)
			ON CONFLICT (account_id, hash) DO UPDATE SET resource_id = excluded.resource_id, call = excluded.call,
			body_hash = excluded.body_hash, state = 0, tokens_spent = 0, expires_at = excluded.expires_at`,
			append(args, c.body[:], micros(c.expires))
	case claimAnswered:
		return `UPDATE idempotency_keys SET state = 1, tokens_spent = $4 WHERE account_id = $1 AND hash = $2 AND resource_id = $3`,
			append(args, c.spent)
	}
	return `DELETE FROM idempotency_keys WHERE account_id = $1 AND hash = $2 AND resource_id = $3`, args
}
