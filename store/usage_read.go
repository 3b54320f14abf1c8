package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
)

var _ elumenta.UsageReader = (*Store)(nil)

// Usage implements elumenta.UsageReader. Rollups, the notes that wait and single generations are read as they were at one
// moment, so that a generation is in one of them.
func (s *Store) Usage(ctx context.Context, account elumenta.AccountID, from, to time.Time, by elumenta.UsageGroup) (rows []elumenta.UsageRow, total elumenta.UsageRow, err error) {
	if !to.Before(s.now()) {
		to = dayTime(dayAfter(to)) // what is still to come of a day need not be left out
	}
	u := newUsage(account, dayAfter(from), dayOf(to), by)
	switch {
	case !from.Before(to):
		return nil, total, nil
	case u.first > u.end: // within a day
		u.parts = []period{{"from", from, to}}
	default:
		if start := dayTime(u.first); from.Before(start) {
			u.parts = append(u.parts, period{"from", from, start})
		}
		if end := dayTime(u.end); end.Before(to) {
			u.parts = append(u.parts, period{"to", end, to})
		}
	}
	return s.usage(ctx, u)
}

// UsageOfAll implements elumenta.UsageReader.
func (s *Store) UsageOfAll(ctx context.Context, from, to time.Time, by elumenta.UsageGroup) (rows []elumenta.UsageRow, total elumenta.UsageRow, err error) {
	if by != elumenta.UsageByDay && by != elumenta.UsageByModel && by != elumenta.UsageByAccount {
		return nil, total, elumenta.FieldErrors{{Field: "group_by", Reason: "must be day, model or account"}}.Err()
	}
	if !from.Before(to) {
		return nil, total, nil
	}
	return s.usage(ctx, newUsage(everyone, dayOf(from), dayAfter(to), by))
}

// dayAfter is the first day that begins at or after a moment.
func dayAfter(t time.Time) int64 {
	day := dayOf(t)
	if dayTime(day).Before(t) {
		day++
	}
	return day
}

// period is a part of a day, with the field that made it one.
type period struct {
	field    string
	from, to time.Time
}

// usage is an answer while it is added up.
type usage struct {
	account    elumenta.AccountID
	by         elumenta.UsageGroup
	first, end int64 // the whole days, the end exclusive
	parts      []period
	groups     map[string]*tally
}

// tally adds up one group.
type tally struct {
	elumenta.UsageRow
	latencies *sketch
}

func newUsage(account elumenta.AccountID, first, end int64, by elumenta.UsageGroup) *usage {
	return &usage{account: account, by: by, first: first, end: end, groups: map[string]*tally{}}
}

func (s *Store) usage(ctx context.Context, u *usage) (rows []elumenta.UsageRow, total elumenta.UsageRow, err error) {
	if min(u.end, dayAfter(s.now())+1)-u.first > elumenta.MaxUsageDays { // there is little after today
		reason := fmt.Sprintf("must be at most %d days before to", elumenta.MaxUsageDays)
		return nil, total, elumenta.FieldErrors{{Field: "from", Reason: reason}}.Err()
	}
	if err := s.snapshot(ctx, u.read); err != nil {
		return nil, total, err
	}
	rows, total = u.rows()
	return rows, total, nil
}

// read adds up what a snapshot has. The many groups of an account are made few before their sketches are read.
func (u *usage) read(ctx context.Context, q querier) error {
	if err := u.readParts(ctx, q); err != nil {
		return err
	}
	if u.first >= u.end {
		u.limit()
		return nil
	}
	if u.account != everyone {
		if err := u.readNotes(ctx, q); err != nil {
			return err
		}
	}
	if err := u.readSums(ctx, q); err != nil {
		return err
	}
	u.limit()
	return u.readLatencies(ctx, q)
}

func (u *usage) group(day int64, value string) *tally {
	name := groupOf(u.by, day, value)
	t := u.groups[name]
	if t == nil {
		t = &tally{UsageRow: elumenta.UsageRow{Group: name}, latencies: newSketch()}
		u.groups[name] = t
	}
	return t
}

// limit puts all but the groups with the most requests into one.
func (u *usage) limit() {
	if len(u.groups) <= elumenta.MaxUsageGroups {
		return
	}
	all := make([]*tally, 0, len(u.groups))
	for _, t := range u.groups {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *tally) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Group, b.Group))
	})
	other := &tally{UsageRow: elumenta.UsageRow{Group: elumenta.UsageOther}, latencies: newSketch()}
	for _, t := range all[elumenta.MaxUsageGroups:] {
		u.groups[t.Group] = other
		other.addTally(t)
	}
}

func (t *tally) addTally(o *tally) {
	t.Requests += o.Requests
	t.Failures += o.Failures
	t.TokensSpent += o.TokensSpent
	t.CacheHits += o.CacheHits
	t.CacheMisses += o.CacheMisses
	t.PromptTokens += o.PromptTokens
	t.CachedTokens += o.CachedTokens
	t.CacheWriteTokens += o.CacheWriteTokens
	t.CompletionTokens += o.CompletionTokens
	t.latencies.merge(o.latencies)
}

