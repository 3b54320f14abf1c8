package store

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"math"
	"strconv"
	"strings"

	"github.com/bits-and-blooms/bitset"
	"github.com/elumenta/elumenta"
)

var _ elumenta.Assistants = (*Store)(nil)

// listed selects published assistants of authors who are not suspended, as the partial indexes have it.
const (
	listed         = `a.published = 1 AND a.owner_suspended = 0`
	listingColumns = `a.id, a.account_id, v.name, v.description, v.category, v.model, a.version, accounts.display_name, v.copyable, a.uses, a.created_at, a.updated_at`
	listingTables  = `assistants a JOIN assistant_versions v ON v.assistant_id = a.id AND v.version = a.version
		JOIN accounts ON accounts.id = a.account_id`
)

// listingFields are all but the variables, which may be a megabyte.
func listingFields(l *elumenta.Listing) []any {
	return []any{&l.ID, &l.Owner, &l.Name, &l.Description, &l.Category, &l.Model, &l.Version, &l.Author, &l.Copyable, &l.Uses, storedTime{&l.CreatedAt}, storedTime{&l.UpdatedAt}}
}

// Listing implements elumenta.AssistantStore.
func (s *Store) Listing(ctx context.Context, id elumenta.AssistantID) (*elumenta.Listing, error) {
	var l elumenta.Listing
	err := s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		return q.QueryRowContext(ctx, `SELECT `+listingColumns+`, v.variables FROM `+listingTables+` WHERE a.id = $1 AND `+listed, string(id)).Scan(
			append(listingFields(&l), storedJSON{&l.Variables})...)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, elumenta.NotFound("assistant")
	}
	if err != nil {
		return nil, err
	}
	return &l, nil
}

// Listings implements elumenta.AssistantStore.
func (s *Store) Listings(ctx context.Context, query elumenta.ListingQuery) (items []elumenta.Listing, next string, err error) {
	searched := strings.TrimSpace(query.Text) != ""
	switch {
	case !searched && query.Sort == elumenta.SortNew:
		return s.listByDoc(ctx, query)
	case !searched && query.Sort == elumenta.SortByName:
		return s.listByName(ctx, query)
	}
	f := &search{bounds: s.opts.search, category: query.Category}
	if searched {
		if f.query = elumenta.ParseSearchQuery(query.Text); f.query.Empty() {
			return nil, "", nil
		}
	}
	err = s.snapshotAs(ctx, unlogged, func(ctx context.Context, q querier) error {
		f.q, f.pending = q, nil
		items, next, err = s.listRanked(ctx, f, &query)
		return err
	})
	return items, next, err
}

// mostHydrated bounds the listings that one statement reads.
const mostHydrated = 1000

// listedAs is a listing with what it is ordered by.
type listedAs struct {
	elumenta.Listing
	doc    int64
	name   string
	unread int // bytes of its variables where they are stored, until they are read
}

// selectListings reads the listings that where selects, in its order as long as take returns no error; of the variables only their size,
// unless they are wanted.
func selectListings(ctx context.Context, q querier, variables bool, take func(*listedAs) error, where string, args ...any) error {
	column := `coalesce(octet_length(v.variables), 0)` // which reads none of the text
	if variables {
		column = `v.variables`
	}
	rows, err := q.QueryContext(ctx, `SELECT `+listingColumns+`, a.doc, a.sort_name, `+column+` FROM `+listingTables+` WHERE `+listed+where, args...)
	if err != nil {
		return err
	}
	return each(rows, func() error {
		var l listedAs
		to := append(listingFields(&l.Listing), &l.doc, &l.name)
		if variables {
			to = append(to, storedJSON{&l.Variables})
		} else {
			to = append(to, &l.unread)
		}
		if err := rows.Scan(to...); err != nil {
			return err
		}
		return take(&l)
	})
}

