package store

import (
	"context"
	"database/sql"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/bits-and-blooms/bitset"
	"github.com/elumenta/elumenta"
)

// termsAtOnce bounds the terms of one statement. Those behind are not read where those before have found nothing.
const termsAtOnce = 16

// searchBounds keep a search short, whatever is in the database.
type searchBounds struct {
	// pending is how many documents a search judges itself whose changes the index does not have yet: those that changed last.
	pending int
	// names is how many names that begin with a query are looked at. Where there are more, all that have its terms, the first
	// one at their beginning, count as beginning with it.
	names int
}

// An account's assistants change at once when it is suspended or resumed.
func defaultSearchBounds() searchBounds {
	return searchBounds{pending: 2 * elumenta.MaxAssistants, names: 20_000}
}

// search is one that is under way, in one state of the database.
type search struct {
	q        querier
	bounds   searchBounds
	query    elumenta.SearchQuery
	category string
	pending  []pendingDoc
}

// pendingDoc is a document as it is: which tier it is in, or none. Without a query it is in the first, if it is listed.
type pendingDoc struct {
	doc  int64
	tier int
}

// noTier is that of a document that does not answer.
const noTier = -1

// find returns the documents that answer the query in each tier, none in two.
func (f *search) find(ctx context.Context) (tiers []*bitset.BitSet, err error) {
	if err := f.readPending(ctx); err != nil {
		return nil, err
	}
	if tiers, err = f.indexed(ctx); err != nil {
		return nil, err
	}
	for _, p := range f.pending {
		for _, tier := range tiers {
			tier.Clear(uint(p.doc))
		}
		if p.tier != noTier {
			tiers[p.tier].Set(uint(p.doc))
		}
	}
	return tiers, nil
}

