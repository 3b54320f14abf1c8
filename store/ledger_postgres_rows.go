package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/elumenta/elumenta"
)

// readPostgres begins a transaction, locks the accounts of the batch in the order of their ids, so that two nodes never
// wait for each other, and reads the rows that it names. What else the rows depend on is only changed under that lock, or
// confirmed by its revision.
func (b *ledgerBatch) readPostgres(ctx context.Context, conn *pgx.Conn) error {
	reads := &pgx.Batch{}
	reads.Queue(`BEGIN ISOLATION LEVEL READ COMMITTED`)
	reads.Queue(`SELECT `+accountColumns+` FROM accounts WHERE id = ANY($1) ORDER BY id FOR UPDATE`, textKeys(b.accounts)).Query(b.scanAccounts)
	reads.Queue(`SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`).QueryRow(func(row pgx.Row) error {
		return row.Scan(storedTime{&b.now})
	})
	if len(b.keys) > 0 {
		reads.Queue(`SELECT id, `+ledgerKeyColumns+` FROM keys WHERE id = ANY($1)`, textKeys(b.keys)).Query(b.scanKeys)
	}
	if len(b.assistants) > 0 {
		reads.Queue(`SELECT id, revision FROM assistants WHERE id = ANY($1)`, textKeys(b.assistants)).Query(b.scanAssistants)
	}
	if len(b.claims) > 0 {
		var accounts []string
		var hashes [][]byte
		for key := range b.claims {
			accounts, hashes = append(accounts, string(key.account)), append(hashes, key.hash[:])
		}
		reads.Queue(`SELECT i.account_id, i.hash, i.body_hash, i.resource_id, i.state <> 0, i.tokens_spent, i.expires_at
			FROM unnest($1::text[], $2::bytea[]) AS v (account_id, hash)
			JOIN idempotency_keys AS i ON i.account_id = v.account_id AND i.hash = v.hash`, accounts, hashes).Query(b.scanClaims)
	}
	if len(b.generations) > 0 {
		var accounts, ids []string
		for key := range b.generations {
			accounts, ids = append(accounts, string(key.account)), append(ids, string(key.id))
		}
		reads.Queue(`SELECT g.account_id, g.id, g.key_id, g.budgeted <> 0, g.price, g.taken_monthly, g.taken_topup, g.taken_period, g.state, g.idempotency_hash
			FROM unnest($1::text[], $2::text[]) AS v (account_id, id)
			JOIN generations AS g ON g.account_id = v.account_id AND g.id = v.id`, accounts, ids).Query(b.scanGenerations)
	}
	return conn.SendBatch(ctx, reads).Close()
}

func textKeys[K ~string, V any](m map[K]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, string(key))
	}
	return keys
}

func (b *ledgerBatch) scanAccounts(rows pgx.Rows) error {
	for rows.Next() {
		var a accountRow
		if err := rows.Scan(a.fields()...); err != nil {
			return err
		}
		b.accounts[a.ID] = &a
	}
	return rows.Err()
}

func (b *ledgerBatch) scanKeys(rows pgx.Rows) error {
	for rows.Next() {
		var id elumenta.KeyID
		var k keyRow
		if err := rows.Scan(append([]any{&id}, k.fields()...)...); err != nil {
			return err
		}
		b.keys[id] = &k
	}
	return rows.Err()
}

func (b *ledgerBatch) scanAssistants(rows pgx.Rows) error {
	for rows.Next() {
		var id elumenta.AssistantID
		var revision int64
		if err := rows.Scan(&id, &revision); err != nil {
			return err
		}
		b.assistants[id] = &revision
	}
	return rows.Err()
}

func (b *ledgerBatch) scanClaims(rows pgx.Rows) error {
	for rows.Next() {
		var key claimKey
		var hash, body []byte
		var c claimRow
		if err := rows.Scan(&key.account, &hash, &body, &c.generation, &c.answered, &c.spent, storedTime{&c.expires}); err != nil {
			return err
		}
		copy(key.hash[:], hash)
		copy(c.body[:], body)
		b.claims[key] = &c
	}
	return rows.Err()
}

