package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/elumenta/elumenta"
)

const (
	// indexRows is about how many rows of the index one transaction of a server writes, since other writes wait for it, and
	// mostDocs is how many documents it may be about. It begins with firstDocs.
	indexRows           = 1000
	firstDocs, mostDocs = 8, 8 * chunkDocs
	// indexPart bounds the rows of one statement on Postgres, which takes 65,535 parameters.
	indexPart = 5000
)

// noteListing notes that a document has changed now, in the transaction that changes it. On Postgres it waits while a node moves an
// earlier note into the index.
func noteListing(ctx context.Context, tx querier, doc int64, now time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO search_pending (doc, changes, noted) VALUES ($1, 1, $2)
		ON CONFLICT (doc) DO UPDATE SET changes = search_pending.changes + 1, noted = excluded.noted`, doc, micros(now))
	return err
}

// newDocument gives an assistant that is published for the first time its number, and notes it.
func newDocument(ctx context.Context, tx querier, now time.Time) (doc int64, err error) {
	if doc, err = count(ctx, tx, "documents"); err != nil {
		return 0, err
	}
	return doc, noteListing(ctx, tx, doc, now)
}

// noteListings does so with all that an account has published.
func noteListings(ctx context.Context, tx querier, owner elumenta.AccountID, now time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO search_pending (doc, changes, noted)
		SELECT doc, 1, CAST($2 AS BIGINT) FROM assistants WHERE account_id = $1 AND published = 1 AND doc <> 0 ORDER BY doc
		ON CONFLICT (doc) DO UPDATE SET changes = search_pending.changes + 1, noted = excluded.noted`, string(owner), micros(now))
	return err
}

// indexer has the statements that write the index.
type indexer struct {
	rows  int64        // that one transaction writes, about
	limit atomic.Int64 // documents of the next batch

	forget, put, drop, keep, leave *list
	read                           *bulk // SQLite
	readAll                        *list // Postgres
}

func newIndexer(rows int) *indexer {
	x := &indexer{
		rows: int64(rows),
		forget: newList(`DELETE FROM search_pending WHERE (doc, changes) IN
			(SELECT CAST(v.column1 AS BIGINT), CAST(v.column2 AS BIGINT) FROM (VALUES `, 2, `) AS v)`),
		put: newList(`INSERT INTO search_terms (term, chunk, docs) VALUES `, 3, ` ON CONFLICT (term, chunk) DO UPDATE SET docs = excluded.docs`),
		drop: newList(`DELETE FROM search_terms WHERE (term, chunk) IN
			(SELECT v.column1, CAST(v.column2 AS BIGINT) FROM (VALUES `, 2, `) AS v)`),
		keep: newList(`INSERT INTO search_documents (doc, category, search_text) VALUES `, 3,
			` ON CONFLICT (doc) DO UPDATE SET category = excluded.category, search_text = excluded.search_text`),
		leave: newList(`DELETE FROM search_documents WHERE doc IN (SELECT CAST(v.column1 AS BIGINT) FROM (VALUES `, 1, `) AS v)`),
		read: newBulk(`SELECT v.column1, t.docs FROM (VALUES `, 2, true, `) AS v CROSS JOIN search_terms AS t
			ON t.term = v.column2 AND t.chunk = v.column3`),
		readAll: newList(`SELECT t.term, t.chunk, t.docs FROM (VALUES `, 2, `) AS v
			JOIN search_terms AS t ON t.term = v.column1 AND t.chunk = CAST(v.column2 AS BIGINT)`),
	}
	x.limit.Store(firstDocs)
	return x
}

// termKey names a row of search_terms.
type termKey struct {
	term  string
	chunk int64
}

// indexBatch is a number of notes, and what they change.
type indexBatch struct {
	notes   []docNote
	more    bool // others wait
	changes map[termKey]*termChange
	keys    []termKey // in their order
}

// docNote is a document as the index has it, and as it is; nil is not at all.
type docNote struct {
	doc, changes int64
	was, is      *elumenta.SearchDocument
}

type termChange struct {
	add, remove []uint16 // places in the chunk
	docs        []byte
}

