package httpapi

import (
	"bytes"
	"context"
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/negotiation"

	"github.com/elumenta/elumenta"
)

// usageDays is how far back usage goes when the caller does not say.
const usageDays = 30

type usageIn struct {
	known
	From    string `query:"from" maxLength:"64" doc:"RFC 3339 date or time, inclusive; midnight UTC 30 days before to by default."`
	To      string `query:"to" maxLength:"64" doc:"RFC 3339 date or time, exclusive; what was settled last is in it by default."`
	GroupBy string `query:"group_by" enum:"day,assistant,version,model,key" default:"day"`
	Format  string `query:"format" enum:"json,csv" doc:"Beats the Accept header, which may be text/csv, too."`

	from, to time.Time
	csv      bool
}

// Resolve reads the times, so that what is wrong with them joins the other errors.
func (in *usageIn) Resolve(ctx huma.Context) []error {
	errs := in.known.Resolve(ctx)
	var bad elumenta.FieldErrors
	in.from, in.to = usageSpan(&bad, in.From, in.To)
	in.csv = wantsCSV(ctx, in.Format)
	return append(errs, paramErrors(bad)...)
}

// wantsCSV reports whether the answer is a file of comma-separated values, by the parameter or else the Accept header.
func wantsCSV(ctx huma.Context, format string) bool {
	return format == "csv" || format == "" && negotiation.SelectQValue(ctx.Header("Accept"), []string{"application/json", csvType}) == csvType
}

// usageSpan reads the range of an answer. Whole days cost least, so that the defaults are midnights.
func usageSpan(bad *elumenta.FieldErrors, from, to string) (start, end time.Time) {
	end = moment(bad, "to", to, midnight(time.Now()).AddDate(0, 0, 1))
	last := end.Add(-time.Nanosecond) // of the last day
	start = moment(bad, "from", from, midnight(last).AddDate(0, 0, -usageDays))
	if len(*bad) == 0 && !start.Before(end) {
		bad.Add("from", "must be before to")
	}
	return start, end
}

func midnight(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// UsageTotal is the sums of any number of generations. It is exported for huma, which reads its tags.
type UsageTotal struct {
	Requests         int64   `json:"requests"`
	Failures         int64   `json:"failures" doc:"Requests that were given back: they cost nothing."`
	TokensSpent      int64   `json:"tokens_spent"`
	PromptTokens     int64   `json:"prompt_tokens"`
	CachedTokens     int64   `json:"cached_tokens"`
	CacheWriteTokens int64   `json:"cache_write_tokens"`
	CompletionTokens int64   `json:"completion_tokens"`
	CacheHits        int64   `json:"cache_hits" doc:"Requests that did not fail and read cached tokens."`
	CacheMisses      int64   `json:"cache_misses" doc:"Requests that did not fail and read no cached tokens though a hit was due, as far as the nodes that answered know."`
	CacheHitRate     float64 `json:"cache_hit_rate" doc:"Of the requests that did not fail, from 0 to 1."`
	LatencyP50       float64 `json:"latency_p50_ms" doc:"Right to one percent."`
	LatencyP95       float64 `json:"latency_p95_ms" doc:"Right to one percent."`
}

type usageRow struct {
	Group string `json:"group" doc:"A day as YYYY-MM-DD in UTC, or an id, id and version (asst_…@3) or slug; none for generations without an assistant; other, at the end, for what is beyond the 1,000 groups with the most requests."`
	UsageTotal
}

type usageView struct {
	Items []usageRow `json:"items" nullable:"false"`
	Total UsageTotal `json:"total"`
}

func viewUsage(r *elumenta.UsageRow) UsageTotal {
	return UsageTotal{
		Requests: r.Requests, Failures: r.Failures, TokensSpent: r.TokensSpent, PromptTokens: r.PromptTokens,
		CachedTokens: r.CachedTokens, CacheWriteTokens: r.CacheWriteTokens, CompletionTokens: r.CompletionTokens,
		CacheHits: r.CacheHits, CacheMisses: r.CacheMisses, CacheHitRate: r.CacheHitRate(),
		LatencyP50: milliseconds(r.LatencyP50), LatencyP95: milliseconds(r.LatencyP95),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// anyBody is a view, or rows of comma-separated values.
type anyBody struct{ Body any }

func (a *API) getUsage(ctx context.Context, c *call, in *usageIn) (*anyBody, error) {
	rows, total, err := a.Usage.Usage(ctx, c.caller.Account.ID, in.from, in.to, elumenta.UsageGroup(in.GroupBy))
	if err != nil {
		return nil, err
	}
	return answerUsage(c, in.csv, in.GroupBy, rows, &total)
}

// answerUsage shows usage as JSON or as a file of comma-separated values.
func answerUsage(c *call, asCSV bool, by string, rows []elumenta.UsageRow, total *elumenta.UsageRow) (*anyBody, error) {
	c.Header().Add("Vary", "Accept")
	if asCSV {
		b, err := usageCSV(by, rows)
		c.Header().Set("Content-Type", csvType+"; charset=utf-8; header=present")
		c.Header().Set("Content-Disposition", `attachment; filename="usage-by-`+by+`.csv"`)
		return &anyBody{b}, err
	}
	v := usageView{Items: make([]usageRow, len(rows)), Total: viewUsage(total)}
	for i := range rows {
		v.Items[i] = usageRow{Group: rows[i].Group, UsageTotal: viewUsage(&rows[i])}
	}
	return &anyBody{v}, nil
}

const csvType = "text/csv"

// usageCSV has the fields of an item for columns, the group's under the name of what it is.
func usageCSV(by string, rows []elumenta.UsageRow) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	lines := [][]string{{
		by, "requests", "failures", "tokens_spent", "prompt_tokens", "cached_tokens", "cache_write_tokens", "completion_tokens",
		"cache_hits", "cache_misses", "cache_hit_rate", "latency_p50_ms", "latency_p95_ms",
	}}
	for i := range rows {
		r := &rows[i]
		line := []string{spreadsheetText(r.Group)}
		for _, n := range []int64{
			r.Requests, r.Failures, r.TokensSpent, r.PromptTokens, r.CachedTokens, r.CacheWriteTokens, r.CompletionTokens, r.CacheHits, r.CacheMisses,
		} {
			line = append(line, strconv.FormatInt(n, 10))
		}
		for _, f := range []float64{r.CacheHitRate(), milliseconds(r.LatencyP50), milliseconds(r.LatencyP95)} {
			line = append(line, strconv.FormatFloat(f, 'f', -1, 64))
		}
		lines = append(lines, line)
	}
	err := w.WriteAll(lines)
	return b.Bytes(), err
}

// spreadsheetText keeps a spreadsheet from taking a text for a formula (https://owasp.org/www-community/attacks/CSV_Injection).
func spreadsheetText(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
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