func (b *ledgerBatch) scanGenerations(rows pgx.Rows) error {
	for rows.Next() {
		var key generationKey
		var hash []byte
		var row generationRow
		if err := rows.Scan(&key.account, &key.id, &row.key, &row.budgeted, &row.price, &row.taken.Monthly, &row.taken.Topup, &row.taken.Period, &row.state, &hash); err != nil {
			return err
		}
		row.claimOf(key.account, hash)
		b.generations[key] = &row
	}
	return rows.Err()
}

// column gathers one column of a list of rows, as unnest takes it.
func column[R, T any](rows []R, of func(*R) T) []T {
	values := make([]T, len(rows))
	for i := range rows {
		values[i] = of(&rows[i])
	}
	return values
}

// writesPostgres queues what the batch decided.
func (b *ledgerBatch) writesPostgres() *pgx.Batch {
	writes := &pgx.Batch{}
	b.writeAccounts(writes)
	b.writeReserved(writes)
	b.writeSettled(writes)
	b.writePending(writes)
	b.writeEntries(writes)
	for text, args := range b.rare() {
		writes.Queue(text, args...)
	}
	return writes
}

func (b *ledgerBatch) writeAccounts(writes *pgx.Batch) {
	for _, a := range b.accounts {
		if a != nil && a.changed {
			text, args := a.update()
			writes.Queue(text, args...)
		}
	}
}

func (b *ledgerBatch) writeReserved(writes *pgx.Batch) {
	if len(b.reserved) == 0 {
		return
	}
	rows := b.reserved
	writes.Queue(`INSERT INTO generations (account_id, id, key_id, assistant_id, version, author_id, model, price,
			taken_monthly, taken_topup, taken_period, node_id, idempotency_hash, created_at, budgeted)
		SELECT v.account_id, v.id, v.key_id, NULLIF(v.assistant_id, ''), NULLIF(v.version, 0), NULLIF(v.author_id, ''), v.model, v.price,
			v.monthly, v.topup, v.period, $12, v.hash, $13, v.budgeted
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::bigint[],
			$9::bigint[], $10::bigint[], $11::bigint[], $14::bytea[], $15::bigint[])
			AS v (account_id, id, key_id, assistant_id, version, author_id, model, price, monthly, topup, period, hash, budgeted)`,
		column(rows, func(n *newGeneration) string { return string(n.Account) }),
		column(rows, func(n *newGeneration) string { return string(n.Generation) }),
		column(rows, func(n *newGeneration) string { return string(n.Key) }),
		column(rows, func(n *newGeneration) string { return string(n.Assistant) }),
		column(rows, func(n *newGeneration) int64 { return int64(n.Version) }),
		column(rows, func(n *newGeneration) string { return string(n.Author) }),
		column(rows, func(n *newGeneration) string { return n.Model }),
		column(rows, func(n *newGeneration) int64 { return n.Price }),
		column(rows, func(n *newGeneration) int64 { return n.row.taken.Monthly }),
		column(rows, func(n *newGeneration) int64 { return n.row.taken.Topup }),
		column(rows, func(n *newGeneration) int64 { return n.row.taken.Period }),
		b.node, micros(b.now),
		column(rows, func(n *newGeneration) []byte {
			if !n.row.claimed {
				return nil
			}
			return n.row.claim.hash[:]
		}),
		column(rows, func(n *newGeneration) int64 { return flag(n.row.budgeted) }))
}

