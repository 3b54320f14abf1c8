package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"time"

	"github.com/elumenta/elumenta"
)

const (
	rankInterval  = time.Second      // how often a server looks whether a ranking is due
	rankEvery     = 10 * time.Minute // how old the newest may be
	rankPatience  = time.Minute      // how long a node may take, until another one begins
	rankingKept   = time.Hour
	rankingDays   = 30
	rankTimeout   = 5 * time.Minute
	rankingsInUse = 4 // that a process keeps in memory
)

// ranking is documents by how many accounts called them, the most first. It never changes.
type ranking struct {
	number   int64
	computed time.Time
	docs     []uint32
	places   []uint32 // of each document, from 1; 0 is none
}

// noRanking stands for that of a database where none was made yet.
var noRanking = &ranking{} //nolint:gochecknoglobals // a constant

// place is the document's place, from 1, or 0.
func (r *ranking) place(doc uint) uint32 {
	if doc < uint(len(r.places)) {
		return r.places[doc]
	}
	return 0
}

func decodeRanking(number int64, computed time.Time, row []byte) (*ranking, error) {
	r := &ranking{number: number, computed: computed}
	most := uint64(0)
	for len(row) > 0 {
		doc, n := binary.Uvarint(row)
		if n <= 0 || doc > 1<<31 {
			return nil, errors.New("a ranking is damaged")
		}
		most = max(most, doc)
		r.docs, row = append(r.docs, uint32(doc)), row[n:]
	}
	if len(r.docs) > 0 {
		r.places = make([]uint32, most+1)
	}
	for i, doc := range r.docs {
		r.places[doc] = uint32(i + 1)
	}
	return r, nil
}

// newestRanking is the one that a list begins with.
func (s *Store) newestRanking(ctx context.Context, q querier) (*ranking, error) {
	var number int64
	err := q.QueryRowContext(ctx, `SELECT number FROM rankings ORDER BY number DESC LIMIT 1`).Scan(&number)
	if errors.Is(err, sql.ErrNoRows) {
		return noRanking, nil
	}
	if err != nil {
		return nil, err
	}
	return s.readRanking(ctx, q, number)
}

// keptRanking is the one that a list has begun with. It is CodeBadRequest once it is not kept any more.
func (s *Store) keptRanking(ctx context.Context, q querier, number int64) (*ranking, error) {
	if number == 0 {
		return noRanking, nil
	}
	newest, err := s.newestRanking(ctx, q)
	if err != nil || newest.number == number {
		return newest, err
	}
	r, err := s.readRanking(ctx, q, number)
	if errors.Is(err, sql.ErrNoRows) || err == nil && s.now().Sub(r.computed) > rankingKept {
		return nil, elumenta.Errorf(elumenta.CodeBadRequest, "the list was ranked anew since the cursor was given, more than an hour ago: start again without a cursor")
	}
	return r, err
}

func (s *Store) readRanking(ctx context.Context, q querier, number int64) (*ranking, error) {
	if r, ok := s.rankings.GetIfPresent(number); ok {
		return r, nil
	}
	var computed time.Time
	var docs []byte
	if err := q.QueryRowContext(ctx, `SELECT computed_at, docs FROM rankings WHERE number = $1`, number).Scan(storedTime{&computed}, &docs); err != nil {
		return nil, err
	}
	r, err := decodeRanking(number, computed, docs)
	if err == nil {
		s.rankings.Set(number, r)
	}
	return r, err
}

// rank makes a ranking if one is due, on one node at a time.
func (s *Store) rank(ctx context.Context) error {
	due, err := s.rankDue(ctx)
	if err != nil || !due {
		return err
	}
	mine, err := s.claimRanking(ctx)
	if err != nil || !mine {
		return err
	}
	if err := s.forgetCallers(ctx); err != nil {
		return err
	}
	docs, err := s.countCallers(ctx)
	if err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx querier) error {
		now := s.now()
		number, err := count(ctx, tx, "rankings")
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO rankings (number, computed_at, docs) VALUES ($1, $2, $3)`, number, micros(now), docs); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM rankings WHERE number < $1 AND computed_at < $2`, number, micros(now.Add(-rankingKept))); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE counters SET value = $1 WHERE name = 'ranking_due'`, micros(now.Add(rankEvery)))
		return err
	})
}

// rankDue reads whether it is time. A clock that was set back does not stop the rankings.
func (s *Store) rankDue(ctx context.Context) (due bool, err error) {
	now := s.now()
	err = s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		var at int64
		err := optional(q.QueryRowContext(ctx, `SELECT value FROM counters WHERE name = 'ranking_due'`).Scan(&at))
		due = at <= micros(now) || at > micros(now.Add(rankEvery))
		return err
	})
	return due, err
}

// claimRanking gives a node rankPatience to make the ranking that is due, and reports whether it is this one.
func (s *Store) claimRanking(ctx context.Context) (mine bool, err error) {
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		now := s.now()
		claimed, err := affected(tx.ExecContext(ctx, `INSERT INTO counters (name, value) VALUES ('ranking_due', $1)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE counters.value <= $2 OR counters.value > $3`,
			micros(now.Add(rankPatience)), micros(now), micros(now.Add(rankEvery))))
		mine = claimed == 1
		return err
	})
	return mine, err
}

// firstRankedDay is the first of the days that count.
func (s *Store) firstRankedDay() int64 { return dayOf(s.now()) - rankingDays + 1 }

// forgetCallers removes accounts that have not called an assistant in the days that count.
func (s *Store) forgetCallers(ctx context.Context) error {
	for {
		var removed int64
		if err := s.write(ctx, func(ctx context.Context, tx querier) (err error) {
			removed, err = affected(tx.ExecContext(ctx, `DELETE FROM assistant_callers WHERE (assistant_id, account_id) IN (
				SELECT assistant_id, account_id FROM assistant_callers WHERE day < $1 ORDER BY day LIMIT $2)`, s.firstRankedDay(), chunk))
			return err
		}); err != nil || removed < chunk {
			return err
		}
	}
}

// countCallers makes a ranking's row.
func (s *Store) countCallers(ctx context.Context) (docs []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, rankTimeout)
	defer cancel()
	err = s.engine.snapshotAs(ctx, unlogged, func(ctx context.Context, q querier) error {
		docs = []byte{}
		// With + 0 the rows are read in the order in which they are counted, not by the index of days, which nearly all are in.
		rows, err := q.QueryContext(ctx, `SELECT a.doc FROM (
				SELECT assistant_id, count(*) AS callers FROM assistant_callers WHERE day + 0 >= $1 GROUP BY assistant_id) AS c
			JOIN assistants AS a ON a.id = c.assistant_id WHERE a.doc <> 0 ORDER BY c.callers DESC, a.doc DESC`, s.firstRankedDay())
		if err != nil {
			return err
		}
		return each(rows, func() error {
			var doc uint64
			err := rows.Scan(&doc)
			docs = binary.AppendUvarint(docs, doc)
			return err
		})
	})
	return docs, failure(err)
}

// count raises a counter and returns it. Others that raise it wait until the transaction ends.
func count(ctx context.Context, tx querier, name string) (n int64, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO counters (name, value) VALUES ($1, 1)
		ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value`, name).Scan(&n)
	return n, err
}
