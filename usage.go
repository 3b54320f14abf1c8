package elumenta

import (
	"context"
	"time"
)

// UsageGroup says by what usage is added up.
type UsageGroup string

// The groups. By version, a generation belongs to its assistant's version (asst_…@3). UsageByAccount is for UsageOfAll alone.
const (
	UsageByDay       UsageGroup = "day"
	UsageByAssistant UsageGroup = "assistant"
	UsageByVersion   UsageGroup = "version"
	UsageByModel     UsageGroup = "model"
	UsageByKey       UsageGroup = "key"
	UsageByAccount   UsageGroup = "account"
)

const (
	// UsageNone is the group of generations without an assistant.
	UsageNone = "none"
	// UsageOther is the group of all that is beyond the MaxUsageGroups with the most requests.
	UsageOther = "other"
	// MaxUsageGroups bounds the groups of an answer.
	MaxUsageGroups = 1000
	// MaxUsageDays bounds the days, UTC, that an answer is made of: two years.
	MaxUsageDays = 732
)

// UsageRow adds up the settled generations of one group. Requests include Failures; CacheHits are the requests that read
// cached tokens, CacheMisses those that read none though a hit was due.
type UsageRow struct {
	Group                                                          string
	Requests, Failures, TokensSpent, CacheHits, CacheMisses        int64
	PromptTokens, CachedTokens, CacheWriteTokens, CompletionTokens int64
	// LatencyP50 and LatencyP95 are right to one percent.
	LatencyP50, LatencyP95 time.Duration
}

// CacheHitRate is the part of the requests that did not fail that read cached tokens, from 0 to 1.
func (r *UsageRow) CacheHitRate() float64 {
	if answered := r.Requests - r.Failures; answered > 0 {
		return min(1, float64(r.CacheHits)/float64(answered))
	}
	return 0
}

// UsageReader adds up settled generations from a moment (inclusive) to another (exclusive), in the order of the groups'
// names. A generation belongs to the moment at which its id was made. A range that begins or ends within a day for which
// single records are kept no more, or that touches more than MaxUsageDays, is CodeValidation.
type UsageReader interface {
	// Usage is of one account. What was settled before the call is in it.
	Usage(ctx context.Context, account AccountID, from, to time.Time, by UsageGroup) (rows []UsageRow, total UsageRow, err error)
	// UsageOfAll is of all accounts together by UsageByDay, UsageByModel or UsageByAccount, in whole days, UTC: those that the
	// range touches. What was settled is in it within two seconds.
	UsageOfAll(ctx context.Context, from, to time.Time, by UsageGroup) (rows []UsageRow, total UsageRow, err error)
}