// listPage reads one page; where ends with its order, and its last argument is the limit.
func (s *Store) listPage(ctx context.Context, where string, args []any, limit int, position func(*listedAs) string) (listings []elumenta.Listing, next string, err error) {
	var last *listedAs
	var more bool
	err = s.readUnlogged(ctx, func(ctx context.Context, q querier) (err error) {
		listings = nil
		var read paged
		more, err = cut(selectListings(ctx, q, true, func(l *listedAs) error {
			if len(listings) == limit || !read.fits(listingBytes(&l.Listing)) {
				return errPageFull
			}
			listings, last = append(listings, l.Listing), l
			return nil
		}, where+` LIMIT $`+strconv.Itoa(len(args)+1), append(args, limit+1)...))
		return err
	})
	if err == nil && more {
		next = position(last)
	}
	return listings, next, err
}

// inCategory is a condition with its argument.
func inCategory(category string, args []any) (string, []any) {
	if category == "" {
		return "", args
	}
	args = append(args, category)
	return ` AND a.category = $` + strconv.Itoa(len(args)), args
}

func (s *Store) listByDoc(ctx context.Context, query elumenta.ListingQuery) ([]elumenta.Listing, string, error) {
	after := int64(math.MaxInt64)
	if query.After != "" {
		var err error
		if after, err = strconv.ParseInt(query.After, 10, 64); err != nil {
			return nil, "", errPosition()
		}
	}
	filter, args := inCategory(query.Category, []any{after})
	return s.listPage(ctx, ` AND a.doc < $1`+filter+` ORDER BY a.doc DESC`, args, query.Limit, func(l *listedAs) string {
		return strconv.FormatInt(l.doc, 10)
	})
}

func (s *Store) listByName(ctx context.Context, query elumenta.ListingQuery) ([]elumenta.Listing, string, error) {
	name, doc := "", int64(-1)
	if query.After != "" {
		number, rest, ok := strings.Cut(query.After, ".")
		var err error
		if doc, err = strconv.ParseInt(number, 10, 64); err != nil || !ok {
			return nil, "", errPosition()
		}
		name = rest
	}
	filter, args := inCategory(query.Category, []any{name, doc})
	return s.listPage(ctx, ` AND (a.sort_name, a.doc) > ($1, $2)`+filter+` ORDER BY a.sort_name, a.doc`, args, query.Limit, func(l *listedAs) string {
		return strconv.FormatInt(l.doc, 10) + "." + l.name
	})
}

// errPosition is for a place that Listings never named.
func errPosition() error {
	return elumenta.Errorf(elumenta.CodeBadRequest, "the cursor does not belong to this list: begin again without one")
}

// listRanked reads a page of what is found, or of all there is, by a ranking.
func (s *Store) listRanked(ctx context.Context, f *search, query *elumenta.ListingQuery) (items []elumenta.Listing, next string, err error) {
	var after *position
	var r *ranking
	if query.After == "" {
		r, err = s.newestRanking(ctx, f.q)
	} else {
		p, ok := parsePosition(query.After)
		if !ok {
			return nil, "", errPosition()
		}
		after = &p
		r, err = s.keptRanking(ctx, f.q, p.ranking)
	}
	if err != nil {
		return nil, "", err
	}
	tiers, err := f.tiers(ctx)
	if err != nil {
		return nil, "", err
	}
	// More notes may wait than are looked at: then some of what is found is not there any more, or not as it was.
	var read paged
	for n := query.Limit + 1; ; n = min(2*n, mostHydrated) {
		found := r.next(tiers, after, n)
		known, err := f.hydrate(ctx, found)
		if err != nil {
			return nil, "", err
		}
		for i := range found {
			l := known[found[i].doc]
			if l == nil {
				continue
			}
			if len(items) == query.Limit {
				return items, next, nil
			}
			if l.unread > 0 {
				if err := f.readVariables(ctx, known, found[i:min(len(found), i+query.Limit-len(items))], read); err != nil {
					return nil, "", err
				}
			}
			if !read.fits(listingBytes(&l.Listing)) {
				return items, next, nil
			}
			items, next = append(items, l.Listing), found[i].String()
		}
		if len(found) < n {
			return items, "", nil
		}
		after = &found[n-1]
	}
}

