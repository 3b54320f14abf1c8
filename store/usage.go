package store

import (
	"strconv"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
)

// dimension says what the value of a row of usage_daily is. Days and assistants have no rows of their own: they are the
// sums of their models and versions.
type dimension string

const (
	ofVersion dimension = "version" // asst_…@3, or elumenta.UsageNone
	ofModel   dimension = "model"
	ofKey     dimension = "key"
	ofAccount dimension = "account"
)

// everyone is the account of the rows that add up all accounts.
const everyone elumenta.AccountID = ""

// dimensionOf is the dimension whose rows make up a group.
func dimensionOf(by elumenta.UsageGroup) dimension {
	switch by {
	case elumenta.UsageByAssistant, elumenta.UsageByVersion:
		return ofVersion
	case elumenta.UsageByKey:
		return ofKey
	case elumenta.UsageByAccount:
		return ofAccount
	}
	return ofModel
}

// groupOf is the group that a row of a dimension belongs to.
func groupOf(by elumenta.UsageGroup, day int64, value string) string {
	switch by {
	case elumenta.UsageByDay:
		return dayTime(day).Format(time.DateOnly)
	case elumenta.UsageByAssistant:
		assistant, _, _ := strings.Cut(value, "@")
		return assistant
	}
	return value
}

// generationColumns are what usedGeneration.fields scans, of generations as g.
const generationColumns = `g.account_id, g.id, g.key_id, COALESCE(g.assistant_id, ''), COALESCE(g.version, 0), COALESCE(g.author_id, ''), g.model,
	g.price, g.prompt_tokens, g.cached_tokens, g.cache_write_tokens, g.completion_tokens, g.latency_us, g.cache_missed, g.state = 1, g.corrected <> 0`

// usedGeneration is a settled generation as usage has it: it was charged, or it failed and was given back.
type usedGeneration struct {
	account                                                        elumenta.AccountID
	id, key, assistant, model                                      string
	author                                                         elumenta.AccountID
	version                                                        int64
	price, prompt, cached, cacheWrite, completion, latency, missed int64
	charged, corrected                                             bool
}

func (g *usedGeneration) fields() []any {
	return []any{&g.account, &g.id, &g.key, &g.assistant, &g.version, &g.author, &g.model,
		&g.price, &g.prompt, &g.cached, &g.cacheWrite, &g.completion, &g.latency, &g.missed, &g.charged, &g.corrected}
}

// reserved is the part of a generation that is known when it begins.
func reserved(r *elumenta.Reservation) *usedGeneration {
	return &usedGeneration{
		account: r.Account, id: string(r.Generation), key: string(r.Key), assistant: string(r.Assistant), version: int64(r.Version),
		author: r.Author, model: r.Model, price: r.Price,
	}
}

// settled adds what is known at its end.
func (g *usedGeneration) settled(o *elumenta.Outcome) {
	g.prompt, g.cached, g.cacheWrite, g.completion = o.Usage.PromptTokens, o.Usage.CachedTokens, o.Usage.CacheWriteTokens, o.Usage.CompletionTokens
	g.latency, g.missed, g.charged = o.Latency.Microseconds(), flag(o.CacheMiss), o.State == elumenta.Charged
}

// addTo adds the generation to the sums of a group.
func (g *usedGeneration) addTo(r *elumenta.UsageRow) {
	r.Requests++
	r.PromptTokens += g.prompt
	r.CachedTokens += g.cached
	r.CacheWriteTokens += g.cacheWrite
	r.CompletionTokens += g.completion
	if !g.charged {
		r.Failures++
		return
	}
	r.TokensSpent += g.price
	r.CacheHits += g.hit()
	r.CacheMisses += g.missed
}

// hit is one for a generation that read cached tokens.
func (g *usedGeneration) hit() int64 { return flag(g.cached > 0) }

// value is the generation's value in a dimension.
func (g *usedGeneration) value(d dimension) string {
	switch d {
	case ofKey:
		return g.key
	case ofAccount:
		return string(g.account)
	case ofVersion:
		if g.assistant == "" {
			return elumenta.UsageNone
		}
		return g.assistant + "@" + strconv.FormatInt(g.version, 10)
	}
	return g.model
}

// day is the day on which the generation's id was made, since 1970, UTC.
func (g *usedGeneration) day() int64 { return dayOf(idTime(g.id)) }

// usageNote is a row of usage_notes with its generation.
type usageNote struct {
	usedGeneration
	correction bool
}

const noteColumns = generationColumns + `, p.correction <> 0`

func (n *usageNote) fields() []any { return append(n.usedGeneration.fields(), &n.correction) }

// settle makes the first of a corrected generation's two notes that of a charge, whichever is read first.
func (n *usageNote) settle() { n.charged = n.charged || n.corrected }

// addTo adds what the note says to the sums of a group.
func (n *usageNote) addTo(r *elumenta.UsageRow) {
	if !n.correction {
		n.usedGeneration.addTo(r)
		return
	}
	r.Failures++
	r.TokensSpent -= n.price
	r.CacheHits -= n.hit()
	r.CacheMisses -= n.missed
}

const dayLength = 24 * time.Hour

// dayOf counts days since 1970, UTC.
func dayOf(t time.Time) int64 {
	seconds, length := t.Unix(), int64(dayLength/time.Second)
	day := seconds / length
	if seconds%length < 0 {
		day--
	}
	return day
}

// dayTime is the beginning of a day.
func dayTime(day int64) time.Time { return time.Unix(day*int64(dayLength/time.Second), 0).UTC() }

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
