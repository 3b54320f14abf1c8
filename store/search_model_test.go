package store_test

import (
	"database/sql"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// shop is a marketplace as a test knows it.
type shop struct {
	t       *rapid.T
	s       *store.Store
	db      *sql.DB
	authors []elumenta.AccountID
	down    map[elumenta.AccountID]bool // suspended
	items   []*shopItem                 // in the order of their first publication
}

type shopItem struct {
	elumenta.Assistant
	published bool
	callers   int
	place     int // in the ranking, from 1; 0 is none
}

var shopWords = []string{"code", "coder", "co", "reviewer", "r", "编程", "编程助手", "助手", "Écrire", "ecrit", "intern", "internal", "international"}

func (p *shop) fields() elumenta.Fields {
	words := rapid.SliceOfN(rapid.SampledFrom(shopWords), 1, 3)
	f := storetest.Fields(strings.Join(words.Draw(p.t, "name"), " "))
	f.Description = strings.Join(words.Draw(p.t, "description"), ", ")
	f.Category = rapid.SampledFrom([]string{"data", "general"}).Draw(p.t, "category")
	return f
}

func (p *shop) pick() *shopItem {
	if len(p.items) == 0 {
		return nil
	}
	return rapid.SampledFrom(p.items).Draw(p.t, "item")
}

func (p *shop) ok(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// change does something to the marketplace.
func (p *shop) change() {
	ctx := p.t.Context()
	step := rapid.SampledFrom([]string{"publish", "publish", "edit", "toggle", "delete", "suspend", "follow", "call", "rank"}).Draw(p.t, "step")
	item := p.pick()
	switch {
	case step == "publish" || item == nil:
		a, _, err := p.s.CreateAssistant(ctx, rapid.SampledFrom(p.authors).Draw(p.t, "author"), p.fields(), elumenta.Marketplace, nil)
		p.ok(err)
		p.items = append(p.items, &shopItem{Assistant: *a, published: true})
	case step == "edit":
		f := p.fields()
		a, err := p.s.UpdateAssistant(ctx, item.Owner, item.ID, 0, &elumenta.Patch{
			Name: elumenta.Some(f.Name), Description: elumenta.Some(f.Description), Category: elumenta.Some(f.Category)})
		p.ok(err)
		item.Assistant = *a
	case step == "toggle":
		v := elumenta.Marketplace
		if item.published {
			v = elumenta.Private
		}
		a, err := p.s.UpdateAssistant(ctx, item.Owner, item.ID, 0, &elumenta.Patch{Visibility: elumenta.Some(v)})
		p.ok(err)
		item.Assistant, item.published = *a, !item.published
	case step == "delete":
		p.ok(p.s.DeleteAssistant(ctx, item.Owner, item.ID, 0))
		p.items = slices.DeleteFunc(p.items, func(i *shopItem) bool { return i == item })
	case step == "suspend":
		_, err := p.s.SetSuspended(ctx, item.Owner, !p.down[item.Owner], "")
		p.ok(err)
		p.down[item.Owner] = !p.down[item.Owner]
	case step == "follow":
		p.ok(p.s.FollowListings(ctx))
	case step == "call":
		item.callers++
		p.call(item)
	case step == "rank":
		p.ok(p.s.Rank(ctx))
		ranked := slices.DeleteFunc(slices.Clone(p.items), func(i *shopItem) bool { return i.callers == 0 })
		slices.Reverse(ranked)
		slices.SortStableFunc(ranked, func(a, b *shopItem) int { return b.callers - a.callers })
		for _, i := range p.items {
			i.place = slices.Index(ranked, i) + 1
		}
	}
}

func (p *shop) call(item *shopItem) {
	_, err := p.db.ExecContext(p.t.Context(), `INSERT INTO assistant_callers (assistant_id, account_id, day) VALUES ($1, $2, $3)`,
		string(item.ID), string(elumenta.NewAccountID()), 1<<30)
	p.ok(err)
}

// tier finds a query in an item without the help of any term.
func (i *shopItem) tier(q string) int {
	name, text := elumenta.Fold(i.Name), elumenta.Fold(i.Name+" "+strings.ReplaceAll(i.Description, ",", ""))
	words := strings.Fields(elumenta.Fold(q))
	has := func(text string) bool {
		for n, word := range words {
			found := strings.Contains(" "+text+" ", " "+word+" ")
			switch {
			case word[0] >= 0x80:
				found = strings.Contains(text, word)
			case n == len(words)-1:
				found = strings.Contains(" "+text, " "+word)
			}
			if !found {
				return false
			}
		}
		return true
	}
	switch {
	case name == strings.Join(words, " "):
		return 0
	case strings.HasPrefix(name, strings.Join(words, " ")):
		return 1
	case has(name):
		return 2
	case has(text):
		return 3
	}
	return -1
}

// want is the order in which a query must list the items.
func (p *shop) want(q elumenta.ListingQuery) []elumenta.AssistantID {
	var found []*shopItem
	tiers := map[*shopItem]int{}
	for _, i := range slices.Backward(p.items) { // the newest first
		if tiers[i] = 0; q.Text != "" {
			tiers[i] = i.tier(q.Text)
		}
		if i.published && !p.down[i.Owner] && (q.Category == "" || q.Category == i.Category) && tiers[i] >= 0 {
			found = append(found, i)
		}
	}
	place := func(i *shopItem) int {
		if i.place == 0 {
			return 1 << 30
		}
		return i.place
	}
	switch {
	case q.Text == "" && q.Sort == elumenta.SortNew:
	case q.Text == "" && q.Sort == elumenta.SortByName:
		slices.Reverse(found)
		slices.SortStableFunc(found, func(a, b *shopItem) int { return strings.Compare(elumenta.Fold(a.Name), elumenta.Fold(b.Name)) })
	default:
		slices.SortStableFunc(found, func(a, b *shopItem) int {
			if tiers[a] != tiers[b] {
				return tiers[a] - tiers[b]
			}
			return place(a) - place(b)
		})
	}
	ids := []elumenta.AssistantID{}
	for _, i := range found {
		ids = append(ids, i.ID)
	}
	return ids
}

func (p *shop) query() elumenta.ListingQuery {
	text := ""
	if rapid.Bool().Draw(p.t, "search") {
		text = strings.Join(rapid.SliceOfN(rapid.SampledFrom(shopWords), 1, 2).Draw(p.t, "text"), " ")
		if last := strings.Fields(text)[len(strings.Fields(text))-1]; last[0] < 0x80 {
			text = text[:len(text)-rapid.IntRange(0, len(last)-1).Draw(p.t, "untyped")]
		}
	}
	return elumenta.ListingQuery{
		Text: text, Category: rapid.SampledFrom([]string{"", "data"}).Draw(p.t, "category"), Limit: rapid.IntRange(1, 5).Draw(p.t, "limit"),
		Sort: rapid.SampledFrom([]elumenta.ListingSort{elumenta.SortPopular, elumenta.SortNew, elumenta.SortByName}).Draw(p.t, "sort"),
	}
}

// eachShop opens marketplaces of their own, whose documents lie on both sides of a chunk's end.
func eachShop(t *testing.T, test func(p *shop)) {
	eachEngine(t, func(t *testing.T, url string) {
		t.Parallel()
		s := storetest.OpenWith(t, store.Options{URL: url})
		db := storetest.Raw(t, url)
		if _, err := db.ExecContext(t.Context(), `INSERT INTO counters (name, value) VALUES ('documents', 16380)`); err != nil {
			t.Fatal(err)
		}
		if err := s.Rank(t.Context()); err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(rt *rapid.T) {
			p := &shop{t: rt, s: s, db: db, down: map[elumenta.AccountID]bool{}}
			for range 2 {
				p.authors = append(p.authors, storetest.Account(t, s, "pro"))
			}
			defer func() {
				for _, i := range p.items {
					p.ok(s.DeleteAssistant(t.Context(), i.Owner, i.ID, 0))
				}
			}()
			test(p)
		})
		if err := s.FollowListings(t.Context()); err != nil {
			t.Fatal(err)
		}
		checkIndex(t, s, url)
	})
}

// TestSearchModel changes the marketplace in any order: lists and counts are always what a scan finds.
func TestSearchModel(t *testing.T) {
	eachShop(t, func(p *shop) {
		for range rapid.IntRange(1, 12).Draw(p.t, "changes") {
			p.change()
		}
		for range 4 {
			q := p.query()
			got := []elumenta.AssistantID{}
			for _, l := range all(p.t, p.s, q) {
				got = append(got, l.ID)
			}
			if diff := cmp.Diff(p.want(q), got); diff != "" {
				p.t.Fatalf("%+v (-want +got):\n%s", q, diff)
			}
		}
		counts := map[string]int64{}
		for _, category := range []string{"data", "general"} {
			if n := int64(len(p.want(elumenta.ListingQuery{Category: category}))); n > 0 {
				counts[category] = n
			}
		}
		got, err := p.s.CategoryCounts(p.t.Context())
		p.ok(err)
		if !maps.Equal(got, counts) {
			p.t.Fatalf("counts %v, want %v", got, counts)
		}
	})
}

// TestMarketplacePaging changes the marketplace between pages: what stays as it was is shown once, and nothing that has gone.
func TestMarketplacePaging(t *testing.T) {
	eachShop(t, func(p *shop) {
		for range rapid.IntRange(3, 15).Draw(p.t, "at first") {
			p.change()
		}
		q := p.query()
		stays := map[elumenta.AssistantID]int{}
		for _, id := range p.want(q) {
			stays[id] = p.version(id)
		}
		var shown []elumenta.AssistantID
		for {
			now := p.want(q)
			items, next, err := p.s.Listings(p.t.Context(), q)
			p.ok(err)
			for _, l := range items {
				if _, stayed := stays[l.ID]; stayed && slices.Contains(shown, l.ID) {
					p.t.Fatalf("%s is shown twice", l.ID)
				}
				if !slices.Contains(now, l.ID) {
					p.t.Fatalf("%s is shown and not there", l.ID)
				}
				shown = append(shown, l.ID)
			}
			if next == "" {
				break
			}
			q.After = next
			for range rapid.IntRange(0, 3).Draw(p.t, "changes") {
				p.change()
				now := p.want(q)
				maps.DeleteFunc(stays, func(id elumenta.AssistantID, version int) bool {
					return p.version(id) != version || !slices.Contains(now, id)
				})
			}
		}
		for id := range stays {
			if !slices.Contains(shown, id) {
				p.t.Fatalf("%s stayed and was skipped", id)
			}
		}
	})
}

// version is an item's, or 0.
func (p *shop) version(id elumenta.AssistantID) int {
	for _, i := range p.items {
		if i.ID == id {
			return i.Version
		}
	}
	return 0
}