// all returns the documents of the category, or all.
func (f *search) all(ctx context.Context) (*bitset.BitSet, error) {
	if err := f.readPending(ctx); err != nil {
		return nil, err
	}
	set, err := f.shelf(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range f.pending {
		set.SetTo(uint(p.doc), p.tier != noTier)
	}
	return set, nil
}

// readPending judges the documents that changed last. The database sorts out most of them, so that few texts are read. It looks each up
// in assistants_doc: of the other indexes, and of a join, Postgres would make something far worse where it does not know yet how many are listed.
func (f *search) readPending(ctx context.Context) error {
	text, args := `''`, []any{f.bounds.pending}
	if !f.query.Empty() {
		text, args = `CASE WHEN a.search_text LIKE $2 ESCAPE '\' THEN a.search_text ELSE '' END`, append(args, likePattern(f.query.Longest()))
	}
	rows, err := f.q.QueryContext(ctx, `SELECT p.doc, (SELECT CASE WHEN `+listed+` THEN a.category || ' ' || `+text+` END FROM assistants AS a WHERE a.doc = p.doc AND a.doc <> 0)
		FROM search_pending AS p ORDER BY p.noted DESC, p.doc DESC LIMIT $1`, args...)
	if err != nil {
		return err
	}
	f.pending = nil
	return each(rows, func() error {
		p := pendingDoc{tier: noTier}
		var is sql.NullString
		err := rows.Scan(&p.doc, &is)
		if is.Valid {
			category, text, _ := strings.Cut(is.String, " ")
			p.tier = f.judge(elumenta.SearchDocument{Category: category, Text: text})
		}
		f.pending = append(f.pending, p)
		return err
	})
}

// judge is the tier of a document, or noTier.
func (f *search) judge(d elumenta.SearchDocument) int {
	if f.category != "" && f.category != d.Category {
		return noTier
	}
	if f.query.Empty() {
		return 0
	}
	if tier, ok := f.query.Find(d); ok {
		return int(tier)
	}
	return noTier
}

// partial reports whether more changes may wait than were judged.
func (f *search) partial() bool { return len(f.pending) == f.bounds.pending }

// shelf is what the index has of the category, or all of it.
func (f *search) shelf(ctx context.Context) (*bitset.BitSet, error) {
	term := elumenta.SearchListed
	if f.category != "" {
		term = elumenta.SearchCategory(f.category)
	}
	sets, err := f.terms(ctx, []string{term})
	if err != nil {
		return nil, err
	}
	return sets[term].set(), nil
}

// indexed is what the index answers.
func (f *search) indexed(ctx context.Context) ([]*bitset.BitSet, error) {
	tiers := make([]*bitset.BitSet, elumenta.SearchTiers)
	for i := range tiers {
		tiers[i] = &bitset.BitSet{}
	}
	anywhere, err := f.having(ctx, elumenta.SearchAnywhere)
	if err != nil || anywhere.None() {
		return tiers, err
	}
	if f.category != "" {
		shelf, err := f.shelf(ctx)
		if err != nil {
			return nil, err
		}
		anywhere.InPlaceIntersection(shelf)
	}
	named, err := f.having(ctx, elumenta.SearchName)
	if err != nil {
		return nil, err
	}
	named.InPlaceIntersection(anywhere)
	begins, equals, err := f.named(ctx, named)
	if err != nil {
		return nil, err
	}
	for i, set := range []*bitset.BitSet{equals, begins, named, anywhere} {
		set.InPlaceIntersection(anywhere)
		for _, better := range tiers[:i] {
			set.InPlaceDifference(better)
		}
		tiers[i] = set
	}
	return tiers, nil
}

// named finds the names that begin with the query and those that equal it, of those that have its terms.
func (f *search) named(ctx context.Context, named *bitset.BitSet) (begins, equals *bitset.BitSet, err error) {
	equals = &bitset.BitSet{}
	if named.None() {
		return &bitset.BitSet{}, equals, nil
	}
	if begins, err = f.having(ctx, elumenta.SearchBeginning); err != nil {
		return nil, nil, err
	}
	begins.InPlaceIntersection(named)
	if begins.None() {
		return begins, equals, nil
	}
	exact := &bitset.BitSet{}
	n, condition, args := 0, ` AND sort_name = $1`, []any{f.query.Name()}
	if !f.query.Simple() {
		names := f.query.Names()
		condition, args = ` AND sort_name >= $1 AND sort_name < $2`, []any{names.From, names.To}
	}
	rows, err := f.q.QueryContext(ctx, `SELECT doc, sort_name = $1 FROM assistants AS a WHERE `+listed+condition+
		` ORDER BY sort_name, doc LIMIT $`+strconv.Itoa(len(args)+1), append(args, f.bounds.names)...)
	if err != nil {
		return nil, nil, err
	}
	err = each(rows, func() error {
		var doc uint
		var equal bool
		err := rows.Scan(&doc, &equal)
		if n++; equal {
			equals.Set(doc)
		}
		exact.Set(doc)
		return err
	})
	if !f.query.Simple() && n < f.bounds.names {
		begins = exact
	}
	return begins, equals, err
}

// having is the documents that have all terms of the query in a field.
func (f *search) having(ctx context.Context, field elumenta.SearchField) (*bitset.BitSet, error) {
	var exact []string
	var all *bitset.BitSet
	narrow := func(words docWords) {
		if set := words.set(); all == nil {
			all = set
		} else {
			all.InPlaceIntersection(set)
		}
	}
	var ranges []elumenta.SearchRange
	for _, r := range f.query.Terms(field) {
		if r.To == "" {
			exact = append(exact, r.From)
		} else {
			ranges = append(ranges, r)
		}
	}
	for len(exact) > 0 && (all == nil || all.Any()) {
		n := min(termsAtOnce, len(exact))
		sets, err := f.terms(ctx, exact[:n])
		if err != nil {
			return nil, err
		}
		for _, term := range exact[:n] {
			narrow(sets[term])
		}
		exact = exact[n:]
	}
	for _, r := range ranges {
		if all != nil && all.None() {
			break
		}
		words, err := f.span(ctx, r)
		if err != nil {
			return nil, err
		}
		narrow(words)
	}
	if all == nil {
		all = &bitset.BitSet{}
	}
	return all, nil
}

// terms reads the documents of each term.
func (f *search) terms(ctx context.Context, terms []string) (map[string]docWords, error) {
	sets, args := map[string]docWords{}, make([]any, len(terms))
	for i, term := range terms {
		args[i] = term
	}
	rows, err := f.q.QueryContext(ctx, `SELECT term, chunk, docs FROM search_terms WHERE term IN (`+placeholders(1, len(terms))+`)`, args...)
	if err != nil {
		return nil, err
	}
	return sets, each(rows, func() error {
		var term string
		var chunk int64
		var docs sql.RawBytes
		if err := rows.Scan(&term, &chunk, &docs); err != nil {
			return err
		}
		words := sets[term]
		err := words.add(chunk, docs)
		sets[term] = words
		return err
	})
}

// span reads the documents that have one of the terms of a range.
func (f *search) span(ctx context.Context, r elumenta.SearchRange) (words docWords, err error) {
	rows, err := f.q.QueryContext(ctx, `SELECT chunk, docs FROM search_terms WHERE term >= $1 AND term < $2`, r.From, r.To)
	if err != nil {
		return nil, err
	}
	return words, each(rows, func() error {
		var chunk int64
		var docs sql.RawBytes
		if err := rows.Scan(&chunk, &docs); err != nil {
			return err
		}
		return words.add(chunk, docs)
	})
}

// position is a place in a list that is ordered by tiers and a ranking.
type position struct {
	ranking int64
	tier    int
	doc     uint
}

func (p position) String() string {
	return strconv.FormatInt(p.ranking, 10) + "." + strconv.Itoa(p.tier) + "." + strconv.FormatUint(uint64(p.doc), 10)
}

func parsePosition(s string) (p position, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return p, false
	}
	ranking, err1 := strconv.ParseInt(parts[0], 10, 64)
	tier, err2 := strconv.Atoi(parts[1])
	doc, err3 := strconv.ParseUint(parts[2], 10, 32)
	return position{ranking, tier, uint(doc)}, err1 == nil && err2 == nil && err3 == nil && tier >= 0
}