// tiers are what is found, the best first; without a query all there is.
func (f *search) tiers(ctx context.Context) ([]*bitset.BitSet, error) {
	if !f.query.Empty() {
		return f.find(ctx)
	}
	all, err := f.all(ctx)
	return []*bitset.BitSet{all}, err
}

// hydrate reads the listings of documents, those that are still there, without their variables: most may be behind the page's end.
func (f *search) hydrate(ctx context.Context, found []position) (map[uint]*listedAs, error) {
	known := make(map[uint]*listedAs, len(found))
	if len(found) == 0 {
		return known, nil
	}
	args := make([]any, len(found))
	for i, p := range found {
		args[i] = int64(p.doc)
	}
	filter, args := inCategory(f.category, args)
	err := selectListings(ctx, f.q, false, func(l *listedAs) error {
		if !f.query.Empty() && f.partial() && f.judge(elumenta.SearchDocument{Category: l.Category, Text: elumenta.SearchText(l.Name, l.Description)}) == noTier {
			return nil // the index has it as it was
		}
		known[uint(l.doc)] = l
		return nil
	}, ` AND a.doc IN (`+placeholders(1, len(found))+`)`+filter, args...)
	return known, err
}

// readVariables reads the variables of the first of found, and of those behind it that surely fit what is left of the page: a text never
// has more bytes than it takes where it is stored.
func (f *search) readVariables(ctx context.Context, known map[uint]*listedAs, found []position, read paged) error {
	var docs []any
	for _, p := range found {
		l := known[p.doc]
		if l == nil {
			continue
		}
		if !read.fits(listingBytes(&l.Listing)+l.unread) && len(docs) > 0 {
			break
		}
		if l.unread > 0 {
			docs = append(docs, int64(p.doc))
		}
	}
	rows, err := f.q.QueryContext(ctx, `SELECT a.doc, v.variables FROM assistants a JOIN assistant_versions v ON v.assistant_id = a.id AND v.version = a.version
		WHERE a.doc <> 0 AND a.doc IN (`+placeholders(1, len(docs))+`)`, docs...)
	if err != nil {
		return err
	}
	return each(rows, func() error {
		var doc uint
		var variables []elumenta.Variable
		err := rows.Scan(&doc, storedJSON{&variables})
		if l := known[doc]; l != nil {
			l.Variables, l.unread = variables, 0
		}
		return err
	})
}

// categoryCounts are what the index says of each category after a number of changes of it.
type categoryCounts struct {
	changes int64
	counts  map[string]int64
}

// CategoryCounts implements elumenta.AssistantStore. The index has most of it; the notes say what it does not have yet.
func (s *Store) CategoryCounts(ctx context.Context) (counts map[string]int64, err error) {
	err = s.snapshotAs(ctx, unlogged, func(ctx context.Context, q querier) error {
		known, err := s.indexedCategories(ctx, q)
		if err != nil {
			return err
		}
		counts = maps.Clone(known.counts)
		for _, correction := range []struct {
			sign int64
			text string
		}{
			{-1, `SELECT d.category, count(*) FROM search_pending AS p CROSS JOIN search_documents AS d WHERE d.doc = p.doc GROUP BY d.category`},
			{+1, `SELECT l.category, count(*) FROM (SELECT (SELECT CASE WHEN ` + listed + ` THEN a.category END FROM assistants AS a WHERE a.doc = p.doc AND a.doc <> 0) AS category
				FROM search_pending AS p) AS l WHERE l.category IS NOT NULL GROUP BY l.category`},
		} {
			rows, err := q.QueryContext(ctx, correction.text)
			if err != nil {
				return err
			}
			if err := each(rows, func() error {
				var category string
				var n int64
				err := rows.Scan(&category, &n)
				counts[category] += correction.sign * n
				return err
			}); err != nil {
				return err
			}
		}
		maps.DeleteFunc(counts, func(_ string, n int64) bool { return n == 0 })
		return nil
	})
	return counts, err
}

