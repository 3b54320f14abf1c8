package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/elumenta/elumenta"
)

const (
	marketplaceTarget  = 50 * time.Millisecond // of p99
	marketplaceSamples = 200                   // of each kind of call
	marketplaceDeep    = 100                   // pages that are turned
	marketplaceRunTime = 2 * time.Hour
	marketplaceBuffers = "shared_buffers=2GB" // of Postgres, whose own 128 MB are for a machine of its time
)

// marketplaceFigures say how long lists and searches take.
type marketplaceFigures struct {
	Assistants int              `json:"assistants"`
	Rows       []marketplaceRow `json:"calls"`
}

type marketplaceRow struct {
	Call     string        `json:"call"`
	Calls    int           `json:"calls"`
	P50, P99 time.Duration // of a whole answer
	Found    float64       `json:"found"` // items on the first page, on average
}

// marketplace measures lists and searches of many published assistants over HTTP.
func (b *bench) marketplace(ctx context.Context) (err error) {
	in, err := b.installMarketplace(ctx, "marketplace", b.published)
	if err != nil {
		return err
	}
	server, err := in.serve(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	conn, err := dial(ctx, server.addr)
	if err != nil {
		return err
	}
	m := &marketplaceLoad{client: newClient(conn, 64<<10), key: in.key, samples: marketplaceSamples}
	defer func() { _ = conn.Close() }()
	if b.smoke {
		m.samples = 3
	}
	f := &marketplaceFigures{Assistants: b.published}
	for _, kind := range marketplaceKinds() {
		if err := ctx.Err(); err != nil {
			return err
		}
		row, err := m.measure(kind)
		if err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		b.printf("%-40s %4d calls  p50 %9s  p99 %9s (target %s)  %.1f found\n", row.Call, row.Calls, round(row.P50), round(row.P99), marketplaceTarget, row.Found)
		f.Rows = append(f.Rows, row)
	}
	b.report.Marketplace = f
	return b.comparePages(ctx, server)
}

// installMarketplace makes a place for an elumenta that has published assistants.
func (b *bench) installMarketplace(ctx context.Context, name string, published int) (*installation, error) {
	in, err := b.install(ctx, name)
	if err != nil {
		return nil, err
	}
	in.env = []string{"ELUMENTA_NO_STARTERS=true"} // all documents are of the seed
	first, err := in.serve(ctx)                    // makes the schema and the key
	if err != nil {
		return nil, err
	}
	if err := first.stop(); err != nil {
		return nil, err
	}
	if err := seedMarketplace(ctx, in.database, published, b.printf); err != nil {
		return nil, fmt.Errorf("seed: %w", err)
	}
	return in, nil
}

// marketplaceKind is a kind of call: the queries of which one is asked each time, or one whose pages are turned.
type marketplaceKind struct {
	name    string
	queries []url.Values
	deep    bool
	counts  bool
}

// search asks for texts.
func searchKind(name string, texts []string) marketplaceKind {
	k := marketplaceKind{name: name}
	for _, text := range texts {
		k.queries = append(k.queries, url.Values{"q": {text}})
	}
	return k
}

func marketplaceKinds() []marketplaceKind {
	random := rand.New(rand.NewPCG(3, 3))
	all := map[string]*language{}
	for _, l := range languages() {
		all[l.name] = &l
	}
	english, chinese := all["English"].words, all["Chinese"].words
	prefixes := func(words []string, characters int) (list []string) {
		for _, word := range words {
			if utf8.RuneCountInString(word) > characters {
				list = append(list, clip(word, characters))
			}
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	some := func(words []string, n int, blank string) (list []string) {
		for range marketplaceSamples {
			chosen := make([]string, n)
			for i := range chosen {
				chosen[i] = words[random.IntN(len(words))]
			}
			list = append(list, strings.Join(chosen, blank))
		}
		return list
	}
	kinds := []marketplaceKind{
		searchKind("one Latin letter", strings.Split("abcdefghijklmnopqrstuvwxyz", "")),
		searchKind("two Latin letters", prefixes(english[:90], 2)),
		searchKind("three Latin letters", prefixes(english[:90], 3)),
		searchKind("four Latin letters", prefixes(english[:90], 4)),
		searchKind("five Latin letters", prefixes(english[:90], 5)),
		searchKind("seven Latin letters", prefixes(english, 7)[:400]),
		searchKind("one Chinese character", prefixes(chinese[:80], 1)),
		searchKind("two Chinese characters", chinese[:80]),
		searchKind("four Chinese characters", some(chinese[:40], 2, "")),
		searchKind("a frequent English word", english[:90]),
		searchKind("a rare English word", english[tail/2:tail/2+400]),
		searchKind("two frequent English words", some(english[:60], 2, " ")),
		searchKind("three frequent English words", some(english[:30], 3, " ")),
		searchKind("a word and a letter", append(some(english[:60], 1, ""), " a")),
		searchKind("Russian words", all["Russian"].words[:30]),
		searchKind("Japanese words", all["Japanese"].words[:25]),
		searchKind("Korean words", all["Korean"].words[:20]),
		searchKind("Thai words", all["Thai"].words[:18]),
		searchKind("nothing is found", some([]string{"zzqxj", "qqwv", "翡龘", "ъъъщ", "jjjxx wq"}, 1, "")),
		{name: "popular", queries: []url.Values{{}}},
		{name: "newest", queries: []url.Values{{"sort": {"new"}}}},
		{name: "by name", queries: []url.Values{{"sort": {"name"}}}},
	}
	for _, sort := range []string{"popular", "new", "name"} {
		k := marketplaceKind{name: "a category, " + sort}
		for _, slug := range elumenta.CategorySlugs() {
			k.queries = append(k.queries, url.Values{"category": {slug}, "sort": {sort}})
		}
		kinds = append(kinds, k)
	}
	inCategory := marketplaceKind{name: "a frequent word in a category"}
	for _, word := range english[:60] {
		inCategory.queries = append(inCategory.queries, url.Values{"q": {word}, "category": {"writing"}})
	}
	return append(kinds, inCategory,
		marketplaceKind{name: "deep in popular", queries: []url.Values{{"limit": {"100"}}}, deep: true},
		marketplaceKind{name: "deep in a category", queries: []url.Values{{"limit": {"100"}, "category": {"data"}}}, deep: true},
		marketplaceKind{name: "deep in names", queries: []url.Values{{"limit": {"100"}, "sort": {"name"}}}, deep: true},
		marketplaceKind{name: "deep in a search for one letter", queries: []url.Values{{"limit": {"100"}, "q": {"a"}}}, deep: true},
		marketplaceKind{name: "deep in a search for a word", queries: []url.Values{{"limit": {"100"}, "q": {"assistant"}}}, deep: true},
		marketplaceKind{name: "category counts", counts: true, queries: []url.Values{{}}})
}

// marketplaceLoad asks one call after the other.
type marketplaceLoad struct {
	*client
	key     string
	samples int
}

func (m *marketplaceLoad) measure(k marketplaceKind) (row marketplaceRow, err error) {
	calls := m.samples
	if k.deep {
		calls = min(calls, marketplaceDeep)
	}
	path, cursor, found := "/api/v2/assistants/marketplace", "", 0
	if k.counts {
		path += "/categories"
	}
	var spent []time.Duration
	for i := range calls + len(k.queries) { // the first of each is not counted
		query := k.queries[i%len(k.queries)]
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		req := request("GET", path+"?"+query.Encode(), m.key, nil)
		if err := m.conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			return row, err
		}
		begin := time.Now()
		answer, err := m.do(req)
		if err != nil {
			return row, fmt.Errorf("%s: %w", query.Encode(), err)
		}
		if i >= len(k.queries) {
			spent = append(spent, time.Since(begin))
		}
		var page struct {
			Items []json.RawMessage `json:"items"`
			Next  *string           `json:"next_cursor"`
		}
		if err := json.Unmarshal(answer, &page); err != nil {
			return row, err
		}
		found += len(page.Items)
		if k.deep {
			if page.Next == nil {
				break
			}
			cursor = *page.Next
		}
	}
	if len(spent) == 0 {
		return row, errors.New("there is only one page")
	}
	slices.Sort(spent)
	return marketplaceRow{
		Call: k.name, Calls: len(spent), P50: spent[len(spent)/2], P99: spent[len(spent)*99/100], Found: float64(found) / float64(len(spent)+len(k.queries)),
	}, nil
}
