package httpapi

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/elumenta/elumenta"
)

// usageDays is how far back usage goes when the caller does not say.
const usageDays = 30

type usageIn struct {
	known
	From    string `query:"from" maxLength:"64" doc:"RFC 3339 date or time, inclusive; 30 days before to by default."`
	To      string `query:"to" maxLength:"64" doc:"RFC 3339 date or time, exclusive; now by default."`
	GroupBy string `query:"group_by" enum:"day,assistant,model,key" default:"day"`

	from, to time.Time
}

// Resolve reads the times, so that what is wrong with them joins the other errors.
func (in *usageIn) Resolve(ctx huma.Context) []error {
	errs := in.known.Resolve(ctx)
	var bad elumenta.FieldErrors
	in.to = moment(&bad, "to", in.To, time.Now())
	in.from = moment(&bad, "from", in.From, in.to.AddDate(0, 0, -usageDays))
	if len(bad) == 0 && !in.from.Before(in.to) {
		bad.Add("from", "must be before to")
	}
	return append(errs, paramErrors(bad)...)
}

// UsageTotal is the sums of any number of generations. It is exported for huma, which reads its tags.
type UsageTotal struct {
	Requests         int64   `json:"requests"`
	Failures         int64   `json:"failures" doc:"Of the requests."`
	TokensSpent      int64   `json:"tokens_spent"`
	PromptTokens     int64   `json:"prompt_tokens"`
	CachedTokens     int64   `json:"cached_tokens"`
	CompletionTokens int64   `json:"completion_tokens"`
	LatencyP50       float64 `json:"latency_p50_ms"`
	LatencyP95       float64 `json:"latency_p95_ms"`
}

type usageRow struct {
	Group string `json:"group" doc:"A day as YYYY-MM-DD in UTC, or an id or slug; none for generations without an assistant."`
	UsageTotal
}

type usageView struct {
	Items []usageRow `json:"items" nullable:"false"`
	Total UsageTotal `json:"total"`
}

func viewUsage(r *elumenta.UsageRow) UsageTotal {
	return UsageTotal{
		Requests: r.Requests, Failures: r.Failures, TokensSpent: r.TokensSpent, PromptTokens: r.PromptTokens,
		CachedTokens: r.CachedTokens, CompletionTokens: r.CompletionTokens,
		LatencyP50: milliseconds(r.LatencyP50), LatencyP95: milliseconds(r.LatencyP95),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (a *API) getUsage(ctx context.Context, c *call, in *usageIn) (*bodyOf[usageView], error) {
	rows, total, err := a.Usage.Usage(ctx, c.caller.Account.ID, in.from, in.to, elumenta.UsageGroup(in.GroupBy))
	if err != nil {
		return nil, err
	}
	out := &bodyOf[usageView]{usageView{Items: make([]usageRow, len(rows)), Total: viewUsage(&total)}}
	for i := range rows {
		out.Body.Items[i] = usageRow{Group: rows[i].Group, UsageTotal: viewUsage(&rows[i])}
	}
	return out, nil
}

// moment reads an RFC 3339 time, or a date as its beginning in UTC.
func moment(errs *elumenta.FieldErrors, field, s string, otherwise time.Time) time.Time {
	if s == "" {
		return otherwise
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1970 {
			return t.UTC()
		}
	}
	errs.Add(field, "must be a date or time as in RFC 3339, such as 2026-01-31 or 2026-01-31T12:00:00Z")
	return otherwise
}
