package store

import "context"

// These let tests outside the package reach what runs in the background, and what was run.

func (s *Store) FollowUsage(ctx context.Context) error { return s.followUsage(ctx) }

func (s *Store) Retire(ctx context.Context) error { return s.retire(ctx) }

func (s *Store) PurgeIdempotency(ctx context.Context) error { return s.purgeIdempotency(ctx) }

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