// followListings moves notes into the index until none waits.
func (s *Store) followListings(ctx context.Context) error {
	for ctx.Err() == nil {
		var some bool
		if err := s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
			return q.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM search_pending)`).Scan(&some)
		}); err != nil || !some {
			return err
		}
		if more, err := s.indexNotes(ctx); err != nil || !more {
			return err
		}
	}
	return nil
}

// indexChanges is the counter of the index's changes.
const indexChanges = "indexing"

// indexNotes moves one batch of notes. On SQLite a single server follows, and the writer is spared reading and cutting. On
// Postgres one node at a time does: nearly every document has some terms in common with every other.
func (s *Store) indexNotes(ctx context.Context) (more bool, err error) {
	x, b := s.indexer, &indexBatch{}
	limit := x.limit.Load()
	defer func() { x.limit.Store(x.nextLimit(b, limit)) }()
	if _, ok := s.engine.(*sqliteEngine); !ok {
		err = s.write(ctx, func(ctx context.Context, tx querier) error {
			*b = indexBatch{}
			if _, err := count(ctx, tx, indexChanges); err != nil { // and one node at a time does
				return err
			}
			if err := b.take(ctx, tx, limit, ` FOR UPDATE SKIP LOCKED`); err != nil || len(b.notes) == 0 {
				return err
			}
			if err := x.readPostgres(ctx, tx, b); err != nil {
				return err
			}
			return x.save(ctx, tx, b)
		})
		return b.more, err
	}
	if err := s.readUnlogged(ctx, func(ctx context.Context, q querier) error {
		if err := b.take(ctx, q, limit, ``); err != nil || len(b.notes) == 0 {
			return err
		}
		return x.readSQLite(ctx, q, b)
	}); err != nil || len(b.notes) == 0 {
		return false, err
	}
	err = s.write(ctx, func(ctx context.Context, tx querier) error {
		if _, err := count(ctx, tx, indexChanges); err != nil {
			return err
		}
		return x.save(ctx, tx, b)
	})
	return b.more, err
}

// nextLimit is how many documents the next batch is about.
func (x *indexer) nextLimit(b *indexBatch, limit int64) int64 {
	switch rows := int64(len(b.keys)); {
	case rows > x.rows:
		return max(1, limit/2)
	case b.more && rows <= x.rows/2:
		return min(2*limit, mostDocs)
	}
	return limit
}

// take reads notes, and after them their documents, which are therefore no older than the notes.
func (b *indexBatch) take(ctx context.Context, q querier, limit int64, lock string) error {
	rows, err := q.QueryContext(ctx, `SELECT doc, changes FROM search_pending ORDER BY doc LIMIT $1`+lock, limit)
	if err != nil {
		return fmt.Errorf("read the notes of listings: %w", err)
	}
	if err := each(rows, func() error {
		var n docNote
		err := rows.Scan(&n.doc, &n.changes)
		b.notes = append(b.notes, n)
		return err
	}); err != nil {
		return fmt.Errorf("read the notes of listings: %w", err)
	}
	if len(b.notes) == 0 {
		return nil
	}
	b.more = len(b.notes) == int(limit)
	if err := b.readDocuments(ctx, q, `SELECT p.doc, d.category, d.search_text FROM search_pending AS p CROSS JOIN search_documents AS d WHERE d.doc = p.doc`,
		func(n *docNote, d *elumenta.SearchDocument) { n.was = d }); err != nil {
		return fmt.Errorf("read what the index has: %w", err)
	}
	if err := b.readDocuments(ctx, q, `SELECT p.doc, a.category, a.search_text FROM search_pending AS p CROSS JOIN assistants AS a WHERE a.doc = p.doc AND `+listed,
		func(n *docNote, d *elumenta.SearchDocument) { n.is = d }); err != nil {
		return fmt.Errorf("read listings: %w", err)
	}
	b.compare()
	return nil
}

// readDocuments reads what text selects of the notes' documents.
func (b *indexBatch) readDocuments(ctx context.Context, q querier, text string, set func(*docNote, *elumenta.SearchDocument)) error {
	rows, err := q.QueryContext(ctx, text+` AND p.doc >= $1 AND p.doc <= $2`, b.notes[0].doc, b.notes[len(b.notes)-1].doc)
	if err != nil {
		return err
	}
	return each(rows, func() error {
		var doc int64
		var d elumenta.SearchDocument
		if err := rows.Scan(&doc, &d.Category, &d.Text); err != nil {
			return err
		}
		i, ok := slices.BinarySearchFunc(b.notes, doc, func(n docNote, doc int64) int { return cmp.Compare(n.doc, doc) })
		if ok { // a note that another transaction holds is none of these
			set(&b.notes[i], &d)
		}
		return nil
	})
}

// compare finds what the notes change.
func (b *indexBatch) compare() {
	b.changes = map[termKey]*termChange{}
	for _, n := range b.notes {
		was, is := map[string]bool{}, []string{}
		if n.was != nil {
			for _, term := range n.was.Terms() {
				was[term] = true
			}
		}
		if n.is != nil {
			is = n.is.Terms()
		}
		chunk, place := chunkOf(n.doc)
		for _, term := range is {
			if was[term] {
				delete(was, term)
				continue
			}
			c := b.change(termKey{term, chunk})
			c.add = append(c.add, uint16(place))
		}
		for term := range was {
			c := b.change(termKey{term, chunk})
			c.remove = append(c.remove, uint16(place))
		}
	}
	slices.SortFunc(b.keys, func(a, b termKey) int {
		return cmp.Or(cmp.Compare(a.term, b.term), cmp.Compare(a.chunk, b.chunk))
	})
}

func (b *indexBatch) change(key termKey) *termChange {
	c := b.changes[key]
	if c == nil {
		c = &termChange{}
		b.changes[key] = c
		b.keys = append(b.keys, key)
	}
	return c
}

// readSQLite reads the rows that a batch changes.
func (x *indexer) readSQLite(ctx context.Context, q querier, b *indexBatch) error {
	for p := range x.read.parts(len(b.keys)) {
		keys := b.keys[p.first : p.first+p.rows]
		values := make([]any, 0, 2*len(keys))
		for _, key := range keys {
			values = append(values, key.term, key.chunk)
		}
		rows, err := q.QueryContext(ctx, p.text, values...)
		if err != nil {
			return fmt.Errorf("read terms: %w", err)
		}
		if err := each(rows, func() error {
			var n int
			var docs []byte
			err := rows.Scan(&n, &docs)
			b.changes[keys[n]].docs = docs
			return err
		}); err != nil {
			return fmt.Errorf("read terms: %w", err)
		}
	}
	return b.apply()
}

// readPostgres reads the rows that a batch changes.
func (x *indexer) readPostgres(ctx context.Context, tx querier, b *indexBatch) error {
	for keys := range slices.Chunk(b.keys, indexPart) {
		var args arguments
		for _, key := range keys {
			args.add(key.term, key.chunk)
		}
		text, values := x.readAll.text(args)
		rows, err := tx.QueryContext(ctx, text, values...)
		if err != nil {
			return fmt.Errorf("read terms: %w", err)
		}
		if err := each(rows, func() error {
			var key termKey
			var docs []byte
			err := rows.Scan(&key.term, &key.chunk, &docs)
			b.changes[key].docs = docs
			return err
		}); err != nil {
			return fmt.Errorf("read terms: %w", err)
		}
	}
	return b.apply()
}

// apply makes of the rows that were read those that are to be written.
func (b *indexBatch) apply() error {
	for _, c := range b.changes {
		var set chunkSet
		if err := decodeChunk(set[:], c.docs); err != nil {
			return err
		}
		for _, place := range c.add {
			set.add(uint(place))
		}
		for _, place := range c.remove {
			set.remove(uint(place))
		}
		c.docs = set.encode()
	}
	return nil
}

// save writes a batch and removes its notes, but for those of documents that have changed again.
func (x *indexer) save(ctx context.Context, tx querier, b *indexBatch) error {
	var notes, kept, left arguments
	for i := range b.notes {
		n := &b.notes[i]
		notes.add(n.doc, n.changes)
		if n.is != nil {
			kept.add(n.doc, n.is.Category, n.is.Text)
		} else {
			left.add(n.doc)
		}
	}
	var put, dropped arguments
	for _, key := range b.keys {
		if docs := b.changes[key].docs; len(docs) > 0 {
			put.add(key.term, key.chunk, docs)
		} else {
			dropped.add(key.term, key.chunk)
		}
	}
	for _, step := range []struct {
		what string
		list *list
		args arguments
	}{{"remove the notes of listings", x.forget, notes}, {"keep what the index has", x.keep, kept}, {"keep what the index has", x.leave, left},
		{"write terms", x.put, put}, {"remove terms", x.drop, dropped}} {
		for args := range slices.Chunk(step.args, indexPart*step.list.bulk.columns) {
			if _, err := step.list.exec(ctx, tx, args, atOnce()); err != nil {
				return fmt.Errorf("%s: %w", step.what, err)
			}
		}
	}
	return nil
}
