package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/elumenta/elumenta"
)

const (
	followInterval = time.Second
	// A transaction of the follower takes up to followNotes notes, on SQLite, where a row has many of them, batchedNotes, and so many that about
	// followRows rows come of them: other writes wait for it. It begins with firstNotes. After each of pacedChunks the follower rests for
	// followPause; one that is still behind then, no more.
	followNotes, batchedNotes, followRows, firstNotes = 500, 16_000, 500, 100
	pacedChunks                                       = 100
	followPause                                       = 20 * time.Millisecond
	// readBatches is how many rows of usage_batches are read at once where their notes are not in memory.
	readBatches = 8
	// After so many notes, and so many rows, others may run.
	yieldNotes, yieldRows = 256, 16
)

// errFollowed says that notes were gone before they could be rolled up.
var errFollowed = errors.New("something else removed usage notes meanwhile")

// rollup is a chunk of notes, added up by the rows that they go into.
type rollup struct {
	notes   int
	pending []usageNote // those of them that are rows of usage_pending
	batches []int64     // and the rows of usage_batches that have the others
	more    bool        // others wait
	rows    map[usageKey]*rollupRow
	uses    map[elumenta.AssistantID]int64
	days    map[assistantCaller]int64 // on which others used an assistant last
	rest    func()                    // lets others run
	pace    pace                      // of writing on SQLite
}

// assistantCaller names a row of assistant_callers.
type assistantCaller struct {
	assistant string
	account   elumenta.AccountID
}

// usageKey names a row of usage_daily.
type usageKey struct {
	account   elumenta.AccountID
	dimension dimension
	day       int64
	value     string
}

// rollupRow is what is added to a row.
type rollupRow struct {
	elumenta.UsageRow
	latencies []latencyBin
	latency   []byte // the row's sketch, before and then with the latencies
}

// followUsage moves notes into the rollups until few wait.
func (s *Store) followUsage(ctx context.Context) error {
	for n := 0; ctx.Err() == nil; n++ {
		more, err := s.rollUp(ctx)
		if err != nil || !more {
			return err
		}
		if n < pacedChunks {
			select {
			case <-ctx.Done():
			case <-time.After(followPause):
			}
		}
	}
	return nil
}

// rollUp moves one chunk of notes, in one transaction, so that a note is in the rollups once it is gone, and only then. On
// SQLite a single server follows, and the writer is spared the reading: what was read is still so when it writes. On
// Postgres each node's transaction takes notes that no other one has.
func (s *Store) rollUp(ctx context.Context) (more bool, err error) {
	var r rollup
	limit := s.follower.limit.Load()
	most := int64(followNotes)
	defer func() { s.follower.limit.Store(r.nextLimit(limit, most)) }()
	e, ok := s.engine.(*sqliteEngine)
	if !ok {
		err = s.write(ctx, func(ctx context.Context, tx querier) error {
			r = newRollup(runtime.Gosched) // with rows locked
			if err := r.take(ctx, tx, limit, " FOR UPDATE OF p SKIP LOCKED"); err != nil || r.notes == 0 {
				return err
			}
			return s.follower.save(ctx, tx, &r)
		})
		return r.more, err
	}
	r, most = newRollup(restShortly), batchedNotes
	err = s.rollUpSQLite(ctx, e, &r, limit)
	return r.more, err
}

func (s *Store) rollUpSQLite(ctx context.Context, e *sqliteEngine, r *rollup, limit int64) error {
	fresh, more, others := s.fresh.next(limit)
	var err error
	if others { // first
		err = e.read(ctx, func(ctx context.Context, q querier) error {
			if err := r.take(ctx, q, min(limit, followNotes), ""); err != nil {
				return err
			}
			return r.takeBatches(ctx, q, fresh)
		})
		others, more = r.more, r.more || len(fresh) > 0
	} else {
		for i := range fresh {
			r.batches = append(r.batches, fresh[i].seq)
			for _, g := range fresh[i].notes {
				r.add(&usageNote{usedGeneration: *g})
			}
		}
	}
	if err == nil && r.notes > 0 {
		err = e.lend(ctx, func(ctx context.Context, q querier) error { return s.follower.prepare(ctx, q, r) })
	}
	if err == nil && r.notes+len(r.batches) > 0 {
		if s.opts.Serve {
			r.pace = e.gently()
		}
		err = s.writeAside(ctx, func(ctx context.Context, tx querier) error { return s.follower.save(ctx, tx, r) })
	}
	r.more = more
	if err == nil {
		s.fresh.drop(r.batches, others)
		return nil
	}
	s.fresh.forget()
	if errors.Is(err, errFollowed) { // what is there is in the database
		r.more, err = true, nil
	}
	return err
}