// indexedCategories counts what the index has, unless it did so since the index was last changed.
func (s *Store) indexedCategories(ctx context.Context, q querier) (*categoryCounts, error) {
	now := &categoryCounts{counts: map[string]int64{}}
	if err := optional(q.QueryRowContext(ctx, `SELECT value FROM counters WHERE name = $1`, indexChanges).Scan(&now.changes)); err != nil {
		return nil, err
	}
	if known := s.categories.Load(); known != nil && known.changes == now.changes {
		return known, nil
	}
	first := elumenta.SearchCategory("")
	rows, err := q.QueryContext(ctx, `SELECT term, docs FROM search_terms WHERE term >= $1 AND term < $2`, first, first+"~")
	if err != nil {
		return nil, err
	}
	err = each(rows, func() error {
		var term string
		var docs sql.RawBytes
		err := rows.Scan(&term, &docs)
		now.counts[strings.TrimPrefix(term, first)] += countChunk(docs)
		return err
	})
	if err == nil {
		s.categories.Store(now)
	}
	return now, err
}

// AssistantUses implements elumenta.AssistantStore.
func (s *Store) AssistantUses(ctx context.Context, owner elumenta.AccountID, id elumenta.AssistantID) (u elumenta.Uses, err error) {
	err = s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		return q.QueryRowContext(ctx, `SELECT a.uses, (SELECT count(*) FROM assistant_callers AS c WHERE c.assistant_id = a.id AND c.day >= $3)
			FROM assistants AS a WHERE a.id = $1 AND a.account_id = $2`, string(id), string(owner), s.firstRankedDay()).Scan(&u.Generations, &u.Accounts)
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = elumenta.NotFound("assistant")
	}
	return u, err
}

const snapshotColumns = `a.id, a.account_id, v.version, a.revision, a.published, a.owner_suspended, v.public,
	v.name, v.model, v.temperature, v.max_tokens, v.response_format, v.variables, v.instructions`

// Resolve implements elumenta.Assistants. The owner may use every version that is saved; others the newest of a published
// assistant, and by its number each version that was the newest while it was published.
func (s *Store) Resolve(ctx context.Context, viewer elumenta.AccountID, ref elumenta.AssistantRef) (*elumenta.Snapshot, error) {
	if ref.Label != "" {
		return nil, elumenta.NotFound("assistant")
	}
	join, args := `v.version = a.version`, []any{string(ref.ID)}
	if ref.Version != 0 {
		join, args = `v.version = $2`, append(args, ref.Version)
	}
	var snap elumenta.Snapshot
	var published, ownerSuspended, public bool
	err := s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		return q.QueryRowContext(ctx, `SELECT `+snapshotColumns+` FROM assistants a
			JOIN assistant_versions v ON v.assistant_id = a.id AND `+join+` WHERE a.id = $1`, args...).Scan(
			&snap.ID, &snap.Owner, &snap.Version, &snap.Revision, &published, &ownerSuspended, &public,
			&snap.Name, &snap.Model, &snap.Settings.Temperature, &snap.Settings.MaxTokens,
			storedFormat{&snap.Settings.ResponseFormat}, storedJSON{&snap.Variables}, &snap.Instructions)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, elumenta.NotFound("assistant")
	}
	if err != nil {
		return nil, err
	}
	usable := published
	if ref.Version != 0 {
		usable = public
	}
	if snap.Owner != viewer && (!usable || ownerSuspended) {
		return nil, elumenta.NotFound("assistant")
	}
	return &snap, nil
}
