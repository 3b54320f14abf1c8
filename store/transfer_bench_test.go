package store_test

import (
	"flag"
	"path/filepath"
	"testing"
	"time"

	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/store/storetest"
)

// benchGenerations is how many generations the database has that BenchmarkBackup copies and BenchmarkTransfer moves.
var benchGenerations = flag.Int("bench.generations", 20_000, "generations of the benchmarks of backup and transfer") //nolint:gochecknoglobals // a flag

// filled makes a SQLite database with generations, a hundred an account, each with two entries of the journal.
func filled(b *testing.B) string {
	b.Helper()
	url := sqliteURL(b)
	s, err := store.Open(b.Context(), store.Options{URL: url})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	db := storetest.Raw(b, url)
	db.SetMaxOpenConns(1)
	const numbers = `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < $1 - 1) `
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{`PRAGMA synchronous = off`, nil},
		{numbers + `INSERT INTO accounts (id, display_name, search_text, role, plan, plan_started, topup, entries, revision, created_at)
			SELECT printf('acct_%026d', i), 'Ada', 'ada', 'user', 'free', 1, 600, 201, 1, 1 FROM n`, []any{*benchGenerations / 100}},
		{numbers + `INSERT INTO generations (account_id, id, key_id, assistant_id, version, author_id, model, price, taken_monthly, taken_topup, state, finish,
				prompt_tokens, completion_tokens, latency_us, first_piece_us, node_id, created_at, settled_at)
			SELECT printf('acct_%026d', i / 100), printf('gen_%026d', i), printf('key_%026d', i / 100), printf('asst_%026d', i % 1000), 3,
				printf('acct_%026d', i % 1000), 'gpt-5', 4, 0, 4, 1, 'stop', 800, 300, 1500000 + i, 300000, 'node_ABCDEFGHIJKLMNOPQRSTUVWXYZ',
				1790000000000000 + i, 1790000001000000 + i FROM n`, []any{*benchGenerations}},
		{numbers + `INSERT INTO ledger_entries (account_id, seq, kind, source, destination, monthly, topup, generation_id, at)
			SELECT printf('acct_%026d', i / 201), i % 201 + 1, CASE WHEN i % 201 = 0 THEN 'topup' WHEN i % 201 % 2 = 1 THEN 'reserve' ELSE 'settle' END,
				CASE WHEN i % 201 = 0 THEN 'topped_up' WHEN i % 201 % 2 = 1 THEN 'available' ELSE 'reserved' END,
				CASE WHEN i % 201 = 0 THEN 'available' WHEN i % 201 % 2 = 1 THEN 'reserved' ELSE 'spent' END, 0, CASE WHEN i % 201 = 0 THEN 1000 ELSE 4 END,
				CASE WHEN i % 201 = 0 THEN NULL ELSE printf('gen_%026d', i / 201 * 100 + (i % 201 - 1) / 2) END, 1790000000000000 + i FROM n`, []any{*benchGenerations / 100 * 201}},
		{`INSERT INTO usage_pending (account_id, generation_id) SELECT account_id, id FROM generations`, nil},
	} {
		if _, err := db.ExecContext(b.Context(), step.statement, step.args...); err != nil {
			b.Fatal(err, step.statement)
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	return url
}

func BenchmarkBackup(b *testing.B) {
	url := filled(b)
	for b.Loop() {
		contents, err := store.Backup(b.Context(), url, filepath.Join(b.TempDir(), "backup.db"), false, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(contents.Bytes)
	}
}

func BenchmarkTransfer(b *testing.B) {
	url := filled(b)
	for b.Loop() {
		start, copied := time.Now(), time.Duration(0)
		report, err := store.Transfer{From: url, To: storetest.Postgres(b), Progress: func(p store.TransferProgress) {
			if p.Phase == store.Copying {
				copied = time.Since(start)
			}
		}}.Run(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		var rows int64
		for _, table := range report.Tables {
			rows += table.Rows
		}
		if report.Source.Found > 0 {
			b.Fatalf("%+v", report.Source.Differences[0])
		}
		b.ReportMetric(float64(rows)/copied.Seconds(), "copied-rows/s")
		b.ReportMetric(float64(rows)/time.Since(start).Seconds(), "moved-rows/s")
	}
}
