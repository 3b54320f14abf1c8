package store

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// list is a statement over a list of rows, for either engine.
type list struct {
	head, tail string
	bulk       *bulk // SQLite's
}

func newList(head string, columns int, tail string) *list {
	return &list{head, tail, newBulk(head, columns, false, tail)}
}

// exec runs the statement for all rows and returns how many it changed: on Postgres, where each statement is a round trip,
// all at once.
func (l *list) exec(ctx context.Context, tx querier, args arguments, pace pace) (changed int64, err error) {
	if c, ok := tx.(*conn); ok {
		return l.bulk.exec(c, args, pace)
	}
	if len(args) == 0 {
		return 0, nil
	}
	text, values := l.text(args)
	return affected(tx.ExecContext(ctx, text, values...))
}

// text is the statement for Postgres.
func (l *list) text(args arguments) (string, []any) {
	var text strings.Builder
	text.WriteString(l.head)
	for i := range args {
		switch {
		case i%l.bulk.columns > 0:
			text.WriteByte(',')
		case i > 0:
			text.WriteString("),(")
		default:
			text.WriteByte('(')
		}
		text.WriteByte('$')
		text.WriteString(strconv.Itoa(i + 1))
	}
	text.WriteByte(')')
	text.WriteString(l.tail)
	return text.String(), args.values()
}

const usageSums = `requests, failures, tokens_spent, cache_hits, cache_misses, prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens`

// follower has the statements that write rollups.
type follower struct {
	logger                                       *slog.Logger
	forget, batch, write, lock, order, use, call *list
	latencies                                    *bulk        // SQLite
	limit                                        atomic.Int64 // notes of the next chunk
}

func newFollower(logger *slog.Logger) *follower {
	const key, set = `account_id, dimension, day, value`, ` = usage_daily.`
	var sums []string
	for sum := range strings.SplitSeq(usageSums, ", ") {
		sums = append(sums, sum+set+sum+` + excluded.`+sum)
	}
	f := &follower{
		logger: logger,
		forget: newList(`DELETE FROM usage_pending WHERE (account_id, generation_id, correction) IN
			(SELECT v.column1, v.column2, CAST(v.column3 AS INTEGER) FROM (VALUES `, 3, `) AS v)`),
		batch: newList(`DELETE FROM usage_batches WHERE seq IN (VALUES `, 1, `)`),
		write: newList(`INSERT INTO usage_daily (`+key+`, `+usageSums+`, latency) VALUES `, 14,
			` ON CONFLICT (`+key+`) DO UPDATE SET `+strings.Join(sums, ", ")+`, latency = excluded.latency`),
		// A row that changes nothing locks the one that is there.
		lock: newList(`INSERT INTO usage_daily (`+key+`, `+usageSums+`, latency)
			SELECT v.column1, v.column2, CAST(v.column3 AS BIGINT), v.column4, 0, 0, 0, 0, 0, 0, 0, 0, 0, CAST('' AS BYTEA) FROM (VALUES `, 4,
			`) AS v ON CONFLICT (`+key+`) DO UPDATE SET requests = usage_daily.requests RETURNING `+key+`, latency`),
		order: newList(`SELECT id FROM assistants WHERE id IN (VALUES `, 1, `) ORDER BY id FOR NO KEY UPDATE`),
		use: newList(`UPDATE assistants AS a SET uses = a.uses + CAST(v.column2 AS BIGINT) FROM (VALUES `, 2,
			`) AS v WHERE a.id = v.column1`),
		// A row that has the day already is not written again, and rows are locked in one order.
		call: newList(`INSERT INTO assistant_callers (assistant_id, account_id, day)
			SELECT v.column1, v.column2, CAST(v.column3 AS BIGINT) FROM (VALUES `, 3, `) AS v WHERE NOT EXISTS (SELECT 1 FROM assistant_callers AS c
				WHERE c.assistant_id = v.column1 AND c.account_id = v.column2 AND c.day >= CAST(v.column3 AS BIGINT))
			ORDER BY v.column1, v.column2 ON CONFLICT (assistant_id, account_id)
			DO UPDATE SET day = excluded.day WHERE assistant_callers.day < excluded.day`),
		latencies: newBulk(`SELECT v.column1, u.latency FROM (VALUES `, 4, true, `) AS v CROSS JOIN usage_daily AS u
			ON u.account_id = v.column2 AND u.dimension = v.column3 AND u.day = v.column4 AND u.value = v.column5`),
	}
	f.limit.Store(firstNotes)
	return f
}

// keys are the rows in the order in which every node locks them, those that all accounts share last.
func (r *rollup) keys() []usageKey {
	keys := make([]usageKey, 0, len(r.rows))
	for key := range r.rows {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b usageKey) int {
		return cmp.Or(-cmp.Compare(flag(a.account != everyone), flag(b.account != everyone)), cmp.Compare(a.account, b.account),
			cmp.Compare(a.dimension, b.dimension), cmp.Compare(a.day, b.day), cmp.Compare(a.value, b.value))
	})
	return keys
}

func (k *usageKey) addTo(args *arguments) {
	args.add(string(k.account), string(k.dimension), k.day, k.value)
}