func (b *ledgerBatch) writeSettled(writes *pgx.Batch) {
	if len(b.settled) == 0 {
		return
	}
	rows := b.settled
	writes.Queue(`UPDATE generations AS g SET state = v.state, error = v.error, finish = v.finish, prompt_tokens = v.prompt,
			completion_tokens = v.completion, cached_tokens = v.cached, cache_write_tokens = v.cache_write, reasoning_tokens = v.reasoning,
			latency_us = v.latency, first_piece_us = v.first_piece, cache_missed = v.cache_missed, settled_at = $14
		FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
			$9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[])
			AS v (account_id, id, state, error, finish, prompt, completion, cached, cache_write, reasoning, latency, first_piece, cache_missed)
		WHERE g.account_id = v.account_id AND g.id = v.id`,
		column(rows, func(g *settledGeneration) string { return string(g.account) }),
		column(rows, func(g *settledGeneration) string { return string(g.id) }),
		column(rows, func(g *settledGeneration) int64 { return int64(g.outcome.State) }),
		column(rows, func(g *settledGeneration) string { return string(g.outcome.Error) }),
		column(rows, func(g *settledGeneration) string { return string(g.outcome.Finish) }),
		column(rows, func(g *settledGeneration) int64 { return g.outcome.Usage.PromptTokens }),
		column(rows, func(g *settledGeneration) int64 { return g.outcome.Usage.CompletionTokens }),
		column(rows, func(g *settledGeneration) int64 { return g.outcome.Usage.CachedTokens }),
		column(rows, func(g *settledGeneration) int64 { return g.outcome.Usage.CacheWriteTokens }),
		column(rows, func(g *settledGeneration) int64 { return g.outcome.Usage.ReasoningTokens }),
		column(rows, func(g *settledGeneration) int64 { return g.outcome.Latency.Microseconds() }),
		column(rows, func(g *settledGeneration) int64 { return g.outcome.FirstPiece.Microseconds() }),
		column(rows, func(g *settledGeneration) int64 { return flag(g.outcome.CacheMiss) }),
		micros(b.now))
}

func (b *ledgerBatch) writePending(writes *pgx.Batch) {
	if len(b.settled) == 0 {
		return
	}
	writes.Queue(`INSERT INTO usage_pending (account_id, generation_id) SELECT * FROM unnest($1::text[], $2::text[])`,
		column(b.settled, func(g *settledGeneration) string { return string(g.account) }),
		column(b.settled, func(g *settledGeneration) string { return string(g.id) }))
}

func (b *ledgerBatch) writeEntries(writes *pgx.Batch) {
	if len(b.entries) == 0 {
		return
	}
	rows := b.entries
	writes.Queue(`INSERT INTO ledger_entries (`+entryColumns+`)
		SELECT v.account_id, v.seq, v.kind, v.source, v.destination, v.monthly, v.topup, NULLIF(v.generation_id, ''), v.reason, v.actor, v.at
		FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::text[],
			$10::text[], $11::bigint[])
			AS v (account_id, seq, kind, source, destination, monthly, topup, generation_id, reason, actor, at)`,
		column(rows, func(e *entryRow) string { return string(e.account) }),
		column(rows, func(e *entryRow) int64 { return e.seq }),
		column(rows, func(e *entryRow) string { return string(e.Kind) }),
		column(rows, func(e *entryRow) string { source, _ := e.Kind.Route(); return string(source) }),
		column(rows, func(e *entryRow) string { _, destination := e.Kind.Route(); return string(destination) }),
		column(rows, func(e *entryRow) int64 { return e.Monthly }),
		column(rows, func(e *entryRow) int64 { return e.Topup }),
		column(rows, func(e *entryRow) string { return string(e.Generation) }),
		column(rows, func(e *entryRow) string { return e.Reason }),
		column(rows, func(e *entryRow) string { return e.Actor }),
		column(rows, func(e *entryRow) int64 { return micros(e.At) }))
}

func isInternal(err error) bool {
	e, ok := errors.AsType[*elumenta.Error](err)
	return ok && e.Code == elumenta.CodeInternal
}
