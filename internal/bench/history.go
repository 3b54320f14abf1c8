package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/elumenta/elumenta"
)

const (
	historyDays    = 90
	historyCost    = 1.2 // most that a generation may cost beside an empty database
	historyUsage   = 50 * time.Millisecond
	historyStart   = time.Second
	historySamples = 40
	inUse          = 20 // assistants of the measured account that its generations used
)

// historyFigures say what a database with a past costs. The measured account has a tenth of all generations, over 90 days.
type historyFigures struct {
	Generations int                      `json:"generations"`
	Accounts    int                      `json:"accounts"`
	Assistants  int                      `json:"assistants"`
	Bytes       int64                    `json:"bytes"`
	Start       time.Duration            `json:"start"`
	Cost        float64                  `json:"generate_cost_ratio"`
	Usage       map[string]time.Duration `json:"usage_90_days_p50"`
	Verify      time.Duration            `json:"ledger_verify"`
}

// history compares a database with a past and an empty one: a generation's cost, the start, and how long usage takes.
func (b *bench) history(ctx context.Context) (err error) {
	f := &historyFigures{Generations: b.past, Accounts: max(2, b.past/100), Assistants: max(inUse, b.past/10)}
	empty, _, err := b.paying(ctx, "empty")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, empty.stop()) }()
	full, in, err := b.paying(ctx, "full")
	if err != nil {
		return err
	}
	if err := full.stop(); err != nil {
		return err
	}
	begin := time.Now()
	if err := fill(ctx, in.path("elumenta.db"), f); err != nil {
		return fmt.Errorf("make a past: %w", err)
	}
	b.printf("%d generations of %d accounts with %d assistants made in %s: %.1f GB\n", f.Generations, f.Accounts, f.Assistants,
		time.Since(begin).Round(time.Second), float64(f.Bytes)/1e9)
	server, err := in.serve(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	f.Start = server.start
	server.key = full.key
	full.elumentaServer = server
	row := scaleRow{Call: "generate", Count: f.Generations}
	if err := b.scaleRow(ctx, &row, "twenty pieces", empty, full, empty.each(empty.ids, generateRequest), full.each(full.ids, generateRequest)); err != nil {
		return err
	}
	f.Cost = row.Ratio
	b.printf("start to first answer %s (target %s); generate %.0f/s, %.0f/s in an empty database: costs %.2f times (target at most %.1f)\n",
		round(f.Start), historyStart, row.Many.Rate, row.Few.Rate, f.Cost, historyCost)
	if err := b.usageTimes(ctx, full, f); err != nil {
		return err
	}
	begin = time.Now()
	if out, err := exec.CommandContext(ctx, b.binary, "ledger", "verify", "--database", in.database, "--config", in.path("elumenta.toml")).CombinedOutput(); err != nil {
		return fmt.Errorf("ledger verify: %w\n%s", err, out)
	}
	f.Verify = time.Since(begin)
	b.printf("ledger verify, beside the server: %s\n", f.Verify.Round(time.Second))
	b.report.History = f
	return nil
}

func (b *bench) usageTimes(ctx context.Context, s *store, f *historyFigures) error {
	f.Usage = map[string]time.Duration{}
	from := time.Now().UTC().AddDate(0, 0, -historyDays).Format(time.DateOnly)
	for _, by := range []string{"day", "assistant", "model", "key"} {
		req := request("GET", "/api/v2/usage?from="+from+"&group_by="+by, s.key, nil)
		var spent []time.Duration
		for range historySamples {
			begin := time.Now()
			if _, err := once(ctx, s.addr, req); err != nil {
				return fmt.Errorf("usage by %s: %w", by, err)
			}
			spent = append(spent, time.Since(begin))
		}
		f.Usage[by] = median(spent)
		b.printf("usage over %d days by %-9s p50 %s (target %s)\n", historyDays, by, round(f.Usage[by]), historyUsage)
	}
	return nil
}