// prepare reads the sketches of a chunk's rows on SQLite, and adds the chunk's latencies.
func (f *follower) prepare(ctx context.Context, q querier, r *rollup) error {
	keys := r.keys()
	for p := range f.latencies.parts(len(keys)) {
		var args arguments
		for i := range p.rows {
			keys[p.first+i].addTo(&args)
		}
		rows, err := q.QueryContext(ctx, p.text, args.values()...)
		if err != nil {
			return fmt.Errorf("read the sketches of rollups: %w", err)
		}
		if err := each(rows, func() error {
			var n int
			var latency []byte
			err := rows.Scan(&n, &latency)
			if len(latency) > 0 { // the driver has none for an empty one
				r.rows[keys[p.first+n]].latency = latency
			}
			return err
		}); err != nil {
			return fmt.Errorf("read the sketches of rollups: %w", err)
		}
	}
	f.sketch(ctx, r)
	return nil
}

// lockRows makes or locks the rows of a chunk on Postgres, and adds the chunk's latencies to their sketches.
func (f *follower) lockRows(ctx context.Context, tx querier, r *rollup) error {
	var args arguments
	for _, key := range r.keys() {
		key.addTo(&args)
	}
	text, values := f.lock.text(args)
	rows, err := tx.QueryContext(ctx, text, values...)
	if err != nil {
		return fmt.Errorf("lock rollups: %w", err)
	}
	if err := each(rows, func() error {
		var key usageKey
		var latency []byte
		err := rows.Scan(&key.account, &key.dimension, &key.day, &key.value, &latency)
		if row := r.rows[key]; row != nil {
			row.latency = latency
		}
		return err
	}); err != nil {
		return fmt.Errorf("lock rollups: %w", err)
	}
	f.sketch(ctx, r)
	return nil
}

// sketch adds the latencies of a chunk to the sketches of its rows. A damaged sketch begins anew: it must not keep all
// others from being followed.
func (f *follower) sketch(ctx context.Context, r *rollup) {
	all, n := newSketch(), 0
	for key, row := range r.rows {
		if n++; n%yieldRows == 0 {
			r.rest()
		}
		all.clear()
		if err := all.mergeEncoded(row.latency); err != nil {
			all.clear()
			f.logger.LogAttrs(ctx, slog.LevelError, "the latencies of a day's usage were damaged and begin anew", slog.String("account", string(key.account)),
				slog.String("by", string(key.dimension)), slog.String("day", dayTime(key.day).Format("2006-01-02")), slog.String("cause", err.Error()))
		}
		for _, bin := range row.latencies {
			all.addBin(bin)
		}
		row.latency = all.append(row.latency[:0])
	}
}

// save writes a chunk and removes its notes.
func (f *follower) save(ctx context.Context, tx querier, r *rollup) error {
	var args arguments
	for i := range r.pending {
		n := &r.pending[i]
		args.add(string(n.account), n.id, flag(n.correction))
	}
	removed, err := f.forget.exec(ctx, tx, args, r.pace)
	args = args[:0]
	for _, seq := range r.batches {
		args.add(seq)
	}
	if err == nil {
		var n int64
		n, err = f.batch.exec(ctx, tx, args, r.pace)
		removed += n
	}
	if err == nil && removed != int64(len(r.pending)+len(r.batches)) {
		err = errFollowed
	}
	if err != nil {
		return fmt.Errorf("remove usage notes: %w", err)
	}
	if err := f.countUses(ctx, tx, r); err != nil {
		return fmt.Errorf("count uses: %w", err)
	}
	if err := f.noteCallers(ctx, tx, r); err != nil {
		return fmt.Errorf("note who uses what: %w", err)
	}
	if _, ok := tx.(*conn); !ok {
		if err := f.lockRows(ctx, tx, r); err != nil {
			return err
		}
	}
	args = args[:0]
	for _, key := range r.keys() {
		row := r.rows[key]
		key.addTo(&args)
		args.add(row.Requests, row.Failures, row.TokensSpent, row.CacheHits, row.CacheMisses, row.PromptTokens, row.CachedTokens, row.CacheWriteTokens,
			row.CompletionTokens, row.latency)
	}
	if _, err := f.write.exec(ctx, tx, args, r.pace); err != nil {
		return fmt.Errorf("write rollups: %w", err)
	}
	return nil
}

// countUses adds to the uses of assistants, on Postgres locked in the order of their ids.
func (f *follower) countUses(ctx context.Context, tx querier, r *rollup) error {
	var ids, counts arguments
	for _, id := range sortedKeys(r.uses) {
		ids.add(string(id))
		counts.add(string(id), r.uses[id])
	}
	if _, ok := tx.(*conn); !ok {
		if _, err := f.order.exec(ctx, tx, ids, r.pace); err != nil {
			return err
		}
	}
	_, err := f.use.exec(ctx, tx, counts, r.pace)
	return err
}

// noteCallers keeps on which day others used an assistant last.
func (f *follower) noteCallers(ctx context.Context, tx querier, r *rollup) error {
	var args arguments
	for caller, day := range r.days {
		args.add(caller.assistant, string(caller.account), day)
	}
	_, err := f.call.exec(ctx, tx, args, r.pace)
	return err
}

// splitBatches moves notes from usage_batches into usage_pending, which both engines have.
func splitBatches(ctx context.Context, tx querier) error {
	for _, text := range []string{
		`INSERT INTO usage_pending (account_id, generation_id, correction)
			SELECT account_id, generation_id, correction FROM usage_notes WHERE TRUE ON CONFLICT DO NOTHING`,
		`DELETE FROM usage_batches`,
	} {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}
