package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/elumenta/elumenta"
)

const (
	followInterval = time.Second
	// A transaction of the follower takes up to followNotes notes, and so many that about followRows rows come of them: other
	// writes wait for it. It begins with firstNotes. After each of pacedChunks the follower rests for followPause; one that is still behind then, no more.
	followNotes, followRows, firstNotes = 500, 500, 100
	pacedChunks                         = 100
	followPause                         = 20 * time.Millisecond
)

// errFollowed says that notes were gone before they could be rolled up.
var errFollowed = errors.New("something else removed usage notes meanwhile")

// rollup is a chunk of notes, added up by the rows that they go into.
type rollup struct {
	notes []usageNote
	more  bool // others wait
	rows  map[usageKey]*rollupRow
	uses  map[elumenta.AssistantID]int64
	days  map[assistantCaller]int64 // on which others used an assistant last
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
	latencies []int64 // microseconds
	latency   []byte  // the row's sketch, before and then with the latencies
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
	defer func() { s.follower.limit.Store(r.nextLimit(limit)) }()
	e, ok := s.engine.(*sqliteEngine)
	if !ok {
		err = s.write(ctx, func(ctx context.Context, tx querier) error {
			r = rollup{}
			if err := r.take(ctx, tx, limit, " FOR UPDATE OF p SKIP LOCKED"); err != nil || len(r.notes) == 0 {
				return err
			}
			return s.follower.save(ctx, tx, &r)
		})
		return r.more, err
	}
	err = s.rollUpSQLite(ctx, e, &r, limit)
	return r.more, err
}

func (s *Store) rollUpSQLite(ctx context.Context, e *sqliteEngine, r *rollup, limit int64) error {
	fresh, others := s.fresh.next(limit)
	var err error
	if others {
		err = e.read(ctx, func(ctx context.Context, q querier) error { return r.take(ctx, q, limit, "") })
	} else {
		r.sum(fresh, limit)
	}
	if err == nil && len(r.notes) > 0 {
		err = e.lend(ctx, func(ctx context.Context, q querier) error { return s.follower.prepare(ctx, q, r) })
	}
	if err == nil && len(r.notes) > 0 {
		err = s.write(ctx, func(ctx context.Context, tx querier) error { return s.follower.save(ctx, tx, r) })
	}
	switch {
	case !others && errors.Is(err, errFollowed): // as some were, from the database
		s.fresh.forget()
		r.more, err = true, nil
	case err != nil:
		s.fresh.forget()
	case others:
		s.fresh.known(r.notes, r.more)
	default:
		s.fresh.drop(len(r.notes))
	}
	return err
}

// take reads a chunk of notes and adds them up.
func (r *rollup) take(ctx context.Context, q querier, limit int64, lock string) error {
	rows, err := q.QueryContext(ctx, `SELECT `+noteColumns+` FROM usage_pending AS p CROSS JOIN generations AS g
		WHERE g.account_id = p.account_id AND g.id = p.generation_id
		ORDER BY p.account_id, p.generation_id, p.correction LIMIT $1`+lock, limit)
	if err != nil {
		return fmt.Errorf("read usage notes: %w", err)
	}
	var notes []usageNote
	if err := each(rows, func() error {
		var n usageNote
		if err := rows.Scan(n.fields()...); err != nil {
			return err
		}
		n.settle()
		notes = append(notes, n)
		return nil
	}); err != nil {
		return fmt.Errorf("read usage notes: %w", err)
	}
	r.sum(notes, limit)
	return nil
}

// sum adds notes up, which are all that wait if they are fewer than limit.
func (r *rollup) sum(notes []usageNote, limit int64) {
	r.notes, r.more = notes, len(notes) == int(limit)
	r.rows, r.uses, r.days = map[usageKey]*rollupRow{}, map[elumenta.AssistantID]int64{}, map[assistantCaller]int64{}
	for i := range notes {
		r.add(&notes[i])
	}
}

// nextLimit is how many notes the next chunk takes: fewer where each has rows of its own.
func (r *rollup) nextLimit(limit int64) int64 {
	switch {
	case len(r.rows) > followRows:
		return max(1, limit/2)
	case r.more && len(r.rows) <= followRows/2:
		return min(2*limit, followNotes)
	}
	return limit
}

// add adds a note to its rows.
func (r *rollup) add(n *usageNote) {
	day := n.day()
	for _, d := range []dimension{ofVersion, ofModel, ofKey} {
		r.row(usageKey{n.account, d, day, n.value(d)}).add(n)
	}
	for _, d := range []dimension{ofModel, ofAccount} {
		r.row(usageKey{everyone, d, day, n.value(d)}).add(n)
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
}

func (r *rollup) row(key usageKey) *rollupRow {
	row := r.rows[key]
	if row == nil {
		row = &rollupRow{latency: []byte{}}
		r.rows[key] = row
	}
	return row
}

func (r *rollupRow) add(n *usageNote) {
	n.addTo(&r.UsageRow)
	if !n.correction {
		r.latencies = append(r.latencies, n.latency)
	}
}
