package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/elumenta/elumenta"
)

var _ elumenta.Assistants = (*Store)(nil)

// listed selects published assistants of authors who are not suspended, as the partial indexes have it.
const (
	listed         = `a.published = 1 AND a.owner_suspended = 0`
	listingColumns = `a.id, a.account_id, v.name, v.description, v.category, v.model, a.version, accounts.display_name, a.uses, a.created_at, a.updated_at`
	listingTables  = `assistants a JOIN assistant_versions v ON v.assistant_id = a.id AND v.version = a.version
		JOIN accounts ON accounts.id = a.account_id`
)

func listingFields(l *elumenta.Listing) []any {
	return []any{&l.ID, &l.Owner, &l.Name, &l.Description, &l.Category, &l.Model, &l.Version, &l.Author, &l.Uses, storedTime{&l.CreatedAt}, storedTime{&l.UpdatedAt}}
}

// Listing implements elumenta.AssistantStore.
func (s *Store) Listing(ctx context.Context, id elumenta.AssistantID) (*elumenta.Listing, error) {
	var l elumenta.Listing
	err := s.read(ctx, func(ctx context.Context, q querier) error {
		return q.QueryRowContext(ctx, `SELECT `+listingColumns+` FROM `+listingTables+` WHERE a.id = $1 AND `+listed, string(id)).Scan(listingFields(&l)...)
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
func (s *Store) Listings(ctx context.Context, query elumenta.ListingQuery) (items []elumenta.Listing, more bool, err error) {
	filter, args := "", []any{below(string(query.Before)), query.Limit + 1}
	if query.Category != "" {
		filter, args = `AND a.category = $3`, append(args, query.Category)
	}
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		items = nil
		rows, err := q.QueryContext(ctx, `SELECT `+listingColumns+` FROM `+listingTables+`
			WHERE a.id < $1 AND `+listed+` `+filter+` ORDER BY a.id DESC LIMIT $2`, args...)
		if err != nil {
			return err
		}
		return each(rows, func() error {
			var l elumenta.Listing
			err := rows.Scan(listingFields(&l)...)
			items = append(items, l)
			return err
		})
	})
	items, more = page(items, query.Limit)
	return items, more, err
}

// CategoryCounts implements elumenta.AssistantStore.
func (s *Store) CategoryCounts(ctx context.Context) (counts map[string]int64, err error) {
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		counts = map[string]int64{}
		rows, err := q.QueryContext(ctx, `SELECT a.category, count(*) FROM assistants a WHERE `+listed+` GROUP BY a.category`)
		if err != nil {
			return err
		}
		return each(rows, func() error {
			var category string
			var n int64
			err := rows.Scan(&category, &n)
			counts[category] = n
			return err
		})
	})
	return counts, err
}

const snapshotColumns = `a.id, a.account_id, v.version, a.revision, a.published, a.owner_suspended, v.public,
	v.name, v.model, v.temperature, v.max_tokens, v.response_format, v.variables, v.instructions`

// Resolve implements elumenta.Assistants. The owner may use every version that is saved; others the newest of a published
// assistant, and by its number each version that was the newest while it was published.
func (s *Store) Resolve(ctx context.Context, viewer elumenta.AccountID, ref elumenta.AssistantRef, _ elumenta.UserHash) (*elumenta.Snapshot, error) {
	if ref.Label != "" {
		return nil, elumenta.NotFound("assistant")
	}
	join, args := `v.version = a.version`, []any{string(ref.ID)}
	if ref.Version != 0 {
		join, args = `v.version = $2`, append(args, ref.Version)
	}
	var snap elumenta.Snapshot
	var published, ownerSuspended, public bool
	err := s.read(ctx, func(ctx context.Context, q querier) error {
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
