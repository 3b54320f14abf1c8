package store

import "context"

// These let tests outside the package reach what runs in the background, and what was run.

func (s *Store) FollowUsage(ctx context.Context) error { return s.followUsage(ctx) }

func (s *Store) Retire(ctx context.Context) error { return s.retire(ctx) }

func (s *Store) PurgeIdempotency(ctx context.Context) error { return s.purgeIdempotency(ctx) }

func (s *Store) RemoveDeleted(ctx context.Context) error { return s.removeDeleted(ctx) }

func (s *Store) RemoveSome(ctx context.Context) (more bool, err error) { return s.removeSome(ctx) }

// Statements lists the statement texts that SQLite's connections have prepared.
func (s *Store) Statements() (texts []string) {
	e, ok := s.engine.(*sqliteEngine)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	add := func(c *conn) {
		for text := range c.stmts {
			seen[text] = true
		}
		for text := range c.named {
			seen[text] = true
		}
	}
	for range cap(e.readers) {
		c := <-e.readers
		add(c)
		defer func() { e.readers <- c }()
	}
	add(e.writer)
	return sortedKeys(seen)
}

func (s *Store) FollowListings(ctx context.Context) error { return s.followListings(ctx) }

// Rank makes a ranking, though none be due.
func (s *Store) Rank(ctx context.Context) error {
	if err := s.write(ctx, func(ctx context.Context, tx querier) error {
		_, err := tx.ExecContext(ctx, `UPDATE counters SET value = 0 WHERE name = 'ranking_due'`)
		return err
	}); err != nil {
		return err
	}
	return s.rank(ctx)
}

// DecodeChunk lists the documents of a row of search_terms.
func DecodeChunk(chunk int64, row []byte) (docs []int64, err error) {
	var words docWords
	if err := words.add(chunk, row); err != nil {
		return nil, err
	}
	for doc := range words.set().EachSet() {
		docs = append(docs, int64(doc))
	}
	return docs, nil
}

// RankIfDue does what a server does each second.
func (s *Store) RankIfDue(ctx context.Context) error { return s.rank(ctx) }