// paying starts a server with an account that has a balance, assistants and a generation.
func (b *bench) paying(ctx context.Context, name string) (*store, *installation, error) {
	in, err := b.install(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	server, err := in.serve(ctx)
	if err != nil {
		return nil, nil, err
	}
	s := &store{elumentaServer: server}
	if s.key, err = in.account(ctx, payingPlan); err == nil {
		s.ids, err = seed(ctx, server.addr, s.key, inUse)
	}
	if err == nil {
		_, err = once(ctx, server.addr, generateRequest(s.key, s.ids[0]))
	}
	if err == nil {
		err = wait(ctx, 3*time.Second) // until the follower has added it up
	}
	if err != nil {
		return nil, nil, errors.Join(err, server.stop())
	}
	return s, in, nil
}

// copies says how a row is made from a template of its table: the columns that differ, and where the numbers come from.
type copies struct {
	table   string
	changed map[string]string
	from    string
}

// fill multiplies what one generation left in the database of a server that is stopped.
func fill(ctx context.Context, path string, f *historyFigures) (err error) {
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	var account string
	if err := db.QueryRowContext(ctx, `SELECT account_id FROM generations WHERE taken_monthly > 0`).Scan(&account); err != nil {
		return fmt.Errorf("find the template: %w", err)
	}
	for _, text := range []string{
		`PRAGMA journal_mode = off`, `PRAGMA synchronous = off`, `PRAGMA cache_size = -200000`,
		`CREATE TEMP TABLE days (day INTEGER PRIMARY KEY, prefix TEXT, at INTEGER, number INTEGER)`,
		`CREATE TEMP TABLE used AS SELECT row_number() OVER (ORDER BY id) - 1 AS n, id FROM assistants`,
		`CREATE TEMP TABLE template AS SELECT * FROM generations WHERE taken_monthly > 0 LIMIT 1`,
		`CREATE TEMP TABLE entries AS SELECT * FROM ledger_entries WHERE account_id = (SELECT account_id FROM template)`,
		`CREATE TEMP TABLE rolled AS SELECT * FROM usage_daily WHERE account_id IN ('', (SELECT account_id FROM template))`,
	} {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	today := time.Now().UTC().Truncate(24 * time.Hour)
	for day := range historyDays {
		at := today.AddDate(0, 0, day-historyDays)
		prefix := string(elumenta.FirstGenerationID(at))[:len("gen_")+10]
		if _, err := db.ExecContext(ctx, `INSERT INTO days VALUES ($1, $2, $3, $4)`, day, prefix, at.UnixMicro(), at.Unix()/86400); err != nil {
			return err
		}
	}
	for _, c := range pastOf(account, f) {
		if err := c.run(ctx, db); err != nil {
			return fmt.Errorf("fill %s: %w", c.table, err)
		}
	}
	for _, sum := range []struct{ dimension, value, of string }{{"model", "value", "model"}, {"account", "account_id", "model"}} {
		text := `INSERT INTO usage_daily (account_id, dimension, day, value, requests, failures, tokens_spent,
			prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens, cache_hits, latency) SELECT '', $1, day, ` + sum.value + `, sum(requests), sum(failures), sum(tokens_spent),
			sum(prompt_tokens), sum(cached_tokens), sum(cache_write_tokens), sum(completion_tokens), sum(cache_hits), max(latency)
			FROM usage_daily WHERE account_id <> '' AND dimension = $2 AND day < $3 GROUP BY day, ` + sum.value
		if _, err := db.ExecContext(ctx, text, sum.dimension, sum.of, today.Unix()/86400); err != nil {
			return fmt.Errorf("add up for everyone: %w", err)
		}
	}
	used := daily(f) * historyDays
	if _, err := db.ExecContext(ctx, `UPDATE accounts SET entries = entries + 2 * $2, monthly = monthly - $2 WHERE id = $1`, account, used); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, `PRAGMA journal_mode = wal`); err != nil {
		return err
	}
	return db.QueryRowContext(ctx, `SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`).Scan(&f.Bytes)
}

// run inserts the copies.
func (c *copies) run(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, `SELECT name FROM pragma_table_info($1)`, c.table)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var columns, values []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		value, ok := c.changed[name]
		if !ok {
			value = "t." + name
		}
		columns, values = append(columns, name), append(values, value)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	text := `INSERT INTO ` + c.table + ` (` + strings.Join(columns, ", ") + `) SELECT ` + strings.Join(values, ", ") + ` FROM ` + c.from
	_, err = db.ExecContext(ctx, text)
	return err
}

// daily is how many generations the measured account has on each day: as many of each assistant.
func daily(f *historyFigures) int { return f.Generations / 10 / historyDays / inUse * inUse }

