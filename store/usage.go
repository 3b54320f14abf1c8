package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
)

var _ elumenta.UsageReader = (*Store)(nil)

// ungrouped stands for generations without an assistant.
const ungrouped = elumenta.UsageNone

// tally adds up one group.
type tally struct {
	row       elumenta.UsageRow
	latencies []int64 // microseconds
}

// generation is what usage is made of.
type generation struct {
	id, key, assistant, model                  string
	price, prompt, cached, completion, latency int64
	charged, failed                            bool
}

func (t *tally) add(g *generation) {
	t.row.Requests++
	if g.failed {
		t.row.Failures++
	}
	if g.charged {
		t.row.TokensSpent += g.price
	}
	t.row.PromptTokens += g.prompt
	t.row.CachedTokens += g.cached
	t.row.CompletionTokens += g.completion
	t.latencies = append(t.latencies, g.latency)
}

func (t *tally) finish() elumenta.UsageRow {
	slices.Sort(t.latencies)
	t.row.LatencyP50, t.row.LatencyP95 = t.percentile(50), t.percentile(95)
	return t.row
}

// percentile is by nearest rank: the least latency that at least that many percent do not exceed.
func (t *tally) percentile(percent int) time.Duration {
	n := len(t.latencies)
	if n == 0 {
		return 0
	}
	return time.Duration(t.latencies[(n*percent+99)/100-1]) * time.Microsecond
}

func (g *generation) group(by elumenta.UsageGroup) string {
	switch by {
	case elumenta.UsageByDay:
		return idTime(g.id).Format(time.DateOnly)
	case elumenta.UsageByModel:
		return g.model
	case elumenta.UsageByKey:
		return g.key
	}
	if g.assistant == "" {
		return ungrouped
	}
	return g.assistant
}

// idTime is when an id was made, to the millisecond: its first 48 bits, in the first 10 characters after the prefix.
func idTime(id string) time.Time {
	const digits = "0123456789abcdefghjkmnpqrstvwxyz"
	_, suffix, _ := strings.Cut(id, "_")
	ms := int64(0)
	for _, c := range []byte(suffix[:min(10, len(suffix))]) {
		ms = ms<<5 | int64(max(0, strings.IndexByte(digits, c)))
	}
	return time.UnixMilli(ms).UTC()
}

// Usage implements elumenta.UsageReader. Generations belong to the moment at which their id was made; those that are still
// open are left out. Rows are in the order of their groups.
func (s *Store) Usage(ctx context.Context, account elumenta.AccountID, from, to time.Time, by elumenta.UsageGroup) (rows []elumenta.UsageRow, total elumenta.UsageRow, err error) {
	var all tally
	groups := map[string]*tally{}
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		found, err := q.QueryContext(ctx, `SELECT id, key_id, COALESCE(assistant_id, ''), model, price, prompt_tokens, cached_tokens, completion_tokens,
			latency_us, state = 1, error <> '' OR state = 2
			FROM generations WHERE account_id = $1 AND id >= $2 AND id < $3 AND state <> 0`,
			string(account), string(elumenta.FirstGenerationID(from)), string(elumenta.FirstGenerationID(to)))
		if err != nil {
			return err
		}
		return each(found, func() error {
			var g generation
			if err := found.Scan(&g.id, &g.key, &g.assistant, &g.model, &g.price, &g.prompt, &g.cached, &g.completion, &g.latency, &g.charged, &g.failed); err != nil {
				return err
			}
			group := g.group(by)
			if groups[group] == nil {
				groups[group] = &tally{row: elumenta.UsageRow{Group: group}}
			}
			groups[group].add(&g)
			all.add(&g)
			return nil
		})
	})
	if err != nil {
		return nil, elumenta.UsageRow{}, err
	}
	for _, group := range sortedKeys(groups) {
		rows = append(rows, groups[group].finish())
	}
	return rows, all.finish(), nil
}

// UsageOfAll implements elumenta.UsageReader.
func (s *Store) UsageOfAll(ctx context.Context, from, to time.Time, by elumenta.UsageGroup) (rows []elumenta.UsageRow, total elumenta.UsageRow, err error) {
	return nil, elumenta.UsageRow{}, elumenta.Internal(nil)
}