func newRollup(rest func()) rollup {
	return rollup{rows: map[usageKey]*rollupRow{}, uses: map[elumenta.AssistantID]int64{}, days: map[assistantCaller]int64{}, rest: rest, pace: atOnce()}
}

// restShortly lets those run, too, who have something to read from the network.
func restShortly() { <-time.After(applyGap) }

// take reads notes of usage_pending and adds them up.
func (r *rollup) take(ctx context.Context, q querier, limit int64, lock string) (err error) {
	r.pending, err = readNotes(ctx, q, `SELECT `+noteColumns+` FROM usage_pending AS p CROSS JOIN generations AS g
		WHERE g.account_id = p.account_id AND g.id = p.generation_id
		ORDER BY p.account_id, p.generation_id, p.correction LIMIT $1`+lock, limit)
	r.more = len(r.pending) == int(limit)
	r.sum(r.pending)
	return err
}

// takeBatches reads rows of usage_batches that are not known, and adds their notes up.
func (r *rollup) takeBatches(ctx context.Context, q querier, known []usageBatch) error {
	seqs := make(map[int64]bool, len(known))
	for i := range known {
		seqs[known[i].seq] = true
	}
	rows, err := q.QueryContext(ctx, `SELECT seq FROM usage_batches ORDER BY seq`)
	if err == nil {
		err = each(rows, func() error {
			var seq int64
			err := rows.Scan(&seq)
			switch {
			case seqs[seq]:
			case len(r.batches) == readBatches:
				r.more = true
			default:
				r.batches = append(r.batches, seq)
			}
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("read batches of usage notes: %w", err)
	}
	for _, seq := range r.batches {
		notes, err := readNotes(ctx, q, `SELECT `+generationColumns+`, 0 FROM usage_batches AS b CROSS JOIN json_each(b.notes) AS p CROSS JOIN generations AS g
			WHERE b.seq = $1 AND g.account_id = p.value ->> 0 AND g.id = p.value ->> 1`, seq)
		if err != nil {
			return err
		}
		r.sum(notes)
	}
	return nil
}

// readNotes reads what usageNote.fields scans.
func readNotes(ctx context.Context, q querier, query string, arg any) (notes []usageNote, err error) {
	rows, err := q.QueryContext(ctx, query, arg)
	if err == nil {
		err = each(rows, func() error {
			var n usageNote
			if err := rows.Scan(n.fields()...); err != nil {
				return err
			}
			n.settle()
			notes = append(notes, n)
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read usage notes: %w", err)
	}
	return notes, nil
}

// sum adds notes up.
func (r *rollup) sum(notes []usageNote) {
	for i := range notes {
		r.add(&notes[i])
	}
}

// nextLimit is how many notes the next chunk takes: fewer where each has rows of its own.
func (r *rollup) nextLimit(limit, most int64) int64 {
	switch {
	case len(r.rows) > followRows:
		return max(1, limit/2)
	case r.more && len(r.rows) <= followRows/2:
		return min(2*limit, most)
	}
	return limit
}

// add adds a note to its rows.
func (r *rollup) add(n *usageNote) {
	day, bin := n.day(), latencyBinOf(n.latency)
	for _, d := range []dimension{ofVersion, ofModel, ofKey} {
		r.row(usageKey{n.account, d, day, n.value(d)}).add(n, bin)
	}
	for _, d := range []dimension{ofModel, ofAccount} {
		r.row(usageKey{everyone, d, day, n.value(d)}).add(n, bin)
	}
	if n.charged && n.author != "" && n.author != n.account {
		use := int64(1)
		if n.correction {
			use = -1
		} else {
			caller := assistantCaller{n.assistant, n.account}
			r.days[caller] = max(day, r.days[caller])
		}
		r.uses[elumenta.AssistantID(n.assistant)] += use
	}
	if r.notes++; r.notes%yieldNotes == 0 {
		r.rest()
	}
}

func (r *rollup) row(key usageKey) *rollupRow {
	row := r.rows[key]
	if row == nil {
		row = &rollupRow{latency: []byte{}}
		r.rows[key] = row
	}
	return row
}

func (r *rollupRow) add(n *usageNote, bin latencyBin) {
	n.addTo(&r.UsageRow)
	if !n.correction {
		r.latencies = append(r.latencies, bin)
	}
}