// pastOf lists what is copied. Each other account has its generations on one day; the measured one, whose id sorts behind
// theirs, on every day.
func pastOf(account string, f *historyFigures) []copies {
	others := f.Accounts - 1
	each := f.Generations * 9 / 10 / others
	daily := daily(f)
	const id = `'00000000' || substr(CAST(1000000000000000000 + %s AS TEXT), 2)`
	number := func(of string) string { return fmt.Sprintf(id, of) }
	series := func(name string, n int) string {
		return fmt.Sprintf(`(WITH RECURSIVE n (k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < %d) SELECT k FROM n) AS %s`, n, name)
	}
	other := `'acct_' || ` + number("j.k")
	owner := fmt.Sprintf(`CASE WHEN k.k < 5000 THEN '%s' ELSE 'acct_' || %s END`, account, number(fmt.Sprintf("(1 + k.k %% %d)", others)))
	generation := `d.prefix || substr(CAST(10000000000000000 + k.k AS TEXT), 2)`
	spread := series("j", others) + fmt.Sprintf(` JOIN temp.days AS d ON d.day = j.k %% %d CROSS JOIN `, historyDays)
	return []copies{
		{"accounts", map[string]string{
			"id": other, "monthly": fmt.Sprintf("t.monthly + 1 - %d", each), "entries": fmt.Sprint(1 + 2*each), "keys": "0", "assistants": "0",
		}, series("j", others) + fmt.Sprintf(` CROSS JOIN accounts AS t WHERE t.id = '%s'`, account)},
		{"assistants", map[string]string{"id": `'asst_' || ` + number("k.k"), "account_id": owner},
			series("k", f.Assistants-inUse) + ` CROSS JOIN assistants AS t WHERE t.id = (SELECT id FROM temp.used LIMIT 1)`},
		{"assistant_versions", map[string]string{"assistant_id": `'asst_' || ` + number("k.k")},
			series("k", f.Assistants-inUse) + ` CROSS JOIN assistant_versions AS t WHERE t.assistant_id = (SELECT id FROM temp.used LIMIT 1)`},
		{"generations", map[string]string{"account_id": other, "id": generation, "created_at": "d.at", "settled_at": "d.at"},
			spread + series("k", each) + ` CROSS JOIN temp.template AS t`},
		{"generations", map[string]string{
			"id": generation, "created_at": "d.at", "settled_at": "d.at",
			"assistant_id": fmt.Sprintf(`(SELECT id FROM temp.used WHERE n = k.k %% %d)`, inUse),
		}, `temp.days AS d CROSS JOIN ` + series("k", daily) + ` CROSS JOIN temp.template AS t`},
		{"ledger_entries", map[string]string{"account_id": other}, series("j", others) + ` CROSS JOIN temp.entries AS t WHERE t.seq = 1`},
		{"ledger_entries", map[string]string{"account_id": other, "seq": "t.seq + 2 * (k.k - 1)", "generation_id": generation, "at": "d.at"},
			spread + series("k", each) + ` CROSS JOIN temp.entries AS t WHERE t.seq > 1`},
		{"ledger_entries", map[string]string{"seq": fmt.Sprintf("t.seq + 2 * (k.k + d.day * %d)", daily), "generation_id": generation, "at": "d.at"},
			`temp.days AS d CROSS JOIN ` + series("k", daily) + ` CROSS JOIN temp.entries AS t WHERE t.seq > 1`},
		{"usage_daily", usageTimes(each, map[string]string{"account_id": other}),
			spread + fmt.Sprintf(` temp.rolled AS t WHERE t.account_id = '%s'`, account)},
		{"usage_daily", usageTimes(daily, nil), fmt.Sprintf(`temp.days AS d CROSS JOIN temp.rolled AS t
			WHERE t.account_id = '%s' AND t.dimension <> 'version'`, account)},
		{"usage_daily", usageTimes(daily/inUse, map[string]string{"value": `u.id || '@1'`}),
			fmt.Sprintf(`temp.days AS d CROSS JOIN temp.used AS u CROSS JOIN temp.rolled AS t
				WHERE t.account_id = '%s' AND t.dimension = 'version'`, account)},
	}
}

// usageTimes multiplies a day's sums.
func usageTimes(n int, changed map[string]string) map[string]string {
	all := map[string]string{"day": "d.number"}
	for _, column := range []string{"requests", "tokens_spent", "prompt_tokens", "completion_tokens", "cached_tokens"} {
		all[column] = fmt.Sprintf("t.%s * %d", column, n)
	}
	maps.Copy(all, changed)
	return all
}