// next lists up to n documents behind a position, nil being the beginning: tier by tier, each by the ranking, and what is not
// in it newest first.
func (r *ranking) next(tiers []*bitset.BitSet, after *position, n int) []position {
	var found []position
	for tier, set := range tiers {
		var behind *position
		if after != nil {
			if tier < after.tier {
				continue
			}
			if tier == after.tier {
				behind = after
			}
		}
		found = r.nextOf(found, tier, set, behind, n)
		if len(found) == n {
			break
		}
	}
	return found
}

func (r *ranking) nextOf(found []position, tier int, set *bitset.BitSet, after *position, n int) []position {
	place, newest := uint32(0), set.Len()
	if after != nil {
		if place = r.place(after.doc); place == 0 {
			place, newest = uint32(len(r.docs)), min(newest, after.doc)
		}
	}
	for doc := range r.ranked(set, place) {
		if len(found) == n {
			return found
		}
		found = append(found, position{r.number, tier, uint(doc)})
	}
	for doc := newest; len(found) < n && doc > 0; {
		older, ok := set.PreviousSet(doc - 1)
		if !ok {
			break
		}
		if doc = older; r.place(doc) == 0 {
			found = append(found, position{r.number, tier, doc})
		}
	}
	return found
}

// ranked yields the documents of a set that stand behind a place, in their order: by way of those that are fewer.
func (r *ranking) ranked(set *bitset.BitSet, place uint32) iter.Seq[uint32] {
	rest := r.docs[place:]
	if int(set.Count()) > len(rest)/16 {
		return func(yield func(uint32) bool) {
			for _, doc := range rest {
				if set.Test(uint(doc)) && !yield(doc) {
					return
				}
			}
		}
	}
	var places []uint32
	for doc := range set.EachSet() {
		if p := r.place(doc); p > place {
			places = append(places, p)
		}
	}
	slices.Sort(places)
	return func(yield func(uint32) bool) {
		for _, p := range places {
			if !yield(r.docs[p-1]) {
				return
			}
		}
	}
}
