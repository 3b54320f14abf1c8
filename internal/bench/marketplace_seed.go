package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/elumenta/elumenta"
	database "github.com/elumenta/elumenta/store"
)

const (
	seedIndexRows = 1 << 30 // of the index in a transaction: nobody else is there
	seedTimeout   = 10 * time.Minute
	seedPart      = 50_000 // rows of a transaction
)

// inserter adds rows to a table.
type inserter interface {
	insert(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) error
	close() error
}

// seedMarketplace publishes n assistants of as many accounts as that takes, in a database that nobody uses, with callers in
// the last 30 days for a third of them, and has the store index and rank them.
func seedMarketplace(ctx context.Context, url string, n int, progress func(format string, args ...any)) error {
	authors, err := seedAuthors(ctx, url, n)
	if err != nil {
		return fmt.Errorf("make accounts: %w", err)
	}
	to, err := openInserter(ctx, url)
	if err != nil {
		return err
	}
	begin := time.Now()
	for _, t := range seedTables(authors, n) {
		if err := to.insert(ctx, t.name, strings.Fields(t.columns), t.rows); err != nil {
			return errors.Join(fmt.Errorf("fill %s: %w", t.name, err), to.close())
		}
	}
	if err := to.close(); err != nil {
		return err
	}
	progress("%d published assistants written in %s\n", n, time.Since(begin).Round(time.Second))
	begin = time.Now()
	s, err := database.Open(ctx, database.Options{URL: url, Serve: true, IndexRows: seedIndexRows, Timeout: seedTimeout})
	if err != nil {
		return err
	}
	rows, err := indexed(ctx, url)
	progress("indexed in %s: %d rows of terms\n", time.Since(begin).Round(time.Second), rows)
	return errors.Join(err, s.Close(), settle(ctx, url))
}

// indexed waits until the follower has moved all notes, and a ranking is there.
func indexed(ctx context.Context, url string) (rows int64, err error) {
	driver, source := "pgx", url
	if path, sqlite := strings.CutPrefix(url, "sqlite:"); sqlite {
		driver, source = "sqlite", "file:"+path+"?_pragma=busy_timeout(60000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for left := true; left; {
		if err := wait(ctx, time.Second); err != nil {
			return 0, err
		}
		if err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM search_pending) OR NOT EXISTS (SELECT 1 FROM rankings)`).Scan(&left); err != nil {
			return 0, err
		}
	}
	err = db.QueryRowContext(ctx, `SELECT count(*) FROM search_terms`).Scan(&rows)
	return rows, err
}

// settle has Postgres do at once what it does by itself in the hours after so much was written.
func settle(ctx context.Context, url string) error {
	if strings.HasPrefix(url, "sqlite:") {
		return nil
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, vacuum := conn.Exec(ctx, `VACUUM ANALYZE`)
	_, checkpoint := conn.Exec(ctx, `CHECKPOINT`)
	return errors.Join(vacuum, checkpoint, conn.Close(ctx))
}

func seedAuthors(ctx context.Context, url string, n int) (ids []string, err error) {
	s, err := database.Open(ctx, database.Options{URL: url})
	if err != nil {
		return nil, err
	}
	for len(ids)*1000 < n {
		a, _, err := s.CreateAccount(ctx, elumenta.NewAccount{DisplayName: fmt.Sprintf("Author %d", len(ids)), Plan: "unlimited"}, nil)
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		ids = append(ids, string(a.ID))
	}
	return ids, s.Close()
}

type seedTable struct {
	name, columns string
	rows          iter.Seq[[]any]
}

func seedTables(authors []string, n int) []seedTable {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = string(elumenta.NewAssistantID())
	}
	t := newTexts()
	categories := elumenta.CategorySlugs()
	now := time.Now().UnixMicro()
	category := func(i int) string { // some have many, some few
		return categories[min(i%len(categories), i/len(categories)%len(categories))]
	}
	instructions := strings.Repeat("Answer briefly and only from what you were told. ", 8)
	each := func(row func(i int, yield func([]any) bool) bool) iter.Seq[[]any] {
		return func(yield func([]any) bool) {
			for i := range n {
				if !row(i, yield) {
					return
				}
			}
		}
	}
	return []seedTable{
		{"assistants", `id account_id version published category search_text sort_name doc revision created_at updated_at`, each(func(i int, yield func([]any) bool) bool {
			name, description := t.of(i)
			return yield([]any{ids[i], authors[i%len(authors)], int64(1), int64(1), category(i), elumenta.SearchText(name, description), elumenta.SortName(name),
				int64(i + 1), int64(1), now, now})
		})},
		{"assistant_versions", `assistant_id version public created_at note name model description category copyable instructions`, each(func(i int, yield func([]any) bool) bool {
			name, description := t.of(i)
			return yield([]any{ids[i], int64(1), int64(1), now, "", name, model, description, category(i), int64(0), instructions})
		})},
		{"search_pending", `doc changes`, each(func(i int, yield func([]any) bool) bool { return yield([]any{int64(i + 1), int64(1)}) })},
		{"assistant_callers", `assistant_id account_id day`, each(func(i int, yield func([]any) bool) bool {
			t.source.Seed(8, uint64(i))
			if t.random.IntN(3) > 0 {
				return true
			}
			for caller := range 1 + t.random.IntN(1+t.random.IntN(10)) {
				if !yield([]any{ids[i], fmt.Sprintf("acct_%026d", caller), now/86_400_000_000 - t.random.Int64N(30)}) {
					return false
				}
			}
			return true
		})},
		{"counters", `name value`, func(yield func([]any) bool) { yield([]any{"documents", int64(n)}) }},
	}
}

func openInserter(ctx context.Context, url string) (inserter, error) {
	path, sqlite := strings.CutPrefix(url, "sqlite:")
	if !sqlite {
		conn, err := pgx.Connect(ctx, url)
		return postgresInserter{conn}, err
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(60000)&_pragma=journal_mode(off)&_pragma=synchronous(off)&_pragma=cache_size(-1000000)")
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return sqliteInserter{db}, err
}

type postgresInserter struct{ conn *pgx.Conn }

func (p postgresInserter) close() error { return p.conn.Close(context.Background()) }

func (p postgresInserter) insert(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) error {
	next, stop := iter.Pull(rows)
	defer stop()
	_, err := p.conn.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(func() ([]any, error) {
		row, _ := next()
		return row, nil
	}))
	if err == nil {
		_, err = p.conn.Exec(ctx, `ANALYZE `+table)
	}
	return err
}

type sqliteInserter struct{ db *sql.DB }

func (s sqliteInserter) close() error { return s.db.Close() }

func (s sqliteInserter) insert(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) error {
	text := `INSERT INTO ` + table + ` (` + strings.Join(columns, ", ") + `) VALUES (` + strings.TrimSuffix(strings.Repeat("?,", len(columns)), ",") + `)`
	next, stop := iter.Pull(rows)
	defer stop()
	for {
		n, err := s.part(ctx, text, next)
		if err != nil || n < seedPart {
			return err
		}
	}
}

// part inserts up to seedPart rows.
func (s sqliteInserter) part(ctx context.Context, text string, next func() ([]any, bool)) (n int, err error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }()
	st, err := tx.PrepareContext(ctx, text)
	if err != nil {
		return 0, err
	}
	for ; n < seedPart; n++ {
		row, ok := next()
		if !ok {
			break
		}
		if _, err := st.ExecContext(ctx, row...); err != nil {
			return n, err
		}
	}
	return n, tx.Commit()
}