func (t *tally) finish() elumenta.UsageRow {
	t.LatencyP50, t.LatencyP95 = t.latencies.percentile(50), t.latencies.percentile(95)
	return t.UsageRow
}

// rows are the groups in the order of their names, the rest of many last, and their sum.
func (u *usage) rows() (rows []elumenta.UsageRow, total elumenta.UsageRow) {
	sum, other := tally{latencies: newSketch()}, (*tally)(nil)
	for _, name := range sortedKeys(u.groups) {
		t := u.groups[name]
		if t.Group != name { // of many, in the rest
			other = t
			continue
		}
		sum.addTally(t)
		rows = append(rows, t.finish())
	}
	if other != nil {
		sum.addTally(other)
		rows = append(rows, other.finish())
	}
	return rows, sum.finish()
}

// readParts adds up single generations. It refuses a part of a day whose records are not all kept.
func (u *usage) readParts(ctx context.Context, q querier) error {
	if len(u.parts) == 0 {
		return nil
	}
	since, err := recordsSince(ctx, q)
	if err != nil {
		return err
	}
	var errs elumenta.FieldErrors
	for _, p := range u.parts {
		if p.from.Before(since) {
			errs.Add(p.field, "must be midnight UTC, or at or after %s: single generations are kept since then", since.Format(time.RFC3339))
		}
	}
	if err := errs.Err(); err != nil {
		return err
	}
	for _, p := range u.parts {
		rows, err := q.QueryContext(ctx, `SELECT `+generationColumns+` FROM generations AS g
			WHERE g.account_id = $1 AND g.id >= $2 AND g.id < $3 AND g.state <> 0`, string(u.account), firstID(p.from), firstID(p.to))
		if err != nil {
			return err
		}
		if err := each(rows, func() error {
			var g usedGeneration
			if err := rows.Scan(g.fields()...); err != nil {
				return err
			}
			t := u.group(g.day(), g.value(dimensionOf(u.by)))
			g.addTo(&t.UsageRow)
			t.latencies.add(g.latency)
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func firstID(t time.Time) string { return string(elumenta.FirstGenerationID(t)) }

// readNotes adds what the rollups do not have yet.
func (u *usage) readNotes(ctx context.Context, q querier) error {
	rows, err := q.QueryContext(ctx, `SELECT `+noteColumns+` FROM usage_notes AS p CROSS JOIN generations AS g
		WHERE p.account_id = $1 AND p.generation_id >= $2 AND p.generation_id < $3 AND g.account_id = p.account_id AND g.id = p.generation_id`,
		string(u.account), firstID(dayTime(u.first)), firstID(dayTime(u.end)))
	if err != nil {
		return err
	}
	return each(rows, func() error {
		var n usageNote
		if err := rows.Scan(n.fields()...); err != nil {
			return err
		}
		n.settle()
		t := u.group(n.day(), n.value(dimensionOf(u.by)))
		n.addTo(&t.UsageRow)
		if !n.correction {
			t.latencies.add(n.latency)
		}
		return nil
	})
}

// rollups reads columns of the rollups; scan is given the day and the value of each, one of which may be zero.
func (u *usage) rollups(ctx context.Context, q querier, columns, group string, scan func(rows *sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, `SELECT `+columns+` FROM usage_daily WHERE account_id = $1 AND dimension = $2 AND day >= $3 AND day < $4`+group,
		string(u.account), string(dimensionOf(u.by)), u.first, u.end)
	if err != nil {
		return err
	}
	return each(rows, func() error { return scan(rows) })
}

// key is what rows are grouped by in the database.
func (u *usage) key() string {
	if u.by == elumenta.UsageByDay {
		return "day, ''"
	}
	return "0, value"
}

func (u *usage) readSums(ctx context.Context, q querier) error {
	sums := "CAST(SUM(" + strings.ReplaceAll(usageSums, ", ", ") AS BIGINT), CAST(SUM(") + ") AS BIGINT)"
	return u.rollups(ctx, q, u.key()+", "+sums, " GROUP BY 1, 2", func(rows *sql.Rows) error {
		var day int64
		var value string
		t := tally{latencies: newSketch()}
		if err := rows.Scan(&day, &value, &t.Requests, &t.Failures, &t.TokensSpent, &t.CacheHits, &t.CacheMisses,
			&t.PromptTokens, &t.CachedTokens, &t.CacheWriteTokens, &t.CompletionTokens); err != nil {
			return err
		}
		u.group(day, value).addTally(&t)
		return nil
	})
}

func (u *usage) readLatencies(ctx context.Context, q querier) error {
	return u.rollups(ctx, q, u.key()+", latency", "", func(rows *sql.Rows) error {
		var day int64
		var value string
		var latency sql.RawBytes
		if err := rows.Scan(&day, &value, &latency); err != nil {
			return err
		}
		return u.group(day, value).latencies.mergeEncoded(latency)
	})
}
